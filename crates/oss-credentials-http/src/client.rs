//! The trait that an HTTP stack implements, and adapters in one expression.

use std::error::Error;
use std::fmt;
use std::future::Future;
use std::sync::Arc;

use oss_credentials_core::BoxFuture;
use oss_credentials_core::text::{clean, without_secrets};

use crate::message::{HttpRequest, HttpResponse};

/// Sends a request and returns the whole response. Implement it to plug in the HTTP stack that you already have.
///
/// The contract, which `test_util::HttpConformance` checks against any implementation:
///
/// - Any status is `Ok`; redirects are not followed; there is no cookie store.
/// - [`HttpRequest::timeout`] bounds the whole exchange, [`HttpRequest::connect_timeout`] the connection; a
///   connection that takes too long is [`HttpErrorKind::Connect`].
/// - Hosts for which [`is_metadata_host`](super::is_metadata_host) holds are never reached through a proxy.
/// - A body over [`MAX_BODY`](super::MAX_BODY) bytes is an error, as is one that ends early. Bodies arrive
///   as they were sent: nothing is decompressed.
/// - An error after the head of a response has arrived is marked as such, and no other error is:
///   [`HttpError::with_answer_begun`]. A chain uses this to distinguish a failing service from an absent one.
/// - TLS certificates are always verified.
/// - Query, headers and body never reach a log or an error.
/// - A missing runtime is [`HttpErrorKind::Request`] with a hint, never a panic.
///
/// # Examples
///
/// [`http_fn`](super::http_fn) and [`blocking_http_fn`](super::blocking_http_fn) do the same with a closure.
///
/// ```
/// use oss_credentials_core::BoxFuture;
/// use oss_credentials_http::{HttpClient, HttpError, HttpErrorKind, HttpRequest, HttpResponse};
///
/// # mod my_stack {
/// #     pub async fn exchange(_: &oss_credentials_http::HttpRequest) -> std::io::Result<(u16, Vec<u8>)> {
/// #         Ok((200, b"{}".to_vec()))
/// #     }
/// # }
/// #[derive(Debug)]
/// struct MyStack;
///
/// impl HttpClient for MyStack {
///     fn send(&self, request: HttpRequest) -> BoxFuture<'_, Result<HttpResponse, HttpError>> {
///         Box::pin(async move {
///             let outcome = my_stack::exchange(&request).await;
///             let (status, body) = outcome.map_err(|error| HttpError::new(HttpErrorKind::Connect, error))?;
///             Ok(HttpResponse::new(status, body))
///         })
///     }
/// }
/// # let response = oss_credentials_core::blocking::wait(MyStack.send(HttpRequest::get("http://127.0.0.1/")));
/// # assert_eq!(response.unwrap().status(), 200);
/// ```
pub trait HttpClient: fmt::Debug + Send + Sync + 'static {
    /// Performs the exchange. Dropping the future cancels it.
    fn send(&self, request: HttpRequest) -> BoxFuture<'_, Result<HttpResponse, HttpError>>;
}

impl<T: HttpClient + ?Sized> HttpClient for Arc<T> {
    fn send(&self, request: HttpRequest) -> BoxFuture<'_, Result<HttpResponse, HttpError>> {
        (**self).send(request)
    }
}

impl<T: HttpClient + ?Sized> HttpClient for Box<T> {
    fn send(&self, request: HttpRequest) -> BoxFuture<'_, Result<HttpResponse, HttpError>> {
        (**self).send(request)
    }
}

/// The stage at which an exchange failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum HttpErrorKind {
    /// No connection: refused, unreachable, name not found, or not made within the connect timeout.
    Connect,
    /// No complete response within the timeout.
    Timeout,
    /// The connection broke, or the response was truncated.
    Interrupted,
    /// The TLS handshake failed, or the certificate is not trusted.
    Tls,
    /// The request could not be made: malformed URL, unsupported scheme, no runtime.
    Request,
    /// Any other failure, including a response that is too large.
    Other,
}

/// Why there is no response.
#[derive(Clone)]
pub struct HttpError {
    kind: HttpErrorKind,
    answer_begun: bool,
    /// Without user name and password.
    proxy: Option<Arc<str>>,
    source: Arc<dyn Error + Send + Sync>,
}

impl HttpError {
    /// Creates an error of this kind. The source's text must contain no query, header or body.
    pub fn new(kind: HttpErrorKind, source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self {
            kind,
            answer_begun: false,
            proxy: None,
            source: Arc::from(source.into()),
        }
    }

    /// Marks the error as one of an exchange that failed after the head of a response had arrived.
    #[must_use]
    pub fn with_answer_begun(mut self) -> Self {
        self.answer_begun = true;
        self
    }

    /// Returns whether the head of a response had arrived. Then there is a service, even if the rest took too long.
    pub fn has_answer_begun(&self) -> bool {
        self.answer_begun
    }

    /// Records the proxy of the exchange: a URL, without its user name, password and query.
    #[must_use]
    pub fn with_proxy(mut self, url: &str) -> Self {
        self.proxy = Some(clean(&without_secrets(url)).into());
        self
    }

    /// Returns the proxy of the exchange, if the client knows it; without user name and password.
    pub fn proxy(&self) -> Option<&str> {
        self.proxy.as_deref()
    }

    /// Returns the stage at which it failed.
    pub fn kind(&self) -> HttpErrorKind {
        self.kind
    }

    /// Returns the innermost cause, which states the fact ("connection refused"); the layers above it repeat each
    /// other.
    pub(crate) fn innermost(&self) -> &(dyn Error + 'static) {
        let mut cause: &(dyn Error + 'static) = &*self.source;
        while let Some(inner) = cause.source() {
            cause = inner;
        }
        cause
    }
}

impl fmt::Display for HttpError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.kind {
            HttpErrorKind::Connect => "no connection",
            HttpErrorKind::Timeout => "no response in time",
            HttpErrorKind::Interrupted => "the connection broke",
            HttpErrorKind::Tls => "no trusted TLS connection",
            HttpErrorKind::Request => "the request could not be made",
            HttpErrorKind::Other => "the exchange failed",
        })?;
        if let Some(proxy) = &self.proxy {
            write!(f, " through the proxy {proxy}")?;
        }
        write!(f, ": {}", self.innermost())
    }
}

impl fmt::Debug for HttpError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpError")
            .field("kind", &self.kind)
            .field("answer_begun", &self.answer_begun)
            .field("proxy", &self.proxy)
            .field("source", &format_args!("{}", self.source))
            .finish()
    }
}

impl Error for HttpError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&*self.source)
    }
}

/// Creates a client from an async closure: an existing HTTP stack in one expression.
///
/// The closure must follow the contract of [`HttpClient`]: the request's timeouts, no redirects, a body of at most
/// 1 MiB, no decompression, and the right kinds of errors. `test_util::HttpConformance` (feature `test-util`)
/// checks that. For hyper, use the adapter crate `oss-credentials-hyper`.
///
/// ```
/// use oss_credentials_http::{http_fn, HttpRequest, HttpResponse};
///
/// let client = http_fn(|request: HttpRequest| async move {
///     // Hand `request` to your stack here.
///     Ok(HttpResponse::new(200, b"{}".to_vec()))
/// });
/// # let _: &dyn oss_credentials_http::HttpClient = &client;
/// ```
pub fn http_fn<F, Fut>(send: F) -> impl HttpClient
where
    F: Fn(HttpRequest) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = Result<HttpResponse, HttpError>> + Send + 'static,
{
    HttpFn(send)
}

/// Creates a client from a blocking closure, for programs without an async runtime.
///
/// The closure runs where the future is polled, so use it with
/// [`blocking::wait`](oss_credentials_core::blocking::wait), or on threads that may be blocked.
///
/// The closure must follow the contract of [`HttpClient`], as with [`http_fn`]. For ureq, use the adapter crate
/// `oss-credentials-ureq`.
///
/// ```
/// use oss_credentials_http::{blocking_http_fn, HttpRequest, HttpResponse};
///
/// let client = blocking_http_fn(|request: HttpRequest| {
///     // Call a blocking HTTP library here.
///     Ok(HttpResponse::new(200, b"{}".to_vec()))
/// });
/// # let _: &dyn oss_credentials_http::HttpClient = &client;
/// ```
pub fn blocking_http_fn<F>(send: F) -> impl HttpClient
where
    F: Fn(HttpRequest) -> Result<HttpResponse, HttpError> + Send + Sync + 'static,
{
    BlockingHttpFn(send)
}

struct HttpFn<F>(F);

impl<F> fmt::Debug for HttpFn<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("http_fn(..)")
    }
}

impl<F, Fut> HttpClient for HttpFn<F>
where
    F: Fn(HttpRequest) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = Result<HttpResponse, HttpError>> + Send + 'static,
{
    fn send(&self, request: HttpRequest) -> BoxFuture<'_, Result<HttpResponse, HttpError>> {
        Box::pin((self.0)(request))
    }
}

struct BlockingHttpFn<F>(F);

impl<F> fmt::Debug for BlockingHttpFn<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("blocking_http_fn(..)")
    }
}

impl<F> HttpClient for BlockingHttpFn<F>
where
    F: Fn(HttpRequest) -> Result<HttpResponse, HttpError> + Send + Sync + 'static,
{
    fn send(&self, request: HttpRequest) -> BoxFuture<'_, Result<HttpResponse, HttpError>> {
        Box::pin(async move { (self.0)(request) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_text_names_the_innermost_cause_once() {
        let error = HttpError::new(
            HttpErrorKind::Connect,
            std::io::Error::other("connection refused"),
        );
        assert_eq!(error.to_string(), "no connection: connection refused");
    }

    #[test]
    fn the_text_names_the_proxy_without_its_password() {
        for (url, shown) in [
            (
                "http://us:canary@proxy.example:3128/?canary",
                "http://proxy.example:3128/",
            ),
            ("us:canary@proxy.example:3128", "proxy.example:3128"),
            ("http://us:can/canary@proxy.example:3128", "http://…"),
        ] {
            let error = HttpError::new(HttpErrorKind::Connect, "refused").with_proxy(url);
            assert_eq!(error.proxy(), Some(shown));
            let text = format!("no connection through the proxy {shown}: refused");
            assert_eq!(error.to_string(), text);
            assert!(!format!("{error:?}").contains("canary"), "{error:?}");
        }
    }

    #[test]
    fn closures_are_clients() {
        let echo = |request: HttpRequest| Ok(HttpResponse::new(299, request.body().to_vec()));
        let request = || HttpRequest::post("http://127.0.0.1/").with_body(b"x".to_vec());
        let blocking = blocking_http_fn(echo);
        let plain = http_fn(move |request| std::future::ready(echo(request)));
        for client in [&blocking as &dyn HttpClient, &plain] {
            let response = oss_credentials_core::blocking::wait(client.send(request())).unwrap();
            assert_eq!((response.status(), response.body()), (299, &b"x"[..]));
        }
    }
}
