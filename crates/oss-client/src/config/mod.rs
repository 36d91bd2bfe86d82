//! Settings of a client.

mod address;
mod http;

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use ::http::HeaderValue;
use oss_credentials_core::{Clock, CredentialsProvider, Sleep, SystemClock, TokioSleep};
use oss_credentials_http::RequestIds;

use crate::USER_AGENT_VALUE;
use crate::client::{Client, Inner};
use crate::clock::ServiceClock;
use crate::config::address::Address;
use crate::config::http::Http;
pub use crate::config::http::{
    DEFAULT_CONNECT_TIMEOUT, DEFAULT_IDLE_TIMEOUT, DEFAULT_MAX_IDLE_CONNECTIONS, DEFAULT_READ_TIMEOUT,
};
use crate::error::{Error, InvalidInput};
use crate::idle::IdleTimeout;
use crate::retry::{RetryPolicy, StandardRetry};
use crate::signing::{self, SignatureVersion};
use crate::transport::Transport;

/// Builds a [`Client`]; see [`Client::builder`].
///
/// [`ClientBuilder::build`] refuses settings that contradict each other, with an error that names both.
///
/// # Examples
///
/// ```no_run
/// use std::time::Duration;
/// use oss_client::{Client, StandardRetry};
/// use oss_credentials_static::StaticProvider;
///
/// # fn run() -> Result<(), Box<dyn std::error::Error>> {
/// let client = Client::builder()
///     .region("cn-hangzhou")
///     .internal(true)
///     .credentials(StaticProvider::access_key("LTAI5tExampleKeyId01", "example-secret")?)
///     .retry(StandardRetry::new().max_attempts(5))
///     .read_timeout(Duration::from_secs(60))
///     .build()?;
/// # Ok(())
/// # }
/// ```
#[must_use]
pub struct ClientBuilder {
    address: Address,
    http: Http,
    provider: Option<Arc<dyn CredentialsProvider>>,
    clock: Arc<dyn Clock>,
    correct_clock: bool,
    sleep: Arc<dyn Sleep>,
    operation_timeout: Option<Duration>,
    retry: Arc<dyn RetryPolicy>,
    redirects: u32,
    user_agent: Option<String>,
    signature_version: SignatureVersion,
    additional_headers: Vec<String>,
    check_crc: bool,
}

impl Client {
    /// Creates a builder. A region and a credentials provider are required.
    pub fn builder() -> ClientBuilder {
        ClientBuilder::new()
    }
}

impl ClientBuilder {
    pub(crate) fn new() -> Self {
        Self {
            address: Address::default(),
            http: Http::default(),
            provider: None,
            clock: Arc::new(SystemClock),
            correct_clock: true,
            sleep: Arc::new(TokioSleep),
            operation_timeout: None,
            retry: Arc::new(StandardRetry::new()),
            redirects: 0,
            user_agent: None,
            signature_version: SignatureVersion::default(),
            additional_headers: Vec::new(),
            check_crc: true,
        }
    }

    /// The provider, asked for credentials on every attempt. Required; with anonymous credentials, requests are not
    /// signed.
    pub fn credentials(mut self, provider: impl CredentialsProvider) -> Self {
        self.provider = Some(Arc::new(provider));
        self
    }

    /// The clock for signing times. If the clock has no [monotonic](Clock::monotonic) time, the client notices only
    /// from the service's responses that the clock was set. Default: the system's clock.
    pub fn clock(mut self, clock: impl Clock) -> Self {
        self.clock = Arc::new(clock);
        self
    }

    /// Whether the client corrects its clock after the service has rejected the time of a request
    /// (`RequestTimeTooSkewed`). With `false` only the local clock is used, and the retry policy handles such an error.
    /// Default: yes.
    pub fn correct_clock(mut self, correct: bool) -> Self {
        self.correct_clock = correct;
        self
    }

    /// The timer for timeouts and for pauses between attempts. Default: tokio's timer.
    pub fn sleep(mut self, sleep: impl Sleep) -> Self {
        self.sleep = Arc::new(sleep);
        self
    }

    /// How long an operation may take as a whole, with all attempts and the pauses between them; more than zero.
    /// Reading the body of the response is not included. Default: no limit.
    pub fn operation_timeout(mut self, limit: Duration) -> Self {
        self.operation_timeout = Some(limit);
        self
    }

    /// The policy that decides which failures are retried, how often and when: [`StandardRetry`],
    /// [`FixedDelay`](crate::FixedDelay), [`NoRetry`](crate::NoRetry), [`retry_fn`](crate::retry_fn) or a
    /// [`RetryPolicy`] of your own. Default: `StandardRetry::new()`, three attempts.
    ///
    /// Independently of the policy, a body that can be sent only once is never retried, and after a rejected key or a
    /// rejected time the request is sent once more immediately.
    pub fn retry(mut self, policy: impl RetryPolicy) -> Self {
        self.retry = Arc::new(policy);
        self
    }

    /// How many redirects in a row are followed, for GET and HEAD only. Default: 0, a redirect is an error.
    ///
    /// No signature, token or `x-oss-*` header is sent to another server: the request to it is anonymous and has no
    /// headers except `Range`, `If-*`, `Accept*` and `User-Agent`. A server is another one if its host or port differ,
    /// except for a redirect from `http` to `https` on the standard ports. A redirect from `https` to `http` stays an
    /// error.
    pub fn redirects(mut self, limit: u32) -> Self {
        self.redirects = limit;
        self
    }

    /// Your product's name, appended to the client's own in `User-Agent` behind a slash. Default: none.
    pub fn user_agent_suffix(mut self, suffix: impl Into<String>) -> Self {
        self.user_agent = Some(suffix.into());
        self
    }

    /// The version of signatures for requests and URLs. V1 with an endpoint needs no region, and does not support
    /// additional headers. Default: [`SignatureVersion::V4`].
    pub fn signature_version(mut self, version: SignatureVersion) -> Self {
        self.signature_version = version;
        self
    }

    /// Headers to sign in addition to `x-oss-*`, `Content-Type` and `Content-MD5`, such as `host` or `range`. A header
    /// that a request does not have is skipped for that request. Replaces an earlier list. Default: none.
    pub fn additional_headers(mut self, names: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.additional_headers = names.into_iter().map(Into::into).collect();
        self
    }

    /// Whether to compare the CRC-64 of uploads, and of downloads of whole objects, with the one that the service
    /// reports. If the service reports none, nothing is compared; a value that is not a number is an error. Default:
    /// yes.
    pub fn check_crc(mut self, check: bool) -> Self {
        self.check_crc = check;
        self
    }

    /// Builds the client. Nothing is fetched, and no connection is established.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidConfig`] if region or credentials are missing, if the endpoint cannot be used, also because
    /// it is `https` and no TLS feature is enabled, if settings contradict each other, if a timeout is zero, or if
    /// reqwest refuses its builder; [`Error::Sign`] if the region or an additional header is malformed.
    pub fn build(self) -> Result<Client, Error> {
        let needs_region = self.signature_version != SignatureVersion::V1;
        let resolved = self.address.resolve(needs_region)?;
        let signer = signing::signer(
            self.signature_version,
            &resolved.region,
            resolved.product,
            &self.additional_headers,
        )?;
        let provider = self.provider.ok_or_else(|| {
            Error::InvalidConfig(InvalidInput::new(
                "no credentials provider is set",
                "call `credentials(..)`, with anonymous credentials for public buckets",
            ))
        })?;
        let user_agent = user_agent(self.user_agent.as_deref()).map_err(Error::InvalidConfig)?;
        if self.operation_timeout.is_some_and(|limit| limit.is_zero()) {
            return Err(Error::InvalidConfig(http::zero()));
        }
        let read_timeout = self.http.read_timeout;
        let may_decompress = self.http.is_unchecked();
        let accepts_any_certificate = self.http.accepts_any_certificate();
        let (clients, proxies) = self
            .http
            .build(&resolved.endpoint)
            .map_err(Error::InvalidConfig)?;
        let is_protected = resolved.endpoint.is_https() || resolved.endpoint.is_loopback();
        let may_teach_time = resolved.endpoint.is_loopback() || (is_protected && !accepts_any_certificate);
        Ok(Client {
            inner: Arc::new(Inner {
                is_exposed: AtomicBool::new(!is_protected),
                endpoint: resolved.endpoint,
                signer,
                provider,
                clock: ServiceClock::new(Arc::clone(&self.clock), self.correct_clock, may_teach_time),
                transport: Transport {
                    clients,
                    proxies,
                    idle: IdleTimeout {
                        limit: read_timeout,
                        sleep: self.sleep,
                        clock: self.clock,
                    },
                },
                request_ids: RequestIds::default(),
                user_agent,
                operation_timeout: self.operation_timeout,
                retry: self.retry,
                redirects: self.redirects,
                check_crc: self.check_crc,
                may_decompress,
            }),
        })
    }
}

/// What the client calls itself.
fn user_agent(suffix: Option<&str>) -> Result<HeaderValue, InvalidInput> {
    let Some(suffix) = suffix.filter(|suffix| !suffix.is_empty()) else {
        return Ok(HeaderValue::from_static(USER_AGENT_VALUE));
    };
    HeaderValue::try_from(format!("{USER_AGENT_VALUE}/{suffix}")).map_err(|_| {
        InvalidInput::new(
            "the suffix of the user agent contains a control character",
            "use visible characters in `user_agent_suffix`",
        )
    })
}

impl fmt::Debug for ClientBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The endpoint may contain a password, and the `Debug` output of reqwest shows headers and proxies.
        f.debug_struct("ClientBuilder")
            .field("address", &self.address)
            .field("http", &self.http)
            .field("provider", &self.provider)
            .field("operation_timeout", &self.operation_timeout)
            .field("retry", &self.retry)
            .field("redirects", &self.redirects)
            .field("signature_version", &self.signature_version)
            .field("additional_headers", &self.additional_headers)
            .finish_non_exhaustive()
    }
}
