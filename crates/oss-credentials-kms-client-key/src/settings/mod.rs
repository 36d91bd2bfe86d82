//! The settings of a provider: each setting in code, in the environment or in a file, and what they mean together.

pub(crate) mod disk;
#[cfg(feature = "instance-gateway")]
pub(crate) mod instance;
mod layered;
pub(crate) mod properties;
pub(crate) mod region;
pub(crate) mod shown;

#[cfg(not(feature = "instance-gateway"))]
use std::convert::Infallible;
use std::path::PathBuf;
use std::sync::Arc;

use oss_credentials_core::{CredentialsError, Env, ErrorDetail};
use zeroize::Zeroizing;

#[cfg(feature = "instance-gateway")]
use self::instance::KmsInstance;
use self::layered::{Layered, Texts};
use self::properties::Properties;
use self::region::KmsRegion;
use crate::client_key::source::{KeySource, Password};
use crate::client_key::variables::Variables;
use crate::client_key::{ClientKey, ENV_CLIENT_KEY_PASSWORD, NOT_PROVIDED, PasswordSource};
use crate::config::{
    CLIENT_KEY, ENV_CLIENT_KEY_FILE, ENV_CREDENTIALS_TYPE, ENV_INSTANCES, ENV_PASSWORD_FILE,
    ENV_PASSWORD_VARIABLE, ENV_REGIONS, ENV_SECRET_NAMES,
};
use crate::error::{NAME, invalid, invalid_at};

#[cfg(feature = "instance-gateway")]
type Instances = Vec<KmsInstance>;
#[cfg(not(feature = "instance-gateway"))]
type Instances = Infallible;

/// The settings of a provider that have names. No `Debug`, as for [`Layered`].
pub(crate) struct Settings {
    /// Not by file: it goes before all that is said about one.
    pub(crate) key: Option<ClientKey>,
    pub(crate) password: Option<Zeroizing<String>>,
    pub(crate) credentials_type: Layered<String>,
    pub(crate) key_file: Layered<PathBuf>,
    pub(crate) password_variable: Layered<String>,
    pub(crate) password_file: Layered<PathBuf>,
    pub(crate) regions: Layered<Vec<KmsRegion>>,
    pub(crate) instances: Layered<Instances>,
    pub(crate) secret_name: Layered<String>,
    variables: Variables,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            key: None,
            password: None,
            credentials_type: Layered::new(ENV_CREDENTIALS_TYPE),
            key_file: Layered::new(ENV_CLIENT_KEY_FILE),
            password_variable: Layered::new(ENV_PASSWORD_VARIABLE),
            password_file: Layered::new(ENV_PASSWORD_FILE),
            regions: Layered::new(ENV_REGIONS),
            instances: Layered::new(ENV_INSTANCES),
            secret_name: Layered::new(ENV_SECRET_NAMES),
            variables: Variables::default(),
        }
    }
}

impl Settings {
    pub(crate) fn read_env(&mut self, env: &dyn Env) {
        for texts in self.unset() {
            texts.read_env(env);
        }
        if !self.password_is_set() || self.instances.text().is_some() {
            self.read_variables(env);
        }
    }

    pub(crate) fn read_file(&mut self, file: &Properties) {
        for texts in self.unset() {
            texts.read_file(file);
        }
        self.variables.expect_more();
    }

    /// The settings that are not made in code, and so are looked for elsewhere.
    fn unset(&mut self) -> impl Iterator<Item = &mut Texts> {
        let key = !self.key_is_set();
        let password = !self.password_is_set();
        let places = self.wants_places();
        let secret = self.secret_name.code().is_none();
        let all = [
            (key, self.credentials_type.texts_mut()),
            (key, self.key_file.texts_mut()),
            (password, self.password_variable.texts_mut()),
            (password, self.password_file.texts_mut()),
            (places, self.regions.texts_mut()),
            (places, self.instances.texts_mut()),
            (secret, self.secret_name.texts_mut()),
        ];
        let unset = all.into_iter().filter(|(is_unset, _)| *is_unset);
        unset.map(|(_, texts)| texts)
    }

    /// Reads the variables that hold a password: the one of a fixed name, and those that settings name.
    fn read_variables(&mut self, env: &dyn Env) {
        let mut names = vec![ENV_CLIENT_KEY_PASSWORD.to_owned()];
        names.extend(self.password_variable.text().map(str::to_owned));
        #[cfg(feature = "instance-gateway")]
        names.extend(
            self.instances
                .text()
                .into_iter()
                .flat_map(instance::password_variables),
        );
        self.variables.read(env, names.iter().map(String::as_str));
    }

    fn key_is_set(&self) -> bool {
        self.key.is_some() || self.key_file.code().is_some()
    }

    fn password_is_set(&self) -> bool {
        self.key.is_some() || self.password.is_some() || self.password_file.code().is_some()
    }

    /// Whether no region and no instance is set in code: lists replace each other and are never joined.
    fn wants_places(&self) -> bool {
        self.regions.code().is_none() && self.instances.code().is_none()
    }

    /// Whether anything outside of the code says that this source is meant.
    pub(crate) fn is_meant(&self) -> bool {
        self.credentials_type.text().is_some()
            || self.key_file.text().is_some()
            || self.instances.text().is_some()
    }

    /// `client_key` is the only type that is supported.
    pub(crate) fn check_type(&self) -> Result<(), CredentialsError> {
        let Some(kind) = self.credentials_type.text().filter(|_| !self.key_is_set()) else {
            return Ok(());
        };
        let elsewhere = match kind {
            CLIENT_KEY => return Ok(()),
            "ak" | "token" => Some("oss-credentials-static"),
            "sts" | "ram_role" => Some("oss-credentials-sts-assume-role"),
            "ecs_ram_role" => Some("oss-credentials-ecs-ram-role"),
            "oidc_role_arn" => Some("oss-credentials-oidc-rrsa"),
            _ => None,
        };
        Err(match elsewhere {
            Some(name) => invalid_at(
                ENV_CREDENTIALS_TYPE,
                format!("the credentials type {kind} is not a client key"),
                format!("set it to client_key, or get credentials of that kind from the crate {name}"),
            ),
            // Not repeated: if lines are mixed up, there may be a key.
            None => invalid_at(
                ENV_CREDENTIALS_TYPE,
                "the credentials type is unknown",
                "set it to client_key, with an underscore",
            ),
        })
    }

    /// The name set in code, or the one in `secret_names`.
    pub(crate) fn secret_name(&self) -> Result<String, CredentialsError> {
        let name = self.secret_name.resolve(only_name)?;
        let name = name.filter(|name| !name.trim().is_empty()).ok_or_else(|| {
            invalid(
                "no secret is named",
                format!(
                    "name the one with the access key pair with secret_name(..), or with {ENV_SECRET_NAMES} in the \
                     environment or the properties file"
                ),
            )
        })?;
        if name.chars().any(|c| c.is_control() || c.is_whitespace()) {
            let what = "the name of the secret contains white space or a control character";
            return Err(invalid(what, "correct secret_name(..)"));
        }
        Ok(name)
    }

    /// The regions to ask; none if only instances are named.
    pub(crate) fn regions(&self, has_instances: bool) -> Result<Vec<KmsRegion>, CredentialsError> {
        let regions = if self.wants_places() {
            self.regions.resolve(region::parse)?
        } else {
            self.regions.code().cloned()
        };
        let regions = regions.unwrap_or_default();
        if !regions.is_empty() || has_instances {
            return Ok(regions);
        }
        if !self.key_is_set() && !self.is_meant() {
            return Err(not_configured());
        }
        let hint = format!("set {ENV_REGIONS}=[{{\"regionId\":\"cn-hangzhou\"}}], or region(..)");
        Err(invalid("no region is named", hint))
    }

    #[cfg(feature = "instance-gateway")]
    pub(crate) fn instances(&self) -> Result<Vec<KmsInstance>, CredentialsError> {
        let instances = if self.wants_places() {
            let parse = |text: &str| instance::parse(text, &self.variables);
            self.instances.resolve(parse)?
        } else {
            self.instances.code().cloned()
        };
        Ok(instances.unwrap_or_default())
    }

    /// In a build without instances: that none is named.
    #[cfg(not(feature = "instance-gateway"))]
    pub(crate) fn no_instances(&self) -> Result<(), CredentialsError> {
        if self.wants_places() && self.instances.text().is_some() {
            return Err(invalid_at(
                ENV_INSTANCES,
                "a KMS instance is named, which this build does not support",
                "enable the feature `instance-gateway`",
            ));
        }
        Ok(())
    }

    /// The client key of the regions, and of instances without one of their own.
    pub(crate) fn key(&self) -> Result<Arc<KeySource>, CredentialsError> {
        if let Some(key) = &self.key {
            return Ok(Arc::new(KeySource::ready(key.clone())));
        }
        let path = match self.key_file.code() {
            Some(path) => path.clone(),
            None => self.named_key_file()?,
        };
        if path.as_os_str().is_empty() {
            let what = "the path of the client key file is empty";
            return Err(invalid(what, "correct client_key_file(..)"));
        }
        Ok(Arc::new(KeySource::file(path, self.password()?)))
    }

    fn named_key_file(&self) -> Result<PathBuf, CredentialsError> {
        match (self.key_file.text(), self.credentials_type.text()) {
            (Some(path), Some(_)) => Ok(path.into()),
            (Some(_), None) => Err(invalid_at(
                ENV_CREDENTIALS_TYPE,
                "a client key file is named, but no credentials type",
                format!("set {ENV_CREDENTIALS_TYPE}=client_key"),
            )),
            (None, Some(_)) => Err(invalid_at(
                ENV_CLIENT_KEY_FILE,
                "no client key file is named",
                format!("set {ENV_CLIENT_KEY_FILE} to its path, or client_key_file(..)"),
            )),
            (None, None) => Err(not_configured()),
        }
    }

    /// Where to look for the password of the client key file.
    pub(crate) fn password(&self) -> Result<Password, CredentialsError> {
        if let Some(password) = &self.password {
            if password.is_empty() {
                let hint = "give client_key_password(..) the password that KMS showed beside the client key";
                return Err(invalid("the password of the client key is empty", hint));
            }
            return Ok(Password::Text(password.clone()));
        }
        let mut source = PasswordSource::new();
        if let Some(path) = self.password_file.code() {
            return Ok(Password::Source(source.file(path), Variables::default()));
        }
        if let Some(name) = self.password_variable.text() {
            self.variables.check(name, ENV_PASSWORD_VARIABLE)?;
            source = source.env_variable(name);
        }
        if let Some(path) = self.password_file.text() {
            source = source.file(path);
        }
        Password::source(source, self.variables.clone()).map_err(|error| {
            if self.variables.is_complete() {
                return error;
            }
            let hint = format!(
                "call client_key_password(..) or client_key_password_file(..), set {ENV_PASSWORD_FILE}, or let env(..) \
                 read the variable {ENV_CLIENT_KEY_PASSWORD}"
            );
            invalid(NOT_PROVIDED, hint)
        })
    }
}

/// The only name in a list that is separated by commas.
fn only_name(names: &str) -> Result<String, CredentialsError> {
    let mut names = names.split(',').map(str::trim).filter(|name| !name.is_empty());
    match (names.next(), names.next()) {
        (name, None) => Ok(name.unwrap_or_default().to_owned()),
        _ => Err(invalid_at(
            ENV_SECRET_NAMES,
            "there is more than one secret to choose from",
            "name the one with the access key pair with secret_name(..)",
        )),
    }
}

pub(crate) fn not_configured() -> CredentialsError {
    let hint = format!(
        "set {ENV_CREDENTIALS_TYPE}=client_key, {ENV_CLIENT_KEY_FILE}, its password and {ENV_REGIONS} in the \
         environment or in a properties file, or the builder's methods for them"
    );
    CredentialsError::not_configured(ErrorDetail::builder(NAME, "no client key is named").hint(hint))
}

#[cfg(test)]
mod tests;
