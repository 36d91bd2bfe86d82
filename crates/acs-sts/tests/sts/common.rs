//! A service made of a script, and what both test files need.

use std::sync::{Arc, Mutex};
use std::time::Duration;
#[cfg(feature = "signed")]
use std::time::SystemTime;

#[cfg(feature = "signed")]
use acs_sts::AssumeRole;
use acs_sts::{AssumeRoleWithOidc, StsClient, StsClientBuilder};
#[cfg(feature = "signed")]
use oss_credentials_core::Credentials;
use oss_credentials_core::test_util::ManualClock;
use oss_credentials_core::{BoxFuture, Sleep};
use oss_credentials_http::{
    HttpClient, HttpError, HttpErrorKind, HttpRequest, HttpResponse, test_util::ScriptedHttp,
};

/// 2026-01-02T03:04:05Z
pub(crate) const NOW: u64 = 1_767_323_045;
#[cfg(feature = "signed")]
pub(crate) const SECRET: &str = "canary-caller-secret";
#[cfg(feature = "signed")]
pub(crate) const TOKEN: &str = "canary-caller-token+/==";
#[cfg(feature = "signed")]
pub(crate) const ID: &str = "STS.NUExampleTempKeyId";

pub(crate) const OK: &str = r#"{"RequestId": "6894B13B-6D71-4EF5-88FA-F32781734A7F", "AssumedRoleUser": {"Arn":
    "acs:ram::123456789012:role/example-role/example-session", "AssumedRoleId":
    "300000000000000001:example-session"}, "Credentials": {"AccessKeyId": "STS.EXAMPLE", "AccessKeySecret":
    "canary-new-secret", "SecurityToken": "canary-new-token", "Expiration": "2026-01-02T04:04:05Z"}}"#;

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

    pub(crate) fn refuses(self, status: u16, code: &str) -> Self {
        self.answers(status, &error_body(code))
    }

    pub(crate) fn fails(mut self, kind: HttpErrorKind) -> Self {
        self.script = self.script.fails(kind);
        self
    }

    pub(crate) fn http(&self) -> Arc<dyn HttpClient> {
        Arc::new(self.script.clone())
    }

    pub(crate) fn client(&self) -> StsClientBuilder {
        StsClient::builder(self.http()).clock(ManualClock::at_unix(NOW))
    }

    pub(crate) fn requests(&self) -> Vec<HttpRequest> {
        self.script.requests()
    }
}

pub(crate) fn error_body(code: &str) -> String {
    format!(
        r#"{{"RequestId": "R-1", "Code": "{code}", "Message": "example",
           "Recommend": "https://api.aliyun.com/troubleshoot?q={code}"}}"#
    )
}

/// A [`Sleep`] that does not wait and keeps count.
#[derive(Clone, Debug, Default)]
pub(crate) struct Pauses(Arc<Mutex<Vec<Duration>>>);

impl Pauses {
    pub(crate) fn taken(&self) -> Vec<Duration> {
        self.0.lock().unwrap().clone()
    }
}

impl Sleep for Pauses {
    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()> {
        self.0.lock().unwrap().push(duration);
        Box::pin(std::future::ready(()))
    }
}

#[cfg(feature = "signed")]
pub(crate) fn caller() -> Credentials {
    Credentials::builder(ID, SECRET)
        .security_token(TOKEN)
        .build()
        .unwrap()
}

/// Has what a JWT has, and characters that a form must encode.
pub(crate) const JWT: &str = "canary-oidc-header.canary-oidc+claims/.canary-oidc-signature==";

pub(crate) fn role_for_token() -> AssumeRoleWithOidc {
    AssumeRoleWithOidc::new(
        "acs:ram::123456789012:role/example-role",
        "acs:ram::123456789012:oidc-provider/example-cluster",
        "example-session",
    )
    .oidc_token(JWT)
}

#[cfg(feature = "signed")]
pub(crate) fn role() -> AssumeRole {
    AssumeRole::new("acs:ram::123456789012:role/example-role", "example-session")
}

#[cfg(feature = "signed")]
pub(crate) fn at(unix: u64) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(unix)
}

/// Query and form of a request, decoded, as the service sees them.
pub(crate) fn params(request: &HttpRequest) -> Vec<(String, String)> {
    let query = request.url().split_once('?').map_or("", |(_, query)| query);
    [query, std::str::from_utf8(request.body()).unwrap()]
        .into_iter()
        .flat_map(decode)
        .collect()
}

pub(crate) fn decode(encoded: &str) -> Vec<(String, String)> {
    let text = |raw| {
        percent_encoding::percent_decode_str(raw)
            .decode_utf8()
            .unwrap()
            .into_owned()
    };
    let pairs = encoded.split('&').filter(|pair| !pair.is_empty());
    pairs
        .map(|pair| pair.split_once('=').unwrap())
        .map(|(key, value)| (text(key), text(value)))
        .collect()
}

pub(crate) fn get<'a>(params: &'a [(String, String)], name: &str) -> Option<&'a str> {
    let mut found = params.iter().filter(|(key, _)| key == name);
    let value = found.next().map(|(_, value)| value.as_str());
    assert!(found.next().is_none(), "{name} was sent twice");
    value
}
