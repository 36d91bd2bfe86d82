//! The service's clock, as far as it is known.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use oss_credentials_core::{Clock, ClockOffset};
use oss_credentials_http::{HttpResponse, LearnedOffset};
use reqwest::header::HeaderMap;

/// 2015-01-01T00:00:00Z. No clock that is right shows an earlier time, neither here nor at the service.
const EARLIEST: Duration = Duration::from_secs(1_420_070_400);
/// 2100-01-01T00:00:00Z
const LATEST: Duration = Duration::from_secs(4_102_444_800);
/// Ten years: how far the service's clock may be from a local one that is not before [`EARLIEST`].
const FURTHEST: Duration = Duration::from_secs(3_652 * 86_400);
/// An offset is exact to half of the exchange that shows it, and a `Date` has whole seconds. What took longer, as an
/// upload may, says nothing about an offset that is in use.
const LONGEST: Duration = Duration::from_secs(20);

/// The local clock, and what the service has taught about it.
pub(crate) struct ServiceClock {
    local: Arc<dyn Clock>,
    learned: LearnedOffset,
}

/// What the `Date` of a response shows.
#[derive(Clone, Copy)]
pub(crate) struct Measured {
    pub(crate) offset: ClockOffset,
    is_exact: bool,
}

impl ServiceClock {
    pub(crate) fn new(local: Arc<dyn Clock>) -> Self {
        Self {
            local,
            learned: LearnedOffset::default(),
        }
    }

    /// A reading of the local clock.
    pub(crate) fn local(&self) -> SystemTime {
        self.local.now()
    }

    /// The time by the service's clock.
    pub(crate) fn now(&self) -> SystemTime {
        self.to_service(self.local())
    }

    /// A reading of the local clock as the service's clock shows it.
    pub(crate) fn to_service(&self, local: SystemTime) -> SystemTime {
        let offset = self.learned.get(&*self.local).unwrap_or_default();
        offset.to_service(local)
    }

    /// Keeps an offset that the service has not refused.
    pub(crate) fn keep(&self, offset: ClockOffset) {
        self.learned.set(offset, &*self.local);
    }

    /// What a response shows, if its `Date` is plausible. `sent` and `received` are readings of the local clock.
    pub(crate) fn measure(headers: &HeaderMap, sent: SystemTime, received: SystemTime) -> Option<Measured> {
        let mut response = HttpResponse::new(0, Vec::new());
        for name in ["date", "age"] {
            if let Some(value) = headers.get(name) {
                response = response.with_header(name, value.to_str().ok()?);
            }
        }
        let offset = response.clock_offset(sent, received)?;
        believable(sent, offset).then(|| Measured {
            offset,
            is_exact: received.duration_since(sent).is_ok_and(|took| took <= LONGEST),
        })
    }

    /// Compares an offset that is in use with what a response shows whose service accepted the time. Usually no offset
    /// is in use, and nothing is measured.
    pub(crate) fn confirm(&self, measure: impl FnOnce() -> Option<Measured>) {
        if !self.learned.is_known() {
            return;
        }
        if let Some(measured) = measure().filter(|measured| measured.is_exact) {
            self.learned.confirm(measured.offset, &*self.local);
        }
    }
}

/// Whether the corrected time can be right: from 2015 up to 2100, and within ten years of the local clock unless that
/// one is before 2015, as on a machine that has just been switched on without a clock of its own.
///
/// A `Date` outside of that comes from a broken server or proxy, and to sign by it would not help.
fn believable(local: SystemTime, offset: ClockOffset) -> bool {
    let unix = |time: SystemTime| time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    (EARLIEST..LATEST).contains(&unix(offset.to_service(local)))
        && (offset.abs() <= FURTHEST || unix(local) < EARLIEST)
}
