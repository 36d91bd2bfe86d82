//! Settings of the cache.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use super::RefreshingProvider;
use super::event::{Observer, RefreshEvent};
use super::policy::{Backoff, Settings};
use super::shared::Shared;
use crate::provider::CredentialsSource;
use crate::time::{Clock, SystemClock};

/// Makes a [`RefreshingProvider`]; see [`RefreshingProvider::builder`].
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

    /// How long before expiry a refresh is due; at most half of the lifetime is used. Default: 20 % of the
    /// lifetime, 15 minutes at most.
    pub fn window(mut self, window: Duration) -> Self {
        self.settings.window = Some(window);
        self
    }

    /// By which random part of itself the window is shortened, so that many processes do not refresh at the
    /// same moment: 0.0 to 1.0, other values are brought into that range. Default: 0.1.
    ///
    /// On wasm32-unknown-unknown there is no randomness: every instance of the program draws the same sequence of
    /// parts.
    pub fn jitter(mut self, part: f64) -> Self {
        self.settings.jitter = if part.is_nan() { 0.0 } else { part.clamp(0.0, 1.0) };
        self
    }

    /// How long before expiry a value is no longer handed out: a request takes time to arrive. Default: 5 % of
    /// the lifetime, 10 seconds at most.
    pub fn margin(mut self, margin: Duration) -> Self {
        self.settings.margin = Some(margin);
        self
    }

    /// Pauses after failures. Default: see [`Backoff`].
    pub fn backoff(mut self, backoff: Backoff) -> Self {
        self.settings.backoff = backoff;
        self
    }

    /// The clock. Give the source the same one. Default: [`SystemClock`].
    pub fn clock(mut self, clock: impl Clock) -> Self {
        self.clock = Arc::new(clock);
        self
    }

    /// Longest life of one attempt: an older one is discarded when somebody looks, be it another caller, the
    /// driver, or the timer of a caller that waits (feature `tokio` with background refresh). Without any of
    /// these a lone caller waits as long as its source does. It is a safety net; the source's own time-outs
    /// should be shorter. Default: 30 s.
    pub fn attempt_limit(mut self, limit: Duration) -> Self {
        self.settings.attempt_limit = limit;
        self
    }

    /// How many rejected values are dropped at once, and then one per `period`, before
    /// [`invalidate`](crate::CredentialsProvider::invalidate) does nothing but warn: else a service that
    /// rejects everything would turn each request into a fetch. Default: 5, then one per minute.
    pub fn invalidate_limit(mut self, burst: u32, period: Duration) -> Self {
        self.settings.invalidate_limit = (burst, period);
        self
    }

    /// Whether to start a driver by itself when a fetch begins inside a tokio runtime (feature `tokio`; no
    /// effect without it). Default: no.
    pub fn background_refresh(mut self, on: bool) -> Self {
        self.settings.background_refresh = on;
        self
    }

    /// Calls `observe` with each [`RefreshEvent`], on the thread that caused it, after its log event. No lock is held, so
    /// it may ask the provider; it should return soon, since callers wait for it. A panic in it is discarded. Default:
    /// none.
    pub fn observer(mut self, observe: impl Fn(&RefreshEvent) + Send + Sync + 'static) -> Self {
        self.observer = Observer::new(observe);
        self
    }

    /// Makes the provider. It fetches nothing before it is asked, and needs no runtime.
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
