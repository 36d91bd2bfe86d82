//! The state of a cache, for diagnosis.

use std::fmt;
use std::time::{Duration, SystemTime};

use crate::credentials::Credentials;
use crate::error::CredentialsError;
use crate::masked_id::MaskedId;
use crate::time::ClockOffset;

/// The state of a [`RefreshingProvider`](crate::RefreshingProvider). Contains no secret.
///
/// # Examples
///
/// ```
/// use oss_credentials_core::{blocking, source_fn, Credentials, CredentialsProvider, Fetched, RefreshingProvider};
///
/// let provider = RefreshingProvider::new(source_fn("vault", || async {
///     Ok(Fetched::from(Credentials::builder("id", "secret").build()?))
/// }));
/// assert!(!provider.status().is_usable());
/// blocking::wait(provider.credentials())?;
/// let status = provider.status();
/// assert!(status.is_usable() && status.last_error().is_none());
/// assert_eq!((status.fetches(), status.failures()), (1, 0));
/// # Ok::<(), oss_credentials_core::CredentialsError>(())
/// ```
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
    /// Returns the access key ID in use, masked; `None` if there is no value.
    pub fn access_key_id(&self) -> Option<String> {
        self.credentials
            .as_ref()
            .map(|credentials| MaskedId(credentials.access_key_id()).to_string())
    }

    /// Returns the name of the source of the value in use.
    pub fn source(&self) -> Option<&'static str> {
        self.credentials.as_ref().map(Credentials::source)
    }

    /// Returns when the value in use expires, by the service's clock; `None` if there is no value or no expiry.
    pub fn expires_at(&self) -> Option<SystemTime> {
        self.credentials.as_ref().and_then(Credentials::expires_at)
    }

    /// Returns whether there is a value that may be returned to callers.
    pub fn is_usable(&self) -> bool {
        self.usable
    }

    /// Returns when the next refresh is due by the local clock, including backoff after failures; `None` if never.
    pub fn next_attempt(&self) -> Option<SystemTime> {
        self.next_attempt
    }

    /// Returns the number of failed attempts in a row; 0 after a success.
    pub fn failures(&self) -> u32 {
        self.failures
    }

    /// Returns why the last attempt failed; `None` after a success.
    pub fn last_error(&self) -> Option<&CredentialsError> {
        self.last_error.as_ref()
    }

    /// Returns how many times the source has been called; [`RefreshTotals::fetches`].
    pub fn fetches(&self) -> u64 {
        self.totals.fetches
    }

    /// Returns what has happened since the cache was created.
    pub fn totals(&self) -> RefreshTotals {
        self.totals
    }

    /// Returns how long the last attempt took, successful or not; `None` before the first has ended.
    pub fn last_fetch(&self) -> Option<Duration> {
        self.last_fetch
    }

    /// Returns how long ago the value in use arrived; `None` if there is no value.
    pub fn age(&self) -> Option<Duration> {
        self.age
    }

    /// Returns whether an attempt is in progress.
    pub fn is_refreshing(&self) -> bool {
        self.refreshing
    }

    /// Returns whether a driver refreshes in the background and is not overdue.
    pub fn has_driver(&self) -> bool {
        self.has_driver
    }

    /// Returns the offset between the service's clock and the local one; `None` if there is no value.
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

/// Counts what has happened since a [`RefreshingProvider`](crate::RefreshingProvider) was created; see
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
    /// Returns how many fetches have begun. An attempt may take more than one.
    pub fn fetches(&self) -> u64 {
        self.fetches
    }

    /// Returns how many attempts returned credentials.
    pub fn successes(&self) -> u64 {
        self.successes
    }

    /// Returns how many attempts failed.
    pub fn failures(&self) -> u64 {
        self.failures
    }

    /// Returns how many rejected values were dropped.
    pub fn invalidations(&self) -> u64 {
        self.invalidations
    }

    /// Returns how many callers had to wait for an attempt, including those that began it.
    pub fn waits(&self) -> u64 {
        self.waits
    }

    /// Returns the total duration of all attempts.
    pub fn fetch_time(&self) -> Duration {
        self.fetch_time
    }

    /// Returns the total time that all callers waited before they received a result.
    pub fn wait_time(&self) -> Duration {
        self.wait_time
    }
}
