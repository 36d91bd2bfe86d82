//! `AssumeRole`: temporary credentials of a role.

use std::fmt;
use std::time::Duration;

use acs_client::Caller;
use oss_credentials_core::{Credentials, CredentialsError};

use crate::client::StsClient;
use crate::error::{StsError, invalid};
use crate::session::{AssumedRole, SessionSettings};

/// The parameters of `AssumeRole`.
///
/// Vendor document: "AssumeRole" of the Security Token Service,
/// <https://www.alibabacloud.com/help/en/ram/developer-reference/api-sts-2015-04-01-assumerole>.
/// `Debug` shows neither policy nor external ID.
///
/// ```
/// use std::time::Duration;
/// use acs_sts::AssumeRole;
///
/// let request = AssumeRole::new("acs:ram::123456789012:role/reader", "nightly-job")
///     .duration(Duration::from_secs(1800));
/// assert!(request.validate("example").is_ok());
/// assert!(AssumeRole::new("reader", "nightly-job").validate("example").is_err());
/// ```
#[derive(Clone)]
#[must_use]
pub struct AssumeRole {
    session: SessionSettings,
    external_id: Option<String>,
    source_identity: Option<String>,
}

impl AssumeRole {
    /// Creates a request for a role, `acs:ram::<account ID>:role/<name>`, and a name for the session, which appears
    /// in audit logs: 2 to 64 of the characters `A-Z a-z 0-9 . @ - _`.
    pub fn new(role_arn: impl Into<String>, session_name: impl Into<String>) -> Self {
        Self {
            session: SessionSettings::new(role_arn.into(), session_name.into()),
            external_id: None,
            source_identity: None,
        }
    }

    /// Sets the lifetime of the session: 900 to 43,200 seconds, and no longer than the role allows. Fractions of a
    /// second are dropped. Default: 3600 s.
    pub fn duration(mut self, duration: Duration) -> Self {
        self.session.duration = duration;
        self
    }

    /// Sets a policy that restricts the session to what both it and the role allow: JSON, at most 2048
    /// characters. An empty one is an error. Default: none, which allows everything that the role may do.
    pub fn policy(mut self, policy: impl Into<String>) -> Self {
        self.session.policy = Some(policy.into());
        self
    }

    /// Sets the external ID that the role's trust policy requires: 2 to 1224 of the characters
    /// `A-Z a-z 0-9 _ + = , . @ : / -`. Default: none.
    pub fn external_id(mut self, external_id: impl Into<String>) -> Self {
        self.external_id = Some(external_id.into());
        self
    }

    /// Sets the source identity, which appears in audit logs and is kept when the session assumes another role. Its
    /// limits are not documented, so the service checks it. Default: none.
    pub fn source_identity(mut self, source_identity: impl Into<String>) -> Self {
        self.source_identity = Some(source_identity.into());
        self
    }

    /// Returns the role.
    pub fn role_arn(&self) -> &str {
        &self.session.role_arn
    }

    /// Returns the name of the session.
    pub fn session_name(&self) -> &str {
        &self.session.session_name
    }

    /// Checks everything that can be checked without the service; errors begin with the provider's name.
    ///
    /// # Errors
    ///
    /// [`CredentialsError::InvalidConfig`] for a role ARN, session name, duration, policy or external ID
    /// outside the ranges that this type's methods document.
    pub fn validate(&self, provider: &'static str) -> Result<(), CredentialsError> {
        self.session.validate(provider)?;
        if let Some(external_id) = &self.external_id {
            let allowed = |c: char| c.is_ascii_alphanumeric() || "_+=,.@:/-".contains(c);
            if !(2..=1224).contains(&external_id.len()) || !external_id.chars().all(allowed) {
                let what = "the external ID is too short, too long or has a character that is not allowed";
                return Err(invalid(
                    provider,
                    what,
                    "use 2 to 1224 of A-Z a-z 0-9 _ + = , . @ : / -",
                ));
            }
        }
        Ok(())
    }
}

impl fmt::Debug for AssumeRole {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_struct("AssumeRole");
        self.session.show(&mut shown);
        let external_id = self.external_id.as_ref().map(|_| format_args!("<not shown>"));
        shown
            .field("external_id", &external_id)
            .field("source_identity", &self.source_identity)
            .finish()
    }
}

impl StsClient {
    /// Fetches temporary credentials of a role, with the `caller`'s key.
    ///
    /// For your own use, wrap this in `oss-credentials-sts-assume-role`, which refreshes them. Called directly,
    /// it issues tokens to others, with a policy and a duration for each.
    ///
    /// # Errors
    ///
    /// - [`CredentialsError::InvalidConfig`]: the request is malformed, `caller` is anonymous, or the HTTP
    ///   client cannot send.
    /// - [`CredentialsError::Denied`]: the service refused.
    /// - [`CredentialsError::Unavailable`]: no response, throttling, server error, or a wrong clock.
    /// - [`CredentialsError::InvalidResponse`]: the response is not the service's, or is incomplete.
    /// - [`CredentialsError::Expired`]: the credentials had expired when they arrived.
    pub async fn assume_role(
        &self,
        caller: &Credentials,
        request: &AssumeRole,
    ) -> Result<AssumedRole, StsError> {
        request.validate(self.provider)?;
        self.refuse_anonymous("AssumeRole", caller)?;
        let mut call = request.session.call("AssumeRole");
        if let Some(external_id) = &request.external_id {
            call = call.form("ExternalId", external_id);
        }
        if let Some(identity) = &request.source_identity {
            call = call.form("SourceIdentity", identity);
        }
        self.assumed(Caller::Credentials(caller), &call, request.session.duration)
            .await
    }

    /// Refuses a caller without a key.
    pub(crate) fn refuse_anonymous(
        &self,
        action: &'static str,
        caller: &Credentials,
    ) -> Result<(), StsError> {
        if !caller.is_anonymous() {
            return Ok(());
        }
        let what = format!("{action} cannot be called anonymously");
        let hint = "use an access key pair, or temporary credentials, as the base";
        Err(invalid(self.provider, what, hint).into())
    }
}
