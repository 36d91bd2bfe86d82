//! Session policies: what OSS lets a session do that was begun with one.
#![allow(clippy::unwrap_used, reason = "helpers of tests, outside of test functions")]

mod support;

use std::time::Duration;

use acs_sign::encode_pairs;
use oss_credentials_core::Credentials;
use oss_testkit::{LocalCloud, Service};
use support::*;

/// A key of a session of AssumeRole with this policy.
fn session(cloud: &LocalCloud, policy: &str) -> Credentials {
    issued(&assume_role(cloud, &cloud.access_key(), &[("Policy", policy)]))
}

fn issued(reply: &Reply) -> Credentials {
    assert_eq!(reply.status, 200, "{}", reply.body);
    let json = reply.json();
    let field = |name: &str| json["Credentials"][name].as_str().unwrap().to_owned();
    Credentials::builder(field("AccessKeyId"), field("AccessKeySecret"))
        .security_token(field("SecurityToken"))
        .build()
        .unwrap()
}

fn policy(statements: &str) -> String {
    format!(r#"{{"Version":"1","Statement":[{statements}]}}"#)
}

/// What token vending hands out: a folder may be listed, read and written.
const FOLDER: &str = r#"
    {"Effect":"Allow","Action":["oss:GetObject","oss:PutObject","oss:AbortMultipartUpload","oss:ListParts"],
     "Resource":"acs:oss:*:*:example-bucket/users/bob/*"},
    {"Effect":"Allow","Action":"oss:ListObjects","Resource":"acs:oss:*:*:example-bucket",
     "Condition":{"StringLike":{"oss:Prefix":"users/bob/*"}}}"#;

/// Allowed, denied with the code of the page about EC 0003-00000301, or something else.
fn outcome(reply: &Reply) -> &'static str {
    // An answer to HEAD has no document.
    match (reply.status, reply.header("x-oss-ec")) {
        (403, Some("0003-00000301")) => "denied",
        (200 | 204, None) => "allowed",
        _ => "else",
    }
}

#[test]
fn a_session_stays_below_its_prefix() {
    let (cloud, _) = cloud_at_now(|builder| builder);
    for key in ["users/bob/a", "users/eve/a"] {
        cloud.put_object(cloud.bucket(), key, "v");
    }
    let key = session(&cloud, &policy(FOLDER));
    let oss = Oss::new(&cloud, &key);
    for (name, expected) in [("users/bob/a", "allowed"), ("users/eve/a", "denied")] {
        for method in ["GET", "HEAD", "PUT"] {
            let found = oss.call(method, name, &[], b"");
            assert_eq!(outcome(&found), expected, "{method} {name} {}", found.body);
        }
        let meta = oss.call_with("HEAD", name, &[("objectMeta", "")], &[], b"");
        assert_eq!(outcome(&meta), expected);
        let begun = oss.call_with("POST", name, &[("uploads", "")], &[], b"");
        assert_eq!(outcome(&begun), expected);
        assert_eq!(outcome(&oss.call("DELETE", name, &[], b"")), "denied");
    }
    let list = |query: &[(&str, &str)]| {
        let all: Vec<_> = [("list-type", "2")].iter().chain(query).copied().collect();
        outcome(&oss.call_with("GET", "", &all, &[], b""))
    };
    assert_eq!(list(&[("prefix", "users/bob/")]), "allowed");
    assert_eq!(list(&[("prefix", "users/bob/x")]), "allowed");
    assert_eq!(list(&[("prefix", "users/")]), "denied");
    assert_eq!(list(&[]), "denied");
    // Neither the buckets nor the making of one.
    for method in ["PUT", "DELETE"] {
        assert_eq!(outcome(&oss.call(method, "", &[], b"")), "denied", "{method}");
    }
    let denied = oss.call("GET", "users/eve/a", &[], b"");
    assert_eq!(denied.refusal(), (403, "AccessDenied".to_owned()));
    assert_eq!(denied.element("Message"), "Access denied by authorizer's policy.");
    assert_eq!(denied.element("EC"), "0003-00000301");
    assert_eq!(
        cloud.object(cloud.bucket(), "users/eve/a").as_deref(),
        Some(&b"v"[..])
    );

    // Other sessions of the role are not restricted, and a URL is as restricted as its key.
    let free = issued(&assume_role(&cloud, &cloud.access_key(), &[]));
    assert_eq!(
        outcome(&Oss::new(&cloud, &free).call("GET", "users/eve/a", &[], b"")),
        "allowed"
    );
    let url = |name| {
        let url = oss.presigned("GET", name, Duration::from_secs(60));
        outcome(&send(&cloud.oss_endpoint(), "GET", &url, &[], b"").unwrap())
    };
    assert_eq!((url("users/bob/a"), url("users/eve/a")), ("allowed", "denied"));
}

#[test]
fn a_copy_reads_and_a_batch_deletes_each_object() {
    let (cloud, _) = cloud_at_now(|builder| builder);
    for key in ["users/bob/a", "users/eve/a"] {
        cloud.put_object(cloud.bucket(), key, "v");
    }
    let folder = session(&cloud, &policy(FOLDER));
    let copy = |source| {
        let headers = [("x-oss-copy-source", source)];
        outcome(&Oss::new(&cloud, &folder).call("PUT", "users/bob/copy", &headers, b""))
    };
    assert_eq!(copy("/example-bucket/users/bob/a"), "allowed");
    assert_eq!(copy("/example-bucket/users/eve/a"), "denied");
    assert_eq!(copy("/example-bucket/users/eve/a?versionId=1"), "denied");

    let only_delete =
        r#"{"Effect":"Allow","Action":"oss:DeleteObject","Resource":"acs:oss:*:*:*/users/bob/*"}"#;
    let key = session(&cloud, &policy(only_delete));
    let delete = |name: &str| {
        let body = format!(
            "<Delete><Object><Key>users/bob/a</Key></Object><Object><Key>{name}</Key></Object></Delete>"
        );
        let digest = digest_of(&body);
        let oss = Oss::new(&cloud, &key);
        let reply = oss.call_with(
            "POST",
            "",
            &[("delete", "")],
            &[("content-md5", &digest)],
            body.as_bytes(),
        );
        outcome(&reply)
    };
    assert_eq!(delete("users/eve/a"), "denied");
    // Nothing of it was carried out.
    assert!(cloud.object(cloud.bucket(), "users/bob/a").is_some());
    assert_eq!(delete("users/bob/b"), "allowed");
}

fn digest_of(body: &str) -> String {
    use base64::Engine as _;
    use md5::Digest as _;
    base64::engine::general_purpose::STANDARD.encode(md5::Md5::digest(body))
}

#[test]
fn deny_takes_precedence_and_patterns_have_both_wildcards() {
    let (cloud, _) = cloud_at_now(|builder| builder);
    for key in ["logs/2026-01", "logs/2026-1", "secret/a"] {
        cloud.put_object(cloud.bucket(), key, "v");
    }
    let key = session(
        &cloud,
        &policy(
            r#"{"Effect":"Deny","Action":"oss:Get*","Resource":["acs:oss:*:*:example-bucket/secret/*"]},
               {"Effect":"Deny","Action":"oss:*","Resource":["acs:oss:*:*:example-bucket/logs/2026-??"]},
               {"Effect":"Allow","Action":"*","Resource":"*"}"#,
        ),
    );
    let oss = Oss::new(&cloud, &key);
    let call = |method, name| outcome(&oss.call(method, name, &[], b""));
    assert_eq!(
        (call("GET", "secret/a"), call("PUT", "secret/a")),
        ("denied", "allowed")
    );
    assert_eq!(
        (call("GET", "logs/2026-01"), call("GET", "logs/2026-1")),
        ("denied", "allowed")
    );
    // What names no action of OSS allows nothing there.
    let other = session(
        &cloud,
        &policy(r#"{"Effect":"Allow","Action":"ecs:*","Resource":"*"}"#),
    );
    assert_eq!(
        outcome(&Oss::new(&cloud, &other).call("GET", "secret/a", &[], b"")),
        "denied"
    );
}

#[test]
fn conditions_look_at_the_request_and_the_network() {
    let (cloud, _) = cloud_at_now(|builder| builder);
    cloud.put_object(cloud.bucket(), "k", "v");
    let get = |condition: &str| {
        let statement = format!(
            r#"{{"Effect":"Allow","Action":"oss:GetObject","Resource":"*","Condition":{condition}}}"#
        );
        let key = session(&cloud, &policy(&statement));
        outcome(&Oss::new(&cloud, &key).call("GET", "k", &[], b""))
    };
    assert_eq!(
        get(r#"{"IpAddress":{"acs:SourceIp":["10.0.0.0/8","127.0.0.0/8"]}}"#),
        "allowed"
    );
    assert_eq!(get(r#"{"IpAddress":{"acs:SourceIp":"10.0.0.0/8"}}"#), "denied");
    assert_eq!(get(r#"{"NotIpAddress":{"acs:SourceIp":"127.0.0.1"}}"#), "denied");
    assert_eq!(get(r#"{"Bool":{"acs:SecureTransport":"true"}}"#), "denied");
    assert_eq!(get(r#"{"Bool":{"acs:SecureTransport":"false"}}"#), "allowed");
    let vpc = r#"{"StringEquals":{"acs:SourceVpc":"vpc-example"}}"#;
    assert_eq!(get(vpc), "denied");
    cloud.set_source_vpc(Some("vpc-example"));
    assert_eq!(get(vpc), "allowed");
    cloud.set_source_vpc(Some("vpc-other"));
    assert_eq!(get(vpc), "denied");
    cloud.set_source_vpc(None);
    // All of them have to be met.
    let both = r#"{"IpAddress":{"acs:SourceIp":"127.0.0.1"},"StringEquals":{"acs:SourceVpc":"vpc-example"}}"#;
    assert_eq!(get(both), "denied");
}

#[test]
fn what_the_cloud_cannot_decide_is_no_permission() {
    let (cloud, _) = cloud_at_now(|builder| builder);
    cloud.put_object(cloud.bucket(), "k", "v");
    let tagged = r#"{"Effect":"Allow","Action":"oss:*","Resource":"*",
        "Condition":{"StringEquals":{"oss:ExistingObjectTag/a":"b"}}}"#;
    let key = session(&cloud, &policy(tagged));
    let reply = Oss::new(&cloud, &key).call("GET", "k", &[], b"");
    assert_eq!(reply.refusal(), (501, "NotImplemented".to_owned()));
    let message = reply.element("Message");
    assert!(
        message.contains("condition key oss:ExistingObjectTag/a"),
        "{message}"
    );
    assert_eq!(
        cloud.requests().last().unwrap().error_code(),
        Some("NotImplemented")
    );
}

/// "Policy structure and syntax": STS refuses what breaks the grammar, and nothing else.
#[test]
fn sts_refuses_malformed_policies_only() {
    let (cloud, _) = cloud_at_now(|builder| builder);
    let assume = |policy: &str| assume_role(&cloud, &cloud.access_key(), &[("Policy", policy)]);
    for bad in ["[]", r#"{"Version":"1"}"#, &policy(r#"{"Effect":"Allow"}"#)] {
        let refused = (400, "InvalidParameter.PolicyGrammar".to_owned());
        assert_eq!(assume(bad).refusal(), refused, "{bad}");
    }
    for good in [
        "",
        r#"{"Effect":"Allow","Action":"x:y","Resource":"*","Condition":{"New":{"a:b":1}}}"#,
    ] {
        assert_eq!(assume(&policy(good)).status, 200, "{good}");
    }
    // An empty list allows nothing.
    let key = issued(&assume(&policy("")));
    assert_eq!(
        outcome(&Oss::new(&cloud, &key).call("GET", "k", &[], b"")),
        "denied"
    );
}

#[test]
fn a_session_of_an_oidc_token_is_restricted_as_well() {
    let (cloud, _) = cloud_at_now(|builder| builder);
    for key in ["users/bob/a", "users/eve/a"] {
        cloud.put_object(cloud.bucket(), key, "v");
    }
    let (arn, provider) = (cloud.role_arn(), cloud.oidc_provider_arn());
    let token = cloud.oidc_token(Duration::from_secs(3600)).unwrap();
    let policy = policy(FOLDER);
    let query = encode_pairs([
        ("Action", "AssumeRoleWithOIDC"),
        ("Version", "2015-04-01"),
        ("Format", "JSON"),
        ("Timestamp", "2026-01-01T08:30:00Z"),
        ("RoleArn", arn.as_str()),
        ("OIDCProviderArn", provider.as_str()),
        ("OIDCToken", token.as_str()),
        ("RoleSessionName", "test-session"),
        ("Policy", policy.as_str()),
    ]);
    let key = issued(&send(&cloud.sts_endpoint(), "POST", &format!("/?{query}"), &[], b"").unwrap());
    let oss = Oss::new(&cloud, &key);
    assert_eq!(outcome(&oss.call("GET", "users/bob/a", &[], b"")), "allowed");
    assert_eq!(outcome(&oss.call("GET", "users/eve/a", &[], b"")), "denied");
    assert_eq!(cloud.count(Service::Oss, "GetObject"), 2);
}
