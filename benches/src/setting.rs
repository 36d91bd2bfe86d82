//! What every client of the server has: names, credentials, and the time.

use std::time::{Duration, SystemTime};

use oss_credentials_core::{Clock, Credentials};

use crate::server::TOKEN_LENGTH;
use crate::subjects::token;

pub const REGION: &str = "cn-hangzhou";
pub const BUCKET: &str = "examplebucket";

/// The same on every machine, where reading the clock is not.
#[derive(Clone, Copy, Debug)]
pub struct Standing;

impl Clock for Standing {
    fn now(&self) -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_secs(1_767_256_200)
    }
}

/// Credentials with a token of [`TOKEN_LENGTH`] bytes, valid for six hours from `now`.
///
/// # Panics
///
/// Never: they are valid.
pub fn credentials(now: SystemTime) -> Credentials {
    Credentials::builder("STS.FakeTempKeyId0002", "FakeTempSecret0002FakeTempSecr")
        .security_token(token(TOKEN_LENGTH))
        .expires_at(now + Duration::from_secs(6 * 3600))
        .build()
        .expect("valid")
}
