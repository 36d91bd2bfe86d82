//! Requests a session from STS, within the limits.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use oss_credentials_core::{
    BoxFuture, Clock, CredentialsError, CredentialsSource, ErrorDetail, Fetched, Sleep, sleeper,
};
use oss_credentials_sts_assume_role::StsAssumeRole;

use crate::allowance::Allowance;
use crate::metrics::{Counters, count};

pub(crate) const NAME: &str = "vending";

/// What all sessions of a vendor share.
pub(crate) struct Limits {
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) sleep: Option<Arc<dyn Sleep>>,
    pub(crate) max_wait: Duration,
    pub(crate) calls: Mutex<Allowance>,
    pub(crate) counters: Counters,
}

impl Limits {
    /// A reading of the monotonic clock, or of the wall clock where there is none.
    pub(crate) fn moment(&self) -> Duration {
        let since_epoch = || {
            self.clock
                .now()
                .duration_since(std::time::UNIX_EPOCH)
                .unwrap_or_default()
        };
        self.clock.monotonic().unwrap_or_else(since_epoch)
    }

    /// Waits for the turn of a call of this tenant, and as much longer as the service's throttling requires.
    async fn turn(&self, tenant: &Mutex<Allowance>) -> Result<(), CredentialsError> {
        let sleep = sleeper(self.sleep.as_ref());
        let (of_all, of_own, held) = {
            let now = self.moment();
            let (mut all, mut own) = (lock(&self.calls), lock(tenant));
            let (of_all, of_own) = (all.wait(now), own.wait(now));
            let wait = of_all.max(of_own);
            // A call that would wait for too long takes no turn. One that a pause delays by too much has taken it.
            if wait > self.max_wait || (sleep.is_none() && !wait.is_zero()) {
                return Err(self.limited(wait));
            }
            all.take(now);
            own.take(now);
            (of_all, of_own, all.held())
        };
        let mut waited = Duration::ZERO;
        loop {
            let now = self.moment();
            let wait = {
                let all = lock(&self.calls);
                // A pause delays the queue of all calls, and not the tenant's own turn.
                let of_all = of_all.saturating_add(all.held().saturating_sub(held));
                of_all.max(of_own).saturating_sub(waited).max(all.pause(now))
            };
            if wait.is_zero() {
                return Ok(());
            }
            let Some(sleep) = sleep
                .as_ref()
                .filter(|_| waited.saturating_add(wait) <= self.max_wait)
            else {
                return Err(self.limited(wait));
            };
            sleep.sleep(wait).await;
            waited = waited.saturating_add(wait);
        }
    }

    fn limited(&self, wait: Duration) -> CredentialsError {
        count(&self.counters.limited);
        let what = format!(
            "the limits on calls would make this one wait for {} ms",
            wait.as_millis()
        );
        CredentialsError::unavailable(
            ErrorDetail::builder(NAME, what)
                .hint("retry later, or raise calls_per_second(..), calls_per_tenant(..) or max_wait(..)"),
        )
    }
}

pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // Every state behind these locks is valid at any time.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The source of one session: a call to STS that keeps to the limits.
pub(crate) struct Issue {
    pub(crate) role: StsAssumeRole,
    pub(crate) limits: Arc<Limits>,
    pub(crate) tenant: Arc<Mutex<Allowance>>,
}

impl CredentialsSource for Issue {
    fn name(&self) -> &'static str {
        NAME
    }

    fn fetch(&self) -> BoxFuture<'_, Result<Fetched, CredentialsError>> {
        Box::pin(async move {
            self.limits.turn(&self.tenant).await?;
            count(&self.limits.counters.sts_calls);
            let result = self.role.fetch().await;
            self.note(result.as_ref().err());
            result
        })
    }
}

impl Issue {
    fn note(&self, error: Option<&CredentialsError>) {
        let Some(error) = error else {
            lock(&self.limits.calls).succeeded();
            return;
        };
        count(&self.limits.counters.failures);
        if is_throttled(error) {
            count(&self.limits.counters.throttled);
            lock(&self.limits.calls).throttled(self.limits.moment());
        }
    }
}

/// Whether STS refused a call because there were too many: HTTP 429, or a code `Throttling` or `Throttling.<what>`.
fn is_throttled(error: &CredentialsError) -> bool {
    error.detail().is_some_and(|detail| {
        let by_code = |code: &str| code.split('.').next() == Some("Throttling");
        detail.http_status() == Some(429) || detail.code().is_some_and(by_code)
    })
}
