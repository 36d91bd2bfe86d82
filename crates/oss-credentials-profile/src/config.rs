//! Names of variables, and limits.
//!
//! Vendor documents: *Manage access credentials* of the Alibaba Cloud SDKs for Go, Java and Python, sections
//! on the credentials file and on the CLI's configuration; *Configure credentials* of Alibaba Cloud CLI.

use std::time::Duration;

/// Name of the profile, in the CLI's `config.json` as in `credentials.ini`.
pub const ENV_PROFILE: &str = "ALIBABA_CLOUD_PROFILE";
/// Path of the CLI's configuration, in place of `~/.aliyun/config.json`.
pub const ENV_CONFIG_FILE: &str = "ALIBABA_CLOUD_CONFIG_FILE";
/// Path of the SDKs' file, in place of `~/.alibabacloud/credentials.ini` and `~/.alibabacloud/credentials`.
pub const ENV_CREDENTIALS_FILE: &str = "ALIBABA_CLOUD_CREDENTIALS_FILE";
/// `true`, in any case: leave the CLI's configuration alone. Everything else is no.
pub const ENV_CLI_PROFILE_DISABLED: &str = "ALIBABA_CLOUD_CLI_PROFILE_DISABLED";

/// `true`, in any case, or `1`: no profile may run a program or ask a credentials URI. Everything else is no.
///
/// Observed from the vendor's CLI, which takes `1`, too: unlike other switches this one protects, and must not be
/// missed.
pub const ENV_DISABLE_EXTERNAL_PROCESS: &str = "ALIBABA_CLOUD_DISABLE_EXTERNAL_PROCESS";

/// The profile that is taken if nobody names one.
pub const DEFAULT_PROFILE: &str = "default";
/// How often it is looked whether a file has changed: every 5 s at most.
pub const LOOK_INTERVAL: Duration = Duration::from_secs(5);
/// How many profiles a chain of `source_profile` may have: 8.
pub const MAX_DEPTH: usize = 8;
/// Largest INI file, in bytes: 64 KiB.
pub const MAX_INI_FILE: usize = 64 * 1024;
/// Largest `config.json`, in bytes: 1 MiB. The CLI keeps all profiles and their tokens in it.
pub const MAX_CONFIG_FILE: usize = 1024 * 1024;
