//! Checks of JSON bodies, before and after parsing.

use std::fmt;

use zeroize::Zeroizing;

/// Why a body is not the expected one. It contains nothing of the body, since any part may belong to a key.
///
/// `Display` completes the sentence "the response …".
///
/// ```
/// use oss_credentials_core::body::BodyDefect;
/// let defect = BodyDefect::Missing("AccessKeyId");
/// assert_eq!(format!("the response {defect}"), "the response has no AccessKeyId");
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum BodyDefect {
    /// Nothing but white space.
    Empty,
    /// HTML, most likely from a proxy or a login page, or XML.
    Markup,
    /// Anything other than a JSON object.
    NotObject,
    /// A JSON object at first, but broken at this place, or with a field of another type there. The parser's own
    /// text is not used, because it may quote the body.
    NotJson {
        /// From 1.
        line: usize,
        /// From 1; 0 for the end of the line before.
        column: usize,
    },
    /// This field is missing or empty.
    Missing(&'static str),
    /// This field, or the named part, is malformed.
    Unreadable(&'static str),
}

impl fmt::Display for BodyDefect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str("is empty"),
            Self::Markup => f.write_str("is HTML or XML"),
            Self::NotObject => f.write_str("is not a JSON object"),
            Self::NotJson { line, column } => {
                write!(
                    f,
                    "is not the JSON that was expected (line {line}, column {column})"
                )
            }
            Self::Missing(field) => write!(f, "has no {field}"),
            Self::Unreadable(field) => write!(f, "has an unreadable {field}"),
        }
    }
}

impl std::error::Error for BodyDefect {}

/// Returns the body if it begins as a JSON object does, so that a parser can read the rest.
///
/// Parsers that are derived from a structure may accept an array as well.
///
/// # Errors
///
/// [`BodyDefect::Empty`], [`BodyDefect::Markup`] or [`BodyDefect::NotObject`].
///
/// ```
/// use oss_credentials_core::body::{BodyDefect, json_object};
/// assert_eq!(json_object(b" {}"), Ok(&b" {}"[..]));
/// assert_eq!(json_object(b"<html>"), Err(BodyDefect::Markup));
/// ```
pub fn json_object(body: &[u8]) -> Result<&[u8], BodyDefect> {
    match body.trim_ascii_start().first() {
        Some(b'{') => Ok(body),
        Some(b'<') => Err(BodyDefect::Markup),
        Some(_) => Err(BodyDefect::NotObject),
        None => Err(BodyDefect::Empty),
    }
}

/// Returns the value of a field that must be present and not empty.
///
/// # Errors
///
/// [`BodyDefect::Missing`].
///
/// ```
/// use oss_credentials_core::body::{BodyDefect, required};
/// assert_eq!(required(Some("STS.example"), "AccessKeyId"), Ok("STS.example"));
/// assert_eq!(required(Some(""), "AccessKeyId"), Err(BodyDefect::Missing("AccessKeyId")));
/// ```
pub fn required<T: AsRef<str>>(value: Option<T>, field: &'static str) -> Result<T, BodyDefect> {
    value
        .filter(|value| !value.as_ref().is_empty())
        .ok_or(BodyDefect::Missing(field))
}

/// Returns the text of a JSON string, given as it is written, with its quotes; `None` if it is not one.
///
/// The text is written once, into memory that is overwritten. Parsers copy a text with escapes into a buffer of their
/// own, which they free without overwriting it.
///
/// ```
/// use oss_credentials_core::body::json_text;
/// assert_eq!(json_text(r#""a \"b\" \u00e9""#).as_deref().map(String::as_str), Some("a \"b\" é"));
/// assert!(json_text("7").is_none());
/// ```
pub fn json_text(raw: &str) -> Option<Zeroizing<String>> {
    let mut rest = raw.strip_prefix('"')?.strip_suffix('"')?;
    // No escape is shorter than its character, so this never grows.
    let mut plain = Zeroizing::new(String::with_capacity(rest.len()));
    while let Some((before, from)) = rest.split_once('\\') {
        plain.push_str(before);
        let (character, length) = json_escape(from)?;
        plain.push(character);
        rest = from.get(length..)?;
    }
    plain.push_str(rest);
    Some(plain)
}

/// Returns the character of an escape, by what follows the backslash, and how many bytes of that belong to it.
fn json_escape(from: &str) -> Option<(char, usize)> {
    let unit = |at: usize| {
        let digits = from.get(at..at + 4)?;
        let is_hex = digits.bytes().all(|byte| byte.is_ascii_hexdigit());
        is_hex.then(|| u16::from_str_radix(digits, 16).ok()).flatten()
    };
    Some(match from.chars().next()? {
        'u' => {
            let first = unit(1)?;
            let second = if from.get(5..7) == Some("\\u") {
                unit(7)
            } else {
                None
            };
            let mut characters = char::decode_utf16([first].into_iter().chain(second));
            // An unpaired half of a character is an error.
            let character = characters.next()?.ok()?;
            (character, 5 + if character.len_utf16() == 2 { 6 } else { 0 })
        }
        'n' => ('\n', 1),
        'r' => ('\r', 1),
        't' => ('\t', 1),
        'b' => ('\u{8}', 1),
        'f' => ('\u{c}', 1),
        itself @ ('"' | '\\' | '/') => (itself, 1),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_body_is_looked_at_before_it_is_parsed() {
        for (body, defect) in [
            (&b""[..], BodyDefect::Empty),
            (b" \r\n", BodyDefect::Empty),
            (b"\n<html>", BodyDefect::Markup),
            (b"[{}]", BodyDefect::NotObject),
            (b"\"{}\"", BodyDefect::NotObject),
            (b"\xEF\xBB\xBF{}", BodyDefect::NotObject),
        ] {
            assert_eq!(json_object(body), Err(defect), "{body:?}");
        }
        assert_eq!(json_object(b"\n {"), Ok(&b"\n {"[..]));
        assert_eq!(required(None::<String>, "Code"), Err(BodyDefect::Missing("Code")));
    }

    #[test]
    fn json_texts_are_read_without_a_parser() {
        for (raw, text) in [
            (r#""""#, Some("")),
            (r#""a\"\\\/\b\f\n\r\tz""#, Some("a\"\\/\u{8}\u{c}\n\r\tz")),
            (r#""\u56fe\u00E9x""#, Some("图éx")),
            (r#""\ud83d\ude00\u0041""#, Some("😀A")),
            (r#""\u0041\ud83d\ude00""#, Some("A😀")),
            (r#""\ud83d""#, None),
            (r#""\ud83d\u0041""#, None),
            (r#""\ude00""#, None),
            (r#""\u+123""#, None),
            (r#""\u12""#, None),
            (r#""\x""#, None),
            (r#""a"#, None),
            ("null", None),
        ] {
            assert_eq!(json_text(raw).as_deref().map(String::as_str), text, "{raw}");
        }
        let long = json_text(&format!("\"{}\"", "\\\"".repeat(100))).unwrap();
        assert_eq!((long.len(), long.capacity()), (100, 200));
    }

    #[test]
    fn defects_end_a_sentence() {
        for (defect, text) in [
            (BodyDefect::Empty, "is empty"),
            (BodyDefect::Markup, "is HTML or XML"),
            (BodyDefect::NotObject, "is not a JSON object"),
            (
                BodyDefect::NotJson { line: 2, column: 7 },
                "is not the JSON that was expected (line 2, column 7)",
            ),
            (BodyDefect::Missing("Arn"), "has no Arn"),
            (BodyDefect::Unreadable("Arn"), "has an unreadable Arn"),
        ] {
            assert_eq!(defect.to_string(), text);
        }
    }
}
