//! AssumeRoleWithOIDC: which tokens are worth a session.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "helpers of tests, outside of test functions"
)]

mod support;

use std::time::Duration;

use acs_sign::encode_pairs;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use oss_credentials_core::Credentials;
use oss_testkit::{Fault, LocalCloud, OidcToken, Role, Service};
use support::*;

const HOUR: Duration = Duration::from_secs(3600);
const NOW_TEXT: &str = "2026-01-01T08:30:00Z";

/// The call as the provider of this family makes it, with some parameters changed; an empty one is left out.
fn assume(cloud: &LocalCloud, token: &str, changed: &[(&str, &str)]) -> Reply {
    let (arn, provider) = (cloud.role_arn(), cloud.oidc_provider_arn());
    let value = |name: &'static str, default: &str| {
        let own = changed.iter().find(|(own, _)| *own == name);
        (
            name,
            own.map_or(default.to_owned(), |(_, value)| (*value).to_owned()),
        )
    };
    let pairs = |all: Vec<(&'static str, String)>| {
        let kept: Vec<_> = all.into_iter().filter(|(_, value)| !value.is_empty()).collect();
        encode_pairs(kept.iter().map(|(name, value)| (*name, value.as_str())))
    };
    let query = pairs(vec![
        value("Action", "AssumeRoleWithOIDC"),
        value("Format", "JSON"),
        value("Version", "2015-04-01"),
        value("Timestamp", NOW_TEXT),
    ]);
    let form = pairs(vec![
        value("RoleArn", &arn),
        value("OIDCProviderArn", &provider),
        value("OIDCToken", token),
        value("RoleSessionName", "test-session"),
        value("DurationSeconds", "900"),
        value("Policy", ""),
    ]);
    let headers = [("Content-Type", "application/x-www-form-urlencoded")];
    let target = format!("/?{query}");
    send(&cloud.sts_endpoint(), "POST", &target, &headers, form.as_bytes()).unwrap()
}

fn refused(reply: &Reply, code: &str) {
    let status = match code {
        "AuthenticationFail.NoPermission" => 403,
        _ if code.starts_with("EntityNotExist") => 404,
        _ => 400,
    };
    assert_eq!(reply.refusal(), (status, code.to_owned()), "{}", reply.body);
}

const INVALID: &str = "AuthenticationFail.OIDCToken.Invalid";

#[test]
fn a_good_token_is_worth_a_session() {
    let (cloud, clock) = cloud_at_now(|builder| builder);
    let token = cloud.oidc_token(HOUR).unwrap();
    let reply = assume(&cloud, &token, &[]);
    assert_eq!(reply.status, 200, "{}", reply.body);
    let json = reply.json();
    assert_eq!(
        json["AssumedRoleUser"]["Arn"],
        format!("{}/test-session", cloud.role_arn())
    );
    assert_eq!(json["Credentials"]["Expiration"], "2026-01-01T08:45:00Z");
    let info = &json["OIDCTokenInfo"];
    assert_eq!(
        (&info["Subject"], &info["Issuer"], &info["ClientIds"]),
        (
            &"system:serviceaccount:default:example".into(),
            &"https://oidc.example.com".into(),
            &"sts.aliyuncs.com".into()
        )
    );
    assert_eq!(
        (
            &info["IssuanceTime"],
            &info["ExpirationTime"],
            &info["VerificationInfo"]
        ),
        (
            &NOW_TEXT.into(),
            &"2026-01-01T09:30:00Z".into(),
            &"Success".into()
        )
    );

    let field = |name: &str| json["Credentials"][name].as_str().unwrap().to_owned();
    let key = Credentials::builder(field("AccessKeyId"), field("AccessKeySecret"))
        .security_token(field("SecurityToken"))
        .build()
        .unwrap();
    assert_eq!(
        arn_of(&cloud, &key),
        "acs:ram::123456789012:assumed-role/example-role/test-session"
    );
    assert_eq!(Oss::new(&cloud, &key).call("PUT", "k", &[], b"v").status, 200);
    clock.advance(Duration::from_secs(900));
    let late = Oss::new(&cloud, &key).call("GET", "k", &[], b"");
    assert_eq!(late.status, 403);

    assert_eq!(cloud.count(Service::Sts, "AssumeRoleWithOIDC"), 1);
    assert_eq!(cloud.requests()[0].access_key_id(), None);
    let shown = format!("{cloud:?} {:?}", cloud.requests());
    assert!(!shown.contains(&token), "{shown}");
}

#[test]
fn everything_may_stand_in_the_query_and_xml_is_the_default() {
    let (cloud, _) = cloud_at_now(|builder| builder);
    let token = cloud.oidc_token(HOUR).unwrap();
    let (arn, provider) = (cloud.role_arn(), cloud.oidc_provider_arn());
    let query = encode_pairs([
        ("Action", "AssumeRoleWithOIDC"),
        ("Version", "2015-04-01"),
        ("Timestamp", NOW_TEXT),
        ("RoleArn", &arn),
        ("OIDCProviderArn", &provider),
        ("OIDCToken", &token),
        ("RoleSessionName", "test-session"),
    ]);
    let reply = send(&cloud.sts_endpoint(), "GET", &format!("/?{query}"), &[], b"").unwrap();
    assert_eq!(reply.status, 200, "{}", reply.body);
    assert_eq!(reply.element("Expiration"), "2026-01-01T09:30:00Z");
}

#[test]
fn a_token_ends_when_it_says() {
    let (cloud, clock) = cloud_at_now(|builder| builder);
    let token = cloud.oidc_token(Duration::from_secs(600)).unwrap();
    clock.advance(Duration::from_secs(599));
    assert_eq!(assume(&cloud, &token, &[]).status, 200);
    clock.advance(Duration::from_secs(1));
    refused(
        &assume(&cloud, &token, &[]),
        "AuthenticationFail.OIDCToken.Expired",
    );
    let ended = cloud.oidc_token(Duration::ZERO).unwrap();
    refused(
        &assume(&cloud, &ended, &[]),
        "AuthenticationFail.OIDCToken.Expired",
    );
    assert!(cloud.oidc_token(Duration::MAX).is_err());
}

#[test]
fn only_the_issuers_own_tokens_for_this_audience_are_taken() {
    let (cloud, _) = cloud_at_now(|builder| builder);
    let sign = |token: OidcToken| cloud.sign_oidc_token(&token).unwrap();
    let good = OidcToken::lasting(HOUR);
    for token in [
        sign(good.clone().audience("other.example.com")),
        sign(good.clone().issuer("https://other.example.com")),
        sign(good.clone().not_before(Duration::from_secs(1))),
        "made up".to_owned(),
        "a.b.c".to_owned(),
    ] {
        refused(&assume(&cloud, &token, &[]), INVALID);
    }

    // The same claims, signed by somebody else.
    let (other, _) = cloud_at_now(|builder| builder);
    refused(&assume(&cloud, &other.oidc_token(HOUR).unwrap(), &[]), INVALID);

    // Other claims under the same signature.
    let token = sign(good);
    assert_eq!(assume(&cloud, &token, &[]).status, 200);
    let parts: Vec<&str> = token.split('.').collect();
    let claims = URL_SAFE_NO_PAD.decode(parts[1]).unwrap();
    let changed = String::from_utf8(claims)
        .unwrap()
        .replace("default:example", "default:admin");
    let payload = URL_SAFE_NO_PAD.encode(changed);
    refused(
        &assume(&cloud, &format!("{}.{payload}.{}", parts[0], parts[2]), &[]),
        INVALID,
    );

    // No signature at all, and algorithms that are not the issuer's.
    for algorithm in ["none", "HS256"] {
        let header = URL_SAFE_NO_PAD.encode(format!("{{\"alg\":\"{algorithm}\",\"typ\":\"JWT\"}}"));
        refused(
            &assume(&cloud, &format!("{header}.{}.{}", parts[1], parts[2]), &[]),
            INVALID,
        );
        refused(&assume(&cloud, &format!("{header}.{}.", parts[1]), &[]), INVALID);
    }
    // As it would be read from a file with a line end.
    refused(&assume(&cloud, &format!("{token}\n"), &[]), INVALID);
}

#[test]
fn issuer_and_audience_are_those_of_the_provider() {
    let (cloud, _) =
        cloud_at_now(|builder| builder.oidc_issuer("https://issuer.test").oidc_audience("client"));
    let reply = assume(&cloud, &cloud.oidc_token(HOUR).unwrap(), &[]);
    assert_eq!(reply.json()["OIDCTokenInfo"]["Issuer"], "https://issuer.test");
    assert_eq!(reply.json()["OIDCTokenInfo"]["ClientIds"], "client");
    let default = OidcToken::lasting(HOUR).audience("sts.aliyuncs.com");
    refused(
        &assume(&cloud, &cloud.sign_oidc_token(&default).unwrap(), &[]),
        INVALID,
    );
}

#[test]
fn parameters_are_checked_before_the_token_is() {
    let (cloud, _) = cloud_at_now(|builder| builder);
    let token = cloud.oidc_token(HOUR).unwrap();
    let long = "x".repeat(20_001);
    for (name, value, code) in [
        ("Timestamp", "", "MissingTimestamp"),
        ("Timestamp", "now", "InvalidTimeStamp.Format"),
        ("Timestamp", "2026-01-01T08:46:00Z", "InvalidTimeStamp.Expired"),
        ("OIDCProviderArn", "", "MissingOIDCProviderArn"),
        (
            "OIDCProviderArn",
            "acs:ram::1:role/x",
            "InvalidParameter.OIDCProviderArn",
        ),
        (
            "OIDCProviderArn",
            "acs:ram::123456789012:oidc-provider/other",
            "EntityNotExist.OIDCProvider",
        ),
        ("RoleArn", "", "MissingRoleArn"),
        ("RoleArn", "x", "InvalidParameter.RoleArn"),
        (
            "RoleArn",
            "acs:ram::1:role/example-role",
            "AuthenticationFail.NoPermission",
        ),
        (
            "RoleArn",
            "acs:ram::123456789012:role/other",
            "EntityNotExist.Role",
        ),
        ("OIDCToken", "", "MissingOIDCToken"),
        ("OIDCToken", "abc", "InvalidParameter.OIDCToken"),
        ("OIDCToken", &long, "InvalidParameter.OIDCToken"),
        ("RoleSessionName", "", "MissingRoleSessionName"),
        ("RoleSessionName", "a b", "InvalidParameter.RoleSessionName"),
        ("DurationSeconds", "899", "InvalidParameter.DurationSeconds"),
        ("DurationSeconds", "3601", "InvalidParameter.DurationSeconds"),
        ("Policy", "{", "InvalidParameter.PolicyGrammar"),
    ] {
        let token = if name == "OIDCToken" { "" } else { token.as_str() };
        refused(&assume(&cloud, token, &[(name, value)]), code);
    }
    assert_eq!(assume(&cloud, &token, &[]).status, 200);
}

#[test]
fn a_role_may_trust_one_subject_alone() {
    let role = Role::new("pods").trusts_subject("system:serviceaccount:shop:cart");
    let (cloud, _) = cloud_at_now(|builder| builder.role(role));
    let token = |subject: &str| {
        let token = OidcToken::lasting(HOUR).subject(subject);
        cloud.sign_oidc_token(&token).unwrap()
    };
    assert_eq!(
        assume(&cloud, &token("system:serviceaccount:shop:cart"), &[]).status,
        200
    );
    let other = assume(&cloud, &token("system:serviceaccount:shop:till"), &[]);
    refused(&other, "AuthenticationFail.NoPermission");
    // Nor may a user assume it.
    let denied = assume_role(&cloud, &cloud.access_key(), &[]);
    assert_eq!(denied.refusal(), (403, "NoPermission".to_owned()));
}

#[test]
fn a_token_file_is_replaced_and_leaves_nothing_beside_it() {
    let (cloud, _) = cloud_at_now(|builder| builder);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("token.jwt");
    cloud.write_oidc_token(&path).unwrap();
    let first = std::fs::read_to_string(&path).unwrap();
    assert_eq!(first.trim(), first);
    assert_eq!(assume(&cloud, &first, &[]).status, 200);
    cloud.write_oidc_token(&path).unwrap();
    let second = std::fs::read_to_string(&path).unwrap();
    assert_ne!(first, second);
    assert_eq!(assume(&cloud, &second, &[]).status, 200);
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    assert!(cloud.write_oidc_token(folder.path().join("no/such")).is_err());
}

#[test]
fn faults_reach_the_call() {
    let (cloud, _) = cloud_at_now(|builder| builder.session_length(Duration::from_secs(20)));
    let token = cloud.oidc_token(HOUR).unwrap();
    let expiration = || assume(&cloud, &token, &[]).json()["Credentials"]["Expiration"].clone();
    cloud.fault(
        Service::Sts,
        Fault::expired_credentials().action("AssumeRoleWithOIDC"),
    );
    assert_eq!(expiration(), "2026-01-01T08:29:59Z");
    assert_eq!(expiration(), "2026-01-01T08:30:20Z");
    cloud.fault(Service::Sts, Fault::throttling());
    assert_eq!(
        assume(&cloud, &token, &[]).refusal(),
        (429, "Throttling.User".to_owned())
    );
    cloud.fault(Service::Sts, Fault::clock_offset(3600));
    refused(&assume(&cloud, &token, &[]), "InvalidTimeStamp.Expired");
}
