//! How a cache is doing, for people who look for a fault.

use std::fmt;
use std::time::{Duration, SystemTime};

use crate::credentials::Credentials;
use crate::error::CredentialsError;
use crate::masked_id::MaskedId;
use crate::time::ClockOffset;

/// How a [`RefreshingProvider`](crate::RefreshingProvider) is doing. Holds no secret.
#[derive(Clone)]
pub struct RefreshStatus {
    pub(crate) credentials: Option<Credentials>,
    pub(crate) usable: bool,
    pub(crate) next_attempt: Option<SystemTime>,
    pub(crate) failures: u32,
    pub(crate) last_error: Option<CredentialsError>,
    pub(crate) totals: RefreshTotals,
    pub(crate) last_fetch: Option<Duration>,
    pub(crate) age: Option<Duration>,
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

    /// How many times the source has been asked; [`RefreshTotals::fetches`].
    pub fn fetches(&self) -> u64 {
        self.totals.fetches
    }

    /// What has happened since the cache was made.
    pub fn totals(&self) -> RefreshTotals {
        self.totals
    }

    /// How long the last attempt took, successful or not; `None` before the first has ended.
    pub fn last_fetch(&self) -> Option<Duration> {
        self.last_fetch
    }

    /// How long ago the value in use arrived; `None` if there is no value.
    pub fn age(&self) -> Option<Duration> {
        self.age
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
            .field("totals", &self.totals)
            .field("last_fetch", &self.last_fetch)
            .field("age", &self.age)
            .field("refreshing", &self.refreshing)
            .field("has_driver", &self.has_driver)
            .field("clock_offset", &self.clock_offset)
            .finish()
    }
}

/// What has happened since a [`RefreshingProvider`](crate::RefreshingProvider) was made; see
/// [`RefreshStatus::totals`]. The values never decrease, so that a metrics library can take their differences.
///
/// # Examples
///
/// ```
/// # use oss_credentials_core::{blocking, source_fn, Credentials, CredentialsProvider, Fetched, RefreshingProvider};
/// # let provider = RefreshingProvider::new(source_fn("vault", || async {
/// #     Ok(Fetched::from(Credentials::builder("id", "secret").build()?))
/// # }));
/// blocking::wait(provider.credentials())?;
/// let totals = provider.status().totals();
/// assert_eq!((totals.fetches(), totals.failures(), totals.waits()), (1, 0, 1));
/// # Ok::<(), oss_credentials_core::CredentialsError>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RefreshTotals {
    pub(crate) fetches: u64,
    pub(crate) successes: u64,
    pub(crate) failures: u64,
    pub(crate) invalidations: u64,
    pub(crate) waits: u64,
    pub(crate) fetch_time: Duration,
    pub(crate) wait_time: Duration,
}

impl RefreshTotals {
    /// How many fetches have begun. An attempt may take more than one.
    pub fn fetches(&self) -> u64 {
        self.fetches
    }

    /// How many attempts brought credentials.
    pub fn successes(&self) -> u64 {
        self.successes
    }

    /// How many attempts failed.
    pub fn failures(&self) -> u64 {
        self.failures
    }

    /// How many rejected values were dropped.
    pub fn invalidations(&self) -> u64 {
        self.invalidations
    }

    /// How many callers had to wait for an attempt, those included that began it.
    pub fn waits(&self) -> u64 {
        self.waits
    }

    /// How long all attempts took together.
    pub fn fetch_time(&self) -> Duration {
        self.fetch_time
    }

    /// How long all callers that received a result waited for it together.
    pub fn wait_time(&self) -> Duration {
        self.wait_time
    }
}
