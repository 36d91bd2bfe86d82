//! Where reqwest runs: in the caller's runtime, or on a thread of its own.

use std::any::Any;
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::{Mutex, PoisonError, mpsc};
use std::task::{Context, Poll};

use oss_credentials_http::{HttpError, HttpErrorKind, HttpResponse};
use tokio::runtime::{Builder, Handle};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use crate::error;

/// Short enough for Linux, which cuts names of threads at 15 bytes.
const THREAD_NAME: &str = "oss-cred-http";

type Answer = Result<HttpResponse, HttpError>;

/// Runs in the runtime in which the future is first polled, wherever it is polled later.
pub(crate) async fn in_callers_runtime(exchange: impl Future<Output = Answer>) -> Answer {
    let Ok(handle) = Handle::try_current() else {
        return Err(error::request(
            "no tokio runtime is running here; await the provider inside one, or pass it \
             `http_client(ReqwestClient::with_own_runtime())`",
        ));
    };
    Entered {
        handle,
        future: Some(Box::pin(exchange)),
    }
    .await
}

/// Polls its future inside the runtime, and turns a panic into an error: tokio panics where a runtime has no
/// timer or no I/O driver, or has been shut down.
struct Entered<F> {
    handle: Handle,
    /// `None` once it is done.
    future: Option<Pin<Box<F>>>,
}

impl<F: Future<Output = Answer>> Future for Entered<F> {
    type Output = Answer;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Answer> {
        let this = &mut *self;
        let Some(future) = &mut this.future else {
            return Poll::Pending;
        };
        let _inside = this.handle.enter();
        match catch_unwind(AssertUnwindSafe(|| future.as_mut().poll(cx))) {
            Ok(Poll::Pending) => Poll::Pending,
            Ok(Poll::Ready(answer)) => {
                this.future = None;
                Poll::Ready(answer)
            }
            Err(panic) => {
                this.future = None;
                Poll::Ready(Err(panicked(&*panic)))
            }
        }
    }
}

/// The panic's own text is not repeated: nobody promised that it holds no part of the request.
fn panicked(panic: &(dyn Any + Send)) -> HttpError {
    let text = panic
        .downcast_ref::<String>()
        .map(String::as_str)
        .or_else(|| panic.downcast_ref::<&str>().copied())
        .unwrap_or_default();
    if text.contains("Tokio 1.x") {
        return error::request(
            "the tokio runtime has no timer or no I/O driver, or is shut down; build it with `enable_all`, or \
             pass the provider `http_client(ReqwestClient::with_own_runtime())`",
        );
    }
    HttpError::new(HttpErrorKind::Other, "the HTTP library panicked")
}

/// A runtime on one thread, started by the first request and stopped by dropping this.
#[derive(Default)]
pub(crate) struct OwnRuntime(Mutex<Option<Running>>);

struct Running {
    handle: Handle,
    /// Dropping it ends the thread.
    _stop: oneshot::Sender<()>,
}

impl OwnRuntime {
    pub(crate) async fn run(&self, exchange: impl Future<Output = Answer> + Send + 'static) -> Answer {
        let task = Task(self.handle()?.spawn(exchange));
        task.await
    }

    fn handle(&self) -> Result<Handle, HttpError> {
        let mut running = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match &*running {
            Some(running) => Ok(running.handle.clone()),
            None => Ok(running.insert(start()?).handle.clone()),
        }
    }
}

/// The runtime is made and dropped on its thread: dropping one inside another runtime panics.
fn start() -> Result<Running, HttpError> {
    let (started, starting) = mpsc::sync_channel(1);
    let (stop, stopped) = oneshot::channel();
    let body = move || {
        let runtime = match Builder::new_current_thread().enable_all().build() {
            Ok(runtime) => runtime,
            Err(error) => {
                // Nobody waits any more if this fails.
                let _ = started.send(Err(error));
                return;
            }
        };
        if started.send(Ok(runtime.handle().clone())).is_ok() {
            let _ = runtime.block_on(stopped);
        }
        // A look-up of a name may be stuck in the system: do not wait for it.
        runtime.shutdown_background();
    };
    // The system has no thread or file left, which passes.
    let no_thread = |error: std::io::Error| HttpError::new(HttpErrorKind::Other, error);
    std::thread::Builder::new()
        .name(THREAD_NAME.to_owned())
        .spawn(body)
        .map_err(no_thread)?;
    match starting.recv() {
        Ok(Ok(handle)) => Ok(Running { handle, _stop: stop }),
        Ok(Err(error)) => Err(no_thread(error)),
        Err(_) => Err(error::request("the HTTP thread could not be started")),
    }
}

/// A spawned exchange that ends when nobody waits for it any more.
struct Task(JoinHandle<Answer>);

impl Future for Task {
    type Output = Answer;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Answer> {
        let joined = std::task::ready!(Pin::new(&mut self.0).poll(cx));
        Poll::Ready(joined.unwrap_or_else(|error| match error.try_into_panic() {
            Ok(panic) => Err(panicked(&*panic)),
            Err(_) => Err(HttpError::new(HttpErrorKind::Other, "the HTTP thread has ended")),
        }))
    }
}

impl Drop for Task {
    fn drop(&mut self) {
        self.0.abort();
    }
}
