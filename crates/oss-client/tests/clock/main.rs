//! A correction of the local clock: how it is learned, and when it ends.
#![cfg(any(
    feature = "rustls",
    feature = "native-tls",
    not(feature = "rustls-no-provider")
))]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod changed;
#[path = "../common/mod.rs"]
mod common;
mod learned;

use common::response;

fn skewed(date: &str) -> Vec<u8> {
    response(
        403,
        &[("Date", date)],
        "<Error><Code>RequestTimeTooSkewed</Code></Error>",
    )
}
