//! One profile in its file, and its place for errors.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};
use std::time::Duration;

use oss_credentials_core::{CredentialsError, ErrorDetail, ErrorDetailBuilder};
use serde::Deserialize;
use serde_json::value::RawValue;
use zeroize::Zeroizing;

use crate::NAME;

/// Vendor document: "AssumeRole" of the Security Token Service.
const SESSION_SECONDS: RangeInclusive<u64> = 900..=43_200;

/// What a profile is called in an INI file.
const SECTION: &str = "section";

/// Settings of providers, and the keys that hold them in the CLI's JSON and in an INI file.
const KEYS: &[(&str, &str, &str)] = &[
    ("role_arn", "ram_role_arn", "role_arn"),
    ("oidc_provider_arn", "oidc_provider_arn", "oidc_provider_arn"),
    ("oidc_token_file", "oidc_token_file", "oidc_token_file_path"),
    ("role_name", "ram_role_name", "role_name"),
    ("duration", "expired_seconds", "role_session_expiration"),
    ("external_id", "external_id", "external_id"),
    ("policy", "policy", "policy"),
    ("command", "process_command", "process_command"),
];

/// Which file, and which profile in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) file: PathBuf,
    /// `"profile"` or `"section"`.
    pub(crate) word: &'static str,
    pub(crate) name: String,
}

impl Place {
    /// `profile "x"`.
    pub(crate) fn subject(&self) -> String {
        format!("{} {:?}", self.word, self.name)
    }

    pub(crate) fn detail(&self, what: impl Into<Cow<'static, str>>) -> ErrorDetailBuilder {
        ErrorDetail::builder(NAME, what).place(self.file.to_string_lossy())
    }

    /// `the profile "x" <problem> (<file>); <hint>`.
    pub(crate) fn invalid(
        &self,
        problem: impl AsRef<str>,
        hint: impl Into<Cow<'static, str>>,
    ) -> CredentialsError {
        let what = format!("the {} {}", self.subject(), problem.as_ref());
        CredentialsError::invalid_config(self.detail(what).hint(hint))
    }

    /// Another crate's error about a value, with the place of the value.
    pub(crate) fn within(&self, error: &CredentialsError) -> CredentialsError {
        let error = &self.with_own_key(error.clone());
        let Some(inner) = error.detail() else {
            return error.clone();
        };
        let mut what = format!("in the {} {}", self.subject(), inner.what());
        if let Some(at) = inner.place() {
            what = format!("{what}: {at}");
        }
        let mut detail = self.detail(what).advice_of(inner);
        // The text is already shown; its causes are not.
        if std::error::Error::source(error).is_some() {
            detail = detail.source(error.clone());
        }
        match error {
            // Naming a profile asks for it: a chain must not continue.
            CredentialsError::Unavailable(_) => CredentialsError::unavailable(detail),
            _ => CredentialsError::invalid_config(detail),
        }
    }

    /// The error of the provider that the profile asks for, with the profile's place.
    pub(crate) fn set_up(&self, error: CredentialsError) -> CredentialsError {
        let Some(inner) = error.detail() else {
            return error;
        };
        // A place may be shown only in the form of an error.
        let own = self.detail("").build();
        let file = own.place().unwrap_or_default();
        if inner.provider() == NAME && inner.place() == Some(file) {
            return error;
        }
        let remark = format!("configured by the {} in {file}", self.subject());
        self.with_own_key(error).with_remark(&remark)
    }

    /// A provider's hint names its builder's method and its variable. Here it must name a key of the profile.
    fn with_own_key(&self, error: CredentialsError) -> CredentialsError {
        let setting = error.detail().and_then(ErrorDetail::setting);
        let known = setting.and_then(|setting| KEYS.iter().find(|(name, ..)| *name == setting));
        let Some(&(_, in_json, in_ini)) = known else {
            return error;
        };
        error.with_setting_label(if self.word == SECTION { in_ini } else { in_json })
    }
}

/// The fields of one profile.
pub(crate) struct Section<'a> {
    pub(crate) place: Place,
    values: Values<'a>,
}

enum Values<'a> {
    Json(&'a BTreeMap<String, &'a RawValue>),
    Ini(&'a BTreeMap<String, Zeroizing<String>>),
}

impl<'a> Section<'a> {
    pub(crate) fn json(file: &Path, name: &str, values: &'a BTreeMap<String, &'a RawValue>) -> Self {
        let place = Place {
            file: file.to_owned(),
            word: "profile",
            name: name.to_owned(),
        };
        Self {
            place,
            values: Values::Json(values),
        }
    }

    pub(crate) fn ini(file: &Path, name: &str, values: &'a BTreeMap<String, Zeroizing<String>>) -> Self {
        let place = Place {
            file: file.to_owned(),
            word: SECTION,
            name: name.to_owned(),
        };
        Self {
            place,
            values: Values::Ini(values),
        }
    }

    /// A text; `None` if it is missing, null or empty.
    pub(crate) fn secret(&self, key: &str) -> Result<Option<Zeroizing<String>>, CredentialsError> {
        let value = match &self.values {
            Values::Ini(values) => values.get(key).cloned(),
            Values::Json(values) => self.json_value(values, key, "a text in quotes")?,
        };
        Ok(value.filter(|value: &Zeroizing<String>| !value.is_empty()))
    }

    /// The same for a value that is not a secret.
    pub(crate) fn text(&self, key: &str) -> Result<Option<String>, CredentialsError> {
        Ok(self.secret(key)?.map(|mut text| std::mem::take(&mut *text)))
    }

    pub(crate) fn required_secret(&self, key: &str) -> Result<Zeroizing<String>, CredentialsError> {
        self.secret(key)?.ok_or_else(|| self.missing(key))
    }

    pub(crate) fn required(&self, key: &str) -> Result<String, CredentialsError> {
        self.text(key)?.ok_or_else(|| self.missing(key))
    }

    /// A whole number; `None` if it is missing or 0, which older CLIs wrote for unset values.
    pub(crate) fn number(&self, key: &str) -> Result<Option<u64>, CredentialsError> {
        let number = match &self.values {
            Values::Ini(_) => self
                .text(key)?
                .map(|text| {
                    text.parse()
                        .map_err(|_| self.malformed(key, "a whole number of 0 or more"))
                })
                .transpose()?,
            Values::Json(values) => self.json_value(values, key, "a whole number of 0 or more")?,
        };
        Ok(number.filter(|number| *number != 0))
    }

    /// Returns how long a role's session is to last; `None` for the default.
    pub(crate) fn session_length(&self, key: &str) -> Result<Option<Duration>, CredentialsError> {
        let Some(seconds) = self.number(key)? else {
            return Ok(None);
        };
        if !SESSION_SECONDS.contains(&seconds) {
            let problem = format!("has {seconds} in {key}, and sessions last 900 to 43200 seconds");
            return Err(self
                .place
                .invalid(problem, format!("correct {key}, or remove it")));
        }
        Ok(Some(Duration::from_secs(seconds)))
    }

    /// An instant in Unix seconds.
    #[cfg(any(feature = "oauth", feature = "sso"))]
    pub(crate) fn instant(&self, key: &str) -> Result<Option<std::time::SystemTime>, CredentialsError> {
        let seconds = self.number(key)?.map(Duration::from_secs);
        Ok(seconds.and_then(|seconds| std::time::SystemTime::UNIX_EPOCH.checked_add(seconds)))
    }

    /// A boolean of the JSON file; false if it is missing.
    pub(crate) fn switch(&self, key: &str) -> Result<bool, CredentialsError> {
        match &self.values {
            Values::Ini(_) => Ok(false),
            Values::Json(values) => Ok(self.json_value(values, key, "true or false")?.unwrap_or(false)),
        }
    }

    fn json_value<T: for<'d> Deserialize<'d>>(
        &self,
        values: &BTreeMap<String, &RawValue>,
        key: &str,
        expected: &str,
    ) -> Result<Option<T>, CredentialsError> {
        let Some(raw) = values.get(key) else {
            return Ok(None);
        };
        // The parser's own text may quote the value.
        serde_json::from_str(raw.get()).map_err(|_| self.malformed(key, expected))
    }

    fn malformed(&self, key: &str, expected: &str) -> CredentialsError {
        self.place.invalid(
            format!("has something other than {expected} in {key}"),
            format!("correct {key}"),
        )
    }

    pub(crate) fn missing(&self, key: &str) -> CredentialsError {
        self.place.invalid(format!("has no {key}"), format!("set {key}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hint_names_the_key_of_the_file() {
        for (setting, in_json, in_ini) in [
            ("role_arn", "ram_role_arn", "role_arn"),
            ("oidc_token_file", "oidc_token_file", "oidc_token_file_path"),
            ("role_name", "ram_role_name", "role_name"),
            ("duration", "expired_seconds", "role_session_expiration"),
            ("command", "process_command", "process_command"),
            // Of a provider that a profile has no key for.
            ("endpoint", "endpoint(..)", "endpoint(..)"),
        ] {
            for (word, key) in [("profile", in_json), (SECTION, in_ini)] {
                let place = Place {
                    file: "config".into(),
                    word,
                    name: "x".to_owned(),
                };
                let detail = ErrorDetail::builder("vault", "it is wrong")
                    .setting(setting)
                    .setting_label(format!("{setting}(..)"))
                    .hint("correct {setting}");
                let error = CredentialsError::denied(detail);
                assert_eq!(
                    place.set_up(error.clone()).to_string(),
                    format!("vault: it is wrong; correct {key}; configured by the {word} \"x\" in config")
                );
                assert_eq!(
                    place.within(&error).to_string(),
                    format!("profile: in the {word} \"x\" it is wrong (config); correct {key}")
                );
            }
        }
    }
}
