//! A session that was handed out.

use std::time::{Duration, SystemTime};

use oss_credentials_core::Credentials;
use serde::Serialize;

use crate::json::to_json;

/// Temporary credentials of a role, and the time until which they work.
#[derive(Clone, Debug)]
pub struct Session {
    pub(crate) credentials: Credentials,
    pub(crate) expires_at: SystemTime,
    pub(crate) remaining: Duration,
}

impl Session {
    /// Returns the credentials. They are a provider, too, but one that never refreshes.
    pub fn credentials(&self) -> &Credentials {
        &self.credentials
    }

    /// Returns the credentials and drops the rest.
    pub fn into_credentials(self) -> Credentials {
        self.credentials
    }

    /// Returns the time of expiry by the service's clock: the true one, also of a cached session.
    pub fn expires_at(&self) -> SystemTime {
        self.expires_at
    }

    /// Returns how long the session lasted when it was handed out, with the local clock's error taken into account.
    pub fn remaining(&self) -> Duration {
        self.remaining
    }

    /// Returns the session as a JSON object for a browser or an app. **It contains the secret**: send it over HTTPS to
    /// the tenant that it was made for, and never log it.
    ///
    /// The fields are `AccessKeyId`, `AccessKeySecret`, `SecurityToken`, `Expiration` (RFC 3339, UTC) and `StatusCode`
    /// (`200`), which is what the vendor's mobile SDKs read from an authorization server and what its JavaScript SDK is
    /// usually given.
    ///
    /// Source: the vendor's documentation of `OSSAuthCredentialsProvider` and of STS with the JavaScript SDK.
    pub fn to_json(&self) -> String {
        to_json(&SessionDocument::of(self))
    }

    /// The service's time when the session was handed out.
    pub(crate) fn handed_out_at(&self) -> SystemTime {
        self.expires_at
            .checked_sub(self.remaining)
            .unwrap_or(SystemTime::UNIX_EPOCH)
    }
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct SessionDocument<'a> {
    access_key_id: &'a str,
    access_key_secret: &'a str,
    security_token: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    expiration: Option<String>,
    status_code: u16,
}

impl<'a> SessionDocument<'a> {
    pub(crate) fn of(session: &'a Session) -> Self {
        let credentials = &session.credentials;
        let expiration = credentials.expires_at_utc();
        Self {
            access_key_id: credentials.access_key_id(),
            access_key_secret: credentials.access_key_secret(),
            security_token: credentials.security_token().unwrap_or_default(),
            expiration: expiration.map(|at| at.format("%Y-%m-%dT%H:%M:%SZ").to_string()),
            status_code: 200,
        }
    }
}
