//! Alibaba Cloud credentials for a pod or any other bearer of an OIDC token, refreshed in the background.
//!
//! In a Kubernetes cluster of Container Service (ACK) with RAM Roles for Service Accounts (RRSA), the token of a
//! service account is in a file. STS `AssumeRoleWithOIDC` exchanges it for temporary credentials of a role; no
//! access key is needed.
//!
//! # What it reads
//!
//! The token file, at every refresh: another program keeps it up to date, and each token is short-lived. Settings come
//! only from the builder. [`OidcRrsa::from_env`] and [`OidcRrsaBuilder::env`] read
//! [`ENV_ROLE_ARN`], [`ENV_OIDC_PROVIDER_ARN`], [`ENV_OIDC_TOKEN_FILE`], [`ENV_ROLE_SESSION_NAME`],
//! [`ENV_STS_REGION`] and [`ENV_VPC_ENDPOINT_ENABLED`], each only if it is not set already. An empty variable
//! counts as unset. `from_env` also reads [`ENV_STS_ENDPOINT`].
//!
//! # Examples
//!
//! With the feature `reqwest`, inside a tokio runtime, in a pod with RRSA:
//!
//! ```no_run
//! # #[cfg(feature = "reqwest")]
//! # async fn example() -> Result<(), oss_credentials_core::CredentialsError> {
//! use oss_credentials_core::{CredentialsProvider, ProcessEnv};
//! use oss_credentials_oidc_rrsa::OidcRrsa;
//!
//! let provider = OidcRrsa::from_env(&ProcessEnv)?.build()?;
//! let credentials = provider.credentials().await?;
//! # Ok(())
//! # }
//! ```
//!
//! With explicit values and any other HTTP stack:
//!
//! ```
//! use oss_credentials_http::{HttpRequest, HttpResponse, http_fn};
//! use oss_credentials_core::{CredentialsProvider, blocking};
//! use oss_credentials_oidc_rrsa::OidcRrsa;
//!
//! let http = http_fn(|request: HttpRequest| async move {
//!     // Hand `request` to your stack here.
//! #   let answer = br#"{"Credentials": {"AccessKeyId": "STS.example", "AccessKeySecret": "secret",
//! #       "SecurityToken": "token", "Expiration": "2099-01-01T00:00:00Z"}}"#;
//! #   Ok(HttpResponse::new(200, answer.to_vec()))
//! });
//! # let folder = tempfile::tempdir().unwrap();
//! # let file = folder.path().join("token");
//! # std::fs::write(&file, "example.jwt.token\n").unwrap();
//! # let token_file = file;
//! // let token_file = "/var/run/secrets/tokens/sts";
//! let provider = OidcRrsa::builder()
//!     .role_arn("acs:ram::123456789012:role/example-role")
//!     .oidc_provider_arn("acs:ram::123456789012:oidc-provider/example-cluster")
//!     .oidc_token_file(token_file)
//!     .http_client(http)
//!     .build()?;
//! assert_eq!(blocking::wait(provider.credentials())?.source(), "oidc-rrsa");
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
//! When it fails: `docs/oidc-rrsa.md#errors` in the repository.

#![forbid(unsafe_code)]
#![cfg_attr(docsrs, feature(doc_cfg))]

mod config;
mod source;
mod wire;

pub use config::{
    DEFAULT_CONNECT_TIMEOUT, DEFAULT_DURATION, DEFAULT_SESSION_NAME_PREFIX, DEFAULT_TIMEOUT,
    ENV_OIDC_PROVIDER_ARN, ENV_OIDC_TOKEN_FILE, ENV_ROLE_ARN, ENV_ROLE_SESSION_NAME, ENV_STS_ENDPOINT,
    ENV_STS_REGION, ENV_VPC_ENDPOINT_ENABLED,
};
pub use source::{OidcRrsa, OidcRrsaBuilder, OidcRrsaProvider};
