//! What a client sends, what it repeats, and what it reports, against a service made of a script.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "helpers of tests, outside of test functions"
)]

mod common;
mod errors;
#[cfg(feature = "signed")]
mod keys;
mod pages;
#[cfg(feature = "signed")]
mod requests;
mod retries;
