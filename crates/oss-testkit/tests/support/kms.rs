//! A program with a client key, and what comes over the wire of KMS.
#![allow(
    dead_code,
    unreachable_pub,
    clippy::unwrap_used,
    clippy::panic,
    reason = "helpers, of which each test file uses a part"
)]

use acs_sign::rpc;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeyPair;
use aws_lc_rs::signature::RSA_PKCS1_SHA256;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use oss_credentials_core::test_util::ManualClock;
use oss_credentials_core::{Credentials, nonce};
use oss_testkit::{LocalCloud, LocalCloudBuilder};
use serde_json::Value;

use crate::support::{Reply, cloud_at_now, send};

pub fn file(path: &str) -> String {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/vectors/kms/");
    std::fs::read_to_string(format!("{folder}{path}")).unwrap()
}

pub fn json(path: &str) -> Value {
    serde_json::from_str(&file(path)).unwrap()
}

pub fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_else(|| panic!("no text: {value}"))
}

pub fn der(pem: &str) -> Vec<u8> {
    let body: String = pem.lines().filter(|line| !line.starts_with('-')).collect();
    STANDARD.decode(body).unwrap()
}

/// The message of the vendor's interface, as far as the tests look at it.
#[derive(Debug, Default)]
pub struct InstanceAnswer {
    pub name: String,
    pub kind: String,
    pub data: String,
    pub stages: Vec<String>,
    pub extended: String,
    pub interval: String,
}

#[derive(Debug, Default)]
pub struct InstanceError {
    pub status: i32,
    pub code: String,
    pub message: String,
    pub request_id: String,
}

/// The fields of a message: number, and the bytes of a text or the value of a number.
fn fields(mut raw: &[u8]) -> Vec<(u64, u64, String)> {
    fn number(raw: &mut &[u8]) -> u64 {
        let mut value = 0;
        for shift in (0..64).step_by(7) {
            let byte = raw[0];
            *raw = &raw[1..];
            value |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return value;
            }
        }
        panic!("a number of more than ten bytes");
    }
    let mut found = Vec::new();
    while !raw.is_empty() {
        let key = number(&mut raw);
        let value = number(&mut raw);
        let text = match key & 7 {
            0 => String::new(),
            2 => {
                let (text, rest) = raw.split_at(usize::try_from(value).unwrap());
                raw = rest;
                String::from_utf8(text.to_vec()).unwrap()
            }
            other => panic!("a field of type {other}"),
        };
        found.push((key >> 3, value, text));
    }
    found
}

impl InstanceAnswer {
    pub fn decode(raw: &[u8]) -> Self {
        let mut answer = Self::default();
        for (number, _, text) in fields(raw) {
            match number {
                1 => answer.name = text,
                2 => answer.kind = text,
                3 => answer.data = text,
                5 => answer.stages.push(text),
                11 => answer.extended = text,
                13 => answer.interval = text,
                _ => {}
            }
        }
        answer
    }
}

impl InstanceError {
    pub fn decode(raw: &[u8]) -> Self {
        let mut error = Self::default();
        for (number, value, text) in fields(raw) {
            match number {
                1 => error.status = i32::try_from(value).unwrap(),
                2 => error.code = text,
                3 => error.message = text,
                4 => error.request_id = text,
                other => panic!("there is no field {other}"),
            }
        }
        error
    }

    pub fn refusal(&self, status: u16) -> (u16, String) {
        assert_eq!(self.status, i32::from(status));
        assert_eq!(self.request_id.len(), 36);
        (status, self.code.clone())
    }
}

/// A program with a client key.
pub struct Program {
    pub cloud: LocalCloud,
    pub clock: ManualClock,
    pub key: KeyPair,
}

impl Program {
    /// With the client key that comes with the cloud.
    pub fn new(settings: impl FnOnce(LocalCloudBuilder) -> LocalCloudBuilder) -> Self {
        let (cloud, clock) = cloud_at_now(settings);
        let key = KeyPair::from_pkcs8(&der(&file("private-keys/rsa-2048-a.pem"))).unwrap();
        Self { cloud, clock, key }
    }

    pub fn sign(&self, text: &str) -> String {
        let mut signature = vec![0; self.key.public_modulus_len()];
        self.key
            .sign(
                &RSA_PKCS1_SHA256,
                &SystemRandom::new(),
                text.as_bytes(),
                &mut signature,
            )
            .unwrap();
        STANDARD.encode(signature)
    }

    /// Asks the shared gateway, with some parameters changed; an empty value leaves one out.
    pub fn ask_with(&self, secret: &str, changed: &[(&str, &str)]) -> Reply {
        let nonce = nonce();
        let mut parameters = vec![
            ("Action", "GetSecretValue"),
            ("Version", "2016-01-20"),
            ("Format", "JSON"),
            ("RegionId", "cn-hangzhou"),
            ("SecretName", secret),
            ("VersionStage", "ACSCurrent"),
            ("FetchExtendedConfig", "true"),
            ("AccessKeyId", self.cloud.client_key_id()),
            ("SignatureMethod", "SHA256withRSA"),
            ("SignatureType", "PRIVATEKEY"),
            ("SignatureVersion", "1.0"),
            ("SignatureNonce", nonce.as_str()),
            ("Timestamp", "2026-01-01T08:30:00Z"),
        ];
        parameters.retain(|(name, _)| changed.iter().all(|(own, _)| own != name));
        parameters.extend(changed.iter().filter(|(_, value)| !value.is_empty()));
        let signature = self.sign(&rpc::string_to_sign("POST", &parameters));
        parameters.push(("Signature", &signature));
        let query = acs_sign::encode_pairs(parameters.iter().copied());
        send(
            &self.cloud.kms_endpoint(),
            "POST",
            &format!("/?{query}"),
            &[],
            b"",
        )
        .unwrap()
    }

    pub fn ask(&self, secret: &str) -> Reply {
        self.ask_with(secret, &[])
    }

    /// The pair in a RAM secret.
    pub fn pair(&self, secret: &str) -> Credentials {
        pair(&self.ask(secret))
    }

    /// Asks the gateway of the instance, with some headers changed; an empty value leaves one out.
    pub fn ask_instance(&self, body: &[u8], changed: &[(&str, &str)]) -> Reply {
        let hash = acs_sign::acs3::content_sha256(body).to_ascii_uppercase();
        let mut headers = vec![
            ("accept", "application/x-protobuf"),
            ("content-type", "application/x-protobuf"),
            ("date", "Thu, 01 Jan 2026 08:30:00 GMT"),
            ("x-kms-apiversion", "dkms-gcs-0.2"),
            ("x-kms-apiname", "GetSecretValue"),
            ("x-kms-signaturemethod", "RSA_PKCS1_SHA_256"),
            ("x-kms-acccesskeyid", self.cloud.client_key_id()),
            ("content-sha256", hash.as_str()),
        ];
        headers.retain(|(name, _)| changed.iter().all(|(own, _)| own != name));
        headers.extend(changed.iter().filter(|(_, value)| !value.is_empty()));
        let header = |name: &str| {
            let found = headers.iter().find(|(own, _)| *own == name);
            found.map_or("", |(_, value)| value)
        };
        let mut lines = vec!["POST".to_owned()];
        lines.extend(["content-sha256", "content-type", "date"].map(|name| header(name).to_owned()));
        let kms = ["acccesskeyid", "apiname", "apiversion", "signaturemethod"];
        lines.extend(kms.map(|name| format!("x-kms-{name}:{}", header(&format!("x-kms-{name}")))));
        let authorization = format!("Bearer {}", self.sign(&format!("{}\n/", lines.join("\n"))));
        if changed.iter().all(|(name, _)| *name != "authorization") {
            headers.push(("authorization", &authorization));
        }
        send(&self.cloud.kms_instance_endpoint(), "POST", "/", &headers, body).unwrap()
    }
}

pub fn pair(reply: &Reply) -> Credentials {
    assert_eq!(reply.status, 200, "{}", reply.body);
    pair_in(text(&reply.json()["SecretData"]))
}

pub fn pair_in(data: &str) -> Credentials {
    let data: Value = serde_json::from_str(data).unwrap();
    Credentials::builder(text(&data["AccessKeyId"]), text(&data["AccessKeySecret"]))
        .build()
        .unwrap()
}

/// `SecretName` of the protobuf request.
pub fn named(secret: &str) -> Vec<u8> {
    let mut body = vec![0x0a, u8::try_from(secret.len()).unwrap()];
    body.extend_from_slice(secret.as_bytes());
    body
}
