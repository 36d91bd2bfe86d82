//! Where settings come from.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

/// Looks up variables. Providers never read the process environment by themselves.
///
/// ```
/// use oss_credentials_core::{Env, ProcessEnv};
/// assert_eq!(ProcessEnv.var("SURELY_NOT_SET_ANYWHERE"), None);
/// ```
pub trait Env: fmt::Debug + Send + Sync + 'static {
    /// The value of `name`; `None` if it is not set. What is not Unicode in it is replaced by U+FFFD: a variable that
    /// somebody set must not count as unset.
    fn var(&self, name: &str) -> Option<String>;

    /// The path in `name`, as it is where the environment holds paths that are not Unicode; `None` if it is not set
    /// or empty. Default: what [`var`](Self::var) says.
    fn path(&self, name: &str) -> Option<PathBuf> {
        self.non_empty(name).map(PathBuf::from)
    }

    /// The value of `name`, where an empty one counts as not set.
    fn non_empty(&self, name: &str) -> Option<String> {
        self.var(name).filter(|value| !value.is_empty())
    }

    /// Whether `name` is the word `true`, in any case. Anything else, `1` and `yes` included, is false.
    ///
    /// That is how the official SDKs read their switches.
    fn is_true(&self, name: &str) -> bool {
        self.var(name)
            .is_some_and(|value| value.eq_ignore_ascii_case("true"))
    }
}

/// The environment of this process.
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
