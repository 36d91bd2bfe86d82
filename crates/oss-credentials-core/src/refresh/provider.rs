//! The provider: what callers see of the cache.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::driver::RefreshDriver;
use super::join::Join;
use super::shared::{Purpose, Shared};
#[cfg(feature = "tokio")]
use super::spawn::{self, NoRuntime};
use super::updates::Updates;
use crate::credentials::Credentials;
use crate::error::CredentialsError;
use crate::invalidation::Invalidation;
use crate::provider::{CredentialsFuture, CredentialsProvider, CredentialsSource};
use crate::status::RefreshStatus;
use crate::time::Sleep;

/// A provider over a source: caches its value and refreshes it before it expires.
///
/// - While a value is fresh, a call returns it without waiting, without a lock and without allocation.
/// - Before it expires, it is refreshed: by the driver if there is one, otherwise by one caller while all others
///   use the cached value. A failed refresh never discards it.
/// - If there is no usable value, all callers join one fetch and all receive its result.
/// - A value is never returned after its expiry, judged by the service's clock if the source knows it, and by
///   the wall clock and the monotonic one. A paused virtual machine is a limit: no clock counts the pause.
///
/// Clones are handles of the same cache. No runtime is needed: the lazy refresh happens while callers poll.
///
/// | situation | what happens |
/// |---|---|
/// | fresh | returns the value at once |
/// | due, with a driver | returns the value at once; the driver refreshes |
/// | due, without a driver | one caller refreshes and waits for it; all others get the value at once |
/// | no usable value | all callers join one attempt and receive its result, success or failure |
/// | a caller is dropped while it waits | the fetch stays; the next caller, or the driver, continues it |
/// | the wall clock was set, or the machine was suspended, by more than 30 s | the value is due at once; it has expired if [`Clock::since_boot`](crate::Clock::since_boot) says so, or either clock where that is not available |
/// | due after a suspend, with a driver | returns the value at once; the driver is woken, and counts as absent 30 s later |
/// | a caller that began a fetch is gone, and the fetch makes no progress for 2 s | the caller or driver that continues it begins a fresh one, once |
/// | such a fetch takes longer than `attempt_limit` | the caller or driver that continues it gets one fresh attempt |
/// | a fetch takes longer than `attempt_limit` | it is discarded by the next one who looks: a caller, the driver, or a caller's timer (feature `tokio` with background refresh) |
/// | a fetch fails and the value is still valid | the value stays; one warning; backoff from 1 s to 60 s |
/// | a fetch fails and there is no usable value | returns the error, and repeats it from memory until the backoff ends ([`status`](Self::status) returns when the next attempt is due, [`refresh_now`](Self::refresh_now) does not wait for it) |
/// | denied, wrongly or not configured | the same, with backoff from 30 s |
/// | the fetched value has expired, or is about to | a failed attempt, and a backoff of at least 10 s |
/// | [`invalidate`](CredentialsProvider::invalidate) | the value is dropped if it is the rejected generation, as often as the limit allows |
/// | the last handle is dropped | fetch and driver end |
///
/// A source must not call the provider that contains it: it would wait for itself.
///
/// # Examples
///
/// ```
/// use oss_credentials_core::{blocking, source_fn, Credentials, CredentialsProvider, Fetched, RefreshingProvider};
///
/// let provider = RefreshingProvider::new(source_fn("vault", || async {
///     Ok(Fetched::from(Credentials::builder("id", "secret").build()?))
/// }));
/// assert!(provider.cached().is_none());
/// blocking::wait(provider.credentials())?;
/// assert_eq!(provider.with_cached(|c| c.access_key_id().len()), Some(2));
/// assert_eq!(provider.status().fetches(), 1);
/// # Ok::<(), oss_credentials_core::CredentialsError>(())
/// ```
pub struct RefreshingProvider<S> {
    pub(super) shared: Arc<Shared>,
    pub(super) source: Arc<S>,
}

impl<S> Clone for RefreshingProvider<S> {
    fn clone(&self) -> Self {
        Self {
            shared: Arc::clone(&self.shared),
            source: Arc::clone(&self.source),
        }
    }
}

impl<S: CredentialsSource> RefreshingProvider<S> {
    /// Returns the source.
    pub fn source(&self) -> &S {
        &self.source
    }

    /// Returns a future that refreshes in the background, for executors other than tokio; `None` if there is already
    /// one that is not overdue.
    pub fn driver(&self, sleep: impl Sleep) -> Option<RefreshDriver> {
        RefreshDriver::attach(&self.shared, Arc::new(sleep))
    }

    /// Starts background refresh on the current tokio runtime, unless it is already running. Never panics, but tokio
    /// reports a missing timer only by panicking. The panic is caught here; its message is printed once for such a
    /// runtime, and `panic = "abort"` ends the program.
    ///
    /// # Errors
    ///
    /// [`NoRuntime`] outside of a tokio runtime, or if the runtime has no timer.
    #[cfg(feature = "tokio")]
    pub fn spawn(&self) -> Result<(), NoRuntime> {
        if self.shared.has_driver(self.shared.now()) {
            return Ok(());
        }
        spawn::spawn(&self.shared)
    }

    /// Fetches now, regardless of the cached value and earlier failures. Concurrent calls share one fetch.
    ///
    /// # Errors
    ///
    /// The error of the source. The cached value then stays in use.
    pub async fn refresh_now(&self) -> Result<Credentials, CredentialsError> {
        Join::new(&self.shared, Purpose::Force).await
    }

    /// Passes the cached value to `look` if it is usable, without cloning it: no shared counter is
    /// touched, so this scales with the number of cores.
    #[inline]
    pub fn with_cached<R>(&self, look: impl FnOnce(&Credentials) -> R) -> Option<R> {
        let snapshot = self.shared.snapshot.load();
        let snapshot = snapshot.as_deref()?;
        let reading = self.shared.read_clock();
        (snapshot.is_plainly_usable(reading) || self.shared.is_usable_after_all(snapshot, reading))
            .then(|| look(&snapshot.credentials))
    }

    /// Returns the state of the cache: expiry, next attempt, failures, last error.
    pub fn status(&self) -> RefreshStatus {
        let shared = &self.shared;
        let now = shared.now();
        let has_driver = shared.has_driver(now);
        let slot = shared.lock();
        let snapshot = shared.snapshot.load();
        let snapshot = snapshot.as_deref();
        RefreshStatus {
            credentials: snapshot.map(|snapshot| snapshot.credentials.clone()),
            usable: snapshot.is_some_and(|snapshot| snapshot.is_usable(now)),
            next_attempt: shared
                .next_attempt_at(&slot, now)
                .or(slot.failure.as_ref().map(|failure| failure.until(false)))
                .map(|at| at.wall),
            failures: slot.failure.as_ref().map_or(0, |failure| failure.count),
            last_error: slot.failure.as_ref().map(|failure| failure.error.clone()),
            totals: slot.totals,
            last_fetch: slot.last_fetch,
            age: snapshot.map(|snapshot| snapshot.age(now)),
            refreshing: slot.attempt.is_some(),
            has_driver,
            clock_offset: snapshot.map(|snapshot| snapshot.offset),
        }
    }

    /// Subscribes to each new value from now on, for clients that derive something from it.
    pub fn subscribe(&self) -> Updates {
        Updates::new(&self.shared)
    }
}

impl<S: CredentialsSource> CredentialsProvider for RefreshingProvider<S> {
    fn name(&self) -> &'static str {
        self.shared.name
    }

    fn credentials(&self) -> CredentialsFuture<'_> {
        let snapshot = self.shared.snapshot.load();
        let reading = self.shared.read_clock();
        if let Some(snapshot) = snapshot.as_deref()
            && snapshot.is_plainly_fresh(reading)
        {
            return CredentialsFuture::ready(Ok(snapshot.credentials.clone()));
        }
        match self.shared.read_closely(snapshot.as_deref(), reading) {
            Ok(credentials) => CredentialsFuture::ready(Ok(credentials)),
            Err(purpose) => CredentialsFuture::new(Join::new(&self.shared, purpose)),
        }
    }

    fn cached(&self) -> Option<Credentials> {
        self.with_cached(Credentials::clone)
    }

    fn invalidate(&self, rejected: &Credentials) -> Invalidation {
        self.shared.invalidate(rejected)
    }

    fn refresh_status(&self) -> Option<RefreshStatus> {
        Some(self.status())
    }
}

impl<S> fmt::Debug for RefreshingProvider<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Only the name: the source may hold a secret that its own `Debug` shows.
        f.debug_struct("RefreshingProvider")
            .field("source", &self.shared.name)
            .field("fetched", &self.shared.version.load(Ordering::Relaxed))
            .finish_non_exhaustive()
    }
}
