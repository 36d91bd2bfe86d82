//! A cached read allocates nothing.
#![allow(missing_docs)]

#[allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a broken set-up ends the test"
)]
mod support;

use allocation_counter::measure;
use oss_credentials_core::{Credentials, CredentialsProvider, RefreshingProvider, SystemClock};
use support::{Bench, MINUTE, lasting_for_ever};

#[test]
fn cached_read_allocates_nothing() {
    let bench = Bench::fetched("first");
    // arc-swap sets itself up at a thread's first read.
    bench.provider.cached().unwrap();
    let counted = measure(|| {
        for _ in 0..100 {
            assert!(bench.provider.cached().is_some());
            assert!(bench.provider.with_cached(|c| c.access_key_id().len()).is_some());
            let future = bench.provider.credentials();
            assert!(matches!(future.into_ready(), Ok(Ok(_))));
        }
    });
    assert_eq!(counted.count_total, 0);
}

#[test]
fn due_value_with_driver_is_read_without_allocation() {
    let bench = Bench::fetched("first");
    let mut driver = bench.driver();
    driver.waits();
    let _gate = bench.source.push_gate();
    bench.clock.advance(50 * MINUTE);
    driver.waits();
    let counted = measure(|| {
        assert!(matches!(bench.provider.credentials().into_ready(), Ok(Ok(_))));
    });
    assert_eq!(counted.count_total, 0);
}

#[test]
fn awaiting_a_ready_answer_allocates_nothing() {
    let bench = Bench::fetched("first");
    bench.provider.cached().unwrap();
    let mut cx = std::task::Context::from_waker(std::task::Waker::noop());
    let counted = measure(|| {
        let future = std::pin::pin!(bench.provider.credentials());
        assert!(future.poll(&mut cx).is_ready());
    });
    assert_eq!(counted.count_total, 0);
}

#[test]
fn fixed_credentials_and_the_real_clock_allocate_nothing() {
    let fixed = lasting_for_ever("fixed");
    let source = oss_credentials_core::test_util::ScriptedSource::new("scripted");
    source.push_ok(Credentials::builder("id", "secret").build().unwrap());
    let provider = RefreshingProvider::builder(source).clock(SystemClock).build();
    oss_credentials_core::blocking::wait(provider.credentials()).unwrap();
    let counted = measure(|| {
        assert!(matches!(fixed.credentials().into_ready(), Ok(Ok(_))));
        assert!(matches!(provider.credentials().into_ready(), Ok(Ok(_))));
    });
    assert_eq!(counted.count_total, 0);
}
