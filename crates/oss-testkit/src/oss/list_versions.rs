//! Listing all versions of the objects of a bucket: `ListObjectVersions`.
//!
//! Vendor document: "`ListObjectVersions`" (Object Storage Service, API reference).

use super::bucket::Bucket;
use super::call::Call;
use super::document::{Encoding, document, elements, flag, owner};
use super::error::Refusal;
use super::list::{common_prefix, described, filter};
use super::paging::{Entry, Filter};
use super::versions::{Kept, Version};
use crate::time::iso_millis;
use crate::wire::{Answer, element};

/// A version, and whether it is the current one.
type Item<'a> = (&'a Version, bool);

pub(super) fn list(call: &Call<'_>, bucket: &Bucket) -> Result<Answer, Refusal> {
    let request = call.request;
    let (encoding, filter) = (Encoding::of(request)?, filter(request)?);
    let value = |name| request.query_value(name).unwrap_or_default();
    let (key_marker, version_marker) = (value("key-marker"), value("version-id-marker"));
    let (entries, more) = page(bucket, &filter, key_marker, version_marker);
    let mut inner = elements(&[
        ("Name", call.bucket),
        ("Prefix", &encoding.write(filter.prefix)),
        ("KeyMarker", &encoding.write(key_marker)),
        ("VersionIdMarker", version_marker),
        ("MaxKeys", &filter.max.to_string()),
        ("Delimiter", &encoding.write(filter.delimiter.unwrap_or_default())),
    ]);
    inner += &encoding.element();
    inner += &element("IsTruncated", flag(more));
    if let Some(last) = entries.last().filter(|_| more) {
        inner += &element("NextKeyMarker", &encoding.write(last.name()));
        let id = match last {
            Entry::Item(_, (version, _)) => version.id.as_str(),
            Entry::CommonPrefix(_) => "",
        };
        inner += &element("NextVersionIdMarker", id);
    }
    let owner = owner(&call.state.account);
    for entry in &entries {
        inner += &match entry {
            Entry::Item(key, item) => listed(&encoding.write(key), *item, &owner),
            Entry::CommonPrefix(prefix) => common_prefix(prefix, encoding),
        };
    }
    Ok(document("ListVersionsResult", &inner))
}

/// The entries after the markers: after all versions of a key, or after one of them.
fn page<'a>(
    bucket: &'a Bucket,
    filter: &Filter<'_>,
    key_marker: &str,
    version_marker: &str,
) -> (Vec<Entry<'a, Item<'a>>>, bool) {
    let mut is_passed = false;
    let rest = bucket.objects.all().filter(|(key, version, _)| {
        if *key != key_marker || version_marker.is_empty() {
            return key_marker.is_empty() || filter.is_after(key, key_marker);
        }
        let wanted = is_passed;
        is_passed = is_passed || version.id == version_marker;
        wanted
    });
    filter.page(rest.map(|(key, version, is_latest)| (key, (version, is_latest))))
}

fn listed(key: &str, (version, is_latest): Item<'_>, owner: &str) -> String {
    let fields = elements(&[
        ("Key", key),
        ("VersionId", &version.id),
        ("IsLatest", flag(is_latest)),
    ]);
    match &version.kept {
        Kept::Object(object) => format!("<Version>{fields}{}{owner}</Version>", described(object)),
        Kept::DeleteMarker(at) => {
            let time = element("LastModified", &iso_millis(*at));
            format!("<DeleteMarker>{fields}{time}{owner}</DeleteMarker>")
        }
    }
}
