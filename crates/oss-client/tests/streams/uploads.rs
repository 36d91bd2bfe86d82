//! Uploads that take long, and services that stop reading or never answer.

use std::io::{self, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::stream;
use oss_client::Body;
use oss_credentials_core::test_util::ManualClock;
use oss_credentials_http::HttpErrorKind;

use super::common::{Handler, Keys, NOW, Received, Server, builder, ok, raw_server, read_head};
use super::{MIB, counted, kind, manual, read_exactly, until};

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
