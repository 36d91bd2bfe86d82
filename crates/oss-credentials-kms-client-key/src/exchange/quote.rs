//! Decides which parts of a response may appear in an error message. Pure.
//!
//! The responses of this service contain the very secret that was requested, and a front end may repeat any of them
//! under any status. An unknown secret cannot be searched for, so text is passed on only if nothing in it
//! looks like a response that contains one.

use oss_credentials_http::Scrubber;

/// Maximum length of an excerpt from a response that is not the service's, in characters.
const MAX_EXCERPT: usize = 100;
/// Maximum length of an error code. The longest documented one has 35 characters.
const MAX_CODE: usize = 64;
/// Names that are followed by a secret.
const SECRETS: [&str; 4] = ["AccessKeySecret", "SecretData", "PrivateKeyData", "SecurityToken"];
/// Names that appear only in a response with a secret, or in one of our requests.
const OURS: [&str; 2] = ["AccessKeyId", "Signature"];
/// Replaces a text.
const WITHHELD: &str = "text withheld, as it may contain a secret";

/// Returns the message of an error response, or a note in its place.
pub(crate) fn message(text: &str, scrubber: &Scrubber<'_>) -> String {
    // First without the text that was signed, which names every parameter.
    let text = scrubber.text(text);
    if is_data(&text) || naming(&SECRETS).repeats(&text) {
        return WITHHELD.to_owned();
    }
    text
}

/// Returns the beginning of a response that is not the service's, or a note in its place. `None` if it is empty.
pub(crate) fn excerpt(body: &[u8], scrubber: &Scrubber<'_>) -> Option<String> {
    if body.trim_ascii().is_empty() {
        return None;
    }
    Some(page(body, scrubber).unwrap_or_else(|| WITHHELD.to_owned()))
}

/// Returns `None` unless the body is text for people that shows nothing of ours.
fn page(body: &[u8], scrubber: &Scrubber<'_>) -> Option<String> {
    let text = std::str::from_utf8(body).ok()?;
    // As in each protobuf message: the secret follows 0x1a.
    let is_binary = text.chars().any(|c| c.is_control() && !c.is_ascii_whitespace());
    // The service's own document, in which no error could be read.
    let is_document = text.contains("<KMS") || text.contains("<Error");
    if is_binary
        || is_document
        || is_data(text)
        || naming(&SECRETS).repeats(text)
        || naming(&OURS).repeats(text)
    {
        return None;
    }
    let words = scrubber.quotable(text)?;
    let words: Vec<&str> = words.split_whitespace().collect();
    Some(words.join(" ").chars().take(MAX_EXCERPT).collect())
}

/// Whether a text is JSON, or has some in it.
fn is_data(text: &str) -> bool {
    text.contains(['{', '}']) || text.contains("\":") || text.trim_start().starts_with(['"', '['])
}

/// Finds the names in any case and encoding, with any characters between their letters.
fn naming(names: &[&'static str]) -> Scrubber<'static> {
    names
        .iter()
        .fold(Scrubber::new(), |scrubber, name| scrubber.hide(name))
}

/// Whether a text has the shape of an error code: letters and dots, so no key and no part of one.
pub(crate) fn is_code(text: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphabetic() || byte == b'.';
    (1..=MAX_CODE).contains(&text.len()) && text.bytes().all(allowed)
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY_ID: &str = "KAAP.ed804cff-d4d1-4e7e-825e-4f7dc1fd4620";
    const SIGNATURE: &str = "sP2aCANARYcanaryCANARY1+2/x==";

    fn scrubber() -> Scrubber<'static> {
        Scrubber::new().hide(SIGNATURE).mask(KEY_ID)
    }

    #[test]
    fn an_excerpt_is_short_and_holds_nothing_of_ours() {
        let long = "x y\n".repeat(100);
        let begin = excerpt(long.as_bytes(), &scrubber()).unwrap();
        assert_eq!(begin.chars().count(), 100);
        let page = b"<html>\r\n <h1>502  Bad Gateway</h1>";
        assert_eq!(
            excerpt(page, &scrubber()).as_deref(),
            Some("<html> <h1>502 Bad Gateway</h1>")
        );
        assert_eq!(excerpt(b" \n", &scrubber()), None);
        for body in [
            &b"\xff"[..],
            b"{\"AccessKeySecret\":\"canary\"}",
            b"{\"a\":\"canary\"}",
            b"[\"canary\"]",
            b"\"canary\"",
            b"AccessKey Secret: canary",
            b"ACCESS_KEY_SECRET=canary",
            b"AccessKey%53ecret=canary",
            b"GET /?Signature=canary",
            b"bad sP2aCANARYcanaryCANARY1%2B2%2Fx%3D%3D",
            b"\x0a\x01a\x1a\x06canary",
            b"<KMS><Code>canary",
        ] {
            assert_eq!(excerpt(body, &scrubber()).as_deref(), Some(WITHHELD), "{body:?}");
        }
    }

    #[test]
    fn a_message_is_repeated_unless_it_may_hold_a_secret() {
        for text in [
            "Specified access key is not found.",
            "The AccessKey ID does not exist in our records.",
            "The Param SecretName is invalid.",
            "acs/ram/user/a: no permission (code 7)",
        ] {
            assert_eq!(message(text, &scrubber()), text);
        }
        assert_eq!(
            message(
                "no match. server string to sign is:POST&AccessKeySecret={canary}",
                &scrubber()
            ),
            "no match. server string to sign withheld"
        );
        for text in [
            "{\"AccessKeyId\":\"canary\"}",
            "value: {canary",
            "AccessKeySecret=canary",
            "the AccessKey Secret canary is bad",
            "SecretData canary",
            "\"canary\"",
        ] {
            assert_eq!(message(text, &scrubber()), WITHHELD);
        }
    }

    #[test]
    fn codes_are_letters_and_dots() {
        for code in ["Forbidden.ResourceNotFound", &"x".repeat(64)] {
            assert!(is_code(code), "{code}");
        }
        for text in ["", "two words", "a1", "a_b", "a-b", "ü", &"x".repeat(65)] {
            assert!(!is_code(text), "{text}");
        }
    }
}
