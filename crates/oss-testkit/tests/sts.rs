//! What the local STS accepts and what it refuses.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "helpers of tests, outside of test functions"
)]

mod support;

use std::time::{Duration, SystemTime};

use oss_credentials_core::Credentials;
use oss_testkit::{LocalCloud, Role, Service};
use support::*;

/// The time of the vectors: 2026-01-02T03:04:05Z.
const VECTORS: u64 = 1_767_323_045;
const ROLE_ARN: &str = "acs:ram::123456789012:role/example-role";

fn issued(reply: &Reply) -> Credentials {
    assert_eq!(reply.status, 200, "{}", reply.body);
    let json = reply.json();
    let field = |name: &str| json["Credentials"][name].as_str().unwrap().to_owned();
    Credentials::builder(field("AccessKeyId"), field("AccessKeySecret"))
        .security_token(field("SecurityToken"))
        .build()
        .unwrap()
}

/// Requests signed by others: the vectors on which the official packages agree.
#[test]
fn published_signatures_are_accepted() {
    let clock = oss_credentials_core::test_util::ManualClock::at_unix(VECTORS);
    let cloud = LocalCloud::builder()
        .clock(clock)
        .access_key("LTAI5tEXAMPLEKEYID", "ExampleAccessKeySecret123456789")
        .start_blocking()
        .unwrap();
    let query = "AccessKeyId=LTAI5tEXAMPLEKEYID&Action=AssumeRole&DurationSeconds=3600&Format=JSON\
        &RoleArn=acs%3Aram%3A%3A123456789012%3Arole%2Fexample-role&RoleSessionName=example-session\
        &SignatureMethod=HMAC-SHA1&SignatureNonce=0f8fad5b-d9cb-469f-a165-70867728950e\
        &SignatureVersion=1.0&Timestamp=2026-01-02T03%3A04%3A05Z&Version=2015-04-01";
    let endpoint = cloud.sts_endpoint();
    // The signature of GET is not that of POST.
    let wrong = format!("/?{query}&Signature=swlM9LysL5Pxh2MrhQQGTVNHaiw%3D");
    assert_eq!(send(&endpoint, "GET", &wrong, &[], b"").unwrap().status, 400);
    let right = format!("/?{query}&Signature=%2Bi9cao0RMsmEx%2ByaNbCkTLZsJbc%3D");
    let reply = send(&endpoint, "GET", &right, &[], b"").unwrap();
    assert_eq!(reply.status, 200, "{}", reply.body);
    assert_eq!(reply.json()["Credentials"]["Expiration"], "2026-01-02T04:04:05Z");
    assert_eq!(reply.header("date"), Some("Fri, 02 Jan 2026 03:04:05 GMT"));

    let body = "DurationSeconds=3600&RoleArn=acs%3Aram%3A%3A123456789012%3Arole%2Fexample-role\
        &RoleSessionName=example-session";
    let acs3 = |signature: &str| {
        let authorization = format!(
            "ACS3-HMAC-SHA256 Credential=LTAI5tEXAMPLEKEYID,SignedHeaders=content-type;host;x-acs-action;\
             x-acs-content-sha256;x-acs-date;x-acs-signature-nonce;x-acs-version,Signature={signature}"
        );
        let headers = [
            ("Host", "sts.aliyuncs.com"),
            ("content-type", "application/x-www-form-urlencoded"),
            ("x-acs-action", "AssumeRole"),
            (
                "x-acs-content-sha256",
                "b846ff5025aebfeb574c015999a5445e91b6c9553d0881e24941147c9ebde232",
            ),
            ("x-acs-date", "2026-01-02T03:04:05Z"),
            ("x-acs-signature-nonce", "9f1a3c5e7b2d4f60817293a4b5c6d7e8"),
            ("x-acs-version", "2015-04-01"),
            ("authorization", &authorization),
        ];
        send(&endpoint, "POST", "/", &headers, body.as_bytes()).unwrap()
    };
    let good = "427807cf68ef7d3cce8b6557c8cbf24cef600c3d1964a45227d1f71a17947d81";
    assert_eq!(acs3(&good.replacen('4', "5", 1)).status, 400);
    let reply = acs3(good);
    assert_eq!(reply.status, 200, "{}", reply.body);
    // Nobody asked for JSON.
    assert!(reply.element("AccessKeyId").starts_with("STS."), "{}", reply.body);
}

#[test]
fn issued_keys_work_with_their_token_until_they_end() {
    let (cloud, clock) = cloud_at_now(|builder| builder);
    let reply = assume_role(&cloud, &cloud.access_key(), &[("DurationSeconds", "900")]);
    let json = reply.json();
    assert_eq!(json["AssumedRoleUser"]["Arn"], format!("{ROLE_ARN}/test-session"));
    assert_eq!(json["Credentials"]["Expiration"], "2026-01-01T08:45:00Z");
    let key = issued(&reply);

    let who = rpc_call(&cloud, &key, "GetCallerIdentity", &[], now()).json();
    assert_eq!(who["IdentityType"], "AssumedRoleUser");
    assert_eq!(
        who["Arn"],
        "acs:ram::123456789012:assumed-role/example-role/test-session"
    );
    assert_eq!(
        acs3_call(&cloud, &key, "GetCallerIdentity", &[]).json()["AccountId"],
        "123456789012"
    );

    let without = rpc_call(&cloud, &with_token(&key, ""), "GetCallerIdentity", &[], now());
    assert_eq!(without.refusal(), (400, "MissingSecurityToken".to_owned()));
    let other = rpc_call(
        &cloud,
        &with_token(&key, "CAISother"),
        "GetCallerIdentity",
        &[],
        now(),
    );
    assert_eq!(
        other.refusal(),
        (400, "InvalidSecurityToken.MismatchWithAccessKey".to_owned())
    );

    let end = now() + Duration::from_secs(900);
    clock.set(end - Duration::from_secs(1));
    assert_eq!(rpc_call(&cloud, &key, "GetCallerIdentity", &[], end).status, 200);
    clock.set(end);
    let late = rpc_call(&cloud, &key, "GetCallerIdentity", &[], end);
    assert_eq!(late.refusal(), (400, "InvalidSecurityToken.Expired".to_owned()));
}

#[test]
fn a_signature_is_worth_its_key_its_time_and_one_use() {
    let (cloud, _) = cloud_at_now(|builder| builder);
    let key = cloud.access_key();
    let call = |key: &Credentials, time| rpc_call(&cloud, key, "GetCallerIdentity", &[], time);

    let stranger = Credentials::builder("LTAI5tStranger", "s").build().unwrap();
    assert_eq!(
        call(&stranger, now()).refusal(),
        (404, "InvalidAccessKeyId.NotFound".to_owned())
    );
    let wrong = call(&forged(&key), now());
    assert_eq!(wrong.refusal(), (400, "SignatureDoesNotMatch".to_owned()));
    let message = wrong.json()["Message"].as_str().unwrap().to_owned();
    assert!(
        message.contains("server string to sign is:POST&%2F&AccessKeyId%3D"),
        "{message}"
    );
    assert!(!message.contains(key.access_key_secret()));
    let acs3 = acs3_call(&cloud, &forged(&key), "GetCallerIdentity", &[]);
    assert_eq!(acs3.refusal(), (400, "SignatureDoesNotMatch".to_owned()));

    let minutes = |minutes: u64| Duration::from_secs(60 * minutes);
    for time in [now() - minutes(15), now() + minutes(15)] {
        assert_eq!(call(&key, time).status, 200);
    }
    let second = Duration::from_secs(1);
    for time in [now() - minutes(15) - second, now() + minutes(15) + second] {
        assert_eq!(
            call(&key, time).refusal(),
            (400, "InvalidTimeStamp.Expired".to_owned())
        );
    }

    let once = || rpc_once(&cloud, &key, "GetCallerIdentity", &[], now(), "nonce-1");
    assert_eq!(once().status, 200);
    assert_eq!(once().refusal(), (400, "SignatureNonceUsed".to_owned()));

    assert!(cloud.revoke(key.access_key_id()));
    assert_eq!(
        call(&key, now()).refusal(),
        (400, "InvalidAccessKeyId.Inactive".to_owned())
    );
    assert!(!cloud.revoke("LTAI5tStranger"));
}

#[test]
fn a_refused_signature_does_not_use_up_the_nonce() {
    let (cloud, _) = cloud_at_now(|builder| builder);
    let key = cloud.access_key();
    let call = |key: &Credentials| rpc_once(&cloud, key, "GetCallerIdentity", &[], now(), "nonce-1");
    assert_eq!(call(&forged(&key)).status, 400);
    assert_eq!(call(&key).status, 200);
}

#[test]
fn incomplete_requests_are_refused() {
    let (cloud, _) = cloud_at_now(|builder| builder);
    let common = "Format=JSON&Version=2015-04-01&Action=GetCallerIdentity";
    let signature = "&SignatureMethod=HMAC-SHA1&SignatureVersion=1.0&Signature=x";
    for (query, code) in [
        (String::new(), "InvalidVersion"),
        (
            "Version=2015-04-01&Action=Nothing".to_owned(),
            "InvalidAction.NotFound",
        ),
        (common.to_owned(), "MissingAccessKeyId"),
        (format!("{common}&AccessKeyId=a"), "IncompleteSignature"),
        (format!("{common}&AccessKeyId=a{signature}"), "MissingTimestamp"),
        (
            format!("{common}&AccessKeyId=a{signature}&Timestamp=now"),
            "MissingSignatureNonce",
        ),
        (
            format!("{common}&AccessKeyId=a{signature}&Timestamp=now&SignatureNonce=n"),
            "InvalidTimeStamp.Format",
        ),
    ] {
        let reply = send(&cloud.sts_endpoint(), "GET", &format!("/?{query}"), &[], b"").unwrap();
        assert_eq!(reply.refusal().1, code, "{query}");
    }
}

#[test]
fn an_unsigned_acs3_header_is_refused() {
    let (cloud, _) = cloud_at_now(|builder| builder);
    let request = acs_sign::ApiRequest::new("POST", HOST, "GetCallerIdentity", "2015-04-01");
    let signed = acs_sign::acs3::sign(&request, &cloud.access_key(), now(), "n").unwrap();
    let mut headers = vec![("Host", HOST), ("x-acs-extra", "not signed")];
    headers.extend(signed.headers().iter().map(|added| (added.name(), added.value())));
    let reply = send(&cloud.sts_endpoint(), "POST", "/", &headers, b"").unwrap();
    assert_eq!(reply.refusal(), (400, "IncompleteSignature".to_owned()));
    headers.remove(1);
    assert_eq!(
        send(&cloud.sts_endpoint(), "POST", "/", &headers, b"")
            .unwrap()
            .status,
        200
    );
}

#[test]
fn arguments_are_checked() {
    let (cloud, _) = cloud_at_now(|builder| builder);
    let key = cloud.access_key();
    let long = format!("{{{}}}", " ".repeat(2048));
    for (name, value, status, code) in [
        ("DurationSeconds", "899", 400, "InvalidParameter.DurationSeconds"),
        ("DurationSeconds", "3601", 400, "InvalidParameter.DurationSeconds"),
        (
            "RoleArn",
            "acs:ram::123456789012:user/x",
            400,
            "InvalidParameter.RoleArn",
        ),
        (
            "RoleArn",
            "acs:ram::123456789012:role/nobody",
            404,
            "EntityNotExist.Role",
        ),
        (
            "RoleArn",
            "acs:ram::999999999999:role/example-role",
            403,
            "NoPermission",
        ),
        ("RoleSessionName", "x", 400, "InvalidParameter.RoleSessionName"),
        ("RoleSessionName", "", 400, "MissingRoleSessionName"),
        ("Policy", long.as_str(), 400, "InvalidParameter.PolicySize"),
        ("Policy", "{", 400, "InvalidParameter.PolicyGrammar"),
        ("ExternalId", "a b", 400, "InvalidParameter.ExternalId"),
    ] {
        assert_eq!(
            assume_role(&cloud, &key, &[(name, value)]).refusal(),
            (status, code.to_owned()),
            "{value}"
        );
    }
    assert_eq!(cloud.count(Service::Sts, "AssumeRole"), 10);
}

#[test]
fn only_the_trusted_may_assume_a_role() {
    let role = Role::new("closed")
        .trusts_user("friend")
        .external_id("ext-1")
        .max_session(Duration::from_secs(7200));
    let (cloud, _) = cloud_at_now(|builder| {
        builder
            .role(role)
            .user("friend", "LTAI5tFriend", "friend-secret")
            .root_key("LTAI5tRoot", "root-secret")
    });
    assert_eq!(cloud.role_arn(), "acs:ram::123456789012:role/closed");
    let key = |id: &str, secret: &str| Credentials::builder(id, secret).build().unwrap();
    let friend = key("LTAI5tFriend", "friend-secret");
    let asked = [("ExternalId", "ext-1"), ("DurationSeconds", "7200")];
    let denied = (403, "NoPermission".to_owned());
    assert_eq!(assume_role(&cloud, &cloud.access_key(), &asked).refusal(), denied);
    assert_eq!(assume_role(&cloud, &friend, &[]).refusal(), denied);
    assert_eq!(
        assume_role(&cloud, &friend, &[("ExternalId", "ext-2")]).refusal(),
        denied
    );
    assert_eq!(assume_role(&cloud, &friend, &asked).status, 200);

    let root = key("LTAI5tRoot", "root-secret");
    let open = [("RoleArn", ROLE_ARN)];
    let reply = assume_role(&cloud, &root, &open);
    assert_eq!(reply.refusal(), denied);
    assert_eq!(
        reply.json()["Message"],
        "Roles may not be assumed by root accounts."
    );
    let who = rpc_call(&cloud, &root, "GetCallerIdentity", &[], now()).json();
    assert_eq!(who["Arn"], "acs:ram::123456789012:root");
}

#[test]
fn answers_come_in_the_format_asked_for() {
    let (cloud, _) = cloud_at_now(|builder| builder);
    let key = cloud.access_key();
    let ask = |format: &str| rpc_call(&cloud, &key, "GetCallerIdentity", &[("Format", format)], now());
    let xml = ask("XML");
    assert_eq!(xml.header("content-type"), Some("text/xml;charset=utf-8"));
    assert!(xml.body.contains("<GetCallerIdentityResponse>"), "{}", xml.body);
    assert_eq!(xml.element("IdentityType"), "RAMUser");
    let json = ask("json");
    assert_eq!(
        json.header("content-type"),
        Some("application/json;charset=utf-8")
    );
    assert_eq!(json.json()["RequestId"], json.header("x-acs-request-id").unwrap());

    let refused = rpc_call(
        &cloud,
        &forged(&key),
        "GetCallerIdentity",
        &[("Format", "XML")],
        now(),
    );
    assert_eq!(refused.refusal(), (400, "SignatureDoesNotMatch".to_owned()));
    assert_eq!(refused.element("HostId"), "sts.aliyuncs.com");
    assert!(
        refused.element("Recommend").contains("SignatureDoesNotMatch"),
        "{}",
        refused.body
    );
}

#[test]
fn sessions_can_be_made_short() {
    let (cloud, _) = cloud_at_now(|builder| builder.session_length(Duration::from_secs(20)));
    let reply = assume_role(&cloud, &cloud.access_key(), &[("DurationSeconds", "3600")]);
    assert_eq!(reply.json()["Credentials"]["Expiration"], "2026-01-01T08:30:20Z");
    let issued = cloud.issue(Duration::from_secs(60)).unwrap();
    assert_eq!(
        issued.expires_at(),
        Some(SystemTime::UNIX_EPOCH + Duration::from_secs(NOW + 60))
    );
    assert_eq!(
        rpc_call(&cloud, &issued, "GetCallerIdentity", &[], now()).status,
        200
    );
}
