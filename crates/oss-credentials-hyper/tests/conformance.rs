//! The adapter keeps the contract of `HttpClient`.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::time::Duration;

use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt as _, Full};
use hyper::body::Bytes;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use oss_credentials_core::blocking;
use oss_credentials_http::test_util::HttpConformance;
use oss_credentials_http::{HttpClient, HttpErrorKind, HttpRequest};
use oss_credentials_hyper::HyperClient;
use tokio::runtime::Builder;

type Boxed = BoxBody<Bytes, std::io::Error>;

fn full() -> HyperClient<HttpConnector, Full<Bytes>> {
    HyperClient::new(Client::builder(TokioExecutor::new()).build_http())
}

fn keeps_the_contract<C: HttpClient>(mut runtime: Builder, client: impl Fn() -> C + 'static) {
    let runtime = runtime.enable_all().build().unwrap();
    let report = HttpConformance::new(client)
        .block_on(move |future| runtime.block_on(future))
        .run_all();
    // The connector has no proxies.
    let skipped: Vec<_> = report.skipped().map(|(name, _)| name).collect();
    assert!(
        skipped == ["metadata_host_and_proxy"] || cfg!(not(target_os = "linux")),
        "{skipped:?}"
    );
}

#[test]
fn in_a_current_thread_runtime() {
    keeps_the_contract(Builder::new_current_thread(), full);
}

#[test]
fn in_a_multi_thread_runtime_with_boxed_bodies_and_a_slow_connector() {
    keeps_the_contract(Builder::new_multi_thread(), || {
        let mut connector = HttpConnector::new();
        connector.set_connect_timeout(Some(Duration::from_secs(60)));
        let client: Client<_, Boxed> = Client::builder(TokioExecutor::new()).build(connector);
        HyperClient::with_body(client, |bytes| {
            Full::new(bytes).map_err(|never| match never {}).boxed()
        })
    });
}

#[test]
fn a_missing_runtime_and_a_missing_timer_are_named() {
    let request = || HttpRequest::get("http://127.0.0.1:1/");
    let error = blocking::wait(full().send(request())).unwrap_err();
    assert_eq!(
        error.to_string(),
        "the request could not be made: no tokio runtime is running here; await the provider inside the one that the \
         hyper client uses"
    );

    let bare = Builder::new_current_thread().build().unwrap();
    let error = bare.block_on(full().send(request())).unwrap_err();
    assert_eq!(error.kind(), HttpErrorKind::Request);
    assert!(error.to_string().contains("enable_all"), "{error}");
}

#[test]
fn a_password_in_the_url_is_refused_without_showing_it() {
    let runtime = Builder::new_current_thread().enable_all().build().unwrap();
    let request = HttpRequest::get("http://user:canary@127.0.0.1:1/");
    let error = runtime.block_on(full().send(request)).unwrap_err();
    assert_eq!(error.kind(), HttpErrorKind::Request);
    assert!(!format!("{error} {error:?}").contains("canary"), "{error:?}");
}
