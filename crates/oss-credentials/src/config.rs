//! The chain's order, and the name of its variable.

/// Pins one member of the default chain by its name: only that member is used. An empty value counts as unset.
/// The variable is specific to this crate; the vendor's SDKs do not read it.
pub const ENV_CREDENTIALS_PROVIDER: &str = "ALIBABA_CLOUD_CREDENTIALS_PROVIDER";

/// Name of the member that reads keys from environment variables.
pub(crate) const ENV: &str = "env";
/// Name of the member that exchanges an OIDC token at STS.
pub(crate) const OIDC_RRSA: &str = "oidc-rrsa";
/// Name of the member that reads the files of the CLI and the SDKs.
pub(crate) const PROFILE: &str = "profile";
/// Name of the member that calls a credentials URI.
pub(crate) const URI: &str = "uri";
/// Name of the member that calls instance metadata.
pub(crate) const ECS_RAM_ROLE: &str = "ecs-ram-role";

/// The members of the default chain in their order.
///
/// Vendor document: *Manage access credentials* of the Alibaba Cloud SDKs, section on the default credential chain.
/// There, instance metadata comes before the credentials URI. Here it comes last: a URI exists only if an operator set
/// it, and would otherwise never be used on an instance.
pub const DEFAULT_ORDER: [&str; 5] = [ENV, OIDC_RRSA, PROFILE, URI, ECS_RAM_ROLE];

/// Variables that each show that a member is wanted. Their own crates have these names too, but may be left
/// out of the build.
pub(crate) const SET_UP_BY: [(&str, &str); 11] = [
    (ENV, "OSS_ACCESS_KEY_ID"),
    (ENV, "OSS_ACCESS_KEY_SECRET"),
    (ENV, "ALIBABA_CLOUD_ACCESS_KEY_ID"),
    (ENV, "ALIBABA_CLOUD_ACCESS_KEY_SECRET"),
    (OIDC_RRSA, "ALIBABA_CLOUD_OIDC_PROVIDER_ARN"),
    (OIDC_RRSA, "ALIBABA_CLOUD_OIDC_TOKEN_FILE"),
    (PROFILE, "ALIBABA_CLOUD_PROFILE"),
    (PROFILE, "ALIBABA_CLOUD_CONFIG_FILE"),
    (PROFILE, "ALIBABA_CLOUD_CREDENTIALS_FILE"),
    (URI, "ALIBABA_CLOUD_CREDENTIALS_URI"),
    (ECS_RAM_ROLE, "ALIBABA_CLOUD_ECS_METADATA"),
];
