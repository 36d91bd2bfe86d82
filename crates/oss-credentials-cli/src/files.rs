//! Small text files named by flags.

use std::path::Path;

use oss_credentials::secret_file::{ReadError, SecretFile};

use crate::failure::Failure;

/// The text of a file, without white space around it.
pub(crate) fn read_text(flag: &str, path: &Path, limit: usize) -> Result<String, Failure> {
    Ok(read_verbatim(flag, path, limit)?.trim().to_owned())
}

/// The text of a file, as it is.
pub(crate) fn read_verbatim(flag: &str, path: &Path, limit: usize) -> Result<String, Failure> {
    let failed =
        |what: String| Failure::other("oss-credentials", format!("{flag}: {} {what}", path.display()));
    let file = SecretFile::read(path, limit).map_err(|error| {
        failed(match error {
            ReadError::NotRegular => "is not a regular file; write the text to one".to_owned(),
            ReadError::TooLarge => format!("is larger than {limit} bytes; shorten it"),
            ReadError::Io(error) => format!("cannot be read: {error}"),
            _ => "cannot be read".to_owned(),
        })
    })?;
    let text = std::str::from_utf8(file.content()).map_err(|_| failed("is not text".to_owned()))?;
    Ok(text.to_owned())
}
