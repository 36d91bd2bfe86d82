//! Progress of an upload, reported to the caller.

use std::pin::Pin;

use crate::progress::{Counter, Meter};

use super::{OnProgress, UploadProgress};

/// Reports the progress of an upload, from within the caller's own task.
pub(super) struct Reporter {
    call: Option<OnProgress>,
    counter: Counter,
    acknowledged: u64,
    total: Option<u64>,
    /// The last report.
    told: Option<UploadProgress>,
}

impl Reporter {
    pub(super) fn new(call: Option<OnProgress>, total: Option<u64>) -> Self {
        Self {
            counter: Counter::new(call.is_some()),
            call,
            acknowledged: 0,
            total,
            told: None,
        }
    }

    /// The counter for the meters of all parts.
    pub(super) fn counter(&self) -> Counter {
        self.counter.clone()
    }

    /// The meter for content that is sent in one request.
    pub(super) fn meter(&self) -> Meter {
        Meter::of(&self.counter)
    }

    /// Adds bytes that the service has acknowledged.
    pub(super) fn acknowledged(&mut self, bytes: u64) {
        self.acknowledged = self.acknowledged.saturating_add(bytes);
        self.tell();
    }

    /// Runs this future. If there is a callback, each piece passed to the HTTP stack wakes it.
    pub(super) async fn while_it_runs<F: Future + Unpin>(&mut self, mut run: F) -> F::Output {
        std::future::poll_fn(|cx| {
            let polled = Pin::new(&mut run).poll(cx);
            if self.counter.sent() > 0 {
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
            sent: self.counter.sent(),
            acknowledged: self.acknowledged,
            total: self.total,
        };
        if self.told != Some(now) {
            self.told = Some(now);
            call(now);
        }
    }
}
