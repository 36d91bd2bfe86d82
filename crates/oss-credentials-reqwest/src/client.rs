//! The client and its builder.

use std::fmt;
use std::sync::{Arc, OnceLock};

use oss_credentials_core::BoxFuture;
use oss_credentials_http::{HttpClient, HttpError, HttpRequest, HttpResponse};

use crate::clients::{Clients, Factory, Origin};
use crate::exchange::exchange;
use crate::runtime::{OwnRuntime, in_callers_runtime};
use crate::tls::Trusted;

/// Sends the requests of credential sources through reqwest.
///
/// - Redirects are not followed, and nothing is decompressed, regardless of the given builder's settings.
/// - Proxies are taken from the environment (`HTTPS_PROXY`, `HTTP_PROXY`, `ALL_PROXY`, `NO_PROXY`), by the rules of
///   [`ProxyVariables`](oss_credentials_http::ProxyVariables); with a given builder, its own settings apply.
///   Metadata hosts, loopback and link-local addresses are always called directly.
/// - Plain `http://` needs no certificates, and works where the system has none.
/// - A body over [`MAX_BODY`](oss_credentials_http::MAX_BODY) bytes is an error.
/// - With a runtime of its own, connections are kept for the next requests. In the caller's runtime, each exchange
///   makes a new one: a connection hangs if the runtime in which it was made is no longer polled.
/// - A forked process gets its own thread and connections.
/// - Since reqwest fixes the connect timeout per client, there is one client per
///   connect timeout and route; the four used last are kept. They are built when they are first needed, so
///   creating this value costs nothing and cannot fail.
///
/// Clones share clients and runtime.
///
/// # Examples
///
/// ```no_run
/// use oss_credentials_core::blocking;
/// use oss_credentials_http::{HttpClient, HttpRequest};
/// use oss_credentials_reqwest::ReqwestClient;
///
/// let client = ReqwestClient::with_own_runtime();
/// let request = HttpRequest::get("http://100.100.100.200/latest/meta-data/instance-id");
/// let response = blocking::wait(client.send(request))?;
/// println!("status {}", response.status());
/// # Ok::<(), oss_credentials_http::HttpError>(())
/// ```
#[derive(Clone)]
pub struct ReqwestClient {
    first: Arc<Generation>,
}

/// The state of one process: a forked child has neither its parent's threads nor connections of its own.
struct Generation {
    process: u32,
    clients: Arc<Clients>,
    /// `None`: the caller's runtime.
    own_runtime: Option<OwnRuntime>,
    /// That of a child. No lock may be waited for before that: a thread that is not in the child may hold it.
    child: OnceLock<Box<Generation>>,
    origin: Arc<Origin>,
}

impl Generation {
    fn new(process: u32, origin: Arc<Origin>, own_runtime: bool) -> Self {
        Self {
            process,
            clients: Arc::new(Clients::new(Arc::clone(&origin), own_runtime)),
            own_runtime: own_runtime.then(OwnRuntime::default),
            child: OnceLock::new(),
            origin,
        }
    }

    /// That of this process.
    fn of(&self, process: u32) -> &Self {
        let mut generation = self;
        while generation.process != process {
            generation = generation.child.get_or_init(|| {
                let origin = Arc::clone(&generation.origin);
                Box::new(Self::new(process, origin, generation.own_runtime.is_some()))
            });
        }
        generation
    }
}

impl ReqwestClient {
    /// Creates a client with reqwest's defaults, for use inside a tokio runtime with I/O and time enabled.
    pub fn new() -> Self {
        Self::from_origin(
            Origin::Configured {
                factory: None,
                trusted: None,
            },
            false,
        )
    }

    fn from_origin(origin: Origin, own_runtime: bool) -> Self {
        let first = Generation::new(std::process::id(), Arc::new(origin), own_runtime);
        Self {
            first: Arc::new(first),
        }
    }

    /// Creates a client that runs reqwest on a separate thread, named `oss-cred-http`.
    ///
    /// Its futures can be polled from any executor and by
    /// [`blocking::wait`](oss_credentials_core::blocking::wait). Dropping such a future ends its exchange. The
    /// thread starts with the first request and ends when the last clone of the client is dropped.
    pub fn with_own_runtime() -> Self {
        Self::from_origin(
            Origin::Configured {
                factory: None,
                trusted: None,
            },
            true,
        )
    }

    /// Starts a client with settings.
    pub fn builder() -> ReqwestClientBuilder {
        ReqwestClientBuilder {
            factory: None,
            pem: None,
            own_runtime: false,
        }
    }

    /// Uses a ready-made client, whose settings cannot be checked.
    ///
    /// Redirects, proxies for metadata hosts, decompression, cookies, certificate verification and the connect
    /// timeout are then those of that client: one that follows redirects sends metadata tokens to
    /// the target of the redirect. Prefer [`ReqwestClientBuilder::client_builder`], which can configure all of
    /// this. The timeout of the whole exchange and the limit on bodies apply here too. A client that keeps connections
    /// belongs to one runtime: set `pool_max_idle_per_host(0)` if several use it, or if the process forks.
    pub fn from_unchecked_client(client: reqwest::Client) -> Self {
        Self::from_origin(Origin::Unchecked(client), false)
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
            .field("own_runtime", &self.first.own_runtime.is_some())
            .finish_non_exhaustive()
    }
}

impl HttpClient for ReqwestClient {
    fn send(&self, request: HttpRequest) -> BoxFuture<'_, Result<HttpResponse, HttpError>> {
        let generation = self.first.of(std::process::id());
        let exchange = exchange(Arc::clone(&generation.clients), request);
        match &generation.own_runtime {
            None => Box::pin(in_callers_runtime(exchange)),
            Some(runtime) => Box::pin(runtime.run(exchange)),
        }
    }
}

/// Builds a [`ReqwestClient`]; see [`ReqwestClient::builder`].
#[must_use]
pub struct ReqwestClientBuilder {
    factory: Option<Factory>,
    pem: Option<Vec<u8>>,
    own_runtime: bool,
}

impl ReqwestClientBuilder {
    /// Sets a closure that returns reqwest builders with your proxy, certificates and so on.
    /// Default: `reqwest::Client::builder`.
    ///
    /// It is called once per client, at most as often as there are different connect timeouts and routes.
    /// Everything that the contract of [`HttpClient`] requires is set on the builder afterwards: redirects, referer,
    /// retries, decompression, verbose logging, the number of headers, verification of certificates and host names,
    /// connect timeout, no proxy for metadata hosts, and no idle connections unless it has a runtime of its own. Do
    /// not set a cookie store: that cannot be undone here.
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

    /// Sets whether reqwest runs on a separate thread, as with [`ReqwestClient::with_own_runtime`]. Default: no.
    pub fn own_runtime(mut self, own: bool) -> Self {
        self.own_runtime = own;
        self
    }

    /// Builds the client.
    ///
    /// # Errors
    ///
    /// [`HttpErrorKind::Request`](oss_credentials_http::HttpErrorKind::Request) if the text given to
    /// [`ReqwestClientBuilder::trust_only_pem`] contains no readable certificate, or if no TLS feature is
    /// enabled.
    pub fn build(self) -> Result<ReqwestClient, HttpError> {
        let trusted = self.pem.as_deref().map(Trusted::from_pem).transpose()?;
        let factory = self.factory;
        let origin = Origin::Configured { factory, trusted };
        Ok(ReqwestClient::from_origin(origin, self.own_runtime))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_forked_process_starts_anew() {
        let client = ReqwestClient::with_own_runtime();
        let parent = std::process::id();
        let (first, child) = (client.first.of(parent), client.first.of(parent + 1));
        assert!(std::ptr::eq(first, Arc::as_ptr(&client.first)));
        assert!(!std::ptr::eq(first, child));
        assert!(!Arc::ptr_eq(&first.clients, &child.clients) && child.own_runtime.is_some());
        assert!(std::ptr::eq(child, client.first.of(parent + 1)));
        let grandchild = client.first.of(parent + 2);
        assert_eq!(grandchild.process, parent + 2);
        assert!(std::ptr::eq(child, client.first.of(parent + 1)));
    }
}
