//! Calls of the OpenAPI beside STS and ECS: RAM in the RPC style, and Container Service in the ROA style.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "helpers of tests, outside of test functions"
)]

mod support;

use acs_sign::{ApiRequest, acs3, encode_pairs};
use oss_credentials_core::{Credentials, nonce};
use oss_testkit::{Fault, Service};
use support::*;

/// An operation of a product.
#[derive(Clone, Copy)]
struct Operation {
    method: &'static str,
    path: &'static str,
    action: &'static str,
    version: &'static str,
}

const GET_POLICY: Operation = Operation {
    method: "POST",
    path: "/",
    action: "GetPolicy",
    version: "2015-05-01",
};
const DESCRIBE_CLUSTERS: Operation = Operation {
    method: "GET",
    path: "/clusters",
    action: "DescribeClusters",
    version: "2015-12-15",
};

fn call(endpoint: &str, key: &Credentials, operation: Operation, query: &[(&str, &str)]) -> Reply {
    let host = endpoint.trim_start_matches("http://");
    let Operation {
        method,
        path,
        action,
        version,
    } = operation;
    let request = ApiRequest::new(method, host, action, version)
        .path(path)
        .query(query);
    let signed = acs3::sign(&request, key, now(), &nonce()).unwrap();
    let mut headers = vec![("accept", "application/json")];
    headers.extend(
        signed
            .headers()
            .iter()
            .map(|header| (header.name(), header.value())),
    );
    let target = format!("{path}?{}", encode_pairs(query.iter().copied()));
    send(endpoint, method, &target, &headers, b"").unwrap()
}

#[test]
fn a_system_policy_can_be_read_from_ram() {
    let (cloud, _clock) = cloud_at_now(|builder| builder);
    let key = cloud.access_key();
    let get = |name: &str, kind: &str| {
        let query = [("PolicyName", name), ("PolicyType", kind)];
        call(&cloud.ram_endpoint(), &key, GET_POLICY, &query)
    };
    let reply = get("AliyunOSSReadOnlyAccess", "System");
    assert_eq!(reply.status, 200, "{}", reply.body);
    let json = reply.json();
    assert_eq!(json["Policy"]["PolicyType"], "System");
    let document = json["DefaultPolicyVersion"]["PolicyDocument"].as_str().unwrap();
    let document: serde_json::Value = serde_json::from_str(document).unwrap();
    assert_eq!(document["Statement"][0]["Effect"], "Allow");
    assert_eq!(cloud.count(Service::Ram, "GetPolicy"), 1);
    for (name, kind) in [("NoSuchPolicy", "System"), ("AliyunOSSReadOnlyAccess", "Custom")] {
        let not_there = (404, "EntityNotExist.Policy".to_owned());
        assert_eq!(get(name, kind).refusal(), not_there);
    }
}

#[test]
fn clusters_are_listed_in_the_roa_style() {
    let (cloud, _clock) = cloud_at_now(|builder| builder);
    let key = cloud.access_key();
    let list = |query: &[(&str, &str)]| call(&cloud.cs_endpoint(), &key, DESCRIBE_CLUSTERS, query);
    let reply = list(&[]);
    assert_eq!(reply.status, 200, "{}", reply.body);
    assert!(reply.header("x-acs-request-id").is_some());
    assert_eq!(reply.json().as_array().unwrap().len(), 2);
    let one = list(&[("name", "staging")]).json();
    assert_eq!(one.as_array().unwrap().len(), 1);
    assert_eq!(one[0]["region_id"], "cn-hangzhou");
    assert_eq!(cloud.count(Service::Cs, "DescribeClusters"), 2);
}

#[test]
fn keys_signatures_paths_and_versions_are_checked() {
    let (cloud, _clock) = cloud_at_now(|builder| builder);
    let key = cloud.access_key();
    let (ram, cs) = (cloud.ram_endpoint(), cloud.cs_endpoint());
    let query = [
        ("PolicyName", "AliyunECSReadOnlyAccess"),
        ("PolicyType", "System"),
    ];
    let wrong_path = Operation {
        path: "/cluster",
        ..DESCRIBE_CLUSTERS
    };
    let wrong_version = Operation {
        version: "2014-05-26",
        ..GET_POLICY
    };
    let is = |status: u16, code: &str| (status, code.to_owned());
    for (reply, expected) in [
        (
            call(&ram, &forged(&key), GET_POLICY, &query),
            is(400, "SignatureDoesNotMatch"),
        ),
        (
            call(&cs, &forged(&key), DESCRIBE_CLUSTERS, &[]),
            is(400, "SignatureDoesNotMatch"),
        ),
        (call(&ram, &key, wrong_version, &query), is(400, "InvalidVersion")),
        (
            call(&cs, &key, wrong_path, &[]),
            is(404, "InvalidAction.NotFound"),
        ),
        (
            call(&ram, &key, GET_POLICY, &query[..1]),
            is(400, "MissingPolicyType"),
        ),
    ] {
        assert_eq!(reply.refusal(), expected);
    }
    cloud.fault(Service::Cs, Fault::throttling());
    let throttled = call(&cs, &key, DESCRIBE_CLUSTERS, &[]);
    assert_eq!(throttled.refusal(), is(429, "Throttling.User"));
}
