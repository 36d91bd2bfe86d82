//! The bookkeeping of refresh attempts. Everything here runs under one lock and calls no foreign code.

use std::time::{Duration, SystemTime};

use super::policy::{Allowance, Failure, Settings};
use crate::credentials::Credentials;
use crate::error::CredentialsError;
use crate::provider::{BoxFuture, Fetched};

/// A fetch under way. It owns its source and borrows nothing, so that any caller can go on polling it.
pub(super) type Flight = BoxFuture<'static, Result<Fetched, CredentialsError>>;

/// One attempt to get new credentials, from its beginning to the result that all who joined receive.
pub(super) struct Attempt {
    /// Tells whether a flight that was taken out for polling still belongs here.
    pub(super) flight_id: u64,
    /// `None` while somebody polls it.
    pub(super) flight: Option<Flight>,
    pub(super) started_at: SystemTime,
    /// Who began the flight; `None` once that one has gone, which leaves the flight to adopters. It may then
    /// be bound to a runtime that is gone as well.
    pub(super) starter: Option<u64>,
    /// How many wait for the result.
    pub(super) members: usize,
    /// Begun before a value was rejected: what it brings may be that value again.
    pub(super) stale: bool,
}

impl Attempt {
    pub(super) fn age(&self, now: SystemTime) -> Duration {
        now.duration_since(self.started_at).unwrap_or_default()
    }
}

/// Everything that changes when an attempt begins or ends.
pub(super) struct Slot {
    pub(super) attempt: Option<Attempt>,
    /// How many attempts have ended. A caller that joined at one number takes the outcome at the next.
    pub(super) completed: u64,
    pub(super) outcome: Option<Result<Credentials, CredentialsError>>,
    /// `None` after a success.
    pub(super) failure: Option<Failure>,
    pub(super) last_success: Option<SystemTime>,
    /// Whether there ever was a value: before that, a driver leaves it to callers to begin.
    pub(super) had_value: bool,
    /// How many flights have been begun.
    pub(super) fetches: u64,
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
            fetches: 0,
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

    /// Begins a flight: of a new attempt, or as the fresh try of the attempt that is under way.
    pub(super) fn begin(&mut self, flight: Flight, starter: u64, now: SystemTime) {
        let flight_id = self.fresh_id();
        self.fetches += 1;
        let members = self.attempt.as_ref().map_or(0, |attempt| attempt.members);
        self.attempt = Some(Attempt {
            flight_id,
            flight: Some(flight),
            started_at: now,
            starter: Some(starter),
            members,
            stale: false,
        });
    }

    /// Counts one more who waits for the attempt, and says which outcome will be its own.
    pub(super) fn join(&mut self) -> u64 {
        if let Some(attempt) = &mut self.attempt {
            attempt.members += 1;
        }
        self.completed
    }

    /// Takes back a [`Slot::join`] whose caller has gone.
    pub(super) fn leave(&mut self, id: u64, joined_at: u64) {
        if let Some(attempt) = &mut self.attempt
            && joined_at == self.completed
        {
            attempt.members = attempt.members.saturating_sub(1);
            if attempt.starter == Some(id) {
                attempt.starter = None;
            }
        }
    }

    /// Whether the attempt under way has outlived the limit. A clock that was set back since it began would
    /// hide its age; it is counted from now on then.
    pub(super) fn is_overdue(&mut self, now: SystemTime, limit: Duration) -> bool {
        let Some(attempt) = &mut self.attempt else {
            return false;
        };
        attempt.started_at = attempt.started_at.min(now);
        attempt.age(now) >= limit
    }

    /// Whether an attempt is under way that somebody attends to.
    pub(super) fn is_attended(&self, now: SystemTime, limit: Duration) -> bool {
        self.attempt
            .as_ref()
            .is_some_and(|attempt| attempt.members > 0 && attempt.age(now) < limit)
    }
}
