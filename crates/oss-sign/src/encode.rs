//! Percent-encoding in the form of OSS, and the paths and queries built with it.

use std::borrow::Cow;
use std::cmp::Ordering;

use percent_encoding::{percent_decode, percent_encode_byte};

use crate::SignError;

/// For each byte whether it stays in a query: `A-Z a-z 0-9 - . _ ~`.
const STRICT: [bool; 256] = stays(b"-._~");
/// For each byte whether it stays in a path: those, and `/`.
const PATH: [bool; 256] = stays(b"-._~/");

const fn stays(marks: &[u8]) -> [bool; 256] {
    let mut table = [false; 256];
    let mut byte = 0;
    while byte < 128_u8 {
        table[byte as usize] = byte.is_ascii_alphanumeric();
        byte += 1;
    }
    let mut at = 0;
    while at < marks.len() {
        table[marks[at] as usize] = true;
        at += 1;
    }
    table
}

/// Takes text piece by piece.
pub(crate) trait TextSink {
    fn put_str(&mut self, piece: &str);
}

impl TextSink for String {
    fn put_str(&mut self, piece: &str) {
        self.push_str(piece);
    }
}

impl TextSink for Vec<u8> {
    fn put_str(&mut self, piece: &str) {
        self.extend_from_slice(piece.as_bytes());
    }
}

/// Percent-encodes a query name or value: all UTF-8 bytes except `A-Z a-z 0-9 - . _ ~`, with upper-case hex
/// digits.
///
/// ```
/// assert_eq!(oss_sign::encode("a b/ü+~"), "a%20b%2F%C3%BC%2B~");
/// ```
pub fn encode(text: &str) -> String {
    let mut out = String::with_capacity(encoded_len(text));
    put_encoded(&mut out, text);
    out
}

/// Percent-encodes like [`encode`], but leaves `/` unchanged.
///
/// ```
/// assert_eq!(oss_sign::encode_path("a b/c+d"), "a%20b/c%2Bd");
/// ```
pub fn encode_path(text: &str) -> String {
    let mut out = String::with_capacity(encoded_len(text));
    put_encoded_path(&mut out, text);
    out
}

/// Returns the path of the URL to send: `/key` if the host names the bucket (pass no bucket), otherwise `/bucket/key`.
///
/// Leading and doubled slashes of the key are kept. Check the key with [`check_key_for_url`] if the URL
/// goes through a library that removes dot segments.
///
/// ```
/// use oss_sign::url_path;
/// assert_eq!(url_path(None, Some("a b/c")), "/a%20b/c");
/// assert_eq!(url_path(Some("examplebucket"), Some("/lead")), "/examplebucket//lead");
/// assert_eq!(url_path(Some("examplebucket"), None), "/examplebucket/");
/// assert_eq!(url_path(None, None), "/");
/// ```
pub fn url_path(bucket: Option<&str>, key: Option<&str>) -> String {
    let mut out = String::with_capacity(2 + bucket.map_or(0, encoded_len) + key.map_or(0, encoded_len));
    put_resource(&mut out, bucket, key);
    out
}

/// Returns the query of the URL to send, without `?`, in the given order. A parameter without value is a bare name.
///
/// ```
/// assert_eq!(oss_sign::encode_query(&[("uploads", ""), ("prefix", "a/b c")]), "uploads&prefix=a%2Fb%20c");
/// ```
pub fn encode_query(pairs: &[(&str, &str)]) -> String {
    let length = pairs
        .iter()
        .map(|(name, value)| encoded_len(name) + encoded_len(value) + 2)
        .sum();
    let mut out = String::with_capacity(length);
    for (at, (name, value)) in pairs.iter().enumerate() {
        if at > 0 {
            out.push('&');
        }
        put_encoded(&mut out, name);
        if !value.is_empty() {
            out.push('=');
            put_encoded(&mut out, value);
        }
    }
    out
}

/// Splits and decodes the query of a URL, without `?`, as a service that received it does.
///
/// # Errors
///
/// [`SignError::InvalidQuery`] if it contains a raw `+` (a space to some, a plus to others), a broken escape, or
/// bytes that are not UTF-8.
///
/// ```
/// let pairs = oss_sign::decode_query("uploads&prefix=a%2Fb%20c")?;
/// assert_eq!(pairs, [("uploads".into(), "".into()), ("prefix".into(), "a/b c".into())]);
/// # Ok::<(), oss_sign::SignError>(())
/// ```
pub fn decode_query(query: &str) -> Result<Vec<(String, String)>, SignError> {
    let text = |part: &str| {
        check_escapes(part)?;
        match percent_decode(part.as_bytes()).decode_utf8() {
            Ok(text) => Ok(text.into_owned()),
            Err(_) => Err(SignError::InvalidQuery {
                what: "escaped bytes that are not UTF-8",
            }),
        }
    };
    split_query(query)
        .map(|(name, value)| Ok((text(name)?, text(value)?)))
        .collect()
}

/// Refuses a key with a segment `.` or `..`.
///
/// URL libraries that follow the WHATWG rules remove such segments after signing; the request then fails, or
/// addresses another key. Call this before passing a URL to such a library. Signing itself accepts these
/// keys, since not every stack normalizes.
///
/// # Errors
///
/// [`SignError::DotSegment`].
///
/// ```
/// use oss_sign::{SignError, check_key_for_url};
/// assert!(check_key_for_url("a/.hidden/b..c").is_ok());
/// assert_eq!(check_key_for_url("a/../b"), Err(SignError::DotSegment));
/// ```
pub fn check_key_for_url(key: &str) -> Result<(), SignError> {
    let mut segments = key.as_bytes().split(|byte| *byte == b'/');
    if segments.any(|segment| matches!(segment, b"." | b"..")) {
        return Err(SignError::DotSegment);
    }
    Ok(())
}

pub(crate) fn put_encoded(out: &mut impl TextSink, text: &str) {
    put_with(out, text, &STRICT);
}

fn put_encoded_path(out: &mut impl TextSink, text: &str) {
    put_with(out, text, &PATH);
}

fn put_with(out: &mut impl TextSink, mut text: &str, stays: &[bool; 256]) {
    loop {
        let run = text
            .bytes()
            .position(|byte| !stays[usize::from(byte)])
            .unwrap_or(text.len());
        let (plain, rest) = text.split_at(run);
        out.put_str(plain);
        let Some(letter) = rest.chars().next() else { return };
        let (letter, rest) = rest.split_at(letter.len_utf8());
        letter
            .bytes()
            .for_each(|byte| out.put_str(percent_encode_byte(byte)));
        text = rest;
    }
}

/// `/bucket/key` encoded, with what is missing or empty left out.
pub(crate) fn put_resource(out: &mut impl TextSink, bucket: Option<&str>, key: Option<&str>) {
    out.put_str("/");
    if let Some(bucket) = bucket.filter(|bucket| !bucket.is_empty()) {
        put_encoded_path(out, bucket);
        out.put_str("/");
    }
    if let Some(key) = key {
        put_encoded_path(out, key);
    }
}

fn is_unreserved(byte: u8) -> bool {
    STRICT[usize::from(byte)]
}

/// Length of the encoded form.
pub(crate) fn encoded_len(text: &str) -> usize {
    text.len() + 2 * text.bytes().filter(|byte| !is_unreserved(*byte)).count()
}

/// Raw names and values of an encoded query. Empty pieces between two `&` are not parameters.
pub(crate) fn split_query(query: &str) -> impl Iterator<Item = (&str, &str)> {
    query
        .split('&')
        .filter(|piece| !piece.is_empty())
        .map(|piece| piece.split_once('=').unwrap_or((piece, "")))
}

/// Refuses what two parties may decode differently.
pub(crate) fn check_escapes(part: &str) -> Result<(), SignError> {
    let mut bytes = part.bytes();
    while let Some(byte) = bytes.next() {
        let hex = |byte: Option<u8>| byte.is_some_and(|byte| byte.is_ascii_hexdigit());
        match byte {
            b'+' => {
                return Err(SignError::InvalidQuery {
                    what: "a raw plus sign",
                });
            }
            b'%' if !(hex(bytes.next()) && hex(bytes.next())) => {
                return Err(SignError::InvalidQuery {
                    what: "a percent sign that begins no escape",
                });
            }
            _ => {}
        }
    }
    Ok(())
}

/// A query name or value as the caller has it.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Text<'a> {
    /// Decoded.
    Plain(&'a str),
    /// Percent-encoded by somebody's rules, with well-formed escapes.
    Escaped(&'a str),
}

impl<'a> Text<'a> {
    pub(crate) const EMPTY: Text<'static> = Text::Plain("");

    /// A piece of an encoded query.
    pub(crate) fn from_encoded(part: &'a str) -> Result<Self, SignError> {
        check_escapes(part)?;
        Ok(if part.contains('%') {
            Self::Escaped(part)
        } else {
            Self::Plain(part)
        })
    }

    pub(crate) fn is_empty(self) -> bool {
        let (Self::Plain(text) | Self::Escaped(text)) = self;
        text.is_empty()
    }

    pub(crate) fn decoded(self) -> Cow<'a, [u8]> {
        match self {
            Self::Plain(text) => Cow::Borrowed(text.as_bytes()),
            Self::Escaped(text) => percent_decode(text.as_bytes()).into(),
        }
    }

    /// Returns whether it is `name` once decoded.
    pub(crate) fn is(self, name: &str) -> bool {
        match self {
            Self::Plain(text) => text == name,
            Self::Escaped(text) => percent_decode(text.as_bytes()).eq(name.bytes()),
        }
    }

    pub(crate) fn put(self, out: &mut impl TextSink) {
        match self {
            Self::Plain(text) => put_encoded(out, text),
            Self::Escaped(text) => percent_decode(text.as_bytes()).for_each(|byte| {
                if is_unreserved(byte) {
                    out.put_str(char::from(byte).encode_utf8(&mut [0; 4]));
                } else {
                    out.put_str(percent_encode_byte(byte));
                }
            }),
        }
    }

    /// An upper bound of the encoded length; exact for plain text.
    pub(crate) fn encoded_len(self) -> usize {
        match self {
            Self::Plain(text) => encoded_len(text),
            // Every escape is at most as long again; raw bytes may have to be escaped.
            Self::Escaped(text) => 3 * text.len(),
        }
    }

    /// The order of the encoded forms, without encoding them.
    pub(crate) fn cmp_encoded(self, other: Self) -> Ordering {
        match (self, other) {
            (Self::Plain(one), Self::Plain(two)) => cmp_ranks(one.bytes(), two.bytes()),
            (Self::Plain(one), Self::Escaped(two)) => cmp_ranks(one.bytes(), percent_decode(two.as_bytes())),
            (Self::Escaped(one), Self::Plain(two)) => cmp_ranks(percent_decode(one.as_bytes()), two.bytes()),
            (Self::Escaped(one), Self::Escaped(two)) => {
                cmp_ranks(percent_decode(one.as_bytes()), percent_decode(two.as_bytes()))
            }
        }
    }
}

fn cmp_ranks(one: impl Iterator<Item = u8>, two: impl Iterator<Item = u8>) -> Ordering {
    one.map(rank).cmp(two.map(rank))
}

/// Place of a byte in the order of encoded forms: an escape begins with `%`, which sorts before all
/// characters that stay, and two escapes sort by their hex digits, that is by the byte.
fn rank(byte: u8) -> u16 {
    u16::from(byte) + if is_unreserved(byte) { 256 } else { 0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_sort_like_their_encoded_forms() {
        let all: Vec<String> = (0_u8..128)
            .map(|byte| char::from(byte).to_string())
            .chain(["", "a", "a-b", "a.b", "a=b", "a b", "aB", "Ü", "ü", "a%"].map(str::to_owned))
            .collect();
        for one in &all {
            for two in &all {
                let expected = encode(one).cmp(&encode(two));
                let (one, two) = (Text::Plain(one), Text::Plain(two));
                assert_eq!(one.cmp_encoded(two), expected, "{one:?} {two:?}");
            }
        }
    }

    #[test]
    fn an_escaped_text_is_its_decoded_self() {
        let escaped = Text::from_encoded("%61%2fb%2D").unwrap();
        let plain = Text::Plain("a/b-");
        assert_eq!(escaped.cmp_encoded(plain), Ordering::Equal);
        assert_eq!(plain.cmp_encoded(escaped), Ordering::Equal);
        assert!(escaped.is("a/b-"));
        let mut out = String::new();
        escaped.put(&mut out);
        assert_eq!(out, "a%2Fb-");
        assert!(out.len() <= escaped.encoded_len());
    }

    #[test]
    fn doubtful_queries_are_refused() {
        for query in ["a+b=1", "a=1+2", "a=%", "a=%2", "a=%zz", "a=%+1", "a=%ff"] {
            assert!(
                matches!(decode_query(query), Err(SignError::InvalidQuery { .. })),
                "{query}"
            );
        }
        assert_eq!(
            decode_query("&&a==b&").unwrap(),
            [("a".to_owned(), "=b".to_owned())]
        );
    }

    #[test]
    fn dot_segments_are_found_at_every_place() {
        for key in [".", "..", "./a", "../a", "a/.", "a/..", "a/./b", "a//../b"] {
            assert_eq!(check_key_for_url(key), Err(SignError::DotSegment), "{key}");
        }
        for key in ["", "a", "...", ".a", "a.", "a/...", "%2e", "a\\..\\b", "a/. /b"] {
            assert_eq!(check_key_for_url(key), Ok(()), "{key}");
        }
    }
}
