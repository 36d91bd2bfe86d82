//! A place for the chain to look around in: variables, a home directory, and services that answer as the vendor
//! documents it, each with a key of its own.
#![allow(dead_code, reason = "not every test needs all of it")]

use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use oss_credentials::http::{HttpClient, HttpError, HttpErrorKind, HttpRequest, HttpResponse, http_fn};
use oss_credentials::{
    CredentialsError, CredentialsProvider, DefaultProvider, DefaultProviderBuilder, blocking,
};
use oss_credentials_core::test_util::{FakeEnv, ManualClock};
use tempfile::TempDir;

/// 2026-01-01T08:30:00Z.
pub(crate) const NOW: u64 = 1_767_256_200;
/// When everything issued here ends.
pub(crate) const END: &str = "2026-01-01T09:30:00Z";

/// How the network behaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Network {
    Works,
    /// Nobody can be connected to, which takes the whole time for connecting.
    BlackHole,
    /// Connections are made, and nothing ever comes.
    Silent,
    /// Each service answers with status 500.
    Failing,
    /// All works, but the instance has no role.
    NoRole,
}

pub(crate) struct Place {
    pub(crate) env: Arc<FakeEnv>,
    pub(crate) clock: ManualClock,
    pub(crate) home: TempDir,
    network: Arc<Mutex<Network>>,
    requests: Arc<Mutex<Vec<String>>>,
}

impl Place {
    /// Nothing is set up, and the network works.
    pub(crate) fn new() -> Self {
        let home = tempfile::tempdir().unwrap();
        let env = FakeEnv::new().with("HOME", home.path().to_str().unwrap());
        Self {
            env: Arc::new(env),
            clock: ManualClock::at_unix(NOW),
            home,
            network: Arc::new(Mutex::new(Network::Works)),
            requests: Arc::default(),
        }
    }

    /// With this network.
    pub(crate) fn with(network: Network) -> Self {
        let place = Self::new();
        place.network(network);
        place
    }

    pub(crate) fn network(&self, network: Network) {
        *self.network.lock().unwrap() = network;
    }

    /// What was asked so far.
    pub(crate) fn requests(&self) -> Vec<String> {
        self.requests.lock().unwrap().clone()
    }

    pub(crate) fn keys_in_the_environment(&self) {
        self.env.set("ALIBABA_CLOUD_ACCESS_KEY_ID", "LTAI5tEXAMPLE-ENV");
        self.env
            .set("ALIBABA_CLOUD_ACCESS_KEY_SECRET", "canary-env-secret");
    }

    pub(crate) fn rrsa(&self) {
        let token = self.home.path().join("token");
        std::fs::write(&token, "canary.oidc.token").unwrap();
        self.env
            .set("ALIBABA_CLOUD_OIDC_TOKEN_FILE", token.to_str().unwrap());
        self.env.set(
            "ALIBABA_CLOUD_OIDC_PROVIDER_ARN",
            "acs:ram::123456789012:oidc-provider/example",
        );
        self.env
            .set("ALIBABA_CLOUD_ROLE_ARN", "acs:ram::123456789012:role/example");
    }

    pub(crate) fn file(&self, name: &str, text: &str) -> PathBuf {
        let path = self.home.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, text).unwrap();
        path
    }

    pub(crate) fn config_json(&self) -> PathBuf {
        let text = r#"{"current": "work", "profiles": [{"name": "work", "mode": "StsToken",
            "access_key_id": "STS.EXAMPLE-PROFILE", "access_key_secret": "canary-profile-secret",
            "sts_token": "canary-profile-token"}]}"#;
        self.file(".aliyun/config.json", text)
    }

    pub(crate) fn credentials_ini(&self) -> PathBuf {
        let text = "[default]\ntype = access_key\naccess_key_id = LTAI5tEXAMPLE-INI\n\
                    access_key_secret = canary-ini-secret\n";
        self.file(".alibabacloud/credentials.ini", text)
    }

    pub(crate) fn uri(&self) {
        self.env.set(
            "ALIBABA_CLOUD_CREDENTIALS_URI",
            "http://user:canary-password@127.0.0.1:6666/keys?secret=canary-query",
        );
    }

    /// Answers for each service; time passes as it would, without anybody waiting.
    pub(crate) fn http(&self) -> impl HttpClient + use<> {
        let (network, clock) = (Arc::clone(&self.network), self.clock.clone());
        let requests = Arc::clone(&self.requests);
        http_fn(move |request: HttpRequest| {
            let host = request.url().split('/').nth(2).unwrap_or_default().to_owned();
            requests.lock().unwrap().push(host);
            let answer = match *network.lock().unwrap() {
                Network::NoRole if request.url().ends_with("/security-credentials/") => {
                    Ok(HttpResponse::new(404, b"<html>404 - Not Found</html>".to_vec()))
                }
                Network::Works | Network::NoRole => Ok(answer(&request)),
                Network::BlackHole => {
                    clock.advance(request.connect_timeout());
                    Err(HttpError::new(HttpErrorKind::Connect, "timed out"))
                }
                Network::Silent => {
                    clock.advance(request.timeout());
                    Err(HttpError::new(HttpErrorKind::Timeout, "timed out"))
                }
                Network::Failing => Ok(HttpResponse::new(500, b"<html>canary-body</html>".to_vec())),
            };
            async move { answer }
        })
    }

    pub(crate) fn builder(&self) -> DefaultProviderBuilder {
        DefaultProvider::builder()
            .env(Arc::clone(&self.env))
            .http_client(self.http())
            .clock(self.clock.clone())
    }

    pub(crate) fn provider(&self) -> DefaultProvider {
        self.builder().build().unwrap()
    }

    /// The key that a new chain finds here.
    pub(crate) fn key(&self) -> Result<String, CredentialsError> {
        key(&self.provider())
    }

    pub(crate) fn advance(&self, secs: u64) {
        self.clock.advance(Duration::from_secs(secs));
    }
}

pub(crate) fn key(provider: &impl CredentialsProvider) -> Result<String, CredentialsError> {
    let credentials = blocking::wait(provider.credentials())?;
    Ok(credentials.access_key_id().to_owned())
}

/// What each service says, in the shapes of *AssumeRoleWithOIDC*, *Instance metadata* and *Manage access
/// credentials*.
fn answer(request: &HttpRequest) -> HttpResponse {
    let keys = |id: &str| {
        format!(
            r#""AccessKeyId": "{id}", "AccessKeySecret": "canary-{id}-secret", "SecurityToken": "canary-{id}-token",
               "Expiration": "{END}""#
        )
    };
    let url = request.url();
    let sts = ["https://sts.aliyuncs.com/", "http://127.0.0.1:7001/"];
    let body = if sts.iter().any(|host| url.starts_with(host)) {
        format!(
            r#"{{"RequestId": "R-1", "Credentials": {{{}}}}}"#,
            keys("STS.EXAMPLE-OIDC")
        )
    } else if url.starts_with("http://127.0.0.1:6666/keys") {
        format!(r#"{{"Code": "Success", {}}}"#, keys("STS.EXAMPLES-URI"))
    } else if url == "http://100.100.100.200/latest/api/token" {
        "canary-metadata-token".to_owned()
    } else if url == "http://100.100.100.200/latest/meta-data/ram/security-credentials/" {
        "example-role".to_owned()
    } else if url == "http://100.100.100.200/latest/meta-data/ram/security-credentials/example-role" {
        format!(r#"{{"Code": "Success", {}}}"#, keys("STS.EXAMPLE-ECS"))
    } else {
        panic!("nobody is there: {request:?}");
    };
    // An hour behind the clock of this machine.
    HttpResponse::new(200, body.into_bytes()).with_header("date", "Thu, 01 Jan 2026 07:30:00 GMT")
}
