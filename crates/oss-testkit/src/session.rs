//! Sessions of roles, as the services begin and replace them.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use oss_credentials_core::{Credentials, CredentialsError};

use crate::account::Principal;
use crate::policy::Policy;
use crate::service::Judgement;
use crate::state::State;
use crate::time::{iso, parse_iso, shift};

/// A temporary key and its times, in whole seconds as the responses write them.
#[derive(Clone, Debug)]
pub(crate) struct Session {
    pub(crate) credentials: Credentials,
    pub(crate) begun_at: SystemTime,
    pub(crate) expires_at: SystemTime,
}

impl Session {
    /// Creates a key for the session; the services accept it until the expiry stated in the response.
    ///
    /// The cloud's own length of sessions goes before `lifetime`.
    pub(crate) fn begin(
        state: &State,
        principal: Principal,
        lifetime: Duration,
        judgement: Judgement,
    ) -> Result<Self, CredentialsError> {
        let now = state.now(judgement.clock_offset);
        let begun_at = parse_iso(&iso(now)).unwrap_or(now);
        let lifetime = state.session_length.unwrap_or(lifetime);
        let seconds = if judgement.expired_credentials {
            -1
        } else {
            i64::try_from(lifetime.as_secs()).unwrap_or_default()
        };
        let expires_at = shift(begun_at, seconds).unwrap_or(begun_at);
        let credentials = state.lock().issue(principal, expires_at)?;
        Ok(Self {
            credentials,
            begun_at,
            expires_at,
        })
    }

    /// Restricts the key to what a session policy allows; without a policy the role alone decides.
    pub(crate) fn restrict(&self, state: &State, policy: Option<Policy>) {
        if let Some(key) = state.lock().keys.get_mut(self.credentials.access_key_id()) {
            key.policy = policy.map(Arc::new);
        }
    }

    /// Whether the service issues another key by now: less than a sixth of the lifetime is left, one hour of six.
    fn is_due(&self, now: SystemTime) -> bool {
        let whole = self.expires_at.duration_since(self.begun_at).unwrap_or_default();
        let left = self.expires_at.duration_since(now).unwrap_or_default();
        left.is_zero() || left < whole / 6
    }
}

/// The session that a service hands out to everybody who asks, until it is time for another one.
#[derive(Debug, Default)]
pub(crate) struct Rotation(Option<Session>);

impl Rotation {
    /// The session to hand out now.
    pub(crate) fn current(
        &mut self,
        state: &State,
        principal: Principal,
        lifetime: Duration,
        judgement: Judgement,
    ) -> Result<Session, CredentialsError> {
        if judgement.expired_credentials {
            // For this one request: the others go on getting one that works.
            return Session::begin(state, principal, lifetime, judgement);
        }
        let now = state.now(judgement.clock_offset);
        if let Some(session) = self.0.as_ref().filter(|session| !session.is_due(now)) {
            return Ok(session.clone());
        }
        let session = Session::begin(state, principal, lifetime, judgement)?;
        self.0 = Some(session.clone());
        Ok(session)
    }

    /// The next request gets another session; the old key stays good until its end.
    pub(crate) fn rotate(&mut self) {
        self.0 = None;
    }
}
