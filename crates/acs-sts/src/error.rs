//! The error of a call.

use std::borrow::Cow;
use std::error::Error;
use std::fmt;

use acs_client::AcsError;
use oss_credentials_core::{CredentialsError, ErrorDetail};

use crate::hints::rejects_oidc_token;

/// Why a call failed: a [`CredentialsError`], and whether the caller's own key or token was rejected.
///
/// `?` converts it into the [`CredentialsError`] inside.
///
/// # Examples
///
/// ```
/// use acs_sts::StsError;
/// use oss_credentials_core::{Credentials, CredentialsProvider};
///
/// /// Reports a rejected key to the provider that it is from.
/// fn report(error: &StsError, provider: &dyn CredentialsProvider, caller: &Credentials) {
///     if error.caller_key_rejected() {
///         provider.invalidate(caller);
///     }
/// }
/// ```
#[derive(Clone, Debug)]
pub struct StsError {
    error: CredentialsError,
    rejected: Rejected,
}

/// What the service rejected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Rejected {
    Nothing,
    Key,
    OidcToken,
}

impl StsError {
    /// The error of a call with a key, or with an OIDC token.
    pub(crate) fn of(error: AcsError) -> Self {
        let is_token = error.code().is_some_and(rejects_oidc_token);
        let rejected = match (error.key_rejected(), is_token) {
            (true, _) => Rejected::Key,
            (false, true) => Rejected::OidcToken,
            (false, false) => Rejected::Nothing,
        };
        Self {
            error: error.into(),
            rejected,
        }
    }

    /// Returns the error itself.
    pub fn error(&self) -> &CredentialsError {
        &self.error
    }

    /// Returns the access key ID of the caller that was refused, masked; `None` if the error does not concern the
    /// caller.
    pub fn key_id(&self) -> Option<&str> {
        self.error.detail()?.key_id()
    }

    /// Returns where the refused key is from, such as `env`.
    pub fn key_source(&self) -> Option<&'static str> {
        self.error.detail()?.key_source()
    }

    /// Returns whether the service rejected the caller's access key or token (`InvalidAccessKeyId.*`,
    /// `InvalidSecurityToken.*`). The provider of these credentials should then
    /// [`invalidate`](oss_credentials_core::CredentialsProvider::invalidate) them.
    pub fn caller_key_rejected(&self) -> bool {
        self.rejected == Rejected::Key
    }

    /// Returns whether the service rejected the OIDC token (`AuthenticationFail.OIDCToken.*`: expired, malformed or
    /// signed by another key), so that a token that is read again may be accepted.
    pub fn oidc_token_rejected(&self) -> bool {
        self.rejected == Rejected::OidcToken
    }
}

/// A setting that cannot work.
pub(crate) fn invalid(
    provider: &'static str,
    what: impl Into<Cow<'static, str>>,
    hint: impl Into<Cow<'static, str>>,
) -> CredentialsError {
    CredentialsError::invalid_config(ErrorDetail::builder(provider, what).hint(hint))
}

impl fmt::Display for StsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.error.fmt(f)
    }
}

impl Error for StsError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.error.source()
    }
}

impl From<CredentialsError> for StsError {
    fn from(error: CredentialsError) -> Self {
        Self {
            error,
            rejected: Rejected::Nothing,
        }
    }
}

impl From<StsError> for CredentialsError {
    fn from(error: StsError) -> Self {
        error.error
    }
}
