//! Which part of an object is to be sent.

use std::ops::Range;

use super::error::Refusal;
use crate::wire::Request;

/// The bytes to send of an object; none for all of them.
///
/// A range that is not within the object is as good as none, unless the caller asks for the standard
/// behavior: "HTTP range requests" (Object Storage Service, user guide).
pub(super) fn wanted(request: &Request, range: &str, size: usize) -> Result<Option<Range<usize>>, Refusal> {
    let standard = request.header("x-oss-range-behavior") == Some("standard");
    let Some(asked) = parse_range(range) else {
        return Ok(None);
    };
    let (start, end, within) = match asked {
        (Some(first), Some(last)) => (first, last.saturating_add(1).min(size), last < size),
        (Some(first), None) => (first, size, true),
        (None, Some(length)) => (size.saturating_sub(length), size, length > 0 && length <= size),
        (None, None) => return Ok(None),
    };
    if start < end && (within || standard) {
        return Ok(Some(start..end));
    }
    if standard {
        let message = "The requested range cannot be satisfied.";
        return Err(Refusal::new(416, "InvalidRange", message, "0026-00000018")
            .field("ActualObjectSize", &size.to_string())
            .field("RangeRequested", range));
    }
    Ok(None)
}

/// The first range of the header: first and last byte, either of them open.
fn parse_range(header: &str) -> Option<(Option<usize>, Option<usize>)> {
    let (first, last) = header
        .strip_prefix("bytes=")?
        .split(',')
        .next()?
        .trim()
        .split_once('-')?;
    let number = |text: &str| {
        if text.is_empty() {
            Some(None)
        } else {
            text.parse().ok().map(Some)
        }
    };
    let (first, last) = (number(first)?, number(last)?);
    // A range that ends before it begins is malformed.
    (first.is_none() || last.is_none() || first <= last).then_some((first, last))
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::Bytes;

    fn range(header: &str, standard: bool) -> Result<Option<Range<usize>>, String> {
        let mut builder = http::Request::builder().uri("/b/k");
        if standard {
            builder = builder.header("x-oss-range-behavior", "standard");
        }
        let (parts, ()) = builder.body(()).unwrap().into_parts();
        let request = Request::new(&parts, Bytes::new());
        wanted(&request, header, 1000).map_err(|refusal| format!("{refusal:?}"))
    }

    /// The examples of the vendor's page "Use HTTP Range requests to get OSS resources in segments".
    #[test]
    fn ranges_are_read_as_documented() {
        assert_eq!(range("bytes=0-499", false), Ok(Some(0..500)));
        assert_eq!(range("bytes=500-", false), Ok(Some(500..1000)));
        assert_eq!(range("bytes=-500", false), Ok(Some(500..1000)));
        assert_eq!(range("bytes=0-499,500-999", false), Ok(Some(0..500)));
        for whole in [
            "byte=0-499",
            "bytes=0-1000",
            "bytes=1000-2000",
            "bytes=1000-",
            "bytes=-2000",
            "bytes=9-1",
        ] {
            assert_eq!(range(whole, false), Ok(None), "{whole}");
        }
        assert_eq!(range("bytes=500-2000", true), Ok(Some(500..1000)));
        assert_eq!(range("bytes=-2000", true), Ok(Some(0..1000)));
        for refused in ["bytes=1000-2000", "bytes=1000-"] {
            assert!(
                range(refused, true).unwrap_err().contains("InvalidRange"),
                "{refused}"
            );
        }
    }
}
