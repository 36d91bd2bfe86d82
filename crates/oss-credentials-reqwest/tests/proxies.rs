//! Proxies from the environment. The environment of a process is never changed here: a child gets its own.
// With `rustls-no-provider` alone no client can be made before one is installed; see `no_provider.rs`.
#![cfg(any(
    feature = "rustls",
    feature = "native-tls",
    not(feature = "rustls-no-provider")
))]
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener};
use std::process::Command;
use std::sync::{Arc, Mutex};
use std::thread;

use oss_credentials_core::{Env, ProcessEnv, blocking};
use oss_credentials_http::{HttpClient, HttpRequest};
use oss_credentials_reqwest::ReqwestClient;

/// Where the child finds the server that it is to reach without a proxy.
const DIRECT: &str = "OSS_TEST_DIRECT_SERVER";

/// Answers with its name, and keeps the first line of every request.
fn server(name: &'static str) -> (SocketAddr, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let seen = Arc::new(Mutex::new(Vec::new()));
    let lines = Arc::clone(&seen);
    thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut bytes = [0; 4096];
            let length = stream.read(&mut bytes).unwrap();
            let first = String::from_utf8_lossy(&bytes[..length])
                .lines()
                .next()
                .unwrap_or_default()
                .to_owned();
            lines.lock().unwrap().push(first);
            let length = name.len();
            write!(
                stream,
                "HTTP/1.1 200 OK\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{name}"
            )
            .unwrap();
        }
    });
    (address, seen)
}

#[test]
fn proxies_of_the_environment_are_used_but_for_no_proxy_and_metadata_hosts() {
    if let Some(direct) = ProcessEnv.var(DIRECT) {
        return inside_the_child(direct.parse().unwrap());
    }
    let (proxy, through_proxy) = server("proxy");
    let (direct, at_direct) = server("direct");
    let program = std::env::current_exe().unwrap();
    let child = Command::new(program)
        .args([
            "--exact",
            "proxies_of_the_environment_are_used_but_for_no_proxy_and_metadata_hosts",
        ])
        .env(DIRECT, direct.to_string())
        .env("HTTP_PROXY", format!("http://{proxy}"))
        .env("NO_PROXY", "excluded.test")
        // reqwest ignores `HTTP_PROXY` in a CGI program.
        .env_remove("REQUEST_METHOD")
        .output()
        .unwrap();
    assert!(
        child.status.success(),
        "{}",
        String::from_utf8_lossy(&child.stdout)
    );
    assert_eq!(*through_proxy.lock().unwrap(), ["GET http://sts.test/ HTTP/1.1"]);
    assert_eq!(
        *at_direct.lock().unwrap(),
        ["GET /excluded HTTP/1.1", "GET /loopback HTTP/1.1"]
    );
}

fn inside_the_child(direct: SocketAddr) {
    // Without this the name would be looked up on the network.
    let resolving = move || reqwest::Client::builder().resolve("excluded.test", direct);
    let client = ReqwestClient::builder()
        .client_builder(resolving)
        .own_runtime(true)
        .build()
        .unwrap();
    let port = direct.port();
    for (url, answered_by) in [
        ("http://sts.test/".to_owned(), "proxy"),
        (format!("http://excluded.test:{port}/excluded"), "direct"),
        (format!("http://127.0.0.1:{port}/loopback"), "direct"),
    ] {
        let response = blocking::wait(client.send(HttpRequest::get(&*url))).unwrap();
        assert_eq!(response.body(), answered_by.as_bytes(), "{url}");
    }
}

#[test]
fn an_error_names_the_proxy_without_its_password() {
    if ProcessEnv.var(DIRECT).is_some() {
        let client = ReqwestClient::with_own_runtime();
        let schemes = if cfg!(any(feature = "rustls", feature = "native-tls")) {
            &["http", "https"][..]
        } else {
            &["http"]
        };
        for scheme in schemes {
            let request = HttpRequest::get(format!("{scheme}://sts.test/"));
            let error = blocking::wait(client.send(request)).unwrap_err();
            assert_eq!(error.proxy(), Some("http://127.0.0.1:1"), "{scheme}: {error}");
            assert!(
                error
                    .to_string()
                    .starts_with("no connection through the proxy http://127.0.0.1:1: "),
                "{error}"
            );
        }
        let error = blocking::wait(client.send(HttpRequest::get("http://127.0.0.1:1/"))).unwrap_err();
        assert_eq!(error.proxy(), None);
        return;
    }
    let program = std::env::current_exe().unwrap();
    let child = Command::new(program)
        .args(["--exact", "an_error_names_the_proxy_without_its_password"])
        .env(DIRECT, "")
        .env("ALL_PROXY", "http://user:canary@127.0.0.1:1")
        .env_remove("REQUEST_METHOD")
        .output()
        .unwrap();
    assert!(
        child.status.success(),
        "{}",
        String::from_utf8_lossy(&child.stdout)
    );
}
