//! The source of a copy: `x-oss-copy-source`.

use std::collections::BTreeMap;

use percent_encoding::percent_decode_str;

use super::bucket::Bucket;
use super::error::{Refusal, invalid_argument};
use crate::wire::Request;

/// The object that is copied.
pub(super) struct Source {
    pub(super) bucket: String,
    pub(super) key: String,
    pub(super) version: Option<String>,
}

impl Source {
    /// Reads `x-oss-copy-source`. A `+` is a plus sign, unless only the object exists whose key has a space there.
    pub(super) fn of(request: &Request, buckets: &BTreeMap<String, Bucket>) -> Result<Self, Refusal> {
        let header = request.header("x-oss-copy-source").unwrap_or_default();
        let exists = |source: &Self| {
            let bucket = buckets.get(&source.bucket);
            bucket.is_some_and(|bucket| bucket.objects.get(&source.key).is_some())
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
            version: query.strip_prefix("versionId=").map(str::to_owned),
        })
    }
}

pub(super) fn invalid_source(header: &str) -> Refusal {
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
