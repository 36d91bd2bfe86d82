//! Waits for the turn to change `config.json`.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use oss_credentials_core::{CredentialsError, Sleep, sleeper};

use super::store::{Target, take};
use crate::section::Place;

/// Between two attempts to take a lock that another process holds.
const PAUSE: Duration = Duration::from_millis(100);
/// 15 s: longer than any exchange takes during which the lock is held.
const PAUSES: u32 = 150;

/// Runs the work under the lock. Waits for its turn, if there is a timer.
pub(super) async fn under_lock<T>(
    target: &Target,
    place: &Place,
    sleep: Option<&Arc<dyn Sleep>>,
    work: impl Future<Output = Result<T, CredentialsError>> + Send,
) -> Result<T, CredentialsError> {
    let mut pauses = 0;
    loop {
        let mut lock = target.open_lock(place)?;
        if let Some(_held) = take(&mut lock, place)? {
            return work.await;
        }
        drop(lock);
        let timer = sleeper(sleep).filter(|_| pauses < PAUSES);
        let Some(timer) = timer else {
            let what = format!("another process holds the lock to change the {}", place.subject());
            return Err(CredentialsError::unavailable(
                place.detail(what).hint("retry later"),
            ));
        };
        pauses += 1;
        timer.sleep(PAUSE).await;
    }
}
