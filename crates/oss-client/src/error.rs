//! Errors of the client.

use std::borrow::Cow;
use std::fmt;
use std::time::Duration;

use oss_credentials_core::CredentialsError;
use oss_credentials_http::{HttpError, HttpErrorKind};
use oss_sign::SignError;

use crate::http_error::{RAISE_LIMIT, has_no_more_files, head_is_too_large};
use crate::idle::millis;
use crate::request_context::RequestContext;
use crate::service_error::ServiceError;

/// Why an operation failed, or why its outcome is unknown.
///
/// No error text contains a secret, a token or a query: URLs are shown without their query.
///
/// # Examples
///
/// ```no_run
/// # async fn run(client: &oss_client::Client) -> Result<(), oss_client::Error> {
/// match client.head_object("examplebucket", "report.pdf").send().await {
///     Ok(found) => println!("{:?} bytes", found.content_length()),
///     Err(error) if error.code() == Some("NoSuchKey") => println!("not there"),
///     Err(error) => return Err(error),
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The client cannot be built with these settings.
    #[error(transparent)]
    InvalidConfig(InvalidInput),
    /// A bucket, key, header, body or file cannot be used. The error says why and what to do about it.
    ///
    /// Problems visible in the arguments are reported before credentials are fetched and before anything is sent. A
    /// file or stream of the caller's may fail midway. Then the parts of an upload have been sent and are deleted
    /// again, and a download has been read but leaves its target unchanged. Presigning may have fetched credentials.
    #[error(transparent)]
    InvalidInput(InvalidInput),
    /// The provider returned no credentials.
    #[error(transparent)]
    Credentials(CredentialsError),
    /// The request could not be signed.
    #[error(transparent)]
    Sign(SignError),
    /// There is no complete response. The service may have carried out the request all the same.
    #[error(transparent)]
    Transport(Box<TransportError>),
    /// The service returned an error.
    #[error(transparent)]
    Service(Box<ServiceError>),
    /// The checksums differ: the stored object is not what was sent, or the received content is not what is stored.
    #[error(transparent)]
    Corrupted(Box<CorruptionError>),
    /// The service reported success, but its response cannot be used.
    #[error(transparent)]
    InvalidResponse(Box<InvalidResponse>),
    /// An upload in parts failed, and so did its abort: the parts stay, and are billed, until the upload is aborted.
    #[error(transparent)]
    AbandonedUpload(Box<AbandonedUpload>),
}

impl Error {
    /// Returns the service's error, if this is one.
    pub fn service(&self) -> Option<&ServiceError> {
        match self {
            Self::Service(error) => Some(error),
            Self::AbandonedUpload(left) => left.cause.service(),
            _ => None,
        }
    }

    /// Returns the service's error code, such as `NoSuchKey`.
    pub fn code(&self) -> Option<&str> {
        self.service().map(ServiceError::code)
    }

    /// Returns the service's ID of the request, which Alibaba Cloud support asks for.
    pub fn request_id(&self) -> Option<&str> {
        match self {
            Self::Service(error) => error.request_id(),
            Self::Corrupted(error) => error.request_id(),
            Self::InvalidResponse(error) => error.request_id(),
            Self::AbandonedUpload(left) => left.cause.request_id(),
            _ => None,
        }
    }

    /// Returns whether the same request may succeed a little later. The conditions are those observed from the vendor's
    /// Python SDK V2: HTTP 5xx except 501, HTTP 401, 408 and 429, the codes `RequestTimeTooSkewed` and `BadRequest`,
    /// connections that fail or time out, and a CRC that differs; also credentials errors that are retryable
    /// themselves. If the service failed after it had begun to respond with HTTP 200, the status that normally comes
    /// with its code counts, such as that of `InternalError` or `ServiceUnavailable`.
    ///
    /// The result does not consider whether a second request does harm if the first one was carried out.
    pub fn is_retryable(&self) -> bool {
        match self {
            Self::InvalidConfig(_) | Self::InvalidInput(_) | Self::Sign(_) | Self::InvalidResponse(_) => {
                false
            }
            Self::AbandonedUpload(left) => left.cause.is_retryable(),
            Self::Credentials(error) => error.is_retryable(),
            Self::Transport(error) => {
                !error.operation_is_over
                    && !matches!(error.kind(), HttpErrorKind::Request)
                    && !head_is_too_large(&error.error)
            }
            Self::Service(error) => error.is_retryable(),
            Self::Corrupted(_) => true,
        }
    }
}

#[cfg(any(feature = "blocking", feature = "tokio-util"))]
impl Error {
    /// The same error once more, of a body that is read on after it has failed.
    pub(crate) fn again(&self) -> Self {
        match self {
            Self::Transport(error) => Self::Transport(error.clone()),
            Self::Corrupted(error) => Self::Corrupted(error.clone()),
            Self::InvalidInput(problem) => Self::InvalidInput(problem.clone()),
            // A body has no others.
            other => Self::InvalidInput(InvalidInput::new(
                format!("reading has failed before: {other}"),
                "request the object again",
            )),
        }
    }
}

/// A setting or argument that cannot be used, with a hint.
#[derive(Clone, PartialEq, Eq, thiserror::Error)]
#[error("oss-client: {what}; {hint}")]
pub struct InvalidInput {
    what: Cow<'static, str>,
    hint: Cow<'static, str>,
}

impl InvalidInput {
    pub(crate) fn new(what: impl Into<Cow<'static, str>>, hint: impl Into<Cow<'static, str>>) -> Self {
        Self {
            what: what.into(),
            hint: hint.into(),
        }
    }

    /// Returns what is wrong.
    pub fn what(&self) -> &str {
        &self.what
    }

    /// Returns what to do about it.
    pub fn hint(&self) -> &str {
        &self.hint
    }
}

/// An exchange without a complete response.
#[derive(Clone)]
pub struct TransportError {
    context: RequestContext,
    error: HttpError,
    /// Whether the time for the whole operation ran out.
    operation_is_over: bool,
}

impl TransportError {
    pub(crate) fn new(context: RequestContext, error: HttpError) -> Self {
        Self {
            context,
            error,
            operation_is_over: false,
        }
    }

    /// The operation did not finish within its time limit.
    pub(crate) fn operation_is_over(context: RequestContext, limit: Duration) -> Self {
        let what = format!("the operation was not done after {} ms", millis(limit));
        Self {
            context,
            error: HttpError::new(HttpErrorKind::Timeout, what),
            operation_is_over: true,
        }
    }

    /// Returns the name of the operation, such as `GetObject`.
    pub fn operation(&self) -> &str {
        self.context.operation()
    }

    /// Returns the method and URL of the request, without the query.
    pub fn request(&self) -> &str {
        self.context.request()
    }

    /// Whether the service may have received the request.
    pub(crate) fn may_have_arrived(&self) -> bool {
        use HttpErrorKind::{Connect, Request, Tls};
        !matches!(self.kind(), Connect | Tls | Request) && !has_no_more_files(&self.error)
    }

    /// Returns the step at which the exchange failed.
    pub fn kind(&self) -> HttpErrorKind {
        self.error.kind()
    }

    fn hint(&self) -> &'static str {
        match self.kind() {
            _ if self.operation_is_over => {
                "raise `operation_timeout`, or look at what the attempts met in the log"
            }
            _ if head_is_too_large(&self.error) => {
                "check the endpoint, and what responds there: the response has more than 1024 headers, or more than 408 KiB of \
                 them"
            }
            HttpErrorKind::Other if has_no_more_files(&self.error) => RAISE_LIMIT,
            HttpErrorKind::Connect => "check endpoint, network and proxy",
            HttpErrorKind::Timeout => "check the network, or raise `read_timeout`",
            HttpErrorKind::Tls => {
                "check the endpoint and the trusted certificates, or, if the host speaks plain http, write http://"
            }
            HttpErrorKind::Request => "correct what is named and send again",
            _ => "send again if the operation may be repeated",
        }
    }
}

impl fmt::Display for TransportError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let context = &self.context;
        write!(
            f,
            "oss-client: {} got no complete response ({context}): {}; {}",
            context.operation(),
            self.error,
            self.hint()
        )
    }
}

impl std::error::Error for TransportError {
    /// The causes of what the text contains: reports that print all sources would otherwise repeat it.
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.error.source()
    }
}

/// A body whose CRC-64 on the service differs from the local one.
///
/// After an upload, the object is stored as the service received it. A download has already returned the whole body.
#[derive(Clone)]
pub struct CorruptionError {
    context: RequestContext,
    is_download: bool,
    local: u64,
    stored: u64,
    request_id: Option<String>,
}

impl CorruptionError {
    pub(crate) fn sent(context: RequestContext, local: u64, stored: u64, request_id: Option<String>) -> Self {
        Self {
            context,
            is_download: false,
            local,
            stored,
            request_id,
        }
    }

    pub(crate) fn received(
        context: RequestContext,
        local: u64,
        stored: u64,
        request_id: Option<String>,
    ) -> Self {
        Self {
            is_download: true,
            ..Self::sent(context, local, stored, request_id)
        }
    }

    /// Returns the name of the operation, such as `PutObject`.
    pub fn operation(&self) -> &str {
        self.context.operation()
    }

    /// Returns the method and URL of the request, without the query.
    pub fn request(&self) -> &str {
        self.context.request()
    }

    /// Returns the CRC-64/XZ of what was sent or received.
    pub fn local(&self) -> u64 {
        self.local
    }

    /// Returns the CRC-64/XZ that the service reports.
    pub fn stored(&self) -> u64 {
        self.stored
    }

    /// Returns the service's ID of the request, which Alibaba Cloud support asks for.
    pub fn request_id(&self) -> Option<&str> {
        self.request_id.as_deref()
    }
}

impl fmt::Display for CorruptionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let context = &self.context;
        let operation = context.operation();
        let (what, hint) = if self.is_download {
            (
                "returned data that differs from what is stored",
                "discard what was read and read again",
            )
        } else {
            ("stored data that differs from what was sent", "send again")
        };
        let (local, stored, id) = (self.local, self.stored, RequestId(self.request_id.as_deref()));
        write!(
            f,
            "oss-client: {operation} {what} ({context}): the CRC-64 is {stored} there and {local} here{id}; {hint}, \
             and look for what changes bodies on the network path"
        )
    }
}

impl std::error::Error for CorruptionError {}

/// A successful response that cannot be used.
#[derive(Clone, thiserror::Error)]
#[error(
    "oss-client: the response to {} cannot be used ({}): {what}{}; {hint}",
    .context.operation(), .context, RequestId(.request_id.as_deref())
)]
pub struct InvalidResponse {
    context: RequestContext,
    what: Cow<'static, str>,
    hint: &'static str,
    request_id: Option<String>,
}

impl InvalidResponse {
    pub(crate) fn new(
        context: RequestContext,
        request_id: Option<&str>,
        what: impl Into<Cow<'static, str>>,
        hint: &'static str,
    ) -> Self {
        Self {
            context,
            what: what.into(),
            hint,
            request_id: request_id.map(str::to_owned),
        }
    }

    /// Returns the name of the operation, such as `ListObjectsV2`.
    pub fn operation(&self) -> &str {
        self.context.operation()
    }

    /// Returns the method and URL of the request, without the query.
    pub fn request(&self) -> &str {
        self.context.request()
    }

    /// Returns what is wrong with the response.
    pub fn what(&self) -> &str {
        &self.what
    }

    /// Returns the service's ID of the request, which Alibaba Cloud support asks for.
    pub fn request_id(&self) -> Option<&str> {
        self.request_id.as_deref()
    }
}

/// An upload in parts that failed and could not be aborted. The methods of [`Error`] describe the cause of the failure.
///
/// Its parts are kept, and paid for, until it is [continued](Self::continue_from) or [aborted](Self::abort).
#[derive(thiserror::Error)]
#[error(
    "{cause}; the parts of upload {} are left behind, since its abort failed too: abort it later ({abort})",
    .upload.id
)]
pub struct AbandonedUpload {
    upload: UploadName,
    // Not returned as its source: the text already contains it, and reports that print all sources would show it twice.
    cause: Error,
    abort: Error,
}

/// Which upload.
pub(crate) struct UploadName {
    pub(crate) bucket: String,
    pub(crate) key: String,
    pub(crate) id: String,
    /// Who pays, if it is the caller.
    pub(crate) payer: Option<Vec<u8>>,
}

impl AbandonedUpload {
    pub(crate) fn new(upload: UploadName, cause: Error, abort: Error) -> Self {
        Self { upload, cause, abort }
    }

    /// Returns the bucket of the object that it is to become.
    pub fn bucket(&self) -> &str {
        &self.upload.bucket
    }

    /// Returns the key of the object that it is to become.
    pub fn key(&self) -> &str {
        &self.upload.key
    }

    /// Returns the ID of the upload.
    pub fn upload_id(&self) -> &str {
        &self.upload.id
    }

    pub(crate) fn payer(&self) -> Option<&[u8]> {
        self.upload.payer.as_deref()
    }

    /// Returns why the upload failed.
    pub fn cause(&self) -> &Error {
        &self.cause
    }

    /// Returns why it could not be aborted when it failed.
    pub fn abort_error(&self) -> &Error {
        &self.abort
    }
}

/// `Debug` is the same as `Display`, so that a `main` that returns such an error prints a readable message.
macro_rules! debug_as_display {
    ($($name:ident),*) => {$(
        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self, f)
            }
        }
    )*};
}

debug_as_display!(
    InvalidInput,
    TransportError,
    CorruptionError,
    InvalidResponse,
    AbandonedUpload
);

/// `, request ID …`, or nothing.
struct RequestId<'a>(Option<&'a str>);

impl fmt::Display for RequestId<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(id) => write!(f, ", request ID {}", id.chars().take(64).collect::<String>()),
            None => Ok(()),
        }
    }
}
