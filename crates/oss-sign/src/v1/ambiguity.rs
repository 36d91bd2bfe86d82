//! Refuses requests whose V1 signature would also be valid for another request.
//!
//! The V1 resource contains key and values unencoded, so its text can have several readings: `/bucket/?policy` is the
//! bucket's policy and also an object named `?policy`; `?acl=a&versionId=1` is one parameter or two. A request can be
//! signed if its key has no reading as a query and its values have no reading as more parameters. Of all requests that
//! share a resource, at most one can be signed.

use super::error::ambiguous;
use super::sub_resources::SubResources;
use crate::{RequestView, SignError};

/// Checks that no other request has the resource of this one.
///
/// # Errors
///
/// [`SignError::AmbiguousResource`].
pub(super) fn check(view: &RequestView<'_>, sub_resources: &SubResources<'_>) -> Result<(), SignError> {
    let (bucket, key) = view.resource()?;
    // No name of a bucket has either; both end the bucket's part of the text.
    if bucket.is_some_and(|bucket| bucket.contains(['/', '?'])) {
        return Err(ambiguous("bucket", b""));
    }
    sub_resources.check_values()?;
    let Some(key) = key.filter(|key| key.contains('?')) else {
        return Ok(());
    };
    let mut resource = key.as_bytes().to_vec();
    sub_resources.put(&mut resource);
    let marks = key.bytes().enumerate().filter(|(_, byte)| *byte == b'?');
    for (at, _) in marks {
        let query = resource.get(at + 1..).unwrap_or_default();
        if sub_resources.is_readable(query, b"") {
            return Err(ambiguous("key", key.as_bytes()));
        }
    }
    Ok(())
}
