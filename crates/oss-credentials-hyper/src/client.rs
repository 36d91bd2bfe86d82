//! The client, and the program's client in it.

use std::error::Error;
use std::fmt;
use std::sync::Arc;

use hyper::body::{Body, Bytes};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::Connect;
use oss_credentials_core::BoxFuture;
use oss_credentials_http::{HttpClient, HttpError, HttpRequest, HttpResponse};

use crate::exchange::{exchange, in_runtime};

/// Sends the requests of credential sources through a hyper-util client.
///
/// Its futures are awaited inside the tokio runtime whose executor the client was built with; the runtime needs I/O
/// and time enabled. Clones share the client.
///
/// Redirects are not followed and nothing is decompressed, since hyper does neither. Both timeouts of a request apply,
/// regardless of the connector's timeouts. Certificates and proxies belong to the connector: one that uses a proxy must
/// exclude the metadata hosts, for which [`is_metadata_host`](oss_credentials_http::is_metadata_host) returns true.
///
/// # Examples
///
/// ```
/// use http_body_util::Full;
/// use hyper::body::Bytes;
/// use hyper_util::{client::legacy::Client, rt::TokioExecutor};
/// use oss_credentials_hyper::HyperClient;
///
/// let hyper = Client::builder(TokioExecutor::new()).build_http::<Full<Bytes>>();
/// let http = HyperClient::new(hyper);
/// ```
pub struct HyperClient<C, B> {
    client: Client<C, B>,
    make_body: Arc<dyn Fn(Bytes) -> B + Send + Sync>,
}

impl<C, B: From<Bytes> + 'static> HyperClient<C, B> {
    /// Creates an adapter for a client whose request bodies can be made from bytes, such as `Full<Bytes>`.
    pub fn new(client: Client<C, B>) -> Self {
        Self::with_body(client, B::from)
    }
}

impl<C, B> HyperClient<C, B> {
    /// Creates an adapter for a client with any other type of request body, which the closure makes from the bytes of a
    /// request.
    ///
    /// ```
    /// use http_body_util::{BodyExt as _, Full, combinators::BoxBody};
    /// use hyper::body::Bytes;
    /// use hyper_util::{client::legacy::Client, rt::TokioExecutor};
    /// use oss_credentials_hyper::HyperClient;
    ///
    /// type Boxed = BoxBody<Bytes, std::io::Error>;
    /// let hyper = Client::builder(TokioExecutor::new()).build_http::<Boxed>();
    /// let http = HyperClient::with_body(hyper, |bytes| {
    ///     Full::new(bytes).map_err(|never| match never {}).boxed()
    /// });
    /// ```
    pub fn with_body(client: Client<C, B>, make_body: impl Fn(Bytes) -> B + Send + Sync + 'static) -> Self {
        Self {
            client,
            make_body: Arc::new(make_body),
        }
    }
}

impl<C: Clone, B> Clone for HyperClient<C, B> {
    fn clone(&self) -> Self {
        Self {
            client: self.client.clone(),
            make_body: Arc::clone(&self.make_body),
        }
    }
}

impl<C, B> fmt::Debug for HyperClient<C, B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HyperClient").finish_non_exhaustive()
    }
}

impl<C, B> HttpClient for HyperClient<C, B>
where
    C: Connect + Clone + Send + Sync + 'static,
    B: Body + Send + Unpin + 'static,
    B::Data: Send,
    B::Error: Into<Box<dyn Error + Send + Sync>>,
{
    fn send(&self, request: HttpRequest) -> BoxFuture<'_, Result<HttpResponse, HttpError>> {
        Box::pin(in_runtime(exchange(&self.client, &*self.make_body, request)))
    }
}
