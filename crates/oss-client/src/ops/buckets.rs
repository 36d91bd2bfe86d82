//! The buckets of the account.

use std::time::SystemTime;

use http::Method;
use http::header::CONTENT_TYPE;
use oss_credentials_http::PageLoop;

use crate::client::Client;
use crate::error::Error;
use crate::operation::Operation;
use crate::response::ResponseHead;
use crate::xml::{Element, Shape};

use super::document::{XML, document, text};
use super::list::{Owner, check_position, fetch_page, is_truncated};
use super::pages::{Listing, entries, pages};
use super::{Paged, header_settings, query_settings, request};

/// The field of a page that names the next one.
const NEXT: &str = "NextMarker";

/// The parts of a page that are read.
const SHAPE: Shape = Shape {
    root: "ListAllMyBucketsResult",
    read: Some(&[
        "Bucket",
        "Buckets",
        "CreationDate",
        "DisplayName",
        "ExtranetEndpoint",
        "ID",
        "IntranetEndpoint",
        "IsTruncated",
        "Location",
        "Name",
        NEXT,
        "Owner",
        "Region",
        "ResourceGroupId",
        "StorageClass",
    ]),
};

request! {
    /// Lists the buckets of the account; see [`Client::list_buckets`](crate::Client::list_buckets).
    ///
    /// [`ListBuckets::send`] returns one page, [`ListBuckets::pages`] and [`ListBuckets::buckets`] all.
    ListBuckets -> BucketsPage
}

impl ListBuckets {
    query_settings! {
        /// Lists only names with this prefix. Default: all.
        prefix => "prefix",
        /// Begins after this name: [`BucketsPage::next_marker`] of an earlier page. Default: at the first.
        marker => "marker",
        /// Lists only buckets with this tag.
        tag_key => "tag-key",
        /// Lists only buckets whose tag has this value; needs [`ListBuckets::tag_key`].
        tag_value => "tag-value",
    }

    header_settings! {
        /// Lists only buckets of this resource group. Default: all.
        resource_group_id => "x-oss-resource-group-id",
    }

    /// Sets the maximum number of buckets on a page, 1 to 1000. Default: 100, set by the service.
    pub fn max_keys(self, count: u16) -> Self {
        self.query("max-keys", count.to_string())
    }

    /// Fetches one page.
    ///
    /// # Errors
    ///
    /// Any variant of [`Error`] except [`Error::InvalidConfig`]; [`Error::InvalidResponse`] for a document that
    /// cannot be read, and for a page that is not the last one and does not state where the next one begins.
    pub async fn send(mut self) -> Result<BucketsPage, Error> {
        self.page(&mut PageLoop::default()).await
    }

    /// Returns all pages from here on. A list that repeats its pages is an [`Error::InvalidResponse`].
    pub fn pages(self) -> Paged<BucketsPage> {
        pages(self)
    }

    /// Returns all buckets from here on.
    pub fn buckets(self) -> Paged<BucketSummary> {
        entries(self, |page| page.buckets)
    }
}

impl Listing for ListBuckets {
    type Page = BucketsPage;

    async fn page(&mut self, page_loop: &mut PageLoop) -> Result<BucketsPage, Error> {
        let asked = self.operation.query_value("marker").map(str::to_owned);
        fetch_page(&self.client, &mut self.operation, SHAPE, |document, head| {
            let page = BucketsPage::read(document, head)?;
            let next = page.next_marker.as_deref();
            check_position(page_loop, page.is_truncated, next, asked.as_deref())?;
            Ok(page)
        })
        .await
    }

    fn after(self, page: &BucketsPage) -> Option<Self> {
        Some(self.marker(page.next_marker.clone()?))
    }
}

impl Client {
    /// Lists the buckets of the account.
    ///
    /// Vendor document: `ListBuckets` (Object Storage Service, API reference).
    pub fn list_buckets(&self) -> ListBuckets {
        let mut operation = Operation::new("ListBuckets", Method::GET);
        operation.has_document = true;
        ListBuckets::new(self.clone(), operation)
    }

    /// Creates a bucket in the region of the endpoint. If the account already has it, its ACL is set.
    ///
    /// Vendor document: `PutBucket` (Object Storage Service, API reference).
    pub fn put_bucket(&self, bucket: impl Into<String>) -> PutBucket {
        PutBucket {
            client: self.clone(),
            operation: Operation::new("PutBucket", Method::PUT).bucket(bucket),
            configuration: Vec::new(),
        }
    }

    /// Deletes an empty bucket: without objects, versions, and uploads in parts (otherwise `BucketNotEmpty`).
    ///
    /// Vendor document: `DeleteBucket` (Object Storage Service, API reference).
    pub fn delete_bucket(&self, bucket: impl Into<String>) -> DeleteBucket {
        let operation = Operation::new("DeleteBucket", Method::DELETE).bucket(bucket);
        DeleteBucket::new(self.clone(), operation)
    }
}

/// Creates a bucket; see [`Client::put_bucket`].
#[must_use = "nothing is sent before `send`"]
pub struct PutBucket {
    client: Client,
    operation: Operation,
    /// Elements of the body.
    configuration: Vec<(&'static str, String)>,
}

impl PutBucket {
    super::common_settings!();

    header_settings! {
        /// Who may use the bucket: `private`, `public-read` or `public-read-write`. Default: `private`, set by the
        /// service.
        acl => "x-oss-acl",
        /// Its resource group. Default: the account's default one.
        resource_group_id => "x-oss-resource-group-id",
    }

    /// Sets the storage class of its objects: `Standard`, `IA`, `Archive`, `ColdArchive` or `DeepColdArchive`. Default:
    /// `Standard`, of the service.
    pub fn storage_class(self, class: impl Into<String>) -> Self {
        self.configure("StorageClass", class.into())
    }

    /// Sets the redundancy: `LRS` keeps objects in one zone, `ZRS` in several. Default: that of the service.
    pub fn data_redundancy_type(self, kind: impl Into<String>) -> Self {
        self.configure("DataRedundancyType", kind.into())
    }

    fn configure(mut self, name: &'static str, value: String) -> Self {
        self.configuration.retain(|(own, _)| *own != name);
        self.configuration.push((name, value));
        self
    }

    /// Returns the current operation, with its body, for [`Client::send`].
    pub fn into_operation(mut self) -> Operation {
        if !self.configuration.is_empty() {
            // In the order of the vendor's page.
            self.configuration
                .sort_by_key(|(name, _)| *name != "StorageClass");
            let body = document("CreateBucketConfiguration", |document| {
                self.configuration
                    .iter()
                    .try_for_each(|(name, value)| text(document, name, value))
            });
            self.operation.body = body.into();
            self.operation.default_header(CONTENT_TYPE, &XML);
        }
        self.operation
    }

    /// Creates the bucket.
    ///
    /// # Errors
    ///
    /// Any variant of [`Error`] except [`Error::InvalidConfig`].
    pub async fn send(self) -> Result<ResponseHead, Error> {
        let client = self.client.clone();
        Ok(client.send(self.into_operation()).await?.into_head())
    }
}

super::awaited!(PutBucket -> ResponseHead);

request! {
    /// Deletes a bucket; see [`Client::delete_bucket`].
    DeleteBucket -> ResponseHead
}

impl DeleteBucket {
    /// Deletes the bucket.
    ///
    /// # Errors
    ///
    /// Any variant of [`Error`] except [`Error::InvalidConfig`].
    pub async fn send(self) -> Result<ResponseHead, Error> {
        Ok(self.client.send(self.operation).await?.into_head())
    }
}

/// A page of [`ListBuckets`].
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct BucketsPage {
    /// The buckets, in order of their names.
    pub buckets: Vec<BucketSummary>,
    /// Their owner.
    pub owner: Option<Owner>,
    /// Whether there are more pages.
    pub is_truncated: bool,
    /// The start of the next page; `None` on the last one.
    pub next_marker: Option<String>,
    /// Status and headers.
    pub head: ResponseHead,
}

/// A bucket in a list.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct BucketSummary {
    /// The name.
    pub name: String,
    /// Its location, such as `oss-cn-hangzhou`.
    pub location: Option<String>,
    /// Its region, such as `cn-hangzhou`.
    pub region: Option<String>,
    /// When it was created.
    pub creation_date: Option<SystemTime>,
    /// Such as `Standard`.
    pub storage_class: Option<String>,
    /// Host for the internet.
    pub extranet_endpoint: Option<String>,
    /// Host for ECS instances of the region.
    pub intranet_endpoint: Option<String>,
    /// Its resource group.
    pub resource_group_id: Option<String>,
}

impl BucketsPage {
    /// Returns what is wrong with it, if something cannot be parsed.
    fn read(document: &Element, head: ResponseHead) -> Result<Self, &'static str> {
        let is_truncated = is_truncated(document, NEXT)?;
        let next = document.text_of(NEXT).filter(|_| is_truncated);
        let listed = document.child("Buckets");
        Ok(Self {
            buckets: listed
                .into_iter()
                .flat_map(|buckets| buckets.all("Bucket"))
                .map(|bucket| BucketSummary::read(bucket).ok_or("a bucket in it has no name"))
                .collect::<Result<_, _>>()?,
            owner: document.child("Owner").map(Owner::read),
            is_truncated,
            next_marker: next.map(str::to_owned),
            head,
        })
    }
}

impl BucketSummary {
    /// `None` without name.
    fn read(bucket: &Element) -> Option<Self> {
        let text = |child| bucket.text_of(child).map(str::to_owned);
        Some(Self {
            name: text("Name")?,
            location: text("Location"),
            region: text("Region"),
            creation_date: bucket.time_of("CreationDate"),
            storage_class: text("StorageClass"),
            extranet_endpoint: text("ExtranetEndpoint"),
            intranet_endpoint: text("IntranetEndpoint"),
            resource_group_id: text("ResourceGroupId"),
        })
    }
}
