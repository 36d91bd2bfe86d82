//! Settings of a client.

mod address;
mod env;
mod http;
mod requests;

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

#[cfg(feature = "default-chain")]
use oss_credentials::{DefaultProvider, Env, ProcessEnv};
use oss_credentials_core::{Clock, CredentialsProvider, Sleep, SystemClock, TokioSleep};
use oss_credentials_http::{RequestIds, ServiceClock};

use crate::client::{Client, Inner};
use crate::config::address::Address;
#[cfg(feature = "default-chain")]
pub use crate::config::env::region_from_env;
pub use crate::config::env::{ENV_OSS_ENDPOINT, ENV_OSS_REGION};
use crate::config::http::Http;
pub use crate::config::http::{
    DEFAULT_CONNECT_TIMEOUT, DEFAULT_IDLE_TIMEOUT, DEFAULT_MAX_IDLE_CONNECTIONS, DEFAULT_READ_TIMEOUT,
};
use crate::config::requests::Requests;
use crate::error::{Error, InvalidInput};
use crate::idle::IdleTimeout;
use crate::observe::{AttemptEvent, Observer};
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
    #[cfg(feature = "default-chain")]
    env: Option<Arc<dyn Env>>,
    address: Address,
    http: Http,
    provider: Option<Arc<dyn CredentialsProvider>>,
    clock: Arc<dyn Clock>,
    correct_clock: bool,
    sleep: Arc<dyn Sleep>,
    operation_timeout: Option<Duration>,
    retry: Arc<dyn RetryPolicy>,
    redirects: u32,
    requests: Requests,
    observer: Observer,
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
            #[cfg(feature = "default-chain")]
            env: None,
            address: Address::default(),
            http: Http::default(),
            provider: None,
            clock: Arc::new(SystemClock),
            correct_clock: true,
            sleep: Arc::new(TokioSleep),
            operation_timeout: None,
            retry: Arc::new(StandardRetry::new()),
            redirects: 0,
            requests: Requests::default(),
            observer: Observer::default(),
            signature_version: SignatureVersion::default(),
            additional_headers: Vec::new(),
            check_crc: true,
        }
    }

    /// Sets the provider, which is called for credentials on every attempt. Required; with anonymous credentials,
    /// requests are not signed.
    pub fn credentials(mut self, provider: impl CredentialsProvider) -> Self {
        self.provider = Some(Arc::new(provider));
        self
    }

    /// Sets the clock for signing times. If the clock has no [monotonic](Clock::monotonic) time, the client notices
    /// only from the service's responses that the clock was set. Default: the system's clock.
    pub fn clock(mut self, clock: impl Clock) -> Self {
        self.clock = Arc::new(clock);
        self
    }

    /// Sets whether the client corrects its clock after the service has rejected the time of a request
    /// (`RequestTimeTooSkewed`). With `false` only the local clock is used, and the retry policy handles such an error.
    /// Default: yes.
    pub fn correct_clock(mut self, correct: bool) -> Self {
        self.correct_clock = correct;
        self
    }

    /// Sets the timer for timeouts and backoff. Default: tokio's timer.
    pub fn sleep(mut self, sleep: impl Sleep) -> Self {
        self.sleep = Arc::new(sleep);
        self
    }

    /// Sets how long an operation may take as a whole, with all attempts and their backoff; more than zero. Reading the
    /// body of the response is not included. Default: no limit.
    pub fn operation_timeout(mut self, limit: Duration) -> Self {
        self.operation_timeout = Some(limit);
        self
    }

    /// Sets the policy that decides which failures are retried, how often and when: [`StandardRetry`],
    /// [`FixedDelay`](crate::FixedDelay), [`NoRetry`](crate::NoRetry), [`retry_fn`](crate::retry_fn) or a custom
    /// [`RetryPolicy`]. Default: `StandardRetry::new()`, three attempts.
    ///
    /// Independently of the policy, a body that can be sent only once is never retried, and after a rejected key or a
    /// rejected time the request is sent once more immediately.
    pub fn retry(mut self, policy: impl RetryPolicy) -> Self {
        self.retry = Arc::new(policy);
        self
    }

    /// Sets how many redirects in a row are followed, for GET and HEAD only. Default: 0, a redirect is an error.
    ///
    /// No signature, token or `x-oss-*` header is sent to another server: the request to it is anonymous and has no
    /// headers except `Range`, `If-*`, `Accept*` and `User-Agent`. A server is another one if its host or port differ,
    /// except for a redirect from `http` to `https` on the standard ports. A redirect from `https` to `http` stays an
    /// error.
    pub fn redirects(mut self, limit: u32) -> Self {
        self.redirects = limit;
        self
    }

    /// Adds a header to every request, such as `x-oss-request-payer` or one that a gateway requires. Replaces an earlier
    /// one of the same name. A header that the operation sets takes precedence. The value is bytes or text.
    ///
    /// Headers that the service knows only for some operations go only to these, by the name of the operation:
    ///
    /// | header | operations |
    /// |---|---|
    /// | `Cache-Control`, `Content-Disposition`, `Content-Encoding`, `Content-Type`, `Expires`, `x-oss-server-side-encryption` and `-key-id`, `x-oss-server-side-data-encryption`, `x-oss-tagging` | `PutObject`, `AppendObject`, `CopyObject`, `InitiateMultipartUpload` |
    /// | `x-oss-object-acl`, `x-oss-storage-class`, `x-oss-meta-*` | the same and `PutSymlink` |
    /// | `x-oss-forbid-overwrite` | `PutObject`, `CopyObject`, `PutSymlink`, `InitiateMultipartUpload`, `CompleteMultipartUpload` |
    /// | `x-oss-traffic-limit` | `GetObject`, `PutObject`, `AppendObject`, `UploadPart`, `CopyObject`, `UploadPartCopy` |
    /// | `x-oss-metadata-directive`, `x-oss-tagging-directive` | `CopyObject` |
    ///
    /// The header is signed like a header of the operation. Presigned URLs and forms do not have it, nor do requests to
    /// another server after a redirect. [`ClientBuilder::build`] fails for headers that
    /// [`Operation::header`](crate::Operation::header) refuses, and for `Range`, `Accept-Encoding`, `Content-MD5`,
    /// conditions (`If-Match` and its like) and callbacks. Default: none.
    ///
    /// # Examples
    ///
    /// ```
    /// # use oss_client::Client;
    /// # use oss_credentials_core::Credentials;
    /// let client = Client::builder()
    ///     .region("cn-hangzhou")
    ///     .credentials(Credentials::anonymous())
    ///     .default_header("x-oss-request-payer", "requester")
    ///     .build()?;
    /// # Ok::<(), oss_client::Error>(())
    /// ```
    pub fn default_header(mut self, name: impl Into<String>, value: impl Into<Vec<u8>>) -> Self {
        self.requests.headers.push((name.into(), value.into()));
        self
    }

    /// Sets the complete `User-Agent`. Default: `oss-client-rs/` and the version of this crate, followed by the
    /// [suffix](Self::user_agent_suffix) if there is one.
    pub fn user_agent(mut self, value: impl Into<String>) -> Self {
        self.requests.user_agent = Some(value.into());
        self
    }

    /// Appends your product's name to the client's own in `User-Agent`, after a slash. Default: none.
    pub fn user_agent_suffix(mut self, suffix: impl Into<String>) -> Self {
        self.requests.user_agent_suffix = Some(suffix.into());
        self
    }

    /// Sets a function that is called when an attempt is over, for example to feed a metrics library. It runs on the
    /// thread that ends the attempt, so it should return quickly. A panic in it is caught and ignored. Replaces an earlier
    /// one. Default: none.
    ///
    /// # Examples
    ///
    /// ```
    /// use oss_client::{AttemptOutcome, Client};
    /// # use oss_credentials_core::Credentials;
    ///
    /// let client = Client::builder()
    ///     .region("cn-hangzhou")
    ///     .credentials(Credentials::anonymous())
    ///     .observer(|event| {
    ///         let millis = event.duration.as_millis();
    ///         println!("{} {} after {millis} ms", event.operation, event.outcome);
    ///         if event.outcome == AttemptOutcome::Refused {
    ///             println!("{:?}, EC {:?}", event.code, event.ec);
    ///         }
    ///     })
    ///     .build()?;
    /// # Ok::<(), oss_client::Error>(())
    /// ```
    pub fn observer(mut self, observe: impl Fn(&AttemptEvent) + Send + Sync + 'static) -> Self {
        self.observer = Observer::new(observe);
        self
    }

    /// Sets the version of signatures for requests and URLs. V1 with an endpoint needs no region, and does not support
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

    /// Sets whether to compare the CRC-64 of uploads, and of downloads of whole objects, with the one that the service
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
    /// reqwest refuses its builder; [`Error::Sign`] if the region or an additional header is malformed. Where the
    /// environment is read, [`Error::Credentials`] if it pins a member of the default chain that does not exist, or if the
    /// CLI's file is needed and cannot be read.
    pub fn build(self) -> Result<Client, Error> {
        let builder = self;
        #[cfg(feature = "default-chain")]
        let builder = builder.with_env()?;
        builder.build_from_code()
    }

    fn build_from_code(self) -> Result<Client, Error> {
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
        let user_agent = self.requests.user_agent().map_err(Error::InvalidConfig)?;
        let default_headers = self.requests.headers().map_err(Error::InvalidConfig)?;
        if self.operation_timeout.is_some_and(|limit| limit.is_zero()) {
            return Err(Error::InvalidConfig(http::zero()));
        }
        let read_timeout = self.http.read_timeout;
        let may_decompress = self.http.is_unchecked();
        let slots = self.http.slots().map_err(Error::InvalidConfig)?;
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
                clock: ServiceClock::new(Arc::clone(&self.clock)).correct(self.correct_clock),
                may_teach_time,
                transport: Transport {
                    clients,
                    proxies,
                    slots,
                    idle: IdleTimeout {
                        limit: read_timeout,
                        sleep: self.sleep,
                        clock: self.clock,
                    },
                },
                request_ids: RequestIds::default(),
                user_agent,
                default_headers,
                observer: self.observer,
                operation_timeout: self.operation_timeout,
                retry: self.retry,
                redirects: self.redirects,
                check_crc: self.check_crc,
                may_decompress,
            }),
        })
    }
}

#[cfg(feature = "default-chain")]
#[cfg_attr(docsrs, doc(cfg(feature = "default-chain")))]
impl Client {
    /// Makes a client from the environment of the process: [`ClientBuilder::env`] without any other setting.
    ///
    /// # Errors
    ///
    /// Those of [`ClientBuilder::build`].
    ///
    /// # Examples
    ///
    /// ```no_run
    /// use oss_client::Client;
    ///
    /// # async fn run() -> Result<(), oss_client::Error> {
    /// let client = Client::from_env()?;
    /// let text = client.get_object("examplebucket", "greeting.txt").await?.bytes().await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn from_env() -> Result<Self, Error> {
        Self::builder().env(ProcessEnv).build()
    }
}

#[cfg(feature = "default-chain")]
#[cfg_attr(docsrs, doc(cfg(feature = "default-chain")))]
impl ClientBuilder {
    /// Reads settings from an environment where no other method sets them. [`ClientBuilder::build`] reads it.
    ///
    /// | setting | from |
    /// |---|---|
    /// | [`credentials`](Self::credentials) | [`DefaultProvider`], the default chain, which reads the same environment and has the client's clock and timer |
    /// | [`region`](Self::region) | [`region_from_env`]: [`ENV_OSS_REGION`], otherwise `region_id` of the profile in the CLI's `config.json` that the chain would use |
    /// | [`endpoint`](Self::endpoint) | [`ENV_OSS_ENDPOINT`], unless [`internal`](Self::internal), [`accelerate`](Self::accelerate) or [`dual_stack`](Self::dual_stack) is enabled |
    ///
    /// An empty variable counts as unset. The CLI's file is read only if no other source names the region. Proxy variables
    /// are read from the environment of the process.
    ///
    /// # Examples
    ///
    /// ```
    /// use oss_client::Client;
    /// use oss_credentials_core::test_util::FakeEnv;
    ///
    /// let env = FakeEnv::from([
    ///     ("OSS_REGION", "cn-hangzhou"),
    ///     ("OSS_ACCESS_KEY_ID", "LTAI5tExampleKeyId01"),
    ///     ("OSS_ACCESS_KEY_SECRET", "example-secret"),
    /// ]);
    /// // `oss_credentials_core::ProcessEnv` is the environment of the process.
    /// let client = Client::builder().env(env).internal(true).build()?;
    /// assert_eq!(
    ///     client.object_url("examplebucket", "a.txt")?,
    ///     "https://examplebucket.oss-cn-hangzhou-internal.aliyuncs.com/a.txt"
    /// );
    /// # Ok::<(), oss_client::Error>(())
    /// ```
    pub fn env(mut self, env: impl Env) -> Self {
        self.env = Some(Arc::new(env));
        self
    }

    /// Reads the environment, if it is to be read.
    fn with_env(mut self) -> Result<Self, Error> {
        let Some(env) = self.env.take() else {
            return Ok(self);
        };
        let address = &mut self.address;
        address.reads_env = true;
        // What code sets takes precedence: a variable that someone left behind must not lead around the internal network.
        if address.endpoint.is_none() && !address.chooses_host() {
            address.endpoint = env.non_empty(ENV_OSS_ENDPOINT);
        }
        let region = address.region.take().filter(|region| !region.is_empty());
        let needs_region = self.signature_version != SignatureVersion::V1 || address.endpoint.is_none();
        address.region = match region {
            None if needs_region => region_from_env(&*env)?,
            region => region,
        };
        if self.provider.is_none() {
            let chain = DefaultProvider::builder()
                .env(env)
                .clock(Arc::clone(&self.clock))
                .sleep(Arc::clone(&self.sleep));
            self.provider = Some(Arc::new(chain.build().map_err(Error::Credentials)?));
        }
        Ok(self)
    }
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
            .field("observer", &self.observer)
            .field("redirects", &self.redirects)
            .field("signature_version", &self.signature_version)
            .field("additional_headers", &self.additional_headers)
            .finish_non_exhaustive()
    }
}
