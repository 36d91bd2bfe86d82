//! Copies within the service.

use std::ops::RangeInclusive;
use std::time::SystemTime;

use http::Method;

use crate::client::Client;
use crate::error::Error;
use crate::operation::Operation;
use crate::response::ResponseHead;
use crate::validate;
use crate::xml::Element;

use super::multipart::{UploadedPart, check_part_number};
use super::{header_settings, object_settings, request, time_settings};

/// The object to copy from.
///
/// # Examples
///
/// ```no_run
/// use oss_client::CopySource;
///
/// # async fn run(client: &oss_client::Client) -> Result<(), oss_client::Error> {
/// let source = CopySource::new("examplebucket", "report.pdf");
/// client.copy_object("backup-bucket", "2026/report.pdf", source).send().await?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
pub struct CopySource {
    pub(crate) bucket: String,
    pub(crate) key: String,
    pub(crate) version_id: Option<String>,
}

impl CopySource {
    /// Creates a source for the newest version of this object.
    pub fn new(bucket: impl Into<String>, key: impl Into<String>) -> Self {
        Self {
            bucket: bucket.into(),
            key: key.into(),
            version_id: None,
        }
    }

    /// Sets a version, in a versioned bucket. Default: the newest.
    pub fn version_id(mut self, id: impl Into<String>) -> Self {
        self.version_id = Some(id.into());
        self
    }

    /// `/{bucket}/{key}[?versionId=…]`, percent-encoded except the slashes.
    pub(crate) fn header(&self) -> String {
        let path = format!("/{}/{}", self.bucket, oss_sign::encode_path(&self.key));
        match &self.version_id {
            Some(id) => format!("{path}?versionId={}", oss_sign::encode(id)),
            None => path,
        }
    }
}

impl Client {
    /// Copies an object to this bucket and key. An existing one is replaced.
    ///
    /// Vendor document: `CopyObject` (Object Storage Service, API reference).
    #[expect(clippy::needless_pass_by_value, reason = "it is made for this call")]
    pub fn copy_object(
        &self,
        bucket: impl Into<String>,
        key: impl Into<String>,
        source: CopySource,
    ) -> CopyObject {
        let mut operation = Operation::object("CopyObject", Method::PUT, bucket.into(), key.into());
        operation.has_document = true;
        set_source(&mut operation, &source);
        CopyObject::new(self.clone(), operation)
    }

    /// Copies an object, or a range of one, into a part of an upload, as [`Client::copy`] does for large objects.
    ///
    /// Vendor document: `UploadPartCopy` (Object Storage Service, API reference).
    #[expect(clippy::needless_pass_by_value, reason = "it is made for this call")]
    pub fn upload_part_copy(
        &self,
        bucket: impl Into<String>,
        key: impl Into<String>,
        upload_id: impl Into<String>,
        number: u16,
        source: CopySource,
    ) -> UploadPartCopy {
        let mut operation = Operation::object("UploadPartCopy", Method::PUT, bucket.into(), key.into())
            .query("partNumber", number.to_string())
            .query("uploadId", upload_id)
            .expect_xml();
        check_part_number(&mut operation, number);
        set_source(&mut operation, &source);
        UploadPartCopy {
            client: self.clone(),
            operation,
            number,
        }
    }
}

/// Sets the object to copy from.
pub(crate) fn set_source(operation: &mut Operation, source: &CopySource) {
    if let Err(problem) = validate::bucket(&source.bucket).and_then(|()| validate::copied_key(&source.key)) {
        operation.refuse(problem);
    }
    operation.set_header("x-oss-copy-source", source.header().as_bytes());
}

/// Copies into a part of an upload; see [`Client::upload_part_copy`](crate::Client::upload_part_copy).
#[must_use = "nothing is sent before `send`"]
pub struct UploadPartCopy {
    client: Client,
    pub(crate) operation: Operation,
    number: u16,
}

impl UploadPartCopy {
    super::common_settings!();

    header_settings! {
        /// Copies only if the source's `ETag` is this one; otherwise HTTP 412, `PreconditionFailed`.
        if_source_match => "x-oss-copy-source-if-match",
    }

    /// Sets the bytes of the source to copy, including first and last. Default: all.
    pub fn range(self, range: RangeInclusive<u64>) -> Self {
        self.header(
            "x-oss-copy-source-range",
            format!("bytes={}-{}", range.start(), range.end()),
        )
    }

    /// Copies the part.
    ///
    /// # Errors
    ///
    /// Any variant of [`Error`] except [`Error::InvalidConfig`].
    pub async fn send(self) -> Result<UploadedPart, Error> {
        let response = self.client.send(self.operation).await?;
        let read = |document: &Element, head| {
            Ok(UploadedPart {
                number: self.number,
                etag: document.text_of("ETag").ok_or("it has no ETag")?.to_owned(),
                head,
            })
        };
        response.document("CopyPartResult", read).await
    }
}

super::awaited!(UploadPartCopy -> UploadedPart);

request! {
    /// Copies an object; see [`Client::copy_object`](crate::Client::copy_object).
    CopyObject -> CopiedObject
}

impl CopyObject {
    header_settings! {
        /// `Content-Type` of the copy. Has an effect only with [`CopyObject::metadata_directive`] `REPLACE`.
        content_type => "content-type",
        /// `COPY` takes headers and user metadata from the source, `REPLACE` from this request. Default: `COPY`, set
        /// by the service.
        metadata_directive => "x-oss-metadata-directive",
        /// `Copy` takes the tags from the source, `Replace` from this request. Default: `Copy`, set by the service.
        tagging_directive => "x-oss-tagging-directive",
        /// Copies only if the source's `ETag` is this one; otherwise HTTP 412, `PreconditionFailed`.
        if_source_match => "x-oss-copy-source-if-match",
        /// Copies only if the source's `ETag` is a different one; otherwise HTTP 304, also an [`Error::Service`].
        if_source_none_match => "x-oss-copy-source-if-none-match",
    }

    time_settings! {
        /// Copies only if the source is newer; otherwise HTTP 304, also an [`Error::Service`].
        if_source_modified_since => "x-oss-copy-source-if-modified-since",
        /// Copies only if the source is not newer; otherwise HTTP 412, `PreconditionFailed`.
        if_source_unmodified_since => "x-oss-copy-source-if-unmodified-since",
    }

    object_settings!();

    /// Copies. The service sends nothing until it is done: for large objects, raise
    /// [`ClientBuilder::read_timeout`](crate::ClientBuilder::read_timeout).
    ///
    /// # Errors
    ///
    /// Any variant of [`Error`] except [`Error::InvalidConfig`].
    pub async fn send(self) -> Result<CopiedObject, Error> {
        let response = self.client.send(self.operation).await?;
        let read = |document: &Element, head: ResponseHead| {
            Ok(CopiedObject {
                etag: document.text_of("ETag").map(str::to_owned),
                last_modified: document.time_of("LastModified"),
                source_version_id: head.header("x-oss-copy-source-version-id").map(str::to_owned),
                head,
            })
        };
        response.document("CopyObjectResult", read).await
    }
}

/// The result of [`CopyObject`].
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct CopiedObject {
    /// `ETag` of the copy, with its quotes.
    pub etag: Option<String>,
    /// When the copy was made.
    pub last_modified: Option<SystemTime>,
    /// The version that was copied, in a versioned bucket.
    pub source_version_id: Option<String>,
    /// Status and headers; [`ResponseHead::version_id`] and [`ResponseHead::crc64`] are those of the copy.
    pub head: ResponseHead,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_source_is_encoded_but_for_its_slashes() {
        let source = CopySource::new("bkt", "/a b/c+d?e%.txt");
        assert_eq!(source.header(), "/bkt//a%20b/c%2Bd%3Fe%25.txt");
        let source = CopySource::new("bkt", "目").version_id("CAEQ/1=");
        assert_eq!(source.header(), "/bkt/%E7%9B%AE?versionId=CAEQ%2F1%3D");
    }
}
