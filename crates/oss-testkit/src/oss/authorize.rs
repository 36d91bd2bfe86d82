//! Whether the policy of the caller's session allows a request.
//!
//! Vendor documents: "OSS authorization syntax and elements" for the action of each operation, and the page about EC
//! 0003-00000301 (Object Storage Service, user guide and support).

use super::call::Call;
use super::delete_multiple::Wanted;
use super::error::Refusal;
use super::operation::Operation;
use super::post;
use crate::policy::{Access, Context, Decision, Policy};

/// An action, and the bucket or the object that it is done to.
type Need = (&'static str, String);

/// Refuses a request that the policy does not allow, and one about which the local cloud cannot decide.
pub(super) fn check(call: &Call<'_>, operation: Operation, policy: &Policy) -> Result<(), Refusal> {
    let source_vpc = call.state.lock().source_vpc.clone();
    let is_list = matches!(
        operation,
        Operation::ListObjects | Operation::ListObjectsV2 | Operation::ListObjectVersions
    );
    let context = Context {
        source_ip: call.request.source_ip,
        source_vpc: source_vpc.as_deref(),
        // The local cloud speaks plain HTTP.
        secure_transport: false,
        prefix: is_list.then(|| call.request.query_value("prefix").unwrap_or_default()),
    };
    let (region, account) = (&call.state.region, &call.state.account);
    for (action, name) in needs(call, operation) {
        // The vendor's examples leave the region open; both ways to write one are accepted.
        let resources = ["oss-", ""].map(|before| format!("acs:oss:{before}{region}:{account}:{name}"));
        let access = Access {
            action,
            resources: &resources,
        };
        match policy.decide(&access, &context) {
            Decision::Allow => {}
            Decision::ExplicitDeny | Decision::ImplicitDeny => return Err(denied()),
            Decision::Undecidable(what) => return Err(undecidable(action, &what)),
        }
    }
    Ok(())
}

/// The permissions that a request needs.
fn needs(call: &Call<'_>, operation: Operation) -> Vec<Need> {
    match operation {
        Operation::ListBuckets => vec![("oss:ListBuckets", "*".to_owned())],
        Operation::DeleteMultipleObjects => deletions(call),
        Operation::PostObject => stored_by_form(call),
        Operation::PutObject
        | Operation::AppendObject
        | Operation::CopyObject
        | Operation::PutSymlink
        | Operation::InitiateMultipartUpload
        | Operation::UploadPart
        | Operation::UploadPartCopy
        | Operation::CompleteMultipartUpload => writes(call),
        Operation::OptionObject | Operation::Unsupported => Vec::new(),
        Operation::PutBucket => {
            let acl = call.request.header("x-oss-acl").map(|_| "oss:PutBucketAcl");
            let actions = ["oss:PutBucket"].into_iter().chain(acl);
            actions.map(|action| (action, call.bucket.to_owned())).collect()
        }
        Operation::DeleteBucket => on_bucket(call, "oss:DeleteBucket"),
        Operation::GetBucketInfo => on_bucket(call, "oss:GetBucketInfo"),
        Operation::GetBucketLocation => on_bucket(call, "oss:GetBucketLocation"),
        Operation::GetBucketStat => on_bucket(call, "oss:GetBucketStat"),
        Operation::PutBucketAcl => on_bucket(call, "oss:PutBucketAcl"),
        Operation::GetBucketAcl => on_bucket(call, "oss:GetBucketAcl"),
        Operation::PutBucketVersioning => on_bucket(call, "oss:PutBucketVersioning"),
        Operation::GetBucketVersioning => on_bucket(call, "oss:GetBucketVersioning"),
        Operation::PutBucketCors => on_bucket(call, "oss:PutBucketCors"),
        Operation::GetBucketCors => on_bucket(call, "oss:GetBucketCors"),
        Operation::DeleteBucketCors => on_bucket(call, "oss:DeleteBucketCors"),
        Operation::ListObjectVersions => on_bucket(call, "oss:ListObjectVersions"),
        Operation::ListMultipartUploads => on_bucket(call, "oss:ListMultipartUploads"),
        Operation::HeadBucket | Operation::ListObjects | Operation::ListObjectsV2 => {
            on_bucket(call, "oss:ListObjects")
        }
        Operation::GetObject | Operation::HeadObject | Operation::GetObjectMeta | Operation::GetSymlink => {
            on_object(call, read_action(call.version().is_some()))
        }
        Operation::DeleteObject => on_object(call, delete_action(call.version().is_some())),
        Operation::PutObjectAcl => on_version(call, "oss:PutObjectAcl", "oss:PutObjectVersionAcl"),
        Operation::GetObjectAcl => on_version(call, "oss:GetObjectAcl", "oss:GetObjectVersionAcl"),
        Operation::PutObjectTagging => {
            on_version(call, "oss:PutObjectTagging", "oss:PutObjectVersionTagging")
        }
        Operation::GetObjectTagging => {
            on_version(call, "oss:GetObjectTagging", "oss:GetObjectVersionTagging")
        }
        Operation::DeleteObjectTagging => {
            on_version(call, "oss:DeleteObjectTagging", "oss:DeleteObjectVersionTagging")
        }
        Operation::RestoreObject => on_version(call, "oss:RestoreObject", "oss:RestoreObjectVersion"),
        Operation::AbortMultipartUpload => on_object(call, "oss:AbortMultipartUpload"),
        Operation::ListParts => on_object(call, "oss:ListParts"),
    }
}

fn on_bucket(call: &Call<'_>, action: &'static str) -> Vec<Need> {
    vec![(action, call.bucket.to_owned())]
}

fn on_object(call: &Call<'_>, action: &'static str) -> Vec<Need> {
    vec![(action, format!("{}/{}", call.bucket, call.key))]
}

/// One action for the current object, and another one for a version that is named.
fn on_version(call: &Call<'_>, current: &'static str, version: &'static str) -> Vec<Need> {
    let named = call.version().is_some();
    on_object(call, if named { version } else { current })
}

/// Storing an object, with tags and from another object where the request says so.
fn writes(call: &Call<'_>) -> Vec<Need> {
    let tags = call
        .request
        .header("x-oss-tagging")
        .map(|_| "oss:PutObjectTagging");
    let actions = ["oss:PutObject"].into_iter().chain(tags);
    let writes = actions.flat_map(|action| on_object(call, action));
    let source = call.copy_source.as_ref();
    let reads = source.map(|source| {
        let name = format!("{}/{}", source.bucket, source.key);
        (read_action(source.version.is_some()), name)
    });
    writes.chain(reads).collect()
}

fn read_action(versioned: bool) -> &'static str {
    if versioned {
        "oss:GetObjectVersion"
    } else {
        "oss:GetObject"
    }
}

fn delete_action(versioned: bool) -> &'static str {
    if versioned {
        "oss:DeleteObjectVersion"
    } else {
        "oss:DeleteObject"
    }
}

/// A malformed document needs nothing: the operation refuses it.
fn deletions(call: &Call<'_>) -> Vec<Need> {
    let objects = Wanted::read(call.request).map_or_else(Vec::new, |wanted| wanted.objects);
    objects
        .into_iter()
        .map(|(key, version)| {
            let action = delete_action(version.is_some());
            (action, format!("{}/{key}", call.bucket))
        })
        .collect()
}

/// A form without a file or a key needs nothing: the operation refuses it.
fn stored_by_form(call: &Call<'_>) -> Vec<Need> {
    let file = post::file(call.request).ok();
    let key = file.and_then(|file| post::key(call.request, file));
    key.map(|key| ("oss:PutObject", format!("{}/{key}", call.bucket)))
        .into_iter()
        .collect()
}

fn denied() -> Refusal {
    let message = "Access denied by authorizer's policy.";
    Refusal::new(403, "AccessDenied", message, "0003-00000301")
}

fn undecidable(action: &str, what: &str) -> Refusal {
    let message = format!("The local cloud does not implement the {what}, on which {action} depends here.");
    Refusal::new(501, "NotImplemented", &message, "")
}
