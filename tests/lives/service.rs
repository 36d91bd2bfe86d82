//! The simulated service. Its clock is true.

use std::collections::VecDeque;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, SystemTime};

use chrono::{DateTime, SecondsFormat, Utc};
use oss_credentials_core::test_util::ManualClock;
use oss_credentials_core::{BoxFuture, Clock, Sleep};
use oss_credentials_http::{HttpClient, HttpError, HttpErrorKind, HttpRequest, HttpResponse};

use crate::shape::Shape;

/// When each life begins.
pub(crate) const START: u64 = 1_800_000_000;
/// How far a request's timestamp may be off: STS refuses others with `InvalidTimeStamp.Expired`.
const TIMESTAMP_LIMIT: Duration = Duration::from_secs(15 * 60);
/// From the client to the service, and back.
const WAY: Duration = Duration::from_millis(40);
const KEY_ID: &str = "STS.ExampleKeyId";

/// How the service fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outage {
    Refused,
    Silent,
    Busy,
}

/// An [`HttpClient`] that leads to the service; clones lead to the same one.
#[derive(Clone)]
pub(crate) struct Service {
    shape: Shape,
    clock: ManualClock,
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    outage: Option<Outage>,
    /// When each key that was issued expires.
    issued: Vec<SystemTime>,
    /// The last key that the client received.
    delivered: Option<usize>,
    under_way: usize,
    /// Requests of the last minute.
    recent: VecDeque<SystemTime>,
    most_requests: usize,
}

impl Service {
    pub(crate) fn new(shape: Shape, clock: &ManualClock) -> Self {
        Self {
            shape,
            clock: clock.clone(),
            state: Arc::default(),
        }
    }

    /// The true time: nobody sets it, and it does not stop while a client's machine is suspended.
    pub(crate) fn now(&self) -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_secs(START) + self.clock.since_boot().unwrap()
    }

    pub(crate) fn fail(&self, outage: Option<Outage>) {
        self.lock().outage = outage;
    }

    pub(crate) fn is_exchanging(&self) -> bool {
        self.lock().under_way > 0
    }

    pub(crate) fn most_requests(&self) -> usize {
        self.lock().most_requests
    }

    pub(crate) fn expiry_of(&self, access_key_id: &str) -> SystemTime {
        let number: usize = access_key_id.strip_prefix(KEY_ID).unwrap().parse().unwrap();
        self.lock().issued[number]
    }

    /// When the last key that the client received expires.
    pub(crate) fn delivered_expires_at(&self) -> Option<SystemTime> {
        let state = self.lock();
        state.delivered.map(|number| state.issued[number])
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    async fn exchange(&self, request: HttpRequest) -> Result<HttpResponse, HttpError> {
        self.count();
        self.clock.sleep(WAY).await;
        let outage = self.lock().outage;
        match outage {
            Some(Outage::Refused) => {
                return Err(HttpError::new(HttpErrorKind::Connect, "connection refused"));
            }
            Some(Outage::Silent) => {
                self.clock.sleep(request.timeout().saturating_sub(WAY)).await;
                return Err(HttpError::new(HttpErrorKind::Timeout, "timed out"));
            }
            Some(Outage::Busy) | None => {}
        }
        let now = self.now();
        let (response, key) = match outage {
            Some(_) => (
                HttpResponse::new(503, br#"{"Code":"ServiceUnavailable","Message":"busy"}"#.to_vec()),
                None,
            ),
            None => self.answer(&request, now),
        };
        let date = DateTime::<Utc>::from(now).format("%a, %d %b %Y %H:%M:%S GMT");
        let response = response.with_header("Date", date.to_string());
        self.clock.sleep(WAY).await;
        if key.is_some() {
            self.lock().delivered = key;
        }
        Ok(response)
    }

    fn count(&self) {
        let now = self.now();
        let mut state = self.lock();
        state.recent.push_back(now);
        while state
            .recent
            .front()
            .is_some_and(|first| *first + Duration::from_secs(60) <= now)
        {
            state.recent.pop_front();
        }
        state.most_requests = state.most_requests.max(state.recent.len());
    }

    /// The response, and the number of the key in it.
    fn answer(&self, request: &HttpRequest, now: SystemTime) -> (HttpResponse, Option<usize>) {
        let url = request.url();
        if url.ends_with("/latest/api/token") {
            return (HttpResponse::new(200, b"metadata-token".to_vec()), None);
        }
        if matches!(self.shape, Shape::StsHour | Shape::StsQuarter) && !is_timely(request, now) {
            let refusal = br#"{"Code":"InvalidTimeStamp.Expired","Message":"stale","RequestId":"R-1"}"#;
            return (HttpResponse::new(400, refusal.to_vec()), None);
        }
        let (number, expires_at) = self.key(now);
        let expiration = DateTime::<Utc>::from(expires_at).to_rfc3339_opts(SecondsFormat::Secs, true);
        let keys = format!(
            r#""AccessKeyId":"{KEY_ID}{number}","AccessKeySecret":"secret","SecurityToken":"token","Expiration":"{expiration}""#
        );
        let body = match self.shape {
            Shape::StsHour | Shape::StsQuarter | Shape::OidcHalfDay => {
                format!(r#"{{"RequestId":"R-1","Credentials":{{{keys}}}}}"#)
            }
            Shape::Metadata | Shape::UriHour | Shape::UriMinute => {
                format!(r#"{{"Code":"Success",{keys}}}"#)
            }
        };
        (HttpResponse::new(200, body.into_bytes()), Some(number))
    }

    /// A new key, or the last one where the service repeats it. Expiries are whole seconds.
    fn key(&self, now: SystemTime) -> (usize, SystemTime) {
        let mut state = self.lock();
        let last = state.issued.last().copied();
        if let Some(last) = last.filter(|last| *last > now + self.shape.repeats_above()) {
            return (state.issued.len() - 1, last);
        }
        let since = now.duration_since(SystemTime::UNIX_EPOCH).unwrap();
        let second = SystemTime::UNIX_EPOCH + Duration::from_secs(since.as_secs());
        let expires_at = second + self.shape.lifetime();
        state.issued.push(expires_at);
        (state.issued.len() - 1, expires_at)
    }
}

/// Whether STS accepts the timestamp of a signed request.
fn is_timely(request: &HttpRequest, now: SystemTime) -> bool {
    let all = format!("{}&{}", request.url(), String::from_utf8_lossy(request.body()));
    let timestamp = all
        .split(['?', '&'])
        .find_map(|pair| pair.strip_prefix("Timestamp="))
        .unwrap()
        .replace("%3A", ":");
    let timestamp = SystemTime::from(DateTime::parse_from_rfc3339(&timestamp).unwrap());
    let off = now
        .duration_since(timestamp)
        .unwrap_or_else(|ahead| ahead.duration());
    off <= TIMESTAMP_LIMIT
}

/// Counts an exchange while it lasts, dropped ones included.
struct UnderWay<'a>(&'a Service);

impl<'a> UnderWay<'a> {
    fn begin(service: &'a Service) -> Self {
        service.lock().under_way += 1;
        Self(service)
    }
}

impl Drop for UnderWay<'_> {
    fn drop(&mut self) {
        self.0.lock().under_way -= 1;
    }
}

impl HttpClient for Service {
    fn send(&self, request: HttpRequest) -> BoxFuture<'_, Result<HttpResponse, HttpError>> {
        Box::pin(async move {
            let _under_way = UnderWay::begin(self);
            self.exchange(request).await
        })
    }
}

impl fmt::Debug for Service {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Service(..)")
    }
}
