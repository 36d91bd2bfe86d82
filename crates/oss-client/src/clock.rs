//! The service's clock, as far as it is known.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use oss_credentials_core::{CLOCK_TOLERANCE, Clock, ClockOffset};
use oss_credentials_http::{LearnedOffset, MAX_LEARNED_OFFSET, RELEASED_AFTER};
use reqwest::header::{AGE, DATE, HeaderMap};

use crate::date;

/// 2015-01-01T00:00:00Z. The service's clock never shows an earlier time.
const EARLIEST: Duration = Duration::from_secs(1_420_070_400);
/// 2100-01-01T00:00:00Z
const LATEST: Duration = Duration::from_secs(4_102_444_800);
/// An offset is exact to half of the exchange that shows it, and a `Date` has whole seconds. What took longer, as an
/// upload may, says nothing about an offset that is in use.
const LONGEST: Duration = Duration::from_secs(20);

/// The local clock, and what the service has taught about it.
///
/// Over plain HTTP to another machine anyone on the network path can send a refusal with a date of their own. What it
/// teaches then serves the retry of that request, and nothing else.
pub(crate) struct ServiceClock {
    local: Arc<dyn Clock>,
    /// Whether the service may correct the time at all.
    corrects: bool,
    /// Whether nobody on the network path can change a response: TLS, or loopback.
    is_protected: bool,
    /// What requests are signed by.
    learned: LearnedOffset,
    /// What URLs and forms are signed by: the service has accepted it.
    confirmed: LearnedOffset,
}

/// What the times in a response show.
#[derive(Clone, Copy)]
pub(crate) struct Measured {
    pub(crate) offset: ClockOffset,
    is_exact: bool,
}

/// When a request was sent and its response arrived, by the local clock.
#[derive(Clone, Copy)]
pub(crate) struct Exchange {
    pub(crate) sent: SystemTime,
    pub(crate) received: SystemTime,
}

impl ServiceClock {
    pub(crate) fn new(local: Arc<dyn Clock>, corrects: bool, is_protected: bool) -> Self {
        Self {
            local,
            corrects,
            is_protected,
            learned: LearnedOffset::default(),
            confirmed: LearnedOffset::default(),
        }
    }

    /// A reading of the local clock.
    pub(crate) fn local(&self) -> SystemTime {
        self.local.now()
    }

    /// The time by the service's clock, for requests.
    pub(crate) fn now(&self) -> SystemTime {
        self.to_service(self.local())
    }

    /// The time by the service's clock, for what others send later: only by an offset that the service has accepted.
    pub(crate) fn confirmed_now(&self) -> SystemTime {
        let offset = self.confirmed.get(&*self.local).unwrap_or_default();
        offset.to_service(self.local())
    }

    /// A reading of the local clock as the service's clock shows it.
    pub(crate) fn to_service(&self, local: SystemTime) -> SystemTime {
        let offset = self.learned.get(&*self.local).unwrap_or_default();
        offset.to_service(local)
    }

    /// Keeps an offset that the service has accepted.
    pub(crate) fn keep(&self, offset: ClockOffset) {
        if self.is_protected {
            self.learned.set(offset, &*self.local);
            self.confirmed.set(offset, &*self.local);
        }
    }

    /// Keeps an offset that no request could be tried with, for requests alone.
    pub(crate) fn keep_untried(&self, offset: ClockOffset) {
        if self.is_protected {
            self.learned.set(offset, &*self.local);
        }
    }

    /// What the `Date` of a response shows, in any of the forms of RFC 9110. An `Age` says that a cache sent it.
    pub(crate) fn measure(headers: &HeaderMap, exchange: Exchange) -> Option<Measured> {
        if headers.contains_key(AGE) {
            return None;
        }
        let shown = date::from_http(headers.get(DATE)?.to_str().ok()?)?;
        Self::measured(shown, exchange)
    }

    /// What a refusal of the time shows: its `Date`, or the `ServerTime` of its document where the `Date` cannot be why
    /// the request was refused. A proxy may have written that.
    pub(crate) fn measure_refusal(
        &self,
        headers: &HeaderMap,
        server_time: Option<&str>,
        signed: SystemTime,
        exchange: Exchange,
    ) -> Option<Measured> {
        if !self.corrects {
            return None;
        }
        let in_document = || Self::measured(date::from_iso(server_time?)?, exchange);
        let differs = |measured: &Measured| {
            let shown = measured.offset.to_service(exchange.sent);
            ClockOffset::between(signed, shown).abs() > CLOCK_TOLERANCE
        };
        let by_date = Self::measure(headers, exchange).filter(differs);
        by_date.or_else(|| in_document().filter(differs))
    }

    fn measured(shown: SystemTime, exchange: Exchange) -> Option<Measured> {
        let took = exchange.received.duration_since(exchange.sent).ok();
        let middle = exchange.sent.checked_add(took.unwrap_or_default() / 2)?;
        let offset = ClockOffset::between(middle, shown);
        believable(exchange.sent, offset).then(|| Measured {
            offset,
            is_exact: took.is_some_and(|took| took <= LONGEST),
        })
    }

    /// Compares an offset that is in use with what a response shows whose service accepted the time. Usually no offset
    /// is in use, and nothing is measured.
    pub(crate) fn confirm(&self, measure: impl FnOnce() -> Option<Measured>) {
        if !self.learned.is_known() {
            return;
        }
        let Some(measured) = measure().filter(|measured| measured.is_exact) else {
            return;
        };
        self.learned.confirm(measured.offset, &*self.local);
        // The service has accepted what the request was signed by.
        let accepted = self.learned.get(&*self.local);
        self.confirmed.set(accepted, &*self.local);
    }
}

/// Whether the corrected time can be right: within 24 hours of the local clock or, if that one is before the release of
/// this version, as on a machine that was started without a clock of its own, between 2015 and 2100.
fn believable(local: SystemTime, offset: ClockOffset) -> bool {
    let unix = |time: SystemTime| time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    (EARLIEST..LATEST).contains(&unix(offset.to_service(local)))
        && (offset.abs() <= MAX_LEARNED_OFFSET || unix(local) < RELEASED_AFTER)
}
