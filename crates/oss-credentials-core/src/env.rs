//! Where settings come from.

use std::fmt;
use std::sync::Arc;

/// Looks up variables. Providers never read the process environment by themselves.
///
/// ```
/// use oss_credentials_core::{Env, ProcessEnv};
/// assert_eq!(ProcessEnv.var("SURELY_NOT_SET_ANYWHERE"), None);
/// ```
pub trait Env: fmt::Debug + Send + Sync + 'static {
    /// The value of `name`; `None` if it is not set or not Unicode.
    fn var(&self, name: &str) -> Option<String>;

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
        std::env::var(name).ok()
    }
}

impl<T: Env + ?Sized> Env for Arc<T> {
    fn var(&self, name: &str) -> Option<String> {
        (**self).var(name)
    }
}
