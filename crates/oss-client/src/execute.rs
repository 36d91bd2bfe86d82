//! Signing, sending, and what is learnt from the response.

use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::Poll;
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use futures_core::Stream as _;
use http::header::{CONTENT_LENGTH, HOST, USER_AGENT};
use http::{HeaderMap, HeaderName, HeaderValue, Method};
use oss_credentials_core::{BoxFuture, ClockOffset, Credentials};
use oss_credentials_http::{HttpError, HttpErrorKind};
use reqwest::StatusCode;

use crate::TRACING_TARGET;
use crate::accept;
use crate::body::Progress;
use crate::client::{Client, Inner};
use crate::clock::{Measured, ServiceClock};
use crate::error::{CorruptionError, Error, TransportError};
use crate::error_document::{MAX_ERROR_DOCUMENT, is_error_document};
use crate::operation::{Crc, Operation};
use crate::redirect::{self, Hops};
use crate::request_context::RequestContext;
use crate::response::{Response, ResponseBody, ResponseHead};
use crate::retry::FailedAttempt;
use crate::service_error::{ServiceError, X_OSS_CALLBACK};
use crate::transport::guarded;

/// A refused attempt.
struct Refused {
    /// What the service said.
    error: Box<ServiceError>,
    used: Credentials,
    /// How far the local clock is from the one that answered.
    measured: Option<Measured>,
    /// A redirect led to another server.
    is_cross_origin: bool,
}

enum Outcome {
    Done(Response),
    Refused(Refused),
}

/// What earlier attempts of the same operation have taught.
#[derive(Default)]
struct RetryState {
    /// How many attempts there were.
    number: u32,
    key_was_reported: bool,
    time_was_corrected: bool,
    /// The credentials that were refused, and how.
    rejected: Option<(Credentials, Error)>,
    /// The offset under trial, and the refusal that told it.
    trial: Option<(ClockOffset, Error)>,
}

/// What to do after a failure.
enum Next {
    /// Try again at once.
    AtOnce,
    /// Ask the policy. With an offset, sign by that one.
    Policy(Error, Option<ClockOffset>),
    End(Error),
}

impl Client {
    /// Carries out an operation within its time.
    pub(crate) async fn execute(&self, mut operation: Operation) -> Result<Response, Error> {
        operation.check(&self.inner.endpoint)?;
        let inner = &*self.inner;
        let Some(limit) = inner.operation_timeout else {
            return inner.attempts(&mut operation).await;
        };
        let mut timer = inner.transport.idle.sleep.sleep(limit);
        let first = {
            let mut attempts = pin!(inner.attempts(&mut operation));
            std::future::poll_fn(|cx| match attempts.as_mut().poll(cx) {
                Poll::Ready(outcome) => Poll::Ready(Ok(outcome)),
                Poll::Pending => guarded(|| timer.as_mut().poll(cx).map(Ok)).map(Err),
            })
            .await
        };
        let over = match first {
            Ok(outcome) => return outcome,
            Err(over) => over,
        };
        let context = operation.context(&inner.endpoint);
        let error = match over {
            Ok(()) => TransportError::operation_is_over(context, limit),
            Err(error) => TransportError::new(context, error),
        };
        Err(Error::Transport(Box::new(error)))
    }
}

impl RetryState {
    /// Whether there is a point in sending with these.
    fn check(&mut self, credentials: &Credentials) -> Result<(), Error> {
        match self.rejected.take() {
            // The provider has no others, so a second attempt would end alike.
            Some((used, error)) if used.same_generation_as(credentials) => Err(error),
            _ => Ok(()),
        }
    }

    fn offset(&self) -> Option<ClockOffset> {
        self.trial.as_ref().map(|(offset, _)| *offset)
    }
}

impl Inner {
    /// Attempt after attempt, as long as what went wrong can be set right or the policy allows.
    async fn attempts(&self, operation: &mut Operation) -> Result<Response, Error> {
        let mut state = RetryState::default();
        loop {
            state.number = state.number.saturating_add(1);
            let next = match self.provider.credentials().await {
                Err(error) => Next::Policy(Error::Credentials(error), None),
                Ok(credentials) => {
                    state.check(&credentials)?;
                    let offset = state.offset();
                    match self.attempt(operation, credentials, offset, state.number).await {
                        Ok(Outcome::Done(response)) => {
                            if let Some(offset) = offset {
                                self.clock.keep(offset);
                            }
                            return Ok(response);
                        }
                        Ok(Outcome::Refused(refused)) => self.learn(refused, &mut state, operation),
                        Err(error) => unanswered(error, &mut state),
                    }
                }
            };
            match next {
                Next::AtOnce => {}
                Next::Policy(error, offset) => {
                    let Some(delay) = self.delay(operation, &error, state.number) else {
                        return Err(error);
                    };
                    if !self.pause(delay).await {
                        return Err(error);
                    }
                    if let Some(offset) = offset {
                        state.trial = Some((offset, error));
                    }
                }
                Next::End(error) => return Err(error),
            }
        }
    }

    /// How long to wait before the next attempt; `None` if there is none.
    pub(crate) fn delay(&self, operation: &Operation, error: &Error, number: u32) -> Option<Duration> {
        // A body that has been read cannot be sent again, whatever went wrong.
        if !operation.body.is_repeatable() {
            return None;
        }
        let delay = self
            .retry
            .delay(&FailedAttempt::new(&operation.name, error, number))?;
        tracing::debug!(
            target: TRACING_TARGET,
            operation = &*operation.name,
            attempt = number,
            delay_ms = u64::try_from(delay.as_millis()).unwrap_or(u64::MAX),
            code = error.code(),
            request_id = error.request_id(),
            "trying again"
        );
        Some(delay)
    }

    /// Waits; false if there is nothing to wait with.
    pub(crate) async fn pause(&self, delay: Duration) -> bool {
        if delay.is_zero() {
            return true;
        }
        let mut timer = self.transport.idle.sleep.sleep(delay);
        std::future::poll_fn(|cx| guarded(|| timer.as_mut().poll(cx).map(Ok)))
            .await
            .is_ok()
    }

    /// Signs a header `Host` where that was asked for: the HTTP stack would add it only after signing.
    pub(crate) fn add_host(&self, bucket: Option<&str>, headers: &mut HeaderMap) {
        if self.signer.is_additional("host")
            && let Ok(host) = HeaderValue::try_from(self.endpoint.host_of(bucket))
        {
            add_default(headers, HOST, host);
        }
    }

    /// Finds whether a body of no bytes has some.
    pub(crate) async fn check_empty(&self, operation: &mut Operation) -> Result<(), Error> {
        operation.body.check_empty().await.map_err(|error| {
            let error = HttpError::new(HttpErrorKind::Request, error);
            let context = operation.context(&self.endpoint);
            Error::Transport(Box::new(TransportError::new(context, error)))
        })
    }

    /// Warns once per client where anyone on the network path can read what credentials are sent with.
    fn warn_if_exposed(&self, used: &Credentials) {
        if self.is_exposed.load(Ordering::Relaxed)
            && !used.is_anonymous()
            && self.is_exposed.swap(false, Ordering::Relaxed)
        {
            tracing::warn!(
                target: TRACING_TARGET,
                host = self.endpoint.host(),
                "the endpoint is plain http: anyone on the network path can read objects and security tokens"
            );
        }
    }

    /// Sends it once, signed by `offset`, or else by what is known of the service's clock.
    async fn attempt(
        &self,
        operation: &mut Operation,
        used: Credentials,
        offset: Option<ClockOffset>,
        number: u32,
    ) -> Result<Outcome, Error> {
        self.check_empty(operation).await?;
        let url = operation.url(&self.endpoint);
        let context = RequestContext {
            attempt: number,
            ..operation.context_of(&url)
        };
        let sent = self.clock.local();
        let time = offset.map_or_else(|| self.clock.to_service(sent), |offset| offset.to_service(sent));
        let progress = Arc::new(if self.check_crc && operation.crc == Crc::Sent {
            Progress::with_crc()
        } else {
            Progress::default()
        });
        self.warn_if_exposed(&used);
        let request = self.request(operation, url, &used, time, &progress)?;
        let again = || {
            let url = operation.url(&self.endpoint);
            self.request(operation, url, &used, time, &progress).ok()
        };
        let exchanged = self.exchange(request, &progress, again).await;
        let (mut response, is_cross_origin) = exchanged.map_err(|error| {
            tracing::debug!(target: TRACING_TARGET, operation = &*context.operation, kind = ?error.kind(), "no answer");
            let error = self.transport.proxies.name(error, &context);
            Error::Transport(Box::new(TransportError::new(context.clone(), error)))
        })?;

        let status = response.status();
        let head = ResponseHead::new(
            status,
            std::mem::take(response.headers_mut()),
            &self.request_ids,
            &used,
        );
        tracing::debug!(
            target: TRACING_TARGET,
            operation = &*context.operation,
            status = status.as_u16(),
            request_id = head.request_id(),
            "answered"
        );
        let body = ResponseBody::new(response, self.transport.idle.clone(), context.clone());
        // A callback that failed is told with 203 and an error document; the object is stored.
        let callback_failed = status == StatusCode::NON_AUTHORITATIVE_INFORMATION
            && operation.headers.contains_key(X_OSS_CALLBACK);
        // Before the body is read: that takes time.
        let received = self.clock.local();
        let measure = |headers: &_| ServiceClock::measure(headers, sent, received);
        let read = if status.is_success() && !callback_failed {
            let sent_crc = progress.crc();
            self.accepted(operation, &head, body, &context, sent_crc, is_cross_origin)
                .await?
        } else {
            Err(error_document(body, self.transport.idle.timer()).await.into())
        };
        let document = match read {
            Ok(body) => {
                if !is_cross_origin {
                    self.clock.confirm(|| measure(head.headers()));
                }
                return Ok(Outcome::Done(Response::new(head, body)));
            }
            Err(document) => document,
        };
        let document = document.get(..MAX_ERROR_DOCUMENT).unwrap_or(&document);
        let error = ServiceError::read(context, status, head.headers(), document, &used);
        Ok(Outcome::Refused(Refused {
            error: Box::new(error),
            used,
            measured: measure(head.headers()),
            is_cross_origin,
        }))
    }

    /// The body of a successful response, that of a document as a whole; or the document of an error, since the service
    /// may fail when its answer has begun, as it does where it copies and completes. `operation` is exclusive, since a
    /// body to send cannot be shared between threads.
    async fn accepted(
        &self,
        operation: &mut Operation,
        head: &ResponseHead,
        body: ResponseBody,
        context: &RequestContext,
        sent_crc: Option<u64>,
        is_cross_origin: bool,
    ) -> Result<Result<ResponseBody, Bytes>, Error> {
        let checks = accept::Checks {
            crc: self.check_crc,
            may_decompress: self.may_decompress,
            is_cross_origin,
        };
        let (expected, stored_crc) = accept::check(operation, head, context, checks)?;
        if let (Some(sent), Some(stored)) = (sent_crc, stored_crc)
            && sent != stored
        {
            let request_id = head.request_id().map(str::to_owned);
            let error = CorruptionError::sent(context.clone(), sent, stored, request_id);
            return Err(Error::Corrupted(Box::new(error)));
        }
        let body = body.checked(expected, head);
        if !operation.has_document {
            return Ok(Ok(body));
        }
        let document = body.whole(head).await?;
        let has_callback = operation.headers.contains_key(X_OSS_CALLBACK);
        if is_error_document(head.headers(), &document, has_callback) {
            return Ok(Err(document));
        }
        let idle = self.transport.idle.clone();
        Ok(Ok(ResponseBody::of(document, idle, context.clone())))
    }

    /// Sends a request, follows redirects if that is allowed, and says whether another server answered. `again` makes
    /// the same request once more: hardly any is redirected, so none is kept.
    async fn exchange(
        &self,
        request: reqwest::Request,
        progress: &Progress,
        again: impl FnOnce() -> Option<reqwest::Request>,
    ) -> Result<(reqwest::Response, bool), HttpError> {
        let may_follow = redirect::may_follow(&request, self.redirects);
        let mut response = self.transport.send(request, progress).await?;
        if !may_follow || !redirect::is_one(&response) {
            return Ok((response, false));
        }
        let Some(first) = again() else {
            return Ok((response, false));
        };
        let mut hops = Hops::of(first, self.redirects);
        while let Some(next) = hops.follow(&response) {
            response = self.transport.send(next, &Progress::default()).await?;
        }
        Ok((response, hops.is_cross_origin()))
    }

    /// The signed request of one attempt. `url` is that of the operation.
    pub(crate) fn request(
        &self,
        operation: &mut Operation,
        url: String,
        credentials: &Credentials,
        time: SystemTime,
        progress: &Arc<Progress>,
    ) -> Result<reqwest::Request, Error> {
        let (url, mut parts) = operation.unsigned(url).map_err(Error::InvalidInput)?;
        add_default(&mut parts.headers, USER_AGENT, self.user_agent.clone());
        self.add_host(operation.bucket.as_deref(), &mut parts.headers);
        // In place of chunks, and because hyper leaves it out for an upload of no bytes. Signed if asked for.
        let is_upload = matches!(operation.method, Method::PUT | Method::POST);
        let length = operation.body.len().filter(|length| is_upload || *length > 0);
        if let Some(length) = length {
            add_default(&mut parts.headers, CONTENT_LENGTH, length.into());
        }
        let (bucket, key) = (operation.bucket.as_deref(), operation.key.as_deref());
        self.signer
            .with_sub_resources(&operation.sub_resources)
            .and_then(|signer| signer.sign_parts(&mut parts, bucket, key, credentials, time))
            .map_err(Error::Sign)?;
        let mut request = reqwest::Request::new(parts.method, url);
        *request.headers_mut() = parts.headers;
        *request.body_mut() = Some(operation.body.attempt(progress));
        Ok(request)
    }

    /// What a refusal teaches: tells the provider about a rejected key, and looks for what a second attempt has to do
    /// differently.
    fn learn(&self, refused: Refused, state: &mut RetryState, operation: &Operation) -> Next {
        let Refused {
            error,
            used,
            measured,
            is_cross_origin,
        } = refused;
        // Another server, which got no signature, says nothing about keys and clock.
        if is_cross_origin {
            return Next::Policy(Error::Service(error), None);
        }
        let is_repeatable = operation.body.is_repeatable();
        if error.rejects_time() {
            state.trial = None;
            return self.learn_time(error, measured, state, is_repeatable);
        }
        // A failure of the service may come before any check, and a page of a proxy comes without one.
        if error.is_of_service() && !error.status().is_server_error() {
            match state.trial.take() {
                Some((offset, _)) => self.clock.keep(offset),
                None => self.clock.confirm(|| measured),
            }
        }
        if !error.rejects_key() || used.is_anonymous() || state.key_was_reported {
            return Next::Policy(Error::Service(error), None);
        }
        state.key_was_reported = true;
        let may_retry = self.provider.invalidate(&used).may_retry();
        tracing::warn!(
            target: TRACING_TARGET,
            operation = error.operation(),
            provider = self.provider.name(),
            code = error.code(),
            request_id = error.request_id(),
            "the service rejected the credentials"
        );
        let error = Error::Service(error);
        if is_repeatable && may_retry {
            state.rejected = Some((used, error));
            Next::AtOnce
        } else {
            Next::End(error)
        }
    }

    /// What a refusal of the signing time teaches.
    fn learn_time(
        &self,
        error: Box<ServiceError>,
        measured: Option<Measured>,
        state: &mut RetryState,
        is_repeatable: bool,
    ) -> Next {
        let Some(Measured { offset, .. }) = measured else {
            return Next::Policy(Error::Service(error), None);
        };
        let is_first = !state.time_was_corrected;
        state.time_was_corrected = true;
        if is_first {
            tracing::warn!(
                target: TRACING_TARGET,
                operation = error.operation(),
                offset_secs = offset.as_secs(),
                request_id = error.request_id(),
                "the local clock is wrong; signing with the service's"
            );
        }
        if !is_repeatable {
            // It cannot be tried here, and an upload of streams alone would never get it right without.
            self.clock.keep(offset);
            return Next::End(Error::Service(error));
        }
        let error = Error::Service(error);
        if is_first {
            state.trial = Some((offset, error));
            Next::AtOnce
        } else {
            Next::Policy(error, Some(offset))
        }
    }
}

/// Adds a header that the caller left out. A map that is full is refused when it is signed.
fn add_default(headers: &mut HeaderMap, name: HeaderName, value: HeaderValue) {
    if !headers.contains_key(&name) {
        let _ = headers.try_insert(name, value);
    }
}

/// What a failure without answer teaches.
fn unanswered(error: Error, state: &mut RetryState) -> Next {
    match (&error, state.trial.take()) {
        // The corrected time is the cause, and it came with that refusal.
        (Error::Sign(_), Some((_, before))) => Next::End(before),
        (_, trial) => {
            state.trial = trial;
            Next::Policy(error, None)
        }
    }
}

/// What can be read of an error document: a broken connection ends it, and the status still counts. So does `limit`,
/// since a server that sends a byte now and then is never silent for long.
async fn error_document(mut body: ResponseBody, mut limit: BoxFuture<'static, ()>) -> Vec<u8> {
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
