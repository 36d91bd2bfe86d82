//! How a cache is doing, for people who look for a fault.

use std::fmt;
use std::time::SystemTime;

use crate::credentials::{Credentials, MaskedId};
use crate::error::CredentialsError;
use crate::time::ClockOffset;

/// How a [`RefreshingProvider`](crate::RefreshingProvider) is doing. Holds no secret.
#[derive(Clone)]
pub struct RefreshStatus {
    pub(crate) credentials: Option<Credentials>,
    pub(crate) usable: bool,
    pub(crate) next_attempt: Option<SystemTime>,
    pub(crate) failures: u32,
    pub(crate) last_error: Option<CredentialsError>,
    pub(crate) fetches: u64,
    pub(crate) refreshing: bool,
    pub(crate) has_driver: bool,
    pub(crate) clock_offset: Option<ClockOffset>,
}

impl RefreshStatus {
    /// The AccessKey id in use, masked; `None` if there is no value.
    pub fn access_key_id(&self) -> Option<String> {
        self.credentials
            .as_ref()
            .map(|credentials| MaskedId(credentials.access_key_id()).to_string())
    }

    /// Name of the source of the value in use.
    pub fn source(&self) -> Option<&'static str> {
        self.credentials.as_ref().map(Credentials::source)
    }

    /// When the value in use ends, by the service's clock; `None` if there is no value or no end.
    pub fn expires_at(&self) -> Option<SystemTime> {
        self.credentials.as_ref().and_then(Credentials::expires_at)
    }

    /// Whether there is a value that may be handed out.
    pub fn is_usable(&self) -> bool {
        self.usable
    }

    /// When the next refresh is due by the local clock, a pause after failures included; `None` if never.
    pub fn next_attempt(&self) -> Option<SystemTime> {
        self.next_attempt
    }

    /// Failed attempts in a row; 0 after a success.
    pub fn failures(&self) -> u32 {
        self.failures
    }

    /// Why the last attempt failed; `None` after a success.
    pub fn last_error(&self) -> Option<&CredentialsError> {
        self.last_error.as_ref()
    }

    /// How many times the source has been asked.
    pub fn fetches(&self) -> u64 {
        self.fetches
    }

    /// Whether an attempt is under way.
    pub fn is_refreshing(&self) -> bool {
        self.refreshing
    }

    /// Whether a driver refreshes in the background, and is not overdue.
    pub fn has_driver(&self) -> bool {
        self.has_driver
    }

    /// How far the service's clock is from the local one; `None` if there is no value.
    pub fn clock_offset(&self) -> Option<ClockOffset> {
        self.clock_offset
    }
}

impl fmt::Debug for RefreshStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RefreshStatus")
            .field("credentials", &self.credentials)
            .field("usable", &self.usable)
            .field("next_attempt", &self.next_attempt)
            .field("failures", &self.failures)
            .field("last_error", &self.last_error)
            .field("fetches", &self.fetches)
            .field("refreshing", &self.refreshing)
            .field("has_driver", &self.has_driver)
            .field("clock_offset", &self.clock_offset)
            .finish()
    }
}
