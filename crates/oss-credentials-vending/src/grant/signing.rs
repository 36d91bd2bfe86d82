//! What all parts of a grant share.

use std::time::Duration;

use super::BucketAddress;
use crate::session::Session;

/// What all parts of a grant are signed with.
pub(super) struct Signing<'a> {
    pub(super) bucket: &'a BucketAddress,
    pub(super) session: &'a Session,
    pub(super) lifetime: Duration,
}
