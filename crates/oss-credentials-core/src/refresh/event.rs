//! Events of a cache, for observers and logs.

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use crate::error::CredentialsError;
use crate::invalidation::Invalidation;

/// Names of events, as in `docs/events.md`.
pub(super) mod names {
    pub(crate) const FETCH: &str = "credentials.fetch";
    pub(crate) const REFRESHED: &str = "credentials.refreshed";
    pub(crate) const REFRESH_FAILED: &str = "credentials.refresh_failed";
    pub(crate) const FETCH_REPLACED: &str = "credentials.fetch_replaced";
    pub(crate) const REJECTED: &str = "credentials.rejected";
    pub(crate) const DRIVER_STOPPED: &str = "credentials.driver_stopped";
}

/// An event of a [`RefreshingProvider`](crate::RefreshingProvider); see
/// [`RefreshingProviderBuilder::observer`](crate::RefreshingProviderBuilder::observer). Contains no secret.
///
/// # Examples
///
/// Counters for a metrics library:
///
/// ```
/// use std::sync::Arc;
/// use std::sync::atomic::{AtomicU64, Ordering};
/// use oss_credentials_core::{blocking, source_fn, Credentials, CredentialsProvider, Fetched, RefreshEvent,
///     RefreshingProvider};
///
/// # let source = source_fn("vault", || async {
/// #     Ok(Fetched::from(Credentials::builder("id", "secret").build()?))
/// # });
/// let failures = Arc::new(AtomicU64::new(0));
/// let counter = Arc::clone(&failures);
/// let provider = RefreshingProvider::builder(source)
///     .observer(move |event| {
///         if let RefreshEvent::RefreshFailed { error, .. } = event {
///             counter.fetch_add(1, Ordering::Relaxed);
///             eprintln!("{}: {}", event.name(), error.kind());
///         }
///     })
///     .build();
/// blocking::wait(provider.credentials())?;
/// assert_eq!(failures.load(Ordering::Relaxed), 0);
/// # Ok::<(), oss_credentials_core::CredentialsError>(())
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum RefreshEvent {
    /// A fetch has begun. Name: `credentials.fetch`, which is also the name of the span around it.
    #[non_exhaustive]
    FetchStarted {
        /// Name of the provider.
        provider: &'static str,
    },
    /// New credentials have arrived and are in use. Name: `credentials.refreshed`.
    #[non_exhaustive]
    Refreshed {
        /// Name of the provider.
        provider: &'static str,
        /// Name of the source that made the credentials.
        source: &'static str,
        /// The access key ID, masked.
        access_key_id: String,
        /// When they expire, by the service's clock; `None` if they do not.
        expires_at: Option<SystemTime>,
        /// How long the attempt took.
        took: Duration,
        /// Whether they are the first ones.
        is_first: bool,
        /// How many attempts in a row had failed before.
        failures: u32,
    },
    /// An attempt has failed. Name: `credentials.refresh_failed`.
    #[non_exhaustive]
    RefreshFailed {
        /// Name of the provider.
        provider: &'static str,
        /// Why it failed.
        error: CredentialsError,
        /// How long the attempt took.
        took: Duration,
        /// Whether the cached credentials are still usable.
        is_usable: bool,
        /// How many attempts in a row have failed, from 1.
        failures: u32,
    },
    /// The caller that began a fetch is gone and the fetch made no progress; another fetch replaced it. Name:
    /// `credentials.fetch_replaced`.
    #[non_exhaustive]
    FetchReplaced {
        /// Name of the provider.
        provider: &'static str,
    },
    /// A service rejected the cached credentials. Name: `credentials.rejected`.
    #[non_exhaustive]
    Rejected {
        /// Name of the provider.
        provider: &'static str,
        /// Name of the source that made the credentials.
        source: &'static str,
        /// The access key ID, masked.
        access_key_id: String,
        /// [`Invalidation::Dropped`] or [`Invalidation::LimitReached`].
        result: Invalidation,
    },
    /// The timer of the driver panicked, so there is no driver any more. Name: `credentials.driver_stopped`.
    #[non_exhaustive]
    DriverStopped {
        /// Name of the provider.
        provider: &'static str,
    },
}

impl RefreshEvent {
    /// Returns the name of the event, as in logs and in `docs/events.md`. It does not change between versions.
    pub fn name(&self) -> &'static str {
        match self {
            Self::FetchStarted { .. } => names::FETCH,
            Self::Refreshed { .. } => names::REFRESHED,
            Self::RefreshFailed { .. } => names::REFRESH_FAILED,
            Self::FetchReplaced { .. } => names::FETCH_REPLACED,
            Self::Rejected { .. } => names::REJECTED,
            Self::DriverStopped { .. } => names::DRIVER_STOPPED,
        }
    }

    /// Returns the name of the provider that the event is about.
    pub fn provider(&self) -> &'static str {
        match self {
            Self::FetchStarted { provider }
            | Self::Refreshed { provider, .. }
            | Self::RefreshFailed { provider, .. }
            | Self::FetchReplaced { provider }
            | Self::Rejected { provider, .. }
            | Self::DriverStopped { provider } => provider,
        }
    }
}

type Observe = dyn Fn(&RefreshEvent) + Send + Sync;

/// The function that receives events; by default there is none.
#[derive(Clone, Default)]
pub(super) struct Observer(Option<Arc<Observe>>);

impl Observer {
    pub(super) fn new(observe: impl Fn(&RefreshEvent) + Send + Sync + 'static) -> Self {
        Self(Some(Arc::new(observe)))
    }

    /// Reports an event. It must not be called under a lock. A panic is caught here, because callers have to be woken.
    pub(super) fn notify(&self, event: &RefreshEvent) {
        if let Some(observe) = &self.0 {
            let _ = catch_unwind(AssertUnwindSafe(|| observe(event)));
        }
    }
}

impl fmt::Debug for Observer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_some() { "Some(..)" } else { "None" })
    }
}
