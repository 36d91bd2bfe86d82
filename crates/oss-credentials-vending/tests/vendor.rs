//! Sessions: what is cached, what is limited, and who gets what.
#![allow(missing_docs)]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a broken set-up ends the test")]

mod service;

use std::array;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use oss_credentials_core::blocking::wait;
use oss_credentials_core::{CredentialsError, Invalidation};
use oss_credentials_vending::{SessionRequest, VendingError};

use service::Sts;

const MINUTE: Duration = Duration::from_secs(60);

#[test]
fn a_session_is_fetched_once_and_tells_its_true_expiry() {
    let sts = Sts::new();
    let vendor = sts.vendor().build();
    let request = SessionRequest::new("tenant-1").lasts_at_least(20 * MINUTE);
    let first = wait(vendor.session(&request)).unwrap();
    sts.clock().advance(30 * MINUTE);
    let second = wait(vendor.session(&request)).unwrap();
    assert_eq!(
        first.credentials().access_key_id(),
        second.credentials().access_key_id()
    );
    assert_eq!(first.expires_at(), second.expires_at());
    assert_eq!(
        (first.remaining(), second.remaining()),
        (60 * MINUTE, 30 * MINUTE)
    );
    assert_eq!(sts.calls().len(), 1);
    let metrics = vendor.metrics();
    assert_eq!(
        (
            metrics.requests,
            metrics.hits,
            metrics.sts_calls,
            metrics.sessions
        ),
        (2, 1, 1, 1)
    );
}

#[test]
fn a_session_with_too_little_time_left_is_replaced() {
    let sts = Sts::new();
    let vendor = sts.vendor().build();
    let request = SessionRequest::new("tenant-1");
    wait(vendor.session(&request)).unwrap();
    sts.clock().advance(30 * MINUTE);
    let long = request.clone().lasts_at_least(31 * MINUTE);
    let session = wait(vendor.session(&long)).unwrap();
    assert_eq!(session.remaining(), 60 * MINUTE);
    // The same session for whoever needs less.
    let same = wait(vendor.session(&request)).unwrap();
    assert_eq!(
        same.credentials().access_key_id(),
        session.credentials().access_key_id()
    );
    assert_eq!(sts.calls().len(), 2);
}

#[test]
fn more_time_than_a_session_has_is_refused() {
    let sts = Sts::new();
    let vendor = sts.vendor().build();
    let request = SessionRequest::new("tenant-1")
        .duration(15 * MINUTE)
        .lasts_at_least(15 * MINUTE);
    let Err(VendingError::NeverLongEnough { duration, wanted }) = wait(vendor.session(&request)) else {
        panic!("such a session cannot exist");
    };
    assert_eq!((duration, wanted), (15 * MINUTE, 15 * MINUTE));
    assert!(sts.calls().is_empty());
    // The role allows less than was asked for, and STS says so by what it issues.
    sts.lifetime(10 * MINUTE);
    let request = SessionRequest::new("tenant-1").lasts_at_least(20 * MINUTE);
    let Err(VendingError::TooShort { remaining, .. }) = wait(vendor.session(&request)) else {
        panic!("the session is too short");
    };
    assert_eq!(remaining, 10 * MINUTE);
    // A second call would have brought no longer one.
    assert_eq!(sts.calls().len(), 1);
}

#[test]
fn each_difference_is_a_session_of_its_own() {
    let sts = Sts::new();
    let vendor = sts.vendor().build();
    let plain = || SessionRequest::new("session-1");
    let requests = [
        plain(),
        plain().tenant("other"),
        plain().role_arn("acs:ram::123456789012:role/other"),
        SessionRequest::new("session-2"),
        plain().policy(r#"{"Version":"1","Statement":[]}"#),
        plain().duration(20 * MINUTE),
        plain().external_id("external-1"),
        plain().source_identity("alice"),
    ];
    for request in &requests {
        wait(vendor.session(request)).unwrap();
        wait(vendor.session(request)).unwrap();
    }
    let calls = sts.calls();
    assert_eq!(calls.len(), requests.len());
    let has = |name: &str, value: &str| {
        let found = calls
            .iter()
            .filter(|call| call.get(name).is_some_and(|text| text == value));
        found.count()
    };
    assert_eq!(has("RoleArn", "acs:ram::123456789012:role/other"), 1);
    assert_eq!(has("RoleSessionName", "session-2"), 1);
    assert_eq!(has("Policy", r#"{"Version":"1","Statement":[]}"#), 1);
    assert_eq!(has("DurationSeconds", "1200"), 1);
    assert_eq!(has("ExternalId", "external-1"), 1);
    assert_eq!(has("SourceIdentity", "alice"), 1);
}

#[test]
fn a_malformed_request_is_refused_and_takes_no_room() {
    let sts = Sts::new();
    let vendor = sts.vendor().build();
    let error = wait(vendor.session(&SessionRequest::new("x"))).unwrap_err();
    assert!(!error.is_retryable());
    assert!(matches!(
        error,
        VendingError::Credentials(CredentialsError::InvalidConfig(_))
    ));
    let empty = SessionRequest::new("tenant-1").policy("");
    assert!(wait(vendor.session(&empty)).is_err());
    assert_eq!((vendor.metrics().sessions, sts.calls().len()), (0, 0));
}

#[test]
fn the_least_recently_used_session_makes_room() {
    let sts = Sts::new();
    let vendor = sts.vendor().capacity(2).build();
    let ask = |name: &str| wait(vendor.session(&SessionRequest::new(name))).unwrap();
    ask("tenant-1");
    ask("tenant-2");
    ask("tenant-1");
    ask("tenant-3");
    ask("tenant-1");
    assert_eq!(sts.calls().len(), 3);
    ask("tenant-2");
    assert_eq!(sts.calls().len(), 4);
    let metrics = vendor.metrics();
    assert_eq!((metrics.evictions, metrics.sessions), (2, 2));
}

#[test]
fn a_tenant_takes_no_room_from_others() {
    let sts = Sts::new();
    let vendor = sts.vendor().capacity(4).sessions_per_tenant(2).build();
    let ask = |tenant: &str, name: &str| {
        wait(vendor.session(&SessionRequest::new(name).tenant(tenant))).unwrap();
    };
    ask("quiet", "session-0");
    for number in 1..10 {
        ask("loud", &format!("session-{number}"));
    }
    assert_eq!((sts.calls().len(), vendor.metrics().sessions), (10, 3));
    ask("quiet", "session-0");
    ask("loud", "session-9");
    assert_eq!(sts.calls().len(), 10);
}

#[test]
fn calls_wait_for_their_turn_and_fail_when_it_is_too_far_away() {
    let sts = Sts::new();
    let vendor = sts
        .vendor()
        .calls_per_second(2)
        .max_wait(Duration::from_secs(1))
        .build();
    let ask = |number: u32| wait(vendor.session(&SessionRequest::new(format!("tenant-{number}"))));
    // Without anything to wait with, what would have to wait fails.
    ask(1).unwrap();
    ask(2).unwrap();
    let error = ask(3).unwrap_err();
    assert!(error.is_retryable());
    let text = error.to_string();
    assert!(
        text.starts_with("vending: the limits on calls would make this one wait for 500 ms"),
        "{text}"
    );
    assert_eq!((sts.calls().len(), vendor.metrics().limited), (2, 1));
    // Calls that are refused take nobody's turn.
    for number in 4..20 {
        ask(number).unwrap_err();
    }
    sts.clock().advance(Duration::from_millis(500));
    ask(20).unwrap();
}

#[test]
fn a_tenants_own_limit_does_not_touch_others() {
    let sts = Sts::new();
    let vendor = sts.vendor().calls_per_tenant(1, MINUTE).build();
    let ask = |tenant: &str, name: &str| wait(vendor.session(&SessionRequest::new(name).tenant(tenant)));
    ask("loud", "session-1").unwrap();
    ask("loud", "session-2").unwrap_err();
    ask("quiet", "session-1").unwrap();
    // What is cached costs no call.
    ask("loud", "session-1").unwrap();
}

/// By its code, whatever the status; and by the status, whatever sent it: a gateway in front of STS knows no codes.
#[test]
fn a_throttled_call_makes_all_pause() {
    for refusal in [
        (
            400,
            r#"{"Code": "Throttling", "Message": "m", "RequestId": "R-1"}"#,
        ),
        (
            400,
            r#"{"Code": "Throttling.User", "Message": "m", "RequestId": "R-1"}"#,
        ),
        (
            429,
            r#"{"Code": "TooManyRequests", "Message": "m", "RequestId": "R-1"}"#,
        ),
        (429, "<html>Too Many Requests</html>"),
        (429, ""),
    ] {
        let sts = Sts::new();
        let vendor = sts.vendor().build();
        let ask = |number: u32| wait(vendor.session(&SessionRequest::new(format!("tenant-{number}"))));
        sts.refuse(Some(refusal));
        ask(1).unwrap_err();
        let calls = sts.calls().len();
        sts.refuse(None);
        ask(2).unwrap_err();
        assert_eq!(sts.calls().len(), calls, "{refusal:?}");
        let metrics = vendor.metrics();
        assert_eq!((metrics.throttled, metrics.failures, metrics.limited), (1, 1, 1));
        sts.clock().advance(Duration::from_secs(2));
        ask(2).unwrap();
    }
}

/// Polls a call once.
fn poll<T>(call: &mut Pin<Box<impl Future<Output = Result<T, VendingError>>>>) -> Poll<Result<(), String>> {
    let mut cx = Context::from_waker(Waker::noop());
    let polled = call.as_mut().poll(&mut cx);
    polled.map(|outcome| outcome.map(drop).map_err(|error| error.to_string()))
}

#[test]
fn callers_who_want_one_session_at_once_share_a_call() {
    let sts = Sts::new();
    let vendor = sts.vendor().calls_per_second(1).sleep(sts.clock().clone());
    let vendor = vendor.build();
    wait(vendor.session(&SessionRequest::new("tenant-0"))).unwrap();
    let call = |minutes: u32| {
        let request = SessionRequest::new("tenant-1").lasts_at_least(minutes * MINUTE);
        let vendor = vendor.clone();
        Box::pin(async move { vendor.session(&request).await })
    };
    let mut calls: [_; 50] = array::from_fn(|at| call(u32::try_from(at).unwrap()));
    assert!(calls.iter_mut().all(|call| poll(call).is_pending()));
    // The one that began gives up.
    let mut rest = Vec::from(calls);
    drop(rest.remove(0));
    sts.clock().advance(Duration::from_secs(1));
    assert!(rest.iter_mut().all(|call| poll(call) == Poll::Ready(Ok(()))));
    assert_eq!(sts.calls().len(), 2);
}

/// Those that wait for their turn neither begin in the pause nor all together at its end.
#[test]
fn a_throttled_call_delays_the_calls_that_wait() {
    const HALF: Duration = Duration::from_millis(500);
    let sts = Sts::new();
    let vendor = sts.vendor().calls_per_second(2).sleep(sts.clock().clone());
    let vendor = vendor.build();
    let call = |number: u32| {
        let (vendor, request) = (vendor.clone(), SessionRequest::new(format!("tenant-{number}")));
        Box::pin(async move { vendor.session(&request).await })
    };
    let [mut one, mut two, mut three, mut four, mut five] = [1, 2, 3, 4, 5].map(call);
    assert!(poll(&mut one).is_ready() && poll(&mut two).is_ready());
    assert!(poll(&mut three).is_pending() && poll(&mut four).is_pending() && poll(&mut five).is_pending());
    // The third has its turn, and is throttled.
    sts.clock().advance(HALF);
    sts.refuse(Some((
        400,
        r#"{"Code": "Throttling", "Message": "m", "RequestId": "R-1"}"#,
    )));
    assert!(matches!(poll(&mut three), Poll::Ready(Err(_))));
    sts.refuse(None);
    let before = sts.calls().len();
    // The pause takes 1 s. The turn of the fourth would come within it, and that of the fifth at its end.
    for (is_done, calls) in [(false, 0), (false, 0), (true, 1)] {
        sts.clock().advance(HALF);
        assert_eq!(poll(&mut four).is_ready(), is_done);
        assert!(poll(&mut five).is_pending());
        assert_eq!(sts.calls().len(), before + calls);
    }
    sts.clock().advance(HALF);
    assert_eq!(poll(&mut five), Poll::Ready(Ok(())));
}

/// A pause that is over when the tenant's own turn comes.
#[test]
fn a_pause_does_not_delay_a_tenants_own_turn() {
    let sts = Sts::new();
    let vendor = sts.vendor().calls_per_tenant(1, Duration::from_secs(4));
    let vendor = vendor
        .max_wait(Duration::from_millis(4500))
        .sleep(sts.clock().clone());
    let vendor = vendor.build();
    let call = |tenant: &str, name: &str| {
        let (vendor, request) = (vendor.clone(), SessionRequest::new(name).tenant(tenant));
        Box::pin(async move { vendor.session(&request).await })
    };
    assert!(poll(&mut call("a", "session-1")).is_ready());
    let mut late = call("a", "session-2");
    assert!(poll(&mut late).is_pending());
    sts.refuse(Some((429, "")));
    assert!(matches!(poll(&mut call("b", "session-1")), Poll::Ready(Err(_))));
    sts.refuse(None);
    sts.clock().advance(Duration::from_secs(2));
    assert_eq!(poll(&mut call("c", "session-1")), Poll::Ready(Ok(())));
    sts.clock().advance(Duration::from_secs(2));
    assert_eq!(poll(&mut late), Poll::Ready(Ok(())));
}

#[test]
fn a_pause_beyond_the_longest_wait_fails_the_calls_that_wait() {
    let sts = Sts::new();
    let vendor = sts.vendor().calls_per_second(1).sleep(sts.clock().clone());
    let vendor = vendor.max_wait(Duration::from_secs(2)).build();
    let call = |number: u32| {
        let (vendor, request) = (vendor.clone(), SessionRequest::new(format!("tenant-{number}")));
        Box::pin(async move { vendor.session(&request).await })
    };
    let [mut one, mut two, mut three] = [1, 2, 3].map(call);
    assert!(poll(&mut one).is_ready());
    assert!(poll(&mut two).is_pending() && poll(&mut three).is_pending());
    sts.refuse(Some((429, "")));
    sts.clock().advance(Duration::from_secs(1));
    assert!(matches!(poll(&mut two), Poll::Ready(Err(_))));
    let before = sts.calls().len();
    sts.clock().advance(Duration::from_secs(1));
    let Poll::Ready(Err(error)) = poll(&mut three) else {
        panic!("it has waited for as long as it may");
    };
    assert!(error.contains("would make this one wait for 1000 ms"), "{error}");
    assert_eq!(sts.calls().len(), before);
}

#[test]
fn a_refusal_for_another_reason_makes_nobody_pause() {
    let sts = Sts::new();
    let vendor = sts.vendor().build();
    let ask = |number: u32| wait(vendor.session(&SessionRequest::new(format!("tenant-{number}"))));
    sts.refuse(Some((
        403,
        r#"{"Code": "NoPermission.Throttling", "Message": "m", "RequestId": "R-1"}"#,
    )));
    ask(1).unwrap_err();
    sts.refuse(None);
    ask(2).unwrap();
    assert_eq!((vendor.metrics().throttled, vendor.metrics().failures), (0, 1));
}

#[test]
fn a_rejected_session_is_replaced() {
    let sts = Sts::new();
    let vendor = sts.vendor().build();
    let request = SessionRequest::new("tenant-1");
    let first = wait(vendor.session(&request)).unwrap();
    assert_eq!(vendor.invalidate(&request, &first), Invalidation::Dropped);
    assert_eq!(vendor.invalidate(&request, &first), Invalidation::AlreadyReplaced);
    let second = wait(vendor.session(&request)).unwrap();
    assert_ne!(
        first.credentials().access_key_id(),
        second.credentials().access_key_id()
    );
}

#[test]
fn the_json_is_what_the_vendors_sdks_read() {
    let sts = Sts::new();
    let session = wait(sts.vendor().build().session(&SessionRequest::new("tenant-1"))).unwrap();
    let json: serde_json::Value = serde_json::from_str(&session.to_json()).unwrap();
    assert_eq!(json["AccessKeyId"], "STS.tenant-1.1");
    assert_eq!(json["AccessKeySecret"], "secret-of-STS.tenant-1.1");
    assert_eq!(json["SecurityToken"], "token-of-STS.tenant-1.1");
    assert_eq!(json["Expiration"], "2026-01-02T04:04:05Z");
    assert_eq!(json["StatusCode"], 200);
    let shown = format!("{session:?} {:?}", sts.vendor().build());
    assert!(
        !shown.contains("secret-of") && !shown.contains("token-of"),
        "{shown}"
    );
}

#[test]
fn ten_thousand_tenants_on_two_roles_cost_one_call_each() {
    let sts = Sts::new();
    let vendor = sts.vendor().capacity(10_001).calls_per_second(u32::MAX).build();
    let request = |number: usize| {
        let role = format!("acs:ram::123456789012:role/role-{}", number % 2);
        SessionRequest::new(format!("tenant-{number}")).role_arn(role)
    };
    for round in 0..100_000_usize {
        // Each tenant's requests are spread over all of the rounds.
        let number = round.wrapping_mul(7_919) % 10_000;
        let session = wait(vendor.session(&request(number))).unwrap();
        let id = session.credentials().access_key_id();
        assert_eq!(id, format!("STS.tenant-{number}.1"));
    }
    assert_eq!(sts.calls().len(), 10_000);
    assert_eq!(vendor.metrics().hits, 90_000);
    // The next lifetime: one further call each.
    sts.clock().advance(61 * MINUTE);
    for number in (0..10_000).chain(0..10_000) {
        let session = wait(vendor.session(&request(number))).unwrap();
        assert_eq!(
            session.credentials().access_key_id(),
            format!("STS.tenant-{number}.2")
        );
    }
    assert_eq!(sts.calls().len(), 20_000);
}
