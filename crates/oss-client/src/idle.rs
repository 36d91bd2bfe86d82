//! The read timeout: how long a transfer may stall.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use oss_credentials_core::{BoxFuture, Clock, Sleep};
use oss_credentials_http::{HttpError, HttpErrorKind};

use crate::progress::Progress;

/// How many bytes of an upload may be buffered on this machine when the HTTP stack accepts no more: 4 MiB in the
/// system's send buffer, the default maximum of Linux (`tcp_wmem`), and 512 KiB in hyper's.
const BUFFERED: u64 = 4 * 1024 * 1024 + 512 * 1024;

/// How many of these bytes are sent per second at least: 245,760 bits, the lowest limit that the service can set for a
/// connection.
///
/// Vendor document: "Limit the bandwidth of a single connection" (Object Storage Service, developer guide).
const SLOWEST: u64 = 245_760 / 8;

/// The read timeout. reqwest's own timeout also runs while a body is uploaded, which would limit the whole upload.
#[derive(Clone)]
pub(crate) struct IdleTimeout {
    pub(crate) limit: Duration,
    pub(crate) sleep: Arc<dyn Sleep>,
    /// Its monotonic time shows how long the transfer has stalled.
    pub(crate) clock: Arc<dyn Clock>,
}

impl IdleTimeout {
    /// A timer for the whole limit.
    pub(crate) fn timer(&self) -> BoxFuture<'static, ()> {
        self.sleep.sleep(self.limit)
    }

    /// How long no progress may be visible after so many bytes were passed to the HTTP stack. The client cannot see when
    /// they leave the buffers.
    fn after(&self, handed_over: u64) -> Duration {
        let millis = handed_over.min(BUFFERED).saturating_mul(1000).div_ceil(SLOWEST);
        self.limit.saturating_add(Duration::from_millis(millis))
    }
}

/// A timer that is armed once and then only compared: arming and dropping a timer for each piece of a body would cost
/// more than reading the piece.
///
/// It is *idle* (no wait in progress), *armed*, or armed and *restarted* (there was progress since). A timer that fires
/// after a restart is armed again, for the rest of the limit.
#[derive(Default)]
pub(crate) struct IdleTimer {
    armed: Option<Armed>,
    /// When the wait began, by the monotonic clock; `None` without such a clock.
    since: Option<Duration>,
    is_restarted: bool,
}

struct Armed {
    timer: BoxFuture<'static, ()>,
    length: Duration,
    at: Option<Duration>,
}

impl IdleTimer {
    /// Restarts the wait. Costs a reading of the clock.
    pub(crate) fn restart(&mut self, idle: &IdleTimeout) {
        self.restart_at(idle.clock.monotonic());
    }

    /// Restarts the wait at this time.
    fn restart_at(&mut self, since: Option<Duration>) {
        self.since = since;
        self.is_restarted = self.armed.is_some();
    }

    /// Stops the timer. The next poll starts a new wait.
    pub(crate) fn stop(&mut self) {
        *self = Self::default();
    }

    /// Whether there was no progress for `limit`.
    pub(crate) fn poll(&mut self, idle: &IdleTimeout, limit: Duration, cx: &mut Context<'_>) -> Poll<()> {
        loop {
            let armed = self.armed.get_or_insert_with(|| Armed {
                timer: idle.sleep.sleep(limit),
                length: limit,
                at: idle.clock.monotonic(),
            });
            ready!(armed.timer.as_mut().poll(cx));
            let left = self.left(idle, limit);
            self.armed = None;
            if left.is_zero() {
                return Poll::Ready(());
            }
            self.is_restarted = false;
            self.armed = Some(Armed {
                timer: idle.sleep.sleep(left),
                length: left,
                at: idle.clock.monotonic(),
            });
        }
    }

    /// The rest of the limit when the timer has fired.
    ///
    /// If the clock did not advance with the timer, as with a clock that a test controls, the whole limit is waited for
    /// again.
    fn left(&self, idle: &IdleTimeout, limit: Duration) -> Duration {
        if !self.is_restarted {
            return Duration::ZERO;
        }
        let now = idle.clock.monotonic();
        let since = |start: Option<Duration>| Some(now?.saturating_sub(start?));
        let armed = self.armed.as_ref();
        let is_in_step = armed.is_some_and(|armed| since(armed.at) >= Some(armed.length));
        match since(self.since) {
            Some(waited) if is_in_step => limit.saturating_sub(waited),
            _ => limit,
        }
    }
}

/// Detects that an upload has stalled for too long.
///
/// It is not woken for each piece: when the timer fires, it reads when the last piece was taken, and waits for the rest.
pub(crate) struct UploadWatch<'a> {
    idle: &'a IdleTimeout,
    progress: &'a Progress,
    /// The progress when the wait began.
    seen: u64,
    limit: Duration,
    timer: IdleTimer,
    /// The time ran out while the caller's stream was pending: the next progress wakes the task and starts a new wait.
    is_paused: bool,
}

impl<'a> UploadWatch<'a> {
    pub(crate) fn new(idle: &'a IdleTimeout, progress: &'a Progress) -> Self {
        progress.keep_time(&idle.clock);
        let mut watch = Self {
            idle,
            progress,
            seen: 0,
            limit: idle.limit,
            timer: IdleTimer::default(),
            is_paused: false,
        };
        watch.begin();
        watch
    }

    fn begin(&mut self) {
        self.seen = self.progress.moves();
        self.limit = self.idle.after(self.progress.handed_over());
        let is_known = self.idle.clock.monotonic().is_some();
        self.timer.restart_at(is_known.then(|| self.progress.moved_at()));
        self.pause(false);
    }

    fn pause(&mut self, is_paused: bool) {
        self.is_paused = is_paused;
        self.progress.wake_on_move(is_paused);
    }

    /// Returns how long there was no progress.
    pub(crate) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Duration> {
        loop {
            if self.progress.moves() != self.seen {
                self.begin();
            }
            if self.is_paused {
                return Poll::Pending;
            }
            ready!(self.timer.poll(self.idle, self.limit, cx));
            if self.progress.moves() == self.seen && !self.progress.source_is_slow() {
                return Poll::Ready(self.limit);
            }
            self.timer.stop();
            // There may have been progress before this: then the next round begins a new wait.
            self.pause(true);
        }
    }
}

/// Polls, and turns a panic into an error: tokio panics where a runtime has no timer or no I/O driver, or has been
/// shut down.
pub(crate) fn guarded<T>(poll: impl FnOnce() -> Poll<Result<T, HttpError>>) -> Poll<Result<T, HttpError>> {
    catch_unwind(AssertUnwindSafe(poll)).unwrap_or_else(|_| {
        Poll::Ready(Err(HttpError::new(
            HttpErrorKind::Request,
            "the HTTP stack panicked; enable I/O and time in the tokio runtime, and await inside it",
        )))
    })
}

/// The idle timeout has elapsed.
pub(crate) fn silent(limit: Duration) -> HttpError {
    HttpError::new(
        HttpErrorKind::Timeout,
        format!("nothing arrived for {} ms", millis(limit)),
    )
}

/// A limit in milliseconds, rounded up: no text may state that nothing happened for 0 ms.
pub(crate) fn millis(limit: Duration) -> u128 {
    limit.as_nanos().div_ceil(1_000_000)
}

#[cfg(test)]
mod tests {
    use super::*;
    use oss_credentials_core::test_util::ManualClock;
    use std::sync::Mutex;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::time::SystemTime;

    #[test]
    fn a_limit_is_never_shown_as_nothing() {
        for (nanos, shown) in [(1, 1), (999_999, 1), (1_000_000, 1), (20_000_000_000, 20_000)] {
            assert_eq!(millis(Duration::from_nanos(nanos)), shown);
        }
    }

    const LIMIT: Duration = Duration::from_secs(20);

    /// Timers by a manual clock; notes how long each was armed for.
    #[derive(Clone, Debug, Default)]
    struct Armings(Arc<Mutex<Vec<u64>>>);

    /// A sleeper whose timers go off as the clock passes them.
    #[derive(Debug)]
    struct ByClock(Arc<ManualClock>, Armings);

    impl Sleep for ByClock {
        fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()> {
            self.1.0.lock().unwrap().push(duration.as_secs());
            let clock = Arc::clone(&self.0);
            let end = clock.monotonic().unwrap() + duration;
            Box::pin(std::future::poll_fn(move |_| {
                if clock.monotonic().unwrap() >= end {
                    Poll::Ready(())
                } else {
                    Poll::Pending
                }
            }))
        }
    }

    fn idle() -> (IdleTimeout, Arc<ManualClock>, Armings) {
        let clock = Arc::new(ManualClock::new(SystemTime::UNIX_EPOCH));
        let armings = Armings::default();
        let idle = IdleTimeout {
            limit: LIMIT,
            sleep: Arc::new(ByClock(Arc::clone(&clock), armings.clone())),
            clock: Arc::clone(&clock) as Arc<dyn Clock>,
        };
        (idle, clock, armings)
    }

    #[test]
    fn a_timer_is_armed_once_while_pieces_arrive() {
        let (idle, clock, armings) = idle();
        let mut timer = IdleTimer::default();
        let mut cx = Context::from_waker(std::task::Waker::noop());
        for _ in 0..19 {
            timer.restart(&idle);
            assert!(timer.poll(&idle, LIMIT, &mut cx).is_pending());
            clock.advance(Duration::from_secs(1));
        }
        assert_eq!(*armings.0.lock().unwrap(), [20]);
    }

    #[test]
    fn silence_is_found_after_exactly_the_limit() {
        let (idle, clock, armings) = idle();
        let mut timer = IdleTimer::default();
        let mut cx = Context::from_waker(std::task::Waker::noop());
        timer.restart(&idle);
        assert!(timer.poll(&idle, LIMIT, &mut cx).is_pending());
        clock.advance(Duration::from_secs(15));
        timer.restart(&idle);
        clock.advance(Duration::from_secs(5));
        // The first timer goes off, and 15 seconds of the limit are left.
        assert!(timer.poll(&idle, LIMIT, &mut cx).is_pending());
        clock.advance(Duration::from_secs(14));
        assert!(timer.poll(&idle, LIMIT, &mut cx).is_pending());
        clock.advance(Duration::from_secs(1));
        assert!(timer.poll(&idle, LIMIT, &mut cx).is_ready());
        assert_eq!(*armings.0.lock().unwrap(), [20, 15]);
    }

    /// Counts how often a task is woken.
    #[derive(Default)]
    struct Wakes(AtomicUsize);

    impl std::task::Wake for Wakes {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::SeqCst);
        }
    }

    /// A watch that has begun to wait.
    fn watching<'a>(idle: &'a IdleTimeout, progress: &'a Progress, cx: &mut Context<'_>) -> UploadWatch<'a> {
        let mut watch = UploadWatch::new(idle, progress);
        progress.register(cx.waker());
        assert!(watch.poll(cx).is_pending());
        watch
    }

    #[test]
    fn pieces_of_an_upload_wake_nobody_and_silence_is_counted_from_the_last() {
        let (idle, clock, armings) = idle();
        let (progress, count) = (Progress::default(), Arc::new(Wakes::default()));
        let waker = std::task::Waker::from(Arc::clone(&count));
        let mut cx = Context::from_waker(&waker);
        let mut watch = watching(&idle, &progress, &mut cx);
        for _ in 0..15 {
            clock.advance(Duration::from_secs(1));
            progress.asked(true, false);
        }
        assert_eq!(count.0.load(Ordering::SeqCst), 0);
        // The timer goes off 5 seconds after the last piece, and again after the rest.
        clock.advance(Duration::from_secs(5));
        assert!(watch.poll(&mut cx).is_pending());
        clock.advance(Duration::from_secs(14));
        assert!(watch.poll(&mut cx).is_pending());
        clock.advance(Duration::from_secs(1));
        assert_eq!(watch.poll(&mut cx), Poll::Ready(LIMIT));
        assert_eq!(*armings.0.lock().unwrap(), [20, 15]);
        // Where somebody follows the progress, each piece wakes.
        progress.asked(true, true);
        assert_eq!(count.0.load(Ordering::SeqCst), 1);
    }

    #[test]
    fn a_source_that_was_slow_wakes_the_upload_and_a_new_wait_begins() {
        let (idle, clock, _) = idle();
        let (progress, count) = (Progress::default(), Arc::new(Wakes::default()));
        let waker = std::task::Waker::from(Arc::clone(&count));
        let mut cx = Context::from_waker(&waker);
        let mut watch = watching(&idle, &progress, &mut cx);
        progress.asked(false, false);
        clock.advance(Duration::from_secs(100));
        assert!(watch.poll(&mut cx).is_pending());
        progress.asked(true, false);
        assert_eq!(count.0.load(Ordering::SeqCst), 1);
        assert!(watch.poll(&mut cx).is_pending());
        progress.register(&waker);
        progress.asked(true, false);
        assert_eq!(count.0.load(Ordering::SeqCst), 1);
        clock.advance(Duration::from_secs(19));
        assert!(watch.poll(&mut cx).is_pending());
        clock.advance(Duration::from_secs(1));
        assert_eq!(watch.poll(&mut cx), Poll::Ready(LIMIT));
    }

    #[test]
    fn a_clock_that_stands_still_does_not_make_a_transfer_endless() {
        #[derive(Debug)]
        struct AtOnce;
        impl Sleep for AtOnce {
            fn sleep(&self, _: Duration) -> BoxFuture<'static, ()> {
                Box::pin(std::future::ready(()))
            }
        }
        let (mut idle, _, _) = idle();
        idle.sleep = Arc::new(AtOnce);
        let mut timer = IdleTimer::default();
        let mut cx = Context::from_waker(std::task::Waker::noop());
        timer.restart(&idle);
        assert!(timer.poll(&idle, LIMIT, &mut cx).is_ready());
    }
}
