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
