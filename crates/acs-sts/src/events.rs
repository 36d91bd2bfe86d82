//! Names of log events, as in `docs/events.md`.

pub(crate) const PUBLIC_HOST_USED: &str = "sts.public_host_used";
pub(crate) const ROLE_ASSUMED: &str = "sts.role_assumed";
