//! What a session is wanted for.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use acs_sts::AssumeRole;

/// Lifetime of a session unless the request says otherwise.
const DEFAULT_DURATION: Duration = Duration::from_secs(3600);

/// A session that a tenant needs: role, name, policy and lifetime.
///
/// Two requests share a session only if all of tenant, role, name, policy, duration, external ID and source identity
/// are equal.
///
/// # Examples
///
/// ```
/// use std::time::Duration;
/// use oss_credentials_vending::SessionRequest;
///
/// let request = SessionRequest::new("tenant-42")
///     .tenant("42")
///     .duration(Duration::from_secs(3600))
///     .lasts_at_least(Duration::from_secs(1200));
/// # let _ = request;
/// ```
#[derive(Clone)]
#[must_use]
pub struct SessionRequest {
    pub(crate) key: SessionKey,
    pub(crate) lasts_at_least: Duration,
}

/// Everything that makes two sessions different.
#[derive(Clone, PartialEq, Eq, Hash)]
pub(crate) struct SessionKey {
    pub(crate) tenant: Arc<str>,
    pub(crate) role_arn: Option<String>,
    pub(crate) session_name: String,
    pub(crate) policy: Option<String>,
    pub(crate) duration: Duration,
    pub(crate) external_id: Option<String>,
    pub(crate) source_identity: Option<String>,
}

impl SessionRequest {
    /// Starts a request for a session with this name, which appears in audit logs: 2 to 64 of the characters
    /// `A-Z a-z 0-9 . @ - _`. The tenant is the same text until [`SessionRequest::tenant`] changes it.
    pub fn new(session_name: impl Into<String>) -> Self {
        let session_name = session_name.into();
        Self {
            key: SessionKey {
                tenant: session_name.as_str().into(),
                role_arn: None,
                session_name,
                policy: None,
                duration: DEFAULT_DURATION,
                external_id: None,
                source_identity: None,
            },
            lasts_at_least: Duration::ZERO,
        }
    }

    /// Sets the tenant that the limits count for. Default: the session name.
    pub fn tenant(mut self, tenant: impl AsRef<str>) -> Self {
        self.key.tenant = tenant.as_ref().into();
        self
    }

    /// Sets the role, `acs:ram::<account ID>:role/<name>`. Default: the role of the [`Vendor`](crate::Vendor).
    pub fn role_arn(mut self, role_arn: impl Into<String>) -> Self {
        self.key.role_arn = Some(role_arn.into());
        self
    }

    /// Sets the session policy: a [`Policy`](crate::Policy), or JSON text of at most 2,048 characters. Default: none,
    /// which allows all that the role may do.
    pub fn policy(mut self, policy: impl Into<String>) -> Self {
        self.key.policy = Some(policy.into());
        self
    }

    /// Sets the lifetime of the session, 900 to 43,200 seconds, and no longer than the role allows. Default: 3600 s.
    pub fn duration(mut self, duration: Duration) -> Self {
        self.key.duration = duration;
        self
    }

    /// Sets the external ID that the role's trust policy requires. Default: none.
    pub fn external_id(mut self, external_id: impl Into<String>) -> Self {
        self.key.external_id = Some(external_id.into());
        self
    }

    /// Sets the source identity, which appears in audit logs and is kept when the session assumes another role.
    /// Default: none.
    pub fn source_identity(mut self, source_identity: impl Into<String>) -> Self {
        self.key.source_identity = Some(source_identity.into());
        self
    }

    /// Sets how long the session must last from now on. A cached session with less time left is replaced. Default: 0 s,
    /// any session that still works.
    pub fn lasts_at_least(mut self, time: Duration) -> Self {
        self.lasts_at_least = time;
        self
    }
}

impl SessionKey {
    /// The call to STS for this session.
    pub(crate) fn call(&self, default_role: &str) -> AssumeRole {
        let role = self.role_arn.as_deref().unwrap_or(default_role);
        let mut call = AssumeRole::new(role, self.session_name.as_str()).duration(self.duration);
        if let Some(policy) = &self.policy {
            call = call.policy(policy.as_str());
        }
        if let Some(external_id) = &self.external_id {
            call = call.external_id(external_id.as_str());
        }
        if let Some(source_identity) = &self.source_identity {
            call = call.source_identity(source_identity.as_str());
        }
        call
    }
}

impl fmt::Debug for SessionRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SessionRequest")
            .field("tenant", &self.key.tenant)
            .field("role_arn", &self.key.role_arn)
            .field("session_name", &self.key.session_name)
            .field(
                "policy",
                &self.key.policy.as_ref().map(|_| format_args!("<not shown>")),
            )
            .field("duration", &self.key.duration)
            .field("lasts_at_least", &self.lasts_at_least)
            .finish_non_exhaustive()
    }
}
