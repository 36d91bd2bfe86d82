//! Behaviour through the public API, against a service made of a script and a real token file.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "helpers of tests may fail the test"
)]

#[path = "provider/service.rs"]
mod service;
#[path = "provider/settings.rs"]
mod settings;
#[path = "provider/token_file.rs"]
mod token_file;

use std::time::Duration;

use oss_credentials_core::test_util::ManualClock;
use oss_credentials_core::{CredentialsError, CredentialsProvider as _, blocking};
use oss_credentials_http::{HttpError, HttpErrorKind, HttpMethod, HttpRequest, HttpResponse};
use oss_credentials_oidc_rrsa::{OidcRrsa, OidcRrsaBuilder};
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
