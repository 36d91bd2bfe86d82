//! Downloads that a later process continues.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use serde_json::Value;
use tempfile::{NamedTempFile, TempPath};

use crate::TRACING_TARGET;
use crate::checkpoint::{self, Checkpoint, Earlier, FILE, Fields};
use crate::error::Error;
use crate::response::ResponseHead;
use crate::transfer_events::download as names;
use crate::upload::{Plan, blocking};

use super::file::{folder_of, unwritable};
use super::object::{Identity, Object};
use super::parts::{Arrived, Parts};
use super::range::crc_of;
use super::reopen::{Found, reopen};

const KIND: &str = "oss-client/download/1";
const PART_SIZE: &str = "part_size";
const PARTS: &str = "parts";
/// What a download whose temporary file is removed must have in common with the current one.
const SAME_TARGET: [&str; 2] = ["kind", "target"];
/// How often a checkpoint is written at most, because a checkpoint with many ranges is long.
const WRITES: usize = 256;

/// Where the state of a download is recorded.
pub(super) struct Resumable {
    file: Checkpoint,
    /// The folder of the target.
    folder: PathBuf,
    /// The target as shown in errors.
    shown: String,
    total: u64,
    /// The name of the temporary file.
    name: String,
    /// How many ranges have arrived since the checkpoint was written.
    unwritten: usize,
    /// Whether the checkpoint could not be written the last time.
    is_failing: bool,
}

impl Resumable {
    pub(super) fn new(
        path: PathBuf,
        target: &Path,
        object: &Object,
        head: &ResponseHead,
        identity: &Identity,
    ) -> Result<Self, Error> {
        let (bucket, key) = object.names();
        let mut fields = Fields::new();
        fields.insert("kind".to_owned(), KIND.into());
        fields.insert("target".to_owned(), checkpoint::absolute(target).into());
        fields.insert("bucket".to_owned(), bucket.into());
        fields.insert("key".to_owned(), key.into());
        fields.insert("size".to_owned(), identity.size.into());
        fields.insert("etag".to_owned(), identity.etag.clone().into());
        fields.insert("modified".to_owned(), checkpoint::modified(head.last_modified()));
        Ok(Self {
            file: Checkpoint::new(path, fields),
            folder: folder_of(target)?,
            shown: target.display().to_string(),
            total: identity.size,
            name: String::new(),
            unwritten: 0,
            is_failing: false,
        })
    }

    /// Returns what an earlier process has left, or otherwise this new file. Either is kept when it is dropped.
    pub(super) async fn begin(
        &mut self,
        fresh: (NamedTempFile, Parts),
    ) -> Result<(NamedTempFile, Parts), Error> {
        let (mut file, parts) = match self.earlier(&fresh.0).await? {
            Some(earlier) => earlier,
            None => fresh,
        };
        let name = file
            .path()
            .file_name()
            .map(|name| name.to_string_lossy().into_owned());
        self.name = name.unwrap_or_default();
        // Before the file is kept: otherwise nothing would know of it.
        self.store(&parts).await?;
        file.disable_cleanup(true);
        Ok((file, parts))
    }

    /// What an earlier process has left of this download. `fresh` is a file that was just created beside it.
    async fn earlier(&self, fresh: &NamedTempFile) -> Result<Option<(NamedTempFile, Parts)>, Error> {
        let state = match self.file.earlier().await? {
            Earlier::Nothing => return Ok(None),
            Earlier::Same(state) => state,
            Earlier::Other(state) => {
                self.clean_up(&state).await;
                return Ok(None);
            }
        };
        let (Some(path), Some(parts)) = (self.unfinished(&state), self.parts(&state)) else {
            self.file.discard("it has no ranges that fit");
            self.clean_up(&state).await;
            return Ok(None);
        };
        let (total, fresh) = (self.total, fresh.as_file().try_clone());
        let reopened = blocking(move || reopened(path, parts, total, &fresh?)).await;
        let why = match reopened.map_err(|error| unwritable(&self.shown, &error))? {
            Reopened::Usable(file, parts) => {
                let done = parts.done.iter().flatten().count();
                tracing::debug!(
                    name: names::RESUMED, target: TRACING_TARGET, done, of = parts.done.len(), event = names::RESUMED,
                    "continuing a download"
                );
                return Ok(Some((file, parts)));
            }
            Reopened::Missing => "its unfinished file is gone",
            Reopened::Foreign => {
                "its unfinished file is a link, has a second name or belongs to another user, and is left as it is"
            }
            Reopened::TooLong => "its unfinished file is longer than the object",
        };
        self.file.discard(why);
        Ok(None)
    }

    /// Removes the temporary file of a download that will not be continued, if it is one to the same target.
    async fn clean_up(&self, state: &Fields) {
        let path = self.unfinished(state);
        match path.filter(|_| self.file.agrees(state, &SAME_TARGET)) {
            Some(path) => self.remove_unfinished(path).await,
            None => checkpoint::left_behind(state),
        }
    }

    /// The temporary file that a checkpoint names: it must be one of ours, in the folder of the target.
    fn unfinished(&self, state: &Fields) -> Option<PathBuf> {
        Some(self.folder.join(checkpoint::unfinished(state)?))
    }

    /// The ranges in a checkpoint.
    fn parts(&self, state: &Fields) -> Option<Parts> {
        let size = state.get(PART_SIZE)?.as_u64()?;
        // The ranges of a download with this part size.
        if size == 0 || Plan::new(Some(size), Some(self.total)).size != size {
            return None;
        }
        let mut parts = Parts::new(size, self.total);
        for part in state.get(PARTS)?.as_array()? {
            let at = usize::try_from(part.get(0)?.as_u64()?).ok()?;
            let crc = Some(part.get(1)?.as_u64()?);
            *parts.done.get_mut(at)? = Some(Arrived { crc });
        }
        Some(parts)
    }

    /// Records that another range has arrived.
    pub(super) async fn arrived(&mut self, parts: &Parts) {
        self.unwritten = self.unwritten.saturating_add(1);
        if self.unwritten > parts.done.len() / WRITES {
            self.try_store(parts).await;
        }
    }

    /// Records what has arrived when the download fails.
    pub(super) async fn store_what_is_left(&mut self, parts: &Parts) {
        if self.unwritten > 0 {
            self.try_store(parts).await;
        }
    }

    /// Its own errors are only logged, and once until it succeeds: the download itself counts, and the checkpoint written
    /// before still holds.
    async fn try_store(&mut self, parts: &Parts) {
        let stored = self.store(parts).await;
        if let Err(error) = &stored
            && !self.is_failing
        {
            self.file.not_written(error);
        }
        self.is_failing = stored.is_err();
    }

    async fn store(&mut self, parts: &Parts) -> Result<(), Error> {
        let arrived = parts.done.iter().enumerate();
        let arrived = arrived
            .filter_map(|(at, done)| Some(Value::from(vec![Value::from(at), done.as_ref()?.crc?.into()])));
        let mut state = Fields::new();
        state.insert(FILE.to_owned(), self.name.clone().into());
        state.insert(PART_SIZE.to_owned(), parts.size.into());
        state.insert(PARTS.to_owned(), arrived.collect());
        self.file.store(state).await?;
        self.unwritten = 0;
        Ok(())
    }

    /// Removes the checkpoint of a completed download.
    pub(super) async fn remove(self) {
        self.file.remove().await;
    }

    /// Removes the checkpoint and the file: what has arrived is not the object.
    pub(super) async fn give_up(self, file: NamedTempFile) {
        self.remove_unfinished(file.path().to_owned()).await;
        self.file.remove().await;
    }

    async fn remove_unfinished(&self, path: PathBuf) {
        let shown = path.display().to_string();
        let removed = blocking(move || fs::remove_file(path)).await;
        if let Err(error) = removed
            && error.kind() != io::ErrorKind::NotFound
        {
            tracing::warn!(
                name: names::FILE_NOT_REMOVED, target: TRACING_TARGET, path = &*shown, %error,
                event = names::FILE_NOT_REMOVED,
                "an unfinished download could not be removed"
            );
        }
    }
}

/// What has become of a temporary file.
enum Reopened {
    Usable(NamedTempFile, Parts),
    Missing,
    Foreign,
    TooLong,
}

/// Opens a temporary file, and drops ranges whose content differs from what arrived: after a crash of the machine, the
/// checkpoint may list bytes that are not on the disk.
fn reopened(path: PathBuf, mut parts: Parts, total: u64, fresh: &File) -> io::Result<Reopened> {
    let mut file = match reopen(&path, fresh)? {
        Found::Ours(file) => file,
        Found::Nothing => return Ok(Reopened::Missing),
        Found::Foreign => return Ok(Reopened::Foreign),
    };
    if file.metadata()?.len() > total {
        fs::remove_file(path)?;
        return Ok(Reopened::TooLong);
    }
    for at in 0..parts.done.len() {
        let range = parts.range(at);
        if let Some(done) = parts.done.get_mut(at)
            && let Some(arrived) = *done
            && crc_of(&mut file, &range)? != arrived.crc
        {
            *done = None;
        }
    }
    let mut file = NamedTempFile::from_parts(file, TempPath::try_from_path(path)?);
    file.disable_cleanup(true);
    Ok(Reopened::Usable(file, parts))
}
