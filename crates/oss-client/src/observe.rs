//! Reports on attempts, for observers and logs.

use std::borrow::Cow;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime};

use oss_credentials_core::Clock;
use tracing::{Span, field};

use crate::TRACING_TARGET;
use crate::error::Error;
use crate::operation::Operation;
use crate::progress::Progress;
use crate::service_error::ServiceError;

/// Names of spans and events, as in `docs/events.md`.
pub(crate) mod names {
    pub(crate) const OPERATION: &str = "oss.operation";
    pub(crate) const ATTEMPT: &str = "oss.attempt";
    pub(crate) const RESPONSE: &str = "oss.response";
    pub(crate) const NO_RESPONSE: &str = "oss.no_response";
    pub(crate) const RETRYING: &str = "oss.retrying";
    pub(crate) const KEY_REJECTED: &str = "oss.key_rejected";
    pub(crate) const CLOCK_CORRECTED: &str = "oss.clock_corrected";
    pub(crate) const PLAIN_HTTP: &str = "oss.plain_http";
    pub(crate) const PRESIGN_REFRESH_FAILED: &str = "oss.presign_refresh_failed";
    pub(crate) const UPLOAD_ABANDONED: &str = "oss.upload_abandoned";
}

/// How an attempt ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum AttemptOutcome {
    /// The service carried out the request. If the caller drops the response before its end, the attempt still counts as
    /// this.
    Succeeded,
    /// The response is an error: [`AttemptEvent::status`] and [`AttemptEvent::code`] say which one.
    Refused,
    /// The service reported success, but the response cannot be used, or its data differs from what is stored.
    Unusable,
    /// There is no complete response.
    NoResponse,
    /// Nothing was sent: the request could not be signed.
    NotSent,
    /// The caller dropped the operation before there was a response.
    Canceled,
}

impl AttemptOutcome {
    /// Returns the name in logs: `succeeded`, `refused`, `unusable`, `no_response`, `not_sent` or `canceled`. It does
    /// not change between versions.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Succeeded => "succeeded",
            Self::Refused => "refused",
            Self::Unusable => "unusable",
            Self::NoResponse => "no_response",
            Self::NotSent => "not_sent",
            Self::Canceled => "canceled",
        }
    }
}

impl fmt::Display for AttemptOutcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// An attempt of an operation that is over; see [`ClientBuilder::observer`](crate::ClientBuilder::observer).
///
/// An attempt begins when the provider has returned credentials. It is over when it has failed, or when the body of its
/// response has been read or dropped. The event contains no secret, URL or object key.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct AttemptEvent {
    /// Name of the operation, such as `GetObject`.
    pub operation: Cow<'static, str>,
    /// Which attempt of the operation this was, from 1. More than 1 is a retry.
    pub attempt: u32,
    /// How it ended.
    pub outcome: AttemptOutcome,
    /// The HTTP status; `None` if there was no response.
    pub status: Option<u16>,
    /// The service's error code, such as `NoSuchKey`.
    pub code: Option<String>,
    /// The service's more precise error code, such as `0026-00000001`.
    pub ec: Option<String>,
    /// The service's ID of the request.
    pub request_id: Option<String>,
    /// The time from the beginning of the attempt to its end.
    pub duration: Duration,
    /// The time from the beginning of the attempt to the status and headers of the response; `None` if there was none.
    pub response_after: Option<Duration>,
    /// How many bytes of the request's body were handed to the connection.
    pub bytes_sent: u64,
    /// How many bytes of the response's body were read.
    pub bytes_received: u64,
}

impl AttemptEvent {
    /// Returns the name of the event, as of the span in logs and in `docs/events.md`: `oss.attempt`. It does not change
    /// between versions.
    pub fn name(&self) -> &'static str {
        names::ATTEMPT
    }
}

type Observe = dyn Fn(&AttemptEvent) + Send + Sync;

/// The function of the caller, if there is one.
#[derive(Clone, Default)]
pub(crate) struct Observer(Option<Arc<Observe>>);

impl Observer {
    pub(crate) fn new(observe: impl Fn(&AttemptEvent) + Send + Sync + 'static) -> Self {
        Self(Some(Arc::new(observe)))
    }

    /// Begins an attempt: creates its span, and what the observer gets when it is over.
    pub(crate) fn begin(&self, operation: &Operation, attempt: u32, clock: &Arc<dyn Clock>) -> Recorder {
        let span = tracing::debug_span!(
            target: TRACING_TARGET, names::ATTEMPT, operation = &*operation.name, attempt, outcome = field::Empty,
            status = field::Empty, code = field::Empty, ec = field::Empty, request_id = field::Empty
        );
        let record = self.0.as_ref().map(|observe| {
            Box::new(Record {
                observe: Arc::clone(observe),
                clock: Arc::clone(clock),
                started: Reading::of(&**clock),
                sent: Arc::default(),
                received: Arc::default(),
                event: AttemptEvent {
                    operation: operation.name.clone(),
                    attempt,
                    outcome: AttemptOutcome::Canceled,
                    status: None,
                    code: None,
                    ec: None,
                    request_id: None,
                    duration: Duration::ZERO,
                    response_after: None,
                    bytes_sent: 0,
                    bytes_received: 0,
                },
            })
        });
        Recorder { span, record }
    }
}

impl fmt::Debug for Observer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_some() { "Some(..)" } else { "None" })
    }
}

/// An attempt in progress. Dropping it ends the attempt: the span closes, and the observer is called.
pub(crate) struct Recorder {
    span: Span,
    /// `None` if there is no observer.
    record: Option<Box<Record>>,
}

impl Recorder {
    pub(crate) fn span(&self) -> Span {
        self.span.clone()
    }

    /// Records where the bytes that are sent are counted.
    pub(crate) fn sends(&mut self, progress: &Arc<Progress>) {
        if let Some(record) = &mut self.record {
            record.sent = Arc::clone(progress);
        }
    }

    /// Where the bytes that are received are to be counted.
    pub(crate) fn received(&self) -> Option<Arc<AtomicU64>> {
        self.record.as_ref().map(|record| Arc::clone(&record.received))
    }

    /// Records the head of a response. The request ID is looked up only if somebody wants to know it.
    pub(crate) fn responded<'a>(&mut self, status: u16, request_id: impl Fn() -> Option<&'a str>) {
        // A span that nobody sees would still look for its fields by their names.
        if !self.span.is_disabled() {
            self.span.record("status", status);
            if let Some(id) = request_id() {
                self.span.record("request_id", id);
            }
        }
        if let Some(record) = &mut self.record {
            record.event.status = Some(status);
            record.event.request_id = request_id().map(str::to_owned);
            record.event.response_after = Some(record.started.elapsed(&*record.clock));
        }
    }

    pub(crate) fn succeeded(&mut self) {
        self.ended(AttemptOutcome::Succeeded);
    }

    pub(crate) fn refused(&mut self, error: &ServiceError) {
        self.span.record("code", error.code());
        if let Some(ec) = error.ec() {
            self.span.record("ec", ec);
        }
        self.ended(AttemptOutcome::Refused);
        if let Some(record) = &mut self.record {
            record.event.code = Some(error.code().to_owned());
            record.event.ec = error.ec().map(str::to_owned);
        }
    }

    pub(crate) fn failed(&mut self, error: &Error) {
        self.ended(match error {
            Error::Service(_) | Error::AbandonedUpload(_) => AttemptOutcome::Refused,
            Error::Corrupted(_) | Error::InvalidResponse(_) => AttemptOutcome::Unusable,
            Error::Transport(_) => AttemptOutcome::NoResponse,
            Error::InvalidConfig(_) | Error::InvalidInput(_) | Error::Credentials(_) | Error::Sign(_) => {
                AttemptOutcome::NotSent
            }
        });
    }

    fn ended(&mut self, outcome: AttemptOutcome) {
        if !self.span.is_disabled() {
            self.span.record("outcome", outcome.as_str());
        }
        if let Some(record) = &mut self.record {
            record.event.outcome = outcome;
        }
    }
}

/// What the observer gets.
struct Record {
    observe: Arc<Observe>,
    clock: Arc<dyn Clock>,
    started: Reading,
    sent: Arc<Progress>,
    received: Arc<AtomicU64>,
    event: AttemptEvent,
}

impl Drop for Record {
    fn drop(&mut self) {
        self.event.duration = self.started.elapsed(&*self.clock);
        self.event.bytes_sent = self.sent.handed_over();
        self.event.bytes_received = self.received.load(Ordering::Relaxed);
        // Foreign code: a panic ends here, since the request goes on.
        let _ = catch_unwind(AssertUnwindSafe(|| (self.observe)(&self.event)));
    }
}

/// A reading of a clock, by the monotonic one where there is one.
struct Reading {
    wall: SystemTime,
    monotonic: Option<Duration>,
}

impl Reading {
    fn of(clock: &dyn Clock) -> Self {
        Self {
            wall: clock.now(),
            monotonic: clock.monotonic(),
        }
    }

    fn elapsed(&self, clock: &dyn Clock) -> Duration {
        match (self.monotonic, clock.monotonic()) {
            (Some(then), Some(now)) => now.saturating_sub(then),
            _ => clock.now().duration_since(self.wall).unwrap_or_default(),
        }
    }
}
