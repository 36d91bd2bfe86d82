//! Names of variables, and defaults that the providers over STS share.
//!
//! Vendor documents: *Manage access credentials* of the Alibaba Cloud SDKs for the variables; "AssumeRole" of the Security
//! Token Service for the limits,
//! <https://www.alibabacloud.com/help/en/ram/developer-reference/api-sts-2015-04-01-assumerole>.

/// Variable with the STS endpoint for `from_env` constructors: https to a host under `aliyuncs.com`, with or without
/// `https://`, or loopback. The aliyun CLI reads it, and ACK sets it to a bare host; the vendor's SDKs do not read it.
pub const ENV_STS_ENDPOINT: &str = "ALIBABA_CLOUD_STS_ENDPOINT";
/// Variable with the region whose STS host is called.
pub const ENV_STS_REGION: &str = "ALIBABA_CLOUD_STS_REGION";
/// Variable that selects the region's host inside the VPC with `true`, in any case. Any other value counts as false.
pub const ENV_VPC_ENDPOINT_ENABLED: &str = "ALIBABA_CLOUD_VPC_ENDPOINT_ENABLED";
/// Variable with the role to assume, `acs:ram::<account id>:role/<name>`. `AssumeRole` and `AssumeRoleWithOIDC` use the same variable.
pub const ENV_ROLE_ARN: &str = "ALIBABA_CLOUD_ROLE_ARN";
/// Variable with the session name, 2 to 64 of the characters `A-Z a-z 0-9 . @ - _`.
pub const ENV_ROLE_SESSION_NAME: &str = "ALIBABA_CLOUD_ROLE_SESSION_NAME";

/// Prefix of the session name that providers generate when they are built; microseconds since 1970 follow.
pub const DEFAULT_SESSION_NAME_PREFIX: &str = "oss-credentials-";
