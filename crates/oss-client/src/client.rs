//! What the program holds.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use http::{HeaderValue, Method};
use oss_credentials_core::CredentialsProvider;
use oss_credentials_http::RequestIds;
use oss_sign::Signer;

use crate::body::Body;
use crate::clock::ServiceClock;
use crate::config::ClientBuilder;
use crate::endpoint::Endpoint;
use crate::error::{Error, InvalidInput};
use crate::operation::{Crc, Operation};
use crate::ops::buckets::ListBuckets;
use crate::ops::copy::{CopyObject, CopySource};
use crate::ops::list::ListObjectsV2;
use crate::ops::multipart::{
    AbortMultipartUpload, CompleteMultipartUpload, InitiateMultipartUpload, MAX_PARTS, UploadPart,
};
use crate::ops::object::{DeleteObject, GetObject, GetObjectMeta, HeadObject, PutObject};
use crate::presign::Presign;
use crate::response::Response;
use crate::retry::RetryPolicy;
use crate::transport::Transport;
use crate::validate;

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
/// `Date` of the service before 2015, or more than ten years from a local clock that is not before 2015 itself, is
/// ignored.
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
    /// Starts a client. A region and a credentials provider are needed.
    pub fn builder() -> ClientBuilder {
        ClientBuilder::new()
    }

    /// Stores an object. An existing one is replaced.
    ///
    /// For objects of any size see [`Client::upload`].
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
        operation.crc = Crc::Sent;
        PutObject::new(self.clone(), operation)
    }

    /// Reads an object.
    ///
    /// Vendor document: `GetObject` (Object Storage Service, API reference).
    pub fn get_object(&self, bucket: impl Into<String>, key: impl Into<String>) -> GetObject {
        let mut operation = Operation::object("GetObject", Method::GET, bucket.into(), key.into());
        operation.crc = Crc::Received;
        GetObject::new(self.clone(), operation)
    }

    /// Reads the headers of an object.
    ///
    /// Vendor document: `HeadObject` (Object Storage Service, API reference).
    pub fn head_object(&self, bucket: impl Into<String>, key: impl Into<String>) -> HeadObject {
        let operation = Operation::object("HeadObject", Method::HEAD, bucket.into(), key.into());
        HeadObject::new(self.clone(), operation)
    }

    /// Reads length, `ETag` and times of an object, without own metadata.
    ///
    /// Vendor document: `GetObjectMeta` (Object Storage Service, API reference).
    pub fn get_object_meta(&self, bucket: impl Into<String>, key: impl Into<String>) -> GetObjectMeta {
        let operation = Operation::object("GetObjectMeta", Method::HEAD, bucket.into(), key.into())
            .query("objectMeta", "");
        GetObjectMeta::new(self.clone(), operation)
    }

    /// Deletes an object. That there is none is no error.
    ///
    /// Vendor document: `DeleteObject` (Object Storage Service, API reference).
    pub fn delete_object(&self, bucket: impl Into<String>, key: impl Into<String>) -> DeleteObject {
        let operation = Operation::object("DeleteObject", Method::DELETE, bucket.into(), key.into());
        DeleteObject::new(self.clone(), operation)
    }

    /// Copies an object to this bucket and key. An existing one is replaced.
    ///
    /// Vendor document: `CopyObject` (Object Storage Service, API reference).
    #[expect(clippy::needless_pass_by_value, reason = "it is made for this call")]
    pub fn copy_object(
        &self,
        bucket: impl Into<String>,
        key: impl Into<String>,
        source: CopySource,
    ) -> CopyObject {
        let mut operation = Operation::object("CopyObject", Method::PUT, bucket.into(), key.into());
        operation.has_document = true;
        if let Err(problem) =
            validate::bucket(&source.bucket).and_then(|()| validate::copied_key(&source.key))
        {
            operation.refuse(problem);
        }
        operation.set_header("x-oss-copy-source", source.header().as_bytes());
        CopyObject::new(self.clone(), operation)
    }

    /// Lists the objects of a bucket.
    ///
    /// Vendor document: `ListObjectsV2` (Object Storage Service, API reference).
    pub fn list_objects_v2(&self, bucket: impl Into<String>) -> ListObjectsV2 {
        let mut operation = Operation::new("ListObjectsV2", Method::GET)
            .bucket(bucket)
            .query("list-type", "2")
            .query("encoding-type", "url");
        operation.has_document = true;
        ListObjectsV2::new(self.clone(), operation)
    }

    /// Lists the buckets of the account.
    ///
    /// Vendor document: `ListBuckets` (Object Storage Service, API reference).
    pub fn list_buckets(&self) -> ListBuckets {
        let mut operation = Operation::new("ListBuckets", Method::GET);
        operation.has_document = true;
        ListBuckets::new(self.clone(), operation)
    }

    /// Begins an upload in parts. [`Client::upload`] does all of its steps.
    ///
    /// Vendor document: `InitiateMultipartUpload` (Object Storage Service, API reference).
    pub fn initiate_multipart_upload(
        &self,
        bucket: impl Into<String>,
        key: impl Into<String>,
    ) -> InitiateMultipartUpload {
        let mut operation =
            Operation::object("InitiateMultipartUpload", Method::POST, bucket.into(), key.into())
                .query("uploads", "")
                .query("encoding-type", "url");
        operation.has_document = true;
        InitiateMultipartUpload::new(self.clone(), operation)
    }

    /// Uploads a part of an object, 1 to 10,000; all but the last have at least 100 KiB.
    ///
    /// Vendor document: `UploadPart` (Object Storage Service, API reference).
    pub fn upload_part(
        &self,
        bucket: impl Into<String>,
        key: impl Into<String>,
        upload_id: impl Into<String>,
        number: u16,
        body: impl Into<Body>,
    ) -> UploadPart {
        let mut operation = Operation::object("UploadPart", Method::PUT, bucket.into(), key.into())
            .query("partNumber", number.to_string())
            .query("uploadId", upload_id);
        if !(1..=MAX_PARTS).contains(&number) {
            let what = format!("a part has the number {number}");
            operation.refuse(InvalidInput::new(what, "use 1 to 10000"));
        }
        operation.body = body.into();
        operation.crc = Crc::Sent;
        UploadPart::new(self.clone(), operation)
    }

    /// Makes an object of the parts that were uploaded.
    ///
    /// Vendor document: `CompleteMultipartUpload` (Object Storage Service, API reference).
    pub fn complete_multipart_upload(
        &self,
        bucket: impl Into<String>,
        key: impl Into<String>,
        upload_id: impl Into<String>,
    ) -> CompleteMultipartUpload {
        let mut operation =
            Operation::object("CompleteMultipartUpload", Method::POST, bucket.into(), key.into())
                .query("uploadId", upload_id)
                .query("encoding-type", "url");
        operation.has_document = true;
        CompleteMultipartUpload::new(self.clone(), operation)
    }

    /// Ends an upload in parts without making an object: its parts are deleted.
    ///
    /// Vendor document: `AbortMultipartUpload` (Object Storage Service, API reference).
    pub fn abort_multipart_upload(
        &self,
        bucket: impl Into<String>,
        key: impl Into<String>,
        upload_id: impl Into<String>,
    ) -> AbortMultipartUpload {
        let operation = Operation::object("AbortMultipartUpload", Method::DELETE, bucket.into(), key.into())
            .query("uploadId", upload_id);
        AbortMultipartUpload::new(self.clone(), operation)
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
    pub async fn send(&self, operation: Operation) -> Result<Response, Error> {
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
