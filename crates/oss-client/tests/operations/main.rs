//! Operations that the client has no method for, and requests of other clients.
#![cfg(any(
    feature = "rustls",
    feature = "native-tls",
    not(feature = "rustls-no-provider")
))]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

#[path = "../common/mod.rs"]
mod common;
mod custom;
mod signed;

use std::time::{Duration, SystemTime};

use common::NOW;
use oss_credentials_core::Credentials;

fn long_term() -> Credentials {
    Credentials::builder("FakeAccessKeyId0001", "FakeAccessKeySecret0001")
        .build()
        .unwrap()
}

fn temporary() -> Credentials {
    Credentials::builder("STS.FakeTempKeyId0002", "FakeTempSecret0002")
        .security_token("FakeSecurityToken0002")
        .build()
        .unwrap()
}

fn time() -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(NOW)
}
