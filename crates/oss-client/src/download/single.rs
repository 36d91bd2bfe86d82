//! A download by one request, which continues after an interruption.

use std::path::PathBuf;

use crate::TRACING_TARGET;
use crate::error::{CorruptionError, Error};
use crate::response::{ResponseBody, ResponseHead};
use crate::transfer_events::download as names;

use super::file::Unfinished;
use super::object::{Failures, Identity, Object, batch};
use super::{DownloadProgress, Downloaded, OnProgress};

pub(super) struct Single {
    object: Object,
    path: PathBuf,
    on_progress: Option<OnProgress>,
}

impl Single {
    pub(super) fn new(object: Object, path: PathBuf, on_progress: Option<OnProgress>) -> Self {
        Self {
            object,
            path,
            on_progress,
        }
    }

    pub(super) async fn run(mut self) -> Result<Downloaded, Error> {
        let mut file = Unfinished::create(&self.path, self.object.has_crc()).await?;
        let (head, body) = self.object.whole().await?.into_parts();
        // With several responses, only the file has the CRC-64.
        let (mut body, stored) = body.without_crc();
        let mut failures = Failures::default();
        loop {
            let (written, broke) = self.receive(body, file, head.content_length()).await?;
            file = written;
            let Some(error) = broke else { break };
            let count = failures.another(file.written());
            body = self.resume(&head, file.written(), count, error).await?;
        }
        let (size, crc64) = (file.written(), file.crc());
        check_crc(&self.object, &head, crc64, stored)?;
        file.keep(self.path).await?;
        Ok(Downloaded { size, crc64, head })
    }

    /// Writes the body to the file, and returns why it was interrupted, if it was.
    async fn receive(
        &mut self,
        mut body: ResponseBody,
        mut file: Unfinished,
        total: Option<u64>,
    ) -> Result<(Unfinished, Option<Error>), Error> {
        loop {
            let (pieces, end) = batch(&mut body).await;
            if !pieces.is_empty() {
                file = file.write(pieces).await?;
                let received = file.written();
                if let Some(call) = &mut self.on_progress {
                    call(DownloadProgress { received, total });
                }
            }
            if let Some(end) = end {
                return Ok((file, end.err()));
            }
        }
    }

    /// Requests the rest of the same object, if that is possible and the policy allows it.
    async fn resume(
        &mut self,
        first: &ResponseHead,
        at: u64,
        failures: u32,
        error: Error,
    ) -> Result<ResponseBody, Error> {
        let first = Identity::of(first).filter(|first| at < first.size && !self.object.is_processed());
        let Some(first) = first else {
            return Err(error);
        };
        self.object.pause(failures, error).await?;
        tracing::debug!(
            name: names::CONTINUED, target: TRACING_TARGET, at, end = first.size, event = names::CONTINUED,
            "continuing a download"
        );
        self.object.rest(&first, at, first.size).await
    }
}

/// Compares the CRC-64 of the file with the service's, if both are known.
pub(super) fn check_crc(
    object: &Object,
    head: &ResponseHead,
    local: Option<u64>,
    stored: Option<u64>,
) -> Result<(), Error> {
    if let (Some(local), Some(stored)) = (local, stored)
        && local != stored
    {
        let id = head.request_id().map(str::to_owned);
        let error = CorruptionError::received(object.context(), local, stored, id);
        return Err(Error::Corrupted(Box::new(error)));
    }
    Ok(())
}
