//! The bookkeeping of refresh attempts. Everything here runs under one lock and calls no foreign code.

use std::sync::Arc;
use std::time::Duration;

use super::moment::Moment;
use super::policy::{Allowance, Failure, STALL_LIMIT, Settings};
use super::wake::FlightWaker;
use crate::credentials::Credentials;
use crate::error::CredentialsError;
use crate::future::BoxFuture;
use crate::provider::Fetched;
use crate::status::RefreshTotals;

/// A fetch in progress. It owns its source and borrows nothing, so that any caller can continue to poll it.
pub(super) type Fetch = BoxFuture<'static, Result<Fetched, CredentialsError>>;

/// A fetch, and the waker that it is polled with.
pub(super) struct Flight {
    pub(super) fetch: Fetch,
    pub(super) waker: Arc<FlightWaker>,
}

/// One attempt to get new credentials, from its beginning to the result that all who joined receive.
pub(super) struct Attempt {
    /// Identifies whether a flight that was taken out for polling still belongs here.
    pub(super) flight_id: u64,
    /// `None` while somebody polls it.
    pub(super) flight: Option<Flight>,
    pub(super) started_at: Moment,
    /// Who began the flight; `None` once that one has gone, which leaves the flight to adopters. It may then
    /// be bound to a runtime that is gone as well.
    pub(super) starter: Option<u64>,
    /// Since when an adopter has seen no progress of the flight, by the steady clock; `None` before it is adopted.
    stalled_since: Option<Duration>,
    /// Whether the flight has replaced one that made no progress. It is replaced only once: callers that
    /// wait only for seconds would otherwise never see the end of a slow exchange.
    replaced: bool,
    /// How many wait for the result.
    pub(super) members: usize,
    /// Begun before a value was rejected: it may return that value again.
    pub(super) stale: bool,
}

impl Attempt {
    /// By the steady clock: nothing was done for it while the machine was suspended.
    pub(super) fn age(&self, now: Moment) -> Duration {
        now.since(self.started_at)
    }

    /// Whether an adopter should give up a flight that makes no progress: it may wait for a runtime that is no longer
    /// running.
    fn is_stalled(&mut self, now: Moment) -> bool {
        if self.starter.is_some() || self.replaced {
            return false;
        }
        let Some(flight) = &self.flight else {
            return false;
        };
        if self.stalled_since.is_none() || flight.waker.was_woken() {
            self.stalled_since = Some(now.steady);
        }
        self.stalled_since
            .is_some_and(|since| now.steady.saturating_sub(since) >= STALL_LIMIT)
    }

    /// When a member should look at it again, whatever happens: by the steady clock, `None` beyond all time.
    /// `may_replace` is that of [`Slot::step`].
    pub(super) fn deadline(&self, limit: Duration, may_replace: bool) -> Option<Duration> {
        let over = self.started_at.steady.checked_add(limit);
        let stalled = self
            .stalled_since
            .filter(|_| may_replace && self.starter.is_none() && !self.replaced && self.flight.is_some())
            .map(|since| since.saturating_add(STALL_LIMIT));
        [over, stalled].into_iter().flatten().min()
    }
}

/// What to do with the attempt in progress.
pub(super) enum Step {
    /// Nothing: it has ended, or another member polls the flight.
    Ended,
    Busy,
    Poll(u64, Flight),
    /// The flight has outlived its limit.
    TimeOut,
    /// The flight of a starter that has gone should give way to a fresh one.
    Replace,
}

/// Everything that changes when an attempt begins or ends.
pub(super) struct Slot {
    pub(super) attempt: Option<Attempt>,
    /// How many attempts have ended. A caller that joined at one number takes the outcome at the next.
    pub(super) completed: u64,
    pub(super) outcome: Option<Result<Credentials, CredentialsError>>,
    /// `None` after a success.
    pub(super) failure: Option<Failure>,
    pub(super) last_success: Option<Moment>,
    /// Whether there ever was a value: before that, a driver leaves it to callers to begin.
    pub(super) had_value: bool,
    pub(super) totals: RefreshTotals,
    /// How long the last attempt took.
    pub(super) last_fetch: Option<Duration>,
    /// Seat of the driver.
    pub(super) driver: Option<u64>,
    pub(super) invalidations: Allowance,
    next_id: u64,
}

impl Slot {
    pub(super) fn new(settings: &Settings) -> Self {
        Self {
            attempt: None,
            completed: 0,
            outcome: None,
            failure: None,
            last_success: None,
            had_value: false,
            totals: RefreshTotals::default(),
            last_fetch: None,
            driver: None,
            invalidations: Allowance::full(settings.invalidate_limit),
            next_id: 0,
        }
    }

    /// A number that nothing else in this slot has.
    pub(super) fn fresh_id(&mut self) -> u64 {
        self.next_id += 1;
        self.next_id
    }

    /// Begins a fresh flight in place of one that its adopters have given up.
    #[must_use = "it holds foreign code, which must not be dropped under the lock"]
    pub(super) fn replace(&mut self, flight: Flight, starter: u64, now: Moment) -> Option<Attempt> {
        let given_up = self.begin(flight, starter, now);
        if let Some(attempt) = &mut self.attempt {
            attempt.replaced = true;
        }
        given_up
    }

    /// Begins a flight: of a new attempt, or as the fresh try of the attempt that is under way, which is returned.
    #[must_use = "it holds foreign code, which must not be dropped under the lock"]
    pub(super) fn begin(&mut self, flight: Flight, starter: u64, now: Moment) -> Option<Attempt> {
        let flight_id = self.fresh_id();
        self.totals.fetches += 1;
        let members = self.attempt.as_ref().map_or(0, |attempt| attempt.members);
        self.attempt.replace(Attempt {
            flight_id,
            flight: Some(flight),
            started_at: now,
            starter: Some(starter),
            stalled_since: None,
            replaced: false,
            members,
            stale: false,
        })
    }

    /// Counts one more who waits for the attempt, and says which outcome will be its own.
    pub(super) fn join(&mut self) -> u64 {
        if let Some(attempt) = &mut self.attempt {
            attempt.members += 1;
        }
        self.completed
    }

    /// Takes back a [`Slot::join`] whose caller has gone. Whether that leaves the flight to others who wait.
    pub(super) fn leave(&mut self, id: u64, joined_at: u64) -> bool {
        let Some(attempt) = &mut self.attempt else {
            return false;
        };
        if joined_at != self.completed {
            return false;
        }
        attempt.members = attempt.members.saturating_sub(1);
        let was_starter = attempt.starter.take_if(|starter| *starter == id).is_some();
        was_starter && attempt.members > 0
    }

    /// Whether the attempt under way has outlived the limit. A clock that was set back since it began would
    /// hide its age; it is counted from now on then.
    pub(super) fn is_overdue(&mut self, now: Moment, limit: Duration) -> bool {
        let Some(attempt) = &mut self.attempt else {
            return false;
        };
        if now.steady < attempt.started_at.steady {
            attempt.started_at = now;
        }
        attempt.age(now) >= limit
    }

    /// What a member should do now. `may_replace`: it has not had its fresh try yet.
    pub(super) fn step(&mut self, now: Moment, limit: Duration, may_replace: bool) -> Step {
        let overdue = self.is_overdue(now, limit);
        let Some(attempt) = &mut self.attempt else {
            return Step::Ended;
        };
        let adopted = attempt.starter.is_none();
        match (overdue, may_replace && adopted) {
            (true, true) => return Step::Replace,
            (true, false) => return Step::TimeOut,
            (false, true) if attempt.is_stalled(now) => return Step::Replace,
            (false, _) => {}
        }
        match attempt.flight.take() {
            Some(flight) => Step::Poll(attempt.flight_id, flight),
            None => Step::Busy,
        }
    }

    /// Whether an attempt is under way that somebody attends to.
    pub(super) fn is_attended(&self, now: Moment, limit: Duration) -> bool {
        self.attempt
            .as_ref()
            .is_some_and(|attempt| attempt.members > 0 && attempt.age(now) < limit)
    }
}
