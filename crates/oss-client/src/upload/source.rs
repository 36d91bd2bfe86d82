//! The source of an upload, divided into parts.

use std::fs::{self, File};
use std::io::{self, Read as _, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use bytes::Bytes;
use futures_core::Stream;
use futures_util::{StreamExt as _, stream};

use crate::body::{Body, BoxStream, Opened, Section, innermost};
use crate::error::{Error, InvalidInput};
use crate::regular_file;

use super::pieces::{Gathered, Pieces};

/// The most bytes of a file that are read at once.
const READ: usize = 1024 * 1024;

/// The source of an upload before it is opened.
pub(super) enum Source {
    Body(Body),
    File(PathBuf),
}

/// An opened source, which returns one part after the other.
pub(super) struct Parts {
    kind: Kind,
    /// In bytes, if it is known.
    total: Option<u64>,
    /// How many bytes were returned.
    given: u64,
    /// The number of parts so far.
    count: u16,
}

/// One part. Its body can be sent repeatedly.
pub(super) struct Part {
    pub(super) body: Body,
    /// In bytes.
    pub(super) length: u64,
    pub(super) content: Content,
}

/// The bytes of a part, for reading them without sending.
#[derive(Clone)]
pub(super) enum Content {
    File { file: Shared, from: u64, length: u64 },
    Memory(Pieces),
}

impl Content {
    fn body(&self, length: u64) -> Body {
        match self.clone() {
            Self::File { file, from, .. } => {
                let path = Arc::clone(&file.path);
                let body = Body::reopened(length, move || pieces(file.clone(), from, length));
                body.of_file(Section { path, from })
            }
            Self::Memory(pieces) => pieces.body(length),
        }
    }

    /// Their CRC-64.
    ///
    /// # Errors
    ///
    /// The file cannot be read, or has changed.
    pub(super) async fn crc(&self) -> Result<u64, Error> {
        match self {
            Self::File { file, from, length } => file.crc(*from, *length).await,
            Self::Memory(pieces) => Ok(pieces.crc()),
        }
    }
}

enum Kind {
    Bytes(Bytes),
    File(Shared),
    Stream {
        /// `None` after the end.
        stream: Option<BoxStream>,
        /// What was read but not returned yet.
        rest: Bytes,
    },
}

/// A file, and its name in messages.
#[derive(Clone)]
pub(super) struct Shared {
    file: Arc<Mutex<File>>,
    path: Arc<str>,
    /// The length when it was opened, in bytes.
    length: u64,
    /// The modification time when it was opened.
    modified: Option<SystemTime>,
}

impl Source {
    pub(super) async fn open(self) -> Result<Parts, Error> {
        let (kind, total) = match self {
            Self::File(path) => {
                let shown = path.display().to_string();
                match blocking(move || open_file(&path)).await {
                    Ok(Some((file, about))) => {
                        let shared = Shared {
                            file: Arc::new(Mutex::new(file)),
                            path: shown.into(),
                            length: about.len(),
                            modified: about.modified().ok(),
                        };
                        (Kind::File(shared), Some(about.len()))
                    }
                    Ok(None) => {
                        return Err(refused(
                            format!("{shown} is not a regular file"),
                            "give it as a stream",
                        ));
                    }
                    Err(error) => {
                        return Err(refused(
                            format!("{shown} cannot be read: {error}"),
                            "name a file that is there and may be read",
                        ));
                    }
                }
            }
            Self::Body(body) => match body.open() {
                Opened::Bytes(bytes) => {
                    let length = u64::try_from(bytes.len()).ok();
                    (Kind::Bytes(bytes), length)
                }
                Opened::Stream(stream, length) => {
                    let rest = Bytes::new();
                    let stream = Some(stream);
                    (Kind::Stream { stream, rest }, length)
                }
            },
        };
        Ok(Parts {
            kind,
            total,
            given: 0,
            count: 0,
        })
    }
}

/// The file and its metadata; `None` for a pipe or device, whose length is not known and which cannot be read again.
fn open_file(path: &Path) -> io::Result<Option<(File, fs::Metadata)>> {
    match regular_file::open(path)? {
        None if path.is_dir() => Err(io::ErrorKind::IsADirectory.into()),
        found => Ok(found),
    }
}

impl Parts {
    /// The total length, if it is known.
    pub(super) fn total(&self) -> Option<u64> {
        self.total
    }

    /// The file's path, if it is a file.
    pub(super) fn path(&self) -> Option<&Path> {
        match &self.kind {
            Kind::File(file) => Some(Path::new(&*file.path)),
            _ => None,
        }
    }

    /// When the file was written last, if that is known.
    pub(super) fn modified(&self) -> Option<SystemTime> {
        match &self.kind {
            Kind::File(file) => file.modified,
            _ => None,
        }
    }

    /// Whether everything was returned. For a stream of unknown length this may only be known after the next part.
    pub(super) fn is_at_end(&self) -> bool {
        match (&self.kind, self.total) {
            (Kind::Stream { stream, rest }, None) => stream.is_none() && rest.is_empty(),
            (_, total) => total == Some(self.given),
        }
    }

    /// The next `size` bytes, or the rest if there is less.
    pub(super) async fn next(&mut self, size: u64) -> Result<Part, Error> {
        let left = self
            .total
            .map_or(u64::MAX, |total| total.saturating_sub(self.given));
        let wanted = size.min(left);
        let (content, length) = match &mut self.kind {
            Kind::Bytes(bytes) => {
                let part = bytes.split_to(usize::try_from(wanted).unwrap_or(usize::MAX).min(bytes.len()));
                (Content::Memory(part.into()), wanted)
            }
            Kind::File(file) => {
                let (file, from) = (file.clone(), self.given);
                if self.total == from.checked_add(wanted) {
                    check_end(&file, from + wanted).await?;
                }
                let length = wanted;
                (Content::File { file, from, length }, length)
            }
            Kind::Stream { stream, rest } => {
                let part = fill(stream, rest, wanted)
                    .await
                    .map_err(|broken| broken.at(self.given, self.count))?;
                let length = u64::try_from(part.length()).unwrap_or(u64::MAX);
                (Content::Memory(part.end()), length)
            }
        };
        self.count = self.count.saturating_add(1);
        self.given = self.given.saturating_add(length);
        self.check_length(length < wanted).await?;
        Ok(Part {
            body: content.body(length),
            length,
            content,
        })
    }

    /// Checks that the length of a stream is the announced one.
    async fn check_length(&mut self, has_ended: bool) -> Result<(), Error> {
        let (Kind::Stream { stream, rest }, Some(total)) = (&mut self.kind, self.total) else {
            return Ok(());
        };
        if has_ended && self.given < total {
            let what = format!("the body ended after {} of {total} bytes", self.given);
            return Err(refused(what, "pass the real length"));
        }
        if self.given == total {
            let behind = fill(stream, rest, 1).await;
            // No further part: this is still the last one.
            let last = self.count.saturating_sub(1);
            let behind = behind.map_err(|broken| broken.at(self.given, last))?;
            if !(rest.is_empty() && behind.length() == 0) {
                let what = format!("the body has more than the {total} bytes that were announced");
                return Err(refused(what, "pass the real length"));
            }
        }
        Ok(())
    }
}

/// A stream that failed.
struct Broken {
    /// How many bytes of the part were read.
    read: usize,
    cause: String,
}

impl Broken {
    /// The error for the part after so many, which begins at this byte.
    fn at(&self, from: u64, parts: u16) -> Error {
        let at = from.saturating_add(u64::try_from(self.read).unwrap_or(u64::MAX));
        let (part, cause) = (parts.saturating_add(1), &self.cause);
        let what = format!("the body could not be read after byte {at}, in part {part}: {cause}");
        refused(what, "check its source")
    }
}

/// Reads up to `wanted` bytes. Long pieces of the stream are kept and not copied.
async fn fill(stream: &mut Option<BoxStream>, rest: &mut Bytes, wanted: u64) -> Result<Gathered, Broken> {
    let wanted = usize::try_from(wanted).unwrap_or(usize::MAX);
    let mut part = Gathered::default();
    loop {
        let room = wanted.saturating_sub(part.length());
        part.push(rest.split_to(room.min(rest.len())));
        let Some(source) = stream.as_mut().filter(|_| part.length() < wanted) else {
            return Ok(part);
        };
        match source.next().await {
            Some(Ok(piece)) => *rest = piece,
            Some(Err(error)) => {
                *stream = None;
                return Err(Broken {
                    read: part.length(),
                    cause: innermost(&*error),
                });
            }
            None => *stream = None,
        }
    }
}

/// Checks that a file has nothing after its length. Files of the kernel have the length 0 and content, and a log may
/// grow.
async fn check_end(file: &Shared, end: u64) -> Result<(), Error> {
    let of = Arc::clone(&file.file);
    let path = &file.path;
    let further = blocking(move || read(&of, end, 1)).await.map_err(|error| {
        refused(
            format!("{path} cannot be read past byte {end}: {error}"),
            "check the file system",
        )
    })?;
    if further.is_empty() {
        return Ok(());
    }
    Err(refused(
        format!("{path} has more than the {end} bytes that the file system reports"),
        "upload a copy of it, or give it as a stream",
    ))
}

/// The bytes of a file from a position on. Its errors name the file.
fn pieces(file: Shared, from: u64, length: u64) -> impl Stream<Item = io::Result<Bytes>> + Send + 'static {
    let end = from.saturating_add(length);
    stream::try_unfold((file, from), move |(file, at)| async move {
        let room = usize::try_from(end.saturating_sub(at)).unwrap_or(READ).min(READ);
        if room == 0 {
            return Ok(None);
        }
        let of = file.clone();
        let piece = blocking(move || of.piece(at, room, end))
            .await
            .map_err(|error| io::Error::new(error.kind(), format!("{}: {error}", file.path)))?;
        // The file became shorter; the length is checked where the body is sent.
        if piece.is_empty() {
            return Ok(None);
        }
        let at = at.saturating_add(u64::try_from(piece.len()).unwrap_or(u64::MAX));
        Ok(Some((piece, (file, at))))
    })
}

impl Shared {
    /// Reads a piece of a part that ends at `end`. With the last piece, the file must still be unchanged: earlier
    /// pieces may come from an older version.
    fn piece(&self, at: u64, room: usize, end: u64) -> io::Result<Bytes> {
        let piece = read(&self.file, at, room)?;
        let after = at.saturating_add(u64::try_from(piece.len()).unwrap_or(u64::MAX));
        if after == end {
            self.check_unchanged()?;
        }
        Ok(piece)
    }

    fn check_unchanged(&self) -> io::Result<()> {
        let file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        let about = file.metadata()?;
        if about.len() == self.length && about.modified().ok() == self.modified {
            return Ok(());
        }
        Err(io::Error::other(
            "it changed while it was uploaded; upload files that nobody writes to",
        ))
    }

    /// CRC-64 of these bytes.
    async fn crc(&self, from: u64, length: u64) -> Result<u64, Error> {
        let of = self.clone();
        let crc = blocking(move || {
            let (mut digest, mut at, end) = (crate::crc::Digest::new(), from, from.saturating_add(length));
            while at < end {
                let room = usize::try_from(end.saturating_sub(at)).unwrap_or(READ).min(READ);
                let piece = of.piece(at, room, end)?;
                if piece.is_empty() {
                    return Err(io::ErrorKind::UnexpectedEof.into());
                }
                digest.write(&piece);
                at = at.saturating_add(u64::try_from(piece.len()).unwrap_or(u64::MAX));
            }
            Ok(digest.sum64())
        });
        crc.await.map_err(|error| {
            let path = &self.path;
            refused(
                format!("{path} cannot be read: {error}"),
                "name a file that is there and may be read",
            )
        })
    }
}

fn read(file: &Mutex<File>, at: u64, room: usize) -> io::Result<Bytes> {
    // Not zeroed first: that would cost as much as reading.
    let mut piece = Vec::with_capacity(room);
    let mut file = file.lock().unwrap_or_else(PoisonError::into_inner);
    file.seek(SeekFrom::Start(at))?;
    let room = u64::try_from(room).unwrap_or(u64::MAX);
    std::io::Read::by_ref(&mut *file)
        .take(room)
        .read_to_end(&mut piece)?;
    Ok(piece.into())
}

/// Runs file operations on a thread where they may block.
pub(crate) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> io::Result<T> {
    if tokio::runtime::Handle::try_current().is_err() {
        return Err(io::Error::other(
            "no tokio runtime is running here; await the operation inside one",
        ));
    }
    match tokio::task::spawn_blocking(work).await {
        Ok(done) => done,
        Err(_) => Err(io::Error::other("the tokio runtime is shut down")),
    }
}

fn refused(what: impl Into<std::borrow::Cow<'static, str>>, hint: &'static str) -> Error {
    Error::InvalidInput(InvalidInput::new(what, hint))
}
