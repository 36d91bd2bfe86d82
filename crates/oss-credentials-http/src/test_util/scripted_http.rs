//! A scripted service.

use std::collections::VecDeque;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::{HttpClient, HttpError, HttpErrorKind, HttpRequest, HttpResponse};
use oss_credentials_core::BoxFuture;

type Step = Box<dyn FnOnce(&HttpRequest) -> Result<HttpResponse, HttpError> + Send>;

/// An [`HttpClient`] that returns scripted responses in order and records the requests; clones share both.
///
/// ```
/// use oss_credentials_core::blocking;
/// use oss_credentials_http::{HttpClient, HttpRequest};
/// use oss_credentials_http::test_util::ScriptedHttp;
///
/// let service = ScriptedHttp::new().answers(200, "{}");
/// let response = blocking::wait(service.send(HttpRequest::get("http://127.0.0.1/key")))?;
/// assert_eq!(response.body(), b"{}");
/// assert_eq!(service.requests()[0].url(), "http://127.0.0.1/key");
/// assert_eq!(service.left(), 0);
/// # Ok::<(), oss_credentials_http::HttpError>(())
/// ```
#[derive(Clone, Default)]
#[must_use]
pub struct ScriptedHttp {
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    steps: VecDeque<Step>,
    requests: Vec<HttpRequest>,
}

impl ScriptedHttp {
    /// Creates a client without responses.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a response that depends on the request.
    pub fn then(
        self,
        step: impl FnOnce(&HttpRequest) -> Result<HttpResponse, HttpError> + Send + 'static,
    ) -> Self {
        self.lock().steps.push_back(Box::new(step));
        self
    }

    /// Adds an outcome, whatever the request.
    pub fn gives(self, outcome: Result<HttpResponse, HttpError>) -> Self {
        self.then(move |_| outcome)
    }

    /// Adds a response.
    pub fn answers(self, status: u16, body: impl AsRef<[u8]>) -> Self {
        self.gives(Ok(HttpResponse::new(status, body.as_ref().to_vec())))
    }

    /// Adds an exchange without a response.
    pub fn fails(self, kind: HttpErrorKind) -> Self {
        self.gives(Err(HttpError::new(kind, "made up")))
    }

    /// Returns the requests so far.
    pub fn requests(&self) -> Vec<HttpRequest> {
        self.lock().requests.clone()
    }

    /// Returns how many responses are left.
    pub fn left(&self) -> usize {
        self.lock().steps.len()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for ScriptedHttp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ScriptedHttp(..)")
    }
}

impl HttpClient for ScriptedHttp {
    /// # Panics
    ///
    /// If the script has ended. The request is recorded nevertheless: a provider may catch the panic.
    #[expect(clippy::panic, reason = "one request too many is a failed test")]
    fn send(&self, request: HttpRequest) -> BoxFuture<'_, Result<HttpResponse, HttpError>> {
        let step = self.lock().steps.pop_front();
        let Some(step) = step else {
            self.lock().requests.push(request.clone());
            panic!("one request too many: {request:?}")
        };
        // Outside of the lock: a step may look at the script.
        let answer = step(&request);
        self.lock().requests.push(request);
        Box::pin(std::future::ready(answer))
    }
}
