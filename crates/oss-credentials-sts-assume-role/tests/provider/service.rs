//! A service made of a script, and what goes with it.

use std::time::{Duration, SystemTime};

use oss_credentials_core::test_util::ManualClock;
use oss_credentials_core::{Credentials, CredentialsError, CredentialsProvider, blocking};
use oss_credentials_http::{
    HttpClient, HttpError, HttpErrorKind, HttpRequest, HttpResponse, test_util::ScriptedHttp,
};
use oss_credentials_sts_assume_role::{StsAssumeRole, StsAssumeRoleBuilder};

/// 2026-01-02T03:04:05Z
pub(crate) const NOW: u64 = 1_767_323_045;
pub(crate) const ARN: &str = "acs:ram::123456789012:role/example-role";

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
        step: impl FnOnce(&HttpRequest) -> Result<HttpResponse, HttpError> + Send + 'static,
    ) -> Self {
        self.script = self.script.then(step);
        self
    }

    pub(crate) fn answers(mut self, status: u16, body: &str) -> Self {
        self.script = self.script.answers(status, body);
        self
    }

    pub(crate) fn refuses(self, status: u16, code: &str) -> Self {
        self.answers(
            status,
            &format!(r#"{{"Code": "{code}", "Message": "m", "RequestId": "R-1"}}"#),
        )
    }

    pub(crate) fn fails(mut self, kind: HttpErrorKind) -> Self {
        self.script = self.script.fails(kind);
        self
    }

    pub(crate) fn http(&self) -> impl HttpClient {
        self.script.clone()
    }

    pub(crate) fn requests(&self) -> Vec<HttpRequest> {
        self.script.requests()
    }

    pub(crate) fn builder(&self) -> StsAssumeRoleBuilder {
        StsAssumeRole::builder(key("LTAI5tEXAMPLEKEYID"))
            .role_arn(ARN)
            .http_client(self.http())
            .clock(ManualClock::at_unix(NOW))
    }
}

pub(crate) fn key(id: &str) -> Credentials {
    Credentials::builder(id, "canary-base-secret").build().unwrap()
}

pub(crate) fn session(id: &str, expiration: &str) -> String {
    format!(
        r#"{{"RequestId": "R-0", "Credentials": {{"AccessKeyId": "{id}", "AccessKeySecret": "canary-new-secret",
           "SecurityToken": "canary-new-token", "Expiration": "{expiration}"}}}}"#
    )
}

pub(crate) fn an_hour(id: &str) -> String {
    session(id, "2026-01-02T04:04:05Z")
}

pub(crate) fn at(unix: u64) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(unix)
}

/// A parameter of query or form.
pub(crate) fn param(request: &HttpRequest, name: &str) -> Option<String> {
    let query = request.url().split_once('?').map_or("", |(_, query)| query);
    let body = std::str::from_utf8(request.body()).unwrap();
    let pairs = query
        .split('&')
        .chain(body.split('&'))
        .filter_map(|pair| pair.split_once('='));
    let value = pairs.into_iter().find(|(key, _)| *key == name)?.1;
    Some(
        percent_encoding::percent_decode_str(value)
            .decode_utf8()
            .unwrap()
            .into_owned(),
    )
}

pub(crate) fn fetch(builder: StsAssumeRoleBuilder) -> Result<Credentials, CredentialsError> {
    blocking::wait(builder.build()?.credentials())
}
