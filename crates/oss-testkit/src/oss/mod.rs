//! Object Storage Service: buckets and objects in memory behind V1 and V4 signatures.
//!
//! Vendor documents: the pages named after each operation, "Include a V4 signature in the Authorization
//! header", "Include a V4 signature in a URL", "A V4 signature in a `PostObject` request", "Include a V1
//! signature in a URL" and "Error responses" (Object Storage Service, API reference); the pages about single
//! `EC` codes (Object Storage Service, support).

mod address;
mod auth;
mod authorize;
mod buckets;
mod conditions;
mod content;
mod copy;
mod delete_multiple;
mod error;
mod list;
mod multipart;
mod object;
mod operation;
mod policy;
mod post;
mod range;
mod receive;
mod xml;

use std::collections::BTreeMap;
use std::time::SystemTime;

use crate::server::Judgement;
use crate::state::State;
use crate::wire::{Answer, Request, Upload};
use address::Target;
pub(crate) use auth::access_key_id;
pub(crate) use content::Content;
use error::{Refusal, request_id};
pub(crate) use error::{error, json_error};
use multipart::MultipartUpload;
pub(crate) use object::Object;
use operation::Operation;
pub(crate) use receive::receive;

/// Who may use a bucket without a signature.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum BucketAcl {
    /// Nobody.
    #[default]
    Private,
    /// Everybody may read and list objects.
    PublicRead,
    /// Everybody may read, list, write and delete objects.
    PublicReadWrite,
}

/// A bucket and what is in it.
#[derive(Clone, Debug)]
pub(crate) struct Bucket {
    acl: BucketAcl,
    /// Whether content is measured instead of kept.
    sink: bool,
    /// Whether it belongs to another account.
    foreign: bool,
    created: SystemTime,
    pub(crate) objects: BTreeMap<String, Object>,
    /// Uploads in parts that have not ended, by their id.
    uploads: BTreeMap<String, MultipartUpload>,
}

impl Bucket {
    pub(crate) fn new(acl: BucketAcl, created: SystemTime) -> Self {
        Self {
            acl,
            sink: false,
            foreign: false,
            created,
            objects: BTreeMap::new(),
            uploads: BTreeMap::new(),
        }
    }

    pub(crate) fn sink(created: SystemTime) -> Self {
        Self {
            sink: true,
            ..Self::new(BucketAcl::Private, created)
        }
    }

    pub(crate) fn foreign(created: SystemTime) -> Self {
        Self {
            foreign: true,
            ..Self::new(BucketAcl::Private, created)
        }
    }

    fn object(&self, key: &str) -> Result<&Object, Refusal> {
        self.objects.get(key).ok_or_else(|| {
            Refusal::new(
                404,
                "NoSuchKey",
                "The specified key does not exist.",
                "0026-00000001",
            )
            .field("Key", key)
        })
    }

    /// Stores an object, unless the request forbids to replace one.
    fn insert(&mut self, request: &Request, key: &str, object: Object) -> Result<(), Refusal> {
        let forbid = request
            .header("x-oss-forbid-overwrite")
            .is_some_and(|value| value == "true");
        if forbid && self.objects.contains_key(key) {
            return Err(Refusal::file_already_exists());
        }
        self.objects.insert(key.to_owned(), object);
        Ok(())
    }
}

/// A request that has been understood and let in.
struct Call<'a> {
    state: &'a State,
    request: &'a Request,
    bucket: &'a str,
    key: &'a str,
    /// What `CopyObject` copies.
    copy_source: Option<copy::Source>,
    now: SystemTime,
}

/// The name of the operation that is asked for.
pub(crate) fn action(state: &State, request: &Request) -> String {
    Target::of(state, request)
        .map_or("Unknown", |target| Operation::of(request, &target).name())
        .to_owned()
}

/// Whether the request is a form upload.
fn is_form(request: &Request) -> bool {
    request.method == "POST"
        && request
            .header("content-type")
            .and_then(|kind| kind.split(';').next())
            .is_some_and(|kind| kind.trim().eq_ignore_ascii_case("multipart/form-data"))
}

/// Carries out a request.
pub(crate) fn handle(state: &State, request: &Request, judgement: Judgement) -> Answer {
    match answer(state, request, judgement) {
        Ok(answer) => answer
            .with("server", "AliyunOSS")
            .with("x-oss-request-id", request_id())
            .with("x-oss-server-time", "1"),
        Err(refusal) => refusal.answer(request),
    }
}

fn answer(state: &State, request: &Request, judgement: Judgement) -> Result<Answer, Refusal> {
    let target = Target::of(state, request)?;
    if matches!(request.upload, Upload::TooLong) {
        let message = "Your proposed upload exceeds the maximum allowed size.";
        return Err(Refusal::new(400, "EntityTooLarge", message, ""));
    }
    let operation = Operation::of(request, &target);
    let now = state.now(judgement.clock_offset);
    let caller = auth::authenticate(state, request, &target, now)?;
    let signed = caller.is_some();
    if operation == Operation::Unsupported {
        let message = "The local cloud does not know this operation.";
        return Err(Refusal::new(501, "NotImplemented", message, "0012-00000101"));
    }
    let call = Call {
        state,
        request,
        bucket: &target.bucket,
        key: &target.key,
        copy_source: match operation {
            Operation::CopyObject => Some(copy::Source::of(request, &state.lock().buckets)?),
            _ => None,
        },
        now,
    };
    if let Some(policy) = caller.and_then(|key| key.policy) {
        authorize::check(&call, operation, &policy)?;
    }
    if operation == Operation::PutBucket && signed {
        return buckets::put(&call);
    }
    if operation == Operation::ListBuckets {
        return if signed {
            buckets::list(&call)
        } else {
            Err(denied())
        };
    }
    // Checksums take their time: not while everybody waits for the lock.
    let content = operation.stores_body().then(|| Content::of_request(request));
    let mut inner = state.lock();
    if operation == Operation::DeleteBucket && signed {
        return buckets::delete(&mut inner.buckets, call.bucket);
    }
    let bucket = named(&mut inner.buckets, call.bucket)?;
    if !signed && !operation.allowed_unsigned(bucket.acl) {
        return Err(denied());
    }
    match (operation, content) {
        (Operation::PutObject, Some(content)) => object::put(&call, bucket, content),
        (Operation::UploadPart, Some(content)) => multipart::upload_part(&call, bucket, content),
        (Operation::CopyObject, _) => copy::copy(&call, &mut inner.buckets),
        (Operation::DeleteObject, _) => {
            bucket.objects.remove(call.key);
            Ok(Answer::empty(204))
        }
        (Operation::GetObjectMeta, _) => object::meta(&call, bucket),
        (Operation::ListObjectsV2, _) => list::list(&call, bucket, judgement.empty_page),
        (Operation::DeleteMultipleObjects, _) => delete_multiple::delete(&call, bucket),
        (Operation::PostObject, _) => post::post(&call, bucket, signed),
        (Operation::InitiateMultipartUpload, _) => multipart::initiate(&call, bucket),
        (Operation::CompleteMultipartUpload, _) => multipart::complete(&call, bucket),
        (Operation::AbortMultipartUpload, _) => multipart::abort(&call, bucket),
        (Operation::ListParts, _) => multipart::list_parts(&call, bucket),
        _ => object::get(&call, bucket),
    }
}

/// A bucket of the account.
fn named<'a>(buckets: &'a mut BTreeMap<String, Bucket>, name: &str) -> Result<&'a mut Bucket, Refusal> {
    let bucket = buckets.get_mut(name).ok_or_else(|| no_such_bucket(name))?;
    if bucket.foreign {
        let message = "The bucket you access does not belong to you.";
        return Err(Refusal::new(403, "AccessDenied", message, "0003-00000001"));
    }
    Ok(bucket)
}

fn no_such_bucket(name: &str) -> Refusal {
    let message = "The specified bucket does not exist.";
    Refusal::new(404, "NoSuchBucket", message, "0015-00000101").field("BucketName", name)
}

fn denied() -> Refusal {
    let message = "You have no right to access this object because of bucket acl.";
    Refusal::new(403, "AccessDenied", message, "0003-00000001")
}

fn invalid_argument(message: &str, name: &str, value: &str) -> Refusal {
    Refusal::new(400, "InvalidArgument", message, "")
        .field("ArgumentName", name)
        .field("ArgumentValue", value)
}

/// A number in the query between two bounds, both included. Sent without a value, as one of the vendor's
/// clients does, it is as good as not sent.
fn number_parameter(
    request: &Request,
    name: &str,
    bounds: std::ops::RangeInclusive<usize>,
    default: usize,
) -> Result<usize, Refusal> {
    let Some(value) = request.query_value(name).filter(|value| !value.is_empty()) else {
        return Ok(default);
    };
    let number = value.parse().ok().filter(|number| bounds.contains(number));
    number.ok_or_else(|| {
        let (least, most) = (bounds.start(), bounds.end());
        let message = format!("Argument {name} must be an integer between {least} and {most}.");
        invalid_argument(&message, name, value)
    })
}

/// How names are written in an answer: as they are, or percent-encoded if the request wants that.
#[derive(Clone, Copy)]
struct Encoding {
    url: bool,
}

impl Encoding {
    fn of(request: &Request) -> Result<Self, Refusal> {
        match request.query_value("encoding-type") {
            None | Some("") => Ok(Self { url: false }),
            Some("url") => Ok(Self { url: true }),
            Some(other) => Err(invalid_argument(
                "Invalid Encoding Method specified in Request.",
                "encoding-type",
                other,
            )),
        }
    }

    fn write(self, name: &str) -> String {
        if self.url {
            oss_sign::encode(name)
        } else {
            name.to_owned()
        }
    }

    /// The element that says how names are written.
    fn element(self) -> String {
        if self.url {
            crate::wire::element("EncodingType", "url")
        } else {
            String::new()
        }
    }
}

/// An XML document as the answer.
fn document(root: &str, inner: &str) -> Answer {
    let xml = format!("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<{root}>{inner}</{root}>\n");
    Answer::new(200, "application/xml", xml)
}
