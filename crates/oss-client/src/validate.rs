//! What is checked before anything is fetched, signed or sent.

use http::{HeaderName, HeaderValue, Method};

use crate::error::InvalidInput;

/// Longest key, in bytes of UTF-8.
///
/// Vendor document: "Object naming conventions" (Object Storage Service, user guide).
const MAX_KEY_BYTES: usize = 1023;
/// Longest part of a caller's value that is repeated in an error, in characters.
const SHOWN: usize = 64;

/// Headers that signing or transport set.
const OWN_HEADERS: [&str; 8] = [
    "authorization",
    "content-length",
    "date",
    "expect",
    "host",
    "x-oss-content-sha256",
    "x-oss-date",
    "x-oss-security-token",
];

/// Headers that end at the next machine (RFC 9110, section 7.6.1), and what is meant for a proxy alone.
const HOP_HEADERS: [&str; 9] = [
    "connection",
    "http2-settings",
    "keep-alive",
    "proxy-authorization",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];

/// Query parameters that carry a V4 signature.
///
/// Vendor document: "Include a V4 signature in a URL" (Object Storage Service, API reference).
const V4_PARAMETERS: [&str; 7] = [
    "x-oss-additional-headers",
    "x-oss-credential",
    "x-oss-date",
    "x-oss-expires",
    "x-oss-security-token",
    "x-oss-signature",
    "x-oss-signature-version",
];
/// Query parameters that carry a V1 signature.
///
/// Vendor document: "Include a V1 signature in a URL" (Object Storage Service, API reference).
const V1_PARAMETERS: [&str; 4] = ["Expires", "OSSAccessKeyId", "Signature", "security-token"];

/// Vendor document: "Bucket naming conventions" (Object Storage Service, user guide).
pub(crate) fn bucket(name: &str) -> Result<(), InvalidInput> {
    if oss_sign::is_bucket_name(name) {
        return Ok(());
    }
    Err(InvalidInput::new(
        format!("the bucket name {:?} is malformed", shown(name)),
        "use 3 to 63 of a-z, 0-9 and -, with a letter or digit at both ends",
    ))
}

pub(crate) fn key(key: &str) -> Result<(), InvalidInput> {
    copied_key(key)?;
    // reqwest would take these segments out of the URL, and the request would go to another object.
    oss_sign::check_key_for_url(key).map_err(|_| {
        InvalidInput::new(
            "the key has a segment . or .., which HTTP libraries remove from the URL",
            "use another key",
        )
    })
}

/// A key in a header instead of the URL.
pub(crate) fn copied_key(key: &str) -> Result<(), InvalidInput> {
    if key.is_empty() {
        return Err(InvalidInput::new("the key is empty", "name the object"));
    }
    if key.len() > MAX_KEY_BYTES {
        return Err(InvalidInput::new(
            format!("the key has {} bytes", key.len()),
            "use at most 1023 bytes of UTF-8",
        ));
    }
    Ok(())
}

/// A header that the caller adds.
pub(crate) fn header(name: &str, value: &[u8]) -> Result<(HeaderName, HeaderValue), InvalidInput> {
    let unusable = || {
        InvalidInput::new(
            format!("the header {:?} cannot be sent", shown(name)),
            "use letters, digits and - in its name, and no control character in its value",
        )
    };
    let parsed = HeaderName::from_bytes(name.as_bytes()).map_err(|_| unusable())?;
    if HOP_HEADERS.contains(&parsed.as_str()) {
        return Err(InvalidInput::new(
            format!(
                "the header {:?} is about the connection and not about the request",
                parsed.as_str()
            ),
            "leave it out: the HTTP library sets what its connections need",
        ));
    }
    if OWN_HEADERS.contains(&parsed.as_str()) {
        return Err(InvalidInput::new(
            format!("the header {:?} is set by the client itself", parsed.as_str()),
            "leave it out",
        ));
    }
    let value = HeaderValue::from_bytes(value.trim_ascii()).map_err(|_| unusable())?;
    Ok((parsed, value))
}

/// The name of a query parameter. The service takes a request with one of a signature for a presigned one.
pub(crate) fn parameter(name: &str) -> Result<(), InvalidInput> {
    if name.is_empty() {
        return Err(InvalidInput::new(
            "a query parameter has no name",
            "name it or leave it out",
        ));
    }
    let is_v4 = V4_PARAMETERS.iter().any(|own| own.eq_ignore_ascii_case(name));
    if is_v4 || V1_PARAMETERS.contains(&name) {
        return Err(InvalidInput::new(
            format!("the query parameter {name:?} is part of the signature of a URL"),
            "leave it out: the signature is made here",
        ));
    }
    Ok(())
}

/// The methods that OSS has, as observed from the vendor's Go SDK V2.
pub(crate) fn method(method: &Method) -> Result<(), InvalidInput> {
    let known = [
        Method::GET,
        Method::PUT,
        Method::HEAD,
        Method::POST,
        Method::DELETE,
        Method::OPTIONS,
    ];
    if known.contains(method) {
        return Ok(());
    }
    Err(InvalidInput::new(
        format!("OSS has no method {:?}", shown(method.as_str())),
        "use GET, PUT, HEAD, POST, DELETE or OPTIONS",
    ))
}

/// `Range`: the service ignores a malformed one, and returns the whole object.
pub(crate) fn range(value: &HeaderValue) -> Result<(), InvalidInput> {
    let number = |text: &str| text.is_empty() || text.bytes().all(|byte| byte.is_ascii_digit());
    let well_formed = value
        .to_str()
        .ok()
        .and_then(|value| value.strip_prefix("bytes=")?.split_once('-'))
        .is_some_and(|(from, to)| number(from) && number(to) && !(from.is_empty() && to.is_empty()));
    if well_formed {
        return Ok(());
    }
    Err(InvalidInput::new(
        "the header \"range\" is malformed",
        "write bytes=first-last, bytes=first- or bytes=-length, and one range only",
    ))
}

/// A caller's value as it may stand in an error.
fn shown(value: &str) -> String {
    value.chars().take(SHOWN).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bucket_names_follow_the_documented_rule() {
        for good in ["123", "a--b", "abc", &"a".repeat(63)] {
            assert!(bucket(good).is_ok(), "{good}");
        }
        for bad in [
            "",
            "ab",
            "Abc",
            "a_b",
            "a.bc",
            "-abc",
            "abc-",
            "ä-bc",
            "a/b",
            &"a".repeat(64),
        ] {
            assert!(bucket(bad).is_err(), "{bad}");
        }
        assert_eq!(
            bucket("Abc").unwrap_err().to_string(),
            "oss-client: the bucket name \"Abc\" is malformed; use 3 to 63 of a-z, 0-9 and -, with a letter or \
             digit at both ends"
        );
        assert!(bucket(&"A".repeat(5000)).unwrap_err().to_string().len() < 200);
    }

    #[test]
    fn keys_are_counted_in_bytes_and_hold_no_dot_segments() {
        for good in ["k", "/lead", "a//b/", "...", "a/.b/c..", " ", "%2e%2e/a", "\\"] {
            assert!(key(good).is_ok(), "{good}");
        }
        assert!(key(&"k".repeat(1023)).is_ok());
        // 341 characters of three bytes are 1023 bytes.
        assert!(key(&"报".repeat(341)).is_ok());
        assert_eq!(
            key(&"报".repeat(342)).unwrap_err().to_string(),
            "oss-client: the key has 1026 bytes; use at most 1023 bytes of UTF-8"
        );
        assert_eq!(
            key("").unwrap_err().to_string(),
            "oss-client: the key is empty; name the object"
        );
        for dots in [".", "..", "a/../b", "./a", "a/."] {
            assert!(
                key(dots).unwrap_err().to_string().contains("segment . or .."),
                "{dots}"
            );
        }
    }

    #[test]
    fn ranges_and_methods_are_those_of_the_service() {
        let of = |value: &'static str| range(&HeaderValue::from_static(value));
        for good in ["bytes=0-9", "bytes=5-", "bytes=-5"] {
            assert!(of(good).is_ok(), "{good}");
        }
        for bad in [
            "",
            "0-9",
            "bytes=",
            "bytes=-",
            "bytes=0-1,3-4",
            "bytes= 0-9",
            "items=0-9",
            "bytes=a-b",
        ] {
            assert!(of(bad).unwrap_err().to_string().contains("malformed"), "{bad}");
        }
        assert!(method(&Method::OPTIONS).is_ok());
        assert!(
            method(&Method::PATCH)
                .unwrap_err()
                .to_string()
                .contains("\"PATCH\"")
        );
    }

    #[test]
    fn headers_of_the_client_and_broken_ones_are_refused() {
        let (name, value) = header("X-Oss-Meta-A", "  报告 ".as_bytes()).unwrap();
        assert_eq!(
            (name.as_str(), value.as_bytes()),
            ("x-oss-meta-a", "报告".as_bytes())
        );
        for own in ["Authorization", "x-oss-DATE", "Host", "content-length"] {
            assert!(
                header(own, b"x")
                    .unwrap_err()
                    .to_string()
                    .contains("set by the client")
            );
        }
        for hop in [
            "connection",
            "Keep-Alive",
            "proxy-authorization",
            "Proxy-Connection",
            "TE",
            "trailer",
            "Transfer-Encoding",
            "upgrade",
            "HTTP2-Settings",
        ] {
            assert_eq!(
                header(hop, b"canary").unwrap_err().to_string(),
                format!(
                    "oss-client: the header {:?} is about the connection and not about the request; leave it out: \
                     the HTTP library sets what its connections need",
                    hop.to_ascii_lowercase()
                )
            );
        }
        let error = header("a b", b"canary").unwrap_err().to_string();
        assert!(
            error.contains("\"a b\" cannot be sent") && !error.contains("canary"),
            "{error}"
        );
        assert!(header("a", b"1\n2").is_err());
    }

    #[test]
    fn parameters_of_a_signature_are_refused() {
        for own in [
            "x-oss-signature",
            "X-Oss-Signature",
            "x-oss-signature-version",
            "x-oss-credential",
            "x-oss-date",
            "x-oss-expires",
            "x-oss-security-token",
            "x-oss-additional-headers",
            "OSSAccessKeyId",
            "Signature",
            "Expires",
            "security-token",
        ] {
            assert_eq!(
                parameter(own).unwrap_err().to_string(),
                format!(
                    "oss-client: the query parameter {own:?} is part of the signature of a URL; leave it out: the \
                     signature is made here"
                )
            );
        }
        for other in [
            "response-expires",
            "x-oss-process",
            "x-oss-traffic-limit",
            "versionId",
            "expires",
        ] {
            assert!(parameter(other).is_ok(), "{other}");
        }
    }
}
