//! Alibaba Cloud credentials from environment variables.
//!
//! | family | access key ID | access key secret | security token (optional) |
//! |---|---|---|---|
//! | [`Family::Oss`] | `OSS_ACCESS_KEY_ID` | `OSS_ACCESS_KEY_SECRET` | `OSS_SESSION_TOKEN` |
//! | [`Family::AlibabaCloud`] | `ALIBABA_CLOUD_ACCESS_KEY_ID` | `ALIBABA_CLOUD_ACCESS_KEY_SECRET` | `ALIBABA_CLOUD_SECURITY_TOKEN` |
//!
//! Families are read in this order, and the first with both ID and secret is used.
//!
//! ```no_run
//! use oss_credentials_core::{blocking, CredentialsProvider};
//! use oss_credentials_env::EnvProvider;
//!
//! let credentials = blocking::wait(EnvProvider::new().credentials())?;
//! println!("acting as {credentials:?}");
//! # Ok::<(), oss_credentials_core::CredentialsError>(())
//! ```
//!
//! The crate has no features. When it fails: `docs/env.md#errors` in the repository.

#![forbid(unsafe_code)]

mod config;
mod provider;

pub use config::{
    ENV_ALIBABA_CLOUD_ACCESS_KEY_ID, ENV_ALIBABA_CLOUD_ACCESS_KEY_SECRET, ENV_ALIBABA_CLOUD_SECURITY_TOKEN,
    ENV_OSS_ACCESS_KEY_ID, ENV_OSS_ACCESS_KEY_SECRET, ENV_OSS_SESSION_TOKEN, Family,
};
pub use provider::EnvProvider;
