//! Copying objects.

use std::collections::BTreeMap;

use percent_encoding::percent_decode_str;

use super::error::Refusal;
use super::object::{self, Object};
use super::{Bucket, Call, conditions, document, invalid_argument, named};
use crate::time::iso_millis;
use crate::wire::{Answer, Request, element};

pub(super) fn copy(call: &Call<'_>, buckets: &mut BTreeMap<String, Bucket>) -> Result<Answer, Refusal> {
    let request = call.request;
    object::check_upload(call.key, request.header("x-oss-object-acl"))?;
    let source = call.copy_source.as_ref().ok_or_else(|| invalid_source(""))?;
    let origin = named(buckets, &source.bucket)?.object(&source.key)?;
    conditions::COPY.check(request, origin)?;
    let headers = match request.header("x-oss-metadata-directive") {
        None | Some("COPY") => origin.headers().clone(),
        Some("REPLACE") => object::kept_headers(request)?,
        Some(other) => {
            let message = "The metadata directive must be COPY or REPLACE.";
            return Err(invalid_argument(message, "x-oss-metadata-directive", other));
        }
    };
    // A copy is one piece, and keeps the ETag of what it was made from.
    let copied = Object::assembled(
        origin.content().clone(),
        headers,
        origin.etag().to_owned(),
        call.now,
    );
    let inner = element("LastModified", &iso_millis(call.now)) + &element("ETag", copied.etag());
    let answer = document("CopyObjectResult", &inner).with("etag", copied.etag());
    let answer = copied.content().with_crc64(answer);
    named(buckets, call.bucket)?.insert(request, call.key, copied)?;
    Ok(answer)
}

/// The object that is copied.
pub(super) struct Source {
    pub(super) bucket: String,
    pub(super) key: String,
    /// Whether a version is named; it is passed over otherwise, since there is but one.
    pub(super) versioned: bool,
}

impl Source {
    /// Reads `x-oss-copy-source`. A `+` stands for itself, unless only the object exists whose key has a space there.
    pub(super) fn of(request: &Request, buckets: &BTreeMap<String, Bucket>) -> Result<Self, Refusal> {
        let header = request.header("x-oss-copy-source").unwrap_or_default();
        let exists = |source: &Self| {
            let bucket = buckets.get(&source.bucket);
            bucket.is_some_and(|bucket| bucket.objects.contains_key(&source.key))
        };
        let literal = Self::read(header).ok_or_else(|| invalid_source(header))?;
        if exists(&literal) || !header.contains('+') {
            return Ok(literal);
        }
        let spaced = Self::read(&header.replace('+', "%20"));
        Ok(spaced.filter(exists).unwrap_or(literal))
    }

    /// Reads `/bucket/key?versionId=..`, percent-encoded.
    fn read(header: &str) -> Option<Self> {
        let (path, query) = header.split_once('?').unwrap_or((header, ""));
        let (bucket, key) = path.strip_prefix('/').unwrap_or(path).split_once('/')?;
        let decode = |text| Some(percent_decode_str(text).decode_utf8().ok()?.into_owned());
        let (bucket, key) = (decode(bucket)?, decode(key)?);
        (!bucket.is_empty() && !key.is_empty()).then_some(Self {
            bucket,
            key,
            versioned: query.starts_with("versionId="),
        })
    }
}

fn invalid_source(header: &str) -> Refusal {
    invalid_argument("Invalid copy source.", "x-oss-copy-source", header)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sources_are_decoded_once() {
        for (header, expected) in [
            ("/bkt/a%20b/c+d", Some(("bkt", "a b/c+d"))),
            ("bkt/a%2Fb?versionId=CAEQ", Some(("bkt", "a/b"))),
            ("/bkt/100%2525%3F", Some(("bkt", "100%25?"))),
            ("/bkt//lead", Some(("bkt", "/lead"))),
            ("/bkt/", None),
            ("/bkt", None),
            ("", None),
            ("/bkt/%ff", None),
        ] {
            let expected = expected.map(|(bucket, key)| (bucket.to_owned(), key.to_owned()));
            let found = Source::read(header).map(|source| (source.bucket, source.key));
            assert_eq!(found, expected, "{header}");
        }
    }
}
