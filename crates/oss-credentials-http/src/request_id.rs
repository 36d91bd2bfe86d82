//! Request IDs of successful responses, checked at a small part of the cost of a [`Scrubber`].
//!
//! A scrubber hashes every piece of every secret, which takes longer than the rest of a request. The services' own
//! request IDs are hexadecimal, and hardly any secret has a hexadecimal piece; one scan over its bytes shows whether it
//! has. Everything else goes to the scrubber, so that the result is always the scrubber's.

use std::fmt;
use std::sync::Mutex;

use oss_credentials_core::Credentials;

use crate::base64;
use crate::scrub::{MAX_IDENTIFIER, PIECE, SHORTEST, Scrubber};

/// Bytes of a secret around which base64 is examined: those of three characters before and after the core of a piece.
const AROUND: usize = 3;
/// Bytes that the core of every hexadecimal piece of base64 begins in: two groups of three, and one more.
const CORE: usize = 7;

/// Checks the request IDs of responses: [`RequestIds::check`] returns what `Scrubber::of(used).identifier(id)` returns,
/// without the cost of the scrubber if the ID has the usual form (hexadecimal digits, with or
/// without `-`). It examines each generation of credentials once, instead of a long token for each response.
///
/// It keeps the last credentials until it sees others. `Debug` shows nothing.
///
/// # Examples
///
/// ```
/// use oss_credentials_core::Credentials;
/// use oss_credentials_http::RequestIds;
///
/// let used = Credentials::builder("LTAI5tExampleKeyId01", "example-Secret+1").build()?;
/// let ids = RequestIds::default();
/// let id = "5C3D9175B6FC201293AD4A94";
/// assert_eq!(ids.check(id, &used), Some(id));
/// assert_eq!(ids.check("example-Secret", &used), None);
/// # Ok::<(), oss_credentials_core::CredentialsError>(())
/// ```
#[derive(Default)]
pub struct RequestIds {
    /// The last credentials, and whether a hexadecimal text may repeat a piece of them.
    last: Mutex<Option<(Credentials, bool)>>,
}

impl RequestIds {
    /// Returns the request ID of a response to a request that was signed with `used`, if it may be shown.
    #[must_use]
    pub fn check<'t>(&self, id: &'t str, used: &Credentials) -> Option<&'t str> {
        if !is_usual(id) || self.may_repeat(used) {
            return Scrubber::of(used).identifier(id);
        }
        let key_id = used.access_key_id();
        (key_id.len() < SHORTEST || !id.contains(key_id)).then_some(id)
    }

    /// Returns the request ID of a response to an unsigned request, if it may be shown: the result of a [`Scrubber`]
    /// that hides these secrets.
    ///
    /// ```
    /// use oss_credentials_http::RequestIds;
    ///
    /// let id = "5C3D9175B6FC201293AD4A94";
    /// assert_eq!(RequestIds::check_unsigned(id, &["example-jwt.of-a-caller"]), Some(id));
    /// assert_eq!(RequestIds::check_unsigned("example-jwt.of-a", &["example-jwt.of-a-caller"]), None);
    /// ```
    #[must_use]
    pub fn check_unsigned<'t>(id: &'t str, secrets: &[&str]) -> Option<&'t str> {
        let may_repeat = || secrets.iter().any(|secret| may_have_hex_piece(secret.as_bytes()));
        if is_usual(id) && !may_repeat() {
            return Some(id);
        }
        let scrubber = secrets
            .iter()
            .fold(Scrubber::new(), |scrubber, secret| scrubber.hide(secret));
        scrubber.identifier(id)
    }

    fn may_repeat(&self, used: &Credentials) -> bool {
        // A caller that would have to wait examines the credentials itself.
        let Ok(mut last) = self.last.try_lock() else {
            return may_repeat(used);
        };
        if let Some((known, may_repeat)) = &*last
            && known.access_key_secret() == used.access_key_secret()
            && known.security_token() == used.security_token()
        {
            return *may_repeat;
        }
        let may_repeat = may_repeat(used);
        *last = Some((used.clone(), may_repeat));
        may_repeat
    }
}

impl fmt::Debug for RequestIds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RequestIds").finish_non_exhaustive()
    }
}

/// Whether an ID has the usual form.
fn is_usual(id: &str) -> bool {
    let is_hex = id.bytes().all(|byte| byte.is_ascii_hexdigit() || byte == b'-');
    is_hex && (1..=MAX_IDENTIFIER).contains(&id.len())
}

/// Whether a hexadecimal text may repeat a piece of the secrets.
fn may_repeat(used: &Credentials) -> bool {
    let mut secrets = std::iter::once(used.access_key_secret()).chain(used.security_token());
    secrets.any(|secret| may_have_hex_piece(secret.as_bytes()))
}

/// Whether a hexadecimal text might repeat a piece of the secret. False only if it cannot.
fn may_have_hex_piece(secret: &[u8]) -> bool {
    if secret.is_empty() {
        return false;
    }
    let (mut run, mut letters) = (0_usize, 0_usize);
    for byte in secret {
        if byte.is_ascii_hexdigit() {
            run += 1;
            if run == PIECE {
                return true;
            }
        }
        if byte.is_ascii_alphanumeric() {
            letters += 1;
            if !byte.is_ascii_hexdigit() {
                run = 0;
            }
        }
    }
    // The pieces of a short secret are shorter, and services issue no other bytes.
    letters < PIECE || !secret.is_ascii() || may_have_hex_base64(secret)
}

/// The same, of the secret's base64. A piece of 12 characters has three that are the first of their groups, each the
/// upper six bits of a byte: that alone excludes nearly every place of a secret.
fn may_have_hex_base64(secret: &[u8]) -> bool {
    let from = |at: usize| secret.get(at..).unwrap_or_default().iter();
    let mut firsts = from(0).zip(from(3)).zip(from(6)).enumerate();
    firsts.any(|(at, ((first, second), third))| {
        // The upper bits of an ASCII byte are 31 at most, and `a` to `f` are 26 to 31 in base64.
        *first.min(second).min(third) >= 26 << 2 && is_hex_around(secret, at)
    })
}

/// Whether base64 whose groups begin at `at` may have a hexadecimal piece there.
fn is_hex_around(secret: &[u8], at: usize) -> bool {
    let start = at.saturating_sub(AROUND);
    let end = (at + CORE + 2 + AROUND).min(secret.len());
    let near = secret.get(start..end).unwrap_or_default();
    // Counted from the first group, wherever the slice begins.
    let before = (3 - (at - start) % 3) % 3;
    let letters = base64::letters_and_digits(near, before);
    let whole = 8 * (before + near.len()) / 6 - (8 * before).div_ceil(6);
    // A character that is neither letter nor digit is skipped when pieces are compared.
    let was_skipped = letters.len() < whole;
    was_skipped
        || letters
            .windows(PIECE)
            .any(|piece| piece.iter().all(u8::is_ascii_hexdigit))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn credentials(secret: &str, token: &str) -> Credentials {
        let builder = Credentials::builder("STS.FakeTempKeyId0002", secret);
        builder.security_token(token).build().unwrap()
    }

    /// Of a small state, the same each time.
    struct Dice(u32);

    impl Dice {
        fn below(&mut self, limit: usize) -> usize {
            self.0 = self.0.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            usize::try_from(self.0 >> 8).unwrap() % limit
        }

        fn text(&mut self, alphabet: &[u8], length: usize) -> String {
            (0..length)
                .map(|_| char::from(alphabet[self.below(alphabet.len())]))
                .collect()
        }
    }

    /// Texts whose base64 has hexadecimal digits alone, and one whose base64 has not.
    const GROUPS: [&str; 8] = ["opZ", "x1t", "lGC", "sq5", "wmD", "kNC", "hM6", "GGG"];

    /// Every ID that the services' form allows is judged as the scrubber judges it: pieces of secrets, of their
    /// base64 at each offset, in either case, and IDs that repeat nothing.
    #[test]
    fn the_result_is_the_scrubbers() {
        let alphabets: [&[u8]; 5] = [
            b"0123456789abcdefABCDEF",
            b"0123456789abcdef+/-",
            b"hijklmnopqrstuvwxyz",
            b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/",
            b"",
        ];
        let (mut dice, mut refused, mut hex_base64) = (Dice(7), 0, 0);
        let ids_of_all = RequestIds::default();
        for round in 0..1000 {
            let alphabet = alphabets[round % alphabets.len()];
            let length = 1 + dice.below(60);
            let token = if alphabet.is_empty() {
                let start = "GGG".split_at(dice.below(3)).0.to_owned();
                (0..length / 3).fold(start, |token, _| token + GROUPS[dice.below(GROUPS.len())])
            } else {
                dice.text(alphabet, length)
            };
            let token = if token.is_empty() { "G".to_owned() } else { token };
            let used = credentials("FakeTempSecret0002FakeTempSecr", &token);
            let scrubber = Scrubber::of(&used);
            let mut ids = vec![dice.text(b"0123456789ABCDEF", 24)];
            let encoded = (0..3).map(|before| base64::letters_and_digits(token.as_bytes(), before));
            for (kind, source) in encoded
                .map(|text| text.to_vec())
                .chain([token.clone().into_bytes()])
                .enumerate()
            {
                let is_hex =
                    |piece: &&[u8]| piece.iter().all(|byte| byte.is_ascii_hexdigit() || *byte == b'-');
                let pieces: Vec<_> = source
                    .windows(PIECE.min(source.len()).max(1))
                    .filter(is_hex)
                    .take(3)
                    .collect();
                let whole = pieces.iter().filter(|piece| piece.len() == PIECE).count();
                hex_base64 += if kind < 3 { whole } else { 0 };
                for piece in pieces {
                    let piece = String::from_utf8(piece.to_vec()).unwrap();
                    ids.extend([
                        piece.to_uppercase(),
                        format!("{piece}0123"),
                        format!("ab-{piece}"),
                    ]);
                }
            }
            for id in ids {
                let expected = scrubber.identifier(&id);
                refused += usize::from(expected.is_none());
                assert_eq!(ids_of_all.check(&id, &used), expected, "{id} of {token}");
            }
        }
        assert!(refused > 500 && hex_base64 > 100, "{refused} {hex_base64}");
    }

    #[test]
    fn a_usual_token_needs_no_scrubber() {
        let alphabet = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
        let mut dice = Dice(11);
        let needs = (0..1000).filter(|_| may_have_hex_piece(dice.text(alphabet, 720).as_bytes()));
        assert!(needs.count() <= 20);
    }

    #[test]
    fn each_generation_of_credentials_is_looked_at() {
        let secret = "FakeTempSecret0002FakeTempSecr";
        let harmless = credentials(secret, "hijklmnopqrstuvwxyz");
        let repeated = credentials(secret, "0123456789abcdef");
        let of_secret = credentials("fedcba9876543210", "hijklmnopqrstuvwxyz");
        let ids = RequestIds::default();
        for _ in 0..2 {
            let id = "0123456789ABCDEF01234567";
            assert_eq!(ids.check(id, &harmless), Some(id));
            assert_eq!(ids.check(id, &repeated), None);
            assert_eq!(ids.check(id, &harmless), Some(id));
            assert_eq!(ids.check("FEDCBA9876543210", &of_secret), None);
        }
    }

    #[test]
    fn other_forms_and_the_key_id_are_judged_too() {
        let hex = Credentials::builder("0123456789abcdef", "FakeSecret0001FakeSecret")
            .build()
            .unwrap();
        assert_eq!(RequestIds::default().check("ff0123456789abcdef", &hex), None);
        assert_eq!(
            RequestIds::default().check("ff0123456789abcde0", &hex),
            Some("ff0123456789abcde0")
        );
        for other in [
            "",
            "a b",
            "LTAI5tExampleKeyId01",
            "FakeSecret0001",
            &"a".repeat(65),
        ] {
            assert_eq!(RequestIds::default().check(other, &hex), None, "{other}");
        }
        assert_eq!(
            RequestIds::default().check("made-up.id_1", &hex),
            Some("made-up.id_1")
        );
        let short = credentials("abcdef01", "deadbeef");
        assert_eq!(RequestIds::default().check("00deadbeef00", &short), None);
    }

    #[test]
    fn secrets_of_an_unsigned_request_are_looked_for_too() {
        let jwt = "eyJhbGciOiJSUzI1NiJ9.0123456789abcdef";
        let check = |id| RequestIds::check_unsigned(id, &["hijklmnopqrstuvwxyz", jwt]);
        assert_eq!(check("0123456789ABCDEF01234567"), None);
        assert_eq!(check("eyJhbGciOiJSUzI1NiJ9"), None);
        for shown in ["5C3D9175B6FC201293AD4A94", "made-up.id_1"] {
            assert_eq!(check(shown), Some(shown));
            assert_eq!(RequestIds::check_unsigned(shown, &[]), Some(shown));
        }
        assert_eq!(RequestIds::check_unsigned("a b", &[]), None);
    }
}
