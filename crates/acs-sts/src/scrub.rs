//! Text from outside, made fit for errors and logs: the one place where this is done.

use std::collections::HashSet;

#[cfg(feature = "signed")]
use oss_credentials_core::MaskedId;
use oss_credentials_core::http::HttpResponse;
use zeroize::Zeroizing;

use crate::call::Caller;

/// This many letters and digits of a key or token in a row are a piece of it, not a coincidence.
const PIECE: usize = 12;
/// How many layers of encoding are looked through.
const LAYERS: usize = 5;
/// Longest request id that is passed on. The service's have 36 characters.
const MAX_REQUEST_ID: usize = 64;
/// Longest `Recommend` link that is passed on.
const MAX_LINK: usize = 300;
#[cfg(feature = "signed")]
const KEY_WITHHELD: &str = "text withheld, as it repeats a key";
const TOKEN_WITHHELD: &str = "text withheld, as it repeats the token";

/// A service's text without the caller's keys and tokens.
///
/// When a signature does not match, the service answers with the text that it signed, and that holds the
/// security token.
pub(crate) fn scrub(text: &str, caller: Caller<'_>) -> String {
    let lower = text.to_ascii_lowercase();
    let cut = ["string to sign", "stringtosign", "string_to_sign"]
        .iter()
        .filter_map(|mark| lower.find(mark));
    let text = match cut.min() {
        Some(at) => format!("{}string to sign withheld", &text[..at]),
        None => text.to_owned(),
    };
    match caller {
        #[cfg(feature = "signed")]
        Caller::Key(key) => {
            let secrets = [Some(key.access_key_secret()), key.security_token()];
            if secrets.into_iter().flatten().any(|secret| repeats(&text, secret)) {
                return KEY_WITHHELD.to_owned();
            }
            match key.access_key_id() {
                "" => text,
                id => text.replace(id, &MaskedId(id).to_string()),
            }
        }
        Caller::OidcToken(token) if repeats(&text, token) => TOKEN_WITHHELD.to_owned(),
        Caller::OidcToken(_) => text,
    }
}

/// The request id in the body, else the one in the header, if it looks like one and is neither key nor token.
pub(crate) fn request_id(
    in_body: Option<&str>,
    response: &HttpResponse,
    caller: Caller<'_>,
) -> Option<String> {
    let is_id = |id: &&str| {
        (1..=MAX_REQUEST_ID).contains(&id.len())
            && id
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
            && scrub(id, caller) == **id
    };
    let id = in_body
        .filter(is_id)
        .or_else(|| response.header("x-acs-request-id").filter(is_id));
    id.map(str::to_owned)
}

/// A link, if it is plain `https://`, names no user and repeats neither key nor token.
pub(crate) fn link<'a>(text: Option<&'a str>, caller: Caller<'_>) -> Option<&'a str> {
    let text = text?;
    let rest = text.strip_prefix("https://")?;
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let is_plain = text.len() <= MAX_LINK
        && text.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\')
        && !authority.is_empty()
        && !authority.contains('@');
    (is_plain && scrub(text, caller) == text).then_some(text)
}

/// Whether the text holds the secret or a piece of it, however it is encoded.
fn repeats(text: &str, secret: &str) -> bool {
    if secret.is_empty() {
        return false;
    }
    let wanted = plain(secret);
    let mut text = text.to_owned();
    for _ in 0..LAYERS {
        if text.contains(secret) || holds_piece(&plain(&text), &wanted) {
            return true;
        }
        let decoded = decode(&text);
        if decoded == text {
            return false;
        }
        text = decoded;
    }
    // Nobody encodes a message so often without something to hide.
    true
}

/// Letters and digits alone: what no encoding and no change of case touches.
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

fn holds_piece(text: &[u8], secret: &[u8]) -> bool {
    // Of a short secret all of it counts; a very short one is compared as it is written.
    let length = secret.len().min(PIECE);
    if length < PIECE / 2 || text.len() < length {
        return false;
    }
    let pieces: HashSet<&[u8]> = secret.windows(length).collect();
    text.windows(length).any(|window| pieces.contains(window))
}

/// Takes off one layer of percent-encoding, of character references (HTML, XML) and of `\u` escapes.
fn decode(text: &str) -> String {
    let mut decoded = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(['%', '&', '\\']) {
        decoded.push_str(&rest[..at]);
        rest = &rest[at..];
        let (character, length) = escape(rest).unwrap_or((rest.chars().next(), 1));
        decoded.extend(character);
        rest = &rest[length..];
    }
    decoded + rest
}

/// The character that the escape at the start of the text stands for, none for a named one; and its length.
fn escape(text: &str) -> Option<(Option<char>, usize)> {
    let hex = |digits: &str| {
        let is_hex = digits.bytes().all(|byte| byte.is_ascii_hexdigit());
        let code = u32::from_str_radix(digits, 16).ok().filter(|_| is_hex)?;
        char::from_u32(code)
    };
    if let Some(digits) = text.strip_prefix('%') {
        return Some((Some(hex(digits.get(..2)?)?), 3));
    }
    if let Some(digits) = text.strip_prefix("\\u") {
        return Some((Some(hex(digits.get(..4)?)?), 6));
    }
    let name = text.strip_prefix('&')?;
    let end = name.find(';').filter(|end| (2..=10).contains(end))?;
    let name = &name[..end];
    let character = match name.strip_prefix('#') {
        Some(number) => Some(match number.strip_prefix(['x', 'X']) {
            Some(digits) => hex(digits)?,
            None => char::from_u32(number.parse().ok()?)?,
        }),
        None if name == "amp" => Some('&'),
        None if name.bytes().all(|byte| byte.is_ascii_alphabetic()) => None,
        None => return None,
    };
    Some((character, end + 2))
}

#[cfg(test)]
mod tests {
    use super::*;

    const JWT: &str = "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJjYW5hcnkifQ.c2lnbmF0dXJl-W9mLWEt_2FuYXJ5";
    const BEARER: Caller<'_> = Caller::OidcToken(JWT);

    #[test]
    fn what_says_nothing_of_a_token_stays() {
        for text in [
            "The OIDC token has expired.",
            "The token of system:serviceaccount:default:example is bad",
            "11 characters: c2lnbmF0dXJ",
            "100 % & \\ &; %zz %é &#x110000; \\u12",
        ] {
            assert_eq!(scrub(text, BEARER), text);
        }
        assert_eq!(
            scrub("bad String to sign is:POST&%2F", BEARER),
            "bad string to sign withheld"
        );
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
            assert_eq!(scrub(text, BEARER), TOKEN_WITHHELD, "{text}");
        }
        let short = |text| scrub(text, Caller::OidcToken("c+1="));
        assert_eq!(short("token c+1= is bad"), TOKEN_WITHHELD);
        assert_eq!(short("OIDCToken=c%2B1%3D"), TOKEN_WITHHELD);
        assert_eq!(short("it is c1"), "it is c1");
        assert_eq!(
            scrub("the canary is dead", Caller::OidcToken("canary")),
            TOKEN_WITHHELD
        );
    }

    #[test]
    fn encoding_without_end_is_not_followed_without_end() {
        let nested = format!("%{}41", "25".repeat(10_000));
        assert_eq!(scrub(&nested, BEARER), TOKEN_WITHHELD);
    }

    #[test]
    fn links_are_passed_on_only_if_they_are_links() {
        let link = |text| link(Some(text), BEARER);
        for text in [
            "https://api.aliyun.com/troubleshoot?q=NoPermission&product=Sts",
            "https://api.aliyun.com?from=a@b",
        ] {
            assert_eq!(link(text), Some(text));
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
            &format!("https://{}", "x".repeat(300)),
        ] {
            assert_eq!(link(text), None, "{text}");
        }
    }

    #[test]
    fn request_ids_are_short_and_plain() {
        let header = |value: &str| HttpResponse::new(200, Vec::new()).with_header("x-acs-request-id", value);
        let id = "6894B13B-6D71-4EF5-88FA-F32781734A7F";
        let get = |body, response: &HttpResponse| request_id(body, response, BEARER);
        assert_eq!(get(Some(id), &header("R-2")).as_deref(), Some(id));
        assert_eq!(get(None, &header(id)).as_deref(), Some(id));
        let long = "x".repeat(65);
        for bad in ["", "a b", "a+b", "c2lnbmF0dXJl-W9mLWEt", &long] {
            assert_eq!(get(Some(bad), &header("R-2")).as_deref(), Some("R-2"), "{bad}");
            assert_eq!(get(None, &header(bad)), None, "{bad}");
        }
    }
}

#[cfg(test)]
#[cfg(feature = "signed")]
mod key_tests {
    use oss_credentials_core::Credentials;

    use super::*;

    fn caller() -> Credentials {
        Credentials::builder("STS.NUExampleTempKeyId", "canarySecretAlnum30CharsLong12")
            .security_token("CAISCANARY+tok/en+x==")
            .build()
            .unwrap()
    }

    #[test]
    fn what_says_nothing_of_a_key_stays() {
        for (text, expected) in [
            ("The role not exists.", "The role not exists."),
            (
                "100 % & \\ &; %zz %é &#x110000; \\u12",
                "100 % & \\ &; %zz %é &#x110000; \\u12",
            ),
            ("not found: STS.NUExampleTempKeyId.", "not found: STS.****eyId."),
            (
                "Signature is wrong. server string to sign is:POST&%2F&SecurityToken%3Dcanary",
                "Signature is wrong. server string to sign withheld",
            ),
        ] {
            assert_eq!(scrub(text, Caller::Key(&caller())), expected);
        }
    }

    #[test]
    fn a_key_is_found_in_any_encoding_and_in_part() {
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
            "%43%41%49%53%43%41%4e%41%52%59%2b%74%6f%6b",
            "CAISCANARY+tok/en+x...",
            "caiscanary+tok/e",
            "canarySecretAlnum30CharsLong12",
            "SecretAlnum3",
            "...Alnum30CharsLong12",
        ] {
            assert_eq!(scrub(text, Caller::Key(&caller())), KEY_WITHHELD, "{text}");
        }
        let short = Credentials::builder("LTAIexample", "s+1").build().unwrap();
        assert_eq!(scrub("with s+1", Caller::Key(&short)), KEY_WITHHELD);
        assert_eq!(scrub("with s%2b1", Caller::Key(&short)), KEY_WITHHELD);
        assert_eq!(scrub("it is s1", Caller::Key(&short)), "it is s1");
    }

    #[test]
    fn links_and_request_ids_repeat_no_key() {
        let caller = caller();
        let caller = Caller::Key(&caller);
        for text in [
            "https://x/?id=STS.NUExampleTempKeyId",
            "https://x/?t=CAISCANARY%2Btok%2Fen%2Bx%3D%3D",
        ] {
            assert_eq!(link(Some(text), caller), None, "{text}");
        }
        let response = HttpResponse::new(200, Vec::new()).with_header("x-acs-request-id", "R-2");
        let id = request_id(Some("canarySecretAlnum30CharsLong12"), &response, caller);
        assert_eq!(id.as_deref(), Some("R-2"));
    }
}
