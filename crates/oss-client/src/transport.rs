//! The exchange over reqwest, and the read time-out.

use std::error::Error as StdError;
use std::fmt;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use oss_credentials_core::{BoxFuture, Sleep};
use oss_credentials_http::{HttpError, HttpErrorKind};

use crate::body::{Progress, UploadError};
use crate::error::millis;
use crate::proxies::Proxies;
use crate::runtimes::Clients;

/// A reqwest client, and how long the service may be silent.
pub(crate) struct Transport {
    pub(crate) clients: Clients,
    pub(crate) proxies: Proxies,
    pub(crate) idle: IdleTimeout,
}

/// How many bytes of an upload may be under way on this machine when the HTTP stack asks for no more: 4 MiB in the
/// system's send buffer, the most that Linux gives by itself (`tcp_wmem`), and 512 KiB in hyper's.
const BUFFERED: u64 = 4 * 1024 * 1024 + 512 * 1024;

/// How many of these leave in a second at least: 245,760 bits, the lowest limit that the service can set to a
/// connection.
///
/// Vendor document: "Limit the bandwidth of a single connection" (Object Storage Service, developer guide).
const SLOWEST: u64 = 245_760 / 8;

/// The read time-out. reqwest's own runs while a body is uploaded, which would limit the whole upload.
#[derive(Clone)]
pub(crate) struct IdleTimeout {
    pub(crate) limit: Duration,
    pub(crate) sleep: Arc<dyn Sleep>,
}

impl IdleTimeout {
    pub(crate) fn timer(&self) -> BoxFuture<'static, ()> {
        self.sleep.sleep(self.limit)
    }

    /// How long nothing may be seen to move after so many bytes were handed to the HTTP stack. Nothing tells when
    /// those leave the buffers.
    fn after(&self, handed_over: u64) -> Duration {
        let millis = handed_over.min(BUFFERED).saturating_mul(1000).div_ceil(SLOWEST);
        self.limit.saturating_add(Duration::from_millis(millis))
    }
}

impl fmt::Debug for Transport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // reqwest's own `Debug` shows headers and proxies, which may hold passwords.
        f.debug_struct("Transport")
            .field("read_timeout", &self.idle.limit)
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
        let Ok(runtime) = tokio::runtime::Handle::try_current() else {
            return Err(HttpError::new(
                HttpErrorKind::Request,
                "no tokio runtime is running here; await the operation inside one",
            ));
        };
        let client = self.clients.of(runtime.id())?;
        let mut exchange = pin!(client.execute(request));
        let mut watch = Watch::new(&self.idle, progress);
        std::future::poll_fn(|cx| {
            guarded(|| {
                progress.register(cx.waker());
                if let Poll::Ready(response) = exchange.as_mut().poll(cx) {
                    return Poll::Ready(response.map_err(from_reqwest));
                }
                watch.poll(cx).map(|limit| Err(silent(limit)))
            })
        })
        .await
    }
}

/// Waits for the service to be silent for too long.
struct Watch<'a> {
    idle: &'a IdleTimeout,
    progress: &'a Progress,
    /// What the progress was when the time began.
    seen: u64,
    limit: Duration,
    /// `None` if the time was over while the caller's stream was waited for.
    timer: Option<BoxFuture<'static, ()>>,
}

impl<'a> Watch<'a> {
    fn new(idle: &'a IdleTimeout, progress: &'a Progress) -> Self {
        let mut watch = Self {
            idle,
            progress,
            seen: 0,
            limit: idle.limit,
            timer: None,
        };
        watch.begin();
        watch
    }

    fn begin(&mut self) {
        self.seen = self.progress.moves();
        self.limit = self.idle.after(self.progress.handed_over());
        self.timer = Some(self.idle.sleep.sleep(self.limit));
    }

    /// Gives for how long nothing moved.
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Duration> {
        if self.progress.moves() != self.seen {
            self.begin();
        }
        match &mut self.timer {
            Some(timer) => ready!(timer.as_mut().poll(cx)),
            None => return Poll::Pending,
        }
        if self.progress.moves() != self.seen || self.progress.source_is_slow() {
            // The next move wakes this, and begins anew.
            self.timer = None;
            return Poll::Pending;
        }
        Poll::Ready(self.limit)
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
    let error = error.without_url();
    HttpError::new(kind(&error), error)
}

fn kind(error: &reqwest::Error) -> HttpErrorKind {
    let cause = |is: fn(&(dyn StdError + 'static)) -> bool| causes(error).any(is);
    if cause(<dyn StdError>::is::<UploadError>) || error.is_builder() {
        return HttpErrorKind::Request;
    }
    if error.is_connect() {
        return if cause(is_of_rustls) || is_of_native_tls(error) {
            HttpErrorKind::Tls
        } else {
            HttpErrorKind::Connect
        };
    }
    if error.is_timeout() {
        return HttpErrorKind::Timeout;
    }
    if cause(is_large_head) {
        return HttpErrorKind::Other;
    }
    if error.is_request() || error.is_body() || error.is_decode() || cause(<dyn StdError>::is::<io::Error>) {
        return HttpErrorKind::Interrupted;
    }
    HttpErrorKind::Other
}

/// Whether the head of the response has more headers or bytes than are read: the next one would, too.
pub(crate) fn head_is_too_large(error: &HttpError) -> bool {
    causes(error).any(is_large_head)
}

/// hyper's words. Its method for this kind is there only with its server, which brings one more crate.
const TOO_LARGE: &str = "message head is too large";

fn is_large_head(cause: &(dyn StdError + 'static)) -> bool {
    cause
        .downcast_ref::<hyper::Error>()
        .is_some_and(|error| error.is_parse() && error.to_string() == TOO_LARGE)
}

/// rustls reports through `io::Error`s that no system call made.
fn is_of_rustls(cause: &(dyn StdError + 'static)) -> bool {
    cause
        .downcast_ref::<io::Error>()
        .is_some_and(|io| io.kind() == io::ErrorKind::InvalidData && io.raw_os_error().is_none())
}

/// The system's library has a type of its own, in which it also wraps what happens to the connection.
#[cfg(feature = "native-tls")]
fn is_of_native_tls(error: &reqwest::Error) -> bool {
    causes(error).any(<dyn StdError>::is::<native_tls::Error>)
        && !causes(error).any(<dyn StdError>::is::<io::Error>)
}

#[cfg(not(feature = "native-tls"))]
fn is_of_native_tls(_: &reqwest::Error) -> bool {
    false
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
    idle: &IdleTimeout,
    cx: &mut Context<'_>,
) -> bool {
    timer
        .get_or_insert_with(|| idle.timer())
        .as_mut()
        .poll(cx)
        .is_ready()
}
