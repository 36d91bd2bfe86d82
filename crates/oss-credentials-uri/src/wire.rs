//! The wire format: the response, the authorization, a redirect's target. Pure.

use std::time::SystemTime;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use oss_credentials_core::body::{BodyDefect, json_object, required};
use oss_credentials_core::rfc3339;
use oss_credentials_http::{Endpoint, Scrubber};
use percent_encoding::percent_decode_str;
use serde::Deserialize;
use zeroize::Zeroizing;

/// Pieces of a query or a password that are shorter than this are not worth withholding a message.
const SHORTEST_SECRET: usize = 4;

/// Prefix of the IDs of temporary pairs.
const TEMPORARY: &str = "STS.";

/// The reason why a response with status 200 contains no usable credentials.
#[derive(Debug)]
pub(crate) enum Fault {
    Defect(BodyDefect),
    /// `Code` is present, and is not `Success`.
    NotSuccess(Box<Refusal>),
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Answer {
    code: Option<String>,
    access_key_id: Option<String>,
    access_key_secret: Option<Zeroizing<String>>,
    security_token: Option<Zeroizing<String>>,
    expiration: Option<String>,
}

/// A complete response: ID and secret are not empty, and neither is the token of a temporary pair.
pub(crate) struct Session {
    pub(crate) access_key_id: String,
    pub(crate) access_key_secret: Zeroizing<String>,
    pub(crate) security_token: Option<Zeroizing<String>>,
    pub(crate) expires_at: SystemTime,
}

/// Parses the body of a response with status 200.
pub(crate) fn parse(body: &[u8]) -> Result<Session, Fault> {
    let answer: Answer = json(body).map_err(Fault::Defect)?;
    // A complete response without `Code` is accepted.
    if answer.code.as_deref().is_some_and(|code| code != "Success") {
        return Err(Fault::NotSuccess(Box::new(parse_refusal(body))));
    }
    complete(answer).map_err(Fault::Defect)
}

fn complete(answer: Answer) -> Result<Session, BodyDefect> {
    let access_key_id = required(answer.access_key_id, "AccessKeyId")?;
    let access_key_secret = required(answer.access_key_secret, "AccessKeySecret")?;
    // A server that returns a long-lived pair writes "SecurityToken": "" (the vendor's ack-ram-tool does). Without
    // the field, the response is not complete; and a pair that STS issued is of no use without its token.
    let is_pair = !access_key_id.starts_with(TEMPORARY)
        && answer
            .security_token
            .as_ref()
            .is_some_and(|token| token.is_empty());
    let security_token = if is_pair {
        None
    } else {
        Some(required(answer.security_token, "SecurityToken")?)
    };
    let expiration = required(answer.expiration, "Expiration")?;
    // RFC 3339: `Z` or an offset, with or without a fraction.
    let expires_at = rfc3339(&expiration).ok_or(BodyDefect::Unreadable("Expiration"))?;
    Ok(Session {
        access_key_id,
        access_key_secret,
        security_token,
        expires_at,
    })
}

fn json<'a, T: Deserialize<'a>>(body: &'a [u8]) -> Result<T, BodyDefect> {
    serde_json::from_slice(json_object(body)?).map_err(|error| BodyDefect::NotJson {
        line: error.line(),
        column: error.column(),
    })
}

/// The service's description of a failure. All fields are text from outside, to be scrubbed.
#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Refusal {
    #[serde(alias = "code")]
    pub(crate) code: Option<Zeroizing<String>>,
    #[serde(alias = "message")]
    pub(crate) message: Option<Zeroizing<String>>,
    #[serde(alias = "requestId")]
    pub(crate) request_id: Option<Zeroizing<String>>,
    /// Kept to find them repeated in the texts.
    access_key_id: Option<Zeroizing<String>>,
    access_key_secret: Option<Zeroizing<String>>,
    security_token: Option<Zeroizing<String>>,
}

impl Refusal {
    fn keys(&self) -> impl Iterator<Item = &str> {
        [&self.access_key_id, &self.access_key_secret, &self.security_token]
            .into_iter()
            .flatten()
            .map(|key| key.as_str())
    }
}

impl std::fmt::Debug for Refusal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Refusal(..)")
    }
}

/// Parses the body of an error response; an unknown format has no fields.
pub(crate) fn parse_refusal(body: &[u8]) -> Refusal {
    serde_json::from_slice(body).unwrap_or_default()
}

/// The parts of the URI that may be secrets, in every form in which a text might repeat them.
pub(crate) struct Private(Vec<Zeroizing<String>>);

impl Private {
    pub(crate) fn of(endpoint: &Endpoint) -> Self {
        let mut raw: Vec<&str> = Vec::new();
        if let Some(query) = endpoint.query() {
            raw.push(query);
            raw.extend(
                query
                    .split('&')
                    .map(|pair| pair.split_once('=').map_or(pair, |(_, value)| value)),
            );
        }
        if let Some(user_info) = endpoint.user_info() {
            raw.push(user_info);
            raw.extend(
                user_info
                    .split_once(':')
                    .map_or([user_info, ""], |(user, password)| [user, password]),
            );
        }
        let mut all: Vec<_> = raw
            .iter()
            .flat_map(|part| {
                let decoded = String::from_utf8_lossy(&decoded(part)).into_owned();
                [Zeroizing::new((*part).to_owned()), Zeroizing::new(decoded)]
            })
            .collect();
        if let Ok(Some(value)) = authorization(endpoint) {
            all.push(Zeroizing::new(value.trim_start_matches("Basic ").to_owned()));
        }
        all.retain(|part| part.len() >= SHORTEST_SECRET);
        Self(all)
    }

    /// These, and those of a redirect's target: its query may be a signature.
    pub(crate) fn with(&self, target: &Endpoint) -> Self {
        let mut all = self.0.clone();
        all.extend(Self::of(target).0);
        Self(all)
    }

    /// Hides them.
    pub(crate) fn scrubber(&self) -> Scrubber<'_> {
        self.0
            .iter()
            .fold(Scrubber::new(), |scrubber, part| scrubber.hide(part))
    }

    /// Hides them, and the keys of the response, which its own texts might repeat.
    pub(crate) fn scrubber_with<'a>(&'a self, refusal: &'a Refusal) -> Scrubber<'a> {
        refusal.keys().fold(self.scrubber(), Scrubber::hide)
    }
}

/// The value of the `authorization` header that user and password of the URI make; none without them.
///
/// RFC 7617: neither may hold a control character, and the user no colon.
pub(crate) fn authorization(endpoint: &Endpoint) -> Result<Option<Zeroizing<String>>, &'static str> {
    let Some(user_info) = endpoint.user_info().filter(|user_info| !user_info.is_empty()) else {
        return Ok(None);
    };
    let (user, password) = user_info.split_once(':').unwrap_or((user_info, ""));
    let (user, password) = (decoded(user), decoded(password));
    if user.contains(&b':') {
        return Err("has a colon in its user name");
    }
    if user.iter().chain(password.iter()).any(u8::is_ascii_control) {
        return Err("has a control character in its user name or password");
    }
    let mut pair = Zeroizing::new(Vec::with_capacity(user.len() + 1 + password.len()));
    pair.extend_from_slice(&user);
    pair.push(b':');
    pair.extend_from_slice(&password);
    let encoded = Zeroizing::new(STANDARD.encode(&*pair));
    Ok(Some(Zeroizing::new(["Basic ", &encoded].concat())))
}

/// Percent-decodes, with room for all of it: growing would leave copies in memory.
fn decoded(text: &str) -> Zeroizing<Vec<u8>> {
    let mut bytes = Zeroizing::new(Vec::with_capacity(text.len()));
    bytes.extend(percent_decode_str(text));
    bytes
}

/// Returns where a redirect leads, if that is the same scheme, host and port; user and password stay the first URI's.
pub(crate) fn redirected(from: &Endpoint, location: &str) -> Option<Endpoint> {
    let end_of_head = location.find(['/', '?', '#']).unwrap_or(location.len());
    let absolute = if location[..end_of_head].contains(':') {
        location.to_owned()
    } else if location.starts_with("//") {
        format!("{}:{location}", from.scheme())
    } else if location.starts_with('/') {
        format!("{}{location}", from.origin())
    } else if location.starts_with('?') {
        format!("{}{}{location}", from.origin(), from.path())
    } else {
        let folder = from.path().rsplit_once('/').map_or("", |(folder, _)| folder);
        format!("{}{folder}/{location}", from.origin())
    };
    let target = Endpoint::parse(&Zeroizing::new(absolute)).ok()?;
    (target.origin() == from.origin()).then_some(target)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn defect(body: &[u8]) -> BodyDefect {
        match parse(body) {
            Err(Fault::Defect(defect)) => defect,
            _ => panic!("{body:?} should be defective"),
        }
    }

    #[test]
    fn defects_quote_nothing_of_the_answer() {
        for body in [
            &br#"{"AccessKeyId": ["canary"]}"#[..],
            br#"{"AccessKeyId": "canary", "AccessKeySecret": {"canary": 1}}"#,
            br#"{"AccessKeySecret": "canary"#,
            b"\xEF\xBB\xBF{\"canary\": 1}",
            b"canary",
            b"<html>canary</html>",
            b"\xff\xfecanary",
            br#"{"AccessKeyId": "i", "AccessKeySecret": "s", "SecurityToken": "t", "Expiration": "canary"}"#,
            br#"{"AccessKeyId": "i", "AccessKeyId": "canary"}"#,
        ] {
            let defect = defect(body);
            assert!(!defect.to_string().contains("canary") && !format!("{defect:?}").contains("canary"));
        }
        assert_eq!(defect(b"\n<html>"), BodyDefect::Markup);
        assert_eq!(defect(b" \n"), BodyDefect::Empty);
        let array = br#"["Success", "i", "s", "t", "2099-01-01T00:00:00Z"]"#;
        assert_eq!(defect(array), BodyDefect::NotObject);
        assert_eq!(defect(b"{}"), BodyDefect::Missing("AccessKeyId"));
    }

    #[test]
    fn expiration_is_a_full_rfc_3339_instant() {
        let body = |expiration: &str| {
            format!(
                r#"{{"AccessKeyId": "i", "AccessKeySecret": "s", "SecurityToken": "t", "Expiration": "{expiration}"}}"#
            )
        };
        for (text, unix) in [
            ("2021-09-26T03:46:38Z", 1_632_627_998_000),
            ("2021-09-26T03:46:38.123Z", 1_632_627_998_123),
            ("2021-09-26T11:46:38+08:00", 1_632_627_998_000),
        ] {
            let session = parse(body(text).as_bytes()).ok().unwrap();
            let since = session.expires_at.duration_since(SystemTime::UNIX_EPOCH).unwrap();
            assert_eq!(since.as_millis(), unix, "{text}");
        }
        for text in ["2021-09-26", "2021-09-26T03:46:38", "1632627998", "tomorrow"] {
            assert_eq!(
                defect(body(text).as_bytes()),
                BodyDefect::Unreadable("Expiration"),
                "{text}"
            );
        }
        assert_eq!(defect(body("").as_bytes()), BodyDefect::Missing("Expiration"));
    }

    #[test]
    fn user_and_password_are_decoded_and_encoded_as_basic() {
        let of = |uri: &str| {
            authorization(&Endpoint::parse(uri).unwrap()).map(|value| value.map(|value| value.to_string()))
        };
        // RFC 7617, section 2 and 2.1.
        assert_eq!(
            of("http://Aladdin:open%20sesame@h/"),
            Ok(Some("Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==".to_owned()))
        );
        assert_eq!(
            of("http://test:123%C2%A3@h/"),
            Ok(Some("Basic dGVzdDoxMjPCow==".to_owned()))
        );
        // printf 'u:' | base64; printf ':p' | base64; printf 'u:a:b' | base64
        assert_eq!(of("http://u@h/"), Ok(Some("Basic dTo=".to_owned())));
        assert_eq!(of("http://:p@h/"), Ok(Some("Basic OnA=".to_owned())));
        assert_eq!(of("http://u:a:b@h/"), Ok(Some("Basic dTphOmI=".to_owned())));
        assert_eq!(of("http://h/"), Ok(None));
        assert_eq!(of("http://@h/"), Ok(None));
        assert!(of("http://a%3Ab:p@h/").is_err());
        assert!(of("http://u:p%0D%0Ax@h/").is_err());
        assert!(of("http://u%00:p@h/").is_err());
    }

    #[test]
    fn redirects_stay_with_scheme_host_and_port() {
        let from = Endpoint::parse("http://u:p@h:8080/a/b?c=d").unwrap();
        for (location, url) in [
            ("/x?y=&y=", "http://h:8080/x?y=&y="),
            ("x", "http://h:8080/a/x"),
            ("?e", "http://h:8080/a/b?e"),
            ("//H:8080/x", "http://h:8080/x"),
            ("http://h:8080/x/", "http://h:8080/x/"),
            ("http://other:pw@h:8080/x", "http://h:8080/x"),
        ] {
            assert_eq!(redirected(&from, location).unwrap().url(), url, "{location}");
        }
        for location in [
            "http://other.example.com/",
            "https://h:8080/",
            "http://h/",
            "http://h:8081/",
            "//other/",
            "http://h:8080@other/",
            "javascript:1",
            "x\ny",
        ] {
            assert_eq!(redirected(&from, location), None, "{location}");
        }
    }

    #[test]
    fn texts_that_repeat_a_secret_are_withheld() {
        let uri = "http://can%61ry-user:canary%2Dpass@h/p?v=1&key=canary%2Fvalue&canaryflag";
        let private = Private::of(&Endpoint::parse(uri).unwrap());
        for text in [
            "canary-user",
            "bad password canary-pass!",
            "canary%2Dpass",
            "no such key: canary/value",
            "canary%2Fvalue",
            "canaryflag",
            "GET /p?v=1&key=canary%2Fvalue&canaryflag",
            "Y2FuYXJ5LXVzZXI6Y2FuYXJ5LXBhc3M=",
        ] {
            assert!(private.scrubber().repeats(text), "{text}");
        }
        assert!(!private.scrubber().repeats("version 1 of /p is gone"));

        let refusal = parse_refusal(
            br#"{"Code": "Failed.Now", "Message": "token canary-token is over", "requestId": "R-1",
                "SecurityToken": "canary-token", "AccessKeySecret": ""}"#,
        );
        let scrubber = private.scrubber_with(&refusal);
        for text in ["token canary-token is over", "canary%2Dtoken", "canaryflag"] {
            assert!(scrubber.repeats(text), "{text}");
        }
        assert!(!private.scrubber().repeats("canary-token"));
        assert_eq!(scrubber.text("the key is over"), "the key is over");
        assert!(parse_refusal(b"boom").code.is_none());
    }
}
