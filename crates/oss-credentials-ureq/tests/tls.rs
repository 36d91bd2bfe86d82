//! https: which certificates are trusted, and what is said where they are not.
#![cfg(any(feature = "rustls", feature = "native-tls"))]
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::io::{Read, Write};
use std::net::TcpListener;
use std::sync::Arc;

use oss_credentials_core::blocking;
use oss_credentials_http::{HttpClient, HttpError, HttpErrorKind, HttpRequest, HttpResponse};
use oss_credentials_ureq::UreqClient;
use rustls::pki_types::PrivateKeyDer;
use rustls::{ServerConfig, ServerConnection, StreamOwned};
use ureq::tls::TlsConfig;

/// A server with a certificate of its own for this name; returns its URL and the certificate as PEM.
fn server(name: &str) -> (String, String) {
    let made = rcgen::generate_simple_self_signed(vec![name.to_owned()]).unwrap();
    let pem = made.cert.pem();
    let key = PrivateKeyDer::try_from(made.signing_key.serialize_der()).unwrap();
    let crypto = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ServerConfig::builder_with_provider(crypto)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![made.cert.der().clone()], key)
        .unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("https://localhost:{}/", listener.local_addr().unwrap().port());
    std::thread::spawn(move || {
        let (stream, _) = listener.accept().unwrap();
        let connection = ServerConnection::new(Arc::new(config)).unwrap();
        let mut stream = StreamOwned::new(connection, stream);
        // Fails where the client does not trust the certificate.
        if stream.read(&mut [0; 4096]).is_ok() {
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nsecret");
            stream.conn.send_close_notify();
            let _ = stream.flush();
        }
    });
    (url, pem)
}

fn get(client: &UreqClient, url: &str) -> Result<HttpResponse, HttpError> {
    blocking::wait(client.send(HttpRequest::get(url)))
}

#[test]
fn a_certificate_that_is_given_is_trusted() {
    let (url, pem) = server("localhost");
    let client = UreqClient::builder().trust_only_pem(pem).build().unwrap();
    assert_eq!(get(&client, &url).unwrap().body(), b"secret");
}

#[test]
fn other_certificates_are_not() {
    let (url, _) = server("localhost");
    let (_, other) = server("localhost");
    let client = UreqClient::builder().trust_only_pem(other).build().unwrap();
    let error = get(&client, &url).unwrap_err();
    assert_eq!(error.kind(), HttpErrorKind::Tls, "{error}");
    assert!(!error.has_answer_begun());
}

#[test]
fn a_certificate_for_another_name_is_not_trusted() {
    let (url, pem) = server("elsewhere.example");
    let client = UreqClient::builder().trust_only_pem(pem).build().unwrap();
    let error = get(&client, &url).unwrap_err();
    assert_eq!(error.kind(), HttpErrorKind::Tls, "{error}");
}

#[test]
fn a_text_without_a_certificate_is_refused() {
    let error = UreqClient::builder()
        .trust_only_pem("no PEM")
        .build()
        .unwrap_err();
    assert_eq!(error.kind(), HttpErrorKind::Request);
    assert_eq!(
        error.to_string(),
        "the request could not be made: the text given to `trust_only_pem` contains no certificate; give it one in PEM \
         form"
    );
}

#[test]
fn an_agent_that_verifies_nothing_is_refused_for_https() {
    let (url, _) = server("localhost");
    let tls = TlsConfig::builder().disable_verification(true).build();
    let agent = ureq::Agent::config_builder().tls_config(tls).build().new_agent();
    let error = get(&UreqClient::from_agent(agent), &url).unwrap_err();
    assert_eq!(
        error.to_string(),
        "the request could not be made: the agent does not verify certificates; pass one that does"
    );
}

/// With this crate's features alone ureq has neither `ring` nor the certificates that its defaults ask for.
#[test]
fn an_agent_that_asks_for_what_the_build_lacks_is_an_error_and_no_panic() {
    let (url, _) = server("localhost");
    let client = UreqClient::from_agent(ureq::Agent::new_with_defaults());
    let error = get(&client, &url).unwrap_err();
    assert_eq!(error.kind(), HttpErrorKind::Request, "{error}");
    assert!(error.to_string().contains("TLS settings of the agent"), "{error}");
}
