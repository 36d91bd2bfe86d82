//! The cache without a driver when fetches fail, values end or are rejected, and clocks jump.
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

use std::error::Error;
use std::time::Duration;

use oss_credentials_core::{
    Backoff, Clock, ClockOffset, Credentials, CredentialsError, CredentialsProvider, ErrorDetail, Fetched,
};
use support::{
    Bench, HOUR, MINUTE, SECOND, Sight, Task, denied, expiring, lasting_for_ever, unavailable, used,
};

#[test]
fn failure_while_usable_keeps_the_value_and_backs_off() {
    let bench = Bench::fetched("first");
    bench.clock.advance(48 * MINUTE);
    let mut tried_at = Vec::new();
    let start = bench.clock.now();
    for _ in 0..400 {
        let before = bench.source.calls();
        bench.answers("first");
        if bench.source.calls() > before {
            tried_at.push(bench.clock.now().duration_since(start).unwrap().as_secs());
        }
        bench.clock.advance(SECOND);
    }
    assert_eq!(tried_at, [0, 1, 3, 7, 15, 31, 63, 123, 183, 243, 303, 363]);
}

#[test]
fn failure_with_nothing_usable_is_remembered_until_the_pause_ends() {
    let bench = Bench::new();
    bench.source.push_err(unavailable("down"));
    bench.source.push_err(unavailable("still down"));
    assert!(bench.ask().done().unwrap_err().to_string().contains("down"));
    bench.clock.advance(Duration::from_millis(999));
    assert!(bench.ask().done().unwrap_err().to_string().contains("down"));
    assert_eq!(bench.source.calls(), 1, "answered from memory");
    bench.clock.advance(Duration::from_millis(1));
    assert!(bench.ask().done().unwrap_err().to_string().contains("still down"));
    assert_eq!(bench.source.calls(), 2);
    bench.clock.advance(2 * SECOND);
    bench.source.push_ok(bench.lasting("up", HOUR));
    bench.answers("up");
    assert_eq!(bench.provider.status().failures(), 0);
}

/// A source that rests for long may do so while its callers have what they need.
#[test]
fn a_long_pause_is_cut_short_while_nothing_is_usable() {
    let patient = || {
        Backoff::default()
            .initial(10 * MINUTE)
            .max(15 * MINUTE)
            .jitter(false)
    };
    let bench = Bench::with(|builder| builder.backoff(patient()));
    bench.source.push_err(unavailable("down"));
    bench.ask().done().unwrap_err();
    let until = bench.provider.status().next_attempt().unwrap();
    assert_eq!(until.duration_since(bench.clock.now()).unwrap(), MINUTE);
    bench.clock.advance(MINUTE - SECOND);
    bench.ask().done().unwrap_err();
    assert_eq!(bench.source.calls(), 1, "answered from memory");
    bench.clock.advance(SECOND);
    bench
        .source
        .push(Ok(Fetched::new(lasting_for_ever("up")).with_refresh_after(HOUR)));
    bench.answers("up");

    // With something usable the pause is as long as it was set, until that is rejected.
    bench.clock.advance(HOUR);
    bench.source.push_err(unavailable("down again"));
    bench.answers("up");
    bench.clock.advance(9 * MINUTE);
    bench.answers("up");
    assert_eq!(bench.source.calls(), 3);
    let used = bench.provider.cached().unwrap();
    bench.provider.invalidate(&used);
    bench
        .source
        .push(Ok(Fetched::new(lasting_for_ever("new")).with_refresh_after(HOUR)));
    bench.answers("new");
    assert_eq!(bench.source.calls(), 4);
}

/// With the pause cut short, a clock that is set back must not make it longer again.
#[test]
fn a_clock_set_back_does_not_prolong_a_pause_that_was_cut_short() {
    let patient = Backoff::default()
        .initial(10 * MINUTE)
        .max(15 * MINUTE)
        .jitter(false);
    let bench = Bench::seeing_with(Sight::Wall, |builder| builder.backoff(patient));
    bench.source.push_err(unavailable("down"));
    bench.ask().done().unwrap_err();
    bench.clock.set(bench.clock.now() - 5 * MINUTE);
    bench.source.push_ok(lasting_for_ever("up"));
    bench.answers("up");
}

#[test]
fn random_pauses_stay_within_their_steps() {
    let bench = Bench::with(|builder| builder.backoff(Backoff::default()));
    for step in [1, 2, 4, 8, 16, 32, 60, 60] {
        bench.source.push_err(unavailable("down"));
        bench.ask().done().unwrap_err();
        let until = bench.provider.status().next_attempt().unwrap();
        let pause = until.duration_since(bench.clock.now()).unwrap();
        assert!(
            pause < Duration::from_secs(step),
            "{pause:?} after a step of {step} s"
        );
        bench.clock.advance(Duration::from_secs(step));
    }
}

#[test]
fn permanent_failures_are_tried_again_after_30_s_and_never_given_up() {
    for error in [
        denied(),
        CredentialsError::invalid_config(ErrorDetail::builder("scripted", "half-set")),
        CredentialsError::not_configured(ErrorDetail::builder("scripted", "absent")),
    ] {
        let bench = Bench::new();
        let mut waited = 0;
        for pause in [30, 60, 60, 60] {
            bench.source.push_err(error.clone());
            assert_eq!(bench.ask().done().unwrap_err().kind(), error.kind());
            bench.clock.advance(Duration::from_secs(pause - 1));
            let calls = bench.source.calls();
            assert_eq!(bench.ask().done().unwrap_err().kind(), error.kind());
            assert_eq!(bench.source.calls(), calls, "after {waited} s");
            bench.clock.advance(SECOND);
            waited += pause;
        }
        bench.source.push_ok(bench.lasting("repaired", HOUR));
        bench.answers("repaired");
    }
}

#[test]
fn value_expired_on_arrival_is_a_failure_and_takes_nothing_away() {
    let bench = Bench::fetched("first");
    bench.clock.advance(48 * MINUTE);
    bench.source.push_ok(expiring("dead", bench.clock.now()));
    bench.answers("first");
    assert!(matches!(
        bench.provider.status().last_error(),
        Some(CredentialsError::Expired(_))
    ));
    bench.clock.advance(9 * SECOND);
    bench.answers("first");
    assert_eq!(bench.source.calls(), 2, "at least ten seconds of pause");
    bench.clock.advance(SECOND);
    bench.source.push_ok(bench.lasting("second", HOUR));
    bench.answers("second");
}

#[test]
fn value_expired_on_arrival_with_nothing_usable_is_an_error() {
    let bench = Bench::new();
    bench.source.push_ok(expiring("dead", bench.clock.now() - HOUR));
    let error = bench.ask().done().unwrap_err();
    assert_eq!(
        error.to_string(),
        "scripted: the fetched credentials have already expired; check this machine's clock, and whether \
         the source issues new credentials"
    );
    assert!(bench.provider.cached().is_none());
}

#[test]
fn repeated_value_inside_its_margin_is_a_failure() {
    let bench = Bench::fetched("first");
    let end = bench.clock.now() + HOUR;
    bench.clock.advance(HOUR - 10 * SECOND);
    bench.source.push_ok(expiring("first", end));
    let error = bench.ask().done().unwrap_err();
    assert!(error.to_string().contains("expire in 10.0 s"), "{error}");
}

#[test]
fn repeated_nearly_expired_value_is_fetched_every_ten_seconds_at_most() {
    let bench = Bench::fetched("first");
    let end = bench.clock.now() + HOUR;
    bench.clock.advance(48 * MINUTE);
    for _ in 0..100 {
        bench.source.push_ok(expiring("first", end));
    }
    for _ in 0..60 {
        bench.answers("first");
        bench.clock.advance(SECOND);
    }
    assert_eq!(bench.source.calls(), 1 + 6);
}

#[test]
fn value_that_ends_within_the_least_interval_is_not_fetched_again_at_once() {
    let bench = Bench::new();
    bench.source.push_ok(bench.lasting("short", 4 * SECOND));
    bench.answers("short");
    bench.clock.advance(5 * SECOND);
    bench.source.push_ok(bench.lasting("next", HOUR));
    let error = bench.ask().done().unwrap_err();
    assert!(matches!(error, CredentialsError::Expired(_)), "{error:?}");
    assert_eq!(
        error.to_string(),
        "scripted: the credentials expired within seconds of being fetched; check this machine's clock, and \
         whether the source issues new credentials, or request a longer lifetime (10 s at least)"
    );
    assert_eq!(bench.source.calls(), 1);
    bench.clock.advance(5 * SECOND);
    bench.answers("next");
}

#[test]
fn invalidated_value_is_gone_at_once_and_only_if_it_is_still_the_one() {
    let bench = Bench::fetched("first");
    bench.provider.invalidate(&lasting_for_ever("another"));
    bench.answers("first");
    bench.provider.invalidate(&used("first"));
    assert!(bench.provider.cached().is_none());
    bench.source.push_ok(bench.lasting("second", HOUR));
    bench.answers("second");
    bench.provider.invalidate(&used("first"));
    bench.answers("second");
    assert_eq!(
        bench.source.calls(),
        2,
        "a late complaint about the old key changes nothing"
    );
}

#[test]
fn flight_begun_before_an_invalidate_is_discarded_on_arrival() {
    let bench = Bench::fetched("first");
    bench.clock.advance(50 * MINUTE);
    let gate = bench.source.push_gate();
    let mut volunteer = bench.ask();
    volunteer.waits();
    bench.provider.invalidate(&used("first"));
    bench.source.push_ok(bench.lasting("second", HOUR));
    gate.open_ok(bench.lasting("first", HOUR));
    assert_eq!(volunteer.done().unwrap().access_key_id(), "second");
    assert_eq!(bench.source.calls(), 3);
}

#[test]
fn invalidate_beyond_its_limit_does_nothing() {
    let bench = Bench::with(|builder| builder.invalidate_limit(2, MINUTE));
    for round in 0..2 {
        bench.source.push_ok(bench.lasting(&format!("key-{round}"), HOUR));
        let credentials = bench.ask().done().unwrap();
        bench.provider.invalidate(&credentials);
        assert!(bench.provider.cached().is_none());
    }
    bench.source.push_ok(bench.lasting("key-2", HOUR));
    let credentials = bench.ask().done().unwrap();
    bench.provider.invalidate(&credentials);
    assert!(bench.provider.cached().is_some(), "over the limit");
    bench.clock.advance(MINUTE);
    bench.provider.invalidate(&credentials);
    assert!(bench.provider.cached().is_none(), "one more per period");
}

#[test]
fn refresh_now_skips_pauses_and_keeps_the_value_when_it_fails() {
    let bench = Bench::fetched("first");
    for _ in 0..2 {
        bench.source.push_err(denied());
        let provider = bench.provider.clone();
        let mut forced = Task::new(async move { provider.refresh_now().await });
        assert!(matches!(forced.done(), Err(CredentialsError::Denied(_))));
        bench.answers("first");
    }
    bench.source.push_ok(bench.lasting("second", HOUR));
    let provider = bench.provider.clone();
    let mut forced = Task::new(async move { provider.refresh_now().await });
    assert_eq!(forced.done().unwrap().access_key_id(), "second");
    bench.answers("second");
    assert_eq!(bench.source.calls(), 4);
}

#[test]
fn nothing_is_handed_out_past_its_end_and_the_error_names_the_last_cause() {
    let bench = Bench::fetched("first");
    bench.clock.advance(HOUR - 10 * SECOND - Duration::from_millis(1));
    bench.source.push_err(unavailable("sts is down"));
    bench.answers("first");
    bench.clock.advance(Duration::from_millis(1));
    assert!(bench.provider.cached().is_none(), "inside the margin");
    let error = bench.ask().done().unwrap_err();
    assert!(matches!(error, CredentialsError::Expired(_)));
    assert_eq!(
        error.to_string(),
        "scripted: the credentials have expired and could not be refreshed: sts is down: ServiceUnavailable"
    );
    assert_eq!(
        error.source().unwrap().to_string(),
        "scripted: sts is down: ServiceUnavailable"
    );
    bench.clock.advance(SECOND);
    bench.source.push_ok(bench.lasting("second", HOUR));
    bench.answers("second");
}

#[test]
fn denied_stays_denied_when_the_value_has_ended() {
    let bench = Bench::fetched("first");
    bench.clock.advance(HOUR);
    bench.source.push_err(denied());
    assert!(matches!(bench.ask().done(), Err(CredentialsError::Denied(_))));
}

#[test]
fn values_without_end_are_refreshed_only_on_demand() {
    let bench = Bench::new();
    bench.source.push_ok(lasting_for_ever("fixed"));
    bench.answers("fixed");
    bench.clock.advance(24 * 365 * HOUR);
    bench.answers("fixed");
    assert_eq!(bench.source.calls(), 1);
    assert_eq!(bench.provider.status().next_attempt(), None);
}

#[test]
fn refresh_after_makes_a_value_due_that_does_not_expire() {
    let bench = Bench::new();
    bench
        .source
        .push(Ok(Fetched::new(lasting_for_ever("one")).with_refresh_after(HOUR)));
    bench.answers("one");
    bench.clock.advance(HOUR);
    bench.source.push_err(unavailable("down"));
    bench.answers("one");
    assert_eq!(bench.source.calls(), 2);
    bench.clock.advance(24 * HOUR);
    bench
        .source
        .push(Ok(Fetched::new(lasting_for_ever("two")).with_refresh_after(HOUR)));
    bench.answers("two");
}

#[test]
fn window_and_margin_scale_with_the_lifetime() {
    // Lifetime, due after, unusable after.
    for (life, due, unusable) in [
        (900, 720, 890),
        (3600, 2880, 3590),
        (4500, 3600, 4490),
        (36_000, 35_100, 35_990),
        (100, 80, 95),
    ] {
        let bench = Bench::new();
        let (life, due, unusable) = (
            Duration::from_secs(life),
            Duration::from_secs(due),
            Duration::from_secs(unusable),
        );
        let start = bench.clock.now();
        bench.source.push_ok(bench.lasting("k", life));
        bench.answers("k");
        assert_eq!(bench.provider.status().next_attempt(), Some(start + due));
        bench.clock.advance(unusable - Duration::from_nanos(1));
        assert!(bench.provider.cached().is_some());
        bench.clock.advance(Duration::from_nanos(1));
        assert!(bench.provider.cached().is_none());
    }
}

#[test]
fn jitter_opens_the_window_up_to_a_tenth_later() {
    let (mut lowest, mut highest) = (Duration::MAX, Duration::ZERO);
    for _ in 0..200 {
        let bench = Bench::with(|builder| builder.jitter(0.1));
        bench.source.push_ok(bench.lasting("k", HOUR));
        let start = bench.clock.now();
        bench.answers("k");
        let due = bench
            .provider
            .status()
            .next_attempt()
            .unwrap()
            .duration_since(start)
            .unwrap();
        (lowest, highest) = (lowest.min(due), highest.max(due));
    }
    let (earliest, latest) = (Duration::from_secs(2880), Duration::from_secs(2880 + 72));
    assert!(
        lowest >= earliest && highest <= latest,
        "{lowest:?} to {highest:?}"
    );
    assert!(
        highest - lowest > Duration::from_secs(36),
        "spread over the range"
    );
}

#[test]
fn clock_set_back_makes_the_value_due_and_voids_pauses_that_no_other_clock_measures() {
    let bench = Bench::seeing(Sight::Wall).fetch("first");
    let now = bench.clock.now();
    bench.clock.set(now - 2 * HOUR);
    bench.source.push_err(unavailable("down"));
    bench.answers("first");
    assert_eq!(
        bench.source.calls(),
        2,
        "due although the clock shows plenty of time"
    );
    // The pause ends at -2 h + 1 s. Another jump back leaves it further off than any pause.
    bench.clock.set(now - 3 * HOUR);
    bench.source.push_ok(expiring("second", now + HOUR));
    bench.answers("second");
}

#[test]
fn wrong_local_clock_does_not_matter_where_the_offset_is_known() {
    let bench = Bench::new();
    let service = bench.clock.now() + 5 * HOUR;
    let offset = ClockOffset::between(bench.clock.now(), service);
    let fetched = |key: &str, service: std::time::SystemTime| {
        Ok(Fetched::new(expiring(key, service + HOUR)).with_clock_offset(offset))
    };
    bench.source.push(fetched("ahead", service));
    bench.answers("ahead");
    assert_eq!(bench.provider.status().clock_offset(), Some(offset));
    bench.clock.advance(47 * MINUTE);
    bench.answers("ahead");
    assert_eq!(bench.source.calls(), 1);
    bench.clock.advance(MINUTE);
    bench.source.push(fetched("next", service + 48 * MINUTE));
    bench.answers("next");
    assert_eq!(
        bench.source.calls(),
        2,
        "due after 48 minutes by the service's clock too"
    );
}

#[test]
fn clock_behind_by_hours_with_known_offset_still_ends_the_value_in_time() {
    let bench = Bench::new();
    let service = bench.clock.now() - 5 * HOUR;
    let offset = ClockOffset::between(bench.clock.now(), service);
    bench.source.push(Ok(
        Fetched::new(expiring("k", service + HOUR)).with_clock_offset(offset)
    ));
    bench.answers("k");
    bench.clock.advance(HOUR);
    assert!(bench.provider.cached().is_none());
}

#[test]
fn subscribers_hear_of_each_new_value_and_of_the_end() {
    let bench = Bench::fetched("first");
    let mut updates = bench.provider.subscribe();
    assert!(updates.try_next().is_none(), "what was there before is no news");
    bench.provider.invalidate(&used("first"));
    let bench = bench.fetch("new");
    assert_eq!(updates.try_next().unwrap().access_key_id(), "new");
    assert!(updates.try_next().is_none(), "each value is news once");
    let mut news = Task::new(async move {
        let mut keys = Vec::new();
        while let Some(credentials) = updates.next().await {
            keys.push(credentials.access_key_id().to_owned());
        }
        keys
    });
    news.waits();
    for key in ["second", "third"] {
        bench.source.push_ok(bench.lasting(key, HOUR));
        let provider = bench.provider.clone();
        Task::new(async move { provider.refresh_now().await })
            .done()
            .unwrap();
        assert!(news.wakes() > 0);
        news.waits();
    }
    drop(bench);
    assert_eq!(news.done(), ["second", "third"]);
}

#[test]
fn last_handle_dropped_drops_an_abandoned_flight() {
    let bench = Bench::new();
    let _gate = bench.source.push_gate();
    let mut caller = bench.ask();
    caller.waits();
    drop(caller);
    let source = bench.source.clone();
    drop(bench);
    assert_eq!((source.in_flight(), source.abandoned()), (0, 1));
}

#[test]
fn status_tells_without_secrets() {
    let bench = Bench::new();
    let credentials = Credentials::builder("LTAI5tExampleKeyId01", "canary-secret")
        .security_token("canary-token")
        .expires_at(bench.clock.now() + HOUR)
        .build()
        .unwrap();
    bench.source.push_ok(credentials);
    bench.ask().done().unwrap();
    let status = bench.provider.status();
    assert_eq!(status.access_key_id().unwrap(), "LTAI****Id01");
    assert_eq!(
        status.source(),
        Some("scripted"),
        "an unnamed value takes its source's name"
    );
    assert_eq!(status.expires_at(), Some(bench.clock.now() + HOUR));
    assert!(status.is_usable() && !status.is_refreshing() && !status.has_driver());
    let shown = format!("{status:?} {:?}", bench.provider);
    assert!(
        !shown.contains("canary") && !shown.contains("ExampleKey"),
        "{shown}"
    );
}
