//! A call of the OpenAPI that is not about credentials.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "helpers of tests, outside of test functions"
)]

mod support;

use std::time::Duration;

use acs_sign::{ApiRequest, acs3};
use oss_credentials_core::{Credentials, nonce};
use oss_testkit::{Fault, LocalCloud, Service};
use support::*;

fn describe_regions(cloud: &LocalCloud, key: &Credentials, version: &str) -> Reply {
    let endpoint = cloud.ecs_endpoint();
    let host = endpoint.trim_start_matches("http://");
    let request = ApiRequest::new("POST", host, "DescribeRegions", version);
    let signed = acs3::sign(&request, key, now(), &nonce()).unwrap();
    let mut headers = vec![("accept", "application/json")];
    headers.extend(
        signed
            .headers()
            .iter()
            .map(|header| (header.name(), header.value())),
    );
    send(&endpoint, "POST", "/", &headers, b"").unwrap()
}

#[test]
fn every_good_key_may_list_regions() {
    let (cloud, _clock) = cloud_at_now(|builder| builder.region("eu-central-1"));
    for key in [cloud.access_key(), cloud.issue(Duration::from_secs(900)).unwrap()] {
        let reply = describe_regions(&cloud, &key, "2014-05-26");
        assert_eq!(reply.status, 200, "{}", reply.body);
        let json = reply.json();
        let regions = json["Regions"]["Region"].as_array().unwrap();
        let ids: Vec<_> = regions
            .iter()
            .filter_map(|region| region["RegionId"].as_str())
            .collect();
        assert_eq!(
            ids,
            ["cn-hangzhou", "cn-shanghai", "ap-southeast-1", "eu-central-1"]
        );
    }
    assert_eq!(cloud.count(Service::Ecs, "DescribeRegions"), 2);
}

#[test]
fn what_sts_refuses_is_refused_here_too() {
    let (cloud, _clock) = cloud_at_now(|builder| builder);
    let key = cloud.access_key();
    let refusal = |reply: Reply| (reply.status, reply.json()["Code"].as_str().unwrap().to_owned());
    let is = |status: u16, code: &str| (status, code.to_owned());
    assert_eq!(
        refusal(describe_regions(&cloud, &forged(&key), "2014-05-26")),
        is(400, "SignatureDoesNotMatch")
    );
    assert_eq!(
        refusal(describe_regions(&cloud, &key, "2015-04-01")),
        is(400, "InvalidVersion")
    );
    let ended = cloud.issue(Duration::ZERO).unwrap();
    assert_eq!(
        refusal(describe_regions(&cloud, &ended, "2014-05-26")),
        is(400, "InvalidSecurityToken.Expired")
    );
    cloud.fault(Service::Ecs, Fault::throttling());
    assert_eq!(
        refusal(describe_regions(&cloud, &key, "2014-05-26")),
        is(429, "Throttling.User")
    );
}
