//! Tags of objects: `PutObjectTagging`, `GetObjectTagging` and `DeleteObjectTagging`.
//!
//! Vendor documents: the pages of these operations, and "Object tagging" (Object Storage Service).

use super::bucket::{Bucket, with_version};
use super::call::Call;
use super::document::{document, elements};
use super::error::Refusal;
use super::properties::{Tags, check_tags};
use super::xml::Node;
use crate::wire::Answer;

pub(super) fn put(call: &Call<'_>, bucket: &mut Bucket) -> Result<Answer, Refusal> {
    let tags = read(&call.request.body).ok_or_else(Refusal::malformed_xml)?;
    check_tags(&tags)?;
    let (object, version) = call.wanted_mut(bucket)?;
    object.properties.tags = tags;
    Ok(with_version(Answer::empty(200), version.as_deref()))
}

pub(super) fn get(call: &Call<'_>, bucket: &Bucket) -> Result<Answer, Refusal> {
    let wanted = call.wanted(bucket)?;
    let tags = wanted.object.properties.tags.iter();
    let tags: String = tags
        .map(|(key, value)| ["<Tag>", &elements(&[("Key", key), ("Value", value)]), "</Tag>"].concat())
        .collect();
    let answer = document("Tagging", &format!("<TagSet>{tags}</TagSet>"));
    Ok(with_version(answer, wanted.version))
}

pub(super) fn delete(call: &Call<'_>, bucket: &mut Bucket) -> Result<Answer, Refusal> {
    let (object, version) = call.wanted_mut(bucket)?;
    object.properties.tags = Tags::new();
    Ok(with_version(Answer::empty(204), version.as_deref()))
}

fn read(body: &[u8]) -> Option<Tags> {
    let root = Node::parse(body).filter(|root| root.name == "Tagging")?;
    let set = root.children("TagSet").next()?;
    let text = |tag: &Node, name: &str| tag.child_text(name).map(str::to_owned);
    set.children("Tag")
        .map(|tag| Some((text(tag, "Key")?, text(tag, "Value").unwrap_or_default())))
        .collect()
}
