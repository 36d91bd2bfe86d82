//! Times as the services write and read them.

use std::time::{Duration, SystemTime};

use chrono::{DateTime, NaiveDateTime, Utc};

/// How far a request's time may be from the services' clock.
pub(crate) const MAX_SKEW: Duration = Duration::from_secs(15 * 60);

fn utc(at: SystemTime) -> DateTime<Utc> {
    let secs = match at.duration_since(SystemTime::UNIX_EPOCH) {
        Ok(after) => i64::try_from(after.as_secs()).ok(),
        Err(before) => i64::try_from(before.duration().as_secs()).ok().map(|secs| -secs),
    };
    secs.and_then(|secs| DateTime::from_timestamp(secs, 0))
        .unwrap_or_default()
}

/// `Thu, 01 Jan 2026 08:30:00 GMT`.
pub(crate) fn http_date(at: SystemTime) -> String {
    utc(at).format("%a, %d %b %Y %H:%M:%S GMT").to_string()
}

/// Reads [`http_date`].
pub(crate) fn parse_http_date(text: &str) -> Option<SystemTime> {
    parse(text, "%a, %d %b %Y %H:%M:%S GMT")
}

/// `2026-01-01T08:30:00Z`.
pub(crate) fn iso(at: SystemTime) -> String {
    utc(at).format("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// `2026-01-01T08:30:00.000Z`.
pub(crate) fn iso_millis(at: SystemTime) -> String {
    utc(at).format("%Y-%m-%dT%H:%M:%S.000Z").to_string()
}

/// Reads [`iso`].
pub(crate) fn parse_iso(text: &str) -> Option<SystemTime> {
    parse(text, "%Y-%m-%dT%H:%M:%SZ")
}

/// Reads [`iso_millis`], as well as [`iso`].
pub(crate) fn parse_iso_millis(text: &str) -> Option<SystemTime> {
    parse(text, "%Y-%m-%dT%H:%M:%S%.fZ")
}

/// Reads `20260101T083000Z`, the time of an OSS V4 signature.
pub(crate) fn parse_basic(text: &str) -> Option<SystemTime> {
    // chrono also takes one digit where two are meant.
    (text.len() == 16)
        .then(|| parse(text, "%Y%m%dT%H%M%SZ"))
        .flatten()
}

/// `20260101`, the day of an OSS V4 signature.
pub(crate) fn basic_day(at: SystemTime) -> String {
    utc(at).format("%Y%m%d").to_string()
}

fn parse(text: &str, format: &str) -> Option<SystemTime> {
    let secs = NaiveDateTime::parse_from_str(text, format)
        .ok()?
        .and_utc()
        .timestamp();
    shift(SystemTime::UNIX_EPOCH, secs)
}

/// `at` moved by this many seconds, which may be negative.
pub(crate) fn shift(at: SystemTime, secs: i64) -> Option<SystemTime> {
    let by = Duration::from_secs(secs.unsigned_abs());
    if secs < 0 {
        at.checked_sub(by)
    } else {
        at.checked_add(by)
    }
}

/// The distance between two times, whichever comes first.
pub(crate) fn apart(a: SystemTime, b: SystemTime) -> Duration {
    a.duration_since(b).unwrap_or_else(|error| error.duration())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_formats_are_those_of_the_services() {
        let at = SystemTime::UNIX_EPOCH + Duration::from_secs(1_767_256_200);
        assert_eq!(http_date(at), "Thu, 01 Jan 2026 08:30:00 GMT");
        assert_eq!(iso(at), "2026-01-01T08:30:00Z");
        assert_eq!(iso_millis(at), "2026-01-01T08:30:00.000Z");
        assert_eq!(parse_iso("2026-01-01T08:30:00Z"), Some(at));
        assert_eq!(parse_http_date("Thu, 01 Jan 2026 08:30:00 GMT"), Some(at));
        assert_eq!(parse_http_date("Fri, 01 Jan 2026 08:30:00 GMT"), None);
        assert_eq!(parse_basic("20260101T083000Z"), Some(at));
        assert_eq!(parse_http_date("Thu, 01 Jan 2026 08:30:00 GMT"), Some(at));
        assert_eq!(parse_http_date("Thu, 01 Jan 2026 08:30:00 +0000"), None);
        assert_eq!(parse_iso_millis("2026-01-01T08:30:00.000Z"), Some(at));
        assert_eq!(parse_iso_millis("2026-01-01T08:30:00Z"), Some(at));
        for bad in ["2026-01-01 08:30:00", "2026-01-01T08:30:00+08:00", ""] {
            assert_eq!(parse_iso(bad), None, "{bad}");
        }
        assert_eq!(parse_basic("2026011T083000Z"), None);
        assert_eq!(
            shift(at, -10).map(|earlier| apart(earlier, at)),
            Some(Duration::from_secs(10))
        );
    }
}
