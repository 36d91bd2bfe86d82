//! Certificates are checked: over real TLS on loopback, with a certificate authority made for the test.
#![cfg(any(feature = "rustls", feature = "native-tls"))]
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::io::Write;
use std::time::Duration;

use oss_credentials_core::{Env, ProcessEnv};
use oss_credentials_http::test_util::TlsServer;
use oss_credentials_http::{HttpClient, HttpError, HttpErrorKind, HttpRequest, HttpResponse};
use oss_credentials_reqwest::ReqwestClient;
use tokio::io::AsyncReadExt;
use tokio::net::TcpListener;

/// Answers every request with 200; its certificate is for this name.
fn server(name: &str) -> TlsServer {
    TlsServer::start(name, 200, "tls").unwrap()
}

async fn get(client: &ReqwestClient, url: String) -> Result<HttpResponse, HttpError> {
    client
        .send(HttpRequest::get(url).with_timeout(Duration::from_secs(5)))
        .await
}

fn trusting(server: &TlsServer) -> ReqwestClient {
    ReqwestClient::builder()
        .trust_only_pem(server.authority_pem().as_bytes())
        .build()
        .unwrap()
}

#[tokio::test]
async fn the_given_authority_is_trusted() {
    let server = server("localhost");
    let url = format!("https://localhost:{}/?canary", server.address().port());
    assert_eq!(get(&trusting(&server), url).await.unwrap().body(), b"tls");
}

#[tokio::test]
async fn the_given_authority_is_trusted_on_a_thread_of_its_own() {
    let server = server("127.0.0.1");
    let client = ReqwestClient::builder()
        .trust_only_pem(server.authority_pem().as_bytes())
        .own_runtime(true)
        .build()
        .unwrap();
    assert_eq!(
        get(&client, format!("https://{}/", server.address()))
            .await
            .unwrap()
            .body(),
        b"tls"
    );
}

#[tokio::test]
async fn an_unknown_authority_is_refused() {
    let server = server("127.0.0.1");
    let error = get(
        &ReqwestClient::new(),
        format!("https://{}/?canary", server.address()),
    )
    .await
    .unwrap_err();
    assert_eq!(error.kind(), HttpErrorKind::Tls, "{error}");
    assert!(!format!("{error} {error:?}").contains("canary"));
}

#[tokio::test]
async fn only_the_given_authority_is_trusted() {
    let (one, other) = (server("127.0.0.1"), server("127.0.0.1"));
    let client = trusting(&one);
    assert!(get(&client, format!("https://{}/", one.address())).await.is_ok());
    let error = get(&client, format!("https://{}/", other.address()))
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
        let known = server("127.0.0.1");
        let mut certificates = tempfile::NamedTempFile::new().unwrap();
        certificates.write_all(known.authority_pem().as_bytes()).unwrap();
        let program = std::env::current_exe().unwrap();
        let child = std::process::Command::new(program)
            .args(["--exact", name])
            .env("OSS_TEST_TLS_SERVER", known.address().to_string())
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
    let other = server("127.0.0.1");
    let error = get(&trusting(&other), url).await.unwrap_err();
    assert_eq!(error.kind(), HttpErrorKind::Tls, "{error}");
}

#[tokio::test]
async fn a_certificate_for_another_host_is_refused() {
    let server = server("sts.aliyuncs.com");
    let error = get(&trusting(&server), format!("https://{}/", server.address()))
        .await
        .unwrap_err();
    assert_eq!(error.kind(), HttpErrorKind::Tls, "{error}");
}

#[tokio::test]
async fn a_given_builder_cannot_switch_the_checks_off() {
    let server = server("127.0.0.1");
    let careless = || reqwest::Client::builder().tls_danger_accept_invalid_certs(true);
    let client = ReqwestClient::builder().client_builder(careless).build().unwrap();
    let error = get(&client, format!("https://{}/", server.address()))
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
