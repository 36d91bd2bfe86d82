//! Opens the temporary file of an earlier process again.
//!
//! Anyone who can write to the folder may have put a file or a link of that name there, to have the object written to a
//! file of their choice.

use std::fs::{self, File, Metadata};
use std::io;
use std::path::Path;

/// What has the name of the temporary file.
pub(super) enum Found {
    Nothing,
    /// The file of an earlier process of this user.
    Ours(File),
    /// Anything else. It is neither read nor changed.
    Foreign,
}

/// Opens the file for reading and writing. `fresh` is a file that this process has created in the same folder.
pub(super) fn reopen(path: &Path, fresh: &File) -> io::Result<Found> {
    let fresh = fresh.metadata()?;
    match fs::symlink_metadata(path) {
        Ok(about) if !is_like(&about, &fresh) => return Ok(Found::Foreign),
        Ok(_) => {}
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Found::Nothing),
        Err(error) => return Err(error),
    }
    let file = open(path)?;
    // Somebody may have exchanged it since the first look.
    if is_like(&file.metadata()?, &fresh) {
        Ok(Found::Ours(file))
    } else {
        Ok(Found::Foreign)
    }
}

/// Whether it can be a file that was created like the fresh one: regular, with one name, and of the same owner. The user
/// of this process may appear as another one, as on a network share; so does the owner of the fresh file.
#[cfg(unix)]
fn is_like(about: &Metadata, fresh: &Metadata) -> bool {
    use std::os::unix::fs::MetadataExt as _;
    about.is_file() && about.nlink() <= 1 && about.uid() == fresh.uid()
}

#[cfg(not(unix))]
fn is_like(about: &Metadata, _: &Metadata) -> bool {
    about.is_file()
}

#[cfg(unix)]
fn open(path: &Path) -> io::Result<File> {
    use rustix::fs::{Mode, OFlags};
    // Opening a pipe would wait for its other end.
    let flags = OFlags::RDWR | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    Ok(rustix::fs::open(path, flags, Mode::empty())?.into())
}

#[cfg(not(unix))]
fn open(path: &Path) -> io::Result<File> {
    File::options().read(true).write(true).open(path)
}

#[cfg(unix)]
#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    /// The moment between the first look and the opening: the look has seen a regular file.
    #[test]
    fn what_is_swapped_in_is_refused_without_following_or_waiting() {
        let folder = tempfile::tempdir().unwrap();
        let (victim, link, pipe) =
            <(_, _, _)>::from(["victim", "link", "pipe"].map(|name| folder.path().join(name)));
        fs::write(&victim, "content").unwrap();
        symlink(&victim, &link).unwrap();
        assert!(open(&link).is_err());
        assert!(open(&victim).is_ok());
        let made = std::process::Command::new("mkfifo").arg(&pipe).status();
        if made.is_ok_and(|status| status.success()) {
            // Opened for reading and writing it is its own other end, and then seen to be no file.
            let fresh = tempfile::tempfile_in(folder.path()).unwrap();
            assert!(!is_like(
                &open(&pipe).unwrap().metadata().unwrap(),
                &fresh.metadata().unwrap()
            ));
        }
    }
}
