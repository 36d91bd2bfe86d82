//! One upload as it runs.

use std::path::PathBuf;
use std::pin::{Pin, pin};
use std::sync::{Arc, Mutex, PoisonError};

use futures_core::Stream;
use futures_util::{TryStreamExt as _, stream};
use http::{HeaderMap, Method};
use oss_credentials_core::BoxFuture;

use crate::TRACING_TARGET;
use crate::body::{Body, Meter};
use crate::client::Client;
use crate::error::{CorruptionError, Error, InvalidInput};
use crate::operation::{Crc, Operation};
use crate::ops::multipart::{CompleteMultipartUpload, CompletedUpload, InitiateMultipartUpload, MAX_PARTS};
use crate::ops::object::HeadObject;

use super::cleanup::Cleanup;
use super::progress::Reporter;
use super::resume::{Known, Resumable};
use super::source::Parts;
use super::{Plan, Uploaded};

/// Headers of the upload that the request with the bytes takes.
const OF_PARTS: [&str; 2] = ["x-oss-request-payer", "x-oss-traffic-limit"];
/// Headers that the request takes which makes the object.
const OF_COMPLETION: [&str; 4] = [
    "x-oss-callback",
    "x-oss-callback-var",
    "x-oss-forbid-overwrite",
    "x-oss-request-payer",
];
/// The only header that all steps take.
const OF_ALL: [&str; 1] = ["x-oss-request-payer"];
/// Headers that the first request does not take.
const NOT_OF_INITIATION: [&str; 3] = ["x-oss-callback", "x-oss-callback-var", "x-oss-traffic-limit"];

pub(super) struct Job {
    client: Client,
    bucket: String,
    key: String,
    query: Vec<(String, String)>,
    headers: HeaderMap,
    plan: Plan,
    parallel: usize,
}

/// What was read of the source.
#[derive(Clone, Copy)]
struct Sum {
    size: u64,
    crc: Option<u64>,
}

impl Sum {
    fn of(parts: &Parts) -> Self {
        Self {
            size: parts.given(),
            crc: parts.crc(),
        }
    }
}

/// Where the response to a first attempt to complete an upload was lost, the second one meets `NoSuchUpload`: then the
/// object with this size and checksum is there.
pub(crate) async fn completed_before(
    stored: HeadObject,
    error: &Error,
    size: u64,
    crc: Option<u64>,
) -> Option<CompletedUpload> {
    if error.code() != Some("NoSuchUpload") {
        return None;
    }
    let head = stored.send().await.ok()?;
    let is_ours = crc.is_some() && head.crc64() == crc && head.content_length() == Some(size);
    is_ours.then(|| CompletedUpload {
        etag: head.etag().map(str::to_owned),
        location: None,
        head,
    })
}

impl Job {
    /// `operation` has the settings of all its steps.
    pub(super) fn new(client: Client, operation: Operation, plan: Plan, parallel: usize) -> Self {
        Self {
            client,
            bucket: operation.bucket.unwrap_or_default(),
            key: operation.key.unwrap_or_default(),
            query: operation.query,
            headers: operation.headers,
            plan,
            parallel,
        }
    }

    /// The upload as a later process can continue it.
    pub(super) fn resumable(&self, checkpoint: PathBuf, source: &Parts) -> Resumable {
        Resumable::new(self.client.clone(), checkpoint, &self.initiation(), source)
    }

    pub(super) async fn run(
        mut self,
        mut parts: Parts,
        mut reporter: Reporter,
        resumable: Option<Resumable>,
    ) -> Result<Uploaded, Error> {
        let mut begun = None;
        if let Some(resumable) = &resumable {
            let list = self.list();
            let abort = self.step("AbortMultipartUpload", Method::DELETE, &OF_ALL);
            begun = resumable.begun(list, abort).await?;
        }
        if let Some(begun) = &begun {
            self.plan.size = begun.part_size;
        }
        let first = parts.next(self.plan.size_of(1)).await?;
        if parts.is_at_end() {
            let body = first.0.metered(reporter.meter());
            let put = pin!(self.put(body, Sum::of(&parts)));
            let done = reporter.while_it_runs(put).await?;
            reporter.acknowledged(done.size);
            return Ok(done);
        }
        let (upload_id, known) = match begun {
            Some(begun) => (begun.upload_id, begun.parts),
            None => (self.begin(resumable.as_ref()).await?, Known::new()),
        };
        let mut cleanup = self.cleanup(&upload_id);
        if resumable.is_some() {
            // The parts are for a later process.
            cleanup.disarm();
        }
        let outcome = match self.send_parts(&upload_id, known, first, parts, reporter).await {
            Ok((sent, sum)) => self.complete(&upload_id, sent, sum).await,
            Err(error) => Err(error),
        };
        match outcome {
            Err(error) if !is_made(&error) => Err(cleanup.run(error).await),
            outcome => {
                cleanup.disarm();
                if let Some(resumable) = resumable {
                    resumable.remove().await;
                }
                outcome
            }
        }
    }

    /// Begins an upload in parts, and notes it.
    async fn begin(&self, resumable: Option<&Resumable>) -> Result<String, Error> {
        let request = InitiateMultipartUpload::new(self.client.clone(), self.initiation());
        let upload_id = request.send().await?.upload_id;
        let part_size = self.plan.size;
        tracing::debug!(target: TRACING_TARGET, upload_id = &*upload_id, part_size, "uploading in parts");
        let Some(resumable) = resumable else {
            return Ok(upload_id);
        };
        let mut cleanup = self.cleanup(&upload_id);
        if let Err(error) = resumable.store(&upload_id, part_size).await {
            return Err(cleanup.run(error).await);
        }
        cleanup.disarm();
        Ok(upload_id)
    }

    fn cleanup(&self, upload_id: &str) -> Cleanup {
        let abort = self.step("AbortMultipartUpload", Method::DELETE, &OF_ALL);
        Cleanup::new(
            self.client.clone(),
            abort.query("uploadId", upload_id),
            upload_id.to_owned(),
        )
    }

    /// All in one request.
    async fn put(&self, body: Body, sum: Sum) -> Result<Uploaded, Error> {
        let mut operation = self.whole("PutObject", Method::PUT);
        operation.body = body;
        operation.crc = Crc::Sent;
        let head = self.client.send(operation).await?.into_head();
        Ok(Uploaded {
            size: sum.size,
            parts: 0,
            etag: head.etag().map(str::to_owned),
            crc64: sum.crc,
            head,
        })
    }

    /// Sends the parts, some at once, and gives them in order of their numbers.
    async fn send_parts(
        &self,
        upload_id: &str,
        mut known: Known,
        first: (Body, u64),
        parts: Parts,
        mut reporter: Reporter,
    ) -> Result<(Vec<Sent>, Sum), Error> {
        let counter = reporter.counter();
        let read = Arc::new(Mutex::new(Sum::of(&parts)));
        let mut sent = given(parts, first, self.plan, Arc::clone(&read))
            .map_ok(|(number, body, length)| {
                let meter = Meter::of(&counter);
                let there = known.remove(&number).filter(|part| {
                    let crc = body.section_crc();
                    part.size == length && (crc.is_none() || part.crc64 == crc)
                });
                match there {
                    Some(part) => {
                        meter.reached(length);
                        let sent = (number, part.etag);
                        Box::pin(std::future::ready(Ok((sent, length))))
                    }
                    None => self.part(upload_id, (number, body.metered(meter), length)),
                }
            })
            .try_buffer_unordered(self.parallel);
        let mut done = Vec::new();
        while let Some((part, length)) = reporter.while_it_runs(sent.try_next()).await? {
            done.push(part);
            reporter.acknowledged(length);
        }
        done.sort_by_key(|(number, _)| *number);
        let sum = *read.lock().unwrap_or_else(PoisonError::into_inner);
        Ok((done, sum))
    }

    fn part(&self, upload_id: &str, (number, body, length): GivenPart) -> BoxFuture<'static, SentPart> {
        let (bucket, key) = (self.bucket.as_str(), self.key.as_str());
        let mut request = self.client.upload_part(bucket, key, upload_id, number, body);
        self.pass_on(&mut request.operation, &OF_PARTS);
        Box::pin(async move { Ok(((number, request.send().await?.etag), length)) })
    }

    /// Makes the object, and compares its checksum.
    async fn complete(&self, upload_id: &str, sent: Vec<Sent>, sum: Sum) -> Result<Uploaded, Error> {
        let mut operation = self.step("CompleteMultipartUpload", Method::POST, &OF_COMPLETION);
        operation.set_query("uploadId".to_owned(), upload_id.to_owned());
        operation.set_query("encoding-type".to_owned(), "url".to_owned());
        operation.has_document = true;
        let context = operation.context(&self.client.inner.endpoint);
        let count = u16::try_from(sent.len()).unwrap_or(u16::MAX);
        let request = CompleteMultipartUpload::of_parts(self.client.clone(), operation, sent);
        let done = match request.send().await {
            Ok(done) => done,
            Err(error) => match completed_before(self.stored(), &error, sum.size, sum.crc).await {
                Some(done) => done,
                None => return Err(error),
            },
        };
        if let (Some(local), Some(stored)) = (sum.crc, done.head.crc64())
            && local != stored
        {
            let id = done.head.request_id().map(str::to_owned);
            let error = CorruptionError::sent(context, local, stored, id);
            return Err(Error::Corrupted(Box::new(error)));
        }
        Ok(Uploaded {
            size: sum.size,
            parts: count,
            etag: done.etag,
            crc64: sum.crc,
            head: done.head,
        })
    }

    /// Asks for the object as it is stored.
    fn stored(&self) -> HeadObject {
        let mut operation = self.operation("HeadObject", Method::HEAD);
        self.pass_on(&mut operation, &OF_ALL);
        HeadObject::new(self.client.clone(), operation)
    }

    fn initiation(&self) -> Operation {
        let mut operation = self.whole("InitiateMultipartUpload", Method::POST);
        operation.has_document = true;
        operation.set_query("uploads".to_owned(), String::new());
        operation.set_query("encoding-type".to_owned(), "url".to_owned());
        for name in NOT_OF_INITIATION {
            operation.headers.remove(name);
        }
        operation
    }

    fn list(&self) -> Operation {
        self.step("ListParts", Method::GET, &OF_ALL).expect_xml()
    }

    /// A further step of the upload, with these of its headers. It still needs the upload's id.
    fn step(&self, name: &'static str, method: Method, headers: &[&str]) -> Operation {
        let mut operation = self.operation(name, method);
        self.pass_on(&mut operation, headers);
        operation
    }

    /// An operation with all headers and parameters.
    fn whole(&self, name: &'static str, method: Method) -> Operation {
        let mut operation = self.operation(name, method);
        operation.query.clone_from(&self.query);
        operation.headers.clone_from(&self.headers);
        operation
    }

    fn operation(&self, name: &'static str, method: Method) -> Operation {
        Operation::object(name, method, self.bucket.clone(), self.key.clone())
    }

    fn pass_on(&self, operation: &mut Operation, headers: &[&str]) {
        for name in headers {
            if let Some(value) = self.headers.get(*name) {
                operation.set_header(name, value.as_bytes());
            }
        }
    }
}

/// Whether the object is there in spite of this error, as after a `PutObject` whose CRC differs.
fn is_made(error: &Error) -> bool {
    matches!(error, Error::Corrupted(error) if error.operation() == "CompleteMultipartUpload")
}

/// Number of a part, the part, and its length.
type GivenPart = (u16, Body, u64);
/// Number and `ETag` of a part that the service has.
type Sent = (u16, String);
type SentPart = Result<(Sent, u64), Error>;

/// The parts one after the other. `read` tells how much of them was read.
fn given(
    parts: Parts,
    first: (Body, u64),
    plan: Plan,
    read: Arc<Mutex<Sum>>,
) -> Pin<Box<dyn Stream<Item = Result<GivenPart, Error>> + Send>> {
    let state = (parts, Some(first), 1_u16);
    Box::pin(stream::try_unfold(state, move |(mut parts, at_hand, number)| {
        let read = Arc::clone(&read);
        async move {
            let (body, length) = match at_hand {
                Some(part) => part,
                None if parts.is_at_end() => return Ok(None),
                None if number > MAX_PARTS => return Err(too_large()),
                None => parts.next(plan.size_of(number)).await?,
            };
            *read.lock().unwrap_or_else(PoisonError::into_inner) = Sum::of(&parts);
            // A stream of unknown length may end at the end of a part.
            let part = (number, body, length);
            Ok((length > 0).then(|| (part, (parts, None, number.saturating_add(1)))))
        }
    }))
}

fn too_large() -> Error {
    Error::InvalidInput(InvalidInput::new(
        "the stream has more than fits into 10000 parts",
        "give its length with `Body::sized_stream`, or larger parts",
    ))
}
