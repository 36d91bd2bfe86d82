//! Listing, creating and deleting buckets.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::bucket::{Bucket, BucketAcl, named};
use super::call::Call;
use super::document::{document, elements, flag, number_parameter, owner};
use super::error::Refusal;
use super::xml::Node;
use crate::time::iso_millis;
use crate::wire::{Answer, element};

const DEFAULT_MAX_KEYS: usize = 100;
const MAX_KEYS: usize = 1000;

pub(super) fn list(call: &Call<'_>) -> Result<Answer, Refusal> {
    let request = call.request;
    let max = number_parameter(request, "max-keys", 1..=MAX_KEYS, DEFAULT_MAX_KEYS)?;
    let prefix = request.query_value("prefix").unwrap_or_default();
    let marker = request.query_value("marker").unwrap_or_default();
    let buckets = call.oss.buckets();
    let mut found = buckets
        .iter()
        .filter(|(name, bucket)| !bucket.foreign && name.starts_with(prefix) && name.as_str() > marker);
    let page: Vec<_> = found.by_ref().take(max).collect();
    let more = found.next().is_some();

    let mut text = element("Prefix", prefix) + &element("Marker", marker);
    text += &element("MaxKeys", &max.to_string());
    text += &element("IsTruncated", flag(more));
    if let Some((last, _)) = page.last().filter(|_| more) {
        text += &element("NextMarker", last);
    }
    text += &owner(&call.state.account);
    text += "<Buckets>";
    for (name, bucket) in page {
        let region = bucket.elsewhere.as_deref().unwrap_or(&call.state.region);
        let fields = elements(&[
            ("Name", name.as_str()),
            ("Location", &format!("oss-{region}")),
            ("Region", region),
            ("CreationDate", &iso_millis(bucket.created)),
            ("StorageClass", "Standard"),
            ("ExtranetEndpoint", &format!("oss-{region}.aliyuncs.com")),
            ("IntranetEndpoint", &format!("oss-{region}-internal.aliyuncs.com")),
        ]);
        let _ = write!(text, "<Bucket>{fields}</Bucket>");
    }
    text += "</Buckets>";
    Ok(document("ListAllMyBucketsResult", &text))
}

/// Creates a bucket. For one that the account has already, only the ACL is changed, as the vendor's page on
/// `PutBucket` says.
pub(super) fn put(call: &Call<'_>) -> Result<Answer, Refusal> {
    if !is_valid_name(call.bucket) {
        let message = "The specified bucket is not valid.";
        return Err(
            Refusal::new(400, "InvalidBucketName", message, "0015-00000001").field("BucketName", call.bucket)
        );
    }
    let acl = call
        .request
        .header("x-oss-acl")
        .map(BucketAcl::parse)
        .transpose()?;
    let body = &call.request.body;
    let is_configuration = |root: &Node| root.name == "CreateBucketConfiguration";
    if !body.is_empty() && !Node::parse(body).as_ref().is_some_and(is_configuration) {
        return Err(Refusal::malformed_xml());
    }
    let mut buckets = call.oss.buckets();
    let bucket = buckets
        .entry(call.bucket.to_owned())
        .or_insert_with(|| Bucket::new(BucketAcl::Private, call.now));
    if bucket.foreign {
        let message = "The requested bucket name is not available. The bucket namespace is shared by all \
                       users of the system. Please select a different name and try again.";
        return Err(Refusal::new(409, "BucketAlreadyExists", message, "0015-00000102")
            .field("BucketName", call.bucket));
    }
    bucket.acl = acl.unwrap_or(bucket.acl);
    Ok(Answer::empty(200).with("location", format!("/{}", call.bucket)))
}

pub(super) fn delete(buckets: &mut BTreeMap<String, Bucket>, name: &str) -> Result<Answer, Refusal> {
    let bucket = named(buckets, name)?;
    if !bucket.objects.is_empty() || !bucket.uploads.is_empty() {
        let message = "The bucket has objects. Please delete them first.";
        return Err(Refusal::new(409, "BucketNotEmpty", message, "").field("BucketName", name));
    }
    buckets.remove(name);
    Ok(Answer::empty(204))
}

/// "Bucket naming conventions" (Object Storage Service, user guide).
fn is_valid_name(name: &str) -> bool {
    let good = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    (3..=63).contains(&name.len()) && name.chars().all(good) && !name.starts_with('-') && !name.ends_with('-')
}
