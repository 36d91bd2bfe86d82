//! What a writer hands to its upload.

use std::io;

use bytes::{Bytes, BytesMut};
use futures_core::Stream;
use futures_util::stream;
use tokio::sync::mpsc;

/// How many bytes a writer collects before it hands them on.
const COLLECTED: usize = 256 * 1024;

/// What was written and is not handed on yet. The upload keeps what it gets, so buffers are filled to their end.
#[derive(Default)]
pub(crate) struct Collected {
    bytes: BytesMut,
    /// Whether something was handed on. Until then the buffer grows, since there may be only a few bytes.
    is_larger: bool,
}

impl Collected {
    pub(crate) fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    pub(crate) fn is_full(&self) -> bool {
        self.bytes.len() >= self.most()
    }

    /// How many bytes fit in.
    fn most(&self) -> usize {
        match self.bytes.capacity() {
            capacity @ 1.. if self.is_larger => capacity,
            _ => COLLECTED,
        }
    }

    /// Takes as many of these bytes as fit in, and returns how many.
    pub(crate) fn take_in(&mut self, bytes: &[u8]) -> usize {
        if self.is_larger && self.bytes.capacity() == 0 {
            self.bytes = BytesMut::with_capacity(COLLECTED);
        }
        let room = self.most().saturating_sub(self.bytes.len());
        let taken = bytes.get(..room).unwrap_or(bytes);
        self.bytes.extend_from_slice(taken);
        taken.len()
    }

    /// Takes everything out. What is left of the buffer is filled next.
    pub(crate) fn take_out(&mut self) -> Bytes {
        self.is_larger = true;
        self.bytes.split().freeze()
    }
}

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

#[cfg(test)]
mod tests {
    use super::*;

    /// Writes of this length, and flushes after so many of them; gives the pieces.
    fn pieces(length: usize, flush_after: usize) -> Vec<Bytes> {
        let (mut collected, mut pieces) = (Collected::default(), Vec::new());
        let content = vec![b'x'; length];
        for number in 1..=4 * COLLECTED / length {
            let mut left = &content[..];
            while !left.is_empty() {
                if collected.is_full() {
                    pieces.push(collected.take_out());
                }
                left = &left[collected.take_in(left)..];
            }
            if number % flush_after == 0 {
                pieces.push(collected.take_out());
            }
        }
        pieces.push(collected.take_out());
        pieces
    }

    #[test]
    fn buffers_are_filled_to_their_end() {
        for length in [1000, 4096, 100_000, COLLECTED] {
            let pieces = pieces(length, usize::MAX);
            let (_, full) = pieces.split_last().unwrap();
            let written: usize = pieces.iter().map(Bytes::len).sum();
            assert_eq!(written, 4 * COLLECTED / length * length);
            // Of the first one, which grows, something is left.
            let after_first = full.iter().skip(1).filter(|piece| piece.len() != COLLECTED);
            assert!(after_first.count() <= 1, "{length}");
        }
    }

    #[test]
    fn pieces_that_are_flushed_share_a_buffer() {
        let pieces = pieces(20_000, 1);
        let is_next = |pair: &[Bytes]| pair[0].as_ptr().addr() + pair[0].len() == pair[1].as_ptr().addr();
        let apart = pieces.windows(2).filter(|pair| !is_next(pair)).count();
        // One buffer that grew, and four.
        assert!(apart <= 6, "{apart} of {}", pieces.len());
    }
}
