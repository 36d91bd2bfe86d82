//! Reading the body of a request, up to a limit.

use axum::body::Body;
use bytes::Bytes;
use http_body_util::{BodyExt as _, LengthLimitError, Limited};

/// The reason why there is no body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unread {
    /// The caller went away in the middle of it.
    Gone,
    /// It is longer than the limit.
    TooLong,
}

/// Reads a body to its end; the rest of one that is too long is not read.
pub(crate) async fn read(body: Body, limit: usize) -> Result<Bytes, Unread> {
    match Limited::new(body, limit).collect().await {
        Ok(body) => Ok(body.to_bytes()),
        Err(error) if error.is::<LengthLimitError>() => Err(Unread::TooLong),
        Err(_) => Err(Unread::Gone),
    }
}
