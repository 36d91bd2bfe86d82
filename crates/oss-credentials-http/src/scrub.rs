//! Removes secrets from outside text for errors and logs: the only place where this is done.

use std::collections::{BTreeMap, HashSet};
use std::fmt;
use std::hash::{BuildHasher as _, RandomState};

use oss_credentials_core::{Credentials, MaskedId};
use zeroize::Zeroizing;

use crate::base64;
use crate::layers::Layers;

/// This many consecutive letters and digits of a secret are a piece of it, not a coincidence.
pub(super) const PIECE: usize = 12;
/// A secret or key ID of fewer letters and digits may be a word, most often a placeholder such as `id`, so it is
/// searched for only as a whole word, exactly as it is written.
pub(super) const SHORTEST: usize = 8;
/// How many bytes of a text are examined; the rest is left out. An error shows 512 characters.
const MAX_SEARCHED: usize = 16 * 1024;
/// Maximum length of an error code or request ID that is passed on. The services' request IDs have 36 characters.
pub(super) const MAX_IDENTIFIER: usize = 64;
/// Maximum length of a link that is passed on.
const MAX_LINK: usize = 300;
/// Prefixes of access key IDs: those of users and those of STS.
const ID_PREFIXES: [&str; 2] = ["LTAI", "STS."];
/// Minimum length of a word that is recognized as an access key ID by its prefix, in bytes.
const MIN_ID: usize = 16;
/// Names that are followed by credentials or signatures, reduced to their letters and digits.
const TELLING: [&str; 4] = ["authorization", "securitytoken", "osssignature", "oss4hmac"];
/// Introduces the text that a service signed, which contains the security token.
const STRING_TO_SIGN: [&str; 3] = ["string to sign", "stringtosign", "string_to_sign"];
/// Replaces a text.
const WITHHELD: &str = "text withheld, as it repeats a secret";
/// Replaces a secret.
const REDACTED: &str = "<redacted>";

/// Removes secrets from outside text for errors and logs: a server that repeats the request repeats its secrets.
///
/// A text repeats a secret if it contains all of it, or 12 consecutive letters and digits of it (all of them, for a
/// secret with 8 to 11). The case of the letters, and other characters between them, do not matter. The
/// text is searched as it is, and below up to five layers of percent-encoding, of HTML, XML or JSON escapes. A text
/// with even more layers counts as one that repeats a secret. The base64 of a secret, in either alphabet and with
/// other text before and after it, counts as the secret. A secret with fewer than 8 letters and digits is most often
/// a placeholder, and may be a part of any word: it is searched for only as a separate word, with no letter or digit
/// next to it. The same applies to such a key ID.
///
/// The first 16 KiB of a text to be shown are examined, and the rest is left out.
///
/// # Examples
///
/// ```
/// use oss_credentials_core::Credentials;
/// use oss_credentials_http::Scrubber;
///
/// let used = Credentials::builder("LTAI5tExampleKeyId01", "example-Secret+1").build()?;
/// let scrubber = Scrubber::of(&used).hide("pass-word-of-the-key-file");
/// assert_eq!(
///     scrubber.text("LTAI5tExampleKeyId01 is disabled"),
///     "LTAI****Id01 is disabled"
/// );
/// assert_eq!(
///     scrubber.text("bad secret: EXAMPLE-Secret%2B1"),
///     "text withheld, as it repeats a secret"
/// );
/// # Ok::<(), oss_credentials_core::CredentialsError>(())
/// ```
#[derive(Clone, Default)]
#[must_use]
pub struct Scrubber<'a> {
    secrets: Vec<&'a str>,
    /// Hashes, so that no copy of a secret stays in memory; by how many letters and digits were hashed.
    pieces: BTreeMap<usize, HashSet<u64>>,
    hasher: RandomState,
    key_id: &'a str,
}

impl<'a> Scrubber<'a> {
    /// Creates a scrubber that knows no secret yet; words that look like access key IDs are masked.
    pub fn new() -> Self {
        Self::default()
    }

    /// Creates a scrubber that hides secret and security token, and masks the access key ID.
    pub fn of(credentials: &'a Credentials) -> Self {
        let mut scrubber = Self::new().hide(credentials.access_key_secret());
        scrubber.key_id = credentials.access_key_id();
        match credentials.security_token() {
            Some(token) => scrubber.hide(token),
            None => scrubber,
        }
    }

    /// Hides one more secret: an OIDC token, a password, a key in a response. An empty one is ignored.
    pub fn hide(mut self, secret: &'a str) -> Self {
        if secret.is_empty() {
            return self;
        }
        self.secrets.push(secret);
        let plain = plain(secret);
        self.hide_pieces(&plain);
        if plain.len() >= SHORTEST {
            for before in 0..3 {
                self.hide_pieces(&base64::letters_and_digits(secret.as_bytes(), before));
            }
        }
        self
    }

    fn hide_pieces(&mut self, plain: &[u8]) {
        if plain.len() >= SHORTEST {
            let length = plain.len().min(PIECE);
            let hashes = plain.windows(length).map(|piece| self.hasher.hash_one(piece));
            self.pieces.entry(length).or_default().extend(hashes);
        }
    }

    /// Masks this key ID, in place of the previous one: for a key that has no access key ID.
    pub fn mask(mut self, key_id: &'a str) -> Self {
        self.key_id = key_id;
        self
    }

    /// Returns whether the text repeats one of the secrets.
    pub fn repeats(&self, text: &str) -> bool {
        if self.secrets.is_empty() {
            return false;
        }
        let mut layers = Layers::of(text);
        let found = layers.by_ref().any(|text| self.holds(&text));
        // Nobody encodes a message so often without hiding something.
        found || layers.are_left()
    }

    /// Returns a service's message, or a note in its place if it repeats a secret. Access key IDs are masked. If
    /// the text continues with a quotation of what was signed, that part is left out.
    pub fn text(&self, text: &str) -> String {
        let text = searched(text);
        let signed = string_to_sign(text);
        let before = signed.and_then(|at| text.get(..at)).unwrap_or(text);
        if self.repeats(before) {
            return WITHHELD.to_owned();
        }
        let before = self.masked(before);
        match signed {
            Some(_) => format!("{before}string to sign withheld"),
            None => before,
        }
    }

    /// Returns as much of a text as possible, such as a field of an error document: secrets that
    /// appear literally are replaced; if it still repeats one, all of it is replaced. Access key IDs stay.
    pub fn redacted(&self, text: &str) -> String {
        let text = searched(text);
        // Until the last secret is replaced, it contains one.
        let mut text = Zeroizing::new(text.to_owned());
        for secret in &self.secrets {
            if let Some(new) = replaced(&text, secret, REDACTED) {
                text = Zeroizing::new(new);
            }
        }
        if self.repeats(&text) {
            return REDACTED.to_owned();
        }
        std::mem::take(&mut text)
    }

    /// Returns the quotable form of a body that is not the service's, such as a proxy's page; access key IDs are
    /// masked.
    /// `None` if it repeats a secret, or names something that contains one, as a page does that shows the request.
    pub fn quotable(&self, body: &str) -> Option<String> {
        let body = searched(body);
        if self.repeats(body) || names_secrets(body) {
            return None;
        }
        let masked = self.masked(body);
        (!Scrubber::new().hide(self.key_id).repeats(&masked)).then_some(masked)
    }

    /// Returns an error code or a request ID, if it looks like one (1 to 64 letters, digits and `. _ -`), repeats no
    /// secret and contains no access key ID. Secrets and key IDs of fewer than 8 characters do not count here: an
    /// error without its code helps nobody, and such short values are placeholders.
    pub fn identifier<'t>(&self, text: &'t str) -> Option<&'t str> {
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-');
        let is_one = (1..=MAX_IDENTIFIER).contains(&text.len()) && text.bytes().all(allowed);
        let whole = |known: &str| known.len() >= SHORTEST && text.contains(known);
        let tells = || {
            string_to_sign(text).is_some()
                || self.secrets.iter().any(|secret| whole(secret))
                || self.holds_piece(text)
                || whole(self.key_id)
                || with_ids_masked(text) != text
        };
        (is_one && !tells()).then_some(text)
    }

    /// Returns a link, if it is plain `https://` of at most 300 characters, has no user-info, repeats no secret and
    /// contains no access key ID.
    pub fn link<'t>(&self, text: &'t str) -> Option<&'t str> {
        let rest = text.strip_prefix("https://")?;
        let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
        let is_plain = text.len() <= MAX_LINK
            && text.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\')
            && !authority.is_empty()
            && !authority.contains('@');
        (is_plain && self.text(text) == text).then_some(text)
    }

    /// Returns a text with its access key IDs masked: the known one, and words with such a prefix.
    fn masked(&self, text: &str) -> String {
        let id = MaskedId(self.key_id).to_string();
        match replaced(text, self.key_id, &id) {
            Some(text) => with_ids_masked(&text),
            None => with_ids_masked(text),
        }
    }

    /// Whether the text contains a secret or a piece of one without further decoding.
    fn holds(&self, text: &str) -> bool {
        self.secrets
            .iter()
            .any(|secret| places(text, secret).next().is_some())
            || self.holds_piece(text)
    }

    /// Whether the text contains a piece of a secret, regardless of what is between its letters and digits.
    fn holds_piece(&self, text: &str) -> bool {
        let plain = plain(text);
        self.pieces.iter().any(|(length, pieces)| {
            let mut windows = plain.windows(*length);
            windows.any(|window| pieces.contains(&self.hasher.hash_one(window)))
        })
    }
}

impl fmt::Debug for Scrubber<'_> {
    /// Does not show even the number of secrets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Scrubber(..)")
    }
}

/// Returns a text in which words with the prefix of an access key ID are masked.
fn with_ids_masked(text: &str) -> String {
    let mut masked = String::with_capacity(text.len());
    for word in text.split_inclusive(|c: char| !c.is_ascii_alphanumeric() && c != '.') {
        let bare = word.trim_end_matches(|c: char| !c.is_ascii_alphanumeric());
        if bare.len() >= MIN_ID && ID_PREFIXES.iter().any(|prefix| bare.starts_with(prefix)) {
            masked.push_str(&MaskedId(bare).to_string());
            masked.push_str(word.get(bare.len()..).unwrap_or_default());
        } else {
            masked.push_str(word);
        }
    }
    masked
}

/// Returns where the text contains `known`, a secret or a key ID, literally: a short one only if its first and
/// last letter are those of a word.
fn places<'t>(text: &'t str, known: &'t str) -> impl Iterator<Item = usize> {
    let is_short = plain(known).len() < SHORTEST;
    let joins = |a: Option<char>, b: Option<char>| {
        a.is_some_and(char::is_alphanumeric) && b.is_some_and(char::is_alphanumeric)
    };
    let stands_alone = move |at: usize, from: &str| {
        let before = text.get(..at).and_then(|before| before.chars().next_back());
        let after = from.get(known.len()..).and_then(|after| after.chars().next());
        !joins(before, known.chars().next()) && !joins(known.chars().next_back(), after)
    };
    // Each place is examined, since one inside a word may overlap one that is not.
    text.char_indices().map(|(at, _)| at).filter(move |at| {
        let from = text.get(*at..).unwrap_or_default();
        !known.is_empty() && from.starts_with(known) && (!is_short || stands_alone(*at, from))
    })
}

/// Returns a text with a secret or key ID replaced; `None` if it contains none.
fn replaced(text: &str, known: &str, by: &str) -> Option<String> {
    let count = places(text, known).take(1).count();
    if count == 0 {
        return None;
    }
    // The text may contain other secrets: growing would leave copies of them in memory.
    let most = text.len() + text.len() / known.len() * by.len();
    let mut result = String::with_capacity(most);
    let mut done = 0;
    for at in places(text, known) {
        if at < done {
            continue;
        }
        result.push_str(text.get(done..at).unwrap_or_default());
        result.push_str(by);
        done = at + known.len();
    }
    result.push_str(text.get(done..).unwrap_or_default());
    Some(result)
}

/// Returns the part of a text that is examined. Nothing more is shown, and searching all that a server may send takes
/// long.
fn searched(text: &str) -> &str {
    let end = (0..=MAX_SEARCHED.min(text.len()))
        .rev()
        .find(|at| text.is_char_boundary(*at));
    text.get(..end.unwrap_or_default()).unwrap_or_default()
}

/// Returns where a text begins to quote what was signed.
fn string_to_sign(text: &str) -> Option<usize> {
    let is_at = |at: usize, mark: &str| {
        let piece = text.as_bytes().get(at..at + mark.len());
        piece.is_some_and(|piece| piece.eq_ignore_ascii_case(mark.as_bytes()))
    };
    (0..text.len()).find(|at| STRING_TO_SIGN.iter().any(|mark| is_at(*at, mark)))
}

/// Whether the text names something that contains credentials.
fn names_secrets(text: &str) -> bool {
    Layers::of(text).any(|text| {
        let plain = plain(&text);
        TELLING
            .iter()
            .any(|name| plain.windows(name.len()).any(|window| window == name.as_bytes()))
    })
}

/// Returns only letters and digits, in lower case: no encoding changes these.
fn plain(text: &str) -> Zeroizing<Vec<u8>> {
    // As large as it can become: growing would leave copies of a secret in memory.
    let mut plain = Zeroizing::new(Vec::with_capacity(text.len()));
    plain.extend(
        text.bytes()
            .filter(u8::is_ascii_alphanumeric)
            .map(|byte| byte.to_ascii_lowercase()),
    );
    plain
}

#[cfg(test)]
mod tests;
