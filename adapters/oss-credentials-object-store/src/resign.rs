//! Replaces a rejected key of the S3 store, which signs a request once and repeats it as it is.

use std::sync::Arc;

use http::header::AUTHORIZATION;
use http::{HeaderName, HeaderValue, Request};
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

const DATE: HeaderName = HeaderName::from_static("x-amz-date");
const TOKEN: HeaderName = HeaderName::from_static("x-amz-security-token");
const CONTENT_HASH: HeaderName = HeaderName::from_static("x-amz-content-sha256");
/// Beginning of the header `Authorization`.
const SIGNED: &[u8] = b"AWS4-HMAC-SHA256 Credential=";
/// Value of [`CONTENT_HASH`] for a body that is not signed.
const UNSIGNED_PAYLOAD: &[u8] = b"UNSIGNED-PAYLOAD";

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
        let sent = Sent::of(&request);
        let response = self.inner.execute(request).await?;
        match sent {
            // In a box of its own, since it is rare: each call would carry its size.
            Some(sent) if response.status().is_client_error() => {
                Box::pin(self.after_refusal(*sent, response)).await
            }
            _ => Ok(response),
        }
    }
}

impl S3Service {
    async fn after_refusal(&self, sent: Sent, response: HttpResponse) -> Result<HttpResponse, HttpError> {
        let response = ResponseBody::of(response).await?;
        let document = response.body().document();
        let refusal = Refusal::of_http(response.status(), response.headers(), document);
        if refusal == Some(Refusal::Key)
            && let Some(again) = self.signed_again(sent).await
        {
            return self.inner.execute(again).await;
        }
        Ok(response.map(HttpResponseBody::new))
    }

    /// Signs a request with the credentials that replace the rejected ones.
    async fn signed_again(&self, sent: Sent) -> Option<HttpRequest> {
        let scope = sent.authorization.strip_prefix(SIGNED)?;
        let mut scope = std::str::from_utf8(scope).ok()?.split('/');
        let (key, _date, region) = (scope.next()?, scope.next()?, scope.next()?);
        let token = sent.token.as_ref().map(HeaderValue::as_bytes);
        let is_rejected = |credentials: &Credentials| {
            credentials.access_key_id() == key && credentials.security_token().map(str::as_bytes) == token
        };
        let other: Arc<AwsCredential> = self.credentials.replacement(is_rejected).await?;
        let digest = match sent.hash.as_bytes() {
            UNSIGNED_PAYLOAD => None,
            hash => Some(sha256(hash)?),
        };
        let mut request = sent.request;
        AwsAuthorizer::new(&other, "s3", region)
            .with_sign_payload(digest.is_some())
            .try_authorize(&mut request, digest.as_ref().map(|digest| &digest[..]))
            .ok()?;
        Some(request)
    }
}

/// A request as it was before its signature, and what the signature says. Each request is copied, so this is small.
struct Sent {
    request: HttpRequest,
    /// `AWS4-HMAC-SHA256 Credential=<key>/<date>/<region>/s3/aws4_request, ..`
    ///
    /// Document: "Authenticating Requests: Using the Authorization Header" (Amazon S3, API reference).
    authorization: Vec<u8>,
    /// That of the body, in hexadecimal digits, or [`UNSIGNED_PAYLOAD`].
    hash: HeaderValue,
    token: Option<HeaderValue>,
}

impl Sent {
    /// `None` if the request is not signed.
    fn of(request: &HttpRequest) -> Option<Box<Self>> {
        let mut copy = Request::new(request.body().clone());
        *copy.method_mut() = request.method().clone();
        *copy.uri_mut() = request.uri().clone();
        *copy.extensions_mut() = request.extensions().clone();
        let (mut authorization, mut hash, mut token) = (None, None, None);
        for (name, value) in request.headers() {
            if *name == AUTHORIZATION {
                authorization = Some(value.as_bytes().to_vec());
            } else if *name == CONTENT_HASH {
                hash = Some(value.clone());
            } else if *name == TOKEN {
                token = Some(value.clone());
            } else if *name != DATE {
                copy.headers_mut().append(name, value.clone());
            }
        }
        Some(Box::new(Self {
            request: copy,
            authorization: authorization?,
            hash: hash?,
            token,
        }))
    }
}

/// The digest that is written in hexadecimal digits.
fn sha256(hex: &[u8]) -> Option<[u8; 32]> {
    let digits = std::str::from_utf8(hex)
        .ok()
        .filter(|digits| digits.len() == 64)?;
    let mut digest = [0; 32];
    for (index, byte) in digest.iter_mut().enumerate() {
        *byte = u8::from_str_radix(digits.get(2 * index..2 * index + 2)?, 16).ok()?;
    }
    Some(digest)
}
