//! Texts from outside without what must not be shown: a server that repeats the request repeats the token.

use std::borrow::Cow;
use std::collections::HashSet;
use std::hash::{BuildHasher as _, RandomState};

use oss_credentials_core::{Credentials, MaskedId};

/// So many letters and digits in a row that also stand in a secret are no coincidence.
const RUN: usize = 12;
/// A secret of fewer letters and digits may be a word, so it is looked for only as it is. Real ones have more.
const SHORTEST: usize = 8;
/// How often a text is decoded: a page may show an escaped URL in an escaped JSON text.
const ROUNDS: usize = 4;
/// Stands in place of a secret.
const REDACTED: &str = "<redacted>";
/// How AccessKey ids begin: those of a user and those of STS.
const ID_PREFIXES: [&str; 2] = ["LTAI", "STS."];
/// Shortest word that is taken for an id by its beginning, in bytes.
const MIN_ID: usize = 16;
/// Names behind which credentials and signatures stand, by their letters and digits.
const TELLING: [&str; 4] = ["authorization", "securitytoken", "osssignature", "oss4hmac"];

/// A text without secret and token. Where they, or a part of them, stand in it in another notation, nothing is left.
pub(crate) fn scrubbed(text: &str, used: &Credentials) -> String {
    let mut text = Cow::Borrowed(text);
    for secret in secrets(used) {
        if text.contains(secret) {
            text = Cow::Owned(text.replace(secret, REDACTED));
        }
    }
    if repeats(&text, secrets(used)) {
        return REDACTED.to_owned();
    }
    text.into_owned()
}

/// A text that is no error document as it may be quoted; `None` if it may hold credentials.
pub(crate) fn quotable(text: &str, used: &Credentials) -> Option<String> {
    if repeats(text, secrets(used)) || tells(text) {
        return None;
    }
    let text = masked(text, used);
    let id = Some(used.access_key_id()).filter(|id| !id.is_empty());
    (!repeats(&text, id.into_iter())).then_some(text)
}

/// A text with the AccessKey ids in it shortened.
pub(crate) fn masked(text: &str, used: &Credentials) -> String {
    let id = used.access_key_id();
    let mut text = Cow::Borrowed(text);
    if !id.is_empty() && text.contains(id) {
        text = Cow::Owned(text.replace(id, &MaskedId(id).to_string()));
    }
    let mut out = String::with_capacity(text.len());
    for word in text.split_inclusive(|c: char| !c.is_ascii_alphanumeric() && c != '.') {
        let bare = word.trim_end_matches(|c: char| !c.is_ascii_alphanumeric());
        if bare.len() >= MIN_ID && ID_PREFIXES.iter().any(|prefix| bare.starts_with(prefix)) {
            out.push_str(&MaskedId(bare).to_string());
            out.push_str(word.get(bare.len()..).unwrap_or_default());
        } else {
            out.push_str(word);
        }
    }
    out
}

fn secrets(used: &Credentials) -> impl Iterator<Item = &str> {
    [Some(used.access_key_secret()), used.security_token()]
        .into_iter()
        .flatten()
        .filter(|secret| !secret.is_empty())
}

/// Whether one of the secrets, or [`RUN`] letters and digits of it in a row, stands in the text in any notation.
///
/// Signs between letters and digits and the case of letters do not count, so that it does not matter which of them
/// a notation escapes or changes.
fn repeats<'a>(text: &str, secrets: impl Iterator<Item = &'a str>) -> bool {
    let hasher = RandomState::new();
    // Hashes, so that no copy of the secret is left in memory.
    let (mut long, mut short) = (HashSet::new(), Vec::new());
    for secret in secrets {
        match letters(secret).count() {
            0..SHORTEST if text.contains(secret) => return true,
            0..SHORTEST => {}
            size @ SHORTEST..RUN => short.extend(runs(secret, size, &hasher).map(|hash| (size, hash))),
            _ => long.extend(runs(secret, RUN, &hasher)),
        }
    }
    notations(text).any(|text| {
        runs(&text, RUN, &hasher).any(|hash| long.contains(&hash))
            || short
                .iter()
                .any(|(size, wanted)| runs(&text, *size, &hasher).any(|hash| hash == *wanted))
    })
}

/// Whether the text names what holds credentials.
fn tells(text: &str) -> bool {
    notations(text).any(|text| {
        let letters: String = letters(&text).map(char::from).collect();
        TELLING.iter().any(|name| letters.contains(name))
    })
}

/// The ASCII letters and digits of a text, in lower case.
fn letters(text: &str) -> impl Iterator<Item = u8> {
    text.bytes()
        .filter(u8::is_ascii_alphanumeric)
        .map(|byte| byte.to_ascii_lowercase())
}

/// Hashes of all `size` letters and digits in a row; `size` is at most [`RUN`].
fn runs(text: &str, size: usize, hasher: &RandomState) -> impl Iterator<Item = u64> {
    let mut last = [0; RUN];
    letters(text).enumerate().filter_map(move |(index, letter)| {
        last.rotate_left(1);
        if let Some(end) = last.last_mut() {
            *end = letter;
        }
        (index + 1 >= size).then(|| hasher.hash_one(last.get(RUN - size..)))
    })
}

/// The text, and what it is when it is decoded once and more often.
fn notations(text: &str) -> impl Iterator<Item = Cow<'_, str>> {
    let first = Cow::Borrowed(text);
    std::iter::successors(Some(first), |text| decoded(text).map(Cow::Owned)).take(ROUNDS)
}

/// The text with URL, XML, HTML and JSON escapes resolved; `None` if there are none.
fn decoded(text: &str) -> Option<String> {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    let mut found = false;
    while let Some(at) = rest.find(['%', '&', '\\']) {
        let (before, escape) = rest.split_at(at);
        out.push_str(before);
        let (c, length) = match one(escape) {
            Some(resolved) => {
                found = true;
                resolved
            }
            None => (escape.chars().next(), 1),
        };
        out.extend(c);
        rest = escape.get(length..).unwrap_or_default();
    }
    out.push_str(rest);
    found.then_some(out)
}

/// What the escape at the beginning of a text stands for, and its length in bytes.
fn one(escape: &str) -> Option<(Option<char>, usize)> {
    let hex = |from: usize, to: usize| {
        let digits = escape.get(from..to)?;
        let code = u32::from_str_radix(digits, 16).ok()?;
        Some((char::from_u32(code), to))
    };
    match escape.as_bytes() {
        [b'%', ..] => hex(1, 3),
        [b'\\', b'u', ..] => hex(2, 6),
        [b'\\', b'x', ..] => hex(2, 4),
        [b'\\', ..] => Some((None, 1)),
        [b'&', ..] => {
            let end = escape.bytes().take(12).position(|byte| byte == b';')?;
            let name = escape.get(1..end)?;
            let code = match name.strip_prefix('#') {
                // Named ones are signs, or letters that no secret has.
                None => return Some((if name == "amp" { Some('&') } else { None }, end + 1)),
                Some(number) => match number.strip_prefix(['x', 'X']) {
                    Some(digits) => u32::from_str_radix(digits, 16),
                    None => number.parse(),
                },
            };
            Some((char::from_u32(code.ok()?), end + 1))
        }
        _ => None,
    }
}
