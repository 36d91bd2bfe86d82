//! Operations that have a method of their own: what they take, and what they return, as JSON.

use std::time::{SystemTime, UNIX_EPOCH};

use oss_client::{Client, CopySource, Error};
use serde::Deserialize;
use serde_json::{Value, json};

/// An operation and its arguments, beside bucket and key.
#[derive(Deserialize)]
#[serde(tag = "operation", deny_unknown_fields)]
pub(crate) enum Typed {
    AppendObject {
        position: u64,
        text: String,
    },
    PutObjectTagging {
        tags: Vec<(String, String)>,
    },
    GetObjectTagging {},
    DeleteObjectTagging {},
    PutObjectAcl {
        acl: String,
    },
    GetObjectAcl {},
    PutSymlink {
        target: String,
    },
    GetSymlink {},
    RestoreObject {
        days: u16,
    },
    /// All versions, from pages of this size.
    ListObjectVersions {
        page: u16,
    },
    GetVersion {
        version: String,
    },
    ListMultipartUploads {
        page: u16,
    },
    ListParts {
        upload: String,
        page: u16,
    },
    UploadPartCopy {
        upload: String,
        number: u16,
        source: String,
        first: u64,
        last: u64,
    },
    /// A copy of any size.
    Copy {
        source: String,
        threshold: u64,
        part_size: u64,
    },
    GetBucketInfo {},
    GetBucketLocation {},
    GetBucketStat {},
    DetectRegion {},
}

impl Typed {
    pub(crate) async fn run(self, client: &Client, bucket: String, key: String) -> Result<Value, Error> {
        match self {
            Self::AppendObject { .. }
            | Self::PutObjectTagging { .. }
            | Self::DeleteObjectTagging {}
            | Self::PutObjectAcl { .. }
            | Self::PutSymlink { .. }
            | Self::RestoreObject { .. } => self.change(client, bucket, key).await,
            Self::UploadPartCopy { .. } | Self::Copy { .. } => self.copy(client, bucket, key).await,
            Self::GetBucketInfo {}
            | Self::GetBucketLocation {}
            | Self::GetBucketStat {}
            | Self::DetectRegion {} => self.look_at_bucket(client, bucket).await,
            other => other.read(client, bucket, key).await,
        }
    }

    async fn change(self, client: &Client, bucket: String, key: String) -> Result<Value, Error> {
        let head = match self {
            Self::AppendObject { position, text } => {
                let done = client.append_object(bucket, key, position, text).await?;
                return Ok(json!({ "next_position": done.next_position }));
            }
            Self::PutObjectTagging { tags } => client.put_object_tagging(bucket, key, tags).await?,
            Self::DeleteObjectTagging {} => client.delete_object_tagging(bucket, key).await?,
            Self::PutObjectAcl { acl } => client.put_object_acl(bucket, key, acl).await?,
            Self::PutSymlink { target } => client.put_symlink(bucket, key, target).await?,
            Self::RestoreObject { days } => client.restore_object(bucket, key, days).await?,
            _ => return Ok(Value::Null),
        };
        Ok(json!({ "status": head.status().as_u16() }))
    }

    async fn copy(self, client: &Client, bucket: String, key: String) -> Result<Value, Error> {
        match self {
            Self::UploadPartCopy {
                upload,
                number,
                source,
                first,
                last,
            } => {
                let source = CopySource::new(&*bucket, source);
                let request = client.upload_part_copy(&*bucket, key, upload, number, source);
                let part = request.range(first..=last).await?;
                Ok(json!({ "number": part.number, "etag": part.etag }))
            }
            Self::Copy {
                source,
                threshold,
                part_size,
            } => {
                let source = CopySource::new(&*bucket, source);
                let request = client.copy(&*bucket, key, source);
                let done = request.threshold(threshold).part_size(part_size).await?;
                Ok(json!({ "size": done.size, "parts": done.parts, "etag": done.etag }))
            }
            _ => Ok(Value::Null),
        }
    }

    async fn read(self, client: &Client, bucket: String, key: String) -> Result<Value, Error> {
        Ok(match self {
            Self::GetObjectTagging {} => json!(client.get_object_tagging(bucket, key).await?.tags),
            Self::GetObjectAcl {} => {
                let found = client.get_object_acl(bucket, key).await?;
                json!({ "acl": found.acl, "owner": found.owner.map(|owner| owner.id) })
            }
            Self::GetSymlink {} => json!(client.get_symlink(bucket, key).await?.target),
            Self::GetVersion { version } => {
                let found = client.get_object(bucket, key).version_id(version).await?;
                json!(String::from_utf8_lossy(&found.bytes().await?))
            }
            Self::ListObjectVersions { page } => {
                let mut listed = client.list_object_versions(bucket).max_keys(page).versions();
                let mut all = Vec::new();
                while let Some(one) = listed.try_next().await? {
                    all.push(json!([
                        one.key,
                        one.version_id,
                        one.is_latest,
                        one.is_delete_marker,
                        one.size,
                        one.etag,
                        seconds(one.last_modified),
                        one.storage_class,
                    ]));
                }
                json!(all)
            }
            Self::ListMultipartUploads { page } => {
                let mut listed = client.list_multipart_uploads(bucket).max_uploads(page).uploads();
                let mut all = Vec::new();
                while let Some(one) = listed.try_next().await? {
                    all.push(json!([one.key, one.upload_id, seconds(one.initiated)]));
                }
                json!(all)
            }
            Self::ListParts { upload, page } => {
                let mut listed = client.list_parts(bucket, key, upload).max_parts(page).parts();
                let mut all = Vec::new();
                while let Some(one) = listed.try_next().await? {
                    let crc = one.crc64.map(|crc| crc.to_string());
                    all.push(json!([
                        one.number,
                        one.size,
                        one.etag,
                        crc,
                        seconds(one.last_modified)
                    ]));
                }
                json!(all)
            }
            _ => Value::Null,
        })
    }

    async fn look_at_bucket(self, client: &Client, bucket: String) -> Result<Value, Error> {
        Ok(match self {
            Self::GetBucketInfo {} => {
                let found = client.get_bucket_info(bucket).await?;
                json!({
                    "name": found.name,
                    "location": found.location,
                    "created": seconds(found.creation_date),
                    "extranet_endpoint": found.extranet_endpoint,
                    "intranet_endpoint": found.intranet_endpoint,
                    "storage_class": found.storage_class,
                    "redundancy": found.data_redundancy_type,
                    "versioning": found.versioning,
                    "acl": found.acl,
                    "owner": found.owner.map(|owner| owner.id),
                })
            }
            Self::GetBucketLocation {} => {
                let found = client.get_bucket_location(bucket).await?;
                json!({ "location": found.location, "region": found.region() })
            }
            Self::GetBucketStat {} => {
                let found = client.get_bucket_stat(bucket).await?;
                json!({
                    "storage": found.storage,
                    "objects": found.object_count,
                    "uploads": found.multipart_upload_count,
                    "delete_markers": found.delete_marker_count,
                })
            }
            Self::DetectRegion {} => json!(client.detect_region(bucket).await?),
            _ => Value::Null,
        })
    }
}

/// Whole seconds since 1970.
fn seconds(time: Option<SystemTime>) -> Option<u64> {
    Some(time?.duration_since(UNIX_EPOCH).ok()?.as_secs())
}
