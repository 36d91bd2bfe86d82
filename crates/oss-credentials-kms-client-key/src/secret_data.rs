//! What is in a secret: an AccessKey pair, and hints about its life. Pure.

use std::fmt;
use std::time::{Duration, SystemTime};

use chrono::DateTime;
use serde::de::{IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::Value;
use zeroize::Zeroizing;

/// Why there is no pair in a secret. Never holds a piece of it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Defect {
    Binary,
    NotJson,
    NotObject,
    NoText(&'static str),
    Empty(&'static str),
}

impl Defect {
    /// The end of the sentence "the secret …".
    pub(crate) fn text(&self) -> String {
        match self {
            Self::Binary => "is binary".to_owned(),
            Self::NotJson => "is not JSON".to_owned(),
            Self::NotObject => "is JSON, but not an object".to_owned(),
            Self::NoText(field) => format!("has no {field}, or one that is not a text"),
            Self::Empty(field) => format!("has an empty {field}"),
        }
    }
}

/// The pair and what the secret itself says about it.
pub(crate) struct Pair {
    pub(crate) access_key_id: String,
    pub(crate) access_key_secret: Zeroizing<String>,
    pub(crate) security_token: Option<Zeroizing<String>>,
    pub(crate) expires_at: Option<SystemTime>,
    /// How long to use it before it is fetched again.
    pub(crate) ttl: Option<Duration>,
    /// When it will be rotated, for secrets whose answer does not tell.
    pub(crate) rotation_at: Option<SystemTime>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Fields {
    #[serde(default)]
    access_key_id: Text,
    #[serde(default)]
    access_key_secret: Text,
    #[serde(default)]
    security_token: Text,
    // Names and formats as the vendor's plug-ins for managed RAM secrets read them.
    #[serde(default)]
    expire_timestamp: Value,
    #[serde(default, rename = "ttl")]
    ttl: Value,
    #[serde(default, alias = "scheduleRotateTimestamp")]
    schedule_rotate_timestamp: Value,
}

/// A text, or none if something else stands there.
#[derive(Default)]
struct Text(Option<Zeroizing<String>>);

impl<'de> Deserialize<'de> for Text {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(TextVisitor)
    }
}

struct TextVisitor;

impl<'de> Visitor<'de> for TextVisitor {
    type Value = Text;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("anything")
    }

    fn visit_str<E>(self, text: &str) -> Result<Text, E> {
        Ok(Text(Some(Zeroizing::new(text.to_owned()))))
    }

    fn visit_bool<E>(self, _: bool) -> Result<Text, E> {
        Ok(Text(None))
    }

    fn visit_i64<E>(self, _: i64) -> Result<Text, E> {
        Ok(Text(None))
    }

    fn visit_u64<E>(self, _: u64) -> Result<Text, E> {
        Ok(Text(None))
    }

    fn visit_f64<E>(self, _: f64) -> Result<Text, E> {
        Ok(Text(None))
    }

    fn visit_unit<E>(self) -> Result<Text, E> {
        Ok(Text(None))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Text, A::Error> {
        while seq.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Text(None))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Text, A::Error> {
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(Text(None))
    }
}

/// Reads the data of a managed RAM secret, or of a generic one that is written like it.
pub(crate) fn parse(data: &str, data_type: Option<&str>) -> Result<Pair, Defect> {
    if data_type.is_some_and(|kind| kind.eq_ignore_ascii_case("binary")) {
        return Err(Defect::Binary);
    }
    let fields: Fields = serde_json::from_str(data).map_err(|_| {
        // An array would pass for the fields of a struct in order, so it is told apart here too.
        match serde_json::from_str::<IgnoredAny>(data) {
            Ok(_) => Defect::NotObject,
            Err(_) => Defect::NotJson,
        }
    })?;
    if !data.trim_start().starts_with('{') {
        return Err(Defect::NotObject);
    }
    let required = |text: Text, name| match text.0 {
        None => Err(Defect::NoText(name)),
        Some(text) if text.is_empty() => Err(Defect::Empty(name)),
        Some(text) => Ok(text),
    };
    let access_key_id = required(fields.access_key_id, "AccessKeyId")?;
    Ok(Pair {
        access_key_id: access_key_id.as_str().to_owned(),
        access_key_secret: required(fields.access_key_secret, "AccessKeySecret")?,
        security_token: fields.security_token.0.filter(|token| !token.is_empty()),
        expires_at: fields.expire_timestamp.as_str().and_then(instant),
        ttl: number(&fields.ttl).map(Duration::from_millis),
        rotation_at: number(&fields.schedule_rotate_timestamp)
            .and_then(|seconds| SystemTime::UNIX_EPOCH.checked_add(Duration::from_secs(seconds))),
    })
}

/// RFC 3339, in UTC as KMS writes it. A hint: what cannot be read is none.
pub(crate) fn instant(text: &str) -> Option<SystemTime> {
    DateTime::parse_from_rfc3339(text).ok().map(SystemTime::from)
}

/// A positive whole number, also as a text: the vendor's clients differ in what they take.
fn number(value: &Value) -> Option<u64> {
    value
        .as_u64()
        .or_else(|| value.as_str()?.trim().parse().ok())
        .filter(|number| *number > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn defect(data: &str) -> Defect {
        parse(data, Some("text")).err().unwrap()
    }

    #[test]
    fn ways_of_holding_no_pair_are_told_apart_and_quote_nothing() {
        for (data, expected, text) in [
            ("testdata1", Defect::NotJson, "is not JSON"),
            ("", Defect::NotJson, "is not JSON"),
            ("{\"AccessKeyId\": \"canary", Defect::NotJson, "is not JSON"),
            ("[1,2]", Defect::NotObject, "is JSON, but not an object"),
            (
                r#"["a", "b", "c", "d", 1, 2]"#,
                Defect::NotObject,
                "is JSON, but not an object",
            ),
            ("\"canary\"", Defect::NotObject, "is JSON, but not an object"),
            (
                "{}",
                Defect::NoText("AccessKeyId"),
                "has no AccessKeyId, or one that is not a text",
            ),
            (
                r#"{"AccessKeyId": {"canary": [1]}, "AccessKeySecret": "s"}"#,
                Defect::NoText("AccessKeyId"),
                "has no AccessKeyId, or one that is not a text",
            ),
            (
                r#"{"AccessKeyId": "i", "AccessKeySecret": 7}"#,
                Defect::NoText("AccessKeySecret"),
                "has no AccessKeySecret, or one that is not a text",
            ),
            (
                r#"{"AccessKeyId": "i", "AccessKeySecret": ""}"#,
                Defect::Empty("AccessKeySecret"),
                "has an empty AccessKeySecret",
            ),
        ] {
            let found = defect(data);
            assert_eq!(found, expected, "{data}");
            assert_eq!(found.text(), text);
        }
        assert_eq!(parse("{}", Some("Binary")).err(), Some(Defect::Binary));
    }

    #[test]
    fn hints_are_read_in_every_form_and_never_in_the_way() {
        let pair = |more: &str| {
            parse(
                &format!(r#"{{"AccessKeyId": "i", "AccessKeySecret": "s", {more}}}"#),
                None,
            )
            .ok()
            .unwrap()
        };
        assert_eq!(pair(r#""ttl": 600000"#).ttl, Some(Duration::from_secs(600)));
        assert_eq!(pair(r#""ttl": "600000""#).ttl, Some(Duration::from_secs(600)));
        for odd in [
            r#""ttl": 0"#,
            r#""ttl": -5"#,
            r#""ttl": "soon""#,
            r#""ttl": {}"#,
            r#""x": 1"#,
        ] {
            assert_eq!(pair(odd).ttl, None, "{odd}");
        }
        let at = |seconds| Some(SystemTime::UNIX_EPOCH + Duration::from_secs(seconds));
        for name in ["scheduleRotateTimestamp", "ScheduleRotateTimestamp"] {
            assert_eq!(
                pair(&format!(r#""{name}": 1772793760"#)).rotation_at,
                at(1_772_793_760)
            );
        }
        assert_eq!(
            pair(r#""ExpireTimestamp": "2026-03-08T10:42:40Z""#).expires_at,
            at(1_772_966_560)
        );
        for odd in [r#""ExpireTimestamp": "soon""#, r#""ExpireTimestamp": 17"#] {
            assert_eq!(pair(odd).expires_at, None, "{odd}");
        }
        assert_eq!(
            pair(r#""ttl": 18446744073709551615"#)
                .ttl
                .map(|ttl| ttl.as_secs()),
            Some(18_446_744_073_709_551)
        );
        assert!(pair(r#""SecurityToken": """#).security_token.is_none());
    }
}
