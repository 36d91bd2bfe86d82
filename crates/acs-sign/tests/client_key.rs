//! The RPC signature with a client key, against vectors of the vendor's own client.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "helpers of tests may fail the test"
)]

use std::collections::BTreeMap;
use std::time::SystemTime;

use acs_sign::{ApiRequest, ClientKeySigner, SignError, encode_pairs, rpc};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeyPair;
use aws_lc_rs::signature::RSA_PKCS1_SHA256;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use oss_credentials_core::Credentials;
use serde_json::Value;

/// What [`rpc::sign_with_client_key`] sets; all other parameters are the caller's.
const OWN: [&str; 8] = [
    "Action",
    "Version",
    "Timestamp",
    "AccessKeyId",
    "SignatureMethod",
    "SignatureType",
    "SignatureVersion",
    "SignatureNonce",
];

fn load(file: &str) -> Vec<u8> {
    let path = format!("{}/tests/vectors/kms/{file}", env!("CARGO_MANIFEST_DIR"));
    std::fs::read(path).unwrap()
}

fn json(file: &str) -> Value {
    serde_json::from_slice(&load(file)).unwrap()
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap()
}

#[derive(Debug)]
struct Rsa(KeyPair);

impl Rsa {
    fn from_pem(file: &str) -> Self {
        let pem = String::from_utf8(load(file)).unwrap();
        let body: String = pem.lines().filter(|line| !line.starts_with("-----")).collect();
        Self(KeyPair::from_pkcs8(&STANDARD.decode(body).unwrap()).unwrap())
    }
}

impl ClientKeySigner for Rsa {
    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, SignError> {
        let mut signature = vec![0; self.0.public_modulus_len()];
        self.0
            .sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), message, &mut signature)
            .unwrap();
        Ok(signature)
    }
}

/// A signer that answers what it is told to.
#[derive(Debug)]
struct Fixed(Result<Vec<u8>, SignError>);

impl ClientKeySigner for Fixed {
    fn sign(&self, _: &[u8]) -> Result<Vec<u8>, SignError> {
        self.0.clone()
    }
}

#[test]
fn requests_are_signed_as_the_official_client_signs_them() {
    let manifest = json("manifest.json");
    let keys: BTreeMap<&str, &str> = manifest["client_keys"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|key| Some((key["name"].as_str()?, key["private_key_pem"].as_str()?)))
        .collect();
    let file = json("vectors/rpc-signature.json");
    let vectors = file["vectors"].as_array().unwrap();
    assert_eq!(vectors.len(), 12);
    for vector in vectors {
        let name = text(&vector["name"]);
        let params = vector["parameters"].as_object().unwrap();
        let params: BTreeMap<&str, &str> = params.iter().map(|(k, v)| (k.as_str(), text(v))).collect();
        let mut all: Vec<_> = params.iter().map(|(k, v)| (*k, *v)).collect();
        all.push((rpc::SIGNATURE, text(&vector["signature"])));
        let method = text(&vector["method"]);
        assert_eq!(rpc::canonical_query(&all), vector["canonical_query"], "{name}");
        assert_eq!(
            rpc::string_to_sign(method, &all),
            vector["string_to_sign"],
            "{name}"
        );

        let query: Vec<_> = params
            .iter()
            .map(|(k, v)| (*k, *v))
            .filter(|(key, value)| !OWN.contains(key) && (*key, *value) != ("Format", "JSON"))
            .collect();
        let request =
            ApiRequest::new(method, text(&vector["host"]), params["Action"], params["Version"]).query(&query);
        let time: SystemTime = chrono::DateTime::parse_from_rfc3339(params["Timestamp"])
            .unwrap()
            .into();
        let signer = Rsa::from_pem(keys[text(&vector["client_key"])]);
        let added = rpc::sign_with_client_key(
            &request,
            text(&vector["key_id"]),
            &signer,
            time,
            params["SignatureNonce"],
        )
        .unwrap();

        let signature = added.query().last().unwrap();
        assert_eq!(signature.name(), rpc::SIGNATURE);
        assert_eq!(signature.value(), vector["signature"], "{name}");
        assert!(signature.is_sensitive() && added.headers().is_empty());
        let sent = query
            .iter()
            .copied()
            .chain(added.query().iter().map(|a| (a.name(), a.value())));
        let mut sent: Vec<_> = encode_pairs(sent).split('&').map(str::to_owned).collect();
        let mut wanted: Vec<_> = text(&vector["request_target"])
            .split_once('?')
            .unwrap()
            .1
            .split('&')
            .map(reencoded)
            .collect();
        sent.sort_unstable();
        wanted.sort_unstable();
        assert_eq!(sent, wanted, "{name}");
    }
}

/// The official client encodes some characters in the URL otherwise than in the signed text; both decode alike.
fn reencoded(pair: &str) -> String {
    let decode = |text| percent_encoding::percent_decode_str(text).decode_utf8().unwrap();
    let (key, value) = pair.split_once('=').unwrap();
    encode_pairs([(decode(key), decode(value))])
}

fn sign(query: &[(&str, &str)], key_id: &str, signer: &Fixed) -> Result<(), SignError> {
    let request = ApiRequest::new("POST", "h", "A", "V").query(query);
    rpc::sign_with_client_key(&request, key_id, signer, SystemTime::UNIX_EPOCH, "n").map(drop)
}

#[test]
fn what_the_signer_sets_must_not_be_there_already() {
    let signer = Fixed(Ok(vec![1; 256]));
    sign(&[("SecretName", "s")], "KAAP.1", &signer).unwrap();
    for name in OWN.into_iter().chain(["Signature", "SecurityToken"]) {
        for value in ["canary", ""] {
            let error = sign(&[(name, value)], "KAAP.1", &signer).unwrap_err();
            let name = name.to_owned();
            assert_eq!(error, SignError::Reserved { name });
        }
    }
    let error = sign(&[], "", &signer).unwrap_err();
    let name = "AccessKeyId".to_owned();
    assert_eq!(error, SignError::InvalidValue { name });
}

#[test]
fn a_signer_that_fails_or_returns_nothing_is_an_error() {
    let refusal = SignError::Signer {
        reason: "the module is locked".to_owned(),
    };
    let error = sign(&[], "KAAP.1", &Fixed(Err(refusal.clone()))).unwrap_err();
    assert_eq!(error, refusal);
    let error = sign(&[], "KAAP.1", &Fixed(Ok(Vec::new()))).unwrap_err();
    assert_eq!(
        error.to_string(),
        "acs-sign: the client key cannot sign: its signer returned no bytes; check the key file and its signer"
    );
}

#[test]
fn an_access_key_pair_has_no_signature_type() {
    let credentials = Credentials::builder("LTAI5tExampleKeyId01", "secret")
        .build()
        .unwrap();
    let sign = |value| {
        let query = [("SignatureType", value)];
        let request = ApiRequest::new("POST", "h", "A", "V").query(&query);
        rpc::sign(&request, &credentials, SystemTime::UNIX_EPOCH, "n").map(|signed| {
            let own = |added: &acs_sign::Addition| added.name() == "SignatureType";
            signed.query().iter().any(own)
        })
    };
    // As the vendor's older clients send it.
    assert_eq!(sign(""), Ok(false));
    let name = "SignatureType".to_owned();
    assert_eq!(sign("PRIVATEKEY"), Err(SignError::Reserved { name }));
}
