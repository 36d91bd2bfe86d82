//! The responses of CloudSSO and the OAuth service. Pure.

use std::time::SystemTime;

use oss_credentials_core::body::{BodyDefect, json_object, required};
use oss_credentials_core::rfc3339;
use oss_credentials_http::Scrubber;
use serde::Deserialize;
use zeroize::Zeroizing;

/// The reason why a response with status 200 contains no usable credentials.
#[derive(Debug)]
pub(super) enum Fault {
    Defect(BodyDefect),
    /// It contains an error.
    #[cfg(feature = "oauth")]
    Refused(Box<Refusal>),
}

/// Temporary credentials: ID, secret and token are not empty.
pub(super) struct Session {
    pub(super) access_key_id: String,
    pub(super) access_key_secret: Zeroizing<String>,
    pub(super) security_token: Zeroizing<String>,
    pub(super) expires_at: SystemTime,
    pub(super) request_id: Option<String>,
}

/// The vendor's clients disagree about the case of the first letter, so both are accepted.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Keys {
    #[serde(alias = "accessKeyId")]
    access_key_id: Option<String>,
    #[serde(alias = "accessKeySecret")]
    access_key_secret: Option<Zeroizing<String>>,
    #[serde(alias = "securityToken")]
    security_token: Option<Zeroizing<String>>,
    #[serde(alias = "expiration")]
    expiration: Option<String>,
    #[serde(alias = "requestId")]
    request_id: Option<String>,
    #[cfg(feature = "oauth")]
    #[serde(rename = "error")]
    error: Option<serde::de::IgnoredAny>,
}

impl Keys {
    fn session(self) -> Result<Session, BodyDefect> {
        let access_key_id = required(self.access_key_id, "AccessKeyId")?;
        let access_key_secret = required(self.access_key_secret, "AccessKeySecret")?;
        let security_token = required(self.security_token, "SecurityToken")?;
        let expiration = required(self.expiration, "Expiration")?;
        let expires_at = rfc3339(&expiration).ok_or(BodyDefect::Unreadable("Expiration"))?;
        Ok(Session {
            access_key_id,
            access_key_secret,
            security_token,
            expires_at,
            request_id: self.request_id,
        })
    }
}

#[cfg(feature = "sso")]
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct CloudSsoAnswer {
    cloud_credential: Option<Keys>,
    request_id: Option<String>,
}

/// Parses the response to `POST /cloud-credentials` of CloudSSO.
#[cfg(feature = "sso")]
pub(super) fn parse_cloud_credential(body: &[u8]) -> Result<Session, Fault> {
    let answer: CloudSsoAnswer = json(body)?;
    let keys = answer
        .cloud_credential
        .ok_or(Fault::Defect(BodyDefect::Missing("CloudCredential")))?;
    let mut session = keys.session().map_err(Fault::Defect)?;
    session.request_id = answer.request_id;
    Ok(session)
}

/// Parses the response to `POST /v1/exchange` of the OAuth service.
#[cfg(feature = "oauth")]
pub(super) fn parse_exchange(body: &[u8]) -> Result<Session, Fault> {
    let keys: Keys = json(body)?;
    if keys.error.is_some() {
        return Err(Fault::Refused(Box::new(parse_refusal(body))));
    }
    keys.session().map_err(Fault::Defect)
}

/// A renewed login.
#[cfg(feature = "oauth")]
pub(super) struct Renewed {
    pub(super) access_token: Zeroizing<String>,
    pub(super) refresh_token: Zeroizing<String>,
    /// In seconds.
    pub(super) expires_in: u64,
}

/// What the vendor's Java and Python clients assume if the response does not state it, in seconds.
#[cfg(feature = "oauth")]
const DEFAULT_EXPIRES_IN: u64 = 3600;

#[cfg(feature = "oauth")]
#[derive(Deserialize)]
struct TokenAnswer {
    access_token: Option<Zeroizing<String>>,
    refresh_token: Option<Zeroizing<String>>,
    expires_in: Option<u64>,
    error: Option<serde::de::IgnoredAny>,
}

/// Parses the response to `POST /v1/token` of the OAuth service.
#[cfg(feature = "oauth")]
pub(super) fn parse_token(body: &[u8]) -> Result<Renewed, Fault> {
    let answer: TokenAnswer = json(body)?;
    if answer.error.is_some() {
        return Err(Fault::Refused(Box::new(parse_refusal(body))));
    }
    Ok(Renewed {
        access_token: required(answer.access_token, "access_token").map_err(Fault::Defect)?,
        refresh_token: required(answer.refresh_token, "refresh_token").map_err(Fault::Defect)?,
        expires_in: answer.expires_in.unwrap_or(DEFAULT_EXPIRES_IN),
    })
}

fn json<'a, T: Deserialize<'a>>(body: &'a [u8]) -> Result<T, Fault> {
    let body = json_object(body).map_err(Fault::Defect)?;
    serde_json::from_slice(body).map_err(|error| {
        Fault::Defect(BodyDefect::NotJson {
            line: error.line(),
            column: error.column(),
        })
    })
}

/// The service's description of a failure. All fields are text from outside, to be scrubbed.
#[derive(Default, Deserialize)]
pub(super) struct Refusal {
    #[serde(alias = "ErrorCode", alias = "Code")]
    error: Option<String>,
    #[serde(alias = "ErrorMessage", alias = "Message")]
    error_description: Option<String>,
    #[serde(rename = "RequestId", alias = "requestId")]
    request_id: Option<String>,
}

impl std::fmt::Debug for Refusal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Refusal(..)")
    }
}

impl Refusal {
    pub(super) fn code(&self, scrubber: &Scrubber<'_>) -> Option<String> {
        scrubber.identifier(self.error.as_deref()?).map(str::to_owned)
    }

    pub(super) fn message(&self, scrubber: &Scrubber<'_>) -> Option<String> {
        let message = self.error_description.as_deref()?;
        (!message.is_empty()).then(|| scrubber.text(message))
    }

    pub(super) fn request_id(&self, scrubber: &Scrubber<'_>) -> Option<String> {
        scrubber
            .identifier(self.request_id.as_deref()?)
            .map(str::to_owned)
    }
}

/// Parses the body of an error response; an unknown format has no fields.
pub(super) fn parse_refusal(body: &[u8]) -> Refusal {
    serde_json::from_slice(body).unwrap_or_default()
}
