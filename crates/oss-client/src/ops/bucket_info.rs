//! Information about a bucket: its location, and how much it contains.

use std::time::{Duration, SystemTime};

use http::Method;

use crate::client::Client;
use crate::error::Error;
use crate::operation::Operation;
use crate::region;
use crate::response::ResponseHead;
use crate::xml::Element;

use super::list::Owner;
use super::request;

impl Client {
    /// Reads region, endpoints, owner and settings of a bucket.
    ///
    /// Vendor document: `GetBucketInfo` (Object Storage Service, API reference).
    pub fn get_bucket_info(&self, bucket: impl Into<String>) -> GetBucketInfo {
        let operation = of_bucket("GetBucketInfo", bucket.into(), "bucketInfo");
        GetBucketInfo::new(self.clone(), operation)
    }

    /// Reads the location of a bucket, such as `oss-cn-hangzhou`.
    ///
    /// Vendor document: `GetBucketLocation` (Object Storage Service, API reference).
    pub fn get_bucket_location(&self, bucket: impl Into<String>) -> GetBucketLocation {
        let operation = of_bucket("GetBucketLocation", bucket.into(), "location");
        GetBucketLocation::new(self.clone(), operation)
    }

    /// Reads how much is stored in a bucket. The figures may be an hour old.
    ///
    /// Vendor document: `GetBucketStat` (Object Storage Service, API reference).
    pub fn get_bucket_stat(&self, bucket: impl Into<String>) -> GetBucketStat {
        let operation = of_bucket("GetBucketStat", bucket.into(), "stat");
        GetBucketStat::new(self.clone(), operation)
    }

    /// Detects the region of a bucket, such as `cn-hangzhou`, with one request ([`Client::get_bucket_location`]).
    ///
    /// The service refuses a client of another region. The refusal names the bucket's endpoint, which is
    /// trusted if it is `oss-<region>[-internal].aliyuncs.com`. No other host in a response is trusted, and
    /// nothing is sent to it.
    ///
    /// # Errors
    ///
    /// Any variant of [`Error`] except [`Error::InvalidConfig`]; the refusal itself where it names no such endpoint.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # async fn run(client: &oss_client::Client) -> Result<(), oss_client::Error> {
    /// let region = client.detect_region("examplebucket").await?;
    /// println!("make a client with region({region:?})");
    /// # Ok(())
    /// # }
    /// ```
    pub async fn detect_region(&self, bucket: impl Into<String>) -> Result<String, Error> {
        match self.get_bucket_location(bucket).await {
            Ok(found) => Ok(found.region().to_owned()),
            Err(error) => {
                let named = error.service().and_then(|service| service.field("Endpoint"));
                named
                    .and_then(region::of_endpoint)
                    .map(str::to_owned)
                    .ok_or(error)
            }
        }
    }
}

/// An operation that reads a document about a bucket.
fn of_bucket(name: &'static str, bucket: String, sub_resource: &str) -> Operation {
    Operation::new(name, Method::GET)
        .bucket(bucket)
        .query(sub_resource, "")
        .expect_xml()
}

request! {
    /// Reads information about a bucket; see [`Client::get_bucket_info`](crate::Client::get_bucket_info).
    GetBucketInfo -> BucketInfo
}

impl GetBucketInfo {
    /// Sends the request.
    ///
    /// # Errors
    ///
    /// Any variant of [`Error`] except [`Error::InvalidConfig`].
    pub async fn send(self) -> Result<BucketInfo, Error> {
        let response = self.client.send(self.operation).await?;
        response.document("BucketInfo", BucketInfo::read).await
    }
}

/// The result of [`GetBucketInfo`].
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct BucketInfo {
    /// The name.
    pub name: String,
    /// Its location, such as `oss-cn-hangzhou`.
    pub location: Option<String>,
    /// When it was created.
    pub creation_date: Option<SystemTime>,
    /// Host for the internet.
    pub extranet_endpoint: Option<String>,
    /// Host for ECS instances of the region.
    pub intranet_endpoint: Option<String>,
    /// Such as `Standard`.
    pub storage_class: Option<String>,
    /// `LRS` or `ZRS`.
    pub data_redundancy_type: Option<String>,
    /// `Enabled` or `Suspended`; `None` for a bucket that never had versions.
    pub versioning: Option<String>,
    /// `private`, `public-read` or `public-read-write`.
    pub acl: Option<String>,
    /// Its owner.
    pub owner: Option<Owner>,
    /// Status and headers.
    pub head: ResponseHead,
}

impl BucketInfo {
    fn read(document: &Element, head: ResponseHead) -> Result<Self, &'static str> {
        let missing = "it names no bucket";
        let bucket = document.child("Bucket").ok_or(missing)?;
        let text = |child| bucket.text_of(child).map(str::to_owned);
        let acl = bucket.child("AccessControlList");
        Ok(Self {
            name: text("Name").ok_or(missing)?,
            location: text("Location"),
            creation_date: bucket.time_of("CreationDate"),
            extranet_endpoint: text("ExtranetEndpoint"),
            intranet_endpoint: text("IntranetEndpoint"),
            storage_class: text("StorageClass"),
            data_redundancy_type: text("DataRedundancyType"),
            versioning: text("Versioning"),
            acl: acl.and_then(|acl| acl.text_of("Grant")).map(str::to_owned),
            owner: bucket.child("Owner").map(Owner::read),
            head,
        })
    }
}

request! {
    /// Reads where a bucket is; see [`Client::get_bucket_location`](crate::Client::get_bucket_location).
    GetBucketLocation -> BucketLocation
}

impl GetBucketLocation {
    /// Sends the request.
    ///
    /// # Errors
    ///
    /// Any variant of [`Error`] except [`Error::InvalidConfig`].
    pub async fn send(self) -> Result<BucketLocation, Error> {
        let response = self.client.send(self.operation).await?;
        let read = |document: &Element, head| match document.text().trim() {
            "" => Err("it names no location"),
            location => Ok(BucketLocation {
                location: location.to_owned(),
                head,
            }),
        };
        response.document("LocationConstraint", read).await
    }
}

/// The result of [`GetBucketLocation`].
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct BucketLocation {
    /// Such as `oss-cn-hangzhou`.
    pub location: String,
    /// Status and headers.
    pub head: ResponseHead,
}

impl BucketLocation {
    /// Returns the region, such as `cn-hangzhou`, as [`ClientBuilder::region`](crate::ClientBuilder::region) takes it.
    pub fn region(&self) -> &str {
        self.location.strip_prefix("oss-").unwrap_or(&self.location)
    }
}

request! {
    /// Reads how much is in a bucket; see [`Client::get_bucket_stat`](crate::Client::get_bucket_stat).
    GetBucketStat -> BucketStat
}

impl GetBucketStat {
    /// Sends the request.
    ///
    /// # Errors
    ///
    /// Any variant of [`Error`] except [`Error::InvalidConfig`].
    pub async fn send(self) -> Result<BucketStat, Error> {
        let response = self.client.send(self.operation).await?;
        response.document("BucketStat", BucketStat::read).await
    }
}

/// The result of [`GetBucketStat`]. Figures for each storage class are read through
/// [`Response::xml`](crate::Response::xml).
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct BucketStat {
    /// How many bytes are stored.
    pub storage: u64,
    /// How many objects there are.
    pub object_count: u64,
    /// How many uploads in parts are in progress.
    pub multipart_upload_count: u64,
    /// How many parts of such uploads there are.
    pub multipart_part_count: Option<u64>,
    /// How many delete markers there are.
    pub delete_marker_count: Option<u64>,
    /// When the figures were taken.
    pub last_modified: Option<SystemTime>,
    /// Status and headers.
    pub head: ResponseHead,
}

impl BucketStat {
    fn read(document: &Element, head: ResponseHead) -> Result<Self, &'static str> {
        let number = |name| {
            let number = document.number_of(name);
            number.ok_or("a value in it is missing or not a number")
        };
        Ok(Self {
            storage: number("Storage")?,
            object_count: number("ObjectCount")?,
            multipart_upload_count: number("MultipartUploadCount")?,
            multipart_part_count: document.number_of("MultipartPartCount"),
            delete_marker_count: document.number_of("DeleteMarkerCount"),
            last_modified: document
                .number_of("LastModifiedTime")
                .and_then(|seconds| SystemTime::UNIX_EPOCH.checked_add(Duration::from_secs(seconds))),
            head,
        })
    }
}
