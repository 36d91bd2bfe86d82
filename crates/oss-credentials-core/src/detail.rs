//! The parts of an error message.

use std::borrow::Cow;
use std::error::Error;
use std::fmt;
use std::sync::Arc;

use crate::masked_id::MaskedId;
use crate::text::{clean, without_secrets};

/// The parts of an error message: what failed, where, what the service responded, what to do.
///
/// `Display` joins them as `<provider>: <what> (<place>, HTTP <status>): <code>: <message>, request ID <id> (key <masked
/// ID> from <source>); <hint>`, leaving out unknown parts. Text from outside is stripped of control characters and cut
/// at 512 characters; a place loses its query and user-info.
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
    /// The label of the setting in the hint, if it is not the setting's name.
    label: Option<Cow<'static, str>>,
    place: Option<String>,
    hint: Option<Hint>,
    http_status: Option<u16>,
    code: Option<String>,
    message: Option<String>,
    request_id: Option<String>,
    key: Option<RefusedKey>,
    source: Option<Arc<dyn Error + Send + Sync>>,
}

/// The key that a service refused. Displayed as `key LTAI****Id01 from env`.
#[derive(Clone)]
struct RefusedKey {
    masked: String,
    source: &'static str,
}

/// Is replaced by the label of the setting in a hint.
const SETTING: &str = "{setting}";

#[derive(Clone)]
struct Hint {
    /// As it is shown.
    text: Cow<'static, str>,
    /// As it was given, if it names the setting.
    template: Option<Cow<'static, str>>,
}

impl Hint {
    fn new(text: Cow<'static, str>, label: Option<&str>) -> Self {
        match label {
            Some(label) if text.contains(SETTING) => Self {
                text: text.replace(SETTING, label).into(),
                template: Some(text),
            },
            _ => Self { text, template: None },
        }
    }

    fn into_given(self) -> Cow<'static, str> {
        self.template.unwrap_or(self.text)
    }
}

impl DetailInner {
    fn label(&self) -> Option<&str> {
        self.label.as_deref().or(self.setting)
    }

    /// Renders the hint with the current label.
    fn show_hint(&mut self) {
        let hint = self.hint.take().map(Hint::into_given);
        self.hint = hint.map(|given| Hint::new(given, self.label()));
    }
}

impl ErrorDetail {
    /// Starts a detail from the name of the provider and what failed, in lower case and without a full stop.
    pub fn builder(provider: &'static str, what: impl Into<Cow<'static, str>>) -> ErrorDetailBuilder {
        ErrorDetailBuilder {
            inner: DetailInner {
                provider,
                what: what.into(),
                setting: None,
                label: None,
                place: None,
                hint: None,
                http_status: None,
                code: None,
                message: None,
                request_id: None,
                key: None,
                source: None,
            },
        }
    }

    /// Returns the name of the provider that failed.
    pub fn provider(&self) -> &'static str {
        self.inner.provider
    }

    /// Returns what failed.
    pub fn what(&self) -> &str {
        &self.inner.what
    }

    /// Returns the name of the setting whose value is wrong, as the builder's method or argument is called; `None` if
    /// the failure does not come from one. A provider that took the value from a variable or a file looks up this name,
    /// and shows its own with [`CredentialsError::with_setting_label`](crate::CredentialsError::with_setting_label).
    pub fn setting(&self) -> Option<&'static str> {
        self.inner.setting
    }

    /// Returns where it failed: a URL without query, a file, or the name of a variable.
    pub fn place(&self) -> Option<&str> {
        self.inner.place.as_deref()
    }

    /// Returns what to do about it.
    pub fn hint(&self) -> Option<&str> {
        self.inner.hint.as_ref().map(|hint| &*hint.text)
    }

    /// Returns the HTTP status of the response, if there was one.
    pub fn http_status(&self) -> Option<u16> {
        self.inner.http_status
    }

    /// Returns the service's error code, such as `NoPermission`.
    pub fn code(&self) -> Option<&str> {
        self.inner.code.as_deref()
    }

    /// Returns the service's message, at most 512 characters.
    pub fn message(&self) -> Option<&str> {
        self.inner.message.as_deref()
    }

    /// Returns the service's ID of the failed request; support asks for it.
    pub fn request_id(&self) -> Option<&str> {
        self.inner.request_id.as_deref()
    }

    /// Returns the access key ID that the service refused, masked as by [`MaskedId`].
    pub fn key_id(&self) -> Option<&str> {
        self.inner.key.as_ref().map(|key| key.masked.as_str())
    }

    /// Returns where the refused key is from: the [source](crate::Credentials::source) of the credentials.
    pub fn key_source(&self) -> Option<&'static str> {
        self.inner.key.as_ref().map(|key| key.source)
    }
}

impl ErrorDetail {
    pub(crate) fn with_hint(&self, hint: Cow<'static, str>) -> Self {
        self.changed(|inner| inner.hint = Some(Hint::new(hint, inner.label())))
    }

    pub(crate) fn with_remark(&self, remark: &str) -> Self {
        self.changed(|inner| {
            let given = match inner.hint.take().map(Hint::into_given) {
                Some(given) => format!("{given}; {remark}"),
                None => remark.to_owned(),
            };
            inner.hint = Some(Hint::new(given.into(), inner.label()));
        })
    }

    pub(crate) fn with_setting_label(&self, label: Cow<'static, str>) -> Self {
        self.changed(|inner| {
            inner.label = Some(label);
            inner.show_hint();
        })
    }

    fn changed(&self, change: impl FnOnce(&mut DetailInner)) -> Self {
        let mut inner = (*self.inner).clone();
        change(&mut inner);
        Self {
            inner: Arc::new(inner),
        }
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
            write!(f, "{separator}request ID {request_id}")?;
        }
        if let Some(key) = &detail.key {
            write!(f, " (key {} from {})", key.masked, key.source)?;
        }
        if let Some(hint) = self.hint() {
            write!(f, "; {hint}")?;
        }
        Ok(())
    }
}

impl fmt::Debug for ErrorDetail {
    /// The text of `Display`, followed by the causes: a `main` that returns an error shows it this way.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")?;
        write_causes(f, self)
    }
}

/// Writes the causes of an error after its text.
pub(crate) fn write_causes(f: &mut fmt::Formatter<'_>, error: &dyn Error) -> fmt::Result {
    let mut cause = error.source();
    while let Some(error) = cause {
        write!(f, "; because: {error}")?;
        cause = error.source();
    }
    Ok(())
}

impl Error for ErrorDetail {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.inner.source.as_deref().map(|source| source as _)
    }
}

/// Builds an [`ErrorDetail`]; see [`ErrorDetail::builder`].
#[must_use]
pub struct ErrorDetailBuilder {
    inner: DetailInner,
}

impl ErrorDetailBuilder {
    /// Sets the name of the setting whose value is wrong; see [`ErrorDetail::setting`].
    pub fn setting(mut self, setting: &'static str) -> Self {
        self.inner.setting = Some(setting);
        self
    }

    /// Sets the label of the setting in the hint, such as the builder's method and the variable that replaces it.
    /// Default: its name.
    pub fn setting_label(mut self, label: impl Into<Cow<'static, str>>) -> Self {
        self.inner.label = Some(label.into());
        self
    }

    /// Sets where it failed: a URL (its query and user-info are dropped), a file, or the name of a variable.
    pub fn place(mut self, place: impl AsRef<str>) -> Self {
        self.inner.place = Some(clean(&without_secrets(place.as_ref())));
        self
    }

    /// Sets what to do: the variable, file or field to set. `{setting}` in it is replaced by the label of the
    /// [setting](Self::setting), so that a wrapper can substitute its own label.
    ///
    /// ```
    /// use oss_credentials_core::{CredentialsError, ErrorDetail};
    ///
    /// let detail = ErrorDetail::builder("vault", "the lifetime is too short")
    ///     .setting("lifetime")
    ///     .setting_label("lifetime(..)")
    ///     .hint("set {setting} to 900 s at least");
    /// let error = CredentialsError::invalid_config(detail);
    /// assert_eq!(error.to_string(), "vault: the lifetime is too short; set lifetime(..) to 900 s at least");
    /// let of_file = error.with_setting_label("vault.ttl");
    /// assert_eq!(of_file.to_string(), "vault: the lifetime is too short; set vault.ttl to 900 s at least");
    /// ```
    pub fn hint(mut self, hint: impl Into<Cow<'static, str>>) -> Self {
        self.inner.hint = Some(Hint::new(hint.into(), None));
        self
    }

    /// Takes over the advice of `cause`: its hint, and the setting that it is about.
    pub fn advice_of(mut self, cause: &ErrorDetail) -> Self {
        self.inner.setting = cause.inner.setting;
        self.inner.label.clone_from(&cause.inner.label);
        self.inner.hint.clone_from(&cause.inner.hint);
        self
    }

    /// Takes over the response in `cause`: place, HTTP status, code, message, request ID, and the refused key.
    pub fn response_of(mut self, cause: &ErrorDetail) -> Self {
        let cause = &cause.inner;
        self.inner.place.clone_from(&cause.place);
        self.inner.http_status = cause.http_status;
        self.inner.code.clone_from(&cause.code);
        self.inner.message.clone_from(&cause.message);
        self.inner.request_id.clone_from(&cause.request_id);
        self.inner.key.clone_from(&cause.key);
        self
    }

    /// Sets the HTTP status of the response.
    pub fn http_status(mut self, status: u16) -> Self {
        self.inner.http_status = Some(status);
        self
    }

    /// Sets the service's error code.
    pub fn code(mut self, code: impl AsRef<str>) -> Self {
        self.inner.code = Some(clean(code.as_ref()));
        self
    }

    /// Sets the service's message. Do not pass bodies that may contain keys.
    pub fn message(mut self, message: impl AsRef<str>) -> Self {
        self.inner.message = Some(clean(message.as_ref()));
        self
    }

    /// Sets the service's ID of the failed request.
    pub fn request_id(mut self, request_id: impl AsRef<str>) -> Self {
        self.inner.request_id = Some(clean(request_id.as_ref()));
        self
    }

    /// Sets the key that the service refused: its ID, which is masked, and the source of the credentials.
    ///
    /// ```
    /// use oss_credentials_core::ErrorDetail;
    ///
    /// let detail = ErrorDetail::builder("oss", "the service refused GetObject")
    ///     .key("LTAI5tExampleKeyId01", "env")
    ///     .hint("enable the key")
    ///     .build();
    /// assert_eq!(
    ///     detail.to_string(),
    ///     "oss: the service refused GetObject (key LTAI****Id01 from env); enable the key"
    /// );
    /// assert_eq!((detail.key_id(), detail.key_source()), (Some("LTAI****Id01"), Some("env")));
    /// ```
    pub fn key(mut self, access_key_id: &str, source: &'static str) -> Self {
        let masked = MaskedId(access_key_id).to_string();
        self.inner.key = Some(RefusedKey { masked, source });
        self
    }

    /// Sets the underlying error, which [`Error::source`] returns and the text does not repeat.
    pub fn source(mut self, source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        self.inner.source = Some(Arc::from(source.into()));
        self
    }

    /// Builds the detail.
    pub fn build(mut self) -> ErrorDetail {
        self.inner.show_hint();
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
             NoPermission: You are not authorized.  Second line, request ID 6894B13B; grant sts:AssumeRole"
        );
        assert!(!format!("{detail:?}").contains("canary"));
    }

    #[test]
    fn each_part_is_returned_as_it_was_given() {
        let detail = ErrorDetail::builder("sts", "refused")
            .place("POST https://sts.aliyuncs.com/")
            .http_status(403)
            .code("NoPermission")
            .message("denied")
            .request_id("6894B13B")
            .key("LTAI5tExampleKeyId01", "env")
            .build();
        assert_eq!(detail.place(), Some("POST https://sts.aliyuncs.com/"));
        assert_eq!(detail.http_status(), Some(403));
        assert_eq!(detail.code(), Some("NoPermission"));
        assert_eq!(detail.message(), Some("denied"));
        assert_eq!(detail.request_id(), Some("6894B13B"));
        assert_eq!(detail.key_id(), Some("LTAI****Id01"));
        assert_eq!(detail.key_source(), Some("env"));
        let bare = ErrorDetail::builder("sts", "refused").build();
        assert_eq!((bare.place(), bare.code(), bare.request_id()), (None, None, None));
        assert_eq!((bare.key_id(), bare.key_source()), (None, None));
    }

    #[test]
    fn debug_is_the_message_and_its_causes() {
        let cause = std::io::Error::other("refused");
        let detail = ErrorDetail::builder("x", "y")
            .code("C")
            .request_id("R")
            .source(cause);
        assert_eq!(
            format!("{:?}", detail.build()),
            "x: y: C, request ID R; because: refused"
        );
        let with_message = ErrorDetail::builder("x", "y").message("m").request_id("R");
        assert_eq!(with_message.build().to_string(), "x: y: m, request ID R");
    }

    #[test]
    fn a_hint_names_the_setting_as_whoever_shows_it_does() {
        let builder = || {
            ErrorDetail::builder("x", "y")
                .setting("duration")
                .hint("lower {setting}")
        };
        let by_name = builder().build();
        assert_eq!(by_name.hint(), Some("lower duration"));
        let labeled = builder().setting_label("duration(..)").build();
        assert_eq!(labeled.hint(), Some("lower duration(..)"));
        // What is added behind it, or the error around it, does not end that.
        let remarked = labeled.with_remark("a chain says so");
        assert_eq!(remarked.hint(), Some("lower duration(..); a chain says so"));
        let around = ErrorDetail::builder("z", "no new ones")
            .advice_of(&remarked)
            .build();
        let renamed = around.with_setting_label("expired_seconds".into());
        assert_eq!(renamed.hint(), Some("lower expired_seconds; a chain says so"));
        assert_eq!(renamed.setting(), Some("duration"));
        // A hint that names no setting stays as it is, and so does one that was replaced.
        let plain = ErrorDetail::builder("x", "y").hint("try {setting}").build();
        assert_eq!(plain.hint(), Some("try {setting}"));
        let replaced = labeled.with_hint("ask".into()).with_setting_label("z".into());
        assert_eq!(replaced.hint(), Some("ask"));
    }

    #[test]
    fn the_error_around_another_repeats_what_the_service_said() {
        let cause = ErrorDetail::builder("x", "y")
            .place("POST https://h/")
            .http_status(403)
            .code("C")
            .message("m")
            .request_id("R-1")
            .key("LTAI5tExampleKeyId01", "env")
            .hint("not taken over")
            .build();
        let around = ErrorDetail::builder("z", "no new ones")
            .response_of(&cause)
            .build();
        assert_eq!(
            around.to_string(),
            "z: no new ones (POST https://h/, HTTP 403): C: m, request ID R-1 (key LTAI****Id01 from env)"
        );
    }

    #[test]
    fn unknown_parts_leave_no_trace() {
        assert_eq!(
            ErrorDetail::builder("env", "no key").build().to_string(),
            "env: no key"
        );
        assert_eq!(
            ErrorDetail::builder("x", "y").request_id("r").build().to_string(),
            "x: y: request ID r"
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
}
