//! Whether the policy of the caller's session allows a request.
//!
//! Vendor documents: "OSS authorization syntax and elements" for the action of each operation, and the page about EC
//! 0003-00000301 (Object Storage Service, user guide and support).

use super::delete_multiple::Wanted;
use super::error::Refusal;
use super::operation::Operation;
use super::{Call, post};
use crate::policy::{Access, Context, Decision, Policy};

/// An action, and the bucket or the object that it is done to.
type Need = (&'static str, String);

/// Refuses a request that the policy does not allow, and one about which the local cloud cannot decide.
pub(super) fn check(call: &Call<'_>, operation: Operation, policy: &Policy) -> Result<(), Refusal> {
    let source_vpc = call.state.lock().source_vpc.clone();
    let is_list = operation == Operation::ListObjectsV2;
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

/// What a request needs to be allowed to do.
fn needs(call: &Call<'_>, operation: Operation) -> Vec<Need> {
    let request = call.request;
    let object = || format!("{}/{}", call.bucket, call.key);
    let versioned = request.query_value("versionId").is_some();
    match operation {
        Operation::ListBuckets => vec![("oss:ListBuckets", "*".to_owned())],
        Operation::PutBucket => {
            let acl = request.header("x-oss-acl").map(|_| "oss:PutBucketAcl");
            let actions = ["oss:PutBucket"].into_iter().chain(acl);
            actions.map(|action| (action, call.bucket.to_owned())).collect()
        }
        Operation::DeleteBucket => vec![("oss:DeleteBucket", call.bucket.to_owned())],
        Operation::ListObjectsV2 => vec![("oss:ListObjects", call.bucket.to_owned())],
        Operation::GetObject | Operation::HeadObject | Operation::GetObjectMeta => {
            vec![(read_action(versioned), object())]
        }
        Operation::DeleteObject => vec![(delete_action(versioned), object())],
        Operation::AbortMultipartUpload => vec![("oss:AbortMultipartUpload", object())],
        Operation::ListParts => vec![("oss:ListParts", object())],
        Operation::DeleteMultipleObjects => deletions(call),
        Operation::PostObject => stored_by_form(call),
        Operation::PutObject
        | Operation::CopyObject
        | Operation::InitiateMultipartUpload
        | Operation::UploadPart
        | Operation::CompleteMultipartUpload => {
            let tags = request.header("x-oss-tagging").map(|_| "oss:PutObjectTagging");
            let actions = ["oss:PutObject"].into_iter().chain(tags);
            let writes = actions.map(|action| (action, object()));
            let source = call.copy_source.as_ref();
            let reads = source.map(|source| {
                let name = format!("{}/{}", source.bucket, source.key);
                (read_action(source.versioned), name)
            });
            writes.chain(reads).collect()
        }
        Operation::Unsupported => Vec::new(),
    }
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
        .map(|(key, versioned)| (delete_action(versioned), format!("{}/{key}", call.bucket)))
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
