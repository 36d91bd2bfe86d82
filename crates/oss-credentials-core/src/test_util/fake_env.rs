//! Environments for tests.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Mutex, PoisonError};

use crate::env::Env;

/// An [`Env`] with the variables that the test sets, and none of the process.
///
/// Variables can be changed while a provider holds it (behind an `Arc`), as a program's environment can.
/// `Debug` shows names only.
///
/// ```
/// use oss_credentials_core::{Env, test_util::FakeEnv};
///
/// let env = FakeEnv::new().with("OSS_ACCESS_KEY_ID", "id");
/// assert_eq!(env.var("OSS_ACCESS_KEY_ID").as_deref(), Some("id"));
/// assert_eq!(env.var("PATH"), None);
/// env.unset("OSS_ACCESS_KEY_ID");
/// assert_eq!(env.var("OSS_ACCESS_KEY_ID"), None);
/// ```
#[derive(Default)]
pub struct FakeEnv(Mutex<BTreeMap<String, String>>);

impl FakeEnv {
    /// Creates an environment without variables.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a variable, or replaces its value.
    #[must_use]
    pub fn with(self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.set(name, value);
        self
    }

    /// Adds a variable, or replaces its value, while the environment is shared.
    pub fn set(&self, name: impl Into<String>, value: impl Into<String>) {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(name.into(), value.into());
    }

    /// Removes a variable.
    pub fn unset(&self, name: &str) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(name);
    }
}

impl<N: Into<String>, V: Into<String>> FromIterator<(N, V)> for FakeEnv {
    fn from_iter<I: IntoIterator<Item = (N, V)>>(variables: I) -> Self {
        let variables = variables
            .into_iter()
            .map(|(name, value)| (name.into(), value.into()));
        Self(Mutex::new(variables.collect()))
    }
}

impl<N: Into<String>, V: Into<String>, const COUNT: usize> From<[(N, V); COUNT]> for FakeEnv {
    fn from(variables: [(N, V); COUNT]) -> Self {
        variables.into_iter().collect()
    }
}

impl Env for FakeEnv {
    fn var(&self, name: &str) -> Option<String> {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .get(name)
            .cloned()
    }
}

impl fmt::Debug for FakeEnv {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let variables = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        f.write_str("FakeEnv")?;
        f.debug_set().entries(variables.keys()).finish()
    }
}

/// An [`Env`] that panics when it is read: it proves that explicit configuration does not read the environment.
///
/// ```should_panic
/// use oss_credentials_core::{Env, test_util::PanickingEnv};
/// PanickingEnv.var("ANY");
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct PanickingEnv;

impl Env for PanickingEnv {
    /// # Panics
    ///
    /// Always.
    #[expect(clippy::panic, reason = "a read of the environment is a failed test")]
    #[track_caller]
    fn var(&self, name: &str) -> Option<String> {
        panic!("the environment was read for {name}, though nothing should look there");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_shows_names_and_no_values() {
        let env = FakeEnv::from([("OSS_ACCESS_KEY_SECRET", "canary")]);
        assert_eq!(format!("{env:?}"), r#"FakeEnv{"OSS_ACCESS_KEY_SECRET"}"#);
    }

    #[test]
    fn an_empty_value_is_there_but_counts_as_unset() {
        let env = FakeEnv::new().with("A", "").with("B", "x").with("B", "y");
        assert_eq!((env.var("A").as_deref(), env.non_empty("A")), (Some(""), None));
        assert_eq!(env.var("B").as_deref(), Some("y"));
    }
}
