//! What a further attempt sends: its body, key and time.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bytes::Bytes;
use futures_util::stream;
use oss_client::Body;
use oss_credentials_core::test_util::ManualClock;
use oss_credentials_core::{CredentialsError, ErrorDetail, provider_fn};

use super::builder;
use super::common::{Keys, NOW, Server, ok, refusal, response, temporary};
use super::waiting::Pauses;

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
