//! The meaning of a failed attempt.

use std::time::Duration;

use oss_credentials_core::{ClockOffset, CredentialsError, ErrorDetail};

use crate::call::Call;
use crate::client::AcsClient;
use crate::error::AcsError;

/// Whether to retry, and when.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Again {
    No,
    /// At once: only nonce and timestamp have to be new.
    AtOnce,
    /// At once, with the clock corrected by the response's `Date`.
    WithCorrectedClock,
    /// At once, if there is another key instead of the rejected one.
    WithAnotherKey,
    /// After a backoff, at least as long as the service asked for.
    Later(Option<Duration>),
}

pub(super) struct Failure {
    pub(super) error: AcsError,
    pub(super) again: Again,
    /// What the response shows.
    pub(super) clock_offset: Option<ClockOffset>,
}

impl Failure {
    pub(super) fn end(error: AcsError) -> Self {
        Self {
            error,
            again: Again::No,
            clock_offset: None,
        }
    }
}

/// A call that cannot be made.
pub(super) fn invalid(
    client: &AcsClient,
    call: &Call<'_>,
    what: &'static str,
    hint: &'static str,
) -> AcsError {
    let detail = ErrorDetail::builder(client.name(), what)
        .place(client.place(call.method, &call.path))
        .hint(hint);
    AcsError::new(CredentialsError::invalid_config(detail), call.action.clone())
}
