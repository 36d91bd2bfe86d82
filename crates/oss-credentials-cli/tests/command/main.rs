//! The command as people and programs run it, beside a local cloud.
#![cfg(unix)]
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "helpers of tests, outside of test functions"
)]

mod arguments;
mod call;
mod completions;
mod doctor;
mod exec;
mod export;
mod oss;
mod outputs;
mod serve;
mod support;
#[cfg(target_os = "linux")]
mod terminals;
