//! The cache among foreign code that misbehaves: clocks, wakers, drops, runtimes and settings.
#![allow(missing_docs)]
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "panics are what is tested, and a poisoned lock ends the test"
)]

#[allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a broken set-up ends the test"
)]
mod support;

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock};
use std::task::{Context, Poll, Wake, Waker};
use std::time::{Duration, SystemTime};

use oss_credentials_core::test_util::ManualClock;
use oss_credentials_core::{
    Backoff, Clock, CredentialsError, CredentialsProvider, ErrorDetail, Fetched, RefreshingProvider,
    source_fn,
};
use support::{Bench, HOUR, MINUTE, SECOND, START, Task, expiring, lasting_for_ever, unavailable, used};

#[test]
fn driver_is_woken_for_a_flight_that_a_caller_begins_and_sees_to_its_limit() {
    let bench = Bench::new();
    let mut driver = bench.driver();
    driver.waits();
    let before = driver.wakes();
    let _gate = bench.source.push_gate();
    let mut caller = bench.ask();
    caller.waits();
    assert!(driver.wakes() > before, "the driver must learn of the flight");
    driver.waits();
    let woken = (driver.wakes(), caller.wakes());
    bench.clock.advance(30 * SECOND);
    assert!(driver.wakes() > woken.0, "its timer runs");
    driver.waits();
    assert!(caller.wakes() > woken.1, "the caller hears of the end");
    assert!(matches!(caller.done(), Err(CredentialsError::Unavailable(_))));
}

#[test]
fn driver_is_woken_for_a_forced_refresh_too() {
    let bench = Bench::fetched("first");
    let mut driver = bench.driver();
    driver.waits();
    let before = driver.wakes();
    let _gate = bench.source.push_gate();
    let provider = bench.provider.clone();
    let mut forced = Task::new(async move { provider.refresh_now().await });
    forced.waits();
    assert!(driver.wakes() > before);
}

#[test]
fn longest_limit_is_no_limit_and_no_busy_loop() {
    let bench = Bench::with(|builder| builder.attempt_limit(Duration::MAX));
    let mut driver = bench.driver();
    let gate = bench.source.push_gate();
    let mut caller = bench.ask();
    caller.waits();
    driver.waits();
    bench.clock.advance(24 * HOUR);
    caller.waits();
    driver.waits();
    assert!(bench.provider.status().has_driver(), "it waits for the flight");
    gate.open_ok(bench.lasting("late", HOUR));
    assert_eq!(caller.done().unwrap().access_key_id(), "late");
}

#[test]
fn pause_of_zero_does_not_make_a_storm() {
    let bench = Bench::with(|builder| {
        builder.backoff(
            Backoff::default()
                .initial(Duration::ZERO)
                .max(Duration::ZERO)
                .jitter(false),
        )
    });
    bench.source.push_ok(bench.lasting("first", HOUR));
    bench.answers("first");
    let mut driver = bench.driver();
    bench.clock.advance(50 * MINUTE);
    driver.waits();
    driver.waits();
    assert_eq!(bench.source.calls(), 2);
    bench.clock.advance(Duration::from_millis(99));
    driver.waits();
    assert_eq!(bench.source.calls(), 2);
    bench.clock.advance(Duration::from_millis(1));
    driver.waits();
    assert_eq!(bench.source.calls(), 3);
}

#[test]
fn extreme_settings_and_values_do_not_panic() {
    for extreme in [Duration::ZERO, Duration::from_nanos(1), Duration::MAX] {
        for end in [
            SystemTime::UNIX_EPOCH,
            SystemTime::UNIX_EPOCH + Duration::from_secs(1 << 40),
        ] {
            for jitter in [false, true] {
                let bench = Bench::with(|builder| {
                    builder
                        .window(extreme)
                        .margin(extreme)
                        .jitter(f64::NAN)
                        .invalidate_limit(u32::MAX, extreme)
                        .backoff(Backoff::default().initial(extreme).max(extreme).jitter(jitter))
                });
                for _ in 0..3 {
                    let fetched = Fetched::new(expiring("k", end)).with_refresh_after(extreme);
                    bench.source.push(Ok(fetched));
                    let _ = bench.ask().done();
                    bench.source.push_err(unavailable("down"));
                    bench.clock.advance(HOUR);
                    let _ = bench.ask().done();
                    bench.provider.invalidate(&used("k"));
                }
            }
        }
    }
}

/// An error whose end calls back into the provider that keeps it.
#[derive(Debug)]
struct CallsBack(Arc<OnceLock<support::Provider>>);

impl std::fmt::Display for CallsBack {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("calls back")
    }
}

impl std::error::Error for CallsBack {}

impl Drop for CallsBack {
    fn drop(&mut self) {
        if let Some(provider) = self.0.get() {
            provider.status();
        }
    }
}

#[test]
fn errors_are_dropped_outside_of_the_lock() {
    let bench = Bench::new();
    let back = Arc::new(OnceLock::new());
    let detail = ErrorDetail::builder("scripted", "down").source(CallsBack(Arc::clone(&back)));
    bench.source.push_err(CredentialsError::unavailable(detail));
    bench.ask().done().unwrap_err();
    back.set(bench.provider.clone()).unwrap();
    bench.clock.advance(SECOND);
    bench.source.push_ok(bench.lasting("second", HOUR));
    bench.answers("second");
}

/// A provider that its own source can reach.
type Reachable = Arc<OnceLock<Arc<dyn CredentialsProvider>>>;

fn caller_of(provider: &Reachable) -> Task<support::Answer> {
    let provider = Arc::clone(provider.get().unwrap());
    Task::new(async move { provider.credentials().await })
}

/// A flight whose end calls back into its provider.
struct AsksForStatus(Reachable);

impl Drop for AsksForStatus {
    fn drop(&mut self) {
        if let Some(provider) = self.0.get() {
            provider.refresh_status();
        }
    }
}

#[test]
fn replaced_flight_is_dropped_outside_of_the_lock() {
    let clock = ManualClock::at_unix(START);
    let reachable = Reachable::default();
    let held = Arc::clone(&reachable);
    let source = source_fn("replaced", move || {
        let flight = AsksForStatus(Arc::clone(&held));
        async move {
            let _flight = flight;
            std::future::pending().await
        }
    });
    let provider = RefreshingProvider::builder(source).clock(clock.clone()).build();
    assert!(reachable.set(Arc::new(provider)).is_ok());
    caller_of(&reachable).waits();
    let mut adopter = caller_of(&reachable);
    adopter.waits();
    clock.advance(2 * SECOND);
    adopter.waits();
    let status = reachable.get().unwrap().refresh_status().unwrap();
    assert_eq!(status.fetches(), 2);
}

/// While one caller polls a flight, it passes its limit and another caller begins the next; only then does it return.
#[test]
fn late_result_of_one_flight_is_not_that_of_the_next() {
    let clock = ManualClock::at_unix(START);
    let reachable = Reachable::default();
    let second = Arc::<Mutex<Option<Task<support::Answer>>>>::default();
    let calls = Arc::<AtomicUsize>::default();
    let source = {
        let (clock, reachable) = (clock.clone(), Arc::clone(&reachable));
        let (second, calls) = (Arc::clone(&second), Arc::clone(&calls));
        source_fn("late", move || {
            let is_first = calls.fetch_add(1, Ordering::SeqCst) == 0;
            let (clock, reachable) = (clock.clone(), Arc::clone(&reachable));
            let second = Arc::clone(&second);
            std::future::poll_fn(move |_| {
                if !is_first {
                    return Poll::Pending;
                }
                clock.advance(31 * SECOND);
                let mut caller = caller_of(&reachable);
                caller.waits();
                *second.lock().unwrap() = Some(caller);
                Poll::Ready(Ok(Fetched::from(lasting_for_ever("late"))))
            })
        })
    };
    let provider = RefreshingProvider::builder(source).clock(clock).build();
    assert!(reachable.set(Arc::new(provider)).is_ok());
    let error = caller_of(&reachable).done().unwrap_err();
    assert!(
        error.to_string().contains("did not return within 30 s"),
        "{error}"
    );
    second.lock().unwrap().as_mut().unwrap().waits();
    assert!(reachable.get().unwrap().cached().is_none());
    assert_eq!(calls.load(Ordering::SeqCst), 2);
}

/// A flight that waits for ever and panics when it is dropped.
struct PanicsOnDrop;

impl Drop for PanicsOnDrop {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            std::panic::panic_any("dropped");
        }
    }
}

#[test]
fn flight_that_panics_when_dropped_hurts_nobody() {
    let clock = ManualClock::at_unix(START);
    let source = source_fn("panicking", || {
        let bomb = PanicsOnDrop;
        async move {
            let _bomb = bomb;
            std::future::pending().await
        }
    });
    let provider = RefreshingProvider::builder(source).clock(clock.clone()).build();
    let mut callers: Vec<_> = (0..3)
        .map(|_| {
            let provider = provider.clone();
            Task::new(async move { provider.credentials().await })
        })
        .collect();
    callers.iter_mut().for_each(Task::waits);
    clock.advance(31 * SECOND);
    assert!(
        callers[0]
            .done()
            .unwrap_err()
            .to_string()
            .contains("did not return")
    );
    assert!(
        callers[1].wakes() > 0 && callers[2].wakes() > 0,
        "the others are told"
    );
    assert!(callers[1].done().is_err() && callers[2].done().is_err());
}

struct PanicsOnWake;

impl Wake for PanicsOnWake {
    fn wake(self: Arc<Self>) {
        std::panic::panic_any("woken");
    }
}

#[test]
fn waker_that_panics_does_not_keep_others_asleep() {
    let bench = Bench::new();
    let gate = bench.source.push_gate();
    let provider = bench.provider.clone();
    let mut bad = Box::pin(async move { provider.credentials().await });
    let waker = Waker::from(Arc::new(PanicsOnWake));
    assert!(bad.as_mut().poll(&mut Context::from_waker(&waker)).is_pending());
    let mut good = bench.ask();
    good.waits();
    gate.open_ok(bench.lasting("first", HOUR));
    assert!(good.wakes() > 0);
    assert_eq!(good.done().unwrap().access_key_id(), "first");
}

#[derive(Clone, Debug)]
struct BreakingClock {
    clock: ManualClock,
    broken: Arc<AtomicBool>,
}

impl Clock for BreakingClock {
    fn now(&self) -> SystemTime {
        if self.broken.load(Ordering::SeqCst) {
            std::panic::panic_any("the clock is broken");
        }
        self.clock.now()
    }
}

#[test]
fn clock_that_panics_when_a_flight_lands_does_not_lose_it() {
    let clock = BreakingClock {
        clock: ManualClock::at_unix(START),
        broken: Arc::default(),
    };
    let broken = Arc::clone(&clock.broken);
    let end = clock.now() + HOUR;
    let source = source_fn("breaking", move || {
        broken.store(true, Ordering::SeqCst);
        let value = expiring("first", end);
        async move { Ok(Fetched::from(value)) }
    });
    let provider = RefreshingProvider::builder(source).clock(clock.clone()).build();
    let asking = provider.clone();
    let mut caller = Task::new(async move { asking.credentials().await });
    // The caller's own reading of the clock panics as well; that one is its own affair.
    let _ = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| caller.poll()));
    clock.broken.store(false, Ordering::SeqCst);
    assert!(!provider.status().is_refreshing());
    assert_eq!(provider.cached().unwrap().access_key_id(), "first");
}

#[test]
fn clock_set_back_during_an_attempt_does_not_void_its_limit() {
    let bench = Bench::new();
    let _gate = bench.source.push_gate();
    let mut caller = bench.ask();
    caller.waits();
    bench.clock.set(bench.clock.now() - 24 * HOUR);
    caller.waits();
    bench.clock.advance(30 * SECOND);
    assert!(caller.done().is_err(), "counted from when the jump was seen");
}

#[test]
fn permanent_failures_pause_for_most_of_their_step() {
    for _ in 0..100 {
        let bench = Bench::with(|builder| builder.backoff(Backoff::default()));
        bench.source.push_err(support::denied());
        bench.ask().done().unwrap_err();
        let pause = bench
            .provider
            .status()
            .next_attempt()
            .unwrap()
            .duration_since(bench.clock.now())
            .unwrap();
        assert!(pause >= 27 * SECOND && pause <= 30 * SECOND, "{pause:?}");
    }
}

#[cfg(feature = "tokio")]
mod on_tokio {
    use super::*;
    use std::sync::atomic::AtomicUsize;
    use tokio::runtime::Builder;

    fn hanging(
        fetches: &Arc<AtomicUsize>,
    ) -> RefreshingProvider<impl oss_credentials_core::CredentialsSource> {
        let fetches = Arc::clone(fetches);
        let source = source_fn("hanging", move || {
            fetches.fetch_add(1, Ordering::SeqCst);
            std::future::pending()
        });
        RefreshingProvider::builder(source)
            .background_refresh(true)
            .attempt_limit(SECOND)
            .backoff(Backoff::default().initial(Duration::ZERO).jitter(false))
            .build()
    }

    /// Time is tokio's own and stands still until everything waits; then it jumps to the next timer.
    fn paused() -> tokio::runtime::Runtime {
        Builder::new_current_thread()
            .enable_time()
            .start_paused(true)
            .build()
            .unwrap()
    }

    #[test]
    fn every_hanging_fetch_ends_at_the_limit_and_not_only_the_first() {
        let fetches = Arc::default();
        let provider = hanging(&fetches);
        paused().block_on(async {
            for _ in 0..3 {
                let forced = tokio::time::timeout(MINUTE, provider.refresh_now()).await;
                assert!(
                    matches!(forced, Ok(Err(CredentialsError::Unavailable(_)))),
                    "{forced:?}"
                );
            }
        });
        assert_eq!(fetches.load(Ordering::SeqCst), 3);
    }

    #[test]
    fn flight_of_a_runtime_that_stands_still_does_not_hold_up_callers_elsewhere() {
        let fetches = Arc::default();
        let provider = hanging(&fetches);
        let idle = paused();
        idle.block_on(async {
            assert!(
                tokio::time::timeout(Duration::from_millis(300), provider.credentials())
                    .await
                    .is_err()
            );
        });
        // The flight, its timers and the driver live on a runtime that nobody runs any more.
        let answer = paused().block_on(async { tokio::time::timeout(MINUTE, provider.credentials()).await });
        assert!(
            matches!(answer, Ok(Err(CredentialsError::Unavailable(_)))),
            "{answer:?}"
        );
        drop(idle);
    }

    #[test]
    fn runtime_without_a_timer_does_not_turn_background_refresh_off_for_others() {
        let provider = RefreshingProvider::builder(source_fn("fixed", || async {
            Ok(Fetched::from(lasting_for_ever("fixed")))
        }))
        .background_refresh(true)
        .build();
        let bare = Builder::new_current_thread().build().unwrap();
        bare.block_on(async { provider.refresh_now().await.unwrap() });
        assert!(!provider.status().has_driver());
        let full = Builder::new_current_thread().enable_time().build().unwrap();
        full.block_on(async { provider.refresh_now().await.unwrap() });
        assert!(provider.status().has_driver());
    }
}

/// Holds what a chain's two walks need to meet: see `tests/chain.rs` for the plain cases.
#[test]
fn two_first_walks_at_the_same_time_end_with_one_identity() {
    use oss_credentials_core::{ChainProvider, Credentials, CredentialsFuture};

    #[derive(Debug)]
    struct First(Arc<AtomicBool>);
    impl CredentialsProvider for First {
        fn name(&self) -> &'static str {
            "first"
        }
        fn credentials(&self) -> CredentialsFuture<'_> {
            let absent = CredentialsError::not_configured(ErrorDetail::builder("first", "not yet"));
            let set_up = self.0.load(Ordering::SeqCst);
            CredentialsFuture::ready(if set_up {
                Ok(lasting_for_ever("A"))
            } else {
                Err(absent)
            })
        }
    }
    #[derive(Debug)]
    struct Second(Mutex<Option<Waker>>, AtomicBool);
    impl CredentialsProvider for Arc2 {
        fn name(&self) -> &'static str {
            "second"
        }
        fn credentials(&self) -> CredentialsFuture<'_> {
            CredentialsFuture::new(std::future::poll_fn(|cx| {
                if self.0.1.load(Ordering::SeqCst) {
                    return Poll::Ready(Ok::<Credentials, _>(lasting_for_ever("B")));
                }
                *self.0.0.lock().unwrap() = Some(cx.waker().clone());
                Poll::Pending
            }))
        }
    }
    #[derive(Clone, Debug)]
    struct Arc2(Arc<Second>);

    let set_up = Arc::new(AtomicBool::new(false));
    let second = Arc2(Arc::new(Second(Mutex::new(None), AtomicBool::new(false))));
    let chain = Arc::new(
        ChainProvider::builder()
            .member("first", Ok(First(Arc::clone(&set_up))))
            .member("second", Ok(second.clone()))
            .build(),
    );
    let ask = || {
        let chain = Arc::clone(&chain);
        Task::new(async move { chain.credentials().await })
    };
    let mut slow = ask();
    slow.waits();
    set_up.store(true, Ordering::SeqCst);
    assert_eq!(ask().done().unwrap().access_key_id(), "A");
    second.0.1.store(true, Ordering::SeqCst);
    assert_eq!(
        slow.done().unwrap().access_key_id(),
        "A",
        "the faster walk has decided"
    );
    assert_eq!(ask().done().unwrap().access_key_id(), "A");
    assert_eq!(chain.answered(), Some("first"));
}
