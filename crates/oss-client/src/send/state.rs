//! What an operation has learnt from its attempts, and what it does next.
//!
//! # States
//!
//! [`RetryState`] says how the next attempt differs from the first:
//!
//! | state | the next attempt | the state that follows |
//! |---|---|---|
//! | *fresh* | as the first | *key rejected* or *clock on trial*, once each |
//! | *key rejected* (`rejected`) | needs other credentials, or the operation ends with that refusal | *fresh*; a second rejection is the policy's |
//! | *clock on trial* (`trial`) | is signed by the offset that a refusal told | *fresh* with the offset kept, once the service takes the time; *clock on trial* with a newer offset, if it refuses the time again and the policy allows |
//!
//! [`Next`] is the transition: at once, as the policy says, or the end. Only the first correction of each kind is at
//! once, so that two servers with different clocks cannot make a loop.

use oss_credentials_core::{ClockOffset, Credentials};

use crate::TRACING_TARGET;
use crate::client::Inner;
use crate::clock::Measured;
use crate::error::Error;
use crate::operation::Operation;
use crate::service_error::ServiceError;

/// A refused attempt.
pub(super) struct Refused {
    /// What the service said.
    pub(super) error: Box<ServiceError>,
    pub(super) used: Credentials,
    /// How far the local clock is from the one that answered.
    pub(super) measured: Option<Measured>,
    /// A redirect led to another server.
    pub(super) is_cross_origin: bool,
}

/// What earlier attempts of the same operation have taught.
#[derive(Default)]
pub(super) struct RetryState {
    /// How many attempts there were.
    number: u32,
    key_was_reported: bool,
    time_was_corrected: bool,
    /// The credentials that were refused, and how.
    rejected: Option<(Credentials, Error)>,
    /// The offset on trial, and the refusal that told it.
    trial: Option<(ClockOffset, Error)>,
}

/// What to do after a failure.
pub(super) enum Next {
    /// Try again at once.
    AtOnce,
    /// Ask the policy. With an offset, sign by that one.
    Policy(Error, Option<ClockOffset>),
    End(Error),
}

impl RetryState {
    pub(super) fn begin_attempt(&mut self) {
        self.number = self.number.saturating_add(1);
    }

    /// How many attempts there were, the present one included.
    pub(super) fn number(&self) -> u32 {
        self.number
    }

    /// Whether there is a point in sending with these.
    pub(super) fn check(&mut self, credentials: &Credentials) -> Result<(), Error> {
        match self.rejected.take() {
            // The provider has no others, so a second attempt would end alike.
            Some((used, error)) if used.same_generation_as(credentials) => Err(error),
            _ => Ok(()),
        }
    }

    pub(super) fn offset(&self) -> Option<ClockOffset> {
        self.trial.as_ref().map(|(offset, _)| *offset)
    }

    /// Puts an offset on trial.
    pub(super) fn try_offset(&mut self, offset: ClockOffset, refusal: Error) {
        self.trial = Some((offset, refusal));
    }

    /// What a failure without response teaches.
    pub(super) fn unanswered(&mut self, error: Error) -> Next {
        match (&error, self.trial.take()) {
            // The corrected time is the cause, and it came with that refusal.
            (Error::Sign(_), Some((_, before))) => Next::End(before),
            (_, trial) => {
                self.trial = trial;
                Next::Policy(error, None)
            }
        }
    }
}

impl Inner {
    /// What a refusal teaches: tells the provider about a rejected key, and looks for what a second attempt has to do
    /// differently.
    pub(super) fn learn(&self, refused: Refused, state: &mut RetryState, operation: &Operation) -> Next {
        let Refused {
            error,
            used,
            measured,
            is_cross_origin,
        } = refused;
        // Another server, which got no signature, says nothing about keys and clock.
        if is_cross_origin {
            return Next::Policy(Error::Service(error), None);
        }
        let is_repeatable = operation.body.is_repeatable();
        if error.rejects_time() {
            state.trial = None;
            return self.learn_time(error, measured, state, is_repeatable);
        }
        // A failure of the service may come before any check, and a page of a proxy comes without one.
        if error.is_of_service() && !error.status().is_server_error() {
            match state.trial.take() {
                Some((offset, _)) => self.clock.keep(offset),
                None => self.clock.confirm(|| measured),
            }
        }
        if !error.rejects_key() || used.is_anonymous() || state.key_was_reported {
            return Next::Policy(Error::Service(error), None);
        }
        self.learn_key(error, used, state, is_repeatable)
    }

    /// What the first refusal of the key teaches.
    fn learn_key(
        &self,
        error: Box<ServiceError>,
        used: Credentials,
        state: &mut RetryState,
        is_repeatable: bool,
    ) -> Next {
        state.key_was_reported = true;
        let may_retry = self.provider.invalidate(&used).may_retry();
        tracing::warn!(
            target: TRACING_TARGET,
            operation = error.operation(),
            provider = self.provider.name(),
            code = error.code(),
            request_id = error.request_id(),
            "the service rejected the credentials"
        );
        let error = Error::Service(error);
        if is_repeatable && may_retry {
            state.rejected = Some((used, error));
            Next::AtOnce
        } else {
            Next::End(error)
        }
    }

    /// What a refusal of the signing time teaches.
    fn learn_time(
        &self,
        error: Box<ServiceError>,
        measured: Option<Measured>,
        state: &mut RetryState,
        is_repeatable: bool,
    ) -> Next {
        let Some(Measured { offset, .. }) = measured else {
            return Next::Policy(Error::Service(error), None);
        };
        let is_first = !state.time_was_corrected;
        state.time_was_corrected = true;
        if is_first {
            tracing::warn!(
                target: TRACING_TARGET,
                operation = error.operation(),
                offset_secs = offset.as_secs(),
                request_id = error.request_id(),
                "the local clock is wrong; signing with the service's"
            );
        }
        if !is_repeatable {
            // It cannot be tried here, and an upload of streams alone would never get it right without.
            self.clock.keep_untried(offset);
            return Next::End(Error::Service(error));
        }
        let error = Error::Service(error);
        if is_first {
            state.trial = Some((offset, error));
            Next::AtOnce
        } else {
            Next::Policy(error, Some(offset))
        }
    }
}
