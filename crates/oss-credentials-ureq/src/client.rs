//! The client, and where its agent comes from.

use std::fmt;
use std::sync::{Arc, OnceLock};

use oss_credentials_core::{BoxFuture, ProcessEnv};
use oss_credentials_http::{
    Endpoint, HttpClient, HttpError, HttpRequest, HttpResponse, ProxyVariables, checked_target,
};
use ureq::Agent;

use crate::exchange::{Route, exchange};
use crate::{error, tls};

/// Sends the requests of credential sources through ureq.
///
/// The request is sent when the future is first polled, and blocks that thread until the exchange is done. Use it with
/// [`blocking::wait`](oss_credentials_core::blocking::wait), not on the threads of an async runtime.
///
/// - Redirects are not followed, and no content coding is accepted, regardless of a given agent's settings.
/// - Proxies are taken from the environment (`HTTPS_PROXY`, `HTTP_PROXY`, `ALL_PROXY`, `NO_PROXY`), by the rules of
///   [`ProxyVariables`]; with a given agent, its own settings apply. Metadata hosts, loopback and link-local addresses
///   are always called directly. ureq uses a tunnel (`CONNECT`) through every proxy, even for `http://`.
/// - A body over [`MAX_BODY`](oss_credentials_http::MAX_BODY) bytes is an error.
/// - No connection is kept for the next request; a given agent keeps them by its own settings.
///
/// Clones share the agent.
///
/// # Examples
///
/// ```no_run
/// use oss_credentials_core::blocking;
/// use oss_credentials_http::{HttpClient, HttpRequest};
/// use oss_credentials_ureq::UreqClient;
///
/// let request = HttpRequest::get("http://100.100.100.200/latest/meta-data/instance-id");
/// let response = blocking::wait(UreqClient::new().send(request))?;
/// # Ok::<(), oss_credentials_http::HttpError>(())
/// ```
#[derive(Clone)]
pub struct UreqClient {
    origin: Arc<Origin>,
}

enum Origin {
    /// Made here; proxies are chosen per request.
    Own {
        agent: Agent,
        proxies: OnceLock<ProxyVariables>,
    },
    Given(Agent),
}

impl UreqClient {
    /// Creates a client with an agent of its own, which trusts the system's certificates.
    pub fn new() -> Self {
        Self::own(tls::config())
    }

    /// Starts a client with settings.
    pub fn builder() -> UreqClientBuilder {
        UreqClientBuilder { pem: None }
    }

    /// Uses the agent that the program already has: its connections, proxy, resolver and TLS settings.
    ///
    /// What the contract of [`HttpClient`] requires is set on each request: no redirects, every status is a response,
    /// the request's own timeouts, no proxy for metadata hosts. An agent that does not verify certificates is refused
    /// for `https://`, if a TLS feature of this crate is enabled.
    ///
    /// If the program enables ureq's feature `gzip` or `brotli`, a body that a service compresses without being
    /// requested to is decompressed; the limit of 1 MiB then holds for the decompressed body.
    pub fn from_agent(agent: Agent) -> Self {
        Self {
            origin: Arc::new(Origin::Given(agent)),
        }
    }

    fn own(tls: tls::Config) -> Self {
        // ureq's default would read the proxy variables by other rules. Credentials are fetched about once an hour, so
        // a pool would have nothing to keep.
        let config = Agent::config_builder().proxy(None).max_idle_connections(0);
        let agent = tls::with(config, tls).build().new_agent();
        let origin = Origin::Own {
            agent,
            proxies: OnceLock::new(),
        };
        Self {
            origin: Arc::new(origin),
        }
    }

    fn exchange(&self, request: HttpRequest) -> Result<HttpResponse, HttpError> {
        let endpoint = checked_target(&request)?;
        let agent = match &*self.origin {
            Origin::Own { .. } if endpoint.is_https() && !tls::AVAILABLE => {
                return Err(error::request(tls::MISSING));
            }
            Origin::Given(agent) if endpoint.is_https() && !tls::is_verified_by(agent) => {
                return Err(error::request(
                    "the agent does not verify certificates; pass one that does",
                ));
            }
            Origin::Own { agent, .. } | Origin::Given(agent) => agent,
        };
        exchange(agent, &self.route(&endpoint), endpoint.is_https(), request)
    }

    fn route(&self, endpoint: &Endpoint) -> Route<'_> {
        if endpoint.is_metadata_host() {
            return Route::Direct;
        }
        let Origin::Own { proxies, .. } = &*self.origin else {
            return Route::AsTheAgentSays;
        };
        let proxies = proxies.get_or_init(|| ProxyVariables::read(&ProcessEnv));
        match proxies.proxy_for(endpoint.is_https(), endpoint.host(), endpoint.port()) {
            Some(url) => Route::Proxy(url),
            None => Route::Direct,
        }
    }
}

impl Default for UreqClient {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for UreqClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The agent's own `Debug` shows settings that may hold passwords.
        f.debug_struct("UreqClient")
            .field("given_agent", &matches!(&*self.origin, Origin::Given(_)))
            .finish_non_exhaustive()
    }
}

impl HttpClient for UreqClient {
    fn send(&self, request: HttpRequest) -> BoxFuture<'_, Result<HttpResponse, HttpError>> {
        Box::pin(async move { self.exchange(request) })
    }
}

/// Builds a [`UreqClient`]; see [`UreqClient::builder`].
#[must_use]
pub struct UreqClientBuilder {
    pem: Option<Vec<u8>>,
}

impl UreqClientBuilder {
    /// Trusts these certificates and no others: one or more certificates in PEM text, usually of a private
    /// certificate authority. Default: the system's.
    pub fn trust_only_pem(mut self, pem: impl Into<Vec<u8>>) -> Self {
        self.pem = Some(pem.into());
        self
    }

    /// Builds the client.
    ///
    /// # Errors
    ///
    /// [`HttpErrorKind::Request`](oss_credentials_http::HttpErrorKind::Request) if the text given to
    /// [`UreqClientBuilder::trust_only_pem`] contains no readable certificate, or if no TLS feature is enabled.
    pub fn build(self) -> Result<UreqClient, HttpError> {
        let config = match self.pem.as_deref() {
            Some(pem) => tls::trusting_only(pem)?,
            None => tls::config(),
        };
        Ok(UreqClient::own(config))
    }
}

impl fmt::Debug for UreqClientBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UreqClientBuilder")
            .field("trust_only_pem", &self.pem.is_some())
            .finish()
    }
}
