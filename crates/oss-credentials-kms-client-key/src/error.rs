//! Errors of settings and files, in the words that all of them share.

use std::borrow::Cow;
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use oss_credentials_core::{CredentialsError, ErrorDetail};
use zeroize::Zeroizing;

use crate::config::MAX_FILE;

pub(crate) const NAME: &str = "kms-client-key";

pub(crate) fn invalid(
    what: impl Into<Cow<'static, str>>,
    hint: impl Into<Cow<'static, str>>,
) -> CredentialsError {
    CredentialsError::invalid_config(ErrorDetail::builder(NAME, what).hint(hint))
}

pub(crate) fn invalid_at(
    place: impl AsRef<str>,
    what: impl Into<Cow<'static, str>>,
    hint: impl Into<Cow<'static, str>>,
) -> CredentialsError {
    CredentialsError::invalid_config(ErrorDetail::builder(NAME, what).place(place).hint(hint))
}

/// Reads a small file; `None` if there is none. `kind` is what the file is, for messages.
pub(crate) fn read_file(
    path: &Path,
    kind: &'static str,
) -> Result<Option<Zeroizing<Vec<u8>>>, CredentialsError> {
    let place = path.to_string_lossy();
    let failed = |error: io::Error| {
        let detail = |what: String| ErrorDetail::builder(NAME, what).place(&*place);
        match error.kind() {
            io::ErrorKind::PermissionDenied => CredentialsError::invalid_config(
                detail(format!("the {kind} may not be read"))
                    .hint("let the user of this process read it")
                    .source(error),
            ),
            // Of the disk, or of a network file system: it may pass.
            _ => CredentialsError::unavailable(
                detail(format!("reading the {kind} failed"))
                    .hint("try again later")
                    .source(error),
            ),
        }
    };
    // Opening a pipe would wait for somebody to write to it.
    let metadata = match std::fs::metadata(path) {
        Ok(metadata) => metadata,
        Err(error)
            if matches!(
                error.kind(),
                io::ErrorKind::NotFound | io::ErrorKind::NotADirectory
            ) =>
        {
            return Ok(None);
        }
        Err(error) => return Err(failed(error)),
    };
    if !metadata.is_file() {
        let what = format!("the {kind} is not a regular file");
        return Err(invalid_at(&place, what, "set the path of the file itself"));
    }
    // One byte more than is allowed, and room for all of it: growing would leave copies behind in memory.
    let mut content = Zeroizing::new(Vec::with_capacity(MAX_FILE + 64));
    let limit = u64::try_from(MAX_FILE + 1).unwrap_or(u64::MAX);
    File::open(path)
        .and_then(|file| file.take(limit).read_to_end(&mut content))
        .map_err(failed)?;
    if content.len() > MAX_FILE {
        let what = format!("the {kind} is larger than 64 KiB");
        return Err(invalid_at(&place, what, "set the path of the right file"));
    }
    Ok(Some(content))
}
