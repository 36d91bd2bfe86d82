//! The objects of a bucket by key: one for each key, or with versioning all versions.
//!
//! Vendor document: "Versioning" and the pages under it (Object Storage Service, user guide).

use std::collections::BTreeMap;
use std::ops::Bound;
use std::time::SystemTime;

use oss_credentials_core::nonce;

use super::object::Object;

/// The id of the version that was stored without versioning.
pub(super) const NULL: &str = "null";

/// Whether a bucket keeps replaced objects.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Versioning {
    /// It never did.
    #[default]
    Off,
    Enabled,
    /// It did; new objects replace the version `null`.
    Suspended,
}

impl Versioning {
    /// The id that a new version gets, and the response names; none without versioning.
    fn new_id(self) -> Option<String> {
        match self {
            Self::Off => None,
            Self::Suspended => Some(NULL.to_owned()),
            Self::Enabled => {
                let mut id = format!("CAEQ{}", nonce());
                id.truncate(64);
                Some(id)
            }
        }
    }
}

/// One version of an object.
#[derive(Clone, Debug)]
pub(super) struct Version {
    pub(super) id: String,
    pub(super) kept: Kept,
}

#[derive(Clone, Debug)]
pub(super) enum Kept {
    /// Boxed: a marker is much smaller.
    Object(Box<Object>),
    /// Deleted at this time.
    DeleteMarker(SystemTime),
}

impl Version {
    pub(super) fn object(&self) -> Option<&Object> {
        match &self.kept {
            Kept::Object(object) => Some(object),
            Kept::DeleteMarker(_) => None,
        }
    }

    pub(super) fn is_marker(&self) -> bool {
        matches!(self.kept, Kept::DeleteMarker(_))
    }
}

/// The effect of a deletion.
#[derive(Debug, Default)]
pub(super) struct Deleted {
    /// The version that is gone, or the marker that was added.
    pub(super) version: Option<String>,
    pub(super) is_marker: bool,
}

/// The versions of each key, the current one last; no key has none.
#[derive(Clone, Debug, Default)]
pub(crate) struct Objects(BTreeMap<String, Vec<Version>>);

impl Objects {
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The current object; `None` if there is none, or it was deleted.
    pub(crate) fn get(&self, key: &str) -> Option<&Object> {
        self.current(key)?.object()
    }

    pub(super) fn current(&self, key: &str) -> Option<&Version> {
        self.0.get(key)?.last()
    }

    pub(super) fn version(&self, key: &str, id: &str) -> Option<&Version> {
        self.0.get(key)?.iter().find(|version| version.id == id)
    }

    /// The object of this version, or the current one, to change what may change about it.
    pub(super) fn object_mut(&mut self, key: &str, id: Option<&str>) -> Option<&mut Object> {
        let versions = self.0.get_mut(key)?;
        let version = match id {
            Some(id) => versions.iter_mut().find(|version| version.id == id)?,
            None => versions.last_mut()?,
        };
        match &mut version.kept {
            Kept::Object(object) => Some(object),
            Kept::DeleteMarker(_) => None,
        }
    }

    /// The current objects by their keys.
    pub(super) fn current_from(&self, start: Bound<&str>) -> impl Iterator<Item = (&str, &Object)> {
        let from = self.0.range::<str, _>((start, Bound::Unbounded));
        from.filter_map(|(key, versions)| Some((key.as_str(), versions.last()?.object()?)))
    }

    /// All versions by their keys, the current one of each key first.
    pub(super) fn all(&self) -> impl Iterator<Item = (&str, &Version, bool)> {
        self.0.iter().flat_map(|(key, versions)| {
            let newest_first = versions.iter().rev().enumerate();
            newest_first.map(|(age, version)| (key.as_str(), version, age == 0))
        })
    }

    /// Stores an object; returns the id of its version where the bucket has versions.
    pub(crate) fn insert(&mut self, key: &str, object: Object, versioning: Versioning) -> Option<String> {
        self.add(key, Kept::Object(Box::new(object)), versioning)
    }

    fn add(&mut self, key: &str, kept: Kept, versioning: Versioning) -> Option<String> {
        let id = versioning.new_id();
        let versions = self.0.entry(key.to_owned()).or_default();
        let name = id.clone().unwrap_or_else(|| NULL.to_owned());
        versions.retain(|version| version.id != name);
        versions.push(Version { id: name, kept });
        id
    }

    /// Deletes the current object: for good, or behind a marker where the bucket has versions.
    pub(super) fn delete(&mut self, key: &str, versioning: Versioning, now: SystemTime) -> Deleted {
        if versioning == Versioning::Off {
            self.0.remove(key);
            return Deleted::default();
        }
        Deleted {
            version: self.add(key, Kept::DeleteMarker(now), versioning),
            is_marker: true,
        }
    }

    /// Deletes one version for good.
    pub(super) fn delete_version(&mut self, key: &str, id: &str) -> Deleted {
        let is_marker = self.version(key, id).is_some_and(Version::is_marker);
        if let Some(versions) = self.0.get_mut(key) {
            versions.retain(|version| version.id != id);
            if versions.is_empty() {
                self.0.remove(key);
            }
        }
        Deleted {
            version: Some(id.to_owned()),
            is_marker,
        }
    }
}
