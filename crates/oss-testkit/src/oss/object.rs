//! Reading and writing objects.

use std::fmt::Write as _;
use std::ops::Range;
use std::time::SystemTime;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use md5::{Digest as _, Md5};

use super::Bucket;
use super::error::Refusal;
use crate::time::http_date;
use crate::wire::{Answer, Request};

/// Headers of an upload that a download repeats, besides `x-oss-meta-*`.
const KEPT: [&str; 5] = [
    "content-type",
    "cache-control",
    "content-disposition",
    "content-encoding",
    "expires",
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

const CRC64: &str = "x-oss-hash-crc64ecma";

/// An object in memory.
#[derive(Clone, Debug)]
pub(crate) struct Object {
    pub(crate) body: Bytes,
    /// Headers kept from the upload: names in lower case, values byte for byte.
    headers: Vec<(String, Vec<u8>)>,
    crc64: u64,
    last_modified: SystemTime,
}

impl Object {
    pub(crate) fn new(body: Bytes, headers: Vec<(String, Vec<u8>)>, now: SystemTime) -> Self {
        let mut crc64 = crc64fast::Digest::new();
        crc64.write(&body);
        Self {
            crc64: crc64.sum64(),
            body,
            headers,
            last_modified: now,
        }
    }

    /// Tells contents apart. The service's is an MD5, which no client may rely on.
    fn etag(&self) -> String {
        format!("\"{:016X}{:016X}\"", self.crc64, self.body.len())
    }
}

pub(super) fn put(
    bucket: &mut Bucket,
    request: &Request,
    key: &str,
    now: SystemTime,
) -> Result<Answer, Refusal> {
    let forbid = request
        .header("x-oss-forbid-overwrite")
        .is_some_and(|value| value == "true");
    if forbid && bucket.objects.contains_key(key) {
        let message = "The object you specified already exists and can not be overwritten.";
        return Err(Refusal::new(409, "FileAlreadyExists", message, "0026-00000302"));
    }
    if let Some(digest) = request.header("content-md5")
        && STANDARD.decode(digest).ok().as_deref() != Some(Md5::digest(&request.body).as_slice())
    {
        let message = "The Content-MD5 you specified is invalid.";
        return Err(Refusal::new(400, "InvalidDigest", message, ""));
    }
    let kept = request.raw_headers.iter().filter_map(|(name, value)| {
        let name = name.as_str();
        let keep = KEPT.contains(&name) || name.starts_with("x-oss-meta-");
        keep.then(|| (name.to_owned(), value.as_bytes().to_vec()))
    });
    let object = Object::new(request.body.clone(), kept.collect(), now);
    let answer = Answer::empty(200)
        .with("etag", object.etag())
        .with(CRC64, object.crc64.to_string());
    bucket.objects.insert(key.to_owned(), object);
    Ok(answer)
}

/// Answers GET and HEAD: the HTTP layer leaves the body of the latter out.
pub(super) fn get(bucket: &Bucket, request: &Request, key: &str) -> Result<Answer, Refusal> {
    let object = bucket.objects.get(key).ok_or_else(|| {
        Refusal::new(
            404,
            "NoSuchKey",
            "The specified key does not exist.",
            "0026-00000001",
        )
        .field("Key", key)
    })?;
    let etag = object.etag();
    if request
        .header("if-match")
        .is_some_and(|wanted| !names(wanted, &etag))
    {
        let message = "At least one of the pre-conditions you specified did not hold.";
        return Err(Refusal::new(412, "PreconditionFailed", message, "").field("Condition", "If-Match"));
    }
    if request
        .header("if-none-match")
        .is_some_and(|wanted| names(wanted, &etag))
    {
        return Err(Refusal::new(304, "NotModified", "Not Modified", ""));
    }

    let size = object.body.len();
    let range = match request.header("range") {
        Some(range) if request.method == "GET" => wanted_range(request, range, size)?,
        _ => None,
    };
    let mut answer = Answer::empty(if range.is_some() { 206 } else { 200 });
    answer.body = object.body.clone();
    if let Some(range) = range {
        let shown = format!("bytes {}-{}/{size}", range.start, range.end - 1);
        answer = answer.with("content-range", shown);
        answer.body = object.body.slice(range);
    }
    if request.method == "HEAD" {
        answer.length = Some(std::mem::take(&mut answer.body).len());
    }
    Ok(answer_headers(answer, request, object).with("etag", etag))
}

fn answer_headers(mut answer: Answer, request: &Request, object: &Object) -> Answer {
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
    if !answer.headers.iter().any(|(name, _)| name == "content-type") {
        answer = answer.with("content-type", "application/octet-stream");
    }
    answer
        .with("accept-ranges", "bytes")
        .with("last-modified", http_date(object.last_modified))
        .with("x-oss-object-type", "Normal")
        .with("x-oss-storage-class", "Standard")
        .with(CRC64, object.crc64.to_string())
}

/// Whether a list of entity tags names this one.
fn names(wanted: &str, etag: &str) -> bool {
    wanted.split(',').any(|one| {
        let one = one.trim();
        one == "*" || one.trim_matches('"') == etag.trim_matches('"')
    })
}

/// The bytes to send of an object; none for all of them.
///
/// A range that is not within the object is as good as none, unless the caller asks for the standard
/// behaviour: "HTTP range requests" (Object Storage Service, user guide).
fn wanted_range(request: &Request, range: &str, size: usize) -> Result<Option<Range<usize>>, Refusal> {
    let standard = request.header("x-oss-range-behavior") == Some("standard");
    let Some(asked) = parse_range(range) else {
        return Ok(None);
    };
    let (start, end, within) = match asked {
        (Some(first), Some(last)) => (first, last.saturating_add(1).min(size), last < size),
        (Some(first), None) => (first, size, true),
        (None, Some(length)) => (size.saturating_sub(length), size, length > 0 && length <= size),
        (None, None) => return Ok(None),
    };
    if start < end && (within || standard) {
        return Ok(Some(start..end));
    }
    if standard {
        let mut actual = String::new();
        // Writing to a String cannot fail.
        let _ = write!(actual, "{size}");
        let message = "The requested range cannot be satisfied.";
        return Err(Refusal::new(416, "InvalidRange", message, "0026-00000018")
            .field("ActualObjectSize", &actual)
            .field("RangeRequested", range));
    }
    Ok(None)
}

/// The first range of the header: first and last byte, either of them open.
fn parse_range(header: &str) -> Option<(Option<usize>, Option<usize>)> {
    let (first, last) = header
        .strip_prefix("bytes=")?
        .split(',')
        .next()?
        .trim()
        .split_once('-')?;
    let number = |text: &str| {
        if text.is_empty() {
            Some(None)
        } else {
            text.parse().ok().map(Some)
        }
    };
    let (first, last) = (number(first)?, number(last)?);
    // A range that ends before it begins is malformed.
    (first.is_none() || last.is_none() || first <= last).then_some((first, last))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn range(header: &str, standard: bool) -> Result<Option<Range<usize>>, String> {
        let mut builder = http::Request::builder().uri("/b/k");
        if standard {
            builder = builder.header("x-oss-range-behavior", "standard");
        }
        let (parts, ()) = builder.body(()).unwrap().into_parts();
        let request = Request::new(&parts, Bytes::new());
        wanted_range(&request, header, 1000).map_err(|refusal| format!("{refusal:?}"))
    }

    /// The examples of the vendor's page "Use HTTP Range requests to get OSS resources in segments".
    #[test]
    fn ranges_are_read_as_documented() {
        assert_eq!(range("bytes=0-499", false), Ok(Some(0..500)));
        assert_eq!(range("bytes=500-", false), Ok(Some(500..1000)));
        assert_eq!(range("bytes=-500", false), Ok(Some(500..1000)));
        assert_eq!(range("bytes=0-499,500-999", false), Ok(Some(0..500)));
        for whole in [
            "byte=0-499",
            "bytes=0-1000",
            "bytes=1000-2000",
            "bytes=1000-",
            "bytes=-2000",
            "bytes=9-1",
        ] {
            assert_eq!(range(whole, false), Ok(None), "{whole}");
        }
        assert_eq!(range("bytes=500-2000", true), Ok(Some(500..1000)));
        assert_eq!(range("bytes=-2000", true), Ok(Some(0..1000)));
        for refused in ["bytes=1000-2000", "bytes=1000-"] {
            assert!(
                range(refused, true).unwrap_err().contains("InvalidRange"),
                "{refused}"
            );
        }
    }

    #[test]
    fn checksum_is_that_of_the_reference() {
        let object = Object::new(
            Bytes::from_static(b"123456789"),
            Vec::new(),
            SystemTime::UNIX_EPOCH,
        );
        assert_eq!(object.crc64, 11_051_210_869_376_104_954);
        assert_eq!(
            Object::new(Bytes::new(), Vec::new(), SystemTime::UNIX_EPOCH).crc64,
            0
        );
    }
}
