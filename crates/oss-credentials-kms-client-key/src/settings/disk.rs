//! Small files: settings, keys, passwords and certificates.

use std::borrow::Cow;
use std::io;
use std::path::Path;

use oss_credentials_core::secret_file::{ReadError, SecretFile};
use oss_credentials_core::{CredentialsError, ErrorDetail};
use zeroize::Zeroizing;

use super::shown;
use crate::error::{NAME, invalid_at};

/// A kind of file, and what to say about one that cannot be read.
pub(crate) struct Kind {
    /// Its name in messages: `client key file`.
    pub(crate) name: &'static str,
    /// What to set or correct.
    pub(crate) setting: &'static str,
    /// Name of the setting, which is shown in place of what cannot be a path.
    pub(crate) key: &'static str,
    /// In bytes.
    pub(crate) limit: usize,
}

impl Kind {
    /// Reads a whole file; that there is none is an error.
    pub(crate) fn read(&self, path: &Path) -> Result<Zeroizing<Vec<u8>>, CredentialsError> {
        content(path, self.limit).map_err(|problem| self.error(path, problem))
    }

    /// Reads a whole file, if there is one.
    pub(crate) fn read_if_there(&self, path: &Path) -> Result<Option<Zeroizing<Vec<u8>>>, CredentialsError> {
        match content(path, self.limit) {
            Ok(content) => Ok(Some(content)),
            Err(ReadError::Io(error)) if is_missing(&error) => Ok(None),
            Err(problem) => Err(self.error(path, problem)),
        }
    }

    /// The path, or the name of the setting if its value is not a path: it may be a password or a key.
    pub(crate) fn place<'a>(&self, path: &'a Path) -> Cow<'a, str> {
        shown::path(path).unwrap_or(Cow::Borrowed(self.key))
    }

    fn error(&self, path: &Path, problem: ReadError) -> CredentialsError {
        let place = self.place(path);
        let (name, setting) = (self.name, self.setting);
        let error = match problem {
            ReadError::NotRegular => {
                let what = format!("the {name} is not a regular file");
                return invalid_at(place, what, format!("correct {setting}"));
            }
            ReadError::TooLarge => {
                let what = format!("the {name} is larger than {} KiB", self.limit / 1024);
                return invalid_at(place, what, format!("correct {setting}"));
            }
            ReadError::Io(error) => error,
            _ => io::ErrorKind::Other.into(),
        };
        let detail = |what: String, hint: String| ErrorDetail::builder(NAME, what).place(&*place).hint(hint);
        if is_missing(&error) {
            let hint = match shown::path(path) {
                Some(_) => format!("create it or correct {setting}"),
                None => format!("correct {setting}: what it says now does not look like one"),
            };
            let detail = detail(format!("there is no {name}"), hint);
            return CredentialsError::invalid_config(detail.source(error));
        }
        if error.kind() == io::ErrorKind::PermissionDenied {
            let hint = "let the user of this process read it".to_owned();
            let detail = detail(format!("the {name} may not be read"), hint);
            return CredentialsError::invalid_config(detail.source(error));
        }
        // Of the disk, or of a network file system: it may pass.
        let detail = detail(format!("reading the {name} failed"), "retry later".to_owned());
        CredentialsError::unavailable(detail.source(error))
    }
}

fn content(path: &Path, limit: usize) -> Result<Zeroizing<Vec<u8>>, ReadError> {
    Ok(Zeroizing::new(SecretFile::read(path, limit)?.into_content()))
}

fn is_missing(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::NotFound
            | io::ErrorKind::NotADirectory
            // Too long, or with a character that none has: a file's content, not its name.
            | io::ErrorKind::InvalidFilename
            | io::ErrorKind::InvalidInput
    )
}
