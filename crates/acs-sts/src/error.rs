//! The error of a call.

use std::error::Error;
use std::fmt;

use oss_credentials_core::CredentialsError;

/// Why a call failed: a [`CredentialsError`], and whether the caller's own key or token was to blame.
///
/// `?` turns it into the [`CredentialsError`] inside.
#[derive(Clone, Debug)]
pub struct StsError {
    error: CredentialsError,
    rejected: Rejected,
}

/// What of the caller's the service found wanting.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Rejected {
    Nothing,
    Key,
    OidcToken,
}

impl StsError {
    pub(crate) fn new(error: CredentialsError, rejected: Rejected) -> Self {
        Self { error, rejected }
    }

    /// The error itself.
    pub fn error(&self) -> &CredentialsError {
        &self.error
    }

    /// Whether the service rejected the caller's AccessKey or token (`InvalidAccessKeyId.*`,
    /// `InvalidSecurityToken.*`), so that the provider of these credentials should be told to
    /// [`invalidate`](oss_credentials_core::CredentialsProvider::invalidate) them.
    pub fn caller_key_rejected(&self) -> bool {
        self.rejected == Rejected::Key
    }

    /// Whether the service rejected the OIDC token (`AuthenticationFail.OIDCToken.*`: expired, malformed or
    /// signed by another key), so that a token read anew may be accepted.
    pub fn oidc_token_rejected(&self) -> bool {
        self.rejected == Rejected::OidcToken
    }
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
