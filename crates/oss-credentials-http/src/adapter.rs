//! Code that adapters over HTTP libraries share.

use std::error::Error;
use std::io;

use zeroize::Zeroizing;

use crate::client::{HttpError, HttpErrorKind};
use crate::endpoint::Endpoint;
use crate::message::{HttpRequest, MAX_BODY};

/// Splits the URL of a request, and refuses a URL that no adapter may send: an HTTP library would turn a user and a
/// password into a header, or drop them, and neither was requested.
///
/// # Errors
///
/// [`HttpErrorKind::Request`] if the URL is malformed, has a scheme other than `http` and `https`, or holds user and
/// password.
///
/// # Examples
///
/// ```
/// use oss_credentials_http::{HttpRequest, checked_target};
///
/// assert_eq!(checked_target(&HttpRequest::get("http://127.0.0.1:8080/keys"))?.port(), Some(8080));
/// assert!(checked_target(&HttpRequest::get("http://user:password@127.0.0.1/")).is_err());
/// # Ok::<(), oss_credentials_http::HttpError>(())
/// ```
pub fn checked_target(request: &HttpRequest) -> Result<Endpoint, HttpError> {
    let refused = |reason: &'static str| HttpError::new(HttpErrorKind::Request, reason);
    let target = Endpoint::parse(request.url())
        .map_err(|_| refused("the URL cannot be used; write it as http://host or https://host"))?;
    if target.user_info().is_some() {
        return Err(refused(
            "the URL contains a user or password; send them in a header",
        ));
    }
    Ok(target)
}

/// The HTTP client that a crate of this family uses unless another is set, an `Option<Arc<dyn HttpClient>>`: a
/// `ReqwestClient` if the crate has the feature `reqwest` (of its own: macros see the features of the crate that calls
/// them), otherwise none.
///
/// # Examples
///
/// ```
/// # #![allow(unexpected_cfgs)]
/// assert!(oss_credentials_http::default_http_client!().is_none(), "examples have no features");
/// ```
#[macro_export]
macro_rules! default_http_client {
    () => {{
        #[cfg(feature = "reqwest")]
        let client = ::oss_credentials_reqwest::ReqwestClient::new();
        #[cfg(feature = "reqwest")]
        let client: ::core::option::Option<::std::sync::Arc<dyn $crate::HttpClient>> =
            ::core::option::Option::Some(::std::sync::Arc::new(client));
        #[cfg(not(feature = "reqwest"))]
        let client: ::core::option::Option<::std::sync::Arc<dyn $crate::HttpClient>> =
            ::core::option::Option::None;
        client
    }};
}

/// Capacity for a body of unknown length, in bytes. Credentials fit.
const FIRST_CAPACITY: usize = 8 * 1024;

/// Collects the body of a response, for implementations of [`HttpClient`](crate::HttpClient).
///
/// Refuses more than [`MAX_BODY`] bytes, and overwrites the memory that it outgrows: a body may contain keys.
///
/// # Examples
///
/// ```
/// use oss_credentials_http::BodyBuffer;
///
/// let mut body = BodyBuffer::new(Some(5))?;
/// body.append(b"hello")?;
/// assert_eq!(body.into_vec(), b"hello");
/// # Ok::<(), oss_credentials_http::HttpError>(())
/// ```
pub struct BodyBuffer(Zeroizing<Vec<u8>>);

impl BodyBuffer {
    /// Creates an empty buffer with room for the announced number of bytes (`Content-Length`), or for 8 KiB.
    ///
    /// # Errors
    ///
    /// [`HttpErrorKind::Other`] if more than [`MAX_BODY`] bytes are announced.
    pub fn new(announced: Option<u64>) -> Result<Self, HttpError> {
        let capacity = usize::try_from(announced.unwrap_or(FIRST_CAPACITY as u64))
            .ok()
            .filter(|length| *length <= MAX_BODY)
            .ok_or_else(too_large)?;
        Ok(Self(Zeroizing::new(Vec::with_capacity(capacity))))
    }

    /// Adds a piece of the body.
    ///
    /// # Errors
    ///
    /// [`HttpErrorKind::Other`] if the body would grow over [`MAX_BODY`] bytes.
    pub fn append(&mut self, piece: &[u8]) -> Result<(), HttpError> {
        let Self(body) = self;
        let length = body
            .len()
            .checked_add(piece.len())
            .filter(|length| *length <= MAX_BODY)
            .ok_or_else(too_large)?;
        // Grows by hand: `Vec` would leave the old block in memory as it is.
        if length > body.capacity() {
            let mut larger = Zeroizing::new(Vec::with_capacity(length.saturating_mul(2).min(MAX_BODY)));
            larger.extend_from_slice(body);
            *body = larger;
        }
        body.extend_from_slice(piece);
        Ok(())
    }

    /// Returns the bytes, which [`HttpResponse::new`](crate::HttpResponse::new) takes.
    pub fn into_vec(mut self) -> Vec<u8> {
        std::mem::take(&mut *self.0)
    }
}

impl std::fmt::Debug for BodyBuffer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "BodyBuffer({} bytes)", self.0.len())
    }
}

fn too_large() -> HttpError {
    HttpError::new(HttpErrorKind::Other, TooLarge)
}

/// The cause of an error: the body would grow over [`MAX_BODY`] bytes.
#[derive(Debug, thiserror::Error)]
#[error("the response body is larger than 1 MiB")]
pub(crate) struct TooLarge;

/// Iterates over the causes of an error, including those that an [`io::Error`] wraps: its `source` skips them.
///
/// ```
/// use std::io;
/// use oss_credentials_http::{HttpError, HttpErrorKind, causes};
///
/// let inner = io::Error::new(io::ErrorKind::InvalidData, "bad certificate");
/// let error = HttpError::new(HttpErrorKind::Tls, io::Error::other(inner));
/// assert!(causes(&error).any(|cause| cause.to_string() == "bad certificate"));
/// ```
pub fn causes<'a>(
    error: &'a (dyn Error + 'static),
) -> impl Iterator<Item = &'a (dyn Error + 'static)> + use<'a> {
    std::iter::successors(error.source(), |cause| {
        let cause: &'a (dyn Error + 'static) = *cause;
        match cause.downcast_ref::<io::Error>().and_then(io::Error::get_ref) {
            Some(inner) => Some(inner),
            None => cause.source(),
        }
    })
}

/// Returns whether the I/O errors among these causes show that an https connection failed above TCP; `None` if there
/// are none.
///
/// No type of a TLS library is named here, since none of them need be in the dependency tree. rustls reports through
/// `io::Error`s that no system call created; other libraries use no `io::Error` at all.
///
/// ```
/// use std::io;
/// use oss_credentials_http::{HttpError, HttpErrorKind, causes, is_tls_io_failure};
///
/// let failure = |error: io::Error| is_tls_io_failure(causes(&HttpError::new(HttpErrorKind::Other, error)));
/// assert_eq!(failure(io::Error::new(io::ErrorKind::InvalidData, "bad certificate")), Some(true));
/// assert_eq!(failure(io::ErrorKind::ConnectionRefused.into()), Some(false));
/// ```
pub fn is_tls_io_failure<'a>(causes: impl Iterator<Item = &'a (dyn Error + 'static)>) -> Option<bool> {
    let mut found = None;
    for io in causes.filter_map(|cause| cause.downcast_ref::<io::Error>()) {
        found = Some(false);
        if io.raw_os_error().is_some() {
            return Some(false);
        }
        if matches!(
            io.kind(),
            io::ErrorKind::InvalidData | io::ErrorKind::UnexpectedEof
        ) {
            return Some(true);
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_body_grows_to_the_limit_and_not_beyond() {
        let mut body = BodyBuffer(Zeroizing::new(Vec::new()));
        body.append(&[1; 10]).unwrap();
        body.append(&vec![2; MAX_BODY - 10]).unwrap();
        let BodyBuffer(bytes) = &body;
        assert_eq!(
            (bytes.len(), bytes.capacity(), bytes[9], bytes[10]),
            (MAX_BODY, MAX_BODY, 1, 2)
        );
        body.append(&[]).unwrap();
        let error = body.append(&[3]).unwrap_err();
        assert_eq!(
            error.to_string(),
            "the exchange failed: the response body is larger than 1 MiB"
        );
        assert_eq!(body.into_vec().len(), MAX_BODY);
    }

    #[test]
    fn an_announced_length_over_the_limit_is_refused_at_once() {
        assert!(BodyBuffer::new(Some(MAX_BODY as u64)).is_ok());
        assert!(BodyBuffer::new(Some(MAX_BODY as u64 + 1)).is_err());
        assert!(BodyBuffer::new(Some(u64::MAX)).is_err());
    }

    #[test]
    fn a_failed_handshake_is_told_from_a_failed_connection() {
        let failure = |error: io::Error| {
            let outer = io::Error::other(error);
            is_tls_io_failure(causes(&Wrapped(outer)))
        };
        let invalid = io::Error::new(io::ErrorKind::InvalidData, "certificate");
        assert_eq!(failure(invalid), Some(true));
        assert_eq!(failure(io::Error::from_raw_os_error(111)), Some(false));
        assert_eq!(is_tls_io_failure(causes(&std::fmt::Error)), None);
    }

    #[derive(Debug, thiserror::Error)]
    #[error("wrapped")]
    struct Wrapped(#[source] io::Error);
}
