//! ACLs of buckets and of single objects.
//!
//! Vendor documents: "`PutObjectACL`", "`GetObjectACL`", "`PutBucketAcl`" and "`GetBucketAcl`" (Object Storage Service,
//! API reference).

use super::bucket::{Bucket, BucketAcl, with_version};
use super::call::Call;
use super::document::{document, owner};
use super::error::Refusal;
use super::properties;
use crate::wire::{Answer, element};

pub(super) fn put_object(call: &Call<'_>, bucket: &mut Bucket) -> Result<Answer, Refusal> {
    let header = call.request.header("x-oss-object-acl").unwrap_or_default();
    let acl = properties::acl(Some(header))?;
    let (object, version) = call.wanted_mut(bucket)?;
    object.properties.acl = acl;
    Ok(with_version(Answer::empty(200), version.as_deref()))
}

pub(super) fn get_object(call: &Call<'_>, bucket: &Bucket) -> Result<Answer, Refusal> {
    let wanted = call.wanted(bucket)?;
    let answer = policy(call, wanted.object.properties.acl);
    Ok(with_version(answer, wanted.version))
}

pub(super) fn put_bucket(call: &Call<'_>, bucket: &mut Bucket) -> Result<Answer, Refusal> {
    bucket.acl = BucketAcl::parse(call.request.header("x-oss-acl").unwrap_or_default())?;
    Ok(Answer::empty(200))
}

pub(super) fn get_bucket(call: &Call<'_>, bucket: &Bucket) -> Answer {
    policy(call, bucket.acl.name())
}

fn policy(call: &Call<'_>, grant: &str) -> Answer {
    let (owner, grant) = (owner(&call.state.account), element("Grant", grant));
    let inner = format!("{owner}<AccessControlList>{grant}</AccessControlList>");
    document("AccessControlPolicy", &inner)
}
