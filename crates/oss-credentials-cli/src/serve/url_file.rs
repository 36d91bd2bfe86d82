//! The file with the URL, which its owner alone can read.

use std::fs::{File, OpenOptions};
use std::io::{self, Write as _};
use std::net::SocketAddr;
use std::path::Path;

use oss_credentials::secret_file::SecretFile;

use super::router::{PARAMETER, PATH};
use super::secret::Secret;
use crate::failure::Failure;

/// Longest file that is read, in bytes.
const LONGEST: usize = 1024;

pub(super) struct UrlFile<'a> {
    path: &'a Path,
}

impl<'a> UrlFile<'a> {
    pub(super) fn new(path: &'a Path) -> Self {
        Self { path }
    }

    /// Replaces the file as a whole: a reader sees the old URL or the new one.
    ///
    /// # Errors
    ///
    /// Also if there is something else at the path: replacing a device or a link would destroy it.
    pub(super) fn write(&self, url: &str) -> Result<(), Failure> {
        if std::fs::symlink_metadata(self.path).is_ok_and(|found| !found.is_file()) {
            return Err(self.failure("is not a regular file; name another one"));
        }
        self.replace(url)
            .map_err(|error| self.failure(&format!("cannot be written: {error}")))
    }

    fn replace(&self, url: &str) -> io::Result<()> {
        let folder = self.path.parent().filter(|folder| !folder.as_os_str().is_empty());
        let folder = folder.unwrap_or(Path::new("."));
        // Mode 0600 from the start.
        let mut file = tempfile::Builder::new()
            .prefix(".oss-credentials-")
            .tempfile_in(folder)?;
        writeln!(file, "{url}")?;
        file.persist(self.path).map(drop).map_err(|error| error.error)
    }

    /// The secret that an earlier agent at this address wrote down; `None` if there is none.
    ///
    /// # Errors
    ///
    /// If others could have read it.
    pub(super) fn secret(&self, address: SocketAddr) -> Result<Option<Secret>, Failure> {
        if address.port() == 0 {
            return Err(Failure::usage(
                "serve",
                "--keep-url needs a port that stays; set one with --listen",
            ));
        }
        // What is read and what is examined has to be the same file: others may replace it in a folder such as /tmp.
        let Ok(file) = self.open() else {
            return Ok(None);
        };
        let Ok(content) = SecretFile::read_opened(&file, LONGEST) else {
            return Ok(None);
        };
        let text = std::str::from_utf8(content.content()).unwrap_or_default().trim();
        let prefix = format!("http://{address}{PATH}?{PARAMETER}=");
        let Some(secret) = text.strip_prefix(&prefix).and_then(Secret::parse) else {
            return Ok(None);
        };
        if is_readable_by_others(&file) {
            return Err(self.failure("can be read by other users, who then know the secret; remove it"));
        }
        Ok(Some(secret))
    }

    /// Opens the file without waiting for the other end of a FIFO.
    fn open(&self) -> io::Result<File> {
        let mut options = OpenOptions::new();
        options.read(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::custom_flags(&mut options, nix::libc::O_NONBLOCK);
        options.open(self.path)
    }

    /// Removes the URL file, since its agent no longer responds. The URL of an agent that was started meanwhile stays.
    pub(super) fn remove(&self, url: &str) {
        let is_own = |file: SecretFile| file.content().trim_ascii() == url.as_bytes();
        if !SecretFile::read(self.path, LONGEST).is_ok_and(is_own) {
            return;
        }
        if let Err(error) = std::fs::remove_file(self.path) {
            tracing::debug!(target: crate::TRACING_TARGET, %error, "the URL file cannot be removed");
        }
    }

    fn failure(&self, what: &str) -> Failure {
        Failure::other("serve", format!("the URL file {} {what}", self.path.display()))
    }
}

#[cfg(unix)]
fn is_readable_by_others(file: &File) -> bool {
    use std::os::unix::fs::MetadataExt as _;
    let own = nix::unistd::geteuid().as_raw();
    file.metadata()
        .map_or(true, |found| found.mode() & 0o077 != 0 || found.uid() != own)
}

#[cfg(not(unix))]
fn is_readable_by_others(_file: &File) -> bool {
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_secret_of_the_same_address_is_kept() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("url");
        let address = "127.0.0.1:7373".parse().unwrap();
        let file = UrlFile::new(&path);
        assert!(file.secret(address).unwrap().is_none(), "there is no file");
        let secret = Secret::random().unwrap();
        file.write(&format!(
            "http://127.0.0.1:7373/credentials?secret={}",
            secret.expose()
        ))
        .unwrap();
        assert!(
            file.secret(address)
                .unwrap()
                .is_some_and(|kept| kept.is(secret.expose()))
        );
        assert!(file.secret("127.0.0.1:7374".parse().unwrap()).unwrap().is_none());
        assert!(file.secret("127.0.0.1:0".parse().unwrap()).is_err());
        file.write("http://127.0.0.1:7373/credentials?secret=mine")
            .unwrap();
        assert!(file.secret(address).unwrap().is_none(), "it is too short");
    }

    #[test]
    fn the_url_of_a_later_agent_is_not_removed() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("url");
        let file = UrlFile::new(&path);
        file.write("http://127.0.0.1:2/credentials?secret=2").unwrap();
        file.remove("http://127.0.0.1:1/credentials?secret=1");
        assert!(path.exists());
        file.remove("http://127.0.0.1:2/credentials?secret=2");
        assert!(!path.exists());
    }

    #[cfg(unix)]
    #[test]
    fn others_cannot_read_the_file() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("url");
        std::fs::write(&path, "an old one").unwrap();
        let file = UrlFile::new(&path);
        let url = format!("http://127.0.0.1:7373/credentials?secret={}", "0".repeat(64));
        file.write(&url).unwrap();
        let mode = || std::fs::metadata(&path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(), 0o600);
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o640)).unwrap();
        let error = file
            .secret("127.0.0.1:7373".parse().unwrap())
            .unwrap_err()
            .to_string();
        assert!(error.contains("can be read by other users"), "{error}");
    }

    #[cfg(unix)]
    #[test]
    fn what_is_not_a_file_is_not_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("url");
        std::os::unix::fs::symlink("/dev/null", &path).unwrap();
        for path in [&path, folder.path()] {
            let error = UrlFile::new(path).write("http://127.0.0.1:1/").unwrap_err();
            assert!(error.to_string().contains("is not a regular file"), "{error}");
        }
        assert!(path.is_symlink());
    }
}
