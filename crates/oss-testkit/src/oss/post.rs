//! Form uploads: `PostObject`.

use super::auth;
use super::bucket::{Bucket, check_key, with_version};
use super::call::Call;
use super::content::Content;
use super::document::document;
use super::error::Refusal;
use super::object::Object;
use super::policy::{self, Brought};
use super::properties::{self, Headers, Properties};
use crate::wire::{Answer, FormFile, Request, Upload, element};

/// Longest value of a field but the file, in bytes: "Error responses" (Object Storage Service, API
/// reference).
const MAX_FIELD: usize = 4 * 1024;

pub(super) fn post(call: &Call<'_>, bucket: &mut Bucket) -> Result<Answer, Refusal> {
    let request = call.request;
    let file = file(request)?;
    if let Some((name, _)) = request.form.iter().find(|(name, value)| {
        // A policy with many conditions, and a token, may be longer.
        let may_be_long = ["policy", "x-oss-security-token"]
            .iter()
            .any(|long| name.eq_ignore_ascii_case(long));
        value.len() > MAX_FIELD && !may_be_long
    }) {
        let message = "The length of a form field exceeds the maximum allowed length.";
        return Err(Refusal::new(400, "FieldItemTooLong", message, "").field("FieldName", name));
    }
    let key = key(request, file).ok_or_else(|| {
        let message = "The form has no key.";
        Refusal::new(400, "InvalidArgument", message, "").field("ArgumentName", "key")
    })?;
    check_key(&key)?;
    check_policy(call, &key, file)?;

    let properties = Properties {
        headers: kept_fields(request, file)?,
        acl: properties::acl(request.form_field("x-oss-object-acl"))?,
        ..Properties::default()
    };
    let object = Object::whole(Content::of(file.content.clone()), properties, call.now);
    let forbid = request
        .form_field("x-oss-forbid-overwrite")
        .is_some_and(|value| value == "true");
    if forbid && bucket.objects.get(&key).is_some() {
        return Err(Refusal::file_already_exists());
    }
    let answer = success(call, &key, object.etag()).with("etag", object.etag());
    let answer = object.content().with_crc64(answer);
    let version = bucket.objects.insert(&key, object, bucket.versioning);
    Ok(with_version(answer, version.as_deref()))
}

/// The key of the object that a form stores.
pub(super) fn key(request: &Request, file: &FormFile) -> Option<String> {
    let key = request.form_field("key").filter(|key| !key.is_empty())?;
    Some(key.replace("${filename}", &file.name))
}

pub(super) fn file(request: &Request) -> Result<&FormFile, Refusal> {
    match &request.upload {
        Upload::Form(Some(file)) => Ok(file),
        Upload::Form(None) => {
            let message = "POST requires exactly one file upload per request.";
            Err(Refusal::new(
                400,
                "IncorrectNumberOfFilesInPOSTRequest",
                message,
                "",
            ))
        }
        _ => {
            let message = "The body of your POST request is not well-formed multipart/form-data.";
            Err(Refusal::new(400, "MalformedPOSTRequest", message, ""))
        }
    }
}

/// A signed form has to keep to its policy; without a signature a policy has no meaning.
fn check_policy(call: &Call<'_>, key: &str, file: &FormFile) -> Result<(), Refusal> {
    if !call.signed {
        return Ok(());
    }
    let request = call.request;
    let policy = request.form_field("policy").unwrap_or_default();
    let lookup = |name: &str| match name.to_ascii_lowercase().as_str() {
        "bucket" => Some(call.bucket),
        "key" => Some(key),
        "content-type" => request.form_field(name).or(file.content_type.as_deref()),
        _ => request.form_field(name),
    };
    let brought = Brought {
        is_v4: !auth::is_v1(request),
        field: &lookup,
        size: file.content.len(),
    };
    policy::check(policy, &brought, call.now)
}

/// Fields that stand for headers of an upload. The file's own content type is the last resort.
fn kept_fields(request: &Request, file: &FormFile) -> Result<Headers, Refusal> {
    let mut headers: Headers = Vec::new();
    for (name, value) in &request.form {
        let name = name.to_ascii_lowercase();
        if properties::is_kept(&name) {
            headers.push((name, value.clone().into_bytes()));
        }
    }
    let has_type = headers.iter().any(|(name, _)| name == "content-type");
    if let Some(kind) = file.content_type.as_ref().filter(|_| !has_type) {
        headers.push(("content-type".to_owned(), kind.clone().into_bytes()));
    }
    properties::check_metadata(&headers)?;
    Ok(headers)
}

/// The response that the form asks for: a redirect, or a status with or without a document.
fn success(call: &Call<'_>, key: &str, etag: &str) -> Answer {
    let request = call.request;
    if let Some(place) = request
        .form_field("success_action_redirect")
        .filter(|place| !place.is_empty())
    {
        let separator = if place.contains('?') { '&' } else { '?' };
        let pairs = [("bucket", call.bucket), ("etag", etag), ("key", key)];
        let query = oss_sign::encode_query(&pairs);
        return Answer::empty(303).with("location", format!("{place}{separator}{query}"));
    }
    match request.form_field("success_action_status") {
        Some("200") => Answer::empty(200),
        Some("201") => {
            let location = format!("http://{}/{}", request.host, oss_sign::encode_path(key));
            let inner: String = [
                element("Bucket", call.bucket),
                element("Location", &location),
                element("Key", key),
                element("ETag", etag),
            ]
            .concat();
            let mut answer = document("PostResponse", &inner);
            answer.status = 201;
            answer
        }
        _ => Answer::empty(204),
    }
}
