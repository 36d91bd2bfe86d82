//! Calls against a service made of a script.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "helpers of tests may fail the test"
)]

#[cfg(feature = "signed")]
mod calls;
mod cases;
mod common;
mod oidc;
