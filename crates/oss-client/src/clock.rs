//! What the times in a response show of the service's clock.

use std::time::{Duration, SystemTime};

use oss_credentials_core::ClockOffset;
use oss_credentials_http::{ServiceClock, http_date};
use reqwest::header::{AGE, DATE, HeaderMap};

use crate::date;

/// An offset is exact to half of the exchange that shows it, and a `Date` has whole seconds. What took longer, as an
/// upload may, says nothing about an offset that is in use.
const LONGEST: Duration = Duration::from_secs(20);

/// When a request was sent and its response arrived, by the local clock.
#[derive(Clone, Copy)]
pub(crate) struct Exchange {
    pub(crate) sent: SystemTime,
    pub(crate) received: SystemTime,
}

impl Exchange {
    /// What a response shows whose service accepted the time, exactly enough to be compared with an offset in use.
    pub(crate) fn shown(self, headers: &HeaderMap) -> Option<ClockOffset> {
        let took = self.received.duration_since(self.sent).ok()?;
        self.by_date(headers).filter(|_| took <= LONGEST)
    }

    /// What a refusal of the time shows, the most reliable first: its `Date`, and the `ServerTime` of its document. A
    /// proxy may have written the `Date`.
    pub(crate) fn shown_by_refusal(
        self,
        headers: &HeaderMap,
        server_time: Option<&str>,
    ) -> impl Iterator<Item = ClockOffset> {
        let in_document = server_time.and_then(date::from_iso);
        let in_document = in_document.and_then(|time| self.offset(time));
        self.by_date(headers).into_iter().chain(in_document)
    }

    /// By the `Date` in any of the forms of RFC 9110. An `Age` says that a cache sent it.
    fn by_date(self, headers: &HeaderMap) -> Option<ClockOffset> {
        if headers.contains_key(AGE) {
            return None;
        }
        self.offset(http_date(headers.get(DATE)?.to_str().ok()?)?)
    }

    fn offset(self, service: SystemTime) -> Option<ClockOffset> {
        ServiceClock::measure(service, self.sent, self.received)
    }
}
