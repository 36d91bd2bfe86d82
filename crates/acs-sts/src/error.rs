//! The error of a call.

use std::error::Error;
use std::fmt;

use oss_credentials_core::CredentialsError;

/// Why a call failed: a [`CredentialsError`], and whether the caller's own key was to blame.
///
/// `?` turns it into the [`CredentialsError`] inside.
#[derive(Clone, Debug)]
pub struct StsError {
    error: CredentialsError,
    caller_key_rejected: bool,
}

impl StsError {
    #[cfg(feature = "signed")]
    pub(crate) fn new(error: CredentialsError, caller_key_rejected: bool) -> Self {
        Self {
            error,
            caller_key_rejected,
        }
    }

    /// The error itself.
    pub fn error(&self) -> &CredentialsError {
        &self.error
    }

    /// Whether the service rejected the caller's AccessKey or token (`InvalidAccessKeyId.*`,
    /// `InvalidSecurityToken.*`), so that the provider of these credentials should be told to
    /// [`invalidate`](oss_credentials_core::CredentialsProvider::invalidate) them.
    pub fn caller_key_rejected(&self) -> bool {
        self.caller_key_rejected
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
            caller_key_rejected: false,
        }
    }
}

impl From<StsError> for CredentialsError {
    fn from(error: StsError) -> Self {
        error.error
    }
}
