//! The members of the default chain. A provider may be left out of the build.

use std::fmt;
use std::sync::Arc;

use oss_credentials_core::{Clock, CredentialsError, CredentialsProvider, Env, ErrorDetail, Sleep};
use oss_credentials_http::HttpClient;

#[cfg(feature = "ecs-ram-role")]
use crate::config::ECS_RAM_ROLE;
#[cfg(feature = "env")]
use crate::config::ENV;
#[cfg(feature = "oidc-rrsa")]
use crate::config::OIDC_RRSA;
#[cfg(feature = "profile")]
use crate::config::PROFILE;
use crate::config::SET_UP_BY;
#[cfg(feature = "uri")]
use crate::config::URI;

/// A provider, or why it could not be built.
pub(crate) type Built = Result<Arc<dyn CredentialsProvider>, CredentialsError>;

/// Where a member gets its credentials from, for reports. Never contains a secret.
type Place = Box<dyn Fn() -> Option<String> + Send + Sync>;

pub(crate) struct Member {
    pub(crate) name: &'static str,
    pub(crate) provider: Built,
    place: Option<Place>,
}

impl Member {
    pub(crate) fn new(name: &'static str, provider: Built) -> Self {
        Self {
            name,
            provider,
            place: None,
        }
    }

    /// As an error shows it, without control characters: paths and names come from outside.
    pub(crate) fn place(&self) -> Option<String> {
        let place = self.place.as_ref()?()?;
        let detail = ErrorDetail::builder(self.name, "").place(place).build();
        detail.place().map(str::to_owned)
    }
}

impl fmt::Debug for Member {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Member")
            .field("name", &self.name)
            .field("provider", &self.provider)
            .finish_non_exhaustive()
    }
}

/// The settings for the default members.
#[cfg_attr(
    not(all(feature = "ecs-ram-role", feature = "oidc-rrsa")),
    allow(dead_code, reason = "members that are left out need less")
)]
pub(crate) struct Parts {
    pub(crate) env: Arc<dyn Env>,
    pub(crate) http: Option<Arc<dyn HttpClient>>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) sleep: Option<Arc<dyn Sleep>>,
    /// The only member that is used, if one is pinned.
    pub(crate) pinned: Option<&'static str>,
    /// Whether a profile may run a program.
    pub(crate) allow_programs: bool,
}

impl Parts {
    /// Builds the default member of this name. Nothing is sent and no file is read.
    pub(crate) fn member(&self, name: &'static str) -> Member {
        match name {
            #[cfg(feature = "env")]
            ENV => self.env(),
            #[cfg(feature = "oidc-rrsa")]
            OIDC_RRSA => self.oidc_rrsa(),
            #[cfg(feature = "profile")]
            PROFILE => self.profile(),
            #[cfg(feature = "uri")]
            URI => self.uri(),
            #[cfg(feature = "ecs-ram-role")]
            ECS_RAM_ROLE => self.ecs_ram_role(),
            _ => left_out(name, &*self.env),
        }
    }
}

/// A member without a provider in this build: a chain continues, unless a variable shows that the member is wanted.
fn left_out(name: &'static str, env: &dyn Env) -> Member {
    let set = SET_UP_BY
        .iter()
        .filter(|(member, _)| *member == name)
        .find_map(|(_, variable)| env.non_empty(variable).map(|_| *variable));
    let error = match set {
        Some(variable) => CredentialsError::invalid_config(
            ErrorDetail::builder(
                name,
                format!("this build does not have it, and {variable} is set"),
            )
            .hint(format!(
                "enable the feature `{name}` of oss-credentials, unset {variable}, or drop the member with \
                     without(..)"
            )),
        ),
        None => {
            CredentialsError::not_configured(ErrorDetail::builder(name, "this build does not have it").hint(
                format!("enable the feature `{name}` of oss-credentials, if it is wanted"),
            ))
        }
    };
    Member::new(name, Err(error))
}

/// A member, and where its credentials are from.
#[cfg(any(
    feature = "ecs-ram-role",
    feature = "env",
    feature = "oidc-rrsa",
    feature = "profile",
    feature = "uri"
))]
fn member<P: CredentialsProvider + Clone>(
    name: &'static str,
    provider: Result<P, CredentialsError>,
    place: impl Fn(&P) -> Option<String> + Send + Sync + 'static,
) -> Member {
    match provider {
        Ok(provider) => {
            let asked = provider.clone();
            Member {
                name,
                provider: Ok(Arc::new(provider)),
                place: Some(Box::new(move || place(&asked))),
            }
        }
        Err(error) => Member::new(name, Err(error)),
    }
}

#[cfg(feature = "env")]
impl Parts {
    fn env(&self) -> Member {
        use oss_credentials_env::{EnvProvider, Family};

        let env = Arc::clone(&self.env);
        member(ENV, Ok(EnvProvider::with_env(Arc::clone(&env))), move |_| {
            let mut names = Family::DEFAULT.iter().map(|family| family.access_key_id());
            let name = names.find(|name| env.non_empty(name).is_some())?;
            Some(name.to_owned())
        })
    }
}

#[cfg(feature = "oidc-rrsa")]
impl Parts {
    fn oidc_rrsa(&self) -> Member {
        use oss_credentials_oidc_rrsa::OidcRrsa;

        let built = OidcRrsa::from_env(&*self.env).and_then(|builder| {
            let mut builder = builder.clock(Arc::clone(&self.clock));
            if let Some(http) = &self.http {
                builder = builder.http_client(Arc::clone(http));
            }
            if let Some(sleep) = &self.sleep {
                builder = builder.sleep(Arc::clone(sleep));
            }
            builder.build()
        });
        member(OIDC_RRSA, built, |provider| {
            let source = provider.source();
            let (file, session) = (source.oidc_token_file().display(), source.role_session_name());
            Some(format!("{file}, session {session}, {}", source.endpoint()))
        })
    }
}

#[cfg(feature = "profile")]
impl Parts {
    fn profile(&self) -> Member {
        use oss_credentials_profile::ProfileProvider;

        let built = ProfileProvider::from_env(&*self.env).and_then(|builder| {
            let mut builder = builder
                .clock(Arc::clone(&self.clock))
                .allow_programs(self.allow_programs);
            if let Some(http) = &self.http {
                builder = builder.http_client(Arc::clone(http));
            }
            if let Some(sleep) = &self.sleep {
                builder = builder.sleep(Arc::clone(sleep));
            }
            builder.build()
        });
        member(PROFILE, built, |provider| {
            let found = provider.in_use()?;
            let (file, profile, kind) = (found.file().display(), found.profile(), found.kind());
            let mut place = format!("{file}, profile {profile:?}, {kind}");
            if let Some(endpoint) = found.endpoint() {
                place = format!("{place}, {endpoint}");
            }
            if found.is_readable_by_others() {
                place.push_str("; other users may read the file");
            }
            Some(place)
        })
    }
}

#[cfg(feature = "uri")]
impl Parts {
    fn uri(&self) -> Member {
        use oss_credentials_uri::CredentialsUri;

        let built = CredentialsUri::from_env(&*self.env).and_then(|builder| {
            let mut builder = builder.clock(Arc::clone(&self.clock));
            if let Some(http) = &self.http {
                builder = builder.http_client(Arc::clone(http));
            }
            builder.build()
        });
        member(URI, built, |provider| Some(provider.source().place()))
    }
}

#[cfg(feature = "ecs-ram-role")]
impl Parts {
    fn ecs_ram_role(&self) -> Member {
        use oss_credentials_ecs_ram_role::EcsRamRole;

        let built = EcsRamRole::from_env(&*self.env).and_then(|builder| {
            let mut builder = builder.clock(Arc::clone(&self.clock));
            if let Some(http) = &self.http {
                builder = builder.http_client(Arc::clone(http));
            }
            // Otherwise the provider finds out whether this is an instance at all.
            if self.pinned == Some(ECS_RAM_ROLE) {
                builder = builder.required(true);
            }
            builder.build()
        });
        member(ECS_RAM_ROLE, built, |provider| {
            let source = provider.source();
            let role = source.role_name().map(|role| format!(", role {role}"));
            Some(format!("{}{}", source.endpoint(), role.unwrap_or_default()))
        })
    }
}

/// One client for all members, so that they share its connections. That of `ureq` blocks, so it is taken only where there
/// is nothing else. Without either feature members that need a client say so.
#[cfg_attr(
    all(feature = "ureq", not(feature = "reqwest")),
    expect(clippy::unnecessary_wraps, reason = "without either feature there is none")
)]
pub(crate) fn default_http_client() -> Option<Arc<dyn HttpClient>> {
    #[cfg(all(feature = "ureq", not(feature = "reqwest")))]
    return Some(Arc::new(oss_credentials_ureq::UreqClient::new()));
    #[cfg(not(all(feature = "ureq", not(feature = "reqwest"))))]
    oss_credentials_http::default_http_client!()
}
