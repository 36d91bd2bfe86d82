//! What the service answered.

use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::SystemTime;

use bytes::{Bytes, BytesMut};
use futures_core::Stream;
use futures_util::stream;
use oss_credentials_core::Credentials;
use oss_credentials_http::{HttpError, HttpErrorKind, RequestIds};
use reqwest::StatusCode;
use reqwest::header::{self, HeaderMap, HeaderName};

use crate::body_check::{CRC64, Check, Expected};
use crate::date;
use crate::error::{Error, InvalidResponse, TransportError};
use crate::http_error::from_reqwest;
use crate::idle::{IdleTimeout, IdleTimer, guarded, silent};
use crate::number::number;
use crate::request_context::RequestContext;
use crate::xml::{ANY_ROOT, Element, Shape};

const REQUEST_ID: HeaderName = HeaderName::from_static("x-oss-request-id");

/// Longest document that is read, in bytes: a page of 1000 long keys has less than four million.
const MAX_DOCUMENT: u64 = 16 * 1024 * 1024;

/// A document has to arrive within this many times the read timeout: a server that sends a byte now and then is
/// never silent for long.
const DOCUMENT_PATIENCE: u32 = 3;

/// Up to how many bytes the announced length of an object is reserved at once.
const MAX_RESERVED: u64 = 8 * 1024 * 1024;

/// Status and headers of a successful response. OSS tells nearly everything in headers.
///
/// `Debug` shows no header but the request's id.
#[derive(Clone)]
pub struct ResponseHead {
    status: StatusCode,
    headers: HeaderMap,
    /// Whether its id looks like one.
    shows_id: bool,
}

impl fmt::Debug for ResponseHead {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ResponseHead")
            .field("status", &self.status)
            .field("request_id", &self.request_id())
            .finish_non_exhaustive()
    }
}

impl ResponseHead {
    /// The response to a request that was signed with `used`. Its id is taken for one only if it looks like it: it goes
    /// into logs and errors, and whoever answers may repeat a token there.
    pub(crate) fn new(status: StatusCode, headers: HeaderMap, ids: &RequestIds, used: &Credentials) -> Self {
        let id = headers.get(&REQUEST_ID).and_then(|id| id.to_str().ok());
        let shows_id = id.is_some_and(|id| ids.check(id, used).is_some());
        Self {
            status,
            headers,
            shows_id,
        }
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
    /// bytes, such as user metadata, are in [`ResponseHead::headers`].
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// The same by a name that need not be read first.
    fn text(&self, name: &HeaderName) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// The service's id of the request; support asks for it. `None` if there is none, or nothing that looks like one.
    pub fn request_id(&self) -> Option<&str> {
        self.text(&REQUEST_ID).filter(|_| self.shows_id)
    }

    /// `ETag`, with its quotes. Not always an MD5.
    pub fn etag(&self) -> Option<&str> {
        self.text(&header::ETAG)
    }

    /// `Content-Length` in bytes: of HEAD the object's length, of GET that of the range asked for.
    pub fn content_length(&self) -> Option<u64> {
        self.text(&header::CONTENT_LENGTH)?.parse().ok()
    }

    /// `Content-Type`
    pub fn content_type(&self) -> Option<&str> {
        self.text(&header::CONTENT_TYPE)
    }

    /// `Content-Range`, such as `bytes 0-99/1000`, of a part that was asked for.
    pub fn content_range(&self) -> Option<&str> {
        self.text(&header::CONTENT_RANGE)
    }

    /// `Content-MD5` in base64. It is not compared: the CRC-64 is.
    pub fn content_md5(&self) -> Option<&str> {
        self.header("content-md5")
    }

    /// `Last-Modified`
    pub fn last_modified(&self) -> Option<SystemTime> {
        date::from_http(self.text(&header::LAST_MODIFIED)?)
    }

    /// `x-oss-last-access-time`, of a bucket that tracks it.
    pub fn last_access_time(&self) -> Option<SystemTime> {
        date::from_http(self.header("x-oss-last-access-time")?)
    }

    /// `x-oss-hash-crc64ecma`: CRC-64/XZ of the whole object or part; `None` if there is none, or no number.
    pub fn crc64(&self) -> Option<u64> {
        number(self.text(&CRC64)?)
    }

    /// `x-oss-storage-class`, such as `Standard`.
    pub fn storage_class(&self) -> Option<&str> {
        self.header("x-oss-storage-class")
    }

    /// `x-oss-object-type`: `Normal`, `Multipart`, `Appendable` or `Symlink`.
    pub fn object_type(&self) -> Option<&str> {
        self.header("x-oss-object-type")
    }

    /// `x-oss-version-id`, of a bucket with versions.
    pub fn version_id(&self) -> Option<&str> {
        self.header("x-oss-version-id")
    }

    /// `x-oss-delete-marker`: whether a delete marker was made or removed.
    pub fn is_delete_marker(&self) -> bool {
        self.header("x-oss-delete-marker") == Some("true")
    }

    /// The object's own metadata: names behind `x-oss-meta-`, in lower case, and values as bytes.
    pub fn metadata(&self) -> impl Iterator<Item = (&str, &[u8])> {
        self.headers.iter().filter_map(|(name, value)| {
            let name = name.as_str().strip_prefix("x-oss-meta-")?;
            Some((name, value.as_bytes()))
        })
    }
}

/// A successful response whose body is still to be read, such as an object that is being downloaded.
///
/// # Examples
///
/// ```no_run
/// # async fn run(client: &oss_client::Client) -> Result<(), oss_client::Error> {
/// let mut object = client.get_object("examplebucket", "report.pdf").send().await?;
/// println!("{:?}", object.head().content_type());
/// while let Some(piece) = object.chunk().await? {
///     println!("{} bytes more", piece.len());
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct Response {
    head: ResponseHead,
    body: ResponseBody,
}

impl Response {
    pub(crate) fn new(head: ResponseHead, body: ResponseBody) -> Self {
        Self { head, body }
    }

    /// Status and headers.
    pub fn head(&self) -> &ResponseHead {
        &self.head
    }

    /// The HTTP status: 200, or 206 for a part that was asked for with `Range`.
    pub fn status(&self) -> StatusCode {
        self.head.status()
    }

    /// All headers.
    pub fn headers(&self) -> &HeaderMap {
        self.head.headers()
    }

    /// The service's id of the request; support asks for it.
    pub fn request_id(&self) -> Option<&str> {
        self.head.request_id()
    }

    /// The next piece of the body; `None` at its end.
    ///
    /// # Errors
    ///
    /// [`Error::Transport`] if the service is silent for too long, or the body has another length than announced; at
    /// the end [`Error::Corrupted`] if the CRC-64 of a whole object is not the service's.
    pub async fn chunk(&mut self) -> Result<Option<Bytes>, Error> {
        self.body.chunk().await
    }

    /// The whole body in memory.
    ///
    /// # Errors
    ///
    /// Those of [`Response::chunk`].
    pub async fn bytes(self) -> Result<Bytes, Error> {
        let announced = self.head.content_length().unwrap_or_default();
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

    /// The body as an XML document, whatever its root: for operations that this crate has no method for.
    ///
    /// It is read as the client's own documents are: up to 16 MiB, 65,536 elements and 16 levels, within three times
    /// the read timeout, and no unknown entity is left out. With [`Operation::expect_xml`](crate::Operation::expect_xml)
    /// the document belongs to the request, so that a document that was cut, or that is that of an error, is a failed
    /// attempt.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidResponse`] for what is not an XML document or beyond these bounds, and those of
    /// [`Response::chunk`].
    ///
    /// # Examples
    ///
    /// See [`Element`].
    pub async fn xml(self) -> Result<Element, Error> {
        let (head, context) = (self.head, self.body.context.clone());
        let whole = self.body.whole(&head).await?;
        parsed(&whole, ANY_ROOT.into(), &head, &context)
    }

    /// The body as a document of this shape, or with this root.
    pub(crate) async fn document(
        self,
        shape: impl Into<Shape>,
    ) -> Result<(ResponseHead, Element, RequestContext), Error> {
        let (head, context) = (self.head.clone(), self.body.context.clone());
        let document = parsed(&self.bytes().await?, shape.into(), &head, &context)?;
        Ok((head, document, context))
    }

    /// The same, of a response that may do without.
    pub(crate) async fn document_if_any(
        self,
        shape: impl Into<Shape>,
    ) -> Result<(ResponseHead, Option<Element>, RequestContext), Error> {
        let (head, context) = (self.head.clone(), self.body.context.clone());
        let whole = self.bytes().await?;
        let document = (!whole.is_empty()).then(|| parsed(&whole, shape.into(), &head, &context));
        Ok((head, document.transpose()?, context))
    }

    /// An error about what this response says.
    pub(crate) fn unusable(&self, what: &'static str, hint: &'static str) -> Error {
        let (context, id) = (self.body.context.clone(), self.request_id());
        Error::InvalidResponse(Box::new(InvalidResponse::new(context, id, what, hint)))
    }

    /// Status and headers alone. A body that was not read ends its connection.
    pub fn into_head(self) -> ResponseHead {
        self.head
    }

    /// The body as a stream.
    pub fn into_body(self) -> ResponseBody {
        self.body
    }

    /// Headers and body apart.
    pub fn into_parts(self) -> (ResponseHead, ResponseBody) {
        (self.head, self.body)
    }
}

fn parsed(
    whole: &[u8],
    shape: Shape,
    head: &ResponseHead,
    context: &RequestContext,
) -> Result<Element, Error> {
    let read = std::str::from_utf8(whole)
        .map_err(|_| "it is not UTF-8")
        .and_then(|text| Element::parse(text, shape));
    read.map_err(|why| {
        Error::InvalidResponse(Box::new(InvalidResponse::new(
            context.clone(),
            head.request_id(),
            match shape.root {
                ANY_ROOT => format!("its body is not an XML document: {why}"),
                root => format!("its body is not the document {root:?}: {why}"),
            },
            "check the endpoint, and what responds there",
        )))
    })
}

type Pieces = Pin<Box<dyn Stream<Item = reqwest::Result<Bytes>> + Send>>;

/// The body of a response: a stream of [`Bytes`], read from the connection as it is polled. It ends after an error.
///
/// A body that is shorter or longer than was announced, by its length or as a part of an object, is an
/// [`Error::Transport`]. Behind the last piece of a whole object stands [`Error::Corrupted`] if its CRC-64 is not the
/// one that the service told, unless [`ClientBuilder::check_crc`](crate::ClientBuilder::check_crc) is off. Parts of an
/// object (`Range`), processed objects (`x-oss-process`) and bodies that were compressed for the way are not compared,
/// nor are objects for which the service tells none.
pub struct ResponseBody {
    /// `None` behind the end.
    pieces: Option<Pieces>,
    idle: IdleTimeout,
    timer: IdleTimer,
    /// Whether the last poll found nothing.
    is_waiting: bool,
    context: RequestContext,
    check: Option<Box<Check>>,
}

impl ResponseBody {
    pub(crate) fn new(response: reqwest::Response, idle: IdleTimeout, context: RequestContext) -> Self {
        // Known of one that has none, as of most uploads.
        if response.content_length() == Some(0) {
            return Self::with(None, idle, context);
        }
        Self::with(Some(Box::pin(response.bytes_stream())), idle, context)
    }

    /// A body that has arrived.
    pub(crate) fn of(whole: Bytes, idle: IdleTimeout, context: RequestContext) -> Self {
        Self::with(Some(Box::pin(stream::iter([Ok(whole)]))), idle, context)
    }

    fn with(pieces: Option<Pieces>, idle: IdleTimeout, context: RequestContext) -> Self {
        Self {
            pieces,
            idle,
            timer: IdleTimer::default(),
            is_waiting: false,
            context,
            check: None,
        }
    }

    /// Compares length and CRC-64 with what is known of them.
    pub(crate) fn checked(mut self, expected: Expected, head: &ResponseHead) -> Self {
        self.check =
            (expected != Expected::default()).then(|| Box::new(Check::new(expected, head.request_id())));
        self
    }

    /// Leaves the CRC-64 to the caller, and says which one the content has to have.
    #[cfg(feature = "download-file")]
    pub(crate) fn without_crc(mut self) -> (Self, Option<u64>) {
        let stored = self.check.as_mut().and_then(|check| check.expected.crc.take());
        (self, stored)
    }

    /// The body of a document once it has arrived, within the time and length that a document may have.
    pub(crate) async fn whole(mut self, head: &ResponseHead) -> Result<Bytes, Error> {
        let too_long = |context: &RequestContext| {
            let what = format!("its document has more than {MAX_DOCUMENT} bytes");
            let hint = "check the endpoint, and what responds there";
            let error = InvalidResponse::new(context.clone(), head.request_id(), what, hint);
            Error::InvalidResponse(Box::new(error))
        };
        if head.content_length() > Some(MAX_DOCUMENT) {
            return Err(too_long(&self.context));
        }
        let limit = self.idle.limit.saturating_mul(DOCUMENT_PATIENCE);
        let mut timer = self.idle.sleep.sleep(limit);
        let mut whole = BytesMut::new();
        std::future::poll_fn(|cx| {
            while let Poll::Ready(piece) = Pin::new(&mut self).poll_next(cx) {
                let Some(piece) = piece.transpose()? else {
                    return Poll::Ready(Ok(()));
                };
                whole.extend_from_slice(&piece);
                if u64::try_from(whole.len()).is_ok_and(|length| length > MAX_DOCUMENT) {
                    return Poll::Ready(Err(too_long(&self.context)));
                }
            }
            guarded(|| timer.as_mut().poll(cx).map(Ok)).map(|timed| {
                let error = timed.err().unwrap_or_else(|| {
                    let what = format!("the document was not there after {} ms", limit.as_millis());
                    HttpError::new(HttpErrorKind::Timeout, what)
                });
                let context = self.context.clone();
                Err(Error::Transport(Box::new(TransportError::new(context, error))))
            })
        })
        .await?;
        Ok(whole.freeze())
    }

    /// The next piece; `None` at the end.
    ///
    /// # Errors
    ///
    /// Those of [`Response::chunk`].
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
            self.is_waiting = false;
            return Poll::Ready(piece.transpose().map_err(from_reqwest));
        }
        // What the caller did with the last piece is not time in which the service was silent.
        if !std::mem::replace(&mut self.is_waiting, true) {
            self.timer.restart(&self.idle);
        }
        let limit = self.idle.limit;
        self.timer
            .poll(&self.idle, limit, cx)
            .map(|()| Err(silent(limit)))
    }
}

impl Stream for ResponseBody {
    type Item = Result<Bytes, Error>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = &mut *self;
        let mut piece = std::task::ready!(guarded(|| this.poll_piece(cx)));
        if let (Some(check), Ok(Some(received))) = (&mut this.check, &piece)
            && let Err(error) = check.take(received)
        {
            piece = Err(error);
        }
        if !matches!(piece, Ok(Some(_))) {
            this.pieces = None;
        }
        Poll::Ready(match piece {
            Ok(Some(piece)) => Some(Ok(piece)),
            Ok(None) => this
                .check
                .take()
                .and_then(|check| check.end(this.context.clone()))
                .map(Err),
            Err(error) => {
                this.check = None;
                let error = TransportError::new(this.context.clone(), error);
                Some(Err(Error::Transport(Box::new(error))))
            }
        })
    }
}

impl fmt::Debug for ResponseBody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ResponseBody")
            .field("done", &self.pieces.is_none())
            .finish_non_exhaustive()
    }
}
