//! Every service that a profile or the default chain may ask, in one script, and each can be taken away. It answers
//! at once: whoever waits here waits for something else.
#![allow(dead_code, reason = "not every test needs all of it")]

use std::sync::{Arc, Mutex};

use chrono::{DateTime, SecondsFormat};
use oss_credentials_core::Clock;
use oss_credentials_core::test_util::ManualClock;
use oss_credentials_http::{HttpClient, HttpError, HttpErrorKind, HttpRequest, HttpResponse, http_fn};

/// What issued keys are made of.
pub(crate) const SECRET: &str = "canary-issued-secret";
pub(crate) const TOKEN: &str = "canary-issued-token";
/// In an answer: keys and tokens that the request has.
pub(crate) const ECHO: &str = "ECHO";
/// Host and port of the server behind the credentials URI.
pub(crate) const URI_HOST: &str = "127.0.0.1:6666";
/// CloudSSO's, as a profile has it.
pub(crate) const SIGN_IN_HOST: &str = "signin.example.com";
pub(crate) const STS_HOST: &str = "sts.cn-hangzhou.aliyuncs.com";
pub(crate) const OAUTH_HOST: &str = "oauth.aliyun.com";
/// Of instance metadata.
pub(crate) const METADATA_HOST: &str = "100.100.100.200";

#[derive(Clone)]
pub(crate) struct Services {
    state: Arc<Mutex<State>>,
    clock: ManualClock,
}

#[derive(Default)]
struct State {
    /// Hosts that do not answer.
    down: Vec<String>,
    /// What is asked while it is down.
    missed: usize,
    asked: Vec<String>,
    issued: usize,
    /// In place of the good answers.
    instead: Option<(u16, String)>,
}

impl Services {
    pub(crate) fn new(clock: &ManualClock) -> Self {
        Self {
            state: Arc::default(),
            clock: clock.clone(),
        }
    }

    pub(crate) fn down(&self, host: &str) {
        self.state.lock().unwrap().down.push(host.to_owned());
    }

    pub(crate) fn up(&self) {
        self.state.lock().unwrap().down.clear();
    }

    /// How many requests a service that is down did not answer.
    pub(crate) fn missed(&self) -> usize {
        self.state.lock().unwrap().missed
    }

    /// Whether the host was asked anything so far.
    pub(crate) fn was_asked(&self, host: &str) -> bool {
        self.state
            .lock()
            .unwrap()
            .asked
            .iter()
            .any(|url| url.contains(host))
    }

    /// Every service answers this from now on.
    pub(crate) fn answer_instead(&self, status: u16, body: impl Into<String>) {
        self.state.lock().unwrap().instead = Some((status, body.into()));
    }

    pub(crate) fn http(&self) -> impl HttpClient + use<> {
        let services = self.clone();
        http_fn(move |request| std::future::ready(services.answer(&request)))
    }

    fn answer(&self, request: &HttpRequest) -> Result<HttpResponse, HttpError> {
        let mut state = self.state.lock().unwrap();
        let url = request.url();
        state.asked.push(url.to_owned());
        if state.down.iter().any(|host| url.contains(host)) {
            state.missed += 1;
            return match state.missed % 3 {
                0 => Ok(HttpResponse::new(503, b"<html>busy</html>".to_vec())),
                1 => Err(HttpError::new(HttpErrorKind::Connect, "connection refused")),
                _ => Err(HttpError::new(HttpErrorKind::Timeout, "timed out")),
            };
        }
        if let Some((status, body)) = &state.instead {
            let body = body.replace(ECHO, &secrets_of(request));
            return Ok(HttpResponse::new(*status, body.into_bytes()));
        }
        if url.contains(METADATA_HOST) {
            let path = url.rsplit('/').next().unwrap_or_default();
            match path {
                "token" => return Ok(HttpResponse::new(200, b"metadata-token".to_vec())),
                "" => return Ok(HttpResponse::new(200, b"example-role".to_vec())),
                _ => {}
            }
        }
        state.issued += 1;
        let keys = self.keys(state.issued, url);
        let body = match url {
            _ if url.contains(STS_HOST) => format!(r#"{{"RequestId": "R-1", "Credentials": {{{keys}}}}}"#),
            _ if url.contains(SIGN_IN_HOST) => {
                format!(r#"{{"RequestId": "R-1", "CloudCredential": {{{keys}}}}}"#)
            }
            _ => format!(r#"{{"Code": "Success", {keys}}}"#),
        };
        Ok(HttpResponse::new(200, body.into_bytes()))
    }

    /// Keys that last an hour.
    fn keys(&self, number: usize, url: &str) -> String {
        let host = url.split('/').nth(2).unwrap_or_default();
        let now: DateTime<chrono::Utc> = self.clock.now().into();
        let shown = |at: DateTime<chrono::Utc>| at.to_rfc3339_opts(SecondsFormat::Secs, true);
        let (updated, expires) = (shown(now), shown(now + chrono::TimeDelta::hours(1)));
        format!(
            r#""AccessKeyId": "STS.{host}.ExampleKeyId{number}", "AccessKeySecret": "{SECRET}", "SecurityToken": "{TOKEN}",
            "LastUpdated": "{updated}", "Expiration": "{expires}""#
        )
    }
}

/// Keys and tokens of a request, as they may stand in a text of JSON.
fn secrets_of(request: &HttpRequest) -> String {
    let body = String::from_utf8_lossy(request.body()).into_owned();
    let parts = [request.url(), body.as_str()].join("&");
    let is_secret = |part: &&str| {
        ["SecurityToken=", "OIDCToken=", "refresh_token=", "key="]
            .iter()
            .any(|name| part.starts_with(name))
    };
    let tokens: Vec<&str> = parts.split(['&', '?']).filter(is_secret).collect();
    let all = format!(
        "{} {}",
        request.header("authorization").unwrap_or_default(),
        tokens.join(" ")
    );
    all.replace(['"', '\\', '\n'], " ")
}
