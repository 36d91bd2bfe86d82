//! Signing, sending, and what is learnt from the answer.

use std::pin::Pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::{Duration, SystemTime};

use futures_core::Stream as _;
use http::header::{CONTENT_LENGTH, USER_AGENT};
use http::{HeaderValue, Method};
use oss_credentials_core::http::{HttpError, HttpErrorKind, HttpResponse};
use oss_credentials_core::{BoxFuture, ClockOffset, Credentials};
use reqwest::header::HeaderMap;

use crate::body::Progress;
use crate::client::{Client, Inner};
use crate::error::{Error, TransportError};
use crate::operation::Operation;
use crate::response::{ObjectBody, Response};
use crate::service_error::ServiceError;
use crate::transport::guarded;
use crate::{TRACING_TARGET, USER_AGENT_VALUE};

/// Longest part of an error document that is read, in bytes.
const MAX_ERROR_DOCUMENT: usize = 64 * 1024;

/// 2015-01-01T00:00:00Z. No clock that is right shows an earlier time, neither here nor at the service.
const EARLIEST: Duration = Duration::from_secs(1_420_070_400);
/// 2100-01-01T00:00:00Z
const LATEST: Duration = Duration::from_secs(4_102_444_800);
/// Ten years: how far the service's clock may be from a local one that is not before [`EARLIEST`].
const FURTHEST: Duration = Duration::from_secs(3_652 * 86_400);

/// A successful answer, its body still to be read.
pub(crate) struct Answer {
    pub(crate) response: Response,
    pub(crate) body: ObjectBody,
}

/// A refused attempt.
struct Refused {
    error: ServiceError,
    used: Credentials,
    /// Between the local clock and the one that answered.
    clock_offset: Option<ClockOffset>,
}

enum Outcome {
    Done(Answer),
    Refused(Box<Refused>),
}

/// What has already been tried again.
#[derive(Default)]
struct Repeated {
    key: bool,
    time: bool,
}

/// What to do after a refusal.
enum Remedy {
    None,
    /// Ask the provider again.
    OtherKey,
    /// Sign by the service's clock.
    OtherTime(ClockOffset),
}

impl Client {
    /// Carries out an operation.
    pub(crate) async fn execute(&self, mut operation: Operation) -> Result<Answer, Error> {
        operation.check()?;
        let inner = &*self.inner;
        operation.default_header(USER_AGENT, &HeaderValue::from_static(USER_AGENT_VALUE));
        let mut repeated = Repeated::default();
        let mut rejected: Option<Box<Refused>> = None;
        // The offset under trial, and the refusal that told it.
        let mut trial: Option<(ClockOffset, Box<Refused>)> = None;
        loop {
            let credentials = inner.provider.credentials().await.map_err(Error::Credentials)?;
            if let Some(before) = rejected.take()
                && same(&before.used, &credentials)
            {
                // The provider has no others, so a second attempt would end alike.
                return Err(Error::Service(Box::new(before.error)));
            }
            let offset = trial.as_ref().map(|(offset, _)| *offset);
            let outcome = match (
                inner.attempt(&mut operation, credentials, offset).await,
                trial.take(),
            ) {
                // The corrected time is the cause, and it came with that refusal.
                (Err(Error::Sign(_)), Some((_, before))) => {
                    return Err(Error::Service(Box::new(before.error)));
                }
                (outcome, _) => outcome?,
            };
            // Only what the service has not refused again is kept.
            if let Some(offset) = offset.filter(|_| !outcome.rejects_time()) {
                inner.set_clock_offset(offset);
            }
            let refused = match outcome {
                Outcome::Done(answer) => return Ok(answer),
                Outcome::Refused(refused) => refused,
            };
            let remedy = inner.learn(&refused, &mut repeated);
            if !operation.body.is_repeatable() {
                if let Remedy::OtherTime(offset) = remedy {
                    // It cannot be tried here, and an upload of streams alone would never get it right without.
                    inner.set_clock_offset(offset);
                }
                return Err(Error::Service(Box::new(refused.error)));
            }
            match remedy {
                Remedy::None => return Err(Error::Service(Box::new(refused.error))),
                Remedy::OtherKey => rejected = Some(refused),
                Remedy::OtherTime(offset) => trial = Some((offset, refused)),
            }
        }
    }
}

impl Outcome {
    fn rejects_time(&self) -> bool {
        matches!(self, Self::Refused(refused) if refused.error.rejects_time())
    }
}

impl Inner {
    /// Sends it once, signed by `offset`, or else by what is known of the service's clock.
    async fn attempt(
        &self,
        operation: &mut Operation,
        used: Credentials,
        offset: Option<ClockOffset>,
    ) -> Result<Outcome, Error> {
        let place = operation.place(&self.endpoint);
        operation.body.check_empty().await.map_err(|error| {
            let error = HttpError::new(HttpErrorKind::Request, error);
            Error::Transport(Box::new(TransportError::new(place.clone(), error)))
        })?;
        let sent = self.clock.now();
        let time = offset.map_or_else(|| self.to_service(sent), |offset| offset.to_service(sent));
        let progress = Arc::new(Progress::default());
        let request = self.request(operation, &used, time, &progress)?;
        let answer = self.transport.send(request, &progress).await;
        let answer = answer.map_err(|error| {
            tracing::debug!(target: TRACING_TARGET, operation = place.operation, kind = ?error.kind(), "no answer");
            Error::Transport(Box::new(TransportError::new(place.clone(), error)))
        })?;

        let status = answer.status();
        let response = Response::new(status, answer.headers().clone());
        tracing::debug!(
            target: TRACING_TARGET,
            operation = place.operation,
            status = status.as_u16(),
            request_id = response.request_id(),
            "answered"
        );
        let body = ObjectBody::new(answer, self.transport.silence.clone(), place.clone());
        if status.is_success() {
            return Ok(Outcome::Done(Answer { response, body }));
        }
        let clock_offset = clock_offset(response.headers(), sent, self.clock.now());
        let document = error_document(body, self.transport.silence.timer()).await;
        Ok(Outcome::Refused(Box::new(Refused {
            error: ServiceError::read(place, status, response.headers(), &document, &used),
            used,
            clock_offset,
        })))
    }

    /// The signed request of one attempt.
    fn request(
        &self,
        operation: &mut Operation,
        credentials: &Credentials,
        time: SystemTime,
        progress: &Arc<Progress>,
    ) -> Result<reqwest::Request, Error> {
        let mut parts = operation.parts(&self.endpoint).map_err(Error::InvalidInput)?;
        let (bucket, key) = (operation.bucket.as_deref(), operation.key.as_deref());
        self.signer
            .sign_parts(&mut parts, bucket, key, credentials, time)
            .map_err(Error::Sign)?;
        let attempt = operation.body.attempt(progress);
        // In place of chunks, and because hyper leaves it out for an upload of no bytes. Not signed.
        if let Some(length) = attempt.length.filter(|_| operation.method == Method::PUT) {
            // A map that is full was refused when it was signed.
            let _ = parts
                .headers
                .try_insert(CONTENT_LENGTH, HeaderValue::from(length));
        }
        let request = http::Request::from_parts(parts, attempt.body);
        request.try_into().map_err(|error| {
            let error = crate::transport::from_reqwest(error);
            let place = operation.place(&self.endpoint);
            Error::Transport(Box::new(TransportError::new(place, error)))
        })
    }

    /// Tells the provider about a rejected key, and what a second attempt has to do differently.
    fn learn(&self, refused: &Refused, repeated: &mut Repeated) -> Remedy {
        let error = &refused.error;
        if error.rejects_key() && !refused.used.is_anonymous() && !repeated.key {
            repeated.key = true;
            self.provider.invalidate(&refused.used);
            tracing::warn!(
                target: TRACING_TARGET,
                operation = error.operation(),
                provider = self.provider.name(),
                code = error.code(),
                request_id = error.request_id(),
                "the service rejected the credentials"
            );
            return Remedy::OtherKey;
        }
        if error.rejects_time()
            && !repeated.time
            && let Some(offset) = refused.clock_offset
        {
            repeated.time = true;
            tracing::warn!(
                target: TRACING_TARGET,
                operation = error.operation(),
                offset_secs = offset.as_secs(),
                request_id = error.request_id(),
                "the local clock is wrong; signing with the service's"
            );
            return Remedy::OtherTime(offset);
        }
        Remedy::None
    }
}

/// Whether both are the same generation.
fn same(one: &Credentials, other: &Credentials) -> bool {
    one.same_key_as(other)
        && one.access_key_secret() == other.access_key_secret()
        && one.security_token() == other.security_token()
}

/// How far the service's clock is from the local one, if its `Date` can be believed.
fn clock_offset(headers: &HeaderMap, sent: SystemTime, received: SystemTime) -> Option<ClockOffset> {
    let mut answer = HttpResponse::new(0, Vec::new());
    for name in ["date", "age"] {
        if let Some(value) = headers.get(name) {
            answer = answer.with_header(name, value.to_str().ok()?);
        }
    }
    let offset = answer.clock_offset(sent, received)?;
    believable(sent, offset).then_some(offset)
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

/// What can be read of an error document: a broken connection ends it, and the status still counts. So does `limit`,
/// since a server that sends a byte now and then is never silent for long.
async fn error_document(mut body: ObjectBody, mut limit: BoxFuture<'static, ()>) -> Vec<u8> {
    let mut document = Vec::new();
    std::future::poll_fn(|cx| {
        // A body that is at hand is read also where the time is up.
        while let Poll::Ready(piece) = Pin::new(&mut body).poll_next(cx) {
            let Some(Ok(piece)) = piece else {
                return Poll::Ready(());
            };
            let room = MAX_ERROR_DOCUMENT.saturating_sub(document.len());
            document.extend(piece.iter().take(room));
            if piece.len() > room {
                return Poll::Ready(());
            }
        }
        guarded(|| limit.as_mut().poll(cx).map(Ok)).map(drop)
    })
    .await;
    document
}
