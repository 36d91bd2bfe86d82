//! Checks whether a successful response is the requested one, and what its body has to be.

use http::Method;
use http::header::{ACCEPT_ENCODING, CONTENT_ENCODING, RANGE};
use reqwest::StatusCode;

use crate::body_check::{CRC64, Expected};
use crate::error::{Error, InvalidResponse};
use crate::headers;
use crate::number::number;
use crate::operation::{Crc, Operation};
use crate::request_context::RequestContext;
use crate::response::ResponseHead;

const LOOK_BETWEEN: &str = "check the endpoint, and any proxy between here and OSS";

/// The circumstances under which a response is checked.
#[derive(Clone, Copy, Debug)]
pub(super) struct Checks {
    pub(super) crc: bool,
    /// The reqwest client is a ready-made one, which may decompress bodies. reqwest then removes length and encoding
    /// from the headers.
    pub(super) may_decompress: bool,
    /// A redirect led to another server, which may not be OSS, such as the mirror of a static website.
    pub(super) is_cross_origin: bool,
}

/// Checks the status and headers of a successful response. Returns what its body has to be, and the CRC-64 that the
/// service states, if it is to be compared.
///
/// | request | status |
/// |---|---|
/// | GET, HEAD | 200; 206 if a range was requested |
/// | an upload of bytes, and requests whose response is a document | 200 |
/// | DELETE | 200, 204 |
/// | others | any but 203 and 206 |
///
/// Vendor documents: the pages of the operations (Object Storage Service, API reference).
pub(super) fn check(
    operation: &Operation,
    head: &ResponseHead,
    context: &RequestContext,
    checks: Checks,
) -> Result<(Expected, Option<u64>), Error> {
    let unusable = |(what, hint): (String, &'static str)| {
        let error = InvalidResponse::new(context.clone(), head.request_id(), what, hint);
        Error::InvalidResponse(Box::new(error))
    };
    check_status(operation, head.status()).map_err(unusable)?;
    check_origin(operation, head, checks.is_cross_origin).map_err(unusable)?;
    let part = check_part(operation, head).map_err(unusable)?;
    let crc = if checks.crc && (operation.crc != Crc::None || operation.has_document) {
        stored_crc(head).map_err(unusable)?
    } else {
        None
    };
    if operation.method == Method::HEAD {
        return Ok((Expected::default(), crc));
    }
    let announced = head.content_length();
    let is_encoded =
        operation.headers.contains_key(ACCEPT_ENCODING) && head.headers().contains_key(CONTENT_ENCODING);
    if !is_encoded {
        check_length(part, announced).map_err(unusable)?;
    }
    let may_differ = is_encoded || (checks.may_decompress && announced.is_none());
    let is_whole_object = operation.crc == Crc::Received
        && head.status() == StatusCode::OK
        && operation.query_value("x-oss-process").is_none();
    let expected = Expected {
        length: announced.or(part.filter(|_| !may_differ)),
        crc: crc.filter(|_| is_whole_object && !may_differ),
    };
    Ok((expected, crc))
}

type Wrong = (String, &'static str);

fn check_status(operation: &Operation, status: StatusCode) -> Result<(), Wrong> {
    let reads = matches!(operation.method, Method::GET | Method::HEAD);
    let is_strict = reads || operation.crc != Crc::None || operation.has_document;
    let is_expected = match status.as_u16() {
        200 => true,
        203 => false,
        204 => operation.method == Method::DELETE || !is_strict,
        206 => reads && operation.headers.contains_key(RANGE),
        _ => operation.method != Method::DELETE && !is_strict,
    };
    if is_expected {
        return Ok(());
    }
    let what = match status {
        StatusCode::PARTIAL_CONTENT => "it is a part (HTTP 206), and no range was requested".to_owned(),
        _ => format!(
            "it has HTTP {}, which is not a status of this operation",
            status.as_u16()
        ),
    };
    Err((what, LOOK_BETWEEN))
}

/// Whether OSS responded, and not a captive portal, which responds to everything with HTTP 200 and its login page.
///
/// OSS sends `x-oss-request-id` with every response. A proxy may remove it: the response to a request that changes
/// something is accepted without it if it has no body, and the response to a read if it has at least the `ETag`, which
/// caches keep.
///
/// As the pages of the operations show it: vendor documents (Object Storage Service, API reference).
fn check_origin(operation: &Operation, head: &ResponseHead, is_cross_origin: bool) -> Result<(), Wrong> {
    let is_ours = |name: &http::HeaderName| name.as_str().starts_with("x-oss-") || name == http::header::ETAG;
    // A document speaks for itself.
    if operation.has_document || head.headers().keys().any(is_ours) {
        return Ok(());
    }
    let has_body = head.content_length() != Some(0) && head.status() != StatusCode::NO_CONTENT;
    // With a callback, the body is the response of the callback server.
    let has_callback = operation.headers.contains_key(headers::CALLBACK);
    let what = match operation.method {
        Method::GET | Method::HEAD if !is_cross_origin => "it has none of the headers of OSS",
        Method::DELETE | Method::PUT if has_body && !has_callback => {
            "it has a body, and none of the headers of OSS"
        }
        _ => return Ok(()),
    };
    Err((what.to_owned(), LOOK_BETWEEN))
}

/// Returns the length of a part, if the response is one. It has to be the requested part.
fn check_part(operation: &Operation, head: &ResponseHead) -> Result<Option<u64>, Wrong> {
    if head.status() != StatusCode::PARTIAL_CONTENT {
        return Ok(None);
    }
    let wrong = |what: &str| (what.to_owned(), LOOK_BETWEEN);
    let Some(part) = head.content_range().and_then(Part::parse) else {
        return Err(wrong(
            "it does not state which part it contains (`Content-Range`)",
        ));
    };
    let asked = operation.headers.get(RANGE).and_then(|range| range.to_str().ok());
    let is_asked_for = asked.and_then(Asked::parse).is_some_and(|asked| asked.is(part));
    if !is_asked_for {
        let what = format!(
            "it contains bytes {} to {}, and another range was requested",
            part.first, part.last
        );
        return Err((what, LOOK_BETWEEN));
    }
    Ok(Some(part.length()))
}

/// Checks that a part has the length that is announced, if both are known.
fn check_length(part: Option<u64>, announced: Option<u64>) -> Result<(), Wrong> {
    match (part, announced) {
        (Some(part), Some(announced)) if part != announced => {
            let what = format!("it has {announced} bytes for a range of {part}");
            Err((what, LOOK_BETWEEN))
        }
        _ => Ok(()),
    }
}

/// Returns the CRC-64 of the object, if the service states it.
fn stored_crc(head: &ResponseHead) -> Result<Option<u64>, Wrong> {
    match head.crc64() {
        None if head.headers().contains_key(&CRC64) => {
            Err((format!("its {} is not a number", CRC64.as_str()), LOOK_BETWEEN))
        }
        told => Ok(told),
    }
}

/// A part of an object, as `Content-Range` states it: `bytes first-last/total`, with `*` for a total that is not known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Part {
    first: u64,
    last: u64,
    total: Option<u64>,
}

impl Part {
    fn parse(value: &str) -> Option<Self> {
        let (range, total) = value.trim().strip_prefix("bytes ")?.split_once('/')?;
        let (first, last) = range.split_once('-')?;
        let part = Self {
            first: number(first)?,
            last: number(last)?,
            total: match total {
                "*" => None,
                total => Some(number(total)?),
            },
        };
        let is_inside = part.first <= part.last && part.total.is_none_or(|total| part.last < total);
        // So that the length of the largest possible part fits, too.
        (is_inside && part.last < u64::MAX).then_some(part)
    }

    fn length(self) -> u64 {
        (self.last - self.first).saturating_add(1)
    }
}

/// What the header `Range` requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Asked {
    From(u64),
    Between(u64, u64),
    Last(u64),
}

impl Asked {
    fn parse(value: &str) -> Option<Self> {
        let (first, last) = value.strip_prefix("bytes=")?.split_once('-')?;
        Some(match (first, last) {
            ("", last) => Self::Last(number(last)?),
            (first, "") => Self::From(number(first)?),
            (first, last) => Self::Between(number(first)?, number(last)?),
        })
    }

    /// Whether this part is the requested one, up to the end of the object.
    fn is(self, part: Part) -> bool {
        let end = part.total.map(|total| total.saturating_sub(1));
        match self {
            Self::From(first) => part.first == first && end.is_none_or(|end| part.last == end),
            Self::Between(first, last) => {
                let expected = end.map(|end| end.min(last));
                part.first == first && expected.map_or(part.last <= last, |expected| part.last == expected)
            }
            Self::Last(bytes) => match part.total {
                Some(total) => part.length() == bytes.min(total) && end == Some(part.last),
                None => part.length() <= bytes,
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_read_strictly() {
        let part = |first, last, total| Some(Part { first, last, total });
        for (value, expected) in [
            ("bytes 0-0/1", part(0, 0, Some(1))),
            ("bytes 5-9/*", part(5, 9, None)),
            ("bytes 0-99/100", part(0, 99, Some(100))),
            ("bytes 0-100/100", None),
            ("bytes 5-4/100", None),
            ("bytes */100", None),
            ("bytes 0-+9/100", None),
            ("bytes 0-/100", None),
            ("bytes=0-9/100", None),
            ("items 0-9/100", None),
            ("bytes 0-18446744073709551615/*", None),
            ("bytes 0-18446744073709551616/*", None),
            ("", None),
        ] {
            assert_eq!(Part::parse(value), expected, "{value}");
        }
    }

    #[test]
    fn a_part_has_to_be_the_one_that_was_asked_for() {
        for (asked, good, bad) in [
            (
                "bytes=2-5",
                &["bytes 2-5/10", "bytes 2-5/*", "bytes 2-3/4"][..],
                &[
                    "bytes 2-4/10",
                    "bytes 2-6/10",
                    "bytes 0-3/10",
                    "bytes 3-5/10",
                    "bytes 2-6/*",
                ][..],
            ),
            (
                "bytes=7-",
                &["bytes 7-9/10", "bytes 7-8/*"],
                &["bytes 7-8/10", "bytes 0-9/10", "bytes 8-9/10"],
            ),
            (
                "bytes=-3",
                &["bytes 7-9/10", "bytes 0-1/2", "bytes 7-9/*"],
                &["bytes 0-2/10", "bytes 6-9/10", "bytes 8-9/10", "bytes 0-9/*"],
            ),
        ] {
            let asked = Asked::parse(asked).unwrap();
            for (ranges, expected) in [(good, true), (bad, false)] {
                for range in ranges {
                    assert_eq!(
                        asked.is(Part::parse(range).unwrap()),
                        expected,
                        "{asked:?} {range}"
                    );
                }
            }
        }
    }
}
