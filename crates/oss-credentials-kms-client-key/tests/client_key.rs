//! Client key files: every one of `tests/vectors/kms`, opened, refused, damaged and signed with.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "helpers of tests may fail the test"
)]

use std::path::{Path, PathBuf};
use std::time::SystemTime;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use oss_credentials_core::CredentialsError;
use oss_credentials_kms_client_key::ClientKeyFile;
use p12_keystore::Pkcs12Archive;
use proptest::prelude::*;
use serde_json::{Value, json};

fn path(file: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/vectors/kms")
        .join(file)
}

fn load(file: &str) -> Vec<u8> {
    std::fs::read(path(file)).unwrap()
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap()
}

fn cases() -> Vec<Value> {
    let manifest: Value = serde_json::from_slice(&load("manifest.json")).unwrap();
    manifest["client_keys"].as_array().unwrap().clone()
}

fn case(name: &str) -> Value {
    cases().into_iter().find(|case| case["name"] == name).unwrap()
}

fn open(case: &Value) -> Result<ClientKeyFile, CredentialsError> {
    ClientKeyFile::open(&load(text(&case["client_key_file"])), text(&case["password"]))
}

/// The key that a case has to give, as DER.
fn expected_key(case: &Value) -> Vec<u8> {
    let pem = String::from_utf8(load(text(&case["private_key_pem"]))).unwrap();
    let body: String = pem.lines().filter(|line| !line.starts_with("-----")).collect();
    STANDARD.decode(body).unwrap()
}

/// The PKCS#12 in the file of a case.
fn pkcs12(case: &Value) -> Vec<u8> {
    let json = load(text(&case["client_key_file"]));
    let json = json.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&json);
    let file: Value = serde_json::from_slice(json).unwrap();
    let encoded = text(&file["PrivateKeyData"]).replace(['\n', '\r'], "");
    STANDARD.decode(encoded).unwrap()
}

fn with_pkcs12(der: &[u8]) -> Vec<u8> {
    serde_json::to_vec(&json!({"KeyId": "KAAP.example", "PrivateKeyData": STANDARD.encode(der)})).unwrap()
}

/// The `expect` of the manifest that an error's text belongs to.
fn class(error: &CredentialsError) -> &'static str {
    assert!(matches!(error, CredentialsError::InvalidConfig(_)), "{error}");
    let text = error.to_string();
    let (_, class) = [
        ("the password does not open", "wrong_password"),
        ("the password of the client key is empty", "missing_password"),
        (
            "`PrivateKeyData` of the client key is not a valid PKCS#12 file: ",
            "malformed_pkcs12",
        ),
        (
            "`PrivateKeyData` of the client key is not base64",
            "malformed_base64",
        ),
        ("the client key is malformed: ", "malformed_client_key"),
        (
            "the private key of the client key is not supported: ",
            "unsupported_key",
        ),
    ]
    .into_iter()
    .find(|(start, _)| text.starts_with(&format!("kms-client-key: {start}")))
    .unwrap_or_else(|| panic!("{text}"));
    class
}

#[test]
fn every_client_key_of_the_manifest_gives_its_key_or_its_error() {
    let cases = cases();
    assert_eq!(cases.len(), 35);
    let mut opened = 0;
    for case in &cases {
        let name = text(&case["name"]);
        match text(&case["expect"]) {
            "ok" => {
                let file = open(case).unwrap_or_else(|error| panic!("{name}: {error}"));
                assert!(file.pkcs8() == expected_key(case), "{name}: another key");
                assert_eq!(file.key_id(), case["key_id"], "{name}");
                let not_after = case["certificate_not_after"]
                    .as_str()
                    .map(|instant| SystemTime::from(chrono::DateTime::parse_from_rfc3339(instant).unwrap()));
                assert_eq!(file.not_after(), not_after, "{name}");
                opened += 1;
            }
            // Both are refused on purpose: the MAC is what tells a wrong key from a right one, and strict DER
            // has one end.
            "either" => {
                let error = open(case).unwrap_err().to_string();
                let reason = match name {
                    "no-mac" => "of the client key is refused: it has no MAC",
                    "trailing-garbage" => "is not a valid PKCS#12 file: a part of it is not valid DER",
                    other => panic!("{other} is new here"),
                };
                assert!(error.contains(reason), "{name}: {error}");
            }
            expect => {
                let error = open(case).unwrap_err();
                assert_eq!(class(&error), expect, "{name}: {error}");
            }
        }
    }
    assert_eq!(opened, 14);
}

#[test]
fn errors_name_the_file_and_never_its_content() {
    for case in cases().iter().filter(|case| case["expect"] != "ok") {
        let (name, password) = (text(&case["name"]), text(&case["password"]));
        let file = path(text(&case["client_key_file"]));
        let error = ClientKeyFile::open_path(&file, password).unwrap_err();
        let shown = format!("{error} {error:?}");
        assert!(shown.contains(&*file.to_string_lossy()), "{name}: {shown}");
        assert!(
            password.is_empty() || !shown.contains(password.trim()),
            "{name}: {shown}"
        );
    }
}

fn malformed(what: &str) -> String {
    let hint = "use the file as KMS handed it out, or make a new client key";
    format!("kms-client-key: the client key is malformed: {what}; {hint}")
}

#[test]
fn errors_name_the_member_and_never_its_content() {
    let fails = |members: Value| {
        let error = ClientKeyFile::open(&serde_json::to_vec(&members).unwrap(), "password").unwrap_err();
        assert!(!format!("{error:?}").contains("canary"), "{error:?}");
        error.to_string()
    };
    for (members, what) in [
        (json!({}), "it has no `KeyId`"),
        (json!({"keyid": "canary"}), "it has no `KeyId`"),
        (json!({"KeyId": null}), "it has no `KeyId`"),
        (json!({"KeyId": ""}), "`KeyId` is empty"),
        (
            json!({"KeyId": 7, "PrivateKeyData": "canary"}),
            "`KeyId` is not a string",
        ),
        (
            json!({"KeyId": " canary"}),
            "`KeyId` contains a space or a character that no ID has",
        ),
        (json!({"KeyId": "canary"}), "it has no `PrivateKeyData`"),
        (
            json!({"KeyId": "canary", "PrivateKeyData": ["canary"]}),
            "`PrivateKeyData` is not a string",
        ),
        (json!("canary"), "it is not a JSON object"),
        (json!(["canary", "canary"]), "it is not a JSON object"),
    ] {
        assert_eq!(fails(members), malformed(what));
    }
    assert_eq!(
        fails(json!({"KeyId": "canary", "PrivateKeyData": ""})),
        "kms-client-key: `PrivateKeyData` of the client key is not a valid PKCS#12 file: it is empty; use the file as \
         KMS handed it out, or make a new client key"
    );
    for (json, what) in [
        (
            &br#"{"KeyId": "canary", "KeyId": "canary", "PrivateKeyData": ""}"#[..],
            "a member is there twice",
        ),
        (b"{\"KeyId\":\n\"canary", "it is not JSON (line 2, column 7)"),
        (
            b"{\"KeyId\": \"canary\", \"PrivateKeyData\": \"\xe9\"}",
            "it is not JSON (line 1, column 40)",
        ),
    ] {
        let error = ClientKeyFile::open(json, "password").unwrap_err();
        assert_eq!(error.to_string(), malformed(what));
        assert!(!format!("{error:?}").contains("canary"), "{error:?}");
    }
}

#[test]
fn a_file_that_is_not_there_or_too_large_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let missing = folder.path().join("missing.json");
    let error = ClientKeyFile::open_path(&missing, "password").unwrap_err();
    let expected = format!(
        "kms-client-key: there is no client key file ({}); create it or correct the path of the client key, \
         `client_key_private_key_path`",
        missing.display()
    );
    assert_eq!(error.to_string(), expected);
    let error = ClientKeyFile::open_path(folder.path(), "password").unwrap_err();
    assert!(error.to_string().contains("is not a regular file"), "{error}");

    let large = folder.path().join("large.json");
    std::fs::write(&large, vec![b' '; 1024 * 1024 + 1]).unwrap();
    let error = ClientKeyFile::open_path(&large, "password").unwrap_err();
    assert!(error.to_string().contains("is larger than 1024 KiB"), "{error}");
    std::fs::write(&large, vec![b' '; 1024 * 1024]).unwrap();
    let error = ClientKeyFile::open_path(&large, "password").unwrap_err();
    assert!(error.to_string().contains("is malformed"), "{error}");
}

#[test]
fn base64_is_standard_padded_and_may_be_wrapped() {
    let case = case("kms-shape-2048");
    let encoded = STANDARD.encode(pkcs12(&case));
    assert!(encoded.contains(['+', '/']));
    let open = |data: &str| {
        let json = serde_json::to_vec(&json!({"KeyId": "KAAP.1", "PrivateKeyData": data})).unwrap();
        ClientKeyFile::open(&json, text(&case["password"])).map(|file| file.pkcs8() == expected_key(&case))
    };
    let wrapped: String = encoded.chars().flat_map(|c| [c, '\t', '\r', '\n', ' ']).collect();
    assert!(open(&wrapped).unwrap());
    let url_safe = encoded.replace('+', "-").replace('/', "_");
    for bad in [
        url_safe,
        format!("{encoded}===="),
        format!("{encoded}\u{a0}"),
        encoded.replacen('M', "\0M", 1),
        encoded[..encoded.len() - 2].to_owned(),
    ] {
        assert_eq!(class(&open(&bad).unwrap_err()), "malformed_base64");
    }
}

#[test]
fn another_reader_finds_the_same_keys_and_certificates() {
    for case in cases().iter().filter(|case| case["expect"] == "ok") {
        let name = text(&case["name"]);
        let archive = Pkcs12Archive::from_pkcs12(&pkcs12(case), text(&case["password"])).unwrap();
        let ours = open(case).unwrap();
        assert!(
            archive.keys[0].key.as_der() == ours.pkcs8(),
            "{name}: another key"
        );
        assert_eq!(archive.certs.is_empty(), ours.not_after().is_none(), "{name}");
    }
}

#[test]
fn a_flipped_byte_gives_an_error_or_the_right_key() {
    for (name, masks, step) in [
        ("kms-shape-2048", &[0x01, 0x80, 0xff][..], 1),
        ("kms-shape-4096", &[0xff], 1),
        // Its MAC takes thousands of iterations, in a build that is not optimised.
        ("pbes2-aes256-sha256mac-2048", &[0x20], 23),
    ] {
        let case = case(name);
        let (der, key, password) = (pkcs12(&case), expected_key(&case), text(&case["password"]));
        for (at, mask) in (0..der.len())
            .step_by(step)
            .flat_map(|at| masks.iter().map(move |mask| (at, mask)))
        {
            let mut damaged = der.clone();
            damaged[at] ^= mask;
            if let Ok(file) = ClientKeyFile::open(&with_pkcs12(&damaged), password) {
                assert!(file.pkcs8() == key, "{name}, byte {at}, {mask:#x}: another key");
            }
        }
    }
}

#[test]
fn a_file_that_ends_early_is_refused() {
    for name in ["kms-shape-2048", "pbes2-aes256-sha256mac-2048"] {
        let case = case(name);
        let der = pkcs12(&case);
        for length in 0..der.len() {
            let cut = with_pkcs12(&der[..length]);
            let error = ClientKeyFile::open(&cut, text(&case["password"])).unwrap_err();
            assert_eq!(
                class(&error),
                "malformed_pkcs12",
                "{name}, {length} bytes: {error}"
            );
        }
        // The JSON around it, too.
        let json = load(text(&case["client_key_file"]));
        for length in 0..json.trim_ascii_end().len() {
            let error = ClientKeyFile::open(&json[..length], text(&case["password"])).unwrap_err();
            assert_eq!(
                class(&error),
                "malformed_client_key",
                "{name}, {length} bytes: {error}"
            );
        }
    }
}

#[derive(Debug)]
struct Refusing;

impl acs_sign::ClientKeySigner for Refusing {
    fn sign(&self, _: &[u8]) -> Result<Vec<u8>, acs_sign::SignError> {
        let reason = "no".to_owned();
        Err(acs_sign::SignError::Signer { reason })
    }
}

#[test]
fn a_signer_of_ones_own_gets_id_and_end_and_nothing_secret_is_shown() {
    let case = case("kms-shape-2048");
    let file = open(&case).unwrap();
    let not_after = file.not_after();
    let shown = format!("{file:?}");
    assert!(
        shown.starts_with("ClientKeyFile { key_id: KAAP****4620, not_after: Some("),
        "{shown}"
    );
    let key = file.with_signer(Refusing);
    let shown = format!("{key:?}");
    assert!(
        shown.starts_with("ClientKey { key_id: KAAP****4620, not_after: Some("),
        "{shown}"
    );
    assert_eq!(key.key_id(), case["key_id"]);
    assert!(not_after.is_some() && key.not_after() == not_after);
    assert!(key.signer().sign(b"").is_err());
}

proptest! {
    #[test]
    fn arbitrary_bytes_are_refused_without_a_panic(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        prop_assert!(ClientKeyFile::open(&bytes, "password").is_err());
        prop_assert!(ClientKeyFile::open(&with_pkcs12(&bytes), "password").is_err());
    }

    #[test]
    fn arbitrary_members_are_refused_without_a_panic(id in any::<String>(), data in any::<String>()) {
        let json = serde_json::to_vec(&json!({"KeyId": id, "PrivateKeyData": data})).unwrap();
        prop_assert!(ClientKeyFile::open(&json, "password").is_err());
    }
}

/// With the signer of the default features.
#[cfg(feature = "aws-lc-rs")]
mod signing {
    use oss_credentials_kms_client_key::ClientKey;

    use super::*;

    /// Signatures of the vendor's own clients.
    fn check(file: &str, count: usize) {
        let file: Value = serde_json::from_slice(&load(file)).unwrap();
        let vectors = file["vectors"].as_array().unwrap();
        assert_eq!(vectors.len(), count);
        for vector in vectors {
            let case = case(text(&vector["client_key"]));
            let key_file = path(text(&case["client_key_file"]));
            let key = ClientKey::from_file(key_file, text(&case["password"])).unwrap();
            let signed = key
                .signer()
                .sign(text(&vector["string_to_sign"]).as_bytes())
                .unwrap();
            let wanted = vector["signature"]
                .as_str()
                .or_else(|| {
                    vector["headers"]["authorization"]
                        .as_str()?
                        .strip_prefix("Bearer ")
                })
                .unwrap();
            assert_eq!(STANDARD.encode(signed), wanted, "{}", vector["name"]);
        }
    }

    #[test]
    fn keys_from_files_sign_as_the_official_clients_do() {
        check("vectors/rpc-signature.json", 12);
        check("vectors/instance-gateway-signature.json", 5);
    }

    #[test]
    fn id_and_end_of_the_certificate_come_from_the_file() {
        let case = case("kms-shape-2048");
        let json = load(text(&case["client_key_file"]));
        let key = ClientKey::from_json(&json, text(&case["password"])).unwrap();
        assert_eq!(key.key_id(), case["key_id"]);
        assert_eq!(key.not_after(), open(&case).unwrap().not_after());
        assert_eq!(format!("{:?}", key.signer()), "RsaSigner(<redacted>)");
    }

    #[test]
    fn an_error_about_the_file_names_it() {
        let case = case("wrong-password-kms-shape");
        let file = path(text(&case["client_key_file"]));
        let error = ClientKey::from_file(&file, text(&case["password"])).unwrap_err();
        let expected = format!(
            "kms-client-key: the password does not open the client key, or the file is damaged ({}); use the \
             password that KMS showed beside this very client key",
            file.display()
        );
        assert_eq!(error.to_string(), expected);
    }
}
