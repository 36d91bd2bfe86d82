//! Pauses that pass at once.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use crate::future::BoxFuture;
use crate::time::Sleep;

/// A [`Sleep`] that waits for nothing, and records the requested durations; clones share the record.
///
/// ```
/// use std::time::Duration;
/// use oss_credentials_core::test_util::RecordedSleep;
/// use oss_credentials_core::{Sleep, blocking};
///
/// let pauses = RecordedSleep::default();
/// blocking::wait(pauses.sleep(Duration::from_secs(3600)));
/// assert_eq!(pauses.taken(), [Duration::from_secs(3600)]);
/// ```
#[derive(Clone, Debug, Default)]
pub struct RecordedSleep(Arc<Mutex<Vec<Duration>>>);

impl RecordedSleep {
    /// Returns the durations so far.
    pub fn taken(&self) -> Vec<Duration> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Sleep for RecordedSleep {
    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()> {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(duration);
        Box::pin(std::future::ready(()))
    }
}
