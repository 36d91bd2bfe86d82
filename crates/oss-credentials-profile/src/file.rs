//! Reading a file, and telling whether it has changed.

use std::fs::{File, Metadata};
use std::io::{self, Read};
use std::path::Path;
use std::time::SystemTime;

use zeroize::Zeroizing;

/// Why there is no text.
#[derive(Debug)]
pub(crate) enum ReadError {
    Missing,
    /// Its folder may not be looked into, so nobody knows whether it is there.
    Hidden,
    NotRegular,
    TooLarge(usize),
    NotUtf8,
    Io(io::Error),
}

/// What changes when somebody writes to a file, or puts another one in its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Stamp {
    modified: Option<SystemTime>,
    length: u64,
    #[cfg(unix)]
    identity: (u64, u64, i64, i64),
}

impl Stamp {
    /// `None` for a file that is not there, or cannot be looked at.
    pub(crate) fn of(path: &Path) -> Option<Self> {
        let metadata = std::fs::metadata(path).ok()?;
        Some(Self {
            modified: metadata.modified().ok(),
            length: metadata.len(),
            #[cfg(unix)]
            identity: identity(&metadata),
        })
    }
}

/// The time of the last change of its attributes, too: whoever lets us read a file changes nothing else.
#[cfg(unix)]
fn identity(metadata: &Metadata) -> (u64, u64, i64, i64) {
    use std::os::unix::fs::MetadataExt as _;
    (
        metadata.dev(),
        metadata.ino(),
        metadata.ctime(),
        metadata.ctime_nsec(),
    )
}

/// The whole text, a byte order mark included.
pub(crate) fn read(path: &Path, limit: usize) -> Result<Zeroizing<String>, ReadError> {
    // Opening a pipe would wait for somebody to write to it.
    match std::fs::metadata(path) {
        Ok(metadata) if metadata.is_file() => {}
        Ok(_) => return Err(ReadError::NotRegular),
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => return Err(ReadError::Hidden),
        Err(error) => return Err(io_error(&error)),
    }
    read_opened(File::open(path).map_err(|error| io_error(&error))?, limit)
}

/// The same for a file that is open already.
pub(crate) fn read_opened(file: File, limit: usize) -> Result<Zeroizing<String>, ReadError> {
    let length = file.metadata().as_ref().map_or(0, Metadata::len);
    let expected = usize::try_from(length).unwrap_or(limit).min(limit);
    // Room for all of it: growing would leave copies of keys behind in memory.
    let mut content = Zeroizing::new(Vec::with_capacity(expected.saturating_add(64)));
    let most = u64::try_from(limit).unwrap_or(u64::MAX).saturating_add(1);
    file.take(most)
        .read_to_end(&mut content)
        .map_err(|error| io_error(&error))?;
    if content.len() > limit {
        return Err(ReadError::TooLarge(limit));
    }
    match String::from_utf8(std::mem::take(&mut *content)) {
        Ok(text) => Ok(Zeroizing::new(text)),
        Err(error) => {
            drop(Zeroizing::new(error.into_bytes()));
            Err(ReadError::NotUtf8)
        }
    }
}

/// The text without the byte order mark that some editors put in front of it.
pub(crate) fn without_mark(text: &str) -> &str {
    text.strip_prefix('\u{feff}').unwrap_or(text)
}

fn io_error(error: &io::Error) -> ReadError {
    match error.kind() {
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => ReadError::Missing,
        // `io::Error` cannot be cloned, and kind and text are all that is told of it.
        kind => ReadError::Io(io::Error::new(kind, error.to_string())),
    }
}
