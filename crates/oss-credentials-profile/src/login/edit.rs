//! Changes fields of one profile in the text of `config.json`, and nothing else. Pure.

use std::ops::Range;
use std::path::Path;

use oss_credentials_core::{CredentialsError, ErrorDetail};
use serde_json::value::RawValue;
use zeroize::Zeroizing;

use crate::NAME;
use crate::cli::Config;

/// A field's new value.
#[derive(Clone)]
pub(super) enum Value {
    Text(Zeroizing<String>),
    /// Unix seconds.
    Number(u64),
}

impl Value {
    fn json(&self) -> Zeroizing<String> {
        match self {
            Self::Text(text) => {
                // Room for escapes of each character: growing would leave copies in memory.
                let mut json = Zeroizing::new(Vec::with_capacity(6 * text.len() + 2));
                // Texts become JSON, and a `Vec` takes them, without fail.
                let _ = serde_json::to_writer(&mut *json, text.as_str());
                Zeroizing::new(String::from_utf8(std::mem::take(&mut json)).unwrap_or_default())
            }
            Self::Number(number) => Zeroizing::new(number.to_string()),
        }
    }
}

pub(super) type Changes = Vec<(&'static str, Value)>;

/// Returns the text with the fields changed; missing fields are added after the last one, in the same
/// layout.
///
/// Working on the text keeps what a parser would not: order, layout, unknown fields, and the notation of
/// numbers.
pub(super) fn edited(
    text: &str,
    file: &Path,
    profile: &str,
    changes: &Changes,
) -> Result<Zeroizing<String>, CredentialsError> {
    let config = Config::parse(text, file)?;
    let gone = |what: String| {
        let detail = ErrorDetail::builder(NAME, what).place(file.to_string_lossy());
        CredentialsError::invalid_config(detail.hint("log in again, or name another profile"))
    };
    let Some(fields) = config.profile(profile) else {
        return Err(gone(format!("the profile {profile:?} no longer exists")));
    };
    let mut places: Vec<Range<usize>> = fields.values().filter_map(|raw| range(text, raw)).collect();
    places.sort_by_key(|place| place.start);
    let Some(last) = places.last().cloned() else {
        return Err(gone(format!("the profile {profile:?} has no fields")));
    };
    let space = space_before(text, &places).to_owned();
    let mut edits: Vec<(Range<usize>, Zeroizing<String>)> = Vec::new();
    for (name, value) in changes {
        let json = value.json();
        let place = fields.get(*name).and_then(|raw| range(text, raw));
        edits.push(if let Some(place) = place {
            (place, json)
        } else {
            let field = [",", &space, "\"", name, "\": ", &json].concat();
            (last.end..last.end, Zeroizing::new(field))
        });
    }
    edits.sort_by_key(|(place, _)| (place.start, place.end));
    let grown: usize = edits.iter().map(|(_, new)| new.len()).sum();
    // Room for all of it: growing would leave copies of keys in memory.
    let mut result = Zeroizing::new(String::with_capacity(text.len().saturating_add(grown)));
    let mut at = 0;
    for (place, new) in edits {
        result.push_str(text.get(at..place.start).unwrap_or_default());
        result.push_str(&new);
        at = place.end;
    }
    result.push_str(text.get(at..).unwrap_or_default());
    Ok(result)
}

/// The position of a value in the text that it was parsed from.
fn range(text: &str, raw: &RawValue) -> Option<Range<usize>> {
    let start = raw.get().as_ptr().addr().checked_sub(text.as_ptr().addr())?;
    let place = start..start.checked_add(raw.get().len())?;
    (text.get(place.clone())? == raw.get()).then_some(place)
}

/// The text between the last comma and the last name: a line end and tabs, as the CLI writes it.
fn space_before<'t>(text: &'t str, places: &[Range<usize>]) -> &'t str {
    let [.., before, last] = places else { return " " };
    let between = text.get(before.end..last.start).unwrap_or_default();
    let space = between
        .split_once(',')
        .and_then(|(_, rest)| rest.split_once('"'))
        .map_or(" ", |(space, _)| space);
    if space.trim().is_empty() { space } else { " " }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::{Changes, Path, Value, Zeroizing, edited};

    fn changes() -> Changes {
        vec![
            ("sts_expiration", Value::Number(1_893_456_000)),
            (
                "oauth_access_token",
                Value::Text(Zeroizing::new("new \"one\"".to_owned())),
            ),
            ("sts_token", Value::Text(Zeroizing::new("t".to_owned()))),
        ]
    }

    #[test]
    fn only_the_fields_concerned_change() {
        let before = "\u{feff}{\n\t\"current\": \"a\", \"x\": [1, {\"y\": 1.50}],\r\n\t\"profiles\": [\n\
            \t\t{\"name\": \"b\", \"oauth_access_token\": \"other\"},\n\t\t{\n\t\t\t\"name\": \"a\",\n\
            \t\t\t\"oauth_access_token\" : \"old\",\n\t\t\t\"odd\": 1e400,\n\t\t\t\"mode\": \"OAuth\"\n\t\t}\n\t]\n}\n";
        let after = before.replace("\"old\"", r#""new \"one\"""#).replace(
            "\"mode\": \"OAuth\"",
            "\"mode\": \"OAuth\",\n\t\t\t\"sts_expiration\": 1893456000,\n\t\t\t\"sts_token\": \"t\"",
        );
        let edited = edited(before, Path::new("c"), "a", &changes()).unwrap();
        assert_eq!(*edited, after);
    }

    #[test]
    fn a_file_in_one_line_stays_in_one() {
        let before =
            r#"{"profiles":[{"name":"a","sts_expiration":5,"mode":"OAuth","oauth_access_token":null}]}"#;
        let after = before
            .replace(":5", ":1893456000")
            .replace("null", r#""new \"one\"","sts_token": "t""#);
        assert_eq!(*edited(before, Path::new("c"), "a", &changes()).unwrap(), after);
    }

    #[test]
    fn a_profile_that_is_gone_is_not_made_anew() {
        let error = edited(r#"{"profiles":[{"name":"b"}]}"#, Path::new("c"), "a", &changes()).unwrap_err();
        assert_eq!(
            error.to_string(),
            "profile: the profile \"a\" no longer exists (c); log in again, or name another profile"
        );
    }

    /// A name that JSON may have to escape, and one of those that are written.
    fn key() -> impl Strategy<Value = String> {
        prop_oneof![
            "[a-c\"\\\\,:{}\\[\\]\n\u{e9}]{1,6}",
            Just("sts_token".to_owned()),
            Just("sts_expiration".to_owned())
        ]
    }

    proptest! {
        /// Whatever surrounds them, the fields are set, and all others are as they were.
        #[test]
        fn a_parser_sees_the_new_values_and_the_old_rest(
            fields in proptest::collection::btree_map(key(), "[ -~\u{e9}\n]{0,8}", 0..6),
            space in "[ \n\t]{0,3}",
            pretty in any::<bool>(),
        ) {
            let mut profile: BTreeMap<String, String> = fields;
            profile.insert("name".to_owned(), "a".to_owned());
            let other: BTreeMap<_, _> = [("name", "b"), ("sts_token", "other")].into();
            let json = if pretty { serde_json::to_string_pretty } else { serde_json::to_string };
            let mut whole = serde_json::json!({"x": [1.5, null], "profiles": [other, profile], "current": "b"});
            let text = format!("{space}{}{space}", json(&whole).unwrap());
            let edited = edited(&text, Path::new("c"), "a", &changes()).unwrap();
            let fields = &mut whole["profiles"][1];
            fields["sts_expiration"] = 1_893_456_000_u64.into();
            fields["oauth_access_token"] = "new \"one\"".into();
            fields["sts_token"] = "t".into();
            prop_assert_eq!(serde_json::from_str::<serde_json::Value>(&edited).unwrap(), whole);
        }
    }
}
