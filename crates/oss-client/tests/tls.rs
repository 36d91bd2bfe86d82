//! Certificates are checked, unless that was switched off: over real TLS on loopback.
#![cfg(any(feature = "rustls", feature = "native-tls"))]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod common;

use common::{Keys, Server, builder, ok, response};
use oss_client::{Client, ClientBuilder, Error};
use oss_credentials_http::HttpErrorKind;
use oss_credentials_http::test_util::TlsServer;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

fn answering(response: &[u8]) -> TlsServer {
    TlsServer::respond("127.0.0.1", response).unwrap()
}

fn client(server: &TlsServer, set: impl Fn(ClientBuilder) -> ClientBuilder) -> Client {
    // Without scheme: https is what one gets.
    set(builder(&server.address().to_string(), Keys::new(1)))
        .build()
        .unwrap()
}

#[tokio::test]
async fn an_unknown_certificate_ends_it_and_the_error_says_what_to_do() {
    let server = answering(&ok());
    let head = client(&server, |b| b).head_object("examplebucket", "k");
    let error = head.send().await.unwrap_err();
    let Error::Transport(transport) = &error else {
        panic!("{error}")
    };
    assert_eq!(transport.kind(), HttpErrorKind::Tls, "{error}");
    assert!(
        error.to_string().ends_with(
            "; check the endpoint and the trusted certificates, or, if the host speaks plain http, write http://"
        ),
        "{error}"
    );
    assert!(error.is_retryable());
}

#[tokio::test]
async fn a_host_that_speaks_no_tls_and_one_that_is_not_there_are_told_apart() {
    let plain = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = plain.local_addr().unwrap();
    tokio::runtime::Handle::current().spawn(async move {
        let (mut stream, _) = plain.accept().await.unwrap();
        let _ = stream.read(&mut [0; 4096]).await;
        let _ = stream.write_all(&response(400, &[], "")).await;
    });
    let free = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let nobody = free.local_addr().unwrap();
    drop(free);
    for (address, expected) in [(address, HttpErrorKind::Tls), (nobody, HttpErrorKind::Connect)] {
        let client = builder(&format!("https://{address}"), Keys::new(1))
            .build()
            .unwrap();
        let error = client.head_object("examplebucket", "k").send().await.unwrap_err();
        let Error::Transport(error) = error else {
            panic!("{error}")
        };
        assert_eq!(error.kind(), expected, "{error}");
    }
}

#[tokio::test]
async fn any_certificate_is_taken_only_where_that_was_asked_for() {
    let server = answering(&ok());
    let careless = client(&server, ClientBuilder::danger_accept_any_certificate);
    careless.head_object("examplebucket", "k").send().await.unwrap();
    // What one should do instead.
    if cfg!(feature = "rustls") {
        let certificate = reqwest::Certificate::from_pem(server.authority_pem().as_bytes()).unwrap();
        let trusting = client(&server, |b| {
            let certificate = certificate.clone();
            b.client_builder(move || reqwest::Client::builder().tls_certs_only([certificate.clone()]))
        });
        trusting.head_object("examplebucket", "k").send().await.unwrap();
    }
}

#[tokio::test]
async fn no_redirect_leads_from_https_to_http() {
    let target = Server::start([ok()]);
    let server = answering(&response(302, &[("Location", &target.endpoint())], ""));
    let client = client(&server, |b| b.danger_accept_any_certificate().redirects(5));
    let error = client.head_object("examplebucket", "k").send().await.unwrap_err();
    assert_eq!(error.service().unwrap().status(), 302);
    assert_eq!(target.count(), 0);
}
