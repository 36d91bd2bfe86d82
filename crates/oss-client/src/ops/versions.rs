//! All versions of the objects of a bucket.

use std::time::SystemTime;

use http::Method;
use oss_credentials_http::PageLoop;

use crate::client::Client;
use crate::error::Error;
use crate::operation::Operation;
use crate::response::ResponseHead;
use crate::xml::{Element, Shape};

use super::list::{Owner, check_position, decode, fetch_page, is_encoded, is_truncated, position};
use super::pages::{Listing, entries};
use super::{Paged, query_settings, request};

const UNREADABLE: &str = "an entry in it is incomplete or not readable";
const NEXT_KEY: &str = "NextKeyMarker";
const NEXT_VERSION: &str = "NextVersionIdMarker";

const SHAPE: Shape = Shape {
    root: "ListVersionsResult",
    read: Some(&[
        "CommonPrefixes",
        "DeleteMarker",
        "DisplayName",
        "ETag",
        "EncodingType",
        "ID",
        "IsLatest",
        "IsTruncated",
        "Key",
        "LastModified",
        NEXT_KEY,
        NEXT_VERSION,
        "Owner",
        "Prefix",
        "Size",
        "StorageClass",
        "Version",
        "VersionId",
    ]),
};

impl Client {
    /// Lists all versions of the objects of a bucket, and its delete markers.
    ///
    /// Vendor document: `ListObjectVersions` (Object Storage Service, API reference).
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # async fn run(client: &oss_client::Client) -> Result<(), oss_client::Error> {
    /// let mut versions = client.list_object_versions("examplebucket").prefix("report.pdf").versions();
    /// while let Some(version) = versions.try_next().await? {
    ///     println!("{} {:?} {}", version.version_id, version.last_modified, version.is_delete_marker);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn list_object_versions(&self, bucket: impl Into<String>) -> ListObjectVersions {
        let operation = Operation::new("ListObjectVersions", Method::GET)
            .bucket(bucket)
            .query("versions", "")
            .query("encoding-type", "url")
            .expect_xml();
        ListObjectVersions::new(self.clone(), operation)
    }
}

request! {
    /// Lists versions; see [`Client::list_object_versions`](crate::Client::list_object_versions).
    ///
    /// [`ListObjectVersions::send`] returns one page, [`ListObjectVersions::versions`] all versions.
    ListObjectVersions -> VersionsPage
}

impl ListObjectVersions {
    query_settings! {
        /// Lists only keys with this prefix. Default: all.
        prefix => "prefix",
        /// Groups keys up to this character after the prefix, such as `/`. Default: none.
        delimiter => "delimiter",
        /// Begins after this key: [`VersionsPage::next_key_marker`] of an earlier page.
        key_marker => "key-marker",
        /// Begins after this version of the key: [`VersionsPage::next_version_id_marker`] of an earlier page.
        version_id_marker => "version-id-marker",
    }

    /// Sets the maximum number of versions and common prefixes on a page, 1 to 1000. Default: 100, set by the service.
    pub fn max_keys(self, count: u16) -> Self {
        self.query("max-keys", count.to_string())
    }

    /// Fetches one page.
    ///
    /// # Errors
    ///
    /// Any variant of [`Error`] except [`Error::InvalidConfig`]; [`Error::InvalidResponse`] for a document that
    /// cannot be read, and for a page that is not the last one and does not state where the next one begins.
    pub async fn send(mut self) -> Result<VersionsPage, Error> {
        self.page(&mut PageLoop::default()).await
    }

    /// Returns all versions from here on. Common prefixes are left out. A list that repeats its pages is an
    /// [`Error::InvalidResponse`].
    pub fn versions(self) -> Paged<ObjectVersion> {
        entries(self, |page| page.versions)
    }
}

impl Listing for ListObjectVersions {
    type Page = VersionsPage;

    async fn page(&mut self, page_loop: &mut PageLoop) -> Result<VersionsPage, Error> {
        let asked = position(
            self.operation.query_value("key-marker"),
            self.operation.query_value("version-id-marker"),
        );
        fetch_page(&self.client, &mut self.operation, SHAPE, |document, head| {
            let page = VersionsPage::read(document, head)?;
            let next = position(
                page.next_key_marker.as_deref(),
                page.next_version_id_marker.as_deref(),
            );
            check_position(page_loop, page.is_truncated, next.as_deref(), asked.as_deref())?;
            Ok(page)
        })
        .await
    }

    fn after(self, page: &VersionsPage) -> Option<Self> {
        let id = page.next_version_id_marker.clone().unwrap_or_default();
        Some(
            self.key_marker(page.next_key_marker.clone()?)
                .version_id_marker(id),
        )
    }
}

/// A page of [`ListObjectVersions`].
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct VersionsPage {
    /// Versions and delete markers, in order of their keys; of a key, the newest first.
    pub versions: Vec<ObjectVersion>,
    /// The common part of keys up to and including the delimiter.
    pub common_prefixes: Vec<String>,
    /// Whether there are more pages.
    pub is_truncated: bool,
    /// The start of the next page; `None` on the last one.
    pub next_key_marker: Option<String>,
    /// The version of that key after which the next page begins.
    pub next_version_id_marker: Option<String>,
    /// Status and headers.
    pub head: ResponseHead,
}

/// A version of an object, or a delete marker.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ObjectVersion {
    /// The key.
    pub key: String,
    /// ID of the version; `null` for one that was stored before the bucket had versions.
    pub version_id: String,
    /// Whether it is the version that a request without ID refers to.
    pub is_latest: bool,
    /// Whether it is a delete marker, which has no content.
    pub is_delete_marker: bool,
    /// Length in bytes; 0 for a delete marker.
    pub size: u64,
    /// `ETag`, with its quotes; `None` for a delete marker.
    pub etag: Option<String>,
    /// When it was stored.
    pub last_modified: Option<SystemTime>,
    /// Such as `Standard`; `None` for a delete marker.
    pub storage_class: Option<String>,
    /// Its owner.
    pub owner: Option<Owner>,
}

impl VersionsPage {
    fn read(document: &Element, head: ResponseHead) -> Result<Self, &'static str> {
        let is_encoded = is_encoded(document).ok_or(UNREADABLE)?;
        let name = |text: &str| decode(text, is_encoded).ok_or(UNREADABLE);
        let is_truncated = is_truncated(document, NEXT_KEY)?;
        let next = |marker| document.text_of(marker).filter(|_| is_truncated);
        let listed = document
            .children()
            .filter(|child| matches!(child.name(), "Version" | "DeleteMarker"));
        Ok(Self {
            versions: listed
                .map(|listed| ObjectVersion::read(listed, is_encoded).ok_or(UNREADABLE))
                .collect::<Result<_, _>>()?,
            common_prefixes: document
                .all("CommonPrefixes")
                .map(|prefixes| prefixes.text_of("Prefix").ok_or(UNREADABLE).and_then(name))
                .collect::<Result<_, _>>()?,
            is_truncated,
            next_key_marker: next(NEXT_KEY).map(name).transpose()?,
            next_version_id_marker: next(NEXT_VERSION).map(str::to_owned),
            head,
        })
    }
}

impl ObjectVersion {
    /// `None` without key or version, and for a version without size.
    fn read(listed: &Element, is_encoded: bool) -> Option<Self> {
        let text = |child| listed.text_of(child).map(str::to_owned);
        let is_delete_marker = listed.name() == "DeleteMarker";
        Some(Self {
            key: decode(listed.text_of("Key")?, is_encoded)?,
            version_id: text("VersionId")?,
            is_latest: listed.bool_of("IsLatest")?,
            is_delete_marker,
            size: if is_delete_marker {
                0
            } else {
                listed.number_of("Size")?
            },
            etag: text("ETag"),
            last_modified: listed.time_of("LastModified"),
            storage_class: text("StorageClass"),
            owner: listed.child("Owner").map(Owner::read),
        })
    }
}
