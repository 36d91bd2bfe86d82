//! Files with which a later process continues a transfer.

use std::fmt;
use std::fs;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use serde_json::{Map, Value};

use crate::TRACING_TARGET;
use crate::draft;
use crate::error::{Error, InvalidInput};
use crate::regular_file;
use crate::transfer_events as names;
use crate::upload::blocking;

/// The longest checkpoint that is read, in bytes: one with 10,000 parts is ten times shorter.
const MAX_LENGTH: u64 = 4 * 1024 * 1024;
/// How the kind of each transfer begins.
const KINDS: &str = "oss-client/";
/// The field of an upload with its ID.
pub(crate) const UPLOAD_ID: &str = "upload_id";
/// The field of a download with the name of its temporary file, and how such names begin.
pub(crate) const FILE: &str = "file";
pub(crate) const FILE_PREFIX: &str = ".oss-download-";

pub(crate) type Fields = Map<String, Value>;

/// The checkpoint of one transfer.
pub(crate) struct Checkpoint {
    path: PathBuf,
    /// What the transfer is about: the state of a different transfer is useless.
    identity: Fields,
}

/// What an earlier process has left.
pub(crate) enum Earlier {
    Nothing,
    /// The state of the same transfer.
    Same(Fields),
    /// The state of a different transfer, for cleaning up after it.
    Other(Fields),
}

impl Checkpoint {
    /// `identity` contains the kind of transfer and everything that must not have changed.
    pub(crate) fn new(path: PathBuf, identity: Fields) -> Self {
        Self { path, identity }
    }

    /// Reads what an earlier process has left. A state that cannot be continued is logged. A file that is not a
    /// checkpoint is an error: it was named by mistake, and would be replaced and removed.
    pub(crate) async fn earlier(&self) -> Result<Earlier, Error> {
        if self.is_transferred() {
            return Err(self.refused("it is the file of the transfer itself", "name another file"));
        }
        let path = self.path.clone();
        let Some(text) = blocking(move || read(&path))
            .await
            .map_err(|error| self.unusable(&error))?
        else {
            return Ok(Earlier::Nothing);
        };
        if text.is_empty() {
            self.discard("it is empty");
            return Ok(Earlier::Nothing);
        }
        let Some(found) = state_in(&text) else {
            let hint = "name another file, or delete this one if nobody needs it";
            return Err(self.refused("it is not a checkpoint", hint));
        };
        let differs = self
            .identity
            .iter()
            .find(|(name, value)| found.get(*name) != Some(*value));
        Ok(match differs {
            None => Earlier::Same(found),
            Some((name, _)) => {
                self.discard(&format!("its field {name:?} differs"));
                Earlier::Other(found)
            }
        })
    }

    /// Whether these fields have the expected values in the state of some transfer.
    pub(crate) fn agrees(&self, found: &Fields, names: &[&str]) -> bool {
        names
            .iter()
            .all(|name| found.get(*name) == self.identity.get(*name))
    }

    /// Logs that the state found is not used.
    pub(crate) fn discard(&self, why: &str) {
        tracing::warn!(
            name: names::CHECKPOINT_DISCARDED,
            target: TRACING_TARGET,
            path = %self.path.display(),
            why,
            event = names::CHECKPOINT_DISCARDED,
            "a checkpoint is discarded, and the transfer starts again"
        );
    }

    /// Logs that the state could not be recorded, where the transfer does not depend on it.
    #[cfg(feature = "download-file")]
    pub(crate) fn not_written(&self, error: &Error) {
        tracing::warn!(
            name: names::download::CHECKPOINT_NOT_WRITTEN,
            target: TRACING_TARGET,
            path = %self.path.display(),
            %error,
            event = names::download::CHECKPOINT_NOT_WRITTEN,
            "a checkpoint could not be written, so a later process may fetch more again"
        );
    }

    /// Writes the state of the transfer atomically, readable only by the owner.
    pub(crate) async fn store(&self, state: Fields) -> Result<(), Error> {
        let mut fields = self.identity.clone();
        fields.extend(state);
        let (path, text) = (self.path.clone(), Value::Object(fields).to_string());
        let written = blocking(move || draft::replace(&path, text.as_bytes())).await;
        written.map_err(|error| self.unusable(&error))
    }

    /// Removes the checkpoint when the transfer is complete. If that fails, the next transfer detects it.
    pub(crate) async fn remove(&self) {
        let path = self.path.clone();
        let removed = blocking(move || gone(fs::remove_file(path))).await;
        if let Err(error) = removed {
            tracing::warn!(
                name: names::CHECKPOINT_NOT_REMOVED,
                target: TRACING_TARGET,
                path = %self.path.display(),
                %error,
                event = names::CHECKPOINT_NOT_REMOVED,
                "a checkpoint could not be removed"
            );
        }
    }

    /// Whether the checkpoint would be where the file is that is read or written.
    fn is_transferred(&self) -> bool {
        let files = ["source", "target"].map(|name| self.identity.get(name).and_then(Value::as_str));
        let own = in_folder(&self.path);
        files
            .into_iter()
            .flatten()
            .any(|file| in_folder(Path::new(file)) == own)
    }

    fn unusable(&self, error: &io::Error) -> Error {
        self.refused(error, "name a file in a folder that may be written to")
    }

    fn refused(&self, why: impl fmt::Display, hint: &'static str) -> Error {
        let what = format!("the checkpoint {} cannot be used: {why}", self.path.display());
        Error::InvalidInput(InvalidInput::new(what, hint))
    }
}

/// Logs what a discarded state names and the transfer cannot remove: only the checkpoint knew of it.
pub(crate) fn left_behind(state: &Fields) {
    let text = |name: &str| state.get(name).and_then(Value::as_str);
    if let Some(upload_id) = text(UPLOAD_ID) {
        tracing::warn!(
            name: names::PARTS_LEFT,
            target: TRACING_TARGET,
            upload_id,
            bucket = text("bucket"),
            key = text("key"),
            event = names::PARTS_LEFT,
            "the parts of an upload whose checkpoint was discarded are left behind"
        );
    }
    if let (Some(file), Some(target)) = (unfinished(state), text("target")) {
        let path = Path::new(target).with_file_name(file);
        tracing::warn!(
            name: names::DOWNLOAD_LEFT,
            target: TRACING_TARGET,
            path = &*path.to_string_lossy(),
            event = names::DOWNLOAD_LEFT,
            "the unfinished file of a download whose checkpoint was discarded is left behind"
        );
    }
}

/// The name of the temporary file in the state of a download: no path, and one of ours.
pub(crate) fn unfinished(state: &Fields) -> Option<&str> {
    let name = state.get(FILE)?.as_str()?;
    let is_ours = name.starts_with(FILE_PREFIX) && Path::new(name).file_name() == Some(name.as_ref());
    is_ours.then_some(name)
}

/// The state in a file, if it is one of ours.
fn state_in(text: &[u8]) -> Option<Fields> {
    let Ok(Value::Object(found)) = serde_json::from_slice(text) else {
        return None;
    };
    let kind = found.get("kind").and_then(Value::as_str);
    kind.is_some_and(|kind| kind.starts_with(KINDS)).then_some(found)
}

/// The path with the links in its folder followed, only for comparisons.
fn in_folder(path: &Path) -> PathBuf {
    let absolute = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    match (absolute.parent().map(fs::canonicalize), absolute.file_name()) {
        (Some(Ok(folder)), Some(name)) => folder.join(name),
        _ => absolute,
    }
}

/// The absolute path as text, only for comparisons.
pub(crate) fn absolute(path: &Path) -> String {
    let absolute = std::path::absolute(path);
    absolute.as_deref().unwrap_or(path).to_string_lossy().into_owned()
}

/// A modification time, to the nanosecond.
pub(crate) fn modified(time: Option<SystemTime>) -> Value {
    let since = time.and_then(|time| time.duration_since(SystemTime::UNIX_EPOCH).ok());
    since.map_or(Value::Null, |since| {
        format!("{}.{:09}", since.as_secs(), since.subsec_nanos()).into()
    })
}

fn read(path: &Path) -> io::Result<Option<Vec<u8>>> {
    match regular_file::open(path) {
        Ok(Some((file, _))) => {
            let mut text = Vec::new();
            file.take(MAX_LENGTH).read_to_end(&mut text)?;
            Ok(Some(text))
        }
        Ok(None) => Err(io::Error::other("it is not a regular file")),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

fn gone(removed: io::Result<()>) -> io::Result<()> {
    match removed {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}
