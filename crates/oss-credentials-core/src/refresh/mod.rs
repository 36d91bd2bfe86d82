//! The one cache: hands out a value while it lasts, and gets the next one in time.
//!
//! Readers load a snapshot and compare two instants (`read`). Everything else, in the order of the calls:
//! `join` (a caller that waits) and `driver` (background) take part in an attempt of `shared`, whose
//! bookkeeping is `slot`, whose arithmetic is `policy` over a `moment` of the clocks, and whose waiters are in `wake`.

mod builder;
mod driver;
mod event;
mod join;
mod moment;
mod policy;
mod read;
mod report;
mod shared;
mod slot;
mod spawn;
mod updates;
mod wake;

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::Ordering;

pub use builder::RefreshingProviderBuilder;
pub use driver::RefreshDriver;
pub use event::RefreshEvent;
pub use policy::Backoff;
#[cfg(feature = "tokio")]
pub use spawn::NoRuntime;
pub use updates::Updates;

use crate::credentials::Credentials;
use crate::error::CredentialsError;
use crate::invalidation::Invalidation;
use crate::provider::{CredentialsFuture, CredentialsProvider, CredentialsSource};
use crate::status::RefreshStatus;
use crate::time::Sleep;
use join::Join;
use shared::{Purpose, Shared};

/// Makes a provider of a source: caches its value and refreshes it before it expires.
///
/// - While a value is fresh, a call is answered without waiting, without a lock and without allocation.
/// - Before it expires, it is refreshed: by the driver if there is one, else by one caller while all others
///   go on with the old value. A refresh that fails takes nothing away.
/// - When there is nothing usable, all callers join one fetch and all receive its result.
/// - A value is never handed out past its expiry, judged by the service's clock where the source knows it, and by
///   the wall clock and the monotonic one. A virtual machine that was paused is a limit: no clock counts the pause.
///
/// Clones are handles of the same cache. It needs no runtime: the lazy refresh happens while callers poll.
///
/// | situation | what happens |
/// |---|---|
/// | fresh | the value at once |
/// | due, with a driver | the value at once; the driver refreshes |
/// | due, without a driver | one caller refreshes and waits for it; all others get the value at once |
/// | nothing usable | all callers join one attempt and receive its result, good or bad |
/// | a caller is dropped while it waits | the fetch stays; the next caller, or the driver, goes on with it |
/// | the wall clock was set, or the machine was suspended, by more than 30 s | the value is due at once; it has expired if [`Clock::since_boot`](crate::Clock::since_boot) says so, or either clock where that is not known |
/// | due after a suspend, with a driver | the value at once; the driver is woken, and counts as absent 30 s later |
/// | a caller that began a fetch is gone, and the fetch makes no progress for 2 s | whoever goes on with it begins a fresh one, once |
/// | such a fetch takes longer than `attempt_limit` | whoever goes on with it gets one fresh attempt |
/// | a fetch takes longer than `attempt_limit` | it is discarded by whoever looks next: a caller, the driver, or a caller's timer (feature `tokio` with background refresh) |
/// | a fetch fails and the value is still good | the value stays; one warning; pauses from 1 s to 60 s |
/// | a fetch fails and there is nothing usable | the error; until the pause ends it is answered from memory ([`status`](Self::status) tells when the next attempt comes, [`refresh_now`](Self::refresh_now) does not wait for it) |
/// | denied, wrongly or not configured | the same, with pauses from 30 s |
/// | what came has expired, or is about to | a failed attempt, and a pause of at least 10 s |
/// | [`invalidate`](CredentialsProvider::invalidate) | the value is dropped if it is the rejected generation, as often as the limit allows |
/// | the last handle is dropped | fetch and driver end |
///
/// A source must not ask the provider that it stands behind: it would wait for itself.
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
    shared: Arc<Shared>,
    source: Arc<S>,
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
    /// A provider with default settings. It fetches nothing before it is asked, and needs no runtime.
    pub fn new(source: S) -> Self {
        Self::builder(source).build()
    }

    /// Starts a provider with settings of its own.
    pub fn builder(source: S) -> RefreshingProviderBuilder<S> {
        RefreshingProviderBuilder::new(source)
    }

    /// The source.
    pub fn source(&self) -> &S {
        &self.source
    }

    /// A future that refreshes in the background, for executors other than tokio; `None` if there is one
    /// already that is not overdue.
    pub fn driver(&self, sleep: impl Sleep) -> Option<RefreshDriver> {
        RefreshDriver::attach(&self.shared, Arc::new(sleep))
    }

    /// Starts background refresh on the current tokio runtime, unless it is on already. Never panics; but tokio
    /// tells only by a panic, caught here, that a runtime has no timer: its message is printed once for such a
    /// runtime, and `panic = "abort"` makes an end of it.
    ///
    /// # Errors
    ///
    /// [`NoRuntime`] outside of a tokio runtime, or if that has no timer.
    #[cfg(feature = "tokio")]
    pub fn spawn(&self) -> Result<(), NoRuntime> {
        if self.shared.has_driver(self.shared.now()) {
            return Ok(());
        }
        spawn::spawn(&self.shared)
    }

    /// Fetches now, whatever there is and whatever failed before. Calls at the same time share one fetch.
    ///
    /// # Errors
    ///
    /// Whatever the source said. The value at hand stays in use then.
    pub async fn refresh_now(&self) -> Result<Credentials, CredentialsError> {
        Join::new(&self.shared, Purpose::Force).await
    }

    /// Looks at the value at hand if it is usable, without taking a share in it: no shared counter is
    /// touched, so that this scales with the number of cores.
    #[inline]
    pub fn with_cached<R>(&self, look: impl FnOnce(&Credentials) -> R) -> Option<R> {
        let snapshot = self.shared.snapshot.load();
        let snapshot = snapshot.as_deref()?;
        let reading = self.shared.read_clock();
        (snapshot.is_plainly_usable(reading) || self.shared.is_usable_after_all(snapshot, reading))
            .then(|| look(&snapshot.credentials))
    }

    /// How it is doing: expiry, next attempt, failures, last error.
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

    /// News of each new value from now on, for clients that keep something derived from it.
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
        // The name alone: what the source holds may be a secret that its own `Debug` shows.
        f.debug_struct("RefreshingProvider")
            .field("source", &self.shared.name)
            .field("fetched", &self.shared.version.load(Ordering::Relaxed))
            .finish_non_exhaustive()
    }
}
