//! Names of log events, as in `docs/events.md`.

pub(crate) const READ: &str = "profile.read";
pub(crate) const CHANGED: &str = "profile.changed";
pub(crate) const UNREADABLE: &str = "profile.unreadable";
pub(crate) const PROGRAM_EXPOSED: &str = "profile.program_exposed";
#[cfg(feature = "sso")]
pub(crate) const PLAIN_HTTP: &str = "profile.plain_http";
#[cfg(any(feature = "oauth", feature = "sso"))]
pub(crate) const LOGIN_REQUEST_STARTED: &str = "profile.login_request_started";
#[cfg(any(feature = "oauth", feature = "sso"))]
pub(crate) const LOGIN_USED: &str = "profile.login_used";
#[cfg(feature = "oauth")]
pub(crate) const LOGIN_RENEWED: &str = "profile.login_renewed";
#[cfg(feature = "oauth")]
pub(crate) const LOGIN_NOT_RENEWED: &str = "profile.login_not_renewed";
#[cfg(all(feature = "write-back", any(feature = "oauth", feature = "process")))]
pub(crate) const NOT_STORED: &str = "profile.not_stored";
#[cfg(all(feature = "write-back", any(feature = "oauth", feature = "process")))]
pub(crate) const DRAFT_LEFT: &str = "profile.draft_left";
#[cfg(all(feature = "write-back", any(feature = "oauth", feature = "process")))]
pub(crate) const STORED: &str = "profile.stored";
#[cfg(all(feature = "write-back", any(feature = "oauth", feature = "process")))]
pub(crate) const NOT_OVERWRITTEN: &str = "profile.not_overwritten";
#[cfg(all(feature = "write-back", any(feature = "oauth", feature = "process")))]
pub(crate) const NOT_FLUSHED: &str = "profile.not_flushed";
#[cfg(all(feature = "write-back", any(feature = "oauth", feature = "process")))]
pub(crate) const LOCKED: &str = "profile.locked";
