//! The client under test, and what checks say about it.

use std::error::Error;
use std::fmt::Write as _;
use std::io;
use std::time::Duration;

use super::socket::ScriptedSocket;
use crate::{HttpClient, HttpError, HttpErrorKind, HttpRequest, HttpResponse};
use oss_credentials_core::{BoxFuture, blocking};

pub(super) type Answer = Result<HttpResponse, HttpError>;
type MakeClient = Box<dyn Fn() -> Box<dyn HttpClient>>;
type MakeProxied = Box<dyn Fn(&str) -> Box<dyn HttpClient>>;
type BlockOn = Box<dyn for<'a> Fn(BoxFuture<'a, ()>)>;

/// Part of the query, header and body of requests and of responses; no error may contain it.
pub(super) const CANARY: &str = "c4n4ryValue";
/// After this the suite takes its turn, where a client that keeps the contract has long acted.
pub(super) const LONG: Duration = Duration::from_secs(1);

/// Why a check did not pass.
pub(super) enum Problem {
    Failed(String),
    Skipped(String),
}

impl From<io::Error> for Problem {
    fn from(error: io::Error) -> Self {
        Self::Failed(format!("the suite's own socket: {error}"))
    }
}

impl From<String> for Problem {
    fn from(reason: String) -> Self {
        Self::Failed(reason)
    }
}

pub(super) type Checked = Result<(), Problem>;

/// How clients are made, and how their futures are run.
pub(super) struct Subject {
    client: MakeClient,
    pub(super) proxied: Option<MakeProxied>,
    pub(super) block_on: BlockOn,
}

impl Subject {
    pub(super) fn new(client: MakeClient) -> Self {
        Self {
            client,
            proxied: None,
            block_on: Box::new(|future| blocking::wait(future)),
        }
    }

    pub(super) fn client(&self) -> Box<dyn HttpClient> {
        (self.client)()
    }

    pub(super) fn client_through(&self, proxy: &str) -> Option<Box<dyn HttpClient>> {
        self.proxied.as_ref().map(|make| make(proxy))
    }

    /// Sends with a client of its own.
    pub(super) fn send(&self, request: HttpRequest) -> Answer {
        self.send_with(&*self.client(), request)
    }

    pub(super) fn send_with(&self, client: &dyn HttpClient, request: HttpRequest) -> Answer {
        let mut answer = None;
        self.wait(Box::pin(async { answer = Some(client.send(request).await) }));
        answer.unwrap_or_else(|| {
            let reason = "`block_on` returned before the future was done";
            Err(HttpError::new(HttpErrorKind::Other, reason))
        })
    }

    pub(super) fn wait(&self, future: BoxFuture<'_, ()>) {
        (self.block_on)(future);
    }
}

/// A request with a canary wherever one can be.
pub(super) fn request_to(socket: &ScriptedSocket) -> HttpRequest {
    HttpRequest::post(socket.url(&format!("/path?Token={CANARY}")))
        .with_header("x-secret", CANARY)
        .with_body(CANARY.as_bytes().to_vec())
        .with_connect_timeout(Duration::from_secs(5))
        .with_timeout(Duration::from_secs(5))
}

pub(super) fn expect(holds: bool, reason: impl FnOnce() -> String) -> Result<(), String> {
    if holds { Ok(()) } else { Err(reason()) }
}

pub(super) fn ok(answer: Answer) -> Result<HttpResponse, String> {
    answer.map_err(|error| format!("got an error ({error}), wanted an answer"))
}

/// The result must be an error of one of these kinds, and must not contain a canary.
pub(super) fn fails(answer: Answer, kinds: &[HttpErrorKind]) -> Result<(), String> {
    let error = match answer {
        Ok(response) => return Err(format!("got {response:?}, wanted an error of kind {kinds:?}")),
        Err(error) => error,
    };
    let mut shown = format!("{error} {error:?}");
    let mut cause = error.source();
    while let Some(inner) = cause {
        // Writing to a String cannot fail.
        let _ = write!(shown, " {inner} {inner:?}");
        cause = inner.source();
    }
    expect(!shown.contains(CANARY), || {
        "the error shows query, header or body".to_owned()
    })?;
    expect(kinds.contains(&error.kind()), || {
        format!(
            "got an error of kind {:?} ({error}), wanted {kinds:?}",
            error.kind()
        )
    })
}
