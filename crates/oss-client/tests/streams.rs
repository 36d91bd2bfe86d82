//! Large bodies, and services that stop in the middle. Time is a manual clock's.
#![cfg(any(
    feature = "rustls",
    feature = "native-tls",
    not(feature = "rustls-no-provider")
))]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]
#![allow(
    clippy::disallowed_methods,
    reason = "what is sent has to run beside what the test does"
)]

mod common;

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc;
use std::time::Duration;

use bytes::Bytes;
use common::{Handler, Keys, NOW, Received, Server, builder, ok, raw_server, read_head, response};
use futures_util::{StreamExt as _, stream};
use oss_client::{Body, Client, Error};
use oss_credentials_core::test_util::ManualClock;
use oss_credentials_http::HttpErrorKind;

const MIB: u64 = 1024 * 1024;

fn manual(endpoint: &str, clock: &ManualClock) -> Client {
    builder(endpoint, Keys::new(1))
        .clock(clock.clone())
        .sleep(clock.clone())
        .build()
        .unwrap()
}

fn kind(error: &Error) -> HttpErrorKind {
    match error {
        Error::Transport(error) => error.kind(),
        other => panic!("{other}"),
    }
}

fn read_exactly(stream: &mut TcpStream, mut bytes: u64) {
    let mut buffer = vec![0; 64 * 1024];
    while bytes > 0 {
        let wanted = buffer.len().min(usize::try_from(bytes).unwrap());
        let read = stream.read(&mut buffer[..wanted]).unwrap();
        assert!(read > 0, "the upload ended early");
        bytes -= u64::try_from(read).unwrap();
    }
}

/// Pieces of zeros that tell how many bytes were taken.
fn counted(
    total: u64,
) -> (
    impl futures_util::Stream<Item = Result<Bytes, io::Error>> + Send,
    Arc<AtomicU64>,
) {
    static PIECE: [u8; 65_536] = [0; 65_536];
    let taken = Arc::new(AtomicU64::new(0));
    let counter = Arc::clone(&taken);
    let pieces = (0..total / 65_536).map(move |_| {
        counter.fetch_add(65_536, Ordering::SeqCst);
        Ok(Bytes::from_static(&PIECE))
    });
    (stream::iter(pieces), taken)
}

/// Lets everything else run until this holds.
async fn until(what: impl Fn() -> bool) {
    while !what() {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn an_upload_may_take_longer_than_the_read_timeout_and_is_not_held_in_memory() {
    const TOTAL: u64 = 64 * MIB;
    const STEP: u64 = 16 * MIB;
    let (go, wait) = mpsc::channel::<()>();
    let address = narrow_server(move |head, mut stream| {
        assert_eq!(head.header("content-length"), Some("67108864"));
        for _ in 0..TOTAL / STEP {
            wait.recv().unwrap();
            read_exactly(&mut stream, STEP);
        }
        stream.write_all(&ok()).unwrap();
    });
    let clock = ManualClock::at_unix(NOW);
    let client = manual(&format!("http://{address}"), &clock);
    let (pieces, taken) = counted(TOTAL);
    let put = client.put_object("examplebucket", "k", Body::sized_stream(pieces, TOTAL));
    let put = tokio::spawn(put.send());

    let mut before = 0;
    for step in 0..TOTAL / STEP {
        // The service is ready for more than all buffers on the way can hold, so something has to move.
        until(|| taken.load(Ordering::SeqCst) > before).await;
        before = taken.load(Ordering::SeqCst);
        assert!(
            before <= step * STEP + STEP,
            "{before} bytes were taken at step {step}"
        );
        // Four times 15 seconds are more than the 20 seconds of the read time-out.
        clock.advance(Duration::from_secs(15));
        go.send(()).unwrap();
    }
    assert_eq!(put.await.unwrap().unwrap().status(), 200);
}

#[tokio::test]
async fn bytes_in_memory_may_take_long_too() {
    const TOTAL: u64 = 64 * MIB;
    let (go, wait) = mpsc::channel::<()>();
    let (told, tell) = mpsc::channel::<()>();
    let address = raw_server(move |head, mut stream| {
        assert_eq!(head.header("content-length"), Some("67108864"));
        for _ in 0..4 {
            wait.recv().unwrap();
            read_exactly(&mut stream, TOTAL / 4);
            told.send(()).unwrap();
        }
        stream.write_all(&ok()).unwrap();
    });
    let clock = ManualClock::at_unix(NOW);
    let client = manual(&format!("http://{address}"), &clock);
    let put = client.put_object("examplebucket", "k", vec![0; usize::try_from(TOTAL).unwrap()]);
    let put = tokio::spawn(put.send());
    for _ in 0..4 {
        go.send(()).unwrap();
        until(|| tell.try_recv().is_ok()).await;
        clock.advance(Duration::from_secs(15));
    }
    assert_eq!(put.await.unwrap().unwrap().status(), 200);
}

/// As [`raw_server`], with so little room to receive that what it does not read stays with the sender.
fn narrow_server(handle: impl FnOnce(Received, TcpStream) + Send + 'static) -> SocketAddr {
    let socket = tokio::net::TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(64 * 1024).unwrap();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let listener = socket.listen(1).unwrap().into_std().unwrap();
    listener.set_nonblocking(false).unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        stream.set_nonblocking(false).unwrap();
        if let Some(head) = read_head(&mut stream) {
            handle(head, stream);
        }
    });
    address
}

/// The same bytes as one piece in memory, as a stream of one piece, and as one of many.
fn bodies(total: u64) -> Vec<(&'static str, Body)> {
    let whole = Bytes::from(vec![0; usize::try_from(total).unwrap()]);
    let one = stream::iter([Ok::<_, io::Error>(whole.clone())]);
    vec![
        ("bytes", whole.into()),
        ("one piece", Body::sized_stream(one, total)),
        ("many pieces", Body::sized_stream(counted(total).0, total)),
    ]
}

/// 32 KiB a second, while most of the body lies in the buffers of this machine: there the HTTP stack asks for nothing
/// for a long time, in the middle and at the end.
#[tokio::test]
async fn a_service_that_reads_slowly_is_not_silent() {
    const TOTAL: u64 = 6 * MIB;
    const STEP: u64 = 256 * 1024;
    for (what, body) in bodies(TOTAL) {
        let (go, wait) = mpsc::channel::<()>();
        let (told, tell) = mpsc::channel::<()>();
        let address = narrow_server(move |_, mut stream| {
            for _ in 0..TOTAL / STEP {
                if wait.recv().is_err() {
                    return;
                }
                read_exactly(&mut stream, STEP);
                let _ = told.send(());
            }
            stream.write_all(&ok()).unwrap();
        });
        let clock = ManualClock::at_unix(NOW);
        let client = manual(&format!("http://{address}"), &clock);
        let put = tokio::spawn(client.put_object("examplebucket", "k", body).send());
        for step in 1..=TOTAL / STEP {
            go.send(()).unwrap();
            until(|| tell.try_recv().is_ok() || put.is_finished()).await;
            if step < TOTAL / STEP {
                clock.advance(Duration::from_secs(8));
            }
            for _ in 0..10 {
                tokio::task::yield_now().await;
            }
            if put.is_finished() && step < TOTAL / STEP {
                let error = put.await.unwrap().unwrap_err();
                panic!("{what}, after {} KiB: {error}", step * STEP / 1024);
            }
        }
        assert_eq!(put.await.unwrap().unwrap().status(), 200, "{what}");
    }
}

#[tokio::test]
async fn progress_is_told_while_a_part_is_on_its_way() {
    const TOTAL: u64 = 64 * MIB;
    const STEP: u64 = 16 * MIB;
    let (go, wait) = mpsc::channel::<()>();
    let address = narrow_server(move |_, mut stream| {
        for _ in 0..TOTAL / STEP {
            wait.recv().unwrap();
            read_exactly(&mut stream, STEP);
        }
        stream.write_all(&ok()).unwrap();
    });
    let client = builder(&format!("http://{address}"), Keys::new(1))
        .build()
        .unwrap();
    let sent = Arc::new(AtomicU64::new(0));
    let seen = Arc::clone(&sent);
    let content = vec![0; usize::try_from(TOTAL).unwrap()];
    let upload = client.upload("examplebucket", "k", content).part_size(TOTAL);
    let upload = upload.on_progress(move |progress| seen.store(progress.sent, Ordering::SeqCst));
    let upload = tokio::spawn(upload.send());
    let mut before = 0;
    for step in 0..TOTAL / STEP {
        // What was not read fits into no buffer, so that each step tells something new.
        until(|| sent.load(Ordering::SeqCst) > before).await;
        before = sent.load(Ordering::SeqCst);
        assert!(before <= step * STEP + STEP, "{before} bytes at step {step}");
        go.send(()).unwrap();
    }
    upload.await.unwrap().unwrap();
    assert_eq!(sent.load(Ordering::SeqCst), TOTAL);
}

/// How long it takes until an upload of so many bytes gives up on a service that takes them and never answers.
async fn given_up_after(total: u64) -> (u64, String) {
    let (done, hold) = mpsc::channel::<()>();
    let (told, tell) = mpsc::channel::<()>();
    let address = raw_server(move |_, mut stream| {
        read_exactly(&mut stream, total);
        told.send(()).unwrap();
        let _ = hold.recv();
    });
    let clock = ManualClock::at_unix(NOW);
    let client = manual(&format!("http://{address}"), &clock);
    let body = Body::sized_stream(counted(total).0, total);
    let put = tokio::spawn(client.put_object("examplebucket", "k", body).send());
    until(|| tell.try_recv().is_ok()).await;
    let mut seconds = 0;
    while !put.is_finished() {
        assert!(seconds < 10_000, "it never gives up");
        seconds += 1;
        clock.advance(Duration::from_secs(1));
        for _ in 0..10 {
            tokio::task::yield_now().await;
        }
    }
    let error = put.await.unwrap().unwrap_err();
    assert_eq!(kind(&error), HttpErrorKind::Timeout);
    drop(done);
    (seconds, error.to_string())
}

#[tokio::test]
async fn what_may_lie_in_buffers_has_its_time_too() {
    // 20 seconds, and what is on the way at 30 KiB a second: of 4608 KiB at most.
    for (kib, millis) in [
        (64, 22_134),
        (960, 52_000),
        (4_608, 173_600),
        (64 * 1_024, 173_600),
    ] {
        let (seconds, text) = given_up_after(kib * 1024).await;
        assert_eq!(seconds, u64::div_ceil(millis, 1000), "{kib} KiB");
        assert!(
            text.contains(&format!("nothing arrived for {millis} ms; ")),
            "{text}"
        );
    }
}

#[tokio::test]
async fn a_service_that_takes_nothing_runs_into_the_read_timeout() {
    for (what, body) in bodies(16 * MIB) {
        let (done, hold) = mpsc::channel::<()>();
        let address = narrow_server(move |_, _stream| {
            let _ = hold.recv();
        });
        let clock = ManualClock::at_unix(NOW);
        let client = manual(&format!("http://{address}"), &clock);
        let put = tokio::spawn(client.put_object("examplebucket", "k", body).send());
        let mut seconds = 0;
        while !put.is_finished() {
            assert!(seconds < 10_000, "it never gives up");
            seconds += 1;
            for _ in 0..10 {
                tokio::task::yield_now().await;
            }
            clock.advance(Duration::from_secs(1));
        }
        let error = put.await.unwrap().unwrap_err();
        assert_eq!(kind(&error), HttpErrorKind::Timeout, "{what}");
        drop(done);
    }
}

#[tokio::test]
async fn a_slow_source_is_not_taken_for_a_silent_service() {
    let server = Server::start([ok()]);
    let clock = ManualClock::at_unix(NOW);
    let client = manual(&server.endpoint(), &clock);
    let (ready, waiting) = tokio::sync::oneshot::channel::<Bytes>();
    let asked = Arc::new(AtomicU64::new(0));
    let count = Arc::clone(&asked);
    let body = stream::once(async move {
        count.fetch_add(1, Ordering::SeqCst);
        waiting.await.map_err(io::Error::other)
    });
    let put = tokio::spawn(client.put_object("examplebucket", "k", Body::stream(body)).send());
    until(|| asked.load(Ordering::SeqCst) > 0).await;
    for _ in 0..10 {
        clock.advance(Duration::from_secs(25));
        for _ in 0..10 {
            tokio::task::yield_now().await;
        }
    }
    assert!(!put.is_finished());
    ready.send(Bytes::from("late")).unwrap();
    put.await.unwrap().unwrap();
    assert_eq!(server.received()[0].body, b"late");
}

#[tokio::test]
async fn a_service_that_never_answers_runs_into_the_read_timeout() {
    let (done, hold) = mpsc::channel::<()>();
    let address = raw_server(move |_, _stream| {
        let _ = hold.recv();
    });
    let clock = ManualClock::at_unix(NOW);
    let client = manual(&format!("http://{address}"), &clock);
    let get = tokio::spawn(client.get_object("examplebucket", "k").send());
    while !get.is_finished() {
        tokio::task::yield_now().await;
        clock.advance(Duration::from_secs(1));
    }
    let error = get.await.unwrap().unwrap_err();
    assert_eq!(kind(&error), HttpErrorKind::Timeout);
    assert!(
        error
            .to_string()
            .contains("no response in time: nothing arrived for 20000 ms"),
        "{error}"
    );
    drop(done);
}

#[tokio::test]
async fn a_service_that_is_silent_after_a_streamed_upload_runs_into_the_read_timeout() {
    for length in [Some(5), None] {
        let (done, hold) = mpsc::channel::<()>();
        let silent: Handler = Box::new(move |_, _| {
            let _ = hold.recv();
        });
        let server = Server::with_handlers([silent]);
        let clock = ManualClock::at_unix(NOW);
        let client = manual(&server.endpoint(), &clock);
        let pieces = stream::iter([Ok::<_, io::Error>(Bytes::from("hello"))]);
        let body = match length {
            Some(length) => Body::sized_stream(pieces, length),
            None => Body::stream(pieces),
        };
        let put = tokio::spawn(client.put_object("examplebucket", "k", body).send());
        until(|| server.count() == 1).await;
        let mut seconds = 0;
        while !put.is_finished() {
            assert!(seconds < 10_000, "it never gives up");
            seconds += 1;
            clock.advance(Duration::from_secs(1));
            tokio::task::yield_now().await;
        }
        let error = put.await.unwrap().unwrap_err();
        assert_eq!(kind(&error), HttpErrorKind::Timeout);
        drop(done);
    }
}

#[tokio::test]
async fn a_download_may_take_longer_than_the_read_timeout() {
    let (go, wait) = mpsc::channel::<()>();
    let address = raw_server(move |_, mut stream| {
        stream
            .write_all(b"HTTP/1.1 200 OK\r\nx-oss-request-id: R1\r\nContent-Length: 4\r\n\r\n")
            .unwrap();
        for _ in 0..4 {
            wait.recv().unwrap();
            stream.write_all(b"x").unwrap();
        }
    });
    let clock = ManualClock::at_unix(NOW);
    let client = manual(&format!("http://{address}"), &clock);
    let mut object = client.get_object("examplebucket", "k").send().await.unwrap();
    for _ in 0..4 {
        let reading = tokio::spawn(async move {
            let piece = object.chunk().await;
            (object, piece)
        });
        // It waits now, and its time-out runs.
        for _ in 0..10 {
            tokio::task::yield_now().await;
        }
        clock.advance(Duration::from_secs(15));
        go.send(()).unwrap();
        let (back, piece) = reading.await.unwrap();
        assert_eq!(piece.unwrap().as_deref(), Some(&b"x"[..]));
        object = back;
    }
    assert_eq!(object.chunk().await.unwrap(), None);
}

#[tokio::test]
async fn a_download_that_stalls_runs_into_the_read_timeout() {
    let (done, hold) = mpsc::channel::<()>();
    let address = raw_server(move |_, mut stream| {
        stream
            .write_all(b"HTTP/1.1 200 OK\r\nx-oss-request-id: R1\r\nContent-Length: 10\r\n\r\nhello")
            .unwrap();
        let _ = hold.recv();
    });
    let clock = ManualClock::at_unix(NOW);
    let client = manual(&format!("http://{address}"), &clock);
    let mut object = client.get_object("examplebucket", "k").send().await.unwrap();
    // However long the caller takes, the service was not silent.
    clock.advance(Duration::from_secs(100));
    assert_eq!(object.chunk().await.unwrap().as_deref(), Some(&b"hello"[..]));
    let rest = tokio::spawn(async move {
        let error = object.chunk().await.unwrap_err();
        (error, object.chunk().await.unwrap())
    });
    while !rest.is_finished() {
        tokio::task::yield_now().await;
        clock.advance(Duration::from_secs(1));
    }
    let (error, after) = rest.await.unwrap();
    assert_eq!(kind(&error), HttpErrorKind::Timeout);
    assert_eq!(after, None, "an error ends the stream");
    drop(done);
}

#[tokio::test]
async fn a_download_is_handed_out_as_it_arrives() {
    const STEP: u64 = 256 * 1024;
    let (go, wait) = mpsc::channel::<()>();
    let address = raw_server(move |_, mut stream| {
        stream
            .write_all(b"HTTP/1.1 200 OK\r\nx-oss-request-id: R1\r\nContent-Length: 16777216\r\n\r\n")
            .unwrap();
        let piece = vec![7; usize::try_from(STEP).unwrap()];
        // The next piece leaves only when all before it has been read from the body.
        while wait.recv().is_ok() {
            stream.write_all(&piece).unwrap();
        }
    });
    let client = builder(&format!("http://{address}"), Keys::new(1))
        .build()
        .unwrap();
    let object = client.get_object("examplebucket", "k").send().await.unwrap();
    let mut body = object.into_body();
    for step in 1..=64 {
        go.send(()).unwrap();
        let mut read = 0;
        while read < STEP {
            read += u64::try_from(body.next().await.unwrap().unwrap().len()).unwrap();
        }
        assert_eq!(read, STEP, "at step {step}");
    }
    drop(go);
    assert!(body.next().await.is_none());
}

/// Nobody reads the body, so its sender comes to a halt. It may fill the system's buffers first: a few dozen MiB at
/// most.
#[tokio::test]
async fn a_download_that_nobody_reads_is_not_held_in_memory() {
    const MOST: u64 = 256 * MIB;
    let written = Arc::new(AtomicU64::new(0));
    let counter = Arc::clone(&written);
    let (done, stop) = mpsc::channel::<()>();
    let address = raw_server(move |_, mut stream| {
        stream
            .write_all(b"HTTP/1.1 200 OK\r\nx-oss-request-id: R1\r\nContent-Length: 1099511627776\r\n\r\n")
            .unwrap();
        stream.set_nonblocking(true).unwrap();
        let piece = vec![7; 65_536];
        while stop.try_recv() == Err(mpsc::TryRecvError::Empty) {
            match stream.write(&piece) {
                Ok(count) => {
                    counter.fetch_add(u64::try_from(count).unwrap(), Ordering::SeqCst);
                }
                Err(_) => std::thread::yield_now(),
            }
        }
    });
    let client = builder(&format!("http://{address}"), Keys::new(1))
        .build()
        .unwrap();
    let mut object = client.get_object("examplebucket", "k").send().await.unwrap();
    object.chunk().await.unwrap().unwrap();
    let (mut before, mut unchanged) = (0, 0);
    while unchanged < 10_000 {
        tokio::task::yield_now().await;
        let now = written.load(Ordering::SeqCst);
        assert!(now <= MOST, "{now} bytes were taken, and nobody has read them");
        unchanged = if now == before { unchanged + 1 } else { 0 };
        before = now;
    }
    assert!(before > 0);
    drop((done, object));
}

#[tokio::test]
async fn a_download_that_is_cut_is_an_error() {
    let cut =
        b"HTTP/1.1 200 OK\r\nConnection: close\r\nx-oss-request-id: R1\r\nContent-Length: 10\r\n\r\nhello"
            .to_vec();
    let server = Server::start([cut]);
    let client = common::client(&server, Keys::new(1));
    let object = client.get_object("examplebucket", "k").send().await.unwrap();
    let error = object.bytes().await.unwrap_err();
    assert_eq!(kind(&error), HttpErrorKind::Interrupted);
    assert!(
        error
            .to_string()
            .starts_with("oss-client: GetObject got no complete response"),
        "{error}"
    );
}

#[tokio::test]
async fn a_connection_that_breaks_before_the_answer_is_interrupted() {
    let hang_up: Handler = Box::new(|_, _| {});
    let server = Server::with_handlers([hang_up]);
    let client = common::client(&server, Keys::new(1));
    let error = client.get_object("examplebucket", "k").send().await.unwrap_err();
    assert_eq!(kind(&error), HttpErrorKind::Interrupted);
}

#[tokio::test]
async fn a_body_keeps_the_length_it_announced() {
    let pieces = |pieces: &'static [&'static str]| {
        stream::iter(pieces.iter().map(|piece| Ok::<_, io::Error>(Bytes::from(*piece))))
    };
    for (body, text) in [
        (
            Body::sized_stream(pieces(&["abc"]), 5),
            "the body ended after 3 of 5 bytes",
        ),
        (
            Body::sized_stream(pieces(&["abc", "def"]), 5),
            "the body has more than the 5 bytes",
        ),
        (
            Body::sized_stream(pieces(&["abc", "de", "f"]), 5),
            "the body has more than the 5 bytes",
        ),
        (
            Body::stream(stream::iter([
                Ok(Bytes::from("a")),
                Err(io::Error::other("disk on fire")),
            ])),
            "disk on fire",
        ),
        (
            Body::sized_stream(
                stream::iter([
                    Ok(Bytes::from("abcde")),
                    Err(io::Error::other("checksum is wrong")),
                ]),
                5,
            ),
            "checksum is wrong",
        ),
    ] {
        // It never gets a complete body, and so never answers.
        refused_upload(body, text).await;
    }
}

/// Stores a body that breaks its promise.
async fn refused_upload(body: Body, text: &str) {
    let server = Server::start([ok()]);
    let client = common::client(&server, Keys::new(1));
    let put = client.put_object("examplebucket", "k", body);
    let error = put.send().await.unwrap_err();
    assert_eq!(kind(&error), HttpErrorKind::Request, "{error}");
    assert!(error.to_string().contains(text), "{error}");
    assert_eq!(server.count(), 0);
}

#[tokio::test]
async fn what_follows_the_announced_length_later_is_noticed_too() {
    type Item = Result<Bytes, io::Error>;
    let first = |text: &'static str| stream::iter((!text.is_empty()).then(|| Item::Ok(Bytes::from(text))));
    let later = |item: Item| {
        stream::once(async move {
            for _ in 0..50 {
                tokio::task::yield_now().await;
            }
            item
        })
    };
    let broken = || Item::Err(io::Error::other("checksum is wrong"));
    for (text, length) in [("data", 4), ("", 0)] {
        let body = Body::sized_stream(first(text).chain(later(Ok(Bytes::from("more")))), length);
        let expected = format!("the body has more than the {length} bytes");
        refused_upload(body, &expected).await;
        let body = Body::sized_stream(first(text).chain(later(broken())), length);
        refused_upload(body, "checksum is wrong").await;
        // Empty pieces and a late end are no more than that.
        let server = Server::start([ok()]);
        let client = common::client(&server, Keys::new(1));
        let body = Body::sized_stream(first(text).chain(later(Ok(Bytes::new()))), length);
        client
            .put_object("examplebucket", "k", body)
            .send()
            .await
            .unwrap();
        assert_eq!(server.received()[0].body, text.as_bytes());
        let announced = length.to_string();
        assert_eq!(server.received()[0].header("content-length"), Some(&*announced));
    }
}

#[tokio::test]
async fn a_server_that_drips_an_error_cannot_hold_it_for_long() {
    let (go, wait) = mpsc::channel::<()>();
    let (told, tell) = mpsc::channel::<()>();
    let address = raw_server(move |_, mut stream| {
        let start = b"HTTP/1.1 403 X\r\nContent-Length: 100000\r\n\r\n<Error><Code>A</Code><Message>";
        stream.write_all(start).unwrap();
        told.send(()).unwrap();
        while wait.recv().is_ok() && stream.write_all(b"x").is_ok() && told.send(()).is_ok() {}
    });
    let clock = ManualClock::at_unix(NOW);
    let client = manual(&format!("http://{address}"), &clock);
    let get = tokio::spawn(client.get_object("examplebucket", "k").send());
    // Each time a byte is there before the 20 seconds of the read time-out.
    for _ in 0..10 {
        until(|| tell.try_recv() != Err(mpsc::TryRecvError::Empty)).await;
        // It lies in the socket, and is read when the runtime looks for it.
        for _ in 0..500 {
            tokio::task::yield_now().await;
        }
        if get.is_finished() {
            break;
        }
        clock.advance(Duration::from_secs(15));
        let _ = go.send(());
    }
    assert!(get.is_finished(), "it never gives up");
    assert_eq!(get.await.unwrap().unwrap_err().code(), Some("A"));
}

#[tokio::test]
async fn a_server_that_drips_a_document_cannot_hold_it_for_long() {
    let (go, wait) = mpsc::channel::<()>();
    let (told, tell) = mpsc::channel::<()>();
    let address = raw_server(move |_, mut stream| {
        let start = b"HTTP/1.1 200 X\r\nContent-Length: 100000\r\n\r\n<ListBucketResult>";
        stream.write_all(start).unwrap();
        told.send(()).unwrap();
        while wait.recv().is_ok() && stream.write_all(b" ").is_ok() && told.send(()).is_ok() {}
    });
    let clock = ManualClock::at_unix(NOW);
    let client = manual(&format!("http://{address}"), &clock);
    let list = tokio::spawn(client.list_objects_v2("examplebucket").send());
    let mut waited = 0;
    // Each time a byte is there before the 20 seconds of the read time-out.
    while waited < 300 {
        until(|| tell.try_recv() != Err(mpsc::TryRecvError::Empty)).await;
        // It lies in the socket, and is read when the runtime looks for it.
        for _ in 0..500 {
            tokio::task::yield_now().await;
        }
        if list.is_finished() {
            break;
        }
        clock.advance(Duration::from_secs(15));
        waited += 15;
        let _ = go.send(());
    }
    assert!(list.is_finished(), "it never gives up");
    // Three times the read time-out.
    assert!((60..=75).contains(&waited), "{waited}");
    let error = list.await.unwrap().unwrap_err();
    assert_eq!(kind(&error), HttpErrorKind::Timeout);
    assert!(error.is_retryable());
    assert!(
        error
            .to_string()
            .contains("the document was not there after 60000 ms"),
        "{error}"
    );
}

#[tokio::test]
async fn error_documents_are_read_up_to_a_limit() {
    let body = format!(
        "<Error><Code>A</Code><Message>{}</Message></Error>",
        "m".repeat(1_000_000)
    );
    let server = Server::start([response(400, &[], &body)]);
    let client = common::client(&server, Keys::new(1));
    let error = client.get_object("examplebucket", "k").send().await.unwrap_err();
    assert_eq!(error.code(), Some("A"));
    assert!(error.to_string().len() < 1000);
}
