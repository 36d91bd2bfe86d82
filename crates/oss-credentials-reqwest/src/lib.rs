//! The [`HttpClient`](oss_credentials_http::HttpClient) of the credential providers over reqwest.
//!
//! Providers create one automatically if their feature `reqwest` is enabled. Create your own to choose proxy,
//! certificates, connection pool, or a separate runtime:
//!
//! ```
//! use oss_credentials_reqwest::ReqwestClient;
//!
//! let client = ReqwestClient::builder()
//!     .client_builder(|| reqwest::Client::builder().user_agent("my-program/1.0"))
//!     .build()?;
//! # Ok::<(), oss_credentials_http::HttpError>(())
//! ```
//!
//! Futures of a plain [`ReqwestClient::new`] are polled inside a tokio runtime with I/O and time enabled.
//! [`ReqwestClient::with_own_runtime`] needs none: it suits other executors and
//! [`blocking::wait`](oss_credentials_core::blocking::wait).
//!
//! # Features
//!
//! | feature | default | adds |
//! |---|---|---|
//! | `rustls` | yes | https through rustls with aws-lc-rs and the system's certificates |
//! | `rustls-no-provider` | no | https through rustls with the crypto provider that the program installs |
//! | `native-tls` | no | https through the system's TLS library |
//!
//! Without any of them, only `http://` works, which is enough for the metadata service; `https://` is then an
//! error that names the feature. With several, reqwest uses `native-tls`.
//!
//! The public API names types of `reqwest` 0.13: the major version of this crate follows reqwest's. When
//! something fails: `docs/errors.md#http-clients` in the repository.
#![forbid(unsafe_code)]
#![cfg_attr(docsrs, feature(doc_cfg))]

mod client;
mod clients;
mod error;
mod exchange;
mod runtime;
mod tls;

pub use client::{ReqwestClient, ReqwestClientBuilder};
