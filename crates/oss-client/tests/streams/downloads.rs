//! Downloads that take long, stall or are cut.

use std::io::Write as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc;
use std::time::Duration;

use futures_util::StreamExt as _;
use oss_credentials_core::test_util::ManualClock;
use oss_credentials_http::HttpErrorKind;

use super::common::{self, Handler, Keys, NOW, Server, builder, raw_server, response};
use super::{MIB, kind, manual, until};

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
