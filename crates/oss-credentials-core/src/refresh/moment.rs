//! One reading of the clocks.

use std::time::{Duration, SystemTime};

use crate::time::{Clock, TOLERANCE};

/// What the wall clock and the monotonic one showed at the same time.
#[derive(Clone, Copy, Debug)]
pub(super) struct Moment {
    pub(super) wall: SystemTime,
    /// A clock that nobody sets, but that may stand still while the machine is suspended. Where there is none, the
    /// wall clock stands in for it.
    pub(super) steady: Duration,
    /// Nanoseconds since 1970 at which the steady clock began, modulo 2^64: two readings agree if these do. Calculated
    /// once, as every cached read compares it.
    origin: u64,
    /// [`Clock::since_boot`], read only where it matters.
    since_boot: Option<Duration>,
}

const TOLERANCE_NANOS: u64 = nanos(TOLERANCE);

/// Modulo 2^64.
const fn nanos(duration: Duration) -> u64 {
    let secs = duration.as_secs().wrapping_mul(1_000_000_000);
    secs.wrapping_add(duration.subsec_nanos() as u64)
}

impl Moment {
    #[expect(
        clippy::inline_always,
        reason = "part of each cached read; see benches/callgrind"
    )]
    #[inline(always)]
    pub(super) fn read(clock: &dyn Clock) -> Self {
        let wall = clock.now();
        Self::new(wall, clock.monotonic())
    }

    #[expect(
        clippy::inline_always,
        reason = "part of each cached read; see benches/callgrind"
    )]
    #[inline(always)]
    fn new(wall: SystemTime, monotonic: Option<Duration>) -> Self {
        let since_epoch = wall.duration_since(SystemTime::UNIX_EPOCH);
        let wall_nanos = match &since_epoch {
            Ok(after) => nanos(*after),
            Err(before) => nanos(before.duration()).wrapping_neg(),
        };
        let steady = match monotonic {
            Some(steady) => steady,
            None => since_epoch.unwrap_or_default(),
        };
        Self {
            wall,
            steady,
            origin: wall_nanos.wrapping_sub(nanos(steady)),
            since_boot: None,
        }
    }

    #[cold]
    pub(super) fn with_since_boot(self, clock: &dyn Clock) -> Self {
        let since_boot = clock.since_boot();
        Self { since_boot, ..self }
    }

    /// This much later by both clocks; `None` beyond all time.
    pub(super) fn plus(self, duration: Duration) -> Option<Self> {
        Some(Self {
            wall: self.wall.checked_add(duration)?,
            steady: self.steady.checked_add(duration)?,
            origin: self.origin,
            since_boot: None,
        })
    }

    /// How long ago `earlier` was, by the steady clock.
    pub(super) fn since(self, earlier: Self) -> Duration {
        self.steady.saturating_sub(earlier.steady)
    }

    /// Whether either clock has reached `target`: the wall clock counts suspended time, and the steady one cannot be
    /// set back.
    #[expect(
        clippy::inline_always,
        reason = "part of each cached read; see benches/callgrind"
    )]
    #[inline(always)]
    pub(super) fn has_reached(self, target: Self) -> bool {
        self.steady >= target.steady || self.wall >= target.wall
    }

    /// The same, after a timer has reported that the steady clock shows `steady`.
    pub(super) fn at_least(self, steady: Duration) -> Self {
        let ahead = steady.saturating_sub(self.steady);
        Self {
            steady: self.steady.max(steady),
            origin: self.origin.wrapping_sub(nanos(ahead)),
            ..self
        }
    }

    /// How long ago `earlier` was, suspended time included; `None` where no clock counts it, or it was not read.
    pub(super) fn since_with_suspends(self, earlier: Self) -> Option<Duration> {
        self.since_boot?.checked_sub(earlier.since_boot?)
    }

    /// Whether both clocks have moved on from `earlier` by the same time. If not, either the wall clock was set or the
    /// machine was suspended.
    #[expect(
        clippy::inline_always,
        reason = "part of each cached read; see benches/callgrind"
    )]
    #[inline(always)]
    pub(super) fn agrees_with(self, earlier: Self) -> bool {
        let difference = self.origin.wrapping_sub(earlier.origin);
        difference.wrapping_add(TOLERANCE_NANOS) <= 2 * TOLERANCE_NANOS
            // The steady clock goes back only where the wall clock stands in for it.
            && (self.steady >= earlier.steady || earlier.since(self) <= TOLERANCE)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(wall: u64, steady: u64) -> Moment {
        let wall = SystemTime::UNIX_EPOCH + Duration::from_secs(wall);
        Moment::new(wall, Some(Duration::from_secs(steady)))
    }

    #[test]
    fn clocks_agree_up_to_30_s_in_both_directions() {
        let start = at(10_000, 500);
        for (wall, steady, agree) in [
            (13_600, 4_100, true),
            (13_630, 4_100, true),
            (13_631, 4_100, false),
            (13_570, 4_100, true),
            (13_569, 4_100, false),
            (9_980, 510, true),
            (9_979, 510, false),
            // No monotonic clock: both are the wall clock.
            (9_970, 470, true),
            (9_969, 469, false),
        ] {
            assert_eq!(at(wall, steady).agrees_with(start), agree, "{wall} {steady}");
        }
    }

    #[test]
    fn clocks_on_both_sides_of_the_epoch_and_far_from_it_are_compared() {
        let hour = Duration::from_secs(3600);
        for wall in [
            SystemTime::UNIX_EPOCH - hour / 2,
            SystemTime::UNIX_EPOCH + Duration::from_secs(300 * 365 * 24 * 3600),
            SystemTime::UNIX_EPOCH + Duration::from_secs(700 * 365 * 24 * 3600),
        ] {
            let start = Moment::new(wall, Some(hour));
            assert!(
                Moment::new(wall + hour, Some(2 * hour)).agrees_with(start),
                "{wall:?}"
            );
            assert!(
                !Moment::new(wall + hour, Some(hour)).agrees_with(start),
                "{wall:?}"
            );
            assert!(
                !Moment::new(wall - hour, Some(2 * hour)).agrees_with(start),
                "{wall:?}"
            );
        }
    }

    #[test]
    fn either_clock_reaches_a_target() {
        let target = at(100, 50);
        for (now, reached) in [
            (at(99, 49), false),
            (at(100, 0), true),
            (at(0, 50), true),
            (at(0, 0).at_least(Duration::from_secs(50)), true),
        ] {
            assert_eq!(now.has_reached(target), reached, "{now:?}");
        }
    }
}
