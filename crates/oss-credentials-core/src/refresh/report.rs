//! Log events, and the errors that refreshes report.

use std::time::{Duration, SystemTime};

use tracing::{Instrument as _, field};

use super::event::{Observer, RefreshEvent, names};
use crate::TRACING_TARGET;
use crate::detail::ErrorDetail;
use crate::error::CredentialsError;
use crate::invalidation::Invalidation;
use crate::provider::{CredentialsSource, Fetched};

/// Logs an event and passes it to the observer. Both are foreign code, so no lock may be held.
pub(super) fn publish(observer: &Observer, event: &RefreshEvent) {
    log(event);
    observer.notify(event);
}

/// Reports that a fetch begins, and runs it in a span.
pub(super) async fn fetch(
    provider: &'static str,
    source: &dyn CredentialsSource,
    observer: Observer,
) -> Result<Fetched, CredentialsError> {
    observer.notify(&RefreshEvent::FetchStarted { provider });
    let span = tracing::info_span!(target: TRACING_TARGET, names::FETCH, provider, outcome = field::Empty);
    let result = async { source.fetch().await }.instrument(span.clone()).await;
    span.record(
        "outcome",
        result.as_ref().map_or_else(CredentialsError::kind, |_| "ok"),
    );
    result
}

fn log(event: &RefreshEvent) {
    match event {
        // The span says it.
        RefreshEvent::FetchStarted { .. } => {}
        RefreshEvent::Refreshed { .. } => log_success(event),
        RefreshEvent::RefreshFailed { .. } => log_failure(event),
        RefreshEvent::FetchReplaced { provider } => {
            tracing::debug!(name: names::FETCH_REPLACED, target: TRACING_TARGET, provider,
                event = names::FETCH_REPLACED,
                "the caller that began the fetch has gone, and it makes no progress; fetching anew");
        }
        RefreshEvent::Rejected {
            provider,
            source,
            result: Invalidation::Dropped,
            ..
        } => {
            tracing::info!(name: names::REJECTED, target: TRACING_TARGET, provider, source,
                event = names::REJECTED, "the service rejected the credentials; they are dropped");
        }
        RefreshEvent::Rejected { provider, source, .. } => {
            tracing::warn!(name: names::REJECTED, target: TRACING_TARGET, provider, source,
                event = names::REJECTED,
                "the service keeps rejecting credentials; these stay until the limit for dropping them allows more");
        }
        RefreshEvent::DriverStopped { provider } => {
            tracing::warn!(name: names::DRIVER_STOPPED, target: TRACING_TARGET, provider,
                event = names::DRIVER_STOPPED,
                "the timer panicked; credentials are refreshed when they are requested");
        }
    }
}

fn log_success(event: &RefreshEvent) {
    let RefreshEvent::Refreshed {
        provider,
        source,
        expires_at,
        took,
        is_first,
        failures,
        ..
    } = event
    else {
        return;
    };
    let (expires_at, attempt_ms) = (unix_secs(*expires_at), millis(*took));
    if *is_first {
        tracing::info!(name: names::REFRESHED, target: TRACING_TARGET, provider, source, expires_at, attempt_ms,
            event = names::REFRESHED, "first credentials");
    } else if *failures > 0 {
        tracing::info!(name: names::REFRESHED, target: TRACING_TARGET, provider, source, expires_at, attempt_ms,
            failures, event = names::REFRESHED, "credentials refreshed after failures");
    } else {
        tracing::debug!(name: names::REFRESHED, target: TRACING_TARGET, provider, source, expires_at, attempt_ms,
            event = names::REFRESHED, "credentials refreshed");
    }
}

fn log_failure(event: &RefreshEvent) {
    let RefreshEvent::RefreshFailed {
        provider,
        error,
        took,
        is_usable,
        failures,
    } = event
    else {
        return;
    };
    let kind = error.kind();
    let request_id = error.detail().and_then(ErrorDetail::request_id);
    let attempt_ms = millis(*took);
    // Once per episode: a source that is down for an hour is one event, not sixty.
    if *is_usable && *failures == 1 {
        tracing::warn!(name: names::REFRESH_FAILED, target: TRACING_TARGET, provider, kind, request_id,
            attempt = failures, attempt_ms, %error, event = names::REFRESH_FAILED,
            "refresh failed; the cached credentials stay in use");
    } else {
        tracing::debug!(name: names::REFRESH_FAILED, target: TRACING_TARGET, provider, kind, request_id,
            attempt = failures, attempt_ms, %error, event = names::REFRESH_FAILED, "no new credentials");
    }
}

/// The error for callers whose keys have expired: it states why there are no new ones.
pub(super) fn expired_because(
    provider: &'static str,
    cause: &ErrorDetail,
    error: &CredentialsError,
) -> ErrorDetail {
    ErrorDetail::builder(
        provider,
        format!(
            "the credentials have expired and could not be refreshed: {}",
            cause.what()
        ),
    )
    .source(error.clone())
    .advice_of(cause)
    .response_of(cause)
    .build()
}

fn unix_secs(at: Option<SystemTime>) -> Option<u64> {
    Some(at?.duration_since(SystemTime::UNIX_EPOCH).ok()?.as_secs())
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The units that `docs/events.md` states.
    #[test]
    fn times_in_logs_are_seconds_since_1970_and_milliseconds() {
        let at = SystemTime::UNIX_EPOCH + Duration::from_millis(1_767_256_200_500);
        assert_eq!(unix_secs(Some(at)), Some(1_767_256_200));
        assert_eq!(unix_secs(None), None);
        assert_eq!(millis(Duration::from_micros(1_500_900)), 1_500);
    }
}
