//! A system without CA certificates. The environment of a process is never changed here: a child gets its own.
#![cfg(all(
    target_os = "linux",
    any(feature = "rustls", feature = "rustls-no-provider"),
    not(feature = "native-tls")
))]
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener};
use std::process::Command;

use oss_credentials_core::{Env, ProcessEnv, blocking};
use oss_credentials_http::{HttpClient, HttpErrorKind, HttpRequest};
use oss_credentials_reqwest::ReqwestClient;

const IN_CHILD: &str = "OSS_TEST_WITHOUT_CERTIFICATES";

/// Answers every request, a proxy's too.
fn server() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let _ = stream.read(&mut [0; 4096]);
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
        }
    });
    address
}

#[test]
fn plain_http_needs_no_certificates_and_https_says_what_is_missing() {
    let _ = tokio_rustls::rustls::crypto::aws_lc_rs::default_provider().install_default();
    if let Some(address) = ProcessEnv.var(IN_CHILD) {
        return without_certificates(&address);
    }
    let mut garbage = tempfile::NamedTempFile::new().unwrap();
    garbage.write_all(b"no certificate").unwrap();
    for file in ["/nonexistent".as_ref(), garbage.path()] {
        let address = server();
        let program = std::env::current_exe().unwrap();
        let child = Command::new(program)
            .args([
                "--exact",
                "plain_http_needs_no_certificates_and_https_says_what_is_missing",
            ])
            .env(IN_CHILD, address.to_string())
            .env("SSL_CERT_FILE", file)
            .env("SSL_CERT_DIR", "/nonexistent")
            // So that a host that is not this machine is asked here.
            .env("HTTP_PROXY", format!("http://{address}"))
            .env_remove("REQUEST_METHOD")
            .output()
            .unwrap();
        assert!(
            child.status.success(),
            "{}",
            String::from_utf8_lossy(&child.stdout)
        );
    }
}

fn without_certificates(address: &str) {
    let client = ReqwestClient::with_own_runtime();
    let get = |url: String| blocking::wait(client.send(HttpRequest::get(url)));
    assert_eq!(get(format!("http://{address}/loopback")).unwrap().status(), 200);
    assert_eq!(get("http://sts.test/".to_owned()).unwrap().status(), 200);
    let error = get(format!("https://{address}/")).unwrap_err();
    assert_eq!(error.kind(), HttpErrorKind::Request);
    assert_eq!(
        error.to_string(),
        "the request could not be made: no CA certificates were found on this system; install the package \
         `ca-certificates`, or set SSL_CERT_FILE to a file with certificates in PEM form"
    );
}
