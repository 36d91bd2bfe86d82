//! Presigned URLs.

use std::fmt;
use std::future::{Future, IntoFuture};
use std::time::{Duration, SystemTime};

use http::{HeaderName, HeaderValue, Method};
use oss_credentials_core::{BoxFuture, Credentials, CredentialsError};
use oss_sign::v4::{LimitedBy, Presigned};
use oss_sign::{RequestView, SignError, Signer, UtcTime};

use crate::TRACING_TARGET;
use crate::client::Client;
use crate::error::{Error, InvalidInput};
use crate::observe::names;
use crate::operation::Operation;

/// A URL to be created; see [`Client::presign_get`], [`Client::presign_put`] and [`Client::presign`], and the `presign`
/// methods of requests, such as [`UploadPart::presign`](crate::UploadPart::presign). Await it.
///
/// Unlike `send`, this adds no `Content-Type` to `PutObject` and `InitiateMultipartUpload`: unless you set one, a
/// request that uses the URL must have no `Content-Type`, or it fails.
///
/// # Errors
///
/// [`Error::InvalidInput`] for an invalid bucket, key, query or header, for anonymous credentials, and if
/// [`Presign::must_last`] is not met; [`Error::Credentials`]; [`Error::Sign`] if `expires` is out of range or the
/// credentials have expired.
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
/// println!("{} until {}", upload.method(), upload.valid_until_utc());
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
    refresh: Option<Refresh>,
    must_last: bool,
}

type Refresh = Box<dyn FnOnce() -> BoxFuture<'static, Result<Credentials, CredentialsError>> + Send>;

impl Client {
    /// Creates a URL with which anyone can carry out this operation: await the result. Nothing is sent, and the
    /// operation's body is ignored.
    ///
    /// `expires` is from 1 second to 7 days, in whole seconds; with V1 there is no upper limit. The URL expires earlier
    /// if the credentials do.
    pub fn presign(&self, operation: Operation, expires: Duration) -> Presign {
        Presign::new(self.clone(), operation, expires)
    }

    /// Creates a URL with which anyone can read an object: await the result. Nothing is sent.
    ///
    /// `expires` is from 1 second to 7 days, in whole seconds; with V1 there is no upper limit. The URL expires earlier
    /// if the credentials do.
    pub fn presign_get(
        &self,
        bucket: impl Into<String>,
        key: impl Into<String>,
        expires: Duration,
    ) -> Presign {
        let operation = Operation::object("GetObject", Method::GET, bucket.into(), key.into());
        Presign::new(self.clone(), operation, expires)
    }

    /// Creates a URL with which anyone can store an object: await the result. Nothing is sent.
    ///
    /// `expires` is from 1 second to 7 days, in whole seconds; with V1 there is no upper limit. The URL expires earlier
    /// if the credentials do.
    ///
    /// Requests that use the URL must have the `Content-Type` given here, or none if none was given.
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

impl Presign {
    pub(crate) fn new(client: Client, operation: Operation, expires: Duration) -> Self {
        Self {
            client,
            operation,
            expires,
            refresh: None,
            must_last: false,
        }
    }

    /// Refreshes the credentials first if they expire before the requested time. The URL is then signed with whichever
    /// credentials last longer, the new ones or the old ones; a failed refresh is not an error.
    ///
    /// By default the URL expires with the provider's current credentials ([`PresignedRequest::limited_by`]): providers
    /// refresh on their own only shortly before credentials expire. Only the code that created the provider knows how
    /// to force a refresh, so pass a closure that does it:
    ///
    /// ```no_run
    /// # use std::time::Duration;
    /// # use oss_credentials_core::{CredentialsSource, RefreshingProvider};
    /// # async fn run<S: CredentialsSource>(
    /// #     client: oss_client::Client, provider: RefreshingProvider<S>,
    /// # ) -> Result<(), oss_client::Error> {
    /// let url = client
    ///     .presign_get("examplebucket", "report.pdf", Duration::from_secs(3600))
    ///     .refresh_first(move || async move { provider.refresh_now().await })
    ///     .await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn refresh_first<F>(mut self, refresh: impl FnOnce() -> F + Send + 'static) -> Self
    where
        F: Future<Output = Result<Credentials, CredentialsError>> + Send + 'static,
    {
        self.refresh = Some(Box::new(move || Box::pin(refresh())));
        self
    }

    /// Fails if the credentials expire before the requested time, also after [`Presign::refresh_first`] if that is set.
    /// By default such a URL is created, and expires with the credentials.
    pub fn must_last(mut self) -> Self {
        self.must_last = true;
        self
    }

    /// Binds the URL to a `Content-Type`: it then works only for requests with exactly this value. By default it works
    /// only for requests without a `Content-Type`.
    pub fn content_type(self, content_type: impl AsRef<str>) -> Self {
        self.header("content-type", content_type.as_ref())
    }

    /// Binds the URL to a header: `Content-Type`, `Content-MD5`, one that begins with `x-oss-`, or one of
    /// [`additional_headers`](crate::ClientBuilder::additional_headers). Other headers are refused, because a signature
    /// cannot require them.
    pub fn header(mut self, name: impl AsRef<str>, value: impl AsRef<[u8]>) -> Self {
        self.operation.set_header(name.as_ref(), value.as_ref());
        self
    }

    /// Adds a query parameter such as `versionId` or `response-content-disposition`, or replaces an earlier one of the
    /// same name. Parameters that carry the signature (`x-oss-expires`, …) are refused.
    pub fn query(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.operation.set_query(name.into(), value.into());
        self
    }

    async fn sign(self) -> Result<PresignedRequest, Error> {
        let Self {
            client,
            mut operation,
            expires,
            refresh,
            must_last,
        } = self;
        operation.check(&client.inner.endpoint)?;
        let inner = &*client.inner;
        let signer = inner
            .signer
            .with_sub_resources(&operation.sub_resources)
            .map_err(Error::Sign)?;
        signer.check_expires(expires).map_err(Error::Sign)?;
        check_headers(&operation, &signer)?;
        let credentials = inner.provider.credentials().await.map_err(Error::Credentials)?;
        if credentials.is_anonymous() {
            return Err(Error::InvalidInput(InvalidInput::new(
                "anonymous credentials cannot sign a URL",
                "use the plain URL of a public object, or a provider with keys",
            )));
        }
        inner.add_host(operation.bucket.as_deref(), &mut operation.headers);
        let pairs = operation.pairs();
        let view = RequestView::new(operation.method.as_str())
            .bucket(operation.bucket.as_deref())
            .key(operation.key.as_deref())
            .query(&pairs)
            .headers(&operation.headers);
        inner.warn_if_exposed(&credentials);
        // The service's clock decides when the URL expires, so the clock correction of requests applies here.
        let time = inner.clock.now();
        let presign = |credentials: &Credentials| signer.presign(&view, credentials, time, expires);
        let mut presigned = presign(&credentials);
        if let Some(refresh) = refresh.filter(|_| is_short(&presigned))
            && let Some(fresh) = longer_lasting(refresh, &credentials).await
        {
            presigned = presign(&fresh);
        }
        if must_last && is_short(&presigned) {
            return Err(Error::InvalidInput(InvalidInput::new(
                "the credentials expire before the URL should",
                "request a shorter lifetime, or sign with credentials that last longer",
            )));
        }
        let presigned = presigned.map_err(Error::Sign)?;
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

/// Checks that the URL binds every header: a header that it does not bind would be ignored silently.
fn check_headers(operation: &Operation, signer: &Signer) -> Result<(), Error> {
    let lost = |(name, value): &(&HeaderName, &HeaderValue)| !signer.binds(name.as_str(), value.as_bytes());
    match operation.headers.iter().find(lost) {
        None => Ok(()),
        Some((name, _)) => Err(Error::InvalidInput(InvalidInput::new(
            format!("a URL cannot bind the header {:?}", name.as_str()),
            "leave it out, since the user of the URL may send it, or list it in `additional_headers` (V4)",
        ))),
    }
}

/// Fresh credentials, if they last longer than the current ones.
async fn longer_lasting(refresh: Refresh, current: &Credentials) -> Option<Credentials> {
    match refresh().await {
        Ok(fresh) => (!fresh.is_anonymous() && lasts_longer(&fresh, current)).then_some(fresh),
        Err(error) => {
            let error = tracing::field::display(error);
            tracing::warn!(
                name: names::PRESIGN_REFRESH_FAILED, target: TRACING_TARGET, error,
                event = names::PRESIGN_REFRESH_FAILED,
                "no fresh credentials could be fetched, so a URL expires with the current ones"
            );
            None
        }
    }
}

/// Whether the credentials expire before the requested time, or have expired.
fn is_short(presigned: &Result<Presigned, SignError>) -> bool {
    match presigned {
        Ok(presigned) => presigned.limited_by() == LimitedBy::Credentials,
        Err(error) => matches!(error, SignError::CredentialsExpired),
    }
}

fn lasts_longer(one: &Credentials, other: &Credentials) -> bool {
    match (one.expires_at(), other.expires_at()) {
        (None, other) => other.is_some(),
        (Some(one), Some(other)) => one > other,
        (Some(_), None) => false,
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

/// A request that anyone without credentials can send.
///
/// The URL is a secret: anyone who has it can send the request until the URL expires. `Debug` does not show its query.
#[derive(Clone)]
pub struct PresignedRequest {
    method: Method,
    url: String,
    headers: Vec<(String, Vec<u8>)>,
    valid_until: SystemTime,
    limited_by: LimitedBy,
}

impl PresignedRequest {
    /// Returns the HTTP method, such as `GET`.
    pub fn method(&self) -> &str {
        self.method.as_str()
    }

    /// Returns the complete URL. A secret.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Returns the headers that the signature binds, with names in lower case. The request must have exactly these, and
    /// no other `Content-Type`, `Content-MD5` or `x-oss-*` header.
    pub fn headers(&self) -> impl Iterator<Item = (&str, &[u8])> {
        self.headers
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_slice()))
    }

    /// Returns when the URL expires, by the service's clock: after the requested time, or with the credentials if that
    /// is earlier.
    pub fn valid_until(&self) -> SystemTime {
        self.valid_until
    }

    /// Returns [`PresignedRequest::valid_until`] for display: prints as UTC, such as `2026-01-01T08:30:00Z`.
    pub fn valid_until_utc(&self) -> UtcTime {
        self.valid_until.into()
    }

    /// Returns what determines [`PresignedRequest::valid_until`].
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
            .field("valid_until", &self.valid_until_utc())
            .field("limited_by", &self.limited_by)
            .finish_non_exhaustive()
    }
}
