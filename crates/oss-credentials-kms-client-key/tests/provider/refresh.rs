//! Source and cache together: rotation, failures, rejected pairs.

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use oss_credentials_core::test_util::ManualClock;
use oss_credentials_core::{CredentialsProvider, blocking};
use oss_credentials_http::{HttpError, HttpErrorKind, HttpResponse, http_fn};

use crate::service::{NOW, Service, ServiceExt as _, at, pair};

#[test]
fn a_rotated_pair_is_fetched_after_an_hour() {
    let service = Service::new()
        .answers_with("ram-secret.json")
        .answers_with("ram-secret-after-rotation.json");
    let clock = ManualClock::at_unix(NOW);
    let provider = service.builder().clock(clock.clone()).build().unwrap();
    let id = || {
        blocking::wait(provider.credentials())
            .unwrap()
            .access_key_id()
            .to_owned()
    };
    assert_eq!(id(), "LTAI-example-current-00");
    assert_eq!(provider.status().next_attempt(), Some(at(NOW + 3600)));
    clock.advance(Duration::from_secs(3599));
    assert_eq!(id(), "LTAI-example-current-00");
    clock.advance(Duration::from_secs(1));
    assert_eq!(id(), "LTAI-example-rotated-01");
}

#[test]
fn a_rejected_pair_is_replaced_at_once_and_a_flood_of_rejections_is_held_back() {
    let calls = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&calls);
    let http = http_fn(move |_| {
        let id = format!("id-{}", count.fetch_add(1, Ordering::Relaxed));
        std::future::ready(Ok(HttpResponse::new(200, pair(&id).into_bytes())))
    });
    let clock = ManualClock::at_unix(NOW);
    let provider = Service::new()
        .builder()
        .http_client(http)
        .clock(clock.clone())
        .build()
        .unwrap();
    let mut credentials = blocking::wait(provider.credentials()).unwrap();
    for round in 1..=5 {
        provider.invalidate(&credentials);
        let renewed = blocking::wait(provider.credentials()).unwrap();
        assert!(!renewed.same_key_as(&credentials));
        // Rejecting the old one again does nothing.
        provider.invalidate(&credentials);
        credentials = renewed;
        assert_eq!(calls.load(Ordering::Relaxed), round + 1);
    }
    for _ in 0..10 {
        provider.invalidate(&credentials);
        credentials = blocking::wait(provider.credentials()).unwrap();
    }
    assert_eq!(calls.load(Ordering::Relaxed), 6);
    clock.advance(Duration::from_secs(599));
    provider.invalidate(&credentials);
    credentials = blocking::wait(provider.credentials()).unwrap();
    assert_eq!(calls.load(Ordering::Relaxed), 6);
    clock.advance(Duration::from_secs(1));
    provider.invalidate(&credentials);
    blocking::wait(provider.credentials()).unwrap();
    assert_eq!(calls.load(Ordering::Relaxed), 7);
}

#[test]
fn a_forced_refresh_that_fails_keeps_the_pair() {
    let service = Service::new()
        .answers(200, pair("a"))
        .fails(HttpErrorKind::Connect)
        .answers(200, pair("b"));
    let provider = service.builder().build().unwrap();
    blocking::wait(provider.credentials()).unwrap();
    assert!(blocking::wait(provider.refresh_now()).is_err());
    let id = |credentials: oss_credentials_core::Credentials| credentials.access_key_id().to_owned();
    assert_eq!(id(provider.cached().unwrap()), "a");
    assert_eq!(id(blocking::wait(provider.refresh_now()).unwrap()), "b");
}

/// With the driver attached, as a program inside a runtime has it.
#[test]
fn kms_down_for_ten_minutes_fails_and_holds_up_nobody() {
    let down = Arc::new(AtomicBool::new(false));
    let calls = Arc::new(AtomicUsize::new(0));
    let (is_down, count) = (Arc::clone(&down), Arc::clone(&calls));
    let http = http_fn(move |_| {
        let call = count.fetch_add(1, Ordering::Relaxed);
        std::future::ready(if is_down.load(Ordering::Relaxed) {
            Err(HttpError::new(HttpErrorKind::Connect, "made up"))
        } else {
            Ok(HttpResponse::new(200, pair(&format!("id-{call}")).into_bytes()))
        })
    });
    let clock = ManualClock::at_unix(NOW);
    let provider = Service::new()
        .builder()
        .http_client(http)
        .clock(clock.clone())
        .sleep(clock.clone())
        .build()
        .unwrap();
    blocking::wait(provider.credentials()).unwrap();
    let mut driver = Box::pin(provider.driver(clock.clone()).unwrap());
    let mut context = Context::from_waker(Waker::noop());
    let mut pass = |seconds| {
        for _ in 0..seconds {
            clock.advance(Duration::from_secs(1));
            for _ in 0..3 {
                assert!(driver.as_mut().poll(&mut context).is_pending());
            }
            // Ready at the first poll: neither failure nor wait.
            let mut caller = pin!(provider.credentials());
            let Poll::Ready(outcome) = caller.as_mut().poll(&mut context) else {
                panic!("a caller had to wait")
            };
            outcome.unwrap();
        }
        provider.cached().unwrap().access_key_id().to_owned()
    };
    assert_eq!(pass(3590), "id-0");
    down.store(true, Ordering::Relaxed);
    assert_eq!(pass(610), "id-0");
    let during = calls.load(Ordering::Relaxed);
    assert!((4..100).contains(&during), "{during} calls in ten minutes");
    down.store(false, Ordering::Relaxed);
    assert_ne!(pass(900), "id-0");
}
