//! Listing uploads that have not ended: `ListMultipartUploads`.
//!
//! Vendor document: "`ListMultipartUploads`" (Object Storage Service, API reference).

use super::bucket::Bucket;
use super::call::Call;
use super::document::{Encoding, document, elements, flag, number_parameter};
use super::error::Refusal;
use super::list::common_prefix;
use super::paging::{Entry, Filter};
use super::uploads::MultipartUpload;
use crate::time::iso_millis;
use crate::wire::Answer;

/// Most uploads on a page, and the default.
const MAX_UPLOADS: usize = 1000;

/// An upload with its id.
type Item<'a> = (&'a str, &'a MultipartUpload);

pub(super) fn list(call: &Call<'_>, bucket: &Bucket) -> Result<Answer, Refusal> {
    let request = call.request;
    let encoding = Encoding::of(request)?;
    let value = |name| request.query_value(name).unwrap_or_default();
    let filter = Filter {
        prefix: value("prefix"),
        delimiter: Some(value("delimiter")).filter(|delimiter| !delimiter.is_empty()),
        max: number_parameter(request, "max-uploads", 1..=MAX_UPLOADS, MAX_UPLOADS)?,
    };
    let (key_marker, id_marker) = (value("key-marker"), value("upload-id-marker"));
    let (entries, more) = page(bucket, &filter, key_marker, id_marker);
    let mut inner = encoding.element();
    inner += &elements(&[
        ("Bucket", call.bucket),
        ("KeyMarker", &encoding.write(key_marker)),
        ("UploadIdMarker", id_marker),
    ]);
    let last = entries.last();
    let id = match last {
        Some(Entry::Item(_, (id, _))) => id,
        _ => "",
    };
    inner += &elements(&[
        ("NextKeyMarker", &encoding.write(last.map_or("", Entry::name))),
        ("NextUploadIdMarker", id),
    ]);
    inner += &elements(&[
        ("Delimiter", &encoding.write(filter.delimiter.unwrap_or_default())),
        ("Prefix", &encoding.write(filter.prefix)),
        ("MaxUploads", &filter.max.to_string()),
        ("IsTruncated", flag(more)),
    ]);
    for entry in &entries {
        inner += &match entry {
            Entry::Item(key, item) => listed(&encoding.write(key), *item),
            Entry::CommonPrefix(prefix) => common_prefix(prefix, encoding),
        };
    }
    Ok(document("ListMultipartUploadsResult", &inner))
}

/// The uploads in the order of their keys and ids, after the markers.
fn page<'a>(
    bucket: &'a Bucket,
    filter: &Filter<'_>,
    key_marker: &str,
    id_marker: &str,
) -> (Vec<Entry<'a, Item<'a>>>, bool) {
    let mut all: Vec<(&str, Item<'a>)> = bucket
        .uploads
        .iter()
        .map(|(id, upload)| (upload.key.as_str(), (id.as_str(), upload)))
        .collect();
    all.sort_unstable_by_key(|(key, (id, _))| (*key, *id));
    let rest = all.into_iter().filter(|(key, (id, _))| {
        let is_further = *key == key_marker && !id_marker.is_empty() && *id > id_marker;
        key_marker.is_empty() || is_further || filter.is_after(key, key_marker)
    });
    filter.page(rest)
}

fn listed(key: &str, (id, upload): Item<'_>) -> String {
    let fields = elements(&[
        ("Key", key),
        ("UploadId", id),
        ("StorageClass", &upload.properties.storage_class()),
        ("Initiated", &iso_millis(upload.initiated)),
    ]);
    format!("<Upload>{fields}</Upload>")
}
