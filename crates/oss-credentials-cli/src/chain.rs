//! The choice of credentials: flags that replace the variables of the default chain.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use acs_sts::{ENV_STS_ENDPOINT, ENV_STS_REGION, ENV_VPC_ENDPOINT_ENABLED, StsClient};
use clap::builder::PossibleValuesParser;
use clap::{Args, ValueEnum};
use oss_credentials::ecs_ram_role::{ENV_DISABLED, ENV_ENDPOINT, ENV_ROLE_NAME, ENV_V1_DISABLED};
use oss_credentials::env::Family;
use oss_credentials::http::HttpClient;
use oss_credentials::oidc_rrsa::{
    ENV_OIDC_PROVIDER_ARN, ENV_OIDC_TOKEN_FILE, ENV_ROLE_ARN, ENV_ROLE_SESSION_NAME,
};
use oss_credentials::profile::{
    ENV_CLI_PROFILE_DISABLED, ENV_CONFIG_FILE, ENV_CREDENTIALS_FILE, ENV_DISABLE_EXTERNAL_PROCESS,
    ENV_PROFILE,
};
use oss_credentials::reqwest::ReqwestClient;
use oss_credentials::uri::ENV_CREDENTIALS_URI;
use oss_credentials::{
    CredentialsError, DEFAULT_ORDER, DefaultProvider, ENV_CREDENTIALS_PROVIDER, Env, ProcessEnv,
};

use crate::failure::Failure;
use crate::files::read_text;

/// Longest credentials URI in a file, in bytes.
const LONGEST_URI: usize = 8192;
/// What pins the member that an agent has chosen, in errors and reports.
const BY_AGENT: &str = "the agent, until SIGHUP";

/// Flags that choose the credentials. A flag takes precedence over the variable in brackets. With a flag that belongs
/// to one source, only that source is used.
#[derive(Args, Clone, Debug, Default)]
#[command(next_help_heading = "Which credentials")]
#[expect(
    clippy::struct_excessive_bools,
    reason = "switches that are independent of each other"
)]
pub(crate) struct ChainOptions {
    /// Use only this member of the default chain [ALIBABA_CLOUD_CREDENTIALS_PROVIDER]
    #[arg(long, value_name = "MEMBER", value_parser = PossibleValuesParser::new(DEFAULT_ORDER))]
    pub(crate) provider: Option<String>,
    /// Use this profile of the aliyun CLI or of the SDKs; uses only `profile` [ALIBABA_CLOUD_PROFILE]
    #[arg(long, value_name = "NAME")]
    pub(crate) profile: Option<String>,
    /// Read this file of the aliyun CLI; uses only `profile` [ALIBABA_CLOUD_CONFIG_FILE]
    #[arg(long, value_name = "PATH", hide_short_help = true)]
    config_file: Option<PathBuf>,
    /// Read this file of the SDKs; uses only `profile` [ALIBABA_CLOUD_CREDENTIALS_FILE]
    #[arg(long, value_name = "PATH", hide_short_help = true)]
    credentials_file: Option<PathBuf>,
    /// Do not read the file of the aliyun CLI [ALIBABA_CLOUD_CLI_PROFILE_DISABLED]
    #[arg(long, hide_short_help = true)]
    no_cli_profile: bool,
    /// Do not let profiles run programs or use a credentials URI [ALIBABA_CLOUD_DISABLE_EXTERNAL_PROCESS]
    #[arg(long, hide_short_help = true)]
    no_programs: bool,
    /// Read keys only from these variables; uses only `env` [OSS_ACCESS_KEY_ID or ALIBABA_CLOUD_ACCESS_KEY_ID, and so
    /// on]
    #[arg(long, value_name = "FAMILY", value_enum, hide_short_help = true)]
    keys: Option<KeyFamily>,
    /// Read the credentials URI, which may contain a secret, from this file; uses only `uri`
    /// [ALIBABA_CLOUD_CREDENTIALS_URI]
    #[arg(long, value_name = "PATH", hide_short_help = true)]
    credentials_uri_file: Option<PathBuf>,
    /// The role for OIDC [ALIBABA_CLOUD_ROLE_ARN]
    #[arg(long, value_name = "ARN", hide_short_help = true)]
    role_arn: Option<String>,
    /// Name of the session of that role [ALIBABA_CLOUD_ROLE_SESSION_NAME]
    #[arg(long, value_name = "NAME", hide_short_help = true)]
    role_session_name: Option<String>,
    /// The OIDC provider; uses only `oidc-rrsa` [ALIBABA_CLOUD_OIDC_PROVIDER_ARN]
    #[arg(long, value_name = "ARN", hide_short_help = true)]
    oidc_provider_arn: Option<String>,
    /// The file with the OIDC token; uses only `oidc-rrsa` [ALIBABA_CLOUD_OIDC_TOKEN_FILE]
    #[arg(long, value_name = "PATH", hide_short_help = true)]
    oidc_token_file: Option<PathBuf>,
    /// The role of the ECS instance; uses only `ecs-ram-role` [ALIBABA_CLOUD_ECS_METADATA]
    #[arg(long, value_name = "NAME", hide_short_help = true)]
    ecs_role: Option<String>,
    /// Do not use instance metadata [ALIBABA_CLOUD_ECS_METADATA_DISABLED]
    #[arg(long, hide_short_help = true)]
    no_ecs_metadata: bool,
    /// Use instance metadata only with a token [ALIBABA_CLOUD_IMDSV1_DISABLED]
    #[arg(long, hide_short_help = true)]
    no_imdsv1: bool,
    /// Instance metadata on loopback; uses only `ecs-ram-role` [ALIBABA_CLOUD_ECS_METADATA_SERVICE_ENDPOINT]
    #[arg(long, value_name = "URL", hide_short_help = true)]
    ecs_metadata_endpoint: Option<String>,
    /// The host of STS [ALIBABA_CLOUD_STS_ENDPOINT]
    #[arg(long, value_name = "HOST", hide_short_help = true)]
    sts_endpoint: Option<String>,
    /// The region of STS [ALIBABA_CLOUD_STS_REGION]
    #[arg(long, value_name = "REGION", hide_short_help = true)]
    sts_region: Option<String>,
    /// Use the VPC endpoint of STS [ALIBABA_CLOUD_VPC_ENDPOINT_ENABLED]
    #[arg(long, hide_short_help = true)]
    vpc: bool,
}

/// The variables that keys are read from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum KeyFamily {
    /// `OSS_ACCESS_KEY_ID`, `OSS_ACCESS_KEY_SECRET`, `OSS_SESSION_TOKEN`
    Oss,
    /// `ALIBABA_CLOUD_ACCESS_KEY_ID`, `ALIBABA_CLOUD_ACCESS_KEY_SECRET`, `ALIBABA_CLOUD_SECURITY_TOKEN`
    AlibabaCloud,
}

impl KeyFamily {
    /// The family whose variables are then ignored.
    fn other(self) -> Family {
        match self {
            Self::Oss => Family::AlibabaCloud,
            Self::AlibabaCloud => Family::Oss,
        }
    }
}

/// The chain that the flags select, and what its members share.
#[derive(Clone, Debug)]
pub(crate) struct Chain {
    pub(crate) provider: DefaultProvider,
    pub(crate) env: Arc<ChosenEnv>,
    pub(crate) http: Arc<dyn HttpClient>,
}

impl ChainOptions {
    /// Builds the chain. Nothing is sent, and no file is read except that of `--credentials-uri-file`.
    pub(crate) fn chain(&self) -> Result<Chain, Failure> {
        Ok(Chain::new(Arc::new(self.env()?), None)?)
    }

    /// The environment with the changes by flags.
    pub(crate) fn env(&self) -> Result<ChosenEnv, Failure> {
        let pin = self.pin()?;
        let mut env = ChosenEnv::default();
        env.set(
            ENV_CREDENTIALS_PROVIDER,
            pin.as_ref().map(|pin| pin.member.clone()),
        );
        env.set(ENV_PROFILE, self.profile.as_ref());
        env.set(ENV_CONFIG_FILE, self.config_file.as_ref());
        env.set(ENV_CREDENTIALS_FILE, self.credentials_file.as_ref());
        env.set(ENV_ROLE_ARN, self.role_arn.as_ref());
        env.set(ENV_ROLE_SESSION_NAME, self.role_session_name.as_ref());
        env.set(ENV_OIDC_PROVIDER_ARN, self.oidc_provider_arn.as_ref());
        env.set(ENV_OIDC_TOKEN_FILE, self.oidc_token_file.as_ref());
        env.set(ENV_ROLE_NAME, self.ecs_role.as_ref());
        env.set(ENV_ENDPOINT, self.ecs_metadata_endpoint.as_ref());
        env.set(ENV_STS_ENDPOINT, self.sts_endpoint.as_ref());
        env.set(ENV_STS_REGION, self.sts_region.as_ref());
        for (name, is_on) in [
            (ENV_CLI_PROFILE_DISABLED, self.no_cli_profile),
            (ENV_DISABLE_EXTERNAL_PROCESS, self.no_programs),
            (ENV_DISABLED, self.no_ecs_metadata),
            (ENV_V1_DISABLED, self.no_imdsv1),
            (ENV_VPC_ENDPOINT_ENABLED, self.vpc),
        ] {
            env.set(name, is_on.then_some("true"));
        }
        if let Some(path) = &self.credentials_uri_file {
            env.set(
                ENV_CREDENTIALS_URI,
                Some(read_text("--credentials-uri-file", path, LONGEST_URI)?),
            );
        }
        if let Some(keys) = self.keys {
            let other = keys.other();
            for name in [
                other.access_key_id(),
                other.access_key_secret(),
                other.security_token(),
            ] {
                env.set(name, Some(""));
            }
        }
        Ok(ChosenEnv { pin, ..env })
    }

    /// The only member to use: the one that is named, otherwise the one whose settings are given.
    fn pin(&self) -> Result<Option<Pin>, Failure> {
        if let Some(provider) = &self.provider {
            return Ok(Some(Pin::new(provider, "--provider")));
        }
        let given = [
            ("--keys", "env", self.keys.is_some()),
            (
                "--oidc-provider-arn",
                "oidc-rrsa",
                self.oidc_provider_arn.is_some(),
            ),
            ("--oidc-token-file", "oidc-rrsa", self.oidc_token_file.is_some()),
            ("--profile", "profile", self.profile.is_some()),
            ("--config-file", "profile", self.config_file.is_some()),
            ("--credentials-file", "profile", self.credentials_file.is_some()),
            (
                "--credentials-uri-file",
                "uri",
                self.credentials_uri_file.is_some(),
            ),
            ("--ecs-role", "ecs-ram-role", self.ecs_role.is_some()),
            (
                "--ecs-metadata-endpoint",
                "ecs-ram-role",
                self.ecs_metadata_endpoint.is_some(),
            ),
        ];
        let mut given = given.into_iter().filter(|(_, _, is_given)| *is_given);
        let Some((flag, member, _)) = given.next() else {
            return Ok(None);
        };
        if let Some((other, another, _)) = given.find(|(_, another, _)| *another != member) {
            let text = format!(
                "{flag} selects {member} alone, and {other} selects {another}; choose one with --provider"
            );
            return Err(Failure::usage("oss-credentials", text));
        }
        Ok(Some(Pin::new(member, flag)))
    }
}

impl Chain {
    /// A chain over these variables, or its member of this name alone, which the agent keeps.
    pub(crate) fn new(env: Arc<ChosenEnv>, kept: Option<&str>) -> Result<Self, CredentialsError> {
        let http: Arc<dyn HttpClient> = Arc::new(ReqwestClient::new());
        let mut builder = DefaultProvider::builder()
            .env(Arc::clone(&env))
            .http_client(Arc::clone(&http));
        if let Some(pin) = &env.pin {
            builder = builder.only(&*pin.member).only_label(pin.flag);
        } else if let Some(name) = kept {
            builder = builder.only(name).only_label(BY_AGENT);
        }
        Ok(Self {
            provider: builder.build()?,
            env,
            http,
        })
    }

    /// A client for the STS that the flags and variables name, which sends through `http`.
    pub(crate) fn sts(&self, http: Arc<dyn HttpClient>) -> Result<StsClient, CredentialsError> {
        StsClient::from_env(http, &*self.env).build()
    }
}

/// The only member to use, and the flag that says so.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Pin {
    member: String,
    flag: &'static str,
}

impl Pin {
    fn new(member: &str, flag: &'static str) -> Self {
        Self {
            member: member.to_owned(),
            flag,
        }
    }
}

/// The environment of the process, in which flags replace variables. An empty value hides a variable.
#[derive(Clone, Default)]
pub(crate) struct ChosenEnv {
    chosen: BTreeMap<&'static str, PathBuf>,
    pin: Option<Pin>,
}

impl ChosenEnv {
    fn set(&mut self, name: &'static str, value: Option<impl Into<PathBuf>>) {
        if let Some(value) = value {
            self.chosen.insert(name, value.into());
        }
    }
}

impl Env for ChosenEnv {
    fn var(&self, name: &str) -> Option<String> {
        match self.chosen.get(name) {
            Some(value) => Some(value.to_string_lossy().into_owned()),
            None => ProcessEnv.var(name),
        }
    }

    fn path(&self, name: &str) -> Option<PathBuf> {
        match self.chosen.get(name) {
            Some(value) => Some(value.clone()).filter(|path| !path.as_os_str().is_empty()),
            None => ProcessEnv.path(name),
        }
    }
}

impl fmt::Debug for ChosenEnv {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The names alone: the credentials URI may hold a secret.
        f.debug_set().entries(self.chosen.keys()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flag_that_names_a_source_asks_that_source_alone() {
        let profile = ChainOptions {
            profile: Some("staging".to_owned()),
            ..ChainOptions::default()
        };
        let env = profile.env().unwrap();
        assert_eq!(env.var(ENV_CREDENTIALS_PROVIDER).as_deref(), Some("profile"));
        assert_eq!(env.var(ENV_PROFILE).as_deref(), Some("staging"));
        let both = ChainOptions {
            ecs_role: Some("reader".to_owned()),
            ..profile.clone()
        };
        let text = both.env().unwrap_err().to_string();
        assert!(
            text.contains("--profile selects profile alone, and --ecs-role selects ecs-ram-role"),
            "{text}"
        );
        let named = ChainOptions {
            provider: Some("uri".to_owned()),
            ..both
        };
        assert_eq!(
            named.env().unwrap().var(ENV_CREDENTIALS_PROVIDER).as_deref(),
            Some("uri")
        );
    }

    #[test]
    fn keys_hide_the_variables_of_the_other_family() {
        let options = ChainOptions {
            keys: Some(KeyFamily::AlibabaCloud),
            ..ChainOptions::default()
        };
        let env = options.env().unwrap();
        assert_eq!(env.non_empty("OSS_ACCESS_KEY_ID"), None);
        assert_eq!(env.var("OSS_ACCESS_KEY_ID").as_deref(), Some(""));
        assert!(!env.chosen.contains_key("ALIBABA_CLOUD_ACCESS_KEY_ID"));
    }
}
