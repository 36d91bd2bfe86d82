//! Several providers, called in order, without silent changes of identity.

use std::sync::atomic::{AtomicUsize, Ordering};

use crate::TRACING_TARGET;
use crate::credentials::Credentials;
use crate::detail::ErrorDetail;
use crate::error::{ChainReport, CredentialsError};
use crate::invalidation::Invalidation;
use crate::provider::{CredentialsFuture, CredentialsProvider};
use crate::status::RefreshStatus;

/// Names of events, as in `docs/events.md`.
mod names {
    pub(super) const STOPPED: &str = "chain.stopped";
    pub(super) const MEMBER_FAILED: &str = "chain.member_failed";
    pub(super) const MEMBER_CHOSEN: &str = "chain.member_chosen";
    pub(super) const MEMBER_CHANGED: &str = "chain.member_changed";
}

/// Value of `answered` before any member has returned credentials.
const NOBODY: usize = usize::MAX;

/// What a chain does when a configured member fails.
///
/// # Examples
///
/// ```
/// use oss_credentials_core::{blocking, ChainPolicy, ChainProvider, Credentials, CredentialsError, CredentialsProvider,
///     ErrorDetail};
///
/// let partial: Result<Credentials, _> =
///     Err(CredentialsError::invalid_config(ErrorDetail::builder("env", "the secret is missing")));
/// let chain = |policy| {
///     ChainProvider::builder()
///         .member("env", partial.clone())
///         .member("fixed", Credentials::builder("id", "secret").build())
///         .policy(policy)
///         .build()
/// };
/// assert!(blocking::wait(chain(ChainPolicy::StopOnFailure).credentials()).is_err());
/// assert!(blocking::wait(chain(ChainPolicy::ContinueOnFailure).credentials()).is_ok());
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ChainPolicy {
    /// Stops and reports the error. The default: continuing would silently switch to a different identity.
    #[default]
    StopOnFailure,
    /// Continues with the next member, as the official SDKs do. A warning is logged each time, since the program may
    /// then act as a different identity than its operator intended.
    ContinueOnFailure,
}

/// Calls several providers in order and stays with the first that returned credentials.
///
/// - Only "not configured" makes the chain continue with the next member. A member that is configured but fails
///   stops the chain: continuing would silently switch to a different identity. The error is the member's own,
///   and its hint ends with the place where the chain stopped and the members that were not called.
/// - The chain stays with the member that returned credentials. If that member is no longer configured, this is a
///   failure as well, since continuing would change the identity.
/// - The chain has no cache of its own. [`CredentialsProvider::cached`] and
///   [`CredentialsProvider::invalidate`] are forwarded to the member that returned credentials last.
///
/// # Examples
///
/// ```
/// use oss_credentials_core::{blocking, ChainProvider, Credentials, CredentialsError, CredentialsProvider,
///     ErrorDetail};
///
/// let not_here: Result<Credentials, _> =
///     Err(CredentialsError::not_configured(ErrorDetail::builder("env", "no variable is set")));
/// let chain = ChainProvider::builder()
///     .member("env", not_here)
///     .member("fixed", Credentials::builder("id", "secret").build())
///     .build();
/// assert_eq!(blocking::wait(chain.credentials())?.access_key_id(), "id");
/// assert_eq!(chain.answered(), Some("fixed"));
/// # Ok::<(), CredentialsError>(())
/// ```
#[derive(Debug)]
pub struct ChainProvider {
    members: Vec<Member>,
    policy: ChainPolicy,
    answered: AtomicUsize,
}

#[derive(Debug)]
struct Member {
    name: &'static str,
    provider: Result<Box<dyn CredentialsProvider>, CredentialsError>,
}

impl Member {
    fn credentials(&self) -> CredentialsFuture<'_> {
        match &self.provider {
            Ok(provider) => provider.credentials(),
            Err(error) => CredentialsFuture::ready(Err(error.clone())),
        }
    }

    /// The error of a member that has returned credentials before. If it is no longer configured, that is a failure:
    /// otherwise removing a variable at run time would change the identity.
    fn keep_identity(&self, error: CredentialsError) -> CredentialsError {
        if !error.is_not_configured() {
            return error;
        }
        let reason = error
            .detail()
            .map_or("no member has credentials", ErrorDetail::what);
        let what = format!("it returned credentials before and is no longer configured: {reason}");
        CredentialsError::invalid_config(
            ErrorDetail::builder(self.name, what)
                .hint("restore its configuration, or restart the program to use another provider")
                .source(error),
        )
    }
}

impl ChainProvider {
    /// Starts an empty chain.
    pub fn builder() -> ChainProviderBuilder {
        ChainProviderBuilder {
            members: Vec::new(),
            policy: ChainPolicy::default(),
        }
    }

    /// Returns the name of the member that returned credentials last; `None` before the first time.
    pub fn answered(&self) -> Option<&'static str> {
        self.members
            .get(self.answered.load(Ordering::Acquire))
            .map(|member| member.name)
    }

    /// Returns the names of the members, in the order in which they are called.
    pub fn member_names(&self) -> impl Iterator<Item = &'static str> {
        self.members.iter().map(|member| member.name)
    }

    /// Calls member after member. `reasons` contains the errors of the members before `from`.
    async fn walk(
        &self,
        mut reasons: Vec<(&'static str, CredentialsError)>,
        answered_before: usize,
    ) -> Result<Credentials, CredentialsError> {
        for (index, member) in self.members.iter().enumerate() {
            if index == answered_before {
                continue;
            }
            match member.credentials().await {
                Ok(credentials) => return self.settle(answered_before, index, credentials).await,
                Err(error) => self.pass_on(member, error, &mut reasons)?,
            }
        }
        reasons.sort_by_key(|(name, _)| self.members.iter().position(|member| member.name == *name));
        Err(nobody_answered(reasons))
    }

    /// Keeps the reason and continues, or ends the walk with the error.
    fn pass_on(
        &self,
        member: &Member,
        error: CredentialsError,
        reasons: &mut Vec<(&'static str, CredentialsError)>,
    ) -> Result<(), CredentialsError> {
        if !error.is_not_configured() {
            if self.policy == ChainPolicy::StopOnFailure {
                tracing::debug!(name: names::STOPPED, target: TRACING_TARGET, provider = member.name,
                    kind = error.kind(), event = names::STOPPED,
                    "the chain stops at a provider that is configured and failed");
                return Err(error.with_remark(&self.why_it_stops(member)));
            }
            tracing::warn!(name: names::MEMBER_FAILED, target: TRACING_TARGET, provider = member.name,
                kind = error.kind(), %error, event = names::MEMBER_FAILED,
                "a configured provider failed and the chain continues: the identity may change");
        }
        reasons.push((member.name, error));
        Ok(())
    }

    /// Explains why the remaining members were not called.
    fn why_it_stops(&self, at: &Member) -> String {
        let behind = self
            .members
            .iter()
            .skip_while(|member| !std::ptr::eq(*member, at));
        let not_asked: Vec<_> = behind.skip(1).map(|member| member.name).collect();
        let name = at.name;
        if not_asked.is_empty() {
            return format!("the chain stops at {name}, its last member");
        }
        let not_asked = not_asked.join(", ");
        format!("the chain stops at {name}, which is configured, and does not try {not_asked}")
    }

    /// Makes a member the one that is called from now on, unless a concurrent walk was faster: two concurrent walks
    /// must not end with two identities.
    async fn settle(
        &self,
        before: usize,
        index: usize,
        credentials: Credentials,
    ) -> Result<Credentials, CredentialsError> {
        let won = self
            .answered
            .compare_exchange(before, index, Ordering::AcqRel, Ordering::Acquire);
        match won {
            Ok(_) => self.log_answer(before, index, &credentials),
            Err(other) if other != index => {
                if let Some(member) = self.members.get(other) {
                    return member
                        .credentials()
                        .await
                        .map_err(|error| member.keep_identity(error));
                }
            }
            Err(_) => {}
        }
        Ok(credentials)
    }

    fn log_answer(&self, before: usize, index: usize, credentials: &Credentials) {
        let provider = self.members[index].name;
        match self.members.get(before) {
            None => tracing::info!(name: names::MEMBER_CHOSEN, target: TRACING_TARGET, provider,
                source = credentials.source(), event = names::MEMBER_CHOSEN,
                "the chain has its first credentials"),
            Some(previous) => tracing::warn!(name: names::MEMBER_CHANGED, target: TRACING_TARGET, provider,
                previous = previous.name, source = credentials.source(), event = names::MEMBER_CHANGED,
                "the credentials come from another provider than before"),
        }
    }
}

/// Several failures and no credentials: with `ContinueOnFailure`, a real failure is more useful than the report.
fn nobody_answered(reasons: Vec<(&'static str, CredentialsError)>) -> CredentialsError {
    let report = ChainReport::new(reasons);
    let failure = report.reasons().find(|(_, error)| !error.is_not_configured());
    match failure {
        None => CredentialsError::NoProvider(report),
        Some((_, first)) => {
            let what = format!("no member returned credentials\n{report}");
            // The hint is that of the first failure.
            first.with_detail(ErrorDetail::builder("chain", what).source(first.clone()).build())
        }
    }
}

impl CredentialsProvider for ChainProvider {
    fn name(&self) -> &'static str {
        "chain"
    }

    fn credentials(&self) -> CredentialsFuture<'_> {
        let index = self.answered.load(Ordering::Acquire);
        let Some(member) = self.members.get(index) else {
            return CredentialsFuture::new(self.walk(Vec::new(), NOBODY));
        };
        let after = move |result: Result<Credentials, CredentialsError>| async move {
            match result {
                Ok(credentials) => Ok(credentials),
                Err(error) => {
                    let mut reasons = Vec::new();
                    let is_lost = error.is_not_configured();
                    let error = member.keep_identity(error);
                    if is_lost && self.policy == ChainPolicy::StopOnFailure {
                        return Err(error);
                    }
                    self.pass_on(member, error, &mut reasons)?;
                    self.walk(reasons, index).await
                }
            }
        };
        match member.credentials().into_ready() {
            Ok(Ok(credentials)) => CredentialsFuture::ready(Ok(credentials)),
            Ok(error) => CredentialsFuture::new(after(error)),
            Err(future) => CredentialsFuture::new(async move { after(future.await).await }),
        }
    }

    fn cached(&self) -> Option<Credentials> {
        self.members
            .get(self.answered.load(Ordering::Acquire))?
            .provider
            .as_ref()
            .ok()?
            .cached()
    }

    fn invalidate(&self, rejected: &Credentials) -> Invalidation {
        match self.members.get(self.answered.load(Ordering::Acquire)) {
            Some(Member {
                provider: Ok(provider),
                ..
            }) => provider.invalidate(rejected),
            // No member has returned credentials, so these are not this chain's.
            _ => Invalidation::AlreadyReplaced,
        }
    }

    fn refresh_status(&self) -> Option<RefreshStatus> {
        let member = self.members.get(self.answered.load(Ordering::Acquire))?;
        member.provider.as_ref().ok()?.refresh_status()
    }
}

/// Builds a [`ChainProvider`]; see [`ChainProvider::builder`].
#[derive(Debug)]
#[must_use]
pub struct ChainProviderBuilder {
    members: Vec<Member>,
    policy: ChainPolicy,
}

impl ChainProviderBuilder {
    /// Adds a member after the existing ones.
    ///
    /// An `Err`, such as the result of a provider's `from_env`, is kept: the member returns it whenever it is called.
    /// The report then shows why it took no part, and a partial configuration stops the chain.
    pub fn member(
        mut self,
        name: &'static str,
        provider: Result<impl CredentialsProvider, CredentialsError>,
    ) -> Self {
        let provider = provider.map(|provider| Box::new(provider) as Box<dyn CredentialsProvider>);
        self.members.push(Member { name, provider });
        self
    }

    /// Sets what happens when a configured member fails. Default: [`ChainPolicy::StopOnFailure`].
    pub fn policy(mut self, policy: ChainPolicy) -> Self {
        self.policy = policy;
        self
    }

    /// Builds the chain. A chain without members returns [`CredentialsError::NoProvider`].
    pub fn build(self) -> ChainProvider {
        ChainProvider {
            members: self.members,
            policy: self.policy,
            answered: AtomicUsize::new(NOBODY),
        }
    }
}
