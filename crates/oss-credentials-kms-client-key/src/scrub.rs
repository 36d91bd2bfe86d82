//! Text from outside, made fit for errors: the one place where this is done.

use std::collections::HashSet;

use oss_credentials_core::MaskedId;
use oss_credentials_core::http::HttpResponse;

/// This many letters and digits of a signature in a row are a piece of it, not a coincidence.
const PIECE: usize = 12;
/// Longest request id that is passed on. The service's have 36 characters.
const MAX_REQUEST_ID: usize = 64;
/// Longest piece of an answer that is not the service's, in characters.
const MAX_EXCERPT: usize = 100;
const WITHHELD: &str = "text withheld, as it repeats the signature";
/// What only an answer with a secret holds, or a request of ours.
const MARKS: [&str; 5] = [
    "secretdata",
    "accesskeysecret",
    "accesskeyid",
    "privatekeydata",
    "signature",
];

/// A service's text without the signature, the text that was signed, and the whole key id.
pub(crate) fn scrub(text: &str, key_id: &str, signature: &str) -> String {
    let lower = text.to_ascii_lowercase();
    let cut = ["string to sign", "stringtosign", "string_to_sign"]
        .iter()
        .filter_map(|mark| lower.find(mark));
    let text = match cut.min().and_then(|at| text.get(..at)) {
        Some(before) => format!("{before}string to sign withheld"),
        None => text.to_owned(),
    };
    if repeats(&text, signature) {
        return WITHHELD.to_owned();
    }
    if key_id.is_empty() {
        text
    } else {
        text.replace(key_id, &MaskedId(key_id).to_string())
    }
}

/// The beginning of an answer that is not the service's, unless it may hold something of ours.
pub(crate) fn excerpt(body: &[u8], key_id: &str, signature: &str) -> Option<String> {
    let text = std::str::from_utf8(body).ok()?;
    let lower = text.to_ascii_lowercase();
    if MARKS.iter().any(|mark| lower.contains(mark)) {
        return None;
    }
    let begin: String = scrub(text, key_id, signature)
        .split_whitespace()
        .collect::<Vec<_>>()
        .join(" ")
        .chars()
        .take(MAX_EXCERPT)
        .collect();
    (!begin.is_empty()).then_some(begin)
}

/// The request id in the body, else the one in the header, if it looks like one.
pub(crate) fn request_id(in_body: Option<&str>, response: &HttpResponse, signature: &str) -> Option<String> {
    let is_id = |id: &&str| {
        (1..=MAX_REQUEST_ID).contains(&id.len())
            && id
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
            && !repeats(id, signature)
    };
    let id = in_body
        .filter(is_id)
        .or_else(|| response.header("x-acs-request-id").filter(is_id));
    id.map(str::to_owned)
}

/// Whether the text holds a piece of the signature. Its 344 characters have long runs without `+` and `/`, so
/// that percent-encoding hides none.
fn repeats(text: &str, signature: &str) -> bool {
    let (text, signature) = (text.as_bytes(), signature.as_bytes());
    if signature.len() < PIECE || text.len() < PIECE {
        return false;
    }
    let pieces: HashSet<&[u8]> = signature.windows(PIECE).collect();
    text.windows(PIECE).any(|window| pieces.contains(window))
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY_ID: &str = "KAAP.ed804cff-d4d1-4e7e-825e-4f7dc1fd4620";
    const SIGNATURE: &str = "sP2aCANARYcanaryCANARY1+2/x==";

    #[test]
    fn signatures_and_key_ids_are_not_repeated() {
        for (text, expected) in [
            ("Resource not found.", "Resource not found."),
            (
                "bad key KAAP.ed804cff-d4d1-4e7e-825e-4f7dc1fd4620.",
                "bad key KAAP****4620.",
            ),
            (
                "not matched. server string to sign is:POST&%2F&AccessKeyId%3DKAAP.x",
                "not matched. server string to sign withheld",
            ),
            ("bad sP2aCANARYcanaryCANARY1%2B2%2Fx%3D%3D", WITHHELD),
            ("bad ...CANARYcanary...", WITHHELD),
        ] {
            assert_eq!(scrub(text, KEY_ID, SIGNATURE), expected);
        }
    }

    #[test]
    fn an_excerpt_is_short_and_holds_nothing_of_ours() {
        let long = "x y\n".repeat(100);
        assert_eq!(
            excerpt(long.as_bytes(), KEY_ID, SIGNATURE)
                .unwrap()
                .chars()
                .count(),
            100
        );
        let page = b"<html>\n <h1>502  Bad Gateway</h1>";
        assert_eq!(
            excerpt(page, KEY_ID, SIGNATURE).as_deref(),
            Some("<html> <h1>502 Bad Gateway</h1>")
        );
        for body in [
            &b""[..],
            b"\xff",
            b"{\"AccessKeySecret\":\"canary\"}",
            b"GET /?Signature=canary",
        ] {
            assert_eq!(excerpt(body, KEY_ID, SIGNATURE), None, "{body:?}");
        }
    }

    #[test]
    fn a_request_id_is_taken_from_the_body_or_the_header() {
        let response = HttpResponse::new(200, Vec::new()).with_header("x-acs-request-id", "R-2");
        assert_eq!(
            request_id(Some("R-1"), &response, SIGNATURE).as_deref(),
            Some("R-1")
        );
        for bad in ["", "a b", "sP2aCANARYcanaryCANARY1"] {
            assert_eq!(
                request_id(Some(bad), &response, SIGNATURE).as_deref(),
                Some("R-2")
            );
        }
    }
}
