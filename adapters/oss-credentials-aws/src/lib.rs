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
//! others get [`Credentials::fresh_until`](oss_credentials_core::Credentials::fresh_until), so that a rotated key is noticed.
//! Set `identity_cache(IdentityCache::no_cache())` to make the SDK ask the provider, which has a cache of its own, before
//! each attempt.
//!
//! # Rejected keys
//!
//! [`AwsCredentials`] is also an interceptor and a retry classifier of the SDK. See
//! [its documentation](AwsCredentials#rejected-keys).
#![forbid(unsafe_code)]

mod rejected;

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use aws_credential_types::Credentials;
use aws_credential_types::provider::error::CredentialsError as SdkError;
use aws_credential_types::provider::{ProvideCredentials, Result, future};
use oss_credentials_core::{Clock, CredentialsError, CredentialsProvider, PerGeneration, SystemClock};

/// Name of the provider in the SDK's credentials.
const PROVIDER_NAME: &str = "oss-credentials";

/// A credentials provider of the AWS SDK over any provider of the family. Clones share the provider.
///
/// Each generation of the credentials is converted once, regardless of how many clients share this value.
///
/// # Rejected keys
///
/// Pass clones of this value to `interceptor(..)` and `retry_classifier(..)` of the SDK's configuration, too. If the service
/// then rejects the key or the token, the interceptor reports that to the provider, and the SDK sends the request once more
/// with the provider's current credentials. An operation has at most one such attempt, and none if the provider states that
/// it has no other credentials.
///
/// ```
/// use aws_sdk_s3::config::{Builder, IdentityCache, Region, RequestChecksumCalculation};
/// use oss_credentials_aws::AwsCredentials;
/// use oss_credentials_core::Credentials;
///
/// let credentials = AwsCredentials::new(Credentials::builder("example-id", "example-secret").build()?);
/// let config = Builder::new()
///     .region(Region::new("cn-hangzhou"))
///     .endpoint_url("https://s3.oss-cn-hangzhou.aliyuncs.com")
///     .credentials_provider(credentials.clone())
///     .interceptor(credentials.clone())
///     .retry_classifier(credentials)
///     .identity_cache(IdentityCache::no_cache())
///     .request_checksum_calculation(RequestChecksumCalculation::WhenRequired);
/// # Ok::<(), oss_credentials_core::CredentialsError>(())
/// ```
#[derive(Clone)]
pub struct AwsCredentials {
    provider: Arc<dyn CredentialsProvider>,
    clock: Arc<dyn Clock>,
    values: Arc<PerGeneration<Credentials>>,
    /// The latest credentials of the provider that the SDK has got, and those before: a request may be signed with them
    /// after another one has got new ones.
    latest: Arc<Mutex<[Option<Generation>; 2]>>,
}

/// Credentials of the family, beside those of the SDK.
type Generation = oss_credentials_core::Credentials;

impl AwsCredentials {
    /// Creates credentials for the SDK that come from this provider.
    pub fn new(provider: impl CredentialsProvider) -> Self {
        Self {
            provider: Arc::new(provider),
            clock: Arc::new(SystemClock),
            values: Arc::new(PerGeneration::new()),
            latest: Arc::default(),
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
        self.note(credentials);
        Ok(value)
    }

    fn note(&self, credentials: Generation) {
        let mut latest = self.latest();
        let is_known = |known: &Generation| known.same_generation_as(&credentials);
        if !latest[0].as_ref().is_some_and(is_known) {
            latest.swap(0, 1);
            latest[0] = Some(credentials);
        }
    }

    fn latest(&self) -> MutexGuard<'_, [Option<Generation>; 2]> {
        self.latest.lock().unwrap_or_else(PoisonError::into_inner)
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
