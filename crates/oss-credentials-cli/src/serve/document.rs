//! What callers get: JSON in a buffer that is overwritten when it is dropped, as the copies of the HTTP library are not.

use std::sync::{Mutex, PoisonError};
use std::time::SystemTime;

use hyper::body::Bytes;
use oss_credentials::Credentials;
use zeroize::Zeroizing;

use crate::export::local_expiry;
use crate::time::rfc3339;

/// The document of the credentials URI, kept while it would not change.
///
/// Not a `PerGeneration`: the same generation may get another expiry, and that of keys without one moves with the clock.
#[derive(Default)]
pub(super) struct UriDocument(Mutex<Option<Kept>>);

struct Kept {
    credentials: Credentials,
    expiration: Option<u64>,
    text: Bytes,
}

impl UriDocument {
    pub(super) fn of(&self, credentials: &Credentials, now: SystemTime) -> Bytes {
        let expires_at = local_expiry(credentials, now);
        let expiration = expires_at.duration_since(SystemTime::UNIX_EPOCH).ok();
        let expiration = expiration.map(|since| since.as_secs());
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(kept) = kept.as_ref()
            && kept.expiration == expiration
            && kept.credentials.same_generation_as(credentials)
        {
            return kept.text.clone();
        }
        let text = write(credentials, expires_at);
        *kept = Some(Kept {
            credentials: credentials.clone(),
            expiration,
            text: text.clone(),
        });
        text
    }
}

/// Vendor document: *Manage access credentials* of the Alibaba Cloud SDKs, "Use a credentials URI".
fn write(credentials: &Credentials, expires_at: SystemTime) -> Bytes {
    secret_json(&[
        ("Code", Some("Success")),
        ("AccessKeyId", Some(credentials.access_key_id())),
        ("AccessKeySecret", Some(credentials.access_key_secret())),
        (
            "SecurityToken",
            Some(credentials.security_token().unwrap_or_default()),
        ),
        ("Expiration", rfc3339(expires_at).as_deref()),
    ])
}

/// An object of texts, in a buffer with room for all of them: growing leaves copies behind in memory.
pub(super) fn secret_json(fields: &[(&str, Option<&str>)]) -> Bytes {
    // Quotes, colon and comma, or `null`.
    let room = fields
        .iter()
        .map(|(name, value)| name.len() + value.map_or(0, str::len) + 8);
    let mut text = Zeroizing::new(Vec::<u8>::with_capacity(room.sum::<usize>() + 2));
    for (number, (name, value)) in fields.iter().enumerate() {
        text.push(if number == 0 { b'{' } else { b',' });
        // Writing to a Vec cannot fail.
        let _ = serde_json::to_writer(&mut *text, name);
        text.push(b':');
        let _ = serde_json::to_writer(&mut *text, value);
    }
    text.push(b'}');
    Bytes::from_owner(text)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn at(secs: u64) -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_secs(secs)
    }

    fn temporary(expires_at: u64) -> Credentials {
        let builder = Credentials::builder("STS.EXAMPLE", "it\"s").security_token("TOKEN");
        builder.expires_at(at(expires_at)).build().unwrap()
    }

    // 2026-01-02T03:04:05Z
    const NOW: u64 = 1_767_323_045;

    #[test]
    fn a_document_is_kept_until_key_or_expiry_change() {
        let document = UriDocument::default();
        let read = |credentials: &Credentials, now: u64| {
            serde_json::from_slice::<serde_json::Value>(&document.of(credentials, at(now))).unwrap()
        };
        let first = temporary(NOW + 3600);
        let expected = serde_json::json!({
            "Code": "Success",
            "AccessKeyId": "STS.EXAMPLE",
            "AccessKeySecret": "it\"s",
            "SecurityToken": "TOKEN",
            "Expiration": "2026-01-02T04:04:05Z",
        });
        assert_eq!(read(&first, NOW), expected);
        let (one, other) = (document.of(&first, at(NOW)), document.of(&first, at(NOW + 5)));
        assert_eq!(one.as_ptr(), other.as_ptr(), "it is not made again");
        let longer = temporary(NOW + 3660);
        assert!(longer.same_generation_as(&first));
        assert_eq!(read(&longer, NOW)["Expiration"], "2026-01-02T04:05:05Z");
        let lasting = Credentials::builder("LTAIEXAMPLE", "SECRET").build().unwrap();
        assert_eq!(read(&lasting, NOW)["AccessKeyId"], "LTAIEXAMPLE");
        assert_eq!(read(&lasting, NOW)["SecurityToken"], "");
        assert_eq!(read(&lasting, NOW)["Expiration"], "2026-01-02T04:04:05Z");
        assert_eq!(read(&lasting, NOW + 60)["Expiration"], "2026-01-02T04:05:05Z");
    }
}
