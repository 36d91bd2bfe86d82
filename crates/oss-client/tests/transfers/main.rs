//! Transfers of files: in ranges, with checkpoints, and ended at any point.
#![cfg(all(
    feature = "download-file",
    any(
        feature = "rustls",
        feature = "native-tls",
        not(feature = "rustls-no-provider")
    )
))]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod checkpoints;
#[path = "../common/mod.rs"]
mod common;
#[path = "../common/files.rs"]
mod files;
mod interrupted;
#[path = "../common/log.rs"]
mod log;
#[path = "../common/place.rs"]
mod place;
mod ranges;
