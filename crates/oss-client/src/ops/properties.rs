//! Properties of an object: tags, ACL, symbolic links, and restoring it from an archive class.

use http::Method;
use http::header::CONTENT_TYPE;

use crate::client::Client;
use crate::error::Error;
use crate::operation::Operation;
use crate::response::{REPORT, ResponseHead};
use crate::validate;
use crate::xml::Element;

use super::document::{Document, XML, document, text};
use super::list::Owner;
use super::{header_settings, object_settings, query_settings, request};

impl Client {
    /// Sets the tags of an object, at most 10, replacing the existing ones.
    ///
    /// Vendor document: `PutObjectTagging` (Object Storage Service, API reference).
    pub fn put_object_tagging<N: AsRef<str>, V: AsRef<str>>(
        &self,
        bucket: impl Into<String>,
        key: impl Into<String>,
        tags: impl IntoIterator<Item = (N, V)>,
    ) -> PutObjectTagging {
        let mut operation = of_object(
            "PutObjectTagging",
            Method::PUT,
            bucket.into(),
            key.into(),
            "tagging",
        );
        let write = |document: &mut Document, (name, value): (N, V)| {
            let tag = document.create_element("Tag");
            let tag = tag.write_inner_content(|document| {
                text(document, "Key", name.as_ref())?;
                text(document, "Value", value.as_ref())
            });
            tag.map(drop)
        };
        let mut tags = tags.into_iter();
        let body = document("Tagging", |document| {
            let set = document.create_element("TagSet");
            let set = set.write_inner_content(|document| tags.try_for_each(|tag| write(document, tag)));
            set.map(drop)
        });
        operation.body = body.into();
        operation.default_header(CONTENT_TYPE, &XML);
        PutObjectTagging::new(self.clone(), operation)
    }

    /// Reads the tags of an object.
    ///
    /// Vendor document: `GetObjectTagging` (Object Storage Service, API reference).
    pub fn get_object_tagging(&self, bucket: impl Into<String>, key: impl Into<String>) -> GetObjectTagging {
        let operation = of_object(
            "GetObjectTagging",
            Method::GET,
            bucket.into(),
            key.into(),
            "tagging",
        );
        GetObjectTagging::new(self.clone(), operation.expect_xml())
    }

    /// Removes all tags of an object.
    ///
    /// Vendor document: `DeleteObjectTagging` (Object Storage Service, API reference).
    pub fn delete_object_tagging(
        &self,
        bucket: impl Into<String>,
        key: impl Into<String>,
    ) -> DeleteObjectTagging {
        let operation = of_object(
            "DeleteObjectTagging",
            Method::DELETE,
            bucket.into(),
            key.into(),
            "tagging",
        );
        DeleteObjectTagging::new(self.clone(), operation)
    }

    /// Sets who may use an object: `default` (the bucket's setting), `private`, `public-read` or `public-read-write`.
    ///
    /// Vendor document: `PutObjectACL` (Object Storage Service, API reference).
    pub fn put_object_acl(
        &self,
        bucket: impl Into<String>,
        key: impl Into<String>,
        acl: impl AsRef<str>,
    ) -> PutObjectAcl {
        let operation = of_object("PutObjectACL", Method::PUT, bucket.into(), key.into(), "acl")
            .header("x-oss-object-acl", acl.as_ref());
        PutObjectAcl::new(self.clone(), operation)
    }

    /// Reads who may use an object.
    ///
    /// Vendor document: `GetObjectACL` (Object Storage Service, API reference).
    pub fn get_object_acl(&self, bucket: impl Into<String>, key: impl Into<String>) -> GetObjectAcl {
        let operation = of_object("GetObjectACL", Method::GET, bucket.into(), key.into(), "acl");
        GetObjectAcl::new(self.clone(), operation.expect_xml())
    }

    /// Creates an object that is a link to another one in the same bucket. An existing object is replaced.
    ///
    /// Vendor document: `PutSymlink` (Object Storage Service, API reference).
    pub fn put_symlink(
        &self,
        bucket: impl Into<String>,
        key: impl Into<String>,
        target: impl AsRef<str>,
    ) -> PutSymlink {
        let target = target.as_ref();
        let mut operation = of_object("PutSymlink", Method::PUT, bucket.into(), key.into(), "symlink");
        if let Err(problem) = validate::copied_key(target) {
            operation.refuse(problem);
        }
        operation.set_header(SYMLINK_TARGET, oss_sign::encode(target).as_bytes());
        PutSymlink::new(self.clone(), operation)
    }

    /// Reads the target of a link.
    ///
    /// Vendor document: `GetSymlink` (Object Storage Service, API reference).
    pub fn get_symlink(&self, bucket: impl Into<String>, key: impl Into<String>) -> GetSymlink {
        let operation = of_object("GetSymlink", Method::GET, bucket.into(), key.into(), "symlink");
        GetSymlink::new(self.clone(), operation)
    }

    /// Makes an archived object readable for some days. This takes from a minute to hours; then
    /// [`Client::head_object`] shows it in the header `x-oss-restore`.
    ///
    /// Vendor document: `RestoreObject` (Object Storage Service, API reference).
    pub fn restore_object(
        &self,
        bucket: impl Into<String>,
        key: impl Into<String>,
        days: u16,
    ) -> RestoreObject {
        let mut operation = of_object(
            "RestoreObject",
            Method::POST,
            bucket.into(),
            key.into(),
            "restore",
        );
        let body = document("RestoreRequest", |document| {
            text(document, "Days", &days.to_string())
        });
        operation.body = body.into();
        operation.default_header(CONTENT_TYPE, &XML);
        RestoreObject::new(self.clone(), operation)
    }
}

const SYMLINK_TARGET: &str = "x-oss-symlink-target";

fn of_object(
    name: &'static str,
    method: Method,
    bucket: String,
    key: String,
    sub_resource: &str,
) -> Operation {
    Operation::object(name, method, bucket, key).query(sub_resource, "")
}

/// The version of the object.
macro_rules! version_setting {
    () => {
        query_settings! {
            /// The version, in a versioned bucket. Default: the newest.
            version_id => "versionId",
        }
    };
}

/// `send` of a request whose response has only headers.
macro_rules! sent_for_its_head {
    ($($name:ident),*) => {$(
        impl $name {
            version_setting!();

            /// Sends the request.
            ///
            /// # Errors
            ///
            /// Any variant of [`Error`] except [`Error::InvalidConfig`].
            pub async fn send(self) -> Result<ResponseHead, Error> {
                Ok(self.client.send(self.operation).await?.into_head())
            }
        }
    )*};
}

request! {
    /// Sets the tags of an object; see [`Client::put_object_tagging`](crate::Client::put_object_tagging).
    PutObjectTagging -> ResponseHead
}

request! {
    /// Removes the tags of an object; see [`Client::delete_object_tagging`](crate::Client::delete_object_tagging).
    DeleteObjectTagging -> ResponseHead
}

request! {
    /// Sets who may use an object; see [`Client::put_object_acl`](crate::Client::put_object_acl).
    PutObjectAcl -> ResponseHead
}

request! {
    /// Restores an archived object; see [`Client::restore_object`](crate::Client::restore_object).
    RestoreObject -> ResponseHead
}

sent_for_its_head!(PutObjectTagging, DeleteObjectTagging, PutObjectAcl, RestoreObject);

request! {
    /// Reads the tags of an object; see [`Client::get_object_tagging`](crate::Client::get_object_tagging).
    GetObjectTagging -> ObjectTagging
}

impl GetObjectTagging {
    version_setting!();

    /// Sends the request.
    ///
    /// # Errors
    ///
    /// Any variant of [`Error`] except [`Error::InvalidConfig`].
    pub async fn send(self) -> Result<ObjectTagging, Error> {
        let response = self.client.send(self.operation).await?;
        let read = |document: &Element, head| {
            let listed = document.child("TagSet").into_iter();
            let tags = listed.flat_map(|set| set.all("Tag")).map(|tag| {
                let value = tag.text_of("Value").unwrap_or_default();
                Some((tag.text_of("Key")?.to_owned(), value.to_owned()))
            });
            let tags = tags.collect::<Option<_>>().ok_or("a tag in it has no key")?;
            Ok(ObjectTagging { tags, head })
        };
        response.document("Tagging", read).await
    }
}

/// The result of [`GetObjectTagging`].
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ObjectTagging {
    /// Keys and values, in the order of the service.
    pub tags: Vec<(String, String)>,
    /// Status and headers.
    pub head: ResponseHead,
}

request! {
    /// Reads who may use an object; see [`Client::get_object_acl`](crate::Client::get_object_acl).
    GetObjectAcl -> ObjectAcl
}

impl GetObjectAcl {
    version_setting!();

    /// Sends the request.
    ///
    /// # Errors
    ///
    /// Any variant of [`Error`] except [`Error::InvalidConfig`].
    pub async fn send(self) -> Result<ObjectAcl, Error> {
        let response = self.client.send(self.operation).await?;
        let read = |document: &Element, head| {
            let list = document.child("AccessControlList");
            let acl = list.and_then(|list| list.text_of("Grant"));
            Ok(ObjectAcl {
                acl: acl.ok_or("it has no Grant")?.to_owned(),
                owner: document.child("Owner").map(Owner::read),
                head,
            })
        };
        response.document("AccessControlPolicy", read).await
    }
}

/// The result of [`GetObjectAcl`].
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ObjectAcl {
    /// `default` (the bucket's setting), `private`, `public-read` or `public-read-write`.
    pub acl: String,
    /// The owner of the object.
    pub owner: Option<Owner>,
    /// Status and headers.
    pub head: ResponseHead,
}

request! {
    /// Creates a link; see [`Client::put_symlink`](crate::Client::put_symlink).
    PutSymlink -> ResponseHead
}

impl PutSymlink {
    header_settings! {
        /// `Content-Type` of the link itself.
        content_type => "content-type",
    }

    object_settings!();

    /// Creates the link.
    ///
    /// # Errors
    ///
    /// Any variant of [`Error`] except [`Error::InvalidConfig`].
    pub async fn send(self) -> Result<ResponseHead, Error> {
        Ok(self.client.send(self.operation).await?.into_head())
    }
}

request! {
    /// Reads the target of a link; see [`Client::get_symlink`](crate::Client::get_symlink).
    GetSymlink -> Symlink
}

impl GetSymlink {
    version_setting!();

    /// Sends the request.
    ///
    /// # Errors
    ///
    /// Any variant of [`Error`] except [`Error::InvalidConfig`]; [`Error::InvalidResponse`] also if the target is not
    /// readable text.
    pub async fn send(self) -> Result<Symlink, Error> {
        let response = self.client.send(self.operation).await?;
        let target = response.head().header(SYMLINK_TARGET).and_then(decoded);
        match target {
            Some(target) => Ok(Symlink {
                target,
                head: response.into_head(),
            }),
            None => Err(response.unusable("it names no target", REPORT)),
        }
    }
}

fn decoded(target: &str) -> Option<String> {
    let target = percent_encoding::percent_decode_str(target).decode_utf8().ok()?;
    (!target.is_empty()).then(|| target.into_owned())
}

/// The result of [`GetSymlink`].
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Symlink {
    /// Key of the object that the link points to.
    pub target: String,
    /// Status and headers.
    pub head: ResponseHead,
}
