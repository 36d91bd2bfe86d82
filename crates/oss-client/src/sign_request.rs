//! Signed requests: those that the client sends, and those of other HTTP clients.

use std::sync::Arc;
use std::time::SystemTime;

use http::header::{CONTENT_LENGTH, HOST, USER_AGENT};
use http::request::Parts;
use http::{HeaderMap, HeaderName, HeaderValue, Method};
use oss_credentials_core::Credentials;
use oss_credentials_http::{HttpError, HttpErrorKind};
use oss_sign::{SignError, Signer};
use percent_encoding::percent_decode_str;

use crate::client::{Client, Inner};
use crate::endpoint::Endpoint;
use crate::error::{Error, TransportError};
use crate::operation::Operation;
use crate::progress::Progress;
use crate::{url, validate};

impl Inner {
    /// Adds the header `Host` if it is to be signed: the HTTP stack would only add it after signing.
    pub(crate) fn add_host(&self, bucket: Option<&str>, headers: &mut HeaderMap) {
        if self.signer.is_additional("host")
            && let Ok(host) = HeaderValue::try_from(self.endpoint.host_of(bucket))
        {
            add_default(headers, HOST, host);
        }
    }

    /// Checks that a body with the declared length 0 is empty.
    pub(crate) async fn check_empty(&self, operation: &mut Operation) -> Result<(), Error> {
        operation.body.check_empty().await.map_err(|error| {
            let error = HttpError::new(HttpErrorKind::Request, error);
            let context = operation.context(&self.endpoint);
            Error::Transport(Box::new(TransportError::new(context, error)))
        })
    }

    /// The signed request of one attempt. `url` is that of the operation, and is unchanged afterwards.
    pub(crate) fn request(
        &self,
        operation: &mut Operation,
        url: &mut String,
        credentials: &Credentials,
        time: SystemTime,
        progress: &Arc<Progress>,
    ) -> Result<reqwest::Request, Error> {
        let (url, mut parts) = operation.unsigned(url).map_err(Error::InvalidInput)?;
        add_default(&mut parts.headers, USER_AGENT, self.user_agent.clone());
        self.add_host(operation.bucket.as_deref(), &mut parts.headers);
        // Avoids chunked encoding, and hyper omits it for an empty upload. Signed if asked for.
        let is_upload = matches!(operation.method, Method::PUT | Method::POST);
        let length = operation.body.len().filter(|length| is_upload || *length > 0);
        if let Some(length) = length {
            add_default(&mut parts.headers, CONTENT_LENGTH, length.into());
        }
        let (bucket, key) = (operation.bucket.as_deref(), operation.key.as_deref());
        self.signer
            .with_sub_resources(&operation.sub_resources)
            .and_then(|signer| signer.sign_parts(&mut parts, bucket, key, credentials, time))
            .map_err(Error::Sign)?;
        let mut request = reqwest::Request::new(parts.method, url);
        *request.headers_mut() = parts.headers;
        *request.body_mut() = Some(operation.body.attempt(progress));
        Ok(request)
    }
}

/// Adds a header that the caller did not set. A full map is refused when it is signed.
fn add_default(headers: &mut HeaderMap, name: HeaderName, value: HeaderValue) {
    if !headers.contains_key(&name) {
        let _ = headers.try_insert(name, value);
    }
}

/// Signs a [`reqwest::Request`] in place with headers, for programs that send requests with their own reqwest client.
///
/// `bucket` and `key` are the logical names. The URL must contain them as written by [`oss_sign::url_path`], and is
/// refused if it leads to a different resource. For a host that is neither an IP address nor under `aliyuncs.com` this
/// cannot be checked completely, because it may be a custom domain of the bucket. The query is decoded and signed, so
/// write it with
/// [`oss_sign::encode_query`]: reqwest's own `query(..)` writes a space as `+`, which is refused. `time` is the signing
/// time. The client that sends the request must neither follow redirects nor add headers named `Content-Type`,
/// `Content-MD5` or `x-oss-*`.
///
/// `Authorization` and `x-oss-security-token` are marked as sensitive. With [anonymous](Credentials::anonymous)
/// credentials, and on an error, the request is not changed.
///
/// # Errors
///
/// [`Error::InvalidInput`] if the URL is not that of bucket and key, or already carries a signature. [`Error::Sign`]
/// with [`SignError::DotSegment`] if the key has a segment `.` or `..`, which reqwest has already removed from the URL,
/// with [`SignError::InvalidUri`] if the URL is longer than 65 534 bytes, and with the errors of the signer's
/// `sign_parts`.
///
/// # Examples
///
/// ```
/// use std::time::{Duration, SystemTime};
/// use oss_client::oss_sign::{Signer, v4};
/// use oss_client::sign_reqwest;
/// use oss_credentials_core::Credentials;
///
/// let signer = Signer::from(v4::Signer::builder("cn-hangzhou").build()?);
/// let credentials = Credentials::builder("FakeAccessKeyId0001", "FakeAccessKeySecret0001").build()?;
/// let time = SystemTime::UNIX_EPOCH + Duration::from_secs(1_767_256_200);
///
/// let url = "https://examplebucket.oss-cn-hangzhou.aliyuncs.com/exampleobject.txt".parse()?;
/// let mut request = reqwest::Request::new(reqwest::Method::GET, url);
/// let (bucket, key) = (Some("examplebucket"), Some("exampleobject.txt"));
/// sign_reqwest(&mut request, &signer, bucket, key, &credentials, time)?;
/// assert!(request.headers().contains_key("authorization"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn sign_reqwest(
    request: &mut reqwest::Request,
    signer: &Signer,
    bucket: Option<&str>,
    key: Option<&str>,
    credentials: &Credentials,
    time: SystemTime,
) -> Result<(), Error> {
    check(request, bucket, key, None)?;
    in_place(request, |parts| {
        signer.sign_parts(parts, bucket, key, credentials, time)
    })
}

impl Client {
    /// Returns the signed [`reqwest::Request`] that [`Client::send`] would send first, without sending it: for programs
    /// with an HTTP stack of their own, such as one with middleware.
    ///
    /// The request has the operation's URL, headers and body, and the same `User-Agent` and `Content-Length` as with
    /// `send`. The HTTP library adds `Host`, unless it is signed. A request whose body is bytes can be cloned. With
    /// anonymous credentials nothing is signed.
    ///
    /// The caller is responsible for everything else that `send` does:
    ///
    /// - Disable redirects: reqwest forwards the security token to other servers.
    /// - Add no header named `Content-Type`, `Content-MD5` or `x-oss-*`, and do not decompress objects that are
    ///   stored compressed.
    /// - The service accepts the signature for 15 minutes: sign again for each attempt.
    /// - Tell the provider when a key was rejected
    ///   ([`invalidate`](oss_credentials_core::CredentialsProvider::invalidate)). This client only corrects a wrong
    ///   clock from responses that it receives itself.
    /// - The timeouts of this client do not apply, and no CRC-64 is compared.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidInput`], [`Error::Credentials`] and [`Error::Sign`]; [`Error::Transport`] if the body is a
    /// stream with the declared length 0 that is not empty.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// use oss_client::Operation;
    ///
    /// # async fn run(client: &oss_client::Client) -> Result<(), Box<dyn std::error::Error>> {
    /// let http = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build()?;
    ///
    /// let put = client.put_object("examplebucket", "greeting.txt", "hello").content_type("text/plain");
    /// let response = http.execute(client.sign(put.into_operation()).await?).await?;
    /// assert!(response.status().is_success());
    ///
    /// let acl = Operation::new("GetBucketAcl", reqwest::Method::GET).bucket("examplebucket").query("acl", "");
    /// let document = http.execute(client.sign(acl).await?).await?.text().await?;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn sign(&self, mut operation: Operation) -> Result<reqwest::Request, Error> {
        let inner = &*self.inner;
        operation.with_defaults(&inner.default_headers);
        operation.check(&inner.endpoint)?;
        inner.check_empty(&mut operation).await?;
        let credentials = inner.provider.credentials().await.map_err(Error::Credentials)?;
        inner.warn_if_exposed(&credentials);
        let time = inner.call_clock().now();
        let mut url = operation.url(&inner.endpoint);
        let mut request = inner.request(&mut operation, &mut url, &credentials, time, &Arc::default())?;
        // In one piece, so that the request can be cloned.
        if let Some(bytes) = operation.body.bytes() {
            *request.body_mut() = Some(bytes.clone().into());
        }
        Ok(request)
    }

    /// Signs a [`reqwest::Request`] with this client's credentials, region and clock; the caller sends it.
    ///
    /// The requirements of [`sign_reqwest`] for URL, key and sending client apply. The client neither retries the
    /// request nor learns from its response: sign again for each attempt.
    ///
    /// # Errors
    ///
    /// [`Error::Credentials`], and those of [`sign_reqwest`]. On an error the request is not changed.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # async fn run(client: &oss_client::Client, http: &reqwest::Client) -> Result<(), Box<dyn std::error::Error>> {
    /// let url = "https://examplebucket.oss-cn-hangzhou.aliyuncs.com/exampleobject.txt";
    /// let mut request = http.get(url).build()?;
    /// client.sign_reqwest(&mut request, Some("examplebucket"), Some("exampleobject.txt")).await?;
    /// let response = http.execute(request).await?;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn sign_reqwest(
        &self,
        request: &mut reqwest::Request,
        bucket: Option<&str>,
        key: Option<&str>,
    ) -> Result<(), Error> {
        let inner = &*self.inner;
        // Checked before credentials are fetched.
        check(request, bucket, key, Some(&inner.endpoint))?;
        let credentials = inner.provider.credentials().await.map_err(Error::Credentials)?;
        if request.url().scheme() == "http" {
            inner.warn_if_exposed(&credentials);
        }
        let time = inner.call_clock().now();
        in_place(request, |parts| {
            inner.signer.sign_parts(parts, bucket, key, &credentials, time)
        })
    }
}

/// Refuses a URL that would be signed for one resource and sent to another.
fn check(
    request: &reqwest::Request,
    bucket: Option<&str>,
    key: Option<&str>,
    own: Option<&Endpoint>,
) -> Result<(), Error> {
    key.map_or(Ok(()), oss_sign::check_key_for_url)
        .map_err(Error::Sign)?;
    let url = request.url();
    for pair in url.query().into_iter().flat_map(|query| query.split('&')) {
        let name = pair.split_once('=').map_or(pair, |(name, _)| name);
        let name = percent_decode_str(name).decode_utf8_lossy();
        // A parameter without a name is harmless.
        if !name.is_empty() {
            validate::parameter(&name).map_err(Error::InvalidInput)?;
        }
    }
    url::check(url, bucket, key, own).map_err(Error::InvalidInput)
}

/// Passes a reqwest request as `http` parts to `sign`, and takes over the headers if that succeeds.
fn in_place(
    request: &mut reqwest::Request,
    sign: impl FnOnce(&mut Parts) -> Result<(), SignError>,
) -> Result<(), Error> {
    let unsigned = http::Request::builder()
        .method(request.method())
        .uri(request.url().as_str())
        .body(())
        .map_err(|_| Error::Sign(SignError::InvalidUri))?;
    let (mut parts, ()) = unsigned.into_parts();
    parts.headers.clone_from(request.headers());
    sign(&mut parts).map_err(Error::Sign)?;
    *request.headers_mut() = parts.headers;
    Ok(())
}
