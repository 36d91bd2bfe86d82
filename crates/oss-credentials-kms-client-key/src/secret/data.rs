//! The content of a secret: an access key pair, and hints about its lifetime. Pure.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;
use std::time::{Duration, SystemTime};

use oss_credentials_core::body::json_text;
use oss_credentials_core::rfc3339;
use serde::de::{IgnoredAny, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;
use zeroize::Zeroizing;

/// Why a secret contains no pair. Never contains a piece of it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Defect {
    Binary,
    NotJson,
    NotObject,
    /// Two members have the same name.
    NotDistinct,
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
            Self::NotDistinct => "has two fields of the same name".to_owned(),
            Self::NoText(field) => format!("has no {field}, or one that is not a string"),
            Self::Empty(field) => format!("has an empty {field}"),
        }
    }
}

/// The pair and the secret's hints about it.
pub(crate) struct Pair {
    pub(crate) access_key_id: String,
    pub(crate) access_key_secret: Zeroizing<String>,
    pub(crate) security_token: Option<Zeroizing<String>>,
    pub(crate) expiry: Expiry,
    /// How long to use it before it is fetched again.
    pub(crate) ttl: Option<Duration>,
    /// When it will be rotated, for secrets whose response does not state it.
    pub(crate) rotation_at: Option<SystemTime>,
    /// Names of the other hints that are present but cannot be parsed.
    pub(crate) unreadable: Vec<&'static str>,
}

/// When a pair expires.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Expiry {
    Never,
    At(SystemTime),
    /// At an unknown time: the secret states one, but in an unknown format.
    Unreadable,
}

/// The members of a JSON object, each as it is written: the last of equal names counts, as in the vendor's clients,
/// and no value that is not asked for has to make sense.
pub(crate) type Members<'a> = BTreeMap<Cow<'a, str>, &'a RawValue>;

/// The members of a secret, of which no two have the same name: one parser would use the first, another the last, and
/// nobody knows which is right.
struct DistinctMembers<'a> {
    members: Members<'a>,
    is_distinct: bool,
}

impl<'de> Deserialize<'de> for DistinctMembers<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Self {
            members: Members::new(),
            is_distinct: true,
        })
    }
}

impl<'de> Visitor<'de> for DistinctMembers<'de> {
    type Value = Self;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut map: A) -> Result<Self, A::Error> {
        while let Some((name, value)) = map.next_entry()? {
            self.is_distinct &= self.members.insert(name, value).is_none();
        }
        Ok(self)
    }
}

/// A member that is a text and not empty.
pub(crate) fn text(members: &Members<'_>, name: &str) -> Option<Zeroizing<String>> {
    json_text(members.get(name)?.get()).filter(|text| !text.is_empty())
}

/// Parses the data of a managed RAM secret, or of a generic one with the same format.
pub(crate) fn parse(data: &str, data_type: Option<&str>) -> Result<Pair, Defect> {
    if data_type.is_some_and(|kind| kind.eq_ignore_ascii_case("binary")) {
        return Err(Defect::Binary);
    }
    let DistinctMembers { members, is_distinct } =
        serde_json::from_str(data).map_err(|_| match serde_json::from_str::<IgnoredAny>(data) {
            Ok(_) => Defect::NotObject,
            Err(_) => Defect::NotJson,
        })?;
    if !is_distinct {
        return Err(Defect::NotDistinct);
    }
    let required = |name| match members.get(name) {
        Some(empty) if empty.get() == "\"\"" => Err(Defect::Empty(name)),
        _ => text(&members, name).ok_or(Defect::NoText(name)),
    };
    let mut hints = Hints {
        members: &members,
        unreadable: Vec::new(),
    };
    // Names and formats as the vendor's plug-ins for managed RAM secrets read them.
    let ttl = hints.number("ttl").map(Duration::from_millis);
    let rotation_at = ["scheduleRotateTimestamp", "ScheduleRotateTimestamp"]
        .into_iter()
        .filter_map(|name| hints.number(name))
        .filter_map(|seconds| SystemTime::UNIX_EPOCH.checked_add(Duration::from_secs(seconds)))
        .min();
    let expiry = hints.expiry();
    let unreadable = hints.unreadable;
    Ok(Pair {
        access_key_id: required("AccessKeyId")?.as_str().to_owned(),
        access_key_secret: required("AccessKeySecret")?,
        security_token: text(&members, "SecurityToken"),
        expiry,
        ttl,
        rotation_at,
        unreadable,
    })
}

/// The secret's hints about its lifetime. Whatever they contain, the pair is usable without them.
struct Hints<'a> {
    members: &'a Members<'a>,
    /// Names of the hints that say something, but nothing that can be read.
    unreadable: Vec<&'static str>,
}

impl Hints<'_> {
    /// What a member says, unless it says that there is nothing.
    fn said(&self, name: &str) -> Option<String> {
        let raw = self.members.get(name)?.get();
        let text = json_text(raw).unwrap_or_else(|| Zeroizing::new(raw.to_owned()));
        Some(text.trim().to_owned()).filter(|text| !text.is_empty() && text != "null")
    }

    /// A positive whole number, also as a text: the vendor's clients differ in what they accept. Zero and less count
    /// as none.
    fn number(&mut self, name: &'static str) -> Option<u64> {
        let said = self.said(name)?;
        let number = said.parse::<u64>().ok();
        if number.is_none() && said.parse::<i64>().is_err() {
            self.unreadable.push(name);
        }
        number.filter(|number| *number > 0)
    }

    fn expiry(&self) -> Expiry {
        match self.said("ExpireTimestamp").as_deref().map(instant) {
            None => Expiry::Never,
            Some(Some(at)) => Expiry::At(at),
            Some(None) => Expiry::Unreadable,
        }
    }
}

/// RFC 3339, in UTC as KMS writes it. A hint: what cannot be read is none.
pub(crate) fn instant(text: &str) -> Option<SystemTime> {
    rfc3339(text)
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
                r#"{"AccessKeyId": "i", "AccessKeySecret": "s", "AccessKeySecret": "canary"}"#,
                Defect::NotDistinct,
                "has two fields of the same name",
            ),
            (
                r#"{"AccessKeyId": "i", "ttl": 1, "AccessKeySecret": "s", "ttl": 2}"#,
                Defect::NotDistinct,
                "has two fields of the same name",
            ),
            (
                r#"{"AccessKeyId": "i", "\u0041ccessKeyId": "canary", "AccessKeySecret": "s"}"#,
                Defect::NotDistinct,
                "has two fields of the same name",
            ),
            (
                "{}",
                Defect::NoText("AccessKeyId"),
                "has no AccessKeyId, or one that is not a string",
            ),
            (
                r#"{"AccessKeyId": {"canary": [1]}, "AccessKeySecret": "s"}"#,
                Defect::NoText("AccessKeyId"),
                "has no AccessKeyId, or one that is not a string",
            ),
            (
                r#"{"AccessKeyId": "i", "AccessKeySecret": 7}"#,
                Defect::NoText("AccessKeySecret"),
                "has no AccessKeySecret, or one that is not a string",
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
        for (odd, unreadable) in [
            (r#""ttl": 0"#, &[][..]),
            (r#""ttl": -5, "scheduleRotateTimestamp": null"#, &[]),
            (r#""ttl": "soon""#, &["ttl"]),
            (r#""ttl": 1e400"#, &["ttl"]),
            (
                r#""ttl": {}, "ScheduleRotateTimestamp": 1e400"#,
                &["ttl", "ScheduleRotateTimestamp"],
            ),
            (r#""x": 1e400"#, &[]),
        ] {
            assert_eq!(pair(odd).unreadable, unreadable, "{odd}");
        }
        // Written twice, as names of their own.
        let twice = r#""scheduleRotateTimestamp": 1772793760, "ScheduleRotateTimestamp": 1772793761"#;
        assert_eq!(
            pair(twice).rotation_at,
            pair(r#""scheduleRotateTimestamp": 1772793760"#).rotation_at
        );
        let at = |seconds| Some(SystemTime::UNIX_EPOCH + Duration::from_secs(seconds));
        for name in ["scheduleRotateTimestamp", "ScheduleRotateTimestamp"] {
            assert_eq!(
                pair(&format!(r#""{name}": 1772793760"#)).rotation_at,
                at(1_772_793_760)
            );
        }
        assert_eq!(
            pair(r#""ExpireTimestamp": "2026-03-08T10:42:40Z""#).expiry,
            Expiry::At(at(1_772_966_560).unwrap())
        );
        for (odd, expiry) in [
            (r#""ExpireTimestamp": "soon""#, Expiry::Unreadable),
            (r#""ExpireTimestamp": 1577836800"#, Expiry::Unreadable),
            (r#""ExpireTimestamp": 1e400"#, Expiry::Unreadable),
            (r#""ExpireTimestamp": "2020-01-01 00:00:00""#, Expiry::Unreadable),
            (r#""ExpireTimestamp": """#, Expiry::Never),
            (r#""ExpireTimestamp": null"#, Expiry::Never),
        ] {
            assert_eq!(pair(odd).expiry, expiry, "{odd}");
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
