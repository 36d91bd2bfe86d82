//! A tower layer over `http::Request`.

use std::error::Error as StdError;
use std::fmt;
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::{Bytes, BytesMut};
use http::request::Parts;
use http::{Extensions, Request, Response};
use http_body::{Body, Frame, SizeHint};
use tower_layer::Layer;
use tower_service::Service;

use crate::refusal::{MAX_ERROR_BODY, may_reject_key, rejects_key};
use crate::signing::Signing;

/// Any error, as tower's own middleware returns it. An error of this crate is an [`Error`](crate::Error).
pub type BoxError = Box<dyn StdError + Send + Sync>;

type Repeat<B> = Arc<dyn Fn(&B) -> Option<B> + Send + Sync>;
type AsBytes<B> = Arc<dyn Fn(&B) -> Option<Bytes> + Send + Sync>;

/// Signs each request before the inner service sends it, and sends it once more if the key was rejected.
///
/// The layer goes next to the service that sends: whatever changes headers or the query after it breaks the signature.
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
    /// A layer for bodies that can be cloned. For OSS, whose signature does not include the body.
    pub fn new(signing: Signing) -> Self {
        Self::with_repeat(signing, |body: &B| Some(body.clone()))
    }
}

impl<B> SignLayer<B> {
    /// A layer for any body; the closure makes a second body of a first, or `None` if it cannot be sent again. Such a
    /// request is sent once, and the response that rejects the key is returned.
    pub fn with_repeat(signing: Signing, repeat: impl Fn(&B) -> Option<B> + Send + Sync + 'static) -> Self {
        Self {
            signing,
            repeat: Arc::new(repeat),
            bytes: Arc::new(|_| None),
        }
    }

    /// Sets how the bytes of a body are read, whose hash an OpenAPI signature includes. Default: none can be read, and
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
    type Service = SignService<S, B>;

    fn layer(&self, inner: S) -> Self::Service {
        SignService {
            inner,
            layer: self.clone(),
        }
    }
}

/// The service that [`SignLayer`] makes.
pub struct SignService<S, B> {
    inner: S,
    layer: SignLayer<B>,
}

impl<S: Clone, B> Clone for SignService<S, B> {
    fn clone(&self) -> Self {
        Self {
            inner: self.inner.clone(),
            layer: self.layer.clone(),
        }
    }
}

impl<S, B> fmt::Debug for SignService<S, B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("SignService").field(&self.layer.signing).finish()
    }
}

impl<S, B, R> Service<Request<B>> for SignService<S, B>
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
    let second = (layer.repeat)(&body).map(|body| (repeated(&parts), body));
    let bytes = layer.signing.needs_body().then(|| (layer.bytes)(&body)).flatten();
    let used = layer.signing.sign(&mut parts, bytes.as_deref()).await?;
    let sent = inner.call(Request::from_parts(parts, body)).await;
    let (head, body) = sent.map_err(Into::into)?.into_parts();
    if !may_reject_key(head.status) {
        return Ok(Response::from_parts(head, ResponseBody::whole(body)));
    }
    let body = ResponseBody::begun(body).await.map_err(Into::into)?;
    if !rejects_key(&head.headers, body.first.as_deref().unwrap_or_default())
        || !layer.signing.replaces(&used).await
    {
        return Ok(Response::from_parts(head, body));
    }
    let Some((mut parts, again)) = second else {
        return Ok(Response::from_parts(head, body));
    };
    layer.signing.sign(&mut parts, bytes.as_deref()).await?;
    poll_fn(|cx| inner.poll_ready(cx)).await.map_err(Into::into)?;
    let sent = inner.call(Request::from_parts(parts, again)).await;
    Ok(sent.map_err(Into::into)?.map(ResponseBody::whole))
}

/// The same head, for a second attempt.
fn repeated(parts: &Parts) -> Parts {
    let extensions: Extensions = parts.extensions.clone();
    let (mut again, ()) = Request::new(()).into_parts();
    again.method = parts.method.clone();
    again.uri = parts.uri.clone();
    again.version = parts.version;
    again.headers = parts.headers.clone();
    again.extensions = extensions;
    again
}

/// The body of a response: that of the inner service. What was read of an error document comes first.
#[derive(Debug)]
pub struct ResponseBody<R> {
    first: Option<Bytes>,
    rest: R,
}

impl<R: Body<Data = Bytes> + Unpin> ResponseBody<R> {
    fn whole(rest: R) -> Self {
        Self { first: None, rest }
    }

    /// Reads up to the limit. An error is returned: a body that has failed once may look complete when it is read on.
    async fn begun(mut rest: R) -> Result<Self, R::Error> {
        let mut first = BytesMut::new();
        while first.len() < MAX_ERROR_BODY {
            let frame = poll_fn(|cx| Pin::new(&mut rest).poll_frame(cx)).await;
            let Some(frame) = frame else { break };
            match frame?.into_data() {
                Ok(data) => first.extend_from_slice(&data),
                Err(_) => break,
            }
        }
        let first = (!first.is_empty()).then(|| first.freeze());
        Ok(Self { first, rest })
    }
}

impl<R: Body<Data = Bytes> + Unpin> Body for ResponseBody<R> {
    type Data = Bytes;
    type Error = R::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, R::Error>>> {
        match self.first.take() {
            Some(first) => Poll::Ready(Some(Ok(Frame::data(first)))),
            None => Pin::new(&mut self.rest).poll_frame(cx),
        }
    }

    fn is_end_stream(&self) -> bool {
        self.first.is_none() && self.rest.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        let read = self.first.as_ref().map_or(0, |first| first.len() as u64);
        let rest = self.rest.size_hint();
        let mut hint = SizeHint::new();
        hint.set_lower(rest.lower().saturating_add(read));
        if let Some(upper) = rest.upper() {
            hint.set_upper(upper.saturating_add(read));
        }
        hint
    }
}
