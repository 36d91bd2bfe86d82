//! From reqwest's errors to ours.

use std::error::Error;
use std::io;

use oss_credentials_http::{HttpError, HttpErrorKind, causes, is_out_of_files, is_tls_io_failure};

/// A request that cannot be made, for the reason given.
pub(crate) fn request(reason: &'static str) -> HttpError {
    HttpError::new(HttpErrorKind::Request, reason)
}

/// Takes the URL out and finds the kind.
pub(crate) fn from_reqwest(error: reqwest::Error, https: bool) -> HttpError {
    let error = error.without_url();
    HttpError::new(kind(&error, https), error)
}

fn kind(error: &reqwest::Error, https: bool) -> HttpErrorKind {
    let is_ours = |cause: &(dyn Error + 'static)| cause.downcast_ref().is_some_and(is_out_of_files);
    if causes(error).any(is_ours) {
        // Whoever was to answer may well be there.
        return HttpErrorKind::Other;
    }
    if error.is_connect() {
        return match () {
            () if error.is_timeout() => HttpErrorKind::Connect,
            () if https && scheme_was_refused(error) => HttpErrorKind::Request,
            () if https && handshake_failed(error) => HttpErrorKind::Tls,
            () => HttpErrorKind::Connect,
        };
    }
    if error.is_timeout() {
        return HttpErrorKind::Timeout;
    }
    if error.is_builder() {
        return HttpErrorKind::Request;
    }
    let broke = |cause: &(dyn Error + 'static)| match cause.downcast_ref::<hyper::Error>() {
        Some(hyper) => hyper.is_incomplete_message() || hyper.is_closed() || hyper.is_canceled(),
        None => cause.is::<io::Error>(),
    };
    if causes(error).any(broke) {
        return HttpErrorKind::Interrupted;
    }
    HttpErrorKind::Other
}

/// A client without TLS (an unchecked one, or it would have been found earlier) got an https URL.
fn scheme_was_refused(error: &reqwest::Error) -> bool {
    causes(error).any(|cause| cause.to_string() == "invalid URL, scheme is not http")
}

/// Returns whether an https connection failed above TCP.
fn handshake_failed(error: &reqwest::Error) -> bool {
    let is_tunnel = |cause: &(dyn Error + 'static)| cause.to_string().starts_with("tunnel error");
    !error.is_dns() && !causes(error).any(is_tunnel) && is_tls_io_failure(causes(error)).unwrap_or(true)
}
