//! Downloads to files.

mod file;
mod object;
mod parts;
mod range;
mod ranges;
mod reopen;
mod resume;
mod single;

use std::path::PathBuf;

use http::Method;
use http::header::{ACCEPT_ENCODING, RANGE};

use crate::client::Client;
use crate::error::{Error, InvalidInput};
use crate::operation::{Crc, Operation};
use crate::ops::{header_settings, query_settings, time_settings};
use crate::response::ResponseHead;
use crate::upload::{DEFAULT_PART_SIZE, check_part_size};

use self::object::Object;
use self::ranges::Ranges;
use self::single::Single;

type OnProgress = Box<dyn FnMut(DownloadProgress) + Send>;

/// Downloads an object to a file; see [`Client::download_file`].
///
/// The content is written to a temporary file in the folder of the target, named `.oss-download-` and some letters,
/// which is renamed at the end: the target is never incomplete, and an existing file stays unchanged if anything fails.
/// The temporary file is then removed, also if the future is dropped; such a file is only left behind if the program
/// was killed. The download needs about 256 KiB of memory for each range in progress, whatever the object's size.
///
/// If the transfer is interrupted, it continues from there with a range of the same object (`If-Match`), as the
/// [`RetryPolicy`](crate::RetryPolicy) decides; after each MiB of progress, attempts are counted from one again. If the
/// object was replaced in the meantime, the download fails (`PreconditionFailed`).
///
/// By default, one request fetches the whole object. With [`Download::parallel`] above 1, `HeadObject` is sent first,
/// and then ranges of [`Download::part_size`] are fetched in parallel, each of the same object (`If-Match`) and
/// continued on its own. With [`Download::checkpoint`], what has arrived is kept when the download fails, and a later
/// process fetches the rest.
///
/// The client compares the length and CRC-64 of the whole object with those that the service reports, unless
/// [`ClientBuilder::check_crc`](crate::ClientBuilder::check_crc) is off.
///
/// The file is flushed to the disk (`fsync`) before it is renamed: after a crash of the machine, either the old file or
/// the complete new one exists. It is a new file with the permissions of new files (`0666` without the `umask`), not
/// those of the file that it replaces. A symbolic link as target is replaced, and the file it points to stays
/// unchanged; folders, devices and pipes are refused, also through a link.
///
/// [`ClientBuilder::operation_timeout`](crate::ClientBuilder::operation_timeout) limits each request, not the whole
/// download.
///
/// # Examples
///
/// ```no_run
/// # async fn run(client: &oss_client::Client) -> Result<(), oss_client::Error> {
/// let downloaded = client
///     .download_file("examplebucket", "backup.tar", "/var/backups/backup.tar")
///     .on_progress(|progress| println!("{} of {:?} bytes", progress.received, progress.total))
///     .send()
///     .await?;
/// println!("{} bytes", downloaded.size);
/// # Ok(())
/// # }
/// ```
#[must_use = "nothing is sent before `send`"]
pub struct Download {
    client: Client,
    operation: Operation,
    path: PathBuf,
    part_size: u64,
    parallel: usize,
    checkpoint: Option<PathBuf>,
    on_progress: Option<OnProgress>,
}

/// The progress of a download.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct DownloadProgress {
    /// How many bytes have been written.
    pub received: u64,
    /// The total number of bytes, if it is known.
    pub total: Option<u64>,
}

/// The result of [`Download`].
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Downloaded {
    /// The length of the file in bytes.
    pub size: u64,
    /// The CRC-64/XZ of the file; `None` if [`ClientBuilder::check_crc`](crate::ClientBuilder::check_crc) is off.
    pub crc64: Option<u64>,
    /// The status and headers of the first response, which is that of `HeadObject` for a download in ranges.
    pub head: ResponseHead,
}

impl Client {
    /// Downloads an object of any size to a file. An existing file is replaced when the download is complete.
    ///
    /// Vendor document: `GetObject` (Object Storage Service, API reference).
    pub fn download_file(
        &self,
        bucket: impl Into<String>,
        key: impl Into<String>,
        path: impl Into<PathBuf>,
    ) -> Download {
        let mut operation = Operation::object("GetObject", Method::GET, bucket.into(), key.into());
        operation.crc = Crc::Received;
        Download {
            client: self.clone(),
            operation,
            path: path.into(),
            part_size: DEFAULT_PART_SIZE,
            parallel: 1,
            checkpoint: None,
            on_progress: None,
        }
    }
}

impl Download {
    crate::ops::common_settings!();
    crate::ops::traffic_limit_setting!();

    header_settings! {
        /// Downloads only if the `ETag` is this one; otherwise the result is HTTP 412, `PreconditionFailed`.
        if_match => "if-match",
        /// Downloads only if the `ETag` is a different one; otherwise the result is HTTP 304, also an
        /// [`Error::Service`].
        if_none_match => "if-none-match",
    }

    time_settings! {
        /// Downloads only if the object is newer; otherwise the result is HTTP 304, also an [`Error::Service`].
        if_modified_since => "if-modified-since",
        /// Downloads only if the object is not newer; otherwise the result is HTTP 412, `PreconditionFailed`.
        if_unmodified_since => "if-unmodified-since",
    }

    query_settings! {
        /// The version to download, from a bucket with versioning. Default: the newest.
        version_id => "versionId",
        /// Processes the object, such as `image/resize,w_100`. The CRC-64 of the result is not known, an interrupted
        /// transfer does not continue, and neither ranges nor a checkpoint are used.
        process => "x-oss-process",
    }

    /// Sets the size of the ranges in bytes, 100 KiB to 5 GiB. Default: [`DEFAULT_PART_SIZE`]. If the object would need
    /// more than 10,000 ranges, larger ranges are used, also if a size is set. Only has an effect with
    /// [`Download::parallel`] or [`Download::checkpoint`].
    pub fn part_size(mut self, bytes: u64) -> Self {
        check_part_size(&mut self.operation, bytes);
        self.part_size = bytes;
        self
    }

    /// Sets how many ranges are fetched in parallel, at least 1. Default: 1, which means one request for the whole
    /// object unless there is a checkpoint.
    pub fn parallel(mut self, ranges: usize) -> Self {
        self.parallel = ranges.max(1);
        self
    }

    /// Records in this file which ranges have arrived, so that a later process can continue the download: if it fails
    /// or the program ends, the same call fetches what is missing. Default: none.
    ///
    /// A checkpoint belongs to one download at a time. It is only used for the same object and target, with the same
    /// size, `ETag` and modification time of the object. Ranges of the temporary file are only used if they still have
    /// the CRC-64 with which they arrived, and only if it is a regular file of this user with one name. A checkpoint that
    /// does not match is discarded with a warning in the log, together with its temporary file; a file that is not a
    /// checkpoint is an error. The checkpoint is written atomically, is readable only by its owner, contains no secret,
    /// and is removed when the download is complete. If it can no longer be written while the download runs, that is
    /// only logged.
    ///
    /// The temporary file stays in the folder of the target. If the download is never continued, remove the checkpoint
    /// and the temporary file together.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # async fn run(client: &oss_client::Client) -> Result<(), oss_client::Error> {
    /// client
    ///     .download_file("examplebucket", "backup.tar", "/var/backups/backup.tar")
    ///     .parallel(3)
    ///     .checkpoint("/var/backups/backup.tar.download")
    ///     .await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn checkpoint(mut self, path: impl Into<PathBuf>) -> Self {
        self.checkpoint = Some(path.into());
        self
    }

    /// Sets a callback for progress. It is called after each write to the file, about every 256 KiB, and less often if
    /// ranges are fetched in parallel. It must not block.
    pub fn on_progress(mut self, call: impl FnMut(DownloadProgress) + Send + 'static) -> Self {
        self.on_progress = Some(Box::new(call));
        self
    }

    /// Runs the download.
    ///
    /// # Errors
    ///
    /// Any variant of [`Error`] except [`Error::InvalidConfig`]. [`Error::InvalidInput`] also if the file or the
    /// checkpoint cannot be written, [`Error::Corrupted`] if the CRC-64 differs from the service's.
    pub async fn send(mut self) -> Result<Downloaded, Error> {
        for name in [RANGE, ACCEPT_ENCODING] {
            if self.operation.headers.contains_key(&name) {
                let what = format!("the header {:?} is set for a download to a file", name.as_str());
                self.operation
                    .refuse(InvalidInput::new(what, "leave it out, or read with `get_object`"));
            }
        }
        let has_ranges = self.parallel > 1 || self.checkpoint.is_some();
        if has_ranges && self.operation.query_value("x-oss-process").is_some() {
            self.operation.refuse(InvalidInput::new(
                "a processed object is to be downloaded in ranges",
                "leave out `parallel` and `checkpoint`",
            ));
        }
        self.operation.check(&self.client.inner.endpoint)?;
        let object = Object::new(self.client, self.operation);
        if !has_ranges {
            let single = Single::new(object, self.path, self.on_progress);
            return Box::pin(single.run()).await;
        }
        let ranges = Ranges {
            object,
            path: self.path,
            part_size: self.part_size,
            parallel: self.parallel,
            checkpoint: self.checkpoint,
            on_progress: self.on_progress,
        };
        Box::pin(ranges.run()).await
    }
}

crate::ops::awaited!(Download -> Downloaded);
