//! Copies of any size within the service.

use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use http::Method;

use crate::client::Client;
use crate::error::Error;
use crate::headers::{FORBID_OVERWRITE, OF_PARTS, REQUEST_PAYER, TRAFFIC_LIMIT};
use crate::operation::Operation;
use crate::ops::copy::{CopyObject, CopySource, set_source};
use crate::ops::multipart::{InitiateMultipartUpload, MAX_PARTS, UploadedPart};
use crate::ops::{header_settings, object_settings};
use crate::response::ResponseHead;
use crate::upload::cleanup::Cleanup;
use crate::upload::completion::{Whole, check_crc, complete};
use crate::upload::{DEFAULT_PARALLEL_PARTS, check_part_size};

/// Objects of up to this size are copied in one request, in bytes: 200 MiB.
pub const DEFAULT_COPY_THRESHOLD: u64 = 200 * 1024 * 1024;
/// Size of the parts in which larger objects are copied, in bytes: 64 MiB.
pub const DEFAULT_COPY_PART_SIZE: u64 = 64 * 1024 * 1024;
/// Maximum size of an object that one request copies, in bytes.
///
/// Vendor document: `CopyObject` (Object Storage Service, API reference).
const MAX_AT_ONCE: u64 = 1024 * 1024 * 1024;

const METADATA_DIRECTIVE: &str = "x-oss-metadata-directive";
const TAGGING_DIRECTIVE: &str = "x-oss-tagging-directive";
/// Prefix of headers with conditions on the source; `if-` and the rest is the same condition of `HeadObject`.
const SOURCE_CONDITION: &str = "x-oss-copy-source-";
const OBJECT_TYPE: &str = "x-oss-object-type";
/// Headers of the source that the copy keeps, in addition to its user metadata.
const KEPT: [&str; 6] = [
    "cache-control",
    "content-disposition",
    "content-encoding",
    "content-language",
    "content-type",
    "expires",
];

/// Copies an object of any size; see [`Client::copy`].
///
/// Content type, user metadata and tags are kept, as [`Client::copy_object`] keeps them. The source must not change
/// meanwhile: a part is copied only while its `ETag` is the same.
#[must_use = "nothing is sent before `send`"]
pub struct ObjectCopy {
    client: Client,
    /// `CopyObject`, from which the other operations are made.
    operation: Operation,
    source: CopySource,
    threshold: u64,
    part_size: u64,
    parallel: usize,
    on_progress: Option<OnProgress>,
}

type OnProgress = Box<dyn FnMut(CopyProgress) + Send>;

/// The progress of a copy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct CopyProgress {
    /// How many bytes have been copied.
    pub copied: u64,
    /// How many bytes there are.
    pub total: u64,
}

/// The result of [`ObjectCopy`].
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Copied {
    /// Length of the object in bytes.
    pub size: u64,
    /// How many parts it was copied in; 0 for one request.
    pub parts: u16,
    /// `ETag` of the copy, with its quotes.
    pub etag: Option<String>,
    /// Status and headers of the request that made the copy.
    pub head: ResponseHead,
}

impl Client {
    /// Copies an object of any size to this bucket and key, in one request or in parts, within the service. An existing
    /// object is replaced.
    ///
    /// Vendor document: "Copy objects" (Object Storage Service, developer guide).
    ///
    /// # Examples
    ///
    /// ```no_run
    /// use oss_client::CopySource;
    ///
    /// # async fn run(client: &oss_client::Client) -> Result<(), oss_client::Error> {
    /// let source = CopySource::new("examplebucket", "backup.tar");
    /// let copied = client.copy("backup-bucket", "2026/backup.tar", source).await?;
    /// println!("{} bytes in {} parts", copied.size, copied.parts);
    /// # Ok(())
    /// # }
    /// ```
    pub fn copy(&self, bucket: impl Into<String>, key: impl Into<String>, source: CopySource) -> ObjectCopy {
        let mut operation =
            Operation::object("CopyObject", Method::PUT, bucket.into(), key.into()).expect_xml();
        set_source(&mut operation, &source);
        ObjectCopy {
            client: self.clone(),
            operation,
            source,
            threshold: DEFAULT_COPY_THRESHOLD,
            part_size: DEFAULT_COPY_PART_SIZE,
            parallel: DEFAULT_PARALLEL_PARTS,
            on_progress: None,
        }
    }
}

impl ObjectCopy {
    crate::ops::common_settings!();

    header_settings! {
        /// `Content-Type` of the copy. Has an effect only with [`ObjectCopy::metadata_directive`] `REPLACE`.
        content_type => "content-type",
        /// `COPY` takes headers and user metadata from the source, `REPLACE` from this request. Default: `COPY`, set
        /// by the service.
        metadata_directive => "x-oss-metadata-directive",
        /// `Copy` takes the tags from the source, `Replace` from this request. Default: `Copy`, set by the service.
        tagging_directive => "x-oss-tagging-directive",
    }

    object_settings!();

    /// Sets up to which size an object is copied in one request, in bytes, at most 1 GiB. Default:
    /// [`DEFAULT_COPY_THRESHOLD`].
    pub fn threshold(mut self, bytes: u64) -> Self {
        self.threshold = bytes.min(MAX_AT_ONCE);
        self
    }

    /// Sets the size of the parts in bytes, 100 KiB to 5 GiB. Default: [`DEFAULT_COPY_PART_SIZE`], or as much as
    /// makes 10,000 parts of the whole.
    pub fn part_size(mut self, bytes: u64) -> Self {
        check_part_size(&mut self.operation, bytes);
        self.part_size = bytes;
        self
    }

    /// Sets how many parts are copied at once, at least 1. Default: 3.
    pub fn parallel(mut self, parts: usize) -> Self {
        self.parallel = parts.max(1);
        self
    }

    /// Sets a function that is called after each part, and at the end of a copy in one request. It must not block.
    pub fn on_progress(mut self, call: impl FnMut(CopyProgress) + Send + 'static) -> Self {
        self.on_progress = Some(Box::new(call));
        self
    }

    /// Copies.
    ///
    /// # Errors
    ///
    /// Any variant of [`Error`] except [`Error::InvalidConfig`]. The code is `PreconditionFailed` if the source
    /// changed,
    /// [`Error::Corrupted`] if the CRC-64 of the copy is not that of the source. After a failure the parts are deleted;
    /// if that fails too, the error is [`Error::AbandonedUpload`].
    pub async fn send(mut self) -> Result<Copied, Error> {
        // Directives are among them, and decide what a copy in parts keeps.
        self.operation.with_defaults(&self.client.inner.default_headers);
        self.operation.check(&self.client.inner.endpoint)?;
        Box::pin(self.run()).await
    }

    async fn run(mut self) -> Result<Copied, Error> {
        let source = self.source_head().await?;
        let size = source.content_length().unwrap_or_default();
        if size > self.threshold {
            return self.in_parts(source, size).await;
        }
        let mut request = CopyObject::new(self.client.clone(), self.operation.without_body());
        if let Some(etag) = strong_etag(&source) {
            request = request.if_source_match(etag);
        }
        let done = request.send().await?;
        let request = || self.operation.context(&self.client.inner.endpoint);
        // The copy of a symbolic link is a link, whereas the headers of the source may be those of its target.
        let is_link = source.header(OBJECT_TYPE) == Some("Symlink");
        let meant = source.crc64().filter(|_| !is_link);
        check_crc(&self.client, meant, &done.head, request)?;
        self.report(size, size);
        Ok(Copied {
            size,
            parts: 0,
            etag: done.etag,
            head: done.head,
        })
    }

    /// What there is to copy. Exclusive, since a body cannot be shared between threads.
    async fn source_head(&mut self) -> Result<ResponseHead, Error> {
        let CopySource {
            bucket,
            key,
            version_id,
        } = self.source.clone();
        let mut request = self.client.head_object(bucket, key);
        if let Some(id) = version_id {
            request = request.version_id(id);
        }
        self.pass_payer(&mut request.operation);
        // A condition on the source holds for what is copied: the copies are bound to the ETag of this response.
        for (name, value) in &self.operation.headers {
            let condition = name.as_str().strip_prefix(SOURCE_CONDITION);
            if let Some(condition) = condition.filter(|condition| condition.starts_with("if-")) {
                request.operation.set_header(condition, value.as_bytes());
            }
        }
        request.send().await
    }

    async fn in_parts(mut self, source: ResponseHead, size: u64) -> Result<Copied, Error> {
        let initiation = self.initiation(&source).await?;
        let request = InitiateMultipartUpload::new(self.client.clone(), initiation);
        let upload_id = request.send().await?.upload_id;
        let (bucket, key) = self.target();
        let mut abort = self.client.abort_multipart_upload(bucket, key, &*upload_id);
        self.pass_payer(&mut abort.operation);
        let mut cleanup = Cleanup::new(self.client.clone(), abort.operation, upload_id.clone());
        let outcome = match self.copy_parts(&upload_id, &source, size).await {
            Ok(parts) => self.complete(&upload_id, &source, size, &parts).await,
            Err(error) => Err(error),
        };
        match outcome {
            // The object is there, as after a `CopyObject` whose CRC differs.
            Ok(_) | Err(Error::Corrupted(_)) => {
                cleanup.disarm();
                outcome
            }
            Err(error) => Err(cleanup.run(error).await),
        }
    }

    /// The request that begins the upload, with what the copy keeps of its source.
    async fn initiation(&mut self, source: &ResponseHead) -> Result<Operation, Error> {
        let (bucket, key) = self.target();
        let begun = self.client.initiate_multipart_upload(bucket, key);
        let mut operation = begun.operation;
        // They are among the headers of the copy, and some of these give way to those of the source.
        operation.takes_defaults = false;
        let keeps = !self.is_set(METADATA_DIRECTIVE, "REPLACE");
        if keeps {
            let kept = source.headers().iter().filter(|(name, _)| {
                KEPT.contains(&name.as_str()) || name.as_str().starts_with("x-oss-meta-")
            });
            for (name, value) in kept {
                operation.set_header(name.as_str(), value.as_bytes());
            }
        }
        let replaces_tags = self.is_set(TAGGING_DIRECTIVE, "Replace");
        let is_of_copies = |name: &str| name.starts_with("x-oss-copy-source") || name.ends_with("-directive");
        let is_kept = |name: &str| keeps && (KEPT.contains(&name) || name.starts_with("x-oss-meta-"));
        for (name, value) in &self.operation.headers {
            let name = name.as_str();
            let is_of_object = !is_of_copies(name) && name != TRAFFIC_LIMIT;
            if is_of_object && !is_kept(name) && (replaces_tags || name != "x-oss-tagging") {
                operation.set_header(name, value.as_bytes());
            }
        }
        if !replaces_tags && source.headers().contains_key("x-oss-tagging-count") {
            let CopySource {
                bucket,
                key,
                version_id,
            } = self.source.clone();
            let mut request = self.client.get_object_tagging(bucket, key);
            if let Some(id) = version_id {
                request = request.version_id(id);
            }
            self.pass_payer(&mut request.operation);
            let tags = crate::ops::tags(request.send().await?.tags);
            operation.set_header("x-oss-tagging", tags.as_bytes());
        }
        Ok(operation)
    }

    /// Copies the parts, some at once, and gives them in order of their numbers.
    async fn copy_parts(
        &mut self,
        upload_id: &str,
        source: &ResponseHead,
        size: u64,
    ) -> Result<Vec<UploadedPart>, Error> {
        let part_size = self.part_size.max(size.div_ceil(u64::from(MAX_PARTS)));
        let etag = strong_etag(source).map(str::to_owned);
        let ranges = (1_u16..).zip((0..size).step_by(usize::try_from(part_size).unwrap_or(usize::MAX)));
        let (bucket, key) = self.target();
        let (client, from, upload_id) = (self.client.clone(), self.source.clone(), upload_id.to_owned());
        let headers = OF_PARTS.map(|name| (name, self.operation.headers.get(name).cloned()));
        // Made one by one as they start, so that the futures of 10,000 parts are never in memory at once.
        let requests = ranges.map(move |(number, first)| {
            let last = first.saturating_add(part_size).min(size).saturating_sub(1);
            let request = client.upload_part_copy(&*bucket, &*key, &*upload_id, number, from.clone());
            let mut request = request.range(first..=last);
            if let Some(etag) = &etag {
                request = request.if_source_match(etag);
            }
            for (name, value) in &headers {
                if let Some(value) = value {
                    request.operation.set_header(name, value.as_bytes());
                }
            }
            async move { Ok::<_, Error>((request.send().await?, last - first + 1)) }
        });
        let mut running = stream::iter(requests).map(Ok).try_buffer_unordered(self.parallel);
        let (mut done, mut copied) = (Vec::new(), 0_u64);
        while let Some((part, length)) = running.try_next().await? {
            done.push(part);
            copied = copied.saturating_add(length);
            self.report(copied, size);
        }
        done.sort_by_key(|part| part.number);
        Ok(done)
    }

    async fn complete(
        &mut self,
        upload_id: &str,
        source: &ResponseHead,
        size: u64,
        parts: &[UploadedPart],
    ) -> Result<Copied, Error> {
        let (bucket, key) = self.target();
        let mut request = self
            .client
            .complete_multipart_upload(bucket, key, upload_id)
            .parts(parts);
        for name in [FORBID_OVERWRITE, REQUEST_PAYER] {
            if let Some(value) = self.operation.headers.get(name) {
                request = request.header(name, value.as_bytes());
            }
        }
        let (bucket, key) = self.target();
        let mut stored = self.client.head_object(bucket, key);
        self.pass_payer(&mut stored.operation);
        let whole = Whole {
            size,
            crc: source.crc64(),
            parts: u16::try_from(parts.len()).unwrap_or(u16::MAX),
        };
        let done = complete(&self.client, request, stored, &whole).await?;
        Ok(Copied {
            size,
            parts: whole.parts,
            etag: done.etag,
            head: done.head,
        })
    }

    fn target(&self) -> (String, String) {
        let text = |text: &Option<String>| text.clone().unwrap_or_default();
        (text(&self.operation.bucket), text(&self.operation.key))
    }

    fn is_set(&self, header: &str, value: &str) -> bool {
        let set = self.operation.headers.get(header);
        set.is_some_and(|set| set.as_bytes().eq_ignore_ascii_case(value.as_bytes()))
    }

    fn pass_payer(&self, operation: &mut Operation) {
        if let Some(value) = self.operation.headers.get(REQUEST_PAYER) {
            operation.set_header(REQUEST_PAYER, value.as_bytes());
        }
    }

    fn report(&mut self, copied: u64, total: u64) {
        if let Some(call) = &mut self.on_progress {
            call(CopyProgress { copied, total });
        }
    }
}

crate::ops::awaited!(ObjectCopy -> Copied);

/// An `ETag` that a condition can name: a weak one matches nothing.
fn strong_etag(head: &ResponseHead) -> Option<&str> {
    head.etag().filter(|etag| !etag.starts_with("W/"))
}
