//! Text below layers of encoding.

use zeroize::Zeroizing;

/// How many layers of encoding are examined.
const LAYERS: usize = 5;

/// Iterates over the text, then over the text decoded once, twice and so on; at most [`LAYERS`] of them.
pub(super) struct Layers {
    next: Option<Zeroizing<String>>,
    taken: usize,
}

impl Layers {
    pub(super) fn of(text: &str) -> Self {
        Self {
            next: Some(Zeroizing::new(text.to_owned())),
            taken: 0,
        }
    }

    /// Whether there are more layers below those that were examined.
    pub(super) fn are_left(&self) -> bool {
        self.next.is_some()
    }
}

impl Iterator for Layers {
    type Item = Zeroizing<String>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.taken == LAYERS {
            return None;
        }
        let layer = self.next.take()?;
        self.taken += 1;
        self.next = decoded(&layer);
        Some(layer)
    }
}

/// Removes one layer of percent-encoding, of character references (HTML, XML) and of escapes with a backslash
/// (JSON, JavaScript); `None` if there is none.
fn decoded(text: &str) -> Option<Zeroizing<String>> {
    let mut decoded = Zeroizing::new(String::with_capacity(text.len()));
    let mut found = false;
    let mut rest = text;
    while let Some(at) = rest.find(['%', '&', '\\']) {
        let (before, from) = rest.split_at(at);
        decoded.push_str(before);
        let (character, length) = match escape(from) {
            Some(known) => {
                found = true;
                known
            }
            None => (from.chars().next(), 1),
        };
        decoded.extend(character);
        rest = from.get(length..).unwrap_or_default();
    }
    decoded.push_str(rest);
    found.then_some(decoded)
}

/// Returns the character that the escape at the start of the text represents, `None` for one that does not matter, and
/// its length in bytes.
fn escape(text: &str) -> Option<(Option<char>, usize)> {
    let hex = |digits: &str| {
        let is_hex = digits.bytes().all(|byte| byte.is_ascii_hexdigit());
        let code = u32::from_str_radix(digits, 16).ok().filter(|_| is_hex)?;
        char::from_u32(code)
    };
    if let Some(digits) = text.strip_prefix('%') {
        return Some((Some(hex(digits.get(..2)?)?), 3));
    }
    if let Some(rest) = text.strip_prefix('\\') {
        let digits = match rest.as_bytes().first() {
            Some(b'u') => 4,
            Some(b'x') => 2,
            // `\/` is `/`; other escapes represent neither letters nor digits.
            _ => return Some((None, 1)),
        };
        return Some((Some(hex(rest.get(1..=digits)?)?), digits + 2));
    }
    let name = text.strip_prefix('&')?;
    let end = name.bytes().take(11).position(|byte| byte == b';')?;
    let name = name.get(..end).filter(|name| name.len() >= 2)?;
    let character = match name.strip_prefix('#') {
        Some(number) => Some(match number.strip_prefix(['x', 'X']) {
            Some(digits) => hex(digits)?,
            None => char::from_u32(number.parse().ok()?)?,
        }),
        None if name == "amp" => Some('&'),
        // Symbols, or letters that no secret has.
        None if name.bytes().all(|byte| byte.is_ascii_alphanumeric()) => None,
        None => return None,
    };
    Some((character, end + 2))
}
