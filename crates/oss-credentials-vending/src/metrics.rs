//! Counters of a vendor.

use std::sync::atomic::{AtomicU64, Ordering};

/// What a [`Vendor`](crate::Vendor) has done since it was built.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct VendorMetrics {
    /// Calls of [`Vendor::session`](crate::Vendor::session).
    pub requests: u64,
    /// Requests that a cached session satisfied.
    pub hits: u64,
    /// Sessions that were requested from STS.
    pub sts_calls: u64,
    /// Of these, those that failed.
    pub failures: u64,
    /// Of these, those that STS throttled.
    pub throttled: u64,
    /// Sessions that were not requested from STS because a limit was reached.
    pub limited: u64,
    /// Cached sessions that were dropped to make room.
    pub evictions: u64,
    /// Sessions that are cached now.
    pub sessions: u64,
}

/// The same, while it is counted.
#[derive(Debug, Default)]
pub(crate) struct Counters {
    pub(crate) requests: AtomicU64,
    pub(crate) hits: AtomicU64,
    pub(crate) sts_calls: AtomicU64,
    pub(crate) failures: AtomicU64,
    pub(crate) throttled: AtomicU64,
    pub(crate) limited: AtomicU64,
    pub(crate) evictions: AtomicU64,
}

pub(crate) fn count(counter: &AtomicU64) {
    counter.fetch_add(1, Ordering::Relaxed);
}

impl Counters {
    pub(crate) fn read(&self, sessions: usize) -> VendorMetrics {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        VendorMetrics {
            requests: read(&self.requests),
            hits: read(&self.hits),
            sts_calls: read(&self.sts_calls),
            failures: read(&self.failures),
            throttled: read(&self.throttled),
            limited: read(&self.limited),
            evictions: read(&self.evictions),
            sessions: u64::try_from(sessions).unwrap_or(u64::MAX),
        }
    }
}
