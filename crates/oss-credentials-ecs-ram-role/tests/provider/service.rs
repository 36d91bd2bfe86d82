//! A metadata service made of a script, and what goes with it.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use oss_credentials_core::http::{HttpClient, HttpError, HttpErrorKind, HttpRequest, HttpResponse, http_fn};
use oss_credentials_core::test_util::ManualClock;
use oss_credentials_core::{CredentialsError, CredentialsSource, Fetched, blocking};
use oss_credentials_ecs_ram_role::{EcsRamRole, EcsRamRoleBuilder};

/// 2026-01-02T03:04:05Z
pub(crate) const NOW: u64 = 1_767_323_045;
pub(crate) const TOKEN: &str = "canary-metadata-token==";
pub(crate) const PUT: &str = "PUT http://100.100.100.200/latest/api/token";
pub(crate) const LIST: &str = "GET http://100.100.100.200/latest/meta-data/ram/security-credentials/";
pub(crate) const KEYS: &str =
    "GET http://100.100.100.200/latest/meta-data/ram/security-credentials/example-role";

type Step = Box<dyn Fn() -> Result<HttpResponse, HttpError> + Send + Sync>;

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
        step: impl Fn() -> Result<HttpResponse, HttpError> + Send + Sync + 'static,
    ) -> Self {
        self.steps.lock().unwrap().push_back(Box::new(step));
        self
    }

    pub(crate) fn answers(self, status: u16, body: &str) -> Self {
        let body = body.as_bytes().to_vec();
        self.then(move || Ok(HttpResponse::new(status, body.clone())))
    }

    pub(crate) fn fails(self, kind: HttpErrorKind) -> Self {
        self.then(move || Err(HttpError::new(kind, "made up")))
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
        let service = self.clone();
        http_fn(move |request| {
            let step = service.steps.lock().unwrap().pop_front();
            let shown = format!("{request:?}");
            service.requests.lock().unwrap().push(request);
            let answer = step.unwrap_or_else(|| panic!("one request too many: {shown}"))();
            std::future::ready(answer)
        })
    }

    pub(crate) fn requests(&self) -> Vec<HttpRequest> {
        self.requests.lock().unwrap().clone()
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
        let left = self.steps.lock().unwrap().len();
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
