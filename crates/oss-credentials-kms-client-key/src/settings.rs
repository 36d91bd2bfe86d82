//! Settings as texts, from the environment and from a file, before they are parsed.

use oss_credentials_core::{CredentialsError, Env};

use crate::client_key::{ENV_CLIENT_KEY_PASSWORD, PasswordSource};
use crate::config::{
    CLIENT_KEY, ENV_CLIENT_KEY_FILE, ENV_CREDENTIALS_TYPE, ENV_INSTANCES, ENV_PASSWORD_FILE,
    ENV_PASSWORD_VARIABLE, ENV_REGIONS, ENV_SECRET_NAMES,
};
use crate::error::invalid_at;
use crate::key::Captured;

/// The settings in one place. An empty text counts as unset. No `Debug`: a password may be where its variable's name
/// belongs, and the list of instances may contain one.
#[derive(Clone, Default)]
pub(crate) struct Layer {
    pub(crate) credentials_type: Option<String>,
    pub(crate) key_file: Option<String>,
    pub(crate) password_variable: Option<String>,
    pub(crate) password_file: Option<String>,
    pub(crate) regions: Option<String>,
    pub(crate) instances: Option<String>,
    pub(crate) secret_names: Option<String>,
}

/// Which settings are already made in code, and so are not read.
#[derive(Clone, Copy)]
#[expect(clippy::struct_excessive_bools, reason = "four settings, each wanted or not")]
pub(crate) struct Wanted {
    pub(crate) key: bool,
    pub(crate) password: bool,
    pub(crate) places: bool,
    pub(crate) secret: bool,
}

impl Layer {
    pub(crate) fn read(wanted: Wanted, get: impl Fn(&str) -> Option<String>) -> Self {
        let get = |wanted: bool, name| if wanted { get(name) } else { None };
        Self {
            credentials_type: get(wanted.key, ENV_CREDENTIALS_TYPE),
            key_file: get(wanted.key, ENV_CLIENT_KEY_FILE),
            password_variable: get(wanted.password, ENV_PASSWORD_VARIABLE),
            password_file: get(wanted.password, ENV_PASSWORD_FILE),
            regions: get(wanted.places, ENV_REGIONS),
            instances: get(wanted.places, ENV_INSTANCES),
            secret_names: get(wanted.secret, ENV_SECRET_NAMES),
        }
    }
}

/// The environment takes precedence over the file, for each setting separately.
#[derive(Clone, Default)]
pub(crate) struct Settings {
    pub(crate) env: Layer,
    pub(crate) file: Layer,
    /// Variables that hold passwords.
    pub(crate) captured: Captured,
    pub(crate) env_was_read: bool,
}

impl Settings {
    fn pick(&self, field: impl Fn(&Layer) -> &Option<String>) -> Option<&str> {
        field(&self.env).as_deref().or(field(&self.file).as_deref())
    }

    pub(crate) fn key_file(&self) -> Option<&str> {
        self.pick(|layer| &layer.key_file)
    }

    pub(crate) fn regions(&self) -> Option<&str> {
        self.pick(|layer| &layer.regions)
    }

    pub(crate) fn instances(&self) -> Option<&str> {
        self.pick(|layer| &layer.instances)
    }

    pub(crate) fn has_type(&self) -> bool {
        self.pick(|layer| &layer.credentials_type).is_some()
    }

    /// Whether anything here configures this source.
    pub(crate) fn is_meant(&self) -> bool {
        self.has_type() || self.key_file().is_some() || self.instances().is_some()
    }

    /// Reads the variables that hold a password: the one of a fixed name, and those that settings name.
    pub(crate) fn capture(&mut self, env: &dyn Env) {
        let mut names = vec![ENV_CLIENT_KEY_PASSWORD.to_owned()];
        names.extend(self.pick(|layer| &layer.password_variable).map(str::to_owned));
        #[cfg(feature = "instance-gateway")]
        names.extend(
            self.instances()
                .into_iter()
                .flat_map(crate::instance::password_variables),
        );
        for name in names {
            self.captured.capture(env, &name);
        }
        self.env_was_read = true;
    }

    /// Where to look for the password of the client key file.
    pub(crate) fn password(&self) -> Result<(PasswordSource, Captured), CredentialsError> {
        let mut source = PasswordSource::new();
        if let Some(name) = self.pick(|layer| &layer.password_variable) {
            self.check_variable(name, ENV_PASSWORD_VARIABLE)?;
            source = source.env_variable(name);
        }
        if let Some(path) = self.pick(|layer| &layer.password_file) {
            source = source.file(path);
        }
        Ok((source, self.captured.clone()))
    }

    /// A variable that a file names can be read only once the file was.
    pub(crate) fn check_variable(&self, name: &str, setting: &str) -> Result<(), CredentialsError> {
        if self.env_was_read || self.captured.var(name).is_some() {
            return Ok(());
        }
        Err(invalid_at(
            setting,
            "the password is in a variable, but the environment was not read",
            "call env(..) after properties(..)",
        ))
    }

    /// `client_key` is the only type that is supported.
    pub(crate) fn check_type(&self) -> Result<(), CredentialsError> {
        let Some(kind) = self.pick(|layer| &layer.credentials_type) else {
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

    /// The name in `secret_names`, if it is one.
    pub(crate) fn secret_name(&self) -> Result<Option<String>, CredentialsError> {
        let Some(names) = self.pick(|layer| &layer.secret_names) else {
            return Ok(None);
        };
        let mut names = names.split(',').map(str::trim).filter(|name| !name.is_empty());
        match (names.next(), names.next()) {
            (name, None) => Ok(name.map(str::to_owned)),
            _ => Err(invalid_at(
                ENV_SECRET_NAMES,
                "there is more than one secret to choose from",
                "name the one with the AccessKey pair with secret_name(..)",
            )),
        }
    }
}

#[cfg(test)]
mod tests;
