//! Makes the S3 store speak OSS's own protocol.

use std::sync::Arc;

use http::header::IF_NONE_MATCH;
use http::{HeaderMap, HeaderName, HeaderValue, Request};
use object_store::ClientOptions;
use object_store::client::{
    HttpClient, HttpConnector, HttpError, HttpErrorKind, HttpRequest, HttpResponse, HttpResponseBody,
    HttpService, ReqwestConnector,
};
use oss_credentials_middleware::{Error, ResponseBody, Signing};

const AMZ: &str = "x-amz-";
const OSS: &str = "x-oss-";
const FORBID_OVERWRITE: HeaderName = HeaderName::from_static("x-oss-forbid-overwrite");

/// Makes the S3 store of object_store speak OSS's own protocol: signature version 4, `x-oss-*` headers, and
/// `PutMode::Create`, which the S3-compatible endpoint does not have.
///
/// Give the store no credentials of its own (`with_skip_signature(true)`), and virtual-hosted addresses. Credentials are
/// taken from the provider before each request. If the service rejects the key, that is reported to the provider, and the
/// request is sent once more.
///
/// # Examples
///
/// ```
/// use object_store::aws::AmazonS3Builder;
/// use oss_credentials_core::Credentials;
/// use oss_credentials_middleware::Signing;
/// use oss_credentials_object_store::OssConnector;
///
/// let provider = Credentials::builder("example-id", "example-secret").build()?;
/// let signing = Signing::oss(provider, "cn-hangzhou", "oss-cn-hangzhou.aliyuncs.com")?;
/// let store = AmazonS3Builder::new()
///     .with_region("cn-hangzhou")
///     .with_bucket_name("examplebucket")
///     .with_endpoint("https://examplebucket.oss-cn-hangzhou.aliyuncs.com")
///     .with_virtual_hosted_style_request(true)
///     .with_skip_signature(true)
///     .with_http_connector(OssConnector::new(signing))
///     .build()?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct OssConnector {
    signing: Signing,
    inner: Arc<dyn HttpConnector>,
}

impl OssConnector {
    /// Creates a connector that signs with `signing` and sends through object_store's own client.
    pub fn new(signing: Signing) -> Self {
        Self {
            signing,
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

impl HttpConnector for OssConnector {
    fn connect(&self, options: &ClientOptions) -> object_store::Result<HttpClient> {
        Ok(HttpClient::new(OssService {
            signing: self.signing.clone(),
            inner: self.inner.connect(options)?,
        }))
    }
}

#[derive(Debug)]
struct OssService {
    signing: Signing,
    inner: HttpClient,
}

#[async_trait::async_trait]
impl HttpService for OssService {
    async fn call(&self, request: HttpRequest) -> Result<HttpResponse, HttpError> {
        let (mut parts, body) = request.into_parts();
        parts.headers = as_oss(&parts.headers);
        let (mut again, again_body) = (parts.clone(), body.clone());
        let used = self.signing.sign(&mut parts, None).await.map_err(failed)?;
        let response = self.inner.execute(Request::from_parts(parts, body)).await?;
        if !response.status().is_client_error() {
            return Ok(as_s3(response));
        }
        let response = ResponseBody::of(response).await?;
        let (status, headers) = (response.status(), response.headers());
        let document = response.body().document();
        let other = self.signing.replacement(&used, status, headers, document).await;
        let Some(other) = other else {
            return Ok(as_s3(response.map(HttpResponseBody::new)));
        };
        self.signing.sign_with(&mut again, None, &other).map_err(failed)?;
        let response = self.inner.execute(Request::from_parts(again, again_body)).await?;
        Ok(as_s3(response))
    }
}

/// object_store does not retry this kind: a second attempt would fail in the same way.
fn failed(error: Error) -> HttpError {
    HttpError::new(HttpErrorKind::Unknown, error)
}

/// Renames the headers of the request to those of OSS. Checksums and signatures of S3 are left out.
///
/// Vendor document: "`PutObject`" (Object Storage Service, API reference), for `x-oss-forbid-overwrite`.
fn as_oss(headers: &HeaderMap) -> HeaderMap {
    let mut renamed = HeaderMap::with_capacity(headers.len() + 5);
    for (name, value) in headers {
        let Some(rest) = name.as_str().strip_prefix(AMZ) else {
            renamed.append(name, value.clone());
            continue;
        };
        let is_of_s3 = rest.starts_with("checksum-")
            || rest.starts_with("sdk-")
            || matches!(rest, "date" | "content-sha256");
        if let (false, Ok(name)) = (
            is_of_s3,
            HeaderName::from_bytes(format!("{OSS}{rest}").as_bytes()),
        ) {
            let value = if rest == "copy-source" {
                copy_source(value)
            } else {
                value.clone()
            };
            renamed.append(name, value);
        }
    }
    // OSS takes no condition on a write but this one.
    if renamed.get(IF_NONE_MATCH).is_some_and(|value| value == "*") {
        renamed.remove(IF_NONE_MATCH);
        renamed.insert(FORBID_OVERWRITE, HeaderValue::from_static("true"));
    }
    renamed
}

/// The store sends `bucket/key`; OSS documents `/bucket/key`.
///
/// Vendor document: "`CopyObject`" (Object Storage Service, API reference).
fn copy_source(value: &HeaderValue) -> HeaderValue {
    if value.as_bytes().starts_with(b"/") {
        return value.clone();
    }
    let with_slash = [&b"/"[..], value.as_bytes()].concat();
    HeaderValue::from_bytes(&with_slash).unwrap_or_else(|_| value.clone())
}

/// The headers of the response that the S3 store reads: metadata and the version.
fn as_s3(mut response: HttpResponse) -> HttpResponse {
    let headers = response.headers();
    let renamed: Vec<(HeaderName, HeaderValue)> = headers
        .iter()
        .filter_map(|(name, value)| {
            let rest = name.as_str().strip_prefix(OSS)?;
            let is_read = rest.starts_with("meta-") || rest == "version-id";
            let name = HeaderName::from_bytes(format!("{AMZ}{rest}").as_bytes()).ok()?;
            is_read.then(|| (name, value.clone()))
        })
        .collect();
    response.headers_mut().extend(renamed);
    response
}
