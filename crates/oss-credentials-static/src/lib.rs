//! Fixed Alibaba Cloud credentials: an access key pair, an STS token, or anonymous.
//!
//! Nothing is read from anywhere: the program passes all values.
//!
//! ```
//! use oss_credentials_core::{blocking, CredentialsProvider};
//! use oss_credentials_static::StaticProvider;
//!
//! let provider = StaticProvider::access_key("LTAI5tExampleKeyId01", "example-secret")?;
//! let credentials = blocking::wait(provider.credentials())?;
//! assert_eq!(credentials.source(), "static");
//! # Ok::<(), oss_credentials_core::CredentialsError>(())
//! ```
//!
//! The crate has no features. When it fails: `docs/static.md#errors` in the repository.

#![forbid(unsafe_code)]

mod provider;

pub use provider::{StaticProvider, StaticProviderBuilder};
