//! Variables that may hold passwords.

use std::collections::BTreeMap;
use std::fmt;

use oss_credentials_core::{CredentialsError, Env};
use zeroize::Zeroizing;

use crate::error::invalid_at;

/// The variables with passwords, as they were when the environment was read: later changes do not count.
#[derive(Clone, Default)]
pub(crate) struct Variables {
    values: BTreeMap<String, Zeroizing<String>>,
    /// Whether every variable that the settings name was looked up.
    is_complete: bool,
}

impl Variables {
    pub(crate) fn read<'a>(&mut self, env: &dyn Env, names: impl IntoIterator<Item = &'a str>) {
        for name in names {
            if let Some(value) = env.var(name) {
                self.values.insert(name.to_owned(), Zeroizing::new(value));
            }
        }
        self.is_complete = true;
    }

    /// More settings were read, which may name other variables.
    pub(crate) fn expect_more(&mut self) {
        self.is_complete = false;
    }

    pub(crate) fn is_complete(&self) -> bool {
        self.is_complete
    }

    /// A variable that a file names can be read only once the file was.
    pub(crate) fn check(&self, name: &str, setting: &str) -> Result<(), CredentialsError> {
        if self.is_complete || self.values.contains_key(name) {
            return Ok(());
        }
        Err(invalid_at(
            setting,
            "the password is in a variable, but the environment was not read",
            "call env(..) after properties(..)",
        ))
    }
}

impl Env for Variables {
    fn var(&self, name: &str) -> Option<String> {
        self.values.get(name).map(|value| value.as_str().to_owned())
    }
}

impl fmt::Debug for Variables {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // A password may stand where a name belongs.
        f.write_str("Variables(..)")
    }
}
