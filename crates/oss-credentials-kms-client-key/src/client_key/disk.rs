//! Small files with something secret in them.

use std::fs::File;
use std::io::{self, Read as _};
use std::path::Path;

use oss_credentials_core::{CredentialsError, ErrorDetail};
use zeroize::Zeroizing;

use super::NAME;

/// A kind of file, and what to say about one that cannot be read.
pub(super) struct Kind {
    /// As it stands in messages: `client key`.
    pub(super) name: &'static str,
    /// What to set or correct.
    pub(super) setting: &'static str,
    /// In bytes.
    pub(super) limit: usize,
}

/// Reads a whole file.
pub(super) fn read(path: &Path, kind: &Kind) -> Result<Zeroizing<Vec<u8>>, CredentialsError> {
    let failed = |error| unreadable(path, kind, error);
    let metadata = std::fs::metadata(path).map_err(failed)?;
    // Opening a pipe would wait for somebody to write to it.
    if !metadata.is_file() {
        return Err(CredentialsError::invalid_config(
            ErrorDetail::builder(NAME, format!("the {} is not a regular file", kind.name))
                .place(path.to_string_lossy())
                .hint(format!("correct {}", kind.setting)),
        ));
    }
    let file = File::open(path).map_err(failed)?;
    // Room for all of it: growing would leave copies behind in memory.
    let expected = usize::try_from(metadata.len())
        .unwrap_or(usize::MAX)
        .min(kind.limit);
    let mut content = Zeroizing::new(Vec::with_capacity(expected + 64));
    let limit = u64::try_from(kind.limit + 1).unwrap_or(u64::MAX);
    file.take(limit).read_to_end(&mut content).map_err(failed)?;
    if content.len() > kind.limit {
        return Err(CredentialsError::invalid_config(
            ErrorDetail::builder(
                NAME,
                format!("the {} is larger than {} KiB", kind.name, kind.limit / 1024),
            )
            .place(path.to_string_lossy())
            .hint(format!("correct {}", kind.setting)),
        ));
    }
    Ok(content)
}

fn unreadable(path: &Path, kind: &Kind, error: io::Error) -> CredentialsError {
    let (what, hint) = match error.kind() {
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => (
            format!("there is no {}", kind.name),
            format!("put it there or correct {}", kind.setting),
        ),
        io::ErrorKind::PermissionDenied => (
            format!("the {} may not be read", kind.name),
            "let the user of this process read it".to_owned(),
        ),
        // Of the disk, or of a network file system: it may pass.
        _ => {
            let detail = ErrorDetail::builder(NAME, format!("reading the {} failed", kind.name))
                .place(path.to_string_lossy())
                .hint("try again later");
            return CredentialsError::unavailable(detail.source(error));
        }
    };
    CredentialsError::invalid_config(
        ErrorDetail::builder(NAME, what)
            .place(path.to_string_lossy())
            .hint(hint)
            .source(error),
    )
}
