//! Instants as people and programs read them.

use std::time::{Duration, SystemTime};

use chrono::{DateTime, SecondsFormat};
use oss_credentials::{Clock as _, SystemClock};

/// RFC 3339 in UTC with whole seconds; `None` outside of what chrono can hold.
pub(crate) fn rfc3339(at: SystemTime) -> Option<String> {
    let since = at.duration_since(SystemTime::UNIX_EPOCH).ok()?;
    let at = DateTime::from_timestamp(i64::try_from(since.as_secs()).ok()?, 0)?;
    Some(at.to_rfc3339_opts(SecondsFormat::Secs, true))
}

/// The instant, and how far away it is.
pub(crate) fn with_distance(at: SystemTime, now: SystemTime) -> String {
    let text = rfc3339(at).unwrap_or_else(|| "at a time out of range".to_owned());
    match (at.duration_since(now), now.duration_since(at)) {
        (Ok(ahead), _) => format!("{text} (in {})", span(ahead)),
        (Err(_), Ok(past)) => format!("{text} ({} ago)", span(past)),
        (Err(_), Err(_)) => text,
    }
}

/// A reading of the monotonic clock.
pub(crate) fn monotonic() -> Duration {
    SystemClock.monotonic().unwrap_or_default()
}

/// A span in the two largest units that count.
pub(crate) fn span(duration: Duration) -> String {
    let secs = duration.as_secs();
    let (days, hours, minutes) = (secs / 86_400, secs / 3600 % 24, secs / 60 % 60);
    match secs {
        0..60 => format!("{secs} s"),
        60..3600 => format!("{minutes} min {} s", secs % 60),
        3600..86_400 => format!("{hours} h {minutes} min"),
        _ => format!("{days} d {hours} h"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_show_two_units() {
        for (secs, text) in [
            (0, "0 s"),
            (59, "59 s"),
            (60, "1 min 0 s"),
            (3599, "59 min 59 s"),
            (3600, "1 h 0 min"),
            (86_399, "23 h 59 min"),
            (90_000, "1 d 1 h"),
        ] {
            assert_eq!(span(Duration::from_secs(secs)), text);
        }
    }

    #[test]
    fn an_instant_shows_how_far_away_it_is() {
        // date -u -d @1767326645
        let at = SystemTime::UNIX_EPOCH + Duration::from_secs(1_767_326_645);
        let minute = Duration::from_secs(60);
        assert_eq!(
            with_distance(at, at - minute),
            "2026-01-02T04:04:05Z (in 1 min 0 s)"
        );
        assert_eq!(
            with_distance(at, at + minute),
            "2026-01-02T04:04:05Z (1 min 0 s ago)"
        );
    }
}
