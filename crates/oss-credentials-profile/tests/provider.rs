//! Behaviour through the public API, with real files and a service made of a script.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "helpers of tests may fail the test"
)]

#[path = "provider/cli/mod.rs"]
mod cli;
#[path = "provider/files.rs"]
mod files;
#[path = "provider/ini.rs"]
mod ini;
#[cfg(feature = "oauth")]
#[path = "provider/oauth.rs"]
mod oauth;
#[cfg(feature = "write-back")]
#[path = "provider/planted.rs"]
mod planted;
#[path = "provider/reread.rs"]
mod reread;
#[cfg(feature = "sso")]
#[path = "provider/sso.rs"]
mod sso;
#[path = "provider/support.rs"]
mod support;
#[cfg(feature = "write-back")]
#[path = "provider/write_back.rs"]
mod write_back;
