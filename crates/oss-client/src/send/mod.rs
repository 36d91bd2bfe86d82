//! Sends an operation: attempt after attempt, until there is a response or a failure that is not retried.
//!
//! [`state`] decides what follows a failed attempt, and [`check`] what makes a response a success.

mod check;
mod state;

use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::{Context, Poll};
use std::time::{Duration, SystemTime};

use futures_core::Stream as _;
use oss_credentials_core::{BoxFuture, ClockOffset, Credentials};
use oss_credentials_http::HttpError;
use reqwest::StatusCode;
use tracing::Span;

use crate::TRACING_TARGET;
use crate::client::{Client, Inner};
use crate::clock::Exchange;
use crate::error::{CorruptionError, Error, TransportError};
use crate::error_document::{MAX_ERROR_DOCUMENT, is_error_document};
use crate::headers;
use crate::idle::guarded;
use crate::observe::{Recorder, names};
use crate::operation::{Crc, Operation};
use crate::progress::Progress;
use crate::redirect::{self, Hops};
use crate::request_context::RequestContext;
use crate::response::{Response, ResponseBody, ResponseHead};
use crate::retry::FailedAttempt;
use crate::service_error::ServiceError;

use check::Checks;
use state::{Next, Refused, RetryState};

/// The result of an attempt to which the service responded.
#[expect(clippy::large_enum_variant, reason = "the large one is the usual one")]
enum Outcome {
    Done(Done),
    Refused(Refused),
}

/// An attempt that succeeded.
struct Done {
    response: Response,
    exchange: Exchange,
    /// A redirect led to another server.
    is_cross_origin: bool,
}

/// An attempt under way.
struct Attempt {
    used: Credentials,
    /// A reading of the local clock.
    started: SystemTime,
    /// The signing time.
    time: SystemTime,
    progress: Arc<Progress>,
    context: RequestContext,
}

/// A response as it arrived.
struct Received {
    head: ResponseHead,
    body: ResponseBody,
    /// A redirect led to another server.
    is_cross_origin: bool,
}

/// The kind of body that a response has.
#[expect(clippy::large_enum_variant, reason = "the large one is the usual one")]
enum Content {
    Success(ResponseBody),
    ErrorDocument(Vec<u8>),
}

impl Client {
    /// Sends any operation as the client sends its own: with credentials, a signature, retries, and the same errors.
    ///
    /// # Errors
    ///
    /// Any variant of [`Error`] but [`Error::InvalidConfig`].
    ///
    /// # Examples
    ///
    /// See [`Operation`].
    pub async fn send(&self, mut operation: Operation) -> Result<Response, Error> {
        let inner = &*self.inner;
        operation.with_defaults(&inner.default_headers);
        operation.check(&inner.endpoint)?;
        let span =
            tracing::debug_span!(target: TRACING_TARGET, names::OPERATION, operation = &*operation.name);
        let Some(limit) = inner.operation_timeout else {
            let mut attempts = pin!(inner.attempts(&mut operation));
            return within(&span, |cx| attempts.as_mut().poll(cx)).await;
        };
        let mut timer = inner.transport.idle.sleep.sleep(limit);
        let first = {
            let mut attempts = pin!(inner.attempts(&mut operation));
            within(&span, |cx| match attempts.as_mut().poll(cx) {
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

impl Inner {
    /// Makes attempts, as long as a rejection can be corrected or the policy allows another one.
    async fn attempts(&self, operation: &mut Operation) -> Result<Response, Error> {
        let mut state = RetryState::new(self.call_clock());
        loop {
            let next = match self.next_attempt(operation, &mut state).await? {
                Ok(response) => return Ok(response),
                Err(next) => next,
            };
            let error = match next {
                Next::AtOnce => continue,
                Next::Policy(error) => error,
                Next::End(error) => return Err(error),
            };
            let Some(delay) = self.delay(operation, &error, state.number()) else {
                return Err(error);
            };
            if !self.pause(delay).await {
                return Err(error);
            }
            state.continues_after(error, &operation.method);
        }
    }

    /// One attempt, and what to do if it failed. An error ends the operation without a further attempt.
    async fn next_attempt<'c>(
        &'c self,
        operation: &mut Operation,
        state: &mut RetryState<'c>,
    ) -> Result<Result<Response, Next>, Error> {
        state.begin_attempt();
        let slot = self.transport.slot().await;
        let credentials = match self.provider.credentials().await {
            Ok(credentials) => credentials,
            Err(error) => return Ok(Err(Next::Policy(Error::Credentials(error)))),
        };
        state.check(&credentials)?;
        let (offset, number) = (state.offset(), state.number());
        let mut recorder = self.observer.begin(operation, number, self.clock.local());
        let outcome = {
            let span = recorder.span();
            let mut attempt = pin!(self.attempt(operation, credentials, offset, number, &mut recorder));
            within(&span, |cx| attempt.as_mut().poll(cx)).await
        };
        Ok(match outcome {
            Ok(Outcome::Done(mut done)) => {
                recorder.succeeded();
                if !done.is_cross_origin {
                    state.time_was_accepted(done.exchange, done.response.headers());
                }
                done.response.hold(recorder, slot);
                Ok(done.response)
            }
            Ok(Outcome::Refused(mut refused)) => {
                refused.error.follows_open_outcome(state.may_have_succeeded());
                recorder.refused(&refused.error);
                drop(recorder);
                Err(self.learn(refused, state, operation))
            }
            Err(error) => {
                recorder.failed(&error);
                Err(state.unanswered(error))
            }
        })
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
            name: names::RETRYING,
            target: TRACING_TARGET,
            operation = &*operation.name,
            attempt = number,
            delay_ms = u64::try_from(delay.as_millis()).unwrap_or(u64::MAX),
            code = error.code(),
            request_id = error.request_id(),
            event = names::RETRYING,
            "trying again"
        );
        Some(delay)
    }

    /// Waits; false if there is no timer.
    pub(crate) async fn pause(&self, delay: Duration) -> bool {
        if delay.is_zero() {
            return true;
        }
        let mut timer = self.transport.idle.sleep.sleep(delay);
        std::future::poll_fn(|cx| guarded(|| timer.as_mut().poll(cx).map(Ok)))
            .await
            .is_ok()
    }

    /// Warns once per client if anyone on the network path can read the signature and token.
    pub(crate) fn warn_if_exposed(&self, used: &Credentials) {
        if self.is_exposed.load(Ordering::Relaxed)
            && !used.is_anonymous()
            && self.is_exposed.swap(false, Ordering::Relaxed)
        {
            tracing::warn!(
                name: names::PLAIN_HTTP,
                target: TRACING_TARGET,
                host = self.endpoint.host(),
                event = names::PLAIN_HTTP,
                "the endpoint is plain http: anyone on the network path can read objects and security tokens"
            );
        }
    }

    /// Sends it once, signed for the local time with this offset.
    async fn attempt(
        &self,
        operation: &mut Operation,
        used: Credentials,
        offset: ClockOffset,
        number: u32,
        recorder: &mut Recorder,
    ) -> Result<Outcome, Error> {
        self.check_empty(operation).await?;
        self.warn_if_exposed(&used);
        let started = self.clock.local().now();
        let time = offset.to_service(started);
        let progress = Arc::new(if self.check_crc && operation.crc == Crc::Sent {
            Progress::with_crc()
        } else {
            Progress::default()
        });
        recorder.sends(&progress);
        let mut url = operation.url(&self.endpoint);
        let request = self.request(operation, &mut url, &used, time, &progress)?;
        let attempt = Attempt {
            context: operation.context_of(url, number),
            used,
            started,
            time,
            progress,
        };
        let received = self.exchange(operation, request, &attempt, recorder).await?;
        self.read(operation, received, attempt).await
    }

    /// Sends the request, and follows redirects if that is allowed.
    async fn exchange(
        &self,
        operation: &mut Operation,
        request: reqwest::Request,
        attempt: &Attempt,
        recorder: &mut Recorder,
    ) -> Result<Received, Error> {
        // Hardly any request is redirected, so none is kept: the same one is made once more.
        let again = || {
            let mut url = operation.url(&self.endpoint);
            self.request(
                operation,
                &mut url,
                &attempt.used,
                attempt.time,
                &attempt.progress,
            )
            .ok()
        };
        let context = &attempt.context;
        let exchanged = self.follow(request, &attempt.progress, again).await;
        let (response, is_cross_origin) = exchanged.map_err(|error| {
            tracing::debug!(
                name: names::NO_RESPONSE, target: TRACING_TARGET, operation = context.operation(),
                kind = ?error.kind(), event = names::NO_RESPONSE, "no response"
            );
            let error = self.transport.proxies.name(error, context);
            Error::Transport(Box::new(TransportError::new(context.clone(), error)))
        })?;
        Ok(self.received(response, is_cross_origin, attempt, recorder))
    }

    /// Separates head and body of a response, and reports it.
    fn received(
        &self,
        mut response: reqwest::Response,
        is_cross_origin: bool,
        attempt: &Attempt,
        recorder: &mut Recorder,
    ) -> Received {
        let context = &attempt.context;
        let status = response.status();
        let headers = std::mem::take(response.headers_mut());
        let head = ResponseHead::new(status, headers, &self.request_ids, &attempt.used);
        recorder.responded(status.as_u16(), || head.request_id());
        tracing::debug!(
            name: names::RESPONSE,
            target: TRACING_TARGET,
            operation = context.operation(),
            status = status.as_u16(),
            request_id = head.request_id(),
            event = names::RESPONSE,
            "responded"
        );
        let mut body = ResponseBody::new(response, self.transport.idle.clone(), context.clone());
        body.count(recorder.received());
        Received {
            head,
            body,
            is_cross_origin,
        }
    }

    /// The response to a request, and whether another server sent it. `again` makes the same request once more.
    async fn follow(
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

    /// Distinguishes success from refusal.
    async fn read(
        &self,
        operation: &mut Operation,
        received: Received,
        attempt: Attempt,
    ) -> Result<Outcome, Error> {
        let Received {
            head,
            body,
            is_cross_origin,
        } = received;
        let status = head.status();
        // A failed callback is reported with 203 and an error document; the object is stored.
        let callback_failed = status == StatusCode::NON_AUTHORITATIVE_INFORMATION
            && operation.headers.contains_key(headers::CALLBACK);
        // Before the body is read: that takes time.
        let exchange = Exchange {
            sent: attempt.started,
            received: self.clock.local().now(),
        };
        let content = if status.is_success() && !callback_failed {
            self.accepted(operation, &head, body, &attempt, is_cross_origin)
                .await?
        } else {
            Content::ErrorDocument(error_document(body, self.transport.idle.timer()).await)
        };
        Ok(match content {
            Content::Success(body) => Outcome::Done(Done {
                response: Response::new(head, body),
                exchange,
                is_cross_origin,
            }),
            Content::ErrorDocument(document) => {
                Outcome::Refused(refused(attempt, &head, &document, exchange, is_cross_origin))
            }
        })
    }

    /// The body of a successful response, that of a document as a whole; or the document of an error, since the service
    /// may fail after it has begun to respond, as it can when it copies an object or completes an upload. `operation`
    /// is exclusive, since a body to send cannot be shared between threads.
    async fn accepted(
        &self,
        operation: &mut Operation,
        head: &ResponseHead,
        body: ResponseBody,
        attempt: &Attempt,
        is_cross_origin: bool,
    ) -> Result<Content, Error> {
        let checks = Checks {
            crc: self.check_crc,
            may_decompress: self.may_decompress,
            is_cross_origin,
        };
        let context = &attempt.context;
        let (expected, stored_crc) = check::check(operation, head, context, checks)?;
        if let Some(sent) = attempt.progress.crc() {
            if let Some(stored) = stored_crc.filter(|stored| *stored != sent) {
                let request_id = head.request_id().map(str::to_owned);
                let error = CorruptionError::sent(context.clone(), sent, stored, request_id);
                return Err(Error::Corrupted(Box::new(error)));
            }
            operation.body.note(sent);
        }
        let body = body.checked(expected, head);
        if !operation.has_document {
            return Ok(Content::Success(body));
        }
        let document = body.whole(head).await?;
        let has_callback = operation.headers.contains_key(headers::CALLBACK);
        if is_error_document(head.headers(), &document, has_callback) {
            return Ok(Content::ErrorDocument(document.into()));
        }
        let idle = self.transport.idle.clone();
        Ok(Content::Success(ResponseBody::of(
            document,
            idle,
            context.clone(),
        )))
    }
}

fn refused(
    attempt: Attempt,
    head: &ResponseHead,
    document: &[u8],
    exchange: Exchange,
    is_cross_origin: bool,
) -> Refused {
    let document = document.get(..MAX_ERROR_DOCUMENT).unwrap_or(document);
    let (context, used) = (attempt.context, attempt.used);
    let error = ServiceError::read(context, head.status(), head.headers(), document, &used);
    Refused {
        error: Box::new(error),
        exchange,
        used,
        is_cross_origin,
    }
}

/// Polls a future inside a span. The future stays where it is pinned: `Instrument` would move it, and those of an
/// operation are large.
async fn within<T>(span: &Span, mut poll: impl FnMut(&mut Context<'_>) -> Poll<T>) -> T {
    std::future::poll_fn(|cx| span.in_scope(|| poll(cx))).await
}

/// Reads as much of an error document as arrives: if the connection breaks, the status still counts. The same holds
/// after `limit`, since a server that sends a byte now and then never exceeds the idle timeout.
async fn error_document(mut body: ResponseBody, mut limit: BoxFuture<'static, ()>) -> Vec<u8> {
    let mut document = Vec::new();
    std::future::poll_fn(|cx| {
        // Pieces that have already arrived are read even after the time is up.
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
