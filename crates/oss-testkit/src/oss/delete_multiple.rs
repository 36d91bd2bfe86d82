//! Deleting many objects with one request.

use std::fmt::Write as _;

use super::content::Content;
use super::error::Refusal;
use super::xml::Node;
use super::{Bucket, Call, Encoding, document};
use crate::wire::{Answer, Request, element};

/// Most objects of one request: "`DeleteMultipleObjects`" (Object Storage Service, API reference).
const MAX_OBJECTS: usize = 1000;

/// What the document of a request asks for.
pub(super) struct Wanted {
    /// Keys, and whether a version of the object is named.
    pub(super) objects: Vec<(String, bool)>,
    quiet: bool,
}

impl Wanted {
    /// `None` if the document is malformed.
    pub(super) fn read(request: &Request) -> Option<Self> {
        let root = Node::parse(&request.body).filter(|root| root.name == "Delete")?;
        let objects: Option<Vec<(String, bool)>> = root
            .children("Object")
            .map(|object| {
                let key = object.child_text("Key").filter(|key| !key.is_empty())?;
                Some((key.to_owned(), object.child_text("VersionId").is_some()))
            })
            .collect();
        let objects = objects.filter(|objects| (1..=MAX_OBJECTS).contains(&objects.len()))?;
        Some(Self {
            objects,
            quiet: root.child_text("Quiet") == Some("true"),
        })
    }
}

pub(super) fn delete(call: &Call<'_>, bucket: &mut Bucket) -> Result<Answer, Refusal> {
    let request = call.request;
    let encoding = Encoding::of(request)?;
    let digest = request.header("content-md5");
    if digest.is_none() {
        let message = "Missing Some Required Arguments.";
        return Err(Refusal::new(400, "MissingArgument", message, "").field("ArgumentName", "Content-MD5"));
    }
    Content::of(request.body.clone()).check_digest(digest)?;
    let wanted = Wanted::read(request).ok_or_else(Refusal::malformed_xml)?;
    let mut inner = encoding.element();
    for (key, _) in &wanted.objects {
        bucket.objects.remove(key);
        let _ = write!(
            inner,
            "<Deleted>{}</Deleted>",
            element("Key", &encoding.write(key))
        );
    }
    Ok(if wanted.quiet {
        Answer::empty(200)
    } else {
        document("DeleteResult", &inner)
    })
}
