//! What every provider of Alibaba Cloud credentials has in common.
//!
//! - [`Credentials`]: one generation of an AccessKey pair, with token and expiry.
//! - [`CredentialsProvider`]: asked before every request; signers and clients take it.
//! - [`CredentialsSource`]: fetches; [`RefreshingProvider`] makes a provider of it.
//! - [`ChainProvider`]: several providers in order, without silent changes of identity.
//! - [`http::HttpClient`]: how a source talks HTTP over the stack you already have.
//!
//! Nothing here spawns a task, sleeps, opens a socket or reads the environment by itself.
//!
//! ```
//! use oss_credentials_core::{blocking, source_fn, Credentials, CredentialsProvider, Fetched, RefreshingProvider};
//!
//! let provider = RefreshingProvider::new(source_fn("my-vault", || async {
//!     // Ask your vault here.
//!     Ok(Fetched::from(Credentials::builder("id", "secret").build()?))
//! }));
//! // The first call fetches, later ones read the cache.
//! let credentials = blocking::wait(provider.credentials())?;
//! assert!(provider.cached().is_some());
//! # assert_eq!(credentials.access_key_id(), "id");
//! # Ok::<(), oss_credentials_core::CredentialsError>(())
//! ```
//!
//! # Features
//!
//! | feature | default | brings |
//! |---|---|---|
//! | `chrono` | yes | `DateTime<Utc>` accessors; the clock offset from a `Date` header |
//! | `tokio` | no | [`TokioSleep`], [`RefreshingProvider::spawn`], background refresh |
//! | `http` | no | conversions to and from `http::Request` and `http::Response` |
//! | `test-util` | no | [`test_util`]: a manual clock, a scripted source and service, the HTTP conformance suite |
//!
//! When something fails, `docs/troubleshooting.md` in the repository lists each error with cause and fix.
#![cfg_attr(docsrs, feature(doc_cfg))]

pub mod blocking;
mod chain;
mod credentials;
mod entropy;
mod env;
mod error;
pub mod http;
mod provider;
mod refresh;
pub mod secret_file;
pub mod terminal;
#[cfg(feature = "test-util")]
pub mod test_util;
mod time;

pub use chain::{ChainPolicy, ChainProvider, ChainProviderBuilder, ChainReport};
pub use credentials::{Credentials, CredentialsBuilder, MaskedId};
#[cfg(not(all(target_family = "wasm", target_os = "unknown")))]
pub use entropy::nonce;
pub use entropy::{NoEntropy, try_nonce};
pub use env::{Env, ProcessEnv};
pub use error::{CredentialsError, ErrorDetail, ErrorDetailBuilder};
pub use provider::{
    BoxFuture, CredentialsFuture, CredentialsProvider, CredentialsSource, Fetched, provider_fn, source_fn,
};
#[cfg(feature = "tokio")]
pub use refresh::NoRuntime;
pub use refresh::{
    Backoff, RefreshDriver, RefreshStatus, RefreshingProvider, RefreshingProviderBuilder, Updates,
};
#[cfg(feature = "tokio")]
pub use time::TokioSleep;
#[cfg(feature = "chrono")]
pub use time::rfc3339;
pub use time::{Clock, ClockOffset, LearnedOffset, Sleep, SystemClock};

/// Target of everything this crate logs.
const TRACING_TARGET: &str = "oss_credentials_core";
