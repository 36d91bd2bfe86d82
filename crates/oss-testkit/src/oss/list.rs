//! Listing the objects of a bucket: `ListObjectsV2`.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::ops::Bound;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use oss_credentials_core::nonce;

use super::error::Refusal;
use super::object::Object;
use super::{Bucket, Call, Encoding, document, invalid_argument, number_parameter};
use crate::time::iso_millis;
use crate::wire::{Answer, Request, element};

const DEFAULT_MAX_KEYS: usize = 100;
const MAX_KEYS: usize = 1000;

/// Characters of chance at the beginning of each continuation token: none is like another one.
const SALT: usize = 8;

/// Where a page begins.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Place {
    Start,
    /// Behind this key.
    After(String),
    /// Behind all keys that begin so.
    Behind(String),
}

/// One entry of a page.
#[derive(Debug, PartialEq, Eq)]
enum Entry<'a> {
    Key(&'a str),
    CommonPrefix(&'a str),
}

pub(super) fn list(call: &Call<'_>, bucket: &Bucket, empty_page: bool) -> Result<Answer, Refusal> {
    let request = call.request;
    let encoding = Encoding::of(request)?;
    let max_keys = number_parameter(request, "max-keys", 1..=MAX_KEYS, DEFAULT_MAX_KEYS)?;
    let value = |name| request.query_value(name).filter(|value| !value.is_empty());
    let (prefix, delimiter) = (value("prefix").unwrap_or_default(), value("delimiter"));
    let place = place(request)?;
    let (entries, next) = if empty_page {
        (Vec::new(), Some(place))
    } else {
        page(&bucket.objects, prefix, delimiter, &place, max_keys)
    };

    let mut inner = element("Name", call.bucket);
    inner += &element("Prefix", &encoding.write(prefix));
    for (name, parameter) in [
        ("StartAfter", "start-after"),
        ("ContinuationToken", "continuation-token"),
    ] {
        if let Some(value) = value(parameter) {
            inner += &element(name, &encoding.write(value));
        }
    }
    inner += &element("MaxKeys", &max_keys.to_string());
    inner += &element("Delimiter", &encoding.write(delimiter.unwrap_or_default()));
    inner += &encoding.element();
    inner += &element("IsTruncated", if next.is_some() { "true" } else { "false" });
    if let Some(next) = next {
        inner += &element("NextContinuationToken", &encoding.write(&next.token()));
    }
    inner += &element("KeyCount", &entries.len().to_string());
    let owner = (request.query_value("fetch-owner") == Some("true")).then(|| owner(&call.state.account));
    for entry in entries {
        match entry {
            Entry::Key(key) => {
                if let Some(object) = bucket.objects.get(key) {
                    inner += &contents(&encoding.write(key), object, owner.as_deref());
                }
            }
            Entry::CommonPrefix(prefix) => {
                let prefix = element("Prefix", &encoding.write(prefix));
                let _ = write!(inner, "<CommonPrefixes>{prefix}</CommonPrefixes>");
            }
        }
    }
    Ok(document("ListBucketResult", &inner))
}

/// The owner of buckets and objects: the account.
pub(super) fn owner(account: &str) -> String {
    let (id, name) = (element("ID", account), element("DisplayName", account));
    format!("<Owner>{id}{name}</Owner>")
}

fn contents(key: &str, object: &Object, owner: Option<&str>) -> String {
    let fields: String = [
        ("Key", key),
        ("LastModified", &iso_millis(object.last_modified())),
        ("ETag", object.etag()),
        ("Type", object.kind()),
        ("Size", &object.content().length.to_string()),
        ("StorageClass", &object.storage_class()),
    ]
    .into_iter()
    .map(|(name, value)| element(name, value))
    .collect();
    format!("<Contents>{fields}{}</Contents>", owner.unwrap_or_default())
}

/// Where the page that is asked for begins; a continuation token counts more than a start.
fn place(request: &Request) -> Result<Place, Refusal> {
    let value = |name| request.query_value(name).filter(|value| !value.is_empty());
    if let Some(token) = value("continuation-token") {
        let message = "The continuation token provided is incorrect.";
        return Place::read(token).ok_or_else(|| invalid_argument(message, "continuation-token", token));
    }
    Ok(value("start-after").map_or(Place::Start, |key| Place::After(key.to_owned())))
}

/// Up to `max` entries from a place on, and where the next page begins if there is one.
fn page<'a>(
    objects: &'a BTreeMap<String, Object>,
    prefix: &str,
    delimiter: Option<&str>,
    place: &Place,
    max: usize,
) -> (Vec<Entry<'a>>, Option<Place>) {
    let start = match place {
        Place::Start => Bound::Unbounded,
        Place::After(key) => Bound::Excluded(key.as_str()),
        Place::Behind(passed) => Bound::Included(passed.as_str()),
    };
    let mut entries: Vec<Entry<'a>> = Vec::new();
    let mut last = Place::Start;
    for key in objects
        .range::<str, _>((start, Bound::Unbounded))
        .map(|(key, _)| key)
    {
        let Some(rest) = key.strip_prefix(prefix) else {
            continue;
        };
        if matches!(place, Place::Behind(passed) if key.starts_with(passed)) {
            continue;
        }
        let end = delimiter.and_then(|delimiter| Some(rest.find(delimiter)? + delimiter.len()));
        let entry = match end {
            Some(end) => Entry::CommonPrefix(&key[..prefix.len() + end]),
            None => Entry::Key(key),
        };
        if entries.last() == Some(&entry) {
            continue;
        }
        if entries.len() == max {
            return (entries, Some(last));
        }
        last = match entry {
            Entry::Key(key) => Place::After(key.to_owned()),
            Entry::CommonPrefix(prefix) => Place::Behind(prefix.to_owned()),
        };
        entries.push(entry);
    }
    (entries, None)
}

impl Place {
    /// Text that leads back here. It holds characters that have to be escaped in a URL, as a token may.
    fn token(&self) -> String {
        let (kind, name) = match self {
            Self::Start => ('s', ""),
            Self::After(key) => ('a', key.as_str()),
            Self::Behind(prefix) => ('b', prefix.as_str()),
        };
        let salt: String = nonce().chars().rev().take(SALT).collect();
        format!("{}--", STANDARD.encode(format!("{salt}{kind}{name}")))
    }

    fn read(token: &str) -> Option<Self> {
        let text = STANDARD.decode(token.strip_suffix("--")?).ok()?;
        let text = String::from_utf8(text).ok()?;
        let rest = text.get(SALT..)?;
        let name = rest.get(1..)?.to_owned();
        match rest.chars().next()? {
            's' => Some(Self::Start),
            'a' => Some(Self::After(name)),
            'b' => Some(Self::Behind(name)),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::Bytes;
    use std::time::SystemTime;

    /// All pages, entries separated by blanks and pages by bars.
    fn pages(keys: &[&str], prefix: &str, delimiter: Option<&str>, start: Place, max: usize) -> String {
        let object = Object::from_bytes(Bytes::new(), SystemTime::UNIX_EPOCH);
        let objects = keys
            .iter()
            .map(|key| ((*key).to_owned(), object.clone()))
            .collect();
        let mut place = Some(start);
        let mut shown = Vec::new();
        while let Some(here) = place {
            let (entries, next) = page(&objects, prefix, delimiter, &here, max);
            let names = entries.iter().map(|entry| match entry {
                Entry::Key(name) | Entry::CommonPrefix(name) => *name,
            });
            shown.push(names.collect::<Vec<_>>().join(" "));
            place = next.map(|next| Place::read(&next.token()).unwrap());
        }
        shown.join("|")
    }

    const KEYS: [&str; 7] = ["a", "b/", "b/1", "b/2/x", "b/3", "c", "c/1"];

    #[test]
    fn pages_follow_each_other_without_gap_or_repetition() {
        let all = |delimiter, max| pages(&KEYS, "", delimiter, Place::Start, max);
        assert_eq!(all(None, 100), "a b/ b/1 b/2/x b/3 c c/1");
        assert_eq!(all(None, 3), "a b/ b/1|b/2/x b/3 c|c/1");
        assert_eq!(all(None, 7), "a b/ b/1 b/2/x b/3 c c/1");
        assert_eq!(all(Some("/"), 100), "a b/ c c/");
        assert_eq!(all(Some("/"), 1), "a|b/|c|c/");
        assert_eq!(all(Some("/"), 2), "a b/|c c/");
        assert_eq!(pages(&[], "", None, Place::Start, 1), "");
    }

    #[test]
    fn prefix_delimiter_and_start_are_combined() {
        let from = |prefix, start: &str| {
            let start = match start {
                "" => Place::Start,
                key => Place::After(key.to_owned()),
            };
            pages(&KEYS, prefix, Some("/"), start, 100)
        };
        assert_eq!(from("b/", ""), "b/ b/1 b/2/ b/3");
        assert_eq!(from("b/", "b/1"), "b/2/ b/3");
        assert_eq!(from("", "b/1"), "b/ c c/");
        assert_eq!(from("x", ""), "");
        assert_eq!(
            pages(&KEYS, "", Some("/2"), Place::Start, 100),
            "a b/ b/1 b/2 b/3 c c/1"
        );
    }

    #[test]
    fn tokens_lead_back_and_never_repeat() {
        let place = Place::Behind("图 +%/".to_owned());
        let token = place.token();
        assert_ne!(token, place.token());
        assert_eq!(Place::read(&token), Some(place));
        for wrong in ["", "--", "AAAA--", "nonsense", &token[1..]] {
            assert_eq!(Place::read(wrong), None, "{wrong}");
        }
    }
}
