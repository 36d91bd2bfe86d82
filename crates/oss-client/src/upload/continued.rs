//! Continues or aborts uploads whose parts were left behind.

use std::collections::HashMap;
use std::path::PathBuf;

use futures_util::TryStreamExt as _;
use futures_util::stream::FuturesUnordered;
use http::Method;

use crate::body::Body;
use crate::client::Client;
use crate::error::{AbandonedUpload, Error, InvalidResponse};
use crate::headers::REQUEST_PAYER;
use crate::operation::Operation;
use crate::ops::multipart::{CompleteMultipartUpload, MAX_PARTS};
use crate::ops::uploads::ListedPart;
use crate::progress::CrcNote;

use super::completion::{Sent, Whole, complete};
use super::parts::too_large;
use super::source::{Part, Parts, Source};
use super::{DEFAULT_PARALLEL_PARTS, Plan, Uploaded, check_part_size, check_total};

/// How often an upload is aborted at most: parts that were still on their way arrive after the first time.
const MAX_ABORTS: u32 = 3;

impl AbandonedUpload {
    /// Continues the upload with the same content: sends the parts that the service does not have, and creates the
    /// object.
    ///
    /// `ListParts` returns the parts that the service has. A part is sent again unless its length and CRC-64 match the
    /// content, so the object always has the content of `body`. If the continuation fails, the parts are kept, and the
    /// upload can be continued or aborted again.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # async fn run(client: &oss_client::Client, content: bytes::Bytes) -> Result<(), oss_client::Error> {
    /// use oss_client::Error;
    ///
    /// match client.upload("examplebucket", "backup.tar", content.clone()).await {
    ///     Err(Error::AbandonedUpload(left)) => {
    ///         // Later, when the service can be reached again.
    ///         left.continue_from(client, content).await?;
    ///     }
    ///     uploaded => println!("{} bytes", uploaded?.size),
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn continue_from(&self, client: &Client, body: impl Into<Body>) -> ContinuedUpload {
        self.continued(client, Source::Body(body.into()))
    }

    /// Continues the upload with the content of a file; see [`continue_from`](Self::continue_from).
    pub fn continue_from_file(&self, client: &Client, path: impl Into<PathBuf>) -> ContinuedUpload {
        self.continued(client, Source::File(path.into()))
    }

    fn continued(&self, client: &Client, source: Source) -> ContinuedUpload {
        let mut operation = self.step("CompleteMultipartUpload", Method::POST);
        operation.has_document = true;
        ContinuedUpload {
            client: client.clone(),
            operation: operation.query("encoding-type", "url"),
            upload_id: self.upload_id().to_owned(),
            source,
            part_size: None,
            parallel: DEFAULT_PARALLEL_PARTS,
        }
    }

    /// Aborts the upload: deletes its parts, and checks with `ListParts` that the upload is gone. An upload that has
    /// already ended counts as aborted.
    ///
    /// # Errors
    ///
    /// Any variant of [`Error`] but [`Error::InvalidConfig`]; [`Error::InvalidResponse`] if the service still has the
    /// upload after three aborts.
    pub async fn abort(&self, client: &Client) -> Result<(), Error> {
        for _ in 0..MAX_ABORTS {
            let aborted = client
                .send(self.step("AbortMultipartUpload", Method::DELETE))
                .await;
            if let Some(error) = aborted.err().filter(|error| !is_over(error)) {
                return Err(error);
            }
            let mut list = client
                .list_parts(self.bucket(), self.key(), self.upload_id())
                .max_parts(1);
            pass_payer(self.payer(), &mut list.operation);
            match list.send().await {
                Err(error) if is_over(&error) => return Ok(()),
                Err(error) => return Err(error),
                Ok(_) => {}
            }
        }
        let operation = self.step("AbortMultipartUpload", Method::DELETE);
        let context = operation.context(&client.inner.endpoint);
        let what = format!("the service still has the upload after {MAX_ABORTS} aborts");
        let hint = "retry the abort later";
        let error = InvalidResponse::new(context, None, what, hint);
        Err(Error::InvalidResponse(Box::new(error)))
    }

    fn step(&self, name: &'static str, method: Method) -> Operation {
        let operation = Operation::object(name, method, self.bucket().to_owned(), self.key().to_owned());
        let mut operation = operation.query("uploadId", self.upload_id());
        pass_payer(self.payer(), &mut operation);
        operation
    }
}

fn is_over(error: &Error) -> bool {
    error.code() == Some("NoSuchUpload")
}

fn pass_payer(payer: Option<&[u8]>, operation: &mut Operation) {
    if let Some(payer) = payer {
        operation.set_header(REQUEST_PAYER, payer);
    }
}

/// An upload that is continued; see [`AbandonedUpload::continue_from`].
///
/// The object has the settings with which the upload began. Headers that are set here go to the request that creates the
/// object, such as `x-oss-forbid-overwrite`; `x-oss-request-payer` is sent with each request.
#[must_use = "nothing is sent before `send`"]
pub struct ContinuedUpload {
    client: Client,
    /// `CompleteMultipartUpload`
    operation: Operation,
    upload_id: String,
    source: Source,
    part_size: Option<u64>,
    parallel: usize,
}

impl ContinuedUpload {
    crate::ops::common_settings!();

    /// Sets the size of the parts in bytes, 100 KiB to 5 GiB. Use the size that the upload had: parts of another size are
    /// sent again. Default: as for [`Upload::part_size`](crate::Upload::part_size).
    pub fn part_size(mut self, bytes: u64) -> Self {
        check_part_size(&mut self.operation, bytes);
        self.part_size = Some(bytes);
        self
    }

    /// Sets the number of parts in transfer at once, at least 1. Default: 3.
    pub fn parallel(mut self, parts: usize) -> Self {
        self.parallel = parts.max(1);
        self
    }

    /// Sends the missing parts, and creates the object.
    ///
    /// # Errors
    ///
    /// Any variant of [`Error`] but [`Error::InvalidConfig`]. The code is `NoSuchUpload` if the service does not have
    /// the upload any more.
    pub async fn send(self) -> Result<Uploaded, Error> {
        self.operation.check(&self.client.inner.endpoint)?;
        Box::pin(self.run()).await
    }

    async fn run(self) -> Result<Uploaded, Error> {
        let Self {
            client,
            operation,
            upload_id,
            source,
            part_size,
            parallel,
        } = self;
        let step = Step {
            bucket: operation.bucket.clone().unwrap_or_default(),
            key: operation.key.clone().unwrap_or_default(),
            payer: operation
                .headers
                .get(REQUEST_PAYER)
                .map(|payer| payer.as_bytes().to_vec()),
            client,
            upload_id,
        };
        let known = step.known().await?;
        let parts = source.open().await?;
        check_total(parts.total())?;
        let plan = Plan::new(part_size, parts.total());
        let sent = step.send_parts(known, parts, plan, parallel).await?;
        step.complete(operation, sent).await
    }
}

crate::ops::awaited!(ContinuedUpload -> Uploaded);

/// What the steps of an upload have in common.
struct Step {
    client: Client,
    bucket: String,
    key: String,
    upload_id: String,
    payer: Option<Vec<u8>>,
}

impl Step {
    /// The parts that the service has, by their numbers.
    async fn known(&self) -> Result<HashMap<u16, ListedPart>, Error> {
        let mut list = self
            .client
            .list_parts(&*self.bucket, &*self.key, &*self.upload_id);
        pass_payer(self.payer.as_deref(), &mut list.operation);
        list.parts()
            .map_ok(|part| (part.number, part))
            .try_collect()
            .await
    }

    /// Sends the parts that are not there, some at once, and returns all in order of their numbers.
    async fn send_parts(
        &self,
        mut known: HashMap<u16, ListedPart>,
        mut parts: Parts,
        plan: Plan,
        parallel: usize,
    ) -> Result<Vec<Sent>, Error> {
        let (mut sent, mut running) = (Vec::new(), FuturesUnordered::new());
        let mut number = 0_u16;
        // An object has one part at least, if only an empty one.
        while number == 0 || !parts.is_at_end() {
            if number == MAX_PARTS {
                return Err(too_large());
            }
            number = number.saturating_add(1);
            let part = parts.next(plan.size_of(number)).await?;
            // A stream of unknown length may end at the end of a part.
            if part.length == 0 && number > 1 {
                break;
            }
            if running.len() >= parallel {
                sent.extend(running.try_next().await?);
            }
            running.push(self.send_part(number, part, known.remove(&number)));
        }
        while let Some(part) = running.try_next().await? {
            sent.push(part);
        }
        sent.sort_by_key(|part: &Sent| part.number);
        Ok(sent)
    }

    /// Sends a part, unless the service has the same bytes. One that reports no CRC-64 gets the part again.
    async fn send_part(&self, number: u16, part: Part, known: Option<ListedPart>) -> Result<Sent, Error> {
        let length = part.length;
        if let Some(known) = known.filter(|known| known.size == length && known.crc64.is_some()) {
            let crc = Some(part.content.crc().await?);
            if crc == known.crc64 {
                let etag = known.etag;
                return Ok(Sent {
                    number,
                    etag,
                    length,
                    crc,
                });
            }
        }
        let note = CrcNote::default();
        let body = part.body.noted(&note);
        let mut request = self
            .client
            .upload_part(&*self.bucket, &*self.key, &*self.upload_id, number, body);
        pass_payer(self.payer.as_deref(), &mut request.operation);
        let etag = request.send().await?.etag;
        Ok(Sent {
            number,
            etag,
            length,
            crc: note.get(),
        })
    }

    /// Creates the object.
    async fn complete(&self, operation: Operation, sent: Vec<Sent>) -> Result<Uploaded, Error> {
        let whole = Whole::of(&sent);
        let parts = sent.into_iter().map(|part| (part.number, part.etag)).collect();
        let request = CompleteMultipartUpload::new(self.client.clone(), operation, parts);
        let mut stored = self.client.head_object(&*self.bucket, &*self.key);
        pass_payer(self.payer.as_deref(), &mut stored.operation);
        let done = complete(&self.client, request, stored, &whole).await?;
        Ok(Uploaded::of(&whole, done))
    }
}
