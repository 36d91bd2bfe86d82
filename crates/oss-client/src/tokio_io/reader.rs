//! The body of a response as a reader.

use std::fmt;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use futures_core::Stream;
use tokio::io::{AsyncBufRead, AsyncRead, ReadBuf};
use tokio_util::io::StreamReader;

use crate::error::Error;
use crate::response::{Response, ResponseBody};

/// The body of a response as tokio's [`AsyncRead`] and [`AsyncBufRead`]; see [`Response::into_async_read`].
///
/// Its errors are those of [`Response::chunk`], as [`io::Error`]s of kind `Other` around an [`Error`]. After an error
/// each further read returns the same error instead of the end, so that a truncated object is not mistaken for the
/// whole one.
pub struct BodyReader(StreamReader<Pieces, Bytes>);

impl Response {
    /// Returns the body as tokio's `AsyncRead` and `AsyncBufRead`. Needs the feature `tokio-util`.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// use tokio::io::AsyncBufReadExt as _;
    ///
    /// # async fn run(client: &oss_client::Client) -> Result<(), Box<dyn std::error::Error>> {
    /// let log = client.get_object("examplebucket", "app.log").await?;
    /// let mut lines = log.into_async_read().lines();
    /// while let Some(line) = lines.next_line().await? {
    ///     println!("{line}");
    /// }
    /// # Ok(())
    /// # }
    /// ```
    #[cfg_attr(docsrs, doc(cfg(feature = "tokio-util")))]
    pub fn into_async_read(self) -> BodyReader {
        self.into_body().into_async_read()
    }
}

impl ResponseBody {
    /// Returns the body as tokio's `AsyncRead` and `AsyncBufRead`. Needs the feature `tokio-util`.
    #[cfg_attr(docsrs, doc(cfg(feature = "tokio-util")))]
    pub fn into_async_read(self) -> BodyReader {
        let failed = None;
        BodyReader(StreamReader::new(Pieces { body: self, failed }))
    }
}

/// The pieces of a body; an error is repeated forever.
struct Pieces {
    body: ResponseBody,
    failed: Option<Error>,
}

impl Stream for Pieces {
    type Item = io::Result<Bytes>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if let Some(error) = &self.failed {
            return Poll::Ready(Some(Err(io::Error::other(error.again()))));
        }
        let piece = ready!(Pin::new(&mut self.body).poll_next(cx));
        Poll::Ready(piece.map(|piece| {
            piece.map_err(|error| {
                self.failed = Some(error.again());
                io::Error::other(error)
            })
        }))
    }
}

impl AsyncRead for BodyReader {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_read(cx, buffer)
    }
}

impl AsyncBufRead for BodyReader {
    fn poll_fill_buf(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<&[u8]>> {
        Pin::new(&mut self.get_mut().0).poll_fill_buf(cx)
    }

    fn consume(mut self: Pin<&mut Self>, bytes: usize) {
        Pin::new(&mut self.0).consume(bytes);
    }
}

impl fmt::Debug for BodyReader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BodyReader").finish_non_exhaustive()
    }
}
