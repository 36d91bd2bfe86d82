//! Alibaba Cloud credentials that another program prints.
//!
//! The program is started without a shell at every refresh, and prints one JSON object on its standard output:
//!
//! ```json
//! {"mode": "StsToken", "access_key_id": "STS.EXAMPLE", "access_key_secret": "EXAMPLE", "sts_token": "EXAMPLE",
//!  "expiration": "2026-01-02T04:04:05Z"}
//! ```
//!
//! or the same with `AccessKeyId`, `AccessKeySecret`, `SecurityToken` and `Expiration`. Token and expiration are
//! optional.
//!
//! # Examples
//!
//! ```
//! use oss_credentials_core::{CredentialsProvider, blocking};
//! use oss_credentials_process::CredentialsProcess;
//!
//! # #[cfg(unix)] {
//! let provider = CredentialsProcess::builder()
//!     .command_line(r#"printf '{"access_key_id": "id", "access_key_secret": "secret"}'"#)
//!     .build()?;
//! assert_eq!(blocking::wait(provider.credentials())?.access_key_id(), "id");
//! # }
//! # Ok::<(), oss_credentials_core::CredentialsError>(())
//! ```
//!
//! While a program runs, this crate uses one thread for it (on Windows two); nothing else is started. No async
//! runtime is needed.
//!
//! # Features
//!
//! | feature | default | adds |
//! |---|---|---|
//! | `tokio` | yes | background refresh inside a tokio runtime |
//!
//! When it fails: `docs/process.md#errors` in the repository.

#![forbid(unsafe_code)]
#![cfg_attr(docsrs, feature(doc_cfg))]

mod config;
mod events;
mod output;
mod run;
mod source;
mod split;
mod wire;

pub use config::{DEFAULT_REFRESH_AFTER, DEFAULT_TIME_LIMIT, MAX_OUTPUT};
pub use source::{CredentialsProcess, CredentialsProcessBuilder, CredentialsProcessProvider};

const NAME: &str = "process";
/// Target of everything this crate logs.
const TRACING_TARGET: &str = "oss_credentials_process";
