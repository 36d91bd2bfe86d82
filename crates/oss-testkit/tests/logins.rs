//! Logins of CloudSSO and OAuth.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "helpers of tests, outside of test functions"
)]

mod support;

use std::time::Duration;

use acs_sign::encode_pairs;
use oss_credentials_core::Credentials;
use oss_testkit::{Fault, LocalCloud, OAuthLogin, OAuthSite, Service};
use support::*;

const FORM: (&str, &str) = ("Content-Type", "application/x-www-form-urlencoded");
const JSON: (&str, &str) = ("Content-Type", "application/json");
/// The CLI's client ids, of both sites.
const CHINA: &str = "4038181954557748008";
const INTERNATIONAL: &str = "4103531455503354461";
const TIMESTAMP: &str = "2026-01-01T08:30:00Z";

/// A renewal as the vendor's clients send it, with fields replaced, or left out where the value is empty.
fn refresh(cloud: &LocalCloud, token: &str, changes: &[(&str, &str)]) -> Reply {
    let fields = [
        ("grant_type", "refresh_token"),
        ("refresh_token", token),
        ("client_id", CHINA),
        ("Timestamp", TIMESTAMP),
    ];
    let fields = fields
        .map(|(name, value)| {
            let other = changes.iter().find(|(own, _)| *own == name);
            (name, other.map_or(value, |(_, value)| *value))
        })
        .into_iter()
        .filter(|(_, value)| !value.is_empty());
    send(
        &cloud.oauth_endpoint(),
        "POST",
        "/v1/token",
        &[FORM],
        encode_pairs(fields).as_bytes(),
    )
    .unwrap()
}

fn exchange(cloud: &LocalCloud, token: &str) -> Reply {
    let bearer = format!("Bearer {token}");
    let headers = [JSON, ("Authorization", bearer.as_str())];
    send(&cloud.oauth_endpoint(), "POST", "/v1/exchange", &headers, b"").unwrap()
}

fn keys(json: &serde_json::Value) -> Credentials {
    let field = |name: &str| json[name].as_str().unwrap().to_owned();
    Credentials::builder(field("accessKeyId"), field("accessKeySecret"))
        .security_token(field("securityToken"))
        .build()
        .unwrap()
}

fn refused(status: u16, code: &str) -> (u16, String) {
    (status, code.to_owned())
}

#[test]
fn an_oauth_login_is_exchanged_for_keys_that_work() {
    let (cloud, _clock) = cloud_at_now(|builder| builder);
    let login = cloud.oauth_login(OAuthSite::China);
    let reply = exchange(&cloud, login.access_token());
    assert_eq!(reply.status, 200, "{}", reply.body);
    let json = reply.json();
    assert_eq!(json["expiration"], "2026-01-01T09:30:00Z");
    assert!(json["requestId"].is_string());
    assert_eq!(
        arn_of(&cloud, &keys(&json)),
        "acs:ram::123456789012:assumed-role/example-role/oauth"
    );

    let (cloud, _clock) = cloud_at_now(|builder| builder.oauth_pascal_case(true));
    let login = cloud.oauth_login(OAuthSite::China);
    let json = exchange(&cloud, login.access_token()).json();
    let mut names: Vec<_> = json.as_object().unwrap().keys().map(String::as_str).collect();
    names.sort_unstable();
    assert_eq!(
        names,
        [
            "AccessKeyId",
            "AccessKeySecret",
            "Expiration",
            "RequestId",
            "SecurityToken"
        ]
    );
}

#[test]
fn a_refresh_token_is_good_once_and_ends_the_access_token_before() {
    let (cloud, clock) = cloud_at_now(|builder| builder);
    let first = cloud.oauth_login(OAuthSite::China);
    let end = |login: &OAuthLogin| {
        login
            .access_token_expires_at()
            .duration_since(now())
            .unwrap_or_default()
            .as_secs()
    };
    assert_eq!(end(&first), 10_800);
    clock.advance(Duration::from_secs(100));
    let json = refresh(&cloud, first.refresh_token(), &[]).json();
    assert_eq!(json["expires_in"], 10_800);
    assert_eq!(json["token_type"], "Bearer");
    let [second] = cloud.oauth_logins().try_into().unwrap();
    assert_eq!(json["access_token"], second.access_token());
    assert_eq!(json["refresh_token"], second.refresh_token());
    assert_eq!(end(&second), 10_900);
    assert_ne!(first.refresh_token(), second.refresh_token());
    assert_eq!(
        second.refresh_token_expires_at(),
        first.refresh_token_expires_at(),
        "a renewal does not make the login longer"
    );

    assert_eq!(
        refresh(&cloud, first.refresh_token(), &[]).refusal(),
        refused(400, "invalid_grant")
    );
    assert_eq!(
        exchange(&cloud, first.access_token()).refusal(),
        refused(401, "invalid_token")
    );
    assert_eq!(exchange(&cloud, second.access_token()).status, 200);
    assert_eq!(refresh(&cloud, second.refresh_token(), &[]).status, 200);
    assert_eq!(cloud.count(Service::OAuth, "RefreshToken"), 3);
    assert_eq!(cloud.count(Service::OAuth, "Exchange"), 2);
}

#[test]
fn both_tokens_end() {
    let (cloud, clock) = cloud_at_now(|builder| {
        builder
            .oauth_access_token_lifetime(Duration::from_secs(60))
            .oauth_login_lifetime(Duration::from_secs(100))
    });
    let login = cloud.oauth_login(OAuthSite::China);
    clock.advance(Duration::from_secs(59));
    assert_eq!(exchange(&cloud, login.access_token()).status, 200);
    clock.advance(Duration::from_secs(1));
    assert_eq!(
        exchange(&cloud, login.access_token()).refusal(),
        refused(401, "expired_token")
    );
    let json = refresh(&cloud, login.refresh_token(), &[]).json();
    assert_eq!(json["expires_in"], 60);
    clock.advance(Duration::from_secs(40));
    assert_eq!(
        refresh(&cloud, json["refresh_token"].as_str().unwrap(), &[]).refusal(),
        refused(400, "invalid_grant")
    );
    cloud.end_oauth_logins();
    assert_eq!(
        exchange(&cloud, json["access_token"].as_str().unwrap()).refusal(),
        refused(401, "invalid_token")
    );
}

#[test]
fn each_site_has_its_client_and_its_host() {
    let (cloud, _clock) = cloud_at_now(|builder| builder);
    let login = cloud.oauth_login(OAuthSite::International);
    let token = login.refresh_token();
    assert_eq!(
        refresh(&cloud, token, &[]).refusal(),
        refused(400, "invalid_grant")
    );
    let at = |host: &str| {
        let body = encode_pairs([
            ("grant_type", "refresh_token"),
            ("refresh_token", "unknown"),
            ("client_id", INTERNATIONAL),
            ("Timestamp", TIMESTAMP),
        ]);
        let headers = [FORM, ("Host", host)];
        send(
            &cloud.oauth_endpoint(),
            "POST",
            "/v1/token",
            &headers,
            body.as_bytes(),
        )
        .unwrap()
        .refusal()
    };
    assert_eq!(at("oauth.aliyun.com"), refused(401, "invalid_client"));
    assert_eq!(at("oauth.alibabacloud.com"), refused(400, "invalid_grant"));
    let bearer = format!("Bearer {}", login.access_token());
    let exchange_at = |host: &str| {
        let headers = [JSON, ("Authorization", bearer.as_str()), ("Host", host)];
        send(&cloud.oauth_endpoint(), "POST", "/v1/exchange", &headers, b"")
            .unwrap()
            .status
    };
    assert_eq!(exchange_at("oauth.aliyun.com"), 401);
    assert_eq!(exchange_at("oauth.alibabacloud.com"), 200);
    assert_eq!(
        refresh(&cloud, token, &[("client_id", INTERNATIONAL)]).status,
        200
    );
}

#[test]
fn what_a_client_must_send_for_a_renewal() {
    let (cloud, _clock) = cloud_at_now(|builder| builder);
    let token = cloud.oauth_login(OAuthSite::China).refresh_token().to_owned();
    for (field, value, status, code) in [
        ("grant_type", "", 400, "invalid_request"),
        ("grant_type", "password", 400, "unsupported_grant_type"),
        ("client_id", "", 400, "invalid_request"),
        ("client_id", "4038181954557748009", 401, "invalid_client"),
        ("Timestamp", "", 400, "invalid_request"),
        ("Timestamp", "1767256200", 400, "invalid_request"),
        ("refresh_token", "", 400, "invalid_request"),
        ("refresh_token", "unknown", 400, "invalid_grant"),
    ] {
        let reply = refresh(&cloud, &token, &[(field, value)]);
        assert_eq!(reply.refusal(), refused(status, code), "{field}={value}");
        let json = reply.json();
        assert!(json["error_description"].is_string() && json["requestId"].is_string());
    }
    let good = encode_pairs([
        ("grant_type", "refresh_token"),
        ("refresh_token", token.as_str()),
        ("client_id", CHINA),
        ("Timestamp", TIMESTAMP),
    ]);
    let twice = format!("{good}&refresh_token=other");
    let in_query = format!("/v1/token?{good}");
    for (target, headers, body) in [
        ("/v1/token", &[][..], good.as_str()),
        ("/v1/token", &[FORM], &twice),
        (in_query.as_str(), &[FORM], ""),
    ] {
        let reply = send(&cloud.oauth_endpoint(), "POST", target, headers, body.as_bytes()).unwrap();
        assert_eq!(reply.refusal(), refused(400, "invalid_request"));
    }
    let got = send(&cloud.oauth_endpoint(), "GET", "/v1/token", &[], b"").unwrap();
    assert_eq!(got.refusal(), refused(405, "invalid_request"));
    let elsewhere = send(
        &cloud.oauth_endpoint(),
        "POST",
        "/v2/token",
        &[FORM],
        good.as_bytes(),
    )
    .unwrap();
    assert_eq!(elsewhere.refusal(), refused(404, "not_found"));
    assert_eq!(cloud.count(Service::OAuth, "Unknown"), 2);
    let shown = format!("{:?} {cloud:?} {:?}", cloud.requests(), cloud.oauth_logins());
    assert!(!shown.contains(&token[..20]), "{shown}");
    // Nothing of this has used up the token.
    assert_eq!(refresh(&cloud, &token, &[]).status, 200);
}

#[test]
fn what_a_client_must_send_for_an_exchange() {
    let (cloud, _clock) = cloud_at_now(|builder| builder);
    let login = cloud.oauth_login(OAuthSite::China);
    let bearer = format!("Bearer {}", login.access_token());
    let basic = format!("Basic {}", login.access_token());
    let bearer = ("Authorization", bearer.as_str());
    for (headers, body, status, code) in [
        (&[JSON][..], "", 401, "invalid_token"),
        (
            &[JSON, ("Authorization", basic.as_str())],
            "",
            401,
            "invalid_token",
        ),
        (&[JSON, ("Authorization", "Bearer ")], "", 401, "invalid_token"),
        (
            &[JSON, ("Authorization", "Bearer unknown")],
            "",
            401,
            "invalid_token",
        ),
        (&[bearer], "", 400, "invalid_request"),
        (&[FORM, bearer], "", 400, "invalid_request"),
        (&[JSON, bearer], "{}", 400, "invalid_request"),
    ] {
        let reply = send(
            &cloud.oauth_endpoint(),
            "POST",
            "/v1/exchange",
            headers,
            body.as_bytes(),
        )
        .unwrap();
        assert_eq!(reply.refusal(), refused(status, code), "{headers:?}");
    }
    let shown = format!("{:?} {login:?}", cloud.requests());
    assert!(!shown.contains(login.access_token()), "{shown}");
}

fn cloud_credentials(cloud: &LocalCloud, headers: &[(&str, &str)], body: &str) -> Reply {
    let address = format!("http://127.0.0.1:{}", cloud.cloud_sso_port());
    send(&address, "POST", "/cloud-credentials", headers, body.as_bytes()).unwrap()
}

/// As the vendor's clients send it.
const WANTED: &str = r#"{"AccountId":"123456789012","AccessConfigurationId":"ac-example"}"#;

#[test]
fn a_login_of_cloud_sso_is_exchanged_until_it_ends() {
    let (cloud, clock) = cloud_at_now(|builder| builder.cloud_sso_login_lifetime(Duration::from_secs(60)));
    let login = cloud.cloud_sso_login();
    assert_eq!(login.expires_at().duration_since(now()).unwrap().as_secs(), 60);
    assert_eq!(
        cloud.cloud_sso_sign_in_url(),
        format!("http://127.0.0.1:{}/device/login", cloud.cloud_sso_port())
    );
    let bearer = format!("Bearer {}", login.access_token());
    let headers = [JSON, ("Authorization", bearer.as_str())];
    let reply = cloud_credentials(&cloud, &headers, WANTED);
    assert_eq!(reply.status, 200, "{}", reply.body);
    let json = reply.json();
    assert!(json["RequestId"].is_string());
    let keys = &json["CloudCredential"];
    assert_eq!(keys["Expiration"], "2026-01-01T09:30:00Z");
    let field = |name: &str| keys[name].as_str().unwrap();
    let key = Credentials::builder(field("AccessKeyId"), field("AccessKeySecret"))
        .security_token(field("SecurityToken"))
        .build()
        .unwrap();
    assert_eq!(
        arn_of(&cloud, &key),
        "acs:ram::123456789012:assumed-role/example-role/cloud-sso"
    );

    clock.advance(Duration::from_secs(60));
    let ended = cloud_credentials(&cloud, &headers, WANTED);
    assert_eq!(ended.refusal(), refused(401, "AccessTokenExpired"));
    assert!(ended.json()["ErrorMessage"].is_string() && ended.json()["RequestId"].is_string());
    cloud.end_cloud_sso_logins();
    assert_eq!(
        cloud_credentials(&cloud, &headers, WANTED).refusal(),
        refused(401, "InvalidAccessToken")
    );
    assert_eq!(cloud.count(Service::CloudSso, "GetCloudCredentials"), 3);
    let shown = format!("{:?} {login:?}", cloud.requests());
    assert!(!shown.contains(login.access_token()), "{shown}");
}

#[test]
fn what_a_client_must_send_to_cloud_sso() {
    let (cloud, _clock) =
        cloud_at_now(|builder| builder.account_id("1").cloud_sso_access_configuration("ac-2"));
    let login = cloud.cloud_sso_login();
    let bearer = format!("Bearer {}", login.access_token());
    let bearer = ("Authorization", bearer.as_str());
    let good = r#"{"AccountId":"1","AccessConfigurationId":"ac-2"}"#;
    assert_eq!(cloud.cloud_sso_access_configuration(), "ac-2");
    assert_eq!(cloud_credentials(&cloud, &[JSON, bearer], good).status, 200);
    for (headers, body, status, code) in [
        (&[JSON][..], good, 401, "MissingAccessToken"),
        (
            &[JSON, ("Authorization", "Bearer x")],
            good,
            401,
            "InvalidAccessToken",
        ),
        (&[bearer], good, 400, "InvalidContentType"),
        (&[JSON, bearer], "[]", 400, "InvalidRequestBody"),
        (&[JSON, bearer], "", 400, "InvalidRequestBody"),
        (
            &[JSON, bearer],
            r#"{"AccessConfigurationId":"ac-2"}"#,
            400,
            "InvalidParameter.AccountId",
        ),
        (
            &[JSON, bearer],
            r#"{"AccountId":1,"AccessConfigurationId":"ac-2"}"#,
            400,
            "InvalidParameter.AccountId",
        ),
        (
            &[JSON, bearer],
            r#"{"AccountId":"1","AccessConfigurationId":""}"#,
            400,
            "InvalidParameter.AccessConfigurationId",
        ),
        (
            &[JSON, bearer],
            r#"{"AccountId":"2","AccessConfigurationId":"ac-2"}"#,
            403,
            "NoPermission",
        ),
        (
            &[JSON, bearer],
            r#"{"AccountId":"1","AccessConfigurationId":"ac-1"}"#,
            403,
            "NoPermission",
        ),
    ] {
        let reply = cloud_credentials(&cloud, headers, body);
        assert_eq!(reply.refusal(), refused(status, code), "{body}");
    }
    let address = format!("http://127.0.0.1:{}", cloud.cloud_sso_port());
    let got = send(&address, "GET", "/cloud-credentials", &[], b"").unwrap();
    assert_eq!(got.refusal(), refused(405, "MethodNotAllowed"));
    let page = send(&address, "GET", "/device/login", &[], b"").unwrap();
    assert_eq!(page.refusal(), refused(404, "NotFound"));
}

#[test]
fn faults_reach_logins() {
    let (cloud, _clock) = cloud_at_now(|builder| builder);
    let login = cloud.oauth_login(OAuthSite::China);
    let ask = || exchange(&cloud, login.access_token());
    cloud.fault(
        Service::OAuth,
        Fault::error(400, "odd").message("why").action("Exchange"),
    );
    let reply = ask();
    assert_eq!(
        (reply.refusal(), reply.json()["error_description"].as_str()),
        (refused(400, "odd"), Some("why"))
    );
    cloud.fault(Service::OAuth, Fault::throttling());
    assert_eq!(ask().refusal(), refused(429, "Throttling.User"));
    cloud.fault(Service::OAuth, Fault::missing_field("securityToken"));
    assert_eq!(ask().json().get("securityToken"), None);
    cloud.fault(Service::OAuth, Fault::expired_credentials());
    assert_eq!(ask().json()["expiration"], "2026-01-01T08:29:59Z");
    // By another clock the access token has ended.
    cloud.fault(Service::OAuth, Fault::clock_offset(10_800));
    assert_eq!(ask().refusal(), refused(401, "expired_token"));
    assert_eq!(ask().status, 200);

    let sso = cloud.cloud_sso_login();
    let bearer = format!("Bearer {}", sso.access_token());
    let ask = || cloud_credentials(&cloud, &[JSON, ("Authorization", &bearer)], WANTED);
    cloud.fault(Service::CloudSso, Fault::error(400, "Odd").message("why"));
    let reply = ask();
    assert_eq!(
        (reply.refusal(), reply.json()["ErrorMessage"].as_str()),
        (refused(400, "Odd"), Some("why"))
    );
    cloud.fault(Service::CloudSso, Fault::throttling());
    assert_eq!(ask().refusal(), refused(429, "Throttling.User"));
    cloud.fault(Service::CloudSso, Fault::expired_credentials());
    assert_eq!(
        ask().json()["CloudCredential"]["Expiration"],
        "2026-01-01T08:29:59Z"
    );
    assert_eq!(ask().status, 200);
}
