//! The client and its settings.

use std::sync::Arc;
use std::time::Duration;

#[cfg(feature = "signed")]
use acs_client::SignatureVersion;
use acs_client::{AcsClient, AcsClientBuilder};
use oss_credentials_core::{Clock, CredentialsError, Env, Sleep};
use oss_credentials_http::{Endpoint, HttpClient};

use crate::config::{ENV_STS_REGION, ENV_VPC_ENDPOINT_ENABLED};
use crate::endpoint::{self, EndpointSettings};
use crate::error::invalid;
use crate::hints;

/// Version of the STS API.
const API_VERSION: &str = "2015-04-01";
const USER_AGENT: &str = concat!("acs-sts/", env!("CARGO_PKG_VERSION"));

/// A client of the Security Token Service. Cloning is cheap; clones share the HTTP client and what was learned about
/// the local clock.
///
/// Credentials are passed to each call and are not kept. A call is repeated at once where that helps (a
/// nonce that was already used, or a wrong local clock, which later calls then correct from the start), and after
/// a backoff if there is a [`Sleep`] (no connection, server errors, throttling): at most twice.
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
#[derive(Clone, Debug)]
pub struct StsClient {
    pub(crate) provider: &'static str,
    pub(crate) client: AcsClient,
}

impl StsClient {
    /// Starts a client that sends through `http`.
    pub fn builder(http: Arc<dyn HttpClient>) -> StsClientBuilder {
        StsClientBuilder {
            http: Some(http),
            ..StsClientBuilder::default()
        }
    }

    /// Starts a client that sends through `http`, with the host from the environment: the endpoint in
    /// [`ENV_STS_ENDPOINT`](crate::ENV_STS_ENDPOINT), otherwise the host of the region in [`ENV_STS_REGION`], inside the
    /// VPC if [`ENV_VPC_ENDPOINT_ENABLED`] is `true`, otherwise the global host. No keys are read.
    pub fn from_env(http: Arc<dyn HttpClient>, env: &dyn Env) -> StsClientBuilder {
        Self::builder(http).env(env).endpoint_env(env)
    }

    /// Returns where requests go: scheme, host and port.
    pub fn endpoint(&self) -> &Endpoint {
        self.client.endpoint()
    }
}

/// Builds an [`StsClient`]; see [`StsClient::builder`].
///
/// The default has no HTTP client yet: builders of providers keep one and forward their settings.
///
/// # Examples
///
/// ```
/// use std::sync::Arc;
/// use std::time::Duration;
/// use acs_sts::StsClient;
/// # use oss_credentials_http::{HttpResponse, http_fn};
///
/// # let http = Arc::new(http_fn(|_| async { Ok(HttpResponse::new(503, Vec::new())) }));
/// let client = StsClient::builder(http).region("cn-hangzhou").timeout(Duration::from_secs(3)).build()?;
/// assert_eq!(client.endpoint().host(), "sts.cn-hangzhou.aliyuncs.com");
/// # Ok::<(), oss_credentials_core::CredentialsError>(())
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct StsClientBuilder {
    provider: &'static str,
    http: Option<Arc<dyn HttpClient>>,
    endpoint: EndpointSettings,
    client: AcsClientBuilder,
}

impl Default for StsClientBuilder {
    fn default() -> Self {
        let client = AcsClient::builder("sts", API_VERSION)
            .user_agent(USER_AGENT)
            .hints(hints::hint);
        #[cfg(feature = "signed")]
        let client = client.signature_version(SignatureVersion::Rpc);
        Self {
            provider: "acs-sts",
            http: None,
            endpoint: EndpointSettings::default(),
            client,
        }
    }
}

impl StsClientBuilder {
    /// Sets the HTTP client. Required.
    pub fn http_client(mut self, client: impl HttpClient) -> Self {
        self.http = Some(Arc::new(client));
        self
    }

    /// Sets the HTTP client if none was set.
    pub fn http_client_or(mut self, default: impl FnOnce() -> Option<Arc<dyn HttpClient>>) -> Self {
        self.http = self.http.or_else(default);
        self
    }

    /// Sets the name that every error begins with and that is the source of the credentials. Default: `"acs-sts"`.
    pub fn provider_name(mut self, name: &'static str) -> Self {
        self.provider = name;
        self
    }

    /// Sets the host to call, which takes precedence over any region: with or without `https://`, optionally with a
    /// port, no path. Plain `http://` is for loopback, or with [`StsClientBuilder::allow_http`]. Default: by region.
    pub fn endpoint(mut self, endpoint: impl Into<String>) -> Self {
        self.endpoint.endpoint = Some(endpoint.into());
        self
    }

    /// Reads the endpoint from [`ENV_STS_ENDPOINT`](crate::ENV_STS_ENDPOINT), as only `from_env` constructors
    /// do. [`endpoint`](Self::endpoint) takes precedence over it, and it takes precedence over any region. It must be
    /// https to a host under `aliyuncs.com`, or loopback; [`allow_http`](Self::allow_http) makes no difference.
    pub fn endpoint_env(mut self, env: &dyn Env) -> Self {
        self.endpoint.read(env);
        self
    }

    /// Reads region and VPC from the environment for what is not set yet, unless an endpoint is set.
    pub fn env(self, env: &dyn Env) -> Self {
        self.region_or(|| env.non_empty(ENV_STS_REGION))
            .vpc_or(|| Some(env.is_true(ENV_VPC_ENDPOINT_ENABLED)))
    }

    /// Sets the region whose host to call, such as `cn-hangzhou`; a region without its own STS host uses the
    /// global one. Default: the global host, `sts.aliyuncs.com`.
    pub fn region(mut self, region: impl Into<String>) -> Self {
        self.endpoint.region = Some(region.into());
        self
    }

    /// Sets the region, unless it or an endpoint was set.
    pub fn region_or(mut self, default: impl FnOnce() -> Option<String>) -> Self {
        if self.endpoint.endpoint.is_none() {
            self.endpoint.region = self.endpoint.region.or_else(default);
        }
        self
    }

    /// Sets whether to call the region's host inside a VPC (`sts-vpc.…`). Without a region there is none: the
    /// public host is used, and a warning is logged. Default: no.
    pub fn vpc(mut self, vpc: bool) -> Self {
        self.endpoint.vpc = Some(vpc);
        self
    }

    /// Sets whether to use the VPC host, unless that or an endpoint was set.
    pub fn vpc_or(mut self, default: impl FnOnce() -> Option<bool>) -> Self {
        if self.endpoint.endpoint.is_none() {
            self.endpoint.vpc = self.endpoint.vpc.or_else(default);
        }
        self
    }

    /// Sets whether [`StsClientBuilder::endpoint`] may be plain `http://` for a host other than loopback. Keys
    /// that the service returns are then readable on the network. Default: no.
    pub fn allow_http(mut self, allow: bool) -> Self {
        self.endpoint.allow_http = allow;
        self
    }

    /// Sets the signature version. Default: [`SignatureVersion::Rpc`].
    #[cfg(feature = "signed")]
    pub fn signature_version(mut self, version: SignatureVersion) -> Self {
        self.client = self.client.signature_version(version);
        self
    }

    /// Sets the clock for timestamps and expiry. Default: [`SystemClock`](oss_credentials_core::SystemClock).
    pub fn clock(mut self, clock: impl Clock) -> Self {
        self.client = self.client.clock(clock);
        self
    }

    /// Sets whether the service may correct the time that calls are signed with, within the bounds of
    /// [`ServiceClock`](oss_credentials_http::ServiceClock). Default: yes.
    pub fn correct_clock(mut self, correct: bool) -> Self {
        self.client = self.client.correct_clock(correct);
        self
    }

    /// Sets the timer for retries. Default: none, and nothing is retried after a backoff; with the feature `tokio`,
    /// tokio's timer in calls inside a runtime that has one.
    pub fn sleep(mut self, sleep: impl Sleep) -> Self {
        self.client = self.client.sleep(sleep);
        self
    }

    /// Sets how long making a connection may take. Default: 5 s.
    pub fn connect_timeout(mut self, timeout: Duration) -> Self {
        self.client = self.client.connect_timeout(timeout);
        self
    }

    /// Sets how long one exchange may take, including the connection. Default: 10 s.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.client = self.client.timeout(timeout);
        self
    }

    /// Builds the client. Nothing is sent.
    ///
    /// # Errors
    ///
    /// [`CredentialsError::InvalidConfig`] if there is no HTTP client, if endpoint or region is malformed, if the
    /// endpoint is plain `http://` for a host other than loopback, or if a variable names a host that
    /// [`endpoint_env`](Self::endpoint_env) does not accept.
    pub fn build(self) -> Result<StsClient, CredentialsError> {
        let http = self.http.ok_or_else(|| {
            let hint = "pass one with http_client(..), or enable the feature `reqwest`";
            invalid(self.provider, "there is no HTTP client", hint)
        })?;
        let host = endpoint::resolve(self.provider, &self.endpoint)?;
        let client = self
            .client
            .name(self.provider)
            .endpoint(host.endpoint)
            .allow_http(host.allow_http)
            .http_client(http);
        Ok(StsClient {
            provider: self.provider,
            client: client.build()?,
        })
    }
}
