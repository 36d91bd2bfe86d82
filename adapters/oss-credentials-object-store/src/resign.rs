//! Replaces a rejected key of the S3 store, which signs a request once and repeats it as it is.

use std::sync::Arc;

use http::header::AUTHORIZATION;
use http::{HeaderMap, Request};
use object_store::ClientOptions;
use object_store::aws::{AwsAuthorizer, AwsCredential};
use object_store::client::{
    HttpClient, HttpConnector, HttpError, HttpRequest, HttpResponse, HttpResponseBody, HttpService,
    ReqwestConnector,
};
use oss_credentials_core::Credentials;
use oss_credentials_middleware::ResponseBody;
use oss_sign::Refusal;

use crate::s3::S3Credentials;

const TOKEN: &str = "x-amz-security-token";
const CONTENT_HASH: &str = "x-amz-content-sha256";
const UNSIGNED_PAYLOAD: &str = "UNSIGNED-PAYLOAD";

/// Replaces a rejected key: if the service rejects the key or the token of a request, that is reported to the provider, and
/// the request is signed again by the signer of object_store and sent once more.
///
/// Pass the same credentials to the store.
///
/// # Examples
///
/// ```
/// use std::sync::Arc;
/// use object_store::aws::AmazonS3Builder;
/// use oss_credentials_core::Credentials;
/// use oss_credentials_object_store::{S3Connector, S3Credentials};
///
/// let provider = Credentials::builder("example-id", "example-secret").build()?;
/// let credentials = Arc::new(S3Credentials::new(provider));
/// let store = AmazonS3Builder::new()
///     .with_region("cn-hangzhou")
///     .with_bucket_name("examplebucket")
///     .with_endpoint("https://examplebucket.s3.oss-cn-hangzhou.aliyuncs.com")
///     .with_virtual_hosted_style_request(true)
///     .with_http_connector(S3Connector::new(credentials.clone()))
///     .with_credentials(credentials)
///     .build()?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct S3Connector {
    credentials: Arc<S3Credentials>,
    inner: Arc<dyn HttpConnector>,
}

impl S3Connector {
    /// Creates a connector that sends through object_store's own client.
    pub fn new(credentials: Arc<S3Credentials>) -> Self {
        Self {
            credentials,
            inner: Arc::new(ReqwestConnector::default()),
        }
    }

    /// Sets the connector that creates the sending client. Default: object_store's own.
    #[must_use]
    pub fn over(mut self, connector: impl HttpConnector) -> Self {
        self.inner = Arc::new(connector);
        self
    }
}

impl HttpConnector for S3Connector {
    fn connect(&self, options: &ClientOptions) -> object_store::Result<HttpClient> {
        Ok(HttpClient::new(S3Service {
            credentials: Arc::clone(&self.credentials),
            inner: self.inner.connect(options)?,
        }))
    }
}

#[derive(Debug)]
struct S3Service {
    credentials: Arc<S3Credentials>,
    inner: HttpClient,
}

#[async_trait::async_trait]
impl HttpService for S3Service {
    async fn call(&self, request: HttpRequest) -> Result<HttpResponse, HttpError> {
        let (parts, body) = request.into_parts();
        let again = Request::from_parts(parts.clone(), body.clone());
        let response = self.inner.execute(Request::from_parts(parts, body)).await?;
        if !response.status().is_client_error() {
            return Ok(response);
        }
        let response = ResponseBody::of(response).await?;
        let document = response.body().document();
        let refusal = Refusal::of_http(response.status(), response.headers(), document);
        if refusal == Some(Refusal::Key)
            && let Some(again) = self.signed_again(again).await
        {
            return self.inner.execute(again).await;
        }
        Ok(response.map(HttpResponseBody::new))
    }
}

impl S3Service {
    /// Signs a request with the credentials that replace the rejected ones.
    async fn signed_again(&self, mut request: HttpRequest) -> Option<HttpRequest> {
        let signed = Signed::of(request.headers())?;
        let signed_by = |credentials: &Credentials| signed.by(credentials, request.headers());
        let other: Arc<AwsCredential> = self.credentials.replacement(signed_by).await?;
        let hash = request.headers_mut().remove(CONTENT_HASH)?;
        request.headers_mut().remove(TOKEN);
        let digest = sha256(hash.as_bytes());
        AwsAuthorizer::new(&other, "s3", &signed.region)
            .with_sign_payload(hash != UNSIGNED_PAYLOAD)
            .try_authorize(&mut request, digest.as_ref().map(|digest| &digest[..]))
            .ok()?;
        Some(request)
    }
}

/// What the header `Authorization` says: `AWS4-HMAC-SHA256 Credential=<key>/<date>/<region>/s3/aws4_request, ..`.
///
/// Document: "Authenticating Requests: Using the Authorization Header" (Amazon S3, API reference).
struct Signed {
    key: String,
    region: String,
}

impl Signed {
    fn of(headers: &HeaderMap) -> Option<Self> {
        let authorization = headers.get(AUTHORIZATION)?.to_str().ok()?;
        let (_, scope) = authorization.split_once("Credential=")?;
        let mut scope = scope.split(['/', ',']);
        let (key, _date, region) = (scope.next()?, scope.next()?, scope.next()?);
        Some(Self {
            key: key.to_owned(),
            region: region.to_owned(),
        })
    }

    fn by(&self, credentials: &Credentials, headers: &HeaderMap) -> bool {
        let token = headers.get(TOKEN).map(http::HeaderValue::as_bytes);
        self.key == credentials.access_key_id() && token == credentials.security_token().map(str::as_bytes)
    }
}

/// The digest that is written in hexadecimal digits.
fn sha256(hex: &[u8]) -> Option<[u8; 32]> {
    let mut digest = [0; 32];
    let digits = std::str::from_utf8(hex)
        .ok()
        .filter(|digits| digits.len() == 64)?;
    for (index, byte) in digest.iter_mut().enumerate() {
        *byte = u8::from_str_radix(digits.get(2 * index..2 * index + 2)?, 16).ok()?;
    }
    Some(digest)
}
