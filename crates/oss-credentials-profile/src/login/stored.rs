//! A source whose credentials are stored in the profile, for the CLI and the SDKs.

use std::time::SystemTime;

use oss_credentials_core::Credentials;
use zeroize::Zeroizing;
#[cfg(feature = "process")]
use {
    super::store::store_or_warn,
    crate::plan::Mode,
    crate::section::Place,
    oss_credentials_core::{BoxFuture, CredentialsError, CredentialsSource, Fetched},
    std::fmt,
};

use super::edit::{Changes, Value};

/// The keys as the CLI and the SDKs store them.
pub(super) fn key_changes(credentials: &Credentials) -> Changes {
    let text = |text: &str| Value::Text(Zeroizing::new(text.to_owned()));
    let ends = credentials
        .expires_at()
        .and_then(|at| at.duration_since(SystemTime::UNIX_EPOCH).ok());
    vec![
        ("access_key_id", text(credentials.access_key_id())),
        ("access_key_secret", text(credentials.access_key_secret())),
        (
            "sts_token",
            text(credentials.security_token().unwrap_or_default()),
        ),
        (
            "sts_expiration",
            Value::Number(ends.map_or(0, |ends| ends.as_secs())),
        ),
    ]
}

#[cfg(feature = "process")]
pub(crate) struct Stored<S> {
    place: Place,
    /// The mode that the profile must have for keys of this source to belong there.
    mode: Mode,
    source: S,
}

#[cfg(feature = "process")]
impl<S> Stored<S> {
    pub(crate) fn new(place: Place, mode: Mode, source: S) -> Self {
        Self { place, mode, source }
    }
}

#[cfg(feature = "process")]
impl<S: CredentialsSource> CredentialsSource for Stored<S> {
    fn name(&self) -> &'static str {
        self.source.name()
    }

    fn fetch(&self) -> BoxFuture<'_, Result<Fetched, CredentialsError>> {
        Box::pin(async {
            let fetched = self.source.fetch().await?;
            let changes = key_changes(fetched.credentials());
            store_or_warn(&self.place, &changes, &|mode, _| Ok(*mode == self.mode));
            Ok(fetched)
        })
    }
}

#[cfg(feature = "process")]
impl<S: fmt::Debug> fmt::Debug for Stored<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Stored")
            .field("place", &self.place)
            .field("source", &self.source)
            .finish_non_exhaustive()
    }
}
