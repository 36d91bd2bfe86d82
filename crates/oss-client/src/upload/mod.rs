//! Uploads of any size.

pub(crate) mod cleanup;
pub(crate) mod completion;
pub(crate) mod continued;
mod parts;
mod pieces;
mod plan;
mod progress;
mod resume;
mod source;

use std::fmt;
use std::path::PathBuf;

use http::Method;

use crate::body::Body;
use crate::client::Client;
use crate::error::{Error, InvalidInput};
use crate::operation::{Crc, Operation};
use crate::ops::multipart::{CompletedUpload, MAX_PARTS};
use crate::ops::{callback_settings, default_content_type, header_settings, object_settings};
use crate::response::ResponseHead;

use self::completion::Whole;
pub use self::plan::DEFAULT_PART_SIZE;
use self::plan::MAX_PART_SIZE;
pub(crate) use self::plan::{Plan, check_part_size};
use self::progress::Reporter;
use self::source::Source;
pub(crate) use self::source::blocking;

/// How many parts are sent in parallel: the default of the vendor's SDKs V2.
pub const DEFAULT_PARALLEL_PARTS: usize = 3;

type OnProgress = Box<dyn FnMut(UploadProgress) + Send>;

/// Uploads an object of any size; see [`Client::upload`] and [`Client::upload_file`].
///
/// Content that fits into one part is sent as `PutObject`. Larger content is sent in parts, several in parallel; each
/// part is retried on its own, as the [`RetryPolicy`](crate::RetryPolicy) decides. Files are read while they are sent
/// and are not kept in memory. For a stream, the parts being sent are in memory: [`Upload::part_size`] times
/// [`Upload::parallel`], 18 MiB by default. The part size of a stream of unknown length doubles after every 1000 parts.
///
/// The client compares the CRC-64 of each part and of the whole object with those that the service reports, unless
/// [`ClientBuilder::check_crc`](crate::ClientBuilder::check_crc) is off. If the size or modification time of a file
/// changes during the upload, the upload fails and nothing is stored.
///
/// If the upload fails, the client deletes the parts (`AbortMultipartUpload`); if that fails too, the error is
/// [`Error::AbandonedUpload`]. If the future is dropped early, on any thread, a task that deletes the parts is started
/// in the tokio runtime of the upload. This is best effort: only the log states whether the task finished, and an
/// upload whose first request is still in progress has no ID yet. Parts that are left behind are billed; a lifecycle
/// rule for parts (`AbortMultipartUpload`) on the bucket removes them.
///
/// With [`Upload::checkpoint`], the parts of a file are kept when the upload fails, and a later process sends the rest.
///
/// [`ClientBuilder::operation_timeout`](crate::ClientBuilder::operation_timeout) limits each request, not the whole
/// upload.
///
/// # Examples
///
/// ```no_run
/// # async fn run(client: &oss_client::Client) -> Result<(), oss_client::Error> {
/// let uploaded = client
///     .upload_file("examplebucket", "backup.tar", "/var/backups/backup.tar")
///     .storage_class("IA")
///     .on_progress(|progress| println!("{} of {:?} bytes", progress.sent, progress.total))
///     .send()
///     .await?;
/// println!("{} bytes in {} parts", uploaded.size, uploaded.parts);
/// # Ok(())
/// # }
/// ```
#[must_use = "nothing is sent before `send`"]
pub struct Upload {
    client: Client,
    /// `PutObject`, from which the other operations are derived.
    operation: Operation,
    source: Source,
    part_size: Option<u64>,
    parallel: usize,
    checkpoint: Option<PathBuf>,
    on_progress: Option<OnProgress>,
}

/// The progress of an upload.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct UploadProgress {
    /// How many bytes were passed to the HTTP stack, each counted once: of a part that is sent again, only bytes beyond
    /// what earlier attempts reached. This never decreases and never exceeds `total`. The last few MiB may still be in
    /// the buffers of this machine.
    pub sent: u64,
    /// How many bytes the service has acknowledged, in whole parts.
    pub acknowledged: u64,
    /// The total number of bytes, if it is known.
    pub total: Option<u64>,
}

/// The result of [`Upload`].
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Uploaded {
    /// The length of the object in bytes.
    pub size: u64,
    /// The number of parts; 0 for `PutObject`.
    pub parts: u16,
    /// The `ETag` of the object, with its quotes. Not an MD5 if the object was sent in parts.
    pub etag: Option<String>,
    /// The CRC-64/XZ of what was sent; `None` if [`ClientBuilder::check_crc`](crate::ClientBuilder::check_crc) is off.
    pub crc64: Option<u64>,
    /// The status and headers of the request that created the object.
    pub head: ResponseHead,
}

impl Uploaded {
    /// An object that was created from parts.
    fn of(whole: &Whole, done: CompletedUpload) -> Self {
        Self {
            size: whole.size,
            parts: whole.parts,
            etag: done.etag,
            crc64: whole.crc,
            head: done.head,
        }
    }
}

impl Client {
    /// Uploads an object of any size, in parts if it is large. Replaces an existing object.
    ///
    /// Vendor document: "Multipart upload" (Object Storage Service, developer guide).
    pub fn upload(&self, bucket: impl Into<String>, key: impl Into<String>, body: impl Into<Body>) -> Upload {
        Upload::new(self.clone(), bucket.into(), key.into(), Source::Body(body.into()))
    }

    /// Uploads a file of any size, in parts if it is large. Replaces an existing object.
    ///
    /// The file must not change during the upload.
    pub fn upload_file(
        &self,
        bucket: impl Into<String>,
        key: impl Into<String>,
        path: impl Into<PathBuf>,
    ) -> Upload {
        Upload::new(self.clone(), bucket.into(), key.into(), Source::File(path.into()))
    }
}

impl Upload {
    fn new(client: Client, bucket: String, key: String, source: Source) -> Self {
        let mut operation = Operation::object("PutObject", Method::PUT, bucket, key);
        operation.crc = Crc::Sent;
        Self {
            client,
            operation,
            source,
            part_size: None,
            parallel: DEFAULT_PARALLEL_PARTS,
            checkpoint: None,
            on_progress: None,
        }
    }

    crate::ops::common_settings!();

    header_settings! {
        /// `Content-Type`. Default: derived from the extension of the key (feature `content-type`), otherwise
        /// `application/octet-stream`.
        content_type => "content-type",
    }

    object_settings!();
    callback_settings!();

    /// Sets the maximum number of bits per second of each connection, 245,760 to 838,860,800; there is one connection
    /// for each part that is sent in parallel. Default: no limit.
    pub fn traffic_limit(mut self, bits_per_second: u64) -> Self {
        crate::ops::set_traffic_limit(&mut self.operation, bits_per_second);
        self
    }

    /// Sets the size of the parts in bytes, 100 KiB to 5 GiB. Default: 6 MiB. If the content would need more than
    /// 10,000 parts, larger parts are used, also if a size is set.
    pub fn part_size(mut self, bytes: u64) -> Self {
        check_part_size(&mut self.operation, bytes);
        self.part_size = Some(bytes);
        self
    }

    /// Sets how many parts are sent in parallel, at least 1. Default: 3.
    pub fn parallel(mut self, parts: usize) -> Self {
        self.parallel = parts.max(1);
        self
    }

    /// Records the state of an upload in parts in this file, so that a later process can continue it: if the upload
    /// fails or the program ends, the same call sends the parts that the service does not have yet (`ListParts`).
    /// Default: none.
    ///
    /// A checkpoint belongs to one upload at a time. It is only used for the same object, settings and file, with the
    /// same size and modification time; the client compares the CRC-64 of the stored parts with the file, unless
    /// [`ClientBuilder::check_crc`](crate::ClientBuilder::check_crc) is off. A checkpoint that does not match, or
    /// names an upload that no longer exists, is discarded with a warning in the log; the parts of an earlier upload to
    /// the same object are then deleted. A file that is not a checkpoint is an error. The checkpoint is written
    /// atomically, is readable only by its owner, contains no secret, and is removed when the object is complete.
    ///
    /// Parts of an upload that is never continued are billed; a lifecycle rule on the bucket removes them. A file that
    /// fits into one part is sent without a checkpoint. Only for files: [`Client::upload_file`].
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # async fn run(client: &oss_client::Client) -> Result<(), oss_client::Error> {
    /// client
    ///     .upload_file("examplebucket", "backup.tar", "/var/backups/backup.tar")
    ///     .checkpoint("/var/backups/backup.tar.upload")
    ///     .await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn checkpoint(mut self, path: impl Into<PathBuf>) -> Self {
        if matches!(self.source, Source::Body(_)) {
            self.operation.refuse(InvalidInput::new(
                "a checkpoint is set for an upload that is not of a file",
                "use `upload_file`, or leave it out",
            ));
        }
        self.checkpoint = Some(path.into());
        self
    }

    /// Sets a callback for progress. It is called as bytes are passed to the HTTP stack, about every 64 KiB and less often
    /// on fast connections, after each part that the service has acknowledged, and at the end of a `PutObject`.
    /// Consecutive calls always differ. The callback must not block: the task that awaits the upload runs it.
    pub fn on_progress(mut self, call: impl FnMut(UploadProgress) + Send + 'static) -> Self {
        self.on_progress = Some(Box::new(call));
        self
    }

    /// Runs the upload.
    ///
    /// # Errors
    ///
    /// Any variant of [`Error`] except [`Error::InvalidConfig`]. [`Error::InvalidInput`] also if the file or stream
    /// cannot be read or its length differs from the announced one.
    pub async fn send(mut self) -> Result<Uploaded, Error> {
        default_content_type(&self.client, &mut self.operation);
        self.operation.check(&self.client.inner.endpoint)?;
        let parts = self.source.open().await?;
        check_total(parts.total())?;
        let plan = Plan::new(self.part_size, parts.total());
        let reporter = Reporter::new(self.on_progress, parts.total());
        let job = parts::Job::new(self.client, self.operation, plan, self.parallel);
        let resumable = self.checkpoint.map(|path| job.resumable(path, &parts));
        Box::pin(job.run(parts, reporter, resumable)).await
    }
}

/// Refuses a size that no number of parts can hold.
fn check_total(total: Option<u64>) -> Result<(), Error> {
    let most = MAX_PART_SIZE.saturating_mul(u64::from(MAX_PARTS));
    match total.filter(|total| *total > most) {
        None => Ok(()),
        Some(total) => Err(Error::InvalidInput(InvalidInput::new(
            format!("the body has {total} bytes, and an object at most {most}: {MAX_PARTS} parts of 5 GiB"),
            "store it as several objects",
        ))),
    }
}

crate::ops::awaited!(Upload -> Uploaded);

impl fmt::Debug for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Body(body) => body.fmt(f),
            Self::File(path) => path.fmt(f),
        }
    }
}
