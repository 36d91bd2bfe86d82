//! Notification of each new value, for clients that derive something from it.

use std::fmt;
use std::future::poll_fn;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Weak};
use std::task::{Context, Poll};

use super::shared::{Seat, Shared};
use super::wake::WakeSet;
use crate::credentials::Credentials;

/// Receives each new value of a [`RefreshingProvider`](crate::RefreshingProvider); see
/// [`RefreshingProvider::subscribe`](crate::RefreshingProvider::subscribe).
///
/// Values that arrive between two calls are not queued: only the latest counts. It holds no handle, so it
/// does not keep the provider alive.
///
/// # Examples
///
/// ```
/// # use oss_credentials_core::{blocking, source_fn, Credentials, Fetched, RefreshingProvider};
/// let provider = RefreshingProvider::new(source_fn("vault", || async {
///     Ok(Fetched::from(Credentials::builder("id", "secret").build()?))
/// }));
/// let mut updates = provider.subscribe();
/// blocking::wait(provider.refresh_now())?;
/// assert_eq!(updates.try_next().map(|c| c.access_key_id().to_owned()).as_deref(), Some("id"));
/// assert!(updates.try_next().is_none());
/// # Ok::<(), oss_credentials_core::CredentialsError>(())
/// ```
pub struct Updates {
    shared: Weak<Shared>,
    wakes: Arc<WakeSet>,
    seat: Seat,
    seen: u64,
}

impl Updates {
    pub(super) fn new(shared: &Arc<Shared>) -> Self {
        Self {
            shared: Arc::downgrade(shared),
            wakes: Arc::clone(&shared.updates),
            seat: shared.new_seat(),
            seen: shared.version.load(Ordering::Acquire),
        }
    }

    /// Waits for a value newer than the last one returned here. `None` once the provider is gone.
    pub async fn next(&mut self) -> Option<Credentials> {
        poll_fn(|cx| self.poll_next(cx)).await
    }

    /// Returns a value newer than the last one returned here, if there is one.
    pub fn try_next(&mut self) -> Option<Credentials> {
        let shared = self.shared.upgrade()?;
        self.look(&shared)
    }

    /// Polls for the next value: [`Updates::next`] for hand-written futures.
    pub fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Option<Credentials>> {
        // Before the look, so that a change after it finds the waker.
        self.wakes.register(self.seat.id, cx.waker());
        let Some(shared) = self.shared.upgrade() else {
            return Poll::Ready(None);
        };
        match self.look(&shared) {
            Some(credentials) => Poll::Ready(Some(credentials)),
            None => Poll::Pending,
        }
    }

    fn look(&mut self, shared: &Shared) -> Option<Credentials> {
        let version = shared.version.load(Ordering::Acquire);
        if version == self.seen {
            return None;
        }
        // A value that has been rejected meanwhile is skipped.
        let credentials = shared.snapshot.load().as_ref()?.credentials.clone();
        self.seen = version;
        Some(credentials)
    }
}

impl Drop for Updates {
    fn drop(&mut self) {
        self.wakes.remove(self.seat.id);
    }
}

impl fmt::Debug for Updates {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Updates")
            .field("seen", &self.seen)
            .finish_non_exhaustive()
    }
}
