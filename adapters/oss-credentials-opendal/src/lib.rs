//! Alibaba Cloud credentials and signature version 4 for [opendal](https://docs.rs/opendal-core)'s OSS service.
//!
//! [`OssTransport`] signs the requests of `services-oss`, which is built with `skip_signature()`, with the credentials of
//! any provider of the family. If the service rejects the key, that is reported to the provider, and the request is sent
//! once more.
//!
//! ```
//! use opendal::services::Oss;
//! use opendal::{HttpTransporter, OperationContext, Operator};
//! use opendal_http_transport_reqwest::ReqwestTransport;
//! use oss_credentials_core::Credentials;
//! use oss_credentials_middleware::Signing;
//! use oss_credentials_opendal::OssTransport;
//!
//! let provider = Credentials::builder("example-id", "example-secret").build()?;
//! let signing = Signing::oss(provider, "cn-hangzhou", "oss-cn-hangzhou.aliyuncs.com")?;
//! let http = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build()?;
//! let transport = OssTransport::new(signing, HttpTransporter::new(ReqwestTransport::new(http)));
//!
//! let oss = Oss::default()
//!     .bucket("examplebucket")
//!     .endpoint("https://oss-cn-hangzhou.aliyuncs.com")
//!     .skip_signature();
//! let context = OperationContext::new().with_http_transport(HttpTransporter::new(transport));
//! let operator = Operator::new(oss)?.with_context(context);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
#![forbid(unsafe_code)]

use std::fmt;
use std::time::Duration;

use http::{Request, Response};
use opendal_core::raw::PresignedRequest;
use opendal_core::raw::oio::ReadStream as _;
use opendal_core::{Buffer, Error, ErrorKind, HttpBody, HttpTransport, HttpTransporter, Result};
use oss_credentials_core::CredentialsError;
use oss_credentials_middleware::{Error as Cause, MAX_ERROR_BODY, Signing};

/// Signs the requests of opendal's OSS service by signature version 4, and sends them through another transport.
///
/// Credentials are taken from the provider before each request.
#[derive(Clone)]
pub struct OssTransport {
    signing: Signing,
    inner: HttpTransporter,
}

impl OssTransport {
    /// Creates a transport that signs with `signing` and sends through `inner`. `inner` must not follow redirects, because
    /// other servers would receive the security token; opendal's default transport follows them.
    pub fn new(signing: Signing, inner: HttpTransporter) -> Self {
        Self { signing, inner }
    }

    /// Signs the URL of a request that the operator has presigned. With `skip_signature()`, the operator's
    /// `presign_read`, `presign_write` and `presign_stat` return URLs without a signature.
    ///
    /// The URL is valid for `expires`, at most 7 days, and no longer than the credentials.
    ///
    /// # Errors
    ///
    /// The provider's error, and a configuration error for a duration or URL that cannot be signed.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # use opendal::{Operator, Result};
    /// # use oss_credentials_opendal::OssTransport;
    /// # use std::time::Duration;
    /// # async fn link(operator: Operator, transport: OssTransport) -> Result<String> {
    /// let expires = Duration::from_mins(10);
    /// let unsigned = operator.presign_read("report.pdf", expires).await?;
    /// let presigned = transport.presign(unsigned, expires).await?;
    /// # Ok(presigned.uri().to_string())
    /// # }
    /// ```
    pub async fn presign(&self, request: PresignedRequest, expires: Duration) -> Result<PresignedRequest> {
        let (mut parts, ()) = Request::new(()).into_parts();
        parts.method = request.method().clone();
        parts.uri = request.uri().clone();
        parts.headers = request.header().clone();
        self.signing.presign(&mut parts, expires).await.map_err(failed)?;
        Ok(PresignedRequest::new(parts.method, parts.uri, parts.headers))
    }
}

impl fmt::Debug for OssTransport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("OssTransport").field(&self.signing).finish()
    }
}

impl HttpTransport for OssTransport {
    async fn fetch(&self, request: Request<Buffer>) -> Result<Response<HttpBody>> {
        let (mut parts, body) = request.into_parts();
        // A clone of the body shares its bytes.
        let (mut again, again_body) = (parts.clone(), body.clone());
        let used = self.signing.sign(&mut parts, None).await.map_err(failed)?;
        let response = self.inner.fetch(Request::from_parts(parts, body)).await?;
        if !response.status().is_client_error() {
            return Ok(response);
        }
        let (head, body) = response.into_parts();
        let document = error_document(body).await?;
        let other = self
            .signing
            .replacement(&used, head.status, &head.headers, &document);
        if let Some(other) = other.await {
            self.signing.sign_with(&mut again, None, &other).map_err(failed)?;
            return self.inner.fetch(Request::from_parts(again, again_body)).await;
        }
        let size = u64::try_from(document.len()).ok();
        let body = futures_util::stream::iter([Ok(Buffer::from(document))]);
        Ok(Response::from_parts(head, HttpBody::new(body, size)))
    }
}

/// Reads the body of a refusal and puts it back.
async fn error_document(mut body: HttpBody) -> Result<Vec<u8>> {
    let mut document = Vec::new();
    loop {
        let piece = body.read().await?;
        if piece.is_empty() {
            return Ok(document);
        }
        document.extend(piece.to_vec());
        if document.len() > MAX_ERROR_BODY {
            let text = "opendal: the response that refuses the request is larger than 64 KiB";
            return Err(Error::new(ErrorKind::Unexpected, text));
        }
    }
}

/// The text is the provider's. opendal's retry layer may retry where a later attempt may succeed.
fn failed(error: Cause) -> Error {
    let kind = match &error {
        Cause::Credentials(CredentialsError::Denied(_)) => ErrorKind::PermissionDenied,
        Cause::Credentials(CredentialsError::NotConfigured(_) | CredentialsError::InvalidConfig(_))
        | Cause::OssSign(_) => ErrorKind::ConfigInvalid,
        _ => ErrorKind::Unexpected,
    };
    let is_temporary = matches!(&error, Cause::Credentials(error) if error.is_retryable());
    let wrapped = Error::new(kind, error.to_string()).set_source(error);
    if is_temporary {
        wrapped.set_temporary()
    } else {
        wrapped
    }
}
