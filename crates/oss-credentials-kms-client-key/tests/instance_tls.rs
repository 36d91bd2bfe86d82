//! Whom the gateway of a KMS instance is believed by: over real TLS on loopback, with private certificate authorities
//! made for the test.
#![cfg(all(feature = "rustls", feature = "instance-gateway"))]
#![allow(clippy::unwrap_used, reason = "helpers of tests may fail the test")]

use std::path::{Path, PathBuf};

use acs_sign::{ClientKeySigner, SignError};
use oss_credentials_core::test_util::RecordedSleep;
use oss_credentials_core::{CredentialsError, CredentialsSource, Fetched};
use oss_credentials_http::test_util::TlsServer;
use oss_credentials_kms_client_key::{ClientKey, KmsClientKey, KmsClientKeyBuilder, KmsInstance, KmsRegion};
use oss_credentials_reqwest::ReqwestClient;
use tempfile::TempDir;

/// The gateway of an instance, with a certificate of an authority of its own. Answers every request with this status and
/// the message of a secret.
fn gateway(status: u16) -> TlsServer {
    let secret =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/vectors/kms/responses/instance-ram-secret.pb");
    TlsServer::start("127.0.0.1", status, std::fs::read(secret).unwrap()).unwrap()
}

fn instance(gateway: &TlsServer) -> KmsInstance {
    KmsInstance::new("cn-hangzhou", gateway.address().to_string())
}

#[derive(Debug)]
struct Signer;

impl ClientKeySigner for Signer {
    fn sign(&self, _: &[u8]) -> Result<Vec<u8>, SignError> {
        Ok(vec![7; 256])
    }
}

fn builder() -> KmsClientKeyBuilder {
    KmsClientKey::builder()
        .secret_name("acs/ram/user/oss-reader")
        .client_key(ClientKey::new(
            "KAAP.00000000-0000-0000-0000-000000000001",
            Signer,
        ))
        .sleep(RecordedSleep::default())
}

async fn fetch(builder: KmsClientKeyBuilder) -> Result<Fetched, CredentialsError> {
    builder.build_source().unwrap().fetch().await
}

fn file(folder: &TempDir, name: &str, content: &str) -> PathBuf {
    let path = folder.path().join(name);
    std::fs::write(&path, content).unwrap();
    path
}

fn is_no_trust(error: &CredentialsError) -> bool {
    matches!(error, CredentialsError::Unavailable(_))
        && error.to_string().contains("no trusted TLS connection to KMS")
}

#[tokio::test]
async fn the_authority_in_the_ca_file_is_trusted() {
    let folder = tempfile::tempdir().unwrap();
    let (instance_gateway, other) = (gateway(200), gateway(200));
    for (name, content) in [
        ("one.pem", instance_gateway.authority_pem().to_owned()),
        // As with an intermediate one beside it.
        (
            "several.pem",
            format!("{}{}", other.authority_pem(), instance_gateway.authority_pem()),
        ),
    ] {
        let ca = file(&folder, name, &content);
        let fetched = fetch(builder().instance(instance(&instance_gateway).ca_file(ca)))
            .await
            .unwrap();
        let credentials = fetched.credentials();
        assert_eq!(credentials.access_key_id(), "LTAI-example-current-00", "{name}");
    }
    assert_eq!((instance_gateway.requests(), other.requests()), (2, 0));
}

#[tokio::test]
async fn without_the_ca_file_or_with_another_nobody_is_asked() {
    let folder = tempfile::tempdir().unwrap();
    let (instance_gateway, other) = (gateway(200), gateway(200));
    let another = file(&folder, "another.pem", other.authority_pem());
    for builder in [
        builder().instance(instance(&instance_gateway).ca_file(another)),
        // The public authorities.
        builder()
            .instance(instance(&instance_gateway))
            .instance_http_client(ReqwestClient::new()),
    ] {
        let error = fetch(builder).await.unwrap_err();
        assert!(is_no_trust(&error), "{error}");
        let hint = error.detail().unwrap().hint().unwrap();
        assert!(hint.contains("of an instance, its CA file"), "{hint}");
    }
    assert_eq!(instance_gateway.requests(), 0);
}

#[tokio::test]
async fn the_ca_file_counts_for_its_instance_alone() {
    let folder = tempfile::tempdir().unwrap();
    let (broken, other) = (gateway(503), gateway(200));
    let ca = file(&folder, "ca.pem", broken.authority_pem());
    let others = file(&folder, "other.pem", other.authority_pem());
    let trusting = || builder().instance(instance(&broken).ca_file(&ca));

    // Where a region is asked, the very same certificate is not believed.
    let region = KmsRegion::new("cn-hangzhou").endpoint(broken.address().to_string());
    let error = fetch(trusting().region(region)).await.unwrap_err();
    assert!(is_no_trust(&error), "{error}");
    // Three passes, in each the instance alone.
    assert_eq!(broken.requests(), 3);

    // Nor is it where another instance is asked, which has its own.
    let error = fetch(trusting().instance(instance(&other).ca_file(&ca)))
        .await
        .unwrap_err();
    assert!(is_no_trust(&error), "{error}");
    assert_eq!(other.requests(), 0);
    fetch(trusting().instance(instance(&other).ca_file(&others)))
        .await
        .unwrap();
    assert_eq!(other.requests(), 1);
}
