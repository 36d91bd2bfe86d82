//! A clock that moves only when the test moves it.

use std::collections::BTreeMap;
use std::future::poll_fn;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Poll, Waker};
use std::time::{Duration, SystemTime};

use crate::future::BoxFuture;
use crate::time::{Clock, Sleep};

/// A [`Clock`] and [`Sleep`] for tests. Clones are the same clock.
///
/// | | [`now`](Clock::now) | [`monotonic`](Clock::monotonic) and timers | [`since_boot`](Clock::since_boot) |
/// |---|---|---|---|
/// | [`advance`](Self::advance) | moves | move | moves |
/// | [`suspend`](Self::suspend) | moves | | moves |
/// | [`set`](Self::set), [`step_forward`](Self::step_forward), [`step_back`](Self::step_back) | moves | | |
///
/// ```
/// use std::time::Duration;
/// use oss_credentials_core::{test_util::ManualClock, Clock};
///
/// let clock = ManualClock::at_unix(1_767_256_200);
/// let before = clock.now();
/// clock.advance(Duration::from_secs(5));
/// assert_eq!(clock.now(), before + Duration::from_secs(5));
/// ```
#[derive(Clone, Debug)]
pub struct ManualClock {
    state: Arc<Mutex<State>>,
}

#[derive(Debug)]
struct State {
    wall: SystemTime,
    /// What a monotonic clock would show; timers run by it.
    elapsed: Duration,
    /// Moves as `elapsed` does, and while the machine is suspended.
    since_boot: Duration,
    timers: BTreeMap<u64, (Duration, Waker)>,
    next_timer: u64,
}

impl ManualClock {
    /// Creates a clock that shows this time.
    pub fn new(now: SystemTime) -> Self {
        let state = State {
            wall: now,
            elapsed: Duration::ZERO,
            since_boot: Duration::ZERO,
            timers: BTreeMap::new(),
            next_timer: 0,
        };
        Self {
            state: Arc::new(Mutex::new(state)),
        }
    }

    /// Creates a clock that shows this many seconds after 1970-01-01T00:00:00Z.
    pub fn at_unix(secs: u64) -> Self {
        Self::new(SystemTime::UNIX_EPOCH + Duration::from_secs(secs))
    }

    /// Lets time pass: the clock moves, and sleepers whose time has come wake up.
    pub fn advance(&self, by: Duration) {
        let due: Vec<Waker> = {
            let mut state = self.lock();
            state.wall = state.wall.checked_add(by).unwrap_or(state.wall);
            state.elapsed = state.elapsed.saturating_add(by);
            state.since_boot = state.since_boot.saturating_add(by);
            let elapsed = state.elapsed;
            let (due, later) = std::mem::take(&mut state.timers)
                .into_iter()
                .partition::<BTreeMap<_, _>, _>(|(_, (deadline, _))| *deadline <= elapsed);
            state.timers = later;
            due.into_values().map(|(_, waker)| waker).collect()
        };
        for waker in due {
            waker.wake();
        }
    }

    /// Lets time pass until the next sleeper wakes up, but no longer than `at_most`. Returns how much has passed.
    pub fn advance_to_next_sleeper(&self, at_most: Duration) -> Duration {
        let by = {
            let state = self.lock();
            let next = state.timers.values().map(|(deadline, _)| *deadline).min();
            next.map_or(at_most, |deadline| {
                deadline.saturating_sub(state.elapsed).min(at_most)
            })
        };
        self.advance(by);
        by
    }

    /// Suspends the machine for this long: the wall clock and [`Clock::since_boot`] move, while sleepers and
    /// [`Clock::monotonic`] stand still.
    pub fn suspend(&self, by: Duration) {
        let mut state = self.lock();
        state.wall = state.wall.checked_add(by).unwrap_or(state.wall);
        state.since_boot = state.since_boot.saturating_add(by);
    }

    /// Sets the wall clock, as an administrator would. Sleepers, [`Clock::monotonic`] and [`Clock::since_boot`] do
    /// not notice.
    pub fn set(&self, now: SystemTime) {
        self.lock().wall = now;
    }

    /// [Sets](Self::set) the wall clock forward by this much.
    pub fn step_forward(&self, by: Duration) {
        let mut state = self.lock();
        state.wall = state.wall.checked_add(by).unwrap_or(state.wall);
    }

    /// [Sets](Self::set) the wall clock back by this much.
    pub fn step_back(&self, by: Duration) {
        let mut state = self.lock();
        state.wall = state.wall.checked_sub(by).unwrap_or(state.wall);
    }

    /// Returns how many sleepers wait.
    pub fn sleepers(&self) -> usize {
        self.lock().timers.len()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Clock for ManualClock {
    fn now(&self) -> SystemTime {
        self.lock().wall
    }

    fn monotonic(&self) -> Option<Duration> {
        Some(self.lock().elapsed)
    }

    fn since_boot(&self) -> Option<Duration> {
        Some(self.lock().since_boot)
    }
}

impl Sleep for ManualClock {
    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()> {
        let (id, deadline) = {
            let mut state = self.lock();
            state.next_timer += 1;
            (state.next_timer, state.elapsed.saturating_add(duration))
        };
        let timer = Timer {
            clock: self.clone(),
            id,
        };
        Box::pin(async move {
            poll_fn(|cx| {
                let replaced;
                let mut state = timer.clock.lock();
                if state.elapsed >= deadline {
                    return Poll::Ready(());
                }
                replaced = state.timers.insert(timer.id, (deadline, cx.waker().clone()));
                drop(state);
                drop(replaced);
                Poll::Pending
            })
            .await;
        })
    }
}

/// Removes its entry when it is dropped.
struct Timer {
    clock: ManualClock,
    id: u64,
}

impl Drop for Timer {
    fn drop(&mut self) {
        let removed = self.clock.lock().timers.remove(&self.id);
        drop(removed);
    }
}

/// Returns the instant of a Unix time, in seconds.
///
/// ```
/// use std::time::SystemTime;
/// assert_eq!(oss_credentials_core::test_util::unix_time(0), SystemTime::UNIX_EPOCH);
/// ```
pub fn unix_time(seconds: u64) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(seconds)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_passes_until_the_next_sleeper_or_the_limit() {
        let second = Duration::from_secs(1);
        let clock = ManualClock::at_unix(100);
        assert_eq!(clock.advance_to_next_sleeper(5 * second), 5 * second);
        let mut cx = std::task::Context::from_waker(Waker::noop());
        let [mut short, mut long] = [2, 7].map(|count| clock.sleep(count * second));
        assert!(short.as_mut().poll(&mut cx).is_pending());
        assert!(long.as_mut().poll(&mut cx).is_pending());
        assert_eq!(clock.advance_to_next_sleeper(5 * second), 2 * second);
        assert!(short.as_mut().poll(&mut cx).is_ready());
        assert!(long.as_mut().poll(&mut cx).is_pending());
        assert_eq!(clock.advance_to_next_sleeper(4 * second), 4 * second);
        assert_eq!(clock.advance_to_next_sleeper(4 * second), second);
        assert!(long.as_mut().poll(&mut cx).is_ready());
    }

    #[test]
    fn each_move_shows_in_the_clocks_that_it_concerns() {
        let second = Duration::from_secs(1);
        let clock = ManualClock::at_unix(100);
        let shows = |clock: &ManualClock| {
            let wall = clock.now().duration_since(SystemTime::UNIX_EPOCH).unwrap();
            let [monotonic, since_boot] = [clock.monotonic(), clock.since_boot()].map(Option::unwrap);
            [wall, monotonic, since_boot].map(|shown| shown.as_secs())
        };
        assert_eq!(shows(&clock), [100, 0, 0]);
        clock.advance(5 * second);
        assert_eq!(shows(&clock), [105, 5, 5]);
        clock.suspend(20 * second);
        assert_eq!(shows(&clock), [125, 5, 25]);
        clock.step_forward(50 * second);
        assert_eq!(shows(&clock), [175, 5, 25]);
        clock.step_back(75 * second);
        assert_eq!(shows(&clock), [100, 5, 25]);
    }
}
