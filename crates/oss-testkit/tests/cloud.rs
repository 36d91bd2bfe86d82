//! Starting, watching and stopping a local cloud.
//!
//! No test of this binary starts a program: a child process has a copy of the ports of a stopped cloud for a moment.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "helpers of tests, outside of test functions"
)]

mod support;

use std::io::ErrorKind;
use std::net::TcpStream;

use oss_testkit::{LocalCloud, Service};
use support::*;

#[test]
fn requests_are_recorded_with_their_outcome() {
    let (cloud, _) = cloud_at_now(|builder| builder);
    let key = cloud.access_key();
    Oss::new(&cloud, &key).call("PUT", "a b", &[("x-oss-meta-m", "v")], b"body");
    Oss::new(&cloud, &forged(&key)).call("GET", "a b", &[], b"");
    acs3_call(
        &cloud,
        &key,
        "AssumeRole",
        &[("RoleArn", "x"), ("RoleSessionName", "abc")],
    );
    send(&cloud.oss_endpoint(), "GET", "/example-bucket/", &[], b"").unwrap();

    let requests = cloud.requests();
    let seen: Vec<_> = requests
        .iter()
        .map(|r| (r.service(), r.action(), r.status(), r.error_code()))
        .collect();
    assert_eq!(
        seen,
        [
            (Service::Oss, "PutObject", Some(200), None),
            (
                Service::Oss,
                "GetObject",
                Some(403),
                Some("SignatureDoesNotMatch")
            ),
            (
                Service::Sts,
                "AssumeRole",
                Some(400),
                Some("InvalidParameter.RoleArn")
            ),
            (Service::Oss, "ListObjects", Some(403), Some("AccessDenied")),
        ]
    );
    let put = &requests[0];
    assert_eq!(
        (put.method(), put.path(), put.body()),
        ("PUT", "/example-bucket/a%20b", &b"body"[..])
    );
    assert_eq!(put.header("X-Oss-Meta-M"), Some("v"));
    assert_eq!(put.access_key_id(), Some(key.access_key_id()));
    assert_eq!(requests[2].parameter("RoleSessionName"), Some("abc"));
    assert_eq!(requests[2].access_key_id(), Some(key.access_key_id()));
    assert_eq!(requests[3].access_key_id(), None);
    assert_eq!(cloud.count(Service::Oss, "PutObject"), 1);
    cloud.forget_requests();
    assert_eq!(
        (cloud.requests().len(), cloud.count(Service::Oss, "PutObject")),
        (0, 0)
    );
    Oss::new(&cloud, &key).call("GET", "a b", &[], b"");
    assert_eq!(cloud.requests()[0].status(), Some(200));
}

#[test]
fn debug_output_has_no_secret() {
    let (cloud, _) = cloud_at_now(|builder| builder);
    let key = cloud.access_key();
    let temporary = cloud.issue(std::time::Duration::from_secs(900)).unwrap();
    rpc_call(&cloud, &temporary, "GetCallerIdentity", &[], now());
    acs3_call(&cloud, &temporary, "GetCallerIdentity", &[]);
    Oss::new(&cloud, &temporary).call("GET", "k", &[], b"");
    let url = Oss::new(&cloud, &temporary).presigned("GET", "k", std::time::Duration::from_secs(60));
    send(&cloud.oss_endpoint(), "GET", &url, &[], b"").unwrap();
    let shown = format!("{cloud:?} {:?}", cloud.requests());
    for secret in [
        key.access_key_id(),
        key.access_key_secret(),
        temporary.access_key_id(),
        temporary.access_key_secret(),
        temporary.security_token().unwrap(),
    ] {
        assert!(!shown.contains(secret), "{shown}");
    }
    assert_eq!(shown.matches("RecordedRequest").count(), 4);
}

#[test]
fn the_variables_name_the_endpoints_and_the_key() {
    let cloud = LocalCloud::builder()
        .region("ap-southeast-1")
        .bucket("mine")
        .start_blocking()
        .unwrap();
    let env = cloud.env();
    let value = |name: &str| {
        env.iter()
            .find(|(own, _)| *own == name)
            .map(|(_, value)| value.clone())
            .unwrap()
    };
    assert_eq!(value("OSS_ACCESS_KEY_ID"), cloud.access_key().access_key_id());
    assert_eq!(
        value("OSS_ACCESS_KEY_SECRET"),
        cloud.access_key().access_key_secret()
    );
    assert_eq!(
        value("OSS_ENDPOINT"),
        format!("http://127.0.0.1:{}", cloud.oss_port())
    );
    assert_eq!(
        value("ALIBABA_CLOUD_STS_ENDPOINT"),
        format!("http://127.0.0.1:{}", cloud.sts_port())
    );
    assert_eq!(
        (value("OSS_REGION"), value("OSS_BUCKET")),
        ("ap-southeast-1".to_owned(), "mine".to_owned())
    );
    assert_eq!(value("ALIBABA_CLOUD_ROLE_ARN"), cloud.role_arn());
    assert_eq!(
        value("ALIBABA_CLOUD_ECS_METADATA_SERVICE_ENDPOINT"),
        format!("http://127.0.0.1:{}", cloud.metadata_port())
    );
    assert_eq!(
        value("ALIBABA_CLOUD_CREDENTIALS_URI"),
        format!("http://127.0.0.1:{}/credentials", cloud.credentials_uri_port())
    );
    // Half of the settings for OIDC would be worse than none: the file is missing.
    assert!(!env.iter().any(|(name, _)| name.contains("OIDC")), "{env:?}");
}

#[test]
fn a_cloud_starts_and_stops_with_and_without_a_runtime() {
    let stop = |cloud: LocalCloud| {
        let address = cloud.oss_endpoint().trim_start_matches("http://").to_owned();
        assert!(TcpStream::connect(&address).is_ok());
        drop(cloud);
        let refused = TcpStream::connect(&address).map_err(|error| error.kind());
        assert_eq!(refused.map(drop), Err(ErrorKind::ConnectionRefused));
    };
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    for _ in 0..10 {
        stop(LocalCloud::start_blocking().unwrap());
        runtime.block_on(async { stop(LocalCloud::start().await.unwrap()) });
    }
}

#[test]
fn two_clouds_do_not_share_keys() {
    let (one, two) = (
        LocalCloud::start_blocking().unwrap(),
        LocalCloud::start_blocking().unwrap(),
    );
    assert_ne!(one.access_key().access_key_id(), two.access_key().access_key_id());
    assert_ne!(one.sts_endpoint(), two.sts_endpoint());
}

#[test]
fn settings_that_cannot_work_are_errors() {
    let error = LocalCloud::builder()
        .access_key("id", "")
        .start_blocking()
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidInput);
    let taken = LocalCloud::start_blocking().unwrap();
    let error = LocalCloud::builder()
        .sts_port(taken.sts_port())
        .start_blocking()
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::AddrInUse);
}
