//! Bodies to upload.

use std::error::Error;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use futures_core::Stream;
use futures_util::stream;

use crate::progress::{CrcNote, Meter, Progress, size};

/// The most bytes that are passed to the HTTP stack at once, whatever the pieces of the source: when the stack takes
/// the next piece, it has sent some of the earlier ones.
const PIECE: usize = 64 * 1024;

pub(crate) type BoxError = Box<dyn Error + Send + Sync>;
pub(crate) type BoxStream = Box<dyn Stream<Item = Result<Bytes, BoxError>> + Send + Unpin>;

/// The content of an object to store: bytes in memory, or a stream.
///
/// Bytes, and streams that can be reopened, can be sent again: an operation with such a body is retried after a
/// rejected key or time, or a failure that the [`RetryPolicy`](crate::RetryPolicy) retries. Other streams are sent only
/// once.
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
pub struct Body {
    content: Content,
    /// Counts how much of the body was sent, if that is wanted.
    meter: Option<Meter>,
    /// The section of the file, if a file is uploaded.
    section: Option<Section>,
    /// Who wants to know the CRC-64 of what was sent.
    note: Option<CrcNote>,
}

enum Content {
    Bytes(Bytes),
    Stream {
        /// `None` after it was sent.
        stream: Option<BoxStream>,
        length: Option<u64>,
    },
    Reopened {
        open: Opener,
        length: u64,
    },
}

type Opener = Box<dyn Fn() -> BoxStream + Send>;

impl From<Content> for Body {
    fn from(content: Content) -> Self {
        Self {
            content,
            meter: None,
            section: None,
            note: None,
        }
    }
}

impl Body {
    /// An empty body.
    pub fn empty() -> Self {
        Self::from(Bytes::new())
    }

    /// A stream of unknown length, sent in HTTP chunks. Prefer [`Body::sized_stream`] if the length is known.
    pub fn stream<S, E>(stream: S) -> Self
    where
        S: Stream<Item = Result<Bytes, E>> + Send + 'static,
        E: Into<BoxError> + 'static,
    {
        Self::from_stream(stream, None)
    }

    /// A stream of `length` bytes. If the stream is shorter, is longer, or fails after its last byte, that is an error,
    /// and nothing is stored: the last piece is held back until the stream has ended, so the stream must end.
    pub fn sized_stream<S, E>(stream: S, length: u64) -> Self
    where
        S: Stream<Item = Result<Bytes, E>> + Send + 'static,
        E: Into<BoxError> + 'static,
    {
        Self::from_stream(stream, Some(length))
    }

    /// A stream of `length` bytes that is reopened for each attempt, as a file can be. Each stream must meet the
    /// requirements of [`Body::sized_stream`].
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
        let open = Box::new(move || Boxed::new(open()));
        Content::Reopened { open, length }.into()
    }

    fn from_stream<S, E>(stream: S, length: Option<u64>) -> Self
    where
        S: Stream<Item = Result<Bytes, E>> + Send + 'static,
        E: Into<BoxError> + 'static,
    {
        let stream = Some(Boxed::new(stream));
        Content::Stream { stream, length }.into()
    }

    /// Returns the length in bytes, if it is known.
    pub fn len(&self) -> Option<u64> {
        match &self.content {
            Content::Bytes(bytes) => u64::try_from(bytes.len()).ok(),
            Content::Stream { length, .. } => *length,
            Content::Reopened { length, .. } => Some(*length),
        }
    }

    /// Returns whether the body is known to be empty.
    pub fn is_empty(&self) -> bool {
        self.len() == Some(0)
    }

    /// The content of the body.
    pub(crate) fn open(self) -> Opened {
        match self.content {
            Content::Bytes(bytes) => Opened::Bytes(bytes),
            Content::Stream {
                stream: Some(stream),
                length,
            } => Opened::Stream(stream, length),
            Content::Stream { stream: None, .. } => Opened::Bytes(Bytes::new()),
            Content::Reopened { open, length } => Opened::Stream(opened(&open), Some(length)),
        }
    }

    /// The bytes, if they are in memory.
    pub(crate) fn bytes(&self) -> Option<&Bytes> {
        match &self.content {
            Content::Bytes(bytes) => Some(bytes),
            Content::Stream { .. } | Content::Reopened { .. } => None,
        }
    }

    /// Whether the body can be sent once more.
    pub(crate) fn is_repeatable(&self) -> bool {
        // An unread stream can still be sent: the credentials may have been missing.
        !matches!(self.content, Content::Stream { stream: None, .. })
    }

    /// Reads a stream with the declared length 0 to its end, because the HTTP stack does not poll a body without
    /// length.
    ///
    /// # Errors
    ///
    /// The stream is not empty, or fails.
    pub(crate) async fn check_empty(&mut self) -> Result<(), UploadError> {
        let stream = match &mut self.content {
            Content::Stream {
                stream,
                length: Some(0),
            } => stream.take(),
            Content::Reopened { open, length: 0 } => Some(opened(open)),
            _ => return Ok(()),
        };
        if let Some(stream) = stream {
            let mut upload = Upload {
                stream: Some(stream),
                length: Some(0),
                ..Upload::default()
            };
            let first = std::future::poll_fn(|cx| Pin::new(&mut upload).poll_next(cx)).await;
            first.transpose()?;
        }
        // An empty body can be sent again.
        self.content = Content::Bytes(Bytes::new());
        Ok(())
    }

    /// Counts how much of the body was sent.
    pub(crate) fn metered(mut self, meter: Meter) -> Self {
        self.meter = Some(meter);
        self
    }

    /// Declares which bytes of which file the body is.
    pub(crate) fn of_file(mut self, section: Section) -> Self {
        self.section = Some(section);
        self
    }

    /// Has the CRC-64 of what was sent noted here.
    pub(crate) fn noted(mut self, note: &CrcNote) -> Self {
        self.note = Some(note.clone());
        self
    }

    /// Notes the CRC-64 of what was sent by the attempt that succeeded.
    pub(crate) fn note(&self, crc: u64) {
        if let Some(note) = &self.note {
            note.set(crc);
        }
    }

    /// Returns the body for one attempt; a stream only once.
    pub(crate) fn attempt(&mut self, progress: &Arc<Progress>) -> reqwest::Body {
        let length = self.len();
        let mut rest = Bytes::new();
        let stream = match &mut self.content {
            Content::Bytes(bytes) if bytes.len() <= PIECE => {
                progress.hand_over(bytes);
                if let Some(meter) = &self.meter {
                    meter.reached(length.unwrap_or_default());
                }
                return bytes.clone().into();
            }
            Content::Bytes(bytes) => {
                rest = bytes.clone();
                None
            }
            Content::Stream { stream, .. } => stream.take(),
            Content::Reopened { open, .. } => Some(opened(open)),
        };
        reqwest::Body::wrap_stream(Upload {
            stream,
            rest,
            length,
            meter: self.meter.clone(),
            section: self.section.clone(),
            progress: Arc::clone(progress),
            ..Upload::default()
        })
    }
}

/// The content, taken out of a body.
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
        let kind = match self.content {
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
                Content::Bytes(bytes.into()).into()
            }
        }
    )*};
}
from_bytes!(Bytes, Vec<u8>, String, &'static [u8], &'static str);

/// A stream provided by the caller. Its errors are boxed, and a panic becomes an error: on the task of a connection it
/// would go unnoticed. The stream is not polled after its end or after an error.
struct Boxed<S>(Option<Pin<Box<S>>>);

impl<S, E> Boxed<S>
where
    S: Stream<Item = Result<Bytes, E>> + Send + 'static,
    E: Into<BoxError> + 'static,
{
    #[expect(clippy::new_ret_no_self, reason = "it is always used as this")]
    fn new(stream: S) -> BoxStream {
        Box::new(Self(Some(Box::pin(stream))))
    }
}

impl<S, E> Stream for Boxed<S>
where
    S: Stream<Item = Result<Bytes, E>>,
    E: Into<BoxError>,
{
    type Item = Result<Bytes, BoxError>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let Some(stream) = &mut self.0 else {
            return Poll::Ready(None);
        };
        let polled = catch_unwind(AssertUnwindSafe(|| stream.as_mut().poll_next(cx)));
        let item = match polled {
            Ok(polled) => ready!(polled).map(|piece| piece.map_err(Into::into)),
            Err(_) => Some(Err(panicked())),
        };
        if !matches!(item, Some(Ok(_))) {
            self.0 = None;
        }
        Poll::Ready(item)
    }
}

/// Opens a stream provided by the caller.
fn opened(open: &Opener) -> BoxStream {
    catch_unwind(AssertUnwindSafe(open)).unwrap_or_else(|_| Box::new(stream::iter([Err(panicked())])))
}

fn panicked() -> BoxError {
    "its stream panicked".into()
}

/// Which bytes of which file a body is.
#[derive(Clone)]
pub(crate) struct Section {
    /// The path in the form in which it is shown.
    pub(crate) path: Arc<str>,
    pub(crate) from: u64,
}

/// The body of one attempt as the HTTP stack reads it.
#[derive(Default)]
struct Upload {
    /// `None` after its end.
    stream: Option<BoxStream>,
    /// What the stream has yielded and the HTTP stack has not received yet.
    rest: Bytes,
    length: Option<u64>,
    sent: u64,
    /// The last piece of the announced length. Once the HTTP stack has it, it may stop polling, and the service stores
    /// the object; so the piece is held back until the source has ended.
    last: Option<Bytes>,
    meter: Option<Meter>,
    section: Option<Section>,
    progress: Arc<Progress>,
}

impl Upload {
    /// The next piece, of the size for the HTTP stack.
    fn poll_source(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, BoxError>>> {
        // An empty piece would end a chunked body.
        while self.rest.is_empty() {
            let Some(stream) = &mut self.stream else {
                return Poll::Ready(None);
            };
            match ready!(Pin::new(stream).poll_next(cx)) {
                Some(Ok(piece)) => self.rest = piece,
                other => {
                    self.stream = None;
                    return Poll::Ready(other);
                }
            }
        }
        let piece = self.rest.split_to(self.rest.len().min(PIECE));
        Poll::Ready(Some(Ok(piece)))
    }

    fn poll_checked(&mut self, cx: &mut Context<'_>) -> Poll<Result<Option<Bytes>, UploadError>> {
        loop {
            let piece = match ready!(self.poll_source(cx)) {
                Some(Ok(piece)) => piece,
                Some(Err(cause)) => {
                    let from = self.section.as_ref().map_or(0, |section| section.from);
                    let at = from.saturating_add(self.sent);
                    return Poll::Ready(Err(UploadError::Source { at, cause }));
                }
                None => return Poll::Ready(self.end()),
            };
            self.sent = self.sent.saturating_add(size(&piece));
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
        let sent = self.sent;
        let length = self.length.unwrap_or(sent);
        if sent < length {
            if let Some(Section { path, from }) = &self.section {
                let (path, at, to) = (
                    Arc::clone(path),
                    from.saturating_add(sent),
                    from.saturating_add(length),
                );
                return Err(UploadError::Shorter { path, at, to });
            }
            return Err(UploadError::TooShort { sent, length });
        }
        Ok(self.last.take())
    }
}

impl Stream for Upload {
    type Item = Result<Bytes, UploadError>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = &mut *self;
        let polled = this.poll_checked(cx);
        if let Poll::Ready(Ok(Some(piece))) = &polled {
            this.progress.hand_over(piece);
            if let Some(meter) = &this.meter {
                // Everything from the source was handed over: only one piece is ever held back.
                meter.reached(this.sent);
            }
        }
        let tell = this.meter.as_ref().is_some_and(Meter::wakes);
        this.progress.asked(polled.is_ready(), tell);
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
    /// The text contains the cause, because only the last text of a chain is shown.
    #[error("the body could not be read after byte {at}: {}", innermost(&**.cause))]
    Source { at: u64, cause: BoxError },
    #[error(
        "{path} became shorter while it was uploaded: it ended at byte {at}, and had {to}; upload files that nobody \
         writes to"
    )]
    Shorter { path: Arc<str>, at: u64, to: u64 },
}

/// The text of the innermost cause.
pub(crate) fn innermost(error: &(dyn Error + 'static)) -> String {
    let mut error = error;
    while let Some(source) = error.source() {
        error = source;
    }
    error.to_string()
}
