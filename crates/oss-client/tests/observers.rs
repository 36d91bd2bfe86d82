//! What observers are told of each attempt, and what spans and events are named.
#![cfg(any(
    feature = "rustls",
    feature = "native-tls",
    not(feature = "rustls-no-provider")
))]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod common;

use std::io::{self, Write as _};
use std::sync::{Arc, Mutex};
use std::task::Poll;
use std::time::Duration;

use common::{Handler, Keys, NOW, Received, Server, builder, response};
use oss_client::{AttemptEvent, AttemptOutcome, Client, ClientBuilder, FixedDelay};
use oss_credentials_core::test_util::ManualClock;

type Events = Arc<Mutex<Vec<AttemptEvent>>>;

/// Keeps all events, and panics after each: that is nobody's problem.
fn observed(builder: ClientBuilder) -> (Client, Events) {
    let events = Events::default();
    let kept = Arc::clone(&events);
    let builder = builder.observer(move |event| {
        kept.lock().unwrap().push(event.clone());
        std::panic::resume_unwind(Box::new("an observer's own"));
    });
    (builder.build().unwrap(), events)
}

fn taken(events: &Events) -> Vec<AttemptEvent> {
    std::mem::take(&mut events.lock().unwrap())
}

fn busy() -> Vec<u8> {
    let body = "<Error><Code>ServiceUnavailable</Code><Message>m</Message><RequestId>5C3D9175B6FC201293AD4A94</RequestId>\
                <EC>0017-00000001</EC></Error>";
    let headers = [
        ("Content-Type", "application/xml"),
        ("x-oss-request-id", "5C3D9175B6FC201293AD4A94"),
    ];
    response(503, &headers, body)
}

fn hello() -> Vec<u8> {
    let headers = [("x-oss-request-id", "5C3D92F0B6FC2012935C8E09"), ("ETag", "e")];
    response(200, &headers, "hello")
}

/// Answers after this time by the client's clock.
fn after(clock: &ManualClock, secs: u64, answer: Vec<u8>) -> Handler {
    let clock = clock.clone();
    Box::new(move |_: Received, stream| {
        clock.advance(Duration::from_secs(secs));
        let _ = stream.write_all(&answer);
    })
}

#[tokio::test]
async fn an_observer_is_told_of_each_attempt_when_it_is_over() {
    let clock = ManualClock::at_unix(NOW);
    let server = Server::with_handlers([after(&clock, 2, busy()), after(&clock, 3, hello())]);
    let (client, events) = observed(
        builder(&server.endpoint(), Keys::new(1))
            .clock(clock.clone())
            .retry(FixedDelay::new(2, Duration::ZERO)),
    );
    let mut body = client.get_object("examplebucket", "k").await.unwrap().into_body();
    let [refused]: [AttemptEvent; 1] = taken(&events).try_into().unwrap();
    assert_eq!(
        (refused.name(), &*refused.operation, refused.attempt),
        ("oss.attempt", "GetObject", 1)
    );
    assert_eq!(
        (refused.outcome, refused.status),
        (AttemptOutcome::Refused, Some(503))
    );
    assert_eq!(refused.code.as_deref(), Some("ServiceUnavailable"));
    assert_eq!(refused.ec.as_deref(), Some("0017-00000001"));
    assert_eq!(refused.request_id.as_deref(), Some("5C3D9175B6FC201293AD4A94"));
    assert_eq!(refused.duration, Duration::from_secs(2));
    assert_eq!((refused.bytes_sent, refused.bytes_received), (0, 135));

    // The second ends with its body, however long its reader takes.
    assert_eq!(body.chunk().await.unwrap().unwrap(), "hello");
    assert_eq!(taken(&events).len(), 0);
    clock.advance(Duration::from_secs(10));
    assert_eq!(body.chunk().await.unwrap(), None);
    let [read]: [AttemptEvent; 1] = taken(&events).try_into().unwrap();
    assert_eq!(
        (read.attempt, read.outcome, read.status),
        (2, AttemptOutcome::Succeeded, Some(200))
    );
    assert_eq!((read.code, read.ec), (None, None));
    assert_eq!(read.response_after, Some(Duration::from_secs(3)));
    assert_eq!(read.duration, Duration::from_secs(13));
    assert_eq!(read.bytes_received, 5);
    drop(body);
    assert_eq!(taken(&events).len(), 0, "each attempt is told once");
}

#[tokio::test]
async fn other_ends_of_an_attempt_are_told_apart() {
    let cut = b"HTTP/1.1 200 X\r\nContent-Length: 9\r\nETag: e\r\nx-oss-request-id: R1\r\n\r\nhel".to_vec();
    let page = response(200, &[], "a portal");
    let nothing: Handler = Box::new(|_, _| {});
    let never: Handler = Box::new(|_, stream| {
        let _ = io::Read::read(stream, &mut [0]);
    });
    let at_once =
        |answer: Vec<u8>| -> Handler { Box::new(move |_, stream| stream.write_all(&answer).unwrap()) };
    let server = Server::with_handlers([
        at_once(common::ok()),
        at_once(cut),
        at_once(page),
        nothing,
        at_once(hello()),
        never,
    ]);
    let (client, events) = observed(builder(&server.endpoint(), Keys::new(1)));
    let get = || client.get_object("examplebucket", "k");
    let one = || {
        let [one]: [AttemptEvent; 1] = taken(&events).try_into().unwrap();
        one
    };

    client.put_object("examplebucket", "k", "four").await.unwrap();
    let put = one();
    assert_eq!(
        (put.outcome, put.bytes_sent, put.bytes_received),
        (AttemptOutcome::Succeeded, 4, 0)
    );
    get().await.unwrap().bytes().await.unwrap_err();
    let interrupted = one();
    assert_eq!(
        (interrupted.outcome, interrupted.status),
        (AttemptOutcome::NoResponse, Some(200))
    );
    assert_eq!(interrupted.bytes_received, 3);
    get().await.unwrap_err();
    assert_eq!(one().outcome, AttemptOutcome::Unusable);
    get().await.unwrap_err();
    let silent = one();
    assert_eq!(
        (silent.outcome, silent.status),
        (AttemptOutcome::NoResponse, None)
    );
    assert_eq!(silent.response_after, None);
    // A body that nobody wants ends with its response.
    drop(get().await.unwrap());
    assert_eq!(
        (one().outcome, taken(&events).len()),
        (AttemptOutcome::Succeeded, 0)
    );
    let mut given_up = Box::pin(get().send());
    std::future::poll_fn(|cx| {
        assert!(given_up.as_mut().poll(cx).is_pending());
        Poll::Ready(())
    })
    .await;
    drop(given_up);
    assert_eq!(one().outcome, AttemptOutcome::Canceled);
}
