//! With a token, with another one, without.

use oss_credentials_core::CredentialsError;
use oss_credentials_http::HttpErrorKind::{Connect, Timeout};

use crate::service::{KEYS, LIST, PUT, Service, ServiceExt as _, fetch, fetch_once, with_token};

#[test]
fn a_service_without_tokens_is_asked_without() {
    for status in [400, 404, 405, 501] {
        let service = Service::new()
            .answers(status, "<html>no</html>")
            .role()
            .keys("STS.EXAMPLE");
        fetch_once(service.builder()).unwrap();
        assert_eq!(service.asked(), [PUT, LIST, KEYS], "{status}");

        let service = Service::new().answers(status, "");
        let error = fetch_once(service.builder().allow_v1(false)).unwrap_err();
        assert!(matches!(error, CredentialsError::Denied(_)), "{error:?}");
        assert_eq!(
            error.to_string(),
            format!(
                "ecs-ram-role: the metadata service issues no tokens, and requests without one are disabled \
                 ({PUT}, HTTP {status}); allow IMDSv1, or disable this provider"
            )
        );
    }
}

#[test]
fn other_answers_to_the_request_for_a_token_are_errors() {
    for (status, variant, text) in [
        (401, "denied", "the metadata service refused to issue a token"),
        (403, "denied", "the metadata service refused to issue a token"),
        (410, "denied", "the metadata service refused"),
        (
            429,
            "unavailable",
            "the metadata service could not process the request",
        ),
        (
            500,
            "unavailable",
            "the metadata service could not process the request",
        ),
        (
            503,
            "unavailable",
            "the metadata service could not process the request",
        ),
        (
            302,
            "invalid-response",
            "the response has a status that the metadata service does not use",
        ),
        (
            204,
            "invalid-response",
            "the response has a status that the metadata service does not use",
        ),
    ] {
        let service = Service::new().answers(status, "canary");
        let error = fetch_once(service.named()).unwrap_err();
        assert_eq!(error.kind(), variant, "{status}: {error:?}");
        let start = format!("ecs-ram-role: {text} ({PUT}, HTTP {status}); ");
        assert!(error.to_string().starts_with(&start), "{error}");
        service.assert_done();
    }
    for (body, text) in [
        ("", "is empty"),
        ("<html>canary</html>", "is HTML or XML"),
        ("two words", "has an unreadable token"),
    ] {
        let service = Service::new().answers(200, body);
        let error = fetch_once(service.named()).unwrap_err();
        assert!(matches!(error, CredentialsError::InvalidResponse(_)), "{error:?}");
        let start =
            format!("ecs-ram-role: the response to the request for a token {text} ({PUT}, HTTP 200); ");
        assert!(error.to_string().starts_with(&start), "{error}");
    }
}

#[test]
fn without_a_connection_nothing_else_is_asked() {
    let service = Service::new().fails(Connect).fails(Connect);
    fetch_once(service.named()).unwrap_err();
    assert_eq!(service.asked(), [PUT, PUT]);
}

/// What a container sees whose network adds a hop.
#[test]
fn a_token_that_does_not_arrive_is_gone_without() {
    let service = Service::new().fails(Timeout).role().keys("STS.EXAMPLE");
    fetch_once(service.builder()).unwrap();
    assert_eq!(service.asked(), [PUT, LIST, KEYS]);

    let service = Service::new().fails(Timeout).fails(Timeout).keys("STS.EXAMPLE");
    fetch_once(service.named()).unwrap();
    assert_eq!(service.asked(), [PUT, PUT, KEYS]);
}

#[test]
fn the_hop_limit_is_named_where_it_may_be_the_cause() {
    for status in [401, 403] {
        let service = Service::new().fails(Timeout).answers(status, "");
        let error = fetch_once(service.builder()).unwrap_err();
        assert!(matches!(error, CredentialsError::Denied(_)), "{error:?}");
        assert_eq!(
            error.to_string(),
            format!(
                "ecs-ram-role: the request for a token got no response, and the metadata service refuses requests without one ({LIST}, HTTP {status}); in a container, where the response may not arrive, raise \
                 the instance's hop limit (HttpPutResponseHopLimit) or use the host's network"
            )
        );
    }
    // Off, and the service is known to be there.
    let service = Service::new().fails(Timeout).fails(Timeout);
    let error = fetch_once(service.named().allow_v1(false)).unwrap_err();
    assert!(matches!(error, CredentialsError::Unavailable(_)), "{error:?}");
    assert!(error.to_string().contains("HttpPutResponseHopLimit"), "{error}");
    assert_eq!(service.asked(), [PUT, PUT]);
}

#[test]
fn a_kept_token_that_is_refused_is_replaced_once() {
    for status in [401, 403] {
        let service = Service::new()
            .token()
            .keys("STS.A")
            .answers(status, "")
            .answers(200, "another-token")
            .keys("STS.B")
            .keys("STS.C");
        let source = service.named().allow_v1(false).build_source().unwrap();
        for id in ["STS.A", "STS.B", "STS.C"] {
            let fetched = fetch(&source).unwrap();
            assert_eq!(fetched.credentials().access_key_id(), id);
        }
        let another = format!("{KEYS} +another token");
        assert_eq!(
            service.asked()[2..],
            [with_token(KEYS), PUT.to_owned(), another.clone(), another]
        );
    }
}

#[test]
fn a_new_token_that_is_refused_is_left_out_where_that_is_allowed() {
    for status in [401, 403] {
        let service = Service::new().token().answers(status, "").keys("STS.EXAMPLE");
        let source = service.named().build_source().unwrap();
        fetch(&source).unwrap();
        assert_eq!(
            service.asked(),
            [PUT.to_owned(), with_token(KEYS), KEYS.to_owned()]
        );
        // It is not kept.
        let service = service.token().keys("STS.EXAMPLE");
        fetch(&source).unwrap();
        assert_eq!(service.asked()[3..], [PUT.to_owned(), with_token(KEYS)]);

        let service = Service::new().token().answers(status, "");
        let error = fetch_once(service.named().allow_v1(false)).unwrap_err();
        assert!(matches!(error, CredentialsError::Denied(_)), "{error:?}");
        let start = format!(
            "ecs-ram-role: the metadata service refused a token that it had just issued ({KEYS}, HTTP {status}); "
        );
        assert!(error.to_string().starts_with(&start), "{error}");

        let service = Service::new().token().answers(status, "").answers(403, "");
        let error = fetch_once(service.named()).unwrap_err();
        assert!(matches!(error, CredentialsError::Denied(_)), "{error:?}");
        assert!(error.to_string().contains("and requests without one"), "{error}");
        service.assert_done();
    }
}

/// All that a fetch can need: a kept token that is void, a new one that is refused too, and none.
#[test]
fn the_ways_in_come_to_an_end() {
    let service = Service::new()
        .token()
        .keys("STS.A")
        .answers(403, "")
        .token()
        .answers(403, "")
        .answers(403, "");
    let source = service.named().build_source().unwrap();
    fetch(&source).unwrap();
    let error = fetch(&source).unwrap_err();
    assert!(matches!(error, CredentialsError::Denied(_)), "{error:?}");
    service.assert_done();
}

#[test]
fn a_failure_after_a_good_token_is_not_asked_again_without_it() {
    for (status, body) in [
        (404, "<html>404</html>"),
        (500, ""),
        (400, ""),
        (200, "{}"),
        (200, "boom"),
    ] {
        let service = Service::new().token().answers(status, body);
        fetch_once(service.named()).unwrap_err();
        assert_eq!(service.asked(), [PUT.to_owned(), with_token(KEYS)], "{status}");
    }
}

#[test]
fn a_service_that_refuses_everything_without_a_token_says_so() {
    let service = Service::new().answers(405, "").answers(403, "");
    let error = fetch_once(service.builder()).unwrap_err();
    assert!(matches!(error, CredentialsError::Denied(_)), "{error:?}");
    let start = format!(
        "ecs-ram-role: the metadata service issues no tokens (HTTP 405), and refuses requests without one ({LIST}, HTTP 403); "
    );
    assert!(error.to_string().starts_with(&start), "{error}");
}
