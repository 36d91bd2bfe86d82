//! Progress of an upload, reported to the caller.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::body::Meter;

use super::{OnProgress, UploadProgress};

/// Reports the progress of an upload, from within the caller's own task.
pub(super) struct Reporter {
    call: Option<OnProgress>,
    /// How many bytes of all parts the HTTP stack has received, each counted once.
    sent: Arc<AtomicU64>,
    acknowledged: u64,
    total: Option<u64>,
    /// The last report.
    told: Option<UploadProgress>,
}

impl Reporter {
    pub(super) fn new(call: Option<OnProgress>, total: Option<u64>) -> Self {
        Self {
            call,
            sent: Arc::default(),
            acknowledged: 0,
            total,
            told: None,
        }
    }

    /// The counter for the meters of all parts.
    pub(super) fn counter(&self) -> Arc<AtomicU64> {
        Arc::clone(&self.sent)
    }

    /// The meter for content that is sent in one request.
    pub(super) fn meter(&self) -> Meter {
        Meter::of(&self.sent)
    }

    /// Adds bytes that the service has acknowledged.
    pub(super) fn acknowledged(&mut self, bytes: u64) {
        self.acknowledged = self.acknowledged.saturating_add(bytes);
        self.tell();
    }

    /// Runs this future. Each piece passed to the HTTP stack wakes it.
    pub(super) async fn while_it_runs<F: Future + Unpin>(&mut self, mut run: F) -> F::Output {
        std::future::poll_fn(|cx| {
            let polled = Pin::new(&mut run).poll(cx);
            if self.sent.load(Ordering::Relaxed) > 0 {
                self.tell();
            }
            polled
        })
        .await
    }

    fn tell(&mut self) {
        let Some(call) = &mut self.call else {
            return;
        };
        let now = UploadProgress {
            sent: self.sent.load(Ordering::Relaxed),
            acknowledged: self.acknowledged,
            total: self.total,
        };
        if self.told != Some(now) {
            self.told = Some(now);
            call(now);
        }
    }
}
