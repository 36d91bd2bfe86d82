//! Objects of the archive classes: `RestoreObject`, and what can be read meanwhile.
//!
//! Vendor document: "`RestoreObject`" (Object Storage Service, API reference).

use std::time::{Duration, SystemTime};

use super::bucket::{Bucket, with_version};
use super::call::Call;
use super::error::Refusal;
use super::object::{Object, Restored};
use super::xml::Node;
use crate::time::http_date;
use crate::wire::Answer;

/// Storage classes whose objects have to be restored.
const ARCHIVES: [&str; 3] = ["Archive", "ColdArchive", "DeepColdArchive"];
/// How long restoring takes for an object of the class Archive. Other classes take hours, but here the same time.
const RESTORING: Duration = Duration::from_secs(60);
const DAY: Duration = Duration::from_secs(24 * 3600);
/// Days that a restored object stays so.
const DAYS: std::ops::RangeInclusive<u32> = 1..=365;
const DEFAULT_DAYS: u32 = 1;

impl Restored {
    fn is_over(self, now: SystemTime) -> bool {
        now >= self.ends
    }

    fn is_ready(self, now: SystemTime) -> bool {
        now >= self.ready && !self.is_over(now)
    }
}

pub(super) fn restore(call: &Call<'_>, bucket: &mut Bucket) -> Result<Answer, Refusal> {
    let days = days(&call.request.body)?;
    let (object, version) = call.wanted_mut(bucket)?;
    if !is_archived(object) {
        let message = "The operation is not supported for this resource.";
        return Err(Refusal::new(400, "OperationNotSupported", message, ""));
    }
    let current = object.restored.filter(|restored| !restored.is_over(call.now));
    let (status, ready) = match current {
        Some(restored) if !restored.is_ready(call.now) => {
            let message = "The restore operation is in progress.";
            return Err(Refusal::new(409, "RestoreAlreadyInProgress", message, ""));
        }
        Some(restored) => (200, restored.ready),
        None => (202, call.now + RESTORING),
    };
    let ends = ready.max(call.now) + DAY * days;
    object.restored = Some(Restored { ready, ends });
    Ok(with_version(Answer::empty(status), version.as_deref()))
}

/// The number of days in the body; the default for an empty body.
fn days(body: &[u8]) -> Result<u32, Refusal> {
    if body.is_empty() {
        return Ok(DEFAULT_DAYS);
    }
    let root = Node::parse(body).filter(|root| root.name == "RestoreRequest");
    let days = root.and_then(|root| root.child_text("Days")?.trim().parse().ok());
    days.filter(|days| DAYS.contains(days))
        .ok_or_else(Refusal::malformed_xml)
}

fn is_archived(object: &Object) -> bool {
    ARCHIVES.contains(&object.storage_class().as_str())
}

/// Refuses to read an object that has to be restored first.
pub(super) fn check_readable(object: &Object, now: SystemTime) -> Result<(), Refusal> {
    let is_ready = object.restored.is_some_and(|restored| restored.is_ready(now));
    if !is_archived(object) || is_ready {
        return Ok(());
    }
    let message = "The operation is not valid for the object's state.";
    Err(Refusal::new(403, "InvalidObjectState", message, ""))
}

/// The header `x-oss-restore` of an object that is being or was restored.
pub(super) fn header(object: &Object, now: SystemTime) -> Option<String> {
    let restored = object.restored.filter(|restored| !restored.is_over(now))?;
    Some(if restored.is_ready(now) {
        let ends = http_date(restored.ends);
        format!("ongoing-request=\"false\", expiry-date=\"{ends}\"")
    } else {
        "ongoing-request=\"true\"".to_owned()
    })
}
