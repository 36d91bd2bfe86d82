//! What a writer hands to its upload.

use std::io;

use bytes::Bytes;
use futures_core::Stream;
use futures_util::stream;
use tokio::sync::mpsc;

/// How many bytes a writer collects before it hands them on.
pub(crate) const COLLECTED: usize = 256 * 1024;

/// A piece of an upload, or its end: a channel that is closed without it belongs to a writer that was dropped.
pub(crate) enum Piece {
    Bytes(Bytes),
    End,
}

/// What a writer hands on, with an error at the end unless it was finished.
pub(crate) fn until_finished(
    pieces: mpsc::Receiver<Piece>,
) -> impl Stream<Item = io::Result<Bytes>> + Send + 'static {
    stream::try_unfold(pieces, |mut pieces| async move {
        match pieces.recv().await {
            Some(Piece::Bytes(piece)) => Ok(Some((piece, pieces))),
            Some(Piece::End) => Ok(None),
            None => Err(io::Error::other("the writer was dropped before `finish`")),
        }
    })
}
