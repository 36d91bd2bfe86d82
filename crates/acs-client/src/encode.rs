//! Encodings that `acs-sign` would provide, if it were not left out of unsigned calls.

use std::time::SystemTime;

use chrono::{DateTime, Datelike as _};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

/// Everything but RFC 3986's unreserved characters.
const ESCAPED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'_')
    .remove(b'.')
    .remove(b'~');

pub(crate) fn percent_encode(text: &str) -> String {
    utf8_percent_encode(text, ESCAPED).to_string()
}

/// `YYYY-MM-DDThh:mm:ssZ`, for years from 1970 to 9999.
pub(crate) fn timestamp(time: SystemTime) -> Option<String> {
    let since = time.duration_since(SystemTime::UNIX_EPOCH).ok()?;
    let seconds = i64::try_from(since.as_secs()).ok()?;
    let time = DateTime::from_timestamp(seconds, 0)?;
    (time.year() <= 9999).then(|| time.format("%Y-%m-%dT%H:%M:%SZ").to_string())
}

/// `key=value&…` in the order given, each percent-encoded.
pub(crate) fn encode_pairs(pairs: &[(&str, &str)]) -> String {
    // As large as it can become: growing would leave copies of a token behind in memory.
    let most = pairs.iter().map(|(key, value)| 3 * (key.len() + value.len()) + 2);
    let mut encoded = String::with_capacity(most.sum());
    for (key, value) in pairs {
        if !encoded.is_empty() {
            encoded.push('&');
        }
        encoded.extend(utf8_percent_encode(key, ESCAPED));
        encoded.push('=');
        encoded.extend(utf8_percent_encode(value, ESCAPED));
    }
    encoded
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn timestamps_have_whole_seconds_and_four_digit_years() {
        let at = |milliseconds| {
            SystemTime::UNIX_EPOCH
                .checked_add(Duration::from_millis(milliseconds))
                .unwrap()
        };
        assert_eq!(
            timestamp(at(1_767_323_045_999)).as_deref(),
            Some("2026-01-02T03:04:05Z")
        );
        assert_eq!(
            timestamp(at(253_402_300_799_000)).as_deref(),
            Some("9999-12-31T23:59:59Z")
        );
        assert_eq!(timestamp(at(253_402_300_800_000)), None);
        assert_eq!(timestamp(SystemTime::UNIX_EPOCH - Duration::from_secs(1)), None);
    }

    #[test]
    fn a_form_is_encoded_without_growing() {
        let pairs = [("a b", "图+/="), ("c", "-_.~"), ("d", "")];
        let encoded = encode_pairs(&pairs);
        assert_eq!(encoded, "a%20b=%E5%9B%BE%2B%2F%3D&c=-_.~&d=");
        let most: usize = pairs
            .iter()
            .map(|(key, value)| 3 * (key.len() + value.len()) + 2)
            .sum();
        assert_eq!(encoded.capacity(), most);
    }
}
