//! The foundation of all providers of Alibaba Cloud credentials.
//!
//! - [`Credentials`]: one generation of an access key pair, with token and expiry.
//! - [`CredentialsProvider`]: called before every request; signers and clients take one.
//! - [`CredentialsSource`]: fetches credentials; [`RefreshingProvider`] turns it into a provider.
//! - [`ChainProvider`]: several providers in order, without silent changes of identity.
//!
//! This crate contains no HTTP: sources that need it use the crate `oss-credentials-http`.
//!
//! Nothing here implicitly spawns a task, sleeps, opens a socket or reads the environment.
//!
//! ```
//! use oss_credentials_core::{blocking, source_fn, Credentials, CredentialsProvider, Fetched, RefreshingProvider};
//!
//! let provider = RefreshingProvider::new(source_fn("my-vault", || async {
//!     // Call your vault here.
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
//! | feature | default | adds |
//! |---|---|---|
//! | `chrono` | yes | `DateTime<Utc>` accessors; parsing of the date formats of services |
//! | `tokio` | no | [`TokioSleep`], [`RefreshingProvider::spawn`], background refresh |
//! | `test-util` | no | [`test_util`]: a manual clock, a scripted source, a fake environment |
//!
//! When something fails, `docs/errors.md` in the repository lists each error with cause and fix.
#![forbid(unsafe_code)]
#![cfg_attr(docsrs, feature(doc_cfg))]

pub mod blocking;
pub mod body;
mod chain;
mod credentials;
mod detail;
pub mod entropy;
mod env;
mod error;
mod future;
mod generation;
mod invalidation;
mod masked_id;
mod provider;
mod refresh;
pub mod secret_file;
mod status;
#[cfg(feature = "test-util")]
pub mod test_util;
pub mod text;
mod time;

pub use chain::{ChainPolicy, ChainProvider, ChainProviderBuilder};
pub use credentials::{COPY_LIFETIME, Credentials, CredentialsBuilder};
pub use detail::{ErrorDetail, ErrorDetailBuilder};
#[cfg(not(all(target_family = "wasm", target_os = "unknown")))]
pub use entropy::nonce;
pub use entropy::{NoEntropy, try_nonce};
pub use env::{Env, ProcessEnv};
pub use error::{ChainReport, CredentialsError};
pub use future::BoxFuture;
pub use generation::PerGeneration;
pub use invalidation::Invalidation;
pub use masked_id::MaskedId;
pub use provider::{
    CredentialsFuture, CredentialsProvider, CredentialsSource, Fetched, provider_fn, source_fn,
};
#[cfg(feature = "tokio")]
pub use refresh::NoRuntime;
pub use refresh::{
    Backoff, RefreshDriver, RefreshEvent, RefreshingProvider, RefreshingProviderBuilder, Updates,
};
pub use status::{RefreshStatus, RefreshTotals};
#[cfg(feature = "tokio")]
pub use time::TokioSleep;
pub use time::{CLOCK_TOLERANCE, Clock, ClockOffset, Sleep, SystemClock, sleeper};
#[cfg(feature = "chrono")]
pub use time::{rfc2822, rfc3339};

/// Target of everything this crate logs.
const TRACING_TARGET: &str = "oss_credentials_core";
