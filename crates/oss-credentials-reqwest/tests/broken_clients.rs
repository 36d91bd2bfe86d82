//! The conformance suite can fail: each of its checks finds the client that breaks that part of the contract.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use oss_credentials_core::BoxFuture;
use oss_credentials_core::http::{
    HttpClient, HttpError, HttpErrorKind, HttpRequest, HttpResponse, MAX_BODY, http_fn,
};
use oss_credentials_core::test_util::HttpConformance;
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

/// A good client with something done to requests and answers.
fn spoilt(
    before: impl Fn(HttpRequest) -> HttpRequest + Send + Sync + 'static,
    after: impl Fn(Answer) -> Answer + Send + Sync + 'static,
) -> impl HttpClient {
    let (good, after) = (ReqwestClient::new(), Arc::new(after));
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

#[test]
fn each_check_finds_its_broken_client() {
    use HttpErrorKind::{Connect, Interrupted, Other, Request, Timeout, Tls};
    let patient = |request: HttpRequest| request.with_timeout(Duration::from_secs(60));
    let mut proved = BTreeSet::from(["metadata_host_and_proxy", "dropped_future", "without_runtime"]);
    let mut prove = |check: &'static str, reason: Option<String>, word: &str| {
        let reason = reason.unwrap_or_else(|| panic!("{check} passed a broken client ({word})"));
        assert!(reason.contains(word), "{check}: {reason}");
        proved.insert(check);
    };

    let only_success = |answer: Answer| {
        answer.and_then(|response| match response.is_success() {
            true => Ok(response),
            false => Err(HttpError::new(Other, "status")),
        })
    };
    prove(
        "statuses",
        verdict("statuses", move || spoilt(same, only_success)),
        "status",
    );
    let follower = || ReqwestClient::from_unchecked_client(reqwest::Client::new());
    prove("redirects", verdict("redirects", follower), "was followed");
    for (name, value) in [
        ("authorization", "x"),
        ("cookie", "x"),
        ("referer", "x"),
        ("accept-encoding", "gzip"),
    ] {
        let meddler = move || spoilt(move |request| request.with_header(name, value), same);
        prove("request_as_given", verdict("request_as_given", meddler), name);
    }
    let bodiless = || spoilt(|request| request.with_body(vec![]), same);
    prove(
        "request_as_given",
        verdict("request_as_given", bodiless),
        "the body was changed",
    );
    let headless = |answer: Answer| answer.map(|old| HttpResponse::new(old.status(), old.body().to_vec()));
    prove(
        "response_as_sent",
        verdict("response_as_sent", move || spoilt(same, headless)),
        "header",
    );
    prove("cookies", verdict("cookies", cookie_keeper), "sent back");
    prove(
        "no_decompression",
        verdict("no_decompression", || spoilt(same, decompress)),
        "decompressed",
    );
    let asks = || spoilt(|request| request.with_header("accept-encoding", "gzip, br"), same);
    prove("no_decompression", verdict("no_decompression", asks), "br");
    for check in ["timeout_silent", "timeout_dripping_head", "timeout_dripping_body"] {
        prove(check, verdict(check, move || spoilt(patient, same)), "[Timeout]");
        prove(
            check,
            verdict(check, move || spoilt(same, confuse(Timeout, Other))),
            "kind Other",
        );
    }
    prove(
        "connect_refused",
        verdict("connect_refused", || spoilt(same, confuse(Connect, Other))),
        "Other",
    );
    prove("connect_refused", verdict("connect_refused", chatterbox), "shows");
    let slow = |request: HttpRequest| request.with_connect_timeout(Duration::from_secs(60));
    prove(
        "connect_timeout",
        verdict("connect_timeout", move || spoilt(slow, same)),
        "kind Timeout",
    );
    for check in ["no_answer", "cut_body", "cut_chunked_body"] {
        prove(
            check,
            verdict(check, || spoilt(same, swallow(Interrupted))),
            "wanted an error",
        );
    }
    for check in ["garbage", "endless_head", "body_over_limit"] {
        prove(
            check,
            verdict(check, || spoilt(same, swallow(Other))),
            "wanted an error",
        );
    }
    let stingy = |answer: Answer| {
        answer.and_then(|old| {
            if old.body().len() < MAX_BODY {
                Ok(old)
            } else {
                Err(HttpError::new(Other, "size"))
            }
        })
    };
    prove(
        "largest_body",
        verdict("largest_body", move || spoilt(same, stingy)),
        "size",
    );
    prove("endless_body", verdict("endless_body", glutton), "took all");
    prove(
        "bad_requests",
        verdict("bad_requests", || spoilt(same, confuse(Request, Connect))),
        "Connect",
    );
    prove("bad_requests", verdict("bad_requests", chatterbox), "shows");
    prove(
        "no_tls_there",
        verdict("no_tls_there", || spoilt(same, confuse(Tls, Connect))),
        "Connect",
    );

    let all: BTreeSet<_> = HttpConformance::names().collect();
    assert_eq!(
        proved, all,
        "every check must be shown to fail, here or in a test below"
    );
}

/// Keeps cookies.
fn cookie_keeper() -> impl HttpClient {
    let (good, jar) = (ReqwestClient::new(), Arc::new(Mutex::new(None::<String>)));
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
    let good = ReqwestClient::new();
    http_fn(move |request: HttpRequest| {
        let (good, url) = (good.clone(), request.url().to_owned());
        async move {
            good.send(request)
                .await
                .map_err(|error| HttpError::new(error.kind(), format!("at {url}")))
        }
    })
}

/// Reads whatever comes, and measures it afterwards.
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

#[test]
fn a_client_that_panics_without_a_runtime_is_found() {
    let client = || {
        let client = reqwest::Client::new();
        http_fn(move |request: HttpRequest| {
            let sending = client.get(request.url()).send();
            async move {
                sending
                    .await
                    .map_err(|error| HttpError::new(HttpErrorKind::Other, error.without_url()))?;
                Ok(HttpResponse::new(200, vec![]))
            }
        })
    };
    assert_eq!(verdict("without_runtime", client).unwrap(), "the client panicked");
}

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
fn a_client_that_goes_on_after_its_future_is_dropped_is_found() {
    let reason = verdict("dropped_future", || Detached(ReqwestClient::new())).unwrap();
    assert!(reason.contains("stays open"), "{reason}");
}

#[test]
fn a_client_that_asks_metadata_hosts_through_a_proxy_is_found() {
    let runtime = Builder::new_current_thread().enable_all().build().unwrap();
    let unchecked = |proxy: &str| {
        let proxy = reqwest::Proxy::all(proxy).unwrap();
        ReqwestClient::from_unchecked_client(reqwest::Client::builder().proxy(proxy).build().unwrap())
    };
    let suite = HttpConformance::new(ReqwestClient::new)
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
    let suite = HttpConformance::new(ReqwestClient::new)
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
