//! Object Storage Service: objects in memory behind V4 signatures.
//!
//! Vendor documents: `PutObject`, `GetObject`, `HeadObject`, `DeleteObject`, "Include a V4 signature in the
//! Authorization header", "Include a V4 signature in a URL" and "Error responses" (Object Storage Service,
//! API reference).

mod address;
mod auth;
mod error;
mod object;

use crate::server::Judgement;
use crate::state::State;
use crate::wire::{Answer, Request};
use address::Target;
pub(crate) use auth::access_key_id;
pub(crate) use error::error;
use error::{Refusal, request_id};

pub(crate) use object::Object;

/// Who may use a bucket without a signature.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum BucketAcl {
    /// Nobody.
    #[default]
    Private,
    /// Everybody may read objects.
    PublicRead,
    /// Everybody may read, write and delete objects.
    PublicReadWrite,
}

/// A bucket and what is in it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Bucket {
    pub(crate) acl: BucketAcl,
    pub(crate) objects: std::collections::BTreeMap<String, Object>,
}

/// What a request asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Operation {
    PutObject,
    GetObject,
    HeadObject,
    GetObjectMeta,
    DeleteObject,
    /// Nothing that the local cloud does.
    Unsupported,
}

/// Parameters that make a request on an object another operation.
const SUBRESOURCES: [&str; 14] = [
    "acl",
    "append",
    "asyncFetch",
    "callback",
    "cleanRestoredObject",
    "partNumber",
    "restore",
    "symlink",
    "tagging",
    "uploadId",
    "uploads",
    "x-oss-process",
    "x-oss-async-process",
    "delete",
];

impl Operation {
    fn of(request: &Request, target: &Target) -> Self {
        let has = |name: &str| request.query_value(name).is_some();
        let other = SUBRESOURCES.iter().any(|name| has(name));
        if target.bucket.is_empty() || target.key.is_empty() || other {
            return Self::Unsupported;
        }
        match request.method.as_str() {
            "PUT" if request.header("x-oss-copy-source").is_none() => Self::PutObject,
            "GET" => Self::GetObject,
            "HEAD" if has("objectMeta") => Self::GetObjectMeta,
            "HEAD" => Self::HeadObject,
            "DELETE" => Self::DeleteObject,
            _ => Self::Unsupported,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::PutObject => "PutObject",
            Self::GetObject => "GetObject",
            Self::HeadObject => "HeadObject",
            Self::GetObjectMeta => "GetObjectMeta",
            Self::DeleteObject => "DeleteObject",
            Self::Unsupported => "Unknown",
        }
    }

    fn allowed_unsigned(self, acl: BucketAcl) -> bool {
        match acl {
            BucketAcl::Private => false,
            BucketAcl::PublicRead => matches!(self, Self::GetObject | Self::HeadObject | Self::GetObjectMeta),
            BucketAcl::PublicReadWrite => true,
        }
    }
}

/// The name of the operation that is asked for.
pub(crate) fn action(state: &State, request: &Request) -> String {
    Target::of(state, request)
        .map_or("Unknown", |target| Operation::of(request, &target).name())
        .to_owned()
}

/// Carries out a request.
pub(crate) fn handle(state: &State, request: &Request, judgement: Judgement) -> Answer {
    let answer = answer(state, request, judgement);
    match answer {
        Ok(answer) => answer
            .with("server", "AliyunOSS")
            .with("x-oss-request-id", request_id())
            .with("x-oss-server-time", "1"),
        Err(refusal) => refusal.answer(request),
    }
}

fn answer(state: &State, request: &Request, judgement: Judgement) -> Result<Answer, Refusal> {
    let target = Target::of(state, request)?;
    let operation = Operation::of(request, &target);
    let now = state.now(judgement.clock_offset);
    let signed = auth::authenticate(state, request, &target, now)?;
    if operation == Operation::Unsupported {
        let message = "The local cloud does not know this operation.";
        return Err(Refusal::new(501, "NotImplemented", message, "0012-00000101"));
    }
    let mut inner = state.lock();
    let bucket = inner.buckets.get_mut(&target.bucket).ok_or_else(|| {
        Refusal::new(
            404,
            "NoSuchBucket",
            "The specified bucket does not exist.",
            "0015-00000101",
        )
        .field("BucketName", &target.bucket)
    })?;
    if !signed && !operation.allowed_unsigned(bucket.acl) {
        let message = "You have no right to access this object because of bucket acl.";
        return Err(Refusal::new(403, "AccessDenied", message, "0003-00000001"));
    }
    match operation {
        Operation::PutObject => object::put(bucket, request, &target.key, now),
        Operation::DeleteObject => {
            bucket.objects.remove(&target.key);
            Ok(Answer::empty(204))
        }
        _ => object::get(bucket, request, &target.key),
    }
}
