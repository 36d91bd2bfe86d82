//! A folder with files, and what is asked of a provider over them.
#![allow(dead_code, reason = "with fewer features there are fewer tests")]

use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use oss_credentials_core::test_util::{FakeEnv, ManualClock};
use oss_credentials_core::{Credentials, CredentialsError, CredentialsProvider, blocking};
use oss_credentials_http::test_util::ScriptedHttp;
use oss_credentials_profile::{ProfileProvider, ProfileProviderBuilder};

/// 2026-01-02T03:04:05Z.
pub(crate) const NOW: u64 = 1_767_323_045;
#[cfg(any(feature = "sts-assume-role", feature = "oidc-rrsa"))]
pub(crate) const ROLE: &str = "acs:ram::123456789012:role/example-role";

pub(crate) struct Folder {
    directory: tempfile::TempDir,
    pub(crate) clock: ManualClock,
    pub(crate) http: ScriptedHttp,
}

impl Folder {
    pub(crate) fn new() -> Self {
        Self {
            directory: tempfile::tempdir().unwrap(),
            clock: ManualClock::at_unix(NOW),
            http: ScriptedHttp::new(),
        }
    }

    pub(crate) fn answering(status: u16, body: &str) -> Self {
        Self::new().then_answering(status, body)
    }

    pub(crate) fn then_answering(mut self, status: u16, body: &str) -> Self {
        self.http = self.http.answers(status, body);
        self
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    pub(crate) fn write(&self, name: &str, text: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, text).unwrap();
        path
    }

    /// An environment in which this folder is the home directory.
    pub(crate) fn env(&self) -> FakeEnv {
        FakeEnv::new().with(
            if cfg!(windows) { "USERPROFILE" } else { "HOME" },
            self.directory.path().to_str().unwrap(),
        )
    }

    pub(crate) fn builder(&self) -> ProfileProviderBuilder {
        self.set(ProfileProvider::builder())
    }

    pub(crate) fn set(&self, builder: ProfileProviderBuilder) -> ProfileProviderBuilder {
        builder.http_client(self.http.clone()).clock(self.clock.clone())
    }

    /// A provider of a `config.json` with these profiles, of which `name` is taken.
    pub(crate) fn cli(&self, name: &str, profiles: &str) -> ProfileProvider {
        let path = self.write("config.json", format!(r#"{{"profiles": [{profiles}]}}"#));
        self.builder().cli_file(path).profile(name).build().unwrap()
    }

    /// A provider of the section `default` of a `credentials.ini`.
    pub(crate) fn ini(&self, text: &str) -> ProfileProvider {
        self.builder()
            .ini_file(self.write("credentials.ini", text))
            .build()
            .unwrap()
    }

    /// An error's text with this folder's name shortened.
    pub(crate) fn shown(&self, error: &CredentialsError) -> String {
        let folder = format!("{}{}", self.directory.path().display(), std::path::MAIN_SEPARATOR);
        error.to_string().replace(&folder, "")
    }

    /// The text of the `InvalidConfig` that comes.
    pub(crate) fn invalid(&self, provider: &ProfileProvider) -> String {
        let error = blocking::wait(provider.credentials()).unwrap_err();
        assert!(matches!(error, CredentialsError::InvalidConfig(_)), "{error:?}");
        self.shown(&error)
    }
}

pub(crate) fn get(provider: &ProfileProvider) -> Credentials {
    blocking::wait(provider.credentials()).unwrap()
}

/// Id, secret and token.
pub(crate) fn keys(provider: &ProfileProvider) -> (String, String, Option<String>) {
    let credentials = get(provider);
    (
        credentials.access_key_id().to_owned(),
        credentials.access_key_secret().to_owned(),
        credentials.security_token().map(str::to_owned),
    )
}

pub(crate) fn pair(id: &str, secret: &str) -> (String, String, Option<String>) {
    (id.to_owned(), secret.to_owned(), None)
}

pub(crate) fn at(unix: u64) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(unix)
}

pub(crate) fn read(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap()
}

/// What STS answers, good for an hour from [`NOW`].
#[cfg(any(feature = "sts-assume-role", feature = "oidc-rrsa"))]
pub(crate) fn session(id: &str) -> String {
    format!(
        r#"{{"RequestId": "6894B13B-6D71-4EF5-88FA-F32781734A7F", "Credentials": {{"AccessKeyId": "{id}",
        "AccessKeySecret": "new-secret", "SecurityToken": "new-token", "Expiration": "2026-01-02T04:04:05Z"}}}}"#
    )
}

/// A field of a request's URL or form body, decoded.
#[cfg(any(feature = "sts-assume-role", feature = "oidc-rrsa", feature = "oauth"))]
pub(crate) fn param(request: &oss_credentials_http::HttpRequest, name: &str) -> Option<String> {
    let query = request.url().split_once('?').map_or("", |(_, query)| query);
    let body = std::str::from_utf8(request.body()).unwrap();
    let (_, value) = query
        .split('&')
        .chain(body.split('&'))
        .filter_map(|pair| pair.split_once('='))
        .find(|(own, _)| *own == name)?;
    let decoded = percent_encoding::percent_decode_str(value).decode_utf8().unwrap();
    Some(decoded.into_owned())
}
