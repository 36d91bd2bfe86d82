//! What an operation has learned from its attempts, and what it does next.
//!
//! # States
//!
//! [`RetryState`] states how the next attempt differs from the first:
//!
//! | state | the next attempt | the state that follows |
//! |---|---|---|
//! | *fresh* | as the first | *key rejected* or *clock on trial*, once each |
//! | *key rejected* (`rejected`) | needs other credentials, or the operation ends with that refusal | *fresh*; a second rejection is the policy's |
//! | *clock on trial* ([`CallClock`]) | is signed for the time that a refusal showed | *fresh* with the offset kept, once the service takes the time; *clock on trial* with a newer offset, if it refuses the time again and the policy allows; *fresh* without it, if another server responds |
//!
//! [`Next`] is the transition: a retry at once, a decision of the policy, or the end. Only the first correction of each
//! kind is at once, so that two servers with different clocks cannot make a loop.

use oss_credentials_core::{ClockOffset, Credentials};
use oss_credentials_http::CallClock;
use reqwest::header::HeaderMap;
use reqwest::{Method, StatusCode};

use crate::TRACING_TARGET;
use crate::client::Inner;
use crate::clock::Exchange;
use crate::error::Error;
use crate::observe::names;
use crate::operation::Operation;
use crate::service_error::ServiceError;

/// A refused attempt.
pub(super) struct Refused {
    /// The service's error.
    pub(super) error: Box<ServiceError>,
    pub(super) used: Credentials,
    pub(super) exchange: Exchange,
    /// A redirect led to another server.
    pub(super) is_cross_origin: bool,
}

/// What earlier attempts of the same operation have shown.
pub(super) struct RetryState<'c> {
    /// How many attempts there were.
    number: u32,
    key_was_reported: bool,
    time_was_corrected: bool,
    /// The credentials that were refused, and how.
    rejected: Option<(Credentials, Error)>,
    clock: CallClock<'c>,
    /// The refusal whose time is on trial.
    refusal: Option<Error>,
    /// Whether an attempt may have changed something, although it failed.
    may_have_succeeded: bool,
}

/// What to do after a failure.
pub(super) enum Next {
    /// Retry at once.
    AtOnce,
    /// Let the policy decide.
    Policy(Error),
    End(Error),
}

impl<'c> RetryState<'c> {
    pub(super) fn new(clock: CallClock<'c>) -> Self {
        Self {
            number: 0,
            key_was_reported: false,
            time_was_corrected: false,
            rejected: None,
            clock,
            refusal: None,
            may_have_succeeded: false,
        }
    }

    pub(super) fn begin_attempt(&mut self) {
        self.number = self.number.saturating_add(1);
    }

    /// How many attempts there were, the present one included.
    pub(super) fn number(&self) -> u32 {
        self.number
    }

    /// Whether sending with these credentials can succeed.
    pub(super) fn check(&mut self, credentials: &Credentials) -> Result<(), Error> {
        match self.rejected.take() {
            // The provider has no others, so a second attempt would fail in the same way.
            Some((used, error)) if used.same_generation_as(credentials) => Err(error),
            _ => Ok(()),
        }
    }

    /// The offset that the next attempt is signed with.
    pub(super) fn offset(&self) -> ClockOffset {
        self.clock.offset().unwrap_or_default()
    }

    /// Whether an earlier attempt may have changed something, although it failed.
    pub(super) fn may_have_succeeded(&self) -> bool {
        self.may_have_succeeded
    }

    /// Records that the policy allows another attempt.
    pub(super) fn continues_after(&mut self, error: Error, method: &Method) {
        self.may_have_succeeded |= !method.is_safe() && leaves_outcome_open(&error);
        if error.service().is_some_and(ServiceError::rejects_time) {
            self.refusal = Some(error);
        }
    }

    /// Records that the service accepted the time.
    pub(super) fn time_was_accepted(&mut self, exchange: Exchange, headers: &HeaderMap) {
        // Usually no offset is in use, and nothing is measured.
        let shown = self.clock.offset().and_then(|_| exchange.shown(headers));
        self.clock.accepted(shown);
        self.refusal = None;
    }

    /// Decides what follows a failure without a response.
    pub(super) fn unanswered(&mut self, error: Error) -> Next {
        match (&error, self.refusal.take()) {
            // The corrected time is the cause, and it came with that refusal.
            (Error::Sign(_), Some(before)) => Next::End(before),
            (_, refusal) => {
                self.refusal = refusal;
                Next::Policy(error)
            }
        }
    }
}

impl Inner {
    /// Decides what follows a refusal: reports a rejected key to the provider, and determines how a second attempt
    /// differs.
    pub(super) fn learn<'c>(
        &'c self,
        refused: Refused,
        state: &mut RetryState<'c>,
        operation: &Operation,
    ) -> Next {
        let Refused {
            error,
            used,
            exchange,
            is_cross_origin,
        } = refused;
        // Another server received no signature, so its response shows nothing about keys and clock.
        if is_cross_origin {
            state.clock = self.call_clock();
            state.refusal = None;
            return Next::Policy(Error::Service(error));
        }
        let is_repeatable = operation.body.is_repeatable();
        if error.rejects_time() {
            return learn_time(error, exchange, state, is_repeatable);
        }
        // A failing service may respond before it checks anything, and a proxy's page involves no check at all.
        if error.is_of_service() && !error.status().is_server_error() {
            state.time_was_accepted(exchange, error.headers());
        }
        if !error.rejects_key() || used.is_anonymous() || state.key_was_reported {
            return Next::Policy(Error::Service(error));
        }
        self.learn_key(error, used, state, is_repeatable)
    }

    /// Decides what follows the first refusal of the key.
    fn learn_key(
        &self,
        error: Box<ServiceError>,
        used: Credentials,
        state: &mut RetryState<'_>,
        is_repeatable: bool,
    ) -> Next {
        state.key_was_reported = true;
        let may_retry = self.provider.invalidate(&used).may_retry();
        tracing::warn!(
            name: names::KEY_REJECTED,
            target: TRACING_TARGET,
            operation = error.operation(),
            provider = self.provider.name(),
            code = error.code(),
            request_id = error.request_id(),
            event = names::KEY_REJECTED,
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
}

/// Whether the service may have carried out the attempt that failed like this.
fn leaves_outcome_open(error: &Error) -> bool {
    match error {
        Error::Transport(error) => error.may_have_arrived(),
        // With a status of success, the service failed while it carried out the request.
        Error::Service(error) => {
            let status = error.status();
            status.is_success() || status.is_server_error() && status != StatusCode::NOT_IMPLEMENTED
        }
        // Something else was stored, or a success was reported.
        Error::Corrupted(_) | Error::InvalidResponse(_) => true,
        _ => false,
    }
}

/// Decides what follows a refusal of the signing time.
fn learn_time(
    error: Box<ServiceError>,
    exchange: Exchange,
    state: &mut RetryState<'_>,
    is_repeatable: bool,
) -> Next {
    let shown = exchange.shown_by_refusal(error.headers(), error.field("ServerTime"));
    if !state.clock.refused_again(shown) {
        return Next::Policy(Error::Service(error));
    }
    let is_first = !std::mem::replace(&mut state.time_was_corrected, true);
    if is_first {
        tracing::warn!(
            name: names::CLOCK_CORRECTED,
            target: TRACING_TARGET,
            operation = error.operation(),
            offset_secs = state.offset().as_secs(),
            request_id = error.request_id(),
            event = names::CLOCK_CORRECTED,
            "the local clock is wrong; signing with the service's"
        );
    }
    let error = Error::Service(error);
    if !is_repeatable {
        // It cannot be tried here, and an upload of streams alone would never get it right without.
        state.clock.leave_untried();
        return Next::End(error);
    }
    if is_first {
        state.refusal = Some(error);
        return Next::AtOnce;
    }
    Next::Policy(error)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::TransportError;
    use crate::service_error::tests::context;
    use oss_credentials_http::{HttpError, HttpErrorKind};

    #[test]
    fn a_request_that_was_never_sent_has_not_succeeded() {
        // EMFILE, WSAEMFILE
        let out_of_files = std::io::Error::from_raw_os_error(if cfg!(unix) { 24 } else { 10_024 });
        for (error, is_open) in [
            (HttpError::new(HttpErrorKind::Connect, "x"), false),
            (HttpError::new(HttpErrorKind::Tls, "x"), false),
            (HttpError::new(HttpErrorKind::Request, "x"), false),
            (HttpError::new(HttpErrorKind::Timeout, "x"), true),
            (HttpError::new(HttpErrorKind::Interrupted, "x"), true),
            (HttpError::new(HttpErrorKind::Other, "x"), true),
            (HttpError::new(HttpErrorKind::Other, out_of_files), false),
        ] {
            let shown = format!("{error:?}");
            let error = TransportError::new(context(), error);
            assert_eq!(
                leaves_outcome_open(&Error::Transport(Box::new(error))),
                is_open,
                "{shown}"
            );
        }
    }
}
