//! A tower layer over `http::Request`.

use std::fmt;
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::{Request, Response};
use http_body::Body;
use tower_layer::Layer;
use tower_service::Service;

use crate::body::ResponseBody;
use crate::signing::Signing;

/// Any error, as tower's own middleware returns it. An error of this crate is an [`Error`](crate::Error).
pub type BoxError = Box<dyn std::error::Error + Send + Sync>;

type Repeat<B> = Arc<dyn Fn(&B) -> Option<B> + Send + Sync>;
type AsBytes<B> = Arc<dyn Fn(&B) -> Option<Bytes> + Send + Sync>;

/// Signs each request before the inner service sends it, and sends it once more if the key was rejected.
///
/// Put the layer next to the service that sends: a layer after it that changes headers or the query breaks the signature.
///
/// # Examples
///
/// ```
/// use bytes::Bytes;
/// use http_body_util::Full;
/// use hyper_util::{client::legacy::Client, rt::TokioExecutor};
/// use oss_credentials_core::Credentials;
/// use oss_credentials_middleware::{SignLayer, Signing};
/// use tower::Layer;
///
/// let provider = Credentials::builder("example-id", "example-secret").build()?;
/// let signing = Signing::oss(provider, "cn-hangzhou", "oss-cn-hangzhou.aliyuncs.com")?;
/// let http = Client::builder(TokioExecutor::new()).build_http::<Full<Bytes>>();
/// let service = SignLayer::<Full<Bytes>>::new(signing).layer(http);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct SignLayer<B> {
    signing: Signing,
    repeat: Repeat<B>,
    bytes: AsBytes<B>,
}

impl<B: Clone + 'static> SignLayer<B> {
    /// Creates a layer for bodies that can be cloned. It is for OSS, whose signature does not include the body.
    pub fn new(signing: Signing) -> Self {
        Self::with_repeat(signing, |body: &B| Some(body.clone()))
    }
}

impl<B> SignLayer<B> {
    /// Creates a layer for any body. The closure returns a copy of a body, or `None` if the body cannot be sent again; the
    /// request is then sent once, and the response that rejects the key is returned.
    pub fn with_repeat(signing: Signing, repeat: impl Fn(&B) -> Option<B> + Send + Sync + 'static) -> Self {
        Self {
            signing,
            repeat: Arc::new(repeat),
            bytes: Arc::new(|_| None),
        }
    }

    /// Sets how the bytes of a body are read. An OpenAPI signature includes their hash. Default: they cannot be read, and
    /// OpenAPI requests fail.
    #[must_use]
    pub fn body_bytes(mut self, bytes: impl Fn(&B) -> Option<Bytes> + Send + Sync + 'static) -> Self {
        self.bytes = Arc::new(bytes);
        self
    }
}

impl<B> Clone for SignLayer<B> {
    fn clone(&self) -> Self {
        Self {
            signing: self.signing.clone(),
            repeat: Arc::clone(&self.repeat),
            bytes: Arc::clone(&self.bytes),
        }
    }
}

impl<B> fmt::Debug for SignLayer<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("SignLayer").field(&self.signing).finish()
    }
}

impl<S, B> Layer<S> for SignLayer<B> {
    type Service = SignService<S, Self>;

    fn layer(&self, inner: S) -> Self::Service {
        let layer = self.clone();
        SignService { inner, layer }
    }
}

/// The service that [`SignLayer`] makes.
#[derive(Clone, Debug)]
pub struct SignService<S, L> {
    inner: S,
    layer: L,
}

impl<S, B, R> Service<Request<B>> for SignService<S, SignLayer<B>>
where
    S: Service<Request<B>, Response = Response<R>> + Clone + Send + 'static,
    S::Future: Send,
    S::Error: Into<BoxError>,
    B: Send + 'static,
    R: Body<Data = Bytes> + Send + Unpin + 'static,
    R::Error: Into<BoxError>,
{
    type Response = Response<ResponseBody<R>>;
    type Error = BoxError;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, BoxError>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.inner.poll_ready(cx).map_err(Into::into)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        // The one that was ready is used, and its clone takes its place.
        let fresh = self.inner.clone();
        let inner = std::mem::replace(&mut self.inner, fresh);
        Box::pin(send(inner, self.layer.clone(), request))
    }
}

async fn send<S, B, R>(
    mut inner: S,
    layer: SignLayer<B>,
    request: Request<B>,
) -> Result<Response<ResponseBody<R>>, BoxError>
where
    S: Service<Request<B>, Response = Response<R>>,
    S::Error: Into<BoxError>,
    R: Body<Data = Bytes> + Unpin,
    R::Error: Into<BoxError>,
{
    let (mut parts, body) = request.into_parts();
    let second = (layer.repeat)(&body).map(|body| (parts.clone(), body));
    let bytes = layer.signing.needs_body().then(|| (layer.bytes)(&body)).flatten();
    let used = layer.signing.sign(&mut parts, bytes.as_deref()).await?;
    let sent = inner.call(Request::from_parts(parts, body)).await;
    let sent = ResponseBody::of(sent.map_err(Into::into)?).await;
    let response = sent.map_err(Into::into)?;
    let (status, headers) = (response.status(), response.headers());
    let document = response.body().document();
    let other = layer.signing.replacement(&used, status, headers, document).await;
    let (Some(other), Some((mut parts, again))) = (other, second) else {
        return Ok(response);
    };
    layer.signing.sign_with(&mut parts, bytes.as_deref(), &other)?;
    poll_fn(|cx| inner.poll_ready(cx)).await.map_err(Into::into)?;
    let sent = inner.call(Request::from_parts(parts, again)).await;
    let sent = ResponseBody::of(sent.map_err(Into::into)?).await;
    sent.map_err(Into::into)
}
