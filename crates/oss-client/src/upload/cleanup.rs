//! Deletes the parts of an upload that fails or is dropped.

use tokio::runtime::Handle;

use crate::TRACING_TARGET;
use crate::client::Client;
use crate::error::{AbandonedUpload, Error, UploadName};
use crate::headers::REQUEST_PAYER;
use crate::observe::names;
use crate::operation::Operation;
use crate::ops::multipart::AbortMultipartUpload;

/// Deletes the parts unless the object was created, also when the upload is dropped.
pub(crate) struct Cleanup {
    client: Client,
    /// `None` if there is nothing left to delete.
    abort: Option<Operation>,
    upload_id: String,
    /// The runtime of the upload, which may be dropped anywhere.
    runtime: Option<Handle>,
}

impl Cleanup {
    /// `abort` is the operation that deletes the parts.
    pub(crate) fn new(client: Client, abort: Operation, upload_id: String) -> Self {
        Self {
            client,
            abort: Some(abort),
            upload_id,
            runtime: Handle::try_current().ok(),
        }
    }

    /// Declares that there is nothing left to delete: the object was created.
    pub(crate) fn disarm(&mut self) {
        self.abort = None;
    }

    /// Deletes the parts, and returns the error to report.
    pub(crate) async fn run(mut self, cause: Error) -> Error {
        let Some(operation) = &self.abort else {
            return cause;
        };
        let aborted = operation.without_body();
        let request = AbortMultipartUpload::new(self.client.clone(), operation.without_body());
        let outcome = request.send().await;
        // Only now: this future may be dropped, too.
        self.abort = None;
        match outcome {
            Ok(_) => cause,
            Err(error) if error.code() == Some("NoSuchUpload") => cause,
            Err(error) => {
                let id = std::mem::take(&mut self.upload_id);
                Error::AbandonedUpload(Box::new(AbandonedUpload::new(name(id, aborted), cause, error)))
            }
        }
    }
}

/// The upload that an operation aborts.
fn name(id: String, abort: Operation) -> UploadName {
    let payer = abort.headers.get(REQUEST_PAYER);
    UploadName {
        payer: payer.map(|payer| payer.as_bytes().to_vec()),
        bucket: abort.bucket.unwrap_or_default(),
        key: abort.key.unwrap_or_default(),
        id,
    }
}

impl Drop for Cleanup {
    fn drop(&mut self) {
        let Some(operation) = self.abort.take() else {
            return;
        };
        let mut left = Left(Some(std::mem::take(&mut self.upload_id)));
        let request = AbortMultipartUpload::new(self.client.clone(), operation);
        if let Some(runtime) = &self.runtime {
            runtime.spawn(async move {
                match request.send().await {
                    // The object was created or its parts were deleted, but the response was lost.
                    Err(error) if error.code() != Some("NoSuchUpload") => left.tell(&error),
                    _ => {}
                }
                left.0.take();
            });
        }
    }
}

/// The ID of a dropped upload whose parts are not deleted yet. If this value is dropped too, for example because the
/// runtime ends, it logs the ID, because nothing else knows it.
struct Left(Option<String>);

impl Left {
    fn tell(&self, error: &Error) {
        tracing::warn!(
            name: names::UPLOAD_ABANDONED,
            target: TRACING_TARGET,
            upload_id = self.0.as_deref(),
            event = names::UPLOAD_ABANDONED,
            code = error.code(),
            request_id = error.request_id(),
            "an upload was dropped, and its parts could not be deleted"
        );
    }
}

impl Drop for Left {
    fn drop(&mut self) {
        if let Some(upload_id) = &self.0 {
            tracing::warn!(
                name: names::UPLOAD_ABANDONED,
                target: TRACING_TARGET,
                upload_id = &**upload_id,
                event = names::UPLOAD_ABANDONED,
                "an upload was dropped, and no runtime is left to delete its parts"
            );
        }
    }
}
