//! The exchange over reqwest.

use std::fmt;
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;

use oss_credentials_http::{HttpError, HttpErrorKind};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::http_error::from_reqwest;
use crate::idle::{IdleTimeout, UploadWatch, guarded, silent};
use crate::progress::Progress;
use crate::proxies::Proxies;
use crate::runtimes::Clients;

/// A reqwest client, and how long the service may be silent.
pub(crate) struct Transport {
    pub(crate) clients: Clients,
    pub(crate) proxies: Proxies,
    /// A permit for each request that may be under way; `None` without limit.
    pub(crate) slots: Option<Arc<Semaphore>>,
    pub(crate) idle: IdleTimeout,
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
    /// Waits until one more request may be under way; `None` if there is no limit.
    pub(crate) async fn slot(&self) -> Option<OwnedSemaphorePermit> {
        // Nobody closes it.
        Arc::clone(self.slots.as_ref()?).acquire_owned().await.ok()
    }

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
        let mut watch = UploadWatch::new(&self.idle, progress);
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
