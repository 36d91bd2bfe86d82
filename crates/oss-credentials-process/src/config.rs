//! Defaults and limits.
//!
//! Vendor document: *Manage access credentials* of the Alibaba Cloud SDKs, profile mode `External`; the figures are
//! those of its Go, Java and Python clients.

use std::time::Duration;

/// The time limit of the program: 60 s.
pub const DEFAULT_TIME_LIMIT: Duration = Duration::from_secs(60);
/// The time after which credentials without an expiry are fetched again: 1 h.
pub const DEFAULT_REFRESH_AFTER: Duration = Duration::from_secs(3600);
/// The limit of what a program may print on its standard output: 64 KiB.
pub const MAX_OUTPUT: usize = 64 * 1024;
