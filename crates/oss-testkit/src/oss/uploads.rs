//! Uploads in parts that have not ended.

use std::collections::BTreeMap;
use std::time::SystemTime;

use super::content::Content;
use super::properties::Properties;

#[derive(Clone, Debug)]
pub(super) struct MultipartUpload {
    pub(super) key: String,
    pub(super) properties: Properties,
    pub(super) initiated: SystemTime,
    pub(super) parts: BTreeMap<usize, Part>,
}

#[derive(Clone, Debug)]
pub(super) struct Part {
    pub(super) content: Content,
    pub(super) uploaded: SystemTime,
}
