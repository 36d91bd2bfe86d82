//! Which requests get a header that is set for the whole client.
//!
//! Vendor documents: the pages of the operations (Object Storage Service, API reference); "Single-connection bandwidth
//! throttling" (user guide); error `0005-00000002`, by which the service refuses server-side encryption on any operation
//! that creates no object.

use http::HeaderName;

/// Operations that create an object with content.
const STORING: &[&str] = &[
    "AppendObject",
    "CopyObject",
    "InitiateMultipartUpload",
    "PutObject",
];
/// Operations that create an object.
const CREATING: &[&str] = &[
    "AppendObject",
    "CopyObject",
    "InitiateMultipartUpload",
    "PutObject",
    "PutSymlink",
];
/// Operations that may replace an object.
const REPLACING: &[&str] = &[
    "CompleteMultipartUpload",
    "CopyObject",
    "InitiateMultipartUpload",
    "PutObject",
    "PutSymlink",
];
/// Operations with much content.
const MOVING: &[&str] = &[
    "AppendObject",
    "CopyObject",
    "GetObject",
    "PutObject",
    "UploadPart",
    "UploadPartCopy",
];
const COPYING: &[&str] = &["CopyObject"];

/// Whether requests of an operation get this header of the client: a header that the service knows only for some
/// operations goes to these, and any other to all.
pub(crate) fn belongs(header: &HeaderName, operation: &str) -> bool {
    operations(header.as_str()).is_none_or(|names| names.contains(&operation))
}

/// The operations that a header is for; `None` for all.
fn operations(header: &str) -> Option<&'static [&'static str]> {
    Some(match header {
        "cache-control"
        | "content-disposition"
        | "content-encoding"
        | "content-type"
        | "expires"
        | "x-oss-server-side-data-encryption"
        | "x-oss-server-side-encryption"
        | "x-oss-server-side-encryption-key-id"
        | "x-oss-tagging" => STORING,
        "x-oss-object-acl" | "x-oss-storage-class" => CREATING,
        "x-oss-forbid-overwrite" => REPLACING,
        "x-oss-traffic-limit" => MOVING,
        "x-oss-metadata-directive" | "x-oss-tagging-directive" => COPYING,
        header if header.starts_with("x-oss-copy-source") => COPYING,
        header if header.starts_with("x-oss-meta-") => CREATING,
        _ => return None,
    })
}
