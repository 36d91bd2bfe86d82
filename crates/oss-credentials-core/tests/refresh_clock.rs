//! The cache while the wall clock is set, the machine is suspended, or a runtime stands still.
#![allow(missing_docs)]

#[allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a broken set-up ends the test"
)]
mod support;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, SystemTime};

use oss_credentials_core::test_util::ManualClock;
use oss_credentials_core::{Clock, ClockOffset, CredentialsError, CredentialsProvider, Fetched};
use support::{Bench, HOUR, MINUTE, SECOND, START, Sight, expiring, lasting_for_ever, unavailable};

/// Second by second; the last one at which a key was returned, counted from now on.
fn returned_until(bench: &Bench, at_most: u64) -> Option<u64> {
    let mut last = None;
    for second in 0..at_most {
        if bench.ask().done().is_ok() {
            last = Some(second);
        }
        bench.clock.advance(SECOND);
    }
    last
}

#[test]
fn clock_set_back_during_an_outage_does_not_prolong_a_key() {
    for sight in [None, Some(Sight::WallAndMonotonic)] {
        let bench = sight.map_or_else(Bench::new, Bench::seeing).fetch("first");
        bench.clock.advance(30 * MINUTE);
        bench.clock.step_back(20 * MINUTE);
        // Expires after an hour, less the margin of 10 s.
        assert_eq!(returned_until(&bench, 3600), Some(30 * 60 - 11), "{sight:?}");
    }
}

#[test]
fn clock_set_forward_during_an_outage_does_not_discard_a_key() {
    let bench = Bench::fetched("first");
    bench.clock.advance(10 * MINUTE);
    bench.clock.step_forward(5 * HOUR);
    assert_eq!(returned_until(&bench, 3600), Some(50 * 60 - 11));
}

#[test]
fn clock_set_forward_by_little_does_not_discard_a_key_either() {
    let bench = Bench::fetched("first");
    bench.clock.advance(59 * MINUTE);
    bench.clock.step_forward(25 * SECOND);
    assert_eq!(returned_until(&bench, 3600), Some(60 - 11));
    // A suspend of the same length is no reason to keep it.
    let bench = Bench::fetched("first");
    bench.clock.advance(59 * MINUTE);
    bench.clock.suspend(25 * SECOND);
    assert_eq!(returned_until(&bench, 3600), Some(60 - 25 - 11));
}

#[test]
fn key_counts_as_expired_where_a_clock_set_forward_may_have_been_a_suspend() {
    let bench = Bench::seeing(Sight::WallAndMonotonic).fetch("first");
    bench.clock.step_forward(5 * HOUR);
    assert!(bench.provider.cached().is_none());
    assert!(bench.ask().done().is_err());
}

#[test]
fn key_expires_during_a_suspend() {
    for sight in [None, Some(Sight::Wall), Some(Sight::WallAndMonotonic)] {
        let bench = sight.map_or_else(Bench::new, Bench::seeing).fetch("first");
        bench.clock.suspend(59 * MINUTE + 49 * SECOND);
        bench.answers("first");
        bench.clock.suspend(SECOND);
        assert!(bench.provider.cached().is_none(), "{sight:?}");
    }
}

#[test]
fn clock_set_back_does_not_hide_a_suspend() {
    let bench = Bench::fetched("first");
    bench.clock.advance(30 * MINUTE);
    bench.clock.suspend(40 * MINUTE);
    bench.clock.step_back(50 * MINUTE);
    assert!(
        bench.provider.cached().is_none(),
        "70 minutes, of which the others show 20 and 30"
    );
}

#[test]
fn suspend_as_long_as_a_step_back_is_not_hidden_once_the_step_was_seen() {
    let bench = Bench::fetched("first");
    bench.clock.step_back(50 * MINUTE);
    assert!(bench.provider.cached().is_some(), "no time has passed");
    bench.clock.suspend(50 * MINUTE);
    assert!(bench.provider.cached().is_some(), "50 minutes of 60");
    bench.clock.step_back(20 * MINUTE);
    bench.clock.suspend(20 * MINUTE);
    assert!(
        bench.provider.cached().is_none(),
        "70 minutes, although the clocks agree that none have passed"
    );
}

#[test]
fn key_stays_due_once_a_suspend_has_hidden_a_step_back() {
    let bench = Bench::fetched("first");
    bench.clock.step_back(10 * MINUTE);
    bench.source.push_err(unavailable("down"));
    bench.answers("first");
    bench.clock.suspend(10 * MINUTE);
    bench.clock.advance(SECOND);
    bench.source.push_ok(bench.lasting("second", HOUR));
    bench.answers("second");
}

/// Counts the reads of the clock that may be slow.
#[derive(Debug)]
struct Counting(ManualClock, Arc<AtomicUsize>);

impl Clock for Counting {
    fn now(&self) -> SystemTime {
        self.0.now()
    }
    fn monotonic(&self) -> Option<Duration> {
        self.0.monotonic()
    }
    fn since_boot(&self) -> Option<Duration> {
        self.1.fetch_add(1, Ordering::SeqCst);
        self.0.since_boot()
    }
}

#[test]
fn time_since_boot_is_read_only_when_the_other_clocks_disagree() {
    let (clock, reads) = (ManualClock::at_unix(START), Arc::<AtomicUsize>::default());
    let counting = Counting(clock.clone(), Arc::clone(&reads));
    let bench = Bench {
        clock,
        ..Bench::with(|builder| builder.clock(counting))
    };
    let bench = bench.fetch("first");
    bench.clock.advance(48 * MINUTE);
    bench.source.push_err(unavailable("down"));
    bench.answers("first");
    let before = reads.load(Ordering::SeqCst);
    for _ in 0..5 {
        bench.answers("first");
        assert!(bench.provider.cached().is_some());
    }
    assert_eq!(reads.load(Ordering::SeqCst), before, "due, in a pause");
    bench.clock.step_back(MINUTE);
    bench.answers("first");
    assert!(reads.load(Ordering::SeqCst) > before);
}

#[test]
fn clocks_that_disagree_by_more_than_30_s_make_a_key_due_and_one_caller_waits() {
    for step_forward in [true, false] {
        let bench = Bench::fetched("first");
        let step = |by: Duration| {
            if step_forward {
                bench.clock.step_forward(by);
            } else {
                bench.clock.step_back(by);
            }
        };
        step(30 * SECOND);
        bench.answers("first");
        assert_eq!(bench.source.calls(), 1, "forward: {step_forward}");
        step(Duration::from_millis(1));
        let gate = bench.source.push_gate();
        let mut one = bench.ask();
        one.waits();
        bench.answers("first");
        gate.open(Err(unavailable("down")));
        assert_eq!(one.done().unwrap().access_key_id(), "first");
        bench.answers("first");
        assert_eq!(bench.source.calls(), 2, "one attempt, then a pause");
        bench.clock.advance(SECOND);
        bench.source.push_ok(bench.lasting("second", HOUR));
        bench.answers("second");
        bench.answers("second");
        assert_eq!(bench.source.calls(), 3);
    }
}

#[test]
fn key_without_expiry_does_not_care_about_clocks() {
    let bench = Bench::new();
    bench.source.push_ok(lasting_for_ever("fixed"));
    bench.answers("fixed");
    bench.clock.step_back(HOUR);
    bench.answers("fixed");
    bench.clock.suspend(100 * HOUR);
    bench.answers("fixed");
    assert_eq!(bench.source.calls(), 1);
}

#[test]
fn clock_set_forward_during_the_first_fetch_does_not_fail_it() {
    let bench = Bench::new();
    let gate = bench.source.push_gate();
    let mut caller = bench.ask();
    caller.waits();
    bench.clock.step_forward(HOUR);
    caller.waits();
    let mut other = bench.ask();
    other.waits();
    bench.clock.advance(SECOND);
    gate.open_ok(bench.lasting("first", HOUR));
    assert_eq!(caller.done().unwrap().access_key_id(), "first");
    assert_eq!(other.done().unwrap().access_key_id(), "first");
    assert_eq!(bench.source.calls(), 1);
    // Its expiry was calculated while the clock was set.
    bench.source.push_ok(bench.lasting("second", HOUR));
    bench.answers("second");
}

#[test]
fn machine_suspended_during_a_fetch_does_not_fail_it() {
    let bench = Bench::new();
    let gate = bench.source.push_gate();
    let mut caller = bench.ask();
    caller.waits();
    bench.clock.suspend(HOUR);
    caller.waits();
    gate.open_ok(bench.lasting("first", HOUR));
    assert_eq!(caller.done().unwrap().access_key_id(), "first");
}

#[test]
fn key_that_is_repeated_after_the_clock_was_set_back_lives_no_longer() {
    let bench = Bench::fetched("first");
    let same = bench.provider.cached().unwrap();
    bench.clock.advance(30 * MINUTE);
    bench.clock.step_back(20 * MINUTE);
    bench.source.push_ok(same);
    bench.answers("first");
    assert_eq!(bench.source.calls(), 2);
    assert_eq!(returned_until(&bench, 3600), Some(30 * 60 - 11));
}

#[test]
fn key_that_is_repeated_with_the_services_time_is_judged_by_it() {
    let bench = Bench::new();
    // The clock is 30 minutes ahead, and nothing says so.
    let end = bench.clock.now() + 30 * MINUTE;
    bench.source.push_ok(expiring("first", end));
    bench.answers("first");
    bench.clock.step_back(30 * MINUTE);
    let agrees = ClockOffset::ZERO;
    bench
        .source
        .push(Ok(Fetched::new(expiring("first", end)).with_clock_offset(agrees)));
    bench.answers("first");
    assert_eq!(returned_until(&bench, 4000), Some(3600 - 11));
}

#[test]
fn offset_is_forgotten_when_the_local_clock_is_set() {
    let bench = Bench::new();
    // The local clock is two hours behind until somebody sets it right.
    let service = bench.clock.now() + 2 * HOUR;
    let offset = ClockOffset::between(bench.clock.now(), service);
    bench.source.push(Ok(
        Fetched::new(expiring("first", service + HOUR)).with_clock_offset(offset)
    ));
    bench.answers("first");
    bench.clock.set(service);
    bench.source.push_ok(expiring("second", service + HOUR));
    bench.answers("second");
    assert_eq!(bench.provider.status().clock_offset(), Some(ClockOffset::ZERO));
}

#[test]
fn pause_after_a_failure_is_not_prolonged_by_a_clock_set_back() {
    let bench = Bench::fetched("first");
    bench.clock.advance(50 * MINUTE);
    bench.source.push_err(unavailable("down"));
    bench.answers("first");
    bench.clock.step_back(30 * SECOND);
    bench.answers("first");
    assert_eq!(bench.source.calls(), 2, "the pause of 1 s goes on");
    bench.clock.advance(SECOND);
    bench.source.push_ok(bench.lasting("second", HOUR));
    bench.answers("second");
}

/// A caller has gone and left a flight that nothing wakes any more, as on a runtime that nobody runs.
fn orphaned(bench: &Bench) -> oss_credentials_core::test_util::Gate {
    let gate = bench.source.push_gate();
    let mut starter = bench.ask();
    starter.waits();
    gate
}

#[test]
fn adopted_flight_without_progress_is_replaced_after_2_s() {
    let bench = Bench::new();
    let _dead = orphaned(&bench);
    bench.clock.advance(10 * SECOND);
    let mut adopter = bench.ask();
    adopter.waits();
    bench.clock.advance(Duration::from_millis(1999));
    adopter.waits();
    assert_eq!(bench.source.calls(), 1);
    bench.clock.advance(Duration::from_millis(1));
    bench.source.push_ok(bench.lasting("fresh", HOUR));
    assert_eq!(adopter.done().unwrap().access_key_id(), "fresh");
    assert_eq!((bench.source.calls(), bench.source.abandoned()), (2, 1));
}

#[test]
fn adopted_flight_that_makes_progress_stays() {
    let bench = Bench::new();
    let gate = orphaned(&bench);
    let mut adopter = bench.ask();
    for _ in 0..10 {
        adopter.waits();
        bench.clock.advance(SECOND);
        gate.nudge();
    }
    gate.open_ok(bench.lasting("first", HOUR));
    assert_eq!(adopter.done().unwrap().access_key_id(), "first");
    assert_eq!(bench.source.calls(), 1);
}

#[test]
fn flight_that_waits_members_watch_once_its_starter_has_gone() {
    let bench = Bench::new();
    let _dead = bench.source.push_gate();
    let (mut starter, mut member) = (bench.ask(), bench.ask());
    starter.waits();
    member.waits();
    bench.clock.advance(10 * SECOND);
    member.waits();
    assert_eq!(bench.source.calls(), 1, "its starter attends to it");
    let woken = member.wakes();
    drop(starter);
    assert!(member.wakes() > woken);
    member.waits();
    bench.clock.advance(2 * SECOND);
    bench.source.push_ok(bench.lasting("fresh", HOUR));
    assert_eq!(member.done().unwrap().access_key_id(), "fresh");
}

/// Callers that wait for 3 s each, and an exchange that takes 10 s without a sign of life.
#[test]
fn slow_exchange_ends_although_each_caller_gives_up_early() {
    let bench = Bench::new();
    let _slow = orphaned(&bench);
    let second = bench.source.push_gate();
    for caller in 0..5 {
        let mut impatient = bench.ask();
        for _ in 0..3 {
            impatient.waits();
            bench.clock.advance(SECOND);
        }
        assert_eq!(bench.source.calls(), 2, "caller {caller}: replaced once");
    }
    second.open_ok(bench.lasting("fresh", HOUR));
    bench.answers("fresh");
}

#[test]
fn adopted_flight_that_times_out_is_followed_by_a_fresh_attempt() {
    let bench = Bench::new();
    let gate = orphaned(&bench);
    let mut adopter = bench.ask();
    for _ in 0..29 {
        adopter.waits();
        bench.clock.advance(SECOND);
        gate.nudge();
    }
    adopter.waits();
    bench.clock.advance(SECOND);
    let _second = bench.source.push_gate();
    adopter.waits();
    assert_eq!(bench.source.calls(), 2);
    bench.clock.advance(30 * SECOND);
    assert!(
        matches!(adopter.done(), Err(CredentialsError::Unavailable(_))),
        "one, and no more"
    );
}
