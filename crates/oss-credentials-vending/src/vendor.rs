//! Hands out sessions.

use std::fmt;
use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use oss_credentials_core::{
    Clock, Credentials, CredentialsError, CredentialsProvider, ErrorDetail, Invalidation, RefreshingProvider,
    Sleep, SystemClock,
};
use oss_credentials_sts_assume_role::StsAssumeRole;

use crate::allowance::{Allowance, Rate};
use crate::cache::Cache;
use crate::error::VendingError;
use crate::issue::{Issue, Limits, NAME, lock};
use crate::metrics::{Counters, VendorMetrics, count};
use crate::request::{SessionKey, SessionRequest};
use crate::session::Session;

/// Sessions kept unless [`VendorBuilder::capacity`] says otherwise.
const DEFAULT_CAPACITY: NonZeroUsize = NonZeroUsize::new(10_000).unwrap();
/// Sessions of one tenant unless [`VendorBuilder::sessions_per_tenant`] says otherwise.
const DEFAULT_SESSIONS_PER_TENANT: usize = 16;
/// Calls to STS per second unless [`VendorBuilder::calls_per_second`] says otherwise: half of the service's limit, which is
/// 100 for the account with all its users and roles (vendor document: "FAQ about RAM roles and STS tokens").
const DEFAULT_CALLS_PER_SECOND: u32 = 50;
/// Longest wait for a turn unless [`VendorBuilder::max_wait`] says otherwise.
const DEFAULT_MAX_WAIT: Duration = Duration::from_secs(5);

/// Hands out sessions of a role to tenants: cached, one call to STS for each, within limits.
///
/// | situation | what happens |
/// |---|---|
/// | the session is cached and lasts long enough | it is returned; STS is not called |
/// | many callers want the same session at once | one call to STS; all receive its result |
/// | the cached session expires soon, and lasts long enough for this caller | one caller fetches a new one, the others receive the cached one |
/// | STS throttles | no call is made for 1 s, then for twice as long each time, up to 30 s; calls that wait for their turn wait that much longer |
/// | a limit on calls is reached | the call waits for its turn, up to [`VendorBuilder::max_wait`], and then fails |
/// | the cache is full | the least recently used session is dropped |
///
/// A session belongs to one tenant and one request: tenants never share one, even if everything else is equal.
///
/// Clones share everything.
#[derive(Clone)]
pub struct Vendor {
    shared: Arc<Shared>,
}

struct Shared {
    role: StsAssumeRole,
    default_role: String,
    limits: Arc<Limits>,
    cache: Mutex<Cache>,
}

impl Vendor {
    /// Starts a vendor whose sessions are of this role, unless a request names another one. Base credentials, endpoint and
    /// HTTP client are the role's.
    pub fn builder(role: StsAssumeRole) -> VendorBuilder {
        VendorBuilder {
            role,
            capacity: DEFAULT_CAPACITY,
            sessions_per_tenant: DEFAULT_SESSIONS_PER_TENANT,
            calls: Some(Rate::new(DEFAULT_CALLS_PER_SECOND, Duration::from_secs(1))),
            calls_per_tenant: None,
            max_wait: DEFAULT_MAX_WAIT,
            clock: Arc::new(SystemClock),
            sleep: None,
        }
    }

    /// Returns a session that lasts as long as the request requires, from the cache or from STS.
    ///
    /// # Errors
    ///
    /// - [`VendingError::Credentials`]: the request is malformed, STS refused or did not respond, or a limit is reached.
    /// - [`VendingError::NeverLongEnough`], [`VendingError::TooShort`]: no such session lasts long enough.
    pub async fn session(&self, request: &SessionRequest) -> Result<Session, VendingError> {
        let shared = &self.shared;
        count(&shared.limits.counters.requests);
        let wanted = request.lasts_at_least;
        if wanted >= request.key.duration {
            let duration = request.key.duration;
            return Err(VendingError::NeverLongEnough { duration, wanted });
        }
        let provider = shared.provider(&request.key)?;
        let (credentials, is_new) = match provider.credentials().into_ready() {
            Ok(cached) => (cached?, false),
            Err(waiting) => {
                let old = provider.cached();
                let credentials = waiting.await?;
                // A failed refresh returns the old session while it still works.
                let is_new = old.is_none_or(|old| !old.same_generation_as(&credentials));
                (credentials, is_new)
            }
        };
        let mut session = shared.session(credentials)?;
        if session.remaining >= wanted && !is_new {
            count(&shared.limits.counters.hits);
        }
        if session.remaining < wanted && !is_new {
            session = shared.session(provider.refresh_now().await?)?;
        }
        if session.remaining < wanted {
            let remaining = session.remaining;
            return Err(VendingError::TooShort { remaining, wanted });
        }
        Ok(session)
    }

    /// Reports that a service rejected the key of a session: it is dropped, and the next request gets a new one. A session
    /// that is no longer cached is [`Invalidation::AlreadyReplaced`].
    pub fn invalidate(&self, request: &SessionRequest, rejected: &Session) -> Invalidation {
        let provider = lock(&self.shared.cache).get(&request.key);
        provider.map_or(Invalidation::AlreadyReplaced, |provider| {
            provider.invalidate(&rejected.credentials)
        })
    }

    /// Returns the counters.
    pub fn metrics(&self) -> VendorMetrics {
        let sessions = lock(&self.shared.cache).len();
        self.shared.limits.counters.read(sessions)
    }
}

impl Shared {
    fn provider(&self, key: &SessionKey) -> Result<RefreshingProvider<Issue>, CredentialsError> {
        let mut cache = lock(&self.cache);
        if let Some(provider) = cache.get(key) {
            return Ok(provider);
        }
        // Checks the request, so that a malformed one takes no room.
        let role = self.role.for_session(key.call(&self.default_role))?;
        let issue = Issue {
            role,
            limits: Arc::clone(&self.limits),
            tenant: cache.calls_of(&key.tenant),
        };
        let provider = RefreshingProvider::builder(issue)
            .clock(Arc::clone(&self.limits.clock))
            .build();
        let evicted = cache.insert(key.clone(), provider.clone());
        for _ in 0..evicted {
            count(&self.limits.counters.evictions);
        }
        Ok(provider)
    }

    fn session(&self, credentials: Credentials) -> Result<Session, CredentialsError> {
        let Some(expires_at) = credentials.expires_at() else {
            // STS always states it; a session without it could not be honest about how long it lasts.
            return Err(CredentialsError::invalid_response(
                ErrorDetail::builder(NAME, "the session has no expiration")
                    .hint("check that the endpoint is the Security Token Service"),
            ));
        };
        let now = self.limits.clock.now();
        Ok(Session {
            remaining: credentials
                .fresh_until(now)
                .duration_since(now)
                .unwrap_or_default(),
            expires_at,
            credentials,
        })
    }
}

impl fmt::Debug for Vendor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Vendor")
            .field("role", &self.shared.default_role)
            .field("metrics", &self.metrics())
            .finish_non_exhaustive()
    }
}

/// Makes a [`Vendor`]; see [`Vendor::builder`].
#[must_use]
pub struct VendorBuilder {
    role: StsAssumeRole,
    capacity: NonZeroUsize,
    sessions_per_tenant: usize,
    calls: Option<Rate>,
    calls_per_tenant: Option<Rate>,
    max_wait: Duration,
    clock: Arc<dyn Clock>,
    sleep: Option<Arc<dyn Sleep>>,
}

impl VendorBuilder {
    /// Sets how many sessions are kept, at least 1; beyond that the least recently used one is dropped. Default:
    /// 10,000.
    pub fn capacity(mut self, sessions: usize) -> Self {
        self.capacity = NonZeroUsize::new(sessions).unwrap_or(NonZeroUsize::MIN);
        self
    }

    /// Sets how many sessions of one tenant are kept, at least 1; beyond that the tenant's own oldest one is dropped,
    /// so that no tenant takes the room of others. Default: 16.
    pub fn sessions_per_tenant(mut self, sessions: usize) -> Self {
        self.sessions_per_tenant = sessions;
        self
    }

    /// Sets how many calls to STS are made per second, at least 1. Default: 50. The service's own limit is per account.
    pub fn calls_per_second(mut self, calls: u32) -> Self {
        self.calls = Some(Rate::new(calls, Duration::from_secs(1)));
        self
    }

    /// Sets how many calls to STS are made for one tenant in each such time, at least 1. Default: no limit.
    pub fn calls_per_tenant(mut self, calls: u32, per: Duration) -> Self {
        self.calls_per_tenant = Some(Rate::new(calls, per));
        self
    }

    /// Sets how long a call waits for its turn before it fails. Default: 5 s. Without tokio and
    /// [`VendorBuilder::sleep`] no call waits.
    pub fn max_wait(mut self, wait: Duration) -> Self {
        self.max_wait = wait;
        self
    }

    /// Sets the clock. Give the role the same one. Default: [`SystemClock`].
    pub fn clock(mut self, clock: impl Clock) -> Self {
        self.clock = Arc::new(clock);
        self
    }

    /// Sets the timer with which calls wait for their turn. Default: tokio's timer, with the feature `tokio` and inside
    /// a runtime.
    pub fn sleep(mut self, sleep: impl Sleep) -> Self {
        self.sleep = Some(Arc::new(sleep));
        self
    }

    /// Builds the vendor. It sends nothing before a session is requested.
    pub fn build(self) -> Vendor {
        let limits = Limits {
            clock: self.clock,
            sleep: self.sleep,
            max_wait: self.max_wait,
            calls: Mutex::new(Allowance::new(self.calls)),
            counters: Counters::default(),
        };
        Vendor {
            shared: Arc::new(Shared {
                default_role: self.role.role_arn().to_owned(),
                role: self.role,
                limits: Arc::new(limits),
                cache: Mutex::new(Cache::new(
                    self.capacity,
                    self.sessions_per_tenant,
                    self.calls_per_tenant,
                )),
            }),
        }
    }
}

impl fmt::Debug for VendorBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VendorBuilder")
            .field("capacity", &self.capacity)
            .field("sessions_per_tenant", &self.sessions_per_tenant)
            .field("calls", &self.calls)
            .field("calls_per_tenant", &self.calls_per_tenant)
            .field("max_wait", &self.max_wait)
            .finish_non_exhaustive()
    }
}
