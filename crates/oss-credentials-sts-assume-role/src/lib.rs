//! Alibaba Cloud credentials from STS AssumeRole, refreshed in the background.
//!
//! A base provider, of any kind, signs the call; the result is temporary credentials of the role.
//! The base is called at every refresh, so roles can be chained, and a rotated base key takes effect.
//!
//! # What it reads
//!
//! Only the settings on the builder. [`StsAssumeRole::from_env`] and [`StsAssumeRoleBuilder::env`] read
//! [`ENV_ROLE_ARN`], [`ENV_ROLE_SESSION_NAME`], [`ENV_STS_REGION`] and [`ENV_VPC_ENDPOINT_ENABLED`], each only
//! if it is not set already. An empty variable counts as unset. `from_env` also reads [`ENV_STS_ENDPOINT`].
//!
//! # Examples
//!
//! With the feature `reqwest`, inside a tokio runtime:
//!
//! ```no_run
//! # #[cfg(feature = "reqwest")]
//! # async fn example() -> Result<(), oss_credentials_core::CredentialsError> {
//! use oss_credentials_core::{Credentials, CredentialsProvider};
//! use oss_credentials_sts_assume_role::StsAssumeRole;
//!
//! let base = Credentials::builder("LTAI5tExampleKeyId01", "example-secret").build()?;
//! let provider = StsAssumeRole::builder(base)
//!     .role_arn("acs:ram::123456789012:role/example-role")
//!     .region("cn-hangzhou")
//!     .build()?;
//! let credentials = provider.credentials().await?;
//! # Ok(())
//! # }
//! ```
//!
//! With any other HTTP stack:
//!
//! ```
//! use oss_credentials_http::{HttpRequest, HttpResponse, http_fn};
//! use oss_credentials_core::{Credentials, CredentialsProvider, blocking};
//! use oss_credentials_sts_assume_role::StsAssumeRole;
//!
//! let http = http_fn(|request: HttpRequest| async move {
//!     // Hand `request` to your stack here.
//! #   let answer = br#"{"Credentials": {"AccessKeyId": "STS.example", "AccessKeySecret": "secret",
//! #       "SecurityToken": "token", "Expiration": "2099-01-01T00:00:00Z"}}"#;
//! #   Ok(HttpResponse::new(200, answer.to_vec()))
//! });
//! let base = Credentials::builder("LTAI5tExampleKeyId01", "example-secret").build()?;
//! let provider = StsAssumeRole::builder(base)
//!     .role_arn("acs:ram::123456789012:role/example-role")
//!     .http_client(http)
//!     .build()?;
//! assert_eq!(blocking::wait(provider.credentials())?.source(), "sts-assume-role");
//! # Ok::<(), oss_credentials_core::CredentialsError>(())
//! ```
//!
//! # Features
//!
//! | feature | default | adds |
//! |---|---|---|
//! | `reqwest` | through `rustls` | an HTTP client over reqwest, so that `build()` needs none; implies `tokio` |
//! | `rustls` | yes | https through rustls with aws-lc-rs; implies `reqwest` |
//! | `rustls-no-provider`, `native-tls` | no | https through rustls with the crypto provider that the program installs, or through the system's TLS library; each implies `reqwest` |
//! | `tokio` | through `reqwest` | background refresh, and retries with backoff, inside a tokio runtime |
//!
//! A program with its own HTTP stack sets `default-features = false` and passes `http_client(..)`.
//! A library that depends on this crate should set `default-features = false` and leave the choice to the
//! program.
//!
//! When it fails: `docs/sts-assume-role.md#errors` in the repository.

#![forbid(unsafe_code)]
#![cfg_attr(docsrs, feature(doc_cfg))]

mod config;
mod source;

pub use acs_sts::SignatureVersion;
pub use config::{
    DEFAULT_CONNECT_TIMEOUT, DEFAULT_DURATION, DEFAULT_SESSION_NAME_PREFIX, DEFAULT_TIMEOUT, ENV_ROLE_ARN,
    ENV_ROLE_SESSION_NAME, ENV_STS_ENDPOINT, ENV_STS_REGION, ENV_VPC_ENDPOINT_ENABLED,
};
pub use source::{StsAssumeRole, StsAssumeRoleBuilder, StsAssumeRoleProvider};
