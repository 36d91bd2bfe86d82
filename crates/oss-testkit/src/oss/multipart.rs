//! Uploads in parts.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use md5::{Digest as _, Md5};
use oss_credentials_core::nonce;

use super::bucket::{Bucket, check_key, with_version};
use super::call::Call;
use super::content::{Content, hex};
use super::document::{Encoding, document, elements, flag, number_parameter};
use super::error::{Refusal, invalid_argument};
use super::object::{Object, quoted_md5};
use super::properties::Properties;
use super::uploads::{MultipartUpload, Part};
use super::xml::Node;
use crate::time::iso_millis;
use crate::wire::{Answer, element};

/// Least size of all parts but the last: "`CompleteMultipartUpload`" (Object Storage Service, API reference).
const MIN_PART: usize = 100 * 1024;
/// Highest number of a part, of the same page.
const MAX_PART_NUMBER: usize = 10_000;
/// Most parts on a page of `ListParts`, and the default.
const MAX_PARTS: usize = 1000;

pub(super) fn initiate(call: &Call<'_>, bucket: &mut Bucket) -> Result<Answer, Refusal> {
    let encoding = Encoding::of(call.request)?;
    check_key(call.key)?;
    let mut id = nonce().to_ascii_uppercase();
    id.truncate(32);
    let inner: String = [
        encoding.element(),
        element("Bucket", call.bucket),
        element("Key", &encoding.write(call.key)),
        element("UploadId", &id),
    ]
    .concat();
    let upload = MultipartUpload {
        key: call.key.to_owned(),
        properties: Properties::of_upload(call.request)?,
        initiated: call.now,
        parts: BTreeMap::new(),
    };
    bucket.uploads.insert(id, upload);
    Ok(document("InitiateMultipartUploadResult", &inner))
}

/// What the response to an uploaded part states about it.
pub(super) struct Stored {
    pub(super) etag: String,
    pub(super) crc64: Option<u64>,
}

pub(super) fn upload_part(call: &Call<'_>, bucket: &mut Bucket, content: Content) -> Result<Answer, Refusal> {
    content.check_digest(call.request.header("content-md5"))?;
    let answer = content.acknowledge(Answer::empty(200));
    let Stored { etag, .. } = store_part(call, bucket, content)?;
    Ok(answer.with("etag", etag))
}

/// Adds a part to the upload that the request names.
pub(super) fn store_part(call: &Call<'_>, bucket: &mut Bucket, content: Content) -> Result<Stored, Refusal> {
    let upload = upload(call, bucket)?;
    let value = call.request.query_value("partNumber").unwrap_or_default();
    let number = value
        .parse()
        .ok()
        .filter(|number| (1..=MAX_PART_NUMBER).contains(number));
    let number = number.ok_or_else(|| {
        let message = "Part number must be an integer between 1 and 10000, inclusive.";
        invalid_argument(message, "partNumber", value)
    })?;
    let stored = Stored {
        etag: quoted_md5(&content),
        crc64: content.crc64,
    };
    let part = Part {
        content,
        uploaded: call.now,
    };
    upload.parts.insert(number, part);
    Ok(stored)
}

pub(super) fn abort(call: &Call<'_>, bucket: &mut Bucket) -> Result<Answer, Refusal> {
    upload(call, bucket)?;
    bucket.uploads.remove(upload_id(call));
    Ok(Answer::empty(204))
}

pub(super) fn complete(call: &Call<'_>, bucket: &mut Bucket) -> Result<Answer, Refusal> {
    let encoding = Encoding::of(call.request)?;
    let upload = upload(call, bucket)?;
    let contents: Vec<&Content> = chosen(call, upload)?
        .into_iter()
        .map(|part| &part.content)
        .collect();
    if let Some((_, others)) = contents.split_last()
        && let Some(small) = others.iter().find(|content| content.length < MIN_PART)
    {
        let message = "Your proposed upload is smaller than the minimum allowed size.";
        return Err(Refusal::new(400, "EntityTooSmall", message, "")
            .field("MinSizeAllowed", &MIN_PART.to_string())
            .field("ProposedSize", &small.length.to_string()));
    }
    let etag = etag_of_parts(&contents);
    let object = Object::assembled(
        Content::join(&contents),
        upload.properties.clone(),
        etag.clone(),
        call.now,
    );
    let location = format!("http://{}{}", call.request.host, call.request.path.as_str());
    let inner: String = [
        encoding.element(),
        element("Location", &location),
        element("Bucket", call.bucket),
        element("Key", &encoding.write(call.key)),
        element("ETag", &etag),
    ]
    .concat();
    let answer = document("CompleteMultipartUploadResult", &inner).with("etag", etag);
    let answer = object.content().with_crc64(answer);
    let version = bucket.insert(call.request, call.key, object)?;
    bucket.uploads.remove(upload_id(call));
    Ok(with_version(answer, version.as_deref()))
}

/// The parts that the object is to be made of: those listed in the body, or all of them.
fn chosen<'a>(call: &Call<'_>, upload: &'a MultipartUpload) -> Result<Vec<&'a Part>, Refusal> {
    let body = &call.request.body;
    if let Some(all) = call.request.header("x-oss-complete-all") {
        if all != "yes" || !body.is_empty() {
            let message = "x-oss-complete-all must be yes, and the body must be empty.";
            return Err(invalid_argument(message, "x-oss-complete-all", all));
        }
        return Ok(upload.parts.values().collect());
    }
    let root = Node::parse(body).filter(|root| root.name == "CompleteMultipartUpload");
    let root = root.ok_or_else(Refusal::malformed_xml)?;
    let listed: Option<Vec<(usize, &str)>> = root
        .children("Part")
        .map(|part| {
            let number = part.child_text("PartNumber")?.trim().parse().ok()?;
            Some((number, part.child_text("ETag")?))
        })
        .collect();
    let listed = listed.filter(|listed| !listed.is_empty());
    let listed = listed.ok_or_else(Refusal::malformed_xml)?;
    if !listed.is_sorted_by(|(one, _), (next, _)| one < next) {
        let message = "The list of parts was not in ascending order. Parts list must specified in order by \
                       part number.";
        return Err(Refusal::new(400, "InvalidPartOrder", message, "0042-00000209"));
    }
    listed
        .into_iter()
        .map(|(number, etag)| {
            let part = upload.parts.get(&number);
            let part = part.filter(|part| is_etag_of(etag, &part.content));
            part.ok_or_else(|| {
                let message = "One or more of the specified parts could not be found or the specified entity \
                               tag might not have matched the part's entity tag.";
                Refusal::new(400, "InvalidPart", message, "")
                    .field("PartNumber", &number.to_string())
                    .field("ETag", etag)
            })
        })
        .collect()
}

fn is_etag_of(etag: &str, content: &Content) -> bool {
    etag.trim()
        .trim_matches('"')
        .eq_ignore_ascii_case(&content.md5_hex())
}

/// An MD5 of the parts' MD5s with their number: what the service's look like. The vendor only says that it is
/// not the MD5 of the content.
fn etag_of_parts(contents: &[&Content]) -> String {
    let mut md5 = Md5::new();
    for content in contents {
        md5.update(content.md5);
    }
    let hex = hex(&md5.finalize());
    format!("\"{hex}-{}\"", contents.len())
}

pub(super) fn list_parts(call: &Call<'_>, bucket: &mut Bucket) -> Result<Answer, Refusal> {
    let request = call.request;
    let encoding = Encoding::of(request)?;
    let max = number_parameter(request, "max-parts", 1..=MAX_PARTS, MAX_PARTS)?;
    let marker = number_parameter(request, "part-number-marker", 0..=MAX_PART_NUMBER, 0)?;
    let upload = upload(call, bucket)?;
    let mut found = upload.parts.range(marker + 1..);
    let page: Vec<_> = found.by_ref().take(max).collect();
    let more = found.next().is_some();
    let last = page.last().map_or(0, |(number, _)| **number);
    let mut inner: String = [
        encoding.element(),
        element("Bucket", call.bucket),
        element("Key", &encoding.write(call.key)),
        element("UploadId", upload_id(call)),
        element("StorageClass", &upload.properties.storage_class()),
        element("PartNumberMarker", &marker.to_string()),
        element("NextPartNumberMarker", &last.to_string()),
        element("MaxParts", &max.to_string()),
        element("IsTruncated", flag(more)),
    ]
    .concat();
    for (number, part) in page {
        let crc64 = part.content.crc64.unwrap_or_default();
        let fields = elements(&[
            ("PartNumber", &number.to_string()),
            ("LastModified", &iso_millis(part.uploaded)),
            ("ETag", &quoted_md5(&part.content)),
            ("HashCrc64ecma", &crc64.to_string()),
            ("Size", &part.content.length.to_string()),
        ]);
        let _ = write!(inner, "<Part>{fields}</Part>");
    }
    Ok(document("ListPartsResult", &inner))
}

fn upload_id<'a>(call: &Call<'a>) -> &'a str {
    call.request.query_value("uploadId").unwrap_or_default()
}

/// The upload that the request names; it has to be for the same key.
fn upload<'a>(call: &Call<'_>, bucket: &'a mut Bucket) -> Result<&'a mut MultipartUpload, Refusal> {
    let id = upload_id(call);
    let upload = bucket.uploads.get_mut(id).filter(|upload| upload.key == call.key);
    upload.ok_or_else(|| {
        let message = "The specified upload does not exist. The upload ID may be invalid, or the upload may \
                       have been aborted or completed.";
        Refusal::new(404, "NoSuchUpload", message, "0042-00000002").field("UploadId", id)
    })
}
