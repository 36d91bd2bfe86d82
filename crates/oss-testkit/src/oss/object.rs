//! Reading and writing objects.

use std::time::SystemTime;

use bytes::Bytes;

use super::content::Content;
use super::error::Refusal;
use super::{Bucket, Call, conditions, invalid_argument, range};
use crate::time::http_date;
use crate::wire::{Answer, Request};

/// Headers of an upload that a download repeats, besides `x-oss-meta-*`.
const KEPT: [&str; 8] = [
    "content-type",
    "cache-control",
    "content-disposition",
    "content-encoding",
    "expires",
    "x-oss-storage-class",
    "x-oss-server-side-encryption",
    "x-oss-server-side-encryption-key-id",
];

/// Parameters of a download that replace a header of the answer.
const OVERRIDES: [(&str, &str); 6] = [
    ("response-content-type", "content-type"),
    ("response-content-language", "content-language"),
    ("response-expires", "expires"),
    ("response-cache-control", "cache-control"),
    ("response-content-disposition", "content-disposition"),
    ("response-content-encoding", "content-encoding"),
];

const OBJECT_ACLS: [&str; 4] = ["default", "private", "public-read", "public-read-write"];

/// Longest name of an object, in bytes of UTF-8: "Object naming conventions" (Object Storage Service, user
/// guide).
const MAX_KEY: usize = 1023;

/// What names of user metadata begin with.
const METADATA: &str = "x-oss-meta-";

/// Most user metadata of an object, names and values together, in bytes.
const MAX_METADATA: usize = 8 * 1024;

/// Headers kept from an upload: names in lower case, values byte for byte.
pub(super) type Headers = Vec<(String, Vec<u8>)>;

/// An object.
#[derive(Clone, Debug)]
pub(crate) struct Object {
    content: Content,
    headers: Headers,
    etag: String,
    kind: &'static str,
    last_modified: SystemTime,
}

impl Object {
    /// An object that was uploaded in one piece: its `ETag` is its MD5.
    pub(super) fn whole(content: Content, headers: Headers, now: SystemTime) -> Self {
        Self {
            etag: quoted_md5(&content),
            content,
            headers,
            kind: "Normal",
            last_modified: now,
        }
    }

    /// An object put together from parts, with the `ETag` that follows from theirs.
    pub(super) fn assembled(content: Content, headers: Headers, etag: String, now: SystemTime) -> Self {
        Self {
            content,
            headers,
            etag,
            kind: "Multipart",
            last_modified: now,
        }
    }

    pub(crate) fn from_bytes(bytes: Bytes, now: SystemTime) -> Self {
        Self::whole(Content::of(bytes), Vec::new(), now)
    }

    /// The content; `None` for a sink.
    pub(crate) fn bytes(&self) -> Option<&Bytes> {
        self.content.bytes()
    }

    pub(super) fn content(&self) -> &Content {
        &self.content
    }

    pub(super) fn headers(&self) -> &Headers {
        &self.headers
    }

    /// In quotes.
    pub(super) fn etag(&self) -> &str {
        &self.etag
    }

    pub(super) fn kind(&self) -> &'static str {
        self.kind
    }

    pub(super) fn last_modified(&self) -> SystemTime {
        self.last_modified
    }

    pub(super) fn storage_class(&self) -> String {
        let kept = self
            .headers
            .iter()
            .find(|(name, _)| name == "x-oss-storage-class");
        kept.map_or_else(
            || "Standard".to_owned(),
            |(_, class)| String::from_utf8_lossy(class).into_owned(),
        )
    }
}

/// The `ETag` of content that came in one piece.
pub(super) fn quoted_md5(content: &Content) -> String {
    format!("\"{}\"", content.md5_hex())
}

/// What is kept of an upload's headers.
///
/// # Errors
///
/// As [`check_metadata`].
pub(super) fn kept_headers(request: &Request) -> Result<Headers, Refusal> {
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

/// Refuses what no object can be stored with.
pub(super) fn check_upload(key: &str, acl: Option<&str>) -> Result<(), Refusal> {
    if key.len() > MAX_KEY {
        let message = "The Length of Object name must be less than 1024.";
        return Err(Refusal::new(400, "InvalidObjectName", message, "0016-00000003").field("ObjectName", key));
    }
    // "0016-00000005" (Object Storage Service, support).
    if key.starts_with(['/', '\\']) {
        let message = "The specified object is not valid.";
        return Err(Refusal::new(400, "InvalidObjectName", message, "0016-00000005").field("ObjectName", key));
    }
    match acl {
        Some(acl) if !OBJECT_ACLS.contains(&acl) => Err(invalid_argument(
            "no such object access control exists",
            "x-oss-object-acl",
            acl,
        )),
        _ => Ok(()),
    }
}

pub(super) fn put(call: &Call<'_>, bucket: &mut Bucket, content: Content) -> Result<Answer, Refusal> {
    let request = call.request;
    check_upload(call.key, request.header("x-oss-object-acl"))?;
    // "0017-00000245" (Object Storage Service, support).
    if let Some(header) = conditions::DOWNLOAD.first_in(request) {
        let message = "A header you provided implies functionality that is not implemented.";
        return Err(Refusal::new(400, "NotImplemented", message, "0017-00000245").field("Header", header));
    }
    content.check_digest(request.header("content-md5"))?;
    let object = Object::whole(content, kept_headers(request)?, call.now);
    let answer = object
        .content()
        .acknowledge(Answer::empty(200).with("etag", object.etag()));
    bucket.insert(request, call.key, object)?;
    Ok(answer)
}

/// Answers `GetObjectMeta`: little, but quickly.
pub(super) fn meta(call: &Call<'_>, bucket: &Bucket) -> Result<Answer, Refusal> {
    let object = bucket.object(call.key)?;
    let mut answer = Answer::empty(200)
        .with("etag", object.etag())
        .with("last-modified", http_date(object.last_modified));
    answer.length = Some(object.content.length);
    Ok(object.content.with_crc64(answer))
}

/// Answers GET and HEAD: the HTTP layer leaves the body of the latter out.
pub(super) fn get(call: &Call<'_>, bucket: &Bucket) -> Result<Answer, Refusal> {
    let request = call.request;
    let object = bucket.object(call.key)?;
    conditions::DOWNLOAD.check(request, object)?;
    let size = object.content.length;
    let part = match request.header("range") {
        Some(header) if request.method == "GET" => range::wanted(request, header, size)?,
        _ => None,
    };
    let mut answer = Answer::empty(if part.is_some() { 206 } else { 200 });
    if let Some(part) = &part {
        let shown = format!("bytes {}-{}/{size}", part.start, part.end - 1);
        answer = answer.with("content-range", shown);
    }
    if request.method == "HEAD" {
        answer.length = Some(size);
    } else {
        object.content.fill(&mut answer, part.unwrap_or(0..size));
    }
    Ok(with_headers(answer, request, object).with("etag", object.etag()))
}

fn with_headers(mut answer: Answer, request: &Request, object: &Object) -> Answer {
    for (name, header) in OVERRIDES {
        if let Some(value) = request.query_value(name) {
            answer = answer.with(header, value);
        }
    }
    for (name, value) in &object.headers {
        let replaced = answer.headers.iter().any(|(own, _)| own == name);
        if !replaced {
            answer.headers.push((name.clone().into(), value.clone()));
        }
    }
    let has = |answer: &Answer, name: &str| answer.headers.iter().any(|(own, _)| own == name);
    if !has(&answer, "content-type") {
        answer = answer.with("content-type", "application/octet-stream");
    }
    if !has(&answer, "x-oss-storage-class") {
        answer = answer.with("x-oss-storage-class", "Standard");
    }
    // Pictures are not processed here; the header shows that the parameter has arrived.
    if let Some(process) = request.query_value("x-oss-process") {
        answer = answer.with("x-oss-testkit-process", process);
    }
    let answer = answer
        .with("accept-ranges", "bytes")
        .with("last-modified", http_date(object.last_modified))
        .with("x-oss-object-type", object.kind);
    object.content.with_crc64(answer)
}
