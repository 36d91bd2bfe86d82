//! Whether a response rejects the key or the token.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::{HeaderMap, StatusCode};
use oss_sign::Refusal;

/// Most bytes of an error body that are read to find out whether it rejects the key: 64 KiB.
pub const MAX_ERROR_BODY: usize = 64 * 1024;

/// Returns whether the body of such a response has to be read to know whether it rejects the key.
pub fn may_reject_key(status: StatusCode) -> bool {
    status.is_client_error()
}

/// Returns whether this error document, XML of OSS or JSON of the OpenAPI, rejects the key or the token. A response to
/// `HEAD` has it in the header `x-oss-err`.
pub fn rejects_key(headers: &HeaderMap, body: &[u8]) -> bool {
    let in_header = headers
        .get("x-oss-err")
        .filter(|_| body.is_empty())
        .and_then(|value| STANDARD.decode(value).ok());
    let document = String::from_utf8_lossy(in_header.as_deref().unwrap_or(body));
    let code = between(&document, "<Code>", "</Code>").or_else(|| {
        let after = document
            .split_once("\"Code\"")?
            .1
            .trim_start()
            .strip_prefix(':')?;
        between(after, "\"", "\"")
    });
    let code = code.unwrap_or_default();
    // The OpenAPI adds a detail after a dot.
    let code = code.split('.').next().unwrap_or_default();
    Refusal::of_code(code) == Some(Refusal::Key)
}

fn between<'a>(text: &'a str, before: &str, after: &str) -> Option<&'a str> {
    let (_, rest) = text.split_once(before)?;
    Some(rest.split_once(after)?.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_found_in_xml_json_and_the_header_of_head() {
        let none = HeaderMap::new();
        for (body, rejected) in [
            (
                "<?xml version=\"1.0\"?>\n<Error><Code>InvalidAccessKeyId</Code></Error>",
                true,
            ),
            ("<Error><Code>SecurityTokenExpired</Code></Error>", true),
            (
                "<Error><Code>AccessDenied</Code><Message>InvalidAccessKeyId</Message></Error>",
                false,
            ),
            (
                "{\"RequestId\":\"1\", \"Code\" : \"InvalidSecurityToken.Expired\"}",
                true,
            ),
            ("{\"Code\":\"NoPermission\"}", false),
            ("", false),
        ] {
            assert_eq!(rejects_key(&none, body.as_bytes()), rejected, "{body}");
        }
        let mut headers = HeaderMap::new();
        let document = STANDARD.encode("<Error><Code>InvalidSecurityToken</Code></Error>");
        headers.insert("x-oss-err", document.parse().unwrap());
        assert!(rejects_key(&headers, b""));
    }
}
