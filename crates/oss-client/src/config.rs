//! Settings of a client.

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::AtomicI64;
use std::time::Duration;

use oss_credentials_core::{Clock, CredentialsProvider, Sleep, SystemClock, TokioSleep};
use oss_sign::v4::Signer;

use crate::client::{Client, Inner};
use crate::endpoint::Endpoint;
use crate::error::{Error, Problem};
use crate::tls;
use crate::transport::{Silence, Transport};

/// How long making a connection may take.
///
/// This and the read time-out are those that the vendor's guide states for its Python SDK V2.
pub const DEFAULT_CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// How long the service may be silent.
pub const DEFAULT_READ_TIMEOUT: Duration = Duration::from_secs(20);

/// Makes a [`Client`]; see [`Client::builder`].
#[must_use]
pub struct ClientBuilder {
    region: Option<String>,
    endpoint: Option<String>,
    path_style: bool,
    provider: Option<Arc<dyn CredentialsProvider>>,
    clock: Arc<dyn Clock>,
    sleep: Arc<dyn Sleep>,
    connect_timeout: Duration,
    read_timeout: Duration,
    http: Http,
}

/// Where reqwest's client comes from.
enum Http {
    Default,
    Builder(Box<reqwest::ClientBuilder>),
    Unchecked(reqwest::Client),
}

impl ClientBuilder {
    pub(crate) fn new() -> Self {
        Self {
            region: None,
            endpoint: None,
            path_style: false,
            provider: None,
            clock: Arc::new(SystemClock),
            sleep: Arc::new(TokioSleep),
            connect_timeout: DEFAULT_CONNECT_TIMEOUT,
            read_timeout: DEFAULT_READ_TIMEOUT,
            http: Http::Default,
        }
    }

    /// The region of the buckets, such as `cn-hangzhou`: `a-z`, `0-9` and `-`. Needed, since signatures name it.
    pub fn region(mut self, region: impl Into<String>) -> Self {
        self.region = Some(region.into());
        self
    }

    /// Where OSS is: `host`, `host:port` or a URL. Without a scheme it is `https`; a path is ignored. A host that is
    /// an IP address makes URLs path-style. Default: `https://oss-{region}.aliyuncs.com`.
    pub fn endpoint(mut self, endpoint: impl Into<String>) -> Self {
        self.endpoint = Some(endpoint.into());
        self
    }

    /// Whether the bucket stands in the path and not in the host. Default: no, unless the host is an IP address.
    pub fn path_style(mut self, path_style: bool) -> Self {
        self.path_style = path_style;
        self
    }

    /// What is asked for credentials on every attempt. Needed; anonymous credentials send requests unsigned.
    pub fn credentials(mut self, provider: impl CredentialsProvider) -> Self {
        self.provider = Some(Arc::new(provider));
        self
    }

    /// The clock that gives the signing time. Default: the system's.
    pub fn clock(mut self, clock: impl Clock) -> Self {
        self.clock = Arc::new(clock);
        self
    }

    /// What the read time-out waits with. Default: tokio's timer.
    pub fn sleep(mut self, sleep: impl Sleep) -> Self {
        self.sleep = Arc::new(sleep);
        self
    }

    /// How long making a connection may take, TLS included; more than zero. Default: 10 seconds.
    pub fn connect_timeout(mut self, limit: Duration) -> Self {
        self.connect_timeout = limit;
        self
    }

    /// How long the service may be silent while it is its turn; more than zero. Neither upload nor download is
    /// limited as a whole: every piece that moves starts the time anew. Default: 20 seconds.
    pub fn read_timeout(mut self, limit: Duration) -> Self {
        self.read_timeout = limit;
        self
    }

    /// The builder of reqwest's client, with your proxy, certificates, pool and so on.
    ///
    /// Redirects, referer, retries, decompression and verbose logging are switched off on it, and the connect
    /// time-out is set, whatever it says; for an endpoint on this machine proxies are switched off too. Do not give
    /// it a read time-out, which would limit uploads as a whole, nor default headers named `Content-Type`,
    /// `Content-MD5` or `x-oss-*`, which would be added after signing. Default: `reqwest::Client::builder()`.
    pub fn client_builder(mut self, builder: reqwest::ClientBuilder) -> Self {
        self.http = Http::Builder(Box::new(builder));
        self
    }

    /// Uses a client that is ready made, without being able to check how it was set up.
    ///
    /// Redirects, decompression, proxies, time-outs and default headers are then as that client has them: one that
    /// follows redirects sends signed requests to whomever it is redirected to. Only the read time-out set here
    /// holds too. Prefer [`ClientBuilder::client_builder`].
    pub fn unchecked_client(mut self, client: reqwest::Client) -> Self {
        self.http = Http::Unchecked(client);
        self
    }

    /// Makes the client. Nothing is fetched or connected.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidConfig`] if region or credentials are missing, if the endpoint cannot be used, also because
    /// it is `https` and no TLS feature is on, if a time-out is zero, or if reqwest refuses its builder;
    /// [`Error::Sign`] if the region is malformed.
    pub fn build(self) -> Result<Client, Error> {
        let missing = |what: &'static str, hint: &'static str| Error::InvalidConfig(Problem::new(what, hint));
        let region = self.region.as_deref().filter(|region| !region.is_empty());
        let region = region.ok_or_else(|| {
            missing(
                "no region is set",
                "call `region(..)`, with an explicit endpoint too: signatures name it",
            )
        })?;
        let signer = Signer::builder(region).build().map_err(Error::Sign)?;
        let provider = self.provider.clone().ok_or_else(|| {
            missing(
                "no credentials provider is set",
                "call `credentials(..)`, with anonymous credentials for public buckets",
            )
        })?;
        if self.connect_timeout.is_zero() || self.read_timeout.is_zero() {
            return Err(missing("a time-out is zero", "give it at least a millisecond"));
        }
        let endpoint = Endpoint::resolve(self.endpoint.as_deref(), region, self.path_style)
            .map_err(Error::InvalidConfig)?;
        let client = http_client(self.http, &endpoint, self.connect_timeout).map_err(Error::InvalidConfig)?;
        Ok(Client {
            inner: Arc::new(Inner {
                endpoint,
                signer,
                provider,
                clock: self.clock,
                clock_offset: AtomicI64::new(0),
                transport: Transport {
                    client,
                    silence: Silence {
                        limit: self.read_timeout,
                        sleep: self.sleep,
                    },
                },
            }),
        })
    }
}

fn http_client(
    http: Http,
    endpoint: &Endpoint,
    connect_timeout: Duration,
) -> Result<reqwest::Client, Problem> {
    let builder = match http {
        Http::Unchecked(client) => return Ok(client),
        Http::Builder(builder) => *builder,
        Http::Default => reqwest::Client::builder(),
    };
    tls::check(endpoint.is_https())?;
    let build = || {
        let builder = builder
            .redirect(reqwest::redirect::Policy::none())
            .referer(false)
            .retry(reqwest::retry::never())
            .no_gzip()
            .no_brotli()
            .no_zstd()
            .no_deflate()
            // It would log what goes over the wire.
            .connection_verbose(false)
            .connect_timeout(connect_timeout);
        let builder = if endpoint.is_loopback() {
            builder.no_proxy()
        } else {
            builder
        };
        builder.build()
    };
    // reqwest panics where rustls has no crypto provider, which another crate's features can bring about.
    match catch_unwind(AssertUnwindSafe(build)) {
        Ok(Ok(client)) => Ok(client),
        Ok(Err(error)) => Err(Problem::new(
            format!(
                "reqwest cannot build its client: {}",
                innermost(&error.without_url())
            ),
            "correct the builder given to `client_builder`",
        )),
        Err(_) => Err(Problem::new(
            "reqwest panicked when it built its client",
            "install a crypto provider for rustls, or turn on feature `rustls`",
        )),
    }
}

fn innermost(error: &(dyn std::error::Error + 'static)) -> String {
    let mut error = error;
    while let Some(source) = error.source() {
        error = source;
    }
    error.to_string()
}

impl fmt::Debug for ClientBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The endpoint may hold a password, and reqwest's own `Debug` shows headers and proxies.
        f.debug_struct("ClientBuilder")
            .field("region", &self.region)
            .field("path_style", &self.path_style)
            .field("provider", &self.provider)
            .field("connect_timeout", &self.connect_timeout)
            .field("read_timeout", &self.read_timeout)
            .finish_non_exhaustive()
    }
}
