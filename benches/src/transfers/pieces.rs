//! Reading and writing files, as a program does that has no client to do it: off the runtime, in large pieces.

use std::fs::File;
use std::io::{self, Read as _, Write as _};
use std::path::Path;

use bytes::Bytes;
use futures_util::stream::{self, Stream};

/// How much is read or written at once.
pub(crate) const PIECE: usize = 256 * 1024;

static CONSTANT: [u8; PIECE] = [b'x'; PIECE];

/// So many bytes, which take no memory.
pub(crate) fn constant(size: u64) -> impl Iterator<Item = Bytes> + Send + 'static {
    let mut left = usize::try_from(size).expect("fits");
    std::iter::from_fn(move || {
        let length = left.min(PIECE);
        left -= length;
        (length > 0).then(|| Bytes::from_static(&CONSTANT[..length]))
    })
}

pub(crate) fn streamed(size: u64) -> impl Stream<Item = io::Result<Bytes>> + Send + 'static {
    stream::iter(constant(size).map(Ok))
}

/// The pieces of a file.
pub(crate) fn read(path: &Path) -> impl Stream<Item = io::Result<Bytes>> + Send + 'static {
    let file = File::open(path).expect("opens");
    stream::try_unfold(file, |file| async move {
        blocking(move || {
            let mut piece = Vec::with_capacity(PIECE);
            (&file).take(PIECE as u64).read_to_end(&mut piece)?;
            Ok((!piece.is_empty()).then(|| (piece.into(), file)))
        })
        .await
    })
}

/// Writes pieces to a file once there are enough of them.
pub(crate) struct Writer {
    file: File,
    pieces: Vec<Bytes>,
    size: usize,
}

impl Writer {
    pub(crate) fn create(path: &Path) -> Self {
        Self {
            file: File::create(path).expect("creates"),
            pieces: Vec::new(),
            size: 0,
        }
    }

    pub(crate) async fn write(mut self, piece: Bytes) -> Self {
        self.size += piece.len();
        self.pieces.push(piece);
        if self.size < PIECE {
            return self;
        }
        self.flush().await
    }

    pub(crate) async fn flush(mut self) -> Self {
        blocking(move || {
            for piece in self.pieces.drain(..) {
                self.file.write_all(&piece)?;
            }
            self.size = 0;
            Ok(self)
        })
        .await
        .expect("writes")
    }
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> io::Result<T> + Send + 'static) -> io::Result<T> {
    tokio::task::spawn_blocking(work).await.expect("runs")
}
