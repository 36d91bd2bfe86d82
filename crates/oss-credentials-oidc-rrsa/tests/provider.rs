//! Behaviour through the public API, against a service made of a script and a real token file.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "helpers of tests may fail the test"
)]

#[path = "provider/service.rs"]
mod service;
#[path = "provider/token_file.rs"]
mod token_file;

use std::time::Duration;

use oss_credentials_core::test_util::{FakeEnv, ManualClock, PanickingEnv};
use oss_credentials_core::{CredentialsError, CredentialsProvider, CredentialsSource, blocking};
use oss_credentials_http::{HttpError, HttpErrorKind, HttpMethod, HttpRequest, HttpResponse};
use oss_credentials_oidc_rrsa::{
    ENV_OIDC_PROVIDER_ARN, ENV_OIDC_TOKEN_FILE, ENV_ROLE_ARN, ENV_ROLE_SESSION_NAME, ENV_STS_ENDPOINT,
    ENV_STS_REGION, ENV_VPC_ENDPOINT_ENABLED, OidcRrsa, OidcRrsaBuilder,
};
use service::{JWT, NOW, PROVIDER, ROLE, Service, an_hour, at, fetch, param, session};

#[test]
fn success() {
    let service = Service::new().answers(200, an_hour("STS.EXAMPLE"));
    let provider = service
        .builder()
        .role_session_name("nightly")
        .duration(Duration::from_secs(1800))
        .policy("{}")
        .region("cn-hangzhou")
        .vpc(true)
        .connect_timeout(Duration::from_secs(2))
        .timeout(Duration::from_secs(3))
        .build()
        .unwrap();
    assert_eq!(provider.name(), "oidc-rrsa");
    assert!(provider.cached().is_none());
    let credentials = blocking::wait(provider.credentials()).unwrap();
    assert_eq!(credentials.access_key_id(), "STS.EXAMPLE");
    assert_eq!(credentials.access_key_secret(), "canary-new-secret");
    assert_eq!(credentials.security_token(), Some("canary-new-token"));
    assert_eq!(credentials.expires_at(), Some(at(NOW + 3600)));
    assert_eq!(credentials.source(), "oidc-rrsa");

    // A second call is answered from the cache: the script has no second step.
    blocking::wait(provider.credentials()).unwrap();
    let requests = service.requests();
    assert_eq!(requests.len(), 1);
    let request = &requests[0];
    assert_eq!(request.method(), HttpMethod::Post);
    assert_eq!(
        request.url(),
        "https://sts-vpc.cn-hangzhou.aliyuncs.com/?Action=AssumeRoleWithOIDC&Format=JSON\
         &Timestamp=2026-01-02T03%3A04%3A05Z&Version=2015-04-01"
    );
    assert_eq!(request.connect_timeout(), Duration::from_secs(2));
    assert_eq!(request.timeout(), Duration::from_secs(3));
    for (name, value) in [
        ("RoleArn", ROLE),
        ("OIDCProviderArn", PROVIDER),
        ("OIDCToken", JWT),
        ("RoleSessionName", "nightly"),
        ("DurationSeconds", "1800"),
        ("Policy", "{}"),
    ] {
        assert_eq!(param(request, name).as_deref(), Some(value), "{name}");
    }
    for name in ["AccessKeyId", "Signature", "SecurityToken"] {
        assert_eq!(param(request, name), None, "{name}");
    }
    assert_eq!(request.header("authorization"), None);
}

#[test]
fn not_configured() {
    let service = Service::new();
    // The role and what is about the call also serve AssumeRole.
    let other = FakeEnv::from([
        (ENV_ROLE_ARN, ROLE),
        (ENV_ROLE_SESSION_NAME, "nightly"),
        (ENV_STS_REGION, "cn-beijing"),
        (ENV_OIDC_PROVIDER_ARN, ""),
        (ENV_OIDC_TOKEN_FILE, ""),
    ]);
    for error in [
        OidcRrsa::builder()
            .http_client(service.http())
            .build()
            .unwrap_err(),
        OidcRrsa::from_env(&FakeEnv::new()).unwrap_err(),
        OidcRrsa::from_env(&other).unwrap_err(),
    ] {
        assert!(error.is_not_configured(), "{error:?}");
        assert_eq!(
            error.to_string(),
            "oidc-rrsa: neither an OIDC provider nor a token file is named; set ALIBABA_CLOUD_OIDC_PROVIDER_ARN, \
             ALIBABA_CLOUD_OIDC_TOKEN_FILE and ALIBABA_CLOUD_ROLE_ARN, or the builder's methods for them"
        );
    }
}

#[test]
fn half_configured() {
    let all = [
        (ENV_ROLE_ARN, ROLE),
        (ENV_OIDC_PROVIDER_ARN, PROVIDER),
        (ENV_OIDC_TOKEN_FILE, "/var/run/token"),
    ];
    assert!(OidcRrsa::from_env(&FakeEnv::from(all)).is_ok());
    for (missing, text) in [
        (
            &[ENV_ROLE_ARN][..],
            "there is an OIDC provider ARN and a token file, but no role ARN (/var/run/token); set role_arn(..) or \
             ALIBABA_CLOUD_ROLE_ARN, or unset ALIBABA_CLOUD_OIDC_PROVIDER_ARN and ALIBABA_CLOUD_OIDC_TOKEN_FILE",
        ),
        (
            &[ENV_OIDC_PROVIDER_ARN],
            "there is an OIDC token file, but no OIDC provider ARN (/var/run/token); set oidc_provider_arn(..) \
             or ALIBABA_CLOUD_OIDC_PROVIDER_ARN, or unset ALIBABA_CLOUD_OIDC_TOKEN_FILE",
        ),
        (
            &[ENV_OIDC_TOKEN_FILE],
            "there is an OIDC provider ARN, but no OIDC token file (PROVIDER); set oidc_token_file(..) or \
             ALIBABA_CLOUD_OIDC_TOKEN_FILE, or unset ALIBABA_CLOUD_OIDC_PROVIDER_ARN",
        ),
        (
            &[ENV_ROLE_ARN, ENV_OIDC_TOKEN_FILE],
            "there is an OIDC provider ARN, but no role ARN and no OIDC token file (PROVIDER); set role_arn(..) \
             or ALIBABA_CLOUD_ROLE_ARN, and oidc_token_file(..) or ALIBABA_CLOUD_OIDC_TOKEN_FILE, or unset \
             ALIBABA_CLOUD_OIDC_PROVIDER_ARN",
        ),
    ] {
        let env = FakeEnv::from(all);
        for name in missing {
            env.set(*name, "");
        }
        for error in [
            OidcRrsa::from_env(&env).unwrap_err(),
            OidcRrsa::builder().env(&env).build().unwrap_err(),
        ] {
            assert!(matches!(error, CredentialsError::InvalidConfig(_)), "{error:?}");
            let text = text.replace("PROVIDER)", &format!("{PROVIDER})"));
            assert_eq!(error.to_string(), format!("oidc-rrsa: {text}"));
        }
    }
}

#[test]
fn a_token_in_place_of_its_path_is_not_shown_when_the_rest_is_missing() {
    let env = FakeEnv::from([(ENV_OIDC_TOKEN_FILE, "eyJhbGciOiJSUzI1NiJ9.canary.canary")]);
    let error = OidcRrsa::from_env(&env).unwrap_err();
    assert!(matches!(error, CredentialsError::InvalidConfig(_)), "{error:?}");
    assert!(!format!("{error} {error:?}").contains("canary"), "{error}");
}

#[test]
fn explicit_values_that_cannot_work_are_refused_when_it_is_built() {
    let service = Service::new();
    for (builder, word) in [
        (service.builder().role_arn(""), "role ARN"),
        (service.builder().role_arn("example-role"), "role ARN"),
        (service.builder().oidc_provider_arn(""), "OIDC provider ARN"),
        (service.builder().oidc_provider_arn(ROLE), "OIDC provider ARN"),
        (
            service.builder().oidc_token_file(""),
            "path of the OIDC token file is empty",
        ),
        (service.builder().role_session_name(""), "session name"),
        (service.builder().role_session_name("a b"), "session name"),
        (service.builder().duration(Duration::from_secs(899)), "899 s"),
        (service.builder().duration(Duration::from_secs(43_201)), "43201 s"),
        (service.builder().policy("x".repeat(2049)), "policy"),
        (service.builder().policy(""), "policy is empty"),
        (service.builder().region(""), "region"),
        (service.builder().region("cn/hangzhou"), "region"),
        (service.builder().endpoint(""), "endpoint"),
        (service.builder().endpoint("http://sts.example.com"), "plain http"),
    ] {
        let error = builder.build().unwrap_err();
        assert!(matches!(error, CredentialsError::InvalidConfig(_)), "{error:?}");
        let text = error.to_string();
        assert!(text.starts_with("oidc-rrsa: ") && text.contains(word), "{text}");
    }
    let source = service
        .builder()
        .endpoint("http://sts.example.com/")
        .allow_http(true)
        .build_source()
        .unwrap();
    assert_eq!(source.endpoint(), "http://sts.example.com");
    assert_eq!(source.oidc_token_file(), service.file());
}

#[test]
fn a_token_in_place_of_its_path_is_not_shown() {
    let jwt = "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJjYW5hcnkifQ.c2lnbmF0dXJl";
    let env = FakeEnv::from([(ENV_OIDC_TOKEN_FILE, jwt)]);
    let service = Service::new();
    let builder = OidcRrsa::builder()
        .role_arn(ROLE)
        .oidc_provider_arn(PROVIDER)
        .env(&env);
    let builder = builder.http_client(service.http());
    let shown = format!("{builder:?}");
    let error = builder.build().unwrap_err();
    assert_eq!(
        error.to_string(),
        "oidc-rrsa: the path of the OIDC token file is a token itself; set oidc_token_file(..) or \
         ALIBABA_CLOUD_OIDC_TOKEN_FILE to the path of a file"
    );
    assert!(!format!("{shown} {error:?}").contains("eyJ"), "{shown} {error:?}");
    // A path is a path, whatever its name.
    for path in ["/tokens/eyJ.token", "token.jwt", "eyJtoken"] {
        service.builder().oidc_token_file(path).build().unwrap();
    }
}

#[test]
fn the_environment_fills_in_what_is_not_set() {
    let service = Service::new().answers(200, an_hour("STS.EXAMPLE"));
    let env = FakeEnv::from([
        (ENV_ROLE_ARN, "acs:ram::1:role/from-env"),
        (ENV_OIDC_PROVIDER_ARN, "acs:ram::1:oidc-provider/from-env"),
        (ENV_OIDC_TOKEN_FILE, service.file().to_str().unwrap()),
        (ENV_ROLE_SESSION_NAME, "from-env"),
        (ENV_STS_REGION, "cn-beijing"),
        (ENV_VPC_ENDPOINT_ENABLED, "TRUE"),
    ]);
    let builder = OidcRrsa::from_env(&env).unwrap().http_client(service.http());
    let source = builder.clock(ManualClock::at_unix(NOW)).build_source().unwrap();
    assert_eq!(source.endpoint(), "https://sts-vpc.cn-beijing.aliyuncs.com");
    blocking::wait(source.fetch()).unwrap();
    let request = &service.requests()[0];
    for (name, value) in [
        ("RoleArn", "acs:ram::1:role/from-env"),
        ("OIDCProviderArn", "acs:ram::1:oidc-provider/from-env"),
        ("OIDCToken", JWT),
        ("RoleSessionName", "from-env"),
    ] {
        assert_eq!(param(request, name).as_deref(), Some(value), "{name}");
    }

    // Explicit values come first, and an explicit `false` beats the variable; only the word `true` counts.
    let service = Service::new().answers(200, an_hour("STS.EXAMPLE"));
    let explicit = service.builder().vpc(false).env(&env).build_source().unwrap();
    assert_eq!(explicit.endpoint(), "https://sts.cn-beijing.aliyuncs.com");
    blocking::wait(explicit.fetch()).unwrap();
    assert_eq!(param(&service.requests()[0], "RoleArn").as_deref(), Some(ROLE));
    assert_eq!(
        param(&service.requests()[0], "OIDCProviderArn").as_deref(),
        Some(PROVIDER)
    );
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
        (ENV_OIDC_PROVIDER_ARN, "acs:ram::1:oidc-provider/from-env"),
        (ENV_OIDC_TOKEN_FILE, service.file().to_str().unwrap()),
        (ENV_STS_REGION, "cn-beijing"),
        (ENV_STS_ENDPOINT, "sts.cn-hangzhou.aliyuncs.com"),
    ]);
    let from_env = || OidcRrsa::from_env(&env).unwrap().http_client(service.http());
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
    let builder = OidcRrsa::builder().role_arn(ROLE).oidc_provider_arn(PROVIDER);
    let error = builder.oidc_token_file("/var/run/token").build().unwrap_err();
    assert!(matches!(error, CredentialsError::InvalidConfig(_)), "{error:?}");
    assert_eq!(
        error.to_string(),
        "oidc-rrsa: there is no HTTP client; pass one with http_client(..), or enable the feature `reqwest`"
    );
}

#[cfg(feature = "reqwest")]
#[test]
fn with_reqwest_no_http_client_is_needed() {
    let service = Service::new();
    let builder = OidcRrsa::builder().role_arn(ROLE).oidc_provider_arn(PROVIDER);
    let provider = builder.oidc_token_file(service.file()).build().unwrap();
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
    let new = Service::new;
    for (service, check, text) in [
        (
            new().refuses(403, "AuthenticationFail.NoPermission"),
            denied,
            "HTTP 403): AuthenticationFail.NoPermission: m, request ID R-1; name the OIDC provider in the role's \
             trust policy",
        ),
        (
            new().refuses(404, "EntityNotExist.Role"),
            denied,
            "HTTP 404): EntityNotExist.Role: m, request ID R-1; check the ARNs",
        ),
        (
            new().refuses(400, "MissingTimestamp"),
            denied,
            "HTTP 400): MissingTimestamp",
        ),
        (
            new().refuses(429, "Throttling.User"),
            unavailable,
            "HTTP 429): Throttling.User",
        ),
        (
            new().refuses(500, "InternalError"),
            unavailable,
            "HTTP 500): InternalError",
        ),
        (new().answers(403, "no"), denied, "HTTP 403); check the endpoint"),
        (
            new().answers(404, "<html>"),
            denied,
            "HTTP 404); check the endpoint",
        ),
        (
            new().answers(429, "slow down"),
            unavailable,
            "HTTP 429); check the endpoint",
        ),
        (
            new().answers(503, "busy"),
            unavailable,
            "HTTP 503); check the endpoint",
        ),
        (
            new().fails(HttpErrorKind::Timeout),
            unavailable,
            "no response from the service in time",
        ),
        (
            new().fails(HttpErrorKind::Connect),
            unavailable,
            "no connection to the service",
        ),
        (
            new().fails(HttpErrorKind::Interrupted),
            unavailable,
            "was cut off",
        ),
        (
            new().answers(200, "<html>log in</html>"),
            invalid,
            "is HTML or XML",
        ),
        (
            new().answers(200, "{"),
            invalid,
            "is not the JSON that was expected (line 1, column 1)",
        ),
        (new().answers(200, ""), invalid, "is empty"),
        (
            new().answers(200, an_hour("STS.A").replace("SecurityToken", "Token")),
            invalid,
            "has no Credentials.SecurityToken",
        ),
        (
            new().answers(200, session("STS.A", "soon")),
            invalid,
            "unreadable Credentials.Expiration",
        ),
        (
            new().answers(200, session("STS.A", "2026-01-02T03:04:05Z")),
            expired,
            "the credentials had expired when they arrived",
        ),
    ] {
        let error = fetch(service.builder()).unwrap_err();
        assert!(check(&error), "{text}: {error:?}");
        let shown = error.to_string();
        assert!(
            shown.starts_with("oidc-rrsa: ") && shown.contains(text),
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
    let timestamp = param(request, "Timestamp").unwrap();
    let response = if timestamp.starts_with("2026-01-02T03:0") {
        HttpResponse::new(200, an_hour("STS.EXAMPLE").into_bytes())
    } else {
        HttpResponse::new(400, service::refusal("InvalidTimeStamp.Expired").into_bytes())
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
        assert_eq!(service.requests().len(), 2, "sent once more");
        // To the uncorrected clock the session is over, or five hours too long.
        assert_eq!(credentials.expires_at(), Some(at(NOW + 3600)));
        assert!(provider.cached().is_some());
        clock.advance(Duration::from_secs(3600));
        assert!(provider.cached().is_none(), "expired by the service's clock");
    }
}

#[test]
fn retries_that_wait_use_the_sleep_of_the_builder() {
    #[derive(Debug)]
    struct NoWait;
    impl oss_credentials_core::Sleep for NoWait {
        fn sleep(&self, _: Duration) -> oss_credentials_core::BoxFuture<'static, ()> {
            Box::pin(std::future::ready(()))
        }
    }
    let service = Service::new()
        .answers(503, "busy")
        .answers(200, an_hour("STS.EXAMPLE"));
    fetch(service.builder().sleep(NoWait)).unwrap();
    assert_eq!(service.requests().len(), 2);
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
            Ok(credentials) => {
                assert_eq!(credentials.access_key_id(), expect["access_key_id"], "{name}");
                assert_eq!(
                    credentials.access_key_secret(),
                    expect["access_key_secret"],
                    "{name}"
                );
                assert_eq!(
                    credentials.security_token().unwrap(),
                    expect["security_token"],
                    "{name}"
                );
                let expiration = expect["expiration_unix"].as_u64().unwrap();
                assert_eq!(credentials.expires_at(), Some(at(expiration)), "{name}");
            }
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
fn debug_shows_no_policy_and_no_user() {
    let service = Service::new();
    let builder = || service.builder().policy("canary");
    let unchecked = builder().endpoint("https://canary:canary@sts.example.com");
    let shown = format!(
        "{:?} {unchecked:?} {:?} {:?}",
        builder(),
        builder().build_source(),
        builder().build()
    );
    assert!(shown.contains(ROLE) && shown.contains(PROVIDER), "{shown}");
    assert!(!shown.contains("canary"), "{shown}");
    let shown = format!("{:?}", builder());
    assert!(
        shown.starts_with("OidcRrsaBuilder") && shown.contains(ROLE),
        "{shown}"
    );
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
    check::<OidcRrsa>();
    check::<OidcRrsaBuilder>();
    check::<oss_credentials_oidc_rrsa::OidcRrsaProvider>();
}
