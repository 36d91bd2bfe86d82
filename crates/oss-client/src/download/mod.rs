//! Downloads to files.

mod file;
mod object;
mod parts;
mod range;
mod ranges;
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

/// Stores an object in a file; see [`Client::download_file`].
///
/// The content is written to a file of its own in the folder of the target, `.oss-download-` and some letters, and
/// renamed at the end: the target is never half there, and an earlier file stays as it was if anything fails. The
/// unfinished file is removed then, also when the future is dropped; one that is found later was left by a program
/// that was killed. Memory: some 256 KiB for each range on its way, whatever the object's size.
///
/// If the transfer breaks, it is continued where it broke, with a range of the same object (`If-Match`), as the
/// [`RetryPolicy`](crate::RetryPolicy) says; behind each MiB of progress it counts from the first attempt again. An
/// object that was replaced meanwhile is an error (`PreconditionFailed`).
///
/// One request brings all by default. With [`Download::parallel`] above 1, `HeadObject` is asked first, and ranges of
/// [`Download::part_size`] are requested side by side, each of the same object (`If-Match`) and continued by itself.
/// With [`Download::checkpoint`], what has arrived stays when the download fails, and a later process fetches the rest.
///
/// Checksums: length and CRC-64 of the whole are compared with the service's where it tells them, unless
/// [`ClientBuilder::check_crc`](crate::ClientBuilder::check_crc) is off.
///
/// The file is written through to the disk (`fsync`) before it is renamed: after a crash of the machine there is the
/// old file or the whole new one. It is a new file: its permissions are those of any new one (`0666` without the
/// `umask`), not those of the file that it replaces. A symbolic link as target is replaced, and what it leads to stays;
/// folders, devices and pipes are refused, also behind a link.
///
/// [`ClientBuilder::operation_timeout`](crate::ClientBuilder::operation_timeout) holds for each request, and not for
/// the whole download.
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

/// How far a download is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct DownloadProgress {
    /// How many bytes are written.
    pub received: u64,
    /// How many bytes there are, if that is known.
    pub total: Option<u64>,
}

/// What [`Download`] returns.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Downloaded {
    /// Length of the file in bytes.
    pub size: u64,
    /// CRC-64/XZ of the file; `None` if [`ClientBuilder::check_crc`](crate::ClientBuilder::check_crc) is off.
    pub crc64: Option<u64>,
    /// Status and headers of the first response: of `HeadObject` where the object came in ranges.
    pub head: ResponseHead,
}

impl Client {
    /// Stores an object of any size in a file. An existing file is replaced when all has arrived.
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
        /// Downloads only if the `ETag` is this one; else HTTP 412, `PreconditionFailed`.
        if_match => "if-match",
        /// Downloads only if the `ETag` is another one; else HTTP 304, an [`Error::Service`] too.
        if_none_match => "if-none-match",
    }

    time_settings! {
        /// Downloads only if the object is newer; else HTTP 304, an [`Error::Service`] too.
        if_modified_since => "if-modified-since",
        /// Downloads only if the object is not newer; else HTTP 412, `PreconditionFailed`.
        if_unmodified_since => "if-unmodified-since",
    }

    query_settings! {
        /// The version to download, of a bucket with versions. Default: the newest.
        version_id => "versionId",
        /// Processes the object, such as `image/resize,w_100`. The CRC-64 of the result is not known, and a transfer
        /// that breaks is not continued. It has neither ranges nor a checkpoint.
        process => "x-oss-process",
    }

    /// Size of the ranges in bytes, 100 KiB to 5 GiB. Default: [`DEFAULT_PART_SIZE`], or as much as makes 10,000 ranges
    /// of the whole; it grows to that also if it is given. Has an effect only with [`Download::parallel`] or
    /// [`Download::checkpoint`].
    pub fn part_size(mut self, bytes: u64) -> Self {
        check_part_size(&mut self.operation, bytes);
        self.part_size = bytes;
        self
    }

    /// How many ranges are on their way at once, at least 1. Default: 1, which is one request for all where there is no
    /// checkpoint either.
    pub fn parallel(mut self, ranges: usize) -> Self {
        self.parallel = ranges.max(1);
        self
    }

    /// Notes which ranges have arrived in this file, so that a later process can continue the download: if it fails or
    /// the program ends, the same call fetches what is missing. Default: none.
    ///
    /// The checkpoint belongs to one download at a time. It counts only for the same object and target, with the same
    /// size, `ETag` and modification time of the object, and ranges of the unfinished file only if they have the CRC-64
    /// that they arrived with. One that does not match, or cannot be read, is discarded with a warning in the log, and
    /// so is its unfinished file. It is written in one piece, is readable by its owner alone, holds no secret, and is
    /// removed when the object has arrived.
    ///
    /// The unfinished file stays in the folder of the target, so that checkpoint and file have to be removed together
    /// where nobody continues the download.
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

    /// Is called after each write to the file, about every 256 KiB, and less often where ranges are on their way at
    /// once. It must not block.
    pub fn on_progress(mut self, call: impl FnMut(DownloadProgress) + Send + 'static) -> Self {
        self.on_progress = Some(Box::new(call));
        self
    }

    /// Downloads.
    ///
    /// # Errors
    ///
    /// Any variant of [`Error`] but [`Error::InvalidConfig`]. [`Error::InvalidInput`] also if the file or the
    /// checkpoint cannot be written, [`Error::Corrupted`] if the CRC-64 is not the service's.
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
