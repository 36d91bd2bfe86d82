//! Where the adapter runs, and that it neither panics nor leaves anything behind.
// With `rustls-no-provider` alone no client can be made before one is installed; see `no_provider.rs`.
#![cfg(any(
    feature = "rustls",
    feature = "native-tls",
    not(feature = "rustls-no-provider")
))]
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener};
use std::pin::Pin;
use std::sync::mpsc;
use std::task::{Context, Poll, Waker};
use std::thread;
use std::time::Duration;

use oss_credentials_core::{Env, ProcessEnv, blocking};
use oss_credentials_http::{HttpClient, HttpErrorKind, HttpRequest};
use oss_credentials_reqwest::ReqwestClient;
use tokio::runtime::Builder;

/// Answers `count` requests, one connection after the other, each when it is told to.
fn server(count: usize) -> (SocketAddr, mpsc::Sender<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let (go, told) = mpsc::channel();
    thread::spawn(move || {
        for _ in 0..count {
            let (mut stream, _) = listener.accept().unwrap();
            let _ = stream.read(&mut [0; 4096]);
            if told.recv().is_err() {
                return;
            }
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
        }
    });
    (address, go)
}

fn get(address: SocketAddr) -> HttpRequest {
    HttpRequest::get(format!("http://{address}/?canary")).with_timeout(Duration::from_secs(5))
}

#[test]
fn a_missing_runtime_is_an_error_with_a_way_out() {
    let error = blocking::wait(ReqwestClient::new().send(get("127.0.0.1:9".parse().unwrap()))).unwrap_err();
    assert_eq!(error.kind(), HttpErrorKind::Request);
    assert_eq!(
        error.to_string(),
        "the request could not be made: no tokio runtime is running here; await the provider inside one, or \
         pass it `http_client(ReqwestClient::with_own_runtime())`"
    );
}

#[test]
fn a_runtime_without_timer_or_io_is_an_error_with_a_way_out() {
    let bare = Builder::new_current_thread().build().unwrap();
    let only_time = Builder::new_current_thread().enable_time().build().unwrap();
    let only_io = Builder::new_current_thread().enable_io().build().unwrap();
    for runtime in [bare, only_time, only_io] {
        let (address, _go) = server(1);
        let error = runtime
            .block_on(ReqwestClient::new().send(get(address)))
            .unwrap_err();
        assert_eq!(error.kind(), HttpErrorKind::Request);
        assert_eq!(
            error.to_string(),
            "the request could not be made: the tokio runtime has no timer or no I/O driver, or is shut down; \
             build it with `enable_all`, or pass the provider `http_client(ReqwestClient::with_own_runtime())`"
        );
    }
}

/// Polls once.
async fn begin<F: Future + Unpin>(future: &mut F) -> Poll<F::Output> {
    std::future::poll_fn(|cx| Poll::Ready(Pin::new(&mut *future).poll(cx))).await
}

#[test]
fn an_exchange_begun_in_a_runtime_can_be_finished_outside() {
    let runtime = Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .unwrap();
    let (address, go) = server(1);
    let client = ReqwestClient::new();
    let mut sending = client.send(get(address));
    assert!(runtime.block_on(begin(&mut sending)).is_pending());
    go.send(()).unwrap();
    assert_eq!(blocking::wait(sending).unwrap().status(), 200);
}

#[test]
fn an_exchange_whose_runtime_is_gone_is_an_error() {
    let runtime = Builder::new_current_thread().enable_all().build().unwrap();
    let (address, _go) = server(1);
    let client = ReqwestClient::new();
    let mut sending = client.send(get(address));
    assert!(runtime.block_on(begin(&mut sending)).is_pending());
    drop(runtime);
    let error = blocking::wait(sending).unwrap_err();
    assert!(!error.to_string().contains("canary"), "{error}");
}

#[test]
fn one_client_serves_runtimes_that_come_and_go() {
    let (address, go) = server(3);
    let client = ReqwestClient::new();
    for _ in 0..3 {
        go.send(()).unwrap();
        let runtime = Builder::new_current_thread().enable_all().build().unwrap();
        assert_eq!(runtime.block_on(client.send(get(address))).unwrap().status(), 200);
    }
}

/// Answers any number of requests on any number of connections, which stay open.
fn lasting_server() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        // It fails while the process can open no more files.
        for mut stream in listener.incoming().flatten() {
            thread::spawn(move || {
                while stream.read(&mut [0; 4096]).is_ok_and(|length| length > 0) {
                    let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
                }
            });
        }
    });
    address
}

#[test]
fn one_client_serves_runtimes_in_turn_that_are_kept() {
    let address = lasting_server();
    let client = ReqwestClient::new();
    let runtimes: Vec<_> = (0..6)
        .map(|_| Builder::new_current_thread().enable_all().build().unwrap())
        .collect();
    for round in 0..2 {
        for (number, runtime) in runtimes.iter().enumerate() {
            let answer = runtime.block_on(client.send(get(address)));
            assert_eq!(answer.unwrap().status(), 200, "round {round}, runtime {number}");
        }
    }
}

#[test]
fn its_own_runtime_works_inside_another_one_too() {
    let (address, go) = server(2);
    let runtime = Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let client = ReqwestClient::with_own_runtime();
        for _ in 0..2 {
            go.send(()).unwrap();
            assert_eq!(client.send(get(address)).await.unwrap().status(), 200);
        }
        // Dropped inside the runtime: must not panic.
        drop(client);
    });
}

#[test]
fn its_own_runtime_carries_exchanges_side_by_side() {
    let (first, go_first) = server(1);
    let (second, go_second) = server(1);
    let client = ReqwestClient::with_own_runtime();
    let (mut slow, quick) = (client.send(get(first)), client.send(get(second)));
    let mut cx = Context::from_waker(Waker::noop());
    assert!(slow.as_mut().poll(&mut cx).is_pending());
    go_second.send(()).unwrap();
    assert_eq!(blocking::wait(quick).unwrap().status(), 200);
    go_first.send(()).unwrap();
    assert_eq!(blocking::wait(slow).unwrap().status(), 200);
}

/// How many threads of the adapter this process has.
#[cfg(target_os = "linux")]
fn http_threads() -> usize {
    let tasks = std::fs::read_dir("/proc/self/task").unwrap();
    let names = tasks.filter_map(|task| std::fs::read_to_string(task.unwrap().path().join("comm")).ok());
    names.filter(|name| name.trim() == "oss-cred-http").count()
}

/// In a child, since every test of this process needs files.
#[cfg(target_os = "linux")]
#[test]
fn a_process_that_can_open_no_more_files_says_so() {
    const NAME: &str = "a_process_that_can_open_no_more_files_says_so";
    if ProcessEnv.var("OSS_TEST_OUT_OF_FILES").is_none() {
        let program = std::env::current_exe().unwrap();
        let alone = std::process::Command::new("sh")
            .args(["-c", "ulimit -n 100 && exec \"$0\" --exact \"$1\""])
            .arg(program)
            .arg(NAME)
            .env("OSS_TEST_OUT_OF_FILES", "1")
            .output()
            .unwrap();
        assert!(
            alone.status.success(),
            "{}",
            String::from_utf8_lossy(&alone.stdout)
        );
        return;
    }
    let runtime = Builder::new_current_thread().enable_all().build().unwrap();
    let address = lasting_server();
    let files: Vec<_> = std::iter::from_fn(|| std::fs::File::open("/").ok()).collect();
    let here = ReqwestClient::new();
    let errors = [
        runtime.block_on(here.send(get(address))),
        blocking::wait(ReqwestClient::with_own_runtime().send(get(address))),
        #[cfg(any(feature = "rustls", feature = "native-tls"))]
        runtime.block_on(here.send(HttpRequest::get("https://255.255.255.255/"))),
    ]
    .map(Result::unwrap_err);
    drop(files);
    for error in errors {
        assert_eq!(error.kind(), HttpErrorKind::Other, "{error}");
        let text = error
            .into_credentials_error("test", "the service", "GET /", |_| None)
            .to_string();
        assert!(text.contains("raise the limit of open files"), "{text}");
    }
    assert_eq!(runtime.block_on(here.send(get(address))).unwrap().status(), 200);
}

/// Alone in its process: the other tests here have such threads too.
#[cfg(target_os = "linux")]
#[test]
fn the_thread_starts_with_the_first_request_and_ends_with_the_last_clone() {
    let name = "the_thread_starts_with_the_first_request_and_ends_with_the_last_clone";
    if !std::env::args().any(|argument| argument == "--exact") {
        let program = std::env::current_exe().unwrap();
        let alone = std::process::Command::new(program)
            .args(["--exact", name])
            .output()
            .unwrap();
        assert!(
            alone.status.success(),
            "{}",
            String::from_utf8_lossy(&alone.stdout)
        );
        return;
    }
    let (address, go) = server(1);
    let client = ReqwestClient::with_own_runtime();
    assert_eq!(http_threads(), 0);
    go.send(()).unwrap();
    blocking::wait(client.send(get(address))).unwrap();
    assert_eq!(http_threads(), 1);
    let clone = client.clone();
    drop(client);
    // An exchange that nobody waits for any more must not hold the thread either.
    let (silent, _never) = server(1);
    let mut cx = Context::from_waker(Waker::noop());
    assert!(clone.send(get(silent)).as_mut().poll(&mut cx).is_pending());
    assert_eq!(http_threads(), 1);
    drop(clone);
    let tries = (0..200_000).take_while(|_| {
        thread::yield_now();
        http_threads() > 0
    });
    assert!(tries.count() < 200_000, "the thread is still there");
}

#[test]
fn debug_shows_no_proxy_password() {
    let builder = ReqwestClient::builder().client_builder(|| {
        reqwest::Client::builder().proxy(reqwest::Proxy::all("http://user:canary@127.0.0.1:9").unwrap())
    });
    let shown = format!("{builder:?}") + &format!("{:?}", builder.build().unwrap());
    assert!(!shown.contains("canary"), "{shown}");
}

#[test]
fn public_types_move_between_threads() {
    fn check<T: Send + Sync + Unpin + 'static>() {}
    check::<ReqwestClient>();
    check::<oss_credentials_reqwest::ReqwestClientBuilder>();
}

#[cfg(not(any(feature = "rustls", feature = "rustls-no-provider", feature = "native-tls")))]
#[tokio::test]
async fn https_without_a_tls_feature_names_the_feature() {
    let text = "the request could not be made: https needs the feature `rustls`, `rustls-no-provider` or \
        `native-tls` of oss-credentials-reqwest; enable `rustls`, also in the provider's crate";
    let request = HttpRequest::get("https://127.0.0.1:9/?canary");
    let error = ReqwestClient::new().send(request.clone()).await.unwrap_err();
    assert_eq!(
        (error.kind(), error.to_string().as_str()),
        (HttpErrorKind::Request, text)
    );
    let error = ReqwestClient::builder().trust_only_pem("x").build().unwrap_err();
    assert_eq!(
        (error.kind(), error.to_string().as_str()),
        (HttpErrorKind::Request, text)
    );
    let unchecked = ReqwestClient::from_unchecked_client(reqwest::Client::new());
    let error = unchecked.send(request).await.unwrap_err();
    assert_eq!(error.kind(), HttpErrorKind::Request, "{error}");
}

/// A hostile server sends `100 Continue` without end. hyper skips such responses without a limit, but leaves room for
/// the time limit, which closes the connection.
#[test]
fn informational_responses_without_end_do_not_outlast_the_time_limit() {
    let current_thread = Builder::new_current_thread().enable_all().build().unwrap();
    let one_worker = Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .unwrap();
    for (runtime, client) in [
        (&current_thread, ReqwestClient::new()),
        (&one_worker, ReqwestClient::new()),
        (&current_thread, ReqwestClient::with_own_runtime()),
    ] {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let server = thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let _ = stream.read(&mut [0; 4096]);
            let piece = b"HTTP/1.1 100 Continue\r\n\r\n".repeat(1000);
            // Bounded, should nobody close the connection: 25 GB.
            (0..1_000_000).any(|_| stream.write_all(&piece).is_err())
        });
        let request = get(address).with_timeout(Duration::from_millis(300));
        let error = runtime.block_on(client.send(request)).unwrap_err();
        assert_eq!(error.kind(), HttpErrorKind::Timeout);
        // The runtime goes on, so that it can close the connection.
        let closed =
            runtime.block_on(async { tokio::task::spawn_blocking(move || server.join().unwrap()).await });
        assert!(closed.unwrap());
    }
}
