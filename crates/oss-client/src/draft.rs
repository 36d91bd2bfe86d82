//! Replaces a file as a whole.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use oss_credentials_core::nonce;

/// The prefix of the names of drafts.
const PREFIX: &str = ".oss-checkpoint-";
/// How many hexadecimal digits follow the prefix.
const DIGITS: usize = 16;

/// Replaces the file atomically by one with this content, readable only by its owner. No other file is changed or
/// removed.
pub(crate) fn replace(path: &Path, content: &[u8]) -> io::Result<()> {
    let (mut draft, mut file) = Draft::create(path)?;
    file.write_all(content)?;
    // Without this, a crash could leave the name with an empty file.
    file.sync_all()?;
    drop(file);
    fs::rename(&draft.path, path)?;
    draft.is_kept = true;
    Ok(())
}

/// A new file in the folder of the one that it replaces. Removed unless it did.
struct Draft {
    path: PathBuf,
    is_kept: bool,
}

impl Draft {
    fn create(target: &Path) -> io::Result<(Self, File)> {
        let digits: String = nonce().chars().take(DIGITS).collect();
        let path = target.with_file_name(format!("{PREFIX}{digits}"));
        let mut options = OpenOptions::new();
        // Neither a file nor a link that has the name already is used.
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let file = options.open(&path)?;
        let is_kept = false;
        Ok((Self { path, is_kept }, file))
    }
}

impl Drop for Draft {
    fn drop(&mut self) {
        if !self.is_kept {
            // The error that led here counts.
            let _ = fs::remove_file(&self.path);
        }
    }
}
