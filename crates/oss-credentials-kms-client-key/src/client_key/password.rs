//! The source of the client key's password.

use std::fmt;
use std::path::{Path, PathBuf};

use oss_credentials_core::{CredentialsError, Env, ErrorDetail};
use zeroize::Zeroizing;

use crate::config::{ENV_PASSWORD_FILE, ENV_PASSWORD_VARIABLE, MAX_FILE};
use crate::error::{NAME, invalid_at};
use crate::settings::{disk, shown};

/// Variable that is read last. Its name is in lower case, as in the vendor's clients.
pub const ENV_CLIENT_KEY_PASSWORD: &str = "client_key_password";

const KIND: disk::Kind = disk::Kind {
    name: "password file of the client key",
    setting: "the path of the password file, `client_key_password_from_file_path`",
    key: ENV_PASSWORD_FILE,
    limit: MAX_FILE,
};

/// What failed if no place has a password.
pub(crate) const NOT_PROVIDED: &str = "the password of the client key was not provided";

/// The places to read the password of a client key from.
///
/// The order is that of the vendor's clients (observed from them): the variable that
/// [`PasswordSource::env_variable`] names, unless it is empty; then the file, whose content is final; then
/// the variable [`ENV_CLIENT_KEY_PASSWORD`].
///
/// A byte order mark and white space around the password in the file are ignored. A line break within the
/// password is an error: the vendor's clients disagree about its meaning.
///
/// # Examples
///
/// ```
/// use oss_credentials_core::ProcessEnv;
/// use oss_credentials_kms_client_key::PasswordSource;
///
/// let source = PasswordSource::new().env_variable("KMS_KEY_PASSWORD_THAT_IS_NOT_SET");
/// let error = source.read(&ProcessEnv).unwrap_err();
/// assert!(error.to_string().contains("KMS_KEY_PASSWORD_THAT_IS_NOT_SET"));
/// ```
#[derive(Clone)]
pub struct PasswordSource {
    variable: Option<String>,
    file: Option<PathBuf>,
    /// Names of the settings that name variable and file, for messages.
    variable_setting: &'static str,
    file_setting: &'static str,
}

impl PasswordSource {
    /// Creates a source that reads only [`ENV_CLIENT_KEY_PASSWORD`].
    pub fn new() -> Self {
        Self {
            variable: None,
            file: None,
            variable_setting: ENV_PASSWORD_VARIABLE,
            file_setting: ENV_PASSWORD_FILE,
        }
    }

    /// That of an entry of [`ENV_INSTANCES`](crate::ENV_INSTANCES), where settings have other names.
    #[cfg(feature = "instance-gateway")]
    pub(crate) fn of_instance() -> Self {
        Self {
            variable_setting: "passwordFromEnvVariable",
            file_setting: "passwordFromFilePath",
            ..Self::new()
        }
    }

    /// Sets the name of the variable to read first; an empty name counts as none. Default: none.
    ///
    /// The setting `client_key_password_from_env_variable` of the vendor's clients.
    #[must_use]
    pub fn env_variable(mut self, name: impl Into<String>) -> Self {
        self.variable = Some(name.into()).filter(|name| !name.is_empty());
        self
    }

    /// Sets the path of the file to read second, at most 64 KiB; an empty path counts as none. Default: none.
    ///
    /// The setting `client_key_password_from_file_path` of the vendor's clients.
    #[must_use]
    pub fn file(mut self, path: impl Into<PathBuf>) -> Self {
        self.file = Some(path.into()).filter(|path| !path.as_os_str().is_empty());
        self
    }

    /// Reads the password now. It blocks while it reads a file.
    ///
    /// # Errors
    ///
    /// [`CredentialsError::InvalidConfig`] if all places are empty, naming them, or if the file is missing,
    /// not UTF-8, empty, or has more than one line; [`CredentialsError::Unavailable`] if reading fails.
    pub fn read(&self, env: &dyn Env) -> Result<ClientKeyPassword, CredentialsError> {
        let mut tried = Vec::new();
        let mut from_variable = |name: &str| {
            let value = env.var(name).map(Zeroizing::new);
            let state = if value.is_some() { "empty" } else { "not set" };
            tried.push(match shown::variable(name) {
                Some(name) => format!("variable {name} is {state}"),
                None => format!("the variable named by {} is {state}", self.variable_setting),
            });
            value.filter(|value| !value.is_empty()).map(ClientKeyPassword)
        };
        if let Some(password) = self.variable.as_deref().and_then(&mut from_variable) {
            return Ok(password);
        }
        if let Some(path) = &self.file {
            return from_file(path);
        }
        if let Some(password) = from_variable(ENV_CLIENT_KEY_PASSWORD) {
            return Ok(password);
        }
        let which = if tried.len() == 1 { "it" } else { "one of them" };
        Err(CredentialsError::invalid_config(
            ErrorDetail::builder(NAME, NOT_PROVIDED)
                .place(tried.join(", "))
                .hint(format!(
                    "set {which} to the password that KMS showed beside the client key, or {} to the path of a file \
                     that holds it",
                    self.file_setting
                )),
        ))
    }

    /// Whether a file is named. Without one, what the variables say is all there is.
    pub(crate) fn has_file(&self) -> bool {
        self.file.is_some()
    }
}

impl Default for PasswordSource {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for PasswordSource {
    /// Shows names and paths only if they look like ones: a password may be in their place.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let or_hidden = |shown: Option<String>| shown.unwrap_or_else(|| "<redacted>".to_owned());
        let variable = self
            .variable
            .as_deref()
            .map(|name| shown::variable(name).map(str::to_owned));
        let file = self.file.as_deref().map(|path| shown::path(path).map(Into::into));
        f.debug_struct("PasswordSource")
            .field("variable", &variable.map(or_hidden))
            .field("file", &file.map(or_hidden))
            .finish_non_exhaustive()
    }
}

fn from_file(path: &Path) -> Result<ClientKeyPassword, CredentialsError> {
    let content = KIND.read(path)?;
    let defect = |what: &'static str, hint: &'static str| invalid_at(KIND.place(path), what, hint);
    let text = str::from_utf8(&content).map_err(|_| {
        defect(
            "the password file of the client key is not UTF-8",
            "save it as UTF-8",
        )
    })?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let password = text.trim_matches(|c: char| c.is_ascii_whitespace());
    if password.is_empty() {
        return Err(defect(
            "the password file of the client key is empty",
            "write the password into it that KMS showed beside the client key",
        ));
    }
    if password.contains(['\r', '\n']) {
        return Err(defect(
            "the password file of the client key has more than one line",
            "leave only the password in it",
        ));
    }
    Ok(ClientKeyPassword(Zeroizing::new(password.to_owned())))
}

/// The password of a client key. It is overwritten on drop, and `Debug` does not show it.
#[derive(Clone)]
pub struct ClientKeyPassword(Zeroizing<String>);

impl ClientKeyPassword {
    /// Returns the password, to be passed to [`ClientKey::from_file`](super::ClientKey::from_file) or
    /// [`ClientKeyFile::open`](super::ClientKeyFile::open).
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for ClientKeyPassword {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ClientKeyPassword(<redacted>)")
    }
}
