//! Downloads to files.

mod file;

use std::path::PathBuf;

use http::Method;
use http::header::{ACCEPT_ENCODING, RANGE};
use reqwest::StatusCode;

use crate::TRACING_TARGET;
use crate::client::Client;
use crate::error::{CorruptionError, Error, InvalidInput};
use crate::operation::{Crc, Operation};
use crate::ops::object::GetObject;
use crate::ops::{header_settings, query_settings, time_settings};
use crate::response::{Response, ResponseBody, ResponseHead};

use self::file::Unfinished;

/// How many bytes are collected before they are written.
const BATCH: usize = 256 * 1024;
/// After this many bytes, a transfer that breaks counts as the first failure again.
const PROGRESS: u64 = 1024 * 1024;

/// Conditions that hold for an object once they have held for it.
const CONDITIONS: [&str; 3] = ["if-none-match", "if-modified-since", "if-unmodified-since"];

type OnProgress = Box<dyn FnMut(DownloadProgress) + Send>;

/// Stores an object in a file; see [`Client::download_file`].
///
/// The content is written to a file of its own in the folder of the target, `.oss-download-` and some letters, and
/// renamed at the end: the target is never half there, and an earlier file stays as it was if anything fails. The
/// unfinished file is removed then, also when the future is dropped; one that is found later was left by a program
/// that was killed. Memory: some 256 KiB, whatever the object's size.
///
/// If the transfer breaks, it is continued where it broke, with a range of the same object (`If-Match`), as the
/// [`RetryPolicy`](crate::RetryPolicy) says; behind each MiB of progress it counts from the first attempt again. An
/// object that was replaced meanwhile is an error (`PreconditionFailed`). What is continued is one transfer: there are
/// no parallel ones, and nothing is left to continue for another run of the program.
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
    /// Status and headers of the first response.
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
        /// that breaks is not continued.
        process => "x-oss-process",
    }

    /// Is called after each write to the file, about every 256 KiB. It must not block.
    pub fn on_progress(mut self, call: impl FnMut(DownloadProgress) + Send + 'static) -> Self {
        self.on_progress = Some(Box::new(call));
        self
    }

    /// Downloads.
    ///
    /// # Errors
    ///
    /// Any variant of [`Error`] but [`Error::InvalidConfig`]. [`Error::InvalidInput`] also if the file cannot be
    /// written, [`Error::Corrupted`] if the CRC-64 is not the service's.
    pub async fn send(mut self) -> Result<Downloaded, Error> {
        for name in [RANGE, ACCEPT_ENCODING] {
            if self.operation.headers.contains_key(&name) {
                let what = format!("the header {:?} is set for a download to a file", name.as_str());
                self.operation
                    .refuse(InvalidInput::new(what, "leave it out, or read with `get_object`"));
            }
        }
        self.operation.check(&self.client.inner.endpoint)?;
        Box::pin(self.run()).await
    }

    async fn run(mut self) -> Result<Downloaded, Error> {
        let mut file = Unfinished::create(&self.path, self.client.inner.check_crc).await?;
        let first = self.client.send(self.operation.without_body()).await?;
        let context = self.operation.context(&self.client.inner.endpoint);
        let (head, body) = first.into_parts();
        // Of what comes in several answers, only the file knows the CRC-64.
        let (mut body, stored) = body.without_crc();
        let mut failures = 0_u32;
        let mut before = 0;
        loop {
            let (written, broke) = self.receive(body, file, head.content_length()).await?;
            file = written;
            let Some(error) = broke else { break };
            let is_new = file.written().saturating_sub(before) >= PROGRESS;
            failures = if is_new { 1 } else { failures.saturating_add(1) };
            before = file.written();
            body = self.resume(&head, before, failures, error).await?;
        }
        let (size, crc64) = (file.written(), file.crc());
        if let (Some(local), Some(stored)) = (crc64, stored)
            && local != stored
        {
            let id = head.request_id().map(str::to_owned);
            let error = CorruptionError::received(context, local, stored, id);
            return Err(Error::Corrupted(Box::new(error)));
        }
        file.keep(self.path).await?;
        Ok(Downloaded { size, crc64, head })
    }

    /// Writes the body to the file, and says why it broke if it did.
    async fn receive(
        &mut self,
        mut body: ResponseBody,
        mut file: Unfinished,
        total: Option<u64>,
    ) -> Result<(Unfinished, Option<Error>), Error> {
        let mut batch = Vec::new();
        let mut size = 0;
        loop {
            let piece = body.chunk().await;
            if let Ok(Some(piece)) = &piece {
                size += piece.len();
                batch.push(piece.clone());
                if size < BATCH {
                    continue;
                }
            }
            if size > 0 {
                file = file.write(std::mem::take(&mut batch)).await?;
                size = 0;
                let received = file.written();
                if let Some(call) = &mut self.on_progress {
                    call(DownloadProgress { received, total });
                }
            }
            match piece {
                Ok(Some(_)) => {}
                Ok(None) => return Ok((file, None)),
                Err(error) => return Ok((file, Some(error))),
            }
        }
    }

    /// Asks for what is missing of the same object, if that can be and the policy allows.
    ///
    /// Exclusive, since a body cannot be shared between threads.
    async fn resume(
        &mut self,
        first: &ResponseHead,
        at: u64,
        failures: u32,
        error: Error,
    ) -> Result<ResponseBody, Error> {
        // A weak one matches nothing, and would tell of an object that was replaced.
        let etag = first.etag().filter(|etag| !etag.starts_with("W/"));
        let (Some(etag), Some(total)) = (etag, first.content_length()) else {
            return Err(error);
        };
        let inner = &*self.client.inner;
        if at >= total || self.is_processed() {
            return Err(error);
        }
        let Some(delay) = inner.delay(&self.operation, &error, failures) else {
            return Err(error);
        };
        if !inner.pause(delay).await {
            return Err(error);
        }
        tracing::debug!(target: TRACING_TARGET, at, total, "continuing a download");
        let mut operation = self.operation.without_body();
        for name in CONDITIONS {
            operation.headers.remove(name);
        }
        let request = GetObject::new(self.client.clone(), operation);
        let response = request.if_match(etag).range(at..).send().await?;
        if !is_rest(&response, first, at, total) {
            return Err(response.unusable(
                "it is not the rest of the object",
                "report it to the service operator",
            ));
        }
        Ok(response.into_body())
    }

    /// Whether the result is anything other than the object.
    fn is_processed(&self) -> bool {
        self.operation.query_value("x-oss-process").is_some()
    }
}

/// Whether this is what is missing of the object.
fn is_rest(response: &Response, first: &ResponseHead, at: u64, total: u64) -> bool {
    let head = response.head();
    let is_range = if at == 0 {
        head.status() == StatusCode::OK && head.content_length() == Some(total)
    } else {
        let expected = format!("bytes {at}-{}/{total}", total.saturating_sub(1));
        head.content_range() == Some(expected.as_str())
    };
    is_range && head.etag() == first.etag()
}

crate::ops::awaited!(Download -> Downloaded);
