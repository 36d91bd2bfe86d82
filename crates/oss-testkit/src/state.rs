//! The state of the local cloud: keys, roles, objects, and recorded requests.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use oss_credentials_core::{Clock, Credentials, Sleep};

use crate::account::{Key, Principal, Role, new_session_key};
use crate::fault::{Fault, Script};
use crate::record::{RecordedRequest, Service};
use crate::time::{MAX_SKEW, shift};

/// Requests kept; the oldest are forgotten, so that a long run does not fill the memory.
const MAX_RECORDS: usize = 10_000;

/// The state that all services share. Its mutable part is behind one lock, held only for bookkeeping.
pub(crate) struct State {
    pub(crate) account: String,
    pub(crate) region: String,
    /// Length of all sessions, whatever is asked for.
    pub(crate) session_length: Option<Duration>,
    /// Most bytes of a request body that is kept.
    pub(crate) body_limit: usize,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) sleep: Arc<dyn Sleep>,
    pub(crate) inner: Mutex<Inner>,
}

#[derive(Default)]
pub(crate) struct Inner {
    pub(crate) keys: HashMap<String, Key>,
    pub(crate) roles: HashMap<String, Role>,
    /// Nonces used with a key, and when they were.
    nonces: HashMap<(String, String), SystemTime>,
    /// The VPC that requests come from, if they do not come from the internet.
    pub(crate) source_vpc: Option<String>,
    clock_offset: i64,
    script: Script,
    requests: VecDeque<RecordedRequest>,
    /// How many recorded requests were dropped.
    forgotten: u64,
    counts: BTreeMap<(Service, String), u64>,
}

impl State {
    pub(crate) fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The services' time, `extra` seconds further ahead.
    pub(crate) fn now(&self, extra: i64) -> SystemTime {
        let offset = self.lock().clock_offset.saturating_add(extra);
        let now = self.clock.now();
        shift(now, offset).unwrap_or(now)
    }

    pub(crate) fn key(&self, id: &str) -> Option<Key> {
        self.lock().keys.get(id).cloned()
    }

    /// The ARN of a role of the account.
    pub(crate) fn role_arn(&self, name: &str) -> String {
        format!("acs:ram::{}:role/{name}", self.account)
    }
}

impl Inner {
    pub(crate) fn set_clock_offset(&mut self, seconds: i64) {
        self.clock_offset = seconds;
    }

    pub(crate) fn add_key(&mut self, key: Key) {
        self.keys.insert(key.credentials.access_key_id().to_owned(), key);
    }

    /// Returns whether a session has this token.
    pub(crate) fn knows_token(&self, token: &str) -> bool {
        let mut keys = self.keys.values();
        keys.any(|key| key.credentials.security_token() == Some(token))
    }

    /// Creates and stores the key of a session.
    pub(crate) fn issue(
        &mut self,
        principal: Principal,
        expires_at: SystemTime,
    ) -> Result<Credentials, oss_credentials_core::CredentialsError> {
        let (id, secret, token) = new_session_key();
        let credentials = Credentials::builder(id, secret)
            .security_token(token)
            .expires_at(expires_at)
            .source("oss-testkit")
            .build()?;
        self.add_key(Key::new(credentials.clone(), principal));
        Ok(credentials)
    }

    /// Remembers a nonce for as long as a request with it would be accepted; false if it was used before.
    pub(crate) fn use_nonce(&mut self, key: &str, nonce: &str, now: SystemTime) -> bool {
        // A request may be signed up to MAX_SKEW ahead, and then be repeated until MAX_SKEW after that.
        let kept = MAX_SKEW * 2;
        self.nonces
            .retain(|_, used| now.duration_since(*used).is_ok_and(|age| age <= kept) || *used > now);
        self.nonces
            .insert((key.to_owned(), nonce.to_owned()), now)
            .is_none()
    }

    pub(crate) fn script(&mut self) -> &mut Script {
        &mut self.script
    }

    /// Counts and records a request; returns what [`Inner::finish`] needs, and the fault that takes it.
    pub(crate) fn admit(&mut self, request: RecordedRequest) -> (u64, Option<Fault>) {
        let fault = self
            .script
            .take(request.service, &request.action, request.path(), |name| {
                request.parameter(name)
            });
        *self
            .counts
            .entry((request.service, request.action.clone()))
            .or_default() += 1;
        if self.requests.len() == MAX_RECORDS {
            self.requests.pop_front();
            self.forgotten += 1;
        }
        self.requests.push_back(request);
        (self.forgotten + self.requests.len() as u64 - 1, fault)
    }

    /// Completes the record of a request with its response.
    pub(crate) fn finish(&mut self, id: u64, status: u16, error_code: Option<String>) {
        let at = id
            .checked_sub(self.forgotten)
            .and_then(|at| usize::try_from(at).ok());
        if let Some(request) = at.and_then(|at| self.requests.get_mut(at)) {
            request.status = Some(status);
            request.error_code = error_code;
        }
    }

    pub(crate) fn requests(&self) -> Vec<RecordedRequest> {
        self.requests.iter().cloned().collect()
    }

    pub(crate) fn count(&self, service: Service, action: &str) -> u64 {
        self.counts
            .get(&(service, action.to_owned()))
            .copied()
            .unwrap_or_default()
    }

    pub(crate) fn forget_requests(&mut self) {
        self.forgotten += self.requests.len() as u64;
        self.requests.clear();
        self.counts.clear();
    }
}

impl fmt::Debug for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("State")
            .field("account", &self.account)
            .field("region", &self.region)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_nonce_is_remembered_per_key_for_as_long_as_its_request_is_good() {
        let mut inner = Inner::default();
        let start = SystemTime::UNIX_EPOCH + Duration::from_secs(1_767_256_200);
        assert!(inner.use_nonce("a", "n", start));
        assert!(!inner.use_nonce("a", "n", start));
        assert!(inner.use_nonce("b", "n", start));
        assert!(!inner.use_nonce("a", "n", start + Duration::from_secs(1800)));
        assert!(inner.use_nonce("a", "n", start + Duration::from_secs(3601)));
    }
}
