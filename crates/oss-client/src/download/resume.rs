//! Downloads that a later process continues.

use std::fs::{self, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};

use serde_json::Value;
use tempfile::{NamedTempFile, TempPath};

use crate::TRACING_TARGET;
use crate::checkpoint::{self, Checkpoint, Earlier, Fields};
use crate::error::Error;
use crate::response::ResponseHead;
use crate::upload::{Plan, blocking};

use super::file::{PREFIX, folder_of, unwritable};
use super::object::{Identity, Object};
use super::parts::{Arrived, Parts};
use super::range::crc_of;

const KIND: &str = "oss-client/download/1";
const FILE: &str = "file";
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
        })
    }

    /// Returns what an earlier process has left, or otherwise this new file. Either is kept when it is dropped.
    pub(super) async fn begin(
        &mut self,
        fresh: (NamedTempFile, Parts),
    ) -> Result<(NamedTempFile, Parts), Error> {
        let (mut file, parts) = match self.earlier().await? {
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

    async fn earlier(&self) -> Result<Option<(NamedTempFile, Parts)>, Error> {
        let state = match self.file.earlier().await? {
            Earlier::Nothing => return Ok(None),
            Earlier::Same(state) => state,
            Earlier::Other(state) => {
                let path = self.unfinished(&state);
                if let Some(path) = path.filter(|_| self.file.agrees(&state, &SAME_TARGET)) {
                    self.remove_unfinished(path).await;
                }
                return Ok(None);
            }
        };
        let (Some(path), Some(parts)) = (self.unfinished(&state), self.parts(&state)) else {
            self.file.discard("it has no ranges that fit");
            return Ok(None);
        };
        let total = self.total;
        match blocking(move || reopened(path, parts, total)).await {
            Ok(Some((file, parts))) => {
                let done = parts.done.iter().flatten().count();
                tracing::debug!(target: TRACING_TARGET, done, of = parts.done.len(), "continuing a download");
                Ok(Some((file, parts)))
            }
            Ok(None) => {
                self.file.discard("its unfinished file is gone");
                Ok(None)
            }
            Err(error) => Err(unwritable(&self.shown, &error)),
        }
    }

    /// The temporary file that a checkpoint names: it must be one of ours, in the folder of the target.
    fn unfinished(&self, state: &Fields) -> Option<PathBuf> {
        let name = state.get(FILE)?.as_str()?;
        let is_ours = name.starts_with(PREFIX) && Path::new(name).file_name() == Some(name.as_ref());
        is_ours.then(|| self.folder.join(name))
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
    pub(super) async fn arrived(&mut self, parts: &Parts) -> Result<(), Error> {
        self.unwritten = self.unwritten.saturating_add(1);
        if self.unwritten <= parts.done.len() / WRITES {
            return Ok(());
        }
        self.store(parts).await
    }

    /// Records what has arrived when the download fails. Its own errors are only logged: the error of the download
    /// counts.
    pub(super) async fn store_what_is_left(&mut self, parts: &Parts) {
        if self.unwritten > 0
            && let Err(error) = self.store(parts).await
        {
            tracing::warn!(target: TRACING_TARGET, %error, "a checkpoint could not be written");
        }
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
        let removed = blocking(move || fs::remove_file(path)).await;
        if let Err(error) = removed.as_ref().map_err(io::Error::kind)
            && error != io::ErrorKind::NotFound
        {
            tracing::warn!(target: TRACING_TARGET, %error, "an unfinished download could not be removed");
        }
    }
}

/// Opens a temporary file, and drops ranges whose content differs from what arrived: after a crash of the machine, the
/// checkpoint may list bytes that are not on the disk.
fn reopened(path: PathBuf, mut parts: Parts, total: u64) -> io::Result<Option<(NamedTempFile, Parts)>> {
    match fs::symlink_metadata(&path) {
        // No link is followed: whoever created it may mean a different file.
        Ok(about) if !about.is_file() || about.len() > total => return Ok(None),
        Ok(_) => {}
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    }
    let mut file = OpenOptions::new().read(true).write(true).open(&path)?;
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
    Ok(Some((file, parts)))
}
