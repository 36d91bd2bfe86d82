//! How the signers behave where the vectors say nothing: what they replace, refuse and report.
#![allow(clippy::unwrap_used, reason = "helpers of tests fail by panicking")]

#[cfg(feature = "http")]
mod http;
#[cfg(feature = "v1")]
mod v1;
mod v4;

use std::time::{Duration, SystemTime};

use oss_credentials_core::Credentials;
use oss_sign::RequestView;

const HOUR: Duration = Duration::from_secs(3600);

fn time() -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(1_767_256_200)
}

fn fixed() -> Credentials {
    Credentials::builder("FakeAccessKeyId0001", "FakeAccessKeySecret0001")
        .build()
        .unwrap()
}

fn temporary(expires_at: impl Into<Option<SystemTime>>) -> Credentials {
    Credentials::builder("STS.FakeTempKeyId0002", "FakeTempSecret0002")
        .security_token("FakeSecurityToken0002")
        .expires_at(expires_at)
        .build()
        .unwrap()
}

fn simple() -> RequestView<'static> {
    RequestView::new("GET")
        .bucket("examplebucket")
        .key("exampleobject.txt")
}
