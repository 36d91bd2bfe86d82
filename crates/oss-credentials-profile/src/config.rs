//! Names of variables, and limits.
//!
//! Vendor documents: *Manage access credentials* of the Alibaba Cloud SDKs for Go, Java and Python, sections
//! on the credentials file and on the CLI's configuration; *Configure credentials* of Alibaba Cloud CLI.

use std::time::Duration;

/// Variable with the name of the profile, in the CLI's `config.json` and in `credentials.ini`.
pub const ENV_PROFILE: &str = "ALIBABA_CLOUD_PROFILE";
/// Variable with the path of the CLI's configuration; replaces `~/.aliyun/config.json`.
pub const ENV_CONFIG_FILE: &str = "ALIBABA_CLOUD_CONFIG_FILE";
/// Variable with the path of the SDKs' file; replaces `~/.alibabacloud/credentials.ini` and
/// `~/.alibabacloud/credentials`.
pub const ENV_CREDENTIALS_FILE: &str = "ALIBABA_CLOUD_CREDENTIALS_FILE";
/// Variable that excludes the CLI's configuration with `true`, in any case. Any other value counts as false.
pub const ENV_CLI_PROFILE_DISABLED: &str = "ALIBABA_CLOUD_CLI_PROFILE_DISABLED";

/// Variable that forbids programs and credentials URIs in profiles with `true`, in any case, or `1`. Any other value
/// counts as false.
///
/// The vendor's CLI also accepts `1` (observed): unlike other variables, this one protects, and must not be
/// missed.
pub const ENV_DISABLE_EXTERNAL_PROCESS: &str = "ALIBABA_CLOUD_DISABLE_EXTERNAL_PROCESS";

/// The profile that is used if none is named.
pub const DEFAULT_PROFILE: &str = "default";
/// The shortest time between two checks whether a file has changed: 5 s.
pub const LOOK_INTERVAL: Duration = Duration::from_secs(5);
/// The number of profiles that a chain of `source_profile` may have: 8.
pub const MAX_DEPTH: usize = 8;
/// Largest INI file, in bytes: 64 KiB.
pub const MAX_INI_FILE: usize = 64 * 1024;
/// Largest `config.json`, in bytes: 1 MiB. The CLI keeps all profiles and their tokens in it.
pub const MAX_CONFIG_FILE: usize = 1024 * 1024;
