//! Alibaba Cloud credentials from a credentials URI, refreshed in the background.
//!
//! A server that you operate, most often a sidecar or a local agent, responds to a `GET` with temporary credentials in
//! a JSON object of five fields: `Code` (`Success`), `AccessKeyId`, `AccessKeySecret`, `SecurityToken` and
//! `Expiration`.
//!
//! # What it reads
//!
//! Only the settings on the builder. [`CredentialsUri::from_env`] and [`CredentialsUriBuilder::env`]
//! read [`ENV_CREDENTIALS_URI`] if no URI is set. An empty variable counts as unset.
//!
//! # Examples
//!
//! With the feature `reqwest`, inside a tokio runtime:
//!
//! ```no_run
//! # #[cfg(feature = "reqwest")]
//! # async fn example() -> Result<(), oss_credentials_core::CredentialsError> {
//! use oss_credentials_core::CredentialsProvider;
//! use oss_credentials_uri::CredentialsUri;
//!
//! let provider = CredentialsUri::builder()
//!     .uri("http://127.0.0.1:6666/credentials")
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
//! use oss_credentials_core::{CredentialsProvider, blocking};
//! use oss_credentials_uri::CredentialsUri;
//!
//! let http = http_fn(|request: HttpRequest| async move {
//!     // Hand `request` to your stack here.
//! #   let answer = br#"{"Code": "Success", "AccessKeyId": "STS.example", "AccessKeySecret": "secret",
//! #       "SecurityToken": "token", "Expiration": "2099-01-01T00:00:00Z"}"#;
//! #   Ok(HttpResponse::new(200, answer.to_vec()))
//! });
//! let provider = CredentialsUri::builder()
//!     .uri("https://keys.example.com/oss?team=example")
//!     .http_client(http)
//!     .build()?;
//! assert_eq!(blocking::wait(provider.credentials())?.source(), "uri");
//! # Ok::<(), oss_credentials_core::CredentialsError>(())
//! ```
//!
//! # Features
//!
//! | feature | default | adds |
//! |---|---|---|
//! | `reqwest` | yes | an HTTP client over reqwest without TLS, so that `build()` needs none; implies `tokio` |
//! | `rustls` | no | the same with TLS, for `https://` |
//! | `rustls-no-provider`, `native-tls` | no | TLS through rustls with the crypto provider that the program installs, or through the system's TLS library |
//! | `tokio` | through `reqwest` | background refresh inside a tokio runtime |
//!
//! A program with its own HTTP stack sets `default-features = false` and passes `http_client(..)`.
//! A library that depends on this crate should set `default-features = false` and leave the choice to the
//! program.
//!
//! When it fails: `docs/uri.md#errors` in the repository.

#![forbid(unsafe_code)]
#![cfg_attr(docsrs, feature(doc_cfg))]

mod config;
mod events;
mod source;
mod wire;

pub use config::{DEFAULT_CONNECT_TIMEOUT, DEFAULT_TIMEOUT, ENV_CREDENTIALS_URI, MAX_REDIRECTS};
pub use source::{CredentialsUri, CredentialsUriBuilder, CredentialsUriProvider};

/// Target of everything this crate logs.
const TRACING_TARGET: &str = "oss_credentials_uri";
