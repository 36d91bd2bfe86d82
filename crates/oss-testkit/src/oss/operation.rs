//! Which operation a request asks for.

use super::address::Target;
use super::bucket::BucketAcl;
use super::s3;
use crate::wire::Request;

/// The operation that a request asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Operation {
    ListBuckets,
    PutBucket,
    /// Clients of S3 have it.
    HeadBucket,
    DeleteBucket,
    GetBucketInfo,
    GetBucketLocation,
    GetBucketStat,
    PutBucketAcl,
    GetBucketAcl,
    PutBucketVersioning,
    GetBucketVersioning,
    PutBucketCors,
    GetBucketCors,
    DeleteBucketCors,
    /// The preflight request that a browser sends before a cross-origin request.
    OptionObject,
    ListObjects,
    ListObjectsV2,
    ListObjectVersions,
    ListMultipartUploads,
    DeleteMultipleObjects,
    PostObject,
    PutObject,
    AppendObject,
    CopyObject,
    GetObject,
    HeadObject,
    GetObjectMeta,
    DeleteObject,
    PutObjectAcl,
    GetObjectAcl,
    PutObjectTagging,
    GetObjectTagging,
    DeleteObjectTagging,
    PutSymlink,
    GetSymlink,
    RestoreObject,
    InitiateMultipartUpload,
    UploadPart,
    UploadPartCopy,
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

/// The resource of a request.
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
        let method = request.method.as_str();
        match level {
            Service if (method, named.as_slice()) == ("GET", &[]) => Self::ListBuckets,
            Service => Self::Unsupported,
            Bucket => Self::of_bucket(request, method, &named),
            Object => Self::of_object(request, method, &named),
        }
    }

    fn of_bucket(request: &Request, method: &str, named: &[&str]) -> Self {
        let is_second = request.query_value("list-type") == Some("2");
        match (method, named) {
            ("OPTIONS", _) => Self::OptionObject,
            ("PUT", []) => Self::PutBucket,
            ("HEAD", []) if s3::is_spoken(request) => Self::HeadBucket,
            ("DELETE", []) => Self::DeleteBucket,
            ("GET", ["bucketInfo"]) => Self::GetBucketInfo,
            ("GET", ["location"]) => Self::GetBucketLocation,
            ("GET", ["stat"]) => Self::GetBucketStat,
            ("PUT", ["acl"]) => Self::PutBucketAcl,
            ("GET", ["acl"]) => Self::GetBucketAcl,
            ("PUT", ["versioning"]) => Self::PutBucketVersioning,
            ("GET", ["versioning"]) => Self::GetBucketVersioning,
            ("PUT", ["cors"]) => Self::PutBucketCors,
            ("GET", ["cors"]) => Self::GetBucketCors,
            ("DELETE", ["cors"]) => Self::DeleteBucketCors,
            ("GET", []) if is_second => Self::ListObjectsV2,
            ("GET", []) => Self::ListObjects,
            ("GET", ["versions"]) => Self::ListObjectVersions,
            ("GET", ["uploads"]) => Self::ListMultipartUploads,
            ("POST", ["delete"]) => Self::DeleteMultipleObjects,
            ("POST", []) if request.is_multipart_form() => Self::PostObject,
            _ => Self::Unsupported,
        }
    }

    fn of_object(request: &Request, method: &str, named: &[&str]) -> Self {
        let copies = request.header("x-oss-copy-source").is_some();
        match (method, named) {
            ("OPTIONS", _) => Self::OptionObject,
            ("PUT", []) if copies => Self::CopyObject,
            ("PUT", []) => Self::PutObject,
            ("POST", ["append"]) => Self::AppendObject,
            ("GET", []) => Self::GetObject,
            ("HEAD", []) => Self::HeadObject,
            ("HEAD", ["objectMeta"]) => Self::GetObjectMeta,
            ("DELETE", []) => Self::DeleteObject,
            ("PUT", ["acl"]) => Self::PutObjectAcl,
            ("GET", ["acl"]) => Self::GetObjectAcl,
            ("PUT", ["tagging"]) => Self::PutObjectTagging,
            ("GET", ["tagging"]) => Self::GetObjectTagging,
            ("DELETE", ["tagging"]) => Self::DeleteObjectTagging,
            ("PUT", ["symlink"]) => Self::PutSymlink,
            ("GET", ["symlink"]) => Self::GetSymlink,
            ("POST", ["restore"]) => Self::RestoreObject,
            ("POST", ["uploads"]) => Self::InitiateMultipartUpload,
            ("PUT", ["partNumber", "uploadId"]) if copies => Self::UploadPartCopy,
            ("PUT", ["partNumber", "uploadId"]) => Self::UploadPart,
            ("POST", ["uploadId"]) => Self::CompleteMultipartUpload,
            ("DELETE", ["uploadId"]) => Self::AbortMultipartUpload,
            ("GET", ["uploadId"]) => Self::ListParts,
            _ => Self::Unsupported,
        }
    }

    /// Its name in the vendor's reference, which records show.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::ListBuckets => "ListBuckets",
            Self::PutBucket => "PutBucket",
            Self::HeadBucket => "HeadBucket",
            Self::DeleteBucket => "DeleteBucket",
            Self::GetBucketInfo => "GetBucketInfo",
            Self::GetBucketLocation => "GetBucketLocation",
            Self::GetBucketStat => "GetBucketStat",
            Self::PutBucketAcl => "PutBucketAcl",
            Self::GetBucketAcl => "GetBucketAcl",
            Self::PutBucketVersioning => "PutBucketVersioning",
            Self::GetBucketVersioning => "GetBucketVersioning",
            Self::PutBucketCors => "PutBucketCors",
            Self::GetBucketCors => "GetBucketCors",
            Self::DeleteBucketCors => "DeleteBucketCors",
            Self::OptionObject => "OptionObject",
            Self::ListObjects => "ListObjects",
            Self::ListObjectsV2 => "ListObjectsV2",
            Self::ListObjectVersions => "ListObjectVersions",
            Self::ListMultipartUploads => "ListMultipartUploads",
            Self::DeleteMultipleObjects => "DeleteMultipleObjects",
            Self::PostObject => "PostObject",
            Self::PutObject => "PutObject",
            Self::AppendObject => "AppendObject",
            Self::CopyObject => "CopyObject",
            Self::GetObject => "GetObject",
            Self::HeadObject => "HeadObject",
            Self::GetObjectMeta => "GetObjectMeta",
            Self::DeleteObject => "DeleteObject",
            Self::PutObjectAcl => "PutObjectAcl",
            Self::GetObjectAcl => "GetObjectAcl",
            Self::PutObjectTagging => "PutObjectTagging",
            Self::GetObjectTagging => "GetObjectTagging",
            Self::DeleteObjectTagging => "DeleteObjectTagging",
            Self::PutSymlink => "PutSymlink",
            Self::GetSymlink => "GetSymlink",
            Self::RestoreObject => "RestoreObject",
            Self::InitiateMultipartUpload => "InitiateMultipartUpload",
            Self::UploadPart => "UploadPart",
            Self::UploadPartCopy => "UploadPartCopy",
            Self::CompleteMultipartUpload => "CompleteMultipartUpload",
            Self::AbortMultipartUpload => "AbortMultipartUpload",
            Self::ListParts => "ListParts",
            Self::Unsupported => "Unknown",
        }
    }

    /// Returns whether this operation is allowed without a signature in a bucket with this ACL.
    pub(super) fn allowed_unsigned(self, acl: BucketAcl) -> bool {
        match acl {
            BucketAcl::Private => false,
            BucketAcl::PublicRead => self.access() == Access::Read,
            BucketAcl::PublicReadWrite => self.access() != Access::Own,
        }
    }

    fn access(self) -> Access {
        match self {
            Self::HeadBucket
            | Self::ListObjects
            | Self::ListObjectsV2
            | Self::ListObjectVersions
            | Self::GetObject
            | Self::HeadObject
            | Self::GetObjectMeta
            | Self::GetSymlink => Access::Read,
            Self::ListMultipartUploads
            | Self::DeleteMultipleObjects
            | Self::PostObject
            | Self::PutObject
            | Self::AppendObject
            | Self::CopyObject
            | Self::DeleteObject
            | Self::PutSymlink
            | Self::InitiateMultipartUpload
            | Self::UploadPart
            | Self::UploadPartCopy
            | Self::CompleteMultipartUpload
            | Self::AbortMultipartUpload
            | Self::ListParts => Access::Write,
            Self::ListBuckets
            | Self::PutBucket
            | Self::DeleteBucket
            | Self::GetBucketInfo
            | Self::GetBucketLocation
            | Self::GetBucketStat
            | Self::PutBucketAcl
            | Self::GetBucketAcl
            | Self::PutBucketVersioning
            | Self::GetBucketVersioning
            | Self::PutBucketCors
            | Self::GetBucketCors
            | Self::DeleteBucketCors
            | Self::OptionObject
            | Self::PutObjectAcl
            | Self::GetObjectAcl
            | Self::PutObjectTagging
            | Self::GetObjectTagging
            | Self::DeleteObjectTagging
            | Self::RestoreObject
            | Self::Unsupported => Access::Own,
        }
    }
}

/// What the ACL of a bucket must allow for an operation without a signature.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Access {
    Read,
    Write,
    /// No ACL allows it.
    Own,
}
