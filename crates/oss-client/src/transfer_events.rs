//! Names of the log events of uploads and downloads, as in `docs/events.md`.

pub(crate) const UPLOAD_IN_PARTS: &str = "oss.upload_in_parts";
pub(crate) const UPLOAD_RESUMED: &str = "oss.upload_resumed";
pub(crate) const DOWNLOAD_LEFT: &str = "oss.download_left";
pub(crate) const PARTS_LEFT: &str = "oss.parts_left";
pub(crate) const CHECKPOINT_DISCARDED: &str = "oss.checkpoint_discarded";
pub(crate) const CHECKPOINT_NOT_REMOVED: &str = "oss.checkpoint_not_removed";

/// Those of downloads.
#[cfg(feature = "download-file")]
pub(crate) mod download {
    pub(crate) const RESUMED: &str = "oss.download_resumed";
    pub(crate) const CHECKPOINT_NOT_WRITTEN: &str = "oss.checkpoint_not_written";
    pub(crate) const CONTINUED: &str = "oss.download_continued";
    pub(crate) const FILE_NOT_REMOVED: &str = "oss.download_not_removed";
}
