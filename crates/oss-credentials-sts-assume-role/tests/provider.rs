//! Behaviour through the public API, against a service made of a script.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "helpers of tests may fail the test"
)]

#[path = "provider/base.rs"]
mod base;
#[path = "provider/service.rs"]
mod service;

use std::time::Duration;

use oss_credentials_core::test_util::{FakeEnv, ManualClock, PanickingEnv};
use oss_credentials_core::{Clock, CredentialsError, CredentialsProvider, CredentialsSource, blocking};
use oss_credentials_http::{HttpError, HttpErrorKind, HttpRequest, HttpResponse};
use oss_credentials_sts_assume_role::{
    ENV_ROLE_ARN, ENV_ROLE_SESSION_NAME, ENV_STS_ENDPOINT, ENV_STS_REGION, ENV_VPC_ENDPOINT_ENABLED,
    SignatureVersion, StsAssumeRole, StsAssumeRoleBuilder,
};
use service::{ARN, NOW, Service, ServiceExt as _, an_hour, at, fetch, key, param, session};

#[test]
fn success() {
    let service = Service::new().answers(200, an_hour("STS.EXAMPLE"));
    let provider = service
        .builder()
        .role_session_name("nightly")
        .duration(Duration::from_secs(1800))
        .policy("{}")
        .external_id("partner")
        .region("cn-hangzhou")
        .vpc(true)
        .connect_timeout(Duration::from_secs(2))
        .timeout(Duration::from_secs(3))
        .build()
        .unwrap();
    assert_eq!(provider.name(), "sts-assume-role");
    assert!(provider.cached().is_none());
    let credentials = blocking::wait(provider.credentials()).unwrap();
    assert_eq!(credentials.access_key_id(), "STS.EXAMPLE");
    assert_eq!(credentials.access_key_secret(), "canary-new-secret");
    assert_eq!(credentials.security_token(), Some("canary-new-token"));
    assert_eq!(credentials.expires_at(), Some(at(NOW + 3600)));
    assert_eq!(credentials.source(), "sts-assume-role");

    // A second call is answered from the cache: the script has no second step.
    blocking::wait(provider.credentials()).unwrap();
    let requests = service.requests();
    assert_eq!(requests.len(), 1);
    let request = &requests[0];
    assert!(
        request
            .url()
            .starts_with("https://sts-vpc.cn-hangzhou.aliyuncs.com/?"),
        "{request:?}"
    );
    assert_eq!(request.connect_timeout(), Duration::from_secs(2));
    assert_eq!(request.timeout(), Duration::from_secs(3));
    for (name, value) in [
        ("Action", "AssumeRole"),
        ("RoleArn", ARN),
        ("RoleSessionName", "nightly"),
        ("DurationSeconds", "1800"),
        ("Policy", "{}"),
        ("ExternalId", "partner"),
        ("AccessKeyId", "LTAI5tEXAMPLEKEYID"),
        ("Timestamp", "2026-01-02T03:04:05Z"),
    ] {
        assert_eq!(param(request, name).as_deref(), Some(value), "{name}");
    }
}

#[test]
fn not_configured() {
    let service = Service::new();
    let base = || key("LTAI5tEXAMPLEKEYID");
    let nothing = StsAssumeRole::builder(base())
        .http_client(service.clone())
        .build()
        .unwrap_err();
    let from_env = StsAssumeRole::from_env(base(), &FakeEnv::new()).unwrap_err();
    let empty = FakeEnv::from([
        (ENV_ROLE_ARN, ""),
        (ENV_ROLE_SESSION_NAME, ""),
        (ENV_STS_REGION, "cn-beijing"),
    ]);
    let with_empty = StsAssumeRole::from_env(base(), &empty).unwrap_err();
    for error in [nothing, from_env, with_empty] {
        assert!(error.is_not_configured(), "{error:?}");
        assert_eq!(
            error.to_string(),
            "sts-assume-role: no role is named; set role_arn(..) or ALIBABA_CLOUD_ROLE_ARN"
        );
    }
}

#[test]
fn half_configured() {
    let env = FakeEnv::from([(ENV_ROLE_SESSION_NAME, "nightly")]);
    let base = || key("LTAI5tEXAMPLEKEYID");
    for error in [
        StsAssumeRole::from_env(base(), &env).unwrap_err(),
        StsAssumeRole::builder(base())
            .external_id("partner")
            .build()
            .unwrap_err(),
        StsAssumeRole::builder(base()).policy("{}").build().unwrap_err(),
    ] {
        assert!(matches!(error, CredentialsError::InvalidConfig(_)), "{error:?}");
        assert!(
            error.to_string().contains("but no role ARN; set role_arn(..)"),
            "{error}"
        );
    }
}

#[test]
fn explicit_values_that_cannot_work_are_refused_when_it_is_built() {
    let service = Service::new();
    for (builder, word) in [
        (service.builder().role_arn(""), "role ARN"),
        (service.builder().role_arn("example-role"), "role ARN"),
        (service.builder().role_session_name(""), "session name"),
        (service.builder().role_session_name("a b"), "session name"),
        (service.builder().duration(Duration::from_secs(899)), "899 s"),
        (service.builder().duration(Duration::from_secs(43_201)), "43201 s"),
        (service.builder().policy("x".repeat(2049)), "policy"),
        (service.builder().policy(""), "policy is empty"),
        (service.builder().external_id(""), "external ID"),
        (service.builder().region(""), "region"),
        (service.builder().region("cn/hangzhou"), "region"),
        (service.builder().endpoint(""), "endpoint"),
        (service.builder().endpoint("http://sts.example.com"), "plain http"),
    ] {
        let error = builder.build().unwrap_err();
        assert!(matches!(error, CredentialsError::InvalidConfig(_)), "{error:?}");
        let text = error.to_string();
        assert!(
            text.starts_with("sts-assume-role: ") && text.contains(word),
            "{text}"
        );
    }
    let source = service
        .builder()
        .endpoint("http://sts.example.com/")
        .allow_http(true)
        .build_source()
        .unwrap();
    assert_eq!(source.endpoint(), "http://sts.example.com");
}

#[test]
fn the_environment_fills_in_what_is_not_set() {
    let service = Service::new().answers(200, an_hour("STS.EXAMPLE"));
    let env = FakeEnv::from([
        (ENV_ROLE_ARN, "acs:ram::1:role/from-env"),
        (ENV_ROLE_SESSION_NAME, "from-env"),
        (ENV_STS_REGION, "cn-beijing"),
        (ENV_VPC_ENDPOINT_ENABLED, "TRUE"),
    ]);
    let base = || key("LTAI5tEXAMPLEKEYID");
    let source = StsAssumeRole::from_env(base(), &env)
        .unwrap()
        .http_client(service.clone());
    let source = source.clock(ManualClock::at_unix(NOW)).build_source().unwrap();
    assert_eq!(source.endpoint(), "https://sts-vpc.cn-beijing.aliyuncs.com");
    blocking::wait(source.fetch()).unwrap();
    let request = &service.requests()[0];
    assert_eq!(
        param(request, "RoleArn").as_deref(),
        Some("acs:ram::1:role/from-env")
    );
    assert_eq!(param(request, "RoleSessionName").as_deref(), Some("from-env"));

    // An explicit `false` beats the variable; only the word `true` counts.
    let explicit = service.builder().vpc(false).env(&env).build_source().unwrap();
    assert_eq!(explicit.endpoint(), "https://sts.cn-beijing.aliyuncs.com");
    env.set(ENV_VPC_ENDPOINT_ENABLED, "1");
    let one = service.builder().env(&env).build_source().unwrap();
    assert_eq!(one.endpoint(), "https://sts.cn-beijing.aliyuncs.com");
    env.set(ENV_STS_REGION, "");
    env.set(ENV_ROLE_SESSION_NAME, "");
    let empty = service.builder().env(&env).build_source().unwrap();
    assert_eq!(empty.endpoint(), "https://sts.aliyuncs.com");
    assert!(empty.role_session_name().starts_with("oss-credentials-"));
}

#[test]
fn only_from_env_takes_the_endpoint_of_a_variable() {
    let service = Service::new();
    let env = FakeEnv::from([
        (ENV_ROLE_ARN, "acs:ram::1:role/from-env"),
        (ENV_STS_REGION, "cn-beijing"),
        (ENV_STS_ENDPOINT, "sts.cn-hangzhou.aliyuncs.com"),
    ]);
    let from_env = || {
        StsAssumeRole::from_env(key("LTAI5tEXAMPLEKEYID"), &env)
            .unwrap()
            .http_client(service.clone())
    };
    let source = from_env().build_source().unwrap();
    assert_eq!(source.endpoint(), "https://sts.cn-hangzhou.aliyuncs.com");
    let source = from_env().endpoint("sts.example.com").build_source().unwrap();
    assert_eq!(source.endpoint(), "https://sts.example.com");
    let source = service.builder().env(&env).build_source().unwrap();
    assert_eq!(source.endpoint(), "https://sts.cn-beijing.aliyuncs.com");
    env.set(ENV_STS_ENDPOINT, "https://canary.example.com");
    let error = from_env().allow_http(true).build_source().unwrap_err();
    assert!(matches!(error, CredentialsError::InvalidConfig(_)), "{error}");
    assert!(
        error.to_string().contains("(ALIBABA_CLOUD_STS_ENDPOINT); "),
        "{error}"
    );
    assert!(!format!("{error:?}").contains("canary"), "{error:?}");
    assert!(service.builder().env(&env).build_source().is_ok());
}

#[test]
fn explicit_configuration_never_reads_the_environment() {
    let service = Service::new().answers(200, an_hour("STS.EXAMPLE"));
    let full = service
        .builder()
        .role_session_name("nightly")
        .region("cn-beijing")
        .vpc(false)
        .env(&PanickingEnv);
    fetch(full).unwrap();
    let with_endpoint = service
        .builder()
        .role_session_name("nightly")
        .endpoint("sts.example.com");
    with_endpoint.env(&PanickingEnv).build().unwrap();
}

#[test]
fn the_session_name_is_made_up_once() {
    let service = Service::new()
        .answers(200, an_hour("STS.A"))
        .answers(200, an_hour("STS.B"));
    let clock = ManualClock::at_unix(NOW);
    let source = service.builder().clock(clock.clone()).build_source().unwrap();
    assert_eq!(source.role_session_name(), format!("oss-credentials-{NOW}000000"));
    blocking::wait(source.fetch()).unwrap();
    clock.advance(Duration::from_secs(60));
    blocking::wait(source.fetch()).unwrap();
    for request in service.requests() {
        assert_eq!(
            param(&request, "RoleSessionName").as_deref(),
            Some(source.role_session_name())
        );
    }
}

#[cfg(not(feature = "reqwest"))]
#[test]
fn without_an_http_client_it_says_so() {
    let error = StsAssumeRole::builder(key("LTAI5tEXAMPLEKEYID"))
        .role_arn(ARN)
        .build()
        .unwrap_err();
    assert!(matches!(error, CredentialsError::InvalidConfig(_)), "{error:?}");
    assert_eq!(
        error.to_string(),
        "sts-assume-role: there is no HTTP client; pass one with http_client(..), or enable the feature `reqwest`"
    );
}

#[cfg(feature = "reqwest")]
#[test]
fn with_reqwest_no_http_client_is_needed() {
    let provider = StsAssumeRole::builder(key("LTAI5tEXAMPLEKEYID"))
        .role_arn(ARN)
        .build()
        .unwrap();
    // Outside of a runtime it can send nothing; nothing panics.
    let error = blocking::wait(provider.credentials()).unwrap_err();
    assert!(matches!(error, CredentialsError::InvalidConfig(_)), "{error:?}");
}

#[test]
fn refusals_and_failures_have_their_variants() {
    let denied: fn(&CredentialsError) -> bool = |e| matches!(e, CredentialsError::Denied(_));
    let unavailable: fn(&CredentialsError) -> bool = |e| matches!(e, CredentialsError::Unavailable(_));
    let invalid: fn(&CredentialsError) -> bool = |e| matches!(e, CredentialsError::InvalidResponse(_));
    let expired: fn(&CredentialsError) -> bool = |e| matches!(e, CredentialsError::Expired(_));
    let incomplete = an_hour("STS.A").replace("SecurityToken", "Token");
    for (service, check, text) in [
        (
            Service::new().refuses(403, "NoPermission"),
            denied,
            "HTTP 403): NoPermission: m, request ID R-1 (key LTAI****EYID from custom); allow",
        ),
        (
            Service::new().refuses(404, "EntityNotExist.Role"),
            denied,
            "HTTP 404): EntityNotExist.Role",
        ),
        (
            Service::new().refuses(429, "Throttling.User"),
            unavailable,
            "HTTP 429): Throttling.User",
        ),
        (
            Service::new().refuses(500, "InternalError"),
            unavailable,
            "HTTP 500): InternalError",
        ),
        (
            Service::new().answers(503, "busy"),
            unavailable,
            "HTTP 503); check the endpoint",
        ),
        (
            Service::new().fails(HttpErrorKind::Timeout),
            unavailable,
            "no response from the service in time",
        ),
        (
            Service::new().fails(HttpErrorKind::Connect),
            unavailable,
            "no connection to the service",
        ),
        (
            Service::new().fails(HttpErrorKind::Interrupted),
            unavailable,
            "was cut off",
        ),
        (
            Service::new().answers(200, "<html>log in</html>"),
            invalid,
            "is HTML or XML",
        ),
        (
            Service::new().answers(200, "{"),
            invalid,
            "is not the JSON that was expected (line 1, column 1)",
        ),
        (
            Service::new().answers(200, incomplete),
            invalid,
            "has no Credentials.SecurityToken",
        ),
        (
            Service::new().answers(200, session("STS.A", "soon")),
            invalid,
            "unreadable Credentials.Expiration",
        ),
        (
            Service::new().answers(200, session("STS.A", "2026-01-02T03:04:05Z")),
            expired,
            "the credentials had expired when they arrived",
        ),
    ] {
        let error = fetch(service.builder()).unwrap_err();
        assert!(check(&error), "{text}: {error:?}");
        let shown = error.to_string();
        assert!(
            shown.starts_with("sts-assume-role: ") && shown.contains(text),
            "{shown}"
        );
        assert!(shown.contains("(POST https://sts.aliyuncs.com/"), "{shown}");
        assert_eq!(service.requests().len(), 1);
    }
}

#[test]
fn unknown_fields_are_ignored() {
    let body = an_hour("STS.EXAMPLE").replacen('{', r#"{"New": {"deep": [1, null]}, "#, 1);
    fetch(Service::new().answers(200, body).builder()).unwrap();
}

/// The service, with a clock that is right.
#[expect(clippy::unnecessary_wraps, reason = "a step of a script")]
fn strict_about_time(request: &HttpRequest) -> Result<HttpResponse, HttpError> {
    let on_time = param(request, "Timestamp")
        .unwrap()
        .starts_with("2026-01-02T03:0");
    let response = if on_time {
        HttpResponse::new(200, an_hour("STS.EXAMPLE").into_bytes())
    } else {
        let body = r#"{"Code": "InvalidTimeStamp.Expired", "Message": "m", "RequestId": "R-1"}"#;
        HttpResponse::new(400, body.as_bytes().to_vec())
    };
    Ok(response.with_header("Date", "Fri, 02 Jan 2026 03:04:05 GMT"))
}

#[test]
fn a_local_clock_hours_off_does_not_matter() {
    for local in [NOW - 5 * 3600, NOW + 5 * 3600] {
        let clock = ManualClock::at_unix(local);
        let service = Service::new().then(strict_about_time).then(strict_about_time);
        let provider = service.builder().clock(clock.clone()).build().unwrap();
        let credentials = blocking::wait(provider.credentials()).unwrap();
        assert_eq!(service.requests().len(), 2, "signed once more");
        // To the uncorrected clock the session is over, or five hours too long.
        assert_eq!(credentials.expires_at(), Some(at(NOW + 3600)));
        assert!(provider.cached().is_some());
        clock.advance(Duration::from_secs(3600));
        assert!(provider.cached().is_none(), "expired by the service's clock");
    }
}

#[test]
fn acs3_can_be_chosen() {
    let service = Service::new().answers(200, an_hour("STS.EXAMPLE"));
    fetch(service.builder().signature_version(SignatureVersion::Acs3)).unwrap();
    let request = &service.requests()[0];
    assert_eq!(request.url(), "https://sts.aliyuncs.com/");
    let authorization = request.header("authorization").unwrap();
    assert!(
        authorization.starts_with("ACS3-HMAC-SHA256 Credential=LTAI5tEXAMPLEKEYID,"),
        "{authorization}"
    );
}

#[test]
fn every_recorded_answer_has_its_outcome() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/cases/sts/responses.json");
    let file: serde_json::Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    let mut count = 0;
    for case in file["cases"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|case| case["provider"] == "sts")
    {
        count += 1;
        let (name, expect) = (&case["name"], &case["expect"]);
        let status = u16::try_from(case["status"].as_u64().unwrap()).unwrap();
        let body = case["body"].as_str().unwrap();
        let service = (0..3).fold(Service::new(), |service, _| service.answers(status, body));
        let outcome = fetch(service.builder());
        assert_eq!(
            outcome.is_ok(),
            expect["ok"].as_bool().unwrap(),
            "{name}: {outcome:?}"
        );
        match outcome {
            Ok(credentials) => assert_eq!(
                credentials.access_key_secret(),
                expect["access_key_secret"],
                "{name}"
            ),
            Err(error) => {
                if let Some(retryable) = expect["retryable"].as_bool() {
                    assert_eq!(error.is_retryable(), retryable, "{name}");
                }
                if let Some(code) = expect["code"].as_str() {
                    assert_eq!(error.detail().unwrap().code(), Some(code), "{name}");
                }
            }
        }
    }
    assert_eq!(count, 35);
}

#[test]
fn debug_shows_no_keys() {
    let service = Service::new();
    let builder = || service.builder().policy("canary").external_id("canary");
    let shown = format!(
        "{:?} {:?} {:?}",
        builder(),
        builder().build_source(),
        builder().build()
    );
    assert!(shown.contains(ARN) && !shown.contains("canary"), "{shown}");
    assert!(!shown.contains("LTAI5tEXAMPLEKEYID"), "{shown}");
    let shown = format!("{:?}", builder());
    assert!(
        shown.starts_with("StsAssumeRoleBuilder") && shown.contains(ARN),
        "{shown}"
    );
    assert_eq!(builder().build_source().unwrap().role_arn(), ARN);
}

#[test]
fn the_clock_of_the_builder_is_the_clock_of_the_cache() {
    let clock = ManualClock::at_unix(NOW);
    let service = Service::new()
        .answers(200, an_hour("STS.A"))
        .answers(200, session("STS.B", "2026-01-02T05:04:05Z"));
    let provider = service.builder().clock(clock.clone()).build().unwrap();
    blocking::wait(provider.credentials()).unwrap();
    clock.advance(Duration::from_secs(3601));
    assert_eq!(clock.now(), at(NOW + 3601));
    assert_eq!(
        blocking::wait(provider.credentials()).unwrap().access_key_id(),
        "STS.B"
    );
    assert_eq!(
        param(&service.requests()[1], "Timestamp").as_deref(),
        Some("2026-01-02T04:04:06Z")
    );
}

#[cfg(feature = "tokio")]
#[tokio::test]
async fn inside_a_runtime_it_refreshes_in_the_background() {
    let service = Service::new().answers(200, an_hour("STS.EXAMPLE"));
    let provider = service.builder().build().unwrap();
    provider.credentials().await.unwrap();
    assert!(provider.status().has_driver());
}

#[test]
fn types_can_move_between_threads() {
    fn check<T: Send + Sync + Unpin + 'static>() {}
    check::<StsAssumeRole>();
    check::<StsAssumeRoleBuilder>();
    check::<oss_credentials_sts_assume_role::StsAssumeRoleProvider>();
}
