//! Both stacks keep the contract of `HttpClient`, which is what providers rely on.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use existing_http_stack::{with_hyper, with_ureq};
use hyper_util::client::legacy::connect::HttpConnector;
use oss_credentials_core::blocking;
use oss_credentials_http::{HttpClient as _, HttpErrorKind, HttpRequest, test_util::HttpConformance};
use oss_testkit::LocalCloud;

#[test]
fn ureq_keeps_the_contract_without_a_runtime() {
    let report = HttpConformance::new(|| with_ureq::http_client(ureq::Agent::new_with_defaults())).run_all();
    // Its future is done when it is first polled. How it treats proxies, with CONNECT for plain http too, is
    // checked below.
    let skipped: Vec<_> = report.skipped().map(|(name, _)| name).collect();
    assert_eq!(skipped, ["dropped_future", "metadata_host_and_proxy"]);
}

#[test]
fn ureq_asks_metadata_hosts_without_the_agents_proxy() {
    let cloud = LocalCloud::start_blocking().unwrap();
    // Nobody listens there: what goes to the proxy fails.
    let proxy = ureq::Proxy::new("http://127.0.0.1:1").unwrap();
    let agent = ureq::Agent::config_builder()
        .proxy(Some(proxy))
        .build()
        .new_agent();
    let client = with_ureq::http_client(agent);

    blocking::wait(client.send(HttpRequest::get(cloud.sts_endpoint()))).unwrap();
    assert_eq!(cloud.requests().len(), 1);
    let elsewhere = HttpRequest::get("http://sts.proxy-check.invalid/");
    let error = blocking::wait(client.send(elsewhere)).unwrap_err();
    assert_eq!(error.kind(), HttpErrorKind::Connect);
}

#[test]
fn hyper_keeps_the_contract() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let report = HttpConformance::new(|| with_hyper::http_client(HttpConnector::new()))
        .block_on(move |future| runtime.block_on(future))
        .run_all();
    // The connector knows no proxies.
    let skipped: Vec<_> = report.skipped().map(|(name, _)| name).collect();
    assert_eq!(skipped, ["metadata_host_and_proxy"]);
}
