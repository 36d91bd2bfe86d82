//! How a refusal for its time corrects the clock.

use std::io;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use futures_util::stream;
use oss_client::Body;
use oss_credentials_core::test_util::ManualClock;
use oss_credentials_core::{CredentialsProvider, provider_fn};

use super::common::{Keys, NOW, Server, builder, client, ok, refusal, response, temporary};
use super::skewed;

#[tokio::test]
async fn a_wrong_clock_is_corrected_for_all_clones_and_urls() {
    // The service is 2 hours and 5 seconds ahead of the local clock, which stands at 08:30:00.
    let server = Server::start([skewed("Thu, 01 Jan 2026 10:30:05 GMT"), ok(), ok()]);
    let client = client(&server, Keys::new(1));
    let clone = client.clone();
    client.put_object("examplebucket", "k", "x").send().await.unwrap();
    clone.head_object("examplebucket", "k").send().await.unwrap();
    let received = server.received();
    let dates: Vec<_> = received
        .iter()
        .map(|request| request.header("x-oss-date").unwrap())
        .collect();
    assert_eq!(
        dates,
        ["20260101T083000Z", "20260101T103005Z", "20260101T103005Z"]
    );
    let url = client
        .presign_get("examplebucket", "k", Duration::from_secs(60))
        .await
        .unwrap();
    assert!(url.url().contains("x-oss-date=20260101T103005Z"));
    let until = SystemTime::UNIX_EPOCH + Duration::from_secs(NOW + 7205 + 60);
    assert_eq!(url.valid_until(), until);
}

#[tokio::test]
async fn a_clock_is_corrected_backwards_and_only_once() {
    let early = "Thu, 01 Jan 2026 07:00:00 GMT";
    let server = Server::start([skewed(early), skewed(early), ok()]);
    let get = client(&server, Keys::new(1)).get_object("examplebucket", "k");
    let error = get.send().await.unwrap_err();
    assert_eq!(error.code(), Some("RequestTimeTooSkewed"));
    let received = server.received();
    assert_eq!(received.len(), 2);
    assert_eq!(received[1].header("x-oss-date"), Some("20260101T070000Z"));
}

#[tokio::test]
async fn without_a_usable_date_the_clock_stays_as_it_is() {
    let cached: &[(&str, &str)] = &[("Date", "Thu, 01 Jan 2026 07:00:00 GMT"), ("Age", "60")];
    for headers in [&[][..], &[("Date", "yesterday")], cached] {
        let body = "<Error><Code>RequestTimeTooSkewed</Code></Error>";
        let server = Server::start([response(403, headers, body), ok()]);
        let get = client(&server, Keys::new(1)).get_object("examplebucket", "k");
        get.send().await.unwrap_err();
        assert_eq!(server.count(), 1, "{headers:?}");
    }
}

#[tokio::test]
async fn a_date_that_cannot_be_right_is_ignored() {
    // 2027-01-01T00:00:00Z, and 2026-01-01T08:30:00Z, which is before the release of this version.
    let (later, before) = (1_798_761_600, NOW);
    for (local, signed, date) in [
        (later, "20270101T000000Z", "Sat, 02 Jan 2027 00:00:01 GMT"),
        (later, "20270101T000000Z", "Wed, 30 Dec 2026 23:59:59 GMT"),
        (later, "20270101T000000Z", "Mon, 01 Jan 2035 00:00:00 GMT"),
        (before, "20260101T083000Z", "Mon, 01 Jan 0001 00:00:00 GMT"),
        (before, "20260101T083000Z", "Thu, 01 Jan 1970 00:00:00 GMT"),
        (before, "20260101T083000Z", "Wed, 31 Dec 2014 23:59:59 GMT"),
        (before, "20260101T083000Z", "Fri, 01 Jan 2100 00:00:00 GMT"),
        (before, "20260101T083000Z", "Fri, 31 Dec 9999 23:59:59 GMT"),
    ] {
        let server = Server::start([skewed(date), ok(), skewed(date), ok()]);
        let client = builder(&server.endpoint(), Keys::new(1)).clock(ManualClock::at_unix(local));
        let client = client.build().unwrap();
        for body in [
            Body::from("x"),
            Body::stream(stream::iter([Ok::<_, io::Error>(Bytes::from("x"))])),
        ] {
            let error = client
                .put_object("examplebucket", "k", body)
                .send()
                .await
                .unwrap_err();
            assert_eq!(error.code(), Some("RequestTimeTooSkewed"), "{date}: {error}");
            client.head_object("examplebucket", "k").send().await.unwrap();
        }
        for request in server.received() {
            assert_eq!(request.header("x-oss-date"), Some(signed), "{date}");
        }
        assert_eq!(server.count(), 4, "{date}");
    }
}

#[tokio::test]
async fn a_correction_that_is_refused_again_is_forgotten() {
    let wrong = "Thu, 01 Jan 2026 07:00:00 GMT";
    let right = "Thu, 01 Jan 2026 10:30:00 GMT";
    let server = Server::start([skewed(wrong), skewed(wrong), ok(), skewed(right), ok(), ok()]);
    let client = client(&server, Keys::new(1));
    let get = || client.get_object("examplebucket", "k").send();
    assert_eq!(get().await.unwrap_err().code(), Some("RequestTimeTooSkewed"));
    get().await.unwrap();
    get().await.unwrap();
    get().await.unwrap();
    let received = server.received();
    let dates: Vec<_> = received
        .iter()
        .map(|request| request.header("x-oss-date").unwrap())
        .collect();
    assert_eq!(
        dates,
        [
            "20260101T083000Z",
            "20260101T070000Z",
            "20260101T083000Z",
            "20260101T083000Z",
            "20260101T103000Z",
            "20260101T103000Z"
        ]
    );
}

#[tokio::test]
async fn a_stream_is_not_repeated_but_sets_the_clock_right() {
    let server = Server::start([skewed("Thu, 01 Jan 2026 10:30:00 GMT"), ok()]);
    let client = client(&server, Keys::new(1));
    let body = || Body::stream(stream::iter([Ok::<_, io::Error>(Bytes::from("x"))]));
    let put = || client.put_object("examplebucket", "k", body()).send();
    assert_eq!(put().await.unwrap_err().code(), Some("RequestTimeTooSkewed"));
    put().await.unwrap();
    assert_eq!(
        server.received()[1].header("x-oss-date"),
        Some("20260101T103000Z")
    );
}

#[tokio::test]
async fn a_machine_that_starts_without_a_clock_learns_the_time() {
    let server = Server::start([skewed("Fri, 01 Jan 2027 10:30:00 GMT"), ok()]);
    let client = builder(&server.endpoint(), Keys::new(1))
        .clock(ManualClock::at_unix(100))
        .build()
        .unwrap();
    client.get_object("examplebucket", "k").send().await.unwrap();
    assert_eq!(
        server.received()[1].header("x-oss-date"),
        Some("20270101T103000Z")
    );
}

/// Keys of a machine whose clock is behind the year 9999 once they are requested for attempt `number`.
fn keys_until_9999(clock: &ManualClock, number: usize) -> impl CredentialsProvider + use<> {
    let clock = clock.clone();
    let asked = AtomicUsize::new(0);
    provider_fn("moves-the-clock", move || {
        if asked.fetch_add(1, Ordering::SeqCst) + 1 == number {
            clock.advance(Duration::from_secs(8_000 * 366 * 86_400));
        }
        Ok(temporary(1))
    })
}

#[tokio::test]
async fn a_corrected_request_that_cannot_be_signed_reports_the_latest_refusal() {
    let refused = |date: &str, id: &str| {
        let headers = [("Date", date), ("x-oss-request-id", id)];
        response(403, &headers, "<Error><Code>RequestTimeTooSkewed</Code></Error>")
    };
    for (number, id) in [(2, "R1"), (3, "R2")] {
        let server = Server::start([
            refused("Thu, 01 Jan 2026 10:30:00 GMT", "R1"),
            refused("Thu, 01 Jan 2026 11:30:00 GMT", "R2"),
        ]);
        let clock = ManualClock::at_unix(NOW);
        let client = builder(&server.endpoint(), keys_until_9999(&clock, number))
            .clock(clock)
            .retry(oss_client::FixedDelay::new(3, Duration::ZERO))
            .build()
            .unwrap();
        let error = client.get_object("examplebucket", "k").send().await.unwrap_err();
        assert_eq!(error.code(), Some("RequestTimeTooSkewed"), "{error}");
        assert_eq!(error.request_id(), Some(id), "{error}");
        assert_eq!(server.count(), number - 1);
    }
}

#[tokio::test]
async fn key_and_clock_may_both_be_wrong() {
    let server = Server::start([
        refusal(403, "InvalidAccessKeyId"),
        skewed("Thu, 01 Jan 2026 10:30:00 GMT"),
        ok(),
    ]);
    let keys = Keys::new(2);
    let get = client(&server, keys.clone()).get_object("examplebucket", "k");
    get.send().await.unwrap();
    assert_eq!((server.count(), keys.asked()), (3, 3));
}
