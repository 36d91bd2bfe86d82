//! The adapter keeps the contract of `HttpClient`, in the caller's runtime and in its own.
// With `rustls-no-provider` alone no client can be made before one is installed; see `no_provider.rs`.
#![cfg(any(
    feature = "rustls",
    feature = "native-tls",
    not(feature = "rustls-no-provider")
))]
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use oss_credentials_core::test_util::{ConformanceReport, HttpConformance};
use oss_credentials_reqwest::ReqwestClient;

fn proxied(proxy: &str) -> oss_credentials_reqwest::ReqwestClientBuilder {
    let proxy = proxy.to_owned();
    ReqwestClient::builder()
        .client_builder(move || reqwest::Client::builder().proxy(reqwest::Proxy::all(&*proxy).unwrap()))
}

/// On Linux nothing may be skipped, or a check could go missing unseen.
fn nothing_skipped(report: &ConformanceReport) {
    let skipped: Vec<_> = report.skipped().collect();
    assert!(
        skipped.is_empty() || cfg!(not(target_os = "linux")),
        "{skipped:?}"
    );
}

fn in_runtime(mut builder: tokio::runtime::Builder) {
    let runtime = builder.enable_all().build().unwrap();
    let report = HttpConformance::new(ReqwestClient::new)
        .through_proxy(|proxy| proxied(proxy).build().unwrap())
        .block_on(move |future| runtime.block_on(future))
        .run_all();
    nothing_skipped(&report);
}

#[test]
fn in_a_current_thread_runtime() {
    in_runtime(tokio::runtime::Builder::new_current_thread());
}

#[test]
fn in_a_multi_thread_runtime() {
    in_runtime(tokio::runtime::Builder::new_multi_thread());
}

#[test]
fn with_its_own_runtime_and_no_other() {
    let report = HttpConformance::new(ReqwestClient::with_own_runtime)
        .through_proxy(|proxy| proxied(proxy).own_runtime(true).build().unwrap())
        .run_all();
    nothing_skipped(&report);
}

#[test]
fn what_a_given_builder_says_against_the_contract_is_overruled() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let client = || {
        let builder = || {
            reqwest::Client::builder()
                .redirect(reqwest::redirect::Policy::limited(5))
                .referer(true)
                .connect_timeout(std::time::Duration::from_secs(60))
                .timeout(std::time::Duration::from_secs(60))
        };
        ReqwestClient::builder().client_builder(builder).build().unwrap()
    };
    let _ = HttpConformance::new(client)
        .block_on(move |future| runtime.block_on(future))
        .run_all();
}
