//! Alibaba Cloud credentials from the context of a Function Compute invocation.
//!
//! A function with a RAM role gets temporary credentials with each invocation. [`FcContextProvider`] returns those
//! of the last one; it fetches nothing.
//!
//! # What it reads
//!
//! | call | reads |
//! |---|---|
//! | [`FcContext::from_headers`] | `x-fc-access-key-id`, `x-fc-access-key-secret`, `x-fc-security-token` of an invocation |
//! | [`FcContext::from_json`] | `credentials` of a context in JSON, in `camelCase` or `snake_case` |
//! | [`FcContext::from_env`] | `ALIBABA_CLOUD_ACCESS_KEY_ID`, `ALIBABA_CLOUD_ACCESS_KEY_SECRET`, `ALIBABA_CLOUD_SECURITY_TOKEN`; otherwise `accessKeyID`, `accessKeySecret`, `securityToken` |
//! | [`FcContext::from_headers_or_env`] | the headers, and the variables only if none of the headers is present |
//!
//! The variables are set when an instance starts, the headers arrive with each invocation: prefer the headers.
//!
//! # Examples
//!
//! ```
//! use oss_credentials_core::{blocking, CredentialsProvider};
//! use oss_credentials_fc_context::{FcContext, FcContextProvider};
//!
//! // Once; give clones of it to the clients that sign.
//! let provider = FcContextProvider::new();
//!
//! // In the handler, with the request's headers:
//! let headers = [
//!     ("X-Fc-Access-Key-Id", "STS.NUExampleTempKeyId"),
//!     ("X-Fc-Access-Key-Secret", "example-secret"),
//!     ("X-Fc-Security-Token", "example-token"),
//! ];
//! provider.update(FcContext::from_headers(headers)?);
//! let credentials = blocking::wait(provider.credentials())?;
//! assert_eq!(credentials.source(), "fc-context");
//! # Ok::<(), oss_credentials_core::CredentialsError>(())
//! ```
//!
//! The crate has no features. When it fails: `docs/fc-context.md#errors` in the repository.

#![forbid(unsafe_code)]

mod config;
mod context;
mod provider;
mod wire;

pub use config::{
    ENV_ACCESS_KEY_ID, ENV_ACCESS_KEY_SECRET, ENV_OLD_ACCESS_KEY_ID, ENV_OLD_ACCESS_KEY_SECRET,
    ENV_OLD_SECURITY_TOKEN, ENV_SECURITY_TOKEN, HEADER_ACCESS_KEY_ID, HEADER_ACCESS_KEY_SECRET,
    HEADER_SECURITY_TOKEN, MAX_TOKEN_LIFETIME,
};
pub use context::FcContext;
pub use provider::FcContextProvider;

/// Name of the provider and of the source of its credentials.
const NAME: &str = "fc-context";
