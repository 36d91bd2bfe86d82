//! Whom the gateway of a KMS instance is believed by: over real TLS on loopback, with private certificate authorities
//! made for the test.
#![cfg(all(feature = "rustls", feature = "instance-gateway"))]
#![allow(clippy::unwrap_used, reason = "helpers of tests may fail the test")]

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use acs_sign::{ClientKeySigner, SignError};
use oss_credentials_core::{BoxFuture, CredentialsError, CredentialsSource, Fetched, Sleep};
use oss_credentials_kms_client_key::{ClientKey, KmsClientKey, KmsClientKeyBuilder, KmsInstance, KmsRegion};
use oss_credentials_reqwest::ReqwestClient;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::aws_lc_rs::default_provider;
use tokio_rustls::rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use tokio_rustls::server::TlsStream;

/// The gateway of an instance, with a certificate of an authority of its own.
struct Gateway {
    address: SocketAddr,
    /// Its certificate authority.
    pem: String,
    /// How many requests came through the handshake.
    asked: Arc<AtomicUsize>,
}

/// Answers every request with this status and the message of a secret.
async fn gateway(status: u16) -> Gateway {
    let mut params = CertificateParams::new(vec![]).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params
        .distinguished_name
        .push(DnType::CommonName, "Private KMS of a test");
    let authority = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
    let key = KeyPair::generate().unwrap();
    let certificate = CertificateParams::new(vec!["127.0.0.1".to_owned()])
        .unwrap()
        .signed_by(&key, &authority)
        .unwrap();
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
    let config = ServerConfig::builder_with_provider(Arc::new(default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate.der().clone()], key)
        .unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let asked = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&asked);
    tokio::runtime::Handle::current().spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            // Who does not trust the certificate ends the handshake.
            if let Ok(stream) = acceptor.accept(stream).await {
                count.fetch_add(1, Ordering::SeqCst);
                answer(stream, status).await;
            }
        }
    });
    Gateway {
        address,
        pem: authority.pem(),
        asked,
    }
}

async fn answer(mut stream: TlsStream<TcpStream>, status: u16) {
    let secret =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/vectors/kms/responses/instance-ram-secret.pb");
    let body = std::fs::read(secret).unwrap();
    let head = format!(
        "HTTP/1.1 {status} Any\r\nContent-Type: application/x-protobuf\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
        body.len()
    );
    // The request, in one piece.
    let mut request = [0; 4096];
    if stream.read(&mut request).await.is_ok() {
        stream.write_all(head.as_bytes()).await.unwrap();
        stream.write_all(&body).await.unwrap();
        stream.shutdown().await.unwrap();
    }
}

impl Gateway {
    fn instance(&self) -> KmsInstance {
        KmsInstance::new("cn-hangzhou", self.address.to_string())
    }

    fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }
}

#[derive(Debug)]
struct Signer;

impl ClientKeySigner for Signer {
    fn sign(&self, _: &[u8]) -> Result<Vec<u8>, SignError> {
        Ok(vec![7; 256])
    }
}

/// The pauses between passes pass at once.
#[derive(Debug)]
struct NoWait;

impl Sleep for NoWait {
    fn sleep(&self, _: std::time::Duration) -> BoxFuture<'static, ()> {
        Box::pin(std::future::ready(()))
    }
}

fn builder() -> KmsClientKeyBuilder {
    KmsClientKey::builder()
        .secret_name("acs/ram/user/oss-reader")
        .client_key(ClientKey::new(
            "KAAP.00000000-0000-0000-0000-000000000001",
            Signer,
        ))
        .sleep(NoWait)
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
    let (instance, other) = (gateway(200).await, gateway(200).await);
    for (name, content) in [
        ("one.pem", instance.pem.clone()),
        // As with an intermediate one beside it.
        ("several.pem", format!("{}{}", other.pem, instance.pem)),
    ] {
        let ca = file(&folder, name, &content);
        let fetched = fetch(builder().instance(instance.instance().ca_file(ca)))
            .await
            .unwrap();
        let credentials = fetched.credentials();
        assert_eq!(credentials.access_key_id(), "LTAI-example-current-00", "{name}");
    }
    assert_eq!((instance.asked(), other.asked()), (2, 0));
}

#[tokio::test]
async fn without_the_ca_file_or_with_another_nobody_is_asked() {
    let folder = tempfile::tempdir().unwrap();
    let (instance, other) = (gateway(200).await, gateway(200).await);
    let another = file(&folder, "another.pem", &other.pem);
    for builder in [
        builder().instance(instance.instance().ca_file(another)),
        // The public authorities.
        builder()
            .instance(instance.instance())
            .instance_http_client(ReqwestClient::new()),
    ] {
        let error = fetch(builder).await.unwrap_err();
        assert!(is_no_trust(&error), "{error}");
        let hint = error.detail().unwrap().hint().unwrap();
        assert!(hint.contains("of an instance, its CA file"), "{hint}");
    }
    assert_eq!(instance.asked(), 0);
}

#[tokio::test]
async fn the_ca_file_counts_for_its_instance_alone() {
    let folder = tempfile::tempdir().unwrap();
    let (broken, other) = (gateway(503).await, gateway(200).await);
    let ca = file(&folder, "ca.pem", &broken.pem);
    let others = file(&folder, "other.pem", &other.pem);
    let trusting = || builder().instance(broken.instance().ca_file(&ca));

    // Where a region is asked, the very same certificate is not believed.
    let region = KmsRegion::new("cn-hangzhou").endpoint(broken.address.to_string());
    let error = fetch(trusting().region(region)).await.unwrap_err();
    assert!(is_no_trust(&error), "{error}");
    // Three passes, in each the instance alone.
    assert_eq!(broken.asked(), 3);

    // Nor is it where another instance is asked, which has its own.
    let error = fetch(trusting().instance(other.instance().ca_file(&ca)))
        .await
        .unwrap_err();
    assert!(is_no_trust(&error), "{error}");
    assert_eq!(other.asked(), 0);
    fetch(trusting().instance(other.instance().ca_file(&others)))
        .await
        .unwrap();
    assert_eq!(other.asked(), 1);
}
