//! The cache without a driver: one test for each situation in which a caller can find it.
#![allow(missing_docs)]
#![allow(
    clippy::unchecked_time_subtraction,
    reason = "constants that cannot underflow"
)]

#[allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a broken set-up ends the test"
)]
mod support;

use std::future::Future;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

use oss_credentials_core::{CredentialsError, CredentialsProvider, Fetched};
use support::{Bench, HOUR, MINUTE, SECOND, Task, unavailable, used};

#[test]
fn fresh_value_is_ready_at_once() {
    let bench = Bench::fetched("first");
    let future = bench.provider.credentials();
    assert_eq!(future.into_ready().unwrap().unwrap().access_key_id(), "first");
    assert_eq!(bench.provider.cached().unwrap().access_key_id(), "first");
    assert_eq!(
        bench
            .provider
            .with_cached(|c| c.access_key_id().to_owned())
            .unwrap(),
        "first"
    );
    assert_eq!(bench.source.calls(), 1);
}

#[test]
fn due_value_without_driver_is_refreshed_by_one_volunteer() {
    let bench = Bench::fetched("first");
    bench.clock.advance(48 * MINUTE - SECOND);
    bench.answers("first");
    assert_eq!(bench.source.calls(), 1, "not due yet");
    bench.clock.advance(SECOND);
    let gate = bench.source.push_gate();
    let mut volunteer = bench.ask();
    volunteer.waits();
    for _ in 0..10 {
        bench.answers("first");
    }
    assert_eq!(bench.source.calls(), 2);
    gate.open_ok(bench.lasting("second", HOUR));
    assert_eq!(volunteer.done().unwrap().access_key_id(), "second");
    bench.answers("second");
}

#[test]
fn callers_that_meet_at_the_same_moment_leave_one_volunteer() {
    let bench = Bench::fetched("first");
    bench.clock.advance(50 * MINUTE);
    let _gate = bench.source.push_gate();
    let provider = bench.provider.clone();
    // Both are told that a volunteer is wanted before either is polled.
    let (mut one, mut two) = (bench.provider.credentials(), provider.credentials());
    let mut cx = std::task::Context::from_waker(std::task::Waker::noop());
    assert!(std::pin::Pin::new(&mut one).poll(&mut cx).is_pending());
    match std::pin::Pin::new(&mut two).poll(&mut cx) {
        Poll::Ready(Ok(credentials)) => assert_eq!(credentials.access_key_id(), "first"),
        other => panic!("the second caller must not wait: {other:?}"),
    }
}

#[test]
fn volunteer_whose_refresh_fails_gets_the_old_value() {
    let bench = Bench::fetched("first");
    bench.clock.advance(50 * MINUTE);
    bench.source.push_err(unavailable("down"));
    bench.answers("first");
    assert_eq!((bench.source.calls(), bench.provider.status().failures()), (2, 1));
}

#[test]
fn volunteer_is_not_given_its_old_value_once_that_has_ended() {
    let bench = Bench::fetched("first");
    bench.clock.advance(59 * MINUTE + 40 * SECOND);
    let gate = bench.source.push_gate();
    let mut volunteer = bench.ask();
    volunteer.waits();
    bench.clock.advance(15 * SECOND);
    gate.open_ok(bench.lasting("second", HOUR));
    bench.answers("second");
    bench.provider.invalidate(&used("second"));
    let gate = bench.source.push_gate();
    let mut other = bench.ask();
    other.waits();
    volunteer.waits();
    gate.open_ok(bench.lasting("third", HOUR));
    assert_eq!(volunteer.done().unwrap().access_key_id(), "third");
}

#[test]
fn empty_all_callers_join_one_attempt_and_share_its_success() {
    let bench = Bench::new();
    let gate = bench.source.push_gate();
    let mut callers: Vec<_> = (0..100).map(|_| bench.ask()).collect();
    callers.iter_mut().for_each(Task::waits);
    gate.open_ok(bench.lasting("first", HOUR));
    assert!(
        callers.iter().all(|caller| caller.wakes() > 0),
        "each caller is woken"
    );
    for caller in &mut callers {
        assert_eq!(caller.done().unwrap().access_key_id(), "first");
    }
    assert_eq!(bench.source.calls(), 1);
}

#[test]
fn empty_all_callers_share_the_failure_and_none_retries() {
    let bench = Bench::new();
    let gate = bench.source.push_gate();
    let mut callers: Vec<_> = (0..100).map(|_| bench.ask()).collect();
    callers.iter_mut().for_each(Task::waits);
    gate.open(Err(unavailable("down")));
    for caller in &mut callers {
        assert!(matches!(caller.done(), Err(CredentialsError::Unavailable(_))));
    }
    assert_eq!(bench.source.calls(), 1);
}

#[test]
fn dropped_caller_leaves_the_flight_to_the_next() {
    let bench = Bench::new();
    let gate = bench.source.push_gate();
    let mut first = bench.ask();
    first.waits();
    drop(first);
    assert_eq!((bench.source.in_flight(), bench.source.abandoned()), (1, 0));
    let mut second = bench.ask();
    second.waits();
    gate.open_ok(bench.lasting("first", HOUR));
    assert_eq!(second.done().unwrap().access_key_id(), "first");
    assert_eq!(bench.source.calls(), 1);
}

#[test]
fn dropped_volunteer_leaves_the_flight_to_the_next_volunteer() {
    let bench = Bench::fetched("first");
    bench.clock.advance(50 * MINUTE);
    let gate = bench.source.push_gate();
    let mut volunteer = bench.ask();
    volunteer.waits();
    bench.answers("first");
    drop(volunteer);
    let mut next = bench.ask();
    next.waits();
    gate.open_ok(bench.lasting("second", HOUR));
    assert_eq!(next.done().unwrap().access_key_id(), "second");
    assert_eq!(bench.source.calls(), 2);
}

#[test]
fn future_that_is_kept_but_not_polled_blocks_nobody() {
    let bench = Bench::new();
    let gate = bench.source.push_gate();
    let mut kept = bench.ask();
    kept.waits();
    let mut other = bench.ask();
    other.waits();
    gate.open_ok(bench.lasting("first", HOUR));
    assert_eq!(
        other.done().unwrap().access_key_id(),
        "first",
        "although the first is not polled"
    );
    assert_eq!(kept.done().unwrap().access_key_id(), "first");
    assert_eq!(bench.source.calls(), 1);
}

#[test]
fn kept_volunteer_blocks_nobody_even_when_the_value_ends() {
    let bench = Bench::fetched("first");
    bench.clock.advance(50 * MINUTE);
    let gate = bench.source.push_gate();
    let mut kept = bench.ask();
    kept.waits();
    bench.answers("first");
    gate.open_ok(bench.lasting("second", HOUR));
    // Nobody polls the kept one; from the attempt's limit on the next caller volunteers itself.
    bench.clock.advance(30 * SECOND);
    bench.source.push_ok(bench.lasting("third", HOUR));
    bench.answers("third");
    assert_eq!(kept.done().unwrap().access_key_id(), "third");
}

#[test]
fn wake_up_while_another_polls_is_passed_on() {
    let bench = Bench::new();
    let gate = bench.source.push_gate();
    let mut one = bench.ask();
    let mut two = bench.ask();
    one.waits();
    two.waits();
    gate.nudge();
    assert!(
        one.wakes() > 0 && two.wakes() > 0,
        "whichever is polled next makes progress"
    );
    one.waits();
    assert_eq!(gate.polls(), 3);
}

#[test]
fn wake_up_before_a_poll_is_not_passed_on_after_it() {
    let bench = Bench::new();
    let gate = bench.source.push_gate();
    let mut caller = bench.ask();
    caller.waits();
    gate.nudge();
    let woken = caller.wakes();
    caller.waits();
    assert_eq!(caller.wakes(), woken, "it would be polled for ever");
}

#[test]
fn member_takes_the_outcome_of_its_own_attempt() {
    let bench = Bench::new();
    let gate = bench.source.push_gate();
    let (mut one, mut two) = (bench.ask(), bench.ask());
    one.waits();
    two.waits();
    gate.open(Err(unavailable("down")));
    one.done().unwrap_err();
    bench.clock.advance(SECOND);
    let _next = bench.source.push_gate();
    let mut three = bench.ask();
    three.waits();
    assert!(two.done().unwrap_err().to_string().contains("down"));
    three.waits();
}

struct Silent;

impl Wake for Silent {
    fn wake(self: Arc<Self>) {}
}

#[test]
fn callers_and_subscribers_that_go_leave_no_waker_behind() {
    let bench = Bench::new();
    let silent = Arc::new(Silent);
    let waker = Waker::from(Arc::clone(&silent));
    let mut cx = Context::from_waker(&waker);
    let mut updates = bench.provider.subscribe();
    assert!(updates.poll_next(&mut cx).is_pending());
    let _gate = bench.source.push_gate();
    let provider = bench.provider.clone();
    let mut caller = Box::pin(async move { provider.credentials().await });
    assert!(caller.as_mut().poll(&mut cx).is_pending());
    assert_eq!(Arc::strong_count(&silent), 4);
    drop(caller);
    assert_eq!(Arc::strong_count(&silent), 3);
    drop(updates);
    assert_eq!(Arc::strong_count(&silent), 2);
}

/// The flight calls its waker while one caller polls it, and only then does a second caller come and find it
/// taken. If the first is never polled again, the wake-up must still reach the second.
#[test]
fn wake_up_during_a_poll_reaches_callers_that_came_after_it() {
    type Held = std::sync::Arc<std::sync::Mutex<Option<Task<support::Answer>>>>;
    let second: Held = Held::default();
    let provider = std::sync::Arc::new(std::sync::OnceLock::<std::sync::Arc<dyn CredentialsProvider>>::new());
    let source = {
        let (second, provider) = (second.clone(), provider.clone());
        oss_credentials_core::source_fn("waking", move || {
            let (second, provider) = (second.clone(), provider.clone());
            let mut polled = false;
            std::future::poll_fn(move |cx| {
                if std::mem::replace(&mut polled, true) {
                    return Poll::Ready(Ok(Fetched::from(support::lasting_for_ever("key"))));
                }
                cx.waker().wake_by_ref();
                let provider = provider.get().unwrap().clone();
                let mut caller = Task::new(async move { provider.credentials().await });
                caller.waits();
                *second.lock().unwrap() = Some(caller);
                Poll::Pending
            })
        })
    };
    let cache = oss_credentials_core::RefreshingProvider::new(source);
    provider.set(std::sync::Arc::new(cache.clone())).unwrap();
    let mut first = Task::new(async move { cache.credentials().await });
    first.waits();
    let mut second = second.lock().unwrap().take().unwrap();
    assert!(second.wakes() > 0, "the first caller may never be polled again");
    assert_eq!(second.done().unwrap().access_key_id(), "key");
}

#[test]
fn flight_past_its_limit_is_discarded_by_the_next_poll() {
    let bench = Bench::new();
    let _gate = bench.source.push_gate();
    let mut caller = bench.ask();
    caller.waits();
    bench.clock.advance(30 * SECOND - Duration::from_millis(1));
    caller.waits();
    bench.clock.advance(Duration::from_millis(1));
    let error = caller.done().unwrap_err();
    assert_eq!(
        error.to_string(),
        "scripted: the source did not return within 30 s; check that it can be reached from here; \
         attempt_limit sets the timeout"
    );
    assert_eq!(bench.source.abandoned(), 1, "the flight itself is gone");
}

#[test]
fn flight_past_its_limit_is_replaced_for_the_next_caller() {
    let bench = Bench::new();
    let _gate = bench.source.push_gate();
    let mut stuck = bench.ask();
    stuck.waits();
    bench.clock.advance(31 * SECOND);
    bench.source.push_ok(bench.lasting("second", HOUR));
    bench.answers("second");
    assert_eq!(bench.source.abandoned(), 1);
    assert!(stuck.wakes() > 0);
    assert_eq!(
        stuck.done().unwrap().access_key_id(),
        "second",
        "there is a value by now"
    );
}

#[test]
fn adopted_flight_that_fails_is_followed_by_one_fresh_attempt() {
    let bench = Bench::new();
    let gate = bench.source.push_gate();
    let mut first = bench.ask();
    first.waits();
    drop(first);
    gate.open(Err(unavailable("its runtime is gone")));
    bench.source.push_ok(bench.lasting("fresh", HOUR));
    bench.answers("fresh");
    assert_eq!(bench.source.calls(), 2);
}

#[test]
fn adopted_flight_that_fails_is_followed_by_no_second_fresh_attempt() {
    let bench = Bench::new();
    let gate = bench.source.push_gate();
    let mut first = bench.ask();
    first.waits();
    drop(first);
    gate.open(Err(unavailable("one")));
    bench.source.push_err(unavailable("two"));
    bench.source.push_ok(bench.lasting("never fetched", HOUR));
    assert!(bench.ask().done().unwrap_err().to_string().contains("two"));
    assert_eq!(bench.source.calls(), 2);
}

#[test]
fn adopted_flight_that_panics_is_followed_by_one_fresh_attempt() {
    let bench = Bench::new();
    bench.source.push_panic();
    // The flight is begun and its starter dropped before the flight is polled again.
    let gate = bench.source.push_gate();
    let error = bench.ask().done().unwrap_err();
    assert!(
        error.to_string().contains("panicked"),
        "a panic in a fresh attempt: {error}"
    );
    bench.clock.advance(2 * SECOND);
    let mut starter = bench.ask();
    starter.waits();
    drop(starter);
    gate.open(Err(unavailable("left over")));
    bench.source.push_panic();
    let error = bench.ask().done().unwrap_err();
    assert!(
        error.to_string().contains("panicked"),
        "the fresh attempt's own end is reported: {error}"
    );
    bench.clock.advance(4 * SECOND);
    bench.source.push_ok(bench.lasting("works", HOUR));
    bench.answers("works");
}

#[test]
fn panic_becomes_unavailable_and_poisons_nothing() {
    let bench = Bench::new();
    bench.source.push_panic();
    assert!(matches!(
        bench.ask().done(),
        Err(CredentialsError::Unavailable(_))
    ));
    bench.clock.advance(SECOND);
    bench.source.push_ok(bench.lasting("after", HOUR));
    bench.answers("after");
}
