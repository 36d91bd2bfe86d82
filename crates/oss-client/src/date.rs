//! Points in time as headers and documents write them.

use std::time::{Duration, SystemTime};

use chrono::{DateTime, NaiveDateTime, Utc};

/// `Sunday, 06-Nov-94 08:49:37 GMT`
const RFC_850: &str = "%A, %d-%b-%y %H:%M:%S GMT";
/// `Sun Nov  6 08:49:37 1994`
const ASCTIME: &str = "%a %b %e %H:%M:%S %Y";

/// `Thu, 01 Jan 2026 08:30:00 GMT`; `None` before 1970 and behind the year 9999.
pub(crate) fn to_http(time: SystemTime) -> Option<String> {
    let since = time.duration_since(SystemTime::UNIX_EPOCH).ok()?;
    let time = DateTime::<Utc>::from_timestamp(i64::try_from(since.as_secs()).ok()?, 0)?;
    let text = time.format("%a, %d %b %Y %H:%M:%S GMT").to_string();
    // Four digits of the year are all that the format has.
    (text.len() == 29).then_some(text)
}

/// Reads `Thu, 01 Jan 2026 08:30:00 GMT`, and the two older forms that a recipient must read, those of RFC 850 and of
/// C's `asctime` (RFC 9110, section 5.6.7).
pub(crate) fn from_http(text: &str) -> Option<SystemTime> {
    let text = text.trim();
    if let Ok(time) = DateTime::parse_from_rfc2822(text) {
        return to_system(time.to_utc());
    }
    let older = |form| NaiveDateTime::parse_from_str(text, form).ok();
    let time = older(RFC_850).or_else(|| older(ASCTIME))?;
    to_system(time.and_utc())
}

/// Reads `2026-01-01T08:30:00.000Z`.
pub(crate) fn from_iso(text: &str) -> Option<SystemTime> {
    to_system(DateTime::parse_from_rfc3339(text.trim()).ok()?.to_utc())
}

fn to_system(time: DateTime<Utc>) -> Option<SystemTime> {
    let millis = u64::try_from(time.timestamp_millis()).ok()?;
    SystemTime::UNIX_EPOCH.checked_add(Duration::from_millis(millis))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unix(seconds: u64) -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_secs(seconds)
    }

    #[test]
    fn both_forms_are_read_and_one_is_written() {
        // The example of RFC 9110, section 5.6.7.
        let text = "Sun, 06 Nov 1994 08:49:37 GMT";
        assert_eq!(from_http(text), Some(unix(784_111_777)));
        assert_eq!(
            from_http("Sunday, 06-Nov-94 08:49:37 GMT"),
            Some(unix(784_111_777))
        );
        assert_eq!(from_http("Sun Nov  6 08:49:37 1994"), Some(unix(784_111_777)));
        assert_eq!(to_http(unix(784_111_777)).as_deref(), Some(text));
        assert_eq!(
            from_iso("2026-01-01T08:30:00.250Z"),
            Some(unix(1_767_256_200) + Duration::from_millis(250))
        );
    }

    #[test]
    fn what_has_no_such_form_is_none() {
        for wrong in ["", "yesterday", "2026-01-01", "1767256200"] {
            assert_eq!((from_http(wrong), from_iso(wrong)), (None, None), "{wrong}");
        }
        assert_eq!(to_http(SystemTime::UNIX_EPOCH - Duration::from_secs(1)), None);
        assert_eq!(to_http(unix(253_402_300_800)), None);
        assert_eq!(from_iso("1969-12-31T23:59:59Z"), None);
    }
}
