//! A KMS made of a script, and what goes with it.

use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use acs_sign::{ClientKeySigner, SignError};
use oss_credentials_core::test_util::ManualClock;
use oss_credentials_core::{CredentialsError, CredentialsSource, Fetched, blocking};
use oss_credentials_http::{HttpError, HttpErrorKind, HttpRequest, HttpResponse, test_util::ScriptedHttp};
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

/// Answers in order, and keeps what it was asked.
#[derive(Clone, Default)]
pub(crate) struct Service(ScriptedHttp);

impl Service {
    pub(crate) fn new() -> Self {
        Self::default()
    }

    pub(crate) fn then(
        self,
        step: impl FnOnce(&HttpRequest) -> Result<HttpResponse, HttpError> + Send + 'static,
    ) -> Self {
        Self(self.0.then(step))
    }

    pub(crate) fn answers(self, status: u16, body: impl Into<Vec<u8>>) -> Self {
        Self(self.0.answers(status, body))
    }

    /// A good answer from the vendor's documents.
    pub(crate) fn answers_with(self, file: &str) -> Self {
        self.answers(200, response(file))
    }

    pub(crate) fn refuses(self, status: u16, code: &str) -> Self {
        self.answers(status, refusal(code))
    }

    pub(crate) fn fails(self, kind: HttpErrorKind) -> Self {
        Self(self.0.fails(kind))
    }

    pub(crate) fn http(&self) -> ScriptedHttp {
        self.0.clone()
    }

    pub(crate) fn requests(&self) -> Vec<HttpRequest> {
        self.0.requests()
    }

    /// The values of one query parameter, request by request.
    pub(crate) fn params(&self, name: &str) -> Vec<String> {
        let requests = self.requests();
        requests
            .iter()
            .map(|request| param(request, name).unwrap_or_default())
            .collect()
    }

    /// The hosts that were asked.
    pub(crate) fn hosts(&self) -> Vec<String> {
        let host = |request: &HttpRequest| request.url().split('/').nth(2).unwrap().to_owned();
        self.requests().iter().map(host).collect()
    }

    /// Without regions.
    pub(crate) fn bare(&self) -> KmsClientKeyBuilder {
        KmsClientKey::builder()
            .secret_name(SECRET)
            .client_key(client_key())
            .http_client(self.http())
            .clock(ManualClock::at_unix(NOW))
            .random(|| 0.0)
    }

    pub(crate) fn builder(&self) -> KmsClientKeyBuilder {
        self.bare().region(KmsRegion::new("cn-hangzhou"))
    }

    pub(crate) fn fetch(&self) -> Result<Fetched, CredentialsError> {
        fetch(self.builder())
    }
}

pub(crate) fn fetch(builder: KmsClientKeyBuilder) -> Result<Fetched, CredentialsError> {
    let source = builder.build_source().unwrap();
    blocking::wait(source.fetch())
}

/// A query parameter, decoded.
pub(crate) fn param(request: &HttpRequest, name: &str) -> Option<String> {
    let (_, query) = request.url().split_once('?')?;
    query
        .split('&')
        .filter_map(|pair| pair.split_once('='))
        .find(|(key, _)| *key == name)
        .map(|(_, value)| decode(value))
}

pub(crate) fn decode(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte == b'%' {
            let digits = [rest.next().unwrap(), rest.next().unwrap()];
            bytes.push(u8::from_str_radix(std::str::from_utf8(&digits).unwrap(), 16).unwrap());
        } else {
            bytes.push(byte);
        }
    }
    String::from_utf8(bytes).unwrap()
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

pub(crate) fn at(seconds: u64) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(seconds)
}
