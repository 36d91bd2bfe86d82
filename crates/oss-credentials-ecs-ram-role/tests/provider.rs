//! Behaviour through the public API, against a metadata service made of a script.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "helpers of tests may fail the test"
)]

#[path = "provider/absence.rs"]
mod absence;
#[path = "provider/answers.rs"]
mod answers;
#[path = "provider/fallback.rs"]
mod fallback;
#[cfg(feature = "reqwest")]
#[path = "provider/loopback.rs"]
mod loopback;
#[path = "provider/service.rs"]
mod service;

use std::time::Duration;

use oss_credentials_core::test_util::{FakeEnv, ManualClock, PanickingEnv};
use oss_credentials_core::{CredentialsError, CredentialsProvider, CredentialsSource, blocking};
use oss_credentials_ecs_ram_role::{ENV_DISABLED, ENV_ENDPOINT, ENV_ROLE_NAME, ENV_V1_DISABLED, EcsRamRole};
use oss_credentials_http::HttpResponse;
use service::{KEYS, LIST, NOW, PUT, Service, ServiceExt as _, at, fetch, fetch_once, with_token};

#[test]
fn success_with_a_role_that_is_discovered() {
    let service = Service::new().token().role().keys("STS.EXAMPLE");
    let provider = service.builder().build().unwrap();
    assert_eq!(provider.name(), "ecs-ram-role");
    assert!(provider.cached().is_none() && service.requests().is_empty());
    let credentials = blocking::wait(provider.credentials()).unwrap();
    assert_eq!(credentials.access_key_id(), "STS.EXAMPLE");
    assert_eq!(credentials.access_key_secret(), "canary-secret");
    assert_eq!(credentials.security_token(), Some("canary-token"));
    assert_eq!(credentials.expires_at(), Some(at(NOW + 6 * 3600)));
    assert_eq!(credentials.source(), "ecs-ram-role");

    // A second call is answered from the cache: the script has no more steps.
    blocking::wait(provider.credentials()).unwrap();
    assert_eq!(
        service.asked(),
        [PUT.to_owned(), with_token(LIST), with_token(KEYS)]
    );
    let put = &service.requests()[0];
    assert_eq!(
        put.header("X-aliyun-ecs-metadata-token-ttl-seconds"),
        Some("21600")
    );
    assert_eq!(put.header("Content-Length"), Some("0"));
    assert!(put.body().is_empty());
}

#[test]
fn a_role_that_is_named_is_not_asked_for() {
    let service = Service::new().token().keys("STS.EXAMPLE");
    let fetched = fetch_once(service.named()).unwrap();
    assert_eq!(fetched.credentials().access_key_id(), "STS.EXAMPLE");
    assert_eq!(service.asked(), [PUT.to_owned(), with_token(KEYS)]);
}

#[test]
fn a_fetch_says_when_the_next_is_due_and_how_the_clocks_differ() {
    let dated = |date: &'static str| {
        Service::new().token().then(move |_| {
            let body = service::six_hours("STS.EXAMPLE").into_bytes();
            Ok(HttpResponse::new(200, body).with_header("Date", date))
        })
    };
    let service = dated("Fri, 02 Jan 2026 03:14:05 GMT");
    let fetched = fetch_once(service.named()).unwrap();
    assert_eq!(fetched.refresh_after(), Some(Duration::from_secs(3600)));
    assert_eq!(fetched.clock_offset().unwrap().as_secs(), 600);

    // Six hours ahead: the keys end now, by the service's clock.
    let service = dated("Fri, 02 Jan 2026 09:04:05 GMT");
    let error = fetch_once(service.named()).unwrap_err();
    assert!(matches!(error, CredentialsError::Expired(_)), "{error:?}");

    // A local clock that is a year ahead does not make them expired.
    let service = dated("Fri, 02 Jan 2026 03:04:05 GMT");
    let late = ManualClock::at_unix(NOW + 365 * 86_400);
    let provider = service.named().clock(late).build().unwrap();
    blocking::wait(provider.credentials()).unwrap();

    let service = Service::new().token().keys("STS.EXAMPLE");
    let fetched = fetch_once(service.named()).unwrap();
    assert_eq!(fetched.clock_offset(), None);
}

#[test]
fn the_cache_asks_again_after_an_hour() {
    let service = Service::new().token().keys("STS.A").keys("STS.B");
    let clock = ManualClock::at_unix(NOW);
    let provider = service.named().clock(clock.clone()).build().unwrap();
    let id = || {
        let credentials = blocking::wait(provider.credentials()).unwrap();
        credentials.access_key_id().to_owned()
    };
    assert_eq!(id(), "STS.A");
    clock.advance(Duration::from_secs(3599));
    assert_eq!(id(), "STS.A");
    clock.advance(Duration::from_secs(1));
    assert_eq!(id(), "STS.B");
    service.assert_done();
}

#[test]
fn a_token_is_kept_for_its_life_and_not_longer() {
    let service = Service::new()
        .token()
        .keys("STS.A")
        .keys("STS.B")
        .answers(200, "another-token")
        .keys("STS.C")
        .token()
        .keys("STS.D");
    let clock = ManualClock::at_unix(NOW);
    let source = service.named().clock(clock.clone()).build_source().unwrap();
    fetch(&source).unwrap();
    // 21,600 s, less a minute.
    clock.advance(Duration::from_secs(21_539));
    // A clone shares it. These keys are old by now, which is not the point here.
    fetch(&source.clone()).unwrap();
    clock.advance(Duration::from_secs(1));
    fetch(&source).unwrap();
    // Nothing is known about the age of a token after the clock was set back.
    clock.set(at(NOW));
    fetch(&source).unwrap();
    assert_eq!(
        service.asked(),
        [
            PUT.to_owned(),
            with_token(KEYS),
            with_token(KEYS),
            PUT.to_owned(),
            format!("{KEYS} +another token"),
            PUT.to_owned(),
            with_token(KEYS),
        ]
    );
}

/// The service counts from when it issued the token, which may be long before the answer arrived.
#[test]
fn a_tokens_life_begins_when_it_is_asked_for() {
    let clock = ManualClock::at_unix(NOW);
    let late = clock.clone();
    let service = Service::new().then(move |_| {
        late.advance(Duration::from_secs(10));
        Ok(HttpResponse::new(200, service::TOKEN.as_bytes().to_vec()))
    });
    let service = service.keys("STS.A").token().keys("STS.B");
    let source = service.named().clock(clock.clone()).build_source().unwrap();
    fetch(&source).unwrap();
    clock.set(at(NOW + 21_540));
    fetch(&source).unwrap();
    service.assert_done();
}

#[test]
fn the_role_is_discovered_anew_at_each_fetch() {
    let service = Service::new()
        .token()
        .role()
        .keys("STS.A")
        .answers(200, "another-role")
        .keys("STS.B");
    let source = service.builder().build_source().unwrap();
    fetch(&source).unwrap();
    fetch(&source).unwrap();
    assert_eq!(
        service.asked()[3..],
        [
            with_token(LIST),
            with_token(&KEYS.replace("example-role", "another-role"))
        ]
    );
}

#[test]
fn a_role_name_is_one_segment_of_the_path() {
    for (name, segment) in [
        ("a/../b?c#d%2f", "a%2F..%2Fb%3Fc%23d%252f"),
        ("a b", "a%20b"),
        ("r\u{f6}le", "r%C3%B6le"),
        ("A-z0.9_~", "A-z0.9_~"),
    ] {
        let service = Service::new().token().keys("STS.EXAMPLE");
        fetch_once(service.builder().role_name(name)).unwrap();
        assert_eq!(service.asked()[1], with_token(&format!("{LIST}{segment}")));
    }
    for (name, word) in [
        ("", "is empty"),
        ("role\n", "begins or ends with white space"),
        (" role", "begins or ends with white space"),
        ("ro\nle", "contains a control character"),
        ("..", "is a relative path"),
        (".", "is a relative path"),
    ] {
        let error = Service::new().builder().role_name(name).build().unwrap_err();
        assert!(matches!(error, CredentialsError::InvalidConfig(_)), "{error:?}");
        assert_eq!(
            error.to_string(),
            format!(
                "ecs-ram-role: the role name {word}; correct role_name(..) or ALIBABA_CLOUD_ECS_METADATA, or \
                 leave it out to have the role found"
            )
        );
    }
}

#[test]
fn the_environment_fills_in_what_is_not_set() {
    let env = FakeEnv::from([(ENV_ROLE_NAME, "example-role"), (ENV_V1_DISABLED, "TRUE")]);
    let service = Service::new().answers(404, "");
    let source = EcsRamRole::from_env(&env).unwrap().http_client(service.clone());
    let source = source.clock(ManualClock::at_unix(NOW)).build_source().unwrap();
    assert_eq!(source.role_name(), Some("example-role"));
    assert_eq!(source.endpoint(), "http://100.100.100.200");
    // Tokens are not known here, and nothing else is allowed.
    let error = fetch(&source).unwrap_err();
    assert!(matches!(error, CredentialsError::Denied(_)), "{error:?}");
    service.assert_done();

    // Explicit values win; only the word `true` counts; empty is unset.
    let service = Service::new().answers(404, "").keys("STS.EXAMPLE");
    fetch_once(service.named().allow_v1(true).env(&env)).unwrap();
    env.set(ENV_V1_DISABLED, "1");
    env.set(ENV_DISABLED, "yes");
    env.set(ENV_ROLE_NAME, "");
    let service = Service::new().answers(404, "").role().keys("STS.EXAMPLE");
    fetch_once(service.builder().env(&env)).unwrap();
    service.assert_done();
}

#[test]
fn turned_off_is_not_configured() {
    let env = FakeEnv::from([(ENV_DISABLED, "True"), (ENV_ROLE_NAME, "example-role")]);
    let service = Service::new();
    for error in [
        EcsRamRole::from_env(&env).unwrap_err(),
        service.named().env(&env).build().unwrap_err(),
        service.named().disabled(true).build().unwrap_err(),
    ] {
        assert!(error.is_not_configured(), "{error:?}");
        assert_eq!(
            error.to_string(),
            "ecs-ram-role: instance metadata is disabled; unset ALIBABA_CLOUD_ECS_METADATA_DISABLED, or \
             remove disabled(true)"
        );
    }
    // Said explicitly, the variable does not count.
    service.named().disabled(false).env(&env).build().unwrap();
}

#[test]
fn only_from_env_takes_the_endpoint_of_a_variable() {
    let service = Service::new();
    let env = FakeEnv::from([(ENV_ENDPOINT, "http://127.0.0.1:8080")]);
    let from_env = || EcsRamRole::from_env(&env).unwrap().http_client(service.clone());
    assert_eq!(
        from_env().build_source().unwrap().endpoint(),
        "http://127.0.0.1:8080"
    );
    let explicit = from_env().endpoint("http://10.0.0.1").build_source().unwrap();
    assert_eq!(explicit.endpoint(), "http://10.0.0.1");
    let builder = || EcsRamRole::builder().env(&env).http_client(service.clone());
    assert_eq!(
        builder().build_source().unwrap().endpoint(),
        "http://100.100.100.200"
    );
    for refused in [
        "http://canary.example.com",
        "http://100.100.100.200",
        "https://metadata.aliyuncs.com",
        "http://127.0.0.1@canary.example.com",
        "127.0.0.1:8080",
        "canary",
    ] {
        env.set(ENV_ENDPOINT, refused);
        let error = from_env().build_source().unwrap_err();
        assert!(matches!(error, CredentialsError::InvalidConfig(_)), "{error}");
        assert_eq!(
            error.to_string(),
            "ecs-ram-role: the metadata endpoint of a variable is not on loopback \
             (ALIBABA_CLOUD_ECS_METADATA_SERVICE_ENDPOINT); write ALIBABA_CLOUD_ECS_METADATA_SERVICE_ENDPOINT as \
             http://127.0.0.1:port, or unset it; only endpoint(..) in code may name another host"
        );
        assert!(builder().build_source().is_ok());
    }
}

#[test]
fn explicit_configuration_never_reads_the_environment() {
    let service = Service::new().token().keys("STS.EXAMPLE");
    let full = service.named().disabled(false).allow_v1(false).env(&PanickingEnv);
    fetch_once(full).unwrap();
}

#[test]
fn an_endpoint_of_ones_own() {
    let service = Service::new().token().keys("STS.EXAMPLE");
    let source = service
        .named()
        .endpoint("http://127.0.0.1:8080/ecs/")
        .build_source()
        .unwrap();
    assert_eq!(source.endpoint(), "http://127.0.0.1:8080/ecs");
    fetch(&source).unwrap();
    assert_eq!(
        service.asked(),
        [
            "PUT http://127.0.0.1:8080/ecs/latest/api/token".to_owned(),
            with_token(
                "GET http://127.0.0.1:8080/ecs/latest/meta-data/ram/security-credentials/example-role"
            ),
        ]
    );
    for (endpoint, word) in [
        ("", "the URL has no scheme"),
        ("127.0.0.1", "the URL has no scheme"),
        ("ftp://127.0.0.1", "scheme that is not supported"),
        ("http://canary@127.0.0.1", "a user or a query"),
        ("http://127.0.0.1/?canary", "a user or a query"),
    ] {
        let error = service.builder().endpoint(endpoint).build().unwrap_err();
        assert!(matches!(error, CredentialsError::InvalidConfig(_)), "{error:?}");
        let text = error.to_string();
        assert!(
            text.starts_with("ecs-ram-role: the endpoint ") && text.contains(word),
            "{text}"
        );
        assert!(!format!("{text} {error:?}").contains("canary"), "{text}");
    }
}

#[test]
fn time_outs_are_passed_on_and_connecting_takes_the_smaller_part() {
    for (connect, whole, expected_connect) in [(1000, 2000, 1000), (2000, 2000, 1500), (100, 400, 100)] {
        let service = Service::new().token().keys("STS.EXAMPLE");
        let builder = service
            .named()
            .connect_timeout(Duration::from_millis(connect))
            .timeout(Duration::from_millis(whole));
        fetch_once(builder).unwrap();
        for request in service.requests() {
            assert_eq!(request.connect_timeout(), Duration::from_millis(expected_connect));
            assert_eq!(request.timeout(), Duration::from_millis(whole));
        }
    }
    // Defaults.
    let service = Service::new().token().keys("STS.EXAMPLE");
    fetch_once(service.named()).unwrap();
    let request = &service.requests()[0];
    assert_eq!(request.connect_timeout(), Duration::from_secs(1));
    assert_eq!(request.timeout(), Duration::from_secs(2));
}

#[cfg(not(feature = "reqwest"))]
#[test]
fn without_an_http_client_it_says_so() {
    let error = EcsRamRole::builder().build().unwrap_err();
    assert!(matches!(error, CredentialsError::InvalidConfig(_)), "{error:?}");
    assert_eq!(
        error.to_string(),
        "ecs-ram-role: there is no HTTP client; pass one with http_client(..), or enable the feature `reqwest`"
    );
}

#[cfg(feature = "reqwest")]
#[test]
fn outside_of_a_runtime_it_says_so() {
    let provider = EcsRamRole::builder().build().unwrap();
    // That is no sign of a missing metadata service: a chain must not go on.
    let error = blocking::wait(provider.credentials()).unwrap_err();
    assert!(matches!(error, CredentialsError::InvalidConfig(_)), "{error:?}");
    let shown = error.to_string();
    assert!(shown.contains("the request could not be sent"), "{shown}");
    assert!(
        shown.ends_with(
            "; no tokio runtime is running here; await the provider inside one, or pass it \
             `http_client(ReqwestClient::with_own_runtime())`"
        ),
        "{shown}"
    );
}

#[test]
fn the_source_can_be_shared_between_threads() {
    fn check<T: Send + Sync + Unpin + Clone>() {}
    check::<oss_credentials_ecs_ram_role::EcsRamRoleProvider>();
    let source = Service::new().named().build_source().unwrap();
    assert_eq!(source.name(), "ecs-ram-role");
}
