//! Readings of the clocks, and spans between them.

use std::time::{Duration, SystemTime};

use crate::time::{CLOCK_TOLERANCE, Clock};

/// What the wall clock and the monotonic one showed at the same time, before anything is calculated from it.
///
/// Almost every cached read ends with [`Span::contains`]. The others need a [`Moment`], which is more expensive.
#[derive(Clone, Copy, Debug)]
pub(super) struct Reading {
    wall: SystemTime,
    monotonic: Option<Duration>,
}

impl Reading {
    #[expect(
        clippy::inline_always,
        reason = "part of each cached read; see benches/callgrind"
    )]
    #[inline(always)]
    pub(super) fn take(clock: &dyn Clock) -> Self {
        let wall = clock.now();
        let monotonic = clock.monotonic();
        Self { wall, monotonic }
    }

    /// Nanoseconds of the wall clock since 1970, and of the steady clock; `None` if they are not in the range of `u64`.
    #[expect(
        clippy::inline_always,
        reason = "part of each cached read; see benches/callgrind"
    )]
    #[inline(always)]
    fn nanos(self) -> Option<(u64, u64)> {
        let wall = exact_nanos(self.wall.duration_since(SystemTime::UNIX_EPOCH).ok()?)?;
        match self.monotonic {
            Some(steady) => Some((wall, exact_nanos(steady)?)),
            None => Some((wall, wall)),
        }
    }
}

/// A part of time in which the clocks agree, prepared so that a read compares integers. For a reading outside of it,
/// the rules for [`Moment`]s decide.
#[derive(Clone, Copy, Debug)]
pub(super) struct Span {
    /// The lowest [`Moment::origin`] that agrees with the start.
    lowest_origin: u64,
    /// Nanoseconds of the steady clock.
    start: u64,
    length: u64,
    /// Nanoseconds of the wall clock, exclusive.
    wall_end: u64,
}

impl Span {
    /// From `start` until either clock reaches `end`; `None` if it never does.
    pub(super) fn new(start: Moment, end: Option<Moment>) -> Self {
        let (start_nanos, length) = match exact_nanos(start.steady) {
            Some(nanos) => (nanos, u64::MAX - nanos),
            None => (0, 0),
        };
        let span = Self {
            lowest_origin: start.origin.wrapping_sub(TOLERANCE_NANOS),
            start: start_nanos,
            length,
            wall_end: u64::MAX,
        };
        span.until(end)
    }

    /// The part before either clock reaches `end`; all of it for `None`.
    pub(super) fn until(self, end: Option<Moment>) -> Self {
        let Some(end) = end else {
            return self;
        };
        let steady_end = exact_nanos(end.steady).unwrap_or(u64::MAX);
        let wall_end = match end.wall.duration_since(SystemTime::UNIX_EPOCH) {
            Ok(after) => exact_nanos(after).unwrap_or(u64::MAX),
            Err(_) => 0,
        };
        Self {
            length: self.length.min(steady_end.saturating_sub(self.start)),
            wall_end: self.wall_end.min(wall_end),
            ..self
        }
    }

    #[expect(
        clippy::inline_always,
        reason = "part of each cached read; see benches/callgrind"
    )]
    #[inline(always)]
    pub(super) fn contains(&self, reading: Reading) -> bool {
        reading.nanos().is_some_and(|(wall, steady)| {
            let origin = wall.wrapping_sub(steady);
            origin.wrapping_sub(self.lowest_origin) <= 2 * TOLERANCE_NANOS
                && steady.wrapping_sub(self.start) < self.length
                && wall < self.wall_end
        })
    }
}

/// A [`Reading`] to calculate with.
#[derive(Clone, Copy, Debug)]
pub(super) struct Moment {
    pub(super) wall: SystemTime,
    /// A clock that cannot be set, but that may stop while the machine is suspended. Where there is none, the wall
    /// clock is used instead.
    pub(super) steady: Duration,
    /// Nanoseconds since 1970 at which the steady clock began, modulo 2^64: two readings agree if these do.
    origin: u64,
    /// [`Clock::since_boot`], read only where it matters.
    since_boot: Option<Duration>,
}

const TOLERANCE_NANOS: u64 = nanos(CLOCK_TOLERANCE);

/// Modulo 2^64.
const fn nanos(duration: Duration) -> u64 {
    let secs = duration.as_secs().wrapping_mul(1_000_000_000);
    secs.wrapping_add(duration.subsec_nanos() as u64)
}

#[expect(
    clippy::inline_always,
    reason = "part of each cached read; see benches/callgrind"
)]
#[inline(always)]
fn exact_nanos(duration: Duration) -> Option<u64> {
    // One comparison, where checked arithmetic would take two.
    (duration.as_secs() < u64::MAX / 1_000_000_000).then(|| nanos(duration))
}

impl Moment {
    pub(super) fn read(clock: &dyn Clock) -> Self {
        Reading::take(clock).into()
    }

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
    pub(super) fn agrees_with(self, earlier: Self) -> bool {
        let difference = self.origin.wrapping_sub(earlier.origin);
        difference.wrapping_add(TOLERANCE_NANOS) <= 2 * TOLERANCE_NANOS
            // The steady clock goes back only where the wall clock stands in for it.
            && (self.steady >= earlier.steady || earlier.since(self) <= CLOCK_TOLERANCE)
    }
}

impl From<Reading> for Moment {
    fn from(reading: Reading) -> Self {
        Self::new(reading.wall, reading.monotonic)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

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

    /// Seconds around a start, the tolerance, an hour later, and far from all of them.
    fn seconds() -> impl Strategy<Value = u64> {
        prop_oneof![
            9_960..=10_040_u64,
            13_560..=13_640_u64,
            0..=20_000_u64,
            Just(18_446_744_072_u64),
            Just(18_446_744_074_u64),
            Just(40_000_000_000_u64),
        ]
    }

    proptest! {
        /// The rule of the reads that calculate is the only one; a span is a faster way to the same result.
        #[test]
        fn a_span_contains_exactly_what_agrees_with_its_start_and_precedes_its_end(
            wall in seconds(),
            steady in seconds(),
            has_monotonic in any::<bool>(),
            end_after in prop::option::of(0..=4_000_u64),
        ) {
            let start = at(10_000, 10_000);
            let end = end_after.map(|secs| start.plus(Duration::from_secs(secs)).unwrap());
            let reading = Reading {
                wall: SystemTime::UNIX_EPOCH + Duration::from_secs(wall),
                monotonic: has_monotonic.then(|| Duration::from_secs(steady)),
            };
            let now = Moment::from(reading);
            let by_rule = now.agrees_with(start) && end.is_none_or(|end| !now.has_reached(end));
            let contains = Span::new(start, end).contains(reading);
            // Beyond 2^64 ns, and before the start, the rule has to be asked.
            if reading.nanos().is_some() && now.steady >= start.steady {
                prop_assert_eq!(contains, by_rule);
            } else {
                prop_assert!(!contains);
            }
        }
    }

    #[test]
    fn a_timer_that_is_ahead_makes_the_clocks_disagree_like_any_other_step() {
        let start = at(10_000, 500);
        assert!(start.at_least(Duration::from_secs(530)).agrees_with(start));
        assert!(!start.at_least(Duration::from_secs(531)).agrees_with(start));
        assert!(start.at_least(Duration::from_secs(400)).agrees_with(start));
    }

    #[test]
    fn nanoseconds_are_exact_up_to_2_to_the_64() {
        // 2^64 ns are 18,446,744,073.709551616 s.
        let last = Duration::from_secs(18_446_744_072);
        assert_eq!(exact_nanos(last), Some(18_446_744_072_000_000_000));
        assert_eq!(exact_nanos(Duration::new(18_446_744_073, 999_999_999)), None);
    }

    /// Within the tolerance, either clock may reach the end first.
    #[test]
    fn a_span_ends_once_either_clock_reaches_its_end() {
        let start = at(10_000, 500);
        let span = Span::new(start, None).until(Some(at(10_100, 600)));
        for (wall, steady, contained) in [
            (10_099, 599, true),
            (10_100, 599, false),
            (10_099, 600, false),
            (10_110, 590, false),
            (10_090, 610, false),
        ] {
            let reading = Reading {
                wall: SystemTime::UNIX_EPOCH + Duration::from_secs(wall),
                monotonic: Some(Duration::from_secs(steady)),
            };
            assert_eq!(span.contains(reading), contained, "{wall} {steady}");
        }
    }

    #[test]
    fn a_span_narrows_to_the_earliest_end() {
        let start = at(10_000, 500);
        let ends = [at(10_200, 700), at(10_100, 600)];
        for [first, second] in [ends, [ends[1], ends[0]]] {
            let span = Span::new(start, Some(first)).until(Some(second)).until(None);
            for (secs, contained) in [(0, true), (99, true), (100, false), (150, false)] {
                let reading = Reading {
                    wall: start.wall + Duration::from_secs(secs),
                    monotonic: Some(start.steady + Duration::from_secs(secs)),
                };
                assert_eq!(span.contains(reading), contained, "{secs}");
            }
        }
    }
}
