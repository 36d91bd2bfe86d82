//! The clock offset learned from a service.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

use oss_credentials_core::{CLOCK_TOLERANCE, Clock, ClockOffset};

/// The offset learned from a service, for as long as it is valid.
///
/// An offset is right only until the local clock is set. A program that only signs never learns that the offset has
/// become wrong, so two events end it: the wall clock has moved relative to the monotonic one ([`Clock::monotonic`]) by
/// more than 30 seconds, or a response shows that the clocks agree ([`LearnedOffset::confirm`]). If the monotonic
/// clock stops while the machine is suspended, that counts as a set clock.
///
/// # Examples
///
/// ```
/// use std::time::Duration;
/// use oss_credentials_core::{Clock, ClockOffset, test_util::ManualClock};
/// use oss_credentials_http::LearnedOffset;
///
/// let clock = ManualClock::at_unix(1_767_256_200);
/// let service = clock.now() + Duration::from_secs(7_200);
/// let learned = LearnedOffset::default();
/// learned.set(ClockOffset::between(clock.now(), service), &clock);
/// clock.advance(Duration::from_secs(3_600));
/// assert_eq!(learned.get(&clock).unwrap().as_secs(), 7_200);
///
/// // Somebody puts the clock right.
/// clock.set(service + Duration::from_secs(3_600));
/// assert_eq!(learned.get(&clock), None);
/// ```
#[derive(Debug, Default)]
pub struct LearnedOffset {
    /// Avoids the lock if there is no offset, which is nearly always the case.
    is_known: AtomicBool,
    kept: Mutex<Option<Kept>>,
}

#[derive(Clone, Copy, Debug)]
struct Kept {
    offset: ClockOffset,
    /// What the wall clock showed when the monotonic one began. Changes only if the wall clock is set.
    origin: Option<SystemTime>,
}

impl LearnedOffset {
    /// Returns the offset; `None` if there is none, or `clock` was set since.
    pub fn get(&self, clock: &dyn Clock) -> Option<ClockOffset> {
        if !self.is_known() {
            return None;
        }
        let kept = (*self.lock())?;
        kept.holds(clock).then_some(kept.offset)
    }

    /// Stores an offset that the service has accepted, measured with `clock`; `None` discards the stored one.
    pub fn set(&self, offset: impl Into<Option<ClockOffset>>, clock: &dyn Clock) {
        let offset = offset.into();
        let origin = origin(clock);
        self.keep(&mut self.lock(), offset.map(|offset| Kept { offset, origin }));
    }

    /// Compares a known offset with the response to a request whose time was accepted: the response's offset replaces
    /// it, or ends it if the clocks agree to 30 seconds. If no offset is known, nothing is learned: the local clock
    /// is good enough.
    pub fn confirm(&self, measured: ClockOffset, clock: &dyn Clock) {
        if !self.is_known() {
            return;
        }
        let origin = origin(clock);
        let mut kept = self.lock();
        let still = kept.filter(|kept| kept.holds(clock) && measured.abs() > CLOCK_TOLERANCE);
        let offset = measured;
        self.keep(&mut kept, still.map(|_| Kept { offset, origin }));
    }

    /// Returns whether an offset is stored, valid or not: otherwise there is no need to measure.
    pub fn is_known(&self) -> bool {
        self.is_known.load(Ordering::Acquire)
    }

    fn keep(&self, kept: &mut Option<Kept>, new: Option<Kept>) {
        *kept = new;
        self.is_known.store(new.is_some(), Ordering::Release);
    }

    fn lock(&self) -> MutexGuard<'_, Option<Kept>> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Kept {
    /// Whether the wall clock still agrees with the monotonic one.
    fn holds(&self, clock: &dyn Clock) -> bool {
        match (self.origin, origin(clock)) {
            (Some(then), Some(now)) => ClockOffset::between(then, now).abs() <= CLOCK_TOLERANCE,
            _ => true,
        }
    }
}

fn origin(clock: &dyn Clock) -> Option<SystemTime> {
    clock.now().checked_sub(clock.monotonic()?)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::Duration;

    use oss_credentials_core::test_util::ManualClock;

    use super::*;

    const HOUR: Duration = Duration::from_secs(3600);

    #[test]
    fn a_learnt_offset_ends_when_the_local_clock_is_set() {
        let clock = ManualClock::at_unix(1_767_256_200);
        let hours = |hours: u32| ClockOffset::between(clock.now(), clock.now() + hours * HOUR);
        let learned = LearnedOffset::default();
        assert_eq!((learned.get(&clock), learned.is_known()), (None, false));
        // Nobody has refused the local time.
        learned.confirm(hours(2), &clock);
        assert_eq!(learned.get(&clock), None);

        learned.set(hours(2), &clock);
        clock.advance(1_000 * HOUR);
        clock.set(clock.now() + CLOCK_TOLERANCE);
        assert_eq!(learned.get(&clock), Some(hours(2)), "drift is no reason");
        for set_by in [2 * HOUR, CLOCK_TOLERANCE + Duration::from_millis(1)] {
            for later in [true, false] {
                learned.set(hours(2), &clock);
                let now = clock.now();
                clock.set(if later { now + set_by } else { now - set_by });
                assert_eq!(learned.get(&clock), None, "{set_by:?} {later}");
                // Of a clock that was set nothing is known but that the service accepts it.
                learned.confirm(hours(1), &clock);
                assert_eq!((learned.get(&clock), learned.is_known()), (None, false));
            }
        }
    }

    #[test]
    fn an_accepted_answer_corrects_a_learnt_offset_and_ends_it() {
        /// Shows no monotonic time, so that only responses show a set clock.
        #[derive(Debug)]
        struct WallClock(SystemTime);
        impl Clock for WallClock {
            fn now(&self) -> SystemTime {
                self.0
            }
        }
        let clock = Arc::new(WallClock(SystemTime::UNIX_EPOCH + 10 * HOUR));
        let by = |by: Duration| ClockOffset::between(clock.now(), clock.now() + by);
        let learned = LearnedOffset::default();
        learned.set(by(2 * HOUR), &clock);
        learned.confirm(by(HOUR), &clock);
        assert_eq!(learned.get(&clock), Some(by(HOUR)));
        learned.confirm(by(CLOCK_TOLERANCE), &clock);
        assert_eq!(learned.get(&clock), None);
        learned.set(by(HOUR), &clock);
        learned.set(None, &clock);
        assert_eq!(learned.get(&clock), None);
    }
}
