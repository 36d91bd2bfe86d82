//! Errors in the form that all of them share.

use std::borrow::Cow;

use oss_credentials_core::{CredentialsError, ErrorDetail};

/// Name of the provider in errors.
pub(crate) const NAME: &str = "kms-client-key";

/// A message without the provider's name, which already precedes it.
pub(crate) fn without_provider(detail: &ErrorDetail) -> String {
    let text = detail.to_string();
    text.strip_prefix(NAME)
        .and_then(|rest| rest.strip_prefix(": "))
        .unwrap_or(&text)
        .to_owned()
}

pub(crate) fn invalid(
    what: impl Into<Cow<'static, str>>,
    hint: impl Into<Cow<'static, str>>,
) -> CredentialsError {
    CredentialsError::invalid_config(ErrorDetail::builder(NAME, what).hint(hint))
}

pub(crate) fn invalid_at(
    place: impl AsRef<str>,
    what: impl Into<Cow<'static, str>>,
    hint: impl Into<Cow<'static, str>>,
) -> CredentialsError {
    CredentialsError::invalid_config(ErrorDetail::builder(NAME, what).place(place).hint(hint))
}
