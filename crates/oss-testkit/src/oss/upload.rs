//! Storing objects: `PutObject` and `AppendObject`.
//!
//! Vendor documents: the pages of the two operations (Object Storage Service, API reference).

use super::bucket::{Bucket, check_key, with_version};
use super::call::Call;
use super::conditions;
use super::content::Content;
use super::error::{Refusal, invalid_argument};
use super::object::{APPENDABLE, Object};
use super::properties::Properties;
use crate::wire::Answer;

/// The header that says where the next piece belongs.
const NEXT: &str = "x-oss-next-append-position";

pub(super) fn put(call: &Call<'_>, bucket: &mut Bucket, content: Content) -> Result<Answer, Refusal> {
    let request = call.request;
    check_key(call.key)?;
    // "0017-00000245" (Object Storage Service, support).
    if let Some(header) = conditions::DOWNLOAD.first_in(request) {
        let message = "A header you provided implies functionality that is not implemented.";
        return Err(Refusal::new(400, "NotImplemented", message, "0017-00000245").field("Header", header));
    }
    content.check_digest(request.header("content-md5"))?;
    let object = Object::whole(content, Properties::of_upload(request)?, call.now);
    let answer = object
        .content()
        .acknowledge(Answer::empty(200).with("etag", object.etag()));
    let version = bucket.insert(request, call.key, object)?;
    Ok(with_version(answer, version.as_deref()))
}

/// Adds to the end of an object, which the position has to name. A piece makes no version of its own.
pub(super) fn append(call: &Call<'_>, bucket: &mut Bucket, piece: Content) -> Result<Answer, Refusal> {
    let request = call.request;
    check_key(call.key)?;
    let value = request.query_value("position").unwrap_or_default();
    let position: usize = value.parse().map_err(|_| {
        let message = "Argument position must be a non-negative integer.";
        invalid_argument(message, "position", value)
    })?;
    piece.check_digest(request.header("content-md5"))?;
    let current = bucket.objects.get(call.key);
    if current.is_some_and(|object| object.kind() != APPENDABLE) {
        return Err(Refusal::new(
            409,
            "ObjectNotAppendable",
            "The object is not appendable",
            "",
        ));
    }
    let length = current.map_or(0, |object| object.content().length);
    if position != length {
        let message = "Position is not equal to file length";
        let refusal = Refusal::new(409, "PositionNotEqualToLength", message, "");
        return Err(refusal.header(NEXT, &length.to_string()));
    }
    let object = match current {
        Some(current) => {
            let content = Content::join(&[current.content(), &piece]);
            Object::appendable(content, current.properties.clone(), call.now)
        }
        None => Object::appendable(piece, Properties::of_upload(request)?, call.now),
    };
    let next = object.content().length.to_string();
    let answer = Answer::empty(200).with("etag", object.etag()).with(NEXT, next);
    let answer = object.content().with_crc64(answer);
    let Some(current) = bucket.objects.object_mut(call.key, None) else {
        let version = bucket.insert(request, call.key, object)?;
        return Ok(with_version(answer, version.as_deref()));
    };
    *current = object;
    Ok(answer)
}
