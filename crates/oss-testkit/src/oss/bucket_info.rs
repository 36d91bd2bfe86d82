//! Information about a bucket: `GetBucketInfo`, `GetBucketLocation`, `GetBucketStat`, and its versioning.
//!
//! Vendor documents: the pages of these operations and of `PutBucketVersioning` and `GetBucketVersioning` (Object
//! Storage Service, API reference).

use std::time::SystemTime;

use super::bucket::Bucket;
use super::call::Call;
use super::document::{document, elements, owner};
use super::error::Refusal;
use super::versions::Versioning;
use super::xml::Node;
use crate::time::iso_millis;
use crate::wire::{Answer, element};

pub(super) fn info(call: &Call<'_>, bucket: &Bucket) -> Answer {
    let region = call.state.region.as_str();
    let mut inner = elements(&[
        ("AccessMonitor", "Disabled"),
        ("CreationDate", &iso_millis(bucket.created)),
        ("ExtranetEndpoint", &format!("oss-{region}.aliyuncs.com")),
        ("IntranetEndpoint", &format!("oss-{region}-internal.aliyuncs.com")),
        ("Location", &format!("oss-{region}")),
        ("StorageClass", "Standard"),
        ("TransferAcceleration", "Disabled"),
        ("CrossRegionReplication", "Disabled"),
        ("DataRedundancyType", "LRS"),
        ("Name", call.bucket),
    ]);
    inner += &owner(&call.state.account);
    let grant = element("Grant", bucket.acl.name());
    inner += &["<AccessControlList>", &grant, "</AccessControlList>"].concat();
    inner += &element("Comment", "");
    if let Some(status) = status(bucket.versioning) {
        inner += &element("Versioning", status);
    }
    document("BucketInfo", &format!("<Bucket>{inner}</Bucket>"))
}

pub(super) fn location(call: &Call<'_>) -> Answer {
    document("LocationConstraint", &format!("oss-{}", call.state.region))
}

/// Figures at this moment; the service's are up to an hour old.
pub(super) fn stat(call: &Call<'_>, bucket: &Bucket) -> Answer {
    let mut figures = Figures::default();
    for (_, version, _) in bucket.objects.all() {
        match version.object() {
            Some(object) => figures.add(&object.storage_class(), object.content().length),
            None => figures.markers += 1,
        }
    }
    for part in bucket.uploads.values().flat_map(|upload| upload.parts.values()) {
        figures.parts += 1;
        figures.storage += part.content.length;
    }
    let mut fields = vec![
        ("Storage", figures.storage),
        (
            "ObjectCount",
            figures.classes.iter().map(|class| class.objects).sum(),
        ),
        ("MultipartUploadCount", bucket.uploads.len()),
        ("LiveChannelCount", 0),
    ];
    for (class, names) in figures.classes.iter().zip(CLASSES) {
        fields.push((names.storage, class.storage));
        fields.extend(names.real.map(|real| (real, class.storage)));
        fields.push((names.objects, class.objects));
    }
    fields.push(("MultipartPartCount", figures.parts));
    fields.push(("DeleteMarkerCount", figures.markers));
    let mut inner: String = fields
        .iter()
        .map(|(name, figure)| element(name, &figure.to_string()))
        .collect();
    let now = call
        .now
        .duration_since(SystemTime::UNIX_EPOCH)
        .unwrap_or_default();
    inner += &element("LastModifiedTime", &now.as_secs().to_string());
    document("BucketStat", &inner)
}

/// A storage class, and how its figures are called.
struct ClassNames {
    class: &'static str,
    storage: &'static str,
    /// The stored size; the other figure is the billed size. Here both are the same.
    real: Option<&'static str>,
    objects: &'static str,
}

const CLASSES: [ClassNames; 5] = [
    ClassNames {
        class: "Standard",
        storage: "StandardStorage",
        real: None,
        objects: "StandardObjectCount",
    },
    ClassNames {
        class: "IA",
        storage: "InfrequentAccessStorage",
        real: Some("InfrequentAccessRealStorage"),
        objects: "InfrequentAccessObjectCount",
    },
    ClassNames {
        class: "Archive",
        storage: "ArchiveStorage",
        real: Some("ArchiveRealStorage"),
        objects: "ArchiveObjectCount",
    },
    ClassNames {
        class: "ColdArchive",
        storage: "ColdArchiveStorage",
        real: Some("ColdArchiveRealStorage"),
        objects: "ColdArchiveObjectCount",
    },
    ClassNames {
        class: "DeepColdArchive",
        storage: "DeepColdArchiveStorage",
        real: Some("DeepColdArchiveRealStorage"),
        objects: "DeepColdArchiveObjectCount",
    },
];

#[derive(Clone, Copy, Default)]
struct ClassFigures {
    storage: usize,
    objects: usize,
}

#[derive(Default)]
struct Figures {
    classes: [ClassFigures; CLASSES.len()],
    storage: usize,
    parts: usize,
    markers: usize,
}

impl Figures {
    /// An unknown class counts as the first one.
    fn add(&mut self, class: &str, length: usize) {
        self.storage += length;
        let at = CLASSES.iter().position(|names| names.class == class);
        if let Some(figures) = self.classes.get_mut(at.unwrap_or_default()) {
            figures.storage += length;
            figures.objects += 1;
        }
    }
}

pub(super) fn put_versioning(call: &Call<'_>, bucket: &mut Bucket) -> Result<Answer, Refusal> {
    let root = Node::parse(&call.request.body).filter(|root| root.name == "VersioningConfiguration");
    let root = root.ok_or_else(Refusal::malformed_xml)?;
    bucket.versioning = match root.child_text("Status") {
        Some("Enabled") => Versioning::Enabled,
        Some("Suspended") => Versioning::Suspended,
        _ => return Err(Refusal::malformed_xml()),
    };
    Ok(Answer::empty(200))
}

pub(super) fn get_versioning(bucket: &Bucket) -> Answer {
    let status = status(bucket.versioning).map(|status| element("Status", status));
    document("VersioningConfiguration", &status.unwrap_or_default())
}

fn status(versioning: Versioning) -> Option<&'static str> {
    match versioning {
        Versioning::Off => None,
        Versioning::Enabled => Some("Enabled"),
        Versioning::Suspended => Some("Suspended"),
    }
}
