//! Names of variables, defaults and limits.
//!
//! Vendor documents: *Use RRSA to authorize different pods to access different cloud services* of Container
//! Service for Kubernetes for the first three variables, which its webhook injects into pods; *Manage access
//! credentials* of the Alibaba Cloud SDKs for the others; "AssumeRoleWithOIDC" of the Security Token Service
//! for the limits,
//! <https://www.alibabacloud.com/help/en/ram/developer-reference/api-sts-2015-04-01-assumerolewithoidc>.

use std::time::Duration;

pub use acs_sts::{ENV_STS_ENDPOINT, ENV_STS_REGION, ENV_VPC_ENDPOINT_ENABLED};

/// The role to assume, `acs:ram::<account id>:role/<name>`. `AssumeRole` uses the same variable, so alone it
/// does not say that OIDC is meant.
pub const ENV_ROLE_ARN: &str = "ALIBABA_CLOUD_ROLE_ARN";
/// Who issued the token, `acs:ram::<account id>:oidc-provider/<name>`.
pub const ENV_OIDC_PROVIDER_ARN: &str = "ALIBABA_CLOUD_OIDC_PROVIDER_ARN";
/// Path of the file with the token.
pub const ENV_OIDC_TOKEN_FILE: &str = "ALIBABA_CLOUD_OIDC_TOKEN_FILE";
/// Name of the session, 2 to 64 of the characters `A-Z a-z 0-9 . @ - _`.
pub const ENV_ROLE_SESSION_NAME: &str = "ALIBABA_CLOUD_ROLE_SESSION_NAME";

/// Lifetime that is asked for unless another is set: 3600 s.
pub const DEFAULT_DURATION: Duration = acs_sts::DEFAULT_DURATION;
/// How long making a connection may take: 5 s.
pub const DEFAULT_CONNECT_TIMEOUT: Duration = acs_sts::DEFAULT_CONNECT_TIMEOUT;
/// How long one exchange may take, connecting included: 10 s.
pub const DEFAULT_TIMEOUT: Duration = acs_sts::DEFAULT_TIMEOUT;
/// Beginning of the session name that is made up when the provider is built; microseconds since 1970 follow.
pub const DEFAULT_SESSION_NAME_PREFIX: &str = "oss-credentials-";

/// Largest token file, in bytes: 64 KiB. The service takes tokens of 20,000 characters at most.
pub(crate) const MAX_TOKEN_FILE: usize = 64 * 1024;
