//! From hyper's errors to ours.

use std::error::Error;
use std::io;

use hyper_util::client::legacy;
use oss_credentials_http::{HttpError, HttpErrorKind, causes, is_out_of_files, is_tls_io_failure};
use tokio::time::error::Elapsed;

/// A request that cannot be made, for the reason given.
pub(crate) fn request(reason: &'static str) -> HttpError {
    HttpError::new(HttpErrorKind::Request, reason)
}

pub(crate) fn late(elapsed: Elapsed) -> HttpError {
    HttpError::new(HttpErrorKind::Timeout, elapsed)
}

/// hyper-util's own text is a heading without content; what it wraps says more.
pub(crate) fn from_hyper_util(error: &legacy::Error, https: bool) -> HttpError {
    let is_ours = |cause: &(dyn Error + 'static)| cause.downcast_ref().is_some_and(is_out_of_files);
    let kind = match () {
        // The service may well be there.
        () if causes(error).any(is_ours) => HttpErrorKind::Other,
        () if error.is_connect() && https && is_tls_io_failure(causes(error)).unwrap_or(true) => {
            HttpErrorKind::Tls
        }
        () if error.is_connect() => HttpErrorKind::Connect,
        () => broken(causes(error)),
    };
    innermost(kind, error)
}

/// An error while the body was read.
pub(crate) fn from_hyper(error: &hyper::Error) -> HttpError {
    let itself: &(dyn Error + 'static) = error;
    innermost(broken(std::iter::once(itself).chain(causes(error))), error)
}

fn innermost(kind: HttpErrorKind, error: &(dyn Error + 'static)) -> HttpError {
    let innermost = causes(error).last().unwrap_or(error);
    match innermost.downcast_ref::<io::Error>() {
        // The system's code is looked at.
        Some(io) if io.raw_os_error().is_some() => {
            let code = io.raw_os_error().unwrap_or_default();
            HttpError::new(kind, io::Error::from_raw_os_error(code))
        }
        _ => HttpError::new(kind, innermost.to_string()),
    }
}

/// A connection that broke, or a response that is not HTTP.
fn broken<'a>(mut causes: impl Iterator<Item = &'a (dyn Error + 'static)>) -> HttpErrorKind {
    let broke = |cause: &(dyn Error + 'static)| match cause.downcast_ref::<hyper::Error>() {
        Some(hyper) => {
            hyper.is_incomplete_message()
                || hyper.is_body_write_aborted()
                || hyper.is_closed()
                || hyper.is_canceled()
        }
        None => cause.is::<io::Error>(),
    };
    if causes.any(broke) {
        HttpErrorKind::Interrupted
    } else {
        HttpErrorKind::Other
    }
}
