//! The client and its settings.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use oss_credentials_core::{Clock, CredentialsError, Env, Sleep, SystemClock};
use oss_credentials_http::{Endpoint, HttpClient, LearnedOffset};

use crate::endpoint::{self, ENV_STS_REGION, ENV_VPC_ENDPOINT_ENABLED, EndpointSettings};
use crate::session::invalid;
#[cfg(feature = "signed")]
use crate::signed::SignatureVersion;

/// Default of [`StsClientBuilder::connect_timeout`].
pub const DEFAULT_CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// Default of [`StsClientBuilder::timeout`].
pub const DEFAULT_TIMEOUT: Duration = Duration::from_secs(10);

/// Calls the Security Token Service. Cloning is cheap; clones share the HTTP client and what was learned about
/// the local clock.
///
/// Credentials are passed to each call and are not kept. A call repeats itself at once where that helps (a
/// nonce that was used already, a wrong local clock, which later calls then correct from the start), and after
/// a pause where it was given a [`Sleep`] (no connection, server errors, throttling): two repeats at most.
///
/// # Examples
///
/// ```
/// use std::sync::Arc;
/// use acs_sts::StsClient;
/// use oss_credentials_http::{HttpResponse, http_fn};
///
/// let http = Arc::new(http_fn(|_| async { Ok(HttpResponse::new(503, Vec::new())) }));
/// let client = StsClient::builder(http).region("cn-beijing").vpc(true).build()?;
/// assert_eq!(client.endpoint().host(), "sts-vpc.cn-beijing.aliyuncs.com");
/// # Ok::<(), oss_credentials_core::CredentialsError>(())
/// ```
#[derive(Clone)]
pub struct StsClient {
    pub(crate) provider: &'static str,
    pub(crate) http: Arc<dyn HttpClient>,
    pub(crate) endpoint: Endpoint,
    #[cfg(feature = "signed")]
    pub(crate) signature_version: SignatureVersion,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) learned: Arc<LearnedOffset>,
    pub(crate) sleep: Option<Arc<dyn Sleep>>,
    pub(crate) connect_timeout: Duration,
    pub(crate) timeout: Duration,
}

impl StsClient {
    /// Starts a client that sends through `http`.
    pub fn builder(http: Arc<dyn HttpClient>) -> StsClientBuilder {
        StsClientBuilder {
            http: Some(http),
            ..StsClientBuilder::default()
        }
    }

    /// Starts a client that sends through `http` to where the environment says: the endpoint that
    /// [`ENV_STS_ENDPOINT`](crate::ENV_STS_ENDPOINT) names, else the host of the region in [`ENV_STS_REGION`], inside the
    /// VPC if [`ENV_VPC_ENDPOINT_ENABLED`] is `true`, else the global host. No keys are read.
    pub fn from_env(http: Arc<dyn HttpClient>, env: &dyn Env) -> StsClientBuilder {
        Self::builder(http).env(env).endpoint_env(env)
    }

    /// Where requests go: scheme, host and port.
    pub fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }
}

impl fmt::Debug for StsClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_struct("StsClient");
        shown
            .field("provider", &self.provider)
            .field("endpoint", &self.endpoint);
        #[cfg(feature = "signed")]
        shown.field("signature_version", &self.signature_version);
        shown
            .field("http", &self.http)
            .field("clock", &self.clock)
            .field("sleep", &self.sleep)
            .field("connect_timeout", &self.connect_timeout)
            .field("timeout", &self.timeout)
            .finish_non_exhaustive()
    }
}

/// Makes an [`StsClient`]; see [`StsClient::builder`].
///
/// The default has no HTTP client yet: builders of providers keep one and pass on what they are told.
#[derive(Clone, Debug)]
#[must_use]
pub struct StsClientBuilder {
    provider: &'static str,
    http: Option<Arc<dyn HttpClient>>,
    endpoint: EndpointSettings,
    #[cfg(feature = "signed")]
    signature_version: SignatureVersion,
    clock: Arc<dyn Clock>,
    sleep: Option<Arc<dyn Sleep>>,
    connect_timeout: Duration,
    timeout: Duration,
}

impl Default for StsClientBuilder {
    fn default() -> Self {
        Self {
            provider: "acs-sts",
            http: None,
            endpoint: EndpointSettings::default(),
            #[cfg(feature = "signed")]
            signature_version: SignatureVersion::default(),
            clock: Arc::new(SystemClock),
            sleep: None,
            connect_timeout: DEFAULT_CONNECT_TIMEOUT,
            timeout: DEFAULT_TIMEOUT,
        }
    }
}

impl StsClientBuilder {
    /// What sends the requests. Required.
    pub fn http_client(mut self, client: impl HttpClient) -> Self {
        self.http = Some(Arc::new(client));
        self
    }

    /// What sends the requests if nothing was chosen for it.
    pub fn http_client_or(mut self, default: impl FnOnce() -> Option<Arc<dyn HttpClient>>) -> Self {
        self.http = self.http.or_else(default);
        self
    }

    /// Name that begins every error and is the source of the credentials. Default: `"acs-sts"`.
    pub fn provider_name(mut self, name: &'static str) -> Self {
        self.provider = name;
        self
    }

    /// Host to ask, before any region: with or without `https://`, a port if need be, no path. Plain
    /// `http://` is for loopback, or with [`StsClientBuilder::allow_http`]. Default: by region.
    pub fn endpoint(mut self, endpoint: impl Into<String>) -> Self {
        self.endpoint.endpoint = Some(endpoint.into());
        self
    }

    /// Reads the endpoint from [`ENV_STS_ENDPOINT`](crate::ENV_STS_ENDPOINT): what `from_env` constructors do, and
    /// nothing else does. [`endpoint`](Self::endpoint) takes precedence over it, and it over any region. The host has to
    /// be one under `aliyuncs.com`, over https, or loopback; [`allow_http`](Self::allow_http) makes no difference.
    pub fn endpoint_env(mut self, env: &dyn Env) -> Self {
        self.endpoint.read(env);
        self
    }

    /// Reads region and VPC switch from the environment for what is not set yet, unless an endpoint is set.
    pub fn env(self, env: &dyn Env) -> Self {
        self.region_or(|| env.non_empty(ENV_STS_REGION))
            .vpc_or(|| Some(env.is_true(ENV_VPC_ENDPOINT_ENABLED)))
    }

    /// Region whose host to ask, such as `cn-hangzhou`; one that has no STS host of its own stands for the
    /// global one. Default: the global host, `sts.aliyuncs.com`.
    pub fn region(mut self, region: impl Into<String>) -> Self {
        self.endpoint.region = Some(region.into());
        self
    }

    /// The region, unless it or an endpoint was set.
    pub fn region_or(mut self, default: impl FnOnce() -> Option<String>) -> Self {
        if self.endpoint.endpoint.is_none() {
            self.endpoint.region = self.endpoint.region.or_else(default);
        }
        self
    }

    /// Whether to ask the region's host inside a VPC (`sts-vpc.…`). Without a region there is none: the
    /// public host is used, and a warning logged. Default: no.
    pub fn vpc(mut self, vpc: bool) -> Self {
        self.endpoint.vpc = Some(vpc);
        self
    }

    /// What to do about the VPC, unless it or an endpoint was set.
    pub fn vpc_or(mut self, default: impl FnOnce() -> Option<bool>) -> Self {
        if self.endpoint.endpoint.is_none() {
            self.endpoint.vpc = self.endpoint.vpc.or_else(default);
        }
        self
    }

    /// Whether [`StsClientBuilder::endpoint`] may be plain `http://` for a host other than loopback. Keys
    /// that the service hands out are then readable on the network. Default: no.
    pub fn allow_http(mut self, allow: bool) -> Self {
        self.endpoint.allow_http = allow;
        self
    }

    /// How requests are signed. Default: [`SignatureVersion::Rpc`].
    #[cfg(feature = "signed")]
    pub fn signature_version(mut self, version: SignatureVersion) -> Self {
        self.signature_version = version;
        self
    }

    /// The clock that timestamps and expiry are judged by. Default: [`SystemClock`].
    pub fn clock(mut self, clock: impl Clock) -> Self {
        self.clock = Arc::new(clock);
        self
    }

    /// What retries wait on. Default: none, so that nothing is retried after a pause; with feature `tokio`,
    /// tokio's timer in calls made inside a runtime that has one.
    pub fn sleep(mut self, sleep: impl Sleep) -> Self {
        self.sleep = Some(Arc::new(sleep));
        self
    }

    /// How long making a connection may take. Default: 5 s.
    pub fn connect_timeout(mut self, timeout: Duration) -> Self {
        self.connect_timeout = timeout;
        self
    }

    /// How long one exchange may take, connecting included. Default: 10 s.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// Makes the client. Nothing is sent.
    ///
    /// # Errors
    ///
    /// [`CredentialsError::InvalidConfig`] if there is no HTTP client, if endpoint or region is malformed, if the
    /// endpoint is plain `http://` for a host other than loopback, or if that of a variable is another host than
    /// [`endpoint_env`](Self::endpoint_env) takes.
    pub fn build(self) -> Result<StsClient, CredentialsError> {
        let http = self.http.ok_or_else(|| {
            let hint = "pass one with http_client(..), or turn on the feature `reqwest`";
            invalid(self.provider, "there is no HTTP client", hint)
        })?;
        Ok(StsClient {
            endpoint: endpoint::resolve(self.provider, &self.endpoint)?,
            provider: self.provider,
            http,
            #[cfg(feature = "signed")]
            signature_version: self.signature_version,
            clock: self.clock,
            learned: Arc::default(),
            sleep: self.sleep,
            connect_timeout: self.connect_timeout,
            timeout: self.timeout,
        })
    }
}
