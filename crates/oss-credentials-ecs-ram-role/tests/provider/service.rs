//! A metadata service made of a script, and what goes with it.

pub(crate) use oss_credentials_core::test_util::unix_time as at;

use oss_credentials_core::test_util::ManualClock;
use oss_credentials_core::{CredentialsError, CredentialsSource, Fetched, blocking};
use oss_credentials_ecs_ram_role::{EcsRamRole, EcsRamRoleBuilder};
use oss_credentials_http::HttpRequest;

/// 2026-01-02T03:04:05Z
pub(crate) const NOW: u64 = 1_767_323_045;
pub(crate) const TOKEN: &str = "canary-metadata-token==";
pub(crate) const PUT: &str = "PUT http://100.100.100.200/latest/api/token";
pub(crate) const LIST: &str = "GET http://100.100.100.200/latest/meta-data/ram/security-credentials/";
pub(crate) const KEYS: &str =
    "GET http://100.100.100.200/latest/meta-data/ram/security-credentials/example-role";

/// A service made of a script: answers in order, and keeps what it was asked.
pub(crate) use oss_credentials_http::test_util::ScriptedHttp as Service;

/// What a script needs here.
pub(crate) trait ServiceExt: Sized {
    fn token(self) -> Self;
    fn role(self) -> Self;
    fn keys(self, id: &str) -> Self;
    /// Method and URL of each request, and whether it carried the token.
    fn asked(&self) -> Vec<String>;
    fn assert_done(&self);
    /// Nothing asked for: a host that does not answer is no instance.
    fn builder(&self) -> EcsRamRoleBuilder;
    /// With a role: a host that does not answer is an outage.
    fn named(&self) -> EcsRamRoleBuilder;
}

impl ServiceExt for Service {
    fn token(self) -> Self {
        self.answers(200, TOKEN)
    }

    fn role(self) -> Self {
        self.answers(200, "example-role\n")
    }

    fn keys(self, id: &str) -> Self {
        self.answers(200, six_hours(id))
    }

    fn asked(&self) -> Vec<String> {
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

    fn assert_done(&self) {
        let left = self.left();
        assert_eq!(left, 0, "{left} answers were not asked for: {:?}", self.asked());
    }

    fn builder(&self) -> EcsRamRoleBuilder {
        EcsRamRole::builder()
            .http_client(self.clone())
            .clock(ManualClock::at_unix(NOW))
    }

    fn named(&self) -> EcsRamRoleBuilder {
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

pub(crate) fn fetch(source: &EcsRamRole) -> Result<Fetched, CredentialsError> {
    blocking::wait(source.fetch())
}

pub(crate) fn fetch_once(builder: EcsRamRoleBuilder) -> Result<Fetched, CredentialsError> {
    fetch(&builder.build_source().unwrap())
}
