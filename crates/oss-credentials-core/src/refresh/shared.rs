//! The state that all handles of one provider share, and its operations.

mod presence;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use arc_swap::ArcSwapOption;

use super::event::{Observer, RefreshEvent};
use super::moment::Moment;
use super::policy::{Failure, MIN_INTERVAL, Settings, Snapshot};
use super::report;
use super::slot::{Attempt, Flight, Slot, Step};
use super::wake::{FlightWaker, WakeSet};
use crate::credentials::Credentials;
use crate::detail::ErrorDetail;
use crate::error::CredentialsError;
use crate::invalidation::Invalidation;
use crate::masked_id::MaskedId;
use crate::provider::{CredentialsSource, Fetched};
use crate::time::Clock;

/// Value of `driver_overdue_at` while there is no driver.
const NO_DRIVER: u64 = 0;

pub(super) struct Shared {
    pub(super) source: Arc<dyn CredentialsSource>,
    pub(super) name: &'static str,
    pub(super) settings: Settings,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) observer: Observer,
    pub(super) snapshot: ArcSwapOption<Snapshot>,
    /// How many values have been stored.
    pub(super) version: AtomicU64,
    /// Second of the steady clock from which on the driver counts as absent, so that readers need no lock to know.
    driver_overdue_at: AtomicU64,
    /// Whether the driver waits for the time at which the value is due, and knows no other reason to act.
    driver_rests: AtomicBool,
    next_seat: AtomicU64,
    slot: Mutex<Slot>,
    /// Callers and the driver, while they wait for an attempt. Not part of a cycle: a flight may keep this
    /// alive through its waker, but never the flight's owner.
    pub(super) wakes: Arc<WakeSet>,
    /// Who waits for the next value.
    pub(super) updates: Arc<WakeSet>,
    /// What was found out about the timer of the runtime last seen.
    #[cfg(feature = "tokio")]
    pub(super) timer_of: Mutex<Option<(tokio::runtime::Id, bool)>>,
}

/// A member's place in the attempt in progress.
#[derive(Debug)]
pub(super) struct Seat {
    pub(super) id: u64,
    /// How many attempts had ended when this one joined; `None` while not part of an attempt.
    pub(super) joined_at: Option<u64>,
    /// An adopter gets one fresh attempt, not one after the other.
    retried: bool,
}

impl Seat {
    /// Discards the state of the last attempt.
    pub(super) fn begin_anew(&mut self) {
        self.retried = false;
    }
}

/// What a member wants from an attempt.
#[derive(Debug)]
pub(super) enum Purpose {
    /// There is no usable value.
    Need,
    /// The cached value is due for refresh; refresh it if nobody else does.
    Volunteer,
    /// Fetch, regardless of the cached value.
    Force,
}

/// What a driver promises.
#[derive(Clone, Copy)]
pub(super) enum Presence {
    /// There is none.
    Absent,
    /// It acts after another caller does.
    WaitsForOthers,
    /// It acts when the steady clock shows this, at the latest.
    ActsAt(Duration),
}

/// The rest of a change of the slot, to be done once the lock is released: errors, flights and wakers contain
/// foreign code.
#[derive(Default)]
struct Aftermath {
    wake: bool,
    events: Vec<RefreshEvent>,
    discarded: Vec<Discarded>,
}

type Discarded = (
    Option<Attempt>,
    Option<Failure>,
    Option<Result<Credentials, CredentialsError>>,
);

impl Aftermath {
    fn discard(&mut self, attempt: Option<Attempt>) {
        self.discarded.push((attempt, None, None));
    }
}

/// The result of trying to join.
pub(super) enum Entered {
    Answered(Result<Credentials, CredentialsError>),
    Joined { began: bool },
}

impl Shared {
    pub(super) fn new(
        source: Arc<dyn CredentialsSource>,
        settings: Settings,
        clock: Arc<dyn Clock>,
        observer: Observer,
    ) -> Self {
        Self {
            name: source.name(),
            source,
            slot: Mutex::new(Slot::new(&settings)),
            settings,
            clock,
            observer,
            snapshot: ArcSwapOption::empty(),
            version: AtomicU64::new(0),
            driver_overdue_at: AtomicU64::new(NO_DRIVER),
            driver_rests: AtomicBool::new(false),
            next_seat: AtomicU64::new(1),
            wakes: Arc::default(),
            updates: Arc::default(),
            #[cfg(feature = "tokio")]
            timer_of: Mutex::new(None),
        }
    }

    pub(super) fn new_seat(&self) -> Seat {
        Seat {
            id: self.next_seat.fetch_add(1, Ordering::Relaxed),
            joined_at: None,
            retried: false,
        }
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, Slot> {
        // No foreign code runs under the lock, so nothing can have left the slot in an inconsistent state.
        self.slot.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn new_flight(&self) -> Flight {
        let (source, name) = (Arc::clone(&self.source), self.name);
        let observer = self.observer.clone();
        Flight {
            // Source, observer and span are first used when the flight is polled, outside of the lock.
            fetch: Box::pin(async move { report::fetch(name, &*source, observer).await }),
            waker: FlightWaker::new(&self.wakes),
        }
    }

    // ---- Volunteering -------------------------------------------------------------------------------

    /// Whether a caller that holds a value which is due should refresh it. Never waits for the lock: its holder
    /// is about to begin or end an attempt.
    pub(super) fn wants_volunteer(&self, now: Moment) -> bool {
        if self.has_driver(now) {
            self.call_driver(now);
            return false;
        }
        match self.slot.try_lock() {
            Ok(slot) => self.has_work_for_volunteer(&slot, now),
            Err(_) => false,
        }
    }

    fn has_work_for_volunteer(&self, slot: &Slot, now: Moment) -> bool {
        if slot.attempt.is_some() {
            !slot.is_attended(now, self.settings.attempt_limit)
        } else {
            !self.is_held_back(slot, now)
        }
    }

    pub(super) fn is_held_back(&self, slot: &Slot, now: Moment) -> bool {
        slot.failure.as_ref().is_some_and(|failure| {
            failure.holds_back(now, self.usable(now).is_some(), &self.settings.backoff)
        })
    }

    // ---- Taking part in an attempt ------------------------------------------------------------------

    /// Returns a result at once, or makes the caller a member of an attempt, which is begun if there is none.
    /// `is_first`: it has not waited for another attempt before.
    pub(super) fn enter(&self, seat: &mut Seat, purpose: &Purpose, is_first: bool, now: Moment) -> Entered {
        let mut aftermath = Aftermath::default();
        let entered = {
            let mut slot = self.lock();
            if let Some(answer) = self.answer_without_attempt(&slot, purpose, now) {
                return Entered::Answered(answer);
            }
            let overdue = slot.is_overdue(now, self.settings.attempt_limit);
            if overdue {
                self.time_out(&mut slot, now, &mut aftermath);
            }
            let began = slot.attempt.is_none();
            if began {
                // Whoever finds an abandoned flight past its limit did not cause that, and need not wait.
                if !overdue
                    && !matches!(purpose, Purpose::Force)
                    && self.usable(now).is_none()
                    && let Some(error) = self.reason_not_to_begin(&slot, now)
                {
                    return Entered::Answered(Err(error));
                }
                aftermath.discard(slot.begin(self.new_flight(), seat.id, now));
                // The driver attends to it as well, and enforces its time limit.
                aftermath.wake = true;
            }
            slot.totals.waits += u64::from(is_first);
            seat.joined_at = Some(slot.join());
            seat.begin_anew();
            Entered::Joined { began }
        };
        self.after_unlock(aftermath);
        entered
    }

    fn answer_without_attempt(
        &self,
        slot: &Slot,
        purpose: &Purpose,
        now: Moment,
    ) -> Option<Result<Credentials, CredentialsError>> {
        match purpose {
            Purpose::Force => None,
            Purpose::Need => self.usable(now).map(Ok),
            // The value may have ended or been rejected by now, which makes the volunteer one in need.
            Purpose::Volunteer => {
                let snapshot = self.snapshot.load();
                let usable = snapshot.as_ref().filter(|snapshot| snapshot.is_usable(now))?;
                let nothing_to_do = !usable.is_due(now) || !self.has_work_for_volunteer(slot, now);
                nothing_to_do.then(|| Ok(usable.credentials.clone()))
            }
        }
    }

    /// The error of the backoff after a failure, or of the minimum time between two fetches.
    fn reason_not_to_begin(&self, slot: &Slot, now: Moment) -> Option<CredentialsError> {
        if let Some(failure) = &slot.failure {
            return self
                .is_held_back(slot, now)
                .then(|| self.error_to_report(failure.error.clone(), now));
        }
        let last_success = slot.last_success?;
        let earliest = last_success.plus(MIN_INTERVAL)?;
        (now.agrees_with(last_success) && !now.has_reached(earliest)).then(|| {
            CredentialsError::expired(
                ErrorDetail::builder(self.name, "the credentials expired within seconds of being fetched")
                    .hint(
                        "check this machine's clock, and whether the source issues new credentials, or request a longer lifetime (10 s at least)",
                    ),
            )
        })
    }

    /// Polls the attempt on behalf of a member. `Ready` once the outcome is there.
    ///
    /// The member's waker must have been registered before.
    pub(super) fn advance(&self, seat: &mut Seat, now: Moment) -> Poll<()> {
        loop {
            let (flight_id, mut flight) = match self.take_flight(seat, now) {
                Ok(taken) => taken,
                Err(poll) => return poll,
            };
            let flight_waker = Arc::clone(&flight.waker);
            flight_waker.clear_woken();
            let waker = Waker::from(Arc::clone(&flight_waker));
            let mut cx = Context::from_waker(&waker);
            let result = match catch_unwind(AssertUnwindSafe(|| flight.fetch.as_mut().poll(&mut cx))) {
                Ok(Poll::Pending) => {
                    let orphan = self.put_back(flight_id, flight);
                    let belongs = orphan.is_none();
                    drop_quietly(orphan);
                    // A wake-up during the poll may have gone to callers that found the flight taken.
                    if flight_waker.was_woken() {
                        self.wakes.wake_all();
                    }
                    if belongs {
                        return Poll::Pending;
                    }
                    continue;
                }
                Ok(Poll::Ready(result)) => result,
                Err(_) => Err(CredentialsError::unavailable(
                    ErrorDetail::builder(self.name, "the source panicked")
                        .hint("its message is on stderr; report it to the author of the source"),
                )),
            };
            drop_quietly(flight);
            self.finish(flight_id, result, seat, now);
        }
    }

    fn take_flight(&self, seat: &mut Seat, now: Moment) -> Result<(u64, Flight), Poll<()>> {
        let limit = self.settings.attempt_limit;
        let mut aftermath = Aftermath::default();
        let taken = {
            let mut slot = self.lock();
            if seat.joined_at != Some(slot.completed) {
                return Err(Poll::Ready(()));
            }
            let mut step = slot.step(now, limit, !seat.retried);
            if matches!(step, Step::Replace) {
                seat.retried = true;
                aftermath.discard(slot.replace(self.new_flight(), seat.id, now));
                let provider = self.name;
                aftermath.events.push(RefreshEvent::FetchReplaced { provider });
                step = slot.step(now, limit, false);
            }
            match step {
                Step::Poll(flight_id, flight) => Ok((flight_id, flight)),
                Step::Busy | Step::Replace => Err(Poll::Pending),
                Step::Ended => Err(Poll::Ready(())),
                Step::TimeOut => {
                    self.time_out(&mut slot, now, &mut aftermath);
                    Err(Poll::Ready(()))
                }
            }
        };
        self.after_unlock(aftermath);
        taken
    }

    /// Returns the flight if it no longer belongs to the attempt in progress.
    fn put_back(&self, flight_id: u64, flight: Flight) -> Option<Flight> {
        let mut orphan = Some(flight);
        {
            let mut slot = self.lock();
            if let Some(attempt) = &mut slot.attempt
                && attempt.flight_id == flight_id
            {
                attempt.flight = orphan.take();
            }
        }
        orphan
    }

    /// Takes the result of a flight: ends the attempt, or gives it a fresh flight.
    ///
    /// `polled_at` is the time if the clock panics: the attempt must end all the same.
    fn finish(
        &self,
        flight_id: u64,
        result: Result<Fetched, CredentialsError>,
        seat: &mut Seat,
        polled_at: Moment,
    ) {
        let clock = &*self.clock;
        let now = catch_unwind(AssertUnwindSafe(|| Moment::read(clock).with_since_boot(clock)));
        let now = now.unwrap_or(polled_at);
        let mut aftermath = Aftermath::default();
        {
            let mut slot = self.lock();
            let Some(attempt) = slot
                .attempt
                .as_ref()
                .filter(|attempt| attempt.flight_id == flight_id)
            else {
                return;
            };
            let again = match &result {
                Ok(_) => attempt.stale,
                Err(_) => attempt.starter.is_none() && !seat.retried,
            };
            let requested_at = attempt.started_at;
            if again {
                seat.retried |= result.is_err();
                // Its flight was taken out, so that nothing foreign is dropped here.
                drop(slot.begin(self.new_flight(), seat.id, now));
                return;
            }
            let previous = self.snapshot.load();
            let admitted = result.and_then(|fetched| {
                let fetched = fetched.named(self.name);
                self.settings
                    .admit(self.name, fetched, (requested_at, now), previous.as_deref())
            });
            let admitted = admitted.map(Arc::new);
            self.settle(&mut slot, admitted, now, &mut aftermath);
        }
        self.after_unlock(aftermath);
    }

    /// Ends an attempt that took longer than the limit.
    fn time_out(&self, slot: &mut Slot, now: Moment, aftermath: &mut Aftermath) {
        let limit = self.settings.attempt_limit;
        let error = CredentialsError::unavailable(
            ErrorDetail::builder(
                self.name,
                format!("the source did not return within {} s", limit.as_secs_f64()),
            )
            .hint("check that it can be reached from here; attempt_limit sets the timeout"),
        );
        self.settle(slot, Err(error), now, aftermath);
    }

    /// Ends the attempt under way with a result that all members will find.
    fn settle(
        &self,
        slot: &mut Slot,
        result: Result<Arc<Snapshot>, CredentialsError>,
        now: Moment,
        aftermath: &mut Aftermath,
    ) {
        let attempt = slot.attempt.take();
        let took = attempt
            .as_ref()
            .map(|attempt| attempt.age(now))
            .unwrap_or_default();
        let failure = slot.failure.take();
        slot.completed += 1;
        slot.last_fetch = Some(took);
        slot.totals.fetch_time = slot.totals.fetch_time.saturating_add(took);
        let outcome = match result {
            Ok(snapshot) => {
                let credentials = snapshot.credentials.clone();
                aftermath.events.push(RefreshEvent::Refreshed {
                    provider: self.name,
                    source: credentials.source(),
                    access_key_id: MaskedId(credentials.access_key_id()).to_string(),
                    expires_at: credentials.expires_at(),
                    took,
                    is_first: !slot.had_value,
                    failures: failure.as_ref().map_or(0, |failure| failure.count),
                });
                slot.totals.successes += 1;
                slot.last_success = Some(now);
                slot.had_value = true;
                self.snapshot.store(Some(snapshot));
                self.version.fetch_add(1, Ordering::Release);
                Ok(credentials)
            }
            Err(error) => {
                let next = Failure::next(failure.as_ref(), error.clone(), now, &self.settings.backoff);
                aftermath.events.push(RefreshEvent::RefreshFailed {
                    provider: self.name,
                    error: error.clone(),
                    took,
                    is_usable: self.usable(now).is_some(),
                    failures: next.count,
                });
                slot.totals.failures += 1;
                slot.failure = Some(next);
                Err(error)
            }
        };
        aftermath.wake = true;
        aftermath
            .discarded
            .push((attempt, failure, slot.outcome.replace(outcome)));
    }

    /// Runs outside of the lock: foreign code is woken, notified and dropped. A panic in one of
    /// them must not affect the others.
    fn after_unlock(&self, aftermath: Aftermath) {
        let Aftermath {
            wake,
            events,
            discarded,
        } = aftermath;
        if wake {
            self.wakes.wake_all();
        }
        if events
            .iter()
            .any(|event| matches!(event, RefreshEvent::Refreshed { .. }))
        {
            self.updates.wake_all();
        }
        drop_quietly(discarded);
        for event in &events {
            report::publish(&self.observer, event);
        }
    }

    /// When a member should look at the attempt in progress again, by the steady clock.
    pub(super) fn attempt_deadline(&self, seat: &Seat) -> Option<Duration> {
        self.deadline_for(&self.lock(), seat)
    }

    pub(super) fn deadline_for(&self, slot: &Slot, seat: &Seat) -> Option<Duration> {
        let attempt = slot.attempt.as_ref()?;
        attempt.deadline(self.settings.attempt_limit, !seat.retried)
    }

    /// The outcome for a member. `None` if it came to nothing, because the value was rejected or has ended before the
    /// member could take it: then the member has to enter again.
    pub(super) fn collect(
        &self,
        purpose: &Purpose,
        waited: Duration,
        now: Moment,
    ) -> Option<Result<Credentials, CredentialsError>> {
        let outcome = self.lock().outcome.clone()?;
        let collected = match (outcome, purpose) {
            (Err(error), Purpose::Force) => Err(error),
            (Err(error), _) => self.usable(now).ok_or_else(|| self.error_to_report(error, now)),
            (Ok(_), _) => Ok(self.usable(now)?),
        };
        let totals = &mut self.lock().totals;
        totals.wait_time = totals.wait_time.saturating_add(waited);
        Some(collected)
    }

    /// The error for a caller that has no usable value. If keys have expired because refreshing them kept
    /// failing temporarily, the error is `Expired` with that cause; other errors are returned unchanged.
    pub(super) fn error_to_report(&self, error: CredentialsError, now: Moment) -> CredentialsError {
        let snapshot = self.snapshot.load();
        let ran_out = snapshot.as_ref().is_some_and(|snapshot| !snapshot.is_usable(now));
        match (&error, error.detail()) {
            (CredentialsError::Unavailable(_) | CredentialsError::InvalidResponse(_), Some(cause))
                if ran_out =>
            {
                CredentialsError::expired(report::expired_because(self.name, cause, &error))
            }
            _ => error,
        }
    }

    /// Gives up a place, so that the flight counts as abandoned if nobody else attends to it.
    pub(super) fn leave(&self, seat: &Seat) {
        self.wakes.remove(seat.id);
        let Some(joined_at) = seat.joined_at else {
            return;
        };
        let orphaned = self.lock().leave(seat.id, joined_at);
        if orphaned {
            // Those who adopt the flight watch its progress from now on.
            self.wakes.wake_all();
        }
    }

    pub(super) fn invalidate(&self, rejected: &Credentials) -> Invalidation {
        let now = self.clock.now();
        let (result, current) = {
            let mut slot = self.lock();
            let current = self.snapshot.load_full();
            let is_current = |current: &Arc<Snapshot>| current.credentials.same_generation_as(rejected);
            let Some(current) = current.filter(is_current) else {
                return Invalidation::AlreadyReplaced;
            };
            let mut result = Invalidation::LimitReached;
            if slot.invalidations.take(now, self.settings.invalidate_limit) {
                result = Invalidation::Dropped;
                slot.totals.invalidations += 1;
                self.snapshot.store(None);
                slot.last_success = None;
                if let Some(attempt) = &mut slot.attempt {
                    attempt.stale = true;
                }
            }
            (result, current)
        };
        let rejected = RefreshEvent::Rejected {
            provider: self.name,
            source: current.credentials.source(),
            access_key_id: MaskedId(current.credentials.access_key_id()).to_string(),
            result,
        };
        report::publish(&self.observer, &rejected);
        if result == Invalidation::Dropped {
            self.wakes.wake_all();
        }
        result
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        // The driver and subscribers hold weak references: this notifies them of the end.
        self.wakes.wake_all();
        self.updates.wake_all();
    }
}

/// Drops foreign values; a panic in their `drop` ends there.
fn drop_quietly<T>(value: T) {
    let _ = catch_unwind(AssertUnwindSafe(|| drop(value)));
}
