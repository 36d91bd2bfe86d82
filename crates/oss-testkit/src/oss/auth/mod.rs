//! Who calls: the checks of key, token, time and signature, in each of the forms a request can be signed in.

mod aws;
mod post;
mod v1;
mod v4;

pub(super) use post::is_v1;

use std::time::SystemTime;

use super::address::Target;
use super::error::Refusal;
use crate::account::Key;
use crate::state::State;
use crate::time::{MAX_SKEW, iso_millis};
use crate::wire::Request;

/// The form a request is signed in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    V4,
    /// As clients of S3 sign.
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

/// Whether the request is signed as clients of S3 do.
pub(super) fn is_aws(request: &Request) -> bool {
    Form::of(request) == Some(Form::Aws)
}

/// The AccessKey id that the request names.
pub(crate) fn access_key_id(request: &Request) -> Option<String> {
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

/// The key of this id, if the service still knows it.
fn key(state: &State, id: &str) -> Result<Key, Refusal> {
    let key = state
        .key(id)
        .filter(|key| !key.revoked || key.credentials.security_token().is_some());
    key.ok_or_else(|| {
        let message = "The OSS Access Key Id you provided does not exist in our records.";
        Refusal::new(403, "InvalidAccessKeyId", message, "0002-00000902").field("OSSAccessKeyId", id)
    })
}

/// The `EC` of a token that is not the key's: the pages of these codes (Object Storage Service, support).
fn token_ec(state: &State, key: &Key, token: Option<&str>) -> &'static str {
    let own = key.credentials.security_token();
    match (own, token) {
        (Some(_), None) => "0002-00000003",
        (Some(own), Some(token)) if own != token && state.lock().knows_token(token) => "0002-00000004",
        _ => "0002-00000006",
    }
}

fn check_token(state: &State, key: &Key, token: Option<&str>, now: SystemTime) -> Result<(), Refusal> {
    let token = token.filter(|token| !token.is_empty());
    if key.credentials.security_token() != token || key.revoked {
        let message = "The security token you provided is invalid.";
        let ec = token_ec(state, key, token);
        return Err(Refusal::new(403, "InvalidSecurityToken", message, ec));
    }
    if key.credentials.is_expired_at(now) {
        let message = "The security token you provided has expired.";
        return Err(Refusal::new(
            403,
            "SecurityTokenExpired",
            message,
            "0002-00000007",
        ));
    }
    Ok(())
}

fn invalid(message: &str, ec: &'static str) -> Refusal {
    Refusal::new(400, "InvalidArgument", message, ec)
}

fn skewed(time: SystemTime, now: SystemTime) -> Refusal {
    let message = "The difference between the request time and the current time is too large.";
    Refusal::new(403, "RequestTimeTooSkewed", message, "0002-00000504")
        .field("MaxAllowedSkewMilliseconds", &MAX_SKEW.as_millis().to_string())
        .field("RequestTime", &iso_millis(time))
        .field("ServerTime", &iso_millis(now))
}

/// A URL whose time is over.
fn expired(end: SystemTime, now: SystemTime) -> Refusal {
    Refusal::new(403, "AccessDenied", "Request has expired.", "0002-00000069")
        .field("Expires", &iso_millis(end))
        .field("ServerTime", &iso_millis(now))
}

/// The refusal of a wrong signature, with what was to be signed.
fn mismatch(id: &str, provided: &str, string_to_sign: &[u8], ec: &'static str) -> Refusal {
    let message = "The request signature we calculated does not match the signature you provided. \
                   Check your key and signing method.";
    Refusal::new(403, "SignatureDoesNotMatch", message, ec)
        .field("OSSAccessKeyId", id)
        .field("SignatureProvided", provided)
        .field("StringToSign", &String::from_utf8_lossy(string_to_sign))
        .field("StringToSignBytes", &hex_bytes(string_to_sign))
}

/// Two hexadecimal digits for each byte, with a blank between bytes.
fn hex_bytes(bytes: &[u8]) -> String {
    bytes
        .iter()
        .map(|byte| format!("{byte:02X}"))
        .collect::<Vec<_>>()
        .join(" ")
}
