//! What is tried again, when, and what each attempt is signed with. No test waits.
#![cfg(any(
    feature = "rustls",
    feature = "native-tls",
    not(feature = "rustls-no-provider")
))]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod attempts;
#[path = "../common/mod.rs"]
mod common;
mod failures;
mod policies;
#[path = "../common/waiting.rs"]
mod waiting;

use std::time::Duration;

use common::NOW;
use oss_client::{Client, ClientBuilder};
use oss_credentials_core::CredentialsProvider;
use oss_credentials_core::test_util::ManualClock;
use waiting::Pauses;

const MS: Duration = Duration::from_millis(1);

/// With the policy that is the default.
fn builder(endpoint: &str, keys: impl CredentialsProvider, pauses: &Pauses) -> ClientBuilder {
    Client::builder()
        .region("cn-hangzhou")
        .endpoint(endpoint)
        .credentials(keys)
        .clock(ManualClock::at_unix(NOW))
        .sleep(pauses.clone())
}
