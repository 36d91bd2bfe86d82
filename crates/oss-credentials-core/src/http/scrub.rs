//! Text from outside, made fit for errors and logs: the one place where this is done.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashSet};
use std::fmt;
use std::hash::{BuildHasher as _, RandomState};

use zeroize::Zeroizing;

use super::layers::Layers;
use crate::credentials::{Credentials, MaskedId};

/// This many letters and digits of a secret in a row are a piece of it, not a coincidence.
const PIECE: usize = 12;
/// A secret or key id of fewer letters and digits may be a word, most often a placeholder such as `id`, so it is
/// looked for only as a whole word, as it is written.
const SHORTEST: usize = 8;
/// Longest error code or request id that is passed on. The services' request ids have 36 characters.
const MAX_IDENTIFIER: usize = 64;
/// Longest link that is passed on.
const MAX_LINK: usize = 300;
/// How AccessKey ids begin: those of a user and those of STS.
const ID_PREFIXES: [&str; 2] = ["LTAI", "STS."];
/// Shortest word that is taken for an AccessKey id by its beginning, in bytes.
const MIN_ID: usize = 16;
/// Names behind which credentials and signatures stand, by their letters and digits.
const TELLING: [&str; 4] = ["authorization", "securitytoken", "osssignature", "oss4hmac"];
/// What a service puts before the text that it signed, which holds the security token.
const STRING_TO_SIGN: [&str; 3] = ["string to sign", "stringtosign", "string_to_sign"];
/// Stands in place of a text.
const WITHHELD: &str = "text withheld, as it repeats a secret";
/// Stands in place of a secret.
const REDACTED: &str = "<redacted>";

/// Makes text from outside fit for errors and logs: a server that repeats the request repeats its secrets.
///
/// A text repeats a secret if it holds all of it, or 12 letters and digits of it in a row (all of them, of a
/// secret with 8 to 11), whatever the case of the letters and whatever stands between them; as it is, or below
/// up to five layers of percent-encoding, of HTML, XML or JSON escapes. A text with still more layers counts as
/// one that repeats a secret. A secret with fewer than 8 letters and digits is most often a placeholder, and may be
/// a piece of any word: it is looked for only where it stands by itself, with no letter or digit beside it. So
/// is such a key id.
///
/// # Examples
///
/// ```
/// use oss_credentials_core::Credentials;
/// use oss_credentials_core::http::Scrubber;
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
    /// Hashes, so that no copy of a secret is left in memory; by how many letters and digits were hashed.
    pieces: BTreeMap<usize, HashSet<u64>>,
    hasher: RandomState,
    key_id: &'a str,
}

impl<'a> Scrubber<'a> {
    /// Knows no secret yet; AccessKey ids are masked, if they look like ones.
    pub fn new() -> Self {
        Self::default()
    }

    /// Hides secret and security token, and masks the AccessKey id.
    pub fn of(credentials: &'a Credentials) -> Self {
        let mut scrubber = Self::new().hide(credentials.access_key_secret());
        scrubber.key_id = credentials.access_key_id();
        match credentials.security_token() {
            Some(token) => scrubber.hide(token),
            None => scrubber,
        }
    }

    /// Hides one more secret: an OIDC token, a password, a key that was answered. An empty one is none.
    pub fn hide(mut self, secret: &'a str) -> Self {
        if secret.is_empty() {
            return self;
        }
        self.secrets.push(secret);
        let plain = plain(secret);
        if plain.len() >= SHORTEST {
            let length = plain.len().min(PIECE);
            let hashes = plain.windows(length).map(|piece| self.hasher.hash_one(piece));
            self.pieces.entry(length).or_default().extend(hashes);
        }
        self
    }

    /// Masks this id of a key, in place of the one that was known: of a key that has no AccessKey id.
    pub fn mask(mut self, key_id: &'a str) -> Self {
        self.key_id = key_id;
        self
    }

    /// Whether the text repeats one of the secrets.
    pub fn repeats(&self, text: &str) -> bool {
        if self.secrets.is_empty() {
            return false;
        }
        let mut layers = Layers::of(text);
        let found = layers.by_ref().any(|text| self.holds(&text));
        // Nobody encodes a message so often without something to hide.
        found || layers.are_left()
    }

    /// A service's own words, or a note in their place if they repeat a secret. AccessKey ids are masked, and
    /// where the text goes on to quote what was signed, that is left out.
    pub fn text(&self, text: &str) -> String {
        let lower = text.to_ascii_lowercase();
        let cut = STRING_TO_SIGN.iter().filter_map(|mark| lower.find(mark)).min();
        let text = match cut.and_then(|at| text.get(..at)) {
            Some(before) => Cow::Owned(format!("{before}string to sign withheld")),
            None => Cow::Borrowed(text),
        };
        if self.repeats(&text) {
            return WITHHELD.to_owned();
        }
        self.masked(&text)
    }

    /// A text of which as much as possible is to be kept, such as a field of an error document: secrets that
    /// stand in it as they are written are replaced; if it still repeats one, all of it is. AccessKey ids stay.
    pub fn redacted(&self, text: &str) -> String {
        let mut text = Cow::Borrowed(text);
        for secret in &self.secrets {
            text = replaced(text, secret, REDACTED);
        }
        if self.repeats(&text) {
            return REDACTED.to_owned();
        }
        text.into_owned()
    }

    /// A body that is not the service's, such as a proxy's page, as it may be quoted; AccessKey ids are masked.
    /// `None` if it repeats a secret or names what holds one, as a page does that shows the request.
    pub fn quotable(&self, body: &str) -> Option<String> {
        if self.repeats(body) || names_secrets(body) {
            return None;
        }
        let masked = self.masked(body);
        (!Scrubber::new().hide(self.key_id).repeats(&masked)).then_some(masked)
    }

    /// An error code or a request id, if it looks like one (1 to 64 letters, digits and `. _ -`), repeats no
    /// secret and holds no AccessKey id. Secrets and key ids of fewer than 8 characters do not count here: an
    /// error without its code helps nobody, and what is that short is a placeholder.
    pub fn identifier<'t>(&self, text: &'t str) -> Option<&'t str> {
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-');
        let is_one = (1..=MAX_IDENTIFIER).contains(&text.len()) && text.bytes().all(allowed);
        let quotes_what_was_signed = || {
            let lower = text.to_ascii_lowercase();
            STRING_TO_SIGN.iter().any(|mark| lower.contains(mark))
        };
        let whole = |known: &str| known.len() >= SHORTEST && text.contains(known);
        let tells = || {
            quotes_what_was_signed()
                || self.secrets.iter().any(|secret| whole(secret))
                || self.holds_piece(text)
                || whole(self.key_id)
                || with_ids_masked(text) != text
        };
        (is_one && !tells()).then_some(text)
    }

    /// A link, if it is plain `https://` of at most 300 characters, names no user, repeats no secret and holds
    /// no AccessKey id.
    pub fn link<'t>(&self, text: &'t str) -> Option<&'t str> {
        let rest = text.strip_prefix("https://")?;
        let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
        let is_plain = text.len() <= MAX_LINK
            && text.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\')
            && !authority.is_empty()
            && !authority.contains('@');
        (is_plain && self.text(text) == text).then_some(text)
    }

    /// A text with the AccessKey ids in it shortened: the known one, and words that begin like one.
    fn masked(&self, text: &str) -> String {
        let id = MaskedId(self.key_id).to_string();
        with_ids_masked(&replaced(Cow::Borrowed(text), self.key_id, &id))
    }

    /// Whether a secret or a piece of one stands in the text without further decoding.
    fn holds(&self, text: &str) -> bool {
        self.secrets
            .iter()
            .any(|secret| places(text, secret).next().is_some())
            || self.holds_piece(text)
    }

    /// Whether a piece of a secret stands in the text, whatever is between its letters and digits.
    fn holds_piece(&self, text: &str) -> bool {
        let plain = plain(text);
        self.pieces.iter().any(|(length, pieces)| {
            let mut windows = plain.windows(*length);
            windows.any(|window| pieces.contains(&self.hasher.hash_one(window)))
        })
    }
}

impl fmt::Debug for Scrubber<'_> {
    /// Not even how many secrets there are.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Scrubber(..)")
    }
}

/// A text in which words that begin like an AccessKey id are shortened.
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

/// Where `known`, a secret or a key id, stands in the text as it is written: a short one only if its first and
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
    // Each place is looked at, since one that is a piece of a word may overlap one that is not.
    text.char_indices().map(|(at, _)| at).filter(move |at| {
        let from = text.get(*at..).unwrap_or_default();
        !known.is_empty() && from.starts_with(known) && (!is_short || stands_alone(*at, from))
    })
}

/// A text with another one in the place of a secret or key id.
fn replaced<'t>(text: Cow<'t, str>, known: &str, by: &str) -> Cow<'t, str> {
    let mut result = String::new();
    let mut done = 0;
    for at in places(&text, known) {
        if at < done {
            continue;
        }
        result.push_str(text.get(done..at).unwrap_or_default());
        result.push_str(by);
        done = at + known.len();
    }
    if done == 0 {
        return text;
    }
    result.push_str(text.get(done..).unwrap_or_default());
    Cow::Owned(result)
}

/// Whether the text names what holds credentials.
fn names_secrets(text: &str) -> bool {
    Layers::of(text).any(|text| {
        let plain = plain(&text);
        TELLING
            .iter()
            .any(|name| plain.windows(name.len()).any(|window| window == name.as_bytes()))
    })
}

/// Letters and digits alone, in lower case: what no encoding touches.
fn plain(text: &str) -> Zeroizing<Vec<u8>> {
    // As large as it can become: growing would leave copies of a secret behind in memory.
    let mut plain = Zeroizing::new(Vec::with_capacity(text.len()));
    plain.extend(
        text.bytes()
            .filter(u8::is_ascii_alphanumeric)
            .map(|byte| byte.to_ascii_lowercase()),
    );
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    const JWT: &str = "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJjYW5hcnkifQ.c2lnbmF0dXJl-W9mLWEt_2FuYXJ5";

    fn key() -> Credentials {
        Credentials::builder("STS.NUExampleTempKeyId", "canarySecretAlnum30CharsLong12")
            .security_token("CAISCANARY+tok/en+x==")
            .build()
            .unwrap()
    }

    fn bearer() -> Scrubber<'static> {
        Scrubber::new().hide(JWT)
    }

    #[test]
    fn what_says_nothing_of_a_secret_stays() {
        let key = key();
        let of_key = Scrubber::of(&key);
        for text in [
            "The role not exists.",
            "The OIDC token has expired.",
            "The token of system:serviceaccount:default:example is bad",
            "11 characters: c2lnbmF0dXJ",
            "100 % & \\ &; %zz %é &#x110000; \\u12 \\x1",
        ] {
            assert_eq!(bearer().text(text), text);
            assert_eq!(of_key.text(text), text);
            assert_eq!(of_key.redacted(text), text);
            assert_eq!(of_key.quotable(text).as_deref(), Some(text));
        }
    }

    #[test]
    fn what_was_signed_is_left_out() {
        for (text, expected) in [
            (
                "Signature is wrong. server string to sign is:POST&%2F&SecurityToken%3Dcanary",
                "Signature is wrong. server string to sign withheld",
            ),
            ("see StringToSign: x", "see string to sign withheld"),
        ] {
            assert_eq!(Scrubber::of(&key()).text(text), expected);
            assert_eq!(Scrubber::new().text(text), expected);
        }
    }

    #[test]
    fn a_key_is_found_in_any_encoding_and_in_part() {
        let key = key();
        for text in [
            "token CAISCANARY+tok/en+x== is bad",
            "CAISCANARY%2Btok%2Fen%2Bx%3D%3D",
            "CAISCANARY%2btok%2fen%2bx%3d%3d",
            "POST&%2F&SecurityToken%3DCAISCANARY%252Btok%252Fen%252Bx%253D%253D",
            "CAISCANARY%25252Btok%25252Fen",
            "CAISCANARY&#43;tok&#x2F;en",
            "CAISCANARY&amp;#43;tok/en",
            "CAISCANARY&plus;tok&sol;en",
            "CAISCANARY tok/en x==",
            "CAISCANARY\\u002Btok\\/en",
            "CAISCANARY\\x2btok\\x2fen",
            "%43%41%49%53%43%41%4e%41%52%59%2b%74%6f%6b",
            "CAISCANARY+tok/en+x...",
            "caiscanary+tok/e",
            "canarySecretAlnum30CharsLong12",
            "SecretAlnum3",
            "...Alnum30CharsLong12",
        ] {
            let scrubber = Scrubber::of(&key);
            assert!(scrubber.repeats(text), "{text}");
            assert_eq!(scrubber.text(text), WITHHELD, "{text}");
            assert_eq!(scrubber.quotable(text), None, "{text}");
            assert!(
                !scrubber.redacted(text).to_lowercase().contains("canary"),
                "{text}"
            );
        }
    }

    #[test]
    fn a_token_is_found_in_any_encoding_and_in_part() {
        for text in [
            JWT,
            "bad: eyJhbGciOiJSUzI1NiJ9...",
            "12 characters: c2lnbmF0dXJl",
            "across parts: NiJ9.eyJzdWIi",
            "%63%32%6c%6e%62%6d%46%30%64%58%4a%6c",
            "c2lnbmF0dXJl%252DW9mLWEt",
            "EYJHBGCIOIJS",
        ] {
            assert_eq!(bearer().text(text), WITHHELD, "{text}");
        }
    }

    #[test]
    fn a_short_secret_is_found_as_it_is_written() {
        for (secret, text, is_found) in [
            ("c+1=", "token c+1= is bad", true),
            ("c+1=", "OIDCToken=c%2B1%3D", true),
            ("c+1=", "it is c1", false),
            ("canary", "the canary is dead", true),
            ("canary", "Can a rye field burn?", false),
            // Eight letters and digits are no word any more.
            ("can-4321", "it was CAN4321", false),
            ("cana-4321", "it was CANA4321", true),
            ("", "anything", false),
            ("s", "the signature is wrong", false),
            ("s", "it was s", true),
            ("s", "s", true),
            ("s", "OIDCToken=s&x=1, %3Ds%26", true),
            ("s", "it\u{e9}s s\u{e9}", false),
            ("aaa", "aaaa aaa", true),
            ("a-a", "xa-a-a", true),
            ("secret", "secrets, 1secret", false),
        ] {
            assert_eq!(
                Scrubber::new().hide(secret).repeats(text),
                is_found,
                "{secret}: {text}"
            );
        }
    }

    #[test]
    fn placeholders_do_not_mangle_what_the_service_says() {
        let key = Credentials::builder("id", "secret")
            .security_token("token")
            .build()
            .unwrap();
        let scrubber = Scrubber::of(&key);
        let text = "The OSS Access Key Id you provided does not exist in our records, nor do tokens and ids.";
        assert_eq!(scrubber.text(text), text);
        assert_eq!(scrubber.redacted(text), text);
        assert_eq!(scrubber.quotable(text).as_deref(), Some(text));
        assert_eq!(scrubber.text("no id here"), "no **** here");
        assert_eq!(scrubber.text("got token=token"), WITHHELD);
        assert_eq!(
            scrubber.redacted("got secret, id and secrets"),
            "got <redacted>, id and secrets"
        );

        let letters = Credentials::builder("i", "s")
            .security_token("t")
            .build()
            .unwrap();
        assert_eq!(Scrubber::of(&letters).text(text), text);
    }

    #[test]
    fn an_error_code_outlives_placeholders() {
        let key = Credentials::builder("id", "secret")
            .security_token("Invalid")
            .build()
            .unwrap();
        for code in [
            "InvalidAccessKeyId",
            "Invalid.id",
            "secret",
            "InvalidSecurityToken",
        ] {
            assert_eq!(Scrubber::of(&key).identifier(code), Some(code));
        }
        let key = Credentials::builder("my-key-1", "a-b-c-d-e")
            .security_token("eightone")
            .build()
            .unwrap();
        for code in [
            "my-key-1",
            "no.my-key-1",
            "a-b-c-d-e",
            "Xa-b-c-d-eX",
            "EightOne",
            "got.eight.one",
        ] {
            assert_eq!(Scrubber::of(&key).identifier(code), None, "{code}");
        }
        assert_eq!(bearer().identifier("string_to_sign"), None);
    }

    #[test]
    fn several_secrets_are_hidden_at_once() {
        let key = key();
        let scrubber = Scrubber::of(&key).hide(JWT).hide("pass word");
        for text in ["CAISCANARY%2Btok", "c2lnbmF0dXJl", "Pass-Word", "SecretAlnum3"] {
            assert!(scrubber.repeats(text), "{text}");
        }
    }

    #[test]
    fn encoding_without_end_is_not_followed_without_end() {
        let nested = |layers: usize| format!("%{}41", "25".repeat(layers - 1));
        assert!(!bearer().repeats(&nested(4)));
        assert!(bearer().repeats(&nested(5)));
        assert!(bearer().repeats(&nested(10_000)));
        assert!(!Scrubber::new().repeats(&nested(10_000)));
    }

    #[test]
    fn a_secret_is_replaced_where_the_rest_is_worth_keeping() {
        let key = key();
        let scrubber = Scrubber::of(&key);
        assert_eq!(
            scrubber.redacted("x-oss-security-token:CAISCANARY+tok/en+x==\nSTS.NUExampleTempKeyId"),
            "x-oss-security-token:<redacted>\nSTS.NUExampleTempKeyId"
        );
        assert_eq!(scrubber.redacted("x CAISCANARY%2Btok%2Fen"), "<redacted>");
    }

    #[test]
    fn access_key_ids_are_masked() {
        let key = key();
        assert_eq!(
            Scrubber::of(&key).text("not found: STS.NUExampleTempKeyId."),
            "not found: STS.****eyId."
        );
        let client_key = Scrubber::new().mask("KAAP.ed804cff-d4d1-4e7e-825e-4f7dc1fd4620");
        assert_eq!(
            client_key.text("bad key KAAP.ed804cff-d4d1-4e7e-825e-4f7dc1fd4620."),
            "bad key KAAP****4620."
        );
        assert_eq!(
            client_key.identifier("KAAP.ed804cff-d4d1-4e7e-825e-4f7dc1fd4620"),
            None
        );
        assert_eq!(
            Scrubber::new().text("OSSAccessKeyId=LTAI5tExampleKeyId01&x=1, LTAI5t, STS."),
            "OSSAccessKeyId=LTAI****Id01&x=1, LTAI5t, STS."
        );
    }

    #[test]
    fn a_page_that_shows_the_request_is_not_quoted() {
        let key = key();
        for page in [
            "AUTHORIZATION: OSS4-HMAC-SHA256 x",
            "x-oss-Security-Token: some other token",
            r#"{"x-oss-security\u002dtoken": 1}"#,
            "<SecurityToken>other</SecurityToken>",
            "key STS&#46;NUExampleTempKeyId",
        ] {
            assert_eq!(Scrubber::of(&key).quotable(page), None, "{page}");
        }
        let page = "<h1>STS.NUExampleTempKeyId may not</h1>";
        assert_eq!(
            Scrubber::of(&key).quotable(page).as_deref(),
            Some("<h1>STS.****eyId may not</h1>")
        );
    }

    #[test]
    fn links_are_passed_on_only_if_they_are_links() {
        let key = key();
        for text in [
            "https://api.aliyun.com/troubleshoot?q=NoPermission&product=Sts",
            "https://api.aliyun.com?from=a@b",
        ] {
            assert_eq!(bearer().link(text), Some(text));
        }
        for text in [
            "http://x/",
            "javascript:1",
            "https://",
            "https:///x",
            "https://x/\n",
            "https://x/ y",
            "https://user:password@x/",
            "https://x\\@y/",
            "https://x/?t=c2lnbmF0dXJl",
            "https://x/?id=STS.NUExampleTempKeyId",
            "https://x/?t=CAISCANARY%2Btok%2Fen%2Bx%3D%3D",
            &format!("https://{}", "x".repeat(300)),
        ] {
            assert_eq!(Scrubber::of(&key).hide(JWT).link(text), None, "{text}");
        }
    }

    #[test]
    fn identifiers_are_short_and_plain() {
        let key = key();
        let scrubber = Scrubber::of(&key).hide(JWT);
        for id in [
            "6894B13B-6D71-4EF5-88FA-F32781734A7F",
            "AuthenticationFail.OIDCToken.Expired",
            "0026_00000001",
            &"x".repeat(64),
        ] {
            assert_eq!(scrubber.identifier(id), Some(id));
        }
        for bad in [
            "",
            "a b",
            "a+b",
            "ü",
            "c2lnbmF0dXJl-W9mLWEt",
            "canarySecretAlnum30CharsLong12",
            "STS.NUExampleTempKeyId",
            &"x".repeat(65),
        ] {
            assert_eq!(scrubber.identifier(bad), None, "{bad}");
        }
    }

    #[test]
    fn the_scrubber_itself_shows_nothing() {
        assert_eq!(format!("{:?}", bearer()), "Scrubber(..)");
    }
}
