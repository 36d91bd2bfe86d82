//! The client and its settings.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

#[cfg(feature = "signed")]
use oss_credentials_core::CredentialsProvider;
use oss_credentials_core::{Clock, CredentialsError, ErrorDetail, Sleep, SystemClock};
use oss_credentials_http::{Endpoint, HttpClient, HttpMethod, ServiceClock};

use crate::endpoint;

/// Default of [`AcsClientBuilder::connect_timeout`]: 5 s.
pub const DEFAULT_CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// Default of [`AcsClientBuilder::timeout`]: 10 s.
pub const DEFAULT_TIMEOUT: Duration = Duration::from_secs(10);
/// Default of [`AcsClientBuilder::max_attempts`].
pub const DEFAULT_MAX_ATTEMPTS: u32 = 3;
const DEFAULT_NAME: &str = "acs-client";
const USER_AGENT: &str = concat!("acs-client/", env!("CARGO_PKG_VERSION"));

/// How requests are signed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum SignatureVersion {
    /// RPC, HMAC-SHA1, for RPC services alone: what the vendor's credentials SDKs send, and what proxies and emulators
    /// know best.
    Rpc,
    /// ACS3-HMAC-SHA256 ("V3"), for all services: what the vendor's generated SDKs send.
    #[default]
    Acs3,
}

/// What a service refused, for whoever knows better what to do about it: see [`AcsClientBuilder::hints`].
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Refusal<'a> {
    /// Name of the operation.
    pub action: &'a str,
    /// The error code as it came: text from outside, which may repeat a secret. Do not copy it into a hint.
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
    /// Its name, and what it is called.
    pub(crate) setting: Option<(&'static str, &'static str)>,
}

impl Hint {
    /// A hint with this text: imperative, lower case, no full stop.
    pub fn new(text: impl Into<Cow<'static, str>>) -> Self {
        Self {
            text: text.into(),
            setting: None,
        }
    }

    /// The setting whose value is refused, and what the text calls it in place of `{setting}`: see
    /// [`ErrorDetail::setting`].
    #[must_use]
    pub fn setting(mut self, name: &'static str, label: &'static str) -> Self {
        self.setting = Some((name, label));
        self
    }
}

/// Chooses the hint of an error; `None` leaves it to the client.
pub type Hints = fn(&Refusal<'_>) -> Option<Hint>;

/// Calls the operations of one product. Cloning is cheap; clones share the HTTP client and what was learned about the
/// local clock.
///
/// A call is repeated where that helps, [`max_attempts`](AcsClientBuilder::max_attempts) times in all: at once if the
/// nonce was used already, if the local clock was wrong (later calls begin with the corrected time), or if the provider
/// has another key in place of a rejected one; after a pause, where there is a [`Sleep`], if there is no connection, and
/// for throttling and server errors.
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

    /// Where requests go: scheme, host and port.
    pub fn endpoint(&self) -> &Endpoint {
        &self.inner.endpoint
    }

    /// Name that begins every error.
    pub fn name(&self) -> &'static str {
        self.inner.name
    }

    /// The service's clock, as far as it is known.
    pub fn clock(&self) -> &ServiceClock {
        &self.inner.clock
    }

    /// Where a request goes, for errors.
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

/// Makes an [`AcsClient`]; see [`AcsClient::builder`].
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
    /// Whose credentials sign the calls: a provider, or credentials. Required for [`AcsClient::call`].
    #[cfg(feature = "signed")]
    pub fn credentials_provider(mut self, provider: impl CredentialsProvider) -> Self {
        self.provider = Some(Arc::new(provider));
        self
    }

    /// The region whose host is called: `<product>.<region>.aliyuncs.com`. Products that are central, such as RAM, and
    /// those whose hosts have other names need an [`endpoint`](Self::endpoint), which takes precedence.
    pub fn region(mut self, region: impl Into<String>) -> Self {
        self.region = Some(region.into());
        self
    }

    /// The host to call: with or without `https://`, a port if need be, no path. Plain `http://` is for loopback, or with
    /// [`allow_http`](Self::allow_http). Default: by region.
    pub fn endpoint(mut self, endpoint: impl Into<String>) -> Self {
        self.endpoint = Some(endpoint.into());
        self
    }

    /// Whether the endpoint may be plain `http://` for a host other than loopback: anyone on the network path can then
    /// read security tokens and responses. Default: no.
    pub fn allow_http(mut self, allow: bool) -> Self {
        self.allow_http = allow;
        self
    }

    /// What sends the requests. Default: with the feature `reqwest` a `ReqwestClient::new()`, which works inside a tokio
    /// runtime; otherwise none, and one must be set.
    pub fn http_client(mut self, client: impl HttpClient) -> Self {
        self.http = Some(Arc::new(client));
        self
    }

    /// How requests are signed. Default: [`SignatureVersion::Acs3`]. A client key always signs in the RPC style.
    #[cfg(feature = "signed")]
    pub fn signature_version(mut self, version: SignatureVersion) -> Self {
        self.signature_version = version;
        self
    }

    /// The clock that requests are signed by. Default: [`SystemClock`].
    pub fn clock(mut self, clock: impl Clock) -> Self {
        self.clock = Arc::new(clock);
        self
    }

    /// Whether a service may correct the time that requests are signed by, within the bounds of [`ServiceClock`].
    /// Default: yes.
    pub fn correct_clock(mut self, correct: bool) -> Self {
        self.correct_clock = correct;
        self
    }

    /// What retries wait on. Default: with the feature `tokio` its timer, in calls made inside a runtime that has one;
    /// otherwise none, so that nothing is retried after a pause.
    pub fn sleep(mut self, sleep: impl Sleep) -> Self {
        self.sleep = Some(Arc::new(sleep));
        self
    }

    /// How long making a connection may take. Default: 5 s.
    pub fn connect_timeout(mut self, timeout: Duration) -> Self {
        self.connect_timeout = timeout;
        self
    }

    /// How long one attempt may take, connecting included. Default: 10 s.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// How many attempts a call has at most, at least 1, which repeats nothing. Default: 3.
    pub fn max_attempts(mut self, attempts: u32) -> Self {
        self.max_attempts = attempts.max(1);
        self
    }

    /// The header `User-Agent`. Default: `acs-client/<version>`.
    pub fn user_agent(mut self, user_agent: impl Into<Cow<'static, str>>) -> Self {
        self.user_agent = user_agent.into();
        self
    }

    /// Name that begins every error. Default: `"acs-client"`.
    pub fn name(mut self, name: &'static str) -> Self {
        self.name = name;
        self
    }

    /// Chooses the hints of errors, for a client that knows its product. It is called for refusals only. Default: the
    /// client's own hints.
    pub fn hints(mut self, hints: Hints) -> Self {
        self.hints = Some(hints);
        self
    }

    /// Makes the client. Nothing is sent.
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
        let http = self.http.or_else(default_http_client).ok_or_else(|| {
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

#[cfg(feature = "reqwest")]
#[expect(clippy::unnecessary_wraps, reason = "without the feature there is none")]
fn default_http_client() -> Option<Arc<dyn HttpClient>> {
    Some(Arc::new(oss_credentials_reqwest::ReqwestClient::new()))
}

/// Without the feature `build()` says that it needs one.
#[cfg(not(feature = "reqwest"))]
fn default_http_client() -> Option<Arc<dyn HttpClient>> {
    None
}
