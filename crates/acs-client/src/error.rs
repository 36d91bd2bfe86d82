//! The error of a call.

use std::borrow::Cow;
use std::error::Error;
use std::fmt;

use oss_credentials_core::{CredentialsError, ErrorDetail};

/// Why a call failed: the service's response, the refused key, and what to do about it.
///
/// `Display` has the form `<client>: <what failed> (<method and URL>, HTTP <status>): <code>: <message>, request ID
/// <ID> (key <masked ID> from <source>); <what to do>`, without unknown parts. `?` converts it into the
/// [`CredentialsError`] inside, whose variant states what a program can do.
///
/// ```
/// use acs_client::AcsError;
///
/// fn report(error: &AcsError) {
///     if error.code() == Some("Throttling.User") && error.is_retryable() {
///         // Call less often.
///     }
/// }
/// ```
#[derive(Clone)]
pub struct AcsError(Box<Inner>);

#[derive(Clone)]
struct Inner {
    error: CredentialsError,
    action: Cow<'static, str>,
    recommend: Option<String>,
    key_rejected: bool,
}

impl AcsError {
    pub(crate) fn new(error: CredentialsError, action: Cow<'static, str>) -> Self {
        Self(Box::new(Inner {
            error,
            action,
            recommend: None,
            key_rejected: false,
        }))
    }

    pub(crate) fn with_recommend(mut self, link: Option<&str>) -> Self {
        self.0.recommend = link.map(str::to_owned);
        self
    }

    pub(crate) fn with_key_rejected(mut self, key_rejected: bool) -> Self {
        self.0.key_rejected = key_rejected;
        self
    }

    /// Returns the error as providers report it: `Denied` if the service refused the call, `Unavailable` if it may
    /// succeed later, `InvalidResponse` if the response is not the service's, `InvalidConfig` if the call could not
    /// be made, and the provider's own error if there were no credentials.
    pub fn error(&self) -> &CredentialsError {
        &self.0.error
    }

    /// Returns the name of the operation, such as `DescribeRegions`; empty if no call was made.
    pub fn action(&self) -> &str {
        &self.0.action
    }

    /// Returns the service's error code, such as `Throttling.User`.
    pub fn code(&self) -> Option<&str> {
        self.detail()?.code()
    }

    /// Returns the service's message, at most 512 characters, without secrets.
    pub fn message(&self) -> Option<&str> {
        self.detail()?.message()
    }

    /// Returns the service's ID of the failed request; support asks for it.
    pub fn request_id(&self) -> Option<&str> {
        self.detail()?.request_id()
    }

    /// Returns the HTTP status of the response, if there was one.
    pub fn http_status(&self) -> Option<u16> {
        self.detail()?.http_status()
    }

    /// Returns the page that the service recommends to read (`Recommend`).
    pub fn recommend(&self) -> Option<&str> {
        self.0.recommend.as_deref()
    }

    /// Returns the access key ID that was refused, masked; `None` if the error does not concern the caller.
    pub fn key_id(&self) -> Option<&str> {
        self.detail()?.key_id()
    }

    /// Returns where the refused key is from, such as `env`.
    pub fn key_source(&self) -> Option<&'static str> {
        self.detail()?.key_source()
    }

    /// Returns whether the same call may succeed later without any change.
    pub fn is_retryable(&self) -> bool {
        self.0.error.is_retryable()
    }

    /// Returns whether the service rejected the key, whatever the operation: see
    /// [`codes::KEY_REJECTED`](crate::codes::KEY_REJECTED). The rejection has been reported to a provider of the key.
    pub fn key_rejected(&self) -> bool {
        self.0.key_rejected
    }

    fn detail(&self) -> Option<&ErrorDetail> {
        self.0.error.detail()
    }
}

impl fmt::Display for AcsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.error.fmt(f)
    }
}

impl fmt::Debug for AcsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.error.fmt(f)
    }
}

impl Error for AcsError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.0.error.source()
    }
}

impl From<CredentialsError> for AcsError {
    /// An error without a call: of a client that could not be built.
    fn from(error: CredentialsError) -> Self {
        Self::new(error, Cow::Borrowed(""))
    }
}

impl From<AcsError> for CredentialsError {
    fn from(error: AcsError) -> Self {
        error.0.error
    }
}
