//! Calls any operation of Alibaba Cloud's OpenAPI, RPC or ROA, with any credentials provider and HTTP client.
//!
//! An [`AcsClient`] is for one product and one version of its API; a [`Call`] names an operation and its parameters.
//! The client signs (ACS3-HMAC-SHA256, or RPC HMAC-SHA1 on request), sends, retries temporary failures, corrects its
//! signing time when the service shows that the local clock is wrong, and reports a rejected key to the provider. It
//! has no table of products: always pass the API version, and pass the host if it is not
//! `<product>.<region>.aliyuncs.com`.
//!
//! Not covered, since they use other signatures: Log Service, Table Store, Message Service (MNS), and OSS, for which
//! there is `oss-client`.
//!
//! # Examples
//!
//! ```
//! # #[cfg(all(feature = "signed", feature = "json"))] {
//! use acs_client::{AcsClient, Call};
//! use oss_credentials_core::{Credentials, blocking};
//! # use oss_credentials_http::{HttpResponse, http_fn};
//! # let http = http_fn(|_| async {
//! #     let body = br#"{"PolicyName": "AliyunOSSReadOnlyAccess", "RequestId": "6894B13B"}"#;
//! #     Ok(HttpResponse::new(200, body.to_vec()))
//! # });
//!
//! // A provider of the family, such as the default chain.
//! let provider = Credentials::builder("LTAI5tExampleKeyId01", "example-secret").build()?;
//! let ram = AcsClient::builder("ram", "2015-05-01")
//!     .endpoint("ram.aliyuncs.com")
//!     .credentials_provider(provider)
//!     .http_client(http)
//!     .build()?;
//! let call = Call::rpc("GetPolicy")
//!     .query("PolicyType", "System")
//!     .query("PolicyName", "AliyunOSSReadOnlyAccess");
//! let policy: serde_json::Value = blocking::wait(ram.call(&call))?.json()?;
//! assert_eq!(policy["PolicyName"], "AliyunOSSReadOnlyAccess");
//! # }
//! # Ok::<(), oss_credentials_core::CredentialsError>(())
//! ```
//!
//! # Features
//!
//! | feature | default | adds |
//! |---|---|---|
//! | `signed` | yes | callers that sign; without it, only [`Caller::Unsigned`] |
//! | `json` | yes | `AcsResponse::json`, `Call::json` |
//! | `reqwest` | through `rustls` | an HTTP client over reqwest, so that `build()` needs none; implies `tokio` |
//! | `rustls` | yes | https through rustls with aws-lc-rs; implies `reqwest` |
//! | `rustls-no-provider`, `native-tls` | no | https through rustls with the crypto provider that the program installs, or through the system's TLS library; each implies `reqwest` |
//! | `tokio` | through `reqwest` | backoff between attempts on tokio's timer, inside a runtime |
//!
//! When a call fails, `docs/acs-client.md#errors` in the repository lists each error with cause and fix.

#![forbid(unsafe_code)]
#![cfg_attr(docsrs, feature(doc_cfg))]

mod call;
mod caller;
mod client;
pub mod codes;
mod encode;
mod endpoint;
mod error;
mod events;
mod pages;
mod response;
mod send;
mod wire;

pub use call::Call;
pub use caller::Caller;
#[cfg(feature = "signed")]
pub use caller::{ClientKey, ClientKeySource};
pub use client::{
    AcsClient, AcsClientBuilder, DEFAULT_CONNECT_TIMEOUT, DEFAULT_MAX_ATTEMPTS, DEFAULT_TIMEOUT, Hint, Hints,
    Refusal, SignatureVersion,
};
pub use endpoint::validate_region;
pub use error::AcsError;
pub use pages::{Pages, Paging};
pub use response::AcsResponse;

/// Target of everything this crate logs.
const TRACING_TARGET: &str = "acs_client";
