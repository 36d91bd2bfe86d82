//! What is tried again, when, and what each attempt is signed with. No test waits.
#![cfg(any(
    feature = "rustls",
    feature = "native-tls",
    not(feature = "rustls-no-provider")
))]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod common;
#[path = "common/waiting.rs"]
mod waiting;

use std::io;
use std::net::TcpListener;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use common::{Handler, Keys, NOW, Server, ok, refusal, response, temporary};
use futures_util::stream;
use oss_client::{Body, Client, ClientBuilder, Error, FixedDelay, NoRetry, StandardRetry, retry_fn};
use oss_credentials_core::test_util::ManualClock;
use oss_credentials_core::{CredentialsError, CredentialsProvider, ErrorDetail, provider_fn};
use oss_credentials_http::HttpErrorKind;
use oss_testkit::{Fault, LocalCloud, Service};
use waiting::Pauses;

const MS: Duration = Duration::from_millis(1);

/// With the policy that is the default.
fn builder(endpoint: &str, keys: impl CredentialsProvider, pauses: &Pauses) -> ClientBuilder {
    Client::builder()
        .region("cn-hangzhou")
        .endpoint(endpoint)
        .credentials(keys)
        .clock(ManualClock::at_unix(NOW))
        .sleep(pauses.clone())
}

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
async fn an_error_tells_the_number_of_its_attempt_unless_it_is_the_first() {
    let busy = || refusal(503, "ServiceUnavailable");
    let page = || response(200, &[], "<html>please log in</html>");
    let changed = || response(200, &[("x-oss-hash-crc64ecma", "1")], "");
    for (answers, expected) in [
        (
            vec![busy(), busy(), busy()],
            ", attempt 3, HTTP 503): ServiceUnavailable",
        ),
        (
            vec![busy(), refusal(403, "AccessDenied")],
            ", attempt 2, HTTP 403): AccessDenied",
        ),
        (vec![busy(), page()], ", attempt 2): it has a body"),
        (
            vec![busy(), busy(), Vec::new()],
            ", attempt 3): the connection broke",
        ),
        (
            vec![changed(), changed(), changed()],
            ", attempt 3): the CRC-64 is 1 there",
        ),
        (vec![refusal(403, "AccessDenied")], "/k, HTTP 403): AccessDenied"),
        (vec![page()], "/k): it has a body"),
    ] {
        let server = Server::start(answers);
        let pauses = Pauses::default();
        let client = builder(&server.endpoint(), Keys::new(1), &pauses).build();
        let error = client.unwrap().put_object("examplebucket", "k", "x").await;
        let error = error.unwrap_err().to_string();
        assert!(error.contains(expected), "{expected}: {error}");
    }
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
async fn an_upload_that_arrived_changed_is_sent_again() {
    // Those of `hello world` and of nothing, as the vendor's Python SDK V2 computes them.
    let right = response(200, &[("x-oss-hash-crc64ecma", "5981764153023615706")], "");
    let wrong = || {
        response(
            200,
            &[("x-oss-hash-crc64ecma", "0"), ("x-oss-request-id", "R7")],
            "",
        )
    };
    let pieces = || stream::iter([Ok::<_, io::Error>(Bytes::from("hello ")), Ok("world".into())]);

    let server = Server::start([wrong(), right.clone(), right.clone(), wrong(), wrong()]);
    let pauses = Pauses::default();
    let client = builder(&server.endpoint(), Keys::new(1), &pauses)
        .build()
        .unwrap();
    let put = |body| client.put_object("examplebucket", "k", body).send();
    put(Body::from("hello world")).await.unwrap();
    assert_eq!((server.count(), pauses.taken().len()), (2, 1));
    put(Body::sized_stream(pieces(), 11)).await.unwrap();

    // A stream is gone, and the error says what happened.
    let error = put(Body::stream(pieces())).await.unwrap_err();
    assert_eq!(server.count(), 4);
    assert!(error.is_retryable());
    assert_eq!(error.request_id(), Some("R7"));
    assert_eq!(
        error.to_string(),
        format!(
            "oss-client: PutObject stored data that differs from what was sent (PUT {}/examplebucket/k): the CRC-64 is 0 \
             there and 5981764153023615706 here, request ID R7; send again, and look for what changes bodies on the network path",
            server.endpoint()
        )
    );
    let unchecked = builder(&server.endpoint(), Keys::new(1), &pauses)
        .check_crc(false)
        .build()
        .unwrap();
    unchecked
        .put_object("examplebucket", "k", "hello world")
        .send()
        .await
        .unwrap();
}

#[tokio::test]
async fn what_cannot_be_rewound_is_sent_once() {
    let body = || Body::stream(stream::iter([Ok::<_, io::Error>(Bytes::from("x"))]));
    let server = Server::start([refusal(503, "ServiceUnavailable"), ok()]);
    let pauses = Pauses::default();
    let client = builder(&server.endpoint(), Keys::new(1), &pauses)
        .build()
        .unwrap();
    let error = client
        .put_object("examplebucket", "k", body())
        .send()
        .await
        .unwrap_err();
    assert_eq!((server.count(), error.code()), (1, Some("ServiceUnavailable")));
    assert!(pauses.taken().is_empty());

    // A stream that nobody has read yet is whole: credentials were missing at first.
    let asked = AtomicUsize::new(0);
    let late = provider_fn("late", move || match asked.fetch_add(1, Ordering::SeqCst) {
        0 => Err(CredentialsError::unavailable(
            ErrorDetail::builder("late", "not yet").build(),
        )),
        _ => Ok(temporary(1)),
    });
    let client = builder(&server.endpoint(), late, &pauses).build().unwrap();
    client
        .put_object("examplebucket", "k", body())
        .send()
        .await
        .unwrap();
    assert_eq!(server.received()[1].body, b"x");
    assert_eq!(pauses.taken().len(), 1);
}

#[tokio::test]
async fn a_stream_that_can_be_opened_again_is_sent_again_from_its_beginning() {
    let busy = || refusal(503, "ServiceUnavailable");
    let server = Server::start([busy(), refusal(403, "InvalidAccessKeyId"), ok(), ok()]);
    let pauses = Pauses::default();
    let client = builder(&server.endpoint(), Keys::new(2), &pauses)
        .build()
        .unwrap();
    let opened = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&opened);
    let body = Body::reopened(11, move || {
        counter.fetch_add(1, Ordering::SeqCst);
        stream::iter([Ok::<_, io::Error>(Bytes::from("hello ")), Ok("world".into())])
    });
    client
        .put_object("examplebucket", "k", body)
        .send()
        .await
        .unwrap();
    assert_eq!((server.count(), opened.load(Ordering::SeqCst)), (3, 3));
    for request in server.received() {
        assert_eq!(request.body, b"hello world");
        assert_eq!(request.header("content-length"), Some("11"));
    }
    let empty = Body::reopened(0, stream::empty::<Result<Bytes, io::Error>>);
    client
        .put_object("examplebucket", "k", empty)
        .send()
        .await
        .unwrap();
    assert_eq!(server.received()[3].header("content-length"), Some("0"));
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
async fn each_attempt_has_its_own_credentials_time_and_signature() {
    let clock = ManualClock::at_unix(NOW);
    let ticking = clock.clone();
    let numbers = AtomicUsize::new(0);
    let rotating = provider_fn("rotating", move || {
        ticking.advance(Duration::from_secs(60));
        Ok(temporary(numbers.fetch_add(1, Ordering::SeqCst) + 1))
    });
    let busy = || refusal(503, "ServiceUnavailable");
    let server = Server::start([busy(), busy(), ok()]);
    let pauses = Pauses::default();
    let client = builder(&server.endpoint(), rotating, &pauses)
        .clock(clock)
        .build()
        .unwrap();
    client.get_object("examplebucket", "k").send().await.unwrap();
    let received = server.received();
    let all = |name: &str| -> Vec<String> {
        received
            .iter()
            .map(|request| request.header(name).unwrap().to_owned())
            .collect()
    };
    assert_eq!(
        all("x-oss-security-token"),
        ["canary-token-1", "canary-token-2", "canary-token-3"]
    );
    assert_eq!(
        all("x-oss-date"),
        ["20260101T083100Z", "20260101T083200Z", "20260101T083300Z"]
    );
    let mut signatures = all("authorization");
    signatures.dedup();
    assert_eq!(signatures.len(), 3);
}

#[tokio::test]
async fn policies_decide_how_often_and_when() {
    let busy = || vec![refusal(503, "ServiceUnavailable"); 9];
    let pauses = Pauses::default();
    let run = async |server: &Server, set: &dyn Fn(ClientBuilder) -> ClientBuilder| {
        let client = set(builder(&server.endpoint(), Keys::new(1), &pauses))
            .build()
            .unwrap();
        client
            .delete_object("examplebucket", "k")
            .send()
            .await
            .unwrap_err();
        server.count()
    };
    let server = Server::start(busy());
    assert_eq!(run(&server, &|b| b.retry(NoRetry)).await, 1);
    let server = Server::start(busy());
    assert_eq!(
        run(&server, &|b| b.retry(StandardRetry::new().max_attempts(1))).await,
        1
    );
    assert!(pauses.taken().is_empty());
    let server = Server::start(busy());
    assert_eq!(run(&server, &|b| b.retry(FixedDelay::new(4, 150 * MS))).await, 4);
    assert_eq!(pauses.taken(), [150 * MS; 3]);
    let own = || {
        retry_fn(|failed| {
            assert_eq!(failed.operation(), "DeleteObject");
            assert_eq!(failed.error().code(), Some("ServiceUnavailable"));
            (failed.number() < 3).then_some(failed.number() * 7 * MS)
        })
    };
    let server = Server::start(busy());
    assert_eq!(run(&server, &|b| b.retry(own())).await, 3);
    assert_eq!(pauses.taken()[3..], [7 * MS, 14 * MS]);
}

#[tokio::test]
async fn a_rejected_key_is_replaced_beside_the_policy() {
    let server = Server::start([
        refusal(503, "ServiceUnavailable"),
        refusal(403, "InvalidAccessKeyId"),
        ok(),
    ]);
    let keys = Keys::new(2);
    let pauses = Pauses::default();
    let client = builder(&server.endpoint(), keys.clone(), &pauses)
        .build()
        .unwrap();
    client.get_object("examplebucket", "k").send().await.unwrap();
    assert_eq!(keys.invalidated(), ["STS.FakeTempKeyId0001"]);
    assert_eq!(pauses.taken().len(), 1, "the other key is tried at once");
}

#[tokio::test]
async fn a_correction_on_trial_survives_a_busy_service() {
    let body = "<Error><Code>RequestTimeTooSkewed</Code></Error>";
    let skewed = response(403, &[("Date", "Thu, 01 Jan 2026 10:30:00 GMT")], body);
    let server = Server::start([skewed, refusal(503, "ServiceUnavailable"), ok(), ok()]);
    let pauses = Pauses::default();
    let client = builder(&server.endpoint(), Keys::new(1), &pauses)
        .build()
        .unwrap();
    client.get_object("examplebucket", "k").send().await.unwrap();
    client.get_object("examplebucket", "k").send().await.unwrap();
    let dates: Vec<_> = server
        .received()
        .iter()
        .map(|r| r.header("x-oss-date").unwrap().to_owned())
        .collect();
    assert_eq!(
        dates,
        [
            "20260101T083000Z",
            "20260101T103000Z",
            "20260101T103000Z",
            "20260101T103000Z"
        ]
    );
}

#[tokio::test]
async fn a_correction_that_only_a_busy_service_saw_is_not_kept() {
    let body = "<Error><Code>RequestTimeTooSkewed</Code></Error>";
    let server = Server::start([
        response(403, &[("Date", "Thu, 01 Jan 2026 10:30:00 GMT")], body),
        refusal(503, "ServiceUnavailable"),
        response(403, &[], body),
        ok(),
    ]);
    let pauses = Pauses::default();
    let client = builder(&server.endpoint(), Keys::new(1), &pauses)
        .build()
        .unwrap();
    let get = || client.get_object("examplebucket", "k").send();
    assert_eq!(get().await.unwrap_err().code(), Some("RequestTimeTooSkewed"));
    get().await.unwrap();
    assert_eq!(
        server.received()[3].header("x-oss-date"),
        Some("20260101T083000Z")
    );
}

#[tokio::test]
async fn each_refused_time_teaches_the_next_attempt() {
    let skewed = |date: &str| {
        response(
            403,
            &[("Date", date)],
            "<Error><Code>RequestTimeTooSkewed</Code></Error>",
        )
    };
    let server = Server::start([
        skewed("Thu, 01 Jan 2026 07:00:00 GMT"),
        skewed("Thu, 01 Jan 2026 10:30:00 GMT"),
        ok(),
    ]);
    let pauses = Pauses::default();
    let client = builder(&server.endpoint(), Keys::new(1), &pauses)
        .build()
        .unwrap();
    client.get_object("examplebucket", "k").send().await.unwrap();
    let received = server.received();
    assert_eq!(received[1].header("x-oss-date"), Some("20260101T070000Z"));
    assert_eq!(received[2].header("x-oss-date"), Some("20260101T103000Z"));
    assert_eq!(pauses.taken().len(), 1, "the first correction is tried at once");
}

#[tokio::test]
async fn the_whole_operation_has_a_time_too() {
    let server = Server::start(vec![refusal(503, "ServiceUnavailable"); 9]);
    let clock = ManualClock::at_unix(NOW);
    let client = Client::builder()
        .region("cn-hangzhou")
        .endpoint(server.endpoint())
        .credentials(Keys::new(1))
        .clock(clock.clone())
        .sleep(clock.clone())
        .retry(FixedDelay::new(9, Duration::from_secs(3)))
        .operation_timeout(Duration::from_secs(5))
        .build()
        .unwrap();
    let get = client.get_object("examplebucket", "k").send();
    let moving = async {
        for _ in 0..2 {
            // The operation's timer and that of the pause.
            while clock.sleepers() < 2 || server.count() == 0 {
                tokio::task::yield_now().await;
            }
            clock.advance(Duration::from_millis(2_500));
            tokio::task::yield_now().await;
        }
        std::future::pending::<()>().await;
    };
    let error = tokio::select! {
        outcome = get => outcome.unwrap_err(),
        () = moving => unreachable!(),
    };
    assert!(!error.is_retryable());
    let text = error.to_string();
    assert!(
        text.contains("the operation was not done after 5000 ms"),
        "{text}"
    );
    assert!(text.contains("; raise `operation_timeout`"), "{text}");
    assert!(server.count() <= 2, "{}", server.count());
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
