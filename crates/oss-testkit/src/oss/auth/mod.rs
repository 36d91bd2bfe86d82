//! Authentication: the checks of key, token, time and signature, for each form of signature.

mod aws;
mod check;
mod post;
mod v1;
mod v4;

pub(super) use post::is_v1;

use std::time::SystemTime;

use super::address::Target;
use super::error::Refusal;
use crate::account::Key;
use crate::state::State;
use crate::wire::Request;

/// The form a request is signed in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    V4,
    /// The form of S3 clients.
    Aws,
    V1Header,
    V1Query,
    Post,
}

impl Form {
    /// `None` if the request is not signed.
    fn of(request: &Request) -> Option<Self> {
        if aws::is_signed(request) {
            return Some(Self::Aws);
        }
        if let Some(header) = request.header("authorization") {
            return Some(if v1::is_header(header) {
                Self::V1Header
            } else {
                Self::V4
            });
        }
        if v1::is_query(request) {
            Some(Self::V1Query)
        } else if request.is_multipart_form() && post::is_signed(request) {
            Some(Self::Post)
        } else {
            request
                .query
                .iter()
                .any(|(name, _)| name.starts_with("x-oss-sign"))
                .then_some(Self::V4)
        }
    }
}

/// Returns whether the request has the signature of an S3 client.
pub(super) fn is_aws(request: &Request) -> bool {
    Form::of(request) == Some(Form::Aws)
}

/// The access key ID that the request names.
pub(super) fn access_key_id(request: &Request) -> Option<String> {
    match Form::of(request)? {
        Form::V4 => v4::access_key_id(request),
        Form::Aws => aws::access_key_id(request),
        Form::V1Header => v1::header_parts(request).map(|(id, _)| id.to_owned()),
        Form::V1Query => request.query_value("OSSAccessKeyId").map(str::to_owned),
        Form::Post => post::access_key_id(request),
    }
}

/// Checks a signed request as the service does, and returns the caller's key; `None` if it is not signed.
pub(super) fn authenticate(
    state: &State,
    request: &Request,
    target: &Target,
    now: SystemTime,
) -> Result<Option<Key>, Refusal> {
    let key = match Form::of(request) {
        None => return Ok(None),
        Some(Form::V4) => v4::authenticate(state, request, target, now)?,
        Some(Form::Aws) => aws::authenticate(state, request, now)?,
        Some(Form::V1Header) => v1::authenticate_header(state, request, target, now)?,
        Some(Form::V1Query) => v1::authenticate_query(state, request, target, now)?,
        Some(Form::Post) => post::authenticate(state, request, now)?,
    };
    Ok(Some(key))
}
