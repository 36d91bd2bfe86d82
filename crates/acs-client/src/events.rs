//! Names of log events, as in `docs/events.md`.

pub(crate) const PLAIN_HTTP: &str = "openapi.plain_http";
pub(crate) const CALL_STARTED: &str = "openapi.call_started";
pub(crate) const CALL_FAILED: &str = "openapi.call_failed";
