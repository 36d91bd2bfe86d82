//! A session that was handed out.

use std::time::{Duration, SystemTime};

use oss_credentials_core::Credentials;
use serde_json::{Map, Value};

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
        let mut object = Map::new();
        let mut set = |name: &str, value: &str| {
            object.insert(name.to_owned(), Value::from(value));
        };
        set("AccessKeyId", self.credentials.access_key_id());
        set("AccessKeySecret", self.credentials.access_key_secret());
        set(
            "SecurityToken",
            self.credentials.security_token().unwrap_or_default(),
        );
        if let Some(at) = self.credentials.expires_at_utc() {
            set("Expiration", &at.format("%Y-%m-%dT%H:%M:%SZ").to_string());
        }
        object.insert("StatusCode".to_owned(), Value::from(200));
        Value::Object(object).to_string()
    }
}
