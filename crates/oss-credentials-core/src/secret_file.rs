//! Reading of small files that contain secrets: profiles, tokens, keys and passwords.
//!
//! One reader for every provider. It never waits for the other end of a FIFO, reads no more than a limit, leaves no
//! copy of the content in memory, and detects a file that changes while it is read.

use std::fmt;
use std::fs::{File, Metadata, OpenOptions};
use std::io::{self, Read};
use std::path::Path;
use std::time::{Duration, SystemTime};

use zeroize::Zeroizing;

/// How often a file that changes while it is read is read again, at once.
const ATTEMPTS: usize = 3;
/// Room beyond the length that a file had, so that the buffer need not grow: growing leaves copies behind in memory.
const SPARE: usize = 64;

/// The age below which a file may still be in the middle of being written: 1 s.
pub const YOUNG: Duration = Duration::from_secs(1);

/// `O_NONBLOCK`, which the standard library does not name: opening a FIFO then waits for nobody. Reading a regular file
/// is the same with it. The values are those of the crate `libc` 0.2; elsewhere the check before opening has to do.
#[cfg(unix)]
const O_NONBLOCK: i32 = if cfg!(any(target_os = "linux", target_os = "android")) {
    if cfg!(any(
        target_arch = "mips",
        target_arch = "mips64",
        target_arch = "mips32r6",
        target_arch = "mips64r6"
    )) {
        0x80
    } else if cfg!(any(target_arch = "sparc", target_arch = "sparc64")) {
        0x4000
    } else {
        0x800
    }
} else if cfg!(any(
    target_vendor = "apple",
    target_os = "freebsd",
    target_os = "netbsd",
    target_os = "openbsd",
    target_os = "dragonfly"
)) {
    0x4
} else {
    0
};

/// Why a file could not be read.
#[derive(Debug)]
#[non_exhaustive]
pub enum ReadError {
    /// It is a folder, a FIFO, a device or similar.
    NotRegular,
    /// It is larger than the limit.
    TooLarge,
    /// The operating system refused, or another process kept writing to it: then the kind is
    /// [`io::ErrorKind::ResourceBusy`].
    Io(io::Error),
}

impl From<io::Error> for ReadError {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

/// Metadata that changes when a file is written or replaced.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stamp {
    modified: Option<SystemTime>,
    length: u64,
    /// Device, inode, and the time of the last change of attributes.
    #[cfg(unix)]
    identity: (u64, u64, i64, i64),
}

impl Stamp {
    /// Returns the stamp of the file at a path; `None` if there is no file or it cannot be examined.
    pub fn of(path: &Path) -> Option<Self> {
        std::fs::metadata(path).ok().as_ref().map(Self::from_metadata)
    }

    fn from_metadata(metadata: &Metadata) -> Self {
        #[cfg(unix)]
        use std::os::unix::fs::MetadataExt as _;
        Self {
            modified: metadata.modified().ok(),
            length: metadata.len(),
            #[cfg(unix)]
            identity: (
                metadata.dev(),
                metadata.ino(),
                metadata.ctime(),
                metadata.ctime_nsec(),
            ),
        }
    }

    /// Returns whether the file was modified less than [`YOUNG`] ago, and may still be in the middle of being
    /// written. A time in the future counts as old: it comes from another clock.
    pub fn is_young(&self, now: SystemTime) -> bool {
        let age = self
            .modified
            .and_then(|modified| now.duration_since(modified).ok());
        age.is_some_and(|age| age < YOUNG)
    }
}

/// The content of a file. It is overwritten when this is dropped, and `Debug` does not show it.
pub struct SecretFile {
    content: Zeroizing<Vec<u8>>,
    stamp: Stamp,
}

impl SecretFile {
    /// Reads a whole file of at most `limit` bytes, following symbolic links. If it changes meanwhile, it is read
    /// again, up to twice and without waiting.
    ///
    /// # Errors
    ///
    /// See [`ReadError`].
    ///
    /// ```
    /// use oss_credentials_core::secret_file::SecretFile;
    ///
    /// # let path = std::env::temp_dir().join(format!("secret-file-{}", std::process::id()));
    /// std::fs::write(&path, "token")?;
    /// let file = SecretFile::read(&path, 1024).unwrap();
    /// assert_eq!(file.content(), b"token");
    /// # std::fs::remove_file(&path)?;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn read(path: &Path, limit: usize) -> Result<Self, ReadError> {
        // Opening a device may do something by itself.
        if !std::fs::metadata(path)?.is_file() {
            return Err(ReadError::NotRegular);
        }
        retried(|| Self::read_once(&open(path)?, limit))
    }

    /// Reads an open file in the same way, from its current position, and only once.
    ///
    /// # Errors
    ///
    /// See [`ReadError`].
    pub fn read_opened(file: &File, limit: usize) -> Result<Self, ReadError> {
        Self::read_once(file, limit)?.ok_or_else(busy)
    }

    /// Returns the content.
    pub fn content(&self) -> &[u8] {
        &self.content
    }

    /// Converts the file into its content, which the caller has to overwrite.
    pub fn into_content(mut self) -> Vec<u8> {
        std::mem::take(&mut *self.content)
    }

    /// Returns the stamp that the file had before and after it was read.
    pub fn stamp(&self) -> &Stamp {
        &self.stamp
    }

    /// `None` if the file changed meanwhile.
    fn read_once(file: &File, limit: usize) -> Result<Option<Self>, ReadError> {
        Self::read_between(file, limit, || {})
    }

    /// `between` runs after the content is read and before the stamps are compared.
    fn read_between(file: &File, limit: usize, between: impl FnOnce()) -> Result<Option<Self>, ReadError> {
        // Another file may have taken the place of the one that was examined.
        let before = file.metadata()?;
        if !before.is_file() {
            return Err(ReadError::NotRegular);
        }
        let expected = usize::try_from(before.len()).unwrap_or(limit).min(limit);
        let mut content = Zeroizing::new(Vec::with_capacity(expected.saturating_add(SPARE)));
        let most = u64::try_from(limit).unwrap_or(u64::MAX).saturating_add(1);
        file.take(most).read_to_end(&mut content)?;
        if content.len() > limit {
            return Err(ReadError::TooLarge);
        }
        between();
        let stamp = Stamp::from_metadata(&before);
        let is_same = stamp == Stamp::from_metadata(&file.metadata()?);
        Ok(is_same.then_some(Self { content, stamp }))
    }
}

fn retried(
    mut attempt: impl FnMut() -> Result<Option<SecretFile>, ReadError>,
) -> Result<SecretFile, ReadError> {
    for _ in 0..ATTEMPTS {
        if let Some(file) = attempt()? {
            return Ok(file);
        }
    }
    Err(busy())
}

fn busy() -> ReadError {
    let what = "the file changed while it was read";
    ReadError::Io(io::Error::new(io::ErrorKind::ResourceBusy, what))
}

/// Opens a file for reading. What has the name may have changed since the caller looked at it: a FIFO is opened without
/// waiting for its other end, so look at the metadata of what is returned.
///
/// # Errors
///
/// Those of [`File::open`].
///
/// ```
/// use oss_credentials_core::secret_file;
///
/// let opened = secret_file::open(&std::env::current_exe()?)?;
/// assert!(opened.metadata()?.is_file());
/// # Ok::<(), std::io::Error>(())
/// ```
pub fn open(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::custom_flags(&mut options, O_NONBLOCK);
    options.open(path)
}

impl fmt::Debug for SecretFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SecretFile")
            .field("length", &self.content.len())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::PathBuf;

    /// A path of its own, removed at the end.
    struct Scratch(PathBuf);

    impl Scratch {
        fn new(content: &str) -> Self {
            let scratch = Self(std::env::temp_dir().join(format!("secret-file-{}", crate::nonce())));
            std::fs::write(&scratch.0, content).unwrap();
            scratch
        }
    }

    impl Drop for Scratch {
        fn drop(&mut self) {
            let _ = std::fs::remove_file(&self.0);
        }
    }

    fn at(file: &Path) -> SystemTime {
        std::fs::metadata(file).unwrap().modified().unwrap()
    }

    /// The moment between check and open: the check has seen a regular file.
    #[test]
    #[cfg(unix)]
    fn a_fifo_that_is_swapped_in_is_refused_without_waiting() {
        let scratch = Scratch::new("");
        std::fs::remove_file(&scratch.0).unwrap();
        assert!(
            std::process::Command::new("mkfifo")
                .arg(&scratch.0)
                .status()
                .unwrap()
                .success()
        );
        let (done, result) = std::sync::mpsc::channel();
        let path = scratch.0.clone();
        std::thread::spawn(move || done.send(SecretFile::read_once(&open(&path).unwrap(), 10)));
        let result = result.recv_timeout(Duration::from_secs(20)).expect("it hangs");
        assert!(matches!(result, Err(ReadError::NotRegular)), "{result:?}");
        assert!(matches!(
            SecretFile::read(&scratch.0, 10),
            Err(ReadError::NotRegular)
        ));
    }

    #[test]
    fn a_file_that_changes_while_it_is_read_is_read_again() {
        let scratch = Scratch::new("half");
        let append = || std::fs::write(&scratch.0, "half and half").unwrap();
        let mut attempts = 0;
        let file = retried(|| {
            attempts += 1;
            let first = attempts == 1;
            SecretFile::read_between(&open(&scratch.0)?, 100, || {
                if first {
                    append();
                }
            })
        });
        assert_eq!((file.unwrap().content(), attempts), (&b"half and half"[..], 2));
    }

    #[test]
    fn a_file_that_keeps_changing_is_busy() {
        let scratch = Scratch::new("");
        let mut text = String::new();
        let result = retried(|| {
            text.push('x');
            SecretFile::read_between(&open(&scratch.0)?, 100, || {
                std::fs::write(&scratch.0, &text).unwrap();
            })
        });
        let Err(ReadError::Io(error)) = result else {
            panic!("{result:?}")
        };
        assert_eq!(
            (error.kind(), text.len()),
            (io::ErrorKind::ResourceBusy, ATTEMPTS)
        );
    }

    #[test]
    fn the_limit_is_the_last_length_that_is_read() {
        let scratch = Scratch::new("12345");
        assert_eq!(SecretFile::read(&scratch.0, 5).unwrap().content(), b"12345");
        assert!(matches!(
            SecretFile::read(&scratch.0, 4),
            Err(ReadError::TooLarge)
        ));
        let file = SecretFile::read(&scratch.0, 5).unwrap();
        assert_eq!(file.into_content(), b"12345");
        let shown = format!("{:?}", SecretFile::read(&scratch.0, 5).unwrap());
        assert_eq!(shown, "SecretFile { length: 5, .. }");
    }

    #[test]
    fn a_file_is_young_for_a_second_and_never_before_its_time() {
        let scratch = Scratch::new("x");
        let (stamp, modified) = (Stamp::of(&scratch.0).unwrap(), at(&scratch.0));
        assert!(stamp.is_young(modified));
        assert!(stamp.is_young(modified + Duration::from_millis(999)));
        assert!(!stamp.is_young(modified + YOUNG));
        assert!(!stamp.is_young(modified - Duration::from_millis(1)));
    }
}
