//! Names of variables, and defaults.
//!
//! Vendor document: *Manage access credentials* of the Alibaba Cloud SDKs, section on the credentials URI.

use std::time::Duration;

/// Variable with the credentials URI, `http://` or `https://`.
pub const ENV_CREDENTIALS_URI: &str = "ALIBABA_CLOUD_CREDENTIALS_URI";

/// The time limit for making a connection: 5 s.
pub const DEFAULT_CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// The time limit of one exchange, including the connection: 10 s.
pub const DEFAULT_TIMEOUT: Duration = Duration::from_secs(10);
/// The number of redirects that are followed in a row, all to the same scheme, host and port.
pub const MAX_REDIRECTS: u32 = 3;
