//! The canonical request around its headers and parameters.
//!
//! Vendor document: "Include a V4 signature in the Authorization header" (Object Storage Service, API
//! reference).

use crate::encode::{TextSink, put_resource};
use crate::headers::Sink;
use crate::view::put_method;
use crate::{RequestView, SignError};

/// Writes the first two lines: method and resource.
pub(crate) fn put_head(out: &mut impl TextSink, view: &RequestView<'_>) -> Result<(), SignError> {
    let (bucket, key) = view.resource()?;
    put_method(out, view);
    out.put_str("\n");
    put_resource(out, bucket, key);
    out.put_str("\n");
    Ok(())
}

/// An upper bound of what [`put_head`] writes.
pub(crate) fn head_len(view: &RequestView<'_>) -> usize {
    let (bucket, key) = view.resource().unwrap_or_default();
    view.method().len() + 3 * (bucket.unwrap_or_default().len() + key.unwrap_or_default().len()) + 4
}

/// Writes what follows the header lines.
pub(crate) fn put_tail(out: &mut impl Sink, additional: &str, payload: &[u8]) {
    out.put(b"\n");
    out.put_str(additional);
    out.put(b"\n");
    out.put(payload);
}
