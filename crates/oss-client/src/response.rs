//! Responses of the service.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};
use std::time::SystemTime;

use bytes::{Bytes, BytesMut};
use futures_core::Stream;
use futures_util::stream;
use oss_credentials_core::Credentials;
use oss_credentials_http::{HttpError, HttpErrorKind, RequestIds, http_date};
use reqwest::StatusCode;
use reqwest::header::{self, HeaderMap, HeaderName};
use tokio::sync::OwnedSemaphorePermit;

use crate::body_check::{CRC64, Check, Expected};
use crate::error::{Error, InvalidResponse, TransportError};
use crate::http_error::from_reqwest;
use crate::idle::{IdleTimeout, IdleTimer, guarded, silent};
use crate::number::number;
use crate::observe::Recorder;
use crate::request_context::RequestContext;
use crate::xml::{ANY_ROOT, Element, Shape};

const REQUEST_ID: HeaderName = HeaderName::from_static("x-oss-request-id");

/// The longest XML document that is read, in bytes: a page of 1000 long keys has less than four million.
const MAX_DOCUMENT: u64 = 16 * 1024 * 1024;

/// A document must arrive within this many read timeouts. Without this limit, a server that sends one byte now and then
/// would never count as silent.
const DOCUMENT_PATIENCE: u32 = 3;

/// The most memory that is reserved at once for an object of known length, in bytes.
const MAX_RESERVED: u64 = 8 * 1024 * 1024;

/// What to do about a response that contradicts the documentation of its operation.
pub(crate) const REPORT: &str = "report it to the service operator";

/// The status and headers of a successful response. OSS reports nearly everything in headers.
///
/// `Debug` shows no header except the request ID.
#[derive(Clone)]
pub struct ResponseHead {
    status: StatusCode,
    headers: HeaderMap,
    /// Whether the request ID has the form of one.
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
    /// The head of the response to a request that was signed with `used`. The request ID is only used if it has the
    /// form of one: it appears in logs and errors, and a forged response could put a token there.
    pub(crate) fn new(status: StatusCode, headers: HeaderMap, ids: &RequestIds, used: &Credentials) -> Self {
        let id = headers.get(&REQUEST_ID).and_then(|id| id.to_str().ok());
        let shows_id = id.is_some_and(|id| ids.check(id, used).is_some());
        Self {
            status,
            headers,
            shows_id,
        }
    }

    /// Returns the HTTP status, 2xx.
    pub fn status(&self) -> StatusCode {
        self.status
    }

    /// Returns all headers.
    pub fn headers(&self) -> &HeaderMap {
        &self.headers
    }

    /// Returns the value of the first header of this name, in any case; `None` if it is missing or contains anything
    /// but visible ASCII. Values with other bytes, such as user metadata, are in [`ResponseHead::headers`].
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// Like [`ResponseHead::header`], for a name that needs no parsing.
    fn text(&self, name: &HeaderName) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// Returns the service's ID of the request, which Alibaba Cloud support asks for. `None` if it is missing or does
    /// not have the form of an ID.
    pub fn request_id(&self) -> Option<&str> {
        self.text(&REQUEST_ID).filter(|_| self.shows_id)
    }

    /// Returns `ETag`, with its quotes. Not always an MD5.
    pub fn etag(&self) -> Option<&str> {
        self.text(&header::ETAG)
    }

    /// Returns `Content-Length` in bytes: for HEAD the object's length, for GET the length of the requested range.
    pub fn content_length(&self) -> Option<u64> {
        self.text(&header::CONTENT_LENGTH)?.parse().ok()
    }

    /// Returns `Content-Type`
    pub fn content_type(&self) -> Option<&str> {
        self.text(&header::CONTENT_TYPE)
    }

    /// Returns `Content-Range`, such as `bytes 0-99/1000`, if a range was requested.
    pub fn content_range(&self) -> Option<&str> {
        self.text(&header::CONTENT_RANGE)
    }

    /// Returns `Content-MD5` in base64. The client compares the CRC-64 instead of this value.
    pub fn content_md5(&self) -> Option<&str> {
        self.header("content-md5")
    }

    /// Returns `Last-Modified`
    pub fn last_modified(&self) -> Option<SystemTime> {
        http_date(self.text(&header::LAST_MODIFIED)?)
    }

    /// Returns `x-oss-last-access-time`, of a bucket with access tracking.
    pub fn last_access_time(&self) -> Option<SystemTime> {
        http_date(self.header("x-oss-last-access-time")?)
    }

    /// Returns `x-oss-hash-crc64ecma`: the CRC-64/XZ of the whole object or part; `None` if it is missing or not a
    /// number.
    pub fn crc64(&self) -> Option<u64> {
        number(self.text(&CRC64)?)
    }

    /// Returns `x-oss-storage-class`, such as `Standard`.
    pub fn storage_class(&self) -> Option<&str> {
        self.header("x-oss-storage-class")
    }

    /// Returns `x-oss-object-type`: `Normal`, `Multipart`, `Appendable` or `Symlink`.
    pub fn object_type(&self) -> Option<&str> {
        self.header("x-oss-object-type")
    }

    /// Returns `x-oss-version-id`, of a bucket with versioning.
    pub fn version_id(&self) -> Option<&str> {
        self.header("x-oss-version-id")
    }

    /// Returns whether a delete marker was created or removed (`x-oss-delete-marker`).
    pub fn is_delete_marker(&self) -> bool {
        self.header("x-oss-delete-marker") == Some("true")
    }

    /// Returns the object's user metadata: names in lower case without the prefix `x-oss-meta-`, and values as bytes.
    pub fn metadata(&self) -> impl Iterator<Item = (&str, &[u8])> {
        self.headers.iter().filter_map(|(name, value)| {
            let name = name.as_str().strip_prefix("x-oss-meta-")?;
            Some((name, value.as_bytes()))
        })
    }
}

/// A successful response whose body has not been read yet, such as an object that is being downloaded.
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

    /// Returns the status and headers.
    pub fn head(&self) -> &ResponseHead {
        &self.head
    }

    /// Returns the HTTP status: 200, or 206 for a range requested with `Range`.
    pub fn status(&self) -> StatusCode {
        self.head.status()
    }

    /// Returns all headers.
    pub fn headers(&self) -> &HeaderMap {
        self.head.headers()
    }

    /// Returns the service's ID of the request, which Alibaba Cloud support asks for.
    pub fn request_id(&self) -> Option<&str> {
        self.head.request_id()
    }

    /// Reads the next piece of the body; `None` at its end.
    ///
    /// # Errors
    ///
    /// [`Error::Transport`] if nothing arrives within the read timeout or the body's length differs from the announced
    /// one; at the end [`Error::Corrupted`] if the CRC-64 of a whole object differs from the service's.
    pub async fn chunk(&mut self) -> Result<Option<Bytes>, Error> {
        self.body.chunk().await
    }

    /// Reads the whole body into memory.
    ///
    /// # Errors
    ///
    /// Those of [`Response::chunk`].
    pub async fn bytes(self) -> Result<Bytes, Error> {
        self.body.bytes(&self.head).await
    }

    /// Reads the body as an XML document with any root element: for operations that this crate has no method for.
    ///
    /// The limits are those of the client's own documents: up to 16 MiB, 65,536 elements and 16 levels, within three
    /// times the read timeout; an unknown entity is an error. With
    /// [`Operation::expect_xml`](crate::Operation::expect_xml) the document is part of the attempt: a truncated
    /// document or an error document counts as a failed attempt.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidResponse`] for a body that is not an XML document or exceeds these limits, and the errors of
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

    /// Reads the body as a document of this shape, or with this root element. `read` takes the result from it, or
    /// returns what is wrong with it.
    pub(crate) async fn document<T>(
        self,
        shape: impl Into<Shape>,
        read: impl FnOnce(&Element, ResponseHead) -> Result<T, &'static str>,
    ) -> Result<T, Error> {
        let Self { head, body } = self;
        let context = body.context.clone();
        let document = parsed(&body.bytes(&head).await?, shape.into(), &head, &context)?;
        // `read` keeps the headers, which are not copied for an error that seldom happens.
        let id = head.request_id().map(str::to_owned);
        read(&document, head).map_err(|what| unusable(context, id.as_deref(), what, REPORT))
    }

    /// Like `document`, for a response whose body may be empty: then the result is the head.
    pub(crate) async fn document_if_any<T>(
        self,
        shape: impl Into<Shape>,
        read: impl FnOnce(&Element, ResponseHead) -> Result<T, &'static str>,
    ) -> Result<Result<T, ResponseHead>, Error> {
        let Self { head, body } = self;
        let (idle, context) = (body.idle.clone(), body.context.clone());
        let whole = body.bytes(&head).await?;
        if whole.is_empty() {
            return Ok(Err(head));
        }
        let body = ResponseBody::of(whole, idle, context);
        Self { head, body }.document(shape, read).await.map(Ok)
    }

    /// Keeps the attempt open, and the place of its request, until the body has been read or dropped.
    pub(crate) fn hold(&mut self, attempt: Recorder, slot: Option<OwnedSemaphorePermit>) {
        if self.body.is_on_connection {
            self.body.attempt = Some(attempt);
            self.body.slot = slot;
        }
    }

    /// An error about the content of this response.
    pub(crate) fn unusable(&self, what: &'static str, hint: &'static str) -> Error {
        unusable(self.body.context.clone(), self.request_id(), what, hint)
    }

    /// Returns the status and headers alone. If the body was not read, the connection is closed.
    pub fn into_head(self) -> ResponseHead {
        self.head
    }

    /// Returns the body as a stream.
    pub fn into_body(self) -> ResponseBody {
        self.body
    }

    /// Splits the response into its head and its body.
    pub fn into_parts(self) -> (ResponseHead, ResponseBody) {
        (self.head, self.body)
    }
}

fn unusable(context: RequestContext, id: Option<&str>, what: &'static str, hint: &'static str) -> Error {
    Error::InvalidResponse(Box::new(InvalidResponse::new(context, id, what, hint)))
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
/// A body that is shorter or longer than announced, by its length or as a range of an object, is an
/// [`Error::Transport`]. After the last piece of a whole object the stream yields [`Error::Corrupted`] if the object's
/// CRC-64 differs from the one the service reported, unless
/// [`ClientBuilder::check_crc`](crate::ClientBuilder::check_crc) is off. The CRC-64 is not compared for ranges
/// (`Range`), for processed objects (`x-oss-process`), for bodies compressed in transit, and for objects without a
/// reported CRC-64.
pub struct ResponseBody {
    /// `None` after the end.
    pieces: Option<Pieces>,
    idle: IdleTimeout,
    timer: IdleTimer,
    /// Whether the last poll was pending.
    is_waiting: bool,
    context: RequestContext,
    check: Option<Box<Check>>,
    /// Whether pieces come from a connection.
    is_on_connection: bool,
    /// Where the bytes are counted.
    received: Option<Arc<AtomicU64>>,
    /// The attempt, until it ends with this body.
    attempt: Option<Recorder>,
    /// The place of the request among those that may be under way, while it has one.
    slot: Option<OwnedSemaphorePermit>,
}

impl ResponseBody {
    pub(crate) fn new(response: reqwest::Response, idle: IdleTimeout, context: RequestContext) -> Self {
        // Known for a response without a body, as for most uploads.
        if response.content_length() == Some(0) {
            return Self::with(None, idle, context);
        }
        Self {
            is_on_connection: true,
            ..Self::with(Some(Box::pin(response.bytes_stream())), idle, context)
        }
    }

    /// A body that has arrived completely.
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
            is_on_connection: false,
            received: None,
            attempt: None,
            slot: None,
        }
    }

    /// Counts the bytes that are read.
    pub(crate) fn count(&mut self, received: Option<Arc<AtomicU64>>) {
        self.received = received;
    }

    /// Compares length and CRC-64 with the expected ones, as far as they are known.
    pub(crate) fn checked(mut self, expected: Expected, head: &ResponseHead) -> Self {
        self.check =
            (expected != Expected::default()).then(|| Box::new(Check::new(expected, head.request_id())));
        self
    }

    /// Disables the comparison of the CRC-64 and returns the expected one, for a caller that compares it.
    #[cfg(feature = "download-file")]
    pub(crate) fn without_crc(mut self) -> (Self, Option<u64>) {
        let stored = self.check.as_mut().and_then(|check| check.expected.crc.take());
        (self, stored)
    }

    /// Reads the whole body into memory.
    async fn bytes(mut self, head: &ResponseHead) -> Result<Bytes, Error> {
        let Some(first) = self.chunk().await? else {
            return Ok(Bytes::new());
        };
        let Some(second) = self.chunk().await? else {
            return Ok(first);
        };
        // The announced length may be wrong, so the amount reserved in advance is limited.
        let announced = head.content_length().unwrap_or_default().min(MAX_RESERVED);
        let reserved = usize::try_from(announced).unwrap_or_default();
        let mut whole = BytesMut::with_capacity(reserved.max(first.len().saturating_add(second.len())));
        whole.extend_from_slice(&first);
        whole.extend_from_slice(&second);
        while let Some(piece) = self.chunk().await? {
            whole.extend_from_slice(&piece);
        }
        Ok(whole.freeze())
    }

    /// Reads the whole body of a document, within the limits of time and length for documents.
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

    /// Reads the next piece; `None` at the end.
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
        // The time that the caller spent on the last piece is not time in which the service was silent.
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
        if let (Some(count), Ok(Some(received))) = (&this.received, &piece) {
            count.fetch_add(
                u64::try_from(received.len()).unwrap_or(u64::MAX),
                Ordering::Relaxed,
            );
        }
        if let (Some(check), Ok(Some(received))) = (&mut this.check, &piece)
            && let Err(error) = check.take(received)
        {
            piece = Err(error);
        }
        if !matches!(piece, Ok(Some(_))) {
            this.pieces = None;
            this.slot = None;
        }
        let failure = match piece {
            Ok(Some(piece)) => return Poll::Ready(Some(Ok(piece))),
            Ok(None) => this
                .check
                .take()
                .and_then(|check| check.end(this.context.clone())),
            Err(error) => {
                this.check = None;
                let error = TransportError::new(this.context.clone(), error);
                Some(Error::Transport(Box::new(error)))
            }
        };
        if let (Some(mut attempt), Some(failure)) = (this.attempt.take(), &failure) {
            attempt.failed(failure);
        }
        Poll::Ready(failure.map(Err))
    }
}

impl fmt::Debug for ResponseBody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ResponseBody")
            .field("done", &self.pieces.is_none())
            .finish_non_exhaustive()
    }
}
