//! Errors returned by the service.

use std::fmt;
use std::time::SystemTime;

use oss_credentials_core::{Credentials, MaskedId, text};
use oss_credentials_http::{Scrubber, may_pass};
use oss_sign::{CLOCK_REJECTED_CODES, Refusal};
use reqwest::StatusCode;
use reqwest::header::{DATE, HeaderMap};

use crate::date;
use crate::error_document::{fields, text, unreadable};
use crate::request_context::RequestContext;

/// The code for a response without a readable error document.
const BAD_ERROR_RESPONSE: &str = "BadErrorResponse";
/// The message of an error whose code is derived from the status.
const NO_DOCUMENT: &str = "the response has no error document";
/// The same for HTTP 404 on an object, which has two possible causes.
const NO_DOCUMENT_404: &str =
    "the response has no error document, and does not show whether the object or its bucket is missing";
/// The longest text of the service that is shown, in characters.
const MAX_SHOWN: usize = 512;

pub(crate) const X_OSS_EC: &str = "x-oss-ec";
pub(crate) const X_OSS_REQUEST_ID: &str = "x-oss-request-id";
pub(crate) const X_OSS_CALLBACK: &str = "x-oss-callback";

/// Codes whose error text names the rejected key: what to do depends on where the key came from.
const NAMES_KEY: [&str; 5] = [
    "AccessDenied",
    "InvalidAccessKeyId",
    "InvalidSecurityToken",
    "SecurityTokenExpired",
    "SignatureDoesNotMatch",
];
/// What to do about these codes if no key was sent.
const NOT_SIGNED: &str =
    "the request was not signed, since the credentials are anonymous: use a provider with keys";
/// The beginning of the message of an `InvalidArgument` if the signature names a region other than the bucket's.
const WRONG_REGION: &str = "Invalid signing region";

/// Part of the message of an `AccessDenied` or `PermanentRedirect` if the bucket is in a region other than the
/// endpoint's.
///
/// Vendor document: "HTTP status code 403" (Object Storage Service, error codes).
const WRONG_ENDPOINT: &str = "must be addressed using the specified endpoint";
/// Retryable statuses in addition to those of [`may_pass`], as observed from the vendor's Python SDK V2.
const RETRYABLE_STATUSES: [u16; 1] = [401];
/// Codes that are retryable with any status, as observed from the vendor's Python SDK V2.
const RETRYABLE_CODES: [&str; 1] = ["BadRequest"];

/// Codes that come with HTTP 500, 503 and 429. The code alone counts if the response had begun with HTTP 200.
///
/// Vendor documents: "HTTP status code 500", "HTTP status code 503" and "HTTP status code 429" (Object Storage Service,
/// error codes).
const BUSY_CODES: [&str; 9] = [
    "ActiveRequestLimitExceeded",
    "CpuLimitExceeded",
    "DownloadTrafficRateLimitExceeded",
    "InternalError",
    "MetaOperationQpsLimitExceeded",
    "QpsLimitExceeded",
    "ServiceUnavailable",
    "TotalQpsLimitExceeded",
    "UploadTrafficRateLimitExceeded",
];

/// An error returned by the service.
///
/// `Display` contains the operation, the URL without its query, the status, code, message, request ID and `EC`, and
/// what to do. If the error is about the key, it also contains which key was rejected. `Debug` omits the other fields
/// of the document, which may repeat what was signed.
///
/// Vendor document: "Error responses" (Object Storage Service, API reference).
#[derive(Clone)]
pub struct ServiceError {
    context: RequestContext,
    status: StatusCode,
    code: String,
    message: String,
    request_id: Option<String>,
    ec: Option<String>,
    /// What to do about the error.
    hint: &'static str,
    key: UsedKey,
    /// The whole document.
    fields: Vec<(String, String)>,
    headers: HeaderMap,
}

/// The key that a rejected request was signed with.
#[derive(Clone)]
struct UsedKey {
    /// Masked; `None` for a request that was not signed.
    id: Option<String>,
    source: &'static str,
    /// Whether the error is about the key, so that the text names it.
    is_named: bool,
}

impl UsedKey {
    fn of(used: &Credentials, code: &str) -> Self {
        let id = (!used.is_anonymous()).then(|| MaskedId(used.access_key_id()).to_string());
        Self {
            id,
            source: used.source(),
            is_named: NAMES_KEY.contains(&code),
        }
    }
}

impl ServiceError {
    /// Reads an error response. `body` may be truncated. `used` are the credentials that were sent; no text may contain
    /// any part of them.
    pub(crate) fn read(
        context: RequestContext,
        status: StatusCode,
        headers: &HeaderMap,
        body: &[u8],
        used: &Credentials,
    ) -> Self {
        let document = text(headers, body);
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
        // A response to HEAD has no body, and not every service sends its document in a header instead.
        let is_bare = document.is_empty() && headers.contains_key(X_OSS_REQUEST_ID);
        let derived = if is_bare { code_by_status(status) } else { None };
        // From the code as received: the hint must not depend on what is withheld.
        let hint = match derived {
            // A failed condition of the request needs no further explanation.
            Some(_) if !matches!(status, StatusCode::FORBIDDEN | StatusCode::NOT_FOUND) => {
                hint_by_status(status)
            }
            Some(_) => "send a GET request, whose response explains the reason",
            None => hint(
                original.as_deref().unwrap_or(BAD_ERROR_RESPONSE),
                find(&fields, "Message").as_deref().unwrap_or_default(),
                status,
            ),
        };
        let code = original.as_deref().or(derived.map(|(code, _)| code));
        let key = UsedKey::of(used, code.unwrap_or_default());
        // A request to the wrong endpoint is rejected with any key.
        let is_misdirected = find(&fields, "Message").is_some_and(|message| message.contains(WRONG_ENDPOINT));
        let hint = if key.is_named && key.id.is_none() && !is_misdirected {
            NOT_SIGNED
        } else {
            hint
        };
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
            None => match derived {
                Some((code, message)) => (code.to_owned(), message.to_owned()),
                None => (BAD_ERROR_RESPONSE.to_owned(), unreadable(&document, &scrubber)),
            },
        };
        Self {
            hint,
            key,
            request_id: field("RequestId").or_else(|| header(X_OSS_REQUEST_ID)),
            ec: field("EC").or_else(|| header(X_OSS_EC)),
            context,
            status,
            code,
            message,
            fields,
            headers: scrubbed_headers(headers, &scrubber),
        }
    }

    /// Whether the error comes from the service itself, which gives each request an ID and sends a document for most
    /// errors. The error page of a proxy has neither.
    pub(crate) fn is_of_service(&self) -> bool {
        self.request_id.is_some() || self.code != BAD_ERROR_RESPONSE
    }

    /// Which attempt of the operation was refused, from 1.
    pub(crate) fn attempt(&self) -> u32 {
        self.context.attempt()
    }

    /// The name of the operation, such as `GetObject`.
    pub fn operation(&self) -> &str {
        self.context.operation()
    }

    /// The method and URL of the request, without the query.
    pub fn request(&self) -> &str {
        self.context.request()
    }

    /// The HTTP status. It is 200 if the service failed after it had begun to respond, as can happen when it copies an
    /// object or completes an upload, and 203 if a callback failed.
    pub fn status(&self) -> StatusCode {
        self.status
    }

    /// The error code, such as `NoSuchKey`; `BadErrorResponse` if the response has no readable error document, such as
    /// the response of a proxy.
    ///
    /// If the service rejects a HEAD request without a document, the code is derived from the status: 403 becomes
    /// `AccessDenied`, 404 `NoSuchKey` (which cannot be distinguished from `NoSuchBucket`), 304 `NotModified`, and 412
    /// `PreconditionFailed`.
    pub fn code(&self) -> &str {
        &self.code
    }

    /// The service's message; for `BadErrorResponse` at most the first 256 bytes of the response.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// The service's ID of the request, which Alibaba Cloud support asks for.
    pub fn request_id(&self) -> Option<&str> {
        self.request_id.as_deref()
    }

    /// The more precise error code, such as `0026-00000001`.
    pub fn ec(&self) -> Option<&str> {
        self.ec.as_deref()
    }

    /// The access key ID that signed the request, masked, such as `LTAI****8074`; `None` if the request was not signed.
    pub fn key_id(&self) -> Option<&str> {
        self.key.id.as_deref()
    }

    /// The provider of the request's credentials, such as `env`, or `anonymous`.
    pub fn credentials_source(&self) -> &'static str {
        self.key.source
    }

    /// The response's headers, without those that repeat the secret or token of the request.
    pub fn headers(&self) -> &HeaderMap {
        &self.headers
    }

    /// The name of the host that responded, as the service reports it.
    pub fn host_id(&self) -> Option<&str> {
        self.field("HostId")
    }

    /// When the service answered, by its own clock: the `Date` of the response. `None` if it shows none.
    pub fn timestamp(&self) -> Option<SystemTime> {
        date::from_http(self.headers.get(DATE)?.to_str().ok()?)
    }

    /// The address of the vendor's page about this error.
    pub fn recommend(&self) -> Option<&str> {
        self.field("RecommendDoc")
    }

    /// An element of the error document by its name, such as `StringToSign` after `SignatureDoesNotMatch`.
    ///
    /// Elements may repeat parts of the request that should not be logged.
    pub fn field(&self, name: &str) -> Option<&str> {
        let (_, value) = self.fields.iter().find(|(own, _)| own == name)?;
        Some(value.trim())
    }

    /// See [`Error::is_retryable`](crate::Error::is_retryable).
    pub(crate) fn is_retryable(&self) -> bool {
        let (status, code) = (self.status.as_u16(), self.code.as_str());
        may_pass(status, "")
            || RETRYABLE_STATUSES.contains(&status)
            || self.rejects_time()
            || RETRYABLE_CODES.contains(&code)
            || (self.status.is_success() && BUSY_CODES.contains(&code))
    }

    pub(crate) fn rejects_key(&self) -> bool {
        Refusal::of_code(&self.code) == Some(Refusal::Key)
    }

    pub(crate) fn rejects_time(&self) -> bool {
        Refusal::of_code(&self.code) == Some(Refusal::Clock)
    }
}

impl fmt::Display for ServiceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let context = &self.context;
        write!(
            f,
            "oss-client: {} was refused ({context}, HTTP {}): {}",
            context.operation(),
            self.status.as_u16(),
            Shown(&self.code)
        )?;
        if !self.message.is_empty() {
            write!(f, ": {}", Shown(&self.message))?;
        }
        if let Some(id) = &self.request_id {
            write!(f, ", request ID {}", Shown(id))?;
        }
        if let Some(ec) = &self.ec {
            write!(f, ", EC {}", Shown(ec))?;
        }
        if let Some(id) = self.key.id.as_deref().filter(|_| self.key.is_named) {
            write!(f, " (key {id} from {})", self.key.source)?;
        }
        write!(f, "; {}", self.hint)?;
        match self.recommend() {
            Some(page) => write!(f, ", see {}", Shown(page)),
            None => Ok(()),
        }
    }
}

impl fmt::Debug for ServiceError {
    /// Same as `Display`, so that a `main` that returns this error prints a readable message.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl std::error::Error for ServiceError {}

/// The code and message of an error with a request ID and without a document.
///
/// Vendor documents: "`HeadObject`" and "Error responses" (Object Storage Service, API reference).
fn code_by_status(status: StatusCode) -> Option<(&'static str, &'static str)> {
    match status {
        StatusCode::NOT_MODIFIED => Some(("NotModified", NO_DOCUMENT)),
        StatusCode::FORBIDDEN => Some(("AccessDenied", NO_DOCUMENT)),
        StatusCode::NOT_FOUND => Some(("NoSuchKey", NO_DOCUMENT_404)),
        StatusCode::PRECONDITION_FAILED => Some(("PreconditionFailed", NO_DOCUMENT)),
        _ => None,
    }
}

const LATER: &str = "retry later, or allow more attempts";

/// What to do about an error, by the code and message as received, or else by the status.
///
/// Vendor document: "HTTP status code 403" (Object Storage Service, error codes).
fn hint(code: &str, message: &str, status: StatusCode) -> &'static str {
    match code {
        "InvalidAccessKeyId" => "check that the access key exists and is enabled",
        "InvalidSecurityToken" => "check that ID, secret and token come from the same response of STS",
        "SecurityTokenExpired" => "get new temporary credentials, or use a provider that refreshes",
        "SignatureDoesNotMatch" => {
            "check the secret, and that nothing between here and OSS changes the request"
        }
        _ if CLOCK_REJECTED_CODES.contains(&code) => "set the local clock",
        "InvalidArgument" if message.starts_with(WRONG_REGION) => "set region(..) to the bucket's region",
        "AccessDenied" | "PermanentRedirect" if message.contains(WRONG_ENDPOINT) => {
            "set region(..), and endpoint(..) if it is set, to those of the bucket"
        }
        "AccessDenied" => "grant the action on this resource to the identity of the key",
        "NoSuchBucket" => "check the bucket's name, and that it is in the region of the endpoint",
        "InvalidObjectName" => "use a key of 1 to 1023 bytes of UTF-8 that does not begin with / or \\",
        "NoSuchUpload" => "start the upload again: it was completed, aborted or removed by a lifecycle rule",
        "InvalidObjectState" => "restore the object before it is read: it is archived",
        "SecondLevelDomainForbidden" => "leave path_style disabled: the bucket has to be in the host name",
        "UserDisable" | "InDebt" | "InDebtOverdue" => {
            "look at the account in the console: it is disabled or a payment is overdue"
        }
        BAD_ERROR_RESPONSE if status.is_redirection() && status != StatusCode::NOT_MODIFIED => {
            "check the endpoint, or let redirects(..) follow: something redirects the request"
        }
        "CallbackFailed" => "look at the program that `callback` names, as the object is stored",
        // The response to a failed condition has no document.
        BAD_ERROR_RESPONSE if status != StatusCode::NOT_MODIFIED => {
            "check that the endpoint is OSS itself and not a proxy or another server"
        }
        _ if BUSY_CODES.contains(&code) => LATER,
        _ => hint_by_status(status),
    }
}

fn hint_by_status(status: StatusCode) -> &'static str {
    match status.as_u16() {
        501 => "check the operation, its headers and the endpoint: the server there does not implement this",
        304 => "use the copy you already have: nothing newer is stored",
        401 | 403 => "see whether the state of account, bucket and object allows this request",
        404 => "check the names and IDs in the request",
        409 => "check the existing object: the request conflicts with it",
        412 => "look at the object again: a condition of the request does not hold",
        408 | 429 | 500.. => LATER,
        _ => "correct what the message names",
    }
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

/// Text from the response in a form that can be shown: truncated, and without control characters.
struct Shown<'a>(&'a str);

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        use fmt::Write as _;
        let clean = self.0.chars().map(text::safe);
        for c in clean.take(MAX_SHOWN) {
            f.write_char(c)?;
        }
        Ok(())
    }
}

#[cfg(test)]
pub(crate) mod tests {
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

    pub(crate) fn context() -> RequestContext {
        let url = "https://examplebucket.oss-cn-hangzhou.aliyuncs.com/nope";
        RequestContext::new("GetObject".into(), http::Method::GET, url.to_owned(), 1)
    }

    pub(crate) fn read(status: u16, headers: &[(&'static str, &str)], body: &[u8]) -> ServiceError {
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
        ServiceError::read(context(), status, &headers, body, &credentials)
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
             NoSuchKey: The specified key does not exist., request ID FAKE0REQUEST0ID000000001, EC 0026-00000001; \
             check the names and IDs in the request, see https://api.aliyun.com/troubleshoot?q=0026-00000001"
        );
    }

    #[test]
    fn a_refusal_without_document_has_a_code_by_its_status() {
        let id = [("x-oss-request-id", "FAKE0REQUEST0ID000000001")];
        for (status, code) in [
            (304, "NotModified"),
            (403, "AccessDenied"),
            (404, "NoSuchKey"),
            (412, "PreconditionFailed"),
            (400, "BadErrorResponse"),
            (500, "BadErrorResponse"),
        ] {
            assert_eq!(read(status, &id, b"").code(), code, "{status}");
            // Without a request ID it is not known to be the service's.
            assert_eq!(read(status, &[], b"").code(), "BadErrorResponse", "{status}");
            assert_eq!(
                read(status, &id, b"<html>").code(),
                "BadErrorResponse",
                "{status}"
            );
        }
        assert_eq!(
            read(404, &id, b"").to_string(),
            "oss-client: GetObject was refused (GET https://examplebucket.oss-cn-hangzhou.aliyuncs.com/nope, HTTP 404): \
             NoSuchKey: the response has no error document, and does not show whether the object or its bucket is \
             missing, request ID FAKE0REQUEST0ID000000001; send a GET request, whose response explains the reason"
        );
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
    fn texts_are_cut_and_on_one_line() {
        let body = format!(
            "<Error><Code>A\nB</Code><Message>\u{202e}\u{2066}\u{200f}\u{61c}\u{2028}{}</Message></Error>",
            "m\t".repeat(600)
        );
        let shown = read(400, &[], body.as_bytes()).to_string();
        assert!(!shown.contains(text::is_unsafe), "{}", shown.escape_debug());
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
            let error = ServiceError::read(context(), StatusCode::FORBIDDEN, &HeaderMap::new(), body, &used);
            assert_eq!(error.code(), "InvalidAccessKeyId");
            assert_eq!(
                error.message(),
                "The OSS Access Key Id you provided does not exist in our records."
            );
            let shown = error.to_string();
            assert!(
                shown.ends_with("; check that the access key exists and is enabled"),
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
        let error = ServiceError::read(context(), StatusCode::FORBIDDEN, &HeaderMap::new(), body, &used);
        let shown = error.to_string();
        assert!(!shown.contains("InvalidAccessKey"), "{shown}");
        assert!(
            shown.ends_with("; check that the access key exists and is enabled"),
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
    fn a_wrong_endpoint_is_no_lack_of_permission() {
        for code in ["AccessDenied", "PermanentRedirect"] {
            let body = format!(
                "<Error><Code>{code}</Code><Message>The bucket you are attempting to access must be addressed using \
                 the specified endpoint. Please send all future requests to this endpoint.</Message>\
                 <Endpoint>oss-cn-beijing.aliyuncs.com</Endpoint></Error>"
            );
            let error = read(403, &[], body.as_bytes());
            let shown = error.to_string();
            assert!(
                shown.ends_with("; set region(..), and endpoint(..) if it is set, to those of the bucket"),
                "{shown}"
            );
            assert_eq!(error.field("Endpoint"), Some("oss-cn-beijing.aliyuncs.com"));
        }
        let denied = read(403, &[], b"<Error><Code>AccessDenied</Code></Error>").to_string();
        assert!(denied.contains("grant the action"), "{denied}");
    }

    #[test]
    fn an_answer_without_document_is_not_always_a_strangers() {
        for (status, advice) in [
            (304, "; use the copy you already have: nothing newer is stored"),
            (
                302,
                "; check the endpoint, or let redirects(..) follow: something redirects the request",
            ),
            (
                502,
                "; check that the endpoint is OSS itself and not a proxy or another server",
            ),
        ] {
            let shown = read(status, &[], b"").to_string();
            assert!(shown.ends_with(advice), "{shown}");
        }
    }

    #[test]
    fn every_refusal_says_what_to_do() {
        let of = |status: u16, code: &str| {
            let body = format!("<Error><Code>{code}</Code><Message>m</Message></Error>");
            let body = if code.is_empty() { "" } else { &body };
            let shown = read(status, &[], body.as_bytes()).to_string();
            shown.rsplit_once("; ").unwrap().1.to_owned()
        };
        let later = "retry later, or allow more attempts";
        for (status, code, hint) in [
            (
                203,
                "CallbackFailed",
                "look at the program that `callback` names, as the object is stored",
            ),
            (304, "", "use the copy you already have: nothing newer is stored"),
            (400, "InvalidPart", "correct what the message names"),
            (
                400,
                "InvalidObjectName",
                "use a key of 1 to 1023 bytes of UTF-8 that does not begin with / or \\",
            ),
            (404, "NoSuchVersion", "check the names and IDs in the request"),
            (
                412,
                "PreconditionFailed",
                "look at the object again: a condition of the request does not hold",
            ),
            (200, "InternalError", later),
            (503, "ServiceUnavailable", later),
            (
                501,
                "NotImplemented",
                "check the operation, its headers and the endpoint: the server there does not implement this",
            ),
            (
                502,
                "",
                "check that the endpoint is OSS itself and not a proxy or another server",
            ),
        ] {
            assert_eq!(of(status, code), hint, "{status} {code}");
        }
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

    #[test]
    fn a_refusal_of_the_key_says_which_one_it_was() {
        let refused = |used: &Credentials, code: &str, message: &str| {
            let body = format!("<Error><Code>{code}</Code><Message>{message}</Message></Error>");
            let headers = HeaderMap::new();
            ServiceError::read(context(), StatusCode::FORBIDDEN, &headers, body.as_bytes(), used)
        };
        let used = Credentials::builder("LTAI5tExampleKey8074", "canary-secret")
            .source("env")
            .build()
            .unwrap();
        for code in NAMES_KEY {
            let error = refused(&used, code, "m");
            let shown = error.to_string();
            assert!(shown.contains(": m (key LTAI****8074 from env); "), "{shown}");
            assert_eq!(error.key_id(), Some("LTAI****8074"));
            assert_eq!(error.credentials_source(), "env");
        }
        let other = refused(&used, "NoSuchBucket", "m");
        assert!(!other.to_string().contains("(key"), "{other}");
        assert_eq!(other.key_id(), Some("LTAI****8074"));

        let anonymous = Credentials::anonymous();
        let unsigned = refused(&anonymous, "AccessDenied", "m");
        let shown = unsigned.to_string();
        assert!(shown.ends_with(&format!(": m; {NOT_SIGNED}")), "{shown}");
        assert_eq!(
            (unsigned.key_id(), unsigned.credentials_source()),
            (None, "anonymous")
        );
        let elsewhere = refused(&anonymous, "AccessDenied", WRONG_ENDPOINT).to_string();
        assert!(elsewhere.contains("; set region(..)"), "{elsewhere}");
    }
}
