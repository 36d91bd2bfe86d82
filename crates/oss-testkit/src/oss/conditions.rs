//! Conditions on a download or a copy.
//!
//! Vendor documents: "`GetObject`", "`CopyObject`" and "0017-00001001" (Object Storage Service).

use std::time::{Duration, SystemTime};

use super::error::Refusal;
use super::object::Object;
use crate::time::parse_http_date;
use crate::wire::Request;

/// The headers that carry the conditions.
pub(super) struct Names {
    matches: &'static str,
    matches_none: &'static str,
    modified_since: &'static str,
    unmodified_since: &'static str,
}

/// The conditions of a download.
pub(super) const DOWNLOAD: Names = Names {
    matches: "if-match",
    matches_none: "if-none-match",
    modified_since: "if-modified-since",
    unmodified_since: "if-unmodified-since",
};

/// The conditions on the source of a copy.
pub(super) const COPY: Names = Names {
    matches: "x-oss-copy-source-if-match",
    matches_none: "x-oss-copy-source-if-none-match",
    modified_since: "x-oss-copy-source-if-modified-since",
    unmodified_since: "x-oss-copy-source-if-unmodified-since",
};

impl Names {
    /// Returns whether the object meets the conditions of the request.
    pub(super) fn check(&self, request: &Request, object: &Object) -> Result<(), Refusal> {
        let etag = object.etag();
        // Dates in headers have no fractions of a second.
        let modified = whole_seconds(object.last_modified());
        let date = |name| request.header(name).and_then(parse_http_date);
        let tag = |name| request.header(name).map(|wanted| names(wanted, etag));
        if tag(self.matches) == Some(false) {
            return Err(failed("If-Match"));
        }
        if date(self.unmodified_since).is_some_and(|since| modified > since) {
            return Err(failed("If-Unmodified-Since"));
        }
        let unchanged = date(self.modified_since).is_some_and(|since| modified <= since);
        if tag(self.matches_none) == Some(true) || unchanged {
            return Err(Refusal::new(304, "NotModified", "Not Modified", ""));
        }
        Ok(())
    }

    /// The first of the headers that the request has.
    pub(super) fn first_in(&self, request: &Request) -> Option<&'static str> {
        [
            self.matches,
            self.matches_none,
            self.modified_since,
            self.unmodified_since,
        ]
        .into_iter()
        .find(|name| request.header(name).is_some())
    }
}

fn failed(condition: &str) -> Refusal {
    let message = "At least one of the pre-conditions you specified did not hold.";
    Refusal::new(412, "PreconditionFailed", message, "0017-00001001").field("Condition", condition)
}

fn whole_seconds(at: SystemTime) -> SystemTime {
    let since = at.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    SystemTime::UNIX_EPOCH + Duration::from_secs(since.as_secs())
}

/// Returns whether a list of entity tags contains this one.
fn names(wanted: &str, etag: &str) -> bool {
    wanted.split(',').any(|one| {
        let one = one.trim();
        one == "*" || one.trim_matches('"').eq_ignore_ascii_case(etag.trim_matches('"'))
    })
}
