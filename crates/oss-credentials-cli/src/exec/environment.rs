//! The environment of the program: the selected credentials, and nothing that its SDK would use before them.

use std::io;
use std::process::Command;

use oss_credentials::ecs_ram_role::ENV_DISABLED;
use oss_credentials::profile::{ENV_CLI_PROFILE_DISABLED, ENV_CREDENTIALS_FILE};
use oss_credentials::uri::ENV_CREDENTIALS_URI;
use oss_credentials::{Credentials, ENV_CREDENTIALS_PROVIDER, Env};
use tempfile::NamedTempFile;
use zeroize::Zeroizing;

use crate::export::variables;
use crate::guard;

/// The variables that a program might take credentials, a role or a profile from. Vendor documents: *Manage access
/// credentials* of the SDKs for Go, Java, Python and Node.js; *Environment variables* of the aliyun CLI; the provider
/// `alicloud` of Terraform.
const REMOVED: [&str; 39] = [
    "ALIBABA_CLOUD_ACCESS_KEY_ID",
    "ALIBABA_CLOUD_ACCESS_KEY_SECRET",
    "ALIBABA_CLOUD_SECURITY_TOKEN",
    "ALIBABA_CLOUD_ROLE_ARN",
    "ALIBABA_CLOUD_ROLE_SESSION_NAME",
    "ALIBABA_CLOUD_EXTERNAL_ID",
    "ALIBABA_CLOUD_OIDC_PROVIDER_ARN",
    "ALIBABA_CLOUD_OIDC_TOKEN_FILE",
    "ALIBABA_CLOUD_CREDENTIALS_URI",
    "ALIBABA_CLOUD_ECS_METADATA",
    "ALIBABA_CLOUD_ECS_METADATA_SERVICE_ENDPOINT",
    "ALIBABA_CLOUD_PROFILE",
    "ALIBABA_CLOUD_CREDENTIALS_FILE",
    "ALIBABACLOUD_ACCESS_KEY_ID",
    "ALIBABACLOUD_ACCESS_KEY_SECRET",
    "ALIBABACLOUD_SECURITY_TOKEN",
    "ALIBABACLOUD_ROLE_ARN",
    "ALIBABACLOUD_OIDC_PROVIDER_ARN",
    "ALIBABACLOUD_OIDC_TOKEN_FILE",
    "ALIBABACLOUD_PROFILE",
    "ALICLOUD_ACCESS_KEY",
    "ALICLOUD_SECRET_KEY",
    "ALICLOUD_ACCESS_KEY_ID",
    "ALICLOUD_ACCESS_KEY_SECRET",
    "ALICLOUD_SECURITY_TOKEN",
    "ALICLOUD_ASSUME_ROLE_ARN",
    "ALICLOUD_CREDENTIALS_URI",
    "ALICLOUD_PROFILE",
    "ALICLOUD_ECS_ROLE_NAME",
    "ACCESS_KEY_ID",
    "ACCESS_KEY_SECRET",
    "SECURITY_TOKEN",
    "OSS_ACCESS_KEY_ID",
    "OSS_ACCESS_KEY_SECRET",
    "OSS_SESSION_TOKEN",
    "accessKeyID",
    "accessKeySecret",
    "securityToken",
    ENV_CREDENTIALS_PROVIDER,
];

/// The variables that list hosts to reach without a proxy. HTTP clients read one or both of them.
const DIRECT: [&str; 2] = ["no_proxy", "NO_PROXY"];
/// The hosts on which the agent listens.
const LOOPBACK: &str = "127.0.0.1,localhost";

/// The list of one variable, or of the other where that is not set, with loopback. `*` means all hosts.
fn without_proxy(env: &impl Env, name: &str) -> String {
    let mut names = [name].into_iter().chain(DIRECT);
    match names.find_map(|name| env.non_empty(name)) {
        Some(list) if list.trim() == "*" => list,
        Some(list) => format!("{list},{LOOPBACK}"),
        None => LOOPBACK.to_owned(),
    }
}

/// Variables to set, after others have been removed.
pub(super) struct Environment {
    set: Vec<(&'static str, Zeroizing<String>)>,
    /// Removed when this is dropped.
    _empty_file: Option<NamedTempFile>,
}

impl Environment {
    /// Sets the keys, which come first in every chain of the vendor's SDKs.
    pub(super) fn keys(credentials: &Credentials) -> Self {
        let set = variables(credentials).into_iter();
        Self {
            set: set
                .filter_map(|(name, value)| Some((name, Zeroizing::new(value?.to_owned()))))
                .collect(),
            _empty_file: None,
        }
    }

    /// A credentials URI comes last in every vendor chain, so what comes before it is disabled: the CLI's file and
    /// instance metadata by their variables, and the SDKs' file by naming an empty one.
    ///
    /// The agent is reached without a proxy, whatever `env` says of one: a proxy does not reach loopback here, and would
    /// read the credentials.
    pub(super) fn uri(url: &str, env: &impl Env) -> io::Result<Self> {
        let file = tempfile::Builder::new()
            .prefix("oss-credentials-none-")
            .suffix(".ini")
            .tempfile()?;
        let path = file.path().to_string_lossy().into_owned();
        let set = [
            (ENV_CREDENTIALS_URI, url.to_owned()),
            (ENV_CLI_PROFILE_DISABLED, "true".to_owned()),
            // The aliyun CLI has its own.
            ("ALIBABA_CLOUD_IGNORE_PROFILE", "TRUE".to_owned()),
            (ENV_DISABLED, "true".to_owned()),
            (ENV_CREDENTIALS_FILE, path),
            // Programs of this family stop at a file that is named and has no profile.
            (ENV_CREDENTIALS_PROVIDER, "uri".to_owned()),
        ];
        let direct = DIRECT.map(|name| (name, without_proxy(env, name)));
        Ok(Self {
            set: set
                .into_iter()
                .chain(direct)
                .map(|(name, value)| (name, Zeroizing::new(value)))
                .collect(),
            _empty_file: Some(file),
        })
    }

    pub(super) fn apply(&self, command: &mut Command) {
        for name in REMOVED.into_iter().chain(guard::VARIABLES) {
            command.env_remove(name);
        }
        for (name, value) in &self.set {
            command.env(name, value.as_str());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use oss_credentials::test_util::FakeEnv;
    use std::ffi::OsStr;

    fn applied(environment: &Environment, name: &str) -> Option<String> {
        let mut command = Command::new("true");
        environment.apply(&mut command);
        let found = command.get_envs().find(|(known, _)| *known == OsStr::new(name));
        found.and_then(|(_, value)| Some(value?.to_str()?.to_owned()))
    }

    #[test]
    fn keys_replace_every_other_source_that_comes_first_somewhere() {
        let keys = Credentials::builder("ID", "SECRET").build().unwrap();
        let environment = Environment::keys(&keys);
        assert_eq!(applied(&environment, "OSS_ACCESS_KEY_ID").as_deref(), Some("ID"));
        for gone in [
            "OSS_SESSION_TOKEN",
            "ALIBABA_CLOUD_ROLE_ARN",
            "ALICLOUD_ACCESS_KEY",
        ]
        .into_iter()
        .chain(guard::VARIABLES)
        {
            assert_eq!(applied(&environment, gone), None, "{gone}");
        }
    }

    #[test]
    fn a_uri_comes_with_an_empty_file_that_ends_with_it() {
        let environment = Environment::uri("http://127.0.0.1:1/", &FakeEnv::new()).unwrap();
        let path = applied(&environment, "ALIBABA_CLOUD_CREDENTIALS_FILE").unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), b"");
        assert_eq!(applied(&environment, "ALIBABA_CLOUD_ACCESS_KEY_ID"), None);
        assert_eq!(
            applied(&environment, "NO_PROXY").as_deref(),
            Some("127.0.0.1,localhost")
        );
        drop(environment);
        assert!(!std::path::Path::new(&path).exists());
    }

    #[test]
    fn the_agent_is_added_to_the_hosts_without_a_proxy() {
        let env = FakeEnv::from_iter([("NO_PROXY", "example.com")]);
        for name in DIRECT {
            assert_eq!(without_proxy(&env, name), "example.com,127.0.0.1,localhost");
        }
        let env = FakeEnv::from_iter([("no_proxy", "a.example"), ("NO_PROXY", "*")]);
        assert_eq!(without_proxy(&env, "no_proxy"), "a.example,127.0.0.1,localhost");
        assert_eq!(without_proxy(&env, "NO_PROXY"), "*");
    }
}
