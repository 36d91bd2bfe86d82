//! The life of one provider: who asks it, and what they get.

use std::collections::VecDeque;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Wake, Waker};
use std::time::{Duration, SystemTime};

use oss_credentials_core::test_util::ManualClock;
use oss_credentials_core::{
    Backoff, Clock, Credentials, CredentialsError, CredentialsFuture, CredentialsProvider, CredentialsSource,
    RefreshDriver, RefreshingProvider,
};
use tempfile::NamedTempFile;

use crate::events::{Chance, Event, Planned, Weather, plan};
use crate::service::{START, Service};
use crate::shape::Shape;

/// Longest time before its expiry that the cache keeps a key back, and part of its lifetime: the documented margin.
const MARGIN: (Duration, u32) = (Duration::from_secs(10), 20);
/// By how much the cache may misjudge an expiry: a `Date` has whole seconds, and its way takes time.
const BLUR: Duration = Duration::from_secs(2);
/// So many callers ask at the same moment.
const CALLERS: usize = 2;
/// Notes that are printed for one row.
const MOST_NOTES: usize = 4;

/// What the callers of a life met.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    pub(crate) calls: u64,
    pub(crate) fetches: u64,
    pub(crate) failed_with_valid_key: u64,
    pub(crate) returned_past_expiry: u64,
    pub(crate) waits_with_valid_key: u64,
    pub(crate) most_requests: usize,
    /// When the first of what should not happen happened.
    pub(crate) notes: Vec<String>,
}

/// The clock of a machine that may lack one that counts suspended time.
#[derive(Debug)]
struct MachineClock {
    manual: ManualClock,
    has_boot_clock: bool,
}

impl Clock for MachineClock {
    fn now(&self) -> SystemTime {
        self.manual.now()
    }

    fn monotonic(&self) -> Option<Duration> {
        self.manual.monotonic()
    }

    fn since_boot(&self) -> Option<Duration> {
        self.has_boot_clock.then(|| self.manual.since_boot()).flatten()
    }
}

/// Set when a task is woken.
struct Flag(AtomicBool);

impl Flag {
    fn raised() -> Arc<Self> {
        Arc::new(Self(AtomicBool::new(true)))
    }

    fn take(&self) -> bool {
        self.0.swap(false, Ordering::Relaxed)
    }
}

impl Wake for Flag {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// A future that is polled when it was woken.
struct Task<F> {
    future: F,
    flag: Arc<Flag>,
    waker: Waker,
}

impl<F: Future + Unpin> Task<F> {
    fn new(future: F) -> Self {
        let flag = Flag::raised();
        Self {
            future,
            waker: Waker::from(Arc::clone(&flag)),
            flag,
        }
    }

    /// `None` if it was not woken.
    fn poll(&mut self) -> Option<Poll<F::Output>> {
        let mut context = Context::from_waker(&self.waker);
        self.flag
            .take()
            .then(|| Pin::new(&mut self.future).poll(&mut context))
    }
}

/// A machine with one provider.
pub(crate) struct Life {
    shape: Shape,
    weather: Weather,
    clock: ManualClock,
    service: Service,
    provider: RefreshingProvider<Box<dyn CredentialsSource>>,
    has_driver: bool,
    chance: Chance,
    tally: Tally,
    _oidc_token: NamedTempFile,
}

impl Life {
    pub(crate) fn new(shape: Shape, weather: Weather, has_driver: bool, seed: u64) -> Self {
        let clock = ManualClock::at_unix(START.checked_add_signed(weather.skew()).unwrap());
        let service = Service::new(shape, &clock);
        let machine = Arc::new(MachineClock {
            manual: clock.clone(),
            has_boot_clock: weather.has_boot_clock(),
        });
        let oidc_token = NamedTempFile::new().unwrap();
        std::fs::write(&oidc_token, "example-oidc-token").unwrap();
        let source = shape.source(&service, Arc::clone(&machine), oidc_token.path());
        // Chance of its own would make each run another one.
        let provider = RefreshingProvider::builder(source)
            .clock(machine)
            .jitter(0.0)
            .backoff(Backoff::default().jitter(false))
            .build();
        Self {
            shape,
            weather,
            clock,
            service,
            provider,
            has_driver,
            chance: Chance::new(seed),
            tally: Tally::default(),
            _oidc_token: oidc_token,
        }
    }

    /// Lives for this long by the monotonic clock.
    pub(crate) fn run(mut self, length: Duration) -> Tally {
        // A handle of its own, which the callers borrow.
        let provider = self.provider.clone();
        let mut events: VecDeque<Planned> = plan(self.weather, length, &mut self.chance).into();
        let driver = self
            .has_driver
            .then(|| provider.driver(self.clock.clone()).unwrap());
        let mut driver = driver.map(|driver| Task::new(Box::pin(driver)));
        let mut callers: Vec<Task<CredentialsFuture<'_>>> = Vec::new();
        let mut next_call = Duration::ZERO;
        loop {
            let now = self.clock.monotonic().unwrap();
            if now >= length {
                break;
            }
            self.happen(&mut events, now);
            if now >= next_call {
                next_call = now + self.shape.asked_every();
                for _ in 0..CALLERS {
                    callers.extend(self.call(&provider));
                }
            }
            self.settle(&mut driver, &mut callers);
            // Those that wait for a request find one only now.
            self.happen(&mut events, now);
            let mut until = next_call;
            if let Some(first) = events.front().filter(|first| first.at > now) {
                until = until.min(first.at);
            }
            self.clock
                .advance_to_next_sleeper(until.saturating_sub(self.clock.monotonic().unwrap()));
            self.settle(&mut driver, &mut callers);
        }
        self.tally.fetches = provider.status().fetches();
        self.tally.most_requests = self.service.most_requests();
        self.tally
    }

    /// Lets the events happen whose time has come.
    fn happen(&mut self, events: &mut VecDeque<Planned>, now: Duration) {
        let mut later = VecDeque::new();
        while let Some(planned) = events.pop_front() {
            if planned.at > now {
                events.push_front(planned);
                break;
            }
            if planned.during_exchange && !self.service.is_exchanging() {
                later.push_back(planned);
                continue;
            }
            self.apply(planned.event);
        }
        while let Some(planned) = later.pop_back() {
            events.push_front(planned);
        }
    }

    fn apply(&self, event: Event) {
        match event {
            Event::OutageBegins(how) => self.service.fail(Some(how)),
            Event::OutageEnds => self.service.fail(None),
            Event::Suspend(length) => self.clock.suspend(length),
            Event::SetSkew(seconds) => {
                let by = Duration::from_secs(seconds.unsigned_abs());
                let now = self.service.now();
                self.clock.set(if seconds < 0 { now - by } else { now + by });
            }
            Event::StepBy(millis) => {
                let by = Duration::from_millis(millis.unsigned_abs());
                if millis < 0 {
                    self.clock.step_back(by);
                } else {
                    self.clock.step_forward(by);
                }
            }
        }
    }

    /// One caller, who is returned if the credentials are not there at once.
    fn call<'a>(
        &mut self,
        provider: &'a RefreshingProvider<Box<dyn CredentialsSource>>,
    ) -> Option<Task<CredentialsFuture<'a>>> {
        self.tally.calls += 1;
        let mut caller = Task::new(provider.credentials());
        if let Some(Poll::Ready(outcome)) = caller.poll() {
            self.judge(&outcome);
            return None;
        }
        if self.has_valid_key() {
            self.tally.waits_with_valid_key += 1;
            if self.has_driver {
                self.note("a caller waits");
            }
        }
        Some(caller)
    }

    /// Polls all who were woken until nobody is.
    fn settle(
        &mut self,
        driver: &mut Option<Task<Pin<Box<RefreshDriver>>>>,
        callers: &mut Vec<Task<CredentialsFuture<'_>>>,
    ) {
        loop {
            let mut moved = false;
            if let Some(poll) = driver.as_mut().and_then(Task::poll) {
                assert!(poll.is_pending(), "the driver has left");
                moved = true;
            }
            callers.retain_mut(|caller| match caller.poll() {
                Some(Poll::Ready(outcome)) => {
                    moved = true;
                    self.judge(&outcome);
                    false
                }
                Some(Poll::Pending) => {
                    moved = true;
                    true
                }
                None => true,
            });
            if !moved {
                return;
            }
        }
    }

    fn judge(&mut self, outcome: &Result<Credentials, CredentialsError>) {
        match outcome {
            Ok(credentials) => {
                let expired_at = self.service.expiry_of(credentials.access_key_id());
                if let Ok(late) = self.service.now().duration_since(expired_at) {
                    self.tally.returned_past_expiry += 1;
                    self.note(&format!("a key is returned {late:?} past its expiry"));
                }
            }
            Err(error) => {
                if self.has_valid_key() {
                    self.tally.failed_with_valid_key += 1;
                    self.note(&format!("a caller fails: {error}"));
                }
            }
        }
    }

    /// Whether the last key that arrived is valid by the service's clock, and not inside the documented margin.
    fn has_valid_key(&self) -> bool {
        let (longest, part) = MARGIN;
        let margin = longest.min(self.shape.lifetime() / part) + BLUR;
        self.service
            .delivered_expires_at()
            .is_some_and(|expires_at| self.service.now() + margin < expires_at)
    }

    fn note(&mut self, what: &str) {
        if self.tally.notes.len() < MOST_NOTES {
            let at = self.service.now().duration_since(SystemTime::UNIX_EPOCH).unwrap();
            let second = at.as_secs() - START;
            self.tally.notes.push(format!("second {second}: {what}"));
        }
    }
}
