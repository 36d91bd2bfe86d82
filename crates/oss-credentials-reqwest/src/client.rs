//! What the program holds.

use std::fmt;
use std::sync::Arc;

use oss_credentials_core::BoxFuture;
use oss_credentials_core::http::{HttpClient, HttpError, HttpRequest, HttpResponse};

use crate::clients::{Clients, Factory};
use crate::exchange::exchange;
use crate::runtime::{OwnRuntime, in_callers_runtime};
use crate::tls::Trusted;

/// Sends the requests of credential sources through reqwest.
///
/// - Redirects are not followed, and nothing is decompressed, whatever the given builder says.
/// - Proxies are taken from the environment (`HTTPS_PROXY`, `HTTP_PROXY`, `ALL_PROXY`, `NO_PROXY`) or from
///   the given builder. Metadata hosts, loopback and link-local addresses are always asked directly.
/// - A body over [`MAX_BODY`](oss_credentials_core::http::MAX_BODY) bytes is an error.
/// - Connections are pooled. Since reqwest fixes the connect time-out per client, there is one client per
///   connect time-out and route; the four used last are kept. They are built when they are first needed, so
///   that making this value costs nothing and cannot fail.
///
/// Clones share clients and runtime.
///
/// # Examples
///
/// ```no_run
/// use oss_credentials_core::blocking;
/// use oss_credentials_core::http::{HttpClient, HttpRequest};
/// use oss_credentials_reqwest::ReqwestClient;
///
/// let client = ReqwestClient::with_own_runtime();
/// let request = HttpRequest::get("http://100.100.100.200/latest/meta-data/instance-id");
/// let response = blocking::wait(client.send(request))?;
/// println!("status {}", response.status());
/// # Ok::<(), oss_credentials_core::http::HttpError>(())
/// ```
#[derive(Clone)]
pub struct ReqwestClient {
    clients: Arc<Clients>,
    /// `None`: the caller's runtime.
    own_runtime: Option<Arc<OwnRuntime>>,
}

impl ReqwestClient {
    /// A client with reqwest's defaults, for use inside a tokio runtime with I/O and time enabled.
    pub fn new() -> Self {
        Self {
            clients: Arc::new(Clients::configured(None, None)),
            own_runtime: None,
        }
    }

    /// A client that runs reqwest on one thread of its own, named `oss-cred-http`.
    ///
    /// Its futures can be polled from any executor and by
    /// [`blocking::wait`](oss_credentials_core::blocking::wait). Dropping such a future ends its exchange. The
    /// thread starts with the first request and ends when the last clone of the client is dropped.
    pub fn with_own_runtime() -> Self {
        Self {
            own_runtime: Some(Arc::default()),
            ..Self::new()
        }
    }

    /// Starts a client with settings.
    pub fn builder() -> ReqwestClientBuilder {
        ReqwestClientBuilder {
            factory: None,
            pem: None,
            own_runtime: false,
        }
    }

    /// Uses a client that is ready made, without being able to check how it was set up.
    ///
    /// Redirects, proxies for metadata hosts, decompression, cookies, certificate checks and the connect
    /// time-out are then as that client has them: one that follows redirects hands metadata tokens to
    /// whomever it is redirected to. Prefer [`ReqwestClientBuilder::client_builder`], which can set up all of
    /// it. The time-out of the whole exchange and the limit on bodies hold here too.
    pub fn from_unchecked_client(client: reqwest::Client) -> Self {
        Self {
            clients: Arc::new(Clients::unchecked(client)),
            own_runtime: None,
        }
    }
}

impl Default for ReqwestClient {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for ReqwestClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // reqwest's own `Debug` shows headers and proxies, which may hold passwords.
        f.debug_struct("ReqwestClient")
            .field("own_runtime", &self.own_runtime.is_some())
            .finish_non_exhaustive()
    }
}

impl HttpClient for ReqwestClient {
    fn send(&self, request: HttpRequest) -> BoxFuture<'_, Result<HttpResponse, HttpError>> {
        let exchange = exchange(Arc::clone(&self.clients), request);
        match &self.own_runtime {
            None => Box::pin(in_callers_runtime(exchange)),
            Some(runtime) => Box::pin(runtime.run(exchange)),
        }
    }
}

/// Makes a [`ReqwestClient`]; see [`ReqwestClient::builder`].
#[must_use]
pub struct ReqwestClientBuilder {
    factory: Option<Factory>,
    pem: Option<Vec<u8>>,
    own_runtime: bool,
}

impl ReqwestClientBuilder {
    /// Where reqwest's clients come from: a closure that makes a builder with your proxy, certificates, pool
    /// and so on. Default: `reqwest::Client::builder`.
    ///
    /// It is called once per client, at most as often as there are different connect time-outs and routes.
    /// What the contract of [`HttpClient`] asks for is set on the builder afterwards: redirects, referer,
    /// retries, decompression, verbose logging, checks of certificates and host names, connect time-out, and
    /// no proxy for metadata hosts. Do not give it a cookie store: that cannot be undone here.
    pub fn client_builder(
        mut self,
        make: impl Fn() -> reqwest::ClientBuilder + Send + Sync + 'static,
    ) -> Self {
        self.factory = Some(Box::new(make));
        self
    }

    /// Trusts these certificates and no others: one or more certificates in PEM text, usually of a private
    /// certificate authority. Default: the system's.
    pub fn trust_only_pem(mut self, pem: impl Into<Vec<u8>>) -> Self {
        self.pem = Some(pem.into());
        self
    }

    /// Whether reqwest runs on a thread of its own, as with [`ReqwestClient::with_own_runtime`]. Default: no.
    pub fn own_runtime(mut self, own: bool) -> Self {
        self.own_runtime = own;
        self
    }

    /// Makes the client.
    ///
    /// # Errors
    ///
    /// [`HttpErrorKind::Request`](oss_credentials_core::http::HttpErrorKind::Request) if the text given to
    /// [`ReqwestClientBuilder::trust_only_pem`] holds no certificate that can be read, or if no TLS feature is
    /// on.
    pub fn build(self) -> Result<ReqwestClient, HttpError> {
        let trusted = self.pem.as_deref().map(Trusted::from_pem).transpose()?;
        Ok(ReqwestClient {
            clients: Arc::new(Clients::configured(self.factory, trusted)),
            own_runtime: self.own_runtime.then(Arc::default),
        })
    }
}

impl fmt::Debug for ReqwestClientBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ReqwestClientBuilder")
            .field("client_builder", &self.factory.is_some())
            .field("trust_only_pem", &self.pem.is_some())
            .field("own_runtime", &self.own_runtime)
            .finish()
    }
}
