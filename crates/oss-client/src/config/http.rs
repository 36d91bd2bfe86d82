//! Connections: timeouts, pool, proxy, TLS, and the reqwest client made of them.

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;

use oss_credentials_core::ProcessEnv;
use oss_credentials_http::out_of_files;
use tokio::sync::Semaphore;

use super::ClientBuilder;
use crate::body::innermost;
use crate::endpoint::Endpoint;
use crate::error::InvalidInput;
use crate::http_error::RAISE_LIMIT;
use crate::proxies::Proxies;
use crate::runtimes::Clients;
use crate::tls;

/// Default of [`ClientBuilder::connect_timeout`]: 10 seconds.
///
/// The vendor's guide states this value, the read timeout and the number of connections for its Python SDK V2.
pub const DEFAULT_CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// Default of [`ClientBuilder::read_timeout`], the idle timeout: 20 seconds.
pub const DEFAULT_READ_TIMEOUT: Duration = Duration::from_secs(20);
/// Default of [`ClientBuilder::idle_timeout`]: 50 seconds, as observed from the vendor's Python and Go SDKs V2.
pub const DEFAULT_IDLE_TIMEOUT: Duration = Duration::from_secs(50);
/// The longest idle timeout: a year. The HTTP stack adds the timeout to the current time, and panics if the sum cannot
/// be represented.
const LONGEST_IDLE_TIMEOUT: Duration = Duration::from_secs(365 * 86_400);
/// Default of [`ClientBuilder::max_idle_connections`]: 20.
pub const DEFAULT_MAX_IDLE_CONNECTIONS: usize = 20;

/// How many headers a response may have: OSS limits user metadata by its size alone, 8 KB. hyper's own limits are 100
/// headers, and 408 KiB for the whole head.
pub(crate) const MAX_HEADERS: usize = 1024;

/// Settings for connections.
pub(super) struct Http {
    pub(super) read_timeout: Duration,
    connect_timeout: Duration,
    max_connections: Option<usize>,
    pool: Pool,
    proxy: Proxy,
    accept_any_certificate: bool,
    base: Base,
}

type Factory = Box<dyn Fn() -> reqwest::ClientBuilder + Send + Sync>;

/// Where the reqwest client comes from.
enum Base {
    Default,
    Builder(Factory),
    Unchecked(reqwest::Client),
}

/// Settings of reqwest's pool. On a builder provided by the caller, only those that the caller also set here.
#[derive(Default)]
struct Pool {
    max_idle: Option<usize>,
    idle_timeout: Option<Duration>,
}

/// The proxy for requests.
enum Proxy {
    /// reqwest's default.
    Default,
    None,
    /// A URL, possibly with a password.
    Url(String),
}

impl Default for Http {
    fn default() -> Self {
        Self {
            read_timeout: DEFAULT_READ_TIMEOUT,
            connect_timeout: DEFAULT_CONNECT_TIMEOUT,
            max_connections: None,
            pool: Pool::default(),
            proxy: Proxy::Default,
            accept_any_certificate: false,
            base: Base::Default,
        }
    }
}

impl ClientBuilder {
    /// Sets how long establishing a connection may take, TLS included; more than zero. Default: 10 seconds.
    pub fn connect_timeout(mut self, limit: Duration) -> Self {
        self.http.connect_timeout = limit;
        self
    }

    /// Sets the idle timeout: how long nothing may arrive while the client waits for the service; more than zero. It
    /// does not limit an upload or download as a whole: every piece that is transferred restarts it. Default: 20
    /// seconds.
    ///
    /// - Waiting for a response: nothing has arrived for this long since the attempt began.
    /// - Reading a body: nothing has arrived for this long since more was requested.
    /// - Sending a body: the connection has accepted nothing for this long, and no response has arrived. The client
    ///   cannot know how much of the accepted data is still in this machine's buffers, so it adds the time that sending
    ///   them may take: one second for each 30 KiB of the body that was handed over, up to 4.5 MiB, which is 154
    ///   seconds. (30 KiB per second is the lowest bandwidth limit that the service can set for a connection.) On a
    ///   slower connection use small parts, or a longer timeout. The time does not run while the caller's stream has
    ///   nothing to send.
    ///
    /// The operating system detects a connection whose other end has gone, independently of this setting: reqwest asks
    /// Linux to give up if sent data has not been acknowledged for 30 seconds (`tcp_user_timeout`), and on an inactive
    /// connection after a minute (`tcp_keepalive`). Use [`ClientBuilder::client_builder`] to change that.
    ///
    /// A document, such as a page of a list, must arrive completely within three times this timeout after its headers.
    pub fn read_timeout(mut self, limit: Duration) -> Self {
        self.http.read_timeout = limit;
        self
    }

    /// Limits the number of requests in progress, and so of connections in use; more than zero. Further requests wait
    /// before they are signed. Only [`operation_timeout`](ClientBuilder::operation_timeout) runs while they wait.
    /// Default: no limit.
    ///
    /// A request is in progress until its response has been read or dropped. **A program that holds this many responses
    /// open and waits for another request of the same client waits forever**: with a limit of 1, for example, one that
    /// uploads the stream of an object that it is reading. The number of unused connections kept for each host has the
    /// same limit.
    pub fn max_connections(mut self, connections: usize) -> Self {
        self.http.max_connections = Some(connections);
        self
    }

    /// Sets how many unused connections are kept for each host; 0 keeps none. More connections than this are made when
    /// they are needed, up to [`max_connections`](ClientBuilder::max_connections). Default: 20, or what the builder given to [`ClientBuilder::client_builder`] says.
    pub fn max_idle_connections(mut self, connections: usize) -> Self {
        self.http.pool.max_idle = Some(connections);
        self
    }

    /// Sets how long an unused connection is kept; more than zero, and at most a year. Default: 50 seconds, or the
    /// setting of the builder given to [`ClientBuilder::client_builder`].
    pub fn idle_timeout(mut self, limit: Duration) -> Self {
        self.http.pool.idle_timeout = Some(limit);
        self
    }

    /// Sets the proxy for all requests, `http://[user:password@]host:port`, also for an endpoint on this machine.
    /// Default: the proxy named by the environment, as described for
    /// [`ProxyVariables`](oss_credentials_http::ProxyVariables), or the one of the builder given to
    /// [`ClientBuilder::client_builder`]; none for an endpoint on this machine.
    pub fn proxy(mut self, url: impl Into<String>) -> Self {
        self.http.proxy = Proxy::Url(url.into());
        self
    }

    /// Uses no proxy, even if the environment or [`ClientBuilder::client_builder`] sets one.
    pub fn no_proxy(mut self) -> Self {
        self.http.proxy = Proxy::None;
        self
    }

    /// Accepts any certificate of any server. **Anyone on the network path can then read objects and tokens, and can
    /// impersonate the service.** To trust a private certificate authority, add its certificate with
    /// [`ClientBuilder::client_builder`] instead.
    #[cfg(any(feature = "rustls", feature = "rustls-no-provider", feature = "native-tls"))]
    pub fn danger_accept_any_certificate(mut self) -> Self {
        self.http.accept_any_certificate = true;
        self
    }

    /// Builds the reqwest client from your own builder: pass a closure that returns a builder with your proxy,
    /// certificates, pool and so on. It is called once for each runtime in which the client is used, because a
    /// connection belongs to its runtime.
    ///
    /// The client then overrides some settings of that builder: it disables redirects, referer, retries, decompression
    /// and verbose logging, and sets the connect timeout and the number of headers. For an endpoint on this machine it
    /// also disables proxies. Do not set a read timeout, which would limit uploads as a whole, nor default headers
    /// named `Content-Type`, `Content-MD5` or `x-oss-*`, which would be added after signing. Default:
    /// `reqwest::Client::builder`.
    pub fn client_builder(
        mut self,
        make: impl Fn() -> reqwest::ClientBuilder + Send + Sync + 'static,
    ) -> Self {
        self.http.base = Base::Builder(Box::new(make));
        self
    }

    /// Uses an existing reqwest client. Its settings cannot be checked.
    ///
    /// Redirects, decompression, proxies, timeouts and default headers are then those of that client; one that follows
    /// redirects sends signed requests to wherever it is redirected. Of the settings in this section only the read
    /// timeout still applies; setting pool, proxy or certificates as well is refused. Because such a client may
    /// decompress bodies, the length and CRC-64 of bodies without `Content-Length` are not checked. A client that keeps
    /// connections belongs to one runtime: set `pool_max_idle_per_host(0)` if several runtimes use it. Prefer
    /// [`ClientBuilder::client_builder`].
    pub fn unchecked_client(mut self, client: reqwest::Client) -> Self {
        self.http.base = Base::Unchecked(client);
        self
    }
}

impl Http {
    /// Whether anyone on the network path can impersonate the service.
    pub(super) fn accepts_any_certificate(&self) -> bool {
        self.accept_any_certificate
    }

    /// A permit for each request that may be under way; `None` without limit.
    pub(super) fn slots(&self) -> Result<Option<Arc<Semaphore>>, InvalidInput> {
        match self.max_connections {
            Some(0) => Err(InvalidInput::new("`max_connections` is 0", "allow at least one")),
            limit => Ok(limit.map(|limit| Arc::new(Semaphore::new(limit.min(Semaphore::MAX_PERMITS))))),
        }
    }

    /// Whether the reqwest client is one that nobody here set up.
    pub(super) fn is_unchecked(&self) -> bool {
        matches!(self.base, Base::Unchecked(_))
    }

    /// The reqwest clients for this endpoint, and the proxy that they use.
    pub(super) fn build(self, endpoint: &Endpoint) -> Result<(Clients, Proxies), InvalidInput> {
        let limits = [
            Some(self.connect_timeout),
            Some(self.read_timeout),
            self.pool.idle_timeout,
        ];
        if limits.into_iter().flatten().any(|limit| limit.is_zero()) {
            return Err(zero());
        }
        let other = self.not_for_a_ready_client();
        let (factory, pool) = match self.base {
            Base::Unchecked(client) => {
                return match other {
                    None => Ok((Clients::ready(client), Proxies::Unknown)),
                    Some(other) => Err(InvalidInput::new(
                        format!("`{other}` and `unchecked_client` are both set"),
                        "set it on the reqwest client, or use `client_builder`",
                    )),
                };
            }
            Base::Builder(factory) => (Some(factory), self.pool.within(self.max_connections)),
            Base::Default => (None, self.pool.or_default().within(self.max_connections)),
        };
        let https = endpoint.is_https();
        tls::check(https)?;
        let proxies = match self.proxy {
            Proxy::Url(url) => Proxies::one(url)?,
            Proxy::None => Proxies::None,
            Proxy::Default if endpoint.is_loopback() => Proxies::None,
            Proxy::Default if factory.is_some() => Proxies::Unknown,
            Proxy::Default => Proxies::of_environment(&ProcessEnv),
        };
        let (connect_timeout, any_certificate) = (self.connect_timeout, self.accept_any_certificate);
        let used = proxies.clone();
        let build = move |with_certificates: bool| {
            built(|| {
                let builder = factory
                    .as_ref()
                    .map_or_else(reqwest::Client::builder, |make| make());
                let builder = tls::verification(used.on(builder), any_certificate, with_certificates);
                pool.on(restricted(builder).connect_timeout(connect_timeout))
                    .build()
            })
        };
        let make = move || build(true).or_else(|problem| without_certificates(problem, https, &build));
        Ok((Clients::made(Box::new(make))?, proxies))
    }

    /// The setting that would have no effect on an existing client, if there is one.
    fn not_for_a_ready_client(&self) -> Option<&'static str> {
        let set = [
            (!matches!(self.proxy, Proxy::Default), "proxy"),
            (self.pool.max_idle.is_some(), "max_idle_connections"),
            (self.pool.idle_timeout.is_some(), "idle_timeout"),
            (self.accept_any_certificate, "danger_accept_any_certificate"),
            (self.connect_timeout != DEFAULT_CONNECT_TIMEOUT, "connect_timeout"),
        ];
        set.into_iter().find_map(|(is_set, name)| is_set.then_some(name))
    }
}

impl Pool {
    fn or_default(self) -> Self {
        Self {
            max_idle: self.max_idle.or(Some(DEFAULT_MAX_IDLE_CONNECTIONS)),
            idle_timeout: self.idle_timeout.or(Some(DEFAULT_IDLE_TIMEOUT)),
        }
    }

    /// Keeps no more unused connections than there may be.
    fn within(self, limit: Option<usize>) -> Self {
        let smaller = |kept: usize| limit.map_or(kept, |limit| kept.min(limit));
        Self {
            max_idle: self.max_idle.map(smaller).or(limit),
            ..self
        }
    }

    fn on(&self, mut builder: reqwest::ClientBuilder) -> reqwest::ClientBuilder {
        if let Some(connections) = self.max_idle {
            builder = builder.pool_max_idle_per_host(connections);
        }
        if let Some(limit) = self.idle_timeout {
            builder = builder.pool_idle_timeout(limit.min(LONGEST_IDLE_TIMEOUT));
        }
        builder
    }
}

/// Overrides the settings that no builder may change for signed requests.
fn restricted(builder: reqwest::ClientBuilder) -> reqwest::ClientBuilder {
    builder
        // This crate follows redirects where they are allowed: reqwest would forward the token.
        .redirect(reqwest::redirect::Policy::none())
        .referer(false)
        // This crate retries. Without the limit, reqwest would copy each request for a retry that never happens.
        .retry(reqwest::retry::never().max_retries_per_request(0))
        .no_gzip()
        .no_brotli()
        .no_zstd()
        .no_deflate()
        // It would log the bytes of requests and responses.
        .connection_verbose(false)
        .http1_max_headers(MAX_HEADERS)
}

/// Finds out why no client could be built. Without `https`, one without certificates will do.
fn without_certificates(
    problem: InvalidInput,
    https: bool,
    build: impl Fn(bool) -> Result<reqwest::Client, InvalidInput>,
) -> Result<reqwest::Client, InvalidInput> {
    if let Some(error) = out_of_files() {
        return Err(InvalidInput::new(
            format!("reqwest cannot build its client: {error}"),
            RAISE_LIMIT,
        ));
    }
    match build(false) {
        Ok(_) if https => Err(InvalidInput::new(
            "no CA certificates were found on this system",
            "install the package `ca-certificates`, or set SSL_CERT_FILE to a file with certificates in PEM form",
        )),
        Ok(client) => Ok(client),
        Err(_) => Err(problem),
    }
}

fn built(build: impl FnOnce() -> reqwest::Result<reqwest::Client>) -> Result<reqwest::Client, InvalidInput> {
    // reqwest panics if rustls has no crypto provider, which can happen because of another crate's features.
    match catch_unwind(AssertUnwindSafe(build)) {
        Ok(Ok(client)) => Ok(client),
        Ok(Err(error)) => Err(InvalidInput::new(
            format!(
                "reqwest cannot build its client: {}",
                innermost(&error.without_url())
            ),
            "correct the builder given to `client_builder`",
        )),
        Err(_) => Err(InvalidInput::new(
            "reqwest panicked when it built its client",
            "install a crypto provider for rustls, or enable the feature `rustls`",
        )),
    }
}

pub(super) fn zero() -> InvalidInput {
    InvalidInput::new("a timeout is zero", "give it at least a millisecond")
}

impl fmt::Debug for Http {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The URL of a proxy may contain a password, and so may the `Debug` output of reqwest.
        f.debug_struct("Http")
            .field("connect_timeout", &self.connect_timeout)
            .field("read_timeout", &self.read_timeout)
            .field("max_idle_connections", &self.pool.max_idle)
            .field("idle_timeout", &self.pool.idle_timeout)
            .field("accept_any_certificate", &self.accept_any_certificate)
            .finish_non_exhaustive()
    }
}
