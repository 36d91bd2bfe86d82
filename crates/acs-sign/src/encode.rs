//! The encodings that both signatures share.

use std::time::SystemTime;

use chrono::{DateTime, Datelike as _, Utc};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use crate::error::SignError;

/// Everything but the unreserved characters of RFC 3986.
const ESCAPED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'_')
    .remove(b'.')
    .remove(b'~');

/// Percent-encodes as Alibaba Cloud signs: only `A-Z a-z 0-9 - _ . ~` stay bare, hex digits are upper case.
///
/// ```
/// assert_eq!(acs_sign::percent_encode("a b*~/+"), "a%20b%2A~%2F%2B");
/// ```
pub fn percent_encode(text: &str) -> String {
    let mut encoded = String::with_capacity(3 * text.len());
    put_encoded(&mut encoded, text);
    encoded
}

/// Returns `key=value&…` in the given order, with [`percent_encode`]: a query, or a form body that hashes as signed.
///
/// ```
/// assert_eq!(acs_sign::encode_pairs([("b", "1 2"), ("a", "")]), "b=1%202&a=");
/// ```
pub fn encode_pairs<K: AsRef<str>, V: AsRef<str>>(pairs: impl IntoIterator<Item = (K, V)>) -> String {
    let pairs: Vec<(K, V)> = pairs.into_iter().collect();
    // As large as it can become: growing would leave copies of the security token in memory.
    let most = pairs
        .iter()
        .map(|(key, value)| 3 * (key.as_ref().len() + value.as_ref().len()) + 2);
    let mut encoded = String::with_capacity(most.sum());
    for (key, value) in &pairs {
        if !encoded.is_empty() {
            encoded.push('&');
        }
        put_encoded(&mut encoded, key.as_ref());
        encoded.push('=');
        put_encoded(&mut encoded, value.as_ref());
    }
    encoded
}

/// Appends what [`percent_encode`] makes of the text: at most three bytes for each of its own.
pub(crate) fn put_encoded(out: &mut String, text: &str) {
    out.extend(utf8_percent_encode(text, ESCAPED));
}

/// [`encode_pairs`] in the order the service sorts: by the bytes of the key, then of the value.
pub(crate) fn canonical_pairs<'a>(pairs: impl Iterator<Item = (&'a str, &'a str)>) -> String {
    let mut pairs: Vec<_> = pairs.collect();
    pairs.sort_unstable();
    encode_pairs(pairs)
}

/// `YYYY-MM-DDThh:mm:ssZ`.
pub(crate) fn timestamp(time: SystemTime) -> Result<String, SignError> {
    let seconds = match time.duration_since(SystemTime::UNIX_EPOCH) {
        Ok(after) => i64::try_from(after.as_secs()).ok(),
        // Rounds towards the epoch; nobody signs in 1969 for a service that lives today.
        Err(before) => i64::try_from(before.duration().as_secs())
            .ok()
            .and_then(i64::checked_neg),
    };
    let utc: DateTime<Utc> = seconds
        .and_then(|seconds| DateTime::from_timestamp(seconds, 0))
        .ok_or(SignError::InvalidTime)?;
    if !(0..=9999).contains(&utc.year()) {
        return Err(SignError::InvalidTime);
    }
    Ok(utc.format("%Y-%m-%dT%H:%M:%SZ").to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn timestamps_have_whole_seconds_and_four_digit_years() {
        let at = |seconds| SystemTime::UNIX_EPOCH + Duration::from_secs(seconds);
        assert_eq!(timestamp(at(1_767_323_045)).unwrap(), "2026-01-02T03:04:05Z");
        assert_eq!(
            timestamp(at(0) + Duration::from_millis(1999)).unwrap(),
            "1970-01-01T00:00:01Z"
        );
        assert_eq!(timestamp(at(253_402_300_799)).unwrap(), "9999-12-31T23:59:59Z");
        assert_eq!(timestamp(at(253_402_300_800)), Err(SignError::InvalidTime));
        assert_eq!(timestamp(at(1 << 62)), Err(SignError::InvalidTime));
    }

    #[test]
    fn nothing_grows_while_it_is_encoded() {
        let text = "a/b+c=\u{56fe}";
        assert_eq!(percent_encode(text).capacity(), 3 * text.len());
        let pairs = [(text, "x"), ("SecurityToken", text)];
        let most: usize = pairs
            .iter()
            .map(|(key, value)| 3 * (key.len() + value.len()) + 2)
            .sum();
        assert_eq!(encode_pairs(pairs).capacity(), most);
    }

    #[test]
    fn hashes_overwrite_what_they_knew_of_a_key() {
        fn is_overwritten<T: zeroize::ZeroizeOnDrop>() {}
        is_overwritten::<sha1::Sha1>();
        is_overwritten::<hmac::digest::CtOutput<hmac::Hmac<sha1::Sha1>>>();
        is_overwritten::<sha2::Sha256>();
    }
}
