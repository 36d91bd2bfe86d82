//! Behaviour through the public API, against a KMS made of a script.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "helpers of tests may fail the test"
)]

#[path = "provider/answers.rs"]
mod answers;
#[cfg(feature = "instance-gateway")]
#[path = "provider/instance.rs"]
mod instance;
#[cfg(feature = "aws-lc-rs")]
#[path = "provider/key_file.rs"]
mod key_file;
#[path = "provider/refresh.rs"]
mod refresh;
#[path = "provider/refusals.rs"]
mod refusals;
#[path = "provider/regions.rs"]
mod regions;
#[path = "provider/service.rs"]
mod service;
#[path = "provider/settings.rs"]
mod settings;

use std::time::Duration;

use base64::Engine as _;
use oss_credentials_core::{CredentialsProvider, blocking};
use oss_credentials_http::HttpMethod;
use oss_credentials_kms_client_key::KmsRegion;
use service::{KEY_ID, SECRET, Service, ServiceExt as _, client_key, param};

#[test]
fn success() {
    let service = Service::new().answers_with("ram-secret.json");
    let provider = service
        .bare()
        .region(KmsRegion::new("cn-hangzhou").vpc(true))
        .connect_timeout(Duration::from_secs(2))
        .timeout(Duration::from_secs(3))
        .build()
        .unwrap();
    assert_eq!(provider.name(), "kms-client-key");
    assert!(provider.cached().is_none());
    let credentials = blocking::wait(provider.credentials()).unwrap();
    assert_eq!(credentials.access_key_id(), "LTAI-example-current-00");
    assert_eq!(credentials.access_key_secret(), "example-secret-current-0000000");
    assert_eq!(credentials.security_token(), None);
    assert_eq!(credentials.expires_at(), None);
    assert_eq!(credentials.source(), "kms-client-key");

    // A second call is answered from the cache: the script has no second step.
    blocking::wait(provider.credentials()).unwrap();
    let requests = service.requests();
    assert_eq!(requests.len(), 1);
    let request = &requests[0];
    assert_eq!(request.method(), HttpMethod::Post);
    assert!(request.body().is_empty());
    assert_eq!(request.connect_timeout(), Duration::from_secs(2));
    assert_eq!(request.timeout(), Duration::from_secs(3));
    let (origin, query) = request.url().split_once("/?").unwrap();
    assert_eq!(origin, "https://kms-vpc.cn-hangzhou.aliyuncs.com");
    let mut names = Vec::new();
    for (name, value) in [
        ("AccessKeyId", Some(KEY_ID)),
        ("Action", Some("GetSecretValue")),
        ("FetchExtendedConfig", Some("true")),
        ("Format", Some("JSON")),
        ("RegionId", Some("cn-hangzhou")),
        ("SecretName", Some(SECRET)),
        ("Signature", None),
        ("SignatureMethod", Some("SHA256withRSA")),
        ("SignatureNonce", None),
        ("SignatureType", Some("PRIVATEKEY")),
        ("SignatureVersion", Some("1.0")),
        ("Timestamp", Some("2026-03-01T08:09:10Z")),
        ("Version", Some("2016-01-20")),
        ("VersionStage", Some("ACSCurrent")),
    ] {
        let sent = param(request, name).unwrap();
        if let Some(value) = value {
            assert_eq!(sent, value, "{name}");
        }
        names.push(name);
    }
    let mut sent: Vec<&str> = query
        .split('&')
        .filter_map(|pair| Some(pair.split_once('=')?.0))
        .collect();
    sent.sort_unstable();
    assert_eq!(sent, names);

    // What is signed is what is sent.
    let all: Vec<(String, String)> = names
        .iter()
        .map(|name| ((*name).to_owned(), param(request, name).unwrap()))
        .collect();
    let text = acs_sign::rpc::string_to_sign("POST", &all);
    let signature = client_key().signer().sign(text.as_bytes()).unwrap();
    let expected = base64::engine::general_purpose::STANDARD.encode(signature);
    assert_eq!(param(request, "Signature").as_deref(), Some(expected.as_str()));
}

#[test]
fn secret_names_are_escaped_in_the_query() {
    let name = "acs/ram/user/a+b=c.d@e_f-g";
    let service = Service::new().answers_with("ram-secret.json");
    service::fetch(service.builder().secret_name(name)).unwrap();
    let url = service.requests()[0].url().to_owned();
    assert!(
        url.contains("SecretName=acs%2Fram%2Fuser%2Fa%2Bb%3Dc.d%40e_f-g&"),
        "{url}"
    );
}
