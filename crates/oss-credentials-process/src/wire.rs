//! Parses what the program prints. Pure.

use std::fmt;
use std::time::SystemTime;

use oss_credentials_core::body::{BodyDefect, json_object, required};
use oss_credentials_core::rfc3339;
use serde::Deserialize;
use zeroize::Zeroizing;

/// Both naming styles: that of the credentials SDKs, and that of the OSS SDK.
#[derive(Deserialize)]
struct Output {
    mode: Option<String>,
    #[serde(alias = "AccessKeyId")]
    access_key_id: Option<String>,
    #[serde(alias = "AccessKeySecret")]
    access_key_secret: Option<Zeroizing<String>>,
    #[serde(alias = "SecurityToken")]
    sts_token: Option<Zeroizing<String>>,
    #[serde(alias = "Expiration")]
    expiration: Option<String>,
}

/// A complete output: ID and secret are not empty.
pub(crate) struct Keys {
    pub(crate) access_key_id: String,
    pub(crate) access_key_secret: Zeroizing<String>,
    pub(crate) security_token: Option<Zeroizing<String>>,
    pub(crate) expires_at: Option<SystemTime>,
}

/// The reason why an output contains no usable credentials.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Defect {
    Body(BodyDefect),
    /// Its mode asks for more than keys.
    Mode,
}

impl From<BodyDefect> for Defect {
    fn from(defect: BodyDefect) -> Self {
        Self::Body(defect)
    }
}

impl fmt::Display for Defect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Body(defect) => defect.fmt(f),
            Self::Mode => f.write_str("has a mode other than AK and StsToken"),
        }
    }
}

impl Defect {
    /// Returns what to do.
    pub(crate) fn hint(&self) -> &'static str {
        match self {
            Self::Body(_) => {
                "let it print one JSON object with access_key_id and access_key_secret, and nothing else"
            }
            Self::Mode => "let it print the keys to use, with the mode AK or StsToken, or without a mode",
        }
    }
}

/// Parses the whole output: exactly one JSON object; a byte order mark and white space around it are accepted.
pub(crate) fn parse(output: &[u8]) -> Result<Keys, Defect> {
    let output = output
        .strip_prefix(b"\xEF\xBB\xBF")
        .unwrap_or(output)
        .trim_ascii();
    let output: Output =
        serde_json::from_slice(json_object(output)?).map_err(|error| BodyDefect::NotJson {
            line: error.line(),
            column: error.column(),
        })?;
    let security_token = output.sts_token.filter(|token| !token.is_empty());
    // Without a mode it is one of these two. In any other mode (`RamRoleArn`), the keys are only the first step towards
    // the intended identity, and must not be mistaken for it.
    match output.mode.as_deref().unwrap_or_default() {
        "" => {}
        mode if mode.eq_ignore_ascii_case("AK") => {}
        mode if mode.eq_ignore_ascii_case("StsToken") => {
            if security_token.is_none() {
                return Err(BodyDefect::Missing("sts_token, though its mode is StsToken").into());
            }
        }
        _ => return Err(Defect::Mode),
    }
    let expires_at = match output.expiration.as_deref() {
        None | Some("") => None,
        Some(text) => Some(rfc3339(text).ok_or(BodyDefect::Unreadable("expiration"))?),
    };
    Ok(Keys {
        access_key_id: required(output.access_key_id, "access_key_id")?,
        access_key_secret: required(output.access_key_secret, "access_key_secret")?,
        security_token,
        expires_at,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_styles_are_read() {
        let snake = r#"{"mode":"StsToken","access_key_id":"STS.EXAMPLE","access_key_secret":"EXAMPLE",
            "sts_token":"TOKEN","expiration":"2026-01-02T04:04:05Z","region_id":"cn-hangzhou"}"#;
        let pascal = "\u{feff}{\"AccessKeyId\":\"STS.EXAMPLE\",\"AccessKeySecret\":\"EXAMPLE\",
            \"SecurityToken\":\"TOKEN\",\"Expiration\":\"2026-01-02T12:04:05+08:00\"}\r\n";
        for text in [snake, pascal] {
            let keys = parse(text.as_bytes()).unwrap_or_else(|defect| panic!("{defect:?}"));
            assert_eq!(keys.access_key_id, "STS.EXAMPLE");
            assert_eq!(*keys.access_key_secret, "EXAMPLE");
            assert_eq!(keys.security_token.as_deref().map(String::as_str), Some("TOKEN"));
            let since = keys
                .expires_at
                .unwrap()
                .duration_since(SystemTime::UNIX_EPOCH)
                .unwrap();
            // date -u -d 2026-01-02T04:04:05Z +%s
            assert_eq!(since.as_secs(), 1_767_326_645);
        }
    }

    #[test]
    fn token_and_expiration_are_optional_but_for_the_mode_sts_token() {
        for text in [
            r#"{"access_key_id":"i","access_key_secret":"s"}"#,
            r#"{"mode":"AK","access_key_id":"i","access_key_secret":"s","sts_token":"","expiration":""}"#,
            r#"{"mode":null,"access_key_id":"i","access_key_secret":"s","sts_token":null}"#,
        ] {
            let keys = parse(text.as_bytes()).unwrap_or_else(|defect| panic!("{defect:?}"));
            assert!(keys.security_token.is_none() && keys.expires_at.is_none());
        }
    }

    #[test]
    fn modes_are_read_in_any_letter_case_and_others_are_refused() {
        let with = |mode: &str, token: &str| {
            let text = format!(
                r#"{{"mode":"{mode}","access_key_id":"i","access_key_secret":"s","sts_token":"{token}"}}"#
            );
            parse(text.as_bytes()).map(|keys| keys.security_token.is_some())
        };
        for mode in ["", "AK", "ak", "Ak"] {
            assert_eq!(with(mode, ""), Ok(false), "{mode}");
        }
        for mode in ["StsToken", "ststoken", "STSTOKEN"] {
            assert_eq!(with(mode, "t"), Ok(true), "{mode}");
            let missing = BodyDefect::Missing("sts_token, though its mode is StsToken");
            assert_eq!(with(mode, ""), Err(missing.into()), "{mode}");
        }
        for mode in ["RamRoleArn", "EcsRamRole", "External", "canary", " AK"] {
            assert_eq!(with(mode, "t"), Err(Defect::Mode), "{mode}");
        }
        assert_eq!(Defect::Mode.to_string(), "has a mode other than AK and StsToken");
    }

    #[test]
    fn defects_name_what_is_wrong_and_quote_nothing() {
        for (text, defect) in [
            ("", BodyDefect::Empty),
            (" \n", BodyDefect::Empty),
            ("canary", BodyDefect::NotObject),
            (r#"["canary"]"#, BodyDefect::NotObject),
            (
                r#"{"access_key_id":"canary"#,
                BodyDefect::NotJson { line: 1, column: 24 },
            ),
            (
                r#"{"access_key_id":"i","access_key_secret":"s"} canary"#,
                BodyDefect::NotJson { line: 1, column: 47 },
            ),
            (
                r#"{"access_key_id":"i","AccessKeyId":"canary","access_key_secret":"s"}"#,
                BodyDefect::NotJson { line: 1, column: 34 },
            ),
            (
                r#"{"access_key_id":["canary"]}"#,
                BodyDefect::NotJson { line: 1, column: 17 },
            ),
            (
                r#"{"access_key_secret":"canary"}"#,
                BodyDefect::Missing("access_key_id"),
            ),
            (
                r#"{"access_key_id":"","access_key_secret":"canary"}"#,
                BodyDefect::Missing("access_key_id"),
            ),
            (
                r#"{"access_key_id":"canary"}"#,
                BodyDefect::Missing("access_key_secret"),
            ),
            (
                r#"{"mode":"StsToken","access_key_id":"canary","access_key_secret":"s","sts_token":""}"#,
                BodyDefect::Missing("sts_token, though its mode is StsToken"),
            ),
            (
                r#"{"access_key_id":"i","access_key_secret":"s","expiration":"canary"}"#,
                BodyDefect::Unreadable("expiration"),
            ),
        ] {
            let found = parse(text.as_bytes()).err().unwrap_or_else(|| panic!("{text}"));
            assert_eq!(found, Defect::Body(defect), "{text}");
            assert!(!found.to_string().contains("canary"));
        }
    }
}
