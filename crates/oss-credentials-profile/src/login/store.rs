//! Replacing `config.json` by a changed one, alone among those who do.

use std::fs::{File, OpenOptions};
use std::future::Future;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use fd_lock::RwLock;
use oss_credentials_core::{CredentialsError, Sleep};
use tempfile::NamedTempFile;

use super::edit::{Changes, edited};
use crate::cli::{Config, way_of};
use crate::config::MAX_CONFIG_FILE;
use crate::file::read;
use crate::lookup::unreadable;
use crate::plan::Way;
use crate::section::{Place, Section};
use crate::{NAME, TRACING_TARGET};

/// Behind the name of the file; beside it.
const LOCK_SUFFIX: &str = ".lock";
/// Between two looks at a lock that somebody else holds.
const PAUSE: Duration = Duration::from_millis(100);
/// 15 s: longer than any exchange takes during which the lock is held.
const PAUSES: u32 = 150;

/// Does the work while no other process that asks for the lock does its own. The lock is a file beside the
/// real one, which is itself replaced.
pub(super) async fn under_lock<T>(
    place: &Place,
    sleep: Option<&Arc<dyn Sleep>>,
    work: impl Future<Output = Result<T, CredentialsError>> + Send,
) -> Result<T, CredentialsError> {
    let mut pauses = 0;
    loop {
        let mut side = RwLock::new(side_file(place)?);
        match side.try_write() {
            Ok(_held) => return work.await,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            Err(error) => return Err(cannot_store(place, error)),
        }
        drop(side);
        let timer = sleeper(sleep).filter(|_| pauses < PAUSES);
        let Some(timer) = timer else {
            let what = format!("another process holds the lock to change the {}", place.subject());
            return Err(CredentialsError::unavailable(
                place.detail(what).hint("try again later"),
            ));
        };
        pauses += 1;
        timer.sleep(PAUSE).await;
    }
}

fn sleeper(own: Option<&Arc<dyn Sleep>>) -> Option<Arc<dyn Sleep>> {
    if let Some(own) = own {
        return Some(Arc::clone(own));
    }
    #[cfg(feature = "tokio")]
    if let Some(timer) = oss_credentials_core::TokioSleep::try_current() {
        return Some(Arc::new(timer));
    }
    None
}

/// The file itself, wherever symbolic links lead.
fn target(place: &Place) -> Result<PathBuf, CredentialsError> {
    std::fs::canonicalize(&place.file).map_err(|error| cannot_store(place, error))
}

fn side_file(place: &Place) -> Result<File, CredentialsError> {
    let target = target(place)?;
    let mut path = target.clone().into_os_string();
    path.push(LOCK_SUFFIX);
    let mut options = OpenOptions::new();
    options.create(true).truncate(false).read(true).write(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let side = options.open(path).map_err(|error| cannot_store(place, error))?;
    // Whoever may lock it now goes on, whosever it is.
    let _ = give_to_owner(&side, &target);
    Ok(side)
}

/// A file of root's in the place of somebody's own would lock that person out.
#[cfg(unix)]
fn give_to_owner(file: &File, target: &Path) -> io::Result<()> {
    use std::os::unix::fs::{MetadataExt as _, fchown};
    let owner = std::fs::metadata(target)?;
    if owner.uid() == file.metadata()?.uid() {
        return Ok(());
    }
    fchown(file, Some(owner.uid()), Some(owner.gid()))
}

#[cfg(not(unix))]
#[expect(clippy::unnecessary_wraps, reason = "as on Unix")]
fn give_to_owner(_: &File, _: &Path) -> io::Result<()> {
    Ok(())
}

/// A file beside the real one that can take its place: whoever has one will not fail for want of permission.
pub(super) struct Draft {
    target: PathBuf,
    file: NamedTempFile,
}

impl Draft {
    pub(super) fn new(place: &Place) -> Result<Self, CredentialsError> {
        let target = target(place)?;
        let folder = target.parent().unwrap_or(Path::new("."));
        // Readable and writable for its owner alone.
        let file = NamedTempFile::new_in(folder).map_err(|error| cannot_store(place, error))?;
        give_to_owner(file.as_file(), &target).map_err(|error| cannot_store(place, error))?;
        Ok(Self { target, file })
    }

    /// Puts the changed text in place of what is there now, unless the profile is another one by now. Call it under
    /// the lock. Whether it was the same.
    pub(super) fn store(
        mut self,
        place: &Place,
        changes: &Changes,
        still: Still<'_>,
    ) -> Result<bool, CredentialsError> {
        let text = read(&self.target, MAX_CONFIG_FILE).map_err(|error| unreadable(&place.file, error))?;
        if !is_still(&text, place, still)? {
            tracing::debug!(target: TRACING_TARGET, provider = NAME, profile = place.name,
                "somebody has changed the profile meanwhile, and it stays as it is");
            return Ok(false);
        }
        let text = edited(&text, &place.file, &place.name, changes)?;
        let written = self
            .file
            .write_all(text.as_bytes())
            .and_then(|()| self.file.as_file().sync_all());
        written.map_err(|error| cannot_store(place, error))?;
        self.file
            .persist(&self.target)
            .map_err(|error| cannot_store(place, error.error))?;
        tracing::debug!(target: TRACING_TARGET, provider = NAME, profile = place.name, "stored what was renewed");
        Ok(true)
    }
}

/// Whether what is to be stored belongs to the profile as the file has it now. Whoever changes it by hand, or logs in
/// with the CLI, knows no lock.
pub(super) type Still<'a> = &'a (dyn Fn(&Way, &Section<'_>) -> Result<bool, CredentialsError> + Sync);

fn is_still(text: &str, place: &Place, still: Still<'_>) -> Result<bool, CredentialsError> {
    let config = Config::parse(text, &place.file)?;
    // One that is gone is told below.
    let Some(fields) = config.profile(&place.name) else {
        return Ok(true);
    };
    let section = Section::json(&place.file, &place.name, fields);
    match way_of(&config, &place.file, &section) {
        Ok(way) => still(&way, &section),
        // By half, as nobody asks for it any more.
        Err(_) => Ok(false),
    }
}

/// Stores what can be got again: a failure is only a warning. Whether nothing is left to be stored.
pub(super) async fn store_or_warn(
    place: &Place,
    sleep: Option<&Arc<dyn Sleep>>,
    changes: &Changes,
    still: Still<'_>,
) -> bool {
    let stored = under_lock(place, sleep, async {
        Draft::new(place)?.store(place, changes, still)
    });
    let stored = stored.await;
    if let Err(error) = &stored {
        warn(place, error);
    }
    stored.is_ok()
}

pub(super) fn warn(place: &Place, error: &CredentialsError) {
    tracing::warn!(
        target: TRACING_TARGET, provider = NAME, file = %place.file.display(), kind = error.kind(), %error,
        "what was renewed is in use, but could not be stored"
    );
}

fn cannot_store(place: &Place, error: io::Error) -> CredentialsError {
    let hint = match error.kind() {
        io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => {
            "let the user of this process write to the folder, or leave write_back off"
        }
        _ => "see the cause",
    };
    let what = "the file cannot be replaced by a renewed one";
    CredentialsError::unavailable(place.detail(what).hint(hint).source(error))
}
