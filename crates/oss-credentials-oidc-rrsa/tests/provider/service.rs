//! A service made of a script, a token file, and what goes with them.

use std::path::PathBuf;
use std::sync::Arc;

pub(crate) use oss_credentials_core::test_util::unix_time as at;
pub(crate) use oss_credentials_http::test_util::parameter as param;

use oss_credentials_core::test_util::ManualClock;
use oss_credentials_core::{Credentials, CredentialsError, CredentialsProvider, blocking};
use oss_credentials_http::test_util::ScriptedHttp;
use oss_credentials_http::{HttpError, HttpErrorKind, HttpRequest, HttpResponse};
use oss_credentials_oidc_rrsa::{OidcRrsa, OidcRrsaBuilder};
use tempfile::TempDir;

/// 2026-01-02T03:04:05Z
pub(crate) const NOW: u64 = 1_767_323_045;
pub(crate) const ROLE: &str = "acs:ram::123456789012:role/example-role";
pub(crate) const PROVIDER: &str = "acs:ram::123456789012:oidc-provider/example-cluster";
pub(crate) const JWT: &str = "canary-oidc-header.canary-oidc-claims.canary-oidc-signature";

/// Answers in order, and keeps what it was asked. Beside it lies a token file, gone when the test ends.
#[derive(Clone)]
pub(crate) struct Service {
    script: ScriptedHttp,
    folder: Arc<TempDir>,
}

impl Service {
    /// With [`JWT`] and a line feed in the file, as most tools write it.
    pub(crate) fn new() -> Self {
        let service = Self {
            script: ScriptedHttp::new(),
            folder: Arc::new(tempfile::tempdir().unwrap()),
        };
        service.write(format!("{JWT}\n"));
        service
    }

    pub(crate) fn file(&self) -> PathBuf {
        self.folder.path().join("token")
    }

    /// Replaces the file at once, as the kubelet does.
    pub(crate) fn write(&self, content: impl AsRef<[u8]>) {
        let new = self.folder.path().join("new");
        std::fs::write(&new, content).unwrap();
        std::fs::rename(new, self.file()).unwrap();
    }

    pub(crate) fn then(
        mut self,
        step: impl FnOnce(&HttpRequest) -> Result<HttpResponse, HttpError> + Send + 'static,
    ) -> Self {
        self.script = self.script.then(step);
        self
    }

    pub(crate) fn answers(mut self, status: u16, body: impl AsRef<[u8]>) -> Self {
        self.script = self.script.answers(status, body);
        self
    }

    pub(crate) fn refuses(self, status: u16, code: &str) -> Self {
        self.answers(status, refusal(code))
    }

    pub(crate) fn fails(mut self, kind: HttpErrorKind) -> Self {
        self.script = self.script.fails(kind);
        self
    }

    pub(crate) fn http(&self) -> ScriptedHttp {
        self.script.clone()
    }

    pub(crate) fn requests(&self) -> Vec<HttpRequest> {
        self.script.requests()
    }

    /// The tokens that were sent.
    pub(crate) fn tokens(&self) -> Vec<String> {
        let requests = self.requests();
        requests
            .iter()
            .map(|request| param(request, "OIDCToken").unwrap())
            .collect()
    }

    pub(crate) fn builder(&self) -> OidcRrsaBuilder {
        OidcRrsa::builder()
            .role_arn(ROLE)
            .oidc_provider_arn(PROVIDER)
            .oidc_token_file(self.file())
            .http_client(self.http())
            .clock(ManualClock::at_unix(NOW))
    }
}

pub(crate) fn refusal(code: &str) -> String {
    format!(r#"{{"Code": "{code}", "Message": "m", "RequestId": "R-1"}}"#)
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

pub(crate) fn fetch(builder: OidcRrsaBuilder) -> Result<Credentials, CredentialsError> {
    blocking::wait(builder.build()?.credentials())
}
