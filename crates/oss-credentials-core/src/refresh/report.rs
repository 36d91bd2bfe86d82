//! What is logged and said about refreshes.

use std::time::{Duration, SystemTime};

use crate::TRACING_TARGET;
use crate::credentials::Credentials;
use crate::detail::ErrorDetail;
use crate::error::CredentialsError;

/// Something to log once the lock is released: a subscriber is foreign code.
pub(super) enum Note {
    Succeeded {
        first: bool,
        recovered_after: u32,
        credentials: Credentials,
        took: Duration,
    },
    Failed {
        usable: bool,
        count: u32,
        error: CredentialsError,
        took: Duration,
    },
    /// A flight that its starter has left made no progress, or none in time.
    Replaced,
    Rejected {
        allowed: bool,
        credentials: Credentials,
    },
}

pub(super) fn log(provider: &'static str, note: Note) {
    match note {
        Note::Succeeded {
            first,
            recovered_after,
            credentials,
            took,
        } => {
            let source = credentials.source();
            let expires_at = unix_secs(credentials.expires_at());
            let attempt_ms = millis(took);
            if first {
                tracing::info!(target: TRACING_TARGET, provider, source, expires_at, attempt_ms,
                    "first credentials");
            } else if recovered_after > 0 {
                tracing::info!(target: TRACING_TARGET, provider, source, expires_at, attempt_ms,
                    failures = recovered_after, "credentials refreshed after failures");
            } else {
                tracing::debug!(target: TRACING_TARGET, provider, source, expires_at, attempt_ms,
                    "credentials refreshed");
            }
        }
        Note::Failed {
            usable,
            count,
            error,
            took,
        } => {
            let kind = error.kind();
            let request_id = error.detail().and_then(ErrorDetail::request_id);
            let attempt_ms = millis(took);
            // Once per episode: a source that is down for an hour is one event, not sixty.
            if usable && count == 1 {
                tracing::warn!(target: TRACING_TARGET, provider, kind, request_id, attempt = count,
                    attempt_ms, %error, "refresh failed; the credentials at hand stay in use");
            } else {
                tracing::debug!(target: TRACING_TARGET, provider, kind, request_id, attempt = count,
                    attempt_ms, %error, "no new credentials");
            }
        }
        Note::Replaced => {
            tracing::debug!(target: TRACING_TARGET, provider,
                "the caller that began the fetch has gone, and it makes no progress; fetching anew");
        }
        Note::Rejected {
            allowed: true,
            credentials,
        } => {
            tracing::info!(target: TRACING_TARGET, provider, source = credentials.source(),
                "the service rejected the credentials; they are dropped");
        }
        Note::Rejected {
            allowed: false,
            credentials,
        } => {
            tracing::warn!(target: TRACING_TARGET, provider, source = credentials.source(),
                "the service keeps rejecting credentials; these stay until the limit for dropping them allows more");
        }
    }
}

/// What callers are told when their keys have run out: what stood in the way of new ones.
pub(super) fn expired_because(
    provider: &'static str,
    cause: &ErrorDetail,
    error: &CredentialsError,
) -> ErrorDetail {
    let mut detail = ErrorDetail::builder(
        provider,
        format!(
            "the credentials have expired and no new ones came: {}",
            cause.what()
        ),
    )
    .source(error.clone());
    if let Some(place) = cause.place() {
        detail = detail.place(place);
    }
    if let Some(status) = cause.http_status() {
        detail = detail.http_status(status);
    }
    if let Some(code) = cause.code() {
        detail = detail.code(code);
    }
    if let Some(message) = cause.message() {
        detail = detail.message(message);
    }
    if let Some(request_id) = cause.request_id() {
        detail = detail.request_id(request_id);
    }
    if let Some(hint) = cause.hint() {
        detail = detail.hint(hint.to_owned());
    }
    detail.build()
}

fn unix_secs(at: Option<SystemTime>) -> Option<u64> {
    Some(at?.duration_since(SystemTime::UNIX_EPOCH).ok()?.as_secs())
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
