//! The call that needs no key: what is sent, what is repeated, and what is said when it fails.

use std::time::Duration;

use crate::common::*;
use acs_sts::{AssumeRoleWithOidc, AssumedRole, StsClient, StsClientBuilder, StsError};
use oss_credentials_core::test_util::ManualClock;
use oss_credentials_core::{CredentialsError, blocking};
use oss_credentials_http::{HttpErrorKind, HttpMethod, HttpRequest, HttpResponse};

const ROLE: &str = "acs:ram::123456789012:role/r";
const PROVIDER: &str = "acs:ram::123456789012:oidc-provider/p";

fn assume(client: StsClientBuilder) -> Result<AssumedRole, StsError> {
    blocking::wait(client.build().unwrap().assume_role_with_oidc(&role_for_token()))
}

#[test]
fn the_token_travels_in_the_body_and_nothing_is_signed() {
    let service = Service::new().answers(200, OK);
    let client = service.client().region("cn-beijing").build().unwrap();
    let request = role_for_token()
        .policy(r#"{"Version": "1"}"#)
        .duration(Duration::from_secs(900));
    let role = blocking::wait(client.assume_role_with_oidc(&request)).unwrap();
    assert_eq!(role.credentials().access_key_id(), "STS.EXAMPLE");
    assert_eq!(role.request_id(), Some("6894B13B-6D71-4EF5-88FA-F32781734A7F"));
    assert_eq!(role.assumed_role_id(), Some("300000000000000001:example-session"));

    let request = &service.requests()[0];
    assert_eq!(request.method(), HttpMethod::Post);
    assert_eq!(
        request.url(),
        "https://sts.cn-beijing.aliyuncs.com/?Action=AssumeRoleWithOIDC&Format=JSON\
         &Timestamp=2026-01-02T03%3A04%3A05Z&Version=2015-04-01"
    );
    let names: Vec<_> = request.headers().map(|(name, _)| name).collect();
    assert_eq!(names, ["user-agent", "accept", "accept-encoding", "content-type"]);
    assert_eq!(
        request.header("content-type"),
        Some("application/x-www-form-urlencoded")
    );
    assert_eq!(request.header("accept-encoding"), Some("identity"));
    assert_eq!(request.connect_timeout(), Duration::from_secs(5));
    assert_eq!(request.timeout(), Duration::from_secs(10));

    let body = std::str::from_utf8(request.body()).unwrap();
    assert!(
        body.contains("canary-oidc%2Bclaims%2F.canary-oidc-signature%3D%3D"),
        "{body}"
    );
    assert!(body.contains("Policy=%7B%22Version%22%3A%20%221%22%7D"), "{body}");
    let mut body = decode(body);
    body.sort();
    let expected = [
        ("DurationSeconds", "900"),
        (
            "OIDCProviderArn",
            "acs:ram::123456789012:oidc-provider/example-cluster",
        ),
        ("OIDCToken", JWT),
        ("Policy", r#"{"Version": "1"}"#),
        ("RoleArn", "acs:ram::123456789012:role/example-role"),
        ("RoleSessionName", "example-session"),
    ];
    assert_eq!(
        body.iter()
            .map(|(key, value)| (key.as_str(), value.as_str()))
            .collect::<Vec<_>>(),
        expected
    );
}

#[test]
fn an_empty_policy_is_refused_and_none_is_not_sent() {
    let service = Service::new().answers(200, OK);
    let client = service.client().build().unwrap();
    let error = blocking::wait(client.assume_role_with_oidc(&role_for_token().policy(""))).unwrap_err();
    assert!(error.to_string().contains(": the policy is empty; "), "{error}");
    assert!(service.requests().is_empty());
    blocking::wait(client.assume_role_with_oidc(&role_for_token())).unwrap();
    let params = params(&service.requests()[0]);
    assert_eq!(get(&params, "Policy"), None);
    assert_eq!(get(&params, "DurationSeconds"), Some("3600"));
}

#[test]
fn nothing_is_sent_that_the_service_must_refuse() {
    let service = Service::new();
    let client = service.client().build().unwrap();
    let role = |role, provider, name| AssumeRoleWithOidc::new(role, provider, name).oidc_token(JWT);
    let long = "x".repeat(20_001);
    for (request, text) in [
        (
            role("acs:ram::1:user/u", PROVIDER, "name"),
            "the role ARN is malformed: \"acs:ram::1:user/u\"; write it as acs:ram::<account ID>:role/<role name>; it is role_arn, or \
             ALIBABA_CLOUD_ROLE_ARN where that is read",
        ),
        (role(ROLE, PROVIDER, "n"), "the role session name is too short"),
        (
            role(ROLE, "", "name"),
            "the OIDC provider ARN is malformed; write it as acs:ram::<account ID>:oidc-provider/<provider name>; it is oidc_provider_arn, or ALIBABA_CLOUD_OIDC_PROVIDER_ARN where \
             that is read",
        ),
        (
            role(ROLE, ROLE, "name"),
            "the OIDC provider ARN is malformed: \"acs:ram::123456789012:role/r\"; write",
        ),
        (
            role(ROLE, "acs:ram::1:oidc-provider/", "name"),
            "the OIDC provider ARN is malformed",
        ),
        (
            role(ROLE, "acs:ram:::oidc-provider/p", "name"),
            "the OIDC provider ARN is malformed",
        ),
        (
            role(ROLE, "acs:ram::1:oidc-provider/p\n", "name"),
            "the OIDC provider ARN is malformed: \"acs:ram::1:oidc-provider/p\\n\"; write",
        ),
        (
            role(ROLE, "arn:ram::1:oidc-provider/p", "name"),
            "the OIDC provider ARN is malformed; write",
        ),
        (
            role_for_token().duration(Duration::from_secs(899)),
            "a session cannot last 899 s",
        ),
        (
            role_for_token().duration(Duration::from_secs(43_201)),
            "a session cannot last 43201 s",
        ),
        (
            role_for_token().policy("x".repeat(2049)),
            "the policy has 2049 characters",
        ),
        (
            role_for_token().oidc_token(""),
            "there is no OIDC token; set oidc_token(..)",
        ),
        (
            role_for_token().oidc_token("abc"),
            "the OIDC token has 3 characters",
        ),
        (
            role_for_token().oidc_token(long.as_str()),
            "the OIDC token has 20001 characters",
        ),
        (
            role_for_token().oidc_token("a.b.c\n"),
            "the OIDC token contains white space",
        ),
        (
            role_for_token().oidc_token("a.b c"),
            "the OIDC token contains white space",
        ),
        (
            role_for_token().oidc_token("\u{feff}a.b.c"),
            "the OIDC token contains white space or a character",
        ),
        (
            role_for_token().oidc_token("a.b.c\0"),
            "the OIDC token contains white space or a character",
        ),
    ] {
        let error = blocking::wait(client.assume_role_with_oidc(&request)).unwrap_err();
        assert!(
            matches!(error.error(), CredentialsError::InvalidConfig(_)),
            "{error:?}"
        );
        assert!(
            error.to_string().starts_with(&format!("acs-sts: {text}")),
            "{error}"
        );
    }
    assert!(service.requests().is_empty());

    for token in ["a.bc", &long[1..]] {
        acs_sts::validate_oidc_token("test", token).unwrap();
    }
    AssumeRoleWithOidc::new(ROLE, "acs:ram::any:oidc-provider/path/p", "name")
        .validate("test")
        .unwrap();
}

#[test]
fn a_rejected_token_is_told_apart() {
    for code in [
        "AuthenticationFail.OIDCToken.Expired",
        "AuthenticationFail.OIDCToken.Invalid",
        "AuthenticationFail.OIDCToken.PublicKeyFingerprintMismatch",
        "AuthenticationFail.OIDCToken.SomethingNew",
    ] {
        let service = Service::new().refuses(400, code);
        let error = assume(service.client().sleep(Pauses::default())).unwrap_err();
        assert!(
            error.oidc_token_rejected() && !error.caller_key_rejected(),
            "{code}"
        );
        assert!(matches!(error.error(), CredentialsError::Denied(_)), "{code}");
        assert_eq!(
            service.requests().len(),
            1,
            "the same token would be rejected again"
        );
    }
    for code in [
        "AuthenticationFail.NoPermission",
        "AuthenticationFail",
        "AuthenticationFail.OIDCTokens",
        "OIDCToken.Expired",
        "EntityNotExist.Role",
    ] {
        let error = assume(Service::new().refuses(403, code).client()).unwrap_err();
        assert!(!error.oidc_token_rejected(), "{code}");
        assert!(matches!(error.error(), CredentialsError::Denied(_)), "{code}");
    }
}

#[test]
fn every_refusal_says_what_to_do_about_it() {
    for (code, hint) in [
        (
            "AuthenticationFail.NoPermission",
            "name the OIDC provider in the role's trust policy",
        ),
        (
            "AuthenticationFail.OIDCToken.Expired",
            "the token was not renewed in time",
        ),
        (
            "AuthenticationFail.OIDCToken.Invalid",
            "check that the token is a raw JWT",
        ),
        (
            "AuthenticationFail.OIDCToken.PublicKeyFingerprintMismatch",
            "renew the fingerprints",
        ),
        (
            "EntityNotExist.Role",
            "check the ARNs of the role and of the OIDC provider",
        ),
        (
            "InvalidParameter.PolicyGrammar",
            "check policy(..): it has to be a RAM policy, in JSON",
        ),
        ("InvalidParameter.PolicySize", "shorten policy(..)"),
        (
            "InvalidParameter.DurationSeconds",
            "check duration(..): 900 s at least, and no longer than the role allows",
        ),
        (
            "InvalidParameter.OIDCProviderArn",
            "check the ARN of the OIDC provider",
        ),
        ("InvalidParameter.SomethingNew", "check SomethingNew"),
        ("InvalidParameter.two+words", "check the settings of the call"),
    ] {
        let error = assume(Service::new().refuses(403, code).client()).unwrap_err();
        let expected = format!(
            "acs-sts: the service refused AssumeRoleWithOIDC (POST https://sts.aliyuncs.com/, HTTP 403): {code}: \
             example, request ID R-1; {hint}"
        );
        let text = error.to_string();
        assert!(text.starts_with(&expected), "{text}");
        assert!(
            text.ends_with(&format!("; see https://api.aliyun.com/troubleshoot?q={code}")),
            "{text}"
        );
    }
}

#[test]
fn a_clock_that_is_hours_off_is_corrected_once() {
    let refused = |_: &HttpRequest| {
        let body = error_body("InvalidTimeStamp.Expired").into_bytes();
        Ok(HttpResponse::new(400, body).with_header("Date", "Fri, 02 Jan 2026 05:04:05 GMT"))
    };
    let service = Service::new().then(refused).then(refused);
    assume(service.client()).unwrap_err();
    let timestamps: Vec<_> = service
        .requests()
        .iter()
        .map(|request| get(&params(request), "Timestamp").unwrap().to_owned())
        .collect();
    assert_eq!(timestamps, ["2026-01-02T03:04:05Z", "2026-01-02T05:04:05Z"]);
}

#[test]
fn a_corrected_clock_is_remembered() {
    let refused = |_: &HttpRequest| {
        let body = error_body("InvalidTimeStamp.Expired").into_bytes();
        Ok(HttpResponse::new(400, body).with_header("Date", "Fri, 02 Jan 2026 05:04:05 GMT"))
    };
    let service = Service::new().then(refused).answers(200, OK).answers(200, OK);
    let client = service.client().build().unwrap();
    for _ in 0..2 {
        blocking::wait(client.clone().assume_role_with_oidc(&role_for_token())).unwrap();
    }
    let timestamps: Vec<_> = service
        .requests()
        .iter()
        .map(|request| get(&params(request), "Timestamp").unwrap().to_owned())
        .collect();
    assert_eq!(
        timestamps,
        [
            "2026-01-02T03:04:05Z",
            "2026-01-02T05:04:05Z",
            "2026-01-02T05:04:05Z"
        ]
    );
}

#[test]
fn a_clock_beyond_the_year_9999_is_named() {
    let service = Service::new();
    let client = service.client().clock(ManualClock::at_unix(253_402_300_800));
    assert_eq!(
        assume(client).unwrap_err().to_string(),
        "acs-sts: the local time is outside of the years 1970 to 9999 (POST https://sts.aliyuncs.com/); \
         check the clock"
    );
    assert!(service.requests().is_empty());
}

#[test]
fn what_passes_is_repeated_with_something_to_wait_on() {
    let failing: [fn(Service) -> Service; 3] = [
        |service| service.answers(503, "busy"),
        |service| service.refuses(400, "Throttling.User"),
        |service| service.fails(HttpErrorKind::Connect),
    ];
    for fail in failing {
        let service = fail(Service::new());
        let error = assume(service.client()).unwrap_err();
        assert!(
            matches!(error.error(), CredentialsError::Unavailable(_)),
            "{error:?}"
        );
        assert_eq!(service.requests().len(), 1);
        let pauses = Pauses::default();
        let service = fail(fail(Service::new())).answers(200, OK);
        assume(service.client().sleep(pauses.clone())).unwrap();
        assert_eq!(pauses.taken().len(), 2);
    }
}

#[test]
fn a_client_can_be_set_up_before_there_is_an_http_client() {
    let builder = StsClientBuilder::default().provider_name("example");
    assert_eq!(
        builder.clone().build().unwrap_err().to_string(),
        "example: there is no HTTP client; pass one with http_client(..), or enable the feature `reqwest`"
    );
    let service = Service::new().answers(200, OK);
    let mine = service.clone();
    let chosen = builder
        .clone()
        .http_client(mine)
        .http_client_or(|| panic!("there is one"));
    assume(chosen.clock(ManualClock::at_unix(NOW))).unwrap();
    let default =
        || Some(std::sync::Arc::new(Service::new()) as std::sync::Arc<dyn oss_credentials_http::HttpClient>);
    let origin = |builder: StsClientBuilder| {
        builder
            .http_client_or(default)
            .build()
            .unwrap()
            .endpoint()
            .origin()
    };
    let region = || Some("cn-beijing".to_owned());
    let global = "https://sts.aliyuncs.com";
    assert_eq!(origin(builder.clone()), global);
    assert_eq!(
        origin(builder.clone().region_or(region).vpc_or(|| Some(true))),
        "https://sts-vpc.cn-beijing.aliyuncs.com"
    );
    let other = builder.clone().region("cn-hangzhou").vpc(false);
    let other = other
        .region_or(|| panic!("there is one"))
        .vpc_or(|| panic!("it is off"));
    assert_eq!(origin(other), "https://sts.cn-hangzhou.aliyuncs.com");
    let explicit = builder
        .endpoint("sts.example.com")
        .region_or(|| panic!("not needed"));
    assert_eq!(
        origin(explicit.vpc_or(|| panic!("not needed"))),
        "https://sts.example.com"
    );
}

#[test]
fn types_can_move_between_threads() {
    fn check<T: Send + Sync + Unpin + 'static>() {}
    fn future<F: Future + Send>(_: F) {}
    check::<AssumeRoleWithOidc>();
    check::<StsClient>();
    check::<StsClientBuilder>();
    let client = Service::new().client().build().unwrap();
    future(client.assume_role_with_oidc(&role_for_token()));
}
