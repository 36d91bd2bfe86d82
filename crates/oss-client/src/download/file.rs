//! The file that a download is written to.

use std::borrow::Cow;
use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use bytes::Bytes;
use tempfile::NamedTempFile;

use crate::checkpoint::FILE_PREFIX;
use crate::error::{Error, InvalidInput};
use crate::upload::blocking;

/// A file that is removed unless it is kept.
pub(super) struct Unfinished {
    file: NamedTempFile,
    written: u64,
    /// The CRC-64 of what was written; `None` if it is not wanted.
    crc: Option<crate::crc::Digest>,
    /// The target as shown in errors.
    shown: String,
}

impl Unfinished {
    /// Creates the file in the folder of the target.
    pub(super) async fn create(target: &Path, with_crc: bool) -> Result<Self, Error> {
        Ok(Self {
            file: create(target).await?,
            written: 0,
            crc: with_crc.then(crate::crc::Digest::new),
            shown: target.display().to_string(),
        })
    }

    /// How many bytes were written.
    pub(super) fn written(&self) -> u64 {
        self.written
    }

    /// The CRC-64/XZ of what was written.
    pub(super) fn crc(&self) -> Option<u64> {
        self.crc.as_ref().map(crate::crc::Digest::sum64)
    }

    /// Appends these pieces.
    pub(super) async fn write(mut self, pieces: Vec<Bytes>) -> Result<Self, Error> {
        let shown = self.shown.clone();
        let written = blocking(move || {
            for piece in pieces {
                self.file.write_all(&piece)?;
                if let Some(crc) = &mut self.crc {
                    crc.write(&piece);
                }
                let length = u64::try_from(piece.len()).unwrap_or(u64::MAX);
                self.written = self.written.saturating_add(length);
            }
            Ok(self)
        });
        written.await.map_err(|error| unwritable(&shown, &error))
    }

    /// Moves it to the target.
    pub(super) async fn keep(self, target: PathBuf) -> Result<(), Error> {
        keep(self.file, target).await
    }
}

/// Creates a temporary file in the folder of the target.
pub(super) async fn create(target: &Path) -> Result<NamedTempFile, Error> {
    let shown = target.display().to_string();
    let folder = folder_of(target)?;
    let target = target.to_owned();
    let made = blocking(move || match fs::metadata(&target) {
        Ok(about) if !about.is_file() => Ok(None),
        // An invalid name would otherwise only be detected after everything has arrived.
        Err(error) if is_of_name(&error) => Err(error),
        _ => in_folder(&folder).map(Some),
    });
    match made.await {
        Ok(Some(file)) => Ok(file),
        Ok(None) => Err(refused(
            format!("{shown} is not a regular file"),
            "name one, or a place where there is none",
        )),
        Err(error) => Err(unwritable(&shown, &error)),
    }
}

/// The folder of the target.
pub(super) fn folder_of(target: &Path) -> Result<PathBuf, Error> {
    let names_file = target.file_name().is_some() && !ends_like_a_folder(target);
    match target.parent().filter(|_| names_file) {
        // For a bare name.
        Some(folder) if folder.as_os_str().is_empty() => Ok(PathBuf::from(".")),
        Some(folder) => Ok(folder.to_owned()),
        None => Err(refused(
            format!("{:?} names no file", target.display().to_string()),
            "name one",
        )),
    }
}

/// Moves a finished file to the target.
pub(super) async fn keep(mut file: NamedTempFile, target: PathBuf) -> Result<(), Error> {
    let shown = target.display().to_string();
    let kept = blocking(move || {
        // Without this, a crash could leave the name with an empty file.
        file.as_file_mut().sync_all()?;
        file.persist(target).map(drop).map_err(|error| error.error)
    });
    kept.await.map_err(|error| unwritable(&shown, &error))
}

/// Whether the path ends with a separator, which `Path` ignores and renaming does not.
fn ends_like_a_folder(path: &Path) -> bool {
    let last = path.as_os_str().as_encoded_bytes().last();
    last.is_some_and(|byte| std::path::is_separator(char::from(*byte)))
}

fn is_of_name(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::InvalidFilename | io::ErrorKind::InvalidInput
    )
}

fn in_folder(folder: &Path) -> io::Result<NamedTempFile> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(FILE_PREFIX);
    // The default of `tempfile` is a file that only its owner can read. The system subtracts the `umask`.
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    builder.tempfile_in(folder)
}

pub(super) fn unwritable(shown: &str, error: &io::Error) -> Error {
    refused(
        format!("{shown} cannot be written: {error}"),
        "check the folder, its permissions and the free space on the disk",
    )
}

fn refused(what: impl Into<Cow<'static, str>>, hint: &'static str) -> Error {
    Error::InvalidInput(InvalidInput::new(what, hint))
}
