//! URLs that carry their signature.

use std::fmt;
use std::future::IntoFuture;
use std::time::{Duration, SystemTime};

use http::Method;
use oss_credentials_core::BoxFuture;
use oss_sign::RequestView;
use oss_sign::v4::LimitedBy;

use crate::client::Client;
use crate::error::{Error, Problem};
use crate::operation::Operation;

/// A URL to be made; see [`Client::presign_get`], [`Client::presign_put`] and [`Client::presign`]. Await it.
///
/// # Errors
///
/// [`Error::InvalidInput`] for bucket, key and headers, and with anonymous credentials; [`Error::Credentials`];
/// [`Error::Sign`] if `expires` is out of range or the credentials have expired.
///
/// # Examples
///
/// ```no_run
/// use std::time::Duration;
///
/// # async fn run(client: &oss_client::Client) -> Result<(), oss_client::Error> {
/// let upload = client
///     .presign_put("examplebucket", "photo.jpg", Duration::from_secs(900))
///     .content_type("image/jpeg")
///     .await?;
/// println!("{} until {:?}", upload.method(), upload.valid_until());
/// for (name, value) in upload.headers() {
///     println!("send {name}: {}", String::from_utf8_lossy(value));
/// }
/// // Hand `upload.url()` to whom may upload.
/// # Ok(())
/// # }
/// ```
#[must_use = "nothing is signed before it is awaited"]
pub struct Presign {
    client: Client,
    operation: Operation,
    expires: Duration,
}

impl Presign {
    pub(crate) fn new(client: Client, operation: Operation, expires: Duration) -> Self {
        Self {
            client,
            operation,
            expires,
        }
    }

    /// Binds the URL to a `Content-Type`: it then works only for requests that have exactly this one. Default: for
    /// requests that have none.
    pub fn content_type(self, content_type: impl AsRef<str>) -> Self {
        self.header("content-type", content_type.as_ref())
    }

    /// Binds the URL to a header: `Content-Type`, `Content-MD5` or one that begins with `x-oss-`. Others are not
    /// signed and have no effect.
    pub fn header(mut self, name: impl AsRef<str>, value: impl AsRef<[u8]>) -> Self {
        self.operation.set_header(name.as_ref(), value.as_ref());
        self
    }

    /// Adds a query parameter such as `versionId` or `response-content-disposition`, in place of an earlier one of
    /// the same name.
    pub fn query(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.operation.set_query(name.into(), value.into());
        self
    }

    async fn sign(self) -> Result<PresignedRequest, Error> {
        let Self {
            client,
            mut operation,
            expires,
        } = self;
        operation.check()?;
        let inner = &*client.inner;
        inner.signing.check_expires(expires).map_err(Error::Sign)?;
        let credentials = inner.provider.credentials().await.map_err(Error::Credentials)?;
        if credentials.is_anonymous() {
            return Err(Error::InvalidInput(Problem::new(
                "anonymous credentials cannot sign a URL",
                "use the plain URL of a public object, or a provider with keys",
            )));
        }
        inner.add_host(&mut operation);
        let pairs = operation.pairs();
        let view = RequestView::new(operation.method.as_str())
            .bucket(operation.bucket.as_deref())
            .key(operation.key.as_deref())
            .query(&pairs)
            .headers(&operation.headers);
        // Expiry is judged by the service's clock, so the correction that holds for requests holds here.
        let time = inner.to_service(inner.clock.now());
        let presigned = inner
            .signing
            .presign(&view, &credentials, time, expires)
            .map_err(Error::Sign)?;
        let headers = presigned
            .required_headers()
            .map(|(name, value)| (name.to_owned(), value.to_vec()))
            .collect();
        Ok(PresignedRequest {
            url: presigned.url(&operation.url(&inner.endpoint)),
            valid_until: presigned.valid_until(),
            limited_by: presigned.limited_by(),
            method: operation.method,
            headers,
        })
    }
}

impl IntoFuture for Presign {
    type Output = Result<PresignedRequest, Error>;
    type IntoFuture = BoxFuture<'static, Self::Output>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.sign())
    }
}

impl fmt::Debug for Presign {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Presign")
            .field("method", &self.operation.method)
            .field("bucket", &self.operation.bucket)
            .field("key", &self.operation.key)
            .field("expires", &self.expires)
            .finish_non_exhaustive()
    }
}

/// A request that somebody without credentials can send.
///
/// The URL is a secret: whoever has it can do the request until it ends. `Debug` does not show its query.
#[derive(Clone)]
pub struct PresignedRequest {
    method: Method,
    url: String,
    headers: Vec<(String, Vec<u8>)>,
    valid_until: SystemTime,
    limited_by: LimitedBy,
}

impl PresignedRequest {
    /// The HTTP method, such as `GET`.
    pub fn method(&self) -> &str {
        self.method.as_str()
    }

    /// The complete URL. A secret.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The headers that the signature binds, names in lower case: exactly these must be sent, and no other
    /// `Content-Type`, `Content-MD5` or `x-oss-*`.
    pub fn headers(&self) -> impl Iterator<Item = (&str, &[u8])> {
        self.headers
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_slice()))
    }

    /// When the URL stops working, by the service's clock: the earlier of what was asked and the end of the
    /// credentials.
    pub fn valid_until(&self) -> SystemTime {
        self.valid_until
    }

    /// What sets [`PresignedRequest::valid_until`].
    pub fn limited_by(&self) -> LimitedBy {
        self.limited_by
    }
}

impl fmt::Debug for PresignedRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (shown, _) = self.url.split_once('?').unwrap_or((&self.url, ""));
        f.debug_struct("PresignedRequest")
            .field("method", &self.method)
            .field("url", &format_args!("{shown}?<redacted>"))
            .field("valid_until", &self.valid_until)
            .field("limited_by", &self.limited_by)
            .finish_non_exhaustive()
    }
}
