//! The provider.

use std::fmt;
use std::sync::Arc;
use std::time::SystemTime;

use oss_credentials_core::{
    Clock, Credentials, CredentialsBuilder, CredentialsError, CredentialsFuture, CredentialsProvider,
    ErrorDetail, SystemClock,
};

const NAME: &str = "static";

/// A provider of credentials that are passed once and never change.
///
/// Values are checked when the provider is built. They are explicit: an empty one is an error, and the
/// environment is never read. With an expiry, nothing is returned once it has passed.
///
/// # Examples
///
/// ```
/// use oss_credentials_core::{blocking, CredentialsProvider};
/// use oss_credentials_static::StaticProvider;
///
/// let provider = StaticProvider::access_key("LTAI5tExampleKeyId01", "example-secret")?;
/// assert_eq!(blocking::wait(provider.credentials())?.access_key_id(), "LTAI5tExampleKeyId01");
///
/// let temporary = StaticProvider::sts_token("STS.NUExampleTempKeyId", "example-secret", "example-token")?;
/// assert_eq!(temporary.cached().unwrap().security_token(), Some("example-token"));
///
/// assert!(StaticProvider::anonymous().cached().unwrap().is_anonymous());
/// # Ok::<(), oss_credentials_core::CredentialsError>(())
/// ```
#[derive(Clone)]
pub struct StaticProvider {
    credentials: Credentials,
    clock: Arc<dyn Clock>,
}

impl StaticProvider {
    /// Creates a provider of a long-lived access key pair.
    ///
    /// # Errors
    ///
    /// [`CredentialsError::InvalidConfig`] if a value is empty, has white space around it or contains a control
    /// character.
    pub fn access_key(
        access_key_id: impl Into<String>,
        access_key_secret: impl Into<String>,
    ) -> Result<Self, CredentialsError> {
        Self::builder(access_key_id, access_key_secret).build()
    }

    /// Creates a provider of a temporary access key pair with its security token, as STS issued it.
    ///
    /// # Errors
    ///
    /// As [`StaticProvider::access_key`]; also if the token is empty.
    pub fn sts_token(
        access_key_id: impl Into<String>,
        access_key_secret: impl Into<String>,
        security_token: impl Into<String>,
    ) -> Result<Self, CredentialsError> {
        Self::builder(access_key_id, access_key_secret)
            .security_token(security_token)
            .build()
    }

    /// Creates a provider without keys: signers leave requests unsigned, which only public buckets accept.
    pub fn anonymous() -> Self {
        Self::from_credentials(Credentials::anonymous())
    }

    /// Creates a provider of existing credentials, such as the result of an STS call.
    ///
    /// They keep their [`source`](Credentials::source) and their expiry, and are never refreshed: once they expire by
    /// the system's clock, the result is [`CredentialsError::Expired`]. [`Credentials`] are a provider themselves,
    /// but one that does not check the expiry and keeps returning them.
    ///
    /// # Examples
    ///
    /// ```
    /// use oss_credentials_core::{Credentials, CredentialsProvider};
    /// use oss_credentials_static::StaticProvider;
    ///
    /// let credentials = Credentials::builder("LTAI5tExampleKeyId01", "example-secret").build()?;
    /// let provider = StaticProvider::from_credentials(credentials);
    /// assert_eq!(provider.cached().unwrap().access_key_id(), "LTAI5tExampleKeyId01");
    /// # Ok::<(), oss_credentials_core::CredentialsError>(())
    /// ```
    pub fn from_credentials(credentials: Credentials) -> Self {
        Self {
            credentials,
            clock: Arc::new(SystemClock),
        }
    }

    /// Starts a provider with more settings.
    pub fn builder(
        access_key_id: impl Into<String>,
        access_key_secret: impl Into<String>,
    ) -> StaticProviderBuilder {
        StaticProviderBuilder {
            inner: Credentials::builder(access_key_id, access_key_secret)
                .source(NAME)
                .strict(),
            empty_token: false,
            clock: Arc::new(SystemClock),
        }
    }

    fn current(&self) -> Option<&Credentials> {
        // Without an expiry there is no need to look at the clock.
        let ends = self.credentials.expires_at().is_some();
        (!ends || !self.credentials.is_expired_at(self.clock.now())).then_some(&self.credentials)
    }
}

impl From<Credentials> for StaticProvider {
    fn from(credentials: Credentials) -> Self {
        Self::from_credentials(credentials)
    }
}

impl fmt::Debug for StaticProvider {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("StaticProvider").field(&self.credentials).finish()
    }
}

impl CredentialsProvider for StaticProvider {
    fn name(&self) -> &'static str {
        NAME
    }

    fn credentials(&self) -> CredentialsFuture<'_> {
        CredentialsFuture::ready(self.current().cloned().ok_or_else(|| {
            CredentialsError::expired(
                ErrorDetail::builder(NAME, "the security token has expired")
                    .hint("make a new provider with a new token, or use one that refreshes"),
            )
        }))
    }

    fn cached(&self) -> Option<Credentials> {
        self.current().cloned()
    }
}

/// Builds a [`StaticProvider`]; see [`StaticProvider::builder`].
///
/// ```
/// use std::time::{Duration, SystemTime};
/// use oss_credentials_static::StaticProvider;
///
/// let provider = StaticProvider::builder("STS.NUExampleTempKeyId", "example-secret")
///     .security_token("example-token")
///     .expires_at(SystemTime::UNIX_EPOCH + Duration::from_secs(4_102_444_800))
///     .build()?;
/// # Ok::<(), oss_credentials_core::CredentialsError>(())
/// ```
#[must_use]
pub struct StaticProviderBuilder {
    inner: CredentialsBuilder,
    empty_token: bool,
    clock: Arc<dyn Clock>,
}

impl StaticProviderBuilder {
    /// Sets the security token of temporary credentials. An empty one is an error. Default: none.
    pub fn security_token(mut self, token: impl Into<String>) -> Self {
        let token = token.into();
        self.empty_token = token.is_empty();
        self.inner = self.inner.security_token(token);
        self
    }

    /// Sets when the credentials expire. From then on the result is [`CredentialsError::Expired`]. Default: never.
    pub fn expires_at(mut self, at: impl Into<Option<SystemTime>>) -> Self {
        self.inner = self.inner.expires_at(at);
        self
    }

    /// Sets the clock that the expiry is compared with. Default: [`SystemClock`].
    pub fn clock(mut self, clock: impl Clock) -> Self {
        self.clock = Arc::new(clock);
        self
    }

    /// Builds the provider.
    ///
    /// # Errors
    ///
    /// [`CredentialsError::InvalidConfig`] if a value is empty, has white space around it or contains a control
    /// character.
    pub fn build(self) -> Result<StaticProvider, CredentialsError> {
        if self.empty_token {
            return Err(CredentialsError::invalid_config(
                ErrorDetail::builder(NAME, "the security token is empty")
                    .hint("set the token, or give the access key pair alone if it has none"),
            ));
        }
        Ok(StaticProvider {
            credentials: self.inner.build()?,
            clock: self.clock,
        })
    }
}

impl fmt::Debug for StaticProviderBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("StaticProviderBuilder").field(&self.inner).finish()
    }
}
