//! Providers of credentials for the signers of reqsign.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use oss_credentials_core::{
    Clock, Credentials, CredentialsError, CredentialsProvider, PerGeneration, SystemClock,
};
use reqsign_core::time::Timestamp;
use reqsign_core::{Context, Error, ProvideCredential, Result};

/// How long before its expiry reqsign regards a credential as stale.
const REQSIGN_MARGIN: Duration = Duration::from_secs(120);

/// A provider, and one foreign value for each generation of its credentials.
struct Source<T> {
    provider: Arc<dyn CredentialsProvider>,
    clock: Arc<dyn Clock>,
    keep_for: Duration,
    values: PerGeneration<T>,
}

impl<T: Clone> Source<T> {
    fn new(provider: impl CredentialsProvider) -> Self {
        Self {
            provider: Arc::new(provider),
            clock: Arc::new(SystemClock),
            keep_for: Duration::ZERO,
            values: PerGeneration::new(),
        }
    }

    /// The foreign value, and until when reqsign may use it; `None` for anonymous access.
    async fn get(&self, derive: impl FnOnce(&Credentials) -> T) -> Result<Option<(T, Timestamp)>> {
        let credentials = self.provider.credentials().await.map_err(failed)?;
        if credentials.is_anonymous() {
            return Ok(None);
        }
        let end = self.end(&credentials, self.clock.now());
        let value = self.values.get_or_derive(&credentials, derive);
        Ok(Some(((*value).clone(), timestamp(end)?)))
    }

    fn end(&self, credentials: &Credentials, now: SystemTime) -> SystemTime {
        let fresh = credentials.fresh_until(now);
        if credentials.expires_at().is_some() {
            return fresh;
        }
        let kept = now.checked_add(self.keep_for).unwrap_or(fresh);
        fresh.max(kept).checked_add(REQSIGN_MARGIN).unwrap_or(fresh)
    }
}

/// Converts an error: the variant decides the kind, and the text stays the provider's.
fn failed(error: CredentialsError) -> Error {
    let text = error.to_string();
    let wrapped = match &error {
        CredentialsError::NotConfigured(_) | CredentialsError::InvalidConfig(_) => {
            Error::config_invalid(text)
        }
        CredentialsError::Denied(_) => Error::permission_denied(text),
        CredentialsError::Expired(_) => Error::credential_invalid(text),
        CredentialsError::Unavailable(_) => Error::unexpected(text).set_retryable(true),
        _ => Error::unexpected(text),
    };
    wrapped.with_source(error)
}

fn timestamp(time: SystemTime) -> Result<Timestamp> {
    let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp::from_second(i64::try_from(since.as_secs()).unwrap_or(i64::MAX))
}

macro_rules! adapter {
    ($(#[$doc:meta])* $name:ident, $feature:literal, $foreign:ty, $derive:expr) => {
        $(#[$doc])*
        ///
        /// Each generation of the credentials is converted once.
        #[cfg(feature = $feature)]
        pub struct $name(Source<$foreign>);

        #[cfg(feature = $feature)]
        impl $name {
            /// Creates credentials for the signer that come from this provider.
            pub fn new(provider: impl CredentialsProvider) -> Self {
                Self(Source::new(provider))
            }

            /// Sets how long reqsign may keep credentials without expiry, which is also how long a URL presigned with
            /// them may be valid. Default: until [`Credentials::fresh_until`], which is a minute where no refresh is known.
            #[must_use]
            pub fn keep_for(mut self, duration: Duration) -> Self {
                self.0.keep_for = duration;
                self
            }

            /// Sets the clock. Default: the system's, which reqsign reads.
            #[must_use]
            pub fn clock(mut self, clock: impl Clock) -> Self {
                self.0.clock = Arc::new(clock);
                self
            }
        }

        #[cfg(feature = $feature)]
        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                let mut shown = f.debug_struct(stringify!($name));
                shown.field("provider", &self.0.provider.name()).finish_non_exhaustive()
            }
        }

        #[cfg(feature = $feature)]
        impl ProvideCredential for $name {
            type Credential = $foreign;

            async fn provide_credential(&self, _: &Context) -> Result<Option<Self::Credential>> {
                let found = self.0.get($derive).await?;
                Ok(found.map(|(mut credential, end)| {
                    credential.expires_in = Some(end);
                    credential
                }))
            }
        }
    };
}

adapter!(
    /// Credentials for the signer of reqsign-aliyun-oss.
    OssCredentials,
    "oss",
    reqsign_aliyun_oss::Credential,
    |credentials| reqsign_aliyun_oss::Credential {
        access_key_id: credentials.access_key_id().to_owned(),
        access_key_secret: credentials.access_key_secret().to_owned(),
        security_token: credentials.security_token().map(str::to_owned),
        expires_in: None,
    }
);

adapter!(
    /// Credentials for the signer of reqsign-aws-v4, for OSS's S3-compatible endpoint.
    AwsCredentials,
    "aws",
    reqsign_aws_v4::Credential,
    |credentials| reqsign_aws_v4::Credential {
        access_key_id: credentials.access_key_id().to_owned(),
        secret_access_key: credentials.access_key_secret().to_owned(),
        session_token: credentials.security_token().map(str::to_owned),
        expires_in: None,
    }
);
