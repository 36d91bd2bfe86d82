//! The object to download, and the requests for it.

use http::Method;
use reqwest::StatusCode;

use crate::body_check::Expected;
use crate::client::Client;
use crate::error::Error;
use crate::headers::TRAFFIC_LIMIT;
use crate::operation::{Crc, Operation};
use crate::ops::object::{GetObject, HeadObject};
use crate::request_context::RequestContext;
use crate::response::{REPORT, Response, ResponseBody, ResponseHead};

use bytes::Bytes;

/// How many bytes are collected before they are written.
const BATCH: usize = 256 * 1024;
/// After this much progress, an interrupted transfer counts as the first failure again.
const PROGRESS: u64 = 1024 * 1024;

/// Conditions that hold for an object once they have held for it.
const CONDITIONS: [&str; 3] = ["if-none-match", "if-modified-since", "if-unmodified-since"];
/// An object, and how to request it. The methods take `&mut self`, because a body cannot be shared between threads.
pub(super) struct Object {
    pub(super) client: Client,
    /// `GetObject`, with the caller's settings.
    operation: Operation,
}

impl Object {
    pub(super) fn new(client: Client, operation: Operation) -> Self {
        Self { client, operation }
    }

    /// The same object, for another transfer in parallel.
    pub(super) fn another(&mut self) -> Self {
        Self::new(self.client.clone(), self.operation.without_body())
    }

    pub(super) fn has_crc(&self) -> bool {
        self.client.inner.check_crc
    }

    /// What errors say about the request.
    pub(super) fn context(&self) -> RequestContext {
        self.operation.context(&self.client.inner.endpoint)
    }

    /// Bucket and key.
    pub(super) fn names(&self) -> (Option<&str>, Option<&str>) {
        (self.operation.bucket.as_deref(), self.operation.key.as_deref())
    }

    /// Requests its headers.
    pub(super) async fn head(&mut self) -> Result<ResponseHead, Error> {
        let mut operation = self.operation.without_body();
        operation.name = "HeadObject".into();
        operation.method = Method::HEAD;
        operation.crc = Crc::None;
        operation.headers.remove(TRAFFIC_LIMIT);
        HeadObject::new(self.client.clone(), operation).send().await
    }

    /// Requests the whole object.
    pub(super) async fn whole(&mut self) -> Result<Response, Error> {
        self.client.send(self.operation.without_body()).await
    }

    /// Requests bytes of the object of the first response, from `at` to `end`, or to its end.
    pub(super) async fn rest(&mut self, first: &Identity, at: u64, end: u64) -> Result<ResponseBody, Error> {
        let mut operation = self.operation.without_body();
        for name in CONDITIONS {
            operation.headers.remove(name);
        }
        let request = GetObject::new(self.client.clone(), operation).if_match(&first.etag);
        // Without a range, the response has the CRC-64 of the whole.
        let is_whole = at == 0 && end == first.size;
        let request = match end {
            _ if is_whole => request,
            end if end == first.size => request.range(at..),
            end => request.range(at..end),
        };
        let response = request.send().await?;
        let head = response.head();
        let is_wanted = if is_whole {
            head.status() == StatusCode::OK && head.content_length() == Some(first.size)
        } else {
            let expected = format!("bytes {at}-{}/{}", end.saturating_sub(1), first.size);
            head.content_range() == Some(expected.as_str())
        };
        if !is_wanted || head.etag() != Some(first.etag.as_str()) {
            return Err(response.unusable("it is not the rest of the object", REPORT));
        }
        let (head, body) = response.into_parts();
        // Also where the length is not announced: bytes that are missing would be a hole in the file, and further ones
        // would replace those of the next range. The CRC-64 of the whole file is compared in the end.
        let expected = Expected {
            length: Some(end.saturating_sub(at)),
            crc: None,
        };
        Ok(body.checked(expected, &head))
    }

    /// Whether the result is anything other than the object.
    pub(super) fn is_processed(&self) -> bool {
        self.operation.query_value("x-oss-process").is_some()
    }

    /// Waits before an interrupted transfer continues, or returns the error if the policy allows no more attempts.
    pub(super) async fn pause(&mut self, failures: u32, error: Error) -> Result<(), Error> {
        let inner = &*self.client.inner;
        let Some(delay) = inner.delay(&self.operation, &error, failures) else {
            return Err(error);
        };
        if inner.pause(delay).await {
            Ok(())
        } else {
            Err(error)
        }
    }
}

/// Identifies the object, by its first response.
#[derive(Clone)]
pub(super) struct Identity {
    pub(super) etag: String,
    pub(super) size: u64,
}

impl Identity {
    /// `None` if the response has no length or no strong `ETag`. A weak `ETag` never matches, so the object would seem
    /// to have been replaced.
    pub(super) fn of(head: &ResponseHead) -> Option<Self> {
        Some(Self {
            etag: head.etag().filter(|etag| !etag.starts_with("W/"))?.to_owned(),
            size: head.content_length()?,
        })
    }
}

/// How often a transfer was interrupted without progress.
#[derive(Default)]
pub(super) struct Failures {
    count: u32,
    /// The position of the last interruption.
    before: u64,
}

impl Failures {
    /// Counts an interruption at this position. Returns how many there were since the last progress.
    pub(super) fn another(&mut self, at: u64) -> u32 {
        let is_new = at.saturating_sub(self.before) >= PROGRESS;
        self.count = if is_new { 1 } else { self.count.saturating_add(1) };
        self.before = at;
        self.count
    }
}

/// The pieces for one write, and how the body ended, if it did.
pub(super) async fn batch(body: &mut ResponseBody) -> (Vec<Bytes>, Option<Result<(), Error>>) {
    let mut pieces = Vec::new();
    let mut size = 0;
    while size < BATCH {
        match body.chunk().await {
            Ok(Some(piece)) => {
                size += piece.len();
                pieces.push(piece);
            }
            Ok(None) => return (pieces, Some(Ok(()))),
            Err(error) => return (pieces, Some(Err(error))),
        }
    }
    (pieces, None)
}
