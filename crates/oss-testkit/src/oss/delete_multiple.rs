//! Deleting objects: `DeleteObject`, and `DeleteMultipleObjects` with one request for many.

use std::fmt::Write as _;

use super::bucket::{Bucket, with_version};
use super::call::Call;
use super::content::Content;
use super::document::{Encoding, document};
use super::error::Refusal;
use super::versions::Deleted;
use super::xml::Node;
use crate::wire::{Answer, Request, element};

/// Most objects of one request: "`DeleteMultipleObjects`" (Object Storage Service, API reference).
const MAX_OBJECTS: usize = 1000;

/// The content of a request's document.
pub(super) struct Wanted {
    /// Keys, and the version of the object where one is named.
    pub(super) objects: Vec<(String, Option<String>)>,
    quiet: bool,
}

impl Wanted {
    /// `None` if the document is malformed.
    pub(super) fn read(request: &Request) -> Option<Self> {
        let root = Node::parse(&request.body).filter(|root| root.name == "Delete")?;
        let objects: Option<Vec<(String, Option<String>)>> = root
            .children("Object")
            .map(|object| {
                let key = object.child_text("Key").filter(|key| !key.is_empty())?;
                let version = object.child_text("VersionId").filter(|id| !id.is_empty());
                Some((key.to_owned(), version.map(str::to_owned)))
            })
            .collect();
        let objects = objects.filter(|objects| (1..=MAX_OBJECTS).contains(&objects.len()))?;
        Some(Self {
            objects,
            quiet: root.child_text("Quiet") == Some("true"),
        })
    }
}

/// Deletes one object, or one version of it for good.
pub(super) fn delete_one(call: &Call<'_>, bucket: &mut Bucket) -> Answer {
    let deleted = delete_from(call, bucket, call.key, call.version());
    let mut answer = Answer::empty(204);
    if deleted.is_marker {
        answer = answer.with("x-oss-delete-marker", "true");
    }
    with_version(answer, deleted.version.as_deref())
}

fn delete_from(call: &Call<'_>, bucket: &mut Bucket, key: &str, version: Option<&str>) -> Deleted {
    match version {
        Some(id) => bucket.objects.delete_version(key, id),
        None => bucket.objects.delete(key, bucket.versioning, call.now),
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
    for (key, version) in &wanted.objects {
        let deleted = delete_from(call, bucket, key, version.as_deref());
        let mut fields = element("Key", &encoding.write(key));
        if let Some(id) = version {
            fields += &element("VersionId", id);
        }
        if let (true, Some(id)) = (deleted.is_marker, deleted.version) {
            fields += &element("DeleteMarker", "true");
            fields += &element("DeleteMarkerVersionId", &id);
        }
        let _ = write!(inner, "<Deleted>{fields}</Deleted>");
    }
    Ok(if wanted.quiet {
        Answer::empty(200)
    } else {
        document("DeleteResult", &inner)
    })
}
