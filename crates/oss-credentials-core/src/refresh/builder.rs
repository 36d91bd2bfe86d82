//! Settings of the cache.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use super::event::{Observer, RefreshEvent};
use super::policy::{Backoff, Settings};
use super::provider::RefreshingProvider;
use super::shared::Shared;
use crate::provider::CredentialsSource;
use crate::time::{Clock, SystemClock};

impl<S: CredentialsSource> RefreshingProvider<S> {
    /// Creates a provider with default settings. It fetches nothing before it is called, and needs no runtime.
    pub fn new(source: S) -> Self {
        Self::builder(source).build()
    }

    /// Starts a provider with custom settings.
    pub fn builder(source: S) -> RefreshingProviderBuilder<S> {
        RefreshingProviderBuilder::new(source)
    }
}

/// Builds a [`RefreshingProvider`]; see [`RefreshingProvider::builder`].
///
/// ```
/// use std::time::Duration;
/// # use oss_credentials_core::{source_fn, Credentials, Fetched, RefreshingProvider};
/// # let source = source_fn("vault", || async {
/// #     Ok(Fetched::from(Credentials::builder("id", "secret").build()?))
/// # });
/// let provider = RefreshingProvider::builder(source)
///     .window(Duration::from_secs(120))
///     .attempt_limit(Duration::from_secs(5))
///     .build();
/// # let _ = provider;
/// ```
#[must_use]
pub struct RefreshingProviderBuilder<S> {
    source: S,
    settings: Settings,
    clock: Arc<dyn Clock>,
    observer: Observer,
}

impl<S: CredentialsSource> RefreshingProviderBuilder<S> {
    pub(super) fn new(source: S) -> Self {
        Self {
            source,
            settings: Settings::default(),
            clock: Arc::new(SystemClock),
            observer: Observer::default(),
        }
    }

    /// Sets the expiration window: how long before expiry a refresh is due. At most half of the lifetime is used.
    /// Default: 20 % of the lifetime, at most 15 minutes.
    pub fn window(mut self, window: Duration) -> Self {
        self.settings.window = Some(window);
        self
    }

    /// Sets the random part by which the window is shortened, so that many processes do not refresh at the
    /// same moment: 0.0 to 1.0; other values are clamped. Default: 0.1.
    ///
    /// wasm32-unknown-unknown has no randomness: every instance of the program draws the same sequence of parts there.
    pub fn jitter(mut self, part: f64) -> Self {
        self.settings.jitter = if part.is_nan() { 0.0 } else { part.clamp(0.0, 1.0) };
        self
    }

    /// Sets the safety margin: how long before expiry a value is no longer returned, since a request takes time to
    /// arrive. Default: 5 % of the lifetime, at most 10 seconds.
    pub fn margin(mut self, margin: Duration) -> Self {
        self.settings.margin = Some(margin);
        self
    }

    /// Sets the backoff after failures. Default: see [`Backoff`].
    pub fn backoff(mut self, backoff: Backoff) -> Self {
        self.settings.backoff = backoff;
        self
    }

    /// Sets the clock. Pass the same one to the source. Default: [`SystemClock`].
    pub fn clock(mut self, clock: impl Clock) -> Self {
        self.clock = Arc::new(clock);
        self
    }

    /// Sets the maximum duration of one attempt. An attempt that takes longer is discarded by whichever notices first:
    /// another caller, the driver, or the timer of a caller that waits (feature `tokio` with background refresh).
    /// Without any of these, a lone caller waits as long as its source does. The limit is a safety net; the source's
    /// own timeouts should be shorter. Default: 30 s.
    pub fn attempt_limit(mut self, limit: Duration) -> Self {
        self.settings.attempt_limit = limit;
        self
    }

    /// Sets how many rejected values may be dropped in a row; after that, one per `period` may. Beyond that,
    /// [`invalidate`](crate::CredentialsProvider::invalidate) only logs a warning: otherwise a service that rejects
    /// everything would turn each request into a fetch. Default: 5, then one per minute.
    pub fn invalidate_limit(mut self, burst: u32, period: Duration) -> Self {
        self.settings.invalidate_limit = (burst, period);
        self
    }

    /// Sets whether a driver is started automatically when a fetch begins inside a tokio runtime (feature `tokio`; no
    /// effect without it). Default: no.
    pub fn background_refresh(mut self, on: bool) -> Self {
        self.settings.background_refresh = on;
        self
    }

    /// Calls `observe` with each [`RefreshEvent`], on the thread that caused it, after its log event. No lock is
    /// held, so it may call the provider. It should return quickly, since callers wait for it. A panic in it is
    /// caught and ignored. Default: none.
    pub fn observer(mut self, observe: impl Fn(&RefreshEvent) + Send + Sync + 'static) -> Self {
        self.observer = Observer::new(observe);
        self
    }

    /// Builds the provider. It fetches nothing before it is called, and needs no runtime.
    pub fn build(self) -> RefreshingProvider<S> {
        let source = Arc::new(self.source);
        let shared = Shared::new(
            Arc::clone(&source) as Arc<dyn CredentialsSource>,
            self.settings,
            self.clock,
            self.observer,
        );
        RefreshingProvider {
            shared: Arc::new(shared),
            source,
        }
    }
}

impl<S: CredentialsSource> fmt::Debug for RefreshingProviderBuilder<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RefreshingProviderBuilder")
            .field("source", &self.source.name())
            .field("settings", &self.settings)
            .field("clock", &self.clock)
            .field("observer", &self.observer)
            .finish()
    }
}
