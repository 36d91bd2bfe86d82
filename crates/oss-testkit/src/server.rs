//! One request from arrival to response: recording, faults, the service itself.

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use axum::body::Body;
use axum::response::Response;
use bytes::Bytes;
use futures_core::Stream;
use http::{HeaderName, HeaderValue};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;
use tokio::runtime::Handle;

use crate::body::Unread;
use crate::conn::{Listener, Peer, Reset};
use crate::fault::{Fault, Kind, add_namespace};
use crate::record::RecordedRequest;
use crate::service::{CloudService, Judgement};
use crate::state::State;
use crate::time::http_date;
use crate::wire::{Answer, Request};

#[derive(Clone)]
struct Server {
    service: Arc<dyn CloudService>,
    state: Arc<State>,
}

/// How many headers a request may have: user metadata is limited by its size alone. hyper takes 100 by default, and 408 KiB
/// for the whole head.
const MAX_HEADERS: usize = 1024;

/// Serves until the runtime ends.
pub(crate) async fn run(service: Arc<dyn CloudService>, state: Arc<State>, listener: TcpListener) {
    let server = Server { service, state };
    let mut listener = Listener(listener);
    loop {
        let connection = listener.accept().await;
        let (server, peer) = (server.clone(), connection.peer());
        let service = service_fn(move |request: http::Request<Incoming>| {
            let (server, peer) = (server.clone(), peer.clone());
            async move { Ok::<_, Infallible>(handle(&server, &peer, request.map(Body::new)).await) }
        });
        let serving = http1::Builder::new()
            .max_headers(MAX_HEADERS)
            .serve_connection(TokioIo::new(connection), service);
        Handle::current().spawn(async move {
            if let Err(error) = serving.await {
                tracing::trace!(target: "oss_testkit", %error, "the connection failed");
            }
        });
    }
}

async fn handle(server: &Server, peer: &Peer, request: http::Request<Body>) -> Response {
    let (parts, body) = request.into_parts();
    let limit = server.state.body_limit;
    match server.service.receive(parts, body, limit).await {
        Ok(mut request) => {
            request.source_ip = peer.address.map(|address| address.ip());
            server.answer(request, &peer.reset).await
        }
        Err(Unread::TooLong) => too_long(),
        // The caller went away in the middle of the body; there is nobody to answer.
        Err(Unread::Gone) => Response::default(),
    }
}

/// The response to a body beyond the limit, where the service has none of its own.
fn too_long() -> Response {
    let mut response = Response::default();
    *response.status_mut() = http::StatusCode::PAYLOAD_TOO_LARGE;
    response
}

impl Server {
    async fn answer(&self, request: Request, reset: &Reset) -> Response {
        let action = self.service.action(&request);
        tracing::debug!(target: "oss_testkit", service = ?self.service.id(), action, "request");
        let (id, fault) = self.state.lock().admit(RecordedRequest {
            service: self.service.id(),
            action,
            access_key_id: self.service.access_key_id(&request),
            shown_path: self.service.shown_path(&request).to_owned(),
            request: request.clone(),
            status: None,
            error_code: None,
        });
        if let Some(latency) = fault.as_ref().and_then(|fault| fault.latency) {
            self.state.sleep.sleep(latency).await;
        }
        let kind = fault.map_or(Kind::Late, |Fault { kind, .. }| kind);
        let is_lost = self.service.loses_answer(&request);
        if matches!(kind, Kind::Hang) || is_lost {
            return std::future::pending().await;
        }
        let mut judgement = Judgement::default();
        match kind {
            Kind::ClockOffset(seconds) => judgement.clock_offset = seconds,
            Kind::ExpiredCredentials => judgement.expired_credentials = true,
            Kind::EmptyPage => judgement.empty_page = true,
            _ => {}
        }
        let mut answer = self.decide(&request, &kind, judgement);
        if let Kind::MissingField(name) = &kind {
            self.service.remove_field(&mut answer, name);
        }
        if let Kind::XmlNamespace(uri) = &kind {
            add_namespace(&mut answer, uri);
        }
        if matches!(kind, Kind::Reset) {
            reset.request();
            return Response::default();
        }
        self.state.lock().finish(id, answer.status, answer.code.clone());
        let date = http_date(self.state.now(judgement.clock_offset));
        respond(answer, &kind, &date)
    }

    fn decide(&self, request: &Request, kind: &Kind, judgement: Judgement) -> Answer {
        match kind {
            Kind::Error {
                status,
                code,
                message,
            } => self.service.error(request, *status, code, message),
            Kind::JsonError { status, code } => self.service.json_error(request, *status, code),
            Kind::Throttling => self.service.throttling(request),
            Kind::Foreign {
                status,
                content_type,
                body,
            } => Answer::new(*status, content_type, body.clone()),
            Kind::Redirect { status, location } => {
                Answer::empty(*status).with("location", location.as_bytes())
            }
            _ => self.service.handle(request, judgement),
        }
    }
}

/// Turns a response into HTTP, cut short where the fault says so.
fn respond(answer: Answer, kind: &Kind, date: &str) -> Response {
    let length = answer.length.unwrap_or(answer.body.len() + answer.zeros);
    let ending = match kind {
        Kind::CutBody if length > 0 => Ending::Cut,
        Kind::HangInBody if length > 0 => Ending::Hang,
        _ => Ending::Complete,
    };
    let body = if answer.zeros == 0 && matches!(ending, Ending::Complete) {
        Body::from(answer.body)
    } else {
        let part = |all: usize| match ending {
            Ending::Complete => all,
            Ending::Cut | Ending::Hang => all / 2,
        };
        Body::from_stream(Chunks {
            first: Some(answer.body.slice(..part(answer.body.len()))).filter(|first| !first.is_empty()),
            zeros: part(answer.zeros),
            flushed: false,
            ending,
        })
    };
    let mut response = Response::new(body);
    *response.status_mut() = http::StatusCode::from_u16(answer.status).unwrap_or_default();
    let headers = response.headers_mut();
    for (name, value) in answer.headers {
        if let (Ok(name), Ok(value)) = (
            HeaderName::from_bytes(name.as_bytes()),
            HeaderValue::from_bytes(&value),
        ) {
            headers.append(name, value);
        }
    }
    if let Ok(date) = HeaderValue::from_str(date) {
        headers.insert(http::header::DATE, date);
    }
    if !matches!(answer.status, 204 | 304) {
        headers.insert(http::header::CONTENT_LENGTH, length.into());
    }
    response
}

#[derive(Clone, Copy, Debug)]
enum Ending {
    Complete,
    Cut,
    Hang,
}

/// The zeros that are passed on at once.
static ZEROS: [u8; 64 * 1024] = [0; 64 * 1024];

/// A body, or a part of one, with zeros at its end; and then the end, an error or nothing.
struct Chunks {
    first: Option<Bytes>,
    zeros: usize,
    flushed: bool,
    ending: Ending,
}

impl Stream for Chunks {
    type Item = std::io::Result<Bytes>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if let Some(first) = self.first.take() {
            return Poll::Ready(Some(Ok(first)));
        }
        if self.zeros > 0 {
            let length = self.zeros.min(ZEROS.len());
            self.zeros -= length;
            return Poll::Ready(Some(Ok(Bytes::from_static(&ZEROS).slice(..length))));
        }
        match self.ending {
            Ending::Complete => Poll::Ready(None),
            Ending::Hang => Poll::Pending,
            Ending::Cut if !self.flushed => {
                // Hyper writes what it has only when the body has nothing more to give for now.
                self.flushed = true;
                cx.waker().wake_by_ref();
                Poll::Pending
            }
            Ending::Cut => Poll::Ready(Some(Err(std::io::ErrorKind::ConnectionAborted.into()))),
        }
    }
}
