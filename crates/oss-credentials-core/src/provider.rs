//! The two traits: `CredentialsSource` fetches, `CredentialsProvider` is called for every request.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use crate::credentials::Credentials;
use crate::error::CredentialsError;
use crate::future::BoxFuture;
use crate::invalidation::Invalidation;
use crate::status::RefreshStatus;
use crate::time::ClockOffset;

/// Fetches credentials. A call is slow: one exchange with a service, a file or a process. Implement this to add a
/// source.
///
/// A source never caches credentials: [`RefreshingProvider`](crate::RefreshingProvider) does that, and turns
/// a source into the [`CredentialsProvider`] that clients take. A source may keep protocol state, such as a
/// metadata token. A call may be dropped at any point and must then leave nothing behind.
///
/// A source needs no `Debug`, which could leak a secret: a type that contains a source prints only its name.
///
/// # Examples
///
/// ```
/// use oss_credentials_core::{BoxFuture, Credentials, CredentialsError, CredentialsSource, Fetched};
///
/// struct Vault;
///
/// impl CredentialsSource for Vault {
///     fn name(&self) -> &'static str {
///         "vault"
///     }
///     fn fetch(&self) -> BoxFuture<'_, Result<Fetched, CredentialsError>> {
///         Box::pin(async {
///             let credentials = Credentials::builder("id", "secret").source("vault").build()?;
///             Ok(Fetched::from(credentials))
///         })
///     }
/// }
/// ```
pub trait CredentialsSource: Send + Sync + 'static {
    /// Returns a short name for logs and errors, such as `"ecs-ram-role"`.
    fn name(&self) -> &'static str;

    /// Fetches new credentials.
    fn fetch(&self) -> BoxFuture<'_, Result<Fetched, CredentialsError>>;
}

impl<T: CredentialsSource + ?Sized> CredentialsSource for Arc<T> {
    fn name(&self) -> &'static str {
        (**self).name()
    }
    fn fetch(&self) -> BoxFuture<'_, Result<Fetched, CredentialsError>> {
        (**self).fetch()
    }
}

impl<T: CredentialsSource + ?Sized> CredentialsSource for Box<T> {
    fn name(&self) -> &'static str {
        (**self).name()
    }
    fn fetch(&self) -> BoxFuture<'_, Result<Fetched, CredentialsError>> {
        (**self).fetch()
    }
}

impl fmt::Debug for dyn CredentialsSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("CredentialsSource").field(&self.name()).finish()
    }
}

/// The result of a fetch: credentials, and what only the source knows about them.
///
/// ```
/// use std::time::Duration;
/// use oss_credentials_core::{Credentials, Fetched};
///
/// let credentials = Credentials::builder("id", "secret").build()?;
/// let fetched = Fetched::new(credentials).with_refresh_after(Duration::from_secs(3600));
/// assert_eq!(fetched.refresh_after(), Some(Duration::from_secs(3600)));
/// # Ok::<(), oss_credentials_core::CredentialsError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Fetched {
    credentials: Credentials,
    refresh_after: Option<Duration>,
    clock_offset: Option<ClockOffset>,
}

impl Fetched {
    /// Creates a result from credentials alone.
    pub fn new(credentials: Credentials) -> Self {
        Self {
            credentials,
            refresh_after: None,
            clock_offset: None,
        }
    }

    /// Requests another fetch after this time, even if the credentials live longer or do not expire: for a secret
    /// that is rotated, or metadata that changes hourly. Default: only the lifetime counts.
    #[must_use]
    pub fn with_refresh_after(mut self, after: impl Into<Option<Duration>>) -> Self {
        self.refresh_after = after.into();
        self
    }

    /// Sets the offset between the service's clock and the local one. Expiry is judged with it. Default: unknown; the
    /// offset known last stays.
    #[must_use]
    pub fn with_clock_offset(mut self, offset: impl Into<Option<ClockOffset>>) -> Self {
        self.clock_offset = offset.into();
        self
    }

    /// Returns the credentials.
    pub fn credentials(&self) -> &Credentials {
        &self.credentials
    }

    /// Returns the time after which to fetch again, if the source knows it; see [`Fetched::with_refresh_after`].
    pub fn refresh_after(&self) -> Option<Duration> {
        self.refresh_after
    }

    /// Returns the offset between the service's clock and the local one, if the source knows it; see
    /// [`Fetched::with_clock_offset`].
    pub fn clock_offset(&self) -> Option<ClockOffset> {
        self.clock_offset
    }

    /// Converts the result into the credentials.
    pub fn into_credentials(self) -> Credentials {
        self.credentials
    }

    pub(crate) fn named(mut self, source: &'static str) -> Self {
        self.credentials = self.credentials.named(source);
        self
    }
}

impl From<Credentials> for Fetched {
    fn from(credentials: Credentials) -> Self {
        Self::new(credentials)
    }
}

/// Provides credentials. Calls are fast: call it before every request. Signers and clients take this.
///
/// An implementation that has to fetch should be a [`CredentialsSource`] inside a
/// [`RefreshingProvider`](crate::RefreshingProvider).
///
/// A provider needs no `Debug`: `dyn CredentialsProvider` prints only the provider's name, since a derived
/// `Debug` may print a secret.
///
/// # Examples
///
/// ```
/// use oss_credentials_core::{blocking, Credentials, CredentialsProvider};
///
/// fn sign_with(provider: &dyn CredentialsProvider) -> Result<(), oss_credentials_core::CredentialsError> {
///     let credentials = blocking::wait(provider.credentials())?;
///     assert_eq!(credentials.access_key_id(), "id");
///     Ok(())
/// }
/// sign_with(&Credentials::builder("id", "secret").build()?)?;
/// # Ok::<(), oss_credentials_core::CredentialsError>(())
/// ```
pub trait CredentialsProvider: Send + Sync + 'static {
    /// Returns a short name for logs and errors.
    fn name(&self) -> &'static str;

    /// Returns credentials that are usable now.
    fn credentials(&self) -> CredentialsFuture<'_>;

    /// Returns credentials that are usable now and available at once: no waiting, no lock, no I/O. `None` if there are
    /// none; [`CredentialsProvider::credentials`] may still return some.
    fn cached(&self) -> Option<Credentials> {
        None
    }

    /// Reports that the service rejected these credentials, so that they are not returned again. The result states
    /// whether another attempt may succeed; a caller compares generations before it retries, see [`Invalidation`].
    ///
    /// Default: [`Invalidation::AlreadyReplaced`] if [`CredentialsProvider::cached`] has another generation, otherwise
    /// [`Invalidation::Unsupported`].
    fn invalidate(&self, rejected: &Credentials) -> Invalidation {
        match self.cached() {
            Some(current) if !current.same_generation_as(rejected) => Invalidation::AlreadyReplaced,
            _ => Invalidation::Unsupported,
        }
    }

    /// Returns the state of the cache behind this provider, for diagnosis; `None` if there is no cache.
    /// A provider that wraps another one forwards the call.
    fn refresh_status(&self) -> Option<RefreshStatus> {
        None
    }
}

macro_rules! forward_provider {
    ($($pointer:ident),*) => {$(
        impl<T: CredentialsProvider + ?Sized> CredentialsProvider for $pointer<T> {
            fn name(&self) -> &'static str {
                (**self).name()
            }
            fn credentials(&self) -> CredentialsFuture<'_> {
                (**self).credentials()
            }
            fn cached(&self) -> Option<Credentials> {
                (**self).cached()
            }
            fn invalidate(&self, rejected: &Credentials) -> Invalidation {
                (**self).invalidate(rejected)
            }
            fn refresh_status(&self) -> Option<RefreshStatus> {
                (**self).refresh_status()
            }
        }
    )*};
}
forward_provider!(Arc, Box);

impl fmt::Debug for dyn CredentialsProvider {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("CredentialsProvider").field(&self.name()).finish()
    }
}

impl CredentialsProvider for Credentials {
    fn name(&self) -> &'static str {
        self.source()
    }
    fn credentials(&self) -> CredentialsFuture<'_> {
        CredentialsFuture::ready(Ok(self.clone()))
    }
    fn cached(&self) -> Option<Credentials> {
        Some(self.clone())
    }
}

/// The result of a provider: available at once, or a future.
///
/// A cached or static result costs no allocation; one that must be fetched costs a box in addition to the network
/// call.
///
/// # Examples
///
/// ```
/// use oss_credentials_core::{Credentials, CredentialsError, CredentialsFuture};
///
/// async fn from_a_vault() -> Result<Credentials, CredentialsError> {
///     Credentials::builder("id", "secret").build()
/// }
///
/// /// What a provider with a cache returns.
/// fn credentials(cached: Option<Credentials>) -> CredentialsFuture<'static> {
///     match cached {
///         Some(cached) => CredentialsFuture::ready(Ok(cached)),
///         None => CredentialsFuture::new(from_a_vault()),
///     }
/// }
///
/// assert!(credentials(None).into_ready().is_err());
/// assert!(credentials(Some(Credentials::builder("id", "secret").build()?)).into_ready().is_ok());
/// # Ok::<(), CredentialsError>(())
/// ```
pub struct CredentialsFuture<'a>(Answer<'a>);

enum Answer<'a> {
    Ready(Result<Credentials, CredentialsError>),
    Boxed(BoxFuture<'a, Result<Credentials, CredentialsError>>),
    Taken,
}

impl<'a> CredentialsFuture<'a> {
    /// Creates a result that is available at once. Does not allocate.
    pub fn ready(result: Result<Credentials, CredentialsError>) -> Self {
        Self(Answer::Ready(result))
    }

    /// Creates a result that has to be awaited.
    pub fn new(future: impl Future<Output = Result<Credentials, CredentialsError>> + Send + 'a) -> Self {
        Self(Answer::Boxed(Box::pin(future)))
    }

    /// Returns the result if it is available at once, otherwise the future unchanged.
    ///
    /// # Errors
    ///
    /// The future itself, if it has to be awaited.
    pub fn into_ready(self) -> Result<Result<Credentials, CredentialsError>, Self> {
        match self.0 {
            Answer::Ready(result) => Ok(result),
            other => Err(Self(other)),
        }
    }
}

impl Future for CredentialsFuture<'_> {
    type Output = Result<Credentials, CredentialsError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        if let Answer::Boxed(future) = &mut self.0 {
            let result = std::task::ready!(future.as_mut().poll(cx));
            self.0 = Answer::Taken;
            return Poll::Ready(result);
        }
        match std::mem::replace(&mut self.0, Answer::Taken) {
            Answer::Ready(result) => Poll::Ready(result),
            // Polled again after it was done: there is nothing more to say, and no reason to panic.
            _ => Poll::Pending,
        }
    }
}

impl fmt::Debug for CredentialsFuture<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.0 {
            Answer::Ready(_) => "CredentialsFuture(ready)",
            Answer::Boxed(_) => "CredentialsFuture(pending)",
            Answer::Taken => "CredentialsFuture(done)",
        })
    }
}

/// Creates a source from an async closure, for credentials that expire.
///
/// # Examples
///
/// ```
/// use oss_credentials_core::{blocking, source_fn, Credentials, Fetched, RefreshingProvider, CredentialsProvider};
///
/// let source = source_fn("my-vault", || async {
///     Ok(Fetched::from(Credentials::builder("id", "secret").build()?))
/// });
/// let provider = RefreshingProvider::new(source);
/// assert_eq!(blocking::wait(provider.credentials())?.source(), "my-vault");
/// # Ok::<(), oss_credentials_core::CredentialsError>(())
/// ```
pub fn source_fn<F, Fut>(name: &'static str, fetch: F) -> impl CredentialsSource
where
    F: Fn() -> Fut + Send + Sync + 'static,
    Fut: Future<Output = Result<Fetched, CredentialsError>> + Send + 'static,
{
    SourceFn { name, call: fetch }
}

/// Creates a provider from a closure, for keys that are always available. The closure is called for every request.
///
/// # Examples
///
/// ```
/// use oss_credentials_core::{blocking, provider_fn, Credentials, CredentialsProvider};
///
/// let provider = provider_fn("config", || Credentials::builder("id", "secret").build());
/// assert_eq!(blocking::wait(provider.credentials())?.source(), "config");
/// # Ok::<(), oss_credentials_core::CredentialsError>(())
/// ```
pub fn provider_fn<F>(name: &'static str, get: F) -> impl CredentialsProvider
where
    F: Fn() -> Result<Credentials, CredentialsError> + Send + Sync + 'static,
{
    ProviderFn { name, call: get }
}

struct SourceFn<F> {
    name: &'static str,
    call: F,
}

impl<F> fmt::Debug for SourceFn<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "source_fn({:?})", self.name)
    }
}

impl<F, Fut> CredentialsSource for SourceFn<F>
where
    F: Fn() -> Fut + Send + Sync + 'static,
    Fut: Future<Output = Result<Fetched, CredentialsError>> + Send + 'static,
{
    fn name(&self) -> &'static str {
        self.name
    }
    fn fetch(&self) -> BoxFuture<'_, Result<Fetched, CredentialsError>> {
        let answer = (self.call)();
        Box::pin(async move { Ok(answer.await?.named(self.name)) })
    }
}

struct ProviderFn<F> {
    name: &'static str,
    call: F,
}

impl<F> fmt::Debug for ProviderFn<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "provider_fn({:?})", self.name)
    }
}

impl<F> CredentialsProvider for ProviderFn<F>
where
    F: Fn() -> Result<Credentials, CredentialsError> + Send + Sync + 'static,
{
    fn name(&self) -> &'static str {
        self.name
    }
    fn credentials(&self) -> CredentialsFuture<'_> {
        CredentialsFuture::ready((self.call)().map(|credentials| credentials.named(self.name)))
    }
    fn cached(&self) -> Option<Credentials> {
        (self.call)().ok().map(|credentials| credentials.named(self.name))
    }
}
