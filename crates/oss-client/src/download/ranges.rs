//! A download in ranges, several of them in parallel.

use std::ops::Range;
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::Arc;

use futures_core::Stream;
use futures_util::{StreamExt as _, stream};
use oss_credentials_core::BoxFuture;

use crate::error::{Error, InvalidResponse};
use crate::response::ResponseHead;
use crate::upload::Plan;

use super::file;
use super::object::{Identity, Object};
use super::parts::Parts;
use super::range::{Shared, Transfer};
use super::resume::Resumable;
use super::single::check_crc;
use super::{DownloadProgress, Downloaded, OnProgress};

pub(super) struct Ranges {
    pub(super) object: Object,
    pub(super) path: PathBuf,
    pub(super) part_size: u64,
    pub(super) parallel: usize,
    pub(super) checkpoint: Option<PathBuf>,
    pub(super) on_progress: Option<OnProgress>,
}

impl Ranges {
    pub(super) async fn run(mut self) -> Result<Downloaded, Error> {
        // Detects a target that cannot be written before anything is sent.
        let fresh = file::create(&self.path).await?;
        let head = self.object.head().await?;
        let Some(identity) = Identity::of(&head) else {
            let what = "it has no ETag or no length, so that no range can be bound to it";
            let hint = "leave out `parallel` and `checkpoint`";
            let error = InvalidResponse::new(self.object.context(), head.request_id(), what, hint);
            return Err(Error::InvalidResponse(Box::new(error)));
        };
        let plan = Plan::new(Some(self.part_size), Some(identity.size));
        let fresh = (fresh, Parts::new(plan.size, identity.size));
        let mut resumable = match self.checkpoint.take() {
            Some(path) => Some(Resumable::new(path, &self.path, &self.object, &head, &identity)?),
            None => None,
        };
        let (file, parts) = match &mut resumable {
            Some(resumable) => resumable.begin(fresh).await?,
            None => fresh,
        };
        let shown = self.path.display().to_string();
        let shared = Shared::new(file, &shown);
        let parts = self
            .fetch(identity, shared.clone(), parts, resumable.as_mut())
            .await?;
        self.finish(head, shared, &parts, resumable).await
    }

    /// Fetches the missing ranges.
    async fn fetch(
        &mut self,
        identity: Identity,
        file: Shared,
        mut parts: Parts,
        mut resumable: Option<&mut Resumable>,
    ) -> Result<Parts, Error> {
        let total = identity.size;
        let missing = parts.missing();
        let left = missing
            .iter()
            .map(|(_, range)| range.end.saturating_sub(range.start));
        file.found(total.saturating_sub(left.sum()));
        let with_crc = self.object.has_crc() || resumable.is_some();
        let mut transfers = self.transfers(missing, identity, &file, with_crc);
        let mut told = file.written();
        loop {
            let on_progress = &mut self.on_progress;
            let next = std::future::poll_fn(|cx| {
                let polled = transfers.as_mut().poll_next(cx);
                let received = file.written();
                if let Some(call) = on_progress.as_mut().filter(|_| received > told) {
                    let total = Some(total);
                    call(DownloadProgress { received, total });
                }
                told = received;
                polled
            });
            match next.await {
                None => return Ok(parts),
                Some(Ok((at, crc))) => {
                    parts.arrived(at, crc);
                    if let Some(resumable) = &mut resumable {
                        resumable.arrived(&parts).await;
                    }
                }
                Some(Err(error)) => {
                    if let Some(resumable) = &mut resumable {
                        resumable.store_what_is_left(&parts).await;
                    }
                    return Err(error);
                }
            }
        }
    }

    fn transfers(
        &mut self,
        missing: Vec<(usize, Range<u64>)>,
        identity: Identity,
        file: &Shared,
        with_crc: bool,
    ) -> Pin<Box<dyn Stream<Item = Fetched> + Send>> {
        let (mut object, file) = (self.object.another(), file.clone());
        let identity = Arc::new(identity);
        let transfers = stream::iter(missing).map(move |(at, range)| -> BoxFuture<'static, Fetched> {
            let transfer = Transfer {
                object: object.another(),
                identity: Arc::clone(&identity),
                file: file.clone(),
                range,
                with_crc,
            };
            Box::pin(async move { Ok((at, transfer.run().await?)) })
        });
        Box::pin(transfers.buffer_unordered(self.parallel))
    }

    /// Compares the checksum, and moves the file to the target.
    async fn finish(
        self,
        head: ResponseHead,
        shared: Shared,
        parts: &Parts,
        resumable: Option<Resumable>,
    ) -> Result<Downloaded, Error> {
        let size = shared.written();
        let crc64 = parts.crc().filter(|_| self.object.has_crc());
        let Some(file) = shared.into_file() else {
            let error = std::io::ErrorKind::ResourceBusy.into();
            return Err(file::unwritable(&self.path.display().to_string(), &error));
        };
        if let Err(error) = check_crc(&self.object, &head, crc64, head.crc64()) {
            if let Some(resumable) = resumable {
                resumable.give_up(file).await;
            }
            return Err(error);
        }
        file::keep(file, self.path).await?;
        if let Some(resumable) = resumable {
            resumable.remove().await;
        }
        Ok(Downloaded { size, crc64, head })
    }
}

/// Index and CRC-64 of a range that has arrived.
type Fetched = Result<(usize, Option<u64>), Error>;
