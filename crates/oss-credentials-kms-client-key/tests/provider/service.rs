//! A KMS made of a script, and what goes with it.

use std::path::{Path, PathBuf};

pub(crate) use oss_credentials_core::test_util::unix_time as at;
pub(crate) use oss_credentials_http::test_util::parameter as param;

use acs_sign::{ClientKeySigner, SignError};
use oss_credentials_core::test_util::ManualClock;
use oss_credentials_core::{CredentialsError, CredentialsSource, Fetched, blocking};
use oss_credentials_http::HttpRequest;
use oss_credentials_kms_client_key::{ClientKey, KmsClientKey, KmsClientKeyBuilder, KmsRegion};

/// 2026-03-01T08:09:10Z
pub(crate) const NOW: u64 = 1_772_352_550;
pub(crate) const KEY_ID: &str = "KAAP.ed804cff-d4d1-4e7e-825e-4f7dc1fd4620";
pub(crate) const SECRET: &str = "acs/ram/user/oss-reader";

/// Signs with bytes that depend on nothing but the length of the text.
#[derive(Debug)]
pub(crate) struct Signer;

impl ClientKeySigner for Signer {
    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, SignError> {
        let length = u8::try_from(message.len() % 251).unwrap();
        Ok((0..=255).map(|byte: u8| byte.wrapping_mul(31) ^ length).collect())
    }
}

pub(crate) fn client_key() -> ClientKey {
    ClientKey::new(KEY_ID, Signer)
}

/// A service made of a script: answers in order, and keeps what it was asked.
pub(crate) use oss_credentials_http::test_util::ScriptedHttp as Service;

/// What a script needs here.
pub(crate) trait ServiceExt: Sized {
    /// A good answer from the vendor's documents.
    fn answers_with(self, file: &str) -> Self;
    fn refuses(self, status: u16, code: &str) -> Self;
    /// The values of one query parameter, request by request.
    fn params(&self, name: &str) -> Vec<String>;
    /// The hosts that were asked.
    fn hosts(&self) -> Vec<String>;
    /// Without regions.
    fn bare(&self) -> KmsClientKeyBuilder;
    fn builder(&self) -> KmsClientKeyBuilder;
    fn fetch(&self) -> Result<Fetched, CredentialsError>;
}

impl ServiceExt for Service {
    fn answers_with(self, file: &str) -> Self {
        self.answers(200, response(file))
    }

    fn refuses(self, status: u16, code: &str) -> Self {
        self.answers(status, refusal(code))
    }

    fn params(&self, name: &str) -> Vec<String> {
        let requests = self.requests();
        requests
            .iter()
            .map(|request| param(request, name).unwrap_or_default())
            .collect()
    }

    fn hosts(&self) -> Vec<String> {
        let host = |request: &HttpRequest| request.url().split('/').nth(2).unwrap().to_owned();
        self.requests().iter().map(host).collect()
    }

    fn bare(&self) -> KmsClientKeyBuilder {
        KmsClientKey::builder()
            .secret_name(SECRET)
            .client_key(client_key())
            .http_client(self.clone())
            .clock(ManualClock::at_unix(NOW))
            .random(|| 0.0)
    }

    fn builder(&self) -> KmsClientKeyBuilder {
        self.bare().region(KmsRegion::new("cn-hangzhou"))
    }

    fn fetch(&self) -> Result<Fetched, CredentialsError> {
        fetch(self.builder())
    }
}

pub(crate) fn fetch(builder: KmsClientKeyBuilder) -> Result<Fetched, CredentialsError> {
    let source = builder.build_source().unwrap();
    blocking::wait(source.fetch())
}

pub(crate) fn refusal(code: &str) -> String {
    format!(r#"{{"Code": "{code}", "Message": "m", "RequestId": "R-1", "HostId": "h"}}"#)
}

/// An answer with this data, and nothing but what is always there.
pub(crate) fn secret(data: &str) -> String {
    serde_json::json!({
        "SecretName": SECRET, "SecretType": "RAMCredentials", "SecretDataType": "text", "SecretData": data,
        "RequestId": "R-0",
    })
    .to_string()
}

pub(crate) fn pair(id: &str) -> String {
    secret(&format!(
        r#"{{"AccessKeyId": "{id}", "AccessKeySecret": "canary-secret"}}"#
    ))
}

pub(crate) fn fixture(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/vectors/kms")
        .join(path)
}

pub(crate) fn response(file: &str) -> Vec<u8> {
    std::fs::read(fixture("responses").join(file)).unwrap()
}
