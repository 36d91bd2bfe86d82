//! A service made of a script, and what goes with it.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use oss_credentials_core::http::{HttpClient, HttpError, HttpErrorKind, HttpRequest, HttpResponse, http_fn};
use oss_credentials_core::test_util::ManualClock;
use oss_credentials_core::{Credentials, CredentialsError, CredentialsProvider, blocking};
use oss_credentials_sts_assume_role::{StsAssumeRole, StsAssumeRoleBuilder};

/// 2026-01-02T03:04:05Z
pub(crate) const NOW: u64 = 1_767_323_045;
pub(crate) const ARN: &str = "acs:ram::123456789012:role/example-role";

pub(crate) type Step = Box<dyn Fn(&HttpRequest) -> Result<HttpResponse, HttpError> + Send + Sync>;

/// Answers in order, and keeps what it was asked.
#[derive(Clone, Default)]
pub(crate) struct Service {
    steps: Arc<Mutex<VecDeque<Step>>>,
    requests: Arc<Mutex<Vec<HttpRequest>>>,
}

impl Service {
    pub(crate) fn new() -> Self {
        Self::default()
    }

    pub(crate) fn then(
        self,
        step: impl Fn(&HttpRequest) -> Result<HttpResponse, HttpError> + Send + Sync + 'static,
    ) -> Self {
        self.steps.lock().unwrap().push_back(Box::new(step));
        self
    }

    pub(crate) fn answers(self, status: u16, body: &str) -> Self {
        let body = body.as_bytes().to_vec();
        self.then(move |_| Ok(HttpResponse::new(status, body.clone())))
    }

    pub(crate) fn refuses(self, status: u16, code: &str) -> Self {
        self.answers(
            status,
            &format!(r#"{{"Code": "{code}", "Message": "m", "RequestId": "R-1"}}"#),
        )
    }

    pub(crate) fn fails(self, kind: HttpErrorKind) -> Self {
        self.then(move |_| Err(HttpError::new(kind, "made up")))
    }

    pub(crate) fn http(&self) -> impl HttpClient {
        let service = self.clone();
        http_fn(move |request| {
            let step = service
                .steps
                .lock()
                .unwrap()
                .pop_front()
                .expect("one request too many");
            let answer = step(&request);
            service.requests.lock().unwrap().push(request);
            std::future::ready(answer)
        })
    }

    pub(crate) fn requests(&self) -> Vec<HttpRequest> {
        self.requests.lock().unwrap().clone()
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
