//! Operations on files of one folder.
//!
//! On Unix they use the opened folder. The owner of a folder above it can replace it by a symbolic link at any
//! time, and a path that is resolved again would then lead to other users' files, which a process of root may
//! change. No operation follows a symbolic link in the last part of a name, either.

use std::io;

#[cfg(not(unix))]
pub(super) use portable::Folder;
#[cfg(unix)]
pub(super) use unix::Folder;

/// The error for a name in a folder that must not be used.
fn not_usable() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, "not a regular file with one link")
}

#[cfg(unix)]
mod unix {
    use std::ffi::{OsStr, OsString};
    use std::fs::File;
    use std::io;
    use std::os::fd::OwnedFd;
    use std::os::unix::ffi::OsStrExt as _;
    use std::os::unix::fs::fchown;
    use std::path::Path;

    use rustix::fs::{AtFlags, Dir, FileType, Mode, OFlags, Stat, fstat, openat, renameat, statat, unlinkat};

    use crate::login::folder::not_usable;

    pub(crate) struct Folder(OwnedFd);

    impl Folder {
        pub(crate) fn open(path: &Path) -> io::Result<Self> {
            let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
            Ok(Self(rustix::fs::open(path, flags, Mode::empty())?))
        }

        /// Creates a file that nobody else can read; [`io::ErrorKind::AlreadyExists`] whatever has the name.
        pub(crate) fn create(&self, name: &OsStr) -> io::Result<File> {
            let flags = OFlags::RDWR | OFlags::CREATE | OFlags::EXCL;
            self.open_with(name, flags, Mode::RUSR | Mode::WUSR)
        }

        /// Opens a regular file to lock it. [`io::ErrorKind::InvalidInput`] if the name is a symbolic link, a FIFO or
        /// similar, or one of several names of a file.
        pub(crate) fn open_to_lock(&self, name: &OsStr) -> io::Result<File> {
            let before = self.stat(name)?;
            if FileType::from_raw_mode(before.st_mode) != FileType::RegularFile || before.st_nlink != 1 {
                return Err(not_usable());
            }
            let file = self.open_with(name, OFlags::RDWR, Mode::empty())?;
            let opened = fstat(&file)?;
            // Somebody may have exchanged it between the two calls.
            if is_same(&before, &opened) && opened.st_nlink == 1 {
                Ok(file)
            } else {
                Err(not_usable())
            }
        }

        pub(crate) fn open_to_read(&self, name: &OsStr) -> io::Result<File> {
            self.open_with(name, OFlags::RDONLY, Mode::empty())
        }

        fn open_with(&self, name: &OsStr, flags: OFlags, mode: Mode) -> io::Result<File> {
            // Opening a FIFO would wait for somebody at its other end.
            let always = OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
            Ok(openat(&self.0, name, flags | always, mode)?.into())
        }

        fn stat(&self, name: &OsStr) -> io::Result<Stat> {
            Ok(statat(&self.0, name, AtFlags::SYMLINK_NOFOLLOW)?)
        }

        /// Gives a file that was just created to the owner of `name`: if root's file replaced it, that user would be
        /// locked out. Never called with a file that another user may have put there.
        pub(crate) fn give_to_owner_of(&self, name: &OsStr, created: &File) -> io::Result<()> {
            let (owner, own) = (self.stat(name)?, fstat(created)?);
            if owner.st_uid == own.st_uid {
                return Ok(());
            }
            fchown(created, Some(owner.st_uid), Some(owner.st_gid))
        }

        /// Replaces another file by one that was created here, unless the name now belongs to another file.
        pub(crate) fn replace(&self, created: &File, from: &OsStr, to: &OsStr) -> io::Result<()> {
            if !is_same(&self.stat(from)?, &fstat(created)?) {
                return Err(not_usable());
            }
            renameat(&self.0, from, &self.0, to)?;
            Ok(())
        }

        pub(crate) fn remove(&self, name: &OsStr) -> io::Result<()> {
            Ok(unlinkat(&self.0, name, AtFlags::empty())?)
        }

        pub(crate) fn names(&self) -> io::Result<Vec<OsString>> {
            let entries = Dir::read_from(&self.0)?.collect::<Result<Vec<_>, _>>()?;
            let names = entries.iter().map(|entry| entry.file_name().to_bytes());
            Ok(names.map(|name| OsStr::from_bytes(name).to_owned()).collect())
        }

        /// Makes the names of its files last over a loss of power.
        pub(crate) fn sync(&self) -> io::Result<()> {
            Ok(rustix::fs::fsync(&self.0)?)
        }
    }

    fn is_same(one: &Stat, other: &Stat) -> bool {
        (one.st_dev, one.st_ino) == (other.st_dev, other.st_ino)
    }
}

#[cfg(not(unix))]
mod portable {
    use std::ffi::{OsStr, OsString};
    use std::fs::{File, OpenOptions};
    use std::io;
    use std::path::{Path, PathBuf};

    use crate::login::folder::not_usable;

    pub(crate) struct Folder(PathBuf);

    impl Folder {
        pub(crate) fn open(path: &Path) -> io::Result<Self> {
            Ok(Self(path.to_owned()))
        }

        pub(crate) fn create(&self, name: &OsStr) -> io::Result<File> {
            let mut options = OpenOptions::new();
            options
                .read(true)
                .write(true)
                .create_new(true)
                .open(self.0.join(name))
        }

        pub(crate) fn open_to_lock(&self, name: &OsStr) -> io::Result<File> {
            let path = self.0.join(name);
            if !std::fs::symlink_metadata(&path)?.is_file() {
                return Err(not_usable());
            }
            OpenOptions::new().read(true).write(true).open(path)
        }

        pub(crate) fn open_to_read(&self, name: &OsStr) -> io::Result<File> {
            File::open(self.0.join(name))
        }

        /// The folder's permissions apply.
        #[expect(clippy::unnecessary_wraps, clippy::unused_self, reason = "as on Unix")]
        pub(crate) fn give_to_owner_of(&self, _: &OsStr, _: &File) -> io::Result<()> {
            Ok(())
        }

        pub(crate) fn replace(&self, _: &File, from: &OsStr, to: &OsStr) -> io::Result<()> {
            std::fs::rename(self.0.join(from), self.0.join(to))
        }

        pub(crate) fn remove(&self, name: &OsStr) -> io::Result<()> {
            std::fs::remove_file(self.0.join(name))
        }

        pub(crate) fn names(&self) -> io::Result<Vec<OsString>> {
            let entries = std::fs::read_dir(&self.0)?;
            entries.map(|entry| Ok(entry?.file_name())).collect()
        }

        /// Folders cannot be flushed here.
        #[expect(clippy::unnecessary_wraps, clippy::unused_self, reason = "as on Unix")]
        pub(crate) fn sync(&self) -> io::Result<()> {
            Ok(())
        }
    }
}
