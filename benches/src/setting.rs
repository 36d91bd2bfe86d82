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

/// The client of `ossify` for the server at this address.
///
/// # Panics
///
/// If the address is not that of a server.
#[cfg(any(feature = "rivals", feature = "transfers"))]
pub fn ossify(address: &str, keys: &Credentials) -> ossify::Client {
    ossify::Client::builder()
        .endpoint(format!("http://{address}"))
        .region(REGION)
        .bucket(BUCKET)
        .url_style(ossify::UrlStyle::Path)
        .access_key_id(keys.access_key_id())
        .access_key_secret(keys.access_key_secret())
        .security_token(keys.security_token().unwrap_or_default())
        .build()
        .expect("the address of a server")
}
