//! What is logged and said about refreshes.

use std::fmt;
use std::time::{Duration, SystemTime};

use crate::TRACING_TARGET;
use crate::credentials::{Credentials, MaskedId};
use crate::error::{CredentialsError, ErrorDetail};
use crate::time::ClockOffset;

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

/// How a [`RefreshingProvider`](crate::RefreshingProvider) is doing. Holds no secret.
#[derive(Clone)]
pub struct RefreshStatus {
    pub(super) credentials: Option<Credentials>,
    pub(super) usable: bool,
    pub(super) next_attempt: Option<SystemTime>,
    pub(super) failures: u32,
    pub(super) last_error: Option<CredentialsError>,
    pub(super) fetches: u64,
    pub(super) refreshing: bool,
    pub(super) has_driver: bool,
    pub(super) clock_offset: Option<ClockOffset>,
}

impl RefreshStatus {
    /// The AccessKey id in use, masked; `None` if there is no value.
    pub fn access_key_id(&self) -> Option<String> {
        self.credentials
            .as_ref()
            .map(|credentials| MaskedId(credentials.access_key_id()).to_string())
    }

    /// Name of the source of the value in use.
    pub fn source(&self) -> Option<&'static str> {
        self.credentials.as_ref().map(Credentials::source)
    }

    /// When the value in use ends, by the service's clock; `None` if there is no value or no end.
    pub fn expires_at(&self) -> Option<SystemTime> {
        self.credentials.as_ref().and_then(Credentials::expires_at)
    }

    /// Whether there is a value that may be handed out.
    pub fn is_usable(&self) -> bool {
        self.usable
    }

    /// When the next refresh is due by the local clock, a pause after failures included; `None` if never.
    pub fn next_attempt(&self) -> Option<SystemTime> {
        self.next_attempt
    }

    /// Failed attempts in a row; 0 after a success.
    pub fn failures(&self) -> u32 {
        self.failures
    }

    /// Why the last attempt failed; `None` after a success.
    pub fn last_error(&self) -> Option<&CredentialsError> {
        self.last_error.as_ref()
    }

    /// How many times the source has been asked.
    pub fn fetches(&self) -> u64 {
        self.fetches
    }

    /// Whether an attempt is under way.
    pub fn is_refreshing(&self) -> bool {
        self.refreshing
    }

    /// Whether a driver refreshes in the background, and is not overdue.
    pub fn has_driver(&self) -> bool {
        self.has_driver
    }

    /// How far the service's clock is from the local one; `None` if there is no value.
    pub fn clock_offset(&self) -> Option<ClockOffset> {
        self.clock_offset
    }
}

impl fmt::Debug for RefreshStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RefreshStatus")
            .field("credentials", &self.credentials)
            .field("usable", &self.usable)
            .field("next_attempt", &self.next_attempt)
            .field("failures", &self.failures)
            .field("last_error", &self.last_error)
            .field("fetches", &self.fetches)
            .field("refreshing", &self.refreshing)
            .field("has_driver", &self.has_driver)
            .field("clock_offset", &self.clock_offset)
            .finish()
    }
}
