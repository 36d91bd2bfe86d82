//! Copies of credentials: which generation they are, what is derived from them, and how long they may be kept.
#![allow(missing_docs)]
#![allow(clippy::unwrap_used, reason = "a broken set-up ends the test")]

#[allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a broken set-up ends the test"
)]
mod support;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::SystemTime;

use oss_credentials_core::{
    COPY_LIFETIME, ChainProvider, Clock, ClockOffset, Credentials, CredentialsProvider, Fetched,
    PerGeneration, blocking,
};
use support::{Bench, HOUR, MINUTE, SECOND, expiring, lasting_for_ever};

fn made(id: &str, secret: &str, token: &str) -> Credentials {
    Credentials::builder(id, secret)
        .security_token(token)
        .build()
        .unwrap()
}

#[test]
fn id_secret_and_token_make_a_generation() {
    let one = made("id", "secret", "token");
    assert!(one.same_generation_as(&one.clone()));
    assert!(one.same_generation_as(&made("id", "secret", "token")));
    for other in [
        made("other", "secret", "token"),
        made("id", "other", "token"),
        made("id", "secret", "other"),
        made("id", "secret", ""),
        Credentials::anonymous(),
    ] {
        assert!(!one.same_generation_as(&other), "{other:?}");
        assert!(!other.same_generation_as(&one), "{other:?}");
    }
    // A source may repeat a value with another expiry.
    let end = SystemTime::UNIX_EPOCH + HOUR;
    assert!(expiring("id", end).same_generation_as(&expiring("id", end + HOUR)));
}

#[test]
fn a_value_is_derived_once_for_each_generation() {
    let cache = PerGeneration::default();
    let derived = AtomicUsize::new(0);
    let derive = |credentials: &Credentials| {
        derived.fetch_add(1, Ordering::SeqCst);
        credentials.access_key_id().to_owned()
    };
    let (first, second) = (made("first", "s", "t"), made("second", "s", "t"));
    let held = cache.get_or_derive(&first, derive);
    assert_eq!(*held, "first");
    // Equal credentials are the same generation, wherever they come from.
    assert_eq!(*cache.get_or_derive(&made("first", "s", "t"), derive), "first");
    assert_eq!(derived.load(Ordering::SeqCst), 1);
    assert_eq!(*cache.get_or_derive(&second, derive), "second");
    assert_eq!(derived.load(Ordering::SeqCst), 2);
    // Nothing of the old generation is kept but by those who use it.
    assert_eq!(Arc::strong_count(&held), 1);
    cache.clear();
    assert_eq!(*cache.get_or_derive(&second, derive), "second");
    assert_eq!(derived.load(Ordering::SeqCst), 3);
}

#[test]
fn a_derivation_that_fails_is_tried_again_and_replaces_nothing() {
    let cache = PerGeneration::new();
    let (first, second) = (made("first", "s", "t"), made("second", "s", "t"));
    let kept = cache.get_or_derive(&first, |_| 1);
    let failed = cache.get_or_try_derive(&second, |_| Err("not a header value"));
    assert_eq!(failed, Err("not a header value"));
    let again = cache.get_or_try_derive(&first, |_| Err("it is cached"));
    assert!(Arc::ptr_eq(&again.unwrap(), &kept));
    assert_eq!(
        cache.get_or_try_derive(&second, |_| Ok::<_, ()>(2)),
        Ok(Arc::new(2))
    );
}

#[test]
fn a_cached_value_is_read_without_allocation_and_shown_by_nothing() {
    let cache = PerGeneration::new();
    let credentials = made("first", "canary-secret", "t");
    cache.get_or_derive(&credentials, |c| c.access_key_secret().to_owned());
    let equal = made("first", "canary-secret", "t");
    let counted = allocation_counter::measure(|| {
        for credentials in [&credentials, &equal] {
            assert_eq!(cache.get_or_derive(credentials, |_| unreachable!()).len(), 13);
        }
    });
    assert_eq!(counted.count_total, 0);
    assert!(!format!("{cache:?}").contains("canary"));
}

/// What a cache in front of the bench says of its value.
fn fresh_until(bench: &Bench) -> SystemTime {
    let credentials = bench.ask().done().unwrap();
    credentials.fresh_until(bench.clock.now())
}

#[test]
fn a_copy_of_a_key_that_expires_may_be_kept_until_then() {
    let bench = Bench::fetched("first");
    let expiry = bench.clock.now() + HOUR;
    assert_eq!(fresh_until(&bench), expiry);
    // Later reads of the same value say the same.
    bench.clock.advance(MINUTE);
    assert_eq!(fresh_until(&bench), expiry);
}

#[test]
fn the_expiry_of_a_copy_is_told_by_the_local_clock() {
    let bench = Bench::new();
    let now = bench.clock.now();
    let offset = ClockOffset::between(now, now + 2 * HOUR);
    let fetched = Fetched::new(expiring("first", now + 3 * HOUR)).with_clock_offset(offset);
    bench.source.push(Ok(fetched));
    assert_eq!(fresh_until(&bench), now + HOUR);
}

#[test]
fn a_copy_of_a_rotated_key_may_be_kept_until_the_next_refresh() {
    let bench = Bench::new();
    let source_keeps = lasting_for_ever("rotated");
    let fetched = || Ok(Fetched::new(source_keeps.clone()).with_refresh_after(HOUR));
    bench.source.push(fetched());
    let start = bench.clock.now();
    assert_eq!(fresh_until(&bench), start + HOUR);

    // The refresh is due and fails: the value stays in use, and a copy for no longer than any other.
    bench.clock.advance(HOUR);
    bench.source.push_err(support::unavailable("down"));
    bench.ask().done().unwrap();
    assert_eq!(fresh_until(&bench), start + HOUR + COPY_LIFETIME);

    // The source repeats its value, which is good for another hour.
    bench.clock.advance(2 * SECOND);
    bench.source.push(fetched());
    bench.ask().done().unwrap();
    assert_eq!(fresh_until(&bench), bench.clock.now() + HOUR);
    // What the source itself holds is unchanged.
    let now = bench.clock.now();
    assert_eq!(source_keeps.fresh_until(now), now + COPY_LIFETIME);
}

#[test]
fn a_copy_of_which_nothing_is_known_may_be_kept_for_a_minute() {
    let bench = Bench::new();
    bench.source.push_ok(lasting_for_ever("fixed"));
    assert_eq!(fresh_until(&bench), bench.clock.now() + MINUTE);
    assert_eq!(COPY_LIFETIME, MINUTE);
    let last = SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(i64::MAX as u64);
    assert_eq!(lasting_for_ever("fixed").fresh_until(last), last);
}

#[test]
fn the_time_of_a_copy_comes_through_a_chain() {
    let bench = Bench::new();
    bench.source.push(Ok(
        Fetched::new(lasting_for_ever("rotated")).with_refresh_after(HOUR)
    ));
    let chain = ChainProvider::builder()
        .member("cache", Ok(bench.provider.clone()))
        .build();
    let now = bench.clock.now();
    for credentials in [
        blocking::wait(chain.credentials()).unwrap(),
        chain.cached().unwrap(),
    ] {
        assert_eq!(credentials.fresh_until(now), now + HOUR);
    }
}
