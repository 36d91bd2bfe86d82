//! A metadata service made of a script, and what goes with it.

use std::time::{Duration, SystemTime};

use oss_credentials_core::test_util::ManualClock;
use oss_credentials_core::{CredentialsError, CredentialsSource, Fetched, blocking};
use oss_credentials_ecs_ram_role::{EcsRamRole, EcsRamRoleBuilder};
use oss_credentials_http::{
    HttpClient, HttpError, HttpErrorKind, HttpRequest, HttpResponse, test_util::ScriptedHttp,
};

/// 2026-01-02T03:04:05Z
pub(crate) const NOW: u64 = 1_767_323_045;
pub(crate) const TOKEN: &str = "canary-metadata-token==";
pub(crate) const PUT: &str = "PUT http://100.100.100.200/latest/api/token";
pub(crate) const LIST: &str = "GET http://100.100.100.200/latest/meta-data/ram/security-credentials/";
pub(crate) const KEYS: &str =
    "GET http://100.100.100.200/latest/meta-data/ram/security-credentials/example-role";

/// Answers in order, and keeps what it was asked.
#[derive(Clone, Default)]
pub(crate) struct Service {
    script: ScriptedHttp,
}

impl Service {
    pub(crate) fn new() -> Self {
        Self::default()
    }

    pub(crate) fn then(
        mut self,
        step: impl FnOnce() -> Result<HttpResponse, HttpError> + Send + 'static,
    ) -> Self {
        self.script = self.script.then(|_| step());
        self
    }

    pub(crate) fn answers(mut self, status: u16, body: &str) -> Self {
        self.script = self.script.answers(status, body);
        self
    }

    pub(crate) fn fails(mut self, kind: HttpErrorKind) -> Self {
        self.script = self.script.fails(kind);
        self
    }

    pub(crate) fn token(self) -> Self {
        self.answers(200, TOKEN)
    }

    pub(crate) fn role(self) -> Self {
        self.answers(200, "example-role\n")
    }

    pub(crate) fn keys(self, id: &str) -> Self {
        self.answers(200, &six_hours(id))
    }

    pub(crate) fn http(&self) -> impl HttpClient {
        self.script.clone()
    }

    pub(crate) fn requests(&self) -> Vec<HttpRequest> {
        self.script.requests()
    }

    /// Method and URL of each request, and whether it carried the token.
    pub(crate) fn asked(&self) -> Vec<String> {
        let show = |request: &HttpRequest| {
            let token = match request.header("X-aliyun-ecs-metadata-token") {
                Some(TOKEN) => " +token",
                Some(_) => " +another token",
                None => "",
            };
            format!("{} {}{token}", request.method(), request.url())
        };
        self.requests().iter().map(show).collect()
    }

    pub(crate) fn assert_done(&self) {
        let left = self.script.left();
        assert_eq!(left, 0, "{left} answers were not asked for: {:?}", self.asked());
    }

    /// Nothing asked for: a host that does not answer is no instance.
    pub(crate) fn builder(&self) -> EcsRamRoleBuilder {
        EcsRamRole::builder()
            .http_client(self.http())
            .clock(ManualClock::at_unix(NOW))
    }

    /// With a role: a host that does not answer is an outage.
    pub(crate) fn named(&self) -> EcsRamRoleBuilder {
        self.builder().role_name("example-role")
    }
}

pub(crate) fn with_token(url: &str) -> String {
    format!("{url} +token")
}

pub(crate) fn keys(id: &str, expiration: &str) -> String {
    format!(
        r#"{{"AccessKeyId": "{id}", "AccessKeySecret": "canary-secret", "SecurityToken": "canary-token",
           "Expiration": "{expiration}", "LastUpdated": "2026-01-02T03:04:05Z", "Code": "Success"}}"#
    )
}

pub(crate) fn six_hours(id: &str) -> String {
    keys(id, "2026-01-02T09:04:05Z")
}

pub(crate) fn at(unix: u64) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(unix)
}

pub(crate) fn fetch(source: &EcsRamRole) -> Result<Fetched, CredentialsError> {
    blocking::wait(source.fetch())
}

pub(crate) fn fetch_once(builder: EcsRamRoleBuilder) -> Result<Fetched, CredentialsError> {
    fetch(&builder.build_source().unwrap())
}
