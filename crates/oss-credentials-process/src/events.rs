//! Names of log events, as in `docs/events.md`.

pub(crate) const STARTED: &str = "process.started";
pub(crate) const FETCH_FAILED: &str = "process.fetch_failed";
