//! Errors that state what failed and what to do.

use std::borrow::Cow;
use std::error::Error;
use std::fmt;
use std::sync::Arc;

use crate::detail::{ErrorDetail, write_causes};

/// Why no credentials were returned.
///
/// The variant is for programs: it states what they can do. The [`ErrorDetail`] inside is for people. Cloning is cheap:
/// all callers that waited for one attempt share its error.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CredentialsError {
    /// This source is not configured. A chain continues with its next member.
    #[error(transparent)]
    NotConfigured(ErrorDetail),
    /// The source is configured wrongly or partially. A chain stops.
    #[error(transparent)]
    InvalidConfig(ErrorDetail),
    /// The service refused; a retry without a change is useless. A chain stops.
    #[error(transparent)]
    Denied(ErrorDetail),
    /// A network failure, timeout, throttling or a server error; it may work later. A chain stops.
    #[error(transparent)]
    Unavailable(ErrorDetail),
    /// The response could not be read or lacks a field. A chain stops.
    #[error(transparent)]
    InvalidResponse(ErrorDetail),
    /// The credentials have expired; the source of this error is the last reason for not getting new ones.
    #[error(transparent)]
    Expired(ErrorDetail),
    /// Every member of a chain returned [`CredentialsError::NotConfigured`].
    #[error(transparent)]
    NoProvider(ChainReport),
}

impl CredentialsError {
    /// Creates a [`CredentialsError::NotConfigured`].
    pub fn not_configured(detail: impl Into<ErrorDetail>) -> Self {
        Self::NotConfigured(detail.into())
    }

    /// Creates a [`CredentialsError::InvalidConfig`].
    pub fn invalid_config(detail: impl Into<ErrorDetail>) -> Self {
        Self::InvalidConfig(detail.into())
    }

    /// Creates a [`CredentialsError::Denied`].
    pub fn denied(detail: impl Into<ErrorDetail>) -> Self {
        Self::Denied(detail.into())
    }

    /// Creates a [`CredentialsError::Unavailable`].
    pub fn unavailable(detail: impl Into<ErrorDetail>) -> Self {
        Self::Unavailable(detail.into())
    }

    /// Creates a [`CredentialsError::InvalidResponse`].
    pub fn invalid_response(detail: impl Into<ErrorDetail>) -> Self {
        Self::InvalidResponse(detail.into())
    }

    /// Creates a [`CredentialsError::Expired`].
    pub fn expired(detail: impl Into<ErrorDetail>) -> Self {
        Self::Expired(detail.into())
    }

    /// Returns whether nothing is configured: the only case in which a chain continues.
    pub fn is_not_configured(&self) -> bool {
        matches!(self, Self::NotConfigured(_) | Self::NoProvider(_))
    }

    /// Returns whether the same call may succeed later without any change.
    pub fn is_retryable(&self) -> bool {
        matches!(
            self,
            Self::Unavailable(_) | Self::InvalidResponse(_) | Self::Expired(_)
        )
    }

    /// Returns the parts of the message; `None` for [`CredentialsError::NoProvider`], which has a report instead.
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

    /// Returns the same variant with another detail.
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

    /// Returns the same error with another hint. Use it in a provider that forwards the error of another provider and
    /// knows better what to do. [`CredentialsError::NoProvider`] has no hint and is returned unchanged.
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
        self.with_detail(detail.with_hint(hint.into()))
    }

    /// Returns the same error with another label for the [setting](ErrorDetail::setting) in its hint. Use it in a
    /// provider that took the value from a variable or a file, and pass that name. The name of the setting does not
    /// change.
    ///
    /// # Examples
    ///
    /// ```
    /// use oss_credentials_core::{CredentialsError, ErrorDetail};
    ///
    /// let detail = ErrorDetail::builder("vault", "there is no such role").setting("role").hint("correct {setting}");
    /// let error = CredentialsError::invalid_config(detail).with_setting_label("VAULT_ROLE");
    /// assert_eq!(error.to_string(), "vault: there is no such role; correct VAULT_ROLE");
    /// assert_eq!(error.detail().unwrap().setting(), Some("role"));
    /// ```
    #[must_use]
    pub fn with_setting_label(self, label: impl Into<Cow<'static, str>>) -> Self {
        let Some(detail) = self.detail() else {
            return self;
        };
        self.with_detail(detail.with_setting_label(label.into()))
    }

    /// Returns the same error with one more remark after its hint. [`CredentialsError::NoProvider`] has no hint and is
    /// returned unchanged.
    ///
    /// ```
    /// use oss_credentials_core::{CredentialsError, ErrorDetail};
    ///
    /// let error = CredentialsError::denied(ErrorDetail::builder("vault", "no").hint("ask for access"));
    /// let error = error.with_remark("named by vault.toml");
    /// assert_eq!(error.to_string(), "vault: no; ask for access; named by vault.toml");
    /// ```
    #[must_use]
    pub fn with_remark(self, remark: &str) -> Self {
        let Some(detail) = self.detail() else {
            return self;
        };
        self.with_detail(detail.with_remark(remark))
    }

    /// Returns the variant's name in one word, for a log field: `"denied"`, `"unavailable"`, …
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

/// Why each member of a chain returned no credentials. `Display` puts every member on its own line.
///
/// # Examples
///
/// ```
/// use oss_credentials_core::{blocking, ChainProvider, Credentials, CredentialsError, CredentialsProvider, ErrorDetail};
///
/// let absent: Result<Credentials, _> =
///     Err(CredentialsError::not_configured(ErrorDetail::builder("env", "no variable is set")));
/// let chain = ChainProvider::builder().member("env", absent).build();
/// if let Err(CredentialsError::NoProvider(report)) = blocking::wait(chain.credentials()) {
///     for (member, reason) in report.reasons() {
///         println!("{member}: {reason}");
///     }
/// }
/// ```
#[derive(Clone)]
pub struct ChainReport {
    reasons: Arc<[(&'static str, CredentialsError)]>,
}

impl ChainReport {
    pub(crate) fn new(reasons: Vec<(&'static str, CredentialsError)>) -> Self {
        Self {
            reasons: reasons.into(),
        }
    }

    /// Returns the members in the order of the chain, each with its reason.
    pub fn reasons(&self) -> impl Iterator<Item = (&'static str, &CredentialsError)> {
        self.reasons.iter().map(|(name, error)| (*name, error))
    }

    /// Writes a line for each member, with `after` at its end.
    fn write_lines(
        &self,
        f: &mut fmt::Formatter<'_>,
        after: fn(&mut fmt::Formatter<'_>, &dyn Error) -> fmt::Result,
    ) -> fmt::Result {
        if self.reasons.is_empty() {
            return f.write_str("chain: no provider was given; add a member");
        }
        f.write_str("chain: no provider has credentials; configure one of them:")?;
        for (name, error) in &*self.reasons {
            write!(f, "\n  {name}: ")?;
            // Each error names its provider again; once per line is enough.
            let text = error.to_string();
            f.write_str(
                text.strip_prefix(name)
                    .and_then(|rest| rest.strip_prefix(": "))
                    .unwrap_or(&text),
            )?;
            after(f, error)?;
        }
        Ok(())
    }
}

impl fmt::Display for ChainReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.write_lines(f, |_, _| Ok(()))
    }
}

impl fmt::Debug for ChainReport {
    /// The text of `Display`, each line with its causes: a `main` that returns an error shows it this way.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.write_lines(f, write_causes)
    }
}

impl Error for ChainReport {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cause_is_reachable_and_not_repeated() {
        let error = CredentialsError::unavailable(
            ErrorDetail::builder("x", "no answer").source(std::io::Error::other("refused")),
        );
        assert_eq!(error.source().unwrap().to_string(), "refused");
        assert!(!error.to_string().contains("refused"));
        assert!(error.is_retryable() && !error.is_not_configured());
    }

    /// What `main` prints for the error that it returns.
    #[test]
    fn debug_of_a_report_has_one_line_for_each_member_with_its_causes() {
        let lost = ErrorDetail::builder("uri", "no address").source(std::io::Error::other("refused"));
        let env = ErrorDetail::builder("env", "no key is set").hint("set both variables");
        let reasons = vec![
            ("env", CredentialsError::not_configured(env)),
            ("uri", CredentialsError::not_configured(lost)),
        ];
        let error = CredentialsError::NoProvider(ChainReport::new(reasons));
        let text = "chain: no provider has credentials; configure one of them:\n  \
                    env: no key is set; set both variables\n  uri: no address";
        assert_eq!(error.to_string(), text);
        for shown in [format!("{error:?}"), format!("{error:#?}")] {
            let shown = shown
                .replace("\n    ", "\n")
                .replace(",\n)", ")")
                .replace("(\n", "(");
            assert_eq!(shown, format!("NoProvider({text}; because: refused)"));
        }
        let error = CredentialsError::NoProvider(ChainReport::new(Vec::new()));
        assert_eq!(format!("{error:?}"), format!("NoProvider({error})"));
    }
}
