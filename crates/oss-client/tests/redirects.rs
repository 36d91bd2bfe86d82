//! Redirects: off unless asked for, and never with a signature or token to another server.
#![cfg(any(
    feature = "rustls",
    feature = "native-tls",
    not(feature = "rustls-no-provider")
))]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod common;

use common::{Keys, Received, Server, builder, ok, refusal, response};
use oss_client::{Client, Error, Operation};
use reqwest::Method;

/// With two keys, so that it can be seen whether one is reported.
fn client(server: &Server, keys: &Keys, limit: u32) -> Client {
    builder(&server.endpoint(), keys.clone())
        .redirects(limit)
        .build()
        .unwrap()
}

fn to(location: &str) -> Vec<u8> {
    response(302, &[("Location", location)], "")
}

/// Everything of a request in one text, in lower case.
fn whole(request: &Received) -> String {
    let values = request
        .headers
        .iter()
        .map(|(_, value)| String::from_utf8_lossy(value));
    format!("{}\n{}", request.line, values.collect::<Vec<_>>().join("\n")).to_lowercase()
}

#[tokio::test]
async fn another_server_gets_neither_signature_nor_token() {
    for status in [301, 302, 303, 307, 308] {
        let part = ("content-range", "bytes 0-9/100");
        let target = Server::start([response(206, &[part], "0123456789")]);
        let location = format!("{}/elsewhere?x=1", target.endpoint());
        let server = Server::start([response(status, &[("Location", &location)], "")]);
        let get = client(&server, &Keys::new(2), 1)
            .get_object("examplebucket", "k")
            .header("range", "bytes=0-9")
            .header("if-match", "\"e\"")
            .header("x-oss-server-side-encryption-key", "canary-customer-key")
            .header("x-oss-request-payer", "requester")
            .header("cookie", "canary-cookie");
        assert_eq!(get.send().await.unwrap().status(), 206);

        let first = &server.received()[0];
        assert!(first.header("authorization").is_some() && first.header("x-oss-security-token").is_some());
        let second = &target.received()[0];
        assert_eq!(second.line, "GET /elsewhere?x=1");
        let mut names: Vec<_> = second.headers.iter().map(|(name, _)| name.as_str()).collect();
        names.sort_unstable();
        assert_eq!(names, ["accept", "host", "if-match", "range", "user-agent"]);
        for secret in ["canary", "faketempkeyid", "oss4-hmac", "signature"] {
            assert!(!whole(second).contains(secret), "{secret}");
        }
        assert_eq!(second.header("range"), Some("bytes=0-9"));
        assert_eq!(second.header("host"), Some(&*target.address.to_string()));
    }
}

#[tokio::test]
async fn nothing_comes_back_on_the_way_home() {
    // From the first server to another one and back: the signature stays behind.
    let home = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let endpoint = format!("http://{}", home.local_addr().unwrap());
    let other = Server::start([to(&format!("{endpoint}/back"))]);
    let location = format!("{}/away", other.endpoint());
    let lines = std::thread::spawn(move || {
        use std::io::{Read, Write};
        let mut heads = Vec::new();
        for reply in [to(&location), ok()] {
            let (mut stream, _) = home.accept().unwrap();
            let mut head = vec![0; 8192];
            let read = stream.read(&mut head).unwrap();
            heads.push(String::from_utf8_lossy(&head[..read]).to_lowercase());
            stream.write_all(&reply).unwrap();
        }
        heads
    });
    let client = builder(&endpoint, Keys::new(1)).redirects(5).build().unwrap();
    client.get_object("examplebucket", "k").send().await.unwrap();
    let heads = lines.join().unwrap();
    assert!(heads[0].contains("authorization:"), "{}", heads[0]);
    assert!(heads[1].starts_with("get /back"), "{}", heads[1]);
    assert!(
        !heads[1].contains("authorization:") && !heads[1].contains("x-oss-"),
        "{}",
        heads[1]
    );
}

#[tokio::test]
async fn the_same_server_gets_the_request_as_it_was_signed() {
    let server = Server::start([to("/examplebucket/other?v=2"), ok()]);
    client(&server, &Keys::new(1), 1)
        .get_object("examplebucket", "k")
        .send()
        .await
        .unwrap();
    let received = server.received();
    assert_eq!(received[1].line, "GET /examplebucket/other?v=2");
    for name in ["authorization", "x-oss-security-token", "x-oss-date"] {
        assert!(received[1].header(name).is_some());
        assert_eq!(received[1].header(name), received[0].header(name), "{name}");
    }
}

#[tokio::test]
async fn a_page_is_an_object_only_at_another_server() {
    // A mirror of a website is no OSS, and sends none of its headers.
    let page = || response(200, &[("content-type", "text/html")], "<html>welcome</html>");
    let mirror = Server::start([page()]);
    let server = Server::start([to(&mirror.endpoint())]);
    let get = client(&server, &Keys::new(1), 1).get_object("examplebucket", "k");
    assert_eq!(get.await.unwrap().bytes().await.unwrap(), "<html>welcome</html>");
    let server = Server::start([to("/login"), page()]);
    let get = client(&server, &Keys::new(1), 1).get_object("examplebucket", "k");
    let error = get.await.unwrap_err();
    assert!(matches!(error, Error::InvalidResponse(_)), "{error}");
    assert_eq!(server.count(), 2);
}

#[tokio::test]
async fn not_everything_is_followed() {
    let target = Server::start([ok(), ok()]);
    let elsewhere = target.endpoint();
    // Off by default.
    let server = Server::start([to(&elsewhere)]);
    let keys = Keys::new(1);
    let plain = builder(&server.endpoint(), keys.clone()).build().unwrap();
    plain.get_object("examplebucket", "k").send().await.unwrap_err();
    // Nothing that changes something, whatever the status, and without body too.
    for method in [Method::PUT, Method::POST, Method::DELETE] {
        for (status, body) in [(307, "canary-body"), (302, "")] {
            let server = Server::start([response(status, &[("Location", &elsewhere)], "")]);
            let operation = Operation::new("Any", method.clone())
                .bucket("examplebucket")
                .key("k")
                .body(body);
            let error = client(&server, &keys, 5).send(operation).await.unwrap_err();
            assert_eq!(error.service().unwrap().status().as_u16(), status, "{method}");
        }
    }
    // Neither other schemes nor passwords, nor a place that is none.
    let with_password = elsewhere.replace("http://", "http://user:word@");
    for location in [
        "ftp://127.0.0.1/x",
        "file:///etc/passwd",
        &with_password,
        "http://[",
    ] {
        let server = Server::start([to(location)]);
        let head = client(&server, &keys, 5).head_object("examplebucket", "k");
        assert_eq!(
            head.send().await.unwrap_err().service().unwrap().status(),
            302,
            "{location}"
        );
    }
    assert_eq!(target.count(), 0);
    // No more than allowed.
    let server = Server::start(vec![to("/loop"); 9]);
    client(&server, &keys, 3)
        .get_object("examplebucket", "k")
        .send()
        .await
        .unwrap_err();
    assert_eq!(server.count(), 4);
}

#[tokio::test]
async fn what_another_server_says_of_keys_and_clocks_does_not_count() {
    for code in ["InvalidAccessKeyId", "RequestTimeTooSkewed"] {
        let target = Server::start([refusal(403, code), refusal(403, code)]);
        let server = Server::start([to(&target.endpoint()), to(&target.endpoint())]);
        let keys = Keys::new(2);
        let get = client(&server, &keys, 1).get_object("examplebucket", "k");
        assert_eq!(get.send().await.unwrap_err().code(), Some(code));
        assert!(keys.invalidated().is_empty());
        assert_eq!((server.count(), target.count()), (1, 1), "{code}");
    }
}
