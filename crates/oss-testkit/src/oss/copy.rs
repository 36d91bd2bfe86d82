//! Copying objects: `CopyObject` and `UploadPartCopy`.
//!
//! Vendor documents: the pages of the two operations (Object Storage Service, API reference).

use std::collections::BTreeMap;

use super::bucket::{Bucket, Wanted, check_key, named, with_version};
use super::call::Call;
use super::conditions;
use super::content::Content;
use super::copy_source::invalid_source;
use super::document::{document, elements};
use super::error::Refusal;
use super::multipart::{Stored, store_part};
use super::object::Object;
use super::properties::Properties;
use super::{range, restore, symlink};
use crate::time::iso_millis;
use crate::wire::Answer;

pub(super) fn copy(call: &Call<'_>, buckets: &mut BTreeMap<String, Bucket>) -> Result<Answer, Refusal> {
    let request = call.request;
    check_key(call.key)?;
    let origin = source(call, buckets)?;
    let properties = Properties::of_copy(request, &origin.object.properties)?;
    let source_version = origin.version.map(str::to_owned);
    // A copy is one piece, and keeps the ETag of what it was made from.
    let (content, etag) = (origin.object.content().clone(), origin.object.etag().to_owned());
    let copied = Object::assembled(content, properties, etag, call.now);
    let inner = elements(&[("LastModified", &iso_millis(call.now)), ("ETag", copied.etag())]);
    let answer = document("CopyObjectResult", &inner).with("etag", copied.etag());
    let answer = copied.content().with_crc64(answer);
    let version = named(buckets, call.bucket)?.insert(request, call.key, copied)?;
    let answer = with_version(answer, version.as_deref());
    Ok(with_source_version(answer, source_version))
}

/// Copies an object, or a range of one, into a part of an upload.
pub(super) fn upload_part(
    call: &Call<'_>,
    buckets: &mut BTreeMap<String, Bucket>,
) -> Result<Answer, Refusal> {
    let origin = source(call, buckets)?;
    let whole = origin.object.content();
    let header = call.request.header("x-oss-copy-source-range");
    let wanted = match header {
        Some(header) => range::wanted(call.request, header, whole.length)?,
        None => None,
    };
    let source_version = origin.version.map(str::to_owned);
    let shown = wanted
        .as_ref()
        .map(|part| format!("bytes {}-{}/{}", part.start, part.end - 1, whole.length));
    let content = match wanted {
        Some(part) => Content::part_of(whole, part),
        None => whole.clone(),
    };
    let Stored { etag, crc64 } = store_part(call, named(buckets, call.bucket)?, content)?;
    let inner = elements(&[("LastModified", &iso_millis(call.now)), ("ETag", &etag)]);
    let mut answer = document("CopyPartResult", &inner).with("etag", etag);
    if let Some(shown) = shown {
        answer = answer.with("content-range", shown);
    }
    if let Some(crc64) = crc64 {
        answer = answer.with("x-oss-hash-crc64ecma", crc64.to_string());
    }
    Ok(with_source_version(answer, source_version))
}

/// The object to copy, which has to be as the conditions say, and readable.
fn source<'a>(call: &Call<'_>, buckets: &'a mut BTreeMap<String, Bucket>) -> Result<Wanted<'a>, Refusal> {
    let source = call.copy_source.as_ref().ok_or_else(|| invalid_source(""))?;
    let bucket = &*named(buckets, &source.bucket)?;
    let found = bucket.find(&source.key, source.version.as_deref())?;
    let object = symlink::followed(bucket, found.object)?;
    conditions::COPY.check(call.request, object)?;
    restore::check_readable(object, call.now)?;
    Ok(Wanted { object, ..found })
}

fn with_source_version(answer: Answer, version: Option<String>) -> Answer {
    match version {
        Some(id) => answer.with("x-oss-copy-source-version-id", id),
        None => answer,
    }
}
