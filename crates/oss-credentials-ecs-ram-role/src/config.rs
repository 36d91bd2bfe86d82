//! Names of variables, paths of the metadata service, and defaults.
//!
//! Vendor documents: "Instance metadata" of Elastic Compute Service,
//! <https://www.alibabacloud.com/help/en/ecs/user-guide/view-instance-metadata/>, for address, token and
//! its life; *Manage access credentials* of the Alibaba Cloud SDKs for the variables.

use std::time::Duration;

/// Variable with the name of the instance's RAM role. If it is not set, the name is requested from the metadata
/// service.
pub const ENV_ROLE_NAME: &str = "ALIBABA_CLOUD_ECS_METADATA";
/// Variable that disables the metadata service with `true`, in any case. Any other value counts as false.
pub const ENV_DISABLED: &str = "ALIBABA_CLOUD_ECS_METADATA_DISABLED";
/// Variable that disables requests without a token with `true`, in any case. Any other value counts as false.
pub const ENV_V1_DISABLED: &str = "ALIBABA_CLOUD_IMDSV1_DISABLED";

/// Variable with the metadata endpoint for [`EcsRamRole::from_env`](crate::EcsRamRole::from_env):
/// `http://host[:port]` on loopback, for tests and local clouds. The vendor's SDKs do not read it and always call
/// [`DEFAULT_ENDPOINT`].
pub const ENV_ENDPOINT: &str = "ALIBABA_CLOUD_ECS_METADATA_SERVICE_ENDPOINT";

/// Address of the metadata service: the same on each instance, IPv4, plain http.
pub const DEFAULT_ENDPOINT: &str = "http://100.100.100.200";
/// The time limit for making a connection: 1 s.
pub const DEFAULT_CONNECT_TIMEOUT: Duration = Duration::from_secs(1);
/// The time limit of one exchange, including the connection: 2 s.
pub const DEFAULT_TIMEOUT: Duration = Duration::from_secs(2);
/// The time from one fetch to the next, regardless of the keys' lifetime: one hour, as in the vendor's SDKs.
/// The keys are valid for six hours.
pub const DEFAULT_REFRESH_AFTER: Duration = Duration::from_secs(3600);

pub(crate) const TOKEN_PATH: &str = "/latest/api/token";
pub(crate) const ROLES_PATH: &str = "/latest/meta-data/ram/security-credentials/";
pub(crate) const TOKEN_HEADER: &str = "x-aliyun-ecs-metadata-token";
pub(crate) const TOKEN_TTL_HEADER: &str = "x-aliyun-ecs-metadata-token-ttl-seconds";

/// Requested lifetime of a metadata token, in seconds: the longest that the service grants.
pub(crate) const TOKEN_TTL_SECS: u64 = 21_600;
/// How much earlier a token is discarded, so that it does not expire in transit.
pub(crate) const TOKEN_MARGIN: Duration = Duration::from_secs(60);

/// How long a host that never responded is considered absent without another probe.
pub(crate) const ABSENCE: Duration = Duration::from_secs(30);
/// The first probe of a host that may not exist. Together with [`PROBE_GET`] it takes one second, and the
/// service responds within milliseconds.
pub(crate) const PROBE_PUT: Duration = Duration::from_millis(700);
/// The second probe, sent only if the first made a connection but got no response.
pub(crate) const PROBE_GET: Duration = Duration::from_millis(300);
/// How often a request is sent at most if no response arrives; a probe is sent once.
pub(crate) const TRIES: u32 = 2;
