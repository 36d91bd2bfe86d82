//! The responses of the metadata service on the wire. Pure.

use std::time::SystemTime;

use oss_credentials_core::body::{BodyDefect, json_object, required};
use oss_credentials_core::rfc3339;
use oss_credentials_http::Scrubber;
use serde::Deserialize;
use zeroize::Zeroizing;

/// Maximum length of a text that is accepted as a token, in bytes. The service's have about 60.
const MAX_TOKEN: usize = 8 * 1024;
/// Maximum length of a text that is accepted as a role name, in bytes. RAM allows 64.
const MAX_ROLE: usize = 256;

/// Why a response with status 200 contains no usable credentials. Contains nothing of it except a code that looks
/// like one.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    Defect(BodyDefect),
    /// `Code` is present and is not `Success`; `None` if it does not look like a code.
    Code(Option<String>),
}

impl From<BodyDefect> for Fault {
    fn from(defect: BodyDefect) -> Self {
        Self::Defect(defect)
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct WireAnswer {
    code: Option<String>,
    access_key_id: Option<String>,
    access_key_secret: Option<Zeroizing<String>>,
    security_token: Option<Zeroizing<String>>,
    expiration: Option<String>,
}

/// A complete response: ID, secret and token are not empty.
pub(crate) struct Keys {
    pub(crate) access_key_id: String,
    pub(crate) access_key_secret: Zeroizing<String>,
    pub(crate) security_token: Zeroizing<String>,
    pub(crate) expires_at: SystemTime,
}

/// Parses the credentials of a role.
pub(crate) fn parse(body: &[u8]) -> Result<Keys, Fault> {
    let parsed = serde_json::from_slice(json_object(body)?);
    let answer: WireAnswer = parsed.map_err(|error| BodyDefect::NotJson {
        line: error.line(),
        column: error.column(),
    })?;
    // Before the fields: a response that reports a failure may lack them, or contain old ones. One without a code
    // is judged by its fields.
    if let Some(code) = answer.code.filter(|code| !code.eq_ignore_ascii_case("success")) {
        let keys = [&answer.access_key_secret, &answer.security_token];
        let scrubber = keys
            .into_iter()
            .flatten()
            .fold(Scrubber::new(), |scrubber, key| scrubber.hide(key));
        let scrubber = answer
            .access_key_id
            .iter()
            .fold(scrubber, |scrubber, id| scrubber.hide(id));
        return Err(Fault::Code(scrubber.identifier(&code).map(str::to_owned)));
    }
    let access_key_id = required(answer.access_key_id, "AccessKeyId")?;
    let access_key_secret = required(answer.access_key_secret, "AccessKeySecret")?;
    let security_token = required(answer.security_token, "SecurityToken")?;
    let expiration = required(answer.expiration, "Expiration")?;
    // RFC 3339: `Z` or an offset, with or without a fraction.
    let expires_at = rfc3339(&expiration).ok_or(BodyDefect::Unreadable("Expiration"))?;
    Ok(Keys {
        access_key_id,
        access_key_secret,
        security_token,
        expires_at,
    })
}

/// Parses the list of roles: the first line that is not empty, `None` if there is none. An instance has at most one
/// role.
pub(crate) fn parse_role(body: &[u8]) -> Result<Option<&str>, BodyDefect> {
    if is_markup(body) {
        return Err(BodyDefect::Markup);
    }
    let text = std::str::from_utf8(body).map_err(|_| BodyDefect::Unreadable("role name"))?;
    let Some(role) = text.lines().map(str::trim).find(|line| !line.is_empty()) else {
        return Ok(None);
    };
    // The console allows letters, digits and `. _ -`. Anything that would change the URL,
    // or shows that this is not a list of roles, is refused.
    let allowed = |c: char| c.is_ascii_graphic() && !"/\\?#%&<>\"'{}[]:;,".contains(c);
    if role.len() > MAX_ROLE || !role.chars().all(allowed) || matches!(role, "." | "..") {
        return Err(BodyDefect::Unreadable("role name"));
    }
    Ok(Some(role))
}

/// Parses a metadata token: one word.
pub(crate) fn parse_token(body: &[u8]) -> Result<Zeroizing<String>, BodyDefect> {
    let token = body.trim_ascii();
    if token.is_empty() {
        return Err(BodyDefect::Empty);
    }
    if is_markup(token) {
        return Err(BodyDefect::Markup);
    }
    if token.len() > MAX_TOKEN || !token.iter().all(u8::is_ascii_graphic) {
        return Err(BodyDefect::Unreadable("token"));
    }
    let token = std::str::from_utf8(token).map_err(|_| BodyDefect::Unreadable("token"))?;
    Ok(Zeroizing::new(token.to_owned()))
}

fn is_markup(body: &[u8]) -> bool {
    body.trim_ascii_start().starts_with(b"<")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn defects_quote_nothing_of_the_answer() {
        for body in [
            &br#"{"AccessKeySecret": ["canary"]}"#[..],
            br#"{"AccessKeySecret": "canary"#,
            br#"{"Code": "the canary died"}"#,
            br#"{"AccessKeyId": "i", "AccessKeySecret": "s", "SecurityToken": "t", "Expiration": "canary"}"#,
            b"<p>canary</p>",
            b"canary",
            b"\xff\xfe",
        ] {
            let shown = format!("{:?}", parse(body).err().unwrap());
            assert!(!shown.contains("canary"), "{shown}");
        }
    }

    #[test]
    fn the_first_line_that_is_not_empty_is_the_role() {
        for (body, role) in [
            ("example-role", Some("example-role")),
            ("\r\n  example-role \r\nother\r\n", Some("example-role")),
            ("a.b_c-1@x", Some("a.b_c-1@x")),
            ("", None),
            (" \n\t\n", None),
        ] {
            assert_eq!(parse_role(body.as_bytes()), Ok(role), "{body:?}");
        }
        for body in [
            "a/b",
            "../x",
            "..",
            ".",
            "a?b",
            "a#b",
            "a%2fb",
            "a b",
            "a\u{0}b",
            "r\u{f6}le",
            "{\"a\":1}",
            "a\\b",
        ] {
            assert_eq!(
                parse_role(body.as_bytes()),
                Err(BodyDefect::Unreadable("role name")),
                "{body:?}"
            );
        }
        let longest = "r".repeat(256);
        assert_eq!(parse_role(longest.as_bytes()), Ok(Some(longest.as_str())));
        let longer = parse_role(&[b'r'; 257]);
        assert_eq!(longer, Err(BodyDefect::Unreadable("role name")));
        assert_eq!(parse_role(b"\xff"), Err(BodyDefect::Unreadable("role name")));
        assert_eq!(parse_role(b" <html>"), Err(BodyDefect::Markup));
    }

    #[test]
    fn a_token_is_one_word() {
        let token = |body: &[u8]| parse_token(body).map(|token| token.to_string());
        assert_eq!(token(b" YTZ-=+/\n").as_deref(), Ok("YTZ-=+/"));
        assert_eq!(token(b" \n"), Err(BodyDefect::Empty));
        assert_eq!(token(b"<html>"), Err(BodyDefect::Markup));
        let longest = [b'a'; 8192];
        assert_eq!(token(&longest).map(|token| token.len()), Ok(8192));
        for body in [&b"a b"[..], b"a\r\nx: y", b"\xc3\xb6", &[b'a'; 8193]] {
            assert_eq!(token(body), Err(BodyDefect::Unreadable("token")));
        }
    }

    #[test]
    fn a_code_is_named_only_if_it_looks_like_one() {
        let code = |code: &str| parse(format!(r#"{{"Code": "{code}"}}"#).as_bytes()).err();
        assert_eq!(code("Failed"), Some(Fault::Code(Some("Failed".to_owned()))));
        assert_eq!(code(""), Some(Fault::Code(None)));
        for field in ["AccessKeyId", "AccessKeySecret", "SecurityToken"] {
            let body = format!(r#"{{"Code": "canary-5-key", "{field}": "canary-5-key"}}"#);
            assert_eq!(parse(body.as_bytes()).err(), Some(Fault::Code(None)), "{field}");
        }
        assert_eq!(code("two words"), Some(Fault::Code(None)));
        assert_eq!(code(&"x".repeat(65)), Some(Fault::Code(None)));
        assert_eq!(
            code("Success"),
            Some(Fault::Defect(BodyDefect::Missing("AccessKeyId")))
        );
        assert_eq!(
            code("success"),
            Some(Fault::Defect(BodyDefect::Missing("AccessKeyId")))
        );
    }
}
