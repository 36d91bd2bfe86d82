//! Uploads that a later process continues.

use std::collections::HashMap;
use std::path::PathBuf;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use md5::{Digest as _, Md5};
use serde_json::Value;

use crate::TRACING_TARGET;
use crate::checkpoint::{self, Checkpoint, Earlier, Fields, UPLOAD_ID};
use crate::client::Client;
use crate::error::Error;
use crate::operation::Operation;
use crate::ops::multipart::{AbortMultipartUpload, MAX_PARTS};
use crate::ops::uploads::{ListParts, ListedPart};
use crate::transfer_events as names;

use super::plan::{MAX_PART_SIZE, MIN_PART_SIZE};
use super::source::Parts;

const KIND: &str = "oss-client/upload/1";
const PART_SIZE: &str = "part_size";
/// What an upload to be aborted must have in common with the current one.
const SAME_OBJECT: [&str; 3] = ["kind", "bucket", "key"];

/// Parts by their numbers.
pub(super) type Known = HashMap<u16, ListedPart>;

/// The upload that an earlier process started.
pub(super) struct Begun {
    pub(super) upload_id: String,
    pub(super) part_size: u64,
    /// The parts that the service has.
    pub(super) parts: Known,
}

/// Where the state of an upload is recorded, and what identifies it.
pub(super) struct Resumable {
    client: Client,
    file: Checkpoint,
    total: u64,
}

impl Resumable {
    /// `initiation` is the first request of the upload, with all settings of the object.
    pub(super) fn new(client: Client, path: PathBuf, initiation: &Operation, source: &Parts) -> Self {
        let total = source.total().unwrap_or_default();
        let mut identity = Fields::new();
        identity.insert("kind".to_owned(), KIND.into());
        identity.insert("bucket".to_owned(), initiation.bucket.clone().into());
        identity.insert("key".to_owned(), initiation.key.clone().into());
        identity.insert(
            "source".to_owned(),
            source.path().map(checkpoint::absolute).into(),
        );
        identity.insert("size".to_owned(), total.into());
        identity.insert("modified".to_owned(), checkpoint::modified(source.modified()));
        identity.insert("settings".to_owned(), digest(initiation).into());
        let file = Checkpoint::new(path, identity);
        Self { client, file, total }
    }

    /// The upload of this file that an earlier process started, if the service still has it. `list` and `abort` are the
    /// operations, without an upload ID.
    pub(super) async fn begun(&self, list: Operation, abort: Operation) -> Result<Option<Begun>, Error> {
        let state = match self.file.earlier().await? {
            Earlier::Nothing => return Ok(None),
            Earlier::Same(state) => state,
            Earlier::Other(state) => {
                self.abort(&state, abort).await;
                return Ok(None);
            }
        };
        let id = state.get(UPLOAD_ID).and_then(Value::as_str);
        let size = state.get(PART_SIZE).and_then(Value::as_u64);
        let (Some(upload_id), Some(part_size)) = (id, size.filter(|size| self.fits(*size))) else {
            self.file.discard("it has no upload that fits");
            self.abort(&state, abort).await;
            return Ok(None);
        };
        let list = list.query("uploadId", upload_id);
        let mut listed = ListParts::new(self.client.clone(), list).parts();
        let mut parts = Known::new();
        loop {
            match listed.try_next().await {
                Ok(Some(part)) => parts.insert(part.number, part),
                Ok(None) => break,
                Err(error) if error.code() == Some("NoSuchUpload") => {
                    self.file.discard("the service does not have the upload any more");
                    return Ok(None);
                }
                Err(error) => return Err(error),
            };
        }
        let upload_id = upload_id.to_owned();
        tracing::debug!(
            name: names::UPLOAD_RESUMED, target: TRACING_TARGET, upload_id = &*upload_id, parts = parts.len(),
            event = names::UPLOAD_RESUMED,
            "continuing an upload"
        );
        Ok(Some(Begun {
            upload_id,
            part_size,
            parts,
        }))
    }

    /// Records the upload.
    pub(super) async fn store(&self, upload_id: &str, part_size: u64) -> Result<(), Error> {
        let mut state = Fields::new();
        state.insert(UPLOAD_ID.to_owned(), upload_id.into());
        state.insert(PART_SIZE.to_owned(), part_size.into());
        self.file.store(state).await
    }

    pub(super) async fn remove(&self) {
        self.file.remove().await;
    }

    /// Whether parts of this size make up the file.
    fn fits(&self, part_size: u64) -> bool {
        (MIN_PART_SIZE..=MAX_PART_SIZE).contains(&part_size)
            && part_size < self.total
            && self.total.div_ceil(part_size) <= u64::from(MAX_PARTS)
    }

    /// Deletes the parts of an upload to the same object that will not be continued.
    async fn abort(&self, state: &Fields, abort: Operation) {
        let upload_id = state.get(UPLOAD_ID).and_then(Value::as_str);
        let upload_id = upload_id.filter(|_| self.file.agrees(state, &SAME_OBJECT));
        let Some(upload_id) = upload_id else {
            return checkpoint::left_behind(state);
        };
        let abort = abort.query("uploadId", upload_id);
        match AbortMultipartUpload::new(self.client.clone(), abort).send().await {
            Ok(_) => {}
            Err(error) if error.code() == Some("NoSuchUpload") => {}
            Err(_) => checkpoint::left_behind(state),
        }
    }
}

/// A digest that differs for uploads whose objects would differ in more than their content. The checkpoint has this
/// digest instead of the values, which may be confidential.
fn digest(initiation: &Operation) -> String {
    let mut lines: Vec<_> = initiation
        .headers
        .iter()
        .map(|(name, value)| [name.as_str().as_bytes(), b":", value.as_bytes(), b"\n"].concat())
        .collect();
    lines.extend(
        initiation
            .query
            .iter()
            .map(|(name, value)| format!("{name}={value}\n").into_bytes()),
    );
    lines.sort();
    STANDARD.encode(Md5::digest(lines.concat()))
}
