//! Reads a file, and detects whether it has changed.

#[cfg(all(feature = "write-back", any(feature = "oauth", feature = "process")))]
use std::fs::File;
use std::io;
use std::path::Path;

use oss_credentials_core::secret_file::{self, SecretFile, Stamp};
use zeroize::Zeroizing;

/// The reason why there is no text.
#[derive(Debug)]
pub(crate) enum ReadError {
    Missing,
    /// Its folder cannot be searched, so it is not known whether it exists.
    Hidden,
    NotRegular,
    TooLarge(usize),
    NotUtf8,
    Io(io::Error),
}

/// The whole text, a byte order mark included, and the stamp that belongs to it.
pub(crate) struct Text {
    pub(crate) text: Zeroizing<String>,
    pub(crate) stamp: Stamp,
}

pub(crate) fn read(path: &Path, limit: usize) -> Result<Text, ReadError> {
    // Looked up apart, as only here a refusal is one of the folder.
    match std::fs::metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => Err(ReadError::Hidden),
        _ => text(SecretFile::read(path, limit), limit),
    }
}

/// Reads a file that is already open in the same way.
#[cfg(all(feature = "write-back", any(feature = "oauth", feature = "process")))]
pub(crate) fn read_opened(file: &File, limit: usize) -> Result<Text, ReadError> {
    text(SecretFile::read_opened(file, limit), limit)
}

fn text(read: Result<SecretFile, secret_file::ReadError>, limit: usize) -> Result<Text, ReadError> {
    let file = read.map_err(|error| match error {
        secret_file::ReadError::NotRegular => ReadError::NotRegular,
        secret_file::ReadError::TooLarge => ReadError::TooLarge(limit),
        secret_file::ReadError::Io(error) => io_error(error),
        _ => ReadError::Io(io::ErrorKind::Other.into()),
    })?;
    let stamp = file.stamp().clone();
    match String::from_utf8(file.into_content()) {
        Ok(text) => Ok(Text {
            text: Zeroizing::new(text),
            stamp,
        }),
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

fn io_error(error: io::Error) -> ReadError {
    match error.kind() {
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => ReadError::Missing,
        _ => ReadError::Io(error),
    }
}
