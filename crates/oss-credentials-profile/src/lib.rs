//! Alibaba Cloud credentials from the profile files of the SDKs and the aliyun CLI.
//!
//! # What it reads
//!
//! [`ProfileProvider::from_env`] looks for the profile in the CLI's `~/.aliyun/config.json`, then in the
//! SDKs' `~/.alibabacloud/credentials.ini` and `~/.alibabacloud/credentials`. [`ENV_CONFIG_FILE`] and
//! [`ENV_CREDENTIALS_FILE`] name other files, [`ENV_PROFILE`] the profile, and [`ENV_CLI_PROFILE_DISABLED`]
//! excludes the first. [`ENV_DISABLE_EXTERNAL_PROCESS`] forbids profiles that run a program or have a
//! credentials URI. `from_env` also reads the endpoints of STS and of instance metadata, see
//! [`ProfileProviderBuilder::endpoint_env`]. Builder settings take precedence over variables; an explicit setting reads no variable. Values
//! from different places are never combined.
//!
//! A file that has changed is read again. Keys and tokens are read when they are needed, and not
//! before.
//!
//! # Examples
//!
//! With the default features, inside a tokio runtime:
//!
//! ```no_run
//! # #[cfg(feature = "reqwest")]
//! # async fn example() -> Result<(), oss_credentials_core::CredentialsError> {
//! use oss_credentials_core::{CredentialsProvider, ProcessEnv};
//! use oss_credentials_profile::ProfileProvider;
//!
//! let provider = ProfileProvider::from_env(&ProcessEnv)?.profile("staging").build()?;
//! let credentials = provider.credentials().await?;
//! # Ok(())
//! # }
//! ```
//!
//! The INI file of the vendor's OSS documents, without any HTTP stack:
//!
//! ```
//! use oss_credentials_core::{CredentialsProvider, blocking};
//! use oss_credentials_profile::ProfileProvider;
//!
//! # let folder = tempfile::tempdir().unwrap();
//! # let path = folder.path().join("config.ini");
//! # let text = "[oss]\nalibaba_cloud_access_key_id = id\nalibaba_cloud_access_key_secret = secret\n";
//! # std::fs::write(&path, text).unwrap();
//! // let path = "config.ini";
//! let provider = ProfileProvider::config_ini(path, "oss").build()?;
//! assert_eq!(blocking::wait(provider.credentials())?.source(), "profile");
//! # Ok::<(), oss_credentials_core::CredentialsError>(())
//! ```
//!
//! # Features
//!
//! A profile whose feature is disabled is an error that names the feature.
//!
//! | feature | default | profiles of `config.json` | of `credentials.ini` |
//! |---|---|---|---|
//! | | | `AK`, `StsToken` | `access_key`, `sts` |
//! | `sts-assume-role` | yes | `RamRoleArn`, `ChainableRamRoleArn`, with `ecs-ram-role` `RamRoleArnWithRoleName` | `ram_role_arn` |
//! | `ecs-ram-role` | yes | `EcsRamRole` | `ecs_ram_role` |
//! | `oidc-rrsa` | yes | `OIDC` | `oidc_role_arn` |
//! | `uri` | yes | `CredentialsURI` | |
//! | `process` | yes | `External` | |
//! | `sso` | yes | `CloudSSO` | |
//! | `oauth` | yes | `OAuth`; implies `write-back` | |
//!
//! | feature | default | adds |
//! |---|---|---|
//! | `reqwest` | through `rustls` | an HTTP client over reqwest, so that none need be passed; implies `tokio` |
//! | `rustls` | yes | https through rustls with aws-lc-rs; implies `reqwest` |
//! | `rustls-no-provider`, `native-tls` | no | https through rustls with the crypto provider that the program installs, or through the system's TLS library; each implies `reqwest` |
//! | `tokio` | through `reqwest` | background refresh, and waiting for locks, inside a tokio runtime |
//! | `write-back` | through `oauth` | `ProfileProviderBuilder::write_back`: storing renewed logins and keys |
//!
//! A library that depends on this crate should set `default-features = false` and leave the choice to the
//! program.
//!
//! When it fails: `docs/profile.md#errors` in the repository.
#![forbid(unsafe_code)]
#![cfg_attr(docsrs, feature(doc_cfg))]

mod access;
mod builder;
mod cli;
mod config;
mod events;
mod file;
mod ini;
mod inner;
#[cfg(any(feature = "oauth", feature = "sso", feature = "write-back"))]
mod login;
mod lookup;
mod plan;
mod provider;
mod section;

pub use builder::ProfileProviderBuilder;
pub use config::{
    DEFAULT_PROFILE, ENV_CLI_PROFILE_DISABLED, ENV_CONFIG_FILE, ENV_CREDENTIALS_FILE,
    ENV_DISABLE_EXTERNAL_PROCESS, ENV_PROFILE, LOOK_INTERVAL, MAX_CONFIG_FILE, MAX_DEPTH, MAX_INI_FILE,
};
pub use provider::{ProfileInUse, ProfileProvider};

const NAME: &str = "profile";
/// Target of everything this crate logs.
const TRACING_TARGET: &str = "oss_credentials_profile";
