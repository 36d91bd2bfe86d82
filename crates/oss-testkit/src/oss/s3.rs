//! The dialect of Amazon S3: the same operations with other names of headers.
//!
//! Vendor documents: "Compatibility with Amazon S3" and "Access OSS by using AWS SDKs" (Object Storage Service, API
//! reference).

use std::borrow::Cow;

use http::{HeaderMap, HeaderName, HeaderValue};

use super::address::{self, Target};
use super::auth;
use super::error::Refusal;
use crate::wire::{Answer, Request};

/// The prefixes of S3's own headers, and of those of OSS.
const AMZ: &str = "x-amz-";
const OSS: &str = "x-oss-";

/// The rest of the names of signature headers.
const DROPPED: [&str; 3] = ["date", "content-sha256", "security-token"];

const CLASS: &str = "x-oss-storage-class";

/// Storage classes as S3 and as OSS call them.
const CLASSES: [(&str, &str); 3] = [
    ("STANDARD", "Standard"),
    ("STANDARD_IA", "IA"),
    ("GLACIER", "Archive"),
];

/// Returns whether the request is in this dialect: by its signature or, if unsigned, by its host.
pub(super) fn is_spoken(request: &Request) -> bool {
    auth::is_aws(request) || address::is_s3_host(&request.host)
}

/// Refuses requests that name the bucket in the path.
pub(super) fn check_style(request: &Request, target: &Target) -> Result<(), Refusal> {
    if target.bucket.is_empty() || target.is_virtual_hosted || !is_spoken(request) {
        return Ok(());
    }
    let message = "Please use virtual hosted style to access.";
    Err(Refusal::new(403, "SecondLevelDomainForbidden", message, ""))
}

/// The request as clients of OSS would send it.
pub(super) fn understood(request: &Request) -> Cow<'_, Request> {
    if !is_spoken(request) {
        return Cow::Borrowed(request);
    }
    let mut headers = HeaderMap::new();
    for (name, value) in &request.raw_headers {
        if let Some(name) = oss_name(request, name) {
            let value = oss_value(name.as_str(), value);
            headers.append(name, value);
        }
    }
    Cow::Owned(request.clone().with_headers(headers))
}

/// The name of a header in OSS; `None` if OSS has nothing like it.
fn oss_name(request: &Request, name: &HeaderName) -> Option<HeaderName> {
    let Some(rest) = name.as_str().strip_prefix(AMZ) else {
        return Some(name.clone());
    };
    let name = match rest {
        rest if DROPPED.contains(&rest) => return None,
        // An ACL in the request for an object is the object's.
        "acl" if request.path != "/" => "x-oss-object-acl".to_owned(),
        rest => format!("{OSS}{rest}"),
    };
    HeaderName::from_bytes(name.as_bytes()).ok()
}

fn oss_value(name: &str, value: &HeaderValue) -> HeaderValue {
    let class = value.to_str().ok().filter(|_| name == CLASS);
    let class = class.and_then(|class| CLASSES.iter().find(|(s3, _)| *s3 == class));
    class.map_or_else(|| value.clone(), |(_, oss)| HeaderValue::from_static(oss))
}

/// A response with the names of S3 added to those of OSS.
pub(super) fn answered(request: &Request, mut answer: Answer) -> Answer {
    if !is_spoken(request) {
        return answer;
    }
    let mut added = Vec::new();
    for (name, value) in &answer.headers {
        if let Some(rest) = name.strip_prefix(OSS) {
            let class = CLASSES
                .iter()
                .find(|(_, oss)| name == CLASS && oss.as_bytes() == value);
            let value = class.map_or_else(|| value.clone(), |(s3, _)| s3.as_bytes().to_vec());
            added.push((Cow::Owned(format!("{AMZ}{rest}")), value));
        }
    }
    answer.headers.append(&mut added);
    answer
}
