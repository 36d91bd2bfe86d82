//! The arithmetic of the cache: windows, pauses, and how many rejected values are dropped.
#![allow(missing_docs)]
#![allow(clippy::unwrap_used, reason = "a broken set-up ends the test")]

#[allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a broken set-up ends the test"
)]
mod support;

use std::time::Duration;

use oss_credentials_core::{Backoff, Clock, CredentialsProvider};
use support::{Bench, HOUR, MINUTE, SECOND, denied, expiring, lasting_for_ever};

/// How long after now the next attempt is due.
#[track_caller]
fn due_after(bench: &Bench) -> Duration {
    let next = bench.provider.status().next_attempt().unwrap();
    next.duration_since(bench.clock.now()).unwrap()
}

/// Fetches a key where there is none, and rejects it. Whether it was dropped.
fn is_dropped(bench: &Bench) -> bool {
    if bench.provider.cached().is_none() {
        bench.source.push_ok(lasting_for_ever("rejected"));
    }
    let key = bench.ask().done().unwrap();
    bench.provider.invalidate(&key);
    bench.provider.cached().is_none()
}

#[test]
fn window_that_is_set_is_at_most_half_of_the_lifetime() {
    for (window, due) in [(10 * MINUTE, 50 * MINUTE), (2 * HOUR, 30 * MINUTE)] {
        let bench = Bench::with(|builder| builder.window(window)).fetch("first");
        assert_eq!(due_after(&bench), due, "{window:?}");
    }
}

#[test]
fn only_the_same_key_with_the_same_expiry_keeps_its_window() {
    let expiry = |bench: &Bench| bench.provider.status().expires_at().unwrap();
    // A window of 12 minutes, the last 20 % of an hour.
    let bench = Bench::fetched("first");
    bench.clock.advance(48 * MINUTE);
    bench.source.push_ok(expiring("first", expiry(&bench)));
    bench.answers("first");
    assert_eq!(due_after(&bench), 10 * SECOND, "repeated: inside of its window");

    // 20 % of ten minutes.
    let bench = Bench::fetched("first");
    bench.clock.advance(48 * MINUTE);
    bench.source.push_ok(bench.lasting("first", 10 * MINUTE));
    bench.answers("first");
    assert_eq!(due_after(&bench), 8 * MINUTE, "another expiry");

    // 20 % of twelve minutes.
    let bench = Bench::fetched("first");
    bench.clock.advance(48 * MINUTE);
    bench.source.push_ok(expiring("second", expiry(&bench)));
    bench.answers("second");
    assert_eq!(due_after(&bench), Duration::from_secs(576), "another key");
}

#[test]
fn first_pause_after_a_permanent_failure_can_be_set() {
    let backoff = Backoff::default().jitter(false).permanent_initial(5 * SECOND);
    let bench = Bench::with(|builder| builder.backoff(backoff));
    bench.source.push_err(denied());
    bench.ask().done().unwrap_err();
    assert_eq!(due_after(&bench), 5 * SECOND);
}

#[test]
fn one_more_rejected_value_is_dropped_per_period_up_to_the_burst() {
    let bench = Bench::with(|builder| builder.invalidate_limit(3, MINUTE));
    let dropped = |count| (0..count).filter(|_| is_dropped(&bench)).count();
    assert_eq!(dropped(5), 3);
    bench.clock.advance(59 * SECOND);
    assert_eq!(dropped(2), 0);
    bench.clock.advance(31 * SECOND);
    assert_eq!(dropped(2), 1, "90 s: one period");
    bench.clock.advance(30 * SECOND);
    assert_eq!(dropped(2), 1, "120 s: what is left of a period is not lost");
    bench.clock.advance(10 * MINUTE);
    assert_eq!(dropped(5), 3, "no more than the burst");
}

#[test]
fn period_begins_anew_when_the_clock_is_set_back() {
    let bench = Bench::with(|builder| builder.invalidate_limit(1, MINUTE));
    assert!(is_dropped(&bench));
    bench.clock.step_back(HOUR);
    assert!(!is_dropped(&bench));
    bench.clock.advance(MINUTE);
    assert!(is_dropped(&bench));
}

#[test]
fn limit_without_a_period_is_no_limit() {
    let bench = Bench::with(|builder| builder.invalidate_limit(2, Duration::ZERO));
    assert!((0..9).all(|_| is_dropped(&bench)));
}
