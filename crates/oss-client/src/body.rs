//! What is uploaded.

use std::error::Error;
use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::task::{Context, Poll};

use bytes::Bytes;
use futures_core::Stream;

/// In how many bytes at most a body is handed to the HTTP stack, so that its progress can be watched.
const PIECE: usize = 64 * 1024;

type BoxError = Box<dyn Error + Send + Sync>;
type BoxStream = Box<dyn Stream<Item = Result<Bytes, BoxError>> + Send + Unpin>;

/// The content of an object to store: bytes at hand, or a stream.
///
/// Bytes can be sent again, so an operation with them is repeated once after a rejected key or a skewed clock. A
/// stream cannot.
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

    /// A stream of `length` bytes. One that ends earlier is an error, and nothing is stored; so is one that goes on,
    /// if the next piece is at hand when the last one that counts is sent.
    pub fn sized_stream<S, E>(stream: S, length: u64) -> Self
    where
        S: Stream<Item = Result<Bytes, E>> + Send + 'static,
        E: Into<BoxError> + 'static,
    {
        Self::from_stream(stream, Some(length))
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
        }
    }

    /// Whether there is certainly nothing in it.
    pub fn is_empty(&self) -> bool {
        self.len() == Some(0)
    }

    /// Whether it can be sent once more.
    pub(crate) fn is_repeatable(&self) -> bool {
        matches!(self.0, Content::Bytes(_))
    }

    /// Gives the body of one attempt; a stream only once.
    pub(crate) fn attempt(&mut self, progress: &Arc<Progress>) -> Attempt {
        let length = self.len();
        let (source, length) = match &mut self.0 {
            Content::Bytes(bytes) if bytes.len() <= PIECE => {
                return Attempt {
                    body: bytes.clone().into(),
                    length,
                };
            }
            Content::Bytes(bytes) => (Source::Bytes(bytes.clone()), length),
            Content::Stream { stream, .. } => match stream.take() {
                Some(stream) => (Source::Stream(stream), length),
                None => (Source::Bytes(Bytes::new()), length),
            },
        };
        Attempt {
            body: reqwest::Body::wrap_stream(Upload {
                source,
                length,
                sent: 0,
                progress: Arc::clone(progress),
            }),
            length,
        }
    }
}

/// What one attempt sends.
pub(crate) struct Attempt {
    pub(crate) body: reqwest::Body,
    /// If it is known.
    pub(crate) length: Option<u64>,
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
#[derive(Debug, Default)]
pub(crate) struct Progress {
    pieces: AtomicU64,
    source_is_slow: AtomicBool,
}

impl Progress {
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
    progress: Arc<Progress>,
}

impl Upload {
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

    /// Checks a piece against the length that was promised.
    fn check(&mut self, piece: Bytes, cx: &mut Context<'_>) -> Result<Bytes, UploadError> {
        let size = u64::try_from(piece.len()).unwrap_or(u64::MAX);
        self.sent = self.sent.saturating_add(size);
        let Some(length) = self.length else {
            return Ok(piece);
        };
        if self.sent > length {
            return Err(UploadError::TooLong { length });
        }
        // Behind the last byte the HTTP stack asks no more, so what follows is looked for along with it.
        if self.sent == length {
            return match self.poll_source(cx) {
                Poll::Ready(Some(Ok(_))) => Err(UploadError::TooLong { length }),
                Poll::Ready(Some(Err(error))) => Err(UploadError::Source(error)),
                Poll::Ready(None) | Poll::Pending => Ok(piece),
            };
        }
        Ok(piece)
    }
}

impl Stream for Upload {
    type Item = Result<Bytes, UploadError>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = &mut *self;
        this.progress.pieces.fetch_add(1, Ordering::Relaxed);
        let polled = this.poll_source(cx);
        this.progress
            .source_is_slow
            .store(polled.is_pending(), Ordering::Relaxed);
        polled.map(|piece| match piece {
            Some(Ok(piece)) => Some(this.check(piece, cx)),
            Some(Err(error)) => Some(Err(UploadError::Source(error))),
            None => match this.length {
                Some(length) if this.sent < length => Some(Err(UploadError::TooShort {
                    sent: this.sent,
                    length,
                })),
                _ => None,
            },
        })
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
