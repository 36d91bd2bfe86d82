//! Where the document of an error is, and what it says.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use oss_credentials_core::text;
use oss_credentials_http::Scrubber;
use reqwest::header::HeaderMap;

use crate::json;
use crate::xml::error_fields;

/// Longest part of an error document that is read, in bytes.
pub(crate) const MAX_ERROR_DOCUMENT: usize = 64 * 1024;

/// The message about a response without a document.
pub(crate) const NO_DOCUMENT: &str = "the response has no error document";

/// Longest quote from a body that cannot be read, in bytes.
const MAX_QUOTE: usize = 256;

/// The header with the error document, in base64, if there is no body.
const X_OSS_ERR: &str = "x-oss-err";
/// Header with the code of an error whose document has none.
const X_OSS_ERROR_TYPE: &str = "x-oss-error-type";

/// The document: the body or, if there is none, the content of the header. Bytes that are not UTF-8 are replaced.
pub(crate) fn text(headers: &HeaderMap, body: &[u8]) -> String {
    if !body.is_empty() {
        return String::from_utf8_lossy(body).into_owned();
    }
    let encoded = headers.get(X_OSS_ERR).map(|value| value.as_bytes().trim_ascii());
    let document = encoded.and_then(|encoded| STANDARD.decode(encoded).ok());
    String::from_utf8_lossy(&document.unwrap_or_default()).into_owned()
}

/// The document's elements; none if it cannot be read.
pub(crate) fn fields(headers: &HeaderMap, document: &str) -> Vec<(String, String)> {
    if !is_json(headers) {
        // Behind something that was put in front of it, it still counts.
        let start = document.find("<Error").unwrap_or_default();
        return error_fields(document)
            .or_else(|| error_fields(document.get(start..)?))
            .unwrap_or_default();
    }
    let mut fields = json::error_fields(document).unwrap_or_default();
    let kind = headers.get(X_OSS_ERROR_TYPE).and_then(|kind| kind.to_str().ok());
    if let Some(code) = kind.filter(|code| !code.is_empty()) {
        fields.retain(|(name, _)| name != "Code");
        fields.push(("Code".to_owned(), code.to_owned()));
    }
    fields
}

/// Whether the document of a response with HTTP 200 is that of an error: its root is `Error`, or it is an object in
/// JSON with a code, which the response of a callback server may be, too.
pub(crate) fn is_error_document(headers: &HeaderMap, document: &[u8], has_callback: bool) -> bool {
    // Those of success are longer, and would take more memory here than they are read with.
    let text = String::from_utf8_lossy(document.get(..MAX_ERROR_DOCUMENT).unwrap_or(document));
    if !is_json(headers) || has_callback {
        return error_fields(&text).is_some();
    }
    let fields = json::error_fields(&text).unwrap_or_default();
    fields
        .iter()
        .any(|(name, code)| name == "Code" && !code.is_empty())
}

fn is_json(headers: &HeaderMap) -> bool {
    let kind = headers.get("content-type").and_then(|kind| kind.to_str().ok());
    kind.is_some_and(|kind| kind.starts_with("application/json"))
}

/// What is said about a response without a readable document.
pub(crate) fn unreadable(document: &str, scrubber: &Scrubber<'_>) -> String {
    let text = document.trim();
    if text.is_empty() {
        return NO_DOCUMENT.to_owned();
    }
    let Some(text) = scrubber.quotable(text) else {
        return "the response is not an error document, and is not quoted since it may repeat credentials"
            .to_owned();
    };
    let mut end = text.len().min(MAX_QUOTE);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    let quote = text.get(..end).unwrap_or_default();
    let quote: String = quote.chars().map(text::safe).collect();
    format!("the response is not an error document, it begins with: {quote}")
}

#[cfg(test)]
mod tests {
    use oss_credentials_core::Credentials;
    use reqwest::StatusCode;
    use reqwest::header::HeaderValue;

    use super::*;
    use crate::service_error::tests::{context, read};
    use crate::service_error::{ServiceError, X_OSS_EC};

    #[test]
    fn errors_in_an_answer_that_began_well_are_found() {
        let json: &[_] = &[("content-type", "application/json")];
        for (headers, document, expected) in [
            (&[][..], "<Error><Code>InternalError</Code></Error>", true),
            (
                &[],
                "\u{feff}<?xml version=\"1.0\"?>\n<Error xmlns=\"urn:x\"><Message>m</Message></Error>",
                true,
            ),
            (json, r#"{"Error":{"Code":"InternalError"}}"#, true),
            (
                &[],
                "<CopyObjectResult><Error><Code>x</Code></Error></CopyObjectResult>",
                false,
            ),
            (
                &[],
                "<ListBucketResult><Key><![CDATA[<Error><Code>x</Code></Error>]]></Key></ListBucketResult>",
                false,
            ),
            (&[], "<html><Error><Code>x</Code></Error></html>", false),
            (&[], "", false),
            (json, "{}", false),
            (json, "<Error><Code>InternalError</Code></Error>", false),
        ] {
            let headers = map(headers);
            assert_eq!(
                is_error_document(&headers, document.as_bytes(), false),
                expected,
                "{document}"
            );
        }
        // What the program that was called says in JSON is its own.
        let told = br#"{"code":"1"}"#;
        assert!(is_error_document(&map(json), told, false));
        assert!(!is_error_document(&map(json), told, true));
        assert!(is_error_document(
            &map(&[]),
            b"<Error><Code>x</Code></Error>",
            true
        ));
    }

    #[test]
    fn long_documents_are_not_searched_for_errors() {
        let json = map(&[("content-type", "application/json")]);
        let list = format!("[{}1]", "1,".repeat(4 << 20));
        let fields = format!("<Error>{}</Error>", "<a></a>".repeat(1 << 20));
        for (headers, document, expected) in [(json, list, false), (map(&[]), fields, true)] {
            let mut found = None;
            let search = || found = Some(is_error_document(&headers, document.as_bytes(), false));
            let taken = allocation_counter::measure(search).bytes_max;
            assert!(taken < 4 << 20, "{taken}");
            assert_eq!(found, Some(expected));
        }
    }

    fn map(headers: &[(&'static str, &'static str)]) -> HeaderMap {
        let pair = |(name, value): &(&'static str, &'static str)| {
            let name = reqwest::header::HeaderName::from_static(name);
            (name, HeaderValue::from_static(value))
        };
        headers.iter().map(pair).collect()
    }

    #[test]
    fn what_is_no_document_is_quoted_and_cut() {
        let page = format!("<html>\r\n{}</html>", "ü".repeat(400));
        let error = read(502, &[("x-oss-request-id", "ID1")], page.as_bytes());
        assert_eq!(error.code(), "BadErrorResponse");
        assert_eq!(error.request_id(), Some("ID1"));
        let (_, quote) = error.message().split_once("it begins with: ").unwrap();
        // 8 bytes of `<html>` and line end, then 124 whole characters of two bytes.
        assert_eq!(quote.len(), 256);
        assert!(quote.starts_with("<html>  ü") && quote.ends_with('ü'), "{quote}");
        for body in [&b""[..], b"  "] {
            let error = read(304, &[], body);
            assert_eq!(
                (error.code(), error.message()),
                ("BadErrorResponse", "the response has no error document")
            );
        }
        assert_eq!(read(500, &[("x-oss-err", "%%%")], b"").code(), "BadErrorResponse");
        assert_eq!(
            read(500, &[], b"<Error><Message>m</Message></Error>").code(),
            "BadErrorResponse"
        );
        assert_eq!(read(500, &[], b"\xff\xfe\x00<Error>").code(), "BadErrorResponse");
    }

    #[test]
    fn an_echo_of_the_request_shows_no_secret() {
        for body in [
            "x-oss-security-token: canary-token canary-secret",
            "<Error><Code>canary-token</Code><Message>canary-token</Message><CanonicalRequest>canary-token\
             </CanonicalRequest></Error>",
        ] {
            let error = read(
                403,
                &[
                    ("x-oss-request-id", "canary-token"),
                    ("x-oss-ec", "canary-secret"),
                ],
                body.as_bytes(),
            );
            let shown = format!("{error} {error:?} {:?}", error.field("CanonicalRequest"));
            assert!(!shown.contains("canary"), "{shown}");
        }
    }

    #[test]
    fn an_echo_in_another_notation_shows_no_secret() {
        let token = "CAIS+canary/tok==";
        let used = Credentials::builder("STS.FakeTempKeyId0002", "canary+Secret")
            .security_token(token)
            .build()
            .unwrap();
        for echo in [
            "CAIS&#43;canary/tok&#61;&#61;",
            "CAIS&#x2B;canary&#x2F;tok==",
            "CAIS&plus;canary&sol;tok&equals;&equals;",
            "CAIS%2Bcanary%2ftok%3D%3D",
            "CAIS%252Bcanary%252Ftok%253D%253D",
            r"CAIS+canary\/tok==",
            r"CAIS\u002bcanary\u002Ftok\u003d\u003d",
            r"CAIS\x2bcanary\x2ftok",
            "CAIS canary/tok==",
            "cais+CANARY/tok",
            "CAIS+canary/to",
            "canary&#43;Secret",
            "canary&amp;#43;Secret",
        ] {
            for body in [
                format!("<html>{echo}</html>"),
                format!("<Error><Code>X</Code><Message>got {echo}</Message></Error>"),
                format!("<Error><Code>X</Code><Message><![CDATA[{echo}]]></Message></Error>"),
            ] {
                let headers = [(X_OSS_EC, echo)]
                    .into_iter()
                    .map(|(name, value)| {
                        let name = reqwest::header::HeaderName::from_static(name);
                        (name, HeaderValue::from_str(value).unwrap())
                    })
                    .collect();
                let status = StatusCode::BAD_REQUEST;
                let error = ServiceError::read(context(), status, &headers, body.as_bytes(), &used);
                let shown = format!("{error} {error:?} {:?}", error.field("Message")).to_lowercase();
                assert!(!shown.contains("canary"), "{shown}");
            }
        }
    }

    #[test]
    fn what_may_hold_credentials_is_not_quoted() {
        let withheld =
            "the response is not an error document, and is not quoted since it may repeat credentials";
        for body in [
            "AUTHORIZATION: OSS4-HMAC-SHA256 x",
            "x-oss-Security-Token: some other token",
            r#"{"x-oss-security\u002dtoken": 1}"#,
            "<SecurityToken>other</SecurityToken>",
            "key STS&#46;FakeTempKeyId0002",
        ] {
            assert_eq!(read(502, &[], body.as_bytes()).message(), withheld, "{body}");
        }
    }

    #[test]
    fn access_key_ids_are_masked() {
        let page = "key STS.FakeTempKeyId0002, OSSAccessKeyId=LTAI5tExampleKeyId01&x=1, LTAI5t, STS.";
        let error = read(502, &[], page.as_bytes());
        let (_, quote) = error.message().split_once("it begins with: ").unwrap();
        assert_eq!(
            quote,
            "key STS.****0002, OSSAccessKeyId=LTAI****Id01&x=1, LTAI5t, STS."
        );
        let body = "<Error><Code>X</Code><Message>no STS.FakeTempKeyId0002 here</Message></Error>";
        assert_eq!(read(403, &[], body.as_bytes()).message(), "no STS.****0002 here");
    }

    #[test]
    fn a_document_in_the_header_is_read_where_there_is_no_body() {
        // base64 of <Error><Code>NoSuchKey</Code></Error>, made with coreutils.
        let encoded = "PEVycm9yPjxDb2RlPk5vU3VjaEtleTwvQ29kZT48L0Vycm9yPg==";
        let error = read(
            404,
            &[
                ("x-oss-err", encoded),
                ("x-oss-request-id", "ID1"),
                ("x-oss-ec", "0026-00000001"),
            ],
            b"",
        );
        assert_eq!(error.code(), "NoSuchKey");
        assert_eq!(
            (error.request_id(), error.ec()),
            (Some("ID1"), Some("0026-00000001"))
        );
        // The body goes first.
        let error = read(
            404,
            &[("x-oss-err", encoded)],
            b"<Error><Code>Body</Code></Error>",
        );
        assert_eq!(error.code(), "Body");
    }

    #[test]
    fn a_json_document_is_read_where_the_answer_says_so() {
        let json = [("content-type", "application/json; charset=utf-8")];
        let body =
            br#"{"Error":{"Code":"NoSuchKey","Message":"not there","RequestId":"R1","EC":"0026-00000001"}}"#;
        let error = read(404, &json, body);
        assert_eq!((error.code(), error.message()), ("NoSuchKey", "not there"));
        assert_eq!(
            (error.request_id(), error.ec()),
            (Some("R1"), Some("0026-00000001"))
        );
        let typed = [json[0], ("x-oss-error-type", "NotFoundException")];
        let error = read(404, &typed, br#"{"message":"no such table"}"#);
        assert_eq!(
            (error.code(), error.message()),
            ("NotFoundException", "no such table")
        );
        assert_eq!(read(500, &json, b"{").code(), "BadErrorResponse");
    }

    #[test]
    fn a_document_behind_something_else_is_found() {
        let body = "\u{feff}Warning: x\n<Error><Code>NoSuchKey</Code><Message>m</Message></Error>";
        let error = read(404, &[], body.as_bytes());
        assert_eq!((error.code(), error.message()), ("NoSuchKey", "m"));
    }
}
