//! Object Storage Service: buckets and objects in memory behind V1 and V4 signatures.
//!
//! Vendor documents: the pages named after each operation, "Include a V4 signature in the Authorization
//! header", "Include a V4 signature in a URL", "A V4 signature in a `PostObject` request", "Include a V1
//! signature in a URL" and "Error responses" (Object Storage Service, API reference); the pages about single
//! `EC` codes (Object Storage Service, support).

mod acl;
mod address;
mod auth;
mod authorize;
mod bucket;
mod bucket_info;
mod buckets;
mod call;
mod conditions;
mod content;
mod copy;
mod copy_source;
mod cors;
mod cors_rule;
mod delete_multiple;
mod document;
mod download;
mod error;
mod list;
mod list_uploads;
mod list_versions;
mod multipart;
mod object;
mod operation;
mod paging;
mod policy;
mod post;
mod properties;
mod range;
mod receive;
mod restore;
mod s3;
mod store;
mod symlink;
mod tagging;
mod upload;
mod uploads;
mod versions;
mod xml;

use axum::body::Body;
use http::request::Parts;
use oss_credentials_core::BoxFuture;

use crate::body::Unread;
use crate::record::Service;
use crate::service::{CloudService, Judgement};
use crate::wire::{Answer, Request, Upload};
use address::Target;
pub(crate) use bucket::Bucket;
pub use bucket::BucketAcl;
use call::Call;
use copy_source::Source;
use error::{Refusal, denied, error, json_error, request_id};
pub(crate) use object::Object;
use operation::Operation;
pub(crate) use store::{Buckets, Oss};

impl CloudService for Oss {
    fn id(&self) -> Service {
        Service::Oss
    }

    /// Clients of OSS take its address: the hosts of its buckets are not led here.
    fn is_at(&self, _host: &str) -> bool {
        false
    }

    fn action(&self, request: &Request) -> String {
        let target = Target::of(&self.cnames, request);
        target
            .map_or("Unknown", |target| {
                Operation::of(&s3::understood(request), &target).name()
            })
            .to_owned()
    }

    fn access_key_id(&self, request: &Request) -> Option<String> {
        auth::access_key_id(request)
    }

    fn receive(&self, parts: Parts, body: Body, limit: usize) -> BoxFuture<'_, Result<Request, Unread>> {
        Box::pin(receive::receive(self, parts, body, limit))
    }

    fn handle(&self, request: &Request, judgement: Judgement) -> Answer {
        let target = Target::of(&self.cnames, request);
        let bucket = target
            .as_ref()
            .map_or_else(|_| String::new(), |target| target.bucket.clone());
        let answer = match target.and_then(|target| answer(self, request, &target, judgement)) {
            Ok(answer) => answer
                .with("server", "AliyunOSS")
                .with("x-oss-request-id", request_id())
                .with("x-oss-server-time", "1"),
            Err(refusal) => refusal.answer(request),
        };
        let answer = cors::answered(self, &bucket, request, answer);
        s3::answered(request, answer)
    }

    fn error(&self, request: &Request, status: u16, code: &str, message: &str) -> Answer {
        error(request, status, code, message)
    }

    fn json_error(&self, request: &Request, status: u16, code: &str) -> Answer {
        json_error(request, status, code)
    }

    fn throttling(&self, request: &Request) -> Answer {
        let message = "The rate of requests exceeds the limit.";
        error(request, 503, "QpsLimitExceeded", message)
    }
}

fn answer(oss: &Oss, request: &Request, target: &Target, judgement: Judgement) -> Result<Answer, Refusal> {
    let state = &*oss.state;
    if matches!(request.upload, Upload::TooLong) {
        let message = "Your proposed upload exceeds the maximum allowed size.";
        return Err(Refusal::new(400, "EntityTooLarge", message, ""));
    }
    s3::check_style(request, target)?;
    let now = state.now(judgement.clock_offset);
    // A preflight of a presigned URL has its query, with a signature for another method.
    let caller = match request.method.as_str() {
        "OPTIONS" => None,
        _ => auth::authenticate(state, request, target, now)?,
    };
    let request = &*s3::understood(request);
    let operation = Operation::of(request, target);
    if operation == Operation::Unsupported {
        return Err(not_implemented());
    }
    let call = Call {
        oss,
        state,
        request,
        bucket: &target.bucket,
        key: &target.key,
        copy_source: match operation {
            Operation::CopyObject | Operation::UploadPartCopy => Some(Source::of(request, &oss.buckets())?),
            _ => None,
        },
        signed: caller.is_some(),
        now,
    };
    match caller {
        Some(key) => {
            if let Some(policy) = &key.policy {
                authorize::check(&call, operation, policy)?;
            }
        }
        None => check_unsigned(&call, operation)?,
    }
    carry_out(&call, operation, judgement)
}

/// Refuses what the ACL of the object or of the bucket does not allow to everybody.
fn check_unsigned(call: &Call<'_>, operation: Operation) -> Result<(), Refusal> {
    if operation == Operation::ListBuckets {
        return Err(denied());
    }
    if operation == Operation::OptionObject {
        return Ok(());
    }
    let acl = call.in_bucket(|bucket| Ok(bucket.acl_of(call.key)))?;
    if operation.allowed_unsigned(acl) {
        Ok(())
    } else {
        Err(denied())
    }
}

/// Carries out the operation. The match names each one, so that an operation without a handler does not compile.
fn carry_out(call: &Call<'_>, operation: Operation, judgement: Judgement) -> Result<Answer, Refusal> {
    use Operation as Op;
    match operation {
        Op::ListBuckets => buckets::list(call),
        Op::PutBucket => buckets::put(call),
        Op::HeadBucket => call.in_bucket(|_| Ok(Answer::empty(200))),
        Op::DeleteBucket => buckets::delete(&mut call.oss.buckets(), call.bucket),
        Op::GetBucketInfo => call.in_bucket(|bucket| Ok(bucket_info::info(call, bucket))),
        Op::GetBucketLocation => call.in_bucket(|_| Ok(bucket_info::location(call))),
        Op::GetBucketStat => call.in_bucket(|bucket| Ok(bucket_info::stat(call, bucket))),
        Op::PutBucketAcl => call.in_bucket(|bucket| acl::put_bucket(call, bucket)),
        Op::GetBucketAcl => call.in_bucket(|bucket| Ok(acl::get_bucket(call, bucket))),
        Op::PutBucketVersioning => call.in_bucket(|bucket| bucket_info::put_versioning(call, bucket)),
        Op::GetBucketVersioning => call.in_bucket(|bucket| Ok(bucket_info::get_versioning(bucket))),
        Op::PutBucketCors => call.in_bucket(|bucket| cors::put(call, bucket)),
        Op::GetBucketCors => call.in_bucket(|bucket| cors::get(bucket)),
        Op::DeleteBucketCors => call.in_bucket(|bucket| Ok(cors::delete(bucket))),
        Op::OptionObject => call.in_bucket(|bucket| cors::preflight(call, bucket)),
        Op::ListObjects => call.in_bucket(|bucket| list::list_v1(call, bucket, judgement.empty_page)),
        Op::ListObjectsV2 => call.in_bucket(|bucket| list::list_v2(call, bucket, judgement.empty_page)),
        Op::ListObjectVersions => call.in_bucket(|bucket| list_versions::list(call, bucket)),
        Op::ListMultipartUploads => call.in_bucket(|bucket| list_uploads::list(call, bucket)),
        Op::DeleteMultipleObjects => call.in_bucket(|bucket| delete_multiple::delete(call, bucket)),
        Op::PostObject => call.in_bucket(|bucket| post::post(call, bucket)),
        Op::PutObject => call.store(upload::put),
        Op::AppendObject => call.store(upload::append),
        Op::CopyObject => copy::copy(call, &mut call.oss.buckets()),
        Op::GetObject | Op::HeadObject => call.in_bucket(|bucket| download::get(call, bucket)),
        Op::GetObjectMeta => call.in_bucket(|bucket| download::meta(call, bucket)),
        Op::DeleteObject => call.in_bucket(|bucket| Ok(delete_multiple::delete_one(call, bucket))),
        Op::PutObjectAcl => call.in_bucket(|bucket| acl::put_object(call, bucket)),
        Op::GetObjectAcl => call.in_bucket(|bucket| acl::get_object(call, bucket)),
        Op::PutObjectTagging => call.in_bucket(|bucket| tagging::put(call, bucket)),
        Op::GetObjectTagging => call.in_bucket(|bucket| tagging::get(call, bucket)),
        Op::DeleteObjectTagging => call.in_bucket(|bucket| tagging::delete(call, bucket)),
        Op::PutSymlink => call.in_bucket(|bucket| symlink::put(call, bucket)),
        Op::GetSymlink => call.in_bucket(|bucket| symlink::get(call, bucket)),
        Op::RestoreObject => call.in_bucket(|bucket| restore::restore(call, bucket)),
        Op::InitiateMultipartUpload => call.in_bucket(|bucket| multipart::initiate(call, bucket)),
        Op::UploadPart => call.store(multipart::upload_part),
        Op::UploadPartCopy => copy::upload_part(call, &mut call.oss.buckets()),
        Op::CompleteMultipartUpload => call.in_bucket(|bucket| multipart::complete(call, bucket)),
        Op::AbortMultipartUpload => call.in_bucket(|bucket| multipart::abort(call, bucket)),
        Op::ListParts => call.in_bucket(|bucket| multipart::list_parts(call, bucket)),
        Op::Unsupported => Err(not_implemented()),
    }
}

fn not_implemented() -> Refusal {
    let message = "The local cloud does not know this operation.";
    Refusal::new(501, "NotImplemented", message, "0012-00000101")
}
