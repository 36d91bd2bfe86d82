//! What can go wrong.

use std::borrow::Cow;
use std::fmt;

use oss_credentials_core::CredentialsError;
use oss_credentials_core::http::{HttpError, HttpErrorKind};
use oss_sign::SignError;

use crate::service_error::ServiceError;

/// Why an operation was not carried out, or not known to be.
///
/// No text holds a secret, a token or a query: URLs are shown up to their path.
///
/// # Examples
///
/// ```no_run
/// # async fn run(client: &oss_client::Client) -> Result<(), oss_client::Error> {
/// match client.head_object("examplebucket", "report.pdf").send().await {
///     Ok(found) => println!("{:?} bytes", found.content_length()),
///     Err(error) if error.code() == Some("NoSuchKey") => println!("not there"),
///     Err(error) => return Err(error),
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The client cannot be built with these settings.
    #[error(transparent)]
    InvalidConfig(Problem),
    /// Bucket, key, header or body cannot be used. Nothing was fetched, signed or sent.
    #[error(transparent)]
    InvalidInput(Problem),
    /// The provider brought no credentials.
    #[error(transparent)]
    Credentials(CredentialsError),
    /// The request could not be signed.
    #[error(transparent)]
    Sign(SignError),
    /// There is no complete answer. The service may have carried out the request.
    #[error(transparent)]
    Transport(Box<TransportError>),
    /// The service answered with an error.
    #[error(transparent)]
    Service(Box<ServiceError>),
}

impl Error {
    /// The service's answer, if this is one.
    pub fn service(&self) -> Option<&ServiceError> {
        match self {
            Self::Service(error) => Some(error),
            _ => None,
        }
    }

    /// The service's error code, such as `NoSuchKey`.
    pub fn code(&self) -> Option<&str> {
        self.service().map(ServiceError::code)
    }

    /// The service's id of the request; support asks for it.
    pub fn request_id(&self) -> Option<&str> {
        self.service().and_then(ServiceError::request_id)
    }
}

/// A setting or an argument that cannot be used, and what to do about it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("oss-client: {what}; {hint}")]
pub struct Problem {
    what: Cow<'static, str>,
    hint: Cow<'static, str>,
}

impl Problem {
    pub(crate) fn new(what: impl Into<Cow<'static, str>>, hint: impl Into<Cow<'static, str>>) -> Self {
        Self {
            what: what.into(),
            hint: hint.into(),
        }
    }

    /// What is wrong.
    pub fn what(&self) -> &str {
        &self.what
    }

    /// What to do about it.
    pub fn hint(&self) -> &str {
        &self.hint
    }
}

/// Which operation, on which URL: as it may be shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    /// `GetObject`
    pub(crate) operation: &'static str,
    /// `GET https://host/path`, without query.
    pub(crate) request: String,
}

/// An exchange without complete answer.
pub struct TransportError {
    place: Place,
    error: HttpError,
}

impl fmt::Debug for TransportError {
    /// The text of `Display`: a `main` that returns an error shows it this way.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl TransportError {
    pub(crate) fn new(place: Place, error: HttpError) -> Self {
        Self { place, error }
    }

    /// Name of the operation, such as `GetObject`.
    pub fn operation(&self) -> &'static str {
        self.place.operation
    }

    /// At which point it failed.
    pub fn kind(&self) -> HttpErrorKind {
        self.error.kind()
    }

    fn hint(&self) -> &'static str {
        match self.kind() {
            HttpErrorKind::Connect => "check endpoint, network and proxy",
            HttpErrorKind::Timeout => "check the network, or raise `read_timeout`",
            HttpErrorKind::Tls => "check the endpoint and the trusted certificates",
            HttpErrorKind::Request => "correct what is named and send again",
            _ => "send again if the operation may be repeated",
        }
    }
}

impl fmt::Display for TransportError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Place { operation, request } = &self.place;
        write!(
            f,
            "oss-client: {operation} has no complete answer ({request}): {}; {}",
            self.error,
            self.hint()
        )
    }
}

impl std::error::Error for TransportError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.error)
    }
}
