//! Names of variables, defaults and limits: those of all providers over STS are defined in `acs-sts`.
//!
//! Vendor documents: *Use RRSA to authorize different pods to access different cloud services* of Container
//! Service for Kubernetes for the role and the variables here, which its webhook injects into pods;
//! "AssumeRoleWithOIDC" of the Security Token Service for the limits,
//! <https://www.alibabacloud.com/help/en/ram/developer-reference/api-sts-2015-04-01-assumerolewithoidc>.

pub use acs_sts::{
    DEFAULT_CONNECT_TIMEOUT, DEFAULT_DURATION, DEFAULT_SESSION_NAME_PREFIX, DEFAULT_TIMEOUT, ENV_ROLE_ARN,
    ENV_ROLE_SESSION_NAME, ENV_STS_ENDPOINT, ENV_STS_REGION, ENV_VPC_ENDPOINT_ENABLED,
};

/// Variable with the issuer of the token, `acs:ram::<account ID>:oidc-provider/<name>`.
pub const ENV_OIDC_PROVIDER_ARN: &str = "ALIBABA_CLOUD_OIDC_PROVIDER_ARN";
/// Variable with the path of the token file.
pub const ENV_OIDC_TOKEN_FILE: &str = "ALIBABA_CLOUD_OIDC_TOKEN_FILE";

/// Maximum size of a token file, in bytes: 64 KiB. The service accepts tokens of at most 20,000 characters.
pub(crate) const MAX_TOKEN_FILE: usize = 64 * 1024;
