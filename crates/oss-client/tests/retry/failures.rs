//! Which failures are retried.

use std::net::TcpListener;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use oss_client::{Client, Error};
use oss_credentials_core::{CredentialsError, ErrorDetail, provider_fn};
use oss_credentials_http::HttpErrorKind;
use oss_testkit::{Fault, LocalCloud, Service};

use super::common::{Handler, Keys, Server, ok, refusal, response};
use super::waiting::Pauses;
use super::{MS, builder};

/// How many requests a client with default settings makes of answers that stay the same.
async fn requests_for(answers: impl Fn() -> Vec<u8>) -> (usize, Error, Vec<Duration>) {
    let server = Server::start([answers(), answers(), answers(), answers()]);
    let pauses = Pauses::default();
    let client = builder(&server.endpoint(), Keys::new(1), &pauses)
        .build()
        .unwrap();
    let error = client
        .put_object("examplebucket", "k", "x")
        .send()
        .await
        .unwrap_err();
    (server.count(), error, pauses.taken())
}

#[tokio::test]
async fn answers_that_may_change_are_asked_for_three_times() {
    for (status, code) in [
        (500, "InternalError"),
        (502, "BadGateway"),
        (503, "ServiceUnavailable"),
        (504, "GatewayTimeout"),
        (599, "X"),
        (401, "X"),
        (408, "X"),
        (429, "TooManyRequests"),
        (400, "BadRequest"),
        (403, "RequestTimeTooSkewed"),
    ] {
        let (requests, error, pauses) = requests_for(|| refusal(status, code)).await;
        assert_eq!((requests, error.code()), (3, Some(code)), "{status}");
        assert!(error.is_retryable());
        assert_eq!(pauses.len(), 2, "{status} {code}");
        assert!(pauses[0] < 400 * MS && pauses[1] < 800 * MS, "{pauses:?}");
    }
    let (requests, error, _) = requests_for(|| response(502, &[], "<html>busy</html>")).await;
    assert_eq!((requests, error.code()), (3, Some("BadErrorResponse")));
}

#[tokio::test]
async fn answers_that_will_not_change_are_final() {
    for (status, code) in [
        (400, "InvalidArgument"),
        (400, "RequestTimeout"),
        (403, "AccessDenied"),
        (403, "SignatureDoesNotMatch"),
        // There are no other keys here.
        (403, "SecurityTokenExpired"),
        (404, "NoSuchKey"),
        (409, "FileAlreadyExists"),
        (412, "PreconditionFailed"),
        (416, "InvalidRange"),
        (501, "NotImplemented"),
        (301, "X"),
        (302, "X"),
    ] {
        let (requests, error, pauses) = requests_for(|| refusal(status, code)).await;
        assert_eq!((requests, error.code()), (1, Some(code)), "{status}");
        assert!(!error.is_retryable());
        assert!(pauses.is_empty(), "{status} {code}");
    }
    // It has no body.
    let (requests, error, _) = requests_for(|| response(304, &[], "")).await;
    assert_eq!((requests, error.code()), (1, Some("BadErrorResponse")));
}

/// A successful response with this many headers.
fn with_headers(count: usize) -> Vec<u8> {
    let names: Vec<_> = (0..count - 2).map(|n| format!("x-oss-meta-{n}")).collect();
    let headers: Vec<_> = names.iter().map(|name| (name.as_str(), "v")).collect();
    response(200, &headers, "")
}

#[tokio::test]
async fn more_headers_than_are_read_are_final() {
    let (requests, error, pauses) = requests_for(|| with_headers(1025)).await;
    assert_eq!((requests, pauses.len()), (1, 0));
    assert!(!error.is_retryable());
    assert!(
        error.to_string().ends_with(
            "the exchange failed: message head is too large; check the endpoint, and what responds there: the response \
             has more than 1024 headers, or more than 408 KiB of them"
        ),
        "{error}"
    );
    let server = Server::start([with_headers(1024)]);
    let client = builder(&server.endpoint(), Keys::new(1), &Pauses::default())
        .build()
        .unwrap();
    let head = client.head_object("examplebucket", "k").send().await.unwrap();
    assert_eq!(head.headers().len(), 1024);
}

#[tokio::test]
async fn broken_connections_are_made_anew() {
    // Closed without a response, in the status line, and between headers.
    for cut in ["", "HTTP/1.1 200", "HTTP/1.1 200 OK\r\nContent-Length: 9"] {
        let server = Server::start([cut.into(), cut.into(), ok()]);
        let pauses = Pauses::default();
        let client = builder(&server.endpoint(), Keys::new(1), &pauses)
            .build()
            .unwrap();
        client
            .put_object("examplebucket", "k", "content")
            .send()
            .await
            .unwrap();
        assert_eq!((server.count(), pauses.taken().len()), (3, 2), "{cut}");
        assert!(server.received().iter().all(|request| request.body == b"content"));
    }
}

#[tokio::test]
async fn refused_connections_and_failing_tls_are_tried_three_times() {
    // The port was free a moment ago, and nobody listens there now.
    let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let pauses = Pauses::default();
    let client = builder(&format!("http://{address}"), Keys::new(1), &pauses)
        .build()
        .unwrap();
    let error = client.head_object("examplebucket", "k").send().await.unwrap_err();
    assert!(error.to_string().contains("no connection"), "{error}");
    assert_eq!(pauses.taken().len(), 2);

    if cfg!(any(feature = "rustls", feature = "native-tls")) {
        // Not TLS, whatever is answered.
        let server = raw_answers("HTTP/1.1 400 Bad Request\r\n\r\n");
        let pauses = Pauses::default();
        let client = builder(&format!("https://{server}"), Keys::new(1), &pauses)
            .build()
            .unwrap();
        let error = client.head_object("examplebucket", "k").send().await.unwrap_err();
        assert!(matches!(&error, Error::Transport(_)), "{error}");
        assert_eq!(pauses.taken().len(), 2, "{error}");
    }
}

/// Answers anything with this text, without reading a request.
fn raw_answers(text: &'static str) -> std::net::SocketAddr {
    use std::io::{Read, Write};
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        while let Ok((mut stream, _)) = listener.accept() {
            let _ = stream.read(&mut [0; 1024]);
            let _ = stream.write_all(text.as_bytes());
        }
    });
    address
}

#[tokio::test]
async fn silence_is_tried_again() {
    // The connections stay open as long as this does.
    let open = Arc::new(Mutex::new(Vec::new()));
    let silent = || -> Handler {
        let open = Arc::clone(&open);
        Box::new(move |_, stream| open.lock().unwrap().push(stream.try_clone().unwrap()))
    };
    let server = Server::with_handlers([silent(), silent(), silent()]);
    let pauses = Pauses::default();
    // A read time-out under ten seconds is over at once.
    let client = builder(&server.endpoint(), Keys::new(1), &pauses)
        .read_timeout(Duration::from_secs(9))
        .build()
        .unwrap();
    let error = client.get_object("examplebucket", "k").send().await.unwrap_err();
    let Error::Transport(error) = error else {
        panic!("{error}")
    };
    assert_eq!(error.kind(), HttpErrorKind::Timeout);
    let between: Vec<_> = pauses
        .taken()
        .into_iter()
        .filter(|pause| *pause < Duration::from_secs(9))
        .collect();
    assert_eq!(between.len(), 2);
}

#[tokio::test]
async fn missing_credentials_are_asked_for_again_only_where_that_may_help() {
    let failing = |error: fn(ErrorDetail) -> CredentialsError| {
        let asked = Arc::new(AtomicUsize::new(0));
        let counter = Arc::clone(&asked);
        let provider = provider_fn("vault", move || {
            counter.fetch_add(1, Ordering::SeqCst);
            Err(error(ErrorDetail::builder("vault", "sealed").build()))
        });
        (provider, asked)
    };
    for (error, expected) in [
        (CredentialsError::unavailable as fn(_) -> _, 3),
        (CredentialsError::denied, 1),
        (CredentialsError::invalid_config, 1),
    ] {
        let (provider, asked) = failing(error);
        let pauses = Pauses::default();
        let client = builder("http://127.0.0.1:1", provider, &pauses).build().unwrap();
        let error = client.get_object("examplebucket", "k").send().await.unwrap_err();
        assert!(matches!(error, Error::Credentials(_)), "{error}");
        assert_eq!(asked.load(Ordering::SeqCst), expected, "{error}");
        assert_eq!(pauses.taken().len(), expected - 1);
    }
}

#[tokio::test]
async fn faults_of_the_local_cloud_are_survived() {
    let cloud = LocalCloud::start().await.unwrap();
    let pauses = Pauses::default();
    let client = Client::builder()
        .region(cloud.region())
        .endpoint(cloud.oss_endpoint())
        .credentials(cloud.access_key())
        .sleep(pauses.clone())
        .build()
        .unwrap();
    cloud.put_object(cloud.bucket(), "k", "content");
    for fault in [
        Fault::throttling(),
        Fault::error(500, "InternalError"),
        Fault::html(502),
        Fault::reset(),
    ] {
        cloud.forget_requests();
        cloud.fault(Service::Oss, fault.clone().times(2));
        let object = client.get_object(cloud.bucket(), "k").send().await.unwrap();
        assert_eq!(object.bytes().await.unwrap(), "content", "{fault:?}");
        assert_eq!(cloud.requests().len(), 3, "{fault:?}");
    }
    assert_eq!(pauses.taken().len(), 8);
}
