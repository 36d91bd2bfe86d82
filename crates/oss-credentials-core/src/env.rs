//! The source of environment variables.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

/// Looks up variables. Providers never read the process environment implicitly.
///
/// ```
/// use oss_credentials_core::{Env, ProcessEnv};
/// assert_eq!(ProcessEnv.var("SURELY_NOT_SET_ANYWHERE"), None);
/// ```
pub trait Env: fmt::Debug + Send + Sync + 'static {
    /// Returns the value of `name`; `None` if it is not set. Parts that are not Unicode are replaced by U+FFFD, so
    /// that a variable that is set never counts as unset.
    fn var(&self, name: &str) -> Option<String>;

    /// Returns the path in `name`, unchanged where the environment contains paths that are not Unicode; `None` if it
    /// is not set or empty. Default: the value of [`var`](Self::var).
    fn path(&self, name: &str) -> Option<PathBuf> {
        self.non_empty(name).map(PathBuf::from)
    }

    /// Returns the value of `name`; an empty one counts as unset.
    fn non_empty(&self, name: &str) -> Option<String> {
        self.var(name).filter(|value| !value.is_empty())
    }

    /// Returns whether `name` is the word `true`, in any case. Anything else, including `1` and `yes`, is false.
    ///
    /// The official SDKs read their boolean variables in the same way.
    fn is_true(&self, name: &str) -> bool {
        self.var(name)
            .is_some_and(|value| value.eq_ignore_ascii_case("true"))
    }
}

/// The environment of this process.
///
/// ```
/// use oss_credentials_core::{Env, ProcessEnv};
/// assert_eq!(ProcessEnv.var("NOT_SET_IN_THIS_EXAMPLE"), None);
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct ProcessEnv;

impl Env for ProcessEnv {
    #[expect(
        clippy::disallowed_methods,
        reason = "the one place that reads the process environment"
    )]
    fn var(&self, name: &str) -> Option<String> {
        let value = std::env::var_os(name)?;
        Some(match value.into_string() {
            Ok(text) => text,
            Err(other) => other.to_string_lossy().into_owned(),
        })
    }

    #[expect(
        clippy::disallowed_methods,
        reason = "the other place that reads the process environment"
    )]
    fn path(&self, name: &str) -> Option<PathBuf> {
        let path = std::env::var_os(name)?;
        (!path.is_empty()).then(|| path.into())
    }
}

impl<T: Env + ?Sized> Env for Arc<T> {
    fn var(&self, name: &str) -> Option<String> {
        (**self).var(name)
    }

    fn path(&self, name: &str) -> Option<PathBuf> {
        (**self).path(name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// One variable, and the defaults of the trait.
    #[derive(Debug)]
    struct Only(&'static str);

    impl Env for Only {
        fn var(&self, name: &str) -> Option<String> {
            (name == "NAME").then(|| self.0.to_owned())
        }
    }

    #[test]
    fn an_empty_variable_is_set_but_counts_as_unset() {
        let (empty, full) = (Arc::new(Only("")), Arc::new(Only("/a/file")));
        assert_eq!(empty.var("NAME").as_deref(), Some(""));
        assert_eq!(empty.non_empty("NAME"), None);
        assert_eq!(empty.path("NAME"), None);
        assert_eq!(full.var("NAME").as_deref(), Some("/a/file"));
        assert_eq!(full.non_empty("NAME").as_deref(), Some("/a/file"));
        assert_eq!(full.path("NAME"), Some(PathBuf::from("/a/file")));
        assert_eq!(full.var("OTHER"), None);
        assert_eq!(full.path("OTHER"), None);
    }

    #[test]
    fn only_the_word_true_is_true() {
        for (value, expected) in [("true", true), ("TRUE", true), ("True", true)]
            .into_iter()
            .chain(["", "1", "yes", "true ", "false"].map(|value| (value, false)))
        {
            assert_eq!(Only(value).is_true("NAME"), expected, "{value:?}");
        }
        assert!(!Only("true").is_true("OTHER"));
    }

    #[test]
    #[expect(clippy::disallowed_methods, reason = "the value to compare with")]
    fn the_process_environment_is_read_as_it_is() {
        // Every system and cargo set it.
        let path = std::env::var_os("PATH").unwrap();
        let env = Arc::new(ProcessEnv);
        assert_eq!(env.var("PATH"), Some(path.to_string_lossy().into_owned()));
        assert_eq!(env.path("PATH"), Some(path.into()));
        assert_eq!(env.path("NOT_SET_IN_ANY_TEST"), None);
    }
}
