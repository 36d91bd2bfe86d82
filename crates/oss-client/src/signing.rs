//! How the client signs: the version chosen, and requests of other clients.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use http::request::Parts;
use oss_credentials_core::Credentials;
use oss_sign::v4::Presigned;
use oss_sign::{RequestView, SignError, v1, v4};
use percent_encoding::percent_decode_str;

use crate::client::Client;
use crate::endpoint::Endpoint;
use crate::error::{Error, Problem};
use crate::operation::Operation;
use crate::{url, validate};

/// Product of all requests but those to a cloud box.
pub(crate) const PRODUCT: &str = oss_sign::v4::DEFAULT_PRODUCT;
/// Product of requests to a cloud box, as observed from the vendor's Python and Go SDKs V2.
pub(crate) const PRODUCT_CLOUD_BOX: &str = "oss-cloudbox";

/// Version of the signature.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum SignatureVersion {
    /// `OSS4-HMAC-SHA256`: names the region, and signs the whole query.
    #[default]
    V4,
    /// HMAC-SHA1, for services that do not take V4 yet. The vendor advises against it for new programs.
    V1,
}

/// The signer of the version chosen. What is particular to a version is behind this type.
#[derive(Clone, Debug)]
pub(crate) enum Signing {
    V4(v4::Signer),
    V1(v1::Signer),
}

impl Signing {
    /// `region` is the region, or the id of a cloud box.
    pub(crate) fn new(
        version: SignatureVersion,
        region: &str,
        product: &str,
        additional_headers: &[String],
    ) -> Result<Self, Error> {
        match version {
            SignatureVersion::V4 => {
                let signer = v4::Signer::builder(region)
                    .product(product)
                    .additional_headers(additional_headers);
                Ok(Self::V4(signer.build().map_err(Error::Sign)?))
            }
            SignatureVersion::V1 if !additional_headers.is_empty() => {
                Err(Error::InvalidConfig(Problem::new(
                    "`additional_headers` and `signature_version(V1)` are both set",
                    "leave the headers out, or sign with V4",
                )))
            }
            SignatureVersion::V1 => Ok(Self::V1(v1::Signer::new())),
        }
    }

    /// Whether the header is signed because it was asked for.
    pub(crate) fn is_additional(&self, name: &str) -> bool {
        match self {
            Self::V4(signer) => signer.additional_headers().any(|listed| listed == name),
            Self::V1(_) => false,
        }
    }

    /// Whether the signature of a URL binds this header.
    pub(crate) fn binds(&self, name: &str, value: &[u8]) -> bool {
        name.starts_with("x-oss-")
            || matches!(name, "content-md5" | "content-type")
            || (self.is_additional(name) && !value.is_empty())
    }

    /// Whether a URL can live so long.
    pub(crate) fn check_expires(&self, expires: Duration) -> Result<(), SignError> {
        match self {
            Self::V4(_) => v4::check_expires(expires),
            // When it ends shows whether it ends too late.
            Self::V1(_) if expires.as_secs() == 0 => Err(SignError::EndOutOfRange { seconds: 0 }),
            Self::V1(_) => Ok(()),
        }
    }

    /// This signer, and with it V1 signs the parameters of these names, too.
    pub(crate) fn with_sub_resources(&self, names: &[String]) -> Result<Cow<'_, Self>, SignError> {
        match self {
            Self::V1(_) if !names.is_empty() => {
                let signer = v1::Signer::builder().extra_sub_resources(names).build()?;
                Ok(Cow::Owned(Self::V1(signer)))
            }
            _ => Ok(Cow::Borrowed(self)),
        }
    }

    pub(crate) fn sign(
        &self,
        parts: &mut Parts,
        bucket: Option<&str>,
        key: Option<&str>,
        credentials: &Credentials,
        time: SystemTime,
    ) -> Result<(), SignError> {
        match self {
            Self::V4(signer) => signer.sign_parts(parts, bucket, key, credentials, time),
            Self::V1(signer) => signer.sign_parts(parts, bucket, key, credentials, time),
        }
    }

    pub(crate) fn presign(
        &self,
        view: &RequestView<'_>,
        credentials: &Credentials,
        time: SystemTime,
        expires: Duration,
    ) -> Result<Presigned, SignError> {
        match self {
            Self::V4(signer) => signer.presign(view, credentials, time, expires),
            Self::V1(signer) => signer.presign(view, credentials, time, expires),
        }
    }
}

mod sealed {
    pub trait Sealed {}
    impl Sealed for oss_sign::v4::Signer {}
    impl Sealed for oss_sign::v1::Signer {}
}

/// The signers of `oss-sign`: [`v4::Signer`] and [`v1::Signer`]. Not to be implemented elsewhere.
pub trait RequestSigner: sealed::Sealed {
    /// Signs a request by headers, in place; on an error nothing is changed.
    ///
    /// # Errors
    ///
    /// Those of the signer's `sign_parts`.
    fn sign_request(
        &self,
        parts: &mut Parts,
        bucket: Option<&str>,
        key: Option<&str>,
        credentials: &Credentials,
        time: SystemTime,
    ) -> Result<(), SignError>;
}

macro_rules! request_signer {
    ($($signer:ty),*) => {$(
        impl RequestSigner for $signer {
            fn sign_request(
                &self,
                parts: &mut Parts,
                bucket: Option<&str>,
                key: Option<&str>,
                credentials: &Credentials,
                time: SystemTime,
            ) -> Result<(), SignError> {
                self.sign_parts(parts, bucket, key, credentials, time)
            }
        }
    )*};
}
request_signer!(v4::Signer, v1::Signer);

/// Signs a [`reqwest::Request`] by headers, in place: for programs that send with their own reqwest client.
///
/// `bucket` and `key` are the logical names; the URL has to hold them as [`oss_sign::url_path`] writes them, and is
/// refused if it leads elsewhere. Of a host that is neither an IP address nor under `aliyuncs.com` it is not known
/// whether it is the bucket's: it may be a custom domain. The query is decoded and signed, so write it with
/// [`oss_sign::encode_query`]: reqwest's own `query(..)` writes a space as `+`, which is refused. `time` is the signing
/// time. The client that sends the request must neither follow redirects nor add headers named `Content-Type`,
/// `Content-MD5` or `x-oss-*`.
///
/// `Authorization` and `x-oss-security-token` are marked sensitive. With [anonymous](Credentials::anonymous)
/// credentials, and on an error, nothing is changed.
///
/// # Errors
///
/// [`Error::InvalidInput`] if the URL is not that of bucket and key, or carries a signature itself. [`Error::Sign`]
/// with [`SignError::DotSegment`] if the key has a segment `.` or `..`, which reqwest has already taken out of the URL,
/// with [`SignError::InvalidUri`] if the URL is longer than 65 534 bytes, and with those of the signer's `sign_parts`.
///
/// # Examples
///
/// ```
/// use std::time::{Duration, SystemTime};
/// use oss_client::oss_sign::v4::Signer;
/// use oss_client::sign_reqwest;
/// use oss_credentials_core::Credentials;
///
/// let signer = Signer::builder("cn-hangzhou").build()?;
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
    signer: &impl RequestSigner,
    bucket: Option<&str>,
    key: Option<&str>,
    credentials: &Credentials,
    time: SystemTime,
) -> Result<(), Error> {
    check(request, bucket, key, None)?;
    in_place(request, |parts| {
        signer.sign_request(parts, bucket, key, credentials, time)
    })
}

impl Client {
    /// Makes the signed [`reqwest::Request`] that [`Client::send`] sends first, and sends nothing: for programs with an
    /// HTTP stack of their own, such as one with middleware.
    ///
    /// It has the operation's URL, headers and body, and `User-Agent` and `Content-Length` as `send` sets them; `Host`
    /// is the HTTP library's, unless it is signed. A body of bytes can be cloned with the request. With anonymous
    /// credentials nothing is signed.
    ///
    /// All else that `send` does is up to who sends it:
    ///
    /// - Switch redirects off: reqwest takes the security token along to other servers.
    /// - Add no header named `Content-Type`, `Content-MD5` or `x-oss-*`, and do not decompress what is stored compressed.
    /// - The service takes the signature for 15 minutes: sign anew for each attempt.
    /// - Give a key that was rejected back to the provider
    ///   ([`invalidate`](oss_credentials_core::CredentialsProvider::invalidate)). A wrong clock is corrected only by
    ///   what this client hears itself.
    /// - No time-out of this client applies, and no CRC-64 is compared.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidInput`], [`Error::Credentials`] and [`Error::Sign`]; [`Error::Transport`] if the body is a
    /// stream of no bytes that has some.
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
    /// let answer = http.execute(client.sign(put.into_operation()).await?).await?;
    /// assert!(answer.status().is_success());
    ///
    /// let acl = Operation::new("GetBucketAcl", reqwest::Method::GET).bucket("examplebucket").query("acl", "");
    /// let document = http.execute(client.sign(acl).await?).await?.text().await?;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn sign(&self, mut operation: Operation) -> Result<reqwest::Request, Error> {
        operation.check(&self.inner.endpoint)?;
        let inner = &*self.inner;
        inner.check_empty(&mut operation).await?;
        let credentials = inner.provider.credentials().await.map_err(Error::Credentials)?;
        let time = inner.clock.now();
        let url = operation.url(&inner.endpoint);
        let mut request = inner.request(&mut operation, url, &credentials, time, &Arc::default())?;
        // In one piece, so that the request can be cloned.
        if let Some(bytes) = operation.body.bytes() {
            *request.body_mut() = Some(bytes.clone().into());
        }
        Ok(request)
    }

    /// Signs a [`reqwest::Request`] with this client's credentials, region and clock; the caller sends it.
    ///
    /// What [`sign_reqwest`] says of URL, key and sender holds here too. Neither retries nor what is learnt from
    /// answers apply: sign anew for each attempt.
    ///
    /// # Errors
    ///
    /// [`Error::Credentials`], and those of [`sign_reqwest`]. Nothing is changed then.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # async fn run(client: &oss_client::Client, http: &reqwest::Client) -> Result<(), Box<dyn std::error::Error>> {
    /// let url = "https://examplebucket.oss-cn-hangzhou.aliyuncs.com/exampleobject.txt";
    /// let mut request = http.get(url).build()?;
    /// client.sign_reqwest(&mut request, Some("examplebucket"), Some("exampleobject.txt")).await?;
    /// let answer = http.execute(request).await?;
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
        // Before credentials are fetched.
        check(request, bucket, key, Some(&inner.endpoint))?;
        let credentials = inner.provider.credentials().await.map_err(Error::Credentials)?;
        let time = inner.clock.now();
        in_place(request, |parts| {
            inner.signing.sign(parts, bucket, key, &credentials, time)
        })
    }
}

/// Finds what would be signed for something else than is sent.
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
        // One without name does no harm.
        if !name.is_empty() {
            validate::parameter(&name).map_err(Error::InvalidInput)?;
        }
    }
    url::check(url, bucket, key, own).map_err(Error::InvalidInput)
}

/// Shows a reqwest request as `http` parts to `sign`, and takes the headers over if that succeeds.
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
