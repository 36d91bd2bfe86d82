//! The provider.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::SystemTime;

use arc_swap::ArcSwapOption;
use oss_credentials_core::{
    Clock, Credentials, CredentialsError, CredentialsFuture, CredentialsProvider, Env, ErrorDetail,
    Invalidation, SystemClock,
};

use crate::NAME;
use crate::config::MAX_TOKEN_LIFETIME;
use crate::context::{FcContext, Origin};

/// A provider of the credentials of the most recent Function Compute invocation.
///
/// The program calls [`FcContextProvider::update`] for each invocation; clients that hold the provider, or a
/// clone, sign with the new credentials from then on. Clones are the same provider. A read takes no lock and
/// allocates nothing.
///
/// - Access key ID, secret and token are replaced together.
/// - What arrived with an invocation is never replaced by the variables of the instance, which are older.
/// - The platform does not state when a token expires, so [`Credentials::expires_at`] is `None`. 36 hours after
///   the last invocation, a token has certainly expired: then the result is
///   [`CredentialsError::Expired`].
/// - After [`CredentialsProvider::invalidate`] the credentials are not returned until the next invocation.
/// - Before the first update the result is [`CredentialsError::NotConfigured`].
///
/// # Examples
///
/// ```
/// use oss_credentials_core::{blocking, test_util::FakeEnv, CredentialsProvider};
/// use oss_credentials_fc_context::{FcContext, FcContextProvider};
///
/// // In a function, `&ProcessEnv`.
/// let env = FakeEnv::from([
///     ("ALIBABA_CLOUD_ACCESS_KEY_ID", "STS.NUExampleTempKeyId"),
///     ("ALIBABA_CLOUD_ACCESS_KEY_SECRET", "example-secret"),
///     ("ALIBABA_CLOUD_SECURITY_TOKEN", "example-token"),
/// ]);
/// let provider = FcContextProvider::from_env(&env)?;
/// assert_eq!(blocking::wait(provider.credentials())?.access_key_id(), "STS.NUExampleTempKeyId");
///
/// // With each invocation:
/// provider.update(FcContext::from_headers([
///     ("x-fc-access-key-id", "STS.NUExampleNewerKey1"),
///     ("x-fc-access-key-secret", "example-secret"),
///     ("x-fc-security-token", "example-token"),
/// ])?);
/// assert_eq!(blocking::wait(provider.credentials())?.access_key_id(), "STS.NUExampleNewerKey1");
/// # Ok::<(), oss_credentials_core::CredentialsError>(())
/// ```
#[derive(Clone)]
pub struct FcContextProvider {
    shared: Arc<Shared>,
}

struct Shared {
    snapshot: ArcSwapOption<Snapshot>,
    clock: Arc<dyn Clock>,
}

struct Snapshot {
    context: FcContext,
    received: SystemTime,
    rejected: AtomicBool,
}

/// The reason why a snapshot is not returned.
enum Unusable {
    Rejected,
    TooOld,
}

impl Snapshot {
    fn usable(&self, now: SystemTime) -> Result<&Credentials, Unusable> {
        if self.rejected.load(Ordering::Acquire) {
            return Err(Unusable::Rejected);
        }
        // A clock that was set back makes nothing old.
        let age = now.duration_since(self.received).unwrap_or_default();
        if age >= MAX_TOKEN_LIFETIME {
            return Err(Unusable::TooOld);
        }
        Ok(&self.context.credentials)
    }

    /// Returns whether this is kept although `next` arrived.
    fn stays(&self, next: &FcContext) -> bool {
        next.origin == Origin::Instance
            && (self.context.origin == Origin::Invocation
                || self.context.credentials.same_key_as(&next.credentials))
    }
}

impl FcContextProvider {
    /// Creates a provider that has no credentials until its first [`FcContextProvider::update`].
    pub fn new() -> Self {
        Self::with_clock(SystemClock)
    }

    /// Creates a provider like [`FcContextProvider::new`], with a custom clock.
    pub fn with_clock(clock: impl Clock) -> Self {
        Self {
            shared: Arc::new(Shared {
                snapshot: ArcSwapOption::empty(),
                clock: Arc::new(clock),
            }),
        }
    }

    /// Starts with the headers of an invocation; see [`FcContext::from_headers`].
    ///
    /// # Errors
    ///
    /// As [`FcContext::from_headers`].
    pub fn from_headers<N, V>(headers: impl IntoIterator<Item = (N, V)>) -> Result<Self, CredentialsError>
    where
        N: AsRef<[u8]>,
        V: AsRef<[u8]>,
    {
        FcContext::from_headers(headers).map(Self::from)
    }

    /// Starts with a context in JSON; see [`FcContext::from_json`].
    ///
    /// # Errors
    ///
    /// As [`FcContext::from_json`].
    pub fn from_json(json: impl AsRef<[u8]>) -> Result<Self, CredentialsError> {
        FcContext::from_json(json).map(Self::from)
    }

    /// Starts with the variables of the instance, which are read now; see [`FcContext::from_env`].
    ///
    /// # Errors
    ///
    /// As [`FcContext::from_env`].
    pub fn from_env(env: &dyn Env) -> Result<Self, CredentialsError> {
        FcContext::from_env(env).map(Self::from)
    }

    /// Replaces the credentials by those of a new invocation.
    ///
    /// Variables of the instance ([`FcContext::from_env`]) replace neither what arrived with an invocation nor
    /// themselves: reading them again does not make them newer.
    pub fn update(&self, context: FcContext) {
        let received = self.shared.clock.now();
        let next = Arc::new(Snapshot {
            context,
            received,
            rejected: AtomicBool::new(false),
        });
        self.shared.snapshot.rcu(|current| {
            let kept = current.as_ref().filter(|current| current.stays(&next.context));
            Some(Arc::clone(kept.unwrap_or(&next)))
        });
    }

    fn read(&self) -> Result<Credentials, CredentialsError> {
        let snapshot = self.shared.snapshot.load();
        let Some(snapshot) = snapshot.as_deref() else {
            return Err(CredentialsError::not_configured(
                ErrorDetail::builder(NAME, "no invocation has been passed yet")
                    .hint("call update(..) with the context of each invocation"),
            ));
        };
        match snapshot.usable(self.shared.clock.now()) {
            Ok(credentials) => Ok(credentials.clone()),
            Err(unusable) => Err(CredentialsError::expired(
                ErrorDetail::builder(
                    NAME,
                    match unusable {
                        Unusable::Rejected => "the service rejected the cached credentials",
                        Unusable::TooOld => {
                            "the cached credentials are 36 hours old, and no token lasts longer"
                        }
                    },
                )
                .hint("call update(..) with the context of the next invocation"),
            )),
        }
    }
}

impl Default for FcContextProvider {
    fn default() -> Self {
        Self::new()
    }
}

impl From<FcContext> for FcContextProvider {
    fn from(context: FcContext) -> Self {
        let provider = Self::new();
        provider.update(context);
        provider
    }
}

impl fmt::Debug for FcContextProvider {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let snapshot = self.shared.snapshot.load();
        let snapshot = snapshot.as_deref();
        f.debug_struct("FcContextProvider")
            .field("context", &snapshot.map(|snapshot| &snapshot.context))
            .field("received", &snapshot.map(|snapshot| snapshot.received))
            .field(
                "rejected",
                &snapshot.is_some_and(|snapshot| snapshot.rejected.load(Ordering::Acquire)),
            )
            .finish()
    }
}

impl CredentialsProvider for FcContextProvider {
    fn name(&self) -> &'static str {
        NAME
    }

    fn credentials(&self) -> CredentialsFuture<'_> {
        CredentialsFuture::ready(self.read())
    }

    fn cached(&self) -> Option<Credentials> {
        let snapshot = self.shared.snapshot.load();
        let usable = snapshot.as_deref()?.usable(self.shared.clock.now());
        usable.ok().cloned()
    }

    fn invalidate(&self, rejected: &Credentials) -> Invalidation {
        let snapshot = self.shared.snapshot.load();
        // The mark is the snapshot's own: one that comes in this moment does not inherit it.
        if let Some(snapshot) = snapshot.as_deref()
            && snapshot.context.credentials.same_generation_as(rejected)
        {
            snapshot.rejected.store(true, Ordering::Release);
            return Invalidation::Dropped;
        }
        Invalidation::AlreadyReplaced
    }
}
