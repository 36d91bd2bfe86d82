//! Listing the objects of a bucket: `ListObjects` and `ListObjectsV2`.

use std::ops::Bound;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use oss_credentials_core::nonce;

use super::bucket::Bucket;
use super::call::Call;
use super::document::{Encoding, document, elements, flag, number_parameter, owner};
use super::error::{Refusal, invalid_argument};
use super::object::Object;
use super::paging::{Entry, Filter};
use super::versions::Objects;
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

/// The parameters of a list of keys.
pub(super) fn filter(request: &Request) -> Result<Filter<'_>, Refusal> {
    Ok(Filter {
        prefix: request.query_value("prefix").unwrap_or_default(),
        delimiter: request.query_value("delimiter").filter(|value| !value.is_empty()),
        max: number_parameter(request, "max-keys", 1..=MAX_KEYS, DEFAULT_MAX_KEYS)?,
    })
}

/// `ListObjects`, which continues after a key.
pub(super) fn list_v1(call: &Call<'_>, bucket: &Bucket, empty_page: bool) -> Result<Answer, Refusal> {
    let request = call.request;
    let (encoding, filter) = (Encoding::of(request)?, filter(request)?);
    let marker = request.query_value("marker").unwrap_or_default();
    let place = match marker {
        "" => Place::Start,
        marker if filter.is_common_prefix(marker) => Place::Behind(marker.to_owned()),
        marker => Place::After(marker.to_owned()),
    };
    let (entries, next) = if empty_page {
        (Vec::new(), Some(place))
    } else {
        page(&bucket.objects, &filter, &place)
    };
    let mut inner = elements(&[
        ("Name", call.bucket),
        ("Prefix", &encoding.write(filter.prefix)),
        ("Marker", &encoding.write(marker)),
        ("MaxKeys", &filter.max.to_string()),
        ("Delimiter", &encoding.write(filter.delimiter.unwrap_or_default())),
    ]);
    inner += &encoding.element();
    inner += &element("IsTruncated", flag(next.is_some()));
    if let Some(Place::After(name) | Place::Behind(name)) = next {
        inner += &element("NextMarker", &encoding.write(&name));
    }
    inner += &listed(&entries, encoding, Some(&owner(&call.state.account)));
    Ok(document("ListBucketResult", &inner))
}

/// `ListObjectsV2`, which continues with a token.
pub(super) fn list_v2(call: &Call<'_>, bucket: &Bucket, empty_page: bool) -> Result<Answer, Refusal> {
    let request = call.request;
    let (encoding, filter) = (Encoding::of(request)?, filter(request)?);
    let value = |name| request.query_value(name).filter(|value| !value.is_empty());
    let place = place(request)?;
    let (entries, next) = if empty_page {
        (Vec::new(), Some(place))
    } else {
        page(&bucket.objects, &filter, &place)
    };

    let mut inner = element("Name", call.bucket);
    inner += &element("Prefix", &encoding.write(filter.prefix));
    for (name, parameter) in [
        ("StartAfter", "start-after"),
        ("ContinuationToken", "continuation-token"),
    ] {
        if let Some(value) = value(parameter) {
            inner += &element(name, &encoding.write(value));
        }
    }
    inner += &element("MaxKeys", &filter.max.to_string());
    inner += &element("Delimiter", &encoding.write(filter.delimiter.unwrap_or_default()));
    inner += &encoding.element();
    inner += &element("IsTruncated", flag(next.is_some()));
    if let Some(next) = next {
        inner += &element("NextContinuationToken", &encoding.write(&next.token()));
    }
    inner += &element("KeyCount", &entries.len().to_string());
    let owner = (request.query_value("fetch-owner") == Some("true")).then(|| owner(&call.state.account));
    inner += &listed(&entries, encoding, owner.as_deref());
    Ok(document("ListBucketResult", &inner))
}

/// The entries as elements.
fn listed(entries: &[Entry<'_, &Object>], encoding: Encoding, owner: Option<&str>) -> String {
    entries
        .iter()
        .map(|entry| match entry {
            Entry::Item(key, object) => contents(&encoding.write(key), object, owner),
            Entry::CommonPrefix(prefix) => common_prefix(prefix, encoding),
        })
        .collect()
}

/// The element of keys that are rolled up.
pub(super) fn common_prefix(prefix: &str, encoding: Encoding) -> String {
    let prefix = element("Prefix", &encoding.write(prefix));
    format!("<CommonPrefixes>{prefix}</CommonPrefixes>")
}

fn contents(key: &str, object: &Object, owner: Option<&str>) -> String {
    let fields = elements(&[("Key", key)]) + &described(object);
    format!("<Contents>{fields}{}</Contents>", owner.unwrap_or_default())
}

/// What a list contains about an object besides its key.
pub(super) fn described(object: &Object) -> String {
    elements(&[
        ("LastModified", &iso_millis(object.last_modified())),
        ("ETag", object.etag()),
        ("Type", object.kind()),
        ("Size", &object.content().length.to_string()),
        ("StorageClass", &object.storage_class()),
    ])
}

/// Returns where the requested page begins; a continuation token takes precedence over a start.
fn place(request: &Request) -> Result<Place, Refusal> {
    let value = |name| request.query_value(name).filter(|value| !value.is_empty());
    if let Some(token) = value("continuation-token") {
        let message = "The continuation token provided is incorrect.";
        return Place::read(token).ok_or_else(|| invalid_argument(message, "continuation-token", token));
    }
    Ok(value("start-after").map_or(Place::Start, |key| Place::After(key.to_owned())))
}

/// The entries from a place on, and where the next page begins if there is one.
fn page<'a>(
    objects: &'a Objects,
    filter: &Filter<'_>,
    place: &Place,
) -> (Vec<Entry<'a, &'a Object>>, Option<Place>) {
    let start = match place {
        Place::Start => Bound::Unbounded,
        Place::After(key) => Bound::Excluded(key.as_str()),
        Place::Behind(passed) => Bound::Included(passed.as_str()),
    };
    let names = objects
        .current_from(start)
        .filter(|(key, _)| !matches!(place, Place::Behind(passed) if key.starts_with(passed)));
    let (entries, more) = filter.page(names);
    let next = entries.last().filter(|_| more).map(|last| match last {
        Entry::Item(key, _) => Place::After((*key).to_owned()),
        Entry::CommonPrefix(prefix) => Place::Behind((*prefix).to_owned()),
    });
    (entries, next)
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
    use super::super::versions::Versioning;
    use super::*;
    use bytes::Bytes;
    use std::time::SystemTime;

    /// All pages, entries separated by blanks and pages by bars.
    fn pages(keys: &[&str], prefix: &str, delimiter: Option<&str>, start: Place, max: usize) -> String {
        let object = Object::from_bytes(Bytes::new(), SystemTime::UNIX_EPOCH);
        let mut objects = Objects::default();
        for key in keys {
            objects.insert(key, object.clone(), Versioning::Off);
        }
        let filter = Filter {
            prefix,
            delimiter,
            max,
        };
        let mut place = Some(start);
        let mut shown = Vec::new();
        while let Some(here) = place {
            let (entries, next) = page(&objects, &filter, &here);
            let names = entries.iter().map(Entry::name);
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
