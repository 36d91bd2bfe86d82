//! A middleware of the crate reqwest-middleware.

use http::Extensions;
use oss_credentials_core::Credentials;
use reqwest::{Body, Request, Response, ResponseBuilderExt as _};
use reqwest_middleware::{Error, Middleware, Next, Result};

use crate::body::ResponseBody;
use crate::signing::Signing;

/// Signs each request before it is sent, and sends it once more if the key was rejected.
///
/// Add it last, next to the client: a middleware after it that changes headers or the query breaks the signature. The client must
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
    /// Creates a middleware that signs requests with `signing`.
    pub fn new(signing: Signing) -> Self {
        Self { signing }
    }

    /// Signs a request with these credentials, or with the provider's; returns those that were used.
    async fn sign(&self, request: &mut Request, with: Option<Credentials>) -> Result<Credentials> {
        let head = http::Request::builder()
            .method(request.method())
            .uri(request.url().as_str());
        let (mut parts, ()) = head.body(()).map_err(Error::middleware)?.into_parts();
        parts.headers.clone_from(request.headers());
        let body = request.body().map_or(Some(&b""[..]), Body::as_bytes);
        let used = match with {
            Some(other) => self.signing.sign_with(&mut parts, body, &other).map(|()| other),
            None => self.signing.sign(&mut parts, body).await,
        };
        *request.headers_mut() = parts.headers;
        used.map_err(Error::middleware)
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
        let used = self.sign(&mut request, None).await?;
        let response = next.clone().run(request, extensions).await?;
        if !response.status().is_client_error() {
            return Ok(response);
        }
        // The conversion drops the URL.
        let url = http::Response::builder().url(response.url().clone()).body(());
        let (url, ()) = url.map_err(Error::middleware)?.into_parts();
        let mut response = ResponseBody::of(http::Response::<Body>::from(response)).await?;
        response.extensions_mut().extend(url.extensions);

        let (status, headers) = (response.status(), response.headers());
        let document = response.body().document();
        let other = self.signing.replacement(&used, status, headers, document).await;
        if let (Some(other), Some(mut again)) = (other, second) {
            self.sign(&mut again, Some(other)).await?;
            return next.run(again, extensions).await;
        }
        Ok(Response::from(response.map(Body::wrap)))
    }
}
