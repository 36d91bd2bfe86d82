//! Deletes many objects in one request.

use std::collections::{BTreeMap, BTreeSet};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::Method;
use http::header::CONTENT_TYPE;
use md5::{Digest as _, Md5};

use crate::client::Client;
use crate::error::{Error, InvalidInput};
use crate::operation::Operation;
use crate::response::ResponseHead;
use crate::validate;
use crate::xml::Element;

use super::document::{XML, document, text};
use super::list::{decode, is_encoded};

/// Maximum number of objects in one request.
///
/// Vendor document: `DeleteMultipleObjects` (Object Storage Service, API reference).
const MAX_OBJECTS: usize = 1000;

/// Root of the response.
const ROOT: &str = "DeleteResult";

impl Client {
    /// Deletes up to 1000 objects with one request. Missing objects are not an error.
    ///
    /// Vendor document: `DeleteMultipleObjects` (Object Storage Service, API reference).
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # async fn run(client: &oss_client::Client, keys: Vec<String>) -> Result<(), oss_client::Error> {
    /// for keys in keys.chunks(1000) {
    ///     let deleted = client.delete_objects("examplebucket", keys).await?;
    ///     assert!(deleted.not_deleted.is_empty());
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn delete_objects<K: Into<String>>(
        &self,
        bucket: impl Into<String>,
        keys: impl IntoIterator<Item = K>,
    ) -> DeleteObjects {
        let mut operation = Operation::new("DeleteMultipleObjects", Method::POST)
            .bucket(bucket)
            .query("delete", "")
            .query("encoding-type", "url");
        operation.has_document = true;
        DeleteObjects {
            client: self.clone(),
            operation,
            objects: keys.into_iter().map(|key| (key.into(), None)).collect(),
            quiet: false,
        }
    }
}

/// Deletes many objects; see [`Client::delete_objects`].
///
/// A key can be one that no URL can contain, with a segment `.` or `..`.
#[must_use = "nothing is sent before `send`"]
pub struct DeleteObjects {
    client: Client,
    operation: Operation,
    /// Keys, and versions of them.
    objects: Vec<Asked>,
    quiet: bool,
}

/// A key, and its version if one was given.
type Asked = (String, Option<String>);

impl DeleteObjects {
    super::common_settings!();

    /// Adds a version of an object, in a versioned bucket. Without a version, like the keys of
    /// [`Client::delete_objects`], an object gets a delete marker there.
    pub fn version(mut self, key: impl Into<String>, version_id: impl Into<String>) -> Self {
        self.objects.push((key.into(), Some(version_id.into())));
        self
    }

    /// Sets whether the response leaves out the deleted objects. Default: no.
    pub fn quiet(mut self, quiet: bool) -> Self {
        self.quiet = quiet;
        self
    }

    /// Returns the current operation, with the list of objects as body, for [`Client::send`].
    pub fn into_operation(mut self) -> Operation {
        self.prepare();
        self.operation
    }

    /// Checks the list of objects, and makes it the body.
    fn prepare(&mut self) {
        if let Err(problem) = self.check() {
            self.operation.refuse(problem);
        }
        let body = document("Delete", |document| {
            text(document, "Quiet", if self.quiet { "true" } else { "false" })?;
            for (key, version) in &self.objects {
                let object = document.create_element("Object");
                object.write_inner_content(|document| {
                    text(document, "Key", key)?;
                    version
                        .as_ref()
                        .map_or(Ok(()), |id| text(document, "VersionId", id))
                })?;
            }
            Ok(())
        });
        let digest = STANDARD.encode(Md5::digest(&body));
        self.operation.set_header("content-md5", digest.as_bytes());
        self.operation.default_header(CONTENT_TYPE, &XML);
        self.operation.body = body.into();
    }

    fn check(&self) -> Result<(), InvalidInput> {
        let count = self.objects.len();
        if !(1..=MAX_OBJECTS).contains(&count) {
            return Err(InvalidInput::new(
                format!("one request cannot delete {count} objects"),
                "name 1 to 1000",
            ));
        }
        // They are in the body, and not in the URL.
        self.objects
            .iter()
            .try_for_each(|(key, _)| validate::copied_key(key))
    }

    /// Deletes the objects.
    ///
    /// # Errors
    ///
    /// Any variant of [`Error`] except [`Error::InvalidConfig`]; [`Error::InvalidInput`] for no key, an empty or too
    /// long one, and more than 1000. Objects that were not deleted are not an error: see
    /// [`DeletedObjects::not_deleted`].
    pub async fn send(mut self) -> Result<DeletedObjects, Error> {
        self.prepare();
        let response = self.client.send(self.operation).await?;
        let read = |document: &Element, head| {
            let read = DeletedObjects::read(document, &self.objects, self.quiet, head);
            read.ok_or("a key in it cannot be read")
        };
        if !self.quiet {
            return response.document(ROOT, read).await;
        }
        // There may be nothing to report.
        let read = response.document_if_any(ROOT, read).await?;
        Ok(read.unwrap_or_else(|head| DeletedObjects {
            deleted: Vec::new(),
            not_deleted: Vec::new(),
            head,
        }))
    }
}

super::awaited!(DeleteObjects -> DeletedObjects);

/// The result of [`DeleteObjects`].
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct DeletedObjects {
    /// The deleted objects, as the service reports them; empty with [`DeleteObjects::quiet`].
    pub deleted: Vec<DeletedObject>,
    /// Keys whose deletion the service does not confirm; with [`DeleteObjects::quiet`], those that it lists.
    pub not_deleted: Vec<String>,
    /// Status and headers.
    pub head: ResponseHead,
}

/// A deleted object.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct DeletedObject {
    /// The key.
    pub key: String,
    /// The version that was deleted, if one was named.
    pub version_id: Option<String>,
    /// Whether a delete marker was made or removed, in a bucket with versions.
    pub is_delete_marker: bool,
    /// The version of that delete marker.
    pub delete_marker_version_id: Option<String>,
}

impl DeletedObjects {
    /// `None` if a key cannot be read.
    fn read(document: &Element, asked: &[Asked], quiet: bool, head: ResponseHead) -> Option<Self> {
        let is_encoded = is_encoded(document)?;
        let read = |entry: &Element| {
            let text = |child| entry.text_of(child).map(str::to_owned);
            Some(DeletedObject {
                key: decode(entry.text_of("Key")?, is_encoded)?,
                version_id: text("VersionId"),
                is_delete_marker: entry.text_of("DeleteMarker") == Some("true"),
                delete_marker_version_id: text("DeleteMarkerVersionId"),
            })
        };
        if quiet {
            // What failed, under whatever name.
            let entries = document
                .children
                .iter()
                .filter(|entry| entry.child("Key").is_some());
            let failed: Vec<_> = entries.map(read).collect::<Option<_>>()?;
            return Some(Self {
                deleted: Vec::new(),
                not_deleted: failed.into_iter().map(|entry| entry.key).collect(),
                head,
            });
        }
        let deleted: Vec<_> = document.all("Deleted").map(read).collect::<Option<_>>()?;
        Some(Self {
            not_deleted: not_confirmed(asked, &deleted),
            deleted,
            head,
        })
    }
}

/// The keys of those that the service does not confirm.
fn not_confirmed(asked: &[Asked], deleted: &[DeletedObject]) -> Vec<String> {
    let asked = asked
        .iter()
        .map(|(key, version)| (key.as_str(), version.as_deref()));
    let told = deleted
        .iter()
        .map(|entry| (entry.key.as_str(), entry.version_id.as_deref()));
    let told: BTreeSet<_> = told.collect();
    let mut ways: BTreeMap<&str, BTreeSet<Option<&str>>> = BTreeMap::new();
    for (key, version) in asked.clone() {
        ways.entry(key).or_default().insert(version);
    }
    let is_confirmed = |&(key, version): &(&str, Option<&str>)| {
        // Where several versions of a key are named, only the version tells which of them is meant.
        let is_alone = ways.get(key).is_some_and(|versions| versions.len() == 1);
        let mut of_key = told.range((key, None)..).take_while(|(told, _)| *told == key);
        told.contains(&(key, version))
            || (is_alone && of_key.any(|(_, told)| told.is_none() || version.is_none()))
    };
    let missing = asked.filter(|object| !is_confirmed(object));
    missing.map(|(key, _)| key.to_owned()).collect()
}
