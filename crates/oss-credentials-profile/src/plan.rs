//! What a profile describes, complete and checked, before anything is built from it.

use std::time::Duration;

use oss_credentials_core::CredentialsError;
use zeroize::Zeroizing;

use crate::section::{Place, Section};

/// A parsed profile. Two that are equal need no new provider.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Plan {
    pub(crate) place: Place,
    pub(crate) mode: Mode,
}

impl Plan {
    /// Returns whether it runs a program, itself or for the keys of its role.
    pub(crate) fn runs_a_program(&self) -> bool {
        match &self.mode {
            Mode::Process(_) => true,
            Mode::AssumeRole { base, .. } => base.runs_a_program(),
            _ => false,
        }
    }

    /// Returns whether its file contains keys, a login, or something that may contain some: a command line, a URI.
    pub(crate) fn holds_secrets(&self) -> bool {
        match &self.mode {
            Mode::AssumeRole { base, .. } => base.holds_secrets(),
            Mode::EcsRamRole { .. } | Mode::Oidc { .. } => false,
            Mode::Keys(_) | Mode::Uri(_) | Mode::Process(_) | Mode::CloudSso(_) | Mode::OAuth(_) => true,
        }
    }
}

/// How a profile obtains its credentials: the modes of the CLI and the types of the credentials file.
#[derive(Clone, PartialEq, Eq)]
pub(crate) enum Mode {
    Keys(Keys),
    AssumeRole {
        base: Box<Plan>,
        role: Role,
    },
    EcsRamRole {
        role_name: Option<String>,
    },
    Oidc {
        role: Role,
        provider_arn: String,
        token_file: String,
    },
    Uri(Zeroizing<String>),
    Process(Zeroizing<String>),
    /// The login's tokens are in the file, and are read at each fetch.
    CloudSso(CloudSso),
    OAuth(Site),
}

impl Mode {
    /// The mode in one word, for logs.
    pub(crate) fn word(&self) -> &'static str {
        match self {
            Self::Keys(_) => "keys",
            Self::AssumeRole { .. } => "sts-assume-role",
            Self::EcsRamRole { .. } => "ecs-ram-role",
            Self::Oidc { .. } => "oidc-rrsa",
            Self::Uri(_) => "uri",
            Self::Process(_) => "process",
            Self::CloudSso(_) => "cloud-sso",
            Self::OAuth(_) => "oauth",
        }
    }
}

#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Keys {
    pub(crate) id: String,
    pub(crate) secret: Zeroizing<String>,
    pub(crate) token: Option<Zeroizing<String>>,
}

impl Keys {
    /// An access key pair; half a pair is an error that names the other half.
    pub(crate) fn pair(section: &Section<'_>, id: &str, secret: &str) -> Result<Self, CredentialsError> {
        Ok(Self {
            id: section.required(id)?,
            secret: section.required_secret(secret)?,
            token: None,
        })
    }
}

#[derive(Clone, Default, PartialEq, Eq)]
pub(crate) struct Role {
    pub(crate) arn: String,
    pub(crate) session_name: Option<String>,
    pub(crate) duration: Option<Duration>,
    pub(crate) policy: Option<String>,
    pub(crate) external_id: Option<String>,
    pub(crate) region: Option<String>,
    pub(crate) vpc: bool,
    pub(crate) endpoint: Option<String>,
}

#[derive(Clone, PartialEq, Eq)]
pub(crate) struct CloudSso {
    pub(crate) sign_in_url: String,
    pub(crate) account_id: String,
    pub(crate) access_config: String,
}

/// Where an OAuth login was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Site {
    China,
    International,
}
