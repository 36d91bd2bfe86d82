//! Certificates are checked: over real TLS on loopback, with a certificate authority made for the test.
#![cfg(any(feature = "rustls", feature = "native-tls"))]
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::io::Write;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use oss_credentials_core::{Env, ProcessEnv};
use oss_credentials_http::{HttpClient, HttpError, HttpErrorKind, HttpRequest, HttpResponse};
use oss_credentials_reqwest::ReqwestClient;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::aws_lc_rs::default_provider;
use tokio_rustls::rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};

struct Server {
    address: SocketAddr,
    /// Its certificate authority.
    pem: String,
}

/// Answers every request with 200; its certificate is for this name.
async fn server(name: &str) -> Server {
    let mut params = CertificateParams::new(vec![]).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    // Unlike the server's, or OpenSSL takes the server's certificate for a self-signed one.
    params
        .distinguished_name
        .push(DnType::CommonName, "test authority");
    let authority = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
    let key = KeyPair::generate().unwrap();
    let certificate = CertificateParams::new(vec![name.to_owned()])
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
    tokio::runtime::Handle::current().spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let acceptor = acceptor.clone();
            tokio::runtime::Handle::current().spawn(async move {
                let Ok(mut stream) = acceptor.accept(stream).await else {
                    return;
                };
                let mut request = [0; 1024];
                if stream.read(&mut request).await.is_ok_and(|length| length > 0) {
                    let answer = b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\nConnection: close\r\n\r\ntls";
                    let _ = stream.write_all(answer).await;
                    let _ = stream.shutdown().await;
                }
            });
        }
    });
    Server {
        address,
        pem: authority.pem(),
    }
}

async fn get(client: &ReqwestClient, url: String) -> Result<HttpResponse, HttpError> {
    client
        .send(HttpRequest::get(url).with_timeout(Duration::from_secs(5)))
        .await
}

fn trusting(server: &Server) -> ReqwestClient {
    ReqwestClient::builder()
        .trust_only_pem(server.pem.as_bytes())
        .build()
        .unwrap()
}

#[tokio::test]
async fn the_given_authority_is_trusted() {
    let server = server("localhost").await;
    let url = format!("https://localhost:{}/?canary", server.address.port());
    assert_eq!(get(&trusting(&server), url).await.unwrap().body(), b"tls");
}

#[tokio::test]
async fn the_given_authority_is_trusted_on_a_thread_of_its_own() {
    let server = server("127.0.0.1").await;
    let client = ReqwestClient::builder()
        .trust_only_pem(server.pem.as_bytes())
        .own_runtime(true)
        .build()
        .unwrap();
    assert_eq!(
        get(&client, format!("https://{}/", server.address))
            .await
            .unwrap()
            .body(),
        b"tls"
    );
}

#[tokio::test]
async fn an_unknown_authority_is_refused() {
    let server = server("127.0.0.1").await;
    let error = get(
        &ReqwestClient::new(),
        format!("https://{}/?canary", server.address),
    )
    .await
    .unwrap_err();
    assert_eq!(error.kind(), HttpErrorKind::Tls, "{error}");
    assert!(!format!("{error} {error:?}").contains("canary"));
}

#[tokio::test]
async fn only_the_given_authority_is_trusted() {
    let (one, other) = (server("127.0.0.1").await, server("127.0.0.1").await);
    let client = trusting(&one);
    assert!(get(&client, format!("https://{}/", one.address)).await.is_ok());
    let error = get(&client, format!("https://{}/", other.address))
        .await
        .unwrap_err();
    assert_eq!(error.kind(), HttpErrorKind::Tls, "{error}");
}

/// The system's certificates are those of `SSL_CERT_FILE` here, which only a child process gets to see.
#[cfg(target_os = "linux")]
#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn the_systems_authorities_are_trusted_unless_others_are_given() {
    let name = "the_systems_authorities_are_trusted_unless_others_are_given";
    let Some(address) = ProcessEnv.var("OSS_TEST_TLS_SERVER") else {
        let known = server("127.0.0.1").await;
        let mut certificates = tempfile::NamedTempFile::new().unwrap();
        certificates.write_all(known.pem.as_bytes()).unwrap();
        let program = std::env::current_exe().unwrap();
        let child = std::process::Command::new(program)
            .args(["--exact", name])
            .env("OSS_TEST_TLS_SERVER", known.address.to_string())
            .env("SSL_CERT_FILE", certificates.path())
            .output()
            .unwrap();
        assert!(
            child.status.success(),
            "{}",
            String::from_utf8_lossy(&child.stdout)
        );
        return;
    };
    let url = format!("https://{address}/");
    assert_eq!(
        get(&ReqwestClient::new(), url.clone()).await.unwrap().body(),
        b"tls"
    );
    let other = server("127.0.0.1").await;
    let error = get(&trusting(&other), url).await.unwrap_err();
    assert_eq!(error.kind(), HttpErrorKind::Tls, "{error}");
}

#[tokio::test]
async fn a_certificate_for_another_host_is_refused() {
    let server = server("sts.aliyuncs.com").await;
    let error = get(&trusting(&server), format!("https://{}/", server.address))
        .await
        .unwrap_err();
    assert_eq!(error.kind(), HttpErrorKind::Tls, "{error}");
}

#[tokio::test]
async fn a_given_builder_cannot_switch_the_checks_off() {
    let server = server("127.0.0.1").await;
    let careless = || reqwest::Client::builder().tls_danger_accept_invalid_certs(true);
    let client = ReqwestClient::builder().client_builder(careless).build().unwrap();
    let error = get(&client, format!("https://{}/", server.address))
        .await
        .unwrap_err();
    assert_eq!(error.kind(), HttpErrorKind::Tls, "{error}");
}

#[tokio::test]
async fn a_connection_refused_is_no_matter_of_tls() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let error = get(&ReqwestClient::new(), format!("https://{address}/"))
        .await
        .unwrap_err();
    assert_eq!(error.kind(), HttpErrorKind::Connect, "{error}");
}

#[tokio::test]
async fn a_handshake_that_ends_early_is_a_matter_of_tls() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::runtime::Handle::current().spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        // All of the greeting is read, so that closing does not reset the connection.
        let _ = stream.read(&mut [0; 16 * 1024]).await;
    });
    let error = get(&ReqwestClient::new(), format!("https://{address}/"))
        .await
        .unwrap_err();
    assert_eq!(error.kind(), HttpErrorKind::Tls, "{error}");
}

#[tokio::test]
async fn a_handshake_that_hangs_ends_with_the_connect_time_out() {
    // Accepted by the system, never answered.
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let request = HttpRequest::get(format!("https://{}/", listener.local_addr().unwrap()))
        .with_connect_timeout(Duration::from_millis(100));
    let error = ReqwestClient::new().send(request).await.unwrap_err();
    assert_eq!(error.kind(), HttpErrorKind::Connect, "{error}");
}

#[test]
fn text_without_certificates_is_refused_when_the_client_is_made() {
    for pem in [
        "",
        "no certificate",
        "-----BEGIN CERTIFICATE-----\ncanary!\n-----END CERTIFICATE-----\n",
    ] {
        let error = ReqwestClient::builder().trust_only_pem(pem).build().unwrap_err();
        assert_eq!(error.kind(), HttpErrorKind::Request);
        assert!(!format!("{error} {error:?}").contains("canary"), "{error}");
    }
    let error = ReqwestClient::builder().trust_only_pem("").build().unwrap_err();
    assert_eq!(
        error.to_string(),
        "the request could not be made: the text given to `trust_only_pem` contains no certificate; give it one \
         in PEM form"
    );
}
