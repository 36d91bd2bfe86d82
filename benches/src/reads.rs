//! How long it takes to read cached credentials, compared with what any such read has to do, and with other
//! caches.
//!
//! `cargo run --release --bin reads [-- --gate]`

use std::hint::{black_box, spin_loop};
use std::pin::pin;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Waker};
use std::thread;
use std::time::{Duration, SystemTime};

use arc_swap::ArcSwapOption;
use benches::measure::{Contender, Goal, Table, interleaved};
use benches::subjects::{Ours, Reply, Source};
use oss_credentials_core::{Clock, CredentialsProvider, RefreshingProvider, SystemClock, blocking};

const HOUR: Duration = Duration::from_secs(3600);
const NO_GOAL: Goal = Goal::None;

/// Reads of one thread in one batch: long enough to make the start of the threads small, short enough to meet
/// few interruptions.
const READS: usize = 40_000;
const ROUNDS: usize = 151;
#[cfg(feature = "rivals")]
const ROUNDS_OF_RIVALS: usize = 31;

/// Does so many reads on the thread that calls it.
type Reads<'a> = Box<dyn Fn(usize) + Sync + 'a>;

fn repeat<'a>(read: impl Fn() + Sync + 'a) -> Reads<'a> {
    Box::new(move |count| (0..count).for_each(|_| read()))
}

/// A future that is ready, or else a wait.
#[cfg_attr(not(feature = "rivals"), allow(dead_code))]
fn finish<F: Future>(future: F) -> F::Output {
    let mut future = pin!(future);
    match future.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(output) => output,
        Poll::Pending => blocking::wait(future),
    }
}

/// What no cache can do without that may be replaced at any time and does not outlive its value.
#[expect(clippy::disallowed_methods, reason = "a benchmark takes the time")]
fn floor(swap: &ArcSwapOption<SystemTime>) {
    let guard = swap.load();
    black_box((guard.as_deref(), SystemTime::now()));
}

fn with_cached(provider: &RefreshingProvider<Ours>) {
    black_box(provider.with_cached(|credentials| black_box(credentials.access_key_id()).len()));
}

fn cached(provider: &RefreshingProvider<Ours>) {
    black_box(provider.cached());
}

fn credentials(provider: &RefreshingProvider<Ours>) {
    black_box(
        provider
            .credentials()
            .into_ready()
            .is_ok_and(|answer| black_box(answer).is_ok()),
    );
}

/// One batch on each of so many threads.
fn on_threads<'a>(threads: usize, reads: &'a Reads<'a>) -> Contender<'a> {
    Box::new(move |watch| {
        watch.time(|| {
            thread::scope(|scope| {
                for _ in 1..threads {
                    scope.spawn(|| reads(READS));
                }
                reads(READS);
            });
        });
    })
}

/// One batch on each of two threads that begin together; the time until both are done.
fn side_by_side<'a>(reads: &'a Reads<'a>) -> Contender<'a> {
    let wait_for = |flag: &AtomicBool| {
        while !flag.load(Ordering::Acquire) {
            spin_loop();
        }
    };
    Box::new(move |watch| {
        let [here, go, done] = [const { AtomicBool::new(false) }; 3];
        thread::scope(|scope| {
            scope.spawn(|| {
                here.store(true, Ordering::Release);
                wait_for(&go);
                reads(READS);
                done.store(true, Ordering::Release);
            });
            wait_for(&here);
            watch.time(|| {
                go.store(true, Ordering::Release);
                reads(READS);
                wait_for(&done);
            });
        });
    })
}

fn against_the_floor(table: &mut Table, provider: &RefreshingProvider<Ours>, end: SystemTime) {
    let swap = ArcSwapOption::from_pointee(end);
    let contenders = [
        repeat(|| floor(&swap)),
        repeat(|| with_cached(provider)),
        repeat(|| cached(provider)),
        repeat(|| credentials(provider)),
    ];
    for threads in [1, 2, 4, 8] {
        let mut batches: Vec<_> = contenders
            .iter()
            .map(|reads| on_threads(threads, reads))
            .collect();
        let rounds = interleaved(ROUNDS, &mut batches);
        let owned = if threads == 1 { Goal::AtMost(1.5) } else { NO_GOAL };
        let mut row = |what: &str, goal, contender| {
            table.row(
                format!("{what} / floor, {threads} thread(s)"),
                goal,
                rounds.ratio(contender, 0),
            );
        };
        row("with_cached()", Goal::AtMost(1.15), 1);
        row("cached()", owned, 2);
        row("credentials()", owned, 3);
    }
    let [floor, borrowed, ..] = &contenders;
    let mut batches = [
        on_threads(1, floor),
        side_by_side(floor),
        on_threads(1, borrowed),
        side_by_side(borrowed),
    ];
    let rounds = interleaved(ROUNDS, &mut batches);
    // The best rounds: what else runs on the machine takes a core away from two threads sooner than from one.
    let mut row = |what, goal, alone, both| {
        let gain = 2.0 * rounds.best(alone) / rounds.best(both);
        table.row(format!("{what}, throughput of 2 threads / 1 thread"), goal, gain);
    };
    row("floor", NO_GOAL, 0, 1);
    // Twice, less what two busy cores take from each other: the floor does not reach 2 either.
    row("with_cached()", Goal::AtLeast(1.9), 2, 3);
}

#[cfg(feature = "rivals")]
fn against_others(table: &mut Table, provider: &RefreshingProvider<Ours>, source: &Arc<Source>) {
    use ::ossify::credentials::CredentialsProvider as _;
    use benches::subjects::{object_store, ossify, reqsign};

    let signer = reqsign::cache(source);
    let caching = ossify::cache(source);
    let store = object_store::cache(source);
    let contenders = [
        repeat(|| credentials(provider)),
        Box::new(|count| {
            let mut head = reqsign::empty_head();
            (0..count).for_each(|_| finish(signer.sign(&mut head, None)).unwrap());
        }),
        repeat(|| drop(black_box(finish(caching.get_credentials())).unwrap())),
        repeat(|| drop(black_box(finish(store.get_credential())).unwrap())),
    ];
    contenders.iter().for_each(|reads| reads(1));
    for threads in [1, 2, 4, 8] {
        let mut batches: Vec<_> = contenders
            .iter()
            .map(|reads| on_threads(threads, reads))
            .collect();
        let rounds = interleaved(ROUNDS_OF_RIVALS, &mut batches);
        let mut row = |rival: &str, contender| {
            let what = format!("{rival} / credentials(), {threads} thread(s)");
            table.row(what, Goal::AtLeast(1.0), rounds.ratio(contender, 0));
        };
        row("reqsign-core", 1);
        row("ossify", 2);
        row("object_store", 3);
    }
}

fn main() -> ExitCode {
    let source = Source::new(SystemClock, Duration::ZERO, Reply::Lasting(HOUR));
    let provider = RefreshingProvider::new(Ours(Arc::clone(&source)));
    blocking::wait(provider.credentials()).unwrap();

    let mut table = Table::default();
    against_the_floor(&mut table, &provider, SystemClock.now() + HOUR);
    #[cfg(feature = "rivals")]
    against_others(&mut table, &provider, &source);
    table.finish()
}
