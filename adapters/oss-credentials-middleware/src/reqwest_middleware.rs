//! A middleware of the crate reqwest-middleware.

use bytes::{Bytes, BytesMut};
use http::Extensions;
use reqwest::{Body, Request, Response, ResponseBuilderExt as _};
use reqwest_middleware::{Middleware, Next, Result};

use crate::error::Error;
use crate::refusal::{MAX_ERROR_BODY, may_reject_key, rejects_key};
use crate::signing::Signing;

/// Signs each request before it is sent, and sends it once more if the key was rejected.
///
/// Add it last, next to the client: whatever changes headers or the query after it breaks the signature. The client must
/// not follow redirects, or the security token goes to other servers.
///
/// # Examples
///
/// ```
/// use oss_credentials_core::Credentials;
/// use oss_credentials_middleware::{SignMiddleware, Signing};
///
/// let provider = Credentials::builder("example-id", "example-secret").build()?;
/// let signing = Signing::oss(provider, "cn-hangzhou", "oss-cn-hangzhou.aliyuncs.com")?;
/// let http = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build()?;
/// let client = reqwest_middleware::ClientBuilder::new(http)
///     .with(SignMiddleware::new(signing))
///     .build();
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct SignMiddleware {
    signing: Signing,
}

impl SignMiddleware {
    /// A middleware that signs so.
    pub fn new(signing: Signing) -> Self {
        Self { signing }
    }

    async fn signed(
        &self,
        request: &mut Request,
    ) -> std::result::Result<oss_credentials_core::Credentials, Error> {
        let unsigned = http::Request::builder()
            .method(request.method())
            .uri(request.url().as_str())
            .body(());
        let (mut parts, ()) = unsigned
            .map_err(|_| Error::OssSign(oss_sign::SignError::InvalidUri))?
            .into_parts();
        parts.headers.clone_from(request.headers());
        let bytes = match request.body() {
            None => Some(&b""[..]),
            Some(body) => body.as_bytes(),
        };
        let used = self.signing.sign(&mut parts, bytes).await?;
        *request.headers_mut() = parts.headers;
        Ok(used)
    }
}

#[async_trait::async_trait]
impl Middleware for SignMiddleware {
    async fn handle(
        &self,
        mut request: Request,
        extensions: &mut Extensions,
        next: Next<'_>,
    ) -> Result<Response> {
        let second = request.try_clone();
        let used = self.signed(&mut request).await.map_err(failed)?;
        let response = next.clone().run(request, extensions).await?;
        if !may_reject_key(response.status()) {
            return Ok(response);
        }
        let (response, document) = with_document(response).await?;
        if !rejects_key(response.headers(), &document) || !self.signing.replaces(&used).await {
            return Ok(response);
        }
        let Some(mut again) = second else {
            return Ok(response);
        };
        self.signed(&mut again).await.map_err(failed)?;
        next.run(again, extensions).await
    }
}

fn failed(error: Error) -> reqwest_middleware::Error {
    reqwest_middleware::Error::middleware(error)
}

/// The response, and its body, which is put back.
async fn with_document(mut response: Response) -> Result<(Response, Bytes)> {
    let mut head = http::Response::builder()
        .status(response.status())
        .version(response.version())
        .url(response.url().clone());
    if let Some(headers) = head.headers_mut() {
        headers.clone_from(response.headers());
    }
    let mut document = BytesMut::new();
    while let Some(piece) = response.chunk().await? {
        document.extend_from_slice(&piece);
        if document.len() > MAX_ERROR_BODY {
            return Err(failed(Error::LargeRefusal));
        }
    }
    let document = document.freeze();
    let whole = head.body(Body::from(document.clone()));
    let whole = whole.map_err(reqwest_middleware::Error::middleware)?;
    Ok((Response::from(whole), document))
}
