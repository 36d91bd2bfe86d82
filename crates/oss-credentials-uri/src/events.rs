//! Names of log events, as in `docs/events.md`.

pub(crate) const REQUEST_STARTED: &str = "uri.request_started";
pub(crate) const FETCH_FAILED: &str = "uri.fetch_failed";
pub(crate) const PLAIN_HTTP: &str = "uri.plain_http";
