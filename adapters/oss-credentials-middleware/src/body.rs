//! The body of a response whose beginning may have been read.

use std::future::poll_fn;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::{Bytes, BytesMut};
use http::Response;
use http_body::{Body, Frame, SizeHint};

/// The number of bytes of an error body that are read at most to find out whether it rejects the key: 64 KiB.
pub const MAX_ERROR_BODY: usize = 64 * 1024;

/// The body of a response of the inner HTTP stack. If the beginning of an error document was read, it is returned first.
#[derive(Debug)]
pub struct ResponseBody<R> {
    document: Bytes,
    rest: R,
}

impl<R: Body<Data = Bytes> + Unpin> ResponseBody<R> {
    /// Wraps the body of a response. If its status is 4xx, up to 64 KiB of the body are read now.
    ///
    /// # Errors
    ///
    /// The error of the body. It is returned here because a body that failed once may look complete when it is read
    /// further.
    pub async fn of(response: Response<R>) -> Result<Response<Self>, R::Error> {
        let (head, mut rest) = response.into_parts();
        let mut document = BytesMut::new();
        while head.status.is_client_error() && document.len() < MAX_ERROR_BODY {
            let frame = poll_fn(|cx| Pin::new(&mut rest).poll_frame(cx)).await;
            match frame.transpose()?.map(Frame::into_data) {
                Some(Ok(data)) => document.extend_from_slice(&data),
                Some(Err(_)) | None => break,
            }
        }
        let document = document.freeze();
        Ok(Response::from_parts(head, Self { document, rest }))
    }

    /// Returns the part of an error document that was read and not yet passed on.
    pub fn document(&self) -> &[u8] {
        &self.document
    }
}

impl<R: Body<Data = Bytes> + Unpin> Body for ResponseBody<R> {
    type Data = Bytes;
    type Error = R::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, R::Error>>> {
        if self.document.is_empty() {
            return Pin::new(&mut self.rest).poll_frame(cx);
        }
        Poll::Ready(Some(Ok(Frame::data(std::mem::take(&mut self.document)))))
    }

    fn is_end_stream(&self) -> bool {
        self.document.is_empty() && self.rest.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        let read = self.document.len() as u64;
        let rest = self.rest.size_hint();
        let mut hint = SizeHint::new();
        hint.set_lower(rest.lower().saturating_add(read));
        if let Some(upper) = rest.upper() {
            hint.set_upper(upper.saturating_add(read));
        }
        hint
    }
}
