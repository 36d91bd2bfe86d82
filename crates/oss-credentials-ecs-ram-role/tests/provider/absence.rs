//! Nobody answers: another machine, or an outage.

use std::time::Duration;

use oss_credentials_core::test_util::{FakeEnv, ManualClock};
use oss_credentials_core::{ChainProvider, Credentials, CredentialsError, CredentialsProvider, blocking};
use oss_credentials_ecs_ram_role::{ENV_ROLE_NAME, EcsRamRole, EcsRamRoleBuilder};
use oss_credentials_http::{
    HttpError,
    HttpErrorKind::{Connect, Interrupted, Other, Request, Timeout, Tls},
    HttpRequest,
};

use crate::service::{LIST, NOW, PUT, Service, ServiceExt as _, at, fetch, fetch_once};

#[test]
fn no_connection_is_no_instance_after_one_short_probe() {
    let service = Service::new().fails(Connect);
    let error = fetch_once(service.builder()).unwrap_err();
    assert!(error.is_not_configured(), "{error:?}");
    assert_eq!(
        error.to_string(),
        format!(
            "ecs-ram-role: no metadata service responds here ({PUT}); if this is an ECS instance, let \
             requests to the service through, or require it with required(true)"
        )
    );
    assert_eq!(service.asked(), [PUT]);
}

/// A chain must not go on to another identity because the service stumbled at first contact.
#[test]
fn a_bad_answer_is_no_absence() {
    for kind in [Interrupted, Tls, Other] {
        let service = Service::new().fails(kind).fails(Connect).fails(Connect);
        let source = service.builder().build_source().unwrap();
        for asked in [vec![PUT], vec![PUT; 3]] {
            let error = fetch(&source).unwrap_err();
            assert!(
                matches!(error, CredentialsError::Unavailable(_)),
                "{kind:?}: {error:?}"
            );
            assert_eq!(service.asked(), asked, "{kind:?}");
        }
    }
    // The rest of it took too long.
    let service = Service::new().then(|_| Err(HttpError::new(Timeout, "hung").with_answer_begun()));
    let error = fetch_once(service.builder()).unwrap_err();
    assert!(matches!(error, CredentialsError::Unavailable(_)), "{error:?}");
    assert!(
        error
            .to_string()
            .starts_with("ecs-ram-role: no response from the metadata service in time (PUT "),
        "{error}"
    );
    assert_eq!(service.asked(), [PUT]);
}

/// 1 s in all, with the question that follows where a connection was made and nothing came.
#[test]
fn the_whole_probe_takes_a_second() {
    let service = Service::new().fails(Timeout).fails(Timeout);
    let error = fetch_once(service.builder()).unwrap_err();
    assert!(error.is_not_configured(), "{error:?}");
    assert_eq!(service.asked(), [PUT, LIST]);
    let requests = service.requests();
    let whole: Duration = requests.iter().map(HttpRequest::timeout).sum();
    assert!(whole <= Duration::from_secs(1), "{whole:?}");
    for request in requests {
        assert!(request.connect_timeout() < request.timeout());
    }
    // Once it has answered it has the usual time.
    let service = Service::new().token().role().keys("STS.EXAMPLE");
    fetch_once(service.builder()).unwrap();
    let times: Vec<_> = service.requests().iter().map(HttpRequest::timeout).collect();
    assert!(times[0] < Duration::from_secs(1));
    assert_eq!(times[1..], [Duration::from_secs(2); 2]);
    // Less time was asked for.
    let service = Service::new().fails(Timeout).fails(Timeout);
    fetch_once(service.builder().timeout(Duration::from_millis(200))).unwrap_err();
    for request in service.requests() {
        assert_eq!(request.timeout(), Duration::from_millis(200));
    }
}

#[test]
fn absence_is_remembered_for_30_seconds() {
    let service = Service::new()
        .fails(Connect)
        .fails(Connect)
        .fails(Connect)
        .token()
        .role();
    let service = service.keys("STS.EXAMPLE");
    let clock = ManualClock::at_unix(NOW);
    let source = service.builder().clock(clock.clone()).build_source().unwrap();
    let absent = |times: usize| {
        let error = fetch(&source).unwrap_err();
        assert!(error.is_not_configured(), "{error:?}");
        assert_eq!(service.requests().len(), times);
    };
    absent(1);
    clock.advance(Duration::from_secs(29));
    absent(1);
    clock.advance(Duration::from_secs(1));
    absent(2);
    // A clock that was set back does not make it last.
    clock.set(at(NOW));
    absent(3);
    clock.advance(Duration::from_secs(30));
    fetch(&source).unwrap();
    service.assert_done();
}

#[test]
fn an_answer_puts_an_end_to_absence() {
    let service = Service::new().fails(Connect).token().role().keys("STS.A");
    let service = service.token().role().keys("STS.B");
    let clock = ManualClock::at_unix(NOW);
    let source = service.builder().clock(clock.clone()).build_source().unwrap();
    fetch(&source).unwrap_err();
    clock.advance(Duration::from_secs(31));
    fetch(&source).unwrap();
    // Back to a time at which it would still be remembered.
    clock.set(at(NOW + 10));
    fetch(&source).unwrap();
    service.assert_done();
}

#[test]
fn off_ecs_a_chain_goes_on() {
    let service = Service::new().fails(Connect);
    let provider = service.builder().build().unwrap();
    let fallback = Credentials::builder("LTAI5tEXAMPLEKEYID", "secret")
        .build()
        .unwrap();
    let chain = ChainProvider::builder()
        .member("ecs-ram-role", Ok(provider.clone()))
        .member("static", Ok(fallback))
        .build();
    let credentials = blocking::wait(chain.credentials()).unwrap();
    assert_eq!(credentials.access_key_id(), "LTAI5tEXAMPLEKEYID");
    // The cache's own pause may be shorter; the source asks nobody all the same.
    let error = blocking::wait(provider.refresh_now()).unwrap_err();
    assert!(error.is_not_configured(), "{error:?}");
    service.assert_done();
}

#[test]
fn what_was_asked_for_and_is_not_there_is_an_outage() {
    let from_env = |service: &Service| {
        let env = FakeEnv::from([(ENV_ROLE_NAME, "example-role")]);
        EcsRamRole::from_env(&env)
            .unwrap()
            .http_client(service.clone())
            .clock(ManualClock::at_unix(NOW))
    };
    let builders: [&dyn Fn(&Service) -> EcsRamRoleBuilder; 4] = [
        &|service| service.named(),
        &|service| service.builder().endpoint("http://100.100.100.200"),
        &|service| service.builder().required(true),
        &from_env,
    ];
    for make in builders {
        let service = Service::new()
            .fails(Connect)
            .fails(Connect)
            .fails(Connect)
            .fails(Connect);
        let source = make(&service).build_source().unwrap();
        // Each fetch tries twice, and none is answered from memory.
        for _ in 0..2 {
            let error = fetch(&source).unwrap_err();
            assert!(matches!(error, CredentialsError::Unavailable(_)), "{error:?}");
        }
        assert_eq!(service.asked(), [PUT; 4]);
    }
    // The other way round.
    let service = Service::new().fails(Connect);
    let error = fetch_once(service.named().required(false)).unwrap_err();
    assert!(error.is_not_configured(), "{error:?}");
}

#[test]
fn a_host_that_has_answered_is_never_absent() {
    // Whatever it said.
    let answers: [(&str, &dyn Fn(Service) -> Service); 6] = [
        ("unavailable", &|service| service.answers(503, "")),
        ("denied", &|service| service.answers(403, "")),
        ("denied", &|service| service.token().answers(400, "")),
        // Nor does an instance without a role become none at all.
        ("not-configured", &|service| {
            service.answers(404, "").answers(404, "")
        }),
        ("not-configured", &|service| service.token().answers(404, "")),
        // Answered the second question of the probe.
        ("not-configured", &|service| {
            service.fails(Timeout).answers(404, "")
        }),
    ];
    for (kind, first) in answers {
        let service = first(Service::new());
        let clock = ManualClock::at_unix(NOW);
        let source = service.builder().clock(clock.clone()).build_source().unwrap();
        assert_eq!(fetch(&source).unwrap_err().kind(), kind);
        service.assert_done();
        // Past the life of a token, so that the first step is asked again.
        clock.advance(Duration::from_secs(21_600));
        for _ in 0..2 {
            // The script is shared with the client.
            let _ = service.clone().fails(Connect).fails(Connect);
            let error = fetch(&source).unwrap_err();
            assert!(matches!(error, CredentialsError::Unavailable(_)), "{error:?}");
            service.assert_done();
        }
    }
}

#[test]
fn a_chain_stops_when_the_service_goes_away() {
    let service = Service::new().token().role().keys("STS.EXAMPLE");
    let clock = ManualClock::at_unix(NOW);
    let provider = service.builder().clock(clock.clone()).build().unwrap();
    let fallback = Credentials::builder("LTAI5tEXAMPLEKEYID", "secret")
        .build()
        .unwrap();
    let chain = ChainProvider::builder()
        .member("ecs-ram-role", Ok(provider))
        .member("static", Ok(fallback))
        .build();
    blocking::wait(chain.credentials()).unwrap();
    clock.advance(Duration::from_secs(6 * 3600));
    let service = service.fails(Connect).fails(Connect);
    let error = blocking::wait(chain.credentials()).unwrap_err();
    assert!(!error.is_not_configured(), "{error:?}");
    service.assert_done();
}

#[test]
fn each_way_of_not_answering_has_its_text() {
    let cases = [
        (
            Connect,
            2,
            "unavailable",
            "no connection to the metadata service (PUT http://100.100.100.200/",
        ),
        (
            Interrupted,
            2,
            "unavailable",
            "the response from the metadata service was cut off (PUT",
        ),
        (
            Timeout,
            2,
            "unavailable",
            "the request for a token got no response in time (PUT",
        ),
        (
            Tls,
            1,
            "unavailable",
            "no trusted TLS connection to the metadata service (PUT",
        ),
        (
            Other,
            1,
            "unavailable",
            "the exchange with the metadata service failed (PUT",
        ),
        (Request, 1, "invalid-config", "the request could not be sent (PUT"),
    ];
    for (kind, times, variant, text) in cases {
        let service = (0..times).fold(Service::new(), |service, _| service.fails(kind));
        let error = fetch_once(service.named().allow_v1(false)).unwrap_err();
        assert_eq!(error.kind(), variant, "{kind:?}: {error:?}");
        let shown = error.to_string();
        assert!(shown.starts_with(&format!("ecs-ram-role: {text}")), "{shown}");
        service.assert_done();
        assert_eq!(
            shown.contains("HttpPutResponseHopLimit"),
            kind == Timeout,
            "{shown}"
        );
        assert!(std::error::Error::source(error.detail().unwrap()).is_some());
    }
    // A missing runtime says nothing about the host, for a probe neither.
    let service = Service::new().fails(Request);
    let error = fetch_once(service.builder()).unwrap_err();
    assert_eq!(error.kind(), "invalid-config", "{error:?}");
}

#[test]
fn what_may_pass_is_tried_twice() {
    for kind in [Connect, Interrupted, Timeout] {
        let service = Service::new().fails(kind).token().fails(kind).keys("STS.EXAMPLE");
        fetch_once(service.named()).unwrap();
        service.assert_done();
        // Cut, hung or refused for good: with the token at hand, only the last question is repeated.
        let service = Service::new().token().fails(kind).fails(kind);
        let error = fetch_once(service.named()).unwrap_err();
        assert!(matches!(error, CredentialsError::Unavailable(_)), "{error:?}");
        service.assert_done();
    }
}
