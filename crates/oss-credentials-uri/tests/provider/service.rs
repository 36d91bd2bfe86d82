//! A server made of a script, and what goes with it.

use std::time::{Duration, SystemTime};

use oss_credentials_core::test_util::ManualClock;
use oss_credentials_core::{Credentials, CredentialsError, CredentialsProvider, blocking};
use oss_credentials_http::{
    HttpClient, HttpError, HttpErrorKind, HttpRequest, HttpResponse, test_util::ScriptedHttp,
};
use oss_credentials_uri::{CredentialsUri, CredentialsUriBuilder};

/// 2026-01-02T03:04:05Z
pub(crate) const NOW: u64 = 1_767_323_045;
pub(crate) const URI: &str = "http://127.0.0.1:6666/credentials?key=canary-key";
pub(crate) const PLACE: &str = "GET http://127.0.0.1:6666/credentials";

/// Answers in order, and keeps what it was asked.
#[derive(Clone, Default)]
pub(crate) struct Service {
    script: ScriptedHttp,
}

impl Service {
    pub(crate) fn new() -> Self {
        Self::default()
    }

    pub(crate) fn then(mut self, outcome: Result<HttpResponse, HttpError>) -> Self {
        self.script = self.script.then(|_| outcome);
        self
    }

    pub(crate) fn answers(mut self, status: u16, body: &str) -> Self {
        self.script = self.script.answers(status, body);
        self
    }

    pub(crate) fn redirects(self, location: &str) -> Self {
        self.then(Ok(
            HttpResponse::new(302, Vec::new()).with_header("Location", location)
        ))
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

    pub(crate) fn at(&self, uri: &str) -> CredentialsUriBuilder {
        CredentialsUri::builder()
            .uri(uri)
            .http_client(self.http())
            .clock(ManualClock::at_unix(NOW))
    }

    pub(crate) fn builder(&self) -> CredentialsUriBuilder {
        self.at(URI)
    }
}

pub(crate) fn session(id: &str, expiration: &str) -> String {
    format!(
        r#"{{"Code": "Success", "AccessKeyId": "{id}", "AccessKeySecret": "canary-secret",
           "SecurityToken": "canary-token", "Expiration": "{expiration}"}}"#
    )
}

pub(crate) fn an_hour(id: &str) -> String {
    session(id, "2026-01-02T04:04:05Z")
}

pub(crate) fn at(unix: u64) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(unix)
}

pub(crate) fn fetch(builder: CredentialsUriBuilder) -> Result<Credentials, CredentialsError> {
    blocking::wait(builder.build()?.credentials())
}
