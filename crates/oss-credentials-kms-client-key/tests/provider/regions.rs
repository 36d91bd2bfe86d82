//! Which region is asked when, and for how long.

use std::collections::HashSet;
use std::future::Future;
use std::pin::pin;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use oss_credentials_core::test_util::ManualClock;
use oss_credentials_core::{Clock, CredentialsError, CredentialsSource, blocking};
use oss_credentials_http::{HttpError, HttpErrorKind, HttpResponse, http_fn};
use oss_credentials_kms_client_key::{KmsClientKeyBuilder, KmsRegion};

use crate::service::{NOW, Service, ServiceExt as _, at, pair, response};

const HANGZHOU: &str = "kms.cn-hangzhou.aliyuncs.com";
const BEIJING: &str = "kms.cn-beijing.aliyuncs.com";
const SHANGHAI: &str = "kms.cn-shanghai.aliyuncs.com";

fn three(service: &Service) -> KmsClientKeyBuilder {
    service
        .bare()
        .regions(["cn-hangzhou", "cn-beijing", "cn-shanghai"].map(KmsRegion::new))
}

#[test]
fn passing_failures_go_on_to_the_next_region_and_the_good_one_is_remembered() {
    let service = Service::new()
        .fails(HttpErrorKind::Connect)
        .answers(400, response("error-throttling.json"))
        .answers(200, pair("a"))
        .answers(200, pair("b"))
        .fails(HttpErrorKind::Timeout)
        .answers(200, pair("c"));
    let source = three(&service).build_source().unwrap();
    for _ in 0..3 {
        blocking::wait(source.fetch()).unwrap();
    }
    assert_eq!(
        service.hosts(),
        [HANGZHOU, BEIJING, SHANGHAI, SHANGHAI, SHANGHAI, HANGZHOU]
    );
    // Region, nonce and signature belong to the request, not to the fetch.
    assert_eq!(
        service.params("RegionId")[..4],
        ["cn-hangzhou", "cn-beijing", "cn-shanghai", "cn-shanghai"]
    );
    let nonces: HashSet<String> = service.params("SignatureNonce").into_iter().collect();
    assert_eq!(nonces.len(), 6);
}

#[test]
fn each_passing_failure_and_no_other_leads_to_the_next_region() {
    for (status, code) in [
        (400, "Rejected.Throttling"),
        (503, "ServiceUnavailableTemporary"),
        (500, "InternalFailure"),
        (502, "Whatever"),
    ] {
        let service = Service::new().refuses(status, code).answers(200, pair("a"));
        let source = three(&service).build_source().unwrap();
        blocking::wait(source.fetch()).unwrap();
        assert_eq!(service.hosts(), [HANGZHOU, BEIJING], "{code}");
    }
    for kind in [
        HttpErrorKind::Connect,
        HttpErrorKind::Timeout,
        HttpErrorKind::Interrupted,
        HttpErrorKind::Tls,
        HttpErrorKind::Other,
    ] {
        let service = Service::new().fails(kind).answers(200, pair("a"));
        let source = three(&service).build_source().unwrap();
        blocking::wait(source.fetch()).unwrap();
        assert_eq!(service.hosts(), [HANGZHOU, BEIJING], "{kind:?}");
    }
    for (status, code) in [
        (404, "Forbidden.ResourceNotFound"),
        (403, "Forbidden.NoPermission"),
        (403, "Forbidden.InDebt"),
        (404, "InvalidAccessKeyId.NotFound"),
        (400, "SignatureDoesNotMatch"),
        (400, "InvalidParameter"),
    ] {
        let service = Service::new().refuses(status, code);
        let source = three(&service).build_source().unwrap();
        let error = blocking::wait(source.fetch()).unwrap_err();
        assert!(matches!(error, CredentialsError::Denied(_)), "{error:?}");
        assert_eq!(service.hosts(), [HANGZHOU], "{code}");
    }
}

#[test]
fn without_a_sleep_there_is_one_pass() {
    let service = Service::new()
        .fails(HttpErrorKind::Connect)
        .fails(HttpErrorKind::Connect)
        .answers(503, response("error-service-unavailable.json"));
    let source = three(&service).build_source().unwrap();
    let error = blocking::wait(source.fetch()).unwrap_err();
    assert!(matches!(error, CredentialsError::Unavailable(_)), "{error:?}");
    assert_eq!(
        error.to_string(),
        "kms-client-key: GetSecretValue failed in all 3 regions; of the last one: KMS could not process \
         GetSecretValue (POST https://kms.cn-shanghai.aliyuncs.com, HTTP 503): ServiceUnavailableTemporary: Service \
         Unavailable Temporary, request ID 00000000-0000-4000-8000-0000000000ee; retry later"
    );
    let cause = std::error::Error::source(&error).unwrap().to_string();
    assert!(cause.contains("ServiceUnavailableTemporary"), "{cause}");
}

#[test]
fn the_last_failure_represents_all_regions_if_there_are_two_or_more() {
    let markup = "<html>canary</html>";
    for (regions, what) in [
        (&["cn-hangzhou"][..], "the response to GetSecretValue is HTML"),
        (
            &["cn-hangzhou", "cn-beijing"],
            "GetSecretValue failed in all 2 regions; of the last one: the response to GetSecretValue is HTML",
        ),
    ] {
        let service = regions
            .iter()
            .fold(Service::new(), |service, _| service.answers(200, markup));
        let source = service
            .bare()
            .regions(regions.iter().copied().map(KmsRegion::new))
            .build_source()
            .unwrap();
        let error = blocking::wait(source.fetch()).unwrap_err();
        // A response that cannot be read is none of a service that is down.
        assert!(matches!(error, CredentialsError::InvalidResponse(_)), "{error:?}");
        let text = error.to_string();
        assert!(text.starts_with(&format!("kms-client-key: {what}")), "{text}");
        assert_eq!(service.requests().len(), regions.len());
    }
}

/// Polls a fetch, letting the manual clock's sleepers wake, until it is done; returns the pauses.
fn drive<T>(clock: &ManualClock, future: impl Future<Output = T>) -> (T, Vec<Duration>) {
    let mut future = pin!(future);
    let mut context = Context::from_waker(Waker::noop());
    let mut pauses = Vec::new();
    let mut asleep = Duration::ZERO;
    loop {
        if let Poll::Ready(value) = future.as_mut().poll(&mut context) {
            pauses.extend((!asleep.is_zero()).then_some(asleep));
            return (value, pauses);
        }
        if clock.sleepers() == 0 {
            pauses.push(std::mem::take(&mut asleep));
        }
        let step = Duration::from_millis(100);
        clock.advance(step);
        asleep += step;
        assert!(asleep < Duration::from_secs(60), "it never ends");
    }
}

#[test]
fn with_a_sleep_there_are_two_more_passes_after_pauses() {
    for (fraction, expected) in [(0.0, 1_500), (0.5, 3_000), (1.0, 4_500)] {
        let service = (0..6).fold(Service::new(), |service, _| service.fails(HttpErrorKind::Connect));
        let clock = ManualClock::at_unix(NOW);
        let source = service
            .bare()
            .regions(["cn-hangzhou", "cn-beijing"].map(KmsRegion::new))
            .clock(clock.clone())
            .sleep(clock.clone())
            .random(move || fraction)
            .build_source()
            .unwrap();
        let (outcome, _) = drive(&clock, source.fetch());
        assert!(outcome.is_err());
        assert_eq!(
            service.hosts(),
            [HANGZHOU, BEIJING, HANGZHOU, BEIJING, HANGZHOU, BEIJING]
        );
        // About 1 s and 2 s, half less to half more.
        assert_eq!(
            clock.now(),
            at(NOW) + Duration::from_millis(expected),
            "{fraction}"
        );
        let timestamps = service.params("Timestamp");
        assert!(timestamps.last() > timestamps.first(), "{timestamps:?}");
    }
}

#[test]
fn a_fetch_ends_after_thirty_seconds() {
    let clock = ManualClock::at_unix(NOW);
    let seen = std::sync::Arc::new(std::sync::Mutex::new(Vec::new()));
    let (timeouts, ticking) = (std::sync::Arc::clone(&seen), clock.clone());
    // Each exchange takes as long as it may.
    let http = http_fn(move |request| {
        timeouts.lock().unwrap().push(request.timeout().as_secs());
        ticking.advance(request.timeout().min(Duration::from_secs(8)));
        std::future::ready(Err(HttpError::new(HttpErrorKind::Timeout, "made up")))
    });
    let source = three(&Service::new())
        .http_client(http)
        .clock(clock.clone())
        .sleep(clock.clone())
        .build_source()
        .unwrap();
    let (outcome, _) = drive(&clock, source.fetch());
    let error = outcome.unwrap_err();
    assert!(matches!(error, CredentialsError::Unavailable(_)), "{error:?}");
    // 8, 16, 24 s, and half a second of pause; 5.5 s are left for a fourth.
    assert_eq!(*seen.lock().unwrap(), [10, 10, 10, 5]);
    assert!(clock.now() <= at(NOW + 31));
}

/// Each exchange takes all the time that it may, and is refused with the next of these codes.
#[test]
fn what_is_asked_again_in_one_region_gets_what_is_left_of_thirty_seconds() {
    let clock = ManualClock::at_unix(NOW);
    let seen = std::sync::Arc::new(std::sync::Mutex::new(Vec::new()));
    let (timeouts, ticking) = (std::sync::Arc::clone(&seen), clock.clone());
    let http = http_fn(move |request| {
        let mut timeouts = timeouts.lock().unwrap();
        let code = ["SignatureNonceUsed", "IllegalTimestamp", "Rejected.Throttling"][timeouts.len() % 3];
        timeouts.push((
            request.connect_timeout().as_millis(),
            request.timeout().as_millis(),
        ));
        ticking.advance(request.timeout());
        let body = crate::service::refusal(code).into_bytes();
        let answer = HttpResponse::new(400, body).with_header("date", "Sun, 01 Mar 2026 09:09:10 GMT");
        std::future::ready(Ok(answer))
    });
    let source = three(&Service::new())
        .http_client(http)
        .clock(clock.clone())
        .timeout(Duration::from_secs(20))
        .build_source()
        .unwrap();
    let error = blocking::wait(source.fetch()).unwrap_err();
    assert!(error.to_string().contains("IllegalTimestamp"), "{error}");
    assert_eq!(*seen.lock().unwrap(), [(5000, 20_000), (5000, 10_000)]);
    assert_eq!(clock.now(), at(NOW + 30));
}

#[test]
fn nothing_is_asked_when_thirty_seconds_are_over() {
    let clock = ManualClock::at_unix(NOW);
    let ticking = clock.clone();
    let service = Service::new().then(move |_| {
        ticking.advance(Duration::from_secs(31));
        let body = crate::service::refusal("SignatureNonceUsed");
        Ok(HttpResponse::new(400, body.into_bytes()))
    });
    let source = three(&service).clock(clock).build_source().unwrap();
    let error = blocking::wait(source.fetch()).unwrap_err();
    assert_eq!(service.requests().len(), 1);
    assert!(error.to_string().contains("SignatureNonceUsed"), "{error}");
}
