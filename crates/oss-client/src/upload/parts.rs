//! One upload as it runs.

use std::path::PathBuf;
use std::pin::{Pin, pin};

use futures_core::Stream;
use futures_util::{TryStreamExt as _, stream};
use http::{HeaderMap, Method};
use oss_credentials_core::BoxFuture;

use crate::TRACING_TARGET;
use crate::body::Body;
use crate::client::Client;
use crate::error::{Error, InvalidInput};
use crate::headers::{CALLBACK, CALLBACK_VAR, FORBID_OVERWRITE, OF_PARTS, REQUEST_PAYER, TRAFFIC_LIMIT};
use crate::operation::{Crc, Operation};
use crate::ops::multipart::{CompleteMultipartUpload, InitiateMultipartUpload, MAX_PARTS};
use crate::ops::object::HeadObject;
use crate::ops::uploads::ListedPart;
use crate::progress::{CrcNote, Meter};
use crate::transfer_events as names;

use super::cleanup::Cleanup;
use super::completion::{Sent, Whole, complete};
use super::progress::Reporter;
use super::resume::{Known, Resumable};
use super::source::{Part, Parts};
use super::{Plan, Uploaded};

/// Headers that the request takes which makes the object.
const OF_COMPLETION: [&str; 4] = [CALLBACK, CALLBACK_VAR, FORBID_OVERWRITE, REQUEST_PAYER];
/// The only header that all steps take.
const OF_ALL: [&str; 1] = [REQUEST_PAYER];
/// Headers that the first request does not take.
const NOT_OF_INITIATION: [&str; 3] = [CALLBACK, CALLBACK_VAR, TRAFFIC_LIMIT];

pub(super) struct Job {
    client: Client,
    bucket: String,
    key: String,
    query: Vec<(String, String)>,
    headers: HeaderMap,
    plan: Plan,
    parallel: usize,
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
        let mut initiation = self.initiation();
        // They are settings of the object, too.
        initiation.with_defaults(&self.client.inner.default_headers);
        Resumable::new(self.client.clone(), checkpoint, &initiation, source)
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
            let body = first.body.metered(reporter.meter());
            let put = pin!(self.put(body, first.length));
            let done = reporter.while_it_runs(put).await?;
            reporter.acknowledged(done.size);
            if let Some(resumable) = resumable {
                resumable.remove().await;
            }
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
            Ok(sent) => self.complete(&upload_id, sent).await,
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
        tracing::debug!(
            name: names::UPLOAD_IN_PARTS, target: TRACING_TARGET, upload_id = &*upload_id, part_size,
            event = names::UPLOAD_IN_PARTS,
            "uploading in parts"
        );
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
    async fn put(&self, body: Body, size: u64) -> Result<Uploaded, Error> {
        let mut operation = self.whole("PutObject", Method::PUT);
        let crc = CrcNote::default();
        operation.body = body.noted(&crc);
        operation.crc = Crc::Sent;
        let head = self.client.send(operation).await?.into_head();
        Ok(Uploaded {
            size,
            parts: 0,
            etag: head.etag().map(str::to_owned),
            crc64: crc.get(),
            head,
        })
    }

    /// Sends the parts, some at once, and gives them in order of their numbers.
    async fn send_parts(
        &self,
        upload_id: &str,
        mut known: Known,
        first: Part,
        parts: Parts,
        mut reporter: Reporter,
    ) -> Result<Vec<Sent>, Error> {
        let counter = reporter.counter();
        let mut sent = given(parts, first, self.plan)
            .map_ok(|(number, part)| {
                let meter = Meter::of(&counter);
                match known.remove(&number).filter(|known| known.size == part.length) {
                    Some(known) => self.part_if_missing(upload_id, number, part, meter, known),
                    None => self.part(upload_id, number, part, meter),
                }
            })
            .try_buffer_unordered(self.parallel);
        let mut done = Vec::new();
        while let Some(part) = reporter.while_it_runs(sent.try_next()).await? {
            reporter.acknowledged(part.length);
            done.push(part);
        }
        done.sort_by_key(|part: &Sent| part.number);
        Ok(done)
    }

    fn part(&self, upload_id: &str, number: u16, part: Part, meter: Meter) -> SentPart {
        let (bucket, key, length) = (self.bucket.as_str(), self.key.as_str(), part.length);
        let note = CrcNote::default();
        let body = part.body.metered(meter).noted(&note);
        let mut request = self.client.upload_part(bucket, key, upload_id, number, body);
        self.pass_on(&mut request.operation, &OF_PARTS);
        Box::pin(async move {
            let etag = request.send().await?.etag;
            Ok(Sent {
                number,
                etag,
                length,
                crc: note.get(),
            })
        })
    }

    /// Sends a part of a file unless the service has the same bytes from an earlier process.
    fn part_if_missing(
        &self,
        upload_id: &str,
        number: u16,
        part: Part,
        meter: Meter,
        known: ListedPart,
    ) -> SentPart {
        if !self.client.inner.check_crc {
            meter.reached(part.length);
            return Box::pin(std::future::ready(Ok(Sent {
                number,
                etag: known.etag,
                length: part.length,
                crc: None,
            })));
        }
        let content = part.content.clone();
        let (length, counted) = (part.length, meter.clone());
        let send = self.part(upload_id, number, part, meter);
        Box::pin(async move {
            let crc = Some(content.crc().await?);
            if crc != known.crc64 {
                return send.await;
            }
            counted.reached(length);
            Ok(Sent {
                number,
                etag: known.etag,
                length,
                crc,
            })
        })
    }

    /// Creates the object.
    async fn complete(&self, upload_id: &str, sent: Vec<Sent>) -> Result<Uploaded, Error> {
        let whole = Whole::of(&sent);
        let mut operation = self.step("CompleteMultipartUpload", Method::POST, &OF_COMPLETION);
        operation.set_query("uploadId".to_owned(), upload_id.to_owned());
        operation.set_query("encoding-type".to_owned(), "url".to_owned());
        operation.has_document = true;
        let parts = sent.into_iter().map(|part| (part.number, part.etag)).collect();
        let request = CompleteMultipartUpload::new(self.client.clone(), operation, parts);
        let done = complete(&self.client, request, self.stored(), &whole).await?;
        Ok(Uploaded::of(&whole, done))
    }

    /// Requests the stored object.
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

type SentPart = BoxFuture<'static, Result<Sent, Error>>;
/// A part and its number.
type GivenPart = Result<(u16, Part), Error>;

/// The parts one after the other.
fn given(parts: Parts, first: Part, plan: Plan) -> Pin<Box<dyn Stream<Item = GivenPart> + Send>> {
    let state = (parts, Some(first), 1_u16);
    Box::pin(stream::try_unfold(
        state,
        move |(mut parts, at_hand, number)| async move {
            let part = match at_hand {
                Some(part) => part,
                None if parts.is_at_end() => return Ok(None),
                None if number > MAX_PARTS => return Err(too_large()),
                None => parts.next(plan.size_of(number)).await?,
            };
            // A stream of unknown length may end at the end of a part.
            let is_there = part.length > 0;
            Ok(is_there.then(|| ((number, part), (parts, None, number.saturating_add(1)))))
        },
    ))
}

pub(super) fn too_large() -> Error {
    Error::InvalidInput(InvalidInput::new(
        "the stream has more than fits into 10000 parts",
        "give its length with `Body::sized_stream`, or larger parts",
    ))
}
