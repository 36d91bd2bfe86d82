//! Bytes in memory, as the pieces that a stream has returned.

use std::convert::Infallible;
use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use futures_core::Stream;
use futures_util::stream;

use crate::body::Body;
use crate::crc::Digest;

/// Shorter pieces are copied into a common buffer, in bytes: each one kept as it is could keep a larger buffer in memory,
/// and needs a handle.
const SHORT: usize = 16 * 1024;
/// The size of such a buffer, in bytes.
const BUFFER: usize = 64 * 1024;

/// A part in memory. It can be sent repeatedly.
#[derive(Clone)]
pub(super) struct Pieces(Arc<[Bytes]>);

impl Pieces {
    pub(super) fn body(&self, length: u64) -> Body {
        match &*self.0 {
            [] => Body::empty(),
            [all] => Body::from(all.clone()),
            _ => {
                let pieces = self.clone();
                Body::reopened(length, move || pieces.clone().stream())
            }
        }
    }

    fn stream(self) -> impl Stream<Item = Result<Bytes, Infallible>> + Send + 'static {
        let all = 0..self.0.len();
        stream::iter(all.filter_map(move |at| self.0.get(at).cloned().map(Ok)))
    }

    /// Their CRC-64.
    pub(super) fn crc(&self) -> u64 {
        let mut digest = Digest::new();
        for piece in &*self.0 {
            digest.write(piece);
        }
        digest.sum64()
    }
}

impl From<Bytes> for Pieces {
    fn from(all: Bytes) -> Self {
        Self([all].into())
    }
}

/// Pieces that arrive one after the other.
#[derive(Default)]
pub(super) struct Gathered {
    pieces: Vec<Bytes>,
    /// Short pieces since the last one of `pieces`.
    short: BytesMut,
    length: usize,
}

impl Gathered {
    /// In bytes.
    pub(super) fn length(&self) -> usize {
        self.length
    }

    pub(super) fn push(&mut self, piece: Bytes) {
        self.length = self.length.saturating_add(piece.len());
        if piece.len() < SHORT {
            return self.join(&piece);
        }
        self.seal();
        self.pieces.push(piece);
    }

    fn join(&mut self, mut piece: &[u8]) {
        while !piece.is_empty() {
            if self.room() == 0 {
                self.seal();
                self.short = BytesMut::with_capacity(BUFFER);
            }
            let (now, later) = piece.split_at(self.room().min(piece.len()));
            self.short.extend_from_slice(now);
            piece = later;
        }
    }

    /// How many more bytes go into the buffer.
    fn room(&self) -> usize {
        // The first buffer grows, since the stream may have only a few bytes.
        let capacity = if self.pieces.is_empty() {
            BUFFER
        } else {
            self.short.capacity()
        };
        capacity.saturating_sub(self.short.len())
    }

    /// Ends a run of short pieces. What is left of their buffer serves the next run.
    fn seal(&mut self) {
        if !self.short.is_empty() {
            self.pieces.push(self.short.split().freeze());
        }
    }

    pub(super) fn end(mut self) -> Pieces {
        self.seal();
        Pieces(self.pieces.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn gathered(pieces: impl IntoIterator<Item = Bytes>) -> (usize, Vec<Bytes>) {
        let mut gathered = Gathered::default();
        for piece in pieces {
            gathered.push(piece);
        }
        (gathered.length(), gathered.end().0.to_vec())
    }

    #[test]
    fn long_pieces_are_not_copied() {
        let long = Bytes::from(vec![b'a'; SHORT]);
        let (length, pieces) = gathered([long.clone(), long.slice(..1), long.clone()]);
        assert_eq!(length, 2 * SHORT + 1);
        let is_kept: Vec<_> = pieces
            .iter()
            .map(|piece| piece.as_ptr() == long.as_ptr())
            .collect();
        assert_eq!(is_kept, [true, false, true]);
    }

    #[test]
    fn tiny_pieces_share_full_buffers() {
        let whole: Vec<u8> = (0..3 * BUFFER + 7).map(|at| at.to_le_bytes()[0]).collect();
        for size in [1, 3, SHORT - 1] {
            let (length, pieces) = gathered(whole.chunks(size).map(Bytes::copy_from_slice));
            assert_eq!((length, pieces.len()), (whole.len(), 4), "{size}");
            assert_eq!(pieces.concat(), whole, "{size}");
        }
    }

    /// A byte before each long piece takes no buffer of its own.
    #[test]
    fn runs_of_short_pieces_share_a_buffer() {
        let long = Bytes::from(vec![b'a'; SHORT]);
        let pair = || [Bytes::from(vec![b'b'; 1]), long.clone()];
        let (_, pieces) = gathered((0..1000).flat_map(|_| pair()));
        let places: Vec<_> = pieces
            .iter()
            .step_by(2)
            .map(|piece| piece.as_ptr().addr())
            .collect();
        let is_next = |pair: &[usize]| pair[0] + 1 == pair[1];
        let steps = places.windows(2).filter(|pair| is_next(pair)).count();
        assert!(steps > 990, "{steps}");
    }

    #[test]
    fn the_crc_is_that_of_the_whole() {
        // The check value of the catalogue for `123456789`.
        let mut gathered = Gathered::default();
        gathered.push(Bytes::from_static(b"1234"));
        gathered.seal();
        gathered.push(Bytes::from_static(b"56789"));
        let pieces = gathered.end();
        assert!(pieces.0.len() > 1);
        assert_eq!(pieces.crc(), 0x995d_c9bb_df19_39fa);
    }
}
