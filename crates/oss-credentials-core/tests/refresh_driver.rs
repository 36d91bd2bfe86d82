//! The cache with a driver.
#![allow(missing_docs)]

#[allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a broken set-up ends the test"
)]
mod support;

use std::task::Poll;
use std::time::Duration;

use oss_credentials_core::{Backoff, BoxFuture, Clock, CredentialsError, CredentialsProvider, Sleep};
use support::{Bench, HOUR, MINUTE, SECOND, Task, denied, expiring, lasting_for_ever, unavailable, used};

#[test]
fn due_value_with_driver_is_answered_at_once_and_refreshed_by_the_driver() {
    let bench = Bench::fetched("first");
    let mut driver = bench.driver();
    driver.waits();
    let gate = bench.source.push_gate();
    bench.clock.advance(48 * MINUTE);
    assert!(driver.wakes() > 0, "the timer wakes the driver");
    // Due, but not polled yet: no caller volunteers.
    assert!(bench.provider.credentials().into_ready().is_ok());
    assert_eq!(bench.source.calls(), 1);
    driver.waits();
    assert_eq!(bench.source.calls(), 2);
    for _ in 0..10 {
        assert!(bench.provider.credentials().into_ready().is_ok(), "none waits");
    }
    gate.open_ok(bench.lasting("second", HOUR));
    driver.waits();
    bench.answers("second");
    bench.clock.advance(48 * MINUTE);
    bench.source.push_ok(bench.lasting("third", HOUR));
    driver.waits();
    bench.answers("third");
}

#[test]
fn driver_backs_off_while_the_source_is_down_and_nobody_notices() {
    let bench = Bench::fetched("first");
    let mut driver = bench.driver();
    driver.waits();
    bench.clock.advance(48 * MINUTE);
    for second in 0..600 {
        driver.waits();
        assert!(
            bench.provider.credentials().into_ready().is_ok(),
            "second {second}"
        );
        bench.answers("first");
        bench.clock.advance(SECOND);
    }
    // 0, 1, 3, 7, 15, 31, 63, 123, 183, 243, 303, 363, 423, 483, 543: as without callers.
    assert_eq!(bench.source.calls(), 1 + 15);
    bench.source.push_ok(bench.lasting("second", HOUR));
    bench.clock.advance(MINUTE);
    driver.waits();
    bench.answers("second");
}

#[test]
fn driver_ends_a_flight_past_its_limit_by_its_own_timer() {
    let bench = Bench::fetched("first");
    let mut driver = bench.driver();
    bench.clock.advance(48 * MINUTE);
    let _gate = bench.source.push_gate();
    driver.waits();
    assert_eq!(bench.source.in_flight(), 1);
    let woken = driver.wakes();
    bench.clock.advance(30 * SECOND);
    assert!(driver.wakes() > woken);
    driver.waits();
    assert_eq!((bench.source.in_flight(), bench.source.abandoned()), (0, 1));
    bench.source.push_ok(bench.lasting("second", HOUR));
    bench.clock.advance(SECOND);
    driver.waits();
    bench.answers("second");
}

#[test]
fn callers_wait_for_the_flight_of_the_driver() {
    let bench = Bench::fetched("first");
    let mut driver = bench.driver();
    driver.waits();
    bench.provider.invalidate(&used("first"));
    assert!(driver.wakes() > 0, "the driver is told of the rejection");
    let gate = bench.source.push_gate();
    driver.waits();
    assert_eq!(bench.source.in_flight(), 1, "it does not wait for a caller");
    let mut caller = bench.ask();
    caller.waits();
    gate.open_ok(bench.lasting("second", HOUR));
    assert_eq!(caller.done().unwrap().access_key_id(), "second");
    assert_eq!(bench.source.calls(), 2);
    driver.waits();
}

#[test]
fn driver_goes_on_with_a_flight_that_its_caller_dropped() {
    let bench = Bench::fetched("first");
    let mut driver = bench.driver();
    driver.waits();
    bench.provider.invalidate(&used("first"));
    let gate = bench.source.push_gate();
    let mut caller = bench.ask();
    caller.waits();
    driver.waits();
    drop(caller);
    gate.open_ok(bench.lasting("second", HOUR));
    assert!(driver.wakes() > 0);
    driver.waits();
    assert_eq!(bench.provider.cached().unwrap().access_key_id(), "second");
}

#[test]
fn driver_leaves_the_first_fetch_to_a_caller() {
    let bench = Bench::new();
    let mut driver = bench.driver();
    driver.waits();
    bench.clock.advance(HOUR);
    driver.waits();
    assert_eq!(bench.source.calls(), 0, "nobody wants credentials yet");
    bench.source.push_ok(bench.lasting("first", HOUR));
    bench.answers("first");
    assert!(driver.wakes() > 0);
    driver.waits();
    bench.source.push_ok(bench.lasting("second", HOUR));
    bench.clock.advance(48 * MINUTE);
    driver.waits();
    assert_eq!(bench.provider.cached().unwrap().access_key_id(), "second");
}

#[test]
fn only_one_driver_is_attached_at_a_time() {
    let bench = Bench::fetched("first");
    let driver = bench.driver();
    assert!(bench.provider.driver(bench.clock.clone()).is_none());
    assert!(bench.provider.status().has_driver());
    drop(driver);
    assert!(!bench.provider.status().has_driver());
    assert!(bench.provider.driver(bench.clock.clone()).is_some());
}

#[test]
fn driver_overdue_by_30_s_counts_as_absent_and_can_be_replaced() {
    let bench = Bench::fetched("first");
    let mut stalled = bench.driver();
    stalled.waits();
    bench.clock.advance(48 * MINUTE + 29 * SECOND);
    assert!(bench.provider.status().has_driver());
    bench.answers("first");
    assert_eq!(bench.source.calls(), 1);
    bench.clock.advance(SECOND);
    assert!(!bench.provider.status().has_driver());
    bench.source.push_ok(bench.lasting("second", HOUR));
    bench.answers("second");
    let mut replacement = bench.driver();
    replacement.waits();
    assert_eq!(stalled.done(), (), "the one that was replaced ends");
    assert!(
        bench.provider.status().has_driver(),
        "and does not take its successor along"
    );
}

#[test]
fn last_handle_dropped_ends_the_driver_at_once() {
    let bench = Bench::fetched("first");
    let mut driver = bench.driver();
    driver.waits();
    let clock = bench.clock.clone();
    drop(bench);
    assert!(driver.wakes() > 0, "it need not wait for its timer");
    assert_eq!(driver.poll(), Poll::Ready(()));
    assert_eq!(clock.sleepers(), 1, "its timer lives as long as itself");
    drop(driver);
    assert_eq!(clock.sleepers(), 0);
}

#[test]
fn last_handle_dropped_in_mid_flight_ends_driver_and_flight() {
    let bench = Bench::fetched("first");
    let mut driver = bench.driver();
    let _gate = bench.source.push_gate();
    bench.clock.advance(50 * MINUTE);
    driver.waits();
    let source = bench.source.clone();
    drop(bench);
    assert_eq!((source.in_flight(), source.abandoned()), (0, 1));
    assert_eq!(driver.poll(), Poll::Ready(()));
}

#[test]
fn runtime_of_the_driver_gone_leaves_the_lazy_path() {
    let bench = Bench::fetched("first");
    let mut driver = bench.driver();
    bench.clock.advance(48 * MINUTE);
    let gate = bench.source.push_gate();
    driver.waits();
    // A runtime that ends drops its tasks.
    drop(driver);
    assert_eq!(
        bench.source.in_flight(),
        1,
        "the flight stays for whoever comes next"
    );
    gate.open(Err(unavailable("bound to the dead runtime")));
    bench.source.push_ok(bench.lasting("second", HOUR));
    bench.answers("second");
    assert_eq!(bench.source.calls(), 3, "adopted, failed, fetched afresh");
}

#[derive(Debug)]
struct PanickingSleep;

#[expect(clippy::panic, reason = "that is what it is for")]
impl Sleep for PanickingSleep {
    fn sleep(&self, _: Duration) -> BoxFuture<'static, ()> {
        panic!("there is no timer")
    }
}

#[test]
fn timer_that_panics_ends_the_driver_and_leaves_the_lazy_path() {
    let bench = Bench::fetched("first");
    let mut driver = Task::new(bench.provider.driver(PanickingSleep).unwrap());
    assert_eq!(driver.poll(), Poll::Ready(()));
    drop(driver);
    assert!(!bench.provider.status().has_driver());
    bench.clock.advance(48 * MINUTE);
    bench.source.push_ok(bench.lasting("second", HOUR));
    bench.answers("second");
}

#[test]
fn clock_set_back_does_not_delay_the_driver() {
    let bench = Bench::fetched("first");
    let end = bench.clock.now() + HOUR;
    let mut driver = bench.driver();
    driver.waits();
    let start = bench.clock.now();
    bench.clock.advance(47 * MINUTE);
    bench.clock.set(start + SECOND);
    bench.source.push_ok(expiring("second", end + HOUR));
    bench.clock.advance(MINUTE);
    driver.waits();
    assert_eq!(
        bench.provider.cached().unwrap().access_key_id(),
        "second",
        "the monotonic timer came first"
    );
}

#[test]
fn clock_set_forward_delays_no_caller_and_wakes_the_driver() {
    let bench = Bench::fetched("first");
    let mut driver = bench.driver();
    driver.waits();
    bench.clock.step_forward(59 * MINUTE);
    assert_eq!(driver.wakes(), 0, "its timer does not notice");
    bench.answers("first");
    assert_eq!(driver.wakes(), 1);
    bench.source.push_ok(bench.lasting("second", HOUR));
    driver.waits();
    bench.answers("second");
}

#[test]
fn driver_that_was_suspended_is_woken_and_gets_one_grace_period() {
    let bench = Bench::new();
    bench.source.push_ok(bench.lasting("first", 12 * HOUR));
    bench.answers("first");
    let mut driver = bench.driver();
    driver.waits();
    bench.clock.suspend(11 * HOUR + 50 * MINUTE);
    for _ in 0..5 {
        bench.answers("first");
    }
    assert_eq!(
        (bench.source.calls(), driver.wakes()),
        (1, 1),
        "nobody waits, and the driver is called once"
    );
    let _gate = bench.source.push_gate();
    driver.waits();
    let woken = driver.wakes();
    for _ in 0..5 {
        bench.answers("first");
    }
    assert_eq!(
        (bench.source.calls(), driver.wakes()),
        (2, woken),
        "it is at work"
    );
}

#[test]
fn driver_that_does_not_come_after_a_suspend_counts_as_absent() {
    let bench = Bench::new();
    bench.source.push_ok(bench.lasting("first", 12 * HOUR));
    bench.answers("first");
    let mut driver = bench.driver();
    driver.waits();
    bench.clock.suspend(11 * HOUR + 50 * MINUTE);
    bench.answers("first");
    bench.clock.advance(29 * SECOND);
    bench.answers("first");
    assert_eq!(bench.source.calls(), 1);
    bench.clock.advance(SECOND);
    bench.source.push_ok(bench.lasting("second", HOUR));
    bench.answers("second");
}

#[test]
fn driver_adopts_a_flight_and_replaces_it_when_it_makes_no_progress() {
    let bench = Bench::fetched("first");
    let mut driver = bench.driver();
    driver.waits();
    bench.provider.invalidate(&used("first"));
    let _dead = bench.source.push_gate();
    let mut starter = bench.ask();
    starter.waits();
    driver.waits();
    let woken = driver.wakes();
    drop(starter);
    assert!(driver.wakes() > woken, "it watches the flight from now on");
    driver.waits();
    let woken = driver.wakes();
    bench.clock.advance(2 * SECOND);
    assert!(driver.wakes() > woken, "its timer runs");
    bench.source.push_ok(bench.lasting("second", HOUR));
    driver.waits();
    assert_eq!(bench.provider.cached().unwrap().access_key_id(), "second");
    assert_eq!(bench.source.abandoned(), 1);
}

#[test]
fn driver_gives_every_adopted_flight_one_fresh_attempt() {
    let bench = Bench::with(|builder| builder.invalidate_limit(9, MINUTE)).fetch("first");
    let mut driver = bench.driver();
    driver.waits();
    for key in ["second", "third"] {
        bench.provider.invalidate(&bench.provider.cached().unwrap());
        let gate = bench.source.push_gate();
        let mut starter = bench.ask();
        starter.waits();
        driver.waits();
        drop(starter);
        gate.open(Err(unavailable("its runtime is gone")));
        bench.source.push_ok(bench.lasting(key, HOUR));
        driver.waits();
        assert_eq!(bench.provider.cached().unwrap().access_key_id(), key);
    }
}

/// With a pause of a minute after each failure.
fn paused() -> (Bench, Task<()>) {
    let backoff = Backoff::default().initial(MINUTE).jitter(false);
    let bench = Bench::with(|builder| builder.backoff(backoff)).fetch("first");
    let mut driver = bench.driver();
    driver.waits();
    bench.clock.advance(48 * MINUTE);
    driver.waits();
    assert_eq!(bench.source.calls(), 2);
    (bench, driver)
}

#[test]
fn driver_in_a_pause_is_not_called() {
    let (bench, driver) = paused();
    let woken = driver.wakes();
    bench.answers("first");
    assert_eq!((bench.source.calls(), driver.wakes()), (2, woken));
}

#[test]
fn suspend_counts_towards_the_pause_of_the_driver() {
    let (bench, mut driver) = paused();
    bench.clock.suspend(59 * SECOND);
    driver.waits();
    assert_eq!(bench.source.calls(), 2);
    bench.clock.suspend(SECOND);
    bench.source.push_ok(bench.lasting("second", HOUR));
    driver.waits();
    assert_eq!(bench.provider.cached().unwrap().access_key_id(), "second");
}

#[test]
fn driver_keeps_trying_when_a_role_is_repaired_late() {
    let bench = Bench::fetched("first");
    let mut driver = bench.driver();
    bench.clock.advance(48 * MINUTE);
    for _ in 0..30 {
        bench.source.push_err(denied());
    }
    for _ in 0..20 {
        driver.waits();
        bench.clock.advance(MINUTE);
    }
    assert!(matches!(bench.ask().done(), Err(CredentialsError::Denied(_))));
    while bench.source.steps_left() > 0 {
        driver.waits();
        bench.clock.advance(MINUTE);
    }
    bench.source.push_ok(bench.lasting("repaired", HOUR));
    driver.waits();
    assert_eq!(bench.provider.cached().unwrap().access_key_id(), "repaired");
}

#[cfg(feature = "tokio")]
mod on_tokio {
    use super::*;
    use oss_credentials_core::test_util::ScriptedSource;
    use oss_credentials_core::{NoRuntime, RefreshingProvider, TokioSleep};

    fn provider(source: &ScriptedSource, background: bool) -> RefreshingProvider<ScriptedSource> {
        RefreshingProvider::builder(source.clone())
            .background_refresh(background)
            .build()
    }

    #[test]
    fn spawn_outside_of_a_runtime_is_an_error() {
        let source = ScriptedSource::new("scripted");
        assert!(matches!(provider(&source, false).spawn(), Err(NoRuntime { .. })));
    }

    #[test]
    fn spawn_on_a_runtime_without_a_timer_is_an_error() {
        let source = ScriptedSource::new("scripted");
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let provider = provider(&source, true);
        runtime.block_on(async {
            assert!(provider.spawn().is_err());
            source.push_ok(lasting_for_ever("first"));
            assert_eq!(provider.credentials().await.unwrap().access_key_id(), "first");
            assert!(!provider.status().has_driver());
        });
    }

    #[tokio::test]
    async fn background_refresh_starts_where_a_fetch_begins() {
        let source = ScriptedSource::new("scripted");
        source.push_ok(lasting_for_ever("first"));
        let provider = provider(&source, true);
        assert!(!provider.status().has_driver());
        provider.credentials().await.unwrap();
        assert!(provider.status().has_driver());
        assert!(provider.spawn().is_ok(), "once more is harmless");
        assert!(provider.driver(TokioSleep).is_none());
    }

    #[tokio::test]
    async fn background_refresh_off_starts_nothing() {
        let source = ScriptedSource::new("scripted");
        source.push_ok(lasting_for_ever("first"));
        let provider = provider(&source, false);
        provider.credentials().await.unwrap();
        assert!(!provider.status().has_driver());
    }

    #[test]
    fn driver_survives_nothing_of_its_runtime_and_callers_do_not_mind() {
        let source = ScriptedSource::new("scripted");
        source.push_ok(lasting_for_ever("first"));
        let provider = provider(&source, true);
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .build()
            .unwrap();
        runtime.block_on(async { provider.credentials().await }).unwrap();
        assert!(provider.status().has_driver());
        drop(runtime);
        assert!(!provider.status().has_driver());
        source.push_ok(lasting_for_ever("second"));
        let refreshed = oss_credentials_core::blocking::wait(provider.refresh_now()).unwrap();
        assert_eq!(refreshed.access_key_id(), "second");
    }
}
