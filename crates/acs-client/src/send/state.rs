//! The state of one call, and what follows a failed attempt.

use std::time::Duration;

use oss_credentials_core::sleeper;
use oss_credentials_http::CallClock;

use super::failure::{self, Again, Failure};
use super::identity::Identity;
use super::pause;
use crate::call::Call;
use crate::caller::Caller;
use crate::client::AcsClient;
use crate::error::AcsError;
use crate::{TRACING_TARGET, events};

/// A call in progress. Each attempt has its own nonce. After a failed attempt, the call
///
/// - is repeated at once, if the nonce was already used, if the clock was corrected ([`CallClock`], once), or if
///   another key has replaced a rejected one (once);
/// - is repeated after a backoff, if the failure is temporary and there is a timer;
/// - ends with the error otherwise, and when attempts or time have run out.
pub(super) struct CallState<'a> {
    pub(super) client: &'a AcsClient,
    pub(super) call: &'a Call<'a>,
    pub(super) caller: Caller<'a>,
    pub(super) identity: Identity,
    pub(super) clock: CallClock<'a>,
    /// Number of the attempt, from 1.
    pub(super) attempt: u32,
    key_was_replaced: bool,
    began: Duration,
}

impl<'a> CallState<'a> {
    pub(super) async fn begin(
        client: &'a AcsClient,
        caller: Caller<'a>,
        call: &'a Call<'a>,
    ) -> Result<Self, AcsError> {
        if let Some(problem) = call.problem {
            return Err(failure::invalid(client, call, problem, "correct the call"));
        }
        let began = elapsed(client);
        let identity = Identity::of(caller)
            .await
            .map_err(|error| AcsError::new(error, call.action.clone()))?;
        Ok(Self {
            client,
            call,
            caller,
            identity,
            clock: client.inner.clock.begin(client.inner.endpoint.is_protected()),
            attempt: 1,
            key_was_replaced: false,
            began,
        })
    }

    /// What is left of the call's time; `None` if nothing is.
    pub(super) fn left(&self) -> Option<Duration> {
        let Some(deadline) = self.call.deadline else {
            return Some(Duration::MAX);
        };
        // If the clock was set back, the time starts anew.
        let gone = elapsed(self.client).saturating_sub(self.began);
        deadline.checked_sub(gone).filter(|left| !left.is_zero())
    }

    /// Secrets among the parameters of an unsigned call.
    pub(super) fn secrets(&self) -> &'a [&'a str] {
        match self.caller {
            Caller::Unsigned(secrets) => secrets,
            #[cfg(feature = "signed")]
            _ => &[],
        }
    }

    /// Prepares the next attempt, or ends the call with the error.
    pub(super) async fn prepare_next(&mut self, failure: Failure) -> Result<(), AcsError> {
        self.log(&failure.error);
        let Failure {
            error,
            again,
            clock_offset,
        } = failure;
        let has_attempts = self.attempt < self.max_attempts();
        let goes_on = match again {
            Again::No => false,
            Again::AtOnce => has_attempts,
            // What was learned is discarded even if no attempt is left.
            Again::WithCorrectedClock => self.clock.refused(clock_offset) && has_attempts,
            Again::WithAnotherKey => self.replace_key(has_attempts).await,
            Again::Later(asked) => has_attempts && self.wait(asked).await,
        };
        if !goes_on {
            return Err(error);
        }
        self.attempt += 1;
        Ok(())
    }

    fn max_attempts(&self) -> u32 {
        self.call.max_attempts.unwrap_or(self.client.inner.max_attempts)
    }

    /// Reports the rejected key, and obtains another one if an attempt may follow and this is the first rejection.
    async fn replace_key(&mut self, has_attempts: bool) -> bool {
        let may_replace = has_attempts && !self.key_was_replaced;
        let Some(other) = self.identity.replaced(self.caller, may_replace).await else {
            return false;
        };
        self.key_was_replaced = true;
        self.identity = other;
        true
    }

    /// Waits before the next attempt; `false` if there is no timer, or no time.
    async fn wait(&self, asked: Option<Duration>) -> bool {
        let Some(sleep) = sleeper(self.client.inner.sleep.as_ref()) else {
            return false;
        };
        let Some(pause) = pause::pause(self.attempt - 1, asked) else {
            return false;
        };
        if self.left().is_none_or(|left| left <= pause) {
            return false;
        }
        sleep.sleep(pause).await;
        true
    }

    fn log(&self, error: &AcsError) {
        tracing::debug!(
            name: events::CALL_FAILED, target: TRACING_TARGET, provider = self.client.name(),
            action = error.action(), attempt = self.attempt, kind = error.error().kind(), code = error.code(),
            request_id = error.request_id(), event = events::CALL_FAILED,
            "the call failed"
        );
    }
}

/// The time since some instant, by a clock that cannot be set if there is one.
fn elapsed(client: &AcsClient) -> Duration {
    let clock = client.inner.clock.local();
    clock.monotonic().unwrap_or_else(|| {
        let since = clock.now().duration_since(std::time::SystemTime::UNIX_EPOCH);
        since.unwrap_or_default()
    })
}
