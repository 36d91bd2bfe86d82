//! The client and its state.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use http::{HeaderMap, HeaderValue, Method};
use oss_credentials_core::CredentialsProvider;
use oss_credentials_http::{CallClock, RequestIds, ServiceClock};
use oss_sign::Signer;

use crate::endpoint::Endpoint;
use crate::error::Error;
use crate::observe::Observer;
use crate::operation::Operation;
use crate::retry::RetryPolicy;
use crate::transport::Transport;

/// An OSS client: a credentials provider, a signer and an HTTP stack.
///
/// Clones are cheap and share connections, derived signing keys and the correction of the clock.
///
/// For each attempt, the client calls the provider for credentials and signs the request again. The [`RetryPolicy`]
/// decides which failures are retried and when; a body that can be sent only once is never retried. Two kinds of
/// failure are handled independently of the policy, each at most once per operation and without backoff:
///
/// - **Rejected key or token** (`InvalidAccessKeyId`, `InvalidSecurityToken`, `SecurityTokenExpired`): the client
///   reports the rejection to the provider, and sends the request once more if the provider then has other credentials.
/// - **Rejected time** (`RequestTimeTooSkewed`): the client signs the request with the service's time and sends it
///   once more. Unless the service rejects that time too, the client uses the service's time from then on, also for
///   URLs, until the local clock is set or the `Date` of a response shows that the local clock is right. The client
///   ignores a service time that differs from the local clock by more than 24 hours, unless the local clock shows a
///   time before the release of this version. Over plain HTTP to another machine, anyone on the network path can forge
///   such a rejection, so the correction applies to that one retry and is not kept.
///   [`correct_clock(false)`](crate::ClientBuilder::correct_clock) disables the correction.
///
/// Await operations inside a tokio runtime with I/O and time enabled. Dropping an operation cancels its exchange.
///
/// # Examples
///
/// ```no_run
/// use oss_client::Client;
/// use oss_credentials_static::StaticProvider;
///
/// # async fn run() -> Result<(), Box<dyn std::error::Error>> {
/// let client = Client::builder()
///     .region("cn-hangzhou")
///     .credentials(StaticProvider::access_key("LTAI5tExampleKeyId01", "example-secret")?)
///     .build()?;
///
/// client.put_object("examplebucket", "greeting.txt", "hello").content_type("text/plain").send().await?;
/// let text = client.get_object("examplebucket", "greeting.txt").send().await?.bytes().await?;
/// assert_eq!(&text[..], b"hello");
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Client {
    pub(crate) inner: Arc<Inner>,
}

pub(crate) struct Inner {
    pub(crate) endpoint: Endpoint,
    pub(crate) signer: Signer,
    pub(crate) provider: Arc<dyn CredentialsProvider>,
    pub(crate) clock: ServiceClock,
    /// Whether a correction of the clock is kept after the retry in progress: no one on the network path can have
    /// changed the response.
    pub(crate) may_teach_time: bool,
    /// Whether signed requests are sent over plain HTTP to another machine and the warning has not been logged yet.
    pub(crate) is_exposed: AtomicBool,
    pub(crate) transport: Transport,
    pub(crate) request_ids: RequestIds,
    pub(crate) user_agent: HeaderValue,
    /// Of every operation that does not set them itself.
    pub(crate) default_headers: HeaderMap,
    pub(crate) observer: Observer,
    pub(crate) operation_timeout: Option<Duration>,
    pub(crate) retry: Arc<dyn RetryPolicy>,
    pub(crate) redirects: u32,
    pub(crate) check_crc: bool,
    /// Whether the reqwest client was built by the caller, and so may decompress bodies.
    pub(crate) may_decompress: bool,
}

impl Client {
    /// Returns the unsigned URL of an object, as it would be signed: for public objects, and for logs. Does not check
    /// whether the object exists. For a URL that grants access see [`Client::presign_get`].
    ///
    /// # Errors
    ///
    /// [`Error::InvalidInput`] for an invalid bucket name, and for a key that is empty, is too long, or has a segment
    /// `.` or `..`, which HTTP clients remove from URLs.
    ///
    /// # Examples
    ///
    /// ```
    /// # use oss_client::Client;
    /// # use oss_credentials_core::Credentials;
    /// let client = Client::builder()
    ///     .region("cn-hangzhou")
    ///     .credentials(Credentials::anonymous())
    ///     .build()?;
    /// assert_eq!(
    ///     client.object_url("examplebucket", "my photos/100%.jpg")?,
    ///     "https://examplebucket.oss-cn-hangzhou.aliyuncs.com/my%20photos/100%25.jpg"
    /// );
    /// # Ok::<(), oss_client::Error>(())
    /// ```
    pub fn object_url(&self, bucket: impl Into<String>, key: impl Into<String>) -> Result<String, Error> {
        let operation = Operation::object("GetObject", Method::GET, bucket.into(), key.into());
        operation.check(&self.inner.endpoint)?;
        Ok(operation.url(&self.inner.endpoint))
    }
}

impl Inner {
    /// The clock of one operation.
    pub(crate) fn call_clock(&self) -> CallClock<'_> {
        self.clock.begin(self.may_teach_time)
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client")
            .field("endpoint", &self.inner.endpoint.url(None, None))
            .field("provider", &self.inner.provider.name())
            .finish_non_exhaustive()
    }
}
