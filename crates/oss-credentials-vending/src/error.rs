//! Why no session was handed out.

use std::time::Duration;

use oss_credentials_core::CredentialsError;

/// An error of [`Vendor::session`](crate::Vendor::session).
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum VendingError {
    /// STS was not called, refused, or did not respond. The error states what to do.
    #[error(transparent)]
    Credentials(#[from] CredentialsError),
    /// The request asks for more time than the duration of its sessions.
    #[error(
        "vending: a session of {} s cannot last for {} s; raise duration(..), or request less with lasts_at_least(..)",
        .duration.as_secs(), .wanted.as_secs()
    )]
    NeverLongEnough {
        /// Lifetime of such a session.
        duration: Duration,
        /// What [`SessionRequest::lasts_at_least`](crate::SessionRequest::lasts_at_least) asks for.
        wanted: Duration,
    },
    /// STS issued a session that expires earlier than the request asks for.
    #[error(
        "vending: the new session expires in {} s, and {} s were requested; check the maximum session duration of the role",
        .remaining.as_secs(), .wanted.as_secs()
    )]
    TooShort {
        /// Time left of the session that was issued.
        remaining: Duration,
        /// What [`SessionRequest::lasts_at_least`](crate::SessionRequest::lasts_at_least) asks for.
        wanted: Duration,
    },
}

impl VendingError {
    /// Returns whether the same request may succeed later without any change.
    pub fn is_retryable(&self) -> bool {
        matches!(self, Self::Credentials(error) if error.is_retryable())
    }
}
