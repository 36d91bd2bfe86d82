//! What the tests of the cache share: futures polled by hand, and values with a known life.
#![allow(
    dead_code,
    missing_docs,
    unreachable_pub,
    reason = "each test file uses a part of it"
)]

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, Wake, Waker};
use std::time::{Duration, SystemTime};

use oss_credentials_core::test_util::{ManualClock, ScriptedSource};
use oss_credentials_core::{
    Backoff, Clock, Credentials, CredentialsError, CredentialsProvider, ErrorDetail, RefreshingProvider,
    RefreshingProviderBuilder,
};

pub type Provider = RefreshingProvider<ScriptedSource>;
pub type Answer = Result<Credentials, CredentialsError>;

pub const START: u64 = 1_767_256_200;
pub const HOUR: Duration = Duration::from_secs(3600);
pub const MINUTE: Duration = Duration::from_secs(60);
pub const SECOND: Duration = Duration::from_secs(1);

/// A future that is polled when the test says so, and that counts how often it was woken.
pub struct Task<T> {
    future: Pin<Box<dyn Future<Output = T> + Send>>,
    wakes: Arc<Wakes>,
}

#[derive(Default)]
struct Wakes(AtomicUsize);

impl Wake for Wakes {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

impl<T> Task<T> {
    pub fn new(future: impl Future<Output = T> + Send + 'static) -> Self {
        Self {
            future: Box::pin(future),
            wakes: Arc::default(),
        }
    }

    pub fn poll(&mut self) -> Poll<T> {
        let waker = Waker::from(Arc::clone(&self.wakes));
        self.future.as_mut().poll(&mut Context::from_waker(&waker))
    }

    pub fn wakes(&self) -> usize {
        self.wakes.0.load(Ordering::SeqCst)
    }

    #[track_caller]
    pub fn done(&mut self) -> T {
        match self.poll() {
            Poll::Ready(output) => output,
            Poll::Pending => panic!("the future waits"),
        }
    }

    #[track_caller]
    pub fn waits(&mut self) {
        assert!(self.poll().is_pending(), "the future does not wait");
    }
}

/// A provider over a scripted source, with a manual clock and nothing random.
pub struct Bench {
    pub clock: ManualClock,
    pub source: ScriptedSource,
    pub provider: Provider,
}

/// What a provider sees of the bench's clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sight {
    Wall,
    WallAndMonotonic,
}

#[derive(Debug)]
struct Limited(ManualClock, Sight);

impl Clock for Limited {
    fn now(&self) -> SystemTime {
        self.0.now()
    }
    fn monotonic(&self) -> Option<Duration> {
        (self.1 == Sight::WallAndMonotonic).then(|| self.0.monotonic())?
    }
}

impl Bench {
    pub fn new() -> Self {
        Self::with(|builder| builder)
    }

    /// Without the clock that counts suspended time, or without the monotonic one as well.
    pub fn seeing(sight: Sight) -> Self {
        Self::seeing_with(sight, |builder| builder)
    }

    pub fn seeing_with(
        sight: Sight,
        set: impl FnOnce(RefreshingProviderBuilder<ScriptedSource>) -> RefreshingProviderBuilder<ScriptedSource>,
    ) -> Self {
        let clock = ManualClock::at_unix(START);
        let seen = Limited(clock.clone(), sight);
        Self {
            clock,
            ..Self::with(|builder| set(builder.clock(seen)))
        }
    }

    pub fn with(
        set: impl FnOnce(RefreshingProviderBuilder<ScriptedSource>) -> RefreshingProviderBuilder<ScriptedSource>,
    ) -> Self {
        let clock = ManualClock::at_unix(START);
        let source = ScriptedSource::new("scripted");
        let builder = RefreshingProvider::builder(source.clone())
            .clock(clock.clone())
            .jitter(0.0)
            .backoff(Backoff::default().jitter(false));
        Self {
            provider: set(builder).build(),
            clock,
            source,
        }
    }

    /// A provider that has fetched `key`, good for an hour: due after 48 minutes.
    pub fn fetched(key: &str) -> Self {
        Self::new().fetch(key)
    }

    pub fn fetch(self, key: &str) -> Self {
        self.source.push_ok(self.lasting(key, HOUR));
        self.answers(key);
        self
    }

    pub fn lasting(&self, key: &str, life: Duration) -> Credentials {
        expiring(key, self.clock.now() + life)
    }

    /// One caller that asks for credentials.
    pub fn ask(&self) -> Task<Answer> {
        let provider = self.provider.clone();
        Task::new(async move { provider.credentials().await })
    }

    pub fn driver(&self) -> Task<()> {
        Task::new(
            self.provider
                .driver(self.clock.clone())
                .expect("no other driver is attached"),
        )
    }

    #[track_caller]
    pub fn answers(&self, key: &str) {
        assert_eq!(self.ask().done().unwrap().access_key_id(), key);
    }
}

pub fn expiring(key: &str, at: SystemTime) -> Credentials {
    Credentials::builder(key, "secret")
        .security_token("token")
        .expires_at(at)
        .build()
        .unwrap()
}

pub fn lasting_for_ever(key: &str) -> Credentials {
    Credentials::builder(key, "secret").build().unwrap()
}

pub fn unavailable(what: &'static str) -> CredentialsError {
    CredentialsError::unavailable(ErrorDetail::builder("scripted", what).code("ServiceUnavailable"))
}

pub fn denied() -> CredentialsError {
    CredentialsError::denied(ErrorDetail::builder("scripted", "no permission"))
}

/// The generation that [`expiring`] makes, as a client holds it that reports a rejection.
pub fn used(key: &str) -> Credentials {
    expiring(key, SystemTime::UNIX_EPOCH)
}
