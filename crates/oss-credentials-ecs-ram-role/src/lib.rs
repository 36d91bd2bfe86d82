//! Alibaba Cloud credentials of the RAM role that is attached to an ECS instance, from instance metadata.
//!
//! # What it reads
//!
//! The metadata service at [`DEFAULT_ENDPOINT`], in this order: a token (`PUT`, `IMDSv2`), the role's name
//! unless it is set, the role's credentials. If tokens are not available, it sends requests without one (`IMDSv1`),
//! unless that is disabled. A client that follows the contract of
//! [`HttpClient`](oss_credentials_http::HttpClient) never calls it through a proxy.
//!
//! Variables are read only by [`EcsRamRole::from_env`] and [`EcsRamRoleBuilder::env`]: [`ENV_ROLE_NAME`],
//! [`ENV_DISABLED`] and [`ENV_V1_DISABLED`], each only if it is not set on the builder. `from_env` also reads
//! [`ENV_ENDPOINT`].
//!
//! # Examples
//!
//! With the feature `reqwest`, inside a tokio runtime:
//!
//! ```no_run
//! # #[cfg(feature = "reqwest")]
//! # async fn example() -> Result<(), oss_credentials_core::CredentialsError> {
//! use oss_credentials_core::{CredentialsProvider, ProcessEnv};
//! use oss_credentials_ecs_ram_role::EcsRamRole;
//!
//! let provider = EcsRamRole::from_env(&ProcessEnv)?.build()?;
//! let credentials = provider.credentials().await?;
//! # Ok(())
//! # }
//! ```
//!
//! With any other HTTP stack:
//!
//! ```
//! use oss_credentials_http::{HttpMethod, HttpRequest, HttpResponse, http_fn};
//! use oss_credentials_core::{CredentialsProvider, blocking};
//! use oss_credentials_ecs_ram_role::EcsRamRole;
//!
//! let http = http_fn(|request: HttpRequest| async move {
//!     // Hand `request` to your stack here.
//! #   let answer = match request.method() {
//! #       HttpMethod::Put => "token",
//! #       _ => r#"{"Code": "Success", "AccessKeyId": "STS.example", "AccessKeySecret": "secret",
//! #           "SecurityToken": "token", "Expiration": "2099-01-01T00:00:00Z"}"#,
//! #   };
//! #   Ok(HttpResponse::new(200, answer.as_bytes().to_vec()))
//! });
//! let provider = EcsRamRole::builder()
//!     .role_name("example-role")
//!     .http_client(http)
//!     .build()?;
//! assert_eq!(blocking::wait(provider.credentials())?.source(), "ecs-ram-role");
//! # Ok::<(), oss_credentials_core::CredentialsError>(())
//! ```
//!
//! # Features
//!
//! | feature | default | adds |
//! |---|---|---|
//! | `reqwest` | yes | an HTTP client over reqwest without TLS, so that `build()` needs none; implies `tokio` |
//! | `tokio` | through `reqwest` | background refresh inside a tokio runtime |
//!
//! A program with its own HTTP stack sets `default-features = false` and passes `http_client(..)`.
//! A library that depends on this crate should set `default-features = false` and leave the choice to the
//! program.
//!
//! When it fails: `docs/ecs-ram-role.md#errors` in the repository.

#![forbid(unsafe_code)]
#![cfg_attr(docsrs, feature(doc_cfg))]

mod config;
mod events;
mod metadata;
mod source;
mod wire;

pub use config::{
    DEFAULT_CONNECT_TIMEOUT, DEFAULT_ENDPOINT, DEFAULT_REFRESH_AFTER, DEFAULT_TIMEOUT, ENV_DISABLED,
    ENV_ENDPOINT, ENV_ROLE_NAME, ENV_V1_DISABLED,
};
pub use source::{EcsRamRole, EcsRamRoleBuilder, EcsRamRoleProvider};

const NAME: &str = "ecs-ram-role";
/// Target of everything this crate logs.
const TRACING_TARGET: &str = "oss_credentials_ecs_ram_role";
