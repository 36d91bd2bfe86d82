//! Points in time as headers and documents write them.

use std::time::SystemTime;

use chrono::{DateTime, Utc};
use oss_credentials_core::rfc3339;

/// `Thu, 01 Jan 2026 08:30:00 GMT`; `None` before 1970 and after the year 9999.
pub(crate) fn to_http(time: SystemTime) -> Option<String> {
    let since = time.duration_since(SystemTime::UNIX_EPOCH).ok()?;
    let time = DateTime::<Utc>::from_timestamp(i64::try_from(since.as_secs()).ok()?, 0)?;
    let text = time.format("%a, %d %b %Y %H:%M:%S GMT").to_string();
    // Four digits of the year are all that the format has.
    (text.len() == 29).then_some(text)
}

/// Reads `2026-01-01T08:30:00.000Z`; `None` before 1970.
pub(crate) fn from_iso(text: &str) -> Option<SystemTime> {
    rfc3339(text.trim()).filter(|time| *time >= SystemTime::UNIX_EPOCH)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use oss_credentials_http::http_date;

    use super::*;

    fn unix(seconds: u64) -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_secs(seconds)
    }

    #[test]
    fn both_forms_are_read_and_one_is_written() {
        // The example of RFC 9110, section 5.6.7.
        let text = "Sun, 06 Nov 1994 08:49:37 GMT";
        assert_eq!(http_date(text), Some(unix(784_111_777)));
        assert_eq!(
            http_date("Sunday, 06-Nov-94 08:49:37 GMT"),
            Some(unix(784_111_777))
        );
        assert_eq!(http_date("Sun Nov  6 08:49:37 1994"), Some(unix(784_111_777)));
        assert_eq!(to_http(unix(784_111_777)).as_deref(), Some(text));
        assert_eq!(
            from_iso("2026-01-01T08:30:00.250Z"),
            Some(unix(1_767_256_200) + Duration::from_millis(250))
        );
    }

    #[test]
    fn what_has_no_such_form_is_none() {
        for wrong in ["", "yesterday", "2026-01-01", "1767256200"] {
            assert_eq!((http_date(wrong), from_iso(wrong)), (None, None), "{wrong}");
        }
        assert_eq!(to_http(SystemTime::UNIX_EPOCH - Duration::from_secs(1)), None);
        assert_eq!(to_http(unix(253_402_300_800)), None);
        assert_eq!(from_iso("1969-12-31T23:59:59Z"), None);
        assert_eq!(http_date("Wed, 31 Dec 1969 23:59:59 GMT"), None);
    }
}
