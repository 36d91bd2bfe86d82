//! Names of headers and variables, and the one known limit.
//!
//! Vendor documents, all of Function Compute: *Custom runtime* (headers of an invocation), *Environment
//! variables* (what the instance has), *Context* of the runtimes (the object with `credentials`).

use std::time::Duration;

/// AccessKey id, in the headers of an invocation. Case does not matter.
pub const HEADER_ACCESS_KEY_ID: &str = "x-fc-access-key-id";
/// AccessKey secret, in the headers of an invocation.
pub const HEADER_ACCESS_KEY_SECRET: &str = "x-fc-access-key-secret";
/// Security token, in the headers of an invocation.
pub const HEADER_SECURITY_TOKEN: &str = "x-fc-security-token";

/// AccessKey id, in the environment of the instance.
pub const ENV_ACCESS_KEY_ID: &str = "ALIBABA_CLOUD_ACCESS_KEY_ID";
/// AccessKey secret, in the environment of the instance.
pub const ENV_ACCESS_KEY_SECRET: &str = "ALIBABA_CLOUD_ACCESS_KEY_SECRET";
/// Security token, in the environment of the instance.
pub const ENV_SECURITY_TOKEN: &str = "ALIBABA_CLOUD_SECURITY_TOKEN";

/// Older name of [`ENV_ACCESS_KEY_ID`], reserved by the platform.
pub const ENV_OLD_ACCESS_KEY_ID: &str = "accessKeyID";
/// Older name of [`ENV_ACCESS_KEY_SECRET`], reserved by the platform.
pub const ENV_OLD_ACCESS_KEY_SECRET: &str = "accessKeySecret";
/// Older name of [`ENV_SECURITY_TOKEN`], reserved by the platform.
pub const ENV_OLD_SECURITY_TOKEN: &str = "securityToken";

/// How long a token can live at most: 36 hours, counted from when it was issued.
///
/// When that was is not transmitted; it may have been long before it got here. So this is an upper bound, and
/// no expiry. Vendor document: *Grant Function Compute permissions to access other Alibaba Cloud services*.
pub const MAX_TOKEN_LIFETIME: Duration = Duration::from_secs(36 * 3600);
