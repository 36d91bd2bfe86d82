//! The provider that a profile describes. The code for a mode may be left out of the build.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use oss_credentials_core::{
    Clock, Credentials, CredentialsError, CredentialsProvider, CredentialsSource, Env, RefreshingProvider,
    Sleep,
};
use oss_credentials_http::HttpClient;

use crate::NAME;
use crate::config::ENV_DISABLE_EXTERNAL_PROCESS;
use crate::plan::{CloudSso, Keys, Mode, Plan, Role, Site};
use crate::section::Place;

/// Longer than any exchange that will end.
#[cfg(any(feature = "oauth", feature = "sso"))]
const EXCHANGING: Duration = Duration::from_secs(20);
/// Longer than the wait for the lock on the file.
#[cfg(feature = "write-back")]
#[cfg_attr(
    not(any(feature = "oauth", feature = "process")),
    allow(dead_code, reason = "nothing is stored")
)]
const STORING: Duration = Duration::from_secs(20);

/// What inner providers are built with.
#[cfg_attr(
    not(all(
        feature = "oauth",
        feature = "sso",
        any(feature = "ecs-ram-role", feature = "oidc-rrsa", feature = "sts-assume-role")
    )),
    allow(dead_code, reason = "modes that are left out need less")
)]
#[derive(Debug)]
pub(crate) struct Context {
    pub(crate) http: Option<Arc<dyn HttpClient>>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) sleep: Option<Arc<dyn Sleep>>,
    pub(crate) allow_http: bool,
    pub(crate) allow_programs: bool,
    pub(crate) endpoints: Endpoints,
    pub(crate) write_back: bool,
    pub(crate) switches: Switches,
}

/// The endpoints in variables, kept for the profiles that will need one. The providers check them.
#[derive(Default)]
pub(crate) struct Endpoints(Vec<(&'static str, String)>);

impl Endpoints {
    pub(crate) fn of(env: &dyn Env) -> Self {
        let names: [Option<&'static str>; 2] = [
            #[cfg(feature = "sts-assume-role")]
            Some(oss_credentials_sts_assume_role::ENV_STS_ENDPOINT),
            #[cfg(all(feature = "oidc-rrsa", not(feature = "sts-assume-role")))]
            Some(oss_credentials_oidc_rrsa::ENV_STS_ENDPOINT),
            #[cfg(not(any(feature = "oidc-rrsa", feature = "sts-assume-role")))]
            None,
            #[cfg(feature = "ecs-ram-role")]
            Some(oss_credentials_ecs_ram_role::ENV_ENDPOINT),
            #[cfg(not(feature = "ecs-ram-role"))]
            None,
        ];
        let set = names.into_iter().flatten();
        Self(
            set.filter_map(|name| Some((name, env.non_empty(name)?)))
                .collect(),
        )
    }
}

impl Env for Endpoints {
    fn var(&self, name: &str) -> Option<String> {
        let mut all = self.0.iter();
        all.find(|(known, _)| *known == name)
            .map(|(_, value)| value.clone())
    }
}

impl fmt::Debug for Endpoints {
    /// The values are not checked yet, and may contain a user name and a password.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list()
            .entries(self.0.iter().map(|(name, _)| name))
            .finish()
    }
}

/// What the environment disables for all profiles.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Switches {
    metadata_disabled: bool,
    metadata_v1_disabled: bool,
    external_disabled: bool,
}

impl Switches {
    pub(crate) fn of(env: &dyn Env) -> Self {
        Self {
            external_disabled: env.is_true(ENV_DISABLE_EXTERNAL_PROCESS)
                || env.non_empty(ENV_DISABLE_EXTERNAL_PROCESS).as_deref() == Some("1"),
            ..Self::of_metadata(env)
        }
    }

    #[cfg(feature = "ecs-ram-role")]
    fn of_metadata(env: &dyn Env) -> Self {
        Self {
            metadata_disabled: env.is_true(oss_credentials_ecs_ram_role::ENV_DISABLED),
            metadata_v1_disabled: env.is_true(oss_credentials_ecs_ram_role::ENV_V1_DISABLED),
            external_disabled: false,
        }
    }

    #[cfg(not(feature = "ecs-ram-role"))]
    fn of_metadata(_: &dyn Env) -> Self {
        Self::default()
    }
}

/// The provider that a profile describes, built.
pub(crate) struct Inner {
    pub(crate) provider: Arc<dyn CredentialsProvider>,
    /// The service that it calls, for reports; `None` if the service is in the profile itself, or there is none.
    pub(crate) endpoint: Option<String>,
}

impl Inner {
    fn new(provider: impl CredentialsProvider) -> Self {
        Self {
            provider: Arc::new(provider),
            endpoint: None,
        }
    }

    #[cfg(any(feature = "ecs-ram-role", feature = "oidc-rrsa", feature = "sts-assume-role"))]
    fn asking(self, endpoint: impl Into<String>) -> Self {
        Self {
            endpoint: Some(endpoint.into()),
            ..self
        }
    }
}

type Built = Result<Inner, CredentialsError>;

#[cfg_attr(
    not(all(feature = "oauth", feature = "sso")),
    allow(dead_code, reason = "modes that are left out need less")
)]
impl Context {
    /// Builds it; nothing is sent, read or run yet.
    pub(crate) fn provider(&self, plan: &Plan) -> Built {
        let place = &plan.place;
        match &plan.mode {
            Mode::Keys(keys) => fixed(place, keys),
            Mode::AssumeRole { base, role } => self.assume_role(place, self.provider(base)?.provider, role),
            Mode::EcsRamRole { role_name } => self.ecs_ram_role(place, role_name.as_deref()),
            Mode::Oidc {
                role,
                provider_arn,
                token_file,
            } => self.oidc(place, role, provider_arn, token_file),
            Mode::Uri(_) if self.switches.external_disabled => Err(forbidden(place, "has a credentials URI")),
            Mode::Uri(uri) => self.uri(place, uri),
            Mode::Process(_) if self.switches.external_disabled => Err(forbidden(place, "runs a program")),
            Mode::Process(_) if !self.allow_programs => Err(place.invalid(
                "runs a program, which allow_programs(false) forbids",
                "use another profile, or remove allow_programs(false)",
            )),
            Mode::Process(command) => self.process(place, command),
            Mode::CloudSso(settings) => self.cloud_sso(place, settings),
            Mode::OAuth(site) => self.oauth(place, *site),
        }
    }

    /// For the modes that send requests.
    fn http(&self, place: &Place) -> Result<Arc<dyn HttpClient>, CredentialsError> {
        self.http.clone().ok_or_else(|| {
            place.invalid(
                "needs an HTTP client, and there is none",
                "pass one with http_client(..), or enable the feature `reqwest`",
            )
        })
    }

    /// A cache around a source; `limit` is longer than any fetch that makes progress.
    fn refreshing(&self, source: impl CredentialsSource, limit: Duration) -> Inner {
        let provider = RefreshingProvider::builder(source)
            .clock(Arc::clone(&self.clock))
            .attempt_limit(limit)
            .background_refresh(true);
        Inner::new(provider.build())
    }
}

/// The error of a mode that the environment disables.
fn forbidden(place: &Place, what: &str) -> CredentialsError {
    place.invalid(
        format!("{what}, which {ENV_DISABLE_EXTERNAL_PROCESS} forbids"),
        "use another profile, or unset that variable",
    )
}

/// Keys that are in the file.
fn fixed(place: &Place, keys: &Keys) -> Built {
    let mut built = Credentials::builder(keys.id.clone(), keys.secret.as_str())
        .source(NAME)
        .strict();
    if let Some(token) = &keys.token {
        built = built.security_token(token.as_str());
    }
    Ok(Inner::new(built.build().map_err(|error| place.within(&error))?))
}

/// The error of a mode that was left out of the build.
#[cfg(not(all(
    feature = "ecs-ram-role",
    feature = "oauth",
    feature = "oidc-rrsa",
    feature = "process",
    feature = "sso",
    feature = "sts-assume-role",
    feature = "uri"
)))]
fn left_out(place: &Place, what: &str, feature: &str) -> Built {
    Err(place.invalid(
        format!("{what}, which this build does not support"),
        format!("enable the feature `{feature}` of oss-credentials-profile"),
    ))
}

/// What a profile says about a role, in a builder of either provider over STS: they have no trait in common.
#[cfg(any(feature = "oidc-rrsa", feature = "sts-assume-role"))]
macro_rules! with_settings_of_role {
    ($context:ident, $role:ident, $builder:ident) => {{
        let mut builder = $builder
            .endpoint_env(&$context.endpoints)
            .vpc($role.vpc)
            .clock(Arc::clone(&$context.clock));
        if let Some(name) = &$role.session_name {
            builder = builder.role_session_name(name.as_str());
        }
        if let Some(duration) = $role.duration {
            builder = builder.duration(duration);
        }
        if let Some(policy) = &$role.policy {
            builder = builder.policy(policy.as_str());
        }
        if let Some(region) = &$role.region {
            builder = builder.region(region.as_str());
        }
        if let Some(endpoint) = &$role.endpoint {
            builder = builder.endpoint(endpoint.as_str());
        }
        if let Some(sleep) = &$context.sleep {
            builder = builder.sleep(Arc::clone(sleep));
        }
        builder
    }};
}

impl Context {
    #[cfg(feature = "sts-assume-role")]
    fn assume_role(&self, place: &Place, base: Arc<dyn CredentialsProvider>, role: &Role) -> Built {
        let mut builder = oss_credentials_sts_assume_role::StsAssumeRole::builder(base)
            .role_arn(role.arn.as_str())
            .http_client(self.http(place)?);
        if let Some(external_id) = &role.external_id {
            builder = builder.external_id(external_id.as_str());
        }
        let builder = with_settings_of_role!(self, role, builder);
        let provider = builder.build().map_err(|error| place.within(&error))?;
        let endpoint = provider.source().endpoint();
        Ok(Inner::new(provider).asking(endpoint))
    }

    #[cfg(not(feature = "sts-assume-role"))]
    #[expect(clippy::unused_self, reason = "as with the feature")]
    fn assume_role(&self, place: &Place, _: Arc<dyn CredentialsProvider>, _: &Role) -> Built {
        left_out(place, "assumes a role", "sts-assume-role")
    }

    #[cfg(feature = "oidc-rrsa")]
    fn oidc(&self, place: &Place, role: &Role, provider_arn: &str, token_file: &str) -> Built {
        let builder = oss_credentials_oidc_rrsa::OidcRrsa::builder()
            .role_arn(role.arn.as_str())
            .oidc_provider_arn(provider_arn)
            .oidc_token_file(token_file)
            .http_client(self.http(place)?);
        let builder = with_settings_of_role!(self, role, builder);
        let provider = builder.build().map_err(|error| place.within(&error))?;
        let endpoint = provider.source().endpoint();
        Ok(Inner::new(provider).asking(endpoint))
    }

    #[cfg(not(feature = "oidc-rrsa"))]
    #[expect(clippy::unused_self, reason = "as with the feature")]
    fn oidc(&self, place: &Place, _: &Role, _: &str, _: &str) -> Built {
        left_out(place, "takes an OIDC token", "oidc-rrsa")
    }

    #[cfg(feature = "ecs-ram-role")]
    fn ecs_ram_role(&self, place: &Place, role_name: Option<&str>) -> Built {
        let mut builder = oss_credentials_ecs_ram_role::EcsRamRole::builder()
            .disabled(self.switches.metadata_disabled)
            .allow_v1(!self.switches.metadata_v1_disabled)
            .endpoint_env(&self.endpoints)
            // The profile says that there is one.
            .required(true)
            .http_client(self.http(place)?)
            .clock(Arc::clone(&self.clock));
        if let Some(role_name) = role_name {
            builder = builder.role_name(role_name);
        }
        let provider = builder.build().map_err(|error| place.within(&error))?;
        let endpoint = provider.source().endpoint().to_owned();
        Ok(Inner::new(provider).asking(endpoint))
    }

    #[cfg(not(feature = "ecs-ram-role"))]
    fn ecs_ram_role(&self, place: &Place, _: Option<&str>) -> Built {
        let _ = (
            self.switches.metadata_disabled,
            self.switches.metadata_v1_disabled,
        );
        left_out(place, "uses the role of an instance", "ecs-ram-role")
    }

    #[cfg(feature = "uri")]
    fn uri(&self, place: &Place, uri: &str) -> Built {
        let builder = oss_credentials_uri::CredentialsUri::builder()
            .uri(uri)
            .allow_http(self.allow_http)
            .http_client(self.http(place)?)
            .clock(Arc::clone(&self.clock));
        Ok(Inner::new(builder.build().map_err(|error| place.within(&error))?))
    }

    #[cfg(not(feature = "uri"))]
    #[expect(clippy::unused_self, reason = "as with the feature")]
    fn uri(&self, place: &Place, _: &str) -> Built {
        left_out(place, "has a credentials URI", "uri")
    }

    #[cfg(feature = "process")]
    fn process(&self, place: &Place, command: &str) -> Built {
        let builder = oss_credentials_process::CredentialsProcess::builder()
            .command_line(command)
            .clock(Arc::clone(&self.clock));
        #[cfg(feature = "write-back")]
        if self.write_back {
            let source = builder.build_source().map_err(|error| place.within(&error))?;
            let mode = Mode::Process(command.to_owned().into());
            let source = crate::login::Stored::new(place.clone(), mode, source);
            let limit = oss_credentials_process::DEFAULT_TIME_LIMIT + STORING;
            return Ok(self.refreshing(source, limit));
        }
        Ok(Inner::new(builder.build().map_err(|error| place.within(&error))?))
    }

    #[cfg(not(feature = "process"))]
    #[expect(clippy::unused_self, reason = "as with the feature")]
    fn process(&self, place: &Place, _: &str) -> Built {
        left_out(place, "runs a program", "process")
    }

    #[cfg(feature = "sso")]
    fn cloud_sso(&self, place: &Place, settings: &CloudSso) -> Built {
        let source = crate::login::CloudSsoSource::new(
            place.clone(),
            settings,
            self.allow_http,
            self.http(place)?,
            Arc::clone(&self.clock),
        )?;
        Ok(self.refreshing(source, EXCHANGING))
    }

    #[cfg(not(feature = "sso"))]
    #[expect(clippy::unused_self, reason = "as with the feature")]
    fn cloud_sso(&self, place: &Place, _: &CloudSso) -> Built {
        left_out(place, "is a login of CloudSSO", "sso")
    }

    #[cfg(feature = "oauth")]
    fn oauth(&self, place: &Place, site: Site) -> Built {
        let source = crate::login::OAuthSource::new(
            place.clone(),
            site,
            self.write_back,
            self.http(place)?,
            Arc::clone(&self.clock),
            self.sleep.clone(),
        );
        // Two exchanges, each after waiting for the lock. Giving one up would lose the login.
        Ok(self.refreshing(source, 2 * (EXCHANGING + STORING)))
    }

    #[cfg(not(feature = "oauth"))]
    #[expect(clippy::unused_self, reason = "as with the feature")]
    fn oauth(&self, place: &Place, _: Site) -> Built {
        left_out(place, "is an OAuth login", "oauth")
    }
}
