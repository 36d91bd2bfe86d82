//! Deleting many objects with one request.

use std::fmt::Write as _;

use super::content::Content;
use super::error::Refusal;
use super::xml::Node;
use super::{Bucket, Call, Encoding, document};
use crate::wire::{Answer, element};

/// Most objects of one request: "`DeleteMultipleObjects`" (Object Storage Service, API reference).
const MAX_OBJECTS: usize = 1000;

pub(super) fn delete(call: &Call<'_>, bucket: &mut Bucket) -> Result<Answer, Refusal> {
    let request = call.request;
    let encoding = Encoding::of(request)?;
    let digest = request.header("content-md5");
    if digest.is_none() {
        let message = "Missing Some Required Arguments.";
        return Err(Refusal::new(400, "MissingArgument", message, "").field("ArgumentName", "Content-MD5"));
    }
    Content::of(request.body.clone()).check_digest(digest)?;
    let root = Node::parse(&request.body).filter(|root| root.name == "Delete");
    let root = root.ok_or_else(Refusal::malformed_xml)?;
    let keys: Option<Vec<&str>> = root
        .children("Object")
        .map(|object| object.child_text("Key").filter(|key| !key.is_empty()))
        .collect();
    let keys = keys.filter(|keys| (1..=MAX_OBJECTS).contains(&keys.len()));
    let keys = keys.ok_or_else(Refusal::malformed_xml)?;
    let quiet = root.child_text("Quiet") == Some("true");
    let mut inner = encoding.element();
    for key in keys {
        bucket.objects.remove(key);
        let _ = write!(
            inner,
            "<Deleted>{}</Deleted>",
            element("Key", &encoding.write(key))
        );
    }
    Ok(if quiet {
        Answer::empty(200)
    } else {
        document("DeleteResult", &inner)
    })
}
