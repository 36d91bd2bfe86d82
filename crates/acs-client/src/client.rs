//! The client and its settings.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

#[cfg(feature = "signed")]
use oss_credentials_core::CredentialsProvider;
use oss_credentials_core::{Clock, CredentialsError, ErrorDetail, Sleep, SystemClock};
use oss_credentials_http::{Endpoint, HttpClient, HttpMethod, ServiceClock, default_http_client};

use crate::endpoint;

/// Default of [`AcsClientBuilder::connect_timeout`]: 5 s.
pub const DEFAULT_CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// Default of [`AcsClientBuilder::timeout`]: 10 s.
pub const DEFAULT_TIMEOUT: Duration = Duration::from_secs(10);
/// Default of [`AcsClientBuilder::max_attempts`]: 3.
pub const DEFAULT_MAX_ATTEMPTS: u32 = 3;
const DEFAULT_NAME: &str = "acs-client";
const USER_AGENT: &str = concat!("acs-client/", env!("CARGO_PKG_VERSION"));

/// The signature version of requests.
///
/// # Examples
///
/// ```
/// use acs_client::{AcsClient, SignatureVersion};
///
/// # #[cfg(feature = "signed")]
/// let builder = AcsClient::builder("ram", "2015-05-01").signature_version(SignatureVersion::Rpc);
/// assert_eq!(SignatureVersion::default(), SignatureVersion::Acs3);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum SignatureVersion {
    /// RPC, HMAC-SHA1, only for RPC services: the version that the vendor's credentials SDKs use, and that proxies and
    /// emulators support best.
    Rpc,
    /// ACS3-HMAC-SHA256 ("V3"), for all services: the version that the vendor's generated SDKs use.
    #[default]
    Acs3,
}

/// A refusal of a service, for a client that can give better advice: see [`AcsClientBuilder::hints`].
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Refusal<'a> {
    /// Name of the operation.
    pub action: &'a str,
    /// The error code as it arrived: text from outside, which may repeat a secret. Do not copy it into a hint.
    pub code: &'a str,
    /// HTTP status.
    pub status: u16,
    /// Whether the request was signed.
    pub is_signed: bool,
}

/// What to do about a refusal: see [`AcsClientBuilder::hints`].
#[derive(Clone, Debug)]
pub struct Hint {
    pub(crate) text: Cow<'static, str>,
    /// Its name, and its label.
    pub(crate) setting: Option<(&'static str, &'static str)>,
}

impl Hint {
    /// Creates a hint with this text: imperative, lower case, no full stop.
    pub fn new(text: impl Into<Cow<'static, str>>) -> Self {
        Self {
            text: text.into(),
            setting: None,
        }
    }

    /// Sets the setting whose value is refused, and its label, which replaces `{setting}` in the text: see
    /// [`ErrorDetail::setting`].
    #[must_use]
    pub fn setting(mut self, name: &'static str, label: &'static str) -> Self {
        self.setting = Some((name, label));
        self
    }
}

/// Chooses the hint of an error; `None` leaves it to the client.
///
/// # Examples
///
/// ```
/// use acs_client::{AcsClient, Hint, Refusal};
///
/// fn hint(refusal: &Refusal<'_>) -> Option<Hint> {
///     (refusal.code == "EntityNotExist.Policy").then(|| Hint::new("check the name of the policy"))
/// }
///
/// let builder = AcsClient::builder("ram", "2015-05-01").hints(hint);
/// # let _ = builder;
/// ```
pub type Hints = fn(&Refusal<'_>) -> Option<Hint>;

/// A client for the operations of one product. Cloning is cheap; clones share the HTTP client and what was learned
/// about the local clock.
///
/// A call is repeated where that helps, up to [`max_attempts`](AcsClientBuilder::max_attempts): at once if the
/// nonce was already used, if the local clock was wrong (later calls begin with the corrected time), or if the provider
/// has another key instead of a rejected one; after a backoff, if there is a [`Sleep`], when there is no connection,
/// and for throttling and server errors.
///
/// # Examples
///
/// ```
/// # #[cfg(feature = "signed")] {
/// use acs_client::{AcsClient, Call};
/// use oss_credentials_core::{Credentials, blocking};
/// use oss_credentials_http::{HttpResponse, http_fn};
///
/// # let http = http_fn(|_| async { Ok(HttpResponse::new(200, br#"{"Regions": {}}"#.to_vec())) });
/// let client = AcsClient::builder("ecs", "2014-05-26")
///     .region("cn-hangzhou")
///     .credentials_provider(Credentials::builder("LTAI5tExampleKeyId01", "example-secret").build()?)
///     .http_client(http)
///     .build()?;
/// let response = blocking::wait(client.call(&Call::rpc("DescribeRegions")))?;
/// assert_eq!(response.bytes(), br#"{"Regions": {}}"#);
/// # }
/// # Ok::<(), oss_credentials_core::CredentialsError>(())
/// ```
#[derive(Clone)]
pub struct AcsClient {
    pub(crate) inner: Arc<Inner>,
}

pub(crate) struct Inner {
    pub(crate) name: &'static str,
    pub(crate) product: Cow<'static, str>,
    pub(crate) version: Cow<'static, str>,
    pub(crate) endpoint: Endpoint,
    pub(crate) http: Arc<dyn HttpClient>,
    #[cfg(feature = "signed")]
    pub(crate) provider: Option<Arc<dyn CredentialsProvider>>,
    #[cfg(feature = "signed")]
    pub(crate) signature_version: SignatureVersion,
    pub(crate) clock: ServiceClock,
    pub(crate) sleep: Option<Arc<dyn Sleep>>,
    pub(crate) connect_timeout: Duration,
    pub(crate) timeout: Duration,
    pub(crate) max_attempts: u32,
    pub(crate) user_agent: Cow<'static, str>,
    pub(crate) hints: Option<Hints>,
}

impl AcsClient {
    /// Starts a client of a product (`ecs`, the first part of its host) and a version of its API (`2014-05-26`). The
    /// vendor's API reference of each product states both.
    pub fn builder(
        product: impl Into<Cow<'static, str>>,
        version: impl Into<Cow<'static, str>>,
    ) -> AcsClientBuilder {
        AcsClientBuilder {
            product: product.into(),
            version: version.into(),
            name: DEFAULT_NAME,
            endpoint: None,
            region: None,
            allow_http: false,
            http: None,
            #[cfg(feature = "signed")]
            provider: None,
            #[cfg(feature = "signed")]
            signature_version: SignatureVersion::default(),
            clock: Arc::new(SystemClock),
            correct_clock: true,
            sleep: None,
            connect_timeout: DEFAULT_CONNECT_TIMEOUT,
            timeout: DEFAULT_TIMEOUT,
            max_attempts: DEFAULT_MAX_ATTEMPTS,
            user_agent: USER_AGENT.into(),
            hints: None,
        }
    }

    /// Returns where requests go: scheme, host and port.
    pub fn endpoint(&self) -> &Endpoint {
        &self.inner.endpoint
    }

    /// Returns the name that every error begins with.
    pub fn name(&self) -> &'static str {
        self.inner.name
    }

    /// Returns the service's clock, as far as it is known.
    pub fn clock(&self) -> &ServiceClock {
        &self.inner.clock
    }

    /// Returns where a request goes, for errors.
    pub(crate) fn place(&self, method: HttpMethod, path: &str) -> String {
        format!("{method} {}{path}", self.inner.endpoint.origin())
    }
}

impl fmt::Debug for AcsClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let inner = &*self.inner;
        let mut shown = f.debug_struct("AcsClient");
        shown
            .field("name", &inner.name)
            .field("product", &inner.product)
            .field("version", &inner.version)
            .field("endpoint", &inner.endpoint);
        #[cfg(feature = "signed")]
        shown
            .field("provider", &inner.provider)
            .field("signature_version", &inner.signature_version);
        shown
            .field("http", &inner.http)
            .field("clock", inner.clock.local())
            .field("sleep", &inner.sleep)
            .field("connect_timeout", &inner.connect_timeout)
            .field("timeout", &inner.timeout)
            .field("max_attempts", &inner.max_attempts)
            .finish_non_exhaustive()
    }
}

/// Builds an [`AcsClient`]; see [`AcsClient::builder`].
///
/// # Examples
///
/// ```
/// use std::time::Duration;
/// use acs_client::AcsClient;
/// # use oss_credentials_http::{HttpResponse, http_fn};
///
/// # let http = http_fn(|_| async { Ok(HttpResponse::new(200, b"{}".to_vec())) });
/// let ecs = AcsClient::builder("ecs", "2014-05-26")
///     .region("cn-hangzhou")
///     .http_client(http)
///     .timeout(Duration::from_secs(30))
///     .max_attempts(5)
///     .build()?;
/// assert_eq!(ecs.endpoint().origin(), "https://ecs.cn-hangzhou.aliyuncs.com");
/// # Ok::<(), oss_credentials_core::CredentialsError>(())
/// ```
#[derive(Clone)]
#[must_use]
pub struct AcsClientBuilder {
    product: Cow<'static, str>,
    version: Cow<'static, str>,
    name: &'static str,
    endpoint: Option<String>,
    region: Option<String>,
    allow_http: bool,
    http: Option<Arc<dyn HttpClient>>,
    #[cfg(feature = "signed")]
    provider: Option<Arc<dyn CredentialsProvider>>,
    #[cfg(feature = "signed")]
    signature_version: SignatureVersion,
    clock: Arc<dyn Clock>,
    correct_clock: bool,
    sleep: Option<Arc<dyn Sleep>>,
    connect_timeout: Duration,
    timeout: Duration,
    max_attempts: u32,
    user_agent: Cow<'static, str>,
    hints: Option<Hints>,
}

impl AcsClientBuilder {
    /// Sets whose credentials sign the calls: a provider, or credentials. Required for [`AcsClient::call`].
    #[cfg(feature = "signed")]
    pub fn credentials_provider(mut self, provider: impl CredentialsProvider) -> Self {
        self.provider = Some(Arc::new(provider));
        self
    }

    /// Sets the region whose host is called: `<product>.<region>.aliyuncs.com`. Central products, such as RAM, and
    /// products whose hosts have other names need an [`endpoint`](Self::endpoint), which takes precedence.
    pub fn region(mut self, region: impl Into<String>) -> Self {
        self.region = Some(region.into());
        self
    }

    /// Sets the host to call: with or without `https://`, optionally with a port, no path. Plain `http://` is for
    /// loopback, or with [`allow_http`](Self::allow_http). Default: by region.
    pub fn endpoint(mut self, endpoint: impl Into<String>) -> Self {
        self.endpoint = Some(endpoint.into());
        self
    }

    /// Sets whether the endpoint may be plain `http://` for a host other than loopback: anyone on the network path
    /// can then read security tokens and responses. Default: no.
    pub fn allow_http(mut self, allow: bool) -> Self {
        self.allow_http = allow;
        self
    }

    /// Sets the HTTP client. Default: with the feature `reqwest`, a `ReqwestClient::new()`, which works inside a tokio
    /// runtime; otherwise none, and one must be set.
    pub fn http_client(mut self, client: impl HttpClient) -> Self {
        self.http = Some(Arc::new(client));
        self
    }

    /// Sets the signature version. Default: [`SignatureVersion::Acs3`]. A client key always signs in the RPC style.
    #[cfg(feature = "signed")]
    pub fn signature_version(mut self, version: SignatureVersion) -> Self {
        self.signature_version = version;
        self
    }

    /// Sets the clock that requests are signed with. Default: [`SystemClock`].
    pub fn clock(mut self, clock: impl Clock) -> Self {
        self.clock = Arc::new(clock);
        self
    }

    /// Sets whether a service may correct the time that requests are signed with, within the bounds of
    /// [`ServiceClock`]. Default: yes.
    pub fn correct_clock(mut self, correct: bool) -> Self {
        self.correct_clock = correct;
        self
    }

    /// Sets the timer for retries. Default: with the feature `tokio`, its timer, in calls inside a runtime that has
    /// one; otherwise none, and nothing is retried after a backoff.
    pub fn sleep(mut self, sleep: impl Sleep) -> Self {
        self.sleep = Some(Arc::new(sleep));
        self
    }

    /// Sets how long making a connection may take. Default: 5 s.
    pub fn connect_timeout(mut self, timeout: Duration) -> Self {
        self.connect_timeout = timeout;
        self
    }

    /// Sets how long one attempt may take, including the connection. Default: 10 s.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// Sets the maximum number of attempts of a call, at least 1, which means no retry. Default: 3.
    pub fn max_attempts(mut self, attempts: u32) -> Self {
        self.max_attempts = attempts.max(1);
        self
    }

    /// Sets the header `User-Agent`. Default: `acs-client/<version>`.
    pub fn user_agent(mut self, user_agent: impl Into<Cow<'static, str>>) -> Self {
        self.user_agent = user_agent.into();
        self
    }

    /// Sets the name that every error begins with. Default: `"acs-client"`.
    pub fn name(mut self, name: &'static str) -> Self {
        self.name = name;
        self
    }

    /// Sets a function that chooses the hints of errors, for a client that knows its product. It is called only for
    /// refusals. Default: the client's own hints.
    pub fn hints(mut self, hints: Hints) -> Self {
        self.hints = Some(hints);
        self
    }

    /// Builds the client. Nothing is sent.
    ///
    /// # Errors
    ///
    /// [`CredentialsError::InvalidConfig`] if there is no HTTP client, if there is neither endpoint nor region, if one of
    /// them is malformed, or if the endpoint is plain `http://` for a host other than loopback.
    pub fn build(self) -> Result<AcsClient, CredentialsError> {
        let (name, product) = (self.name, &*self.product);
        let invalid = |what: String, hint: &'static str| {
            CredentialsError::invalid_config(ErrorDetail::builder(name, what).hint(hint))
        };
        let http = self.http.or_else(|| default_http_client!()).ok_or_else(|| {
            let hint = "pass one with http_client(..), or enable the feature `reqwest`";
            invalid("there is no HTTP client".to_owned(), hint)
        })?;
        let endpoint = match (&self.endpoint, &self.region) {
            (Some(endpoint), _) => endpoint::explicit(name, product, endpoint, self.allow_http),
            (None, Some(region)) => endpoint::regional(name, product, region),
            (None, None) => Err(invalid(
                format!("there is neither an endpoint nor a region of {product}"),
                "set region(..), or endpoint(..) for a product that is central",
            )),
        }?;
        Ok(AcsClient {
            inner: Arc::new(Inner {
                name,
                endpoint,
                http,
                product: self.product,
                version: self.version,
                #[cfg(feature = "signed")]
                provider: self.provider,
                #[cfg(feature = "signed")]
                signature_version: self.signature_version,
                clock: ServiceClock::new(self.clock).correct(self.correct_clock),
                sleep: self.sleep,
                connect_timeout: self.connect_timeout,
                timeout: self.timeout,
                max_attempts: self.max_attempts,
                user_agent: self.user_agent,
                hints: self.hints,
            }),
        })
    }
}

impl fmt::Debug for AcsClientBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The endpoint is not checked yet: it may hold a user and a password.
        f.debug_struct("AcsClientBuilder")
            .field("name", &self.name)
            .field("product", &self.product)
            .field("version", &self.version)
            .field("region", &self.region)
            .field("http", &self.http)
            .finish_non_exhaustive()
    }
}
