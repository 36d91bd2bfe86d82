//! Alibaba Cloud credentials for the [AWS SDK](https://docs.rs/aws-credential-types): `aws-sdk-s3`, at OSS's S3-compatible
//! endpoint, takes them from any provider of the family.
//!
//! ```
//! use aws_credential_types::provider::SharedCredentialsProvider;
//! use oss_credentials_aws::AwsCredentials;
//! use oss_credentials_core::Credentials;
//!
//! let provider = Credentials::builder("example-id", "example-secret").build()?;
//! // For `credentials_provider(..)` of the SDK's configuration.
//! let shared = SharedCredentialsProvider::new(AwsCredentials::new(provider));
//! # Ok::<(), oss_credentials_core::CredentialsError>(())
//! ```
//!
//! # How long the SDK keeps a key
//!
//! The SDK caches credentials until shortly before their expiry. Credentials that expire keep their own expiry;
//! others get [`Credentials::fresh_until`](oss_credentials_core::Credentials::fresh_until), so that a rotated key is noticed. A
//! key that the service rejects stays in the SDK's cache until then.
#![forbid(unsafe_code)]

use std::fmt;
use std::sync::Arc;

use aws_credential_types::Credentials;
use aws_credential_types::provider::error::CredentialsError as SdkError;
use aws_credential_types::provider::{ProvideCredentials, Result, future};
use oss_credentials_core::{Clock, CredentialsError, CredentialsProvider, PerGeneration, SystemClock};

/// Name of the provider in the SDK's credentials.
const PROVIDER_NAME: &str = "oss-credentials";

/// A credentials provider of the AWS SDK over any provider of the family.
///
/// Each generation of the credentials is converted once, regardless of how many clients share this value.
pub struct AwsCredentials {
    provider: Arc<dyn CredentialsProvider>,
    clock: Arc<dyn Clock>,
    values: PerGeneration<Credentials>,
}

impl AwsCredentials {
    /// Creates credentials for the SDK that come from this provider.
    pub fn new(provider: impl CredentialsProvider) -> Self {
        Self {
            provider: Arc::new(provider),
            clock: Arc::new(SystemClock),
            values: PerGeneration::new(),
        }
    }

    /// Sets the clock. Default: the system's, which the SDK reads.
    #[must_use]
    pub fn clock(mut self, clock: impl Clock) -> Self {
        self.clock = Arc::new(clock);
        self
    }

    async fn load(&self) -> Result {
        let credentials = self.provider.credentials().await.map_err(failed)?;
        if credentials.is_anonymous() {
            return Err(SdkError::invalid_configuration(
                "the provider returns anonymous credentials; use `allow_no_auth()` for public data",
            ));
        }
        let value = self.values.get_or_derive(&credentials, |credentials| {
            Credentials::new(
                credentials.access_key_id(),
                credentials.access_key_secret(),
                credentials.security_token().map(str::to_owned),
                credentials
                    .expires_at()
                    .map(|_| credentials.fresh_until(self.clock.now())),
                PROVIDER_NAME,
            )
        });
        let mut value = (*value).clone();
        if value.expiry().is_none() {
            *value.expiry_mut() = Some(credentials.fresh_until(self.clock.now()));
        }
        Ok(value)
    }
}

/// Converts an error: the variant decides the kind, and the text stays the provider's.
fn failed(error: CredentialsError) -> SdkError {
    match error {
        CredentialsError::NotConfigured(_) => SdkError::not_loaded(error),
        CredentialsError::InvalidConfig(_) => SdkError::invalid_configuration(error),
        _ => SdkError::provider_error(error),
    }
}

impl fmt::Debug for AwsCredentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AwsCredentials")
            .field("provider", &self.provider.name())
            .finish_non_exhaustive()
    }
}

impl ProvideCredentials for AwsCredentials {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        future::ProvideCredentials::new(self.load())
    }
}
