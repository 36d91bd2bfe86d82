//! The provider.

use std::fmt;
use std::sync::Arc;

use oss_credentials_core::{
    Credentials, CredentialsError, CredentialsFuture, CredentialsProvider, Env, ErrorDetail, ProcessEnv,
};

use crate::config::Family;

const NAME: &str = "env";

/// A provider of credentials from environment variables, read on every call.
///
/// - The first family of variables that has both ID and secret is used, with its token if there is one.
/// - A family with only one of the two is an error, even if a complete family follows. Continuing would
///   use a different identity from the one that someone began to configure.
/// - An empty variable counts as unset. A token alone does not configure a family.
/// - Values are not trimmed; a value with a line end or white space around it is refused.
///
/// [`CredentialsProvider::cached`] returns what the environment contains at that moment.
///
/// # Examples
///
/// ```
/// use oss_credentials_core::{blocking, test_util::FakeEnv, CredentialsProvider};
/// use oss_credentials_env::EnvProvider;
///
/// // `EnvProvider::new()` reads the environment of the process.
/// let env = FakeEnv::from([("OSS_ACCESS_KEY_ID", "id"), ("OSS_ACCESS_KEY_SECRET", "secret")]);
/// let provider = EnvProvider::with_env(env);
/// assert_eq!(blocking::wait(provider.credentials())?.access_key_id(), "id");
/// # Ok::<(), oss_credentials_core::CredentialsError>(())
/// ```
#[derive(Clone)]
pub struct EnvProvider {
    env: Arc<dyn Env>,
    families: Arc<[Family]>,
}

impl EnvProvider {
    /// Creates a provider that reads the environment of the process.
    pub fn new() -> Self {
        Self::with_env(ProcessEnv)
    }

    /// Creates a provider that reads the given environment.
    pub fn with_env(env: impl Env) -> Self {
        Self {
            env: Arc::new(env),
            families: Arc::from(Family::DEFAULT),
        }
    }

    /// Sets which families are read, in this order. Default: [`Family::DEFAULT`].
    ///
    /// For a program that has nothing to do with OSS, use `[Family::AlibabaCloud]`. With no family at all, every
    /// call is an error.
    #[must_use]
    pub fn families(mut self, families: impl IntoIterator<Item = Family>) -> Self {
        self.families = families.into_iter().collect();
        self
    }

    fn read(&self) -> Result<Credentials, CredentialsError> {
        for &family in &*self.families {
            let id = self.env.non_empty(family.access_key_id());
            let secret = self.env.non_empty(family.access_key_secret());
            let is_set = (id.is_some(), secret.is_some());
            // Overwrites what it was given, also where it is dropped.
            let builder = Credentials::builder(id.unwrap_or_default(), secret.unwrap_or_default());
            match is_set {
                (true, true) => {
                    let token = self.env.non_empty(family.security_token()).unwrap_or_default();
                    let built = builder.security_token(token).source(NAME).strict().build();
                    return built.map_err(|error| refused(family, error));
                }
                (true, false) => {
                    return Err(half_set(family.access_key_id(), family.access_key_secret()));
                }
                (false, true) => {
                    return Err(half_set(family.access_key_secret(), family.access_key_id()));
                }
                (false, false) => {}
            }
        }
        Err(self.nothing_set())
    }

    fn nothing_set(&self) -> CredentialsError {
        if self.families.is_empty() {
            return CredentialsError::invalid_config(
                ErrorDetail::builder(NAME, "no family of variables is chosen")
                    .hint("pass at least one to `EnvProvider::families`"),
            );
        }
        let pair = |family: &Family| format!("{} and {}", family.access_key_id(), family.access_key_secret());
        let looked_for = self.families.iter().map(pair).collect::<Vec<_>>().join(", or ");
        CredentialsError::not_configured(
            ErrorDetail::builder(NAME, "no access key pair is set")
                .place(&looked_for)
                .hint("set both variables of a pair"),
        )
    }
}

impl Default for EnvProvider {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for EnvProvider {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Whatever `Debug` of the `Env` shows might contain values.
        f.debug_struct("EnvProvider")
            .field("families", &self.families)
            .finish_non_exhaustive()
    }
}

impl CredentialsProvider for EnvProvider {
    fn name(&self) -> &'static str {
        NAME
    }

    fn credentials(&self) -> CredentialsFuture<'_> {
        CredentialsFuture::ready(self.read())
    }

    fn cached(&self) -> Option<Credentials> {
        self.read().ok()
    }
}

fn half_set(present: &str, missing: &str) -> CredentialsError {
    CredentialsError::invalid_config(
        ErrorDetail::builder(
            NAME,
            format!("{present} is set, but {missing} is not or is empty"),
        )
        .hint(format!("set {missing}, or unset {present}")),
    )
}

/// The builder reports what is wrong with a value, but not which variable it came from.
fn refused(family: Family, error: CredentialsError) -> CredentialsError {
    let Some(detail) = error.detail() else {
        return error;
    };
    let place = match detail.setting() {
        Some("access_key_id") => family.access_key_id(),
        Some("access_key_secret") => family.access_key_secret(),
        _ => family.security_token(),
    };
    CredentialsError::invalid_config(
        ErrorDetail::builder(NAME, detail.what().to_owned())
            .place(place)
            .hint("set the value exactly as the service issued it"),
    )
}
