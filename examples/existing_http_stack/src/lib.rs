//! A provider plugged into the HTTP client that a program has already.
//!
//! Providers talk HTTP through [`oss_credentials_http::HttpClient`], one method with types of its own.
//! Each module here is all that it takes to put another stack behind it, and `tests/contract.rs` shows that the
//! two keep the contract.

#[cfg(feature = "hyper")]
pub mod with_hyper;
#[cfg(feature = "ureq")]
pub mod with_ureq;
