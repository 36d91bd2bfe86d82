//! Checks whether an object or a bucket exists.

use crate::client::Client;
use crate::error::Error;
use crate::service_error::ServiceError;

use super::list::ListObjectsV2;
use super::{query_settings, request};

impl Client {
    /// Checks whether there is an object with this key, with `GetObjectMeta`.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # async fn run(client: &oss_client::Client) -> Result<(), oss_client::Error> {
    /// if !client.object_exists("examplebucket", "report.pdf").await? {
    ///     println!("not there");
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn object_exists(&self, bucket: impl Into<String>, key: impl Into<String>) -> ObjectExists {
        let request = self.get_object_meta(bucket, key);
        ObjectExists::new(self.clone(), request.into_operation())
    }

    /// Checks whether there is a bucket with this name, in any account, with `ListObjectsV2` for one object.
    pub fn bucket_exists(&self, bucket: impl Into<String>) -> BucketExists {
        let request = self.list_objects_v2(bucket).max_keys(1);
        BucketExists::new(self.clone(), request.into_operation())
    }
}

request! {
    /// Checks whether an object exists; see [`Client::object_exists`].
    ObjectExists -> bool
}

impl ObjectExists {
    query_settings! {
        /// The version to look for, in a versioned bucket. Default: the newest; a delete marker is not an object.
        version_id => "versionId",
    }

    /// Sends the request.
    ///
    /// # Errors
    ///
    /// Any variant of [`Error`] except [`Error::InvalidConfig`]. A missing bucket (`NoSuchBucket`) and a missing
    /// permission (`AccessDenied`) are errors.
    pub async fn send(self) -> Result<bool, Error> {
        found(self.client.send(self.operation).await.map(drop), |error| {
            // Where the service does not say why it refused HEAD, 404 is taken for a missing object, as in the vendor's
            // SDKs V2.
            matches!(error.code(), "NoSuchKey" | "NoSuchVersion").then_some(false)
        })
    }
}

request! {
    /// Checks whether a bucket exists; see [`Client::bucket_exists`].
    BucketExists -> bool
}

impl BucketExists {
    /// Sends the request.
    ///
    /// # Errors
    ///
    /// Any variant of [`Error`] except [`Error::InvalidConfig`]. `AccessDenied` is not an error: the bucket exists. The
    /// vendor's SDKs V2 have the same rule.
    pub async fn send(self) -> Result<bool, Error> {
        // As a whole, since a page that is not from OSS is not a bucket.
        let request = ListObjectsV2::new(self.client, self.operation);
        found(request.send().await.map(drop), |error| match error.code() {
            "NoSuchBucket" => Some(false),
            "AccessDenied" => Some(true),
            _ => None,
        })
    }
}

/// The result according to a refusal, if it is about that.
fn found(
    outcome: Result<(), Error>,
    told: impl FnOnce(&ServiceError) -> Option<bool>,
) -> Result<bool, Error> {
    match outcome {
        Ok(()) => Ok(true),
        Err(error) => error.service().and_then(told).ok_or(error),
    }
}
