//! A bucket and what is in it.

use std::collections::BTreeMap;
use std::time::SystemTime;

use super::cors_rule::Rule;
use super::error::{Refusal, invalid_argument};
use super::object::Object;
use super::uploads::MultipartUpload;
use super::versions::{Kept, Objects, Version, Versioning};
use crate::wire::{Answer, Request};

/// Longest name of an object, in bytes of UTF-8: "Object naming conventions" (Object Storage Service, user
/// guide).
const MAX_KEY: usize = 1023;

/// The access that a bucket allows without a signature.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum BucketAcl {
    /// No access.
    #[default]
    Private,
    /// Anyone may read and list objects.
    PublicRead,
    /// Anyone may read, list, write and delete objects.
    PublicReadWrite,
}

impl BucketAcl {
    const ALL: [Self; 3] = [Self::Private, Self::PublicRead, Self::PublicReadWrite];

    /// The value in a request for a bucket.
    pub(super) fn parse(text: &str) -> Result<Self, Refusal> {
        Self::named(text).ok_or_else(|| {
            let message = "no such bucket access control exists";
            invalid_argument(message, "x-oss-acl", text)
        })
    }

    fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|acl| acl.name() == name)
    }

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Private => "private",
            Self::PublicRead => "public-read",
            Self::PublicReadWrite => "public-read-write",
        }
    }
}

/// A bucket and what is in it.
#[derive(Clone, Debug)]
pub(crate) struct Bucket {
    pub(super) acl: BucketAcl,
    /// Whether content is measured instead of kept.
    pub(super) sink: bool,
    /// Whether it belongs to another account.
    pub(super) foreign: bool,
    /// The region that it is in, where that is not the cloud's.
    pub(super) elsewhere: Option<String>,
    pub(super) created: SystemTime,
    pub(super) versioning: Versioning,
    /// Without a rule, no page of another origin may send requests.
    pub(super) cors: Vec<Rule>,
    pub(crate) objects: Objects,
    /// Uploads in parts that have not ended, by their id.
    pub(super) uploads: BTreeMap<String, MultipartUpload>,
}

/// The object that a request is about.
pub(super) struct Wanted<'a> {
    pub(super) object: &'a Object,
    /// The id of its version, where the bucket has versions.
    pub(super) version: Option<&'a str>,
}

impl Bucket {
    pub(crate) fn new(acl: BucketAcl, created: SystemTime) -> Self {
        Self {
            acl,
            sink: false,
            foreign: false,
            elsewhere: None,
            created,
            versioning: Versioning::Off,
            cors: Vec::new(),
            objects: Objects::default(),
            uploads: BTreeMap::new(),
        }
    }

    pub(crate) fn sink(created: SystemTime) -> Self {
        Self {
            sink: true,
            ..Self::new(BucketAcl::Private, created)
        }
    }

    pub(crate) fn foreign(created: SystemTime) -> Self {
        Self {
            foreign: true,
            ..Self::new(BucketAcl::Private, created)
        }
    }

    pub(crate) fn elsewhere(region: String, created: SystemTime) -> Self {
        Self {
            elsewhere: Some(region),
            ..Self::new(BucketAcl::Private, created)
        }
    }

    /// Stores an object without a request.
    pub(crate) fn store(&mut self, key: &str, object: Object) {
        self.objects.insert(key, object, self.versioning);
    }

    /// Stores an object, unless the request forbids to replace one; returns the id of its version.
    pub(super) fn insert(
        &mut self,
        request: &Request,
        key: &str,
        object: Object,
    ) -> Result<Option<String>, Refusal> {
        let forbid = request
            .header("x-oss-forbid-overwrite")
            .is_some_and(|value| value == "true");
        if forbid && self.objects.get(key).is_some() {
            return Err(Refusal::file_already_exists());
        }
        Ok(self.objects.insert(key, object, self.versioning))
    }

    /// The current object, or the version that is named.
    pub(super) fn find(&self, key: &str, version: Option<&str>) -> Result<Wanted<'_>, Refusal> {
        let found = match version {
            Some(id) => self
                .objects
                .version(key, id)
                .ok_or_else(|| no_such_version(key, id))?,
            None => self.objects.current(key).ok_or_else(|| no_such_key(key))?,
        };
        match &found.kept {
            Kept::Object(object) => Ok(Wanted {
                object,
                version: (self.versioning != Versioning::Off).then_some(found.id.as_str()),
            }),
            Kept::DeleteMarker(_) => Err(deleted(key, found, version.is_some())),
        }
    }

    /// The same, for changing the mutable parts of an object.
    pub(super) fn find_mut(
        &mut self,
        key: &str,
        version: Option<&str>,
    ) -> Result<(&mut Object, Option<String>), Refusal> {
        let id = self.find(key, version)?.version.map(str::to_owned);
        let object = self.objects.object_mut(key, version);
        Ok((object.ok_or_else(|| no_such_key(key))?, id))
    }

    /// The ACL that counts for a key: the object's own, if it has one.
    pub(super) fn acl_of(&self, key: &str) -> BucketAcl {
        let own = self.objects.get(key).map(|object| object.properties.acl);
        own.and_then(BucketAcl::named).unwrap_or(self.acl)
    }
}

fn no_such_key(key: &str) -> Refusal {
    let message = "The specified key does not exist.";
    Refusal::new(404, "NoSuchKey", message, "0026-00000001").field("Key", key)
}

fn no_such_version(key: &str, id: &str) -> Refusal {
    let message = "The specified version does not exist.";
    Refusal::new(404, "NoSuchVersion", message, "")
        .field("Key", key)
        .field("VersionId", id)
}

/// A delete marker is not an object: it hides the object, and cannot be read itself.
fn deleted(key: &str, marker: &Version, is_named: bool) -> Refusal {
    let refusal = if is_named {
        let message = "The specified method is not allowed against this resource.";
        Refusal::new(405, "MethodNotAllowed", message, "")
    } else {
        no_such_key(key)
    };
    refusal
        .header("x-oss-delete-marker", "true")
        .header("x-oss-version-id", &marker.id)
}

/// A bucket of the account.
pub(super) fn named<'a>(
    buckets: &'a mut BTreeMap<String, Bucket>,
    name: &str,
) -> Result<&'a mut Bucket, Refusal> {
    let bucket = buckets.get_mut(name).ok_or_else(|| {
        let message = "The specified bucket does not exist.";
        Refusal::new(404, "NoSuchBucket", message, "0015-00000101").field("BucketName", name)
    })?;
    if bucket.foreign {
        let message = "The bucket you access does not belong to you.";
        return Err(Refusal::new(403, "AccessDenied", message, "0003-00000001"));
    }
    if let Some(region) = &bucket.elsewhere {
        let message = "The bucket you are attempting to access must be addressed using the specified endpoint. \
                       Please send all future requests to this endpoint.";
        let endpoint = format!("oss-{region}.aliyuncs.com");
        return Err(Refusal::new(403, "AccessDenied", message, "")
            .field("Bucket", name)
            .field("Endpoint", &endpoint));
    }
    Ok(bucket)
}

/// Refuses what no object can be called.
pub(super) fn check_key(key: &str) -> Result<(), Refusal> {
    if key.len() > MAX_KEY {
        let message = "The Length of Object name must be less than 1024.";
        return Err(Refusal::new(400, "InvalidObjectName", message, "0016-00000003").field("ObjectName", key));
    }
    // "0016-00000005" (Object Storage Service, support).
    if key.starts_with(['/', '\\']) {
        let message = "The specified object is not valid.";
        return Err(Refusal::new(400, "InvalidObjectName", message, "0016-00000005").field("ObjectName", key));
    }
    Ok(())
}

/// A response that names a version, where there are versions.
pub(super) fn with_version(answer: Answer, version: Option<&str>) -> Answer {
    match version {
        Some(id) => answer.with("x-oss-version-id", id),
        None => answer,
    }
}
