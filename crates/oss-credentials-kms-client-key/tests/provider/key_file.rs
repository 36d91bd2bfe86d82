//! Real client key files: opened when needed, and again when they were replaced.

use std::path::PathBuf;

use base64::Engine as _;
use oss_credentials_core::test_util::{FakeEnv, ManualClock};
use oss_credentials_core::{CredentialsError, CredentialsSource, blocking};
use oss_credentials_kms_client_key::{
    ClientKey, ENV_CLIENT_KEY_FILE, ENV_CREDENTIALS_TYPE, ENV_PASSWORD_VARIABLE, ENV_REGIONS, KmsClientKey,
    KmsRegion,
};

use crate::service::{NOW, SECRET, Service, ServiceExt as _, fixture, pair, param};

const PASSWORD: &str = "7d1c2b0f5e9a4463b8a1f0c2d3e4f506";
const KEY_ID: &str = "KAAP.ed804cff-d4d1-4e7e-825e-4f7dc1fd4620";
const OTHER_PASSWORD: &str = "Throw-Away_01";
const OTHER_ID: &str = "KAAP.17ae9fac-c287-4820-8176-77e9b54e0663";

/// The file that the service issues, and one that replaces it.
fn issued() -> PathBuf {
    fixture("client-keys/kms-shape-2048.json")
}

fn other() -> PathBuf {
    fixture("client-keys/openssl-legacy-2048.json")
}

#[test]
fn settings_alone_lead_to_a_signature_of_the_key_in_the_file() {
    let env = FakeEnv::from([
        (ENV_CREDENTIALS_TYPE, "client_key"),
        (ENV_CLIENT_KEY_FILE, issued().to_str().unwrap()),
        (ENV_PASSWORD_VARIABLE, "MY_CLIENT_KEY_PASSWORD"),
        ("MY_CLIENT_KEY_PASSWORD", PASSWORD),
        (ENV_REGIONS, r#"[{"regionId":"cn-hangzhou"}]"#),
    ]);
    let service = Service::new().answers(200, pair("i"));
    let builder = KmsClientKey::from_env(&env).unwrap();
    let source = builder
        .secret_name(SECRET)
        .http_client(service.clone())
        .clock(ManualClock::at_unix(NOW))
        .build_source()
        .unwrap();
    blocking::wait(source.fetch()).unwrap();
    let request = &service.requests()[0];
    assert_eq!(param(request, "AccessKeyId").as_deref(), Some(KEY_ID));
    let pairs: Vec<(String, String)> = request
        .url()
        .split_once('?')
        .unwrap()
        .1
        .split('&')
        .map(|pair| pair.split_once('=').unwrap().0)
        .map(|name| (name.to_owned(), param(request, name).unwrap()))
        .collect();
    let text = acs_sign::rpc::string_to_sign("POST", &pairs);
    let json = std::fs::read(issued()).unwrap();
    let key = ClientKey::from_json(&json, PASSWORD).unwrap();
    let expected =
        base64::engine::general_purpose::STANDARD.encode(key.signer().sign(text.as_bytes()).unwrap());
    assert_eq!(param(request, "Signature").as_deref(), Some(expected.as_str()));
}

#[test]
fn the_password_comes_from_code_file_or_the_last_variable() {
    let folder = tempfile::tempdir().unwrap();
    let password = folder.path().join("password.txt");
    std::fs::write(&password, format!("{PASSWORD}\r\n")).unwrap();
    let base = || Service::new().answers(200, pair("i"));
    let builder = |service: &Service| {
        KmsClientKey::builder()
            .secret_name(SECRET)
            .client_key_file(issued())
            .region(KmsRegion::new("cn-hangzhou"))
            .http_client(service.clone())
    };
    let env = FakeEnv::new().with("client_key_password", PASSWORD);
    for with in [
        builder(&base()).client_key_password(PASSWORD),
        builder(&base()).client_key_password_file(&password),
        builder(&base()).env(&env),
    ] {
        blocking::wait(with.build_source().unwrap().fetch()).unwrap();
    }
    let service = Service::new();
    for (with, words) in [
        (builder(&service).client_key_password("canary"), "password"),
        (
            builder(&service)
                .client_key_file("/nowhere/key.json")
                .client_key_password("canary"),
            "/nowhere/key.json",
        ),
    ] {
        let error = blocking::wait(with.build_source().unwrap().fetch()).unwrap_err();
        assert!(matches!(error, CredentialsError::InvalidConfig(_)), "{error:?}");
        let text = error.to_string();
        assert!(
            text.starts_with("kms-client-key: ") && text.contains(words),
            "{text}"
        );
        assert!(!text.contains("canary"), "{text}");
    }
}

#[test]
fn a_replaced_file_is_read_when_kms_does_not_know_the_key_any_more() {
    let folder = tempfile::tempdir().unwrap();
    let (path, password) = (folder.path().join("key.json"), folder.path().join("password.txt"));
    std::fs::copy(issued(), &path).unwrap();
    std::fs::write(&password, PASSWORD).unwrap();
    let service = Service::new()
        .answers(200, pair("a"))
        .refuses(404, "InvalidAccessKeyId.NotFound")
        .refuses(404, "InvalidAccessKeyId.NotFound")
        .answers(200, pair("b"))
        .answers(200, pair("c"));
    let source = KmsClientKey::builder()
        .secret_name(SECRET)
        .client_key_file(&path)
        .client_key_password_file(&password)
        .region(KmsRegion::new("cn-hangzhou"))
        .http_client(service.clone())
        .build_source()
        .unwrap();
    let fetch = || blocking::wait(source.fetch());
    fetch().unwrap();
    // The same file would be refused again: one request.
    assert!(matches!(fetch().unwrap_err(), CredentialsError::Denied(_)));
    assert_eq!(service.requests().len(), 2);
    std::fs::copy(other(), &path).unwrap();
    std::fs::write(&password, OTHER_PASSWORD).unwrap();
    fetch().unwrap();
    fetch().unwrap();
    assert_eq!(
        service.params("AccessKeyId"),
        [KEY_ID, KEY_ID, KEY_ID, OTHER_ID, OTHER_ID]
    );
}

#[test]
fn a_replaced_file_that_cannot_be_opened_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("key.json");
    std::fs::copy(issued(), &path).unwrap();
    let service = (0..4).fold(Service::new(), |service, _| {
        service.refuses(404, "InvalidAccessKeyId.NotFound")
    });
    let source = KmsClientKey::builder()
        .secret_name(SECRET)
        .client_key_file(&path)
        .client_key_password(PASSWORD)
        .region(KmsRegion::new("cn-hangzhou"))
        .http_client(service.clone())
        .build_source()
        .unwrap();
    let fetch = || blocking::wait(source.fetch()).unwrap_err();
    assert!(fetch().to_string().contains("issue a new client key"));
    std::fs::copy(other(), &path).unwrap();
    let first = fetch();
    assert_eq!(first.kind(), "denied");
    assert_eq!(
        first.to_string(),
        format!(
            "kms-client-key: KMS refused GetSecretValue (POST https://kms.cn-hangzhou.aliyuncs.com, HTTP 404): \
             InvalidAccessKeyId.NotFound: m, request ID R-1; the client key file, read again, is of no help: the \
             password does not open the client key, or the file is damaged ({}); use the password that KMS showed \
             beside this very client key",
            path.display()
        )
    );
    assert_eq!(fetch().to_string(), first.to_string());
    std::fs::remove_file(&path).unwrap();
    assert!(fetch().to_string().contains("there is no client key file"));
    assert_eq!(service.requests().len(), 4);
}
