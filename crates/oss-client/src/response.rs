//! What the service answered.

use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::{Bytes, BytesMut};
use futures_core::Stream;
use oss_credentials_core::BoxFuture;
use oss_credentials_core::http::HttpError;
use reqwest::StatusCode;
use reqwest::header::HeaderMap;

use crate::error::{Error, Place, TransportError};
use crate::service_error::X_OSS_REQUEST_ID;
use crate::transport::{Silence, from_reqwest, guarded, poll_timer, silent};

/// Up to how many bytes the announced length of an object is reserved at once.
const MAX_RESERVED: u64 = 8 * 1024 * 1024;

/// Status and headers of a successful answer. OSS tells nearly everything in headers.
#[derive(Clone, Debug)]
pub struct Response {
    status: StatusCode,
    headers: HeaderMap,
}

impl Response {
    pub(crate) fn new(status: StatusCode, headers: HeaderMap) -> Self {
        Self { status, headers }
    }

    /// The HTTP status, 2xx.
    pub fn status(&self) -> StatusCode {
        self.status
    }

    /// All headers.
    pub fn headers(&self) -> &HeaderMap {
        &self.headers
    }

    /// The first header of this name, in any case; `None` if it is missing or not visible ASCII. Values with other
    /// bytes, such as user metadata, are in [`Response::headers`].
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// The service's id of the request; support asks for it.
    pub fn request_id(&self) -> Option<&str> {
        self.header(X_OSS_REQUEST_ID)
    }

    /// `ETag`, with its quotes. Not always an MD5.
    pub fn etag(&self) -> Option<&str> {
        self.header("etag")
    }

    /// `Content-Length` in bytes: of HEAD the object's length, of GET that of the range asked for.
    pub fn content_length(&self) -> Option<u64> {
        self.header("content-length")?.parse().ok()
    }

    /// `Content-Type`
    pub fn content_type(&self) -> Option<&str> {
        self.header("content-type")
    }

    /// `x-oss-version-id`, of a bucket with versions.
    pub fn version_id(&self) -> Option<&str> {
        self.header("x-oss-version-id")
    }
}

/// A successful answer whose body is still to be read, such as an object that is being downloaded.
///
/// # Examples
///
/// ```no_run
/// # async fn run(client: &oss_client::Client) -> Result<(), oss_client::Error> {
/// let mut object = client.get_object("examplebucket", "report.pdf").send().await?;
/// println!("{:?}", object.response().content_type());
/// while let Some(piece) = object.chunk().await? {
///     println!("{} bytes more", piece.len());
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct Answer {
    response: Response,
    body: AnswerBody,
}

impl Answer {
    pub(crate) fn new(response: Response, body: AnswerBody) -> Self {
        Self { response, body }
    }

    /// Status and headers.
    pub fn response(&self) -> &Response {
        &self.response
    }

    /// The HTTP status: 200, or 206 for a part that was asked for with `Range`.
    pub fn status(&self) -> StatusCode {
        self.response.status()
    }

    /// All headers.
    pub fn headers(&self) -> &HeaderMap {
        self.response.headers()
    }

    /// The service's id of the request; support asks for it.
    pub fn request_id(&self) -> Option<&str> {
        self.response.request_id()
    }

    /// The next piece of the body; `None` at its end.
    ///
    /// # Errors
    ///
    /// [`Error::Transport`] if the service is silent for too long, or the body ends before its length.
    pub async fn chunk(&mut self) -> Result<Option<Bytes>, Error> {
        self.body.chunk().await
    }

    /// The whole body in memory.
    ///
    /// # Errors
    ///
    /// Those of [`Answer::chunk`].
    pub async fn bytes(self) -> Result<Bytes, Error> {
        let announced = self.response.content_length().unwrap_or_default();
        let mut body = self.body;
        let Some(first) = body.chunk().await? else {
            return Ok(Bytes::new());
        };
        let Some(second) = body.chunk().await? else {
            return Ok(first);
        };
        // The length may be a lie, so only so much is believed at once.
        let reserved = usize::try_from(announced.min(MAX_RESERVED)).unwrap_or_default();
        let mut whole = BytesMut::with_capacity(reserved.max(first.len().saturating_add(second.len())));
        whole.extend_from_slice(&first);
        whole.extend_from_slice(&second);
        while let Some(piece) = body.chunk().await? {
            whole.extend_from_slice(&piece);
        }
        Ok(whole.freeze())
    }

    /// Status and headers alone. A body that was not read ends its connection.
    pub fn into_response(self) -> Response {
        self.response
    }

    /// The body as a stream.
    pub fn into_body(self) -> AnswerBody {
        self.body
    }

    /// Headers and body apart.
    pub fn into_parts(self) -> (Response, AnswerBody) {
        (self.response, self.body)
    }
}

type Pieces = Pin<Box<dyn Stream<Item = reqwest::Result<Bytes>> + Send>>;

/// The body of an answer: a stream of [`Bytes`], read from the connection as it is polled. It ends after an error.
pub struct AnswerBody {
    /// `None` behind the end.
    pieces: Option<Pieces>,
    silence: Silence,
    timer: Option<BoxFuture<'static, ()>>,
    place: Place,
}

impl AnswerBody {
    pub(crate) fn new(response: reqwest::Response, silence: Silence, place: Place) -> Self {
        Self {
            pieces: Some(Box::pin(response.bytes_stream())),
            silence,
            timer: None,
            place,
        }
    }

    /// The next piece; `None` at the end.
    ///
    /// # Errors
    ///
    /// [`Error::Transport`] if the service is silent for too long, or the body ends before its length.
    pub async fn chunk(&mut self) -> Result<Option<Bytes>, Error> {
        std::future::poll_fn(|cx| Pin::new(&mut *self).poll_next(cx))
            .await
            .transpose()
    }

    fn poll_piece(&mut self, cx: &mut Context<'_>) -> Poll<Result<Option<Bytes>, HttpError>> {
        let Some(pieces) = &mut self.pieces else {
            return Poll::Ready(Ok(None));
        };
        if let Poll::Ready(piece) = pieces.as_mut().poll_next(cx) {
            return Poll::Ready(piece.transpose().map_err(from_reqwest));
        }
        if poll_timer(&mut self.timer, &self.silence, cx) {
            return Poll::Ready(Err(silent(self.silence.limit)));
        }
        Poll::Pending
    }
}

impl Stream for AnswerBody {
    type Item = Result<Bytes, Error>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = &mut *self;
        let piece = std::task::ready!(guarded(|| this.poll_piece(cx)));
        this.timer = None;
        if !matches!(piece, Ok(Some(_))) {
            this.pieces = None;
        }
        Poll::Ready(match piece {
            Ok(piece) => piece.map(Ok),
            Err(error) => {
                let error = TransportError::new(this.place.clone(), error);
                Some(Err(Error::Transport(Box::new(error))))
            }
        })
    }
}

impl fmt::Debug for AnswerBody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AnswerBody")
            .field("done", &self.pieces.is_none())
            .finish_non_exhaustive()
    }
}
