//! Defaults and limits.
//!
//! Vendor document: *Manage access credentials* of the Alibaba Cloud SDKs, profile mode `External`; the figures are
//! those of its Go, Java and Python clients.

use std::time::Duration;

/// How long the program may run: 60 s.
pub const DEFAULT_TIME_LIMIT: Duration = Duration::from_secs(60);
/// When credentials without an expiry are fetched again: after 1 h.
pub const DEFAULT_REFRESH_AFTER: Duration = Duration::from_secs(3600);
/// How much a program may print on its standard output: 64 KiB.
pub const MAX_OUTPUT: usize = 64 * 1024;
