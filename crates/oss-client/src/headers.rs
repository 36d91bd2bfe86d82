//! Names of headers that several modules use.

pub(crate) const CALLBACK: &str = "x-oss-callback";
pub(crate) const CALLBACK_VAR: &str = "x-oss-callback-var";
pub(crate) const FORBID_OVERWRITE: &str = "x-oss-forbid-overwrite";
pub(crate) const REQUEST_PAYER: &str = "x-oss-request-payer";
pub(crate) const TRAFFIC_LIMIT: &str = "x-oss-traffic-limit";

/// Headers of a transfer that each request for a part takes.
pub(crate) const OF_PARTS: [&str; 2] = [REQUEST_PAYER, TRAFFIC_LIMIT];
