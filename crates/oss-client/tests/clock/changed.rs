//! How a correction follows later responses, and when it ends.

use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use oss_client::Client;
use oss_credentials_core::Clock;
use oss_credentials_core::test_util::ManualClock;

use super::common::{Handler, Keys, NOW, Server, builder, response};
use super::skewed;

const HOUR: Duration = Duration::from_secs(3600);
const ID: (&str, &str) = ("x-oss-request-id", "R1");
/// 10:30:00, two hours ahead of [`NOW`].
const SERVICE: &str = "Thu, 01 Jan 2026 10:30:00 GMT";

fn at(seconds: u64) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(seconds)
}

fn dated(status: u16, date: &str) -> Vec<u8> {
    response(status, &[("Date", date), ID], "")
}

/// Refuses the local time once, and then answers as told.
fn server(answers: impl IntoIterator<Item = Vec<u8>>) -> Server {
    Server::start([skewed(SERVICE), dated(200, SERVICE)].into_iter().chain(answers))
}

async fn ask(client: &Client) {
    // What the response is does not matter here.
    let _ = client.get_object("examplebucket", "k").await;
}

/// The signing time of whatever does not hear a response.
async fn signed_at(client: &Client) -> String {
    let url = client.presign_get("examplebucket", "k", HOUR).await.unwrap();
    let (_, rest) = url.url().split_once("x-oss-date=").unwrap();
    let in_url = rest.split('&').next().unwrap();
    let url = "http://examplebucket.oss-cn-hangzhou.aliyuncs.com/k";
    let mut request = reqwest::Request::new(reqwest::Method::GET, url.parse().unwrap());
    client
        .sign_reqwest(&mut request, Some("examplebucket"), Some("k"))
        .await
        .unwrap();
    assert_eq!(request.headers()["x-oss-date"], in_url);
    in_url.to_owned()
}

/// A clock without monotonic time: only answers tell that it was set.
#[derive(Clone, Debug)]
struct WallClock(Arc<Mutex<SystemTime>>);

impl WallClock {
    fn new() -> Self {
        Self(Arc::new(Mutex::new(at(NOW))))
    }

    fn set(&self, now: SystemTime) {
        *self.0.lock().unwrap() = now;
    }
}

impl Clock for WallClock {
    fn now(&self) -> SystemTime {
        *self.0.lock().unwrap()
    }
}

#[tokio::test]
async fn a_clock_that_is_put_right_is_believed_at_once() {
    let server = server([]);
    let clock = ManualClock::at_unix(NOW);
    let client = builder(&server.endpoint(), Keys::new(1))
        .clock(clock.clone())
        .build()
        .unwrap();
    ask(&client).await;
    assert_eq!(signed_at(&client).await, "20260101T103000Z");
    // It stays wrong for a day, and is corrected for as long.
    clock.advance(24 * HOUR);
    assert_eq!(signed_at(&client).await, "20260102T103000Z");
    clock.set(at(NOW) + 26 * HOUR);
    assert_eq!(signed_at(&client).await, "20260102T103000Z");
    assert_eq!(server.count(), 2, "nobody was asked");
}

#[tokio::test]
async fn a_date_that_agrees_with_the_local_clock_ends_the_correction() {
    for (status, later) in [(200, SERVICE), (404, "Thu, 01 Jan 2026 10:30:29 GMT")] {
        let server = server([dated(status, later)]);
        let clock = WallClock::new();
        let client = builder(&server.endpoint(), Keys::new(1))
            .clock(clock.clone())
            .build()
            .unwrap();
        ask(&client).await;
        clock.set(at(NOW) + 2 * HOUR);
        assert_eq!(signed_at(&client).await, "20260101T123000Z", "nothing tells yet");
        ask(&client).await;
        assert_eq!(signed_at(&client).await, "20260101T103000Z", "{status}");
    }
}

#[tokio::test]
async fn a_correction_follows_the_dates_of_answers() {
    let server = server([dated(200, "Thu, 01 Jan 2026 09:30:00 GMT")]);
    let client = builder(&server.endpoint(), Keys::new(1)).build().unwrap();
    ask(&client).await;
    ask(&client).await;
    assert_eq!(signed_at(&client).await, "20260101T093000Z");
}

#[tokio::test]
async fn dates_that_say_nothing_about_the_service_change_no_correction() {
    // The local clock, which is two hours behind.
    let date = "Thu, 01 Jan 2026 08:30:00 GMT";
    let from_a_cache = response(200, &[("Date", date), ("Age", "7200"), ID], "");
    let of_a_proxy = |status| response(status, &[("Date", date)], "<html>who are you?</html>");
    for says_nothing in [
        dated(502, date),
        of_a_proxy(403),
        of_a_proxy(407),
        dated(200, "Thu, 01 Jan 1970 00:00:00 GMT"),
        dated(200, "yesterday"),
        response(200, &[ID], ""),
        from_a_cache,
    ] {
        let server = server([says_nothing]);
        let client = builder(&server.endpoint(), Keys::new(1)).build().unwrap();
        ask(&client).await;
        ask(&client).await;
        assert_eq!(server.count(), 3);
        assert_eq!(signed_at(&client).await, "20260101T103000Z");
    }
}

#[tokio::test]
async fn a_date_of_a_long_exchange_changes_no_correction() {
    let clock = ManualClock::at_unix(NOW);
    let slow = clock.clone();
    let reply = |bytes: Vec<u8>| -> Handler {
        Box::new(move |_, stream| std::io::Write::write_all(stream, &bytes).unwrap())
    };
    let server = Server::with_handlers([
        reply(skewed(SERVICE)),
        reply(dated(200, SERVICE)),
        Box::new(move |_, stream| {
            slow.advance(HOUR);
            let date = "Thu, 01 Jan 2026 11:30:00 GMT";
            std::io::Write::write_all(stream, &dated(200, date)).unwrap();
        }),
    ]);
    let client = builder(&server.endpoint(), Keys::new(1))
        .clock(clock)
        .build()
        .unwrap();
    ask(&client).await;
    ask(&client).await;
    // Half an hour more than that is what the middle of the exchange would show.
    assert_eq!(signed_at(&client).await, "20260101T113000Z");
}

#[tokio::test]
async fn a_redirect_to_another_server_changes_no_correction() {
    let elsewhere = Server::start([dated(200, "Thu, 01 Jan 2026 08:30:00 GMT")]);
    let location = format!("{}/k", elsewhere.endpoint());
    let server = server([response(302, &[("Location", &location)], "")]);
    let client = builder(&server.endpoint(), Keys::new(1))
        .redirects(1)
        .build()
        .unwrap();
    ask(&client).await;
    ask(&client).await;
    assert_eq!(elsewhere.count(), 1);
    assert_eq!(signed_at(&client).await, "20260101T103000Z");
}

#[tokio::test]
async fn an_offset_on_trial_ends_where_another_server_responds() {
    for status in [200, 404, 503] {
        let elsewhere = Server::start([response(status, &[("Date", SERVICE), ("ETag", "e"), ID], "")]);
        let location = format!("{}/k", elsewhere.endpoint());
        let redirect = response(302, &[("Location", &location)], "");
        let server = Server::start([
            skewed(SERVICE),
            redirect,
            dated(200, "Thu, 01 Jan 2026 08:30:00 GMT"),
        ]);
        let client = builder(&server.endpoint(), Keys::new(1))
            .redirects(1)
            .retry(oss_client::FixedDelay::new(3, Duration::ZERO))
            .build()
            .unwrap();
        ask(&client).await;
        assert_eq!(elsewhere.count(), 1);
        assert_eq!(
            server.received()[1].header("x-oss-date"),
            Some("20260101T103000Z")
        );
        let again = server
            .received()
            .get(2)
            .map(|request| request.header("x-oss-date").map(str::to_owned));
        assert_eq!(
            again,
            (status == 503).then(|| Some("20260101T083000Z".to_owned()))
        );
        // That server saw no signature, so it cannot have accepted the time.
        assert_eq!(signed_at(&client).await, "20260101T083000Z", "{status}");
    }
}

#[tokio::test]
async fn a_refusal_has_the_time_of_the_service() {
    let denied = |headers: &[_]| response(403, headers, "<Error><Code>AccessDenied</Code></Error>");
    let server = Server::start([denied(&[("Date", SERVICE)]), denied(&[])]);
    let client = builder(&server.endpoint(), Keys::new(1)).build().unwrap();
    for expected in [Some(at(NOW) + 2 * HOUR), None] {
        let error = client.get_object("examplebucket", "k").await.unwrap_err();
        assert_eq!(error.service().unwrap().timestamp(), expected);
    }
}

#[tokio::test]
async fn a_clock_that_no_answer_refused_is_not_corrected() {
    let server = Server::start([dated(200, SERVICE)]);
    let client = builder(&server.endpoint(), Keys::new(1)).build().unwrap();
    ask(&client).await;
    assert_eq!(signed_at(&client).await, "20260101T083000Z");
}

#[tokio::test]
async fn over_plain_http_a_refusal_serves_its_own_retry_alone() {
    let server = Server::start([skewed(SERVICE), dated(200, SERVICE), dated(200, SERVICE)]);
    let client = builder("http://oss.example", Keys::new(1))
        .proxy(server.endpoint())
        .build()
        .unwrap();
    ask(&client).await;
    assert_eq!(signed_at(&client).await, "20260101T083000Z");
    ask(&client).await;
    let received = server.received();
    let dates: Vec<_> = received
        .iter()
        .map(|request| request.header("x-oss-date"))
        .collect();
    let [first, retry, later] = dates.as_slice() else {
        panic!("{dates:?}");
    };
    assert_eq!(*first, Some("20260101T083000Z"));
    assert_eq!(*retry, Some("20260101T103000Z"));
    assert_eq!(*later, Some("20260101T083000Z"));
}

#[tokio::test]
async fn a_service_may_be_kept_from_correcting_the_clock() {
    let server = server([]);
    let client = builder(&server.endpoint(), Keys::new(1))
        .correct_clock(false)
        .build()
        .unwrap();
    let refused = client.get_object("examplebucket", "k").await.unwrap_err();
    assert_eq!(refused.code(), Some("RequestTimeTooSkewed"));
    assert_eq!(server.count(), 1);
    assert_eq!(signed_at(&client).await, "20260101T083000Z");
}

#[tokio::test]
async fn urls_wait_until_the_service_has_accepted_the_time() {
    let server = Server::start([skewed(SERVICE), dated(200, SERVICE)]);
    let client = builder(&server.endpoint(), Keys::new(1)).build().unwrap();
    let url = || async {
        let url = client.presign_get("examplebucket", "k", HOUR).await.unwrap();
        url.url().contains("x-oss-date=20260101T103000Z")
    };
    let piece = futures_util::stream::iter([Ok::<_, std::io::Error>("x".into())]);
    let stream = oss_client::Body::stream(piece);
    // A stream cannot be sent again, so nothing shows yet that the other time is accepted.
    client.put_object("examplebucket", "k", stream).await.unwrap_err();
    assert!(!url().await);
    ask(&client).await;
    assert_eq!(
        server.received()[1].header("x-oss-date"),
        Some("20260101T103000Z")
    );
    assert!(url().await);
}

/// Input 6 of the cases: what a refusal shows besides a usable `Date`.
#[tokio::test]
async fn the_time_in_the_document_counts_where_the_date_cannot_be_believed() {
    let document =
        "<Error><Code>RequestTimeTooSkewed</Code><ServerTime>2026-01-01T10:30:00.000Z</ServerTime></Error>";
    let bare = "<Error><Code>RequestTimeTooSkewed</Code></Error>";
    for (headers, body) in [
        (&[][..], document),
        (&[("Date", "Thu, 01 Jan 1970 00:00:00 GMT")], document),
        // A proxy that shares the local clock wrote it.
        (&[("Date", "Thu, 01 Jan 2026 08:30:01 GMT")], document),
        (
            &[("Date", "Thu, 01 Jan 2026 07:00:00 GMT"), ("Age", "60")],
            document,
        ),
        (&[("Date", "Thursday, 01-Jan-26 10:30:00 GMT")], bare),
        (&[("Date", "Thu Jan  1 10:30:00 2026")], bare),
    ] {
        let server = Server::start([response(403, headers, body), dated(200, SERVICE)]);
        let client = builder(&server.endpoint(), Keys::new(1)).build().unwrap();
        ask(&client).await;
        let received = server.received();
        assert_eq!(received.len(), 2, "{headers:?}");
        assert_eq!(
            received[1].header("x-oss-date"),
            Some("20260101T103000Z"),
            "{headers:?}"
        );
    }
    // A response to HEAD has its document in a header.
    let encoded = base64::Engine::encode(&base64::engine::general_purpose::STANDARD, document);
    let refusal = response(403, &[("x-oss-err", encoded.as_str())], "");
    let server = Server::start([refusal, dated(200, SERVICE)]);
    let client = builder(&server.endpoint(), Keys::new(1)).build().unwrap();
    client.head_object("examplebucket", "k").await.unwrap();
    assert_eq!(
        server.received()[1].header("x-oss-date"),
        Some("20260101T103000Z")
    );
    // What is no time of the service is not one in the document either.
    let far = document.replace("2026-01-01", "2126-01-01");
    let server = Server::start([response(403, &[], &far), dated(200, SERVICE)]);
    let client = builder(&server.endpoint(), Keys::new(1)).build().unwrap();
    ask(&client).await;
    assert_eq!(server.count(), 1);
}
