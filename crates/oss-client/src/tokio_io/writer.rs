//! An upload as a writer.

use std::fmt;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use oss_credentials_core::BoxFuture;
use tokio::io::AsyncWrite;
use tokio::sync::mpsc;
use tokio_util::sync::PollSender;

use crate::body::Body;
use crate::error::{Error, InvalidInput};
use crate::upload::{Upload, Uploaded};
use crate::written::{Collected, Piece, until_finished};

/// An upload of what is written to it, as tokio's [`AsyncWrite`]. Needs the feature `tokio-util`.
///
/// Nothing is stored before [`UploadWriter::finish`] or `shutdown` of [`AsyncWrite`]. If the writer is dropped before,
/// nothing is stored, and parts that were sent are deleted as described for [`Upload`]. The upload only makes progress
/// while the writer is written to, flushed or finished: no task is started. Memory use is that of an upload of a stream
/// of unknown length.
///
/// # Examples
///
/// ```no_run
/// use oss_client::UploadWriter;
/// use tokio::io::AsyncWriteExt as _;
///
/// # async fn run(client: &oss_client::Client) -> Result<(), Box<dyn std::error::Error>> {
/// let mut writer = UploadWriter::new(|body| client.upload("examplebucket", "numbers.txt", body));
/// for number in 0..1_000_000 {
///     writer.write_all(format!("{number}\n").as_bytes()).await?;
/// }
/// let uploaded = writer.finish().await?;
/// println!("{} bytes", uploaded.size);
/// # Ok(())
/// # }
/// ```
#[cfg_attr(docsrs, doc(cfg(feature = "tokio-util")))]
#[must_use = "nothing is stored before `finish`"]
pub struct UploadWriter {
    collected: Collected,
    pieces: PollSender<Piece>,
    state: State,
}

/// *Running* until everything was passed on, then *ending*. The outcome is *stored* or *failed*.
enum State {
    Running(BoxFuture<'static, Result<Uploaded, Error>>),
    Ending(BoxFuture<'static, Result<Uploaded, Error>>),
    Stored(Box<Uploaded>),
    /// With the text of the error, which has been returned already.
    Failed(String),
}

impl UploadWriter {
    /// Starts an upload of what will be written: the closure receives the body and returns the upload.
    pub fn new(upload: impl FnOnce(Body) -> Upload) -> Self {
        let (pieces, received) = mpsc::channel(1);
        let upload = upload(Body::stream(until_finished(received)));
        Self {
            collected: Collected::default(),
            pieces: PollSender::new(pieces),
            state: State::Running(Box::pin(upload.send())),
        }
    }

    /// Sends the remaining data, and waits until the object is stored.
    ///
    /// # Errors
    ///
    /// Those of [`Upload::send`]; [`Error::InvalidInput`] if an earlier write failed, whose error has the cause.
    pub async fn finish(mut self) -> Result<Uploaded, Error> {
        std::future::poll_fn(|cx| self.poll_end(cx)).await?;
        match self.state {
            State::Stored(uploaded) => Ok(*uploaded),
            State::Failed(text) => Err(failed_before(&text)),
            // The end was polled until there is an outcome.
            State::Running(_) | State::Ending(_) => Err(failed_before("it has not ended")),
        }
    }

    /// Passes on what was written, and drives the upload.
    fn poll_hand_on(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        if self.collected.is_empty() {
            return self.drive(cx).map_or(Poll::Ready(Ok(())), Poll::Ready);
        }
        ready!(self.poll_reserve(cx))?;
        let piece = self.collected.take_out();
        self.send(Piece::Bytes(piece))?;
        Poll::Ready(Ok(()))
    }

    /// Waits until the upload takes a piece.
    fn poll_reserve(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        if let Some(ended) = self.drive(cx) {
            // The closure returned an upload of something else.
            return Poll::Ready(ended.and_then(|()| Err(failed_before("it has ended"))));
        }
        match ready!(self.pieces.poll_reserve(cx)) {
            Ok(()) => Poll::Ready(Ok(())),
            // The upload no longer reads and is deleting its parts: its outcome, which wakes this task, states why.
            Err(_) => Poll::Pending,
        }
    }

    fn send(&mut self, piece: Piece) -> Result<(), Error> {
        let sent = self.pieces.send_item(piece);
        sent.map_err(|_| failed_before("it takes no more"))
    }

    /// Sends the remaining data and the end, and waits for the outcome.
    fn poll_end(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        if matches!(self.state, State::Running(_)) {
            while !self.collected.is_empty() {
                ready!(self.poll_hand_on(cx))?;
            }
            ready!(self.poll_reserve(cx))?;
            self.send(Piece::End)?;
            self.state = match std::mem::replace(&mut self.state, State::Failed(String::new())) {
                State::Running(upload) => State::Ending(upload),
                ended => ended,
            };
        }
        match self.drive(cx) {
            Some(outcome) => Poll::Ready(outcome),
            None => Poll::Pending,
        }
    }

    /// Drives the upload; returns its outcome if it has ended. Before everything was passed on, it only ends by
    /// failing.
    fn drive(&mut self, cx: &mut Context<'_>) -> Option<Result<(), Error>> {
        let upload = match &mut self.state {
            State::Running(upload) | State::Ending(upload) => upload,
            State::Stored(_) => return Some(Ok(())),
            State::Failed(text) => return Some(Err(failed_before(text))),
        };
        let Poll::Ready(outcome) = upload.as_mut().poll(cx) else {
            return None;
        };
        Some(match outcome {
            Ok(uploaded) => {
                self.state = State::Stored(Box::new(uploaded));
                Ok(())
            }
            Err(error) => {
                self.state = State::Failed(error.to_string());
                Err(error)
            }
        })
    }
}

impl AsyncWrite for UploadWriter {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let this = &mut *self;
        if !matches!(this.state, State::Running(_)) {
            let error = match &this.state {
                State::Failed(text) => failed_before(text),
                _ => failed_before("it has ended"),
            };
            return Poll::Ready(Err(io::Error::other(error)));
        }
        if this.collected.is_full() {
            ready!(this.poll_hand_on(cx)).map_err(io::Error::other)?;
        }
        Poll::Ready(Ok(this.collected.take_in(bytes)))
    }

    /// Passes on what was written. It may not have arrived yet: see [`UploadWriter::finish`].
    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.poll_hand_on(cx).map_err(io::Error::other)
    }

    /// Sends the remaining data, and waits until the object is stored.
    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.poll_end(cx).map_err(io::Error::other)
    }
}

fn failed_before(text: &str) -> Error {
    Error::InvalidInput(InvalidInput::new(
        format!("the upload takes no more bytes: {text}"),
        "begin a new upload",
    ))
}

impl fmt::Debug for UploadWriter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UploadWriter").finish_non_exhaustive()
    }
}
