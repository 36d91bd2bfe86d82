//! What can go wrong, said so that a person can act on it.

use std::borrow::Cow;
use std::error::Error;
use std::fmt;
use std::sync::Arc;

use crate::chain::ChainReport;
use crate::terminal;

/// Longest piece of a service's own text that goes into an error, in characters.
const MAX_SERVICE_TEXT: usize = 512;

/// Why no credentials came.
///
/// The variant says what a program may do about it, the [`ErrorDetail`] inside says it to a person. Cloning
/// is cheap: all callers that waited for one attempt share its error.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CredentialsError {
    /// This source is not set up here. A chain goes on to its next member.
    #[error(transparent)]
    NotConfigured(ErrorDetail),
    /// The source is set up, but wrongly or by half. A chain stops.
    #[error(transparent)]
    InvalidConfig(ErrorDetail),
    /// The service refused; asking again without changing something is useless. A chain stops.
    #[error(transparent)]
    Denied(ErrorDetail),
    /// Network, time-out, throttling or a server error; it may work later. A chain stops.
    #[error(transparent)]
    Unavailable(ErrorDetail),
    /// The answer could not be read or lacks a field. A chain stops.
    #[error(transparent)]
    InvalidResponse(ErrorDetail),
    /// What there is has expired; the source of this error is the last reason for not getting new ones.
    #[error(transparent)]
    Expired(ErrorDetail),
    /// Every member of a chain said [`CredentialsError::NotConfigured`].
    #[error(transparent)]
    NoProvider(ChainReport),
}

impl CredentialsError {
    /// Makes a [`CredentialsError::NotConfigured`].
    pub fn not_configured(detail: impl Into<ErrorDetail>) -> Self {
        Self::NotConfigured(detail.into())
    }

    /// Makes a [`CredentialsError::InvalidConfig`].
    pub fn invalid_config(detail: impl Into<ErrorDetail>) -> Self {
        Self::InvalidConfig(detail.into())
    }

    /// Makes a [`CredentialsError::Denied`].
    pub fn denied(detail: impl Into<ErrorDetail>) -> Self {
        Self::Denied(detail.into())
    }

    /// Makes a [`CredentialsError::Unavailable`].
    pub fn unavailable(detail: impl Into<ErrorDetail>) -> Self {
        Self::Unavailable(detail.into())
    }

    /// Makes a [`CredentialsError::InvalidResponse`].
    pub fn invalid_response(detail: impl Into<ErrorDetail>) -> Self {
        Self::InvalidResponse(detail.into())
    }

    /// Makes a [`CredentialsError::Expired`].
    pub fn expired(detail: impl Into<ErrorDetail>) -> Self {
        Self::Expired(detail.into())
    }

    /// Whether this says only that nothing is set up: the one case in which a chain goes on.
    pub fn is_not_configured(&self) -> bool {
        matches!(self, Self::NotConfigured(_) | Self::NoProvider(_))
    }

    /// Whether the same call may succeed later without anybody changing anything.
    pub fn is_retryable(&self) -> bool {
        matches!(
            self,
            Self::Unavailable(_) | Self::InvalidResponse(_) | Self::Expired(_)
        )
    }

    /// The parts of the message; `None` for [`CredentialsError::NoProvider`], which has a report instead.
    pub fn detail(&self) -> Option<&ErrorDetail> {
        match self {
            Self::NotConfigured(detail)
            | Self::InvalidConfig(detail)
            | Self::Denied(detail)
            | Self::Unavailable(detail)
            | Self::InvalidResponse(detail)
            | Self::Expired(detail) => Some(detail),
            Self::NoProvider(_) => None,
        }
    }

    /// The same variant around another detail.
    pub(crate) fn with_detail(&self, detail: ErrorDetail) -> Self {
        match self {
            Self::NotConfigured(_) | Self::NoProvider(_) => Self::NotConfigured(detail),
            Self::InvalidConfig(_) => Self::InvalidConfig(detail),
            Self::Denied(_) => Self::Denied(detail),
            Self::Unavailable(_) => Self::Unavailable(detail),
            Self::InvalidResponse(_) => Self::InvalidResponse(detail),
            Self::Expired(_) => Self::Expired(detail),
        }
    }

    /// The same error with another hint: for a provider that passes on the error of one that it was set up
    /// with, and knows better what to do. [`CredentialsError::NoProvider`] has no hint and stays as it is.
    ///
    /// # Examples
    ///
    /// ```
    /// use oss_credentials_core::{CredentialsError, ErrorDetail};
    ///
    /// let detail = ErrorDetail::builder("vault", "the key may not be read").http_status(403);
    /// let error = CredentialsError::denied(detail).with_hint("grant read in vault.toml");
    /// assert_eq!(error.to_string(), "vault: the key may not be read (HTTP 403); grant read in vault.toml");
    /// assert_eq!(error.kind(), "denied");
    /// ```
    #[must_use]
    pub fn with_hint(self, hint: impl Into<Cow<'static, str>>) -> Self {
        let Some(detail) = self.detail() else {
            return self;
        };
        let mut inner = (*detail.inner).clone();
        inner.hint = Some(hint.into());
        self.with_detail(ErrorDetail {
            inner: Arc::new(inner),
        })
    }

    /// The same error, with one more thing to know behind its hint.
    pub(crate) fn with_remark(self, remark: &str) -> Self {
        let hint = match self.detail().and_then(ErrorDetail::hint) {
            Some(hint) => format!("{hint}; {remark}"),
            None => remark.to_owned(),
        };
        self.with_hint(hint)
    }

    /// The variant's name in one word, for a log field: `"denied"`, `"unavailable"`, …
    pub fn kind(&self) -> &'static str {
        match self {
            Self::NotConfigured(_) => "not-configured",
            Self::InvalidConfig(_) => "invalid-config",
            Self::Denied(_) => "denied",
            Self::Unavailable(_) => "unavailable",
            Self::InvalidResponse(_) => "invalid-response",
            Self::Expired(_) => "expired",
            Self::NoProvider(_) => "no-provider",
        }
    }
}

/// The parts of an error message: what was tried, where, what the service said, what to do.
///
/// `Display` joins them as `<provider>: <what> (<place>, HTTP <status>): <code>: <message>, RequestId <id>;
/// <hint>`, leaving out what is not known. Text that came from outside is stripped of control characters and
/// cut at 512 characters; a place loses its query and user-info.
///
/// # Examples
///
/// ```
/// use oss_credentials_core::{CredentialsError, ErrorDetail};
///
/// let error = CredentialsError::denied(
///     ErrorDetail::builder("vault", "the key may not be read")
///         .place("GET https://vault.example/key?token=1")
///         .http_status(403)
///         .hint("grant read on `key` to this host"),
/// );
/// assert_eq!(
///     error.to_string(),
///     "vault: the key may not be read (GET https://vault.example/key, HTTP 403); grant read on `key` to this host"
/// );
/// ```
#[derive(Clone)]
pub struct ErrorDetail {
    inner: Arc<DetailInner>,
}

#[derive(Clone)]
struct DetailInner {
    provider: &'static str,
    what: Cow<'static, str>,
    setting: Option<&'static str>,
    place: Option<String>,
    hint: Option<Cow<'static, str>>,
    http_status: Option<u16>,
    code: Option<String>,
    message: Option<String>,
    request_id: Option<String>,
    source: Option<Arc<dyn Error + Send + Sync>>,
}

impl ErrorDetail {
    /// Starts a detail from the name of the provider and what failed: lower case, no full stop.
    pub fn builder(provider: &'static str, what: impl Into<Cow<'static, str>>) -> ErrorDetailBuilder {
        ErrorDetailBuilder {
            inner: DetailInner {
                provider,
                what: what.into(),
                setting: None,
                place: None,
                hint: None,
                http_status: None,
                code: None,
                message: None,
                request_id: None,
                source: None,
            },
        }
    }

    /// Name of the provider that failed.
    pub fn provider(&self) -> &'static str {
        self.inner.provider
    }

    /// What failed.
    pub fn what(&self) -> &str {
        &self.inner.what
    }

    /// Name of the setting whose value is wrong, as the builder's method or argument is called; `None` if the
    /// failure does not come from one. It is not part of the text: whoever took the value from a variable or a file
    /// names that.
    pub fn setting(&self) -> Option<&'static str> {
        self.inner.setting
    }

    /// Where: a URL without query, a file, or the name of a variable.
    pub fn place(&self) -> Option<&str> {
        self.inner.place.as_deref()
    }

    /// What to do about it.
    pub fn hint(&self) -> Option<&str> {
        self.inner.hint.as_deref()
    }

    /// HTTP status of the answer, if there was one.
    pub fn http_status(&self) -> Option<u16> {
        self.inner.http_status
    }

    /// The service's error code, such as `NoPermission`.
    pub fn code(&self) -> Option<&str> {
        self.inner.code.as_deref()
    }

    /// The service's own words, at most 512 characters.
    pub fn message(&self) -> Option<&str> {
        self.inner.message.as_deref()
    }

    /// The service's id of the failed request; support asks for it.
    pub fn request_id(&self) -> Option<&str> {
        self.inner.request_id.as_deref()
    }
}

impl fmt::Display for ErrorDetail {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let detail = &*self.inner;
        write!(f, "{}: {}", detail.provider, detail.what)?;
        match (&detail.place, detail.http_status) {
            (Some(place), Some(status)) => write!(f, " ({place}, HTTP {status})")?,
            (Some(place), None) => write!(f, " ({place})")?,
            (None, Some(status)) => write!(f, " (HTTP {status})")?,
            (None, None) => {}
        }
        let mut separator = ": ";
        for part in [&detail.code, &detail.message].into_iter().flatten() {
            write!(f, "{separator}{part}")?;
            separator = ": ";
        }
        if let Some(request_id) = &detail.request_id {
            let separator = if detail.code.is_some() || detail.message.is_some() {
                ", "
            } else {
                ": "
            };
            write!(f, "{separator}RequestId {request_id}")?;
        }
        if let Some(hint) = &detail.hint {
            write!(f, "; {hint}")?;
        }
        Ok(())
    }
}

impl fmt::Debug for ErrorDetail {
    /// The text of `Display`, and behind it the causes: a `main` that returns an error shows it this way.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")?;
        let mut cause = self.source();
        while let Some(error) = cause {
            write!(f, "; because: {error}")?;
            cause = error.source();
        }
        Ok(())
    }
}

impl Error for ErrorDetail {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.inner.source.as_deref().map(|source| source as _)
    }
}

/// Makes an [`ErrorDetail`]; see [`ErrorDetail::builder`].
#[must_use]
pub struct ErrorDetailBuilder {
    inner: DetailInner,
}

impl ErrorDetailBuilder {
    /// Name of the setting whose value is wrong; see [`ErrorDetail::setting`].
    pub fn setting(mut self, setting: &'static str) -> Self {
        self.inner.setting = Some(setting);
        self
    }

    /// Where it failed: a URL (its query and user-info are dropped), a file, or the name of a variable.
    pub fn place(mut self, place: impl AsRef<str>) -> Self {
        self.inner.place = Some(clean(&crate::http::without_secrets(place.as_ref())));
        self
    }

    /// What to do: the variable, file or field to set.
    pub fn hint(mut self, hint: impl Into<Cow<'static, str>>) -> Self {
        self.inner.hint = Some(hint.into());
        self
    }

    /// HTTP status of the answer.
    pub fn http_status(mut self, status: u16) -> Self {
        self.inner.http_status = Some(status);
        self
    }

    /// The service's error code.
    pub fn code(mut self, code: impl AsRef<str>) -> Self {
        self.inner.code = Some(clean(code.as_ref()));
        self
    }

    /// The service's own words. Do not pass bodies that may hold keys.
    pub fn message(mut self, message: impl AsRef<str>) -> Self {
        self.inner.message = Some(clean(message.as_ref()));
        self
    }

    /// The service's id of the failed request.
    pub fn request_id(mut self, request_id: impl AsRef<str>) -> Self {
        self.inner.request_id = Some(clean(request_id.as_ref()));
        self
    }

    /// The error underneath, reachable through [`Error::source`] and not repeated in the text.
    pub fn source(mut self, source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        self.inner.source = Some(Arc::from(source.into()));
        self
    }

    /// Makes the detail.
    pub fn build(self) -> ErrorDetail {
        ErrorDetail {
            inner: Arc::new(self.inner),
        }
    }
}

impl fmt::Debug for ErrorDetailBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ErrorDetailBuilder")
            .field("what", &self.inner.what)
            .finish_non_exhaustive()
    }
}

impl From<ErrorDetailBuilder> for ErrorDetail {
    fn from(builder: ErrorDetailBuilder) -> Self {
        builder.build()
    }
}

/// Text from outside as it may stand in one line of a message.
pub(crate) fn clean(text: &str) -> String {
    let mut cleaned: String = text
        .chars()
        .map(terminal::safe)
        .take(MAX_SERVICE_TEXT + 1)
        .collect();
    if let Some((cut, _)) = cleaned.char_indices().nth(MAX_SERVICE_TEXT) {
        cleaned.truncate(cut);
        cleaned.push('…');
    }
    cleaned.truncate(cleaned.trim_end().len());
    cleaned
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_message_has_the_documented_shape() {
        let detail = ErrorDetail::builder("sts-assume-role", "the role was not handed out")
            .place("POST https://user:pw@sts.aliyuncs.com/?Signature=canary")
            .http_status(403)
            .code("NoPermission")
            .message("You are not authorized.\r\nSecond line")
            .request_id("6894B13B")
            .hint("grant sts:AssumeRole")
            .build();
        assert_eq!(
            detail.to_string(),
            "sts-assume-role: the role was not handed out (POST https://sts.aliyuncs.com/, HTTP 403): \
             NoPermission: You are not authorized.  Second line, RequestId 6894B13B; grant sts:AssumeRole"
        );
        assert!(!format!("{detail:?}").contains("canary"));
    }

    #[test]
    fn unknown_parts_leave_no_trace() {
        assert_eq!(
            ErrorDetail::builder("env", "no key").build().to_string(),
            "env: no key"
        );
        assert_eq!(
            ErrorDetail::builder("x", "y").request_id("r").build().to_string(),
            "x: y: RequestId r"
        );
    }

    #[test]
    fn service_text_is_cut_on_a_character_boundary() {
        let detail = ErrorDetail::builder("x", "y").message("图".repeat(600)).build();
        let message = detail.message().unwrap();
        assert_eq!(message.chars().count(), 513);
        assert!(message.ends_with('…'));
        let fits = ErrorDetail::builder("x", "y").message("图".repeat(512)).build();
        assert_eq!(fits.message().unwrap().chars().count(), 512);
    }

    #[test]
    fn the_cause_is_reachable_and_not_repeated() {
        let error = CredentialsError::unavailable(
            ErrorDetail::builder("x", "no answer").source(std::io::Error::other("refused")),
        );
        assert_eq!(error.source().unwrap().to_string(), "refused");
        assert!(!error.to_string().contains("refused"));
        assert!(error.is_retryable() && !error.is_not_configured());
    }
}
