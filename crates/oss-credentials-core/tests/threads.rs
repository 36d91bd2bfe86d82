//! The cache under real threads, and the herds that it must take.
#![allow(missing_docs)]

#[allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a broken set-up ends the test"
)]
mod support;

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Barrier};
use std::thread;

use oss_credentials_core::test_util::ManualClock;
use oss_credentials_core::{Clock, CredentialsProvider, Fetched, RefreshingProvider, blocking, source_fn};
use support::{Bench, HOUR, MINUTE, START, expiring};

#[test]
fn a_thousand_threads_on_an_empty_provider_cause_one_fetch() {
    let bench = Bench::new();
    let gate = bench.source.push_gate();
    let (provider, source) = (bench.provider.clone(), bench.source.clone());
    let value = bench.lasting("first", HOUR);
    thread::scope(|scope| {
        let callers: Vec<_> = (0..1000)
            .map(|_| {
                let provider = provider.clone();
                thread::Builder::new()
                    .stack_size(64 * 1024)
                    .spawn_scoped(scope, move || blocking::wait(provider.credentials()))
                    .unwrap()
            })
            .collect();
        gate.open_ok(value);
        for caller in callers {
            assert_eq!(caller.join().unwrap().unwrap().access_key_id(), "first");
        }
    });
    assert_eq!(source.calls(), 1);
}

#[test]
fn a_thousand_tasks_on_two_workers_cause_one_fetch() {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .build()
        .unwrap();
    let bench = Bench::new();
    let gate = bench.source.push_gate();
    let value = bench.lasting("first", HOUR);
    runtime.block_on(async {
        let callers: Vec<_> = (0..1000)
            .map(|_| {
                let provider = bench.provider.clone();
                runtime.spawn(async move { provider.credentials().await })
            })
            .collect();
        while bench.source.in_flight() == 0 {
            tokio::task::yield_now().await;
        }
        gate.open_ok(value);
        for caller in callers {
            assert_eq!(caller.await.unwrap().unwrap().access_key_id(), "first");
        }
    });
    assert_eq!(bench.source.calls(), 1);
}

/// Readers, impatient callers, complaints, forced refreshes and a moving clock at the same time. Each value's
/// id, secret and token carry the same number, so that a mix of two generations would show.
#[test]
fn under_stress_every_answer_is_one_whole_unexpired_generation() {
    let clock = ManualClock::at_unix(START);
    let generation = Arc::new(AtomicUsize::new(0));
    let in_flight = Arc::new(AtomicUsize::new(0));
    let source = {
        let (clock, generation, in_flight) = (clock.clone(), Arc::clone(&generation), Arc::clone(&in_flight));
        source_fn("counting", move || {
            let (clock, in_flight) = (clock.clone(), Arc::clone(&in_flight));
            let number = generation.fetch_add(1, Ordering::SeqCst);
            async move {
                assert_eq!(in_flight.fetch_add(1, Ordering::SeqCst), 0, "two fetches at once");
                let mut turns = 0;
                // Comes back a few times, so that callers meet each other in the middle of a flight.
                std::future::poll_fn(|cx| {
                    turns += 1;
                    cx.waker().wake_by_ref();
                    if turns < 5 {
                        std::task::Poll::Pending
                    } else {
                        std::task::Poll::Ready(())
                    }
                })
                .await;
                in_flight.fetch_sub(1, Ordering::SeqCst);
                let credentials = oss_credentials_core::Credentials::builder(
                    format!("id-{number}"),
                    format!("secret-{number}"),
                )
                .security_token(format!("token-{number}"))
                .expires_at(clock.now() + HOUR)
                .build()?;
                Ok(Fetched::from(credentials))
            }
        })
    };
    let provider = RefreshingProvider::builder(source)
        .clock(clock.clone())
        .invalidate_limit(u32::MAX, MINUTE)
        // The clock runs wild here; no flight is to be discarded for its age.
        .attempt_limit(10_000 * HOUR)
        .build();
    let stop = AtomicBool::new(false);
    let start = Barrier::new(9);
    let check = |credentials: &oss_credentials_core::Credentials| {
        let number = credentials.access_key_id().strip_prefix("id-").unwrap();
        assert_eq!(credentials.access_key_secret(), format!("secret-{number}"));
        assert_eq!(credentials.security_token().unwrap(), format!("token-{number}"));
    };
    thread::scope(|scope| {
        for worker in 0..8 {
            let (provider, stop, start, check) = (&provider, &stop, &start, &check);
            scope.spawn(move || {
                start.wait();
                let mut round = worker;
                while !stop.load(Ordering::Relaxed) {
                    round += 1;
                    match round % 11 {
                        0 => {
                            if let Some(current) = provider.cached() {
                                provider.invalidate(&current);
                            }
                        }
                        1 => check(&blocking::wait(provider.refresh_now()).unwrap()),
                        2 => {
                            // Gives up after one poll.
                            let mut future = Box::pin(provider.credentials());
                            let mut cx = std::task::Context::from_waker(std::task::Waker::noop());
                            let _ = future.as_mut().poll(&mut cx);
                        }
                        _ => {
                            check(&blocking::wait(provider.credentials()).unwrap());
                            provider.with_cached(check);
                        }
                    }
                }
            });
        }
        start.wait();
        for _ in 0..300 {
            clock.advance(MINUTE);
            thread::yield_now();
            blocking::wait(provider.credentials()).unwrap();
        }
        stop.store(true, Ordering::Relaxed);
    });
    assert!(generation.load(Ordering::SeqCst) > 5, "the script has refreshed");
}

#[test]
fn waker_that_comes_from_another_thread_is_not_lost() {
    for round in 0..200 {
        let bench = Bench::new();
        let gate = bench.source.push_gate();
        let value = bench.lasting("first", HOUR);
        let opener = thread::spawn(move || gate.open_ok(value));
        let other = bench.provider.clone();
        let second = thread::spawn(move || blocking::wait(other.credentials()));
        assert_eq!(
            blocking::wait(bench.provider.credentials())
                .unwrap()
                .access_key_id(),
            "first",
            "{round}"
        );
        assert!(second.join().unwrap().is_ok());
        opener.join().unwrap();
    }
}

#[test]
fn caller_that_blocks_in_its_poll_holds_up_only_those_who_need_the_result() {
    // A blocking source: the flight blocks its poller's thread.
    let (enter, entered) = std::sync::mpsc::channel::<()>();
    let (leave, left) = std::sync::mpsc::channel::<()>();
    let left = std::sync::Mutex::new(left);
    let clock = ManualClock::at_unix(START);
    let fetches = Arc::new(AtomicUsize::new(0));
    let source = {
        let (clock, fetches) = (clock.clone(), Arc::clone(&fetches));
        source_fn("blocking", move || {
            if fetches.fetch_add(1, Ordering::SeqCst) > 0 {
                enter.send(()).unwrap();
                left.lock().unwrap().recv().unwrap();
            }
            let value = expiring("key", clock.now() + HOUR);
            async move { Ok(Fetched::from(value)) }
        })
    };
    let provider = RefreshingProvider::builder(source)
        .clock(clock.clone())
        .jitter(0.0)
        .build();
    blocking::wait(provider.credentials()).unwrap();
    clock.advance(50 * MINUTE);
    let volunteer = {
        let provider = provider.clone();
        thread::spawn(move || blocking::wait(provider.credentials()))
    };
    entered.recv().unwrap();
    // The volunteer's thread is stuck inside the source; nobody else notices.
    for _ in 0..100 {
        assert!(provider.credentials().into_ready().unwrap().is_ok());
    }
    leave.send(()).unwrap();
    volunteer.join().unwrap().unwrap();
    assert_eq!(fetches.load(Ordering::SeqCst), 2);
}
