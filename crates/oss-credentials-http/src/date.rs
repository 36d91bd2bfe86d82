//! The three forms of a date in HTTP.

use std::time::{Duration, SystemTime};

use chrono::NaiveDateTime;
use oss_credentials_core::rfc2822;

/// `Sunday, 06-Nov-94 08:49:37 GMT`
const RFC_850: &str = "%A, %d-%b-%y %H:%M:%S GMT";
/// `Sun Nov  6 08:49:37 1994`
const ASCTIME: &str = "%a %b %e %H:%M:%S %Y";

/// Parses a `Date` header in any of the forms that a recipient must accept: the usual one, that of RFC 850,
/// and that of C's `asctime` (RFC 9110, section 5.6.7). `None` if it has another form or is before 1970.
///
/// ```
/// use std::time::{Duration, SystemTime};
/// use oss_credentials_http::http_date;
///
/// let at = SystemTime::UNIX_EPOCH + Duration::from_secs(784_111_777);
/// assert_eq!(http_date("Sun, 06 Nov 1994 08:49:37 GMT"), Some(at));
/// assert_eq!(http_date("Sunday, 06-Nov-94 08:49:37 GMT"), Some(at));
/// assert_eq!(http_date("Sun Nov  6 08:49:37 1994"), Some(at));
/// assert_eq!(http_date("yesterday"), None);
/// ```
pub fn http_date(text: &str) -> Option<SystemTime> {
    let text = text.trim();
    let usual = rfc2822(text).filter(|at| *at >= SystemTime::UNIX_EPOCH);
    usual.or_else(|| {
        let old = |form| NaiveDateTime::parse_from_str(text, form).ok();
        let seconds = old(RFC_850).or_else(|| old(ASCTIME))?.and_utc().timestamp();
        SystemTime::UNIX_EPOCH.checked_add(Duration::from_secs(u64::try_from(seconds).ok()?))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Instants by `date --utc --date=… +%s` of coreutils.
    #[test]
    fn every_form_is_read_and_nothing_else() {
        let at = |seconds| Some(SystemTime::UNIX_EPOCH + Duration::from_secs(seconds));
        for (text, instant) in [
            ("Fri, 02 Jan 2026 03:04:05 GMT", at(1_767_323_045)),
            (" Friday, 02-Jan-26 03:04:05 GMT ", at(1_767_323_045)),
            ("Fri Jan  2 03:04:05 2026", at(1_767_323_045)),
            ("Fri Jan 12 03:04:05 2029", at(1_862_881_445)),
            ("Wednesday, 31-Dec-69 23:59:59 GMT", None),
            ("Wed, 31 Dec 1969 23:59:59 GMT", None),
            ("Monday, 02-Jan-26 03:04:05 GMT", None),
            ("Fri Jan  2 03:04:05 2026 GMT", None),
            ("2026-01-02T03:04:05Z", None),
            ("", None),
        ] {
            assert_eq!(http_date(text), instant, "{text}");
        }
    }
}
