//! What is uploaded.

use std::error::Error;
use std::fmt;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use futures_core::Stream;

/// In how many bytes at most a body is handed to the HTTP stack, so that its progress can be watched.
const PIECE: usize = 64 * 1024;

pub(crate) type BoxError = Box<dyn Error + Send + Sync>;
pub(crate) type BoxStream = Box<dyn Stream<Item = Result<Bytes, BoxError>> + Send + Unpin>;

/// The content of an object to store: bytes at hand, or a stream.
///
/// Bytes, and streams that can be opened again, can be sent again: an operation with them is repeated after a rejected
/// key, a wrong clock, or a failure that the [`RetryPolicy`](crate::RetryPolicy) lets pass. Other streams are sent once.
///
/// # Examples
///
/// ```
/// use oss_client::Body;
///
/// let text = Body::from("hello");
/// assert_eq!(text.len(), Some(5));
///
/// let pieces = futures_util::stream::iter([Ok::<_, std::io::Error>("hel".into()), Ok("lo".into())]);
/// let streamed = Body::sized_stream(pieces, 5);
/// assert_eq!(streamed.len(), Some(5));
/// ```
pub struct Body(Content);

enum Content {
    Bytes(Bytes),
    Stream {
        /// `None` once it was sent.
        stream: Option<BoxStream>,
        length: Option<u64>,
    },
    Reopened {
        open: Box<dyn Fn() -> BoxStream + Send>,
        length: u64,
    },
}

impl Body {
    /// No bytes.
    pub fn empty() -> Self {
        Self::from(Bytes::new())
    }

    /// A stream of unknown length, sent in HTTP chunks. Prefer [`Body::sized_stream`] where the length is known.
    pub fn stream<S, E>(stream: S) -> Self
    where
        S: Stream<Item = Result<Bytes, E>> + Send + 'static,
        E: Into<BoxError> + 'static,
    {
        Self::from_stream(stream, None)
    }

    /// A stream of `length` bytes. One that ends earlier, goes on or fails behind them is an error, and nothing is
    /// stored: the piece that completes the length is held back until the stream has ended, so it must end.
    pub fn sized_stream<S, E>(stream: S, length: u64) -> Self
    where
        S: Stream<Item = Result<Bytes, E>> + Send + 'static,
        E: Into<BoxError> + 'static,
    {
        Self::from_stream(stream, Some(length))
    }

    /// A stream of `length` bytes that is opened anew for each attempt, as a file can be. What holds for
    /// [`Body::sized_stream`] holds for each of them.
    ///
    /// # Examples
    ///
    /// ```
    /// use oss_client::Body;
    ///
    /// let body = Body::reopened(5, || {
    ///     futures_util::stream::iter([Ok::<_, std::io::Error>("hel".into()), Ok("lo".into())])
    /// });
    /// assert_eq!(body.len(), Some(5));
    /// ```
    pub fn reopened<F, S, E>(length: u64, open: F) -> Self
    where
        F: Fn() -> S + Send + 'static,
        S: Stream<Item = Result<Bytes, E>> + Send + 'static,
        E: Into<BoxError> + 'static,
    {
        Self(Content::Reopened {
            open: Box::new(move || Box::new(Boxed(Box::pin(open())))),
            length,
        })
    }

    fn from_stream<S, E>(stream: S, length: Option<u64>) -> Self
    where
        S: Stream<Item = Result<Bytes, E>> + Send + 'static,
        E: Into<BoxError> + 'static,
    {
        Self(Content::Stream {
            stream: Some(Box::new(Boxed(Box::pin(stream)))),
            length,
        })
    }

    /// The length in bytes, if it is known.
    pub fn len(&self) -> Option<u64> {
        match &self.0 {
            Content::Bytes(bytes) => u64::try_from(bytes.len()).ok(),
            Content::Stream { length, .. } => *length,
            Content::Reopened { length, .. } => Some(*length),
        }
    }

    /// Whether there is certainly nothing in it.
    pub fn is_empty(&self) -> bool {
        self.len() == Some(0)
    }

    /// What is in it.
    pub(crate) fn open(self) -> Opened {
        match self.0 {
            Content::Bytes(bytes) => Opened::Bytes(bytes),
            Content::Stream {
                stream: Some(stream),
                length,
            } => Opened::Stream(stream, length),
            Content::Stream { stream: None, .. } => Opened::Bytes(Bytes::new()),
            Content::Reopened { open, length } => Opened::Stream(open(), Some(length)),
        }
    }

    /// The bytes, if they are at hand.
    pub(crate) fn bytes(&self) -> Option<&Bytes> {
        match &self.0 {
            Content::Bytes(bytes) => Some(bytes),
            Content::Stream { .. } | Content::Reopened { .. } => None,
        }
    }

    /// Whether it can be sent once more.
    pub(crate) fn is_repeatable(&self) -> bool {
        // A stream that was not touched yet can still be sent: credentials may have been missing.
        !matches!(self.0, Content::Stream { stream: None, .. })
    }

    /// Reads a stream of no bytes to its end, since the HTTP stack does not ask for a body without length.
    ///
    /// # Errors
    ///
    /// The stream has bytes, or fails.
    pub(crate) async fn check_empty(&mut self) -> Result<(), UploadError> {
        let stream = match &mut self.0 {
            Content::Stream {
                stream,
                length: Some(0),
            } => stream.take(),
            Content::Reopened { open, length: 0 } => Some(open()),
            _ => return Ok(()),
        };
        if let Some(stream) = stream {
            let mut upload = Upload::new(Source::Stream(stream), Some(0), Arc::default());
            let first = std::future::poll_fn(|cx| Pin::new(&mut upload).poll_next(cx)).await;
            first.transpose()?;
        }
        // What is known to be nothing can be sent again.
        self.0 = Content::Bytes(Bytes::new());
        Ok(())
    }

    /// Gives the body of one attempt; a stream only once.
    pub(crate) fn attempt(&mut self, progress: &Arc<Progress>) -> reqwest::Body {
        let length = self.len();
        let source = match &mut self.0 {
            Content::Bytes(bytes) if bytes.len() <= PIECE => {
                progress.add(bytes);
                return bytes.clone().into();
            }
            Content::Bytes(bytes) => Source::Bytes(bytes.clone()),
            Content::Stream { stream, .. } => stream
                .take()
                .map_or_else(|| Source::Bytes(Bytes::new()), Source::Stream),
            Content::Reopened { open, .. } => Source::Stream(open()),
        };
        reqwest::Body::wrap_stream(Upload::new(source, length, Arc::clone(progress)))
    }
}

/// The content of a body, taken out.
pub(crate) enum Opened {
    Bytes(Bytes),
    /// With its length, if that is known.
    Stream(BoxStream, Option<u64>),
}

impl Default for Body {
    fn default() -> Self {
        Self::empty()
    }
}

impl fmt::Debug for Body {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = match self.0 {
            Content::Bytes(_) => "bytes",
            Content::Stream { .. } => "stream",
            Content::Reopened { .. } => "stream that can be opened again",
        };
        match self.len() {
            Some(length) => write!(f, "Body({kind}, {length} bytes)"),
            None => write!(f, "Body({kind})"),
        }
    }
}

macro_rules! from_bytes {
    ($($kind:ty),*) => {$(
        impl From<$kind> for Body {
            fn from(bytes: $kind) -> Self {
                Self(Content::Bytes(bytes.into()))
            }
        }
    )*};
}
from_bytes!(Bytes, Vec<u8>, String, &'static [u8], &'static str);

/// Boxes the errors of a stream.
struct Boxed<S>(Pin<Box<S>>);

impl<S, E> Stream for Boxed<S>
where
    S: Stream<Item = Result<Bytes, E>>,
    E: Into<BoxError>,
{
    type Item = Result<Bytes, BoxError>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let polled = self.0.as_mut().poll_next(cx);
        polled.map(|item| item.map(|piece| piece.map_err(Into::into)))
    }
}

/// How far an upload is. The read time-out runs only while nothing moves and it is the service's turn.
#[derive(Default)]
pub(crate) struct Progress {
    pieces: AtomicU64,
    source_is_slow: AtomicBool,
    /// Of what was handed to the HTTP stack; `None` if nobody wants to know.
    crc: Option<Mutex<crc64fast::Digest>>,
}

impl Progress {
    /// Computes the CRC-64 too.
    pub(crate) fn with_crc() -> Self {
        Self {
            crc: Some(Mutex::new(crc64fast::Digest::new())),
            ..Self::default()
        }
    }

    fn add(&self, piece: &[u8]) {
        if let Some(crc) = &self.crc {
            crc.lock().unwrap_or_else(PoisonError::into_inner).write(piece);
        }
    }

    /// CRC-64/XZ of what was handed to the HTTP stack.
    pub(crate) fn crc(&self) -> Option<u64> {
        let crc = self.crc.as_ref()?;
        Some(crc.lock().unwrap_or_else(PoisonError::into_inner).sum64())
    }

    /// Changes whenever the HTTP stack asks for more.
    pub(crate) fn pieces(&self) -> u64 {
        self.pieces.load(Ordering::Relaxed)
    }

    /// Whether the caller's stream is being waited for.
    pub(crate) fn source_is_slow(&self) -> bool {
        self.source_is_slow.load(Ordering::Relaxed)
    }
}

enum Source {
    Bytes(Bytes),
    Stream(BoxStream),
}

/// The body of one attempt as the HTTP stack reads it.
struct Upload {
    source: Source,
    length: Option<u64>,
    sent: u64,
    /// The piece that completes the length. Behind it the HTTP stack may ask no more, and the service stores the
    /// object, so it waits until the source has ended.
    last: Option<Bytes>,
    progress: Arc<Progress>,
}

impl Upload {
    fn new(source: Source, length: Option<u64>, progress: Arc<Progress>) -> Self {
        Self {
            source,
            length,
            sent: 0,
            last: None,
            progress,
        }
    }

    fn poll_source(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, BoxError>>> {
        match &mut self.source {
            Source::Bytes(rest) if rest.is_empty() => Poll::Ready(None),
            Source::Bytes(rest) => Poll::Ready(Some(Ok(rest.split_to(rest.len().min(PIECE))))),
            Source::Stream(stream) => loop {
                match Pin::new(&mut *stream).poll_next(cx) {
                    // An empty piece would end a chunked body.
                    Poll::Ready(Some(Ok(piece))) if piece.is_empty() => {}
                    Poll::Ready(None) => {
                        // Not every stream may be polled behind its end.
                        self.source = Source::Bytes(Bytes::new());
                        return Poll::Ready(None);
                    }
                    other => return other,
                }
            },
        }
    }

    fn poll_checked(&mut self, cx: &mut Context<'_>) -> Poll<Result<Option<Bytes>, UploadError>> {
        loop {
            let Some(piece) = ready!(self.poll_source(cx))
                .transpose()
                .map_err(UploadError::Source)?
            else {
                return Poll::Ready(self.end());
            };
            let size = u64::try_from(piece.len()).unwrap_or(u64::MAX);
            self.sent = self.sent.saturating_add(size);
            match self.length {
                Some(length) if self.sent > length => {
                    return Poll::Ready(Err(UploadError::TooLong { length }));
                }
                Some(length) if self.sent == length => self.last = Some(piece),
                _ => return Poll::Ready(Ok(Some(piece))),
            }
        }
    }

    /// What is sent when the source has ended.
    fn end(&mut self) -> Result<Option<Bytes>, UploadError> {
        match self.length {
            Some(length) if self.sent < length => {
                let sent = self.sent;
                Err(UploadError::TooShort { sent, length })
            }
            _ => Ok(self.last.take()),
        }
    }
}

impl Stream for Upload {
    type Item = Result<Bytes, UploadError>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = &mut *self;
        this.progress.pieces.fetch_add(1, Ordering::Relaxed);
        let polled = this.poll_checked(cx);
        if let Poll::Ready(Ok(Some(piece))) = &polled {
            this.progress.add(piece);
        }
        this.progress
            .source_is_slow
            .store(polled.is_pending(), Ordering::Relaxed);
        polled.map(Result::transpose)
    }
}

/// Why the caller's body could not be sent.
#[derive(Debug, thiserror::Error)]
pub(crate) enum UploadError {
    #[error("the body ended after {sent} of {length} bytes")]
    TooShort { sent: u64, length: u64 },
    #[error("the body has more than the {length} bytes that were announced")]
    TooLong { length: u64 },
    #[error("the body could not be read")]
    Source(#[source] BoxError),
}
