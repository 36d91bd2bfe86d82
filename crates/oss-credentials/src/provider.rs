//! The default chain as a provider.

use std::sync::Arc;

use oss_credentials_core::{
    ChainPolicy, ChainProvider, Clock, Credentials, CredentialsError, CredentialsFuture, CredentialsProvider,
    ErrorDetail, Invalidation, RefreshStatus,
};

use crate::NAME;
use crate::builder::DefaultProviderBuilder;
use crate::members::Member;

/// Returns a provider that finds the credentials of this process, with the configuration of the vendor's SDKs and the
/// aliyun CLI: [`DefaultProvider::builder`] without any setting.
///
/// Nothing is sent, and no file is read, before the provider is called.
///
/// # Errors
///
/// [`CredentialsError::InvalidConfig`] if
/// [`ENV_CREDENTIALS_PROVIDER`](crate::ENV_CREDENTIALS_PROVIDER) names no member.
///
/// # Examples
///
/// ```no_run
/// use oss_credentials::CredentialsProvider;
///
/// # async fn example() -> Result<(), oss_credentials::CredentialsError> {
/// let provider = oss_credentials::default_provider()?;
/// let credentials = provider.credentials().await?;
/// println!("acting as {credentials:?}"); // shows a masked key ID, and no secret
/// # Ok(())
/// # }
/// ```
pub fn default_provider() -> Result<DefaultProvider, CredentialsError> {
    DefaultProvider::builder().build()
}

/// The default chain: environment variables, OIDC, the files of the CLI and the SDKs, a credentials URI, and
/// instance metadata.
///
/// - The chain uses the first member that is configured. "Not configured" continues with the next; a failing or
///   partially configured member stops the chain with its error, since another member would be another identity.
/// - The chain stays with the member that returned credentials.
/// - [`explain`](Self::explain) reports for each member whether it is configured, and what is wrong with it.
///
/// Clones share everything.
///
/// # Examples
///
/// ```
/// # #[cfg(feature = "env")] {
/// use oss_credentials::{blocking, CredentialsProvider, DefaultProvider};
/// # use oss_credentials_core::test_util::FakeEnv;
/// # let env = FakeEnv::from([("OSS_ACCESS_KEY_ID", "LTAI5tEXAMPLEKEYID"), ("OSS_ACCESS_KEY_SECRET", "EXAMPLE")]);
///
/// // Without `env(..)` it is the environment of the process.
/// let provider = DefaultProvider::builder().env(env).build()?;
/// assert_eq!(blocking::wait(provider.credentials())?.access_key_id(), "LTAI5tEXAMPLEKEYID");
/// assert_eq!(provider.answered(), Some("env"));
/// println!("{}", blocking::wait(provider.explain()));
/// # }
/// # Ok::<(), oss_credentials::CredentialsError>(())
/// ```
#[derive(Clone, Debug)]
pub struct DefaultProvider {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    chain: ChainProvider,
    /// The same as in the chain, in the same order.
    members: Vec<Member>,
    policy: ChainPolicy,
    pin: Option<Pin>,
    clock: Arc<dyn Clock>,
}

/// The only member that is used, and what pinned it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pin {
    pub(crate) name: &'static str,
    pub(crate) by: &'static str,
}

impl DefaultProvider {
    /// Starts a chain with the default members in their default order.
    pub fn builder() -> DefaultProviderBuilder {
        DefaultProviderBuilder::new()
    }

    pub(crate) fn new(
        chain: ChainProvider,
        members: Vec<Member>,
        policy: ChainPolicy,
        pin: Option<Pin>,
        clock: Arc<dyn Clock>,
    ) -> Self {
        let inner = Inner {
            chain,
            members,
            policy,
            pin,
            clock,
        };
        Self {
            inner: Arc::new(inner),
        }
    }

    /// Returns the name of the member that returned credentials last; `None` before the first time.
    pub fn answered(&self) -> Option<&'static str> {
        self.inner.chain.answered()
    }

    /// Returns the names of the members, in the order in which they are called.
    pub fn member_names(&self) -> impl Iterator<Item = &'static str> {
        self.inner.chain.member_names()
    }

    pub(crate) fn members(&self) -> &[Member] {
        &self.inner.members
    }

    pub(crate) fn policy(&self) -> ChainPolicy {
        self.inner.policy
    }

    pub(crate) fn pin(&self) -> Option<Pin> {
        self.inner.pin
    }

    pub(crate) fn clock(&self) -> &dyn Clock {
        &*self.inner.clock
    }
}

impl Pin {
    /// A pin requires this one member: a chain around this provider must not continue with another identity.
    fn meant(self, error: CredentialsError) -> CredentialsError {
        let CredentialsError::NoProvider(report) = &error else {
            return error;
        };
        let reason = report.reasons().next().and_then(|(_, reason)| reason.detail());
        let Some(reason) = reason else { return error };
        let what = format!("{} is pinned by {}, and {}", self.name, self.by, reason.what());
        let mut detail = ErrorDetail::builder(NAME, what).advice_of(reason);
        if let Some(place) = reason.place() {
            detail = detail.place(place);
        }
        CredentialsError::invalid_config(detail.source(error))
    }
}

impl CredentialsProvider for DefaultProvider {
    fn name(&self) -> &'static str {
        NAME
    }

    fn credentials(&self) -> CredentialsFuture<'_> {
        let answer = self.inner.chain.credentials();
        let Some(pin) = self.inner.pin else { return answer };
        match answer.into_ready() {
            Ok(answer) => CredentialsFuture::ready(answer.map_err(|error| pin.meant(error))),
            Err(future) => {
                CredentialsFuture::new(async move { future.await.map_err(|error| pin.meant(error)) })
            }
        }
    }

    fn cached(&self) -> Option<Credentials> {
        self.inner.chain.cached()
    }

    fn invalidate(&self, rejected: &Credentials) -> Invalidation {
        self.inner.chain.invalidate(rejected)
    }

    fn refresh_status(&self) -> Option<RefreshStatus> {
        self.inner.chain.refresh_status()
    }
}
