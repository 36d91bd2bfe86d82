//! The exchange over reqwest, and the read time-out.

use std::error::Error as StdError;
use std::fmt;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use oss_credentials_core::http::{HttpError, HttpErrorKind};
use oss_credentials_core::{BoxFuture, Sleep};

use crate::body::{Progress, UploadError};
use crate::error::millis;

/// A reqwest client, and how long the service may be silent.
#[derive(Clone)]
pub(crate) struct Transport {
    pub(crate) client: reqwest::Client,
    pub(crate) silence: Silence,
}

/// The read time-out. reqwest's own runs while a body is uploaded, which would limit the whole upload.
#[derive(Clone)]
pub(crate) struct Silence {
    pub(crate) limit: Duration,
    pub(crate) sleep: Arc<dyn Sleep>,
}

impl Silence {
    pub(crate) fn timer(&self) -> BoxFuture<'static, ()> {
        self.sleep.sleep(self.limit)
    }
}

impl fmt::Debug for Transport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // reqwest's own `Debug` shows headers and proxies, which may hold passwords.
        f.debug_struct("Transport")
            .field("read_timeout", &self.silence.limit)
            .finish_non_exhaustive()
    }
}

impl Transport {
    /// Sends a request and waits for status and headers.
    pub(crate) async fn send(
        &self,
        request: reqwest::Request,
        progress: &Progress,
    ) -> Result<reqwest::Response, HttpError> {
        if tokio::runtime::Handle::try_current().is_err() {
            return Err(HttpError::new(
                HttpErrorKind::Request,
                "no tokio runtime is running here; await the operation inside one",
            ));
        }
        let mut exchange = pin!(self.client.execute(request));
        let mut timer = self.silence.timer();
        let mut seen = progress.pieces();
        std::future::poll_fn(|cx| {
            guarded(|| {
                if let Poll::Ready(answer) = exchange.as_mut().poll(cx) {
                    return Poll::Ready(answer.map_err(from_reqwest));
                }
                while timer.as_mut().poll(cx).is_ready() {
                    let now = progress.pieces();
                    if now == seen && !progress.source_is_slow() {
                        return Poll::Ready(Err(silent(self.silence.limit)));
                    }
                    seen = now;
                    timer = self.silence.timer();
                }
                Poll::Pending
            })
        })
        .await
    }
}

/// Polls, and turns a panic into an error: tokio panics where a runtime has no timer or no I/O driver, or has been
/// shut down.
pub(crate) fn guarded<T>(poll: impl FnOnce() -> Poll<Result<T, HttpError>>) -> Poll<Result<T, HttpError>> {
    catch_unwind(AssertUnwindSafe(poll)).unwrap_or_else(|_| {
        Poll::Ready(Err(HttpError::new(
            HttpErrorKind::Request,
            "the HTTP stack panicked; enable I/O and time in the tokio runtime, and await inside it",
        )))
    })
}

/// The service was silent for too long.
pub(crate) fn silent(limit: Duration) -> HttpError {
    HttpError::new(
        HttpErrorKind::Timeout,
        format!("nothing arrived for {} ms", millis(limit)),
    )
}

/// Takes the URL out and finds the kind.
pub(crate) fn from_reqwest(error: reqwest::Error) -> HttpError {
    let https = error.url().is_some_and(|url| url.scheme() == "https");
    let error = error.without_url();
    HttpError::new(kind(&error, https), error)
}

fn kind(error: &reqwest::Error, https: bool) -> HttpErrorKind {
    let cause = |is: fn(&(dyn StdError + 'static)) -> bool| causes(error).any(is);
    if cause(<dyn StdError>::is::<UploadError>) || error.is_builder() {
        return HttpErrorKind::Request;
    }
    if error.is_connect() {
        // rustls reports through `io::Error`s that no system call made.
        let certificate = |cause: &(dyn StdError + 'static)| {
            cause
                .downcast_ref::<io::Error>()
                .is_some_and(|io| io.kind() == io::ErrorKind::InvalidData && io.raw_os_error().is_none())
        };
        return if cause(certificate) || (https && failed_without_io(error)) {
            HttpErrorKind::Tls
        } else {
            HttpErrorKind::Connect
        };
    }
    if error.is_timeout() {
        return HttpErrorKind::Timeout;
    }
    if error.is_request() || error.is_body() || error.is_decode() || cause(<dyn StdError>::is::<io::Error>) {
        return HttpErrorKind::Interrupted;
    }
    HttpErrorKind::Other
}

/// Whether a connection failed in the system's TLS library, which uses no `io::Error`. Its types cannot be named here.
fn failed_without_io(error: &reqwest::Error) -> bool {
    let is_other = |cause: &(dyn StdError + 'static)| {
        let text = cause.to_string();
        cause.is::<io::Error>() || text.starts_with("tunnel error") || text.starts_with("unsupported scheme")
    };
    cfg!(feature = "native-tls") && !error.is_timeout() && !error.is_dns() && !causes(error).any(is_other)
}

/// The error's causes, also those that an `io::Error` wraps: its `source` skips them.
fn causes<'a>(error: &'a (dyn StdError + 'static)) -> impl Iterator<Item = &'a (dyn StdError + 'static)> {
    std::iter::successors(error.source(), |cause| {
        let cause: &'a (dyn StdError + 'static) = *cause;
        match cause.downcast_ref::<io::Error>().and_then(io::Error::get_ref) {
            Some(inner) => Some(inner),
            None => cause.source(),
        }
    })
}

/// What a body's stream is polled with.
pub(crate) fn poll_timer(
    timer: &mut Option<BoxFuture<'static, ()>>,
    silence: &Silence,
    cx: &mut Context<'_>,
) -> bool {
    timer
        .get_or_insert_with(|| silence.timer())
        .as_mut()
        .poll(cx)
        .is_ready()
}
