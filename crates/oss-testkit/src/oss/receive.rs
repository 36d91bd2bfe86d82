//! Reading requests: bodies are kept, counted, or taken apart as a form.

use axum::body::Body;
use axum::extract::{DefaultBodyLimit, FromRequest as _, Multipart};
use bytes::Bytes;
use http::request::Parts;
use http_body_util::BodyExt as _;

use super::address::Target;
use super::store::Oss;
use crate::body::{self, Unread};
use crate::measure::{Measured, Meter};
use crate::wire::{FormFile, Request, Upload};

/// Reads a request to its end. A body that is too long is left to the operation.
pub(super) async fn receive(oss: &Oss, parts: Parts, body: Body, limit: usize) -> Result<Request, Unread> {
    if goes_to_a_sink(oss, &parts) {
        let measured = measure(body).await.ok_or(Unread::Gone)?;
        let mut request = Request::new(&parts, Bytes::new());
        request.upload = Upload::Sunk(measured);
        return Ok(request);
    }
    let body = match body::read(body, limit).await {
        Ok(body) => body,
        Err(Unread::Gone) => return Err(Unread::Gone),
        Err(Unread::TooLong) => {
            let mut request = Request::new(&parts, Bytes::new());
            request.upload = Upload::TooLong;
            return Ok(request);
        }
    };
    let mut request = Request::new(&parts, body.clone());
    if request.is_multipart_form() {
        match read_form(parts, body).await {
            Some((fields, file)) => {
                request.form = fields;
                request.upload = Upload::Form(file);
            }
            None => request.upload = Upload::Malformed,
        }
    }
    Ok(request)
}

/// Only the content of a PUT may be large enough not to be kept: documents of other requests have to be read.
fn goes_to_a_sink(oss: &Oss, parts: &Parts) -> bool {
    parts.method == http::Method::PUT
        && Target::of(&oss.cnames, &Request::new(parts, Bytes::new())).is_ok_and(|target| {
            let buckets = oss.buckets();
            !target.key.is_empty() && buckets.get(&target.bucket).is_some_and(|bucket| bucket.sink)
        })
}

async fn measure(mut body: Body) -> Option<Measured> {
    let mut meter = Meter::default();
    while let Some(frame) = body.frame().await {
        if let Some(data) = frame.ok()?.data_ref() {
            meter.add(data);
        }
    }
    Some(meter.finish())
}

/// The fields before the file, and the file. What comes after it is ignored, as the vendor's page on
/// `PostObject` says: the file has to be last.
async fn read_form(parts: Parts, body: Bytes) -> Option<(Vec<(String, String)>, Option<FormFile>)> {
    let mut request = http::Request::from_parts(parts, Body::from(body));
    DefaultBodyLimit::disable().apply(&mut request);
    let mut form = Multipart::from_request(request, &()).await.ok()?;
    let mut fields = Vec::new();
    while let Some(field) = form.next_field().await.ok()? {
        let name = field.name()?.to_owned();
        if name.eq_ignore_ascii_case("file") {
            let file_name = field.file_name().unwrap_or_default().to_owned();
            let content_type = field.content_type().map(str::to_owned);
            let content = field.bytes().await.ok()?;
            let file = FormFile {
                name: file_name,
                content_type,
                content,
            };
            return Some((fields, Some(file)));
        }
        fields.push((name, field.text().await.ok()?));
    }
    Some((fields, None))
}
