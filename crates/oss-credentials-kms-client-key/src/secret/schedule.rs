//! When to fetch again. Pure.

use std::time::{Duration, SystemTime};

use crate::config::{MAX_TTL, MIN_REFRESH, ROTATION_DELAY};

/// What is known about how long a pair should be used.
pub(crate) struct Hints {
    /// From the secret itself; it replaces the interval.
    pub(crate) ttl: Option<Duration>,
    pub(crate) next_rotation: Option<SystemTime>,
    /// Whether the pair expires at a time that cannot be parsed: then it is fetched as often as allowed.
    pub(crate) ends_some_day: bool,
}

/// Returns how long to use a pair that was fetched at `now`, by the service's clock, before it is fetched again.
///
/// `spread` is added after a rotation, so that the many holders of a secret do not call in the same second.
pub(crate) fn refresh_after(
    interval: Duration,
    hints: &Hints,
    spread: Duration,
    now: SystemTime,
) -> Duration {
    if hints.ends_some_day {
        return MIN_REFRESH;
    }
    let interval = match hints.ttl {
        Some(ttl) => ttl.clamp(MIN_REFRESH, MAX_TTL),
        None => interval,
    };
    let until_rotated = hints
        .next_rotation
        .and_then(|at| at.duration_since(now).ok())
        .filter(|until| !until.is_zero())
        .map(|until| until.saturating_add(ROTATION_DELAY).saturating_add(spread));
    interval
        .min(until_rotated.unwrap_or(Duration::MAX))
        .max(MIN_REFRESH)
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: u64 = 60;
    const HOUR: u64 = 60 * MINUTE;
    const DAY: u64 = 24 * HOUR;

    #[test]
    fn the_earlier_of_interval_and_rotation_counts() {
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_772_352_550);
        let secs = Duration::from_secs;
        for (interval, ttl, rotation, spread, expected) in [
            (HOUR, None, None, 0, HOUR),
            (HOUR, None, Some(3 * HOUR), 0, HOUR),
            (HOUR, None, Some(10 * MINUTE), 0, 15 * MINUTE),
            (HOUR, None, Some(10 * MINUTE), 120, 17 * MINUTE),
            (6 * HOUR, None, Some(3 * HOUR), 0, 3 * HOUR + 5 * MINUTE),
            (6 * HOUR, None, Some(2 * DAY), 0, 6 * HOUR),
            (HOUR, Some(600), None, 0, 600),
            (HOUR, Some(1), None, 0, MINUTE),
            (HOUR, Some(7 * DAY), None, 0, DAY),
            (HOUR, Some(2 * HOUR), Some(10 * MINUTE), 0, 15 * MINUTE),
            (1, None, None, 0, MINUTE),
        ] {
            let hints = Hints {
                ttl: ttl.map(secs),
                next_rotation: rotation.map(|after| now + secs(after)),
                ends_some_day: false,
            };
            assert_eq!(
                refresh_after(secs(interval), &hints, secs(spread), now),
                secs(expected),
                "{interval} {ttl:?} {rotation:?} {spread}"
            );
        }
    }

    #[test]
    fn a_rotation_that_is_late_or_absurd_changes_nothing() {
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_772_352_550);
        let hour = Duration::from_secs(HOUR);
        for at in [now, now - Duration::from_secs(60), SystemTime::UNIX_EPOCH] {
            let hints = Hints {
                ttl: None,
                next_rotation: Some(at),
                ends_some_day: false,
            };
            assert_eq!(refresh_after(hour, &hints, Duration::MAX, now), hour);
        }
    }
}
