//! Replaces `config.json` by a changed one, under a lock.

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io::{self, Seek as _, Write as _};
use std::path::PathBuf;

use fd_lock::{RwLock, RwLockWriteGuard};
use oss_credentials_core::{CredentialsError, ErrorDetail, nonce};

use super::edit::{Changes, edited};
use super::folder::Folder;
use crate::cli::{Config, mode_of};
use crate::config::MAX_CONFIG_FILE;
use crate::file::read_opened;
use crate::lookup::unreadable;
use crate::plan::Mode;
use crate::section::{Place, Section};
use crate::{NAME, TRACING_TARGET, events};

/// Follows the name of the file.
const LOCK_SUFFIX: &str = ".lock";
/// A draft is named `.config.json.oss-credentials-<16 hexadecimal digits>.draft`.
const DRAFT_MARK: &str = ".oss-credentials-";
const DRAFT_SUFFIX: &str = ".draft";
const DRAFT_DIGITS: usize = 16;
/// Maximum growth of the file by a renewed login: 16 KiB. The services' tokens are below 4 KiB each.
#[cfg(feature = "oauth")]
const GROWTH: usize = 16 * 1024;

/// The file to replace, behind symbolic links, and its opened folder.
pub(super) struct Target {
    folder: Folder,
    name: OsString,
    path: PathBuf,
}

impl Target {
    pub(super) fn open(place: &Place) -> Result<Self, CredentialsError> {
        let opened = std::fs::canonicalize(&place.file).and_then(|path| {
            let (Some(folder), Some(name)) = (path.parent(), path.file_name()) else {
                return Err(io::ErrorKind::InvalidFilename.into());
            };
            Ok(Self {
                folder: Folder::open(folder)?,
                name: name.to_owned(),
                path,
            })
        });
        opened.map_err(|error| cannot_store(place, error))
    }

    /// Opens the lock file, which is next to the real one, since that is replaced. Anyone who can write to the folder
    /// may have put anything there, and only a file that was created by this call gets another owner.
    pub(super) fn open_lock(&self, place: &Place) -> Result<RwLock<File>, CredentialsError> {
        let mut name = self.name.clone();
        name.push(LOCK_SUFFIX);
        let opened = match self.folder.create(&name) {
            Ok(file) => {
                // Anyone who can lock it continues, regardless of the owner.
                let _ = self.folder.give_to_owner_of(&self.name, &file);
                Ok(file)
            }
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => self.folder.open_to_lock(&name),
            Err(error) => Err(error),
        };
        opened.map(RwLock::new).map_err(|error| {
            if error.kind() != io::ErrorKind::InvalidInput {
                return cannot_store(place, error);
            }
            let what = "the lock file is not a regular file with one link";
            let path = self.path.with_file_name(&name);
            let detail = ErrorDetail::builder(NAME, what).place(path.to_string_lossy());
            CredentialsError::unavailable(detail.hint("remove it"))
        })
    }
}

/// Takes the lock; returns `None` if another process holds it.
pub(super) fn take<'l>(
    lock: &'l mut RwLock<File>,
    place: &Place,
) -> Result<Option<RwLockWriteGuard<'l, File>>, CredentialsError> {
    match lock.try_write() {
        Ok(held) => Ok(Some(held)),
        Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(None),
        Err(error) => Err(cannot_store(place, error)),
    }
}

/// A file next to the real one that can replace it. Created under the lock, and removed unless it replaced the file.
pub(super) struct Draft<'t> {
    target: &'t Target,
    name: OsString,
    file: File,
    is_stored: bool,
}

impl<'t> Draft<'t> {
    /// After this, a write cannot fail for lack of permission.
    pub(super) fn new(target: &'t Target, place: &Place) -> Result<Self, CredentialsError> {
        target.remove_stale_drafts();
        let name = draft_name(&target.name);
        // Readable and writable only for its owner.
        let file = target
            .folder
            .create(&name)
            .map_err(|error| cannot_store(place, error))?;
        let draft = Self {
            target,
            name,
            file,
            is_stored: false,
        };
        let given = target.folder.give_to_owner_of(&target.name, &draft.file);
        given.map_err(|error| cannot_store(place, error))?;
        Ok(draft)
    }

    /// Fills it to the size that the changed text may need, and flushes that: after this, a write cannot fail for
    /// lack of space. A file system that compresses data, or writes each change to a new place, may still be full.
    #[cfg(feature = "oauth")]
    pub(super) fn reserve(&mut self, place: &Place) -> Result<(), CredentialsError> {
        let reserved = self.target.length().and_then(|length| {
            self.file.write_all(&vec![b' '; length.saturating_add(GROWTH)])?;
            self.file.sync_all()
        });
        reserved.map_err(|error| cannot_store(place, error))
    }

    /// Replaces the file by the changed text, unless the profile is now a different one. Call it under
    /// the lock. Returns whether it was the same.
    pub(super) fn store(
        mut self,
        place: &Place,
        changes: &Changes,
        still: Still<'_>,
    ) -> Result<bool, CredentialsError> {
        let folder = &self.target.folder;
        let current = folder
            .open_to_read(&self.target.name)
            .map_err(|error| cannot_store(place, error))?;
        let read = read_opened(&current, MAX_CONFIG_FILE).map_err(|error| unreadable(&place.file, error))?;
        let text = read.text;
        if !is_still(&text, place, still)? {
            tracing::debug!(
                name: events::NOT_OVERWRITTEN, target: TRACING_TARGET, provider = NAME, profile = place.name,
                event = events::NOT_OVERWRITTEN,
                "somebody has changed the profile meanwhile, and it stays as it is"
            );
            return Ok(false);
        }
        let text = edited(&text, &place.file, &place.name, changes)?;
        self.write(text.as_bytes())
            .and_then(|()| folder.replace(&self.file, &self.name, &self.target.name))
            .map_err(|error| cannot_store(place, error))?;
        self.is_stored = true;
        if let Err(error) = folder.sync() {
            // The file is complete in any case; after a loss of power it may be the old one.
            tracing::debug!(
                name: events::NOT_FLUSHED, target: TRACING_TARGET, provider = NAME, %error,
                event = events::NOT_FLUSHED,
                "the folder could not be flushed"
            );
        }
        tracing::debug!(
            name: events::STORED, target: TRACING_TARGET, provider = NAME, profile = place.name,
            event = events::STORED,
            "stored what was renewed"
        );
        Ok(true)
    }

    /// Overwrites what was reserved.
    fn write(&mut self, text: &[u8]) -> io::Result<()> {
        self.file.rewind()?;
        self.file.write_all(text)?;
        self.file.set_len(u64::try_from(text.len()).unwrap_or(u64::MAX))?;
        self.file.sync_all()
    }
}

impl Drop for Draft<'_> {
    fn drop(&mut self) {
        if !self.is_stored {
            let _ = self.target.folder.remove(&self.name);
        }
    }
}

impl Target {
    #[cfg(feature = "oauth")]
    fn length(&self) -> io::Result<usize> {
        let length = self.folder.open_to_read(&self.name)?.metadata()?.len();
        Ok(usize::try_from(length).unwrap_or(usize::MAX).min(MAX_CONFIG_FILE))
    }

    /// Removes drafts whose writers were killed: they may contain keys. The holder of the lock is the only writer.
    fn remove_stale_drafts(&self) {
        let Ok(names) = self.folder.names() else { return };
        for name in names.iter().filter(|name| is_draft_of(&self.name, name)) {
            if let Err(error) = self.folder.remove(name) {
                let name = name.display();
                tracing::warn!(
                    name: events::DRAFT_LEFT, target: TRACING_TARGET, provider = NAME, %name, %error,
                    event = events::DRAFT_LEFT,
                    "a draft that a killed process left behind could not be removed; it may contain keys"
                );
            }
        }
    }
}

fn draft_name(of: &OsStr) -> OsString {
    let digits: String = nonce().chars().take(DRAFT_DIGITS).collect();
    let mut name = OsString::from(".");
    name.push(of);
    name.push(format!("{DRAFT_MARK}{digits}{DRAFT_SUFFIX}"));
    name
}

fn is_draft_of(of: &OsStr, name: &OsStr) -> bool {
    let middle = name
        .as_encoded_bytes()
        .strip_prefix(b".")
        .and_then(|rest| rest.strip_prefix(of.as_encoded_bytes()))
        .and_then(|rest| rest.strip_prefix(DRAFT_MARK.as_bytes()))
        .and_then(|rest| rest.strip_suffix(DRAFT_SUFFIX.as_bytes()));
    middle.is_some_and(|digits| digits.len() == DRAFT_DIGITS && digits.iter().all(u8::is_ascii_hexdigit))
}

/// Whether the values to store belong to the current profile in the file. A manual change, or a login
/// with the CLI, takes no lock.
pub(super) type Still<'a> = &'a (dyn Fn(&Mode, &Section<'_>) -> Result<bool, CredentialsError> + Sync);

fn is_still(text: &str, place: &Place, still: Still<'_>) -> Result<bool, CredentialsError> {
    let config = Config::parse(text, &place.file)?;
    // One that is gone is told below.
    let Some(fields) = config.profile(&place.name) else {
        return Ok(true);
    };
    let section = Section::json(&place.file, &place.name, fields);
    match mode_of(&config, &place.file, &section) {
        Ok(mode) => still(&mode, &section),
        // By half, as nobody asks for it any more.
        Err(_) => Ok(false),
    }
}

/// Stores values that can be fetched again: a failure is only a warning, and a lock that another process holds is not
/// waited for, since the keys are available and callers wait for them. Returns whether nothing is left to be stored.
pub(super) fn store_or_warn(place: &Place, changes: &Changes, still: Still<'_>) -> bool {
    match try_store(place, changes, still) {
        Ok(Some(_)) => true,
        Ok(None) => {
            tracing::debug!(
                name: events::LOCKED, target: TRACING_TARGET, provider = NAME, profile = place.name,
                event = events::LOCKED,
                "another process holds the lock; what is renewed next will be stored"
            );
            false
        }
        Err(error) => {
            warn(place, &error);
            false
        }
    }
}

/// Returns `None` if another process holds the lock.
fn try_store(place: &Place, changes: &Changes, still: Still<'_>) -> Result<Option<bool>, CredentialsError> {
    let target = Target::open(place)?;
    let mut lock = target.open_lock(place)?;
    let Some(_held) = take(&mut lock, place)? else {
        return Ok(None);
    };
    Draft::new(&target, place)?.store(place, changes, still).map(Some)
}

pub(super) fn warn(place: &Place, error: &CredentialsError) {
    tracing::warn!(
        name: events::NOT_STORED, target: TRACING_TARGET, provider = NAME, file = %place.file.display(),
        kind = error.kind(), %error, event = events::NOT_STORED,
        "the renewed login is in use, but could not be stored"
    );
}

fn cannot_store(place: &Place, error: io::Error) -> CredentialsError {
    let hint = match error.kind() {
        io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => {
            "let the user of this process write to the folder, or leave write_back off"
        }
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => "free some space on its disk",
        _ => "see the cause",
    };
    let what = "the file cannot be replaced by a renewed one";
    CredentialsError::unavailable(place.detail(what).hint(hint).source(error))
}
