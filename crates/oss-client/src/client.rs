//! What the program holds.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use http::{HeaderValue, Method};
use oss_credentials_core::CredentialsProvider;
use oss_credentials_http::RequestIds;
use oss_sign::Signer;

use crate::clock::ServiceClock;
use crate::endpoint::Endpoint;
use crate::error::Error;
use crate::operation::Operation;
use crate::retry::RetryPolicy;
use crate::transport::Transport;

/// An OSS client: a credentials provider, a signer and an HTTP stack.
///
/// Clones are cheap and share connections, derived signing keys and what was learnt about the service's clock.
///
/// For every attempt the provider is asked and the request is signed anew. What is tried again and when says the
/// [`RetryPolicy`]; a body that cannot be sent again never is. Two things are set right whatever the policy says, once
/// for each operation and without a pause. If the service refuses the key or token (`InvalidAccessKeyId`,
/// `InvalidSecurityToken`, `SecurityTokenExpired`), the provider is told, and the request is sent once more if the
/// provider has other credentials. If it refuses the time (`RequestTimeTooSkewed`), the request is signed with the
/// service's clock and sent once more; unless that is refused for its time too, the client signs with the service's
/// clock from then on, URLs included, until the local clock is set or the `Date` of a response shows that it is right. A
/// time of the service that is more than 24 hours from the local clock is ignored, unless the local clock shows a time
/// before the release of this version. Over plain HTTP to another machine, where anyone on the network path can send such
/// a refusal, the correction serves that one retry and is not kept.
/// [`correct_clock(false)`](crate::ClientBuilder::correct_clock) turns all of this off.
///
/// Operations are awaited inside a tokio runtime with I/O and time enabled. Dropping one ends its exchange.
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
    /// Whether signed requests go over plain http to another machine, and no warning was logged yet.
    pub(crate) is_exposed: AtomicBool,
    pub(crate) transport: Transport,
    pub(crate) request_ids: RequestIds,
    pub(crate) user_agent: HeaderValue,
    pub(crate) operation_timeout: Option<Duration>,
    pub(crate) retry: Arc<dyn RetryPolicy>,
    pub(crate) redirects: u32,
    pub(crate) check_crc: bool,
    /// The reqwest client was given ready-made.
    pub(crate) may_decompress: bool,
}

impl Client {
    /// The plain URL of an object, as the signer writes it: for public objects, and for logs. Nobody is asked whether
    /// there is such an object, and nothing is signed; for that see [`Client::presign_get`].
    ///
    /// # Errors
    ///
    /// [`Error::InvalidInput`] for a name of a bucket that there cannot be, and for a key that is empty, too long, or
    /// has a segment `.` or `..`, which programs take out of URLs.
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

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client")
            .field("endpoint", &self.inner.endpoint.url(None, None))
            .field("provider", &self.inner.provider.name())
            .finish_non_exhaustive()
    }
}
