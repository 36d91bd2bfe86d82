//! Settings.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use oss_credentials_core::{Clock, CredentialsError, Env, ErrorDetail, Sleep, SystemClock};
use oss_credentials_http::{HttpClient, default_http_client};

use crate::NAME;
use crate::config::{ENV_CLI_PROFILE_DISABLED, ENV_CONFIG_FILE, ENV_CREDENTIALS_FILE, ENV_PROFILE};
use crate::inner::{Context, Endpoints, Switches};
use crate::lookup::{Candidate, Candidates, Kind};
use crate::provider::ProfileProvider;

/// Builds a [`ProfileProvider`]; see [`ProfileProvider::builder`].
#[derive(Debug)]
#[must_use]
#[expect(
    clippy::struct_excessive_bools,
    reason = "settings that are independent of each other"
)]
pub struct ProfileProviderBuilder {
    cli_file: Option<PathBuf>,
    ini_file: Option<PathBuf>,
    own_keys: Option<PathBuf>,
    profile: Option<String>,
    use_cli: Option<bool>,
    use_ini: bool,
    /// The files named by the environment, once it was read.
    found: Option<Found>,
    switches: Switches,
    endpoints: Endpoints,
    allow_http: bool,
    allow_programs: bool,
    write_back: bool,
    http_client: Option<Arc<dyn HttpClient>>,
    clock: Arc<dyn Clock>,
    sleep: Option<Arc<dyn Sleep>>,
}

/// The files named by the environment.
#[derive(Debug)]
struct Found {
    home: Option<PathBuf>,
    config_file: Option<PathBuf>,
    credentials_file: Option<PathBuf>,
}

impl ProfileProviderBuilder {
    pub(crate) fn new() -> Self {
        Self {
            cli_file: None,
            ini_file: None,
            own_keys: None,
            profile: None,
            use_cli: None,
            use_ini: true,
            found: None,
            switches: Switches::default(),
            endpoints: Endpoints::default(),
            allow_http: false,
            allow_programs: true,
            write_back: false,
            http_client: None,
            clock: Arc::new(SystemClock),
            sleep: None,
        }
    }

    /// Reads the environment for what is not set yet.
    ///
    /// The profile's name is [`ENV_PROFILE`]. If no file is set, the files are those named by [`ENV_CONFIG_FILE`] and
    /// [`ENV_CREDENTIALS_FILE`], otherwise those in the home directory (`HOME`; on Windows `USERPROFILE`,
    /// otherwise `HOMEDRIVE` and `HOMEPATH`): `.aliyun/config.json`, then `.alibabacloud/credentials.ini`, then
    /// `.alibabacloud/credentials`. [`ENV_CLI_PROFILE_DISABLED`] excludes the first. An empty variable
    /// counts as unset. With the feature `ecs-ram-role`, the variables that disable instance metadata or its version 1
    /// apply to profiles too. [`ENV_DISABLE_EXTERNAL_PROCESS`](crate::ENV_DISABLE_EXTERNAL_PROCESS) forbids
    /// profiles that run a program or have a credentials URI. No keys or roles are read from the environment.
    pub fn env(mut self, env: &dyn Env) -> Self {
        self.profile = self.profile.or_else(|| env.non_empty(ENV_PROFILE));
        self.use_cli = self
            .use_cli
            .or_else(|| Some(!env.is_true(ENV_CLI_PROFILE_DISABLED)));
        self.found = Some(Found {
            home: home(env, cfg!(windows)),
            config_file: env.path(ENV_CONFIG_FILE),
            credentials_file: env.path(ENV_CREDENTIALS_FILE),
        });
        self.switches = Switches::of(env);
        self
    }

    /// Reads the variables with the endpoints of STS and of instance metadata, for profiles that name none, as
    /// [`ProfileProvider::from_env`] does and [`env`](Self::env) does not. With the features `sts-assume-role` and `oidc-rrsa` it is
    /// `ALIBABA_CLOUD_STS_ENDPOINT`, which must name a host under `aliyuncs.com` or loopback; with `ecs-ram-role` it is
    /// `ALIBABA_CLOUD_ECS_METADATA_SERVICE_ENDPOINT`, which must be on loopback. A profile's `sts_endpoint` takes
    /// precedence.
    pub fn endpoint_env(mut self, env: &dyn Env) -> Self {
        self.endpoints = Endpoints::of(env);
        self
    }

    /// Sets the path of the CLI's `config.json`, at most 1 MiB. The file must exist. If a file is set by this or the
    /// next method, no other one is looked for; with both, this one is read first.
    pub fn cli_file(mut self, path: impl Into<PathBuf>) -> Self {
        self.cli_file = Some(path.into());
        self
    }

    /// Sets the path of an INI file in the SDKs' format, at most 64 KiB. The file must exist.
    pub fn ini_file(mut self, path: impl Into<PathBuf>) -> Self {
        self.ini_file = Some(path.into());
        self
    }

    pub(crate) fn own_keys(mut self, path: PathBuf, section: String) -> Self {
        self.own_keys = Some(path);
        self.profile = Some(section);
        self
    }

    /// Sets the name of the profile. It must exist in one of the files. Default: in `config.json` the one named by
    /// `current`, otherwise `default`.
    pub fn profile(mut self, name: impl Into<String>) -> Self {
        self.profile = Some(name.into());
        self
    }

    /// Sets whether [`env`](Self::env) looks for the CLI's configuration. Default: yes, unless
    /// [`ENV_CLI_PROFILE_DISABLED`] is `true`.
    pub fn use_cli(mut self, yes: bool) -> Self {
        self.use_cli = Some(yes);
        self
    }

    /// Sets whether [`env`](Self::env) looks for the SDKs' file. Default: yes.
    pub fn use_ini(mut self, yes: bool) -> Self {
        self.use_ini = yes;
        self
    }

    /// Sets whether a URI or a sign-in URL in a profile may be plain `http://` for any host. Tokens and
    /// credentials are then readable on the network. Default: no.
    pub fn allow_http(mut self, allow: bool) -> Self {
        self.allow_http = allow;
        self
    }

    /// Sets whether a profile may run the program that it names (mode `External`). Anyone who can write the file can
    /// run programs as the user of this process. If not, such a profile is [`CredentialsError::InvalidConfig`], also as
    /// the `source_profile` of another one, so that a chain stops. Default: yes, unless
    /// [`ENV_DISABLE_EXTERNAL_PROCESS`](crate::ENV_DISABLE_EXTERNAL_PROCESS) is read and forbids it.
    pub fn allow_programs(mut self, allow: bool) -> Self {
        self.allow_programs = allow;
        self
    }

    /// Sets whether renewed values are stored in `config.json`: tokens and keys of an OAuth login, keys of a
    /// program. Only the fields concerned are written; the file is replaced in one step, readable only for its
    /// owner.
    ///
    /// An OAuth login can be renewed only if this is enabled: renewal invalidates the tokens in the file.
    /// Default: no.
    #[cfg(feature = "write-back")]
    #[cfg_attr(docsrs, doc(cfg(feature = "write-back")))]
    pub fn write_back(mut self, yes: bool) -> Self {
        self.write_back = yes;
        self
    }

    /// Sets the HTTP client of profiles that send requests. Default: with the feature `reqwest`, a
    /// `ReqwestClient::new()`, which works inside a tokio runtime; otherwise none.
    pub fn http_client(mut self, client: impl HttpClient) -> Self {
        self.http_client = Some(Arc::new(client));
        self
    }

    /// Sets the clock, also of inner providers. Default: the system's.
    pub fn clock(mut self, clock: impl Clock) -> Self {
        self.clock = Arc::new(clock);
        self
    }

    /// Sets the timer for retries. Default: with the feature `tokio`, its timer, in calls inside a runtime that
    /// has one; otherwise none.
    pub fn sleep(mut self, sleep: impl Sleep) -> Self {
        self.sleep = Some(Arc::new(sleep));
        self
    }

    /// Reads the region (`region_id`) of the profile in the CLI's `config.json` that the provider would use. `None` if
    /// there is no such file or profile, or if the profile names no region. INI files have none. The file is read now.
    ///
    /// # Errors
    ///
    /// [`CredentialsError::InvalidConfig`] if the file is not JSON or may not be read, or if it was named and is not
    /// there; [`CredentialsError::Unavailable`] if reading it failed.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// use oss_credentials_core::ProcessEnv;
    /// use oss_credentials_profile::ProfileProvider;
    ///
    /// let region = ProfileProvider::builder().env(&ProcessEnv).region()?;
    /// println!("{}", region.as_deref().unwrap_or("no region"));
    /// # Ok::<(), oss_credentials_core::CredentialsError>(())
    /// ```
    pub fn region(&self) -> Result<Option<String>, CredentialsError> {
        match self.candidates() {
            Ok(candidates) => candidates.region(),
            Err(CredentialsError::NotConfigured(_)) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Builds the provider. No file is read before it is called.
    ///
    /// # Errors
    ///
    /// [`CredentialsError::NotConfigured`] if no file is set, or no home directory is known; the latter is
    /// [`CredentialsError::InvalidConfig`] if a profile is named.
    pub fn build(self) -> Result<ProfileProvider, CredentialsError> {
        let candidates = self.candidates()?;
        let context = Context {
            http: self.http_client.or_else(|| default_http_client!()),
            clock: self.clock,
            sleep: self.sleep,
            allow_http: self.allow_http,
            allow_programs: self.allow_programs,
            endpoints: self.endpoints,
            write_back: self.write_back,
            switches: self.switches,
        };
        Ok(ProfileProvider::new(candidates, context))
    }

    pub(crate) fn candidates(&self) -> Result<Candidates, CredentialsError> {
        let set = [
            (&self.own_keys, Kind::OwnKeys),
            (&self.cli_file, Kind::Cli),
            (&self.ini_file, Kind::Credentials),
        ];
        let mut files: Vec<Candidate> = set
            .into_iter()
            .filter_map(|(path, kind)| Some(candidate(path.as_ref()?, kind, true)))
            .collect();
        if files.is_empty() {
            files = self.found_files()?;
        }
        Ok(Candidates {
            files,
            profile: self.profile.clone(),
        })
    }

    fn found_files(&self) -> Result<Vec<Candidate>, CredentialsError> {
        let none = |what: &'static str, hint: &'static str| {
            CredentialsError::not_configured(ErrorDetail::builder(NAME, what).hint(hint))
        };
        let Some(found) = &self.found else {
            return Err(none(
                "no file is set",
                "set cli_file(..) or ini_file(..), or read the environment",
            ));
        };
        let mut files = Vec::new();
        if self.use_cli.unwrap_or(true) {
            let home = found
                .home
                .as_deref()
                .map(|home| vec![home.join(".aliyun/config.json")]);
            add(&mut files, Kind::Cli, found.config_file.as_deref(), home);
        }
        if self.use_ini {
            let home = found.home.as_deref().map(|home| {
                let folder = home.join(".alibabacloud");
                vec![folder.join("credentials.ini"), folder.join("credentials")]
            });
            add(
                &mut files,
                Kind::Credentials,
                found.credentials_file.as_deref(),
                home,
            );
        }
        if !files.is_empty() {
            return Ok(files);
        }
        if self.use_ini || self.use_cli.unwrap_or(true) {
            let what = "no home directory is known";
            let hint = "set HOME (on Windows USERPROFILE), or cli_file(..) or ini_file(..)";
            let detail = ErrorDetail::builder(NAME, what).hint(hint);
            // Naming a profile asks for it: a chain must not continue with another identity.
            return Err(match self.profile {
                Some(_) => CredentialsError::invalid_config(detail),
                None => CredentialsError::not_configured(detail),
            });
        }
        Err(none(
            "both kinds of files are disabled",
            "set use_cli(true) or use_ini(true)",
        ))
    }
}

fn add(files: &mut Vec<Candidate>, kind: Kind, named: Option<&Path>, home: Option<Vec<PathBuf>>) {
    match named {
        Some(path) => files.push(candidate(path, kind, true)),
        None => files.extend(
            home.into_iter()
                .flatten()
                .map(|path| candidate(&path, kind, false)),
        ),
    }
}

fn candidate(path: &Path, kind: Kind, named: bool) -> Candidate {
    Candidate {
        path: path.to_owned(),
        kind,
        named,
    }
}

fn home(env: &dyn Env, windows: bool) -> Option<PathBuf> {
    if !windows {
        return env.path("HOME");
    }
    let in_two = || {
        let mut path = env.path("HOMEDRIVE")?.into_os_string();
        path.push(env.path("HOMEPATH")?);
        Some(PathBuf::from(path))
    };
    env.path("USERPROFILE").or_else(in_two)
}

#[cfg(test)]
mod tests {
    use super::*;
    use oss_credentials_core::test_util::FakeEnv;

    #[test]
    fn the_home_directory_has_other_variables_on_windows() {
        let env = FakeEnv::from([
            ("HOME", "/home/h"),
            ("USERPROFILE", r"C:\Users\u"),
            ("HOMEDRIVE", "D:"),
            ("HOMEPATH", r"\Users\p"),
        ]);
        assert_eq!(home(&env, false), Some("/home/h".into()));
        assert_eq!(home(&env, true), Some(r"C:\Users\u".into()));
        env.set("USERPROFILE", "");
        assert_eq!(home(&env, true), Some(r"D:\Users\p".into()));
        env.unset("HOMEPATH");
        assert_eq!(home(&env, true), None);
        env.set("HOME", "");
        assert_eq!(home(&env, false), None);
    }
}
