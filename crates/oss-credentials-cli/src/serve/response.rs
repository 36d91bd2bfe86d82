//! Responses of the agent: credentials, errors and refusals.

use http_body_util::Full;
use hyper::body::Bytes;
use hyper::header::{CACHE_CONTROL, CONNECTION, CONTENT_TYPE, HeaderValue};
use hyper::{Response, StatusCode};
use oss_credentials::CredentialsError;
use serde_json::json;

pub(super) type Answer = Response<Full<Bytes>>;

/// Why a request is refused. Nothing of the request is repeated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Refusal {
    /// A browser that another site's host name led here.
    Host,
    /// It came through a proxy.
    Forwarded,
    Secret,
    Path,
    Method,
    User,
    Token,
    Ttl,
}

impl Refusal {
    pub(super) fn status(self) -> StatusCode {
        match self {
            Self::Host | Self::Forwarded | Self::Secret | Self::User => StatusCode::FORBIDDEN,
            Self::Path => StatusCode::NOT_FOUND,
            Self::Method => StatusCode::METHOD_NOT_ALLOWED,
            Self::Token => StatusCode::UNAUTHORIZED,
            Self::Ttl => StatusCode::BAD_REQUEST,
        }
    }

    pub(super) fn text(self) -> &'static str {
        match self {
            Self::Host => "the Host header does not name this agent",
            Self::Forwarded => "instance metadata is not available through a proxy",
            Self::Secret => "the secret in the query is missing or wrong",
            Self::Path => "there is nothing at this path",
            Self::Method => "this method is not allowed here",
            Self::User => "instance metadata is for programs of the user who runs this agent",
            Self::Token => "the metadata token is missing, wrong or expired",
            Self::Ttl => "the lifetime of the metadata token has to be 1 to 21600 seconds",
        }
    }
}

/// The document with the credentials, or why there are none.
pub(super) fn credentials_answer(document: Result<Bytes, CredentialsError>) -> Answer {
    match document {
        Ok(document) => json_answer(StatusCode::OK, document),
        Err(error) => {
            let status = match error {
                CredentialsError::Unavailable(_) => StatusCode::SERVICE_UNAVAILABLE,
                _ => StatusCode::INTERNAL_SERVER_ERROR,
            };
            error_answer(status, error_code(&error), &error.to_string())
        }
    }
}

fn json_answer(status: StatusCode, text: impl Into<Bytes>) -> Answer {
    answer(status, "application/json", text)
}

pub(super) fn error_answer(status: StatusCode, code: &str, message: &str) -> Answer {
    json_answer(status, json!({ "Code": code, "Message": message }).to_string())
}

pub(super) fn answer(status: StatusCode, content_type: &'static str, text: impl Into<Bytes>) -> Answer {
    let mut answer = Response::new(Full::new(text.into()));
    *answer.status_mut() = status;
    let headers = answer.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    answer
}

pub(super) fn closing(mut answer: Answer) -> Answer {
    answer
        .headers_mut()
        .insert(CONNECTION, HeaderValue::from_static("close"));
    answer
}

/// The code of an error for the program that asked.
fn error_code(error: &CredentialsError) -> &'static str {
    match error {
        CredentialsError::Unavailable(_) | CredentialsError::InvalidResponse(_) => "ServiceUnavailable",
        _ => "NoCredentials",
    }
}
