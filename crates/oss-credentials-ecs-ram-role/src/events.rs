//! Names of log events, as in `docs/events.md`.

pub(crate) const IMDS_V1_USED: &str = "ecs_ram_role.imds_v1_used";
pub(crate) const FETCHED: &str = "ecs_ram_role.fetched";
pub(crate) const FETCH_FAILED: &str = "ecs_ram_role.fetch_failed";
pub(crate) const PLAIN_HTTP: &str = "ecs_ram_role.plain_http";
