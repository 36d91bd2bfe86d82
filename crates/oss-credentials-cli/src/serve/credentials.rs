//! The provider that an agent shares.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use oss_credentials::{
    BoxFuture, Clock as _, CredentialsError, CredentialsProvider as _, CredentialsSource, ErrorDetail,
    Fetched, RefreshStatus, RefreshingProvider, SystemClock,
};

use crate::chain::{Chain, ChainOptions};
use crate::failure::Failure;
use crate::guard;

/// Name of the source, in errors and logs.
const NAME: &str = "serve";
/// How long before their expiry credentials are refreshed, half of their lifetime at most. The vendor's SDKs fetch
/// again 15 minutes before it. Jitter shortens this to 21.6 minutes at least.
const WINDOW: Duration = Duration::from_secs(24 * 60);
/// How long credentials from a variable or a file are shared before they are looked at again.
const LOOK_INTERVAL: Duration = Duration::from_secs(60);

/// Builds a new chain for each fetch: it has no cache that would return expiring credentials, and it reads settings and
/// files again. The chain is pinned to the member that returned credentials first, since another member is another
/// identity.
pub(super) struct ChainSource {
    options: ChainOptions,
    member: Mutex<Option<&'static str>>,
}

/// The provider over a source, which refreshes in the background.
pub(super) fn provider<S: CredentialsSource>(source: S) -> RefreshingProvider<S> {
    RefreshingProvider::builder(source)
        .window(WINDOW)
        .background_refresh(true)
        .build()
}

impl ChainSource {
    pub(super) fn new(options: ChainOptions) -> Self {
        Self {
            options,
            member: Mutex::default(),
        }
    }

    /// Lets the next fetch ask the whole chain.
    pub(super) fn forget_member(&self) {
        *self.member() = None;
    }

    fn member(&self) -> MutexGuard<'_, Option<&'static str>> {
        self.member.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn ask(&self) -> Result<Fetched, CredentialsError> {
        let only = *self.member();
        let env = self.options.env().map_err(unreadable)?;
        let chain = Chain::new(Arc::new(env), only)?;
        let credentials = guard::explained(chain.provider.credentials().await)?;
        *self.member() = chain.provider.answered();
        let status = chain.provider.refresh_status();
        let next = status.as_ref().and_then(RefreshStatus::next_attempt);
        let is_due_after = next.and_then(|at| at.duration_since(SystemClock.now()).ok());
        let looks = || (credentials.expires_at().is_none()).then_some(LOOK_INTERVAL);
        let refresh_after = is_due_after.or_else(looks);
        Ok(Fetched::new(credentials)
            .with_refresh_after(refresh_after)
            .with_clock_offset(status.as_ref().and_then(RefreshStatus::clock_offset)))
    }
}

/// The failure to read a file that a flag names. Contradictions of flags were found at the start.
fn unreadable(failure: Failure) -> CredentialsError {
    let (command, text) = match failure {
        Failure::Own { command, text, .. } => (command, text),
        other => (NAME, other.to_string().into()),
    };
    let detail = ErrorDetail::builder(command, text).hint("correct the file that the flag names");
    CredentialsError::invalid_config(detail)
}

impl CredentialsSource for ChainSource {
    fn name(&self) -> &'static str {
        NAME
    }

    fn fetch(&self) -> BoxFuture<'_, Result<Fetched, CredentialsError>> {
        Box::pin(self.ask())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use oss_credentials::{Credentials, blocking, source_fn};

    /// Minutes between the refresh and the expiry of credentials with this lifetime.
    fn minutes_left(lifetime: Duration) -> u64 {
        let expires_at = SystemClock.now() + lifetime;
        let provider = provider(source_fn("test", move || async move {
            let credentials = Credentials::builder("id", "secret")
                .expires_at(expires_at)
                .build()?;
            Ok(Fetched::from(credentials))
        }));
        blocking::wait(provider.credentials()).unwrap();
        let next = provider.status().next_attempt().unwrap();
        expires_at.duration_since(next).unwrap().as_secs() / 60
    }

    #[test]
    fn a_refresh_comes_with_twenty_minutes_left_where_the_lifetime_allows_that() {
        let minutes = |count: u64| Duration::from_secs(count * 60);
        for _ in 0..20 {
            assert!((20..=24).contains(&minutes_left(minutes(60))));
            assert!((20..=24).contains(&minutes_left(minutes(720))));
            assert!((6..=7).contains(&minutes_left(minutes(15))), "half of it");
        }
    }
}
