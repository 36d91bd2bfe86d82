//! Names of variables, defaults and limits.
//!
//! Vendor documents: *Use RRSA to authorize different pods to access different cloud services* of Container
//! Service for Kubernetes for the first three variables, which its webhook injects into pods; *Manage access
//! credentials* of the Alibaba Cloud SDKs for the others; "AssumeRoleWithOIDC" of the Security Token Service
//! for the limits,
//! <https://www.alibabacloud.com/help/en/ram/developer-reference/api-sts-2015-04-01-assumerolewithoidc>.

use std::time::Duration;

pub use acs_sts::{ENV_STS_ENDPOINT, ENV_STS_REGION, ENV_VPC_ENDPOINT_ENABLED};

/// Variable with the role to assume, `acs:ram::<account ID>:role/<name>`. `AssumeRole` uses the same variable, so alone
/// it does not configure OIDC.
pub const ENV_ROLE_ARN: &str = "ALIBABA_CLOUD_ROLE_ARN";
/// Variable with the issuer of the token, `acs:ram::<account ID>:oidc-provider/<name>`.
pub const ENV_OIDC_PROVIDER_ARN: &str = "ALIBABA_CLOUD_OIDC_PROVIDER_ARN";
/// Variable with the path of the token file.
pub const ENV_OIDC_TOKEN_FILE: &str = "ALIBABA_CLOUD_OIDC_TOKEN_FILE";
/// Variable with the session name, 2 to 64 of the characters `A-Z a-z 0-9 . @ - _`.
pub const ENV_ROLE_SESSION_NAME: &str = "ALIBABA_CLOUD_ROLE_SESSION_NAME";

/// Lifetime that is requested by default: 3600 s.
pub const DEFAULT_DURATION: Duration = acs_sts::DEFAULT_DURATION;
/// How long making a connection may take: 5 s.
pub const DEFAULT_CONNECT_TIMEOUT: Duration = acs_sts::DEFAULT_CONNECT_TIMEOUT;
/// How long one exchange may take, including the connection: 10 s.
pub const DEFAULT_TIMEOUT: Duration = acs_sts::DEFAULT_TIMEOUT;
/// Prefix of the session name that is generated when the provider is built; microseconds since 1970 follow.
pub const DEFAULT_SESSION_NAME_PREFIX: &str = "oss-credentials-";

/// Maximum size of a token file, in bytes: 64 KiB. The service accepts tokens of at most 20,000 characters.
pub(crate) const MAX_TOKEN_FILE: usize = 64 * 1024;
