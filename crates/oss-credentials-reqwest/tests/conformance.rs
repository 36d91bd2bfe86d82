//! The adapter keeps the contract of `HttpClient`, in the caller's runtime and in its own.
// With `rustls-no-provider` alone no client can be made before one is installed; see `no_provider.rs`.
#![cfg(any(
    feature = "rustls",
    feature = "native-tls",
    not(feature = "rustls-no-provider")
))]
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::io::{Read, Write};
use std::net::TcpListener;

use oss_credentials_core::blocking;
use oss_credentials_http::test_util::ConformanceReport;
use oss_credentials_http::test_util::HttpConformance;
use oss_credentials_http::{HttpClient, HttpErrorKind, HttpRequest};
use oss_credentials_reqwest::ReqwestClient;

fn proxied(proxy: &str) -> oss_credentials_reqwest::ReqwestClientBuilder {
    let proxy = proxy.to_owned();
    ReqwestClient::builder()
        .client_builder(move || reqwest::Client::builder().proxy(reqwest::Proxy::all(&*proxy).unwrap()))
}

/// On Linux nothing may be skipped, or a check could go missing unseen.
fn nothing_skipped(report: &ConformanceReport) {
    let skipped: Vec<_> = report.skipped().collect();
    assert!(
        skipped.is_empty() || cfg!(not(target_os = "linux")),
        "{skipped:?}"
    );
}

fn in_runtime(mut builder: tokio::runtime::Builder) {
    let runtime = builder.enable_all().build().unwrap();
    // One for all checks, as a program has it; reading the certificates for each would take long.
    let client = ReqwestClient::new();
    let report = HttpConformance::new(move || client.clone())
        .through_proxy(|proxy| proxied(proxy).build().unwrap())
        .block_on(move |future| runtime.block_on(future))
        .run_all();
    nothing_skipped(&report);
}

#[test]
fn in_a_current_thread_runtime() {
    in_runtime(tokio::runtime::Builder::new_current_thread());
}

#[test]
fn in_a_multi_thread_runtime() {
    in_runtime(tokio::runtime::Builder::new_multi_thread());
}

#[test]
fn with_its_own_runtime_and_no_other() {
    let client = ReqwestClient::with_own_runtime();
    let report = HttpConformance::new(move || client.clone())
        .through_proxy(|proxy| proxied(proxy).own_runtime(true).build().unwrap())
        .run_all();
    nothing_skipped(&report);
}

#[test]
fn what_a_given_builder_says_against_the_contract_is_overruled() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let builder = || {
        reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::limited(5))
            .referer(true)
            .connect_timeout(std::time::Duration::from_secs(60))
            .timeout(std::time::Duration::from_secs(60))
    };
    let client = ReqwestClient::builder().client_builder(builder).build().unwrap();
    let _ = HttpConformance::new(move || client.clone())
        .block_on(move |future| runtime.block_on(future))
        .run_all();
}

/// A server that answers with these bytes, and then keeps the connection open in silence.
fn then_silence(bytes: &'static [u8]) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let _ = stream.read(&mut [0; 4096]);
        let _ = stream.write_all(bytes);
        // Until the client has gone.
        let _ = stream.read(&mut [0; 4096]);
    });
    url
}

#[test]
fn a_body_announced_as_too_large_is_not_waited_for() {
    let url = then_silence(b"HTTP/1.1 200 OK\r\nContent-Length: 1099511627776\r\n\r\n");
    let error = blocking::wait(ReqwestClient::with_own_runtime().send(HttpRequest::get(url))).unwrap_err();
    assert_eq!(
        error.to_string(),
        "the exchange failed: the response body is larger than 1 MiB"
    );
}

#[test]
fn an_answer_that_is_not_http_is_no_broken_connection() {
    let url = then_silence(b"SSH-2.0-OpenSSH_9.9\r\n\r\n");
    let error = blocking::wait(ReqwestClient::with_own_runtime().send(HttpRequest::get(url))).unwrap_err();
    assert_eq!(error.kind(), HttpErrorKind::Other, "{error}");
}

/// A server that answers with so many headers, two of its own among them.
fn with_headers(count: usize) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    let mut answer = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n".to_owned();
    for number in 2..count {
        answer.extend(["x-", &number.to_string(), ": v\r\n"]);
    }
    answer.push_str("\r\n");
    std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let _ = stream.read(&mut [0; 4096]);
        let _ = stream.write_all(answer.as_bytes());
    });
    url
}

#[test]
fn a_thousand_headers_are_read_and_more_are_no_broken_connection() {
    let client = ReqwestClient::with_own_runtime();
    let response = blocking::wait(client.send(HttpRequest::get(with_headers(1024)))).unwrap();
    assert_eq!(response.header("x-1023"), Some("v"));
    let error = blocking::wait(client.send(HttpRequest::get(with_headers(1025)))).unwrap_err();
    assert_eq!(error.kind(), HttpErrorKind::Other);
    assert_eq!(
        error.to_string(),
        "the exchange failed: message head is too large"
    );
}
