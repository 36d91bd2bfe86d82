//! One range of an object, which continues after an interruption.

use std::fs::File;
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::ops::Range;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use tempfile::NamedTempFile;

use crate::TRACING_TARGET;
use crate::error::Error;
use crate::transfer_events::download as names;
use crate::upload::blocking;

use super::file::unwritable;
use super::object::{Failures, Identity, Object, batch};

/// How many bytes of a file are read at once.
const READ: usize = 256 * 1024;

/// The temporary file that all ranges are written to.
#[derive(Clone)]
pub(super) struct Shared {
    file: Arc<Mutex<NamedTempFile>>,
    /// The target as shown in errors.
    shown: Arc<str>,
    /// How many bytes were written.
    written: Arc<AtomicU64>,
}

impl Shared {
    pub(super) fn new(file: NamedTempFile, shown: &str) -> Self {
        Self {
            file: Arc::new(Mutex::new(file)),
            shown: shown.into(),
            written: Arc::default(),
        }
    }

    pub(super) fn written(&self) -> u64 {
        self.written.load(Ordering::Relaxed)
    }

    /// Adds bytes that were already in the file.
    pub(super) fn found(&self, bytes: u64) {
        self.written.fetch_add(bytes, Ordering::Relaxed);
    }

    /// The file, once nothing writes to it any more.
    pub(super) fn into_file(self) -> Option<NamedTempFile> {
        let file = Arc::into_inner(self.file)?;
        Some(file.into_inner().unwrap_or_else(PoisonError::into_inner))
    }

    /// Writes these pieces from a position on, and adds them to the CRC-64.
    async fn write(&self, at: u64, pieces: Vec<Bytes>, digest: Digest) -> Result<(u64, Digest), Error> {
        let file = Arc::clone(&self.file);
        let written = blocking(move || {
            let mut digest = digest;
            let mut file = file.lock().unwrap_or_else(PoisonError::into_inner);
            file.seek(SeekFrom::Start(at))?;
            let mut end = at;
            for piece in &pieces {
                file.write_all(piece)?;
                if let Some(digest) = &mut digest {
                    digest.write(piece);
                }
                end = end.saturating_add(u64::try_from(piece.len()).unwrap_or(u64::MAX));
            }
            Ok((end, digest))
        });
        let (end, digest) = written.await.map_err(|error| unwritable(&self.shown, &error))?;
        self.written.fetch_add(end.saturating_sub(at), Ordering::Relaxed);
        Ok((end, digest))
    }
}

/// The digest of what was written; `None` if it is not wanted.
type Digest = Option<crate::crc::Digest>;

/// The transfer of one range.
pub(super) struct Transfer {
    pub(super) object: Object,
    pub(super) identity: Arc<Identity>,
    pub(super) file: Shared,
    pub(super) range: Range<u64>,
    pub(super) with_crc: bool,
}

impl Transfer {
    /// Fetches the range, and returns its CRC-64.
    pub(super) async fn run(mut self) -> Result<Option<u64>, Error> {
        let mut at = self.range.start;
        let mut digest = self.with_crc.then(crate::crc::Digest::new);
        let mut failures = Failures::default();
        loop {
            let mut body = self.object.rest(&self.identity, at, self.range.end).await?;
            let end = loop {
                let (pieces, end) = batch(&mut body).await;
                if !pieces.is_empty() {
                    (at, digest) = self.file.write(at, pieces, digest).await?;
                }
                if let Some(end) = end {
                    break end;
                }
            };
            match end {
                Ok(()) => return Ok(digest.map(|digest| digest.sum64())),
                Err(error) if at >= self.range.end => return Err(error),
                Err(error) => {
                    let count = failures.another(at.saturating_sub(self.range.start));
                    self.object.pause(count, error).await?;
                    tracing::debug!(
                        name: names::CONTINUED, target: TRACING_TARGET, at, end = self.range.end,
                        event = names::CONTINUED,
                        "continuing a range of a download"
                    );
                }
            }
        }
    }
}

/// The CRC-64 of a range of a file; `None` if the file is shorter.
pub(super) fn crc_of(file: &mut File, range: &Range<u64>) -> io::Result<Option<u64>> {
    let mut digest = crate::crc::Digest::new();
    let mut left = range.end.saturating_sub(range.start);
    let mut piece = vec![0; READ];
    file.seek(SeekFrom::Start(range.start))?;
    while left > 0 {
        let room = usize::try_from(left).unwrap_or(READ).min(READ);
        let count = file.read(piece.get_mut(..room).unwrap_or_default())?;
        if count == 0 {
            return Ok(None);
        }
        digest.write(piece.get(..count).unwrap_or_default());
        left = left.saturating_sub(u64::try_from(count).unwrap_or(u64::MAX));
    }
    Ok(Some(digest.sum64()))
}
