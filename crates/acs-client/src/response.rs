//! A successful response.

use std::borrow::Cow;
use std::fmt;
use std::time::SystemTime;

use oss_credentials_core::body::BodyDefect;
use oss_credentials_core::{ClockOffset, CredentialsError, ErrorDetail, ErrorDetailBuilder};
use oss_credentials_http::{HttpMethod, HttpResponse};

use crate::client::AcsClient;
use crate::error::AcsError;

/// The response to a call that succeeded. Its body is overwritten in memory when it is dropped.
///
/// `Debug` shows operation, status, request ID and the length of the body.
#[derive(Clone)]
pub struct AcsResponse {
    pub(crate) client: AcsClient,
    pub(crate) action: Cow<'static, str>,
    pub(crate) method: HttpMethod,
    pub(crate) path: Cow<'static, str>,
    pub(crate) http: HttpResponse,
    pub(crate) request_id: Option<String>,
    pub(crate) clock_offset: Option<ClockOffset>,
    pub(crate) received: SystemTime,
}

impl AcsResponse {
    /// Returns the name of the operation.
    pub fn action(&self) -> &str {
        &self.action
    }

    /// Returns the body as it arrived.
    pub fn bytes(&self) -> &[u8] {
        self.http.body()
    }

    /// Returns the service's ID of the request: from the header `x-acs-request-id`, otherwise from the body. `None`
    /// also if it would repeat a secret.
    pub fn request_id(&self) -> Option<&str> {
        self.request_id.as_deref()
    }

    /// Returns status and headers.
    pub fn http(&self) -> &HttpResponse {
        &self.http
    }

    /// Returns the offset between the service's clock and the local one, by the response's `Date`.
    pub fn clock_offset(&self) -> Option<ClockOffset> {
        self.clock_offset
    }

    /// Returns when the response arrived, by the local clock.
    pub fn received(&self) -> SystemTime {
        self.received
    }

    /// Parses the body.
    ///
    /// # Errors
    ///
    /// An [`AcsError`](crate::AcsError) whose variant is `InvalidResponse` if the body is not JSON of this type. It
    /// quotes nothing of the body.
    ///
    /// # Examples
    ///
    /// ```
    /// use acs_client::{AcsError, AcsResponse};
    /// use serde_json::Value;
    ///
    /// fn count(response: &AcsResponse) -> Result<Option<u64>, AcsError> {
    ///     let body: Value = response.json()?;
    ///     Ok(body["TotalCount"].as_u64())
    /// }
    /// ```
    #[cfg(feature = "json")]
    pub fn json<T: serde::de::DeserializeOwned>(&self) -> Result<T, AcsError> {
        self.parsed()
    }

    pub(crate) fn parsed<T: serde::de::DeserializeOwned>(&self) -> Result<T, AcsError> {
        serde_json::from_slice(self.bytes()).map_err(|error| {
            let defect = match oss_credentials_core::body::json_object(self.bytes()) {
                Err(defect @ (BodyDefect::Empty | BodyDefect::Markup)) => defect,
                _ => BodyDefect::NotJson {
                    line: error.line(),
                    column: error.column(),
                },
            };
            self.unusable(&defect, None)
        })
    }

    /// Starts the detail of an error about this response: its place, status and request ID.
    pub fn detail(&self, what: impl Into<Cow<'static, str>>) -> ErrorDetailBuilder {
        let detail = ErrorDetail::builder(self.client.name(), what)
            .place(self.client.place(self.method, &self.path))
            .http_status(self.http.status());
        match &self.request_id {
            Some(id) => detail.request_id(id),
            None => detail,
        }
    }

    /// The error of a response that cannot be used. Only the given code is quoted.
    pub(crate) fn unusable(&self, defect: &BodyDefect, code: Option<String>) -> AcsError {
        let mut detail = self.detail(format!("the response to {} {defect}", self.action));
        if let Some(code) = code {
            detail = detail.code(code);
        }
        let hint = if *defect == BodyDefect::Markup {
            "check the endpoint, and whether a proxy or a login page responds instead".to_owned()
        } else {
            let product = self.client.inner.product.to_ascii_uppercase();
            format!("check the endpoint, and whether it is {product} that responds")
        };
        let error = CredentialsError::invalid_response(detail.hint(hint));
        AcsError::new(error, self.action.clone())
    }
}

impl fmt::Debug for AcsResponse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AcsResponse")
            .field("action", &self.action)
            .field("status", &self.http.status())
            .field("request_id", &self.request_id)
            .field("bytes", &self.http.body().len())
            .finish_non_exhaustive()
    }
}
