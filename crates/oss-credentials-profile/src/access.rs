//! Who else may write or read a file.

use std::path::Path;

/// Whether a user other than the owner may change the file, or replace it. If that cannot be determined, there is no
/// reason for a warning.
#[cfg(unix)]
pub(crate) fn is_writable_by_others(file: &Path) -> bool {
    const WRITE: u32 = 0o022;
    const STICKY: u32 = 0o1000;
    // Behind symbolic links, where the file itself is.
    let file = file.canonicalize().unwrap_or_else(|_| file.to_owned());
    let folder = file.parent().map_or(0, mode);
    mode(&file) & WRITE != 0 || (folder & WRITE != 0 && folder & STICKY == 0)
}

/// Returns whether a user other than the owner may read the file.
#[cfg(unix)]
pub(crate) fn is_readable_by_others(file: &Path) -> bool {
    mode(file) & 0o044 != 0
}

#[cfg(unix)]
fn mode(path: &Path) -> u32 {
    use std::os::unix::fs::MetadataExt as _;
    std::fs::metadata(path).map_or(0, |metadata| metadata.mode())
}

/// The permissions are those of the folder, and are not checked.
#[cfg(not(unix))]
pub(crate) fn is_writable_by_others(_: &Path) -> bool {
    false
}

/// The permissions are those of the folder, and are not checked.
#[cfg(not(unix))]
pub(crate) fn is_readable_by_others(_: &Path) -> bool {
    false
}
