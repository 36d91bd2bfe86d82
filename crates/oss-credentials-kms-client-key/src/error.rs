//! Errors of settings, in the form that all of them share.

use std::borrow::Cow;

use oss_credentials_core::{CredentialsError, ErrorDetail};

/// Name of the provider in errors.
pub(crate) const NAME: &str = "kms-client-key";

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
