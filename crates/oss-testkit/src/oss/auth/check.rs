//! The checks that all forms of signatures share, and how they refuse.

use std::time::SystemTime;

use super::super::error::Refusal;
use crate::account::Key;
use crate::state::State;
use crate::time::{MAX_SKEW, iso_millis};

/// The key of this id, if the service still knows it.
pub(super) fn key(state: &State, id: &str) -> Result<Key, Refusal> {
    let key = state
        .key(id)
        .filter(|key| !key.revoked || key.credentials.security_token().is_some());
    key.ok_or_else(|| {
        let message = "The OSS Access Key Id you provided does not exist in our records.";
        Refusal::new(403, "InvalidAccessKeyId", message, "0002-00000902").field("OSSAccessKeyId", id)
    })
}

/// The `EC` of a token that is not the key's: the pages of these codes (Object Storage Service, support).
pub(super) fn token_ec(state: &State, key: &Key, token: Option<&str>) -> &'static str {
    let own = key.credentials.security_token();
    match (own, token) {
        (Some(_), None) => "0002-00000003",
        (Some(own), Some(token)) if own != token && state.lock().knows_token(token) => "0002-00000004",
        _ => "0002-00000006",
    }
}

pub(super) fn check_token(
    state: &State,
    key: &Key,
    token: Option<&str>,
    now: SystemTime,
) -> Result<(), Refusal> {
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

pub(super) fn invalid(message: &str, ec: &'static str) -> Refusal {
    Refusal::new(400, "InvalidArgument", message, ec)
}

pub(super) fn skewed(time: SystemTime, now: SystemTime) -> Refusal {
    let message = "The difference between the request time and the current time is too large.";
    Refusal::new(403, "RequestTimeTooSkewed", message, "0002-00000504")
        .field("MaxAllowedSkewMilliseconds", &MAX_SKEW.as_millis().to_string())
        .field("RequestTime", &iso_millis(time))
        .field("ServerTime", &iso_millis(now))
}

/// A URL whose time is over.
pub(super) fn expired(end: SystemTime, now: SystemTime) -> Refusal {
    Refusal::new(403, "AccessDenied", "Request has expired.", "0002-00000069")
        .field("Expires", &iso_millis(end))
        .field("ServerTime", &iso_millis(now))
}

/// The refusal of a wrong signature, with what was to be signed.
pub(super) fn mismatch(id: &str, provided: &str, string_to_sign: &[u8], ec: &'static str) -> Refusal {
    let message = "The request signature we calculated does not match the signature you provided. \
                   Check your key and signing method.";
    Refusal::new(403, "SignatureDoesNotMatch", message, ec)
        .field("OSSAccessKeyId", id)
        .field("SignatureProvided", provided)
        .field("StringToSign", &String::from_utf8_lossy(string_to_sign))
        .field("StringToSignBytes", &hex_bytes(string_to_sign))
}

/// Two hexadecimal digits for each byte, with a blank between bytes.
pub(super) fn hex_bytes(bytes: &[u8]) -> String {
    bytes
        .iter()
        .map(|byte| format!("{byte:02X}"))
        .collect::<Vec<_>>()
        .join(" ")
}
