//! The conformance suite can fail: each of its checks finds the client that breaks that part of the contract.
// With `rustls-no-provider` alone no client can be made before one is installed; see `no_provider.rs`.
#![cfg(any(
    feature = "rustls",
    feature = "native-tls",
    not(feature = "rustls-no-provider")
))]
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

use oss_credentials_core::BoxFuture;
use oss_credentials_http::{
    HttpClient, HttpError, HttpErrorKind, HttpRequest, HttpResponse, MAX_BODY, http_fn,
    test_util::HttpConformance,
};
use oss_credentials_reqwest::ReqwestClient;
use tokio::runtime::{Builder, Handle};

type Answer = Result<HttpResponse, HttpError>;

/// Runs one check over clients from the closure; the reason if it failed.
fn verdict<C: HttpClient>(check: &str, client: impl Fn() -> C + 'static) -> Option<String> {
    let runtime = Builder::new_current_thread().enable_all().build().unwrap();
    let suite = HttpConformance::new(client)
        .only([check])
        .block_on(move |future| runtime.block_on(future));
    let report = suite.run();
    assert_eq!(report.outcomes().count(), 1, "{check} is no check");
    report.failures().next().map(|(_, reason)| reason.to_owned())
}

/// One for all tests: reading the certificates for each would take long.
fn good_client() -> ReqwestClient {
    static GOOD: OnceLock<ReqwestClient> = OnceLock::new();
    GOOD.get_or_init(ReqwestClient::new).clone()
}

/// A good client with something done to requests and answers.
fn spoilt(
    before: impl Fn(HttpRequest) -> HttpRequest + Send + Sync + 'static,
    after: impl Fn(Answer) -> Answer + Send + Sync + 'static,
) -> impl HttpClient {
    let (good, after) = (good_client(), Arc::new(after));
    http_fn(move |request| {
        let (good, request, after) = (good.clone(), before(request), Arc::clone(&after));
        async move { after(good.send(request).await) }
    })
}

fn same<T>(value: T) -> T {
    value
}

/// Turns errors of one kind into errors of another.
fn confuse(from: HttpErrorKind, to: HttpErrorKind) -> impl Fn(Answer) -> Answer + Clone {
    move |answer| {
        answer.map_err(|error| {
            if error.kind() == from {
                HttpError::new(to, "?")
            } else {
                error
            }
        })
    }
}

/// Turns errors of one kind into an answer.
fn swallow(kind: HttpErrorKind) -> impl Fn(Answer) -> Answer + Clone {
    move |answer| match answer {
        Err(error) if error.kind() == kind => Ok(HttpResponse::new(200, b"part of it".to_vec())),
        answer => answer,
    }
}

/// Which checks were shown to fail.
#[derive(Default)]
struct Proved(BTreeSet<&'static str>);

impl Proved {
    /// The check must fail for such clients, for a reason in which `word` stands.
    fn by<C: HttpClient>(&mut self, check: &'static str, word: &str, client: impl Fn() -> C + 'static) {
        let reason = verdict(check, client).unwrap_or_else(|| "passed a broken client".to_owned());
        assert!(reason.contains(word), "{check}: {reason}, wanted {word}");
        self.0.insert(check);
    }
}

#[test]
fn each_check_finds_its_broken_client() {
    let mut proved = Proved::default();
    spoilt_requests(&mut proved);
    spoilt_answers(&mut proved);
    spoilt_errors(&mut proved);
    proved.by("redirects", "was followed", || {
        ReqwestClient::from_unchecked_client(reqwest::Client::new())
    });
    proved.by("cookies", "sent back", cookie_keeper);
    proved.by("connect_refused", "shows", chatterbox);
    proved.by("bad_requests", "shows", chatterbox);
    proved.by("endless_body", "took all", glutton);
    proved.by("without_runtime", "the client panicked", glutton);
    proved.by("dropped_future", "stays open", || Detached(good_client()));
    // Has a test of its own below.
    proved.0.insert("metadata_host_and_proxy");
    assert_eq!(
        proved.0,
        HttpConformance::names().collect::<BTreeSet<_>>(),
        "each check must be shown to fail"
    );
}

fn spoilt_requests(proved: &mut Proved) {
    for (name, value) in [
        ("authorization", "x"),
        ("cookie", "x"),
        ("referer", "x"),
        ("accept-encoding", "gzip"),
    ] {
        proved.by("request_as_given", name, move || {
            spoilt(move |request| request.with_header(name, value), same)
        });
    }
    let bodiless = || spoilt(|request| request.with_body(vec![]), same);
    proved.by("request_as_given", "the body was changed", bodiless);
    let asking = || spoilt(|request| request.with_header("accept-encoding", "gzip, br"), same);
    proved.by("no_decompression", "br", asking);
    for check in ["timeout_silent", "timeout_dripping_head", "timeout_dripping_body"] {
        let patient = |request: HttpRequest| request.with_timeout(Duration::from_secs(60));
        proved.by(check, "[Timeout]", move || spoilt(patient, same));
    }
    let slow = |request: HttpRequest| request.with_connect_timeout(Duration::from_secs(60));
    proved.by("connect_timeout", "kind Timeout", move || spoilt(slow, same));
}

fn spoilt_answers(proved: &mut Proved) {
    let refuse = |reason: &'static str, good: fn(&HttpResponse) -> bool| {
        move |answer: Answer| {
            let error = || HttpError::new(HttpErrorKind::Other, reason);
            answer.and_then(|response| good(&response).then_some(response).ok_or_else(error))
        }
    };
    let only_success = refuse("status", HttpResponse::is_success);
    proved.by("statuses", "status", move || spoilt(same, only_success));
    let stingy = refuse("size", |response| response.body().len() < MAX_BODY);
    proved.by("largest_body", "size", move || spoilt(same, stingy));
    let headless = |answer: Answer| answer.map(|old| HttpResponse::new(old.status(), old.body().to_vec()));
    proved.by("response_as_sent", "header", move || spoilt(same, headless));
    proved.by("no_decompression", "decompressed", || spoilt(same, decompress));
}

fn spoilt_errors(proved: &mut Proved) {
    use HttpErrorKind::{Connect, Interrupted, Other, Request, Timeout, Tls};
    for check in ["timeout_silent", "timeout_dripping_head", "timeout_dripping_body"] {
        proved.by(check, "kind Other", || spoilt(same, confuse(Timeout, Other)));
    }
    proved.by("connect_refused", "kind Other", || {
        spoilt(same, confuse(Connect, Other))
    });
    proved.by("bad_requests", "kind Connect", || {
        spoilt(same, confuse(Request, Connect))
    });
    // Which of the two it is depends on the features.
    let no_tls = |answer| confuse(Request, Connect)(confuse(Tls, Connect)(answer));
    proved.by("no_tls_there", "kind Connect", move || spoilt(same, no_tls));
    let silent = |answer: Answer| answer.map_err(|error| HttpError::new(error.kind(), "?"));
    proved.by("answer_begun", "does not say", move || spoilt(same, silent));
    let boastful = |answer: Answer| answer.map_err(HttpError::with_answer_begun);
    proved.by("answer_begun", "where none had", move || spoilt(same, boastful));
    for check in ["no_answer", "cut_body", "cut_chunked_body"] {
        proved.by(check, "wanted an error", || spoilt(same, swallow(Interrupted)));
    }
    for check in ["garbage", "endless_head", "body_over_limit"] {
        proved.by(check, "wanted an error", || spoilt(same, swallow(Other)));
    }
}

/// Keeps cookies.
fn cookie_keeper() -> impl HttpClient {
    let (good, jar) = (good_client(), Arc::new(Mutex::new(None::<String>)));
    http_fn(move |mut request: HttpRequest| {
        let (good, jar) = (good.clone(), Arc::clone(&jar));
        if let Some(cookie) = &*jar.lock().unwrap() {
            request = request.with_header("cookie", cookie.clone());
        }
        async move {
            let response = good.send(request).await?;
            *jar.lock().unwrap() = response.header("set-cookie").map(str::to_owned);
            Ok(response)
        }
    })
}

fn decompress(answer: Answer) -> Answer {
    answer.map(|old| match old.header("content-encoding") {
        Some("gzip") => HttpResponse::new(old.status(), b"credentials as they were sent".to_vec()),
        _ => old,
    })
}

/// Repeats the request in its errors.
fn chatterbox() -> impl HttpClient {
    let good = good_client();
    http_fn(move |request: HttpRequest| {
        let (good, url) = (good.clone(), request.url().to_owned());
        async move {
            good.send(request)
                .await
                .map_err(|error| HttpError::new(error.kind(), format!("at {url}")))
        }
    })
}

/// Reads whatever comes and measures it afterwards; panics without a runtime.
fn glutton() -> impl HttpClient {
    let client = reqwest::Client::new();
    http_fn(move |request: HttpRequest| {
        let sending = client.get(request.url()).send();
        async move {
            let other = |error: reqwest::Error| HttpError::new(HttpErrorKind::Other, error.without_url());
            let body = sending.await.map_err(other)?.bytes().await.map_err(other)?;
            if body.len() > MAX_BODY {
                return Err(HttpError::new(HttpErrorKind::Other, "size"));
            }
            Ok(HttpResponse::new(200, body.to_vec()))
        }
    })
}

/// Goes on when its future is dropped.
#[derive(Debug)]
struct Detached(ReqwestClient);

impl HttpClient for Detached {
    fn send(&self, request: HttpRequest) -> BoxFuture<'_, Answer> {
        let good = self.0.clone();
        let task = Handle::current().spawn(async move { good.send(request).await });
        Box::pin(async move { task.await.unwrap() })
    }
}

#[test]
fn a_client_that_asks_metadata_hosts_through_a_proxy_is_found() {
    let runtime = Builder::new_current_thread().enable_all().build().unwrap();
    let unchecked = |proxy: &str| {
        let proxy = reqwest::Proxy::all(proxy).unwrap();
        ReqwestClient::from_unchecked_client(reqwest::Client::builder().proxy(proxy).build().unwrap())
    };
    let suite = HttpConformance::new(good_client)
        .only(["metadata_host_and_proxy"])
        .block_on(move |future| runtime.block_on(future));
    let report = suite.through_proxy(unchecked).run();
    assert!(
        report
            .to_string()
            .contains("127.0.0.1 was asked through the proxy"),
        "{report}"
    );
}

#[test]
fn a_proxy_that_is_not_used_proves_nothing() {
    let runtime = Builder::new_current_thread().enable_all().build().unwrap();
    let suite = HttpConformance::new(good_client)
        .only(["metadata_host_and_proxy"])
        .through_proxy(|_| spoilt(same, swallow(HttpErrorKind::Connect)))
        .block_on(move |future| runtime.block_on(future));
    assert!(suite.run().to_string().contains("does not use the proxy"));
}

#[test]
fn all_failures_are_listed_at_once() {
    let broken = || spoilt(same, swallow(HttpErrorKind::Interrupted));
    let runtime = Builder::new_current_thread().enable_all().build().unwrap();
    let suite = HttpConformance::new(broken)
        .only(["statuses", "no_answer", "cut_body"])
        .block_on(move |future| runtime.block_on(future));
    let panic = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        let _ = suite.run_all();
    }));
    let panic = panic.unwrap_err();
    let text = panic.downcast_ref::<String>().unwrap();
    for part in [
        "passed   statuses",
        "FAILED   no_answer: got",
        "FAILED   cut_body: got",
    ] {
        assert!(text.contains(part), "{text}");
    }
}
