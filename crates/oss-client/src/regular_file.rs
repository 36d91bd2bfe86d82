//! Opens files that have to be regular ones.

use std::fs::{self, File, Metadata};
use std::io;
use std::path::Path;

use oss_credentials_core::secret_file;

/// The file and its metadata; `None` for anything else: a folder, a pipe or a device.
pub(crate) fn open(path: &Path) -> io::Result<Option<(File, Metadata)>> {
    // Opening a device may do something by itself.
    if !fs::metadata(path)?.is_file() {
        return Ok(None);
    }
    opened(path)
}

/// What has the name by now may be a pipe, whose other end nobody waits for.
fn opened(path: &Path) -> io::Result<Option<(File, Metadata)>> {
    let file = secret_file::open(path)?;
    let about = file.metadata()?;
    Ok(about.is_file().then_some((file, about)))
}

#[cfg(unix)]
#[cfg(test)]
mod tests {
    use std::process::Command;
    use std::sync::mpsc;
    use std::thread;
    use std::time::Duration;

    use super::*;

    /// The moment between the first look and the opening: the look has seen a regular file.
    #[test]
    fn a_pipe_that_is_swapped_in_is_refused_without_waiting() {
        let folder = tempfile::tempdir().unwrap();
        let (pipe, file) = (folder.path().join("pipe"), folder.path().join("file"));
        assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
        fs::write(&file, "content").unwrap();
        assert_eq!(opened(&file).unwrap().unwrap().1.len(), 7);
        assert!(open(&pipe).unwrap().is_none());
        let (done, result) = mpsc::channel();
        thread::spawn(move || done.send(opened(&pipe).unwrap().is_none()));
        let is_refused = result.recv_timeout(Duration::from_secs(20));
        assert!(is_refused.expect("it waits for the other end"));
    }
}
