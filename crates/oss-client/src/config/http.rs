//! Connections: timeouts, pool, proxy, TLS, and the reqwest client made of them.

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use oss_credentials_core::ProcessEnv;
use oss_credentials_http::is_out_of_files;

use super::ClientBuilder;
use crate::body::innermost;
use crate::endpoint::Endpoint;
use crate::error::InvalidInput;
use crate::proxies::Proxies;
use crate::runtimes::Clients;
use crate::tls;

/// How long making a connection may take.
///
/// This, the read timeout and the number of connections are those that the vendor's guide states for its Python SDK
/// V2.
pub const DEFAULT_CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// How long the service may be silent.
pub const DEFAULT_READ_TIMEOUT: Duration = Duration::from_secs(20);
/// How long an unused connection is kept, as observed from the vendor's Python and Go SDKs V2.
pub const DEFAULT_IDLE_TIMEOUT: Duration = Duration::from_secs(50);
/// The longest time that an unused connection is kept: a year. The HTTP stack adds it to the present, and panics where
/// there is no such time.
const LONGEST_IDLE_TIMEOUT: Duration = Duration::from_secs(365 * 86_400);
/// How many unused connections are kept for each host.
pub const DEFAULT_MAX_IDLE_CONNECTIONS: usize = 20;

/// How many headers a response may have: user metadata is limited by its size alone, 8 KB. hyper takes 100 by default, and
/// 408 KiB for the whole head.
pub(crate) const MAX_HEADERS: usize = 1024;

/// How connections are made.
pub(super) struct Http {
    pub(super) read_timeout: Duration,
    connect_timeout: Duration,
    pool: Pool,
    proxy: Proxy,
    accept_any_certificate: bool,
    base: Base,
}

type Factory = Box<dyn Fn() -> reqwest::ClientBuilder + Send + Sync>;

/// Where reqwest's client comes from.
enum Base {
    Default,
    Builder(Factory),
    Unchecked(reqwest::Client),
}

/// What is set here of reqwest's pool. On a builder of the caller's only what the caller set here too.
#[derive(Default)]
struct Pool {
    max_idle: Option<usize>,
    idle_timeout: Option<Duration>,
}

/// Through what requests go.
enum Proxy {
    /// As reqwest decides.
    Default,
    None,
    /// A URL, perhaps with a password.
    Url(String),
}

impl Default for Http {
    fn default() -> Self {
        Self {
            read_timeout: DEFAULT_READ_TIMEOUT,
            connect_timeout: DEFAULT_CONNECT_TIMEOUT,
            pool: Pool::default(),
            proxy: Proxy::Default,
            accept_any_certificate: false,
            base: Base::Default,
        }
    }
}

impl ClientBuilder {
    /// How long making a connection may take, TLS included; more than zero. Default: 10 seconds.
    pub fn connect_timeout(mut self, limit: Duration) -> Self {
        self.http.connect_timeout = limit;
        self
    }

    /// How long the service may be silent while it is its turn; more than zero. Neither upload nor download is
    /// limited as a whole: every piece that moves starts the time anew. Default: 20 seconds.
    ///
    /// - Waiting for a response, from the beginning of the attempt: nothing came for this long.
    /// - Reading a body: nothing came for this long since it was asked for.
    /// - Sending a body: the connection took nothing, and no response came. Nothing tells how much of what it took
    ///   still lies in the buffers of this machine, so as long as that may take is added: one second for each 30 KiB
    ///   of the body that was handed over, of at most 4.5 MiB, which is 154 seconds. (30 KiB a second is the lowest
    ///   limit of a connection that the service can set.) On a slower way use small parts, or a longer time. While
    ///   the stream that the caller gave has nothing, no time runs.
    ///
    /// A connection whose other end has gone is noticed by the operating system, whatever is set here: reqwest asks
    /// Linux to give up where nothing of what is sent was taken for 30 seconds (`tcp_user_timeout`), and where nothing
    /// is to be sent after a minute (`tcp_keepalive`). [`ClientBuilder::client_builder`] changes that.
    ///
    /// A document, such as a page of a list, has to be there as a whole within three times this after its headers.
    pub fn read_timeout(mut self, limit: Duration) -> Self {
        self.http.read_timeout = limit;
        self
    }

    /// How many unused connections are kept for each host; 0 keeps none. More connections than this are made when
    /// they are needed. Default: 20, or what the builder given to [`ClientBuilder::client_builder`] says.
    pub fn max_idle_connections(mut self, connections: usize) -> Self {
        self.http.pool.max_idle = Some(connections);
        self
    }

    /// How long an unused connection is kept; more than zero, and a year at most. Default: 50 seconds, or what the
    /// builder given to [`ClientBuilder::client_builder`] says.
    pub fn idle_timeout(mut self, limit: Duration) -> Self {
        self.http.pool.idle_timeout = Some(limit);
        self
    }

    /// The proxy for all requests, `http://[user:password@]host:port`, also for an endpoint on this machine.
    /// Default: the proxy that the environment names, by the rules of
    /// [`ProxyVariables`](oss_credentials_http::ProxyVariables), or that the builder given to
    /// [`ClientBuilder::client_builder`] has; and none for an endpoint on this machine.
    pub fn proxy(mut self, url: impl Into<String>) -> Self {
        self.http.proxy = Proxy::Url(url.into());
        self
    }

    /// Goes through no proxy, whatever environment and [`ClientBuilder::client_builder`] say.
    pub fn no_proxy(mut self) -> Self {
        self.http.proxy = Proxy::None;
        self
    }

    /// Trusts any certificate of any server. **Anyone on the network path can then read objects and tokens and answer in
    /// the service's place.** For a private authority give its certificate to [`ClientBuilder::client_builder`].
    #[cfg(any(feature = "rustls", feature = "rustls-no-provider", feature = "native-tls"))]
    pub fn danger_accept_any_certificate(mut self) -> Self {
        self.http.accept_any_certificate = true;
        self
    }

    /// Where reqwest's clients come from: a closure that makes a builder with your proxy, certificates, pool and so on. It
    /// is called once for each runtime in which the client is used, since a connection belongs to its runtime.
    ///
    /// Redirects, referer, retries, decompression and verbose logging are switched off on it, and the connect
    /// timeout and the number of headers are set, whatever it says; for an endpoint on this machine proxies are disabled
    /// too. Do not give it a read timeout, which would limit uploads as a whole, nor default headers named `Content-Type`,
    /// `Content-MD5` or `x-oss-*`, which would be added after signing. Default: `reqwest::Client::builder`.
    pub fn client_builder(
        mut self,
        make: impl Fn() -> reqwest::ClientBuilder + Send + Sync + 'static,
    ) -> Self {
        self.http.base = Base::Builder(Box::new(make));
        self
    }

    /// Uses a client that is ready made, without being able to check how it was set up.
    ///
    /// Redirects, decompression, proxies, timeouts and default headers are then as that client has them: one that
    /// follows redirects sends signed requests to whomever it is redirected to. Of the settings in this section only
    /// the read timeout holds too; to set pool, proxy or certificates beside it is refused. Since such a client may
    /// decompress bodies, those that come without `Content-Length` are not checked. A client that keeps connections belongs
    /// into one runtime: give it `pool_max_idle_per_host(0)` where several use it. Prefer
    /// [`ClientBuilder::client_builder`].
    pub fn unchecked_client(mut self, client: reqwest::Client) -> Self {
        self.http.base = Base::Unchecked(client);
        self
    }
}

impl Http {
    /// Whether the reqwest client is one that nobody here set up.
    /// Whether anybody on the network path can answer in place of the service.
    pub(super) fn accepts_any_certificate(&self) -> bool {
        self.accept_any_certificate
    }

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
            Base::Builder(factory) => (Some(factory), self.pool),
            Base::Default => (None, self.pool.or_default()),
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
        let clients = Clients::made(Box::new(move || {
            build(true).or_else(|problem| {
                if let Some(full) = out_of_files() {
                    return Err(full);
                }
                match build(false) {
                    Ok(_) if https => Err(InvalidInput::new(
                        "no CA certificates were found on this system",
                        "install the package `ca-certificates`, or set SSL_CERT_FILE to a file with certificates in PEM form",
                    )),
                    Ok(client) => Ok(client),
                    Err(_) => Err(problem),
                }
            })
        }))?;
        Ok((clients, proxies))
    }

    /// A setting that would have no effect on a client that is ready made.
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

/// What no builder may do to signed requests.
fn restricted(builder: reqwest::ClientBuilder) -> reqwest::ClientBuilder {
    builder
        // Followed by this crate where it is allowed, since reqwest would take the token along.
        .redirect(reqwest::redirect::Policy::none())
        .referer(false)
        .retry(reqwest::retry::never())
        .no_gzip()
        .no_brotli()
        .no_zstd()
        .no_deflate()
        // It would log what goes over the wire.
        .connection_verbose(false)
        .http1_max_headers(MAX_HEADERS)
}

/// The libraries that read the certificates say only that there are none.
fn out_of_files() -> Option<InvalidInput> {
    let error = std::fs::File::open("/").err().filter(is_out_of_files)?;
    Some(InvalidInput::new(
        format!("reqwest cannot build its client: {error}"),
        "raise the limit of open files (`ulimit -n`), or look for what leaves them open",
    ))
}

fn built(build: impl FnOnce() -> reqwest::Result<reqwest::Client>) -> Result<reqwest::Client, InvalidInput> {
    // reqwest panics where rustls has no crypto provider, which another crate's features can bring about.
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
        // A proxy's URL may hold a password, and so may what reqwest's own `Debug` shows.
        f.debug_struct("Http")
            .field("connect_timeout", &self.connect_timeout)
            .field("read_timeout", &self.read_timeout)
            .field("max_idle_connections", &self.pool.max_idle)
            .field("idle_timeout", &self.pool.idle_timeout)
            .field("accept_any_certificate", &self.accept_any_certificate)
            .finish_non_exhaustive()
    }
}
