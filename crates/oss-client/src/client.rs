//! What the program holds.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, SystemTime};

use http::{HeaderValue, Method};
use oss_credentials_core::{Clock, ClockOffset, CredentialsProvider};

use crate::body::Body;
use crate::config::ClientBuilder;
use crate::endpoint::Endpoint;
use crate::error::Error;
use crate::operation::Operation;
use crate::presign::Presign;
use crate::requests::{DeleteObject, GetObject, HeadObject, PutObject};
use crate::response::Answer;
use crate::retry::RetryPolicy;
use crate::signing::Signing;
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
/// clock from then on. A `Date` of the service before 2015, or more than ten years from a local clock that is not
/// before 2015 itself, is ignored.
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
    pub(crate) signing: Signing,
    pub(crate) provider: Arc<dyn CredentialsProvider>,
    pub(crate) clock: Arc<dyn Clock>,
    /// How many seconds the service's clock is ahead, as far as is known.
    pub(crate) clock_offset: AtomicI64,
    pub(crate) transport: Transport,
    pub(crate) user_agent: HeaderValue,
    pub(crate) operation_timeout: Option<Duration>,
    pub(crate) retry: Arc<dyn RetryPolicy>,
    pub(crate) redirects: u32,
    pub(crate) check_crc: bool,
}

impl Client {
    /// Starts a client. A region and a credentials provider are needed.
    pub fn builder() -> ClientBuilder {
        ClientBuilder::new()
    }

    /// Stores an object. An existing one is replaced.
    ///
    /// Vendor document: `PutObject` (Object Storage Service, API reference).
    pub fn put_object(
        &self,
        bucket: impl Into<String>,
        key: impl Into<String>,
        body: impl Into<Body>,
    ) -> PutObject {
        let mut operation = Operation::object("PutObject", Method::PUT, bucket.into(), key.into());
        operation.body = body.into();
        operation.has_crc = true;
        PutObject::new(self.clone(), operation)
    }

    /// Reads an object.
    ///
    /// Vendor document: `GetObject` (Object Storage Service, API reference).
    pub fn get_object(&self, bucket: impl Into<String>, key: impl Into<String>) -> GetObject {
        let operation = Operation::object("GetObject", Method::GET, bucket.into(), key.into());
        GetObject::new(self.clone(), operation)
    }

    /// Reads the headers of an object.
    ///
    /// Vendor document: `HeadObject` (Object Storage Service, API reference).
    pub fn head_object(&self, bucket: impl Into<String>, key: impl Into<String>) -> HeadObject {
        let operation = Operation::object("HeadObject", Method::HEAD, bucket.into(), key.into());
        HeadObject::new(self.clone(), operation)
    }

    /// Deletes an object. That there is none is no error.
    ///
    /// Vendor document: `DeleteObject` (Object Storage Service, API reference).
    pub fn delete_object(&self, bucket: impl Into<String>, key: impl Into<String>) -> DeleteObject {
        let operation = Operation::object("DeleteObject", Method::DELETE, bucket.into(), key.into());
        DeleteObject::new(self.clone(), operation)
    }

    /// Carries out any operation, with all that the client does for its own: credentials, signature, retries, errors.
    ///
    /// # Errors
    ///
    /// Any variant of [`Error`] but [`Error::InvalidConfig`].
    ///
    /// # Examples
    ///
    /// See [`Operation`].
    pub async fn send(&self, operation: Operation) -> Result<Answer, Error> {
        self.execute(operation).await
    }

    /// Makes a URL with which anybody can carry out this operation: await the result. Nothing is sent, and the
    /// operation's body is left out.
    ///
    /// `expires` is from 1 second to 7 days, in whole seconds; with V1 there is no upper limit. The URL ends earlier if
    /// the credentials do.
    pub fn presign(&self, operation: Operation, expires: Duration) -> Presign {
        Presign::new(self.clone(), operation, expires)
    }

    /// Makes a URL with which anybody can read an object: await the result. Nothing is sent.
    ///
    /// `expires` is from 1 second to 7 days, in whole seconds; with V1 there is no upper limit. The URL ends earlier if
    /// the credentials do.
    pub fn presign_get(
        &self,
        bucket: impl Into<String>,
        key: impl Into<String>,
        expires: Duration,
    ) -> Presign {
        let operation = Operation::object("GetObject", Method::GET, bucket.into(), key.into());
        Presign::new(self.clone(), operation, expires)
    }

    /// Makes a URL with which anybody can store an object: await the result. Nothing is sent.
    ///
    /// `expires` is from 1 second to 7 days, in whole seconds; with V1 there is no upper limit. The URL ends earlier if
    /// the credentials do.
    ///
    /// Whoever uses the URL must send the `Content-Type` given here, and none if none was given.
    pub fn presign_put(
        &self,
        bucket: impl Into<String>,
        key: impl Into<String>,
        expires: Duration,
    ) -> Presign {
        let operation = Operation::object("PutObject", Method::PUT, bucket.into(), key.into());
        Presign::new(self.clone(), operation, expires)
    }
}

impl Inner {
    /// A reading of the local clock as the service's clock shows it.
    pub(crate) fn to_service(&self, local: SystemTime) -> SystemTime {
        let offset = self.clock_offset.load(Ordering::Relaxed);
        let by = Duration::from_secs(offset.unsigned_abs());
        if offset < 0 {
            local.checked_sub(by)
        } else {
            local.checked_add(by)
        }
        .unwrap_or(local)
    }

    pub(crate) fn set_clock_offset(&self, offset: ClockOffset) {
        self.clock_offset.store(offset.as_secs(), Ordering::Relaxed);
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client")
            .field("endpoint", &self.inner.endpoint.url(None, None))
            .field("provider", &self.inner.provider)
            .finish_non_exhaustive()
    }
}
