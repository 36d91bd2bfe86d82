//! Names of log events, as in `docs/events.md`.

pub(crate) const REQUEST_STARTED: &str = "kms.request_started";
pub(crate) const REQUEST_FAILED: &str = "kms.request_failed";
pub(crate) const CLIENT_KEY_EXPIRES: &str = "kms.client_key_expires";
pub(crate) const HINT_UNREADABLE: &str = "kms.hint_unreadable";
pub(crate) const EXPIRY_UNREADABLE: &str = "kms.expiry_unreadable";
pub(crate) const ROTATION_BROKEN: &str = "kms.rotation_broken";
pub(crate) const VERSION_NOT_CURRENT: &str = "kms.version_not_current";
