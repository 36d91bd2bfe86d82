//! Errors returned by the service.

mod codes;
#[cfg(test)]
pub(crate) mod tests;

use std::fmt;
use std::time::SystemTime;

use oss_credentials_core::{Credentials, MaskedId, text};
use oss_credentials_http::{Scrubber, http_date};
use oss_sign::Refusal;
use reqwest::StatusCode;
use reqwest::header::{DATE, HeaderMap};

use crate::error_document::{fields, text, unreadable};
use crate::region;
use crate::request_context::RequestContext;

use codes::{
    BAD_ERROR_RESPONSE, NAMES_KEY, NOT_SIGNED, WRONG_ENDPOINT, code_by_status, hint, hint_without_document,
};

/// The longest text of the service that is shown, in characters.
const MAX_SHOWN: usize = 512;

pub(crate) const X_OSS_EC: &str = "x-oss-ec";
pub(crate) const X_OSS_REQUEST_ID: &str = "x-oss-request-id";

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
    earlier_attempt_may_have_succeeded: bool,
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
        let mut fields = fields(headers, &document);
        // A response to HEAD has no body, and not every service sends its document in a header instead.
        let is_bare = document.is_empty() && headers.contains_key(X_OSS_REQUEST_ID);
        let derived = if is_bare { code_by_status(status) } else { None };
        // From the code and message as received: the hint must not depend on what is withheld.
        let received = find(&fields, "Code").or(derived.map(|(code, _)| code));
        let key = UsedKey::of(used, received.unwrap_or_default());
        let hint = hint_for(&fields, derived.is_some(), status, &key);
        for (name, value) in &mut fields {
            if name != "Code" || scrubber.identifier(value.trim()).is_none() {
                *value = scrubber.redacted(value);
            }
        }
        let (code, message) = match (find(&fields, "Code"), derived) {
            (Some(code), _) => {
                let message = find(&fields, "Message").unwrap_or_default();
                let identifier = scrubber.identifier(code).map(|_| code.to_owned());
                let code = identifier.unwrap_or_else(|| scrubber.text(code));
                (code, scrubber.text(message))
            }
            (None, Some((code, message))) => (code.to_owned(), message.to_owned()),
            (None, None) => (BAD_ERROR_RESPONSE.to_owned(), unreadable(&document, &scrubber)),
        };
        let field = |name: &str| find(&fields, name).map(str::to_owned);
        let header = |name: &str| {
            let value = headers.get(name)?.to_str().ok()?;
            Some(scrubber.redacted(value)).filter(|value| !value.is_empty())
        };
        Self {
            hint,
            key,
            earlier_attempt_may_have_succeeded: false,
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

    /// Sets whether an earlier attempt of the operation may have changed something.
    pub(crate) fn follows_open_outcome(&mut self, is_open: bool) {
        self.earlier_attempt_may_have_succeeded = is_open;
    }

    /// Returns the name of the operation, such as `GetObject`.
    pub fn operation(&self) -> &str {
        self.context.operation()
    }

    /// Returns the method and URL of the request, without the query.
    pub fn request(&self) -> &str {
        self.context.request()
    }

    /// Returns the HTTP status. It is 200 if the service failed after it had begun to respond, as can happen when it
    /// copies an object or completes an upload, and 203 if a callback failed.
    pub fn status(&self) -> StatusCode {
        self.status
    }

    /// Returns the error code, such as `NoSuchKey`; `BadErrorResponse` if the response has no readable error document,
    /// such as the response of a proxy.
    ///
    /// If the service rejects a HEAD request without a document, the code is derived from the status: 403 becomes
    /// `AccessDenied`, 404 `NoSuchKey` (which cannot be distinguished from `NoSuchBucket`), 304 `NotModified`, and 412
    /// `PreconditionFailed`.
    pub fn code(&self) -> &str {
        &self.code
    }

    /// Returns the service's message; for `BadErrorResponse` at most the first 256 bytes of the response.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// Returns the service's ID of the request, which Alibaba Cloud support asks for.
    pub fn request_id(&self) -> Option<&str> {
        self.request_id.as_deref()
    }

    /// Returns the more precise error code, such as `0026-00000001`.
    pub fn ec(&self) -> Option<&str> {
        self.ec.as_deref()
    }

    /// Returns whether an earlier attempt of the same operation may have succeeded: its response was lost, was HTTP 5xx,
    /// or reported a different CRC-64. Such an attempt may itself be the reason for the refusal, as with
    /// `FileAlreadyExists` after `forbid_overwrite(true)`, `PositionNotEqualToLength` or `NoSuchUpload`. Always `false`
    /// for operations that change nothing.
    ///
    /// The client cannot decide this for you: another program may have stored the same content. Store something unique
    /// with the object, such as user metadata, and compare it.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # async fn run(client: &oss_client::Client, token: &str) -> Result<bool, oss_client::Error> {
    /// let lock = client.put_object("examplebucket", "lock", "").forbid_overwrite(true);
    /// match lock.metadata("holder", token).await {
    ///     Ok(_) => Ok(true),
    ///     Err(error) if error.code() == Some("FileAlreadyExists") => {
    ///         let refusal = error.service();
    ///         if !refusal.is_some_and(|refusal| refusal.earlier_attempt_may_have_succeeded()) {
    ///             return Ok(false);
    ///         }
    ///         let head = client.head_object("examplebucket", "lock").await?;
    ///         let holder = head.headers().get("x-oss-meta-holder");
    ///         Ok(holder.is_some_and(|holder| holder == token))
    ///     }
    ///     Err(error) => Err(error),
    /// }
    /// # }
    /// ```
    pub fn earlier_attempt_may_have_succeeded(&self) -> bool {
        self.earlier_attempt_may_have_succeeded
    }

    /// Returns the access key ID that signed the request, masked, such as `LTAI****8074`; `None` if the request was not
    /// signed.
    pub fn key_id(&self) -> Option<&str> {
        self.key.id.as_deref()
    }

    /// Returns the provider of the request's credentials, such as `env`, or `anonymous`.
    pub fn credentials_source(&self) -> &'static str {
        self.key.source
    }

    /// Returns the response's headers, without those that repeat the secret or token of the request.
    pub fn headers(&self) -> &HeaderMap {
        &self.headers
    }

    /// Returns the name of the host that responded, as the service reports it.
    pub fn host_id(&self) -> Option<&str> {
        self.field("HostId")
    }

    /// Returns when the service responded, by its own clock: the `Date` of the response. `None` if it shows none.
    pub fn timestamp(&self) -> Option<SystemTime> {
        http_date(self.headers.get(DATE)?.to_str().ok()?)
    }

    /// Returns the address of the vendor's page about this error.
    pub fn recommend(&self) -> Option<&str> {
        self.field("RecommendDoc")
    }

    /// Returns an element of the error document by its name, such as `StringToSign` after `SignatureDoesNotMatch`.
    ///
    /// Elements may repeat parts of the request that should not be logged.
    pub fn field(&self, name: &str) -> Option<&str> {
        let (_, value) = self.fields.iter().find(|(own, _)| own == name)?;
        Some(value.trim())
    }

    /// The host of the bucket's endpoint, where the service refused a request to another one.
    fn endpoint_of_bucket(&self) -> Option<&str> {
        let named = self
            .field("Endpoint")
            .filter(|_| self.message.contains(WRONG_ENDPOINT));
        named.filter(|host| region::of_endpoint(host).is_some())
    }

    /// See [`Error::is_retryable`](crate::Error::is_retryable).
    pub(crate) fn is_retryable(&self) -> bool {
        codes::is_retryable(self.status, &self.code)
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
        if let Some(host) = self.endpoint_of_bucket() {
            write!(f, " (the bucket is at {host})")?;
        }
        // A failure of the service has no such reason.
        if self.earlier_attempt_may_have_succeeded && self.status.is_client_error() {
            f.write_str(" (an earlier attempt may have succeeded)")?;
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

/// An element of a document that has content.
fn find<'a>(fields: &'a [(String, String)], name: &str) -> Option<&'a str> {
    let value = fields.iter().find(|(own, _)| own == name)?.1.trim();
    (!value.is_empty()).then_some(value)
}

/// What to do about an error with these elements. `is_derived`: its code comes from the status alone.
fn hint_for(
    fields: &[(String, String)],
    is_derived: bool,
    status: StatusCode,
    key: &UsedKey,
) -> &'static str {
    let message = find(fields, "Message").unwrap_or_default();
    // A request to the wrong endpoint is rejected with any key.
    if key.is_named && key.id.is_none() && !message.contains(WRONG_ENDPOINT) {
        return NOT_SIGNED;
    }
    if is_derived {
        return hint_without_document(status);
    }
    hint(
        find(fields, "Code").unwrap_or(BAD_ERROR_RESPONSE),
        message,
        status,
    )
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
