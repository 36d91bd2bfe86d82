//! Properties of an object set by its upload: headers to keep, tags and ACL.

use super::error::{Refusal, invalid_argument};
use crate::wire::{Request, decode_pairs};

/// Headers of an upload that a download repeats, besides `x-oss-meta-*`.
const KEPT: [&str; 9] = [
    "content-type",
    "cache-control",
    "content-disposition",
    "content-encoding",
    "content-language",
    "expires",
    STORAGE_CLASS,
    "x-oss-server-side-encryption",
    "x-oss-server-side-encryption-key-id",
];

const STORAGE_CLASS: &str = "x-oss-storage-class";

/// The prefix of names of user metadata.
const METADATA: &str = "x-oss-meta-";

/// Most user metadata of an object, names and values together, in bytes.
const MAX_METADATA: usize = 8 * 1024;

/// Most tags of an object, and most characters of a key and of a value: "Object tagging" (Object Storage Service, user
/// guide).
const MAX_TAGS: usize = 10;
const MAX_TAG_KEY: usize = 128;
const MAX_TAG_VALUE: usize = 256;

/// The values of an object's ACL.
const ACLS: [&str; 4] = [INHERITED, "private", "public-read", "public-read-write"];

/// The ACL of an object that has none of its own: that of the bucket counts.
pub(super) const INHERITED: &str = "default";

/// Headers kept from an upload: names in lower case, values byte for byte.
pub(super) type Headers = Vec<(String, Vec<u8>)>;

/// Keys and values.
pub(super) type Tags = Vec<(String, String)>;

#[derive(Clone, Debug)]
pub(super) struct Properties {
    pub(super) headers: Headers,
    pub(super) tags: Tags,
    pub(super) acl: &'static str,
}

impl Default for Properties {
    fn default() -> Self {
        Self {
            headers: Headers::new(),
            tags: Tags::new(),
            acl: INHERITED,
        }
    }
}

impl Properties {
    /// Those of an upload.
    pub(super) fn of_upload(request: &Request) -> Result<Self, Refusal> {
        Ok(Self {
            headers: kept_headers(request)?,
            tags: tags_of_upload(request)?,
            acl: acl(request.header("x-oss-object-acl"))?,
        })
    }

    /// Those of a copy: what the directives do not replace is the source's. An ACL is never copied.
    pub(super) fn of_copy(request: &Request, source: &Self) -> Result<Self, Refusal> {
        let headers = match request.header("x-oss-metadata-directive") {
            None | Some("COPY") => source.headers.clone(),
            Some("REPLACE") => kept_headers(request)?,
            Some(other) => {
                let message = "The metadata directive must be COPY or REPLACE.";
                return Err(invalid_argument(message, "x-oss-metadata-directive", other));
            }
        };
        let tags = match request.header("x-oss-tagging-directive") {
            None | Some("Copy" | "COPY") => source.tags.clone(),
            Some("Replace" | "REPLACE") => tags_of_upload(request)?,
            Some(other) => {
                let message = "The tagging directive must be Copy or Replace.";
                return Err(invalid_argument(message, "x-oss-tagging-directive", other));
            }
        };
        let acl = acl(request.header("x-oss-object-acl"))?;
        Ok(Self { headers, tags, acl })
    }

    pub(super) fn storage_class(&self) -> String {
        let kept = self.headers.iter().find(|(name, _)| name == STORAGE_CLASS);
        kept.map_or_else(
            || "Standard".to_owned(),
            |(_, class)| String::from_utf8_lossy(class).into_owned(),
        )
    }
}

/// The headers of an upload that are kept.
///
/// # Errors
///
/// As [`check_metadata`].
fn kept_headers(request: &Request) -> Result<Headers, Refusal> {
    let kept = request.raw_headers.iter().filter_map(|(name, value)| {
        let name = name.as_str();
        is_kept(name).then(|| (name.to_owned(), value.as_bytes().to_vec()))
    });
    let kept: Headers = kept.collect();
    check_metadata(&kept)?;
    Ok(kept)
}

/// Refuses user metadata that the service does not take: the pages about EC 0011-00000004 and 0011-00000002 (Object
/// Storage Service, support).
pub(super) fn check_metadata(headers: &Headers) -> Result<(), Refusal> {
    let mut size = 0;
    for (name, value) in headers {
        let Some(rest) = name.strip_prefix(METADATA) else {
            continue;
        };
        if rest.is_empty()
            || !rest
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
        {
            let message = "The name of a user metadata header holds invalid characters.";
            return Err(
                Refusal::new(400, "InvalidArgument", message, "0011-00000004").field("ArgumentName", name)
            );
        }
        size += name.len() + value.len();
    }
    if size > MAX_METADATA {
        let message = "The size of the user metadata exceeds the limit.";
        return Err(Refusal::new(400, "InvalidArgument", message, "0011-00000002"));
    }
    Ok(())
}

pub(super) fn is_kept(name: &str) -> bool {
    KEPT.contains(&name) || name.starts_with(METADATA)
}

/// The ACL that a request gives an object; without one it is as the bucket's.
pub(super) fn acl(value: Option<&str>) -> Result<&'static str, Refusal> {
    let value = value.unwrap_or(INHERITED);
    let known = ACLS.into_iter().find(|known| *known == value);
    known.ok_or_else(|| {
        let message = "no such object access control exists";
        invalid_argument(message, "x-oss-object-acl", value)
    })
}

/// The tags that come with an upload: `x-oss-tagging`, written like a query.
fn tags_of_upload(request: &Request) -> Result<Tags, Refusal> {
    let Some(header) = request.header("x-oss-tagging") else {
        return Ok(Tags::new());
    };
    let tags = decode_pairs(header.as_bytes());
    check_tags(&tags)?;
    Ok(tags)
}

pub(super) fn check_tags(tags: &Tags) -> Result<(), Refusal> {
    let is_long = |(key, value): &(String, String)| {
        key.is_empty() || key.chars().count() > MAX_TAG_KEY || value.chars().count() > MAX_TAG_VALUE
    };
    let mut keys: Vec<&String> = tags.iter().map(|(key, _)| key).collect();
    keys.sort_unstable();
    let count = keys.len();
    keys.dedup();
    if tags.len() > MAX_TAGS || keys.len() < count || tags.iter().any(is_long) {
        let message = "The tags you have provided are invalid.";
        return Err(Refusal::new(400, "InvalidTag", message, ""));
    }
    Ok(())
}
