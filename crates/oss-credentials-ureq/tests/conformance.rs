//! The adapter keeps the contract of `HttpClient`, with its own agent and with a program's.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::io::{Read, Write};
use std::net::TcpListener;

use oss_credentials_core::blocking;
use oss_credentials_http::test_util::HttpConformance;
use oss_credentials_http::{HttpClient, HttpErrorKind, HttpRequest};
use oss_credentials_ureq::UreqClient;

/// Serves these bytes once, then waits in silence until the client has gone.
fn answering(bytes: &'static [u8]) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let _ = stream.read(&mut [0; 4096]);
        let _ = stream.write_all(bytes);
        let _ = stream.read(&mut [0; 4096]);
    });
    url
}

fn keeps_the_contract<C: HttpClient>(client: impl Fn() -> C + 'static) {
    let report = HttpConformance::new(client).run_all();
    // The future is done when it is first polled. ureq asks for a tunnel where the suite's proxy is sent a plain
    // request; `metadata_hosts_are_asked_without_the_agents_proxy` checks what the suite cannot.
    let skipped: Vec<_> = report.skipped().map(|(name, _)| name).collect();
    let expected = ["dropped_future", "metadata_host_and_proxy"];
    assert!(
        skipped == expected || cfg!(not(target_os = "linux")),
        "{skipped:?}"
    );
}

#[test]
fn with_its_own_agent() {
    keeps_the_contract(UreqClient::new);
}

#[test]
fn with_an_agent_whose_settings_break_the_contract() {
    let agent = || {
        ureq::Agent::config_builder()
            .max_redirects(5)
            .http_status_as_error(true)
            .accept_encoding("gzip")
            .timeout_global(Some(std::time::Duration::from_secs(60)))
            .timeout_connect(Some(std::time::Duration::from_secs(60)))
            .build()
            .new_agent()
    };
    keeps_the_contract(move || UreqClient::from_agent(agent()));
}

#[test]
fn metadata_hosts_are_asked_without_the_agents_proxy() {
    let url = answering(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
    // Nobody listens there: what is sent to the proxy fails.
    let proxy = ureq::Proxy::new("http://127.0.0.1:1").unwrap();
    let agent = ureq::Agent::config_builder()
        .proxy(Some(proxy))
        .build()
        .new_agent();
    let client = UreqClient::from_agent(agent);

    let response = blocking::wait(client.send(HttpRequest::get(url))).unwrap();
    assert_eq!(response.status(), 200);
    let elsewhere = HttpRequest::get("http://sts.proxy-check.invalid/");
    let error = blocking::wait(client.send(elsewhere)).unwrap_err();
    assert_eq!(error.kind(), HttpErrorKind::Connect, "{error}");
}

#[test]
fn a_body_announced_as_too_large_is_not_waited_for() {
    let url = answering(b"HTTP/1.1 200 OK\r\nContent-Length: 1099511627776\r\n\r\n");
    let error = blocking::wait(UreqClient::new().send(HttpRequest::get(url))).unwrap_err();
    assert_eq!(
        error.to_string(),
        "the exchange failed: the response body is larger than 1 MiB"
    );
    assert!(error.has_answer_begun());
}

#[test]
fn a_password_in_the_url_is_refused() {
    let request = HttpRequest::get("http://user:canary@127.0.0.1:1/");
    let error = blocking::wait(UreqClient::new().send(request)).unwrap_err();
    assert_eq!(error.kind(), HttpErrorKind::Request);
    assert_eq!(
        error.to_string(),
        "the request could not be made: the URL contains a user or password; send them in a header"
    );
}

#[test]
fn debug_shows_no_setting() {
    let proxy = ureq::Proxy::new("http://user:canary@127.0.0.1:1").unwrap();
    let agent = ureq::Agent::config_builder()
        .proxy(Some(proxy))
        .build()
        .new_agent();
    let client = UreqClient::from_agent(agent);
    assert_eq!(format!("{client:?}"), "UreqClient { given_agent: true, .. }");
}
