//! Unfinished uploads in parts, and their parts, for cleaning up.

use std::time::SystemTime;

use http::Method;
use oss_credentials_http::PageLoop;

use crate::client::Client;
use crate::error::Error;
use crate::operation::Operation;
use crate::response::ResponseHead;
use crate::xml::{Element, Shape};

use super::list::{check_position, decode, fetch_page, is_encoded, is_truncated, position};
use super::pages::{Listing, entries};
use super::{Paged, query_settings, request};

const UNREADABLE: &str = "an entry in it is incomplete or not readable";
const NEXT_KEY: &str = "NextKeyMarker";
const NEXT_ID: &str = "NextUploadIdMarker";
const NEXT_PART: &str = "NextPartNumberMarker";

const UPLOADS: Shape = Shape {
    root: "ListMultipartUploadsResult",
    read: Some(&[
        "CommonPrefixes",
        "EncodingType",
        "Initiated",
        "IsTruncated",
        "Key",
        NEXT_KEY,
        NEXT_ID,
        "Prefix",
        "StorageClass",
        "Upload",
        "UploadId",
    ]),
};

const PARTS: Shape = Shape {
    root: "ListPartsResult",
    read: Some(&[
        "ETag",
        "HashCrc64ecma",
        "IsTruncated",
        "LastModified",
        NEXT_PART,
        "Part",
        "PartNumber",
        "Size",
    ]),
};

impl Client {
    /// Lists the uploads in parts of a bucket that have neither been completed nor aborted. Their parts are stored, and
    /// paid for.
    ///
    /// Vendor document: `ListMultipartUploads` (Object Storage Service, API reference).
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # async fn run(client: &oss_client::Client) -> Result<(), oss_client::Error> {
    /// let mut uploads = client.list_multipart_uploads("examplebucket").uploads();
    /// while let Some(upload) = uploads.try_next().await? {
    ///     client.abort_multipart_upload("examplebucket", upload.key, upload.upload_id).await?;
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn list_multipart_uploads(&self, bucket: impl Into<String>) -> ListMultipartUploads {
        let operation = Operation::new("ListMultipartUploads", Method::GET)
            .bucket(bucket)
            .query("uploads", "")
            .query("encoding-type", "url")
            .expect_xml();
        ListMultipartUploads::new(self.clone(), operation)
    }

    /// Lists the parts of an upload.
    ///
    /// Vendor document: `ListParts` (Object Storage Service, API reference).
    pub fn list_parts(
        &self,
        bucket: impl Into<String>,
        key: impl Into<String>,
        upload_id: impl Into<String>,
    ) -> ListParts {
        let operation = Operation::object("ListParts", Method::GET, bucket.into(), key.into())
            .query("uploadId", upload_id)
            .expect_xml();
        ListParts::new(self.clone(), operation)
    }
}

request! {
    /// Lists uploads in parts; see [`Client::list_multipart_uploads`](crate::Client::list_multipart_uploads).
    ///
    /// [`ListMultipartUploads::send`] returns one page, [`ListMultipartUploads::uploads`] all uploads.
    ListMultipartUploads -> MultipartUploadsPage
}

impl ListMultipartUploads {
    query_settings! {
        /// Lists only keys with this prefix. Default: all.
        prefix => "prefix",
        /// Groups keys up to this character after the prefix, such as `/`. Default: none.
        delimiter => "delimiter",
        /// Begins after this key: [`MultipartUploadsPage::next_key_marker`] of an earlier page.
        key_marker => "key-marker",
        /// Begins after this upload of the key: [`MultipartUploadsPage::next_upload_id_marker`] of an earlier page.
        upload_id_marker => "upload-id-marker",
    }

    /// Sets the maximum number of uploads on a page, 1 to 1000. Default: 1000, set by the service.
    pub fn max_uploads(self, count: u16) -> Self {
        self.query("max-uploads", count.to_string())
    }

    /// Fetches one page.
    ///
    /// # Errors
    ///
    /// Any variant of [`Error`] except [`Error::InvalidConfig`]; [`Error::InvalidResponse`] for a document that
    /// cannot be read, and for a page that is not the last one and does not state where the next one begins.
    pub async fn send(mut self) -> Result<MultipartUploadsPage, Error> {
        self.page(&mut PageLoop::default()).await
    }

    /// Returns all uploads from here on. A list that repeats its pages is an [`Error::InvalidResponse`].
    pub fn uploads(self) -> Paged<MultipartUpload> {
        entries(self, |page| page.uploads)
    }
}

impl Listing for ListMultipartUploads {
    type Page = MultipartUploadsPage;

    async fn page(&mut self, page_loop: &mut PageLoop) -> Result<MultipartUploadsPage, Error> {
        let asked = position(
            self.operation.query_value("key-marker"),
            self.operation.query_value("upload-id-marker"),
        );
        fetch_page(&self.client, &mut self.operation, UPLOADS, |document, head| {
            let page = MultipartUploadsPage::read(document, head)?;
            let next = position(
                page.next_key_marker.as_deref(),
                page.next_upload_id_marker.as_deref(),
            );
            check_position(page_loop, page.is_truncated, next.as_deref(), asked.as_deref())?;
            Ok(page)
        })
        .await
    }

    fn after(self, page: &MultipartUploadsPage) -> Option<Self> {
        let id = page.next_upload_id_marker.clone().unwrap_or_default();
        Some(
            self.key_marker(page.next_key_marker.clone()?)
                .upload_id_marker(id),
        )
    }
}

/// A page of [`ListMultipartUploads`].
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct MultipartUploadsPage {
    /// The uploads, in order of their keys.
    pub uploads: Vec<MultipartUpload>,
    /// The common part of keys up to and including the delimiter.
    pub common_prefixes: Vec<String>,
    /// Whether there are more pages.
    pub is_truncated: bool,
    /// The start of the next page; `None` on the last one.
    pub next_key_marker: Option<String>,
    /// The upload of that key after which the next page begins.
    pub next_upload_id_marker: Option<String>,
    /// Status and headers.
    pub head: ResponseHead,
}

/// An unfinished upload in parts.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct MultipartUpload {
    /// Key of the object that it will become.
    pub key: String,
    /// ID of the upload.
    pub upload_id: String,
    /// When it was started.
    pub initiated: Option<SystemTime>,
    /// Such as `Standard`.
    pub storage_class: Option<String>,
}

impl MultipartUploadsPage {
    fn read(document: &Element, head: ResponseHead) -> Result<Self, &'static str> {
        let is_encoded = is_encoded(document).ok_or(UNREADABLE)?;
        let name = |text: &str| decode(text, is_encoded).ok_or(UNREADABLE);
        let is_truncated = is_truncated(document, NEXT_KEY)?;
        let next = |marker| document.text_of(marker).filter(|_| is_truncated);
        let upload = |upload: &Element| {
            Some(MultipartUpload {
                key: decode(upload.text_of("Key")?, is_encoded)?,
                upload_id: upload.text_of("UploadId")?.to_owned(),
                initiated: upload.time_of("Initiated"),
                storage_class: upload.text_of("StorageClass").map(str::to_owned),
            })
        };
        Ok(Self {
            uploads: document
                .all("Upload")
                .map(|listed| upload(listed).ok_or(UNREADABLE))
                .collect::<Result<_, _>>()?,
            common_prefixes: document
                .all("CommonPrefixes")
                .map(|prefixes| prefixes.text_of("Prefix").ok_or(UNREADABLE).and_then(name))
                .collect::<Result<_, _>>()?,
            is_truncated,
            next_key_marker: next(NEXT_KEY).map(name).transpose()?,
            next_upload_id_marker: next(NEXT_ID).map(str::to_owned),
            head,
        })
    }
}

request! {
    /// Lists the parts of an upload; see [`Client::list_parts`](crate::Client::list_parts).
    ///
    /// [`ListParts::send`] returns one page, [`ListParts::parts`] all parts.
    ListParts -> PartsPage
}

impl ListParts {
    /// Sets the maximum number of parts on a page, 1 to 1000. Default: 1000, set by the service.
    pub fn max_parts(self, count: u16) -> Self {
        self.query("max-parts", count.to_string())
    }

    /// Begins after the part of this number. Default: at the first.
    pub fn part_number_marker(self, number: u64) -> Self {
        self.query("part-number-marker", number.to_string())
    }

    /// Fetches one page.
    ///
    /// # Errors
    ///
    /// Any variant of [`Error`] except [`Error::InvalidConfig`]; [`Error::InvalidResponse`] for a document that
    /// cannot be read, and for a page that is not the last one and does not state where the next one begins.
    pub async fn send(mut self) -> Result<PartsPage, Error> {
        self.page(&mut PageLoop::default()).await
    }

    /// Returns all parts from here on, in order of their numbers.
    pub fn parts(self) -> Paged<ListedPart> {
        entries(self, |page| page.parts)
    }
}

impl Listing for ListParts {
    type Page = PartsPage;

    /// Numbers only grow from page to page, so there is no loop to look for.
    async fn page(&mut self, _: &mut PageLoop) -> Result<PartsPage, Error> {
        let asked = self.operation.query_value("part-number-marker");
        let asked = asked.and_then(|number| number.parse().ok()).unwrap_or(0);
        fetch_page(&self.client, &mut self.operation, PARTS, |document, head| {
            PartsPage::read(document, head, asked)
        })
        .await
    }

    fn after(self, page: &PartsPage) -> Option<Self> {
        Some(self.part_number_marker(page.next_part_number_marker?))
    }
}

/// A page of [`ListParts`].
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct PartsPage {
    /// The parts, in order of their numbers.
    pub parts: Vec<ListedPart>,
    /// Whether there are more pages.
    pub is_truncated: bool,
    /// The number after which the next page begins; `None` on the last one.
    pub next_part_number_marker: Option<u64>,
    /// Status and headers.
    pub head: ResponseHead,
}

/// A part that the service has.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ListedPart {
    /// Its number, from 1.
    pub number: u16,
    /// Length in bytes.
    pub size: u64,
    /// `ETag`, with its quotes.
    pub etag: String,
    /// CRC-64/XZ, if the service states it.
    pub crc64: Option<u64>,
    /// When it was uploaded.
    pub last_modified: Option<SystemTime>,
}

impl PartsPage {
    /// `asked` is the marker of the request: numbers only grow, so that pages never go round in a circle.
    fn read(document: &Element, head: ResponseHead, asked: u64) -> Result<Self, &'static str> {
        let is_truncated = is_truncated(document, NEXT_PART)?;
        let next = document.number_of(NEXT_PART).filter(|_| is_truncated);
        if is_truncated && next.is_none_or(|next| next <= asked) {
            return Err("it is not the last page, and the next one does not begin after it");
        }
        let part = |part: &Element| {
            Some(ListedPart {
                number: part.number_of("PartNumber")?.try_into().ok()?,
                size: part.number_of("Size")?,
                etag: part.text_of("ETag")?.to_owned(),
                crc64: part.number_of("HashCrc64ecma"),
                last_modified: part.time_of("LastModified"),
            })
        };
        Ok(Self {
            parts: document
                .all("Part")
                .map(|listed| part(listed).ok_or(UNREADABLE))
                .collect::<Result<_, _>>()?,
            is_truncated,
            next_part_number_marker: next,
            head,
        })
    }
}
