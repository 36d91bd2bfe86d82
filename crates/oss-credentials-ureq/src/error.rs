//! From ureq's errors to ours.

use std::io::ErrorKind;

use oss_credentials_http::{HttpError, HttpErrorKind, is_out_of_files};
use ureq::{Error, Timeout};

/// A request that cannot be made, for the reason given.
pub(crate) fn request(reason: &'static str) -> HttpError {
    HttpError::new(HttpErrorKind::Request, reason)
}

/// The panic's own text is not repeated: nobody promised that it holds no part of the request.
pub(crate) fn panicked() -> HttpError {
    request(
        "ureq panicked; check the TLS settings of the agent: its provider, root certificates and crypto provider must be \
         among the features of ureq that the program enables",
    )
}

/// Finds the kind. Texts that could show a URL are left out.
pub(crate) fn from_ureq(error: Error, https: bool) -> HttpError {
    match &error {
        Error::BadUri(_) => return request("the URL cannot be used"),
        Error::ConnectProxyFailed(_) => {
            return HttpError::new(HttpErrorKind::Connect, "the proxy refused to open a tunnel");
        }
        Error::RequireHttpsOnly(_) => return request("the agent sends https:// only"),
        _ => {}
    }
    HttpError::new(kind(&error, https), source(error))
}

/// The system's error itself, where there is one, since its code is looked at.
fn source(error: Error) -> Box<dyn std::error::Error + Send + Sync> {
    match error {
        Error::Io(io) => Box::new(io),
        other => Box::new(other),
    }
}

fn kind(error: &Error, https: bool) -> HttpErrorKind {
    match error {
        Error::Timeout(Timeout::Connect | Timeout::Resolve)
        | Error::HostNotFound
        | Error::ConnectionFailed => HttpErrorKind::Connect,
        Error::Timeout(_) => HttpErrorKind::Timeout,
        Error::Io(io) if is_out_of_files(io) => HttpErrorKind::Other,
        Error::Io(io) => match io.kind() {
            ErrorKind::ConnectionRefused
            | ErrorKind::HostUnreachable
            | ErrorKind::NetworkUnreachable
            | ErrorKind::AddrNotAvailable => HttpErrorKind::Connect,
            ErrorKind::TimedOut => HttpErrorKind::Timeout,
            // rustls reports a failed handshake so.
            ErrorKind::InvalidData if https => HttpErrorKind::Tls,
            _ => HttpErrorKind::Interrupted,
        },
        Error::Tls(_) => HttpErrorKind::Tls,
        Error::Http(_) | Error::TlsRequired | Error::InvalidProxyUrl => HttpErrorKind::Request,
        Error::StatusCode(_)
        | Error::Protocol(_)
        | Error::RedirectFailed
        | Error::TooManyRedirects
        | Error::BodyExceedsLimit(_)
        | Error::LargeResponseHeader(..)
        | Error::Other(_) => HttpErrorKind::Other,
        // What is left are the errors of TLS libraries, whose variants exist only with their features.
        _ if https => HttpErrorKind::Tls,
        _ => HttpErrorKind::Other,
    }
}
