//! Symbolic links: `PutSymlink`, `GetSymlink`, and what is read through one.
//!
//! Vendor documents: the pages of the two operations (Object Storage Service, API reference).

use percent_encoding::percent_decode_str;

use super::bucket::{Bucket, check_key, with_version};
use super::call::Call;
use super::error::{Refusal, invalid_argument};
use super::object::Object;
use super::properties::Properties;
use crate::time::http_date;
use crate::wire::Answer;

const TARGET: &str = "x-oss-symlink-target";

pub(super) fn put(call: &Call<'_>, bucket: &mut Bucket) -> Result<Answer, Refusal> {
    let request = call.request;
    check_key(call.key)?;
    let header = request.header(TARGET).unwrap_or_default();
    let target = percent_decode_str(header).decode_utf8().ok();
    let target = target.filter(|target| !target.is_empty());
    let target = target.ok_or_else(|| invalid_argument("Invalid symlink target.", TARGET, header))?;
    let link = Object::link(target.into_owned(), Properties::of_upload(request)?, call.now);
    let answer = Answer::empty(200).with("etag", link.etag());
    let version = bucket.insert(request, call.key, link)?;
    Ok(with_version(answer, version.as_deref()))
}

pub(super) fn get(call: &Call<'_>, bucket: &Bucket) -> Result<Answer, Refusal> {
    let wanted = call.wanted(bucket)?;
    let target = wanted.object.target().ok_or_else(|| {
        let message = "The object you specified is not a symbolic link.";
        Refusal::new(400, "NotSymlink", message, "")
    })?;
    let answer = Answer::empty(200)
        .with("etag", wanted.object.etag())
        .with("last-modified", http_date(wanted.object.last_modified()))
        .with(TARGET, oss_sign::encode(target));
    Ok(with_version(answer, wanted.version))
}

/// The object that is read through a link, or the object itself.
pub(super) fn followed<'a>(bucket: &'a Bucket, object: &'a Object) -> Result<&'a Object, Refusal> {
    let Some(target) = object.target() else {
        return Ok(object);
    };
    let found = bucket.objects.get(target).ok_or_else(|| {
        let message = "The symlink target object does not exist.";
        Refusal::new(404, "SymlinkTargetNotExist", message, "").field("TargetObject", target)
    })?;
    if found.target().is_some() {
        let message = "The symlink target object is a symbolic link.";
        return Err(Refusal::new(400, "InvalidTargetType", message, ""));
    }
    Ok(found)
}
