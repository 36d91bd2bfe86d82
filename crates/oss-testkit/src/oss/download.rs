//! Reading objects: `GetObject`, `HeadObject` and `GetObjectMeta`.

use super::bucket::{Bucket, with_version};
use super::call::Call;
use super::error::Refusal;
use super::object::{APPENDABLE, Object};
use super::{conditions, range, restore, symlink};
use crate::time::http_date;
use crate::wire::Answer;

/// Parameters of a download that replace a header of the response.
const OVERRIDES: [(&str, &str); 6] = [
    ("response-content-type", "content-type"),
    ("response-content-language", "content-language"),
    ("response-expires", "expires"),
    ("response-cache-control", "cache-control"),
    ("response-content-disposition", "content-disposition"),
    ("response-content-encoding", "content-encoding"),
];

/// Responds to `GetObjectMeta`: little, but quickly.
pub(super) fn meta(call: &Call<'_>, bucket: &Bucket) -> Result<Answer, Refusal> {
    let wanted = call.wanted(bucket)?;
    let object = symlink::followed(bucket, wanted.object)?;
    let mut answer = Answer::empty(200)
        .with("etag", object.etag())
        .with("last-modified", http_date(object.last_modified()));
    answer.length = Some(object.content().length);
    Ok(with_version(object.content().with_crc64(answer), wanted.version))
}

/// Responds to GET and HEAD: the HTTP layer leaves the body of the latter out.
pub(super) fn get(call: &Call<'_>, bucket: &Bucket) -> Result<Answer, Refusal> {
    let request = call.request;
    let wanted = call.wanted(bucket)?;
    let object = symlink::followed(bucket, wanted.object)?;
    conditions::DOWNLOAD.check(request, object)?;
    if request.method == "GET" {
        restore::check_readable(object, call.now)?;
    }
    let size = object.content().length;
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
        object.content().fill(&mut answer, part.unwrap_or(0..size));
    }
    let answer = with_headers(answer, call, object).with("etag", object.etag());
    // Through a link, the type is that of the link.
    let answer = answer.with("x-oss-object-type", wanted.object.kind());
    Ok(with_version(answer, wanted.version))
}

fn with_headers(mut answer: Answer, call: &Call<'_>, object: &Object) -> Answer {
    let request = call.request;
    for (name, header) in OVERRIDES {
        if let Some(value) = request.query_value(name) {
            answer = answer.with(header, value);
        }
    }
    for (name, value) in &object.properties.headers {
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
    let tags = object.properties.tags.len();
    if tags > 0 {
        answer = answer.with("x-oss-tagging-count", tags.to_string());
    }
    if let Some(restore) = restore::header(object, call.now) {
        answer = answer.with("x-oss-restore", restore);
    }
    if object.kind() == APPENDABLE {
        answer = answer.with("x-oss-next-append-position", object.content().length.to_string());
    }
    let answer = answer
        .with("accept-ranges", "bytes")
        .with("last-modified", http_date(object.last_modified()));
    object.content().with_crc64(answer)
}
