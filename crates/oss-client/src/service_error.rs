//! Errors that the service answers with.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use oss_credentials_core::Credentials;
use oss_credentials_core::http::Scrubber;
use reqwest::StatusCode;
use reqwest::header::HeaderMap;

use crate::error::Place;
use crate::json;
use crate::xml::error_fields;

/// Code of an answer without a document that can be read.
const BAD_ERROR_RESPONSE: &str = "BadErrorResponse";
/// Longest quote from a body that cannot be read, in bytes.
const MAX_QUOTE: usize = 256;
/// Longest text of the service that is shown, in characters.
const MAX_SHOWN: usize = 512;

/// Header with the error document, in base64, where there is no body.
const X_OSS_ERR: &str = "x-oss-err";
const X_OSS_EC: &str = "x-oss-ec";
/// Header with the code of an error whose document has none.
const X_OSS_ERROR_TYPE: &str = "x-oss-error-type";
pub(crate) const X_OSS_REQUEST_ID: &str = "x-oss-request-id";

/// Codes with which the service refuses the key or the token itself.
///
/// Vendor document: "Error codes" (Object Storage Service, API reference).
const KEY_REJECTED: [&str; 3] = [
    "InvalidAccessKeyId",
    "InvalidSecurityToken",
    "SecurityTokenExpired",
];
/// Code with which the service refuses the signing time.
const TIME_REJECTED: &str = "RequestTimeTooSkewed";
/// How the message of an `InvalidArgument` begins where the signature names another region than the bucket's.
const WRONG_REGION: &str = "Invalid signing region";

/// Below 500, as observed from the vendor's Python SDK V2.
const RETRYABLE_STATUSES: [u16; 3] = [401, 408, 429];
/// Whatever the status, as observed from the vendor's Python SDK V2.
const RETRYABLE_CODES: [&str; 2] = [TIME_REJECTED, "BadRequest"];

/// An error answer of the service.
///
/// `Display` names the operation, the URL without its query, status, code, message, request id and `EC`, and says
/// what to do where that is known. `Debug` leaves out the further fields, which may repeat what was signed.
///
/// Vendor document: "Error responses" (Object Storage Service, API reference).
#[derive(Clone)]
pub struct ServiceError {
    place: Place,
    status: StatusCode,
    code: String,
    message: String,
    request_id: Option<String>,
    ec: Option<String>,
    hint: Option<&'static str>,
    /// The whole document.
    fields: Vec<(String, String)>,
    headers: HeaderMap,
}

impl ServiceError {
    /// Reads an error answer. `body` may be cut. `used` are the credentials that were sent: nothing of them may
    /// come back in a text.
    pub(crate) fn read(
        place: Place,
        status: StatusCode,
        headers: &HeaderMap,
        body: &[u8],
        used: &Credentials,
    ) -> Self {
        let from_header;
        let document = if body.is_empty() {
            let encoded = headers.get(X_OSS_ERR).map(|value| value.as_bytes().trim_ascii());
            from_header = encoded
                .and_then(|encoded| STANDARD.decode(encoded).ok())
                .unwrap_or_default();
            &from_header
        } else {
            body
        };
        let document = String::from_utf8_lossy(document);
        let scrubber = Scrubber::of(used);
        let header = |name: &str| {
            let value = headers.get(name)?.to_str().ok()?;
            Some(scrubber.redacted(value)).filter(|value| !value.is_empty())
        };

        let mut fields = fields(headers, &document);
        let find = |fields: &[(String, String)], name: &str| {
            let value = fields.iter().find(|(own, _)| own == name)?.1.trim();
            (!value.is_empty()).then(|| value.to_owned())
        };
        let original = find(&fields, "Code");
        // Of the code as it came: what is advised must not depend on what is withheld.
        let hint = hint(
            original.as_deref().unwrap_or(BAD_ERROR_RESPONSE),
            find(&fields, "Message").as_deref().unwrap_or_default(),
        );
        for (name, value) in &mut fields {
            if name != "Code" || scrubber.identifier(value.trim()).is_none() {
                *value = scrubber.redacted(value);
            }
        }
        let field = |name: &str| find(&fields, name);
        let (code, message) = match field("Code") {
            Some(code) => {
                let message = field("Message").unwrap_or_default();
                let code = match scrubber.identifier(&code) {
                    Some(_) => code,
                    None => scrubber.text(&code),
                };
                (code, scrubber.text(&message))
            }
            None => (BAD_ERROR_RESPONSE.to_owned(), unreadable(&document, &scrubber)),
        };
        Self {
            hint,
            request_id: field("RequestId").or_else(|| header(X_OSS_REQUEST_ID)),
            ec: field("EC").or_else(|| header(X_OSS_EC)),
            place,
            status,
            code,
            message,
            fields,
            headers: scrubbed_headers(headers, &scrubber),
        }
    }

    /// Name of the operation, such as `GetObject`.
    pub fn operation(&self) -> &str {
        &self.place.operation
    }

    /// Method and URL of the request, without query.
    pub fn request(&self) -> &str {
        &self.place.request
    }

    /// The HTTP status.
    pub fn status(&self) -> StatusCode {
        self.status
    }

    /// The error code, such as `NoSuchKey`; `BadErrorResponse` if the answer has no readable error document, as
    /// with an answer of a proxy, or with status 304.
    pub fn code(&self) -> &str {
        &self.code
    }

    /// The service's own words; for `BadErrorResponse` what came instead, at most 256 bytes of it.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// The service's id of the request; support asks for it.
    pub fn request_id(&self) -> Option<&str> {
        self.request_id.as_deref()
    }

    /// The more precise error code, such as `0026-00000001`.
    pub fn ec(&self) -> Option<&str> {
        self.ec.as_deref()
    }

    /// The answer's headers. What repeats the secret or token of the request is left out.
    pub fn headers(&self) -> &HeaderMap {
        &self.headers
    }

    /// The host that answered, as it calls itself.
    pub fn host_id(&self) -> Option<&str> {
        self.field("HostId")
    }

    /// Address of the vendor's page about this error.
    pub fn recommend(&self) -> Option<&str> {
        self.field("RecommendDoc")
    }

    /// An element of the error document by its name, such as `StringToSign` after `SignatureDoesNotMatch`.
    ///
    /// What the service repeats of the request may say more than should be logged.
    pub fn field(&self, name: &str) -> Option<&str> {
        let (_, value) = self.fields.iter().find(|(own, _)| own == name)?;
        Some(value.trim())
    }

    /// See [`Error::is_retryable`](crate::Error::is_retryable).
    pub(crate) fn is_retryable(&self) -> bool {
        let status = self.status.as_u16();
        status >= 500 || RETRYABLE_STATUSES.contains(&status) || RETRYABLE_CODES.contains(&self.code.as_str())
    }

    pub(crate) fn rejects_key(&self) -> bool {
        KEY_REJECTED.contains(&self.code.as_str())
    }

    pub(crate) fn rejects_time(&self) -> bool {
        self.code == TIME_REJECTED
    }
}

impl fmt::Display for ServiceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Place { operation, request } = &self.place;
        write!(
            f,
            "oss-client: {operation} was refused ({request}, HTTP {}): {}",
            self.status.as_u16(),
            Shown(&self.code)
        )?;
        if !self.message.is_empty() {
            write!(f, ": {}", Shown(&self.message))?;
        }
        if let Some(id) = &self.request_id {
            write!(f, ", RequestId {}", Shown(id))?;
        }
        if let Some(ec) = &self.ec {
            write!(f, ", EC {}", Shown(ec))?;
        }
        match (self.hint, self.recommend()) {
            (Some(hint), Some(page)) => write!(f, "; {hint}, see {}", Shown(page)),
            (Some(hint), None) => write!(f, "; {hint}"),
            (None, Some(page)) => write!(f, "; see {}", Shown(page)),
            (None, None) => Ok(()),
        }
    }
}

impl fmt::Debug for ServiceError {
    /// The text of `Display`: a `main` that returns an error shows it this way.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl std::error::Error for ServiceError {}

/// What to do about an error, by the service's code and words as they came.
fn hint(code: &str, message: &str) -> Option<&'static str> {
    Some(match code {
        "InvalidAccessKeyId" => "check that the AccessKey exists and is enabled",
        "InvalidSecurityToken" => "check that id, secret and token come from one answer of STS",
        "SecurityTokenExpired" => "get new temporary credentials, or use a provider that refreshes",
        "SignatureDoesNotMatch" => {
            "check the secret, and that nothing between here and OSS changes the request"
        }
        TIME_REJECTED => "set the local clock",
        "InvalidArgument" if message.starts_with(WRONG_REGION) => "set region(..) to the bucket's region",
        "AccessDenied" => "grant the action on this resource to the identity of the key",
        "NoSuchBucket" => "check the bucket's name, and that it is in the region of the endpoint",
        BAD_ERROR_RESPONSE => "check that the endpoint is OSS itself and not a proxy or another server",
        _ => return None,
    })
}

/// The headers without those that repeat the secret or token.
fn scrubbed_headers(headers: &HeaderMap, scrubber: &Scrubber<'_>) -> HeaderMap {
    let mut kept = headers.clone();
    for (name, value) in headers {
        let text = String::from_utf8_lossy(value.as_bytes());
        if scrubber.redacted(&text) != text {
            kept.remove(name);
        }
    }
    kept
}

/// The error document's elements; none if it cannot be read.
fn fields(headers: &HeaderMap, document: &str) -> Vec<(String, String)> {
    let header = |name: &str| headers.get(name)?.to_str().ok();
    let is_json = header("content-type").is_some_and(|kind| kind.starts_with("application/json"));
    if !is_json {
        // Behind something that was put in front of it, it still counts.
        let start = document.find("<Error").unwrap_or_default();
        return error_fields(document)
            .or_else(|| error_fields(document.get(start..)?))
            .unwrap_or_default();
    }
    let mut fields = json::error_fields(document).unwrap_or_default();
    if let Some(code) = header(X_OSS_ERROR_TYPE).filter(|code| !code.is_empty()) {
        fields.retain(|(name, _)| name != "Code");
        fields.push(("Code".to_owned(), code.to_owned()));
    }
    fields
}

/// Text from outside as it may be shown: cut, and without control characters.
struct Shown<'a>(&'a str);

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        use fmt::Write as _;
        let clean = self.0.chars().map(|c| if c.is_control() { ' ' } else { c });
        for c in clean.take(MAX_SHOWN) {
            f.write_char(c)?;
        }
        Ok(())
    }
}

/// What is said about an answer without a readable document.
fn unreadable(document: &str, scrubber: &Scrubber<'_>) -> String {
    let text = document.trim();
    if text.is_empty() {
        return "the answer has no error document".to_owned();
    }
    let Some(text) = scrubber.quotable(text) else {
        return "the answer is no error document, and is not quoted since it may repeat credentials"
            .to_owned();
    };
    let mut end = text.len().min(MAX_QUOTE);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    let quote = text.get(..end).unwrap_or_default();
    let quote: String = quote
        .chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect();
    format!("the answer is no error document, it begins with: {quote}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use reqwest::header::HeaderValue;

    const DOCUMENT: &str = r#"<?xml version="1.0" encoding="UTF-8"?>
<Error>
  <Code>NoSuchKey</Code>
  <Message>The specified key does not exist.</Message>
  <RequestId>FAKE0REQUEST0ID000000001</RequestId>
  <HostId>examplebucket.oss-cn-hangzhou.aliyuncs.com</HostId>
  <Key>nope</Key>
  <EC>0026-00000001</EC>
  <RecommendDoc>https://api.aliyun.com/troubleshoot?q=0026-00000001</RecommendDoc>
</Error>"#;

    fn place() -> Place {
        Place {
            operation: "GetObject".into(),
            request: "GET https://examplebucket.oss-cn-hangzhou.aliyuncs.com/nope".to_owned(),
        }
    }

    fn read(status: u16, headers: &[(&'static str, &str)], body: &[u8]) -> ServiceError {
        let credentials = Credentials::builder("STS.FakeTempKeyId0002", "canary-secret")
            .security_token("canary-token")
            .build()
            .unwrap();
        let headers = headers
            .iter()
            .map(|(name, value)| {
                (
                    reqwest::header::HeaderName::from_static(name),
                    HeaderValue::from_str(value).unwrap(),
                )
            })
            .collect();
        let status = StatusCode::from_u16(status).unwrap();
        ServiceError::read(place(), status, &headers, body, &credentials)
    }

    #[test]
    fn a_document_in_the_body_is_read() {
        let error = read(404, &[("x-oss-request-id", "other")], DOCUMENT.as_bytes());
        assert_eq!(error.code(), "NoSuchKey");
        assert_eq!(error.message(), "The specified key does not exist.");
        assert_eq!(error.request_id(), Some("FAKE0REQUEST0ID000000001"));
        assert_eq!(error.ec(), Some("0026-00000001"));
        assert_eq!(
            error.host_id(),
            Some("examplebucket.oss-cn-hangzhou.aliyuncs.com")
        );
        assert_eq!(error.field("Key"), Some("nope"));
        assert_eq!(
            error.recommend(),
            Some("https://api.aliyun.com/troubleshoot?q=0026-00000001")
        );
        assert_eq!(
            error.to_string(),
            "oss-client: GetObject was refused (GET https://examplebucket.oss-cn-hangzhou.aliyuncs.com/nope, HTTP 404): \
             NoSuchKey: The specified key does not exist., RequestId FAKE0REQUEST0ID000000001, EC 0026-00000001; \
             see https://api.aliyun.com/troubleshoot?q=0026-00000001"
        );
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

    #[test]
    fn headers_are_kept_but_not_those_that_repeat_the_token() {
        let error = read(
            404,
            &[("x-oss-version-id", "v1"), ("x-echo", "got canary-token")],
            b"",
        );
        assert_eq!(error.headers().len(), 1);
        assert_eq!(error.headers()["x-oss-version-id"], "v1");
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
                ("BadErrorResponse", "the answer has no error document")
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
                let error = ServiceError::read(place(), status, &headers, body.as_bytes(), &used);
                let shown = format!("{error} {error:?} {:?}", error.field("Message")).to_lowercase();
                assert!(!shown.contains("canary"), "{shown}");
            }
        }
    }

    #[test]
    fn what_may_hold_credentials_is_not_quoted() {
        let withheld = "the answer is no error document, and is not quoted since it may repeat credentials";
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
    fn texts_are_cut_and_on_one_line() {
        let body = format!(
            "<Error><Code>A\nB</Code><Message>{}</Message></Error>",
            "m\t".repeat(600)
        );
        let shown = read(400, &[], body.as_bytes()).to_string();
        assert!(!shown.contains(char::is_control), "{shown}");
        assert!(shown.len() < 700, "{}", shown.len());
    }

    #[test]
    fn placeholder_keys_leave_code_message_and_hint_alone() {
        let body =
            b"<Error><Code>InvalidAccessKeyId</Code><Message>The OSS Access Key Id you provided does not \
            exist in our records.</Message></Error>";
        for (id, secret, token) in [("id", "secret", "token"), ("i", "s", "t")] {
            let used = Credentials::builder(id, secret)
                .security_token(token)
                .build()
                .unwrap();
            let error = ServiceError::read(place(), StatusCode::FORBIDDEN, &HeaderMap::new(), body, &used);
            assert_eq!(error.code(), "InvalidAccessKeyId");
            assert_eq!(
                error.message(),
                "The OSS Access Key Id you provided does not exist in our records."
            );
            let shown = error.to_string();
            assert!(
                shown.ends_with("; check that the AccessKey exists and is enabled"),
                "{shown}"
            );
        }
    }

    #[test]
    fn what_is_advised_does_not_depend_on_what_is_withheld() {
        let body = b"<Error><Code>InvalidAccessKeyId</Code><Message>m</Message></Error>";
        let used = Credentials::builder("LTAI5tExampleKeyId01", "InvalidAccessKey")
            .build()
            .unwrap();
        let error = ServiceError::read(place(), StatusCode::FORBIDDEN, &HeaderMap::new(), body, &used);
        let shown = error.to_string();
        assert!(!shown.contains("InvalidAccessKey"), "{shown}");
        assert!(
            shown.ends_with("; check that the AccessKey exists and is enabled"),
            "{shown}"
        );
    }

    #[test]
    fn a_wrong_region_has_its_own_advice() {
        let of = |message: &str| {
            let body = format!("<Error><Code>InvalidArgument</Code><Message>{message}</Message></Error>");
            read(400, &[], body.as_bytes()).to_string()
        };
        let shown = of("Invalid signing region in Authorization header.");
        assert!(
            shown.ends_with("; set region(..) to the bucket's region"),
            "{shown}"
        );
        assert!(!of("Invalid part number.").contains("region"));
    }

    #[test]
    fn refused_keys_and_times_are_told_apart() {
        let of = |code: &str| read(403, &[], format!("<Error><Code>{code}</Code></Error>").as_bytes());
        for code in [
            "InvalidAccessKeyId",
            "InvalidSecurityToken",
            "SecurityTokenExpired",
        ] {
            assert!(of(code).rejects_key() && !of(code).rejects_time(), "{code}");
        }
        assert!(of("RequestTimeTooSkewed").rejects_time());
        for code in ["AccessDenied", "SignatureDoesNotMatch", "RequestTimeTooSkewed"] {
            assert!(!of(code).rejects_key(), "{code}");
        }
    }
}
