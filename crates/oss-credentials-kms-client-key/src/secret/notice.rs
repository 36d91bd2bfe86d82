//! What the log says about a secret whose pair works.

use std::sync::atomic::{AtomicBool, Ordering};

use super::data::{Expiry, Pair, instant};
use crate::config::STAGE;
use crate::error::NAME;
use crate::exchange::wire::Secret;
use crate::{TRACING_TARGET, events};

/// What was said already.
#[derive(Debug, Default)]
pub(crate) struct Notices {
    /// That the rotation is broken, or the version not the current one.
    rotation: AtomicBool,
    /// That the expiry of the pair cannot be read.
    expiry: AtomicBool,
}

impl Notices {
    /// Logs the secret's hints that cannot be parsed; for the expiry, a warning once.
    pub(crate) fn hints(&self, secret_name: &str, secret: &Secret, pair: &Pair) {
        let date = secret.next_rotation.as_deref();
        let bad_date = date.is_some_and(|date| instant(date).is_none());
        let bad_date = bad_date.then_some("NextRotationDate");
        for name in pair.unreadable.iter().copied().chain(bad_date) {
            tracing::debug!(
                name: events::HINT_UNREADABLE, target: TRACING_TARGET, provider = NAME, secret_name, name,
                event = events::HINT_UNREADABLE,
                "a hint about the life of the secret cannot be read, and is passed over"
            );
        }
        let is_bad = pair.expiry == Expiry::Unreadable;
        if !self.expiry.swap(is_bad, Ordering::Relaxed) && is_bad {
            tracing::warn!(
                name: events::EXPIRY_UNREADABLE, target: TRACING_TARGET, provider = NAME, secret_name,
                event = events::EXPIRY_UNREADABLE,
                "the ExpireTimestamp in the secret cannot be read, so the pair is fetched again every 60 s: write it \
                 as in 2026-03-08T10:42:40Z"
            );
        }
    }

    /// Logs once that something is wrong with the secret although its pair still works.
    pub(crate) fn secret(&self, secret_name: &str, secret: &Secret) {
        let rotation = secret.automatic_rotation.as_deref();
        let broken = rotation.is_some_and(|state| state.eq_ignore_ascii_case("Invalid"));
        let not_current = !secret.stages.is_empty() && !secret.stages.iter().any(|stage| stage == STAGE);
        let is_bad = broken || not_current;
        if self.rotation.swap(is_bad, Ordering::Relaxed) || !is_bad {
            return;
        }
        if broken {
            tracing::warn!(
                name: events::ROTATION_BROKEN, target: TRACING_TARGET, provider = NAME, secret_name,
                event = events::ROTATION_BROKEN,
                "the automatic rotation of the secret is broken: look at it in the KMS console, and whether the \
                 RAM user has two access keys already"
            );
        } else {
            tracing::warn!(
                name: events::VERSION_NOT_CURRENT, target: TRACING_TARGET, provider = NAME, secret_name,
                event = events::VERSION_NOT_CURRENT,
                "KMS returned a version that is not ACSCurrent, though that was asked for"
            );
        }
    }
}
