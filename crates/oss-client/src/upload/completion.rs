//! The last step of an upload in parts: creates the object, and compares its checksum.

use std::time::{Duration, SystemTime};

use http::Method;

use crate::client::Client;
use crate::crc::combined;
use crate::error::{CorruptionError, Error};
use crate::number::number;
use crate::ops::multipart::{CompleteMultipartUpload, CompletedUpload};
use crate::ops::object::HeadObject;
use crate::request_context::RequestContext;
use crate::response::ResponseHead;
use crate::service_error::ServiceError;

/// The length of the first half of the `ETag` of an object that was created from parts, in characters.
const DIGEST: usize = 32;

/// A part that the service has.
pub(super) struct Sent {
    pub(super) number: u16,
    pub(super) etag: String,
    /// In bytes.
    pub(super) length: u64,
    /// `None` where checksums are off.
    pub(super) crc: Option<u64>,
}

/// The object that the parts make up.
pub(crate) struct Whole {
    /// In bytes.
    pub(crate) size: u64,
    /// `None` if it is not known.
    pub(crate) crc: Option<u64>,
    /// How many parts there are.
    pub(crate) parts: u16,
}

impl Whole {
    /// The parts are in order.
    pub(super) fn of(sent: &[Sent]) -> Self {
        let add = |whole, part: &Sent| Some(combined(whole, part.crc?, part.length));
        Self {
            size: sent.iter().map(|part| part.length).sum(),
            crc: sent.iter().try_fold(0, add),
            parts: u16::try_from(sent.len()).unwrap_or(u16::MAX),
        }
    }
}

/// Creates the object, and compares its checksum. `stored` is a request for the object.
pub(crate) async fn complete(
    client: &Client,
    request: CompleteMultipartUpload,
    stored: HeadObject,
    whole: &Whole,
) -> Result<CompletedUpload, Error> {
    let began = client.inner.call_clock().now();
    let done = match request.send().await {
        Ok(done) => done,
        Err(error) if may_be_done(&error) => return made(stored, whole, began).await.ok_or(error),
        Err(error) => return Err(error),
    };
    let request = || {
        let url = stored.operation.url(&client.inner.endpoint);
        RequestContext::new("CompleteMultipartUpload".into(), Method::POST, url, 1)
    };
    check_crc(client, whole.crc, &done.head, request)?;
    Ok(done)
}

/// Compares the CRC-64 of what was to be stored with that in the response, if both are known. `request` is only made for an
/// error.
pub(crate) fn check_crc(
    client: &Client,
    meant: Option<u64>,
    head: &ResponseHead,
    request: impl FnOnce() -> RequestContext,
) -> Result<(), Error> {
    match meant.zip(head.crc64()) {
        Some((meant, stored)) if meant != stored && client.inner.check_crc => {
            let id = head.request_id().map(str::to_owned);
            let error = CorruptionError::sent(request(), meant, stored, id);
            Err(Error::Corrupted(Box::new(error)))
        }
        _ => Ok(()),
    }
}

/// Whether an earlier attempt may have ended the upload, and its response was lost. Otherwise, another client has ended
/// it.
fn may_be_done(error: &Error) -> bool {
    let has_ended =
        |error: &ServiceError| error.code() == "NoSuchUpload" && error.earlier_attempt_may_have_succeeded();
    error.service().is_some_and(has_ended)
}

/// The object, if the upload has created it.
async fn made(stored: HeadObject, whole: &Whole, began: SystemTime) -> Option<CompletedUpload> {
    let head = stored.send().await.ok()?;
    let has_content =
        whole.crc.is_some() && head.crc64() == whole.crc && head.content_length() == Some(whole.size);
    (has_content && is_of_upload(&head, whole.parts, began)).then(|| CompletedUpload {
        etag: head.etag().map(str::to_owned),
        location: None,
        head,
    })
}

/// Whether an object of this content can come from the upload. The same content may have been stored before, and then
/// the upload was aborted. Its `ETag` states the number of parts; if it does not, its time counts.
fn is_of_upload(head: &ResponseHead, parts: u16, began: SystemTime) -> bool {
    match head.etag().and_then(parts_in) {
        Some(count) => count == u64::from(parts),
        None => head.last_modified().is_some_and(|at| at >= whole_second(began)),
    }
}

/// The number of parts in the `ETag` of an object that was created from parts, `"<32 characters>-<number>"`.
fn parts_in(etag: &str) -> Option<u64> {
    let (digest, count) = etag.trim_matches('"').rsplit_once('-')?;
    number(count).filter(|_| digest.len() == DIGEST)
}

/// `Last-Modified` has no fractions of a second.
fn whole_second(time: SystemTime) -> SystemTime {
    let since = time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    SystemTime::UNIX_EPOCH + Duration::from_secs(since.as_secs())
}
