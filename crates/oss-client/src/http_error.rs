//! What kind of failure an error of the HTTP stack is.

use std::error::Error as StdError;
use std::io;

use oss_credentials_http::{HttpError, HttpErrorKind, causes, is_out_of_files};

use crate::body::UploadError;

/// What to do where no more files can be opened.
pub(crate) const RAISE_LIMIT: &str =
    "raise the limit of open files (`ulimit -n`), or look for what leaves them open";

/// Takes the URL out and finds the kind.
pub(crate) fn from_reqwest(error: reqwest::Error) -> HttpError {
    let error = error.without_url();
    HttpError::new(kind(&error), error)
}

fn kind(error: &reqwest::Error) -> HttpErrorKind {
    let cause = |is: fn(&(dyn StdError + 'static)) -> bool| causes(error).any(is);
    if cause(<dyn StdError>::is::<UploadError>) {
        return HttpErrorKind::Request;
    }
    if cause(means_no_more_files) {
        // The service may well be there.
        return HttpErrorKind::Other;
    }
    if error.is_builder() {
        return HttpErrorKind::Request;
    }
    if error.is_connect() {
        return if cause(is_of_rustls) || is_of_native_tls(error) {
            HttpErrorKind::Tls
        } else {
            HttpErrorKind::Connect
        };
    }
    if error.is_timeout() {
        return HttpErrorKind::Timeout;
    }
    if cause(is_large_head) {
        return HttpErrorKind::Other;
    }
    if error.is_request() || error.is_body() || error.is_decode() || cause(<dyn StdError>::is::<io::Error>) {
        return HttpErrorKind::Interrupted;
    }
    HttpErrorKind::Other
}

/// Whether the process, or the whole machine, could open no more files. That passes.
pub(crate) fn has_no_more_files(error: &HttpError) -> bool {
    causes(error).any(means_no_more_files)
}

fn means_no_more_files(cause: &(dyn StdError + 'static)) -> bool {
    cause.downcast_ref().is_some_and(is_out_of_files)
}

/// Whether the head of the response has more headers or bytes than are read: the next one would, too.
pub(crate) fn head_is_too_large(error: &HttpError) -> bool {
    causes(error).any(is_large_head)
}

/// hyper's words. Its method for this kind exists only with its server, which adds one more crate.
const TOO_LARGE: &str = "message head is too large";

fn is_large_head(cause: &(dyn StdError + 'static)) -> bool {
    cause
        .downcast_ref::<hyper::Error>()
        .is_some_and(|error| error.is_parse() && error.to_string() == TOO_LARGE)
}

/// rustls reports through `io::Error`s that no system call made.
fn is_of_rustls(cause: &(dyn StdError + 'static)) -> bool {
    cause
        .downcast_ref::<io::Error>()
        .is_some_and(|io| io.kind() == io::ErrorKind::InvalidData && io.raw_os_error().is_none())
}

/// The system's library has a type of its own, in which it also wraps what happens to the connection.
#[cfg(feature = "native-tls")]
fn is_of_native_tls(error: &reqwest::Error) -> bool {
    causes(error).any(<dyn StdError>::is::<native_tls::Error>)
        && !causes(error).any(<dyn StdError>::is::<io::Error>)
}

#[cfg(not(feature = "native-tls"))]
fn is_of_native_tls(_: &reqwest::Error) -> bool {
    false
}
