//! https: which certificates are trusted, and what is said where they are not.
#![cfg(any(feature = "rustls", feature = "native-tls"))]
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use oss_credentials_core::blocking;
use oss_credentials_http::test_util::TlsServer;
use oss_credentials_http::{HttpClient, HttpError, HttpErrorKind, HttpRequest, HttpResponse};
use oss_credentials_ureq::UreqClient;
use ureq::tls::TlsConfig;

/// A server with a certificate for this name, and the URL of `localhost` at its port.
fn server(name: &str) -> (TlsServer, String) {
    let server = TlsServer::start(name, 200, "secret").unwrap();
    let url = format!("https://localhost:{}/", server.address().port());
    (server, url)
}

fn get(client: &UreqClient, url: &str) -> Result<HttpResponse, HttpError> {
    blocking::wait(client.send(HttpRequest::get(url)))
}

#[test]
fn a_certificate_that_is_given_is_trusted() {
    let (server, url) = server("localhost");
    let client = UreqClient::builder()
        .trust_only_pem(server.authority_pem())
        .build()
        .unwrap();
    assert_eq!(get(&client, &url).unwrap().body(), b"secret");
}

#[test]
fn other_certificates_are_not() {
    let (_server, url) = server("localhost");
    let (other, _) = server("localhost");
    let client = UreqClient::builder()
        .trust_only_pem(other.authority_pem())
        .build()
        .unwrap();
    let error = get(&client, &url).unwrap_err();
    assert_eq!(error.kind(), HttpErrorKind::Tls, "{error}");
    assert!(!error.has_answer_begun());
}

#[test]
fn a_certificate_for_another_name_is_not_trusted() {
    let (server, url) = server("elsewhere.example");
    let client = UreqClient::builder()
        .trust_only_pem(server.authority_pem())
        .build()
        .unwrap();
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
    let (_server, url) = server("localhost");
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
    let (_server, url) = server("localhost");
    let client = UreqClient::from_agent(ureq::Agent::new_with_defaults());
    let error = get(&client, &url).unwrap_err();
    assert_eq!(error.kind(), HttpErrorKind::Request, "{error}");
    assert!(error.to_string().contains("TLS settings of the agent"), "{error}");
}
