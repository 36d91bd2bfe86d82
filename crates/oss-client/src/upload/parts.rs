//! One upload as it runs.

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
use crate::ops::multipart::{
    CompleteMultipartUpload, CompletedUpload, InitiateMultipartUpload, MAX_PARTS, UploadedPart,
};
use crate::ops::object::HeadObject;

use super::cleanup::Cleanup;
use super::progress::Reporter;
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

    pub(super) async fn run(self, mut parts: Parts, mut reporter: Reporter) -> Result<Uploaded, Error> {
        let first = parts.next(self.plan.size_of(1)).await?;
        if parts.is_at_end() {
            let body = first.0.metered(reporter.meter());
            let put = pin!(self.put(body, Sum::of(&parts)));
            let done = reporter.while_it_runs(put).await?;
            reporter.acknowledged(done.size);
            return Ok(done);
        }
        let request = InitiateMultipartUpload::new(self.client.clone(), self.initiation());
        let upload_id = request.send().await?.upload_id;
        tracing::debug!(
            target: TRACING_TARGET,
            upload_id = &*upload_id,
            part_size = self.plan.size,
            "uploading in parts"
        );
        let abort = self.step("AbortMultipartUpload", Method::DELETE, &upload_id, &OF_ALL);
        let mut cleanup = Cleanup::new(self.client.clone(), abort, upload_id.clone());
        let outcome = match self.send_parts(&upload_id, first, parts, reporter).await {
            Ok((sent, sum)) => self.complete(&upload_id, sent, sum).await,
            Err(error) => Err(error),
        };
        match outcome {
            Ok(done) => {
                cleanup.disarm();
                Ok(done)
            }
            // The object is there, as after a `PutObject` whose CRC differs.
            Err(Error::Corrupted(error)) if error.operation() == "CompleteMultipartUpload" => {
                cleanup.disarm();
                Err(Error::Corrupted(error))
            }
            Err(error) => Err(cleanup.run(error).await),
        }
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
        first: (Body, u64),
        parts: Parts,
        mut reporter: Reporter,
    ) -> Result<(Vec<UploadedPart>, Sum), Error> {
        let counter = reporter.counter();
        let read = Arc::new(Mutex::new(Sum::of(&parts)));
        let mut sent = given(parts, first, self.plan, Arc::clone(&read))
            .map_ok(|(number, body, length)| {
                let body = body.metered(Meter::of(&counter));
                self.part(upload_id, (number, body, length))
            })
            .try_buffer_unordered(self.parallel);
        let mut done = Vec::new();
        while let Some((part, length)) = reporter.while_it_runs(sent.try_next()).await? {
            done.push(part);
            reporter.acknowledged(length);
        }
        done.sort_by_key(|part: &UploadedPart| part.number);
        let sum = *read.lock().unwrap_or_else(PoisonError::into_inner);
        Ok((done, sum))
    }

    fn part(&self, upload_id: &str, (number, body, length): GivenPart) -> BoxFuture<'static, SentPart> {
        let (bucket, key) = (self.bucket.as_str(), self.key.as_str());
        let mut request = self.client.upload_part(bucket, key, upload_id, number, body);
        self.pass_on(&mut request.operation, &OF_PARTS);
        Box::pin(async move { Ok((request.send().await?, length)) })
    }

    /// Makes the object, and compares its checksum.
    async fn complete(&self, upload_id: &str, sent: Vec<UploadedPart>, sum: Sum) -> Result<Uploaded, Error> {
        let mut operation = self.step("CompleteMultipartUpload", Method::POST, upload_id, &OF_COMPLETION);
        operation.set_query("encoding-type".to_owned(), "url".to_owned());
        operation.has_document = true;
        let context = operation.context(&self.client.inner.endpoint);
        let request = CompleteMultipartUpload::new(self.client.clone(), operation).parts(&sent);
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
            parts: u16::try_from(sent.len()).unwrap_or(u16::MAX),
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

    /// A further step of the upload, with these of its headers.
    fn step(&self, name: &'static str, method: Method, upload_id: &str, headers: &[&str]) -> Operation {
        let mut operation = self.operation(name, method).query("uploadId", upload_id);
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

/// Number of a part, the part, and its length.
type GivenPart = (u16, Body, u64);
type SentPart = Result<(UploadedPart, u64), Error>;

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
