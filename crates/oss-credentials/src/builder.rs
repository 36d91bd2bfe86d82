//! Settings of the default chain.

use std::sync::Arc;

use oss_credentials_core::{
    ChainPolicy, ChainProvider, Clock, CredentialsError, CredentialsProvider, Env, ErrorDetail, ProcessEnv,
    Sleep, SystemClock,
};
use oss_credentials_http::HttpClient;

use crate::NAME;
use crate::config::{DEFAULT_ORDER, ENV_CREDENTIALS_PROVIDER};
use crate::members::{Built, Member, Parts, default_http_client};
use crate::provider::{DefaultProvider, Pin};

/// Longest wrong name of a member that an error shows.
const LONGEST_NAME: usize = 32;

/// Builds a [`DefaultProvider`]; see [`DefaultProvider::builder`].
#[derive(Debug)]
#[must_use]
pub struct DefaultProviderBuilder {
    env: Arc<dyn Env>,
    http_client: Option<Arc<dyn HttpClient>>,
    clock: Arc<dyn Clock>,
    sleep: Option<Arc<dyn Sleep>>,
    policy: ChainPolicy,
    allow_programs: bool,
    own: Vec<(&'static str, Built)>,
    order: Option<Vec<String>>,
    without: Vec<String>,
    only: Option<String>,
    only_label: &'static str,
}

impl DefaultProviderBuilder {
    pub(crate) fn new() -> Self {
        Self {
            env: Arc::new(ProcessEnv),
            http_client: None,
            clock: Arc::new(SystemClock),
            sleep: None,
            policy: ChainPolicy::default(),
            allow_programs: true,
            own: Vec::new(),
            order: None,
            without: Vec::new(),
            only: None,
            only_label: "only(..)",
        }
    }

    /// Sets where variables are looked up. Default: the environment of the process.
    pub fn env(mut self, env: impl Env) -> Self {
        self.env = Arc::new(env);
        self
    }

    /// Sets the HTTP client of the default members. Default: with the feature `reqwest`, one
    /// `ReqwestClient::new()` for all of them, which works inside a tokio runtime; otherwise with the feature `ureq`,
    /// one `UreqClient::new()`, which blocks; otherwise none, and members that need one fail when they are called.
    pub fn http_client(mut self, client: impl HttpClient) -> Self {
        self.http_client = Some(Arc::new(client));
        self
    }

    /// Sets the clock of the default members and their caches. Default: the system's.
    pub fn clock(mut self, clock: impl Clock) -> Self {
        self.clock = Arc::new(clock);
        self
    }

    /// Sets the timer for retries of the default members. Default: with the feature `tokio`, its timer, in calls
    /// inside a runtime that has one; otherwise none.
    pub fn sleep(mut self, sleep: impl Sleep) -> Self {
        self.sleep = Some(Arc::new(sleep));
        self
    }

    /// Sets what happens when a configured member fails. Default: [`ChainPolicy::StopOnFailure`].
    ///
    /// [`ChainPolicy::ContinueOnFailure`] is the behavior of the vendor's SDKs. The program may then act as a different
    /// identity than its operator intended; a warning is logged each time.
    pub fn policy(mut self, policy: ChainPolicy) -> Self {
        self.policy = policy;
        self
    }

    /// Sets whether the default member `profile` may run the program that a profile names. If not, such a profile is
    /// [`CredentialsError::InvalidConfig`], at which the chain stops. Default: yes, unless
    /// `ALIBABA_CLOUD_DISABLE_EXTERNAL_PROCESS` forbids it.
    pub fn allow_programs(mut self, allow: bool) -> Self {
        self.allow_programs = allow;
        self
    }

    /// Adds a member after the others. With the name of a default member, it replaces that member, for
    /// settings that no variable has. An `Err`, such as the result of a provider's builder, is what the member returns.
    ///
    /// # Examples
    ///
    /// ```
    /// use oss_credentials::{Credentials, DefaultProvider};
    ///
    /// let vault = Credentials::builder("LTAI5tEXAMPLEKEYID", "EXAMPLE").source("vault").build();
    /// let provider = DefaultProvider::builder()
    ///     .member("vault", vault)
    ///     // The vault first, and of the default members only the environment.
    ///     .order(["vault", "env"])
    ///     .build()?;
    /// assert_eq!(provider.member_names().collect::<Vec<_>>(), ["vault", "env"]);
    /// # Ok::<(), oss_credentials::CredentialsError>(())
    /// ```
    pub fn member(
        mut self,
        name: &'static str,
        provider: Result<impl CredentialsProvider, CredentialsError>,
    ) -> Self {
        self.own.retain(|(own, _)| *own != name);
        let provider = provider.map(|provider| Arc::new(provider) as Arc<dyn CredentialsProvider>);
        self.own.push((name, provider));
        self
    }

    /// Uses exactly these members, in this order. Default: [`DEFAULT_ORDER`], then those that
    /// [`member`](Self::member) added.
    pub fn order(mut self, names: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.order = Some(names.into_iter().map(Into::into).collect());
        self
    }

    /// Removes a member.
    pub fn without(mut self, name: impl Into<String>) -> Self {
        self.without.push(name.into());
        self
    }

    /// Uses only this member; [`ENV_CREDENTIALS_PROVIDER`] is then not read. Default: the member in that
    /// variable, otherwise all members.
    pub fn only(mut self, name: impl Into<String>) -> Self {
        self.only = Some(name.into());
        self
    }

    /// Sets what errors and [`Explanation::pinned_by`](crate::Explanation::pinned_by) name as the origin of
    /// [`only`](Self::only), such as the flag of a program. Default: `"only(..)"`.
    pub fn only_label(mut self, label: &'static str) -> Self {
        self.only_label = label;
        self
    }

    /// Builds the provider. Settings are read from the environment now, keys on each call; nothing is sent, and no
    /// file is read. A partially configured or malformed member is not an error here: the chain returns its error
    /// when it reaches that member.
    ///
    /// # Errors
    ///
    /// [`CredentialsError::InvalidConfig`] if a name, in code or in [`ENV_CREDENTIALS_PROVIDER`], is not the name of a
    /// member, or if a member is named twice.
    pub fn build(mut self) -> Result<DefaultProvider, CredentialsError> {
        let mut names = self.names()?;
        let pin = self.pin(&names)?;
        if let Some(pin) = &pin {
            names = vec![pin.name];
        }
        let parts = Parts {
            env: self.env,
            http: self.http_client.or_else(default_http_client),
            clock: Arc::clone(&self.clock),
            sleep: self.sleep,
            pinned: pin.as_ref().map(|pin| pin.name),
            allow_programs: self.allow_programs,
        };
        let mut members = Vec::new();
        let mut chain = ChainProvider::builder().policy(self.policy);
        for name in names {
            let member = match self.own.iter().position(|(own, _)| *own == name) {
                Some(index) => Member::new(name, self.own.swap_remove(index).1),
                None => parts.member(name),
            };
            chain = chain.member(name, member.provider.clone());
            members.push(member);
        }
        Ok(DefaultProvider::new(
            chain.build(),
            members,
            self.policy,
            pin,
            self.clock,
        ))
    }

    /// The members' names in their order.
    fn names(&self) -> Result<Vec<&'static str>, CredentialsError> {
        let mut known = DEFAULT_ORDER.to_vec();
        known.extend(
            self.own
                .iter()
                .map(|(name, _)| *name)
                .filter(|name| !DEFAULT_ORDER.contains(name)),
        );
        let mut names = known.clone();
        if let Some(order) = &self.order {
            names.clear();
            for wanted in order {
                let name = find(wanted, &known, "order(..)")?;
                if names.contains(&name) {
                    let what = format!("{name:?} is named twice");
                    let detail = ErrorDetail::builder(NAME, what).place("order(..)");
                    return Err(CredentialsError::invalid_config(detail.hint("name it once")));
                }
                names.push(name);
            }
        }
        for dropped in &self.without {
            let dropped = find(dropped, &known, "without(..)")?;
            names.retain(|name| *name != dropped);
        }
        Ok(names)
    }

    fn pin(&self, names: &[&'static str]) -> Result<Option<Pin>, CredentialsError> {
        let (wanted, by) = match &self.only {
            Some(name) => (name.clone(), self.only_label),
            None => match self.env.non_empty(ENV_CREDENTIALS_PROVIDER) {
                Some(name) => (name, ENV_CREDENTIALS_PROVIDER),
                None => return Ok(None),
            },
        };
        let name = find(&wanted, names, by)?;
        Ok(Some(Pin { name, by }))
    }
}

/// The member of this name.
fn find(wanted: &str, names: &[&'static str], place: &'static str) -> Result<&'static str, CredentialsError> {
    names.iter().copied().find(|name| *name == wanted).ok_or_else(|| {
        // Whatever the value is, it may be a secret in the wrong place; those have capital letters.
        let is_name = wanted.len() <= LONGEST_NAME
            && wanted
                .bytes()
                .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-');
        let what = if is_name {
            format!("there is no member {wanted:?} in the chain")
        } else {
            "there is no member of this name in the chain".to_owned()
        };
        let detail = ErrorDetail::builder(NAME, what)
            .place(place)
            .hint(format!("take one of: {}", names.join(", ")));
        CredentialsError::invalid_config(detail)
    })
}
