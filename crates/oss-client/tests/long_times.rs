//! Times of any length. In a program of its own: what panics on a task of the HTTP stack only the panic hook sees.
#![cfg(any(
    feature = "rustls",
    feature = "native-tls",
    not(feature = "rustls-no-provider")
))]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod common;

use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::sync::Mutex;
use std::task::Poll;
use std::time::Duration;

use common::{Keys, NOW, Server, builder, refusal, response};
use oss_client::{Client, Error, FixedDelay, StandardRetry};
use oss_credentials_core::test_util::ManualClock;

static PANICS: Mutex<Vec<String>> = Mutex::new(Vec::new());

/// Answers three requests on one connection.
fn server() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        for _ in 0..3 {
            let _ = stream.read(&mut [0; 8192]).unwrap();
            stream
                .write_all(b"HTTP/1.1 200 OK\r\nx-oss-request-id: R1\r\nContent-Length: 0\r\n\r\n")
                .unwrap();
        }
    });
    endpoint
}

async fn all_settings(long: Duration) {
    let client = Client::builder()
        .region("cn-hangzhou")
        .endpoint(server())
        .credentials(Keys::new(1))
        .connect_timeout(long)
        .read_timeout(long)
        .idle_timeout(long)
        .operation_timeout(long)
        .retry(StandardRetry::new().base_delay(long).max_delay(long))
        .build()
        .unwrap();
    for _ in 0..2 {
        client.head_object("examplebucket", "k").send().await.unwrap();
    }
    client
        .put_object("examplebucket", "k", "hello")
        .send()
        .await
        .unwrap();
    for expires in [long, Duration::ZERO] {
        let url = client.presign_get("examplebucket", "k", expires).await;
        assert!(
            matches!(url, Err(Error::InvalidInput(_) | Error::Sign(_))),
            "{url:?}"
        );
    }
}

/// A pause that is never over is ended by the time for the whole.
async fn pause(long: Duration) {
    let server = Server::start([refusal(503, "A")]);
    let clock = ManualClock::at_unix(NOW);
    let client = builder(&server.endpoint(), Keys::new(1))
        .retry(FixedDelay::new(2, long))
        .sleep(clock.clone())
        .operation_timeout(Duration::from_secs(60))
        .build()
        .unwrap();
    let mut get = std::pin::pin!(client.get_object("examplebucket", "k").send());
    let outcome = std::future::poll_fn(|cx| match get.as_mut().poll(cx) {
        Poll::Ready(outcome) => Poll::Ready(outcome.map(drop)),
        Poll::Pending => {
            if server.count() == 1 {
                clock.advance(Duration::from_secs(1));
            }
            cx.waker().wake_by_ref();
            Poll::Pending
        }
    });
    let error = outcome.await.unwrap_err();
    assert!(
        error.to_string().contains("was not done after 60000 ms"),
        "{error}"
    );
    // And tokio's own timer takes it.
    let server = Server::start([response(503, &[], "")]);
    let client = builder(&server.endpoint(), Keys::new(1))
        .retry(FixedDelay::new(2, long))
        .operation_timeout(Duration::from_millis(1))
        .build()
        .unwrap();
    client.get_object("examplebucket", "k").send().await.unwrap_err();
}

#[test]
fn the_longest_times_are_as_good_as_none() {
    std::panic::set_hook(Box::new(|panic| PANICS.lock().unwrap().push(panic.to_string())));
    let mut builder = tokio::runtime::Builder::new_current_thread();
    let runtime = builder.enable_all().build().unwrap();
    let hundred_years = Duration::from_secs(100 * 365 * 86_400);
    runtime.block_on(async {
        for long in [Duration::MAX, Duration::MAX / 2, hundred_years] {
            all_settings(long).await;
            pause(long).await;
        }
        // The tasks of the HTTP stack run to where they wait.
        for _ in 0..100 {
            tokio::task::yield_now().await;
        }
    });
    let _ = std::panic::take_hook();
    assert_eq!(*PANICS.lock().unwrap(), Vec::<String>::new());
}
