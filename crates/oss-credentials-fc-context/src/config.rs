//! Names of headers and variables, and the one known limit.
//!
//! Vendor documents, all of Function Compute: *Custom runtime* (headers of an invocation), *Environment
//! variables* (what the instance has), *Context* of the runtimes (the object with `credentials`).

use std::time::Duration;

/// Header of an invocation with the access key ID. Case does not matter.
pub const HEADER_ACCESS_KEY_ID: &str = "x-fc-access-key-id";
/// Header of an invocation with the access key secret.
pub const HEADER_ACCESS_KEY_SECRET: &str = "x-fc-access-key-secret";
/// Header of an invocation with the security token.
pub const HEADER_SECURITY_TOKEN: &str = "x-fc-security-token";

/// Variable of the instance with the access key ID.
pub const ENV_ACCESS_KEY_ID: &str = "ALIBABA_CLOUD_ACCESS_KEY_ID";
/// Variable of the instance with the access key secret.
pub const ENV_ACCESS_KEY_SECRET: &str = "ALIBABA_CLOUD_ACCESS_KEY_SECRET";
/// Variable of the instance with the security token.
pub const ENV_SECURITY_TOKEN: &str = "ALIBABA_CLOUD_SECURITY_TOKEN";

/// Older name of [`ENV_ACCESS_KEY_ID`], reserved by the platform.
pub const ENV_OLD_ACCESS_KEY_ID: &str = "accessKeyID";
/// Older name of [`ENV_ACCESS_KEY_SECRET`], reserved by the platform.
pub const ENV_OLD_ACCESS_KEY_SECRET: &str = "accessKeySecret";
/// Older name of [`ENV_SECURITY_TOKEN`], reserved by the platform.
pub const ENV_OLD_SECURITY_TOKEN: &str = "securityToken";

/// Maximum lifetime of a token: 36 hours, counted from when it was issued.
///
/// The platform does not transmit when that was; it may have been long before the token arrived here. So this is an
/// upper bound, and not an expiry. Vendor document: *Grant Function Compute permissions to access other Alibaba Cloud
/// services*.
pub const MAX_TOKEN_LIFETIME: Duration = Duration::from_secs(36 * 3600);
