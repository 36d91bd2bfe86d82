//! Which operation a request asks for.

use super::BucketAcl;
use super::address::Target;
use crate::wire::Request;

/// What a request asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Operation {
    ListBuckets,
    PutBucket,
    DeleteBucket,
    ListObjectsV2,
    DeleteMultipleObjects,
    PostObject,
    PutObject,
    CopyObject,
    GetObject,
    HeadObject,
    GetObjectMeta,
    DeleteObject,
    InitiateMultipartUpload,
    UploadPart,
    CompleteMultipartUpload,
    AbortMultipartUpload,
    ListParts,
    /// Nothing that the local cloud does.
    Unsupported,
}

/// Parameters that make a request another operation.
const SUBRESOURCES: [&str; 33] = [
    "acl",
    "append",
    "asyncFetch",
    "bucketInfo",
    "callback",
    "cleanRestoredObject",
    "cname",
    "cors",
    "delete",
    "encryption",
    "inventory",
    "lifecycle",
    "location",
    "logging",
    "objectMeta",
    "partNumber",
    "policy",
    "referer",
    "regions",
    "replication",
    "requestPayment",
    "restore",
    "stat",
    "symlink",
    "tagging",
    "transferAcceleration",
    "uploadId",
    "uploads",
    "versioning",
    "versions",
    "website",
    "worm",
    "x-oss-async-process",
];

/// What a request is about.
#[derive(Clone, Copy)]
enum Level {
    Service,
    Bucket,
    Object,
}

impl Operation {
    pub(super) fn of(request: &Request, target: &Target) -> Self {
        use Level::{Bucket, Object, Service};
        let level = match (target.bucket.is_empty(), target.key.is_empty()) {
            (true, _) => Service,
            (false, true) => Bucket,
            (false, false) => Object,
        };
        let named: Vec<&str> = SUBRESOURCES
            .into_iter()
            .filter(|name| request.query_value(name).is_some())
            .collect();
        let copies = request.header("x-oss-copy-source").is_some();
        match (level, request.method.as_str(), named.as_slice()) {
            (Service, "GET", []) => Self::ListBuckets,
            (Bucket, "PUT", []) => Self::PutBucket,
            (Bucket, "DELETE", []) => Self::DeleteBucket,
            (Bucket, "GET", []) if request.query_value("list-type") == Some("2") => Self::ListObjectsV2,
            (Bucket, "POST", ["delete"]) => Self::DeleteMultipleObjects,
            (Bucket, "POST", []) if super::is_form(request) => Self::PostObject,
            (Object, "PUT", []) if copies => Self::CopyObject,
            (Object, "PUT", []) => Self::PutObject,
            (Object, "GET", []) => Self::GetObject,
            (Object, "HEAD", []) => Self::HeadObject,
            (Object, "HEAD", ["objectMeta"]) => Self::GetObjectMeta,
            (Object, "DELETE", []) => Self::DeleteObject,
            (Object, "POST", ["uploads"]) => Self::InitiateMultipartUpload,
            (Object, "PUT", ["partNumber", "uploadId"]) if !copies => Self::UploadPart,
            (Object, "POST", ["uploadId"]) => Self::CompleteMultipartUpload,
            (Object, "DELETE", ["uploadId"]) => Self::AbortMultipartUpload,
            (Object, "GET", ["uploadId"]) => Self::ListParts,
            _ => Self::Unsupported,
        }
    }

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::ListBuckets => "ListBuckets",
            Self::PutBucket => "PutBucket",
            Self::DeleteBucket => "DeleteBucket",
            Self::ListObjectsV2 => "ListObjectsV2",
            Self::DeleteMultipleObjects => "DeleteMultipleObjects",
            Self::PostObject => "PostObject",
            Self::PutObject => "PutObject",
            Self::CopyObject => "CopyObject",
            Self::GetObject => "GetObject",
            Self::HeadObject => "HeadObject",
            Self::GetObjectMeta => "GetObjectMeta",
            Self::DeleteObject => "DeleteObject",
            Self::InitiateMultipartUpload => "InitiateMultipartUpload",
            Self::UploadPart => "UploadPart",
            Self::CompleteMultipartUpload => "CompleteMultipartUpload",
            Self::AbortMultipartUpload => "AbortMultipartUpload",
            Self::ListParts => "ListParts",
            Self::Unsupported => "Unknown",
        }
    }

    /// Whether anybody may do this in a bucket with this ACL, without a signature.
    pub(super) fn allowed_unsigned(self, acl: BucketAcl) -> bool {
        match acl {
            BucketAcl::Private => false,
            BucketAcl::PublicRead => matches!(
                self,
                Self::GetObject | Self::HeadObject | Self::GetObjectMeta | Self::ListObjectsV2
            ),
            BucketAcl::PublicReadWrite => {
                !matches!(self, Self::ListBuckets | Self::PutBucket | Self::DeleteBucket)
            }
        }
    }

    /// Whether the body becomes the content of an object or of a part.
    pub(super) fn stores_body(self) -> bool {
        matches!(self, Self::PutObject | Self::UploadPart)
    }
}
