//! Names of settings, defaults and limits.
//!
//! The settings are those of the vendor's clients: `README` of `aliyun-secret-manager-client` for Python, Java
//! and Go, and "Use client keys to access KMS" of the Key Management Service. Each name is the key in
//! `secretsmanager.properties` and, in the same lower case, the name of the environment variable.

use std::time::Duration;

/// The type of credentials that KMS is called with. Here always `client_key`.
pub const ENV_CREDENTIALS_TYPE: &str = "credentials_type";
/// Path of the client key, a JSON file.
pub const ENV_CLIENT_KEY_FILE: &str = "client_key_private_key_path";
/// Name of the variable that holds the password of the client key.
pub const ENV_PASSWORD_VARIABLE: &str = "client_key_password_from_env_variable";
/// Path of the file that holds the password of the client key.
pub const ENV_PASSWORD_FILE: &str = "client_key_password_from_file_path";
/// Regions to call, in order: a JSON array of objects with `regionId`, `endpoint` and `vpc`.
pub const ENV_REGIONS: &str = "cache_client_region_id";
/// KMS instances to call before any region: a JSON array of objects. Needs the feature `instance-gateway`.
pub const ENV_INSTANCES: &str = "cache_client_dkms_config_info";
/// Names of secrets, separated by commas. Read if no secret is named in code; there must then be exactly one.
pub const ENV_SECRET_NAMES: &str = "secret_names";

/// All settings that are read from a file.
pub(crate) const FILE_SETTINGS: [&str; 7] = [
    ENV_CREDENTIALS_TYPE,
    ENV_CLIENT_KEY_FILE,
    ENV_PASSWORD_VARIABLE,
    ENV_PASSWORD_FILE,
    ENV_REGIONS,
    ENV_INSTANCES,
    ENV_SECRET_NAMES,
];

/// File that the vendor's clients look for in the working directory.
pub const DEFAULT_PROPERTIES_FILE: &str = "secretsmanager.properties";
/// How long a pair is used before it is fetched again: one hour, as in the vendor's clients.
pub const DEFAULT_REFRESH_INTERVAL: Duration = Duration::from_secs(3600);
/// How long making a connection may take: 5 s.
pub const DEFAULT_CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// How long one exchange with one region may take, including the connection: 10 s.
pub const DEFAULT_TIMEOUT: Duration = Duration::from_secs(10);

/// The only value of [`ENV_CREDENTIALS_TYPE`] that this crate supports.
pub(crate) const CLIENT_KEY: &str = "client_key";
/// The only stage of a secret that is requested. `ACSPrevious` is the pair that is about to be deleted.
pub(crate) const STAGE: &str = "ACSCurrent";
/// Suffix of the hosts of KMS instances, which use another protocol than the shared gateway.
pub(crate) const INSTANCE_SUFFIX: &str = ".cryptoservice.kms.aliyuncs.com";
/// Shortest time between two fetches that a hint may ask for.
pub(crate) const MIN_REFRESH: Duration = Duration::from_secs(60);
/// Longest time that a `ttl` in the secret may ask for.
pub(crate) const MAX_TTL: Duration = Duration::from_secs(24 * 3600);
/// How long after a scheduled rotation the new pair is fetched, as in the vendor's plug-in for RAM secrets.
pub(crate) const ROTATION_DELAY: Duration = Duration::from_secs(300);
/// Largest part added at random to [`ROTATION_DELAY`], once per source.
pub(crate) const ROTATION_SPREAD: Duration = Duration::from_secs(300);
/// How long one fetch may take, whatever the number of regions and passes.
pub(crate) const BUDGET: Duration = Duration::from_secs(30);
/// Pauses before the second and the third pass over the regions, before the jitter of half of them.
pub(crate) const PAUSES: [Duration; 2] = [Duration::from_secs(1), Duration::from_secs(2)];
/// Largest settings, key, password or certificate file, in bytes.
pub(crate) const MAX_FILE: usize = 64 * 1024;
/// A client key that expires within this time is mentioned in the log.
pub(crate) const EXPIRY_NOTICE: Duration = Duration::from_secs(30 * 24 * 3600);
