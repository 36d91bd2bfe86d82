//! Uploads of any size.

pub(crate) mod cleanup;
pub(crate) mod parts;
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
use crate::ops::multipart::MAX_PARTS;
use crate::ops::{callback_settings, default_content_type, header_settings, object_settings};
use crate::response::ResponseHead;

pub use self::plan::DEFAULT_PART_SIZE;
use self::plan::MAX_PART_SIZE;
pub(crate) use self::plan::{Plan, check_part_size};
use self::progress::Reporter;
use self::source::Source;
pub(crate) use self::source::blocking;

/// How many parts are on their way at once: that of the vendor's SDKs V2.
pub const DEFAULT_PARALLEL_PARTS: usize = 3;

type OnProgress = Box<dyn FnMut(UploadProgress) + Send>;

/// Stores an object of any size; see [`Client::upload`] and [`Client::upload_file`].
///
/// What fits into one part is sent as `PutObject`. More is sent in parts, some at once; each is repeated by itself as
/// the [`RetryPolicy`](crate::RetryPolicy) says. Files are read as they are sent, so that nothing of them stays in
/// memory. Of a stream, each part that is on its way is: [`Upload::part_size`] times [`Upload::parallel`], 18 MiB by
/// default. The parts of a stream of unknown length double in size after every 1000.
///
/// Checksums: the CRC-64 of each part and of the whole object are compared with the service's where it tells them,
/// unless [`ClientBuilder::check_crc`](crate::ClientBuilder::check_crc) is off. A file whose size or modification time
/// changes while it is uploaded is an error, and nothing is stored.
///
/// If it fails, the parts are deleted (`AbortMultipartUpload`); [`Error::AbandonedUpload`] tells if that fails too. If the
/// future is dropped before it is done, on whatever thread, a task that deletes them is started in the tokio runtime
/// that it ran in: whether that still runs to its end, only the log tells, and an upload whose first step is still on
/// its way is not known by its id yet. What is left behind is paid for: a lifecycle rule for parts
/// (`AbortMultipartUpload`) on the bucket removes it.
///
/// With [`Upload::checkpoint`], the parts of a file stay when the upload fails, and a later process sends the rest.
///
/// [`ClientBuilder::operation_timeout`](crate::ClientBuilder::operation_timeout) holds for each request, and not for the
/// whole upload.
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
    /// `PutObject`, from which the other operations are made.
    operation: Operation,
    source: Source,
    part_size: Option<u64>,
    parallel: usize,
    checkpoint: Option<PathBuf>,
    on_progress: Option<OnProgress>,
}

/// How far an upload is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct UploadProgress {
    /// How many bytes were handed to the HTTP stack, each counted once: of a part that is sent again, only what no
    /// attempt before came to. It never becomes less, and never more than `total`. The last few MiB may still lie in
    /// the buffers of this machine.
    pub sent: u64,
    /// How many bytes the service has acknowledged: whole parts.
    pub acknowledged: u64,
    /// How many bytes there are, if that is known.
    pub total: Option<u64>,
}

/// What [`Upload`] returns.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Uploaded {
    /// Length of the object in bytes.
    pub size: u64,
    /// How many parts it was sent in; 0 for `PutObject`.
    pub parts: u16,
    /// `ETag` of the object, with its quotes. Not an MD5 if it was sent in parts.
    pub etag: Option<String>,
    /// CRC-64/XZ of what was sent; `None` if [`ClientBuilder::check_crc`](crate::ClientBuilder::check_crc) is off.
    pub crc64: Option<u64>,
    /// Status and headers of the request that made the object.
    pub head: ResponseHead,
}

impl Client {
    /// Stores an object of any size, in parts if it is large. An existing one is replaced.
    ///
    /// Vendor document: "Multipart upload" (Object Storage Service, developer guide).
    pub fn upload(&self, bucket: impl Into<String>, key: impl Into<String>, body: impl Into<Body>) -> Upload {
        Upload::new(self.clone(), bucket.into(), key.into(), Source::Body(body.into()))
    }

    /// Stores a file of any size as an object, in parts if it is large. An existing object is replaced.
    ///
    /// The file must not change meanwhile.
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
        /// `Content-Type`. Default: by the extension of the key (feature `content-type`), else
        /// `application/octet-stream`.
        content_type => "content-type",
    }

    object_settings!();
    callback_settings!();

    /// Most bits per second of each connection, 245,760 to 838,860,800; there are as many as parts on their way.
    /// Default: no limit.
    pub fn traffic_limit(mut self, bits_per_second: u64) -> Self {
        crate::ops::set_traffic_limit(&mut self.operation, bits_per_second);
        self
    }

    /// Size of the parts in bytes, 100 KiB to 5 GiB. Default: 6 MiB, or as much as makes 10,000 parts of the whole; it
    /// grows to that also if it is given.
    pub fn part_size(mut self, bytes: u64) -> Self {
        check_part_size(&mut self.operation, bytes);
        self.part_size = Some(bytes);
        self
    }

    /// How many parts are on their way at once, at least 1. Default: 3.
    pub fn parallel(mut self, parts: usize) -> Self {
        self.parallel = parts.max(1);
        self
    }

    /// Notes an upload in parts in this file, so that a later process can continue it: if the upload fails or the
    /// program ends, the same call sends the parts that the service does not have yet (`ListParts`). Default: none.
    ///
    /// The checkpoint belongs to one upload at a time. It counts only for the same object, settings and file, with the
    /// same size and modification time; parts are compared with the file by their CRC-64 unless
    /// [`ClientBuilder::check_crc`](crate::ClientBuilder::check_crc) is off. One that does not match, cannot be read, or
    /// names an upload that the service does not have any more is discarded with a warning in the log; the parts of an
    /// upload to the same object are deleted then. It is written in one piece, is readable by its owner alone, holds no
    /// secret, and is removed when the object is there.
    ///
    /// The parts of an upload that nobody continues are paid for: a lifecycle rule on the bucket removes them. A file
    /// that fits into one part is sent without checkpoint. For files alone: [`Client::upload_file`].
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

    /// Is called as bytes are handed to the HTTP stack, about every 64 KiB and less often where that is fast; after
    /// each part that the service has acknowledged; and at the end of a `PutObject`. No two calls tell the same. It
    /// must not block: it is called from the task that awaits the upload.
    pub fn on_progress(mut self, call: impl FnMut(UploadProgress) + Send + 'static) -> Self {
        self.on_progress = Some(Box::new(call));
        self
    }

    /// Uploads.
    ///
    /// # Errors
    ///
    /// Any variant of [`Error`] but [`Error::InvalidConfig`]. [`Error::InvalidInput`] also if the file or stream cannot
    /// be read or has another length than was announced.
    pub async fn send(mut self) -> Result<Uploaded, Error> {
        default_content_type(&mut self.operation);
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

/// Refuses what no number of parts can hold.
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
