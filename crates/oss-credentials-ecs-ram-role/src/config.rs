//! Names of variables, paths of the metadata service, and defaults.
//!
//! Vendor documents: "Instance metadata" of Elastic Compute Service,
//! <https://www.alibabacloud.com/help/en/ecs/user-guide/view-instance-metadata/>, for address, token and
//! its life; *Manage access credentials* of the Alibaba Cloud SDKs for the variables.

use std::time::Duration;

/// Name of the RAM role that is attached to the instance. Not set: the metadata service is asked for it.
pub const ENV_ROLE_NAME: &str = "ALIBABA_CLOUD_ECS_METADATA";
/// `true`, in any case: the metadata service is not asked at all. Everything else is no.
pub const ENV_DISABLED: &str = "ALIBABA_CLOUD_ECS_METADATA_DISABLED";
/// `true`, in any case: never ask without a token. Everything else is no.
pub const ENV_V1_DISABLED: &str = "ALIBABA_CLOUD_IMDSV1_DISABLED";

/// The metadata endpoint for [`EcsRamRole::from_env`](crate::EcsRamRole::from_env): `http://host[:port]` on loopback, for
/// tests and local clouds. The vendor's SDKs do not know it and always ask [`DEFAULT_ENDPOINT`].
pub const ENV_ENDPOINT: &str = "ALIBABA_CLOUD_ECS_METADATA_SERVICE_ENDPOINT";

/// Where the metadata service answers: the same address on each instance, IPv4, plain http.
pub const DEFAULT_ENDPOINT: &str = "http://100.100.100.200";
/// How long making a connection may take: 1 s.
pub const DEFAULT_CONNECT_TIMEOUT: Duration = Duration::from_secs(1);
/// How long one exchange may take, connecting included: 2 s.
pub const DEFAULT_TIMEOUT: Duration = Duration::from_secs(2);
/// How long after a fetch the next one is due, however long the keys live: one hour, as in the vendor's SDKs.
/// The keys live for six hours.
pub const DEFAULT_REFRESH_AFTER: Duration = Duration::from_secs(3600);

pub(crate) const TOKEN_PATH: &str = "/latest/api/token";
pub(crate) const ROLES_PATH: &str = "/latest/meta-data/ram/security-credentials/";
pub(crate) const TOKEN_HEADER: &str = "x-aliyun-ecs-metadata-token";
pub(crate) const TOKEN_TTL_HEADER: &str = "x-aliyun-ecs-metadata-token-ttl-seconds";

/// Life that is asked for a metadata token, in seconds: the longest that the service grants.
pub(crate) const TOKEN_TTL_SECS: u64 = 21_600;
/// How much earlier a token is given up, so that it does not end on the way.
pub(crate) const TOKEN_MARGIN: Duration = Duration::from_secs(60);

/// How long a host that never answered is taken to be absent without asking again.
pub(crate) const ABSENCE: Duration = Duration::from_secs(30);
/// The first question to a host that may not exist. Together with [`PROBE_GET`] it makes one second, and the
/// service answers within milliseconds.
pub(crate) const PROBE_PUT: Duration = Duration::from_millis(700);
/// The second question, asked only if the first brought a connection but no answer.
pub(crate) const PROBE_GET: Duration = Duration::from_millis(300);
/// How often a request is sent at most when no answer comes; a probe is sent once.
pub(crate) const TRIES: u32 = 2;
