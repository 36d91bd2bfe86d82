//! An object, and what is known about it.

use std::time::SystemTime;

use bytes::Bytes;

use super::content::Content;
use super::properties::Properties;

/// The `x-oss-object-type` of an object created by `AppendObject`.
pub(super) const APPENDABLE: &str = "Appendable";

/// When a restored copy of an archived object can be read.
#[derive(Clone, Copy, Debug)]
pub(super) struct Restored {
    pub(super) ready: SystemTime,
    pub(super) ends: SystemTime,
}

/// An object.
#[derive(Clone, Debug)]
pub(crate) struct Object {
    content: Content,
    pub(super) properties: Properties,
    etag: String,
    kind: &'static str,
    last_modified: SystemTime,
    /// The key that a symbolic link leads to.
    target: Option<String>,
    pub(super) restored: Option<Restored>,
}

impl Object {
    fn new(
        kind: &'static str,
        content: Content,
        properties: Properties,
        etag: String,
        now: SystemTime,
    ) -> Self {
        Self {
            content,
            properties,
            etag,
            kind,
            last_modified: now,
            target: None,
            restored: None,
        }
    }

    /// An object that was uploaded in one piece: its `ETag` is its MD5.
    pub(super) fn whole(content: Content, properties: Properties, now: SystemTime) -> Self {
        let etag = quoted_md5(&content);
        Self::new("Normal", content, properties, etag, now)
    }

    /// An object put together from parts, with the `ETag` that follows from theirs.
    pub(super) fn assembled(content: Content, properties: Properties, etag: String, now: SystemTime) -> Self {
        Self::new("Multipart", content, properties, etag, now)
    }

    /// An object to which more can be appended. The vendor only says that its `ETag` is not the MD5.
    pub(super) fn appendable(content: Content, properties: Properties, now: SystemTime) -> Self {
        let etag = quoted_md5(&Content::of(Bytes::from(format!("append {}", content.md5_hex()))));
        Self::new(APPENDABLE, content, properties, etag, now)
    }

    /// A symbolic link: its content is the name of its target.
    pub(super) fn link(target: String, properties: Properties, now: SystemTime) -> Self {
        let content = Content::of(Bytes::from(target.clone()));
        let etag = quoted_md5(&content);
        Self {
            target: Some(target),
            ..Self::new("Symlink", content, properties, etag, now)
        }
    }

    pub(crate) fn from_bytes(bytes: Bytes, now: SystemTime) -> Self {
        Self::whole(Content::of(bytes), Properties::default(), now)
    }

    /// The content; `None` for a sink.
    pub(crate) fn bytes(&self) -> Option<&Bytes> {
        self.content.bytes()
    }

    pub(super) fn content(&self) -> &Content {
        &self.content
    }

    /// In quotes.
    pub(super) fn etag(&self) -> &str {
        &self.etag
    }

    pub(super) fn kind(&self) -> &'static str {
        self.kind
    }

    pub(super) fn last_modified(&self) -> SystemTime {
        self.last_modified
    }

    pub(super) fn target(&self) -> Option<&str> {
        self.target.as_deref()
    }

    pub(super) fn storage_class(&self) -> String {
        self.properties.storage_class()
    }
}

/// The `ETag` of content that came in one piece.
pub(super) fn quoted_md5(content: &Content) -> String {
    format!("\"{}\"", content.md5_hex())
}
