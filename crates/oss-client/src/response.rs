//! What the service answered.

use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::SystemTime;

use bytes::{Bytes, BytesMut};
use futures_core::Stream;
use futures_util::stream;
use oss_credentials_core::http::{HttpError, HttpErrorKind, Scrubber};
use oss_credentials_core::{BoxFuture, Credentials};
use reqwest::StatusCode;
use reqwest::header::HeaderMap;

use crate::date;
use crate::error::{CorruptionError, Error, InvalidResponse, Place, TransportError};
use crate::service_error::X_OSS_REQUEST_ID;
use crate::transport::{Silence, from_reqwest, guarded, poll_timer, silent};
use crate::xml::Element;

/// Up to how many bytes the announced length of an object is reserved at once.
const MAX_RESERVED: u64 = 8 * 1024 * 1024;

/// Status and headers of a successful answer. OSS tells nearly everything in headers.
///
/// `Debug` shows no header but the request's id.
#[derive(Clone)]
pub struct Response {
    status: StatusCode,
    headers: HeaderMap,
    request_id: Option<String>,
}

impl fmt::Debug for Response {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Response")
            .field("status", &self.status)
            .field("request_id", &self.request_id)
            .finish_non_exhaustive()
    }
}

impl Response {
    /// The answer to a request that was signed with `used`. Its id is taken for one only if it looks like it: it goes
    /// into logs and errors, and whoever answers may repeat a token there.
    pub(crate) fn new(status: StatusCode, headers: HeaderMap, used: &Credentials) -> Self {
        let id = headers.get(X_OSS_REQUEST_ID).and_then(|id| id.to_str().ok());
        let request_id = id.and_then(|id| Scrubber::of(used).identifier(id).map(str::to_owned));
        Self {
            status,
            headers,
            request_id,
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
    /// bytes, such as user metadata, are in [`Response::headers`].
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// The service's id of the request; support asks for it. `None` if there is none, or nothing that looks like one.
    pub fn request_id(&self) -> Option<&str> {
        self.request_id.as_deref()
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

    /// `Content-Range`, such as `bytes 0-99/1000`, of a part that was asked for.
    pub fn content_range(&self) -> Option<&str> {
        self.header("content-range")
    }

    /// `Content-MD5` in base64.
    pub fn content_md5(&self) -> Option<&str> {
        self.header("content-md5")
    }

    /// `Last-Modified`
    pub fn last_modified(&self) -> Option<SystemTime> {
        date::from_http(self.header("last-modified")?)
    }

    /// `x-oss-last-access-time`, of a bucket that tracks it.
    pub fn last_access_time(&self) -> Option<SystemTime> {
        date::from_http(self.header("x-oss-last-access-time")?)
    }

    /// `x-oss-hash-crc64ecma`: CRC-64/XZ of the whole object or part.
    pub fn crc64(&self) -> Option<u64> {
        self.header("x-oss-hash-crc64ecma")?.parse().ok()
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
    /// [`Error::Transport`] if the service is silent for too long, or the body ends before its length; at the end
    /// [`Error::Corrupted`] if the CRC-64 of a whole object is not the service's.
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

    /// The body as a document with this root.
    pub(crate) async fn document(self, root: &str) -> Result<(Response, Element, Place), Error> {
        let Self { response, mut body } = self;
        let place = body.place.clone();
        let mut whole = Vec::new();
        while let Some(piece) = body.chunk().await? {
            whole.extend_from_slice(&piece);
        }
        let document = std::str::from_utf8(&whole).ok().and_then(Element::parse);
        match document.filter(|document| document.name == root) {
            Some(document) => Ok((response, document, place)),
            None => Err(Error::InvalidResponse(Box::new(InvalidResponse::new(
                place,
                response.request_id(),
                format!("its body is no document {root:?}"),
                "check the endpoint, and what answers there",
            )))),
        }
    }

    /// An error about what this answer says.
    pub(crate) fn unusable(&self, what: &'static str, hint: &'static str) -> Error {
        let (place, id) = (self.body.place.clone(), self.request_id());
        Error::InvalidResponse(Box::new(InvalidResponse::new(place, id, what, hint)))
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
///
/// Behind the last piece of a whole object stands [`Error::Corrupted`] if its CRC-64 is not the one that the service
/// told, unless [`ClientBuilder::check_crc`](crate::ClientBuilder::check_crc) is off. Parts of an object
/// (`Range`), processed objects (`x-oss-process`) and bodies that were compressed for the way are not compared.
pub struct AnswerBody {
    /// `None` behind the end.
    pieces: Option<Pieces>,
    silence: Silence,
    timer: Option<BoxFuture<'static, ()>>,
    place: Place,
    check: Option<Box<Check>>,
}

/// What the body has to be.
struct Check {
    digest: crc64fast::Digest,
    stored: u64,
    request_id: Option<String>,
}

impl AnswerBody {
    pub(crate) fn new(response: reqwest::Response, silence: Silence, place: Place) -> Self {
        Self {
            pieces: Some(Box::pin(response.bytes_stream())),
            silence,
            timer: None,
            place,
            check: None,
        }
    }

    /// Compares the CRC-64 at the end with the one in the answer, if there is one.
    pub(crate) fn checked(mut self, response: &Response) -> Self {
        self.check = response.crc64().map(|stored| {
            Box::new(Check {
                digest: crc64fast::Digest::new(),
                stored,
                request_id: response.request_id().map(str::to_owned),
            })
        });
        self
    }

    /// The same body once it has arrived, at most `limit` bytes.
    pub(crate) async fn whole(mut self, limit: usize) -> Result<Self, Error> {
        let mut whole = BytesMut::new();
        while let Some(piece) = self.chunk().await? {
            if whole.len().saturating_add(piece.len()) > limit {
                let what = format!("the document has more than {limit} bytes");
                let error = HttpError::new(HttpErrorKind::Other, what);
                return Err(Error::Transport(Box::new(TransportError::new(self.place, error))));
            }
            whole.extend_from_slice(&piece);
        }
        self.pieces = Some(Box::pin(stream::iter([Ok(whole.freeze())])));
        Ok(self)
    }

    /// What the end of the body says.
    fn check_end(&mut self) -> Option<Error> {
        let check = self.check.take()?;
        let received = check.digest.sum64();
        (received != check.stored).then(|| {
            let place = self.place.clone();
            let error = CorruptionError::received(place, received, check.stored, check.request_id);
            Error::Corrupted(Box::new(error))
        })
    }

    /// The next piece; `None` at the end.
    ///
    /// # Errors
    ///
    /// Those of [`Answer::chunk`].
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
        if let (Some(check), Ok(Some(piece))) = (&mut this.check, &piece) {
            check.digest.write(piece);
        }
        Poll::Ready(match piece {
            Ok(Some(piece)) => Some(Ok(piece)),
            Ok(None) => this.check_end().map(Err),
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
