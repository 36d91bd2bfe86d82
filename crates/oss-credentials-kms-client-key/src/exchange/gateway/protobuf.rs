//! The four messages of the instance gateway, in protobuf 3. Pure.
//!
//! They hold texts, a number and a switch; observed from the vendor's client (`alibabacloud-dkms-gcs`).

use oss_credentials_core::body::{BodyDefect, required};
use zeroize::Zeroizing;

use crate::exchange::quote::is_code;
use crate::exchange::wire::{SECRET_DATA, Secret, ServiceError};

/// The message as a whole, wherever it breaks.
const MALFORMED: BodyDefect = BodyDefect::Unreadable("protobuf message");

const VARINT: u8 = 0;
const FIXED64: u8 = 1;
const BYTES: u8 = 2;
const FIXED32: u8 = 5;

/// Appends a text field; an empty text is the default and is not written.
pub(super) fn put_text(message: &mut Vec<u8>, field: u8, text: &str) {
    if text.is_empty() {
        return;
    }
    message.push(field << 3 | BYTES);
    put_varint(message, text.len());
    message.extend_from_slice(text.as_bytes());
}

/// Appends a switch; off is the default and is not written.
pub(super) fn put_flag(message: &mut Vec<u8>, field: u8, on: bool) {
    if on {
        message.extend_from_slice(&[field << 3 | VARINT, 1]);
    }
}

fn put_varint(message: &mut Vec<u8>, mut value: usize) {
    loop {
        // Seven bits fit a byte.
        let low = u8::try_from(value & 0x7f).unwrap_or_default();
        value >>= 7;
        if value == 0 {
            return message.push(low);
        }
        message.push(low | 0x80);
    }
}

/// A field's value, as far as these messages have it.
enum Value<'a> {
    Text(&'a str),
    /// A varint; which one does not matter here.
    Number,
    /// A number of another form, or bytes that are not text: of a field that is not known.
    Other,
}

/// The fields of a message in the order they come; `Err` ends it.
struct Fields<'a>(&'a [u8]);

impl<'a> Fields<'a> {
    fn next(&mut self) -> Result<Option<(u64, Value<'a>)>, BodyDefect> {
        if self.0.is_empty() {
            return Ok(None);
        }
        let tag = self.varint()?;
        let number = tag >> 3;
        if number == 0 {
            return Err(MALFORMED);
        }
        let value = match u8::try_from(tag & 7).unwrap_or(u8::MAX) {
            VARINT => {
                self.varint()?;
                Value::Number
            }
            FIXED64 => {
                self.take(8)?;
                Value::Other
            }
            FIXED32 => {
                self.take(4)?;
                Value::Other
            }
            BYTES => {
                let length = usize::try_from(self.varint()?).map_err(|_| MALFORMED)?;
                std::str::from_utf8(self.take(length)?).map_or(Value::Other, Value::Text)
            }
            // Groups, which are nested, ended with protobuf 2.
            _ => return Err(MALFORMED),
        };
        Ok(Some((number, value)))
    }

    fn varint(&mut self) -> Result<u64, BodyDefect> {
        let mut value = 0_u64;
        for shift in (0..64).step_by(7) {
            let (byte, rest) = self.0.split_first().ok_or(MALFORMED)?;
            self.0 = rest;
            value |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Ok(value);
            }
        }
        Err(MALFORMED)
    }

    fn take(&mut self, length: usize) -> Result<&'a [u8], BodyDefect> {
        let (taken, rest) = self.0.split_at_checked(length).ok_or(MALFORMED)?;
        self.0 = rest;
        Ok(taken)
    }
}

/// Reads a `GetSecretValueResponse`. Fields may come in any order, the last of equal ones counts, and unknown
/// ones are skipped.
pub(crate) fn decode_secret(body: &[u8]) -> Result<Secret, BodyDefect> {
    if body.is_empty() {
        return Err(BodyDefect::Empty);
    }
    if body.trim_ascii_start().starts_with(b"<") {
        return Err(BodyDefect::Markup);
    }
    let mut secret = Secret::default();
    let mut fields = Fields(body);
    while let Some((number, value)) = fields.next()? {
        let text = match value {
            Value::Text(text) => text,
            // A known field of another type is not this message.
            Value::Number | Value::Other if (1..=13).contains(&number) => return Err(MALFORMED),
            Value::Number | Value::Other => continue,
        };
        let some = || Some(text.to_owned()).filter(|text| !text.is_empty());
        match number {
            2 => secret.kind = some(),
            3 => secret.data = Zeroizing::new(text.to_owned()),
            4 => secret.data_type = some(),
            5 => secret.stages.push(text.to_owned()),
            8 => secret.request_id = some(),
            10 => secret.next_rotation = some(),
            12 => secret.automatic_rotation = some(),
            _ => {}
        }
    }
    required(Some(secret.data.as_str()), SECRET_DATA)?;
    Ok(secret)
}

/// Reads an `Error`. `None` if it is none or holds no code.
///
/// A `GetSecretValueResponse` has the secret where an `Error` has its message, so the two must not be mixed up,
/// whatever the status: only an `Error` begins with a number, and it has no fields but these four.
pub(crate) fn decode_error(body: &[u8]) -> Option<ServiceError> {
    let mut error = ServiceError::default();
    let mut has_status = false;
    let mut fields = Fields(body);
    while let Some(field) = fields.next().ok()? {
        match field {
            (1, Value::Number) => has_status = true,
            (2, Value::Text(text)) => text.clone_into(&mut error.code),
            (3, Value::Text(text)) => error.message = filled(text),
            (4, Value::Text(text)) => {
                error.request_id = filled(text);
            }
            _ => return None,
        }
    }
    (has_status && is_code(&error.code)).then_some(error)
}

fn filled(text: &str) -> Option<Zeroizing<String>> {
    (!text.is_empty()).then(|| Zeroizing::new(text.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unknown_fields_are_skipped_by_type_and_the_last_value_counts() {
        let mut body = Vec::new();
        put_text(&mut body, 3, "old");
        // Fields 15 and 100 of every wire type.
        body.extend_from_slice(&[
            0x78, 0xff, 0x01, 0x79, 1, 2, 3, 4, 5, 6, 7, 8, 0x7d, 1, 2, 3, 4, 0x7a, 1, 0xff,
        ]);
        body.extend_from_slice(&[0xa2, 0x06, 1, b'x']);
        put_text(&mut body, 3, "new");
        put_text(&mut body, 2, "Generic");
        let secret = decode_secret(&body).ok().unwrap();
        assert_eq!(
            (secret.data.as_str(), secret.kind.as_deref()),
            ("new", Some("Generic"))
        );
    }

    #[test]
    fn what_is_no_message_is_refused() {
        for (body, expected) in [
            (&b""[..], BodyDefect::Empty),
            (b"<html>", BodyDefect::Markup),
            (b"\x1a\x05canary", MALFORMED),
            (b"\x1a\x7fcut", MALFORMED),
            (b"\x1a\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", MALFORMED),
            (b"\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80", MALFORMED),
            (b"\x1b\x01", MALFORMED),
            (b"\x02\x01x", MALFORMED),
            (b"\x18\x01", MALFORMED),
            (b"\x1a\x01\xff", MALFORMED),
            (b"\x12\x01x", BodyDefect::Missing("SecretData")),
            (br#"{"SecretData": "x"}"#, MALFORMED),
        ] {
            assert_eq!(decode_secret(body).err(), Some(expected), "{body:?}");
        }
        assert!(decode_error(b"\x08\x01\x12\x01x").is_some());
        for body in [
            &b""[..],
            b"<html>",
            b"\x08\x01\x12\x03a b",
            b"\x08\x01\x1a\x01x",
            b"\x08\x01\x12\x09x",
            // A `GetSecretValueResponse`, as a whole and without what all of them hold.
            b"\x0a\x01n\x12\x07Generic\x1a\x06canary",
            b"\x12\x07Generic\x1a\x06canary",
            b"\x08\x01\x12\x07Generic\x1a\x06canary\x2a\x0aACSCurrent",
            b"\x08\x01\x12\x07Generic\x1a\x06canary\x20\x01",
        ] {
            assert_eq!(decode_error(body), None, "{body:?}");
        }
    }

    #[test]
    fn lengths_over_127_take_two_bytes() {
        let mut body = Vec::new();
        put_text(&mut body, 3, &"x".repeat(300));
        assert_eq!(body[..3], [0x1a, 0xac, 0x02]);
        assert_eq!(decode_secret(&body).ok().unwrap().data.len(), 300);
    }
}
