//! A Security Token Service that issues a session for each call, and says in it whom it is for.
#![allow(dead_code, reason = "each test uses a part of it")]

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use oss_credentials_core::test_util::ManualClock;
use oss_credentials_core::{Clock, Credentials};
use oss_credentials_http::{HttpClient, HttpRequest, HttpResponse, http_fn};
use oss_credentials_sts_assume_role::StsAssumeRole;
use oss_credentials_vending::{Vendor, VendorBuilder};
use percent_encoding::percent_decode_str;

/// 2026-01-02T03:04:05Z
const NOW: u64 = 1_767_323_045;

#[derive(Clone)]
pub(crate) struct Sts {
    clock: ManualClock,
    state: Arc<Mutex<State>>,
}

/// A session that was issued: for which call, and until when it works.
#[derive(Clone)]
pub(crate) struct Issued {
    pub(crate) call: BTreeMap<String, String>,
    pub(crate) at: SystemTime,
}

#[derive(Default)]
struct State {
    sessions: BTreeMap<String, Issued>,
    calls: Vec<BTreeMap<String, String>>,
    issued: BTreeMap<String, u32>,
    lifetime: Option<Duration>,
    /// Status and body of a refusal.
    refusal: Option<(u16, &'static str)>,
}

impl Sts {
    pub(crate) fn new() -> Self {
        Self {
            clock: ManualClock::at_unix(NOW),
            state: Arc::default(),
        }
    }

    pub(crate) fn clock(&self) -> &ManualClock {
        &self.clock
    }

    /// The parameters of each call.
    pub(crate) fn calls(&self) -> Vec<BTreeMap<String, String>> {
        self.state.lock().unwrap().calls.clone()
    }

    /// What a session was issued for.
    pub(crate) fn ends(&self, access_key_id: &str) -> Issued {
        self.state.lock().unwrap().sessions[access_key_id].clone()
    }

    /// Sessions last only so long, whatever is asked for.
    pub(crate) fn lifetime(&self, lifetime: Duration) {
        self.state.lock().unwrap().lifetime = Some(lifetime);
    }

    /// From now on calls are refused with this status and body, or served.
    pub(crate) fn refuse(&self, refusal: Option<(u16, &'static str)>) {
        self.state.lock().unwrap().refusal = refusal;
    }

    pub(crate) fn vendor(&self) -> VendorBuilder {
        let base = Credentials::builder("LTAI5tEXAMPLEKEYID", "canary-base-secret")
            .build()
            .unwrap();
        let role = StsAssumeRole::builder(base)
            .role_arn("acs:ram::123456789012:role/tenants")
            .http_client(self.http())
            .clock(self.clock.clone())
            .build_source()
            .unwrap();
        Vendor::builder(role).clock(self.clock.clone())
    }

    fn http(&self) -> impl HttpClient + use<> {
        let sts = self.clone();
        http_fn(move |request| {
            let response = sts.answer(&request);
            async { Ok(response) }
        })
    }

    fn answer(&self, request: &HttpRequest) -> HttpResponse {
        let params = params(request);
        let mut state = self.state.lock().unwrap();
        state.calls.push(params.clone());
        if let Some((status, body)) = state.refusal {
            return HttpResponse::new(status, body.into());
        }
        let seconds = params["DurationSeconds"].parse().unwrap();
        let lifetime = state.lifetime.unwrap_or(Duration::from_secs(seconds));
        let name = &params["RoleSessionName"];
        let number = state.issued.entry(name.clone()).or_default();
        *number += 1;
        let id = format!("STS.{name}.{number}");
        let at = self.clock.now() + lifetime;
        let ends = utc(at);
        let call = params.clone();
        state.sessions.insert(id.clone(), Issued { call, at });
        let body = format!(
            r#"{{"RequestId": "R-0", "Credentials": {{"AccessKeyId": "{id}", "AccessKeySecret": "secret-of-{id}",
               "SecurityToken": "token-of-{id}", "Expiration": "{ends}"}}}}"#
        );
        HttpResponse::new(200, body.into_bytes())
    }
}

/// Query and form fields.
fn params(request: &HttpRequest) -> BTreeMap<String, String> {
    let query = request.url().split_once('?').map_or("", |(_, query)| query);
    let body = String::from_utf8(request.body().to_vec()).unwrap();
    let decode = |text: &str| {
        percent_decode_str(&text.replace('+', " "))
            .decode_utf8()
            .unwrap()
            .into_owned()
    };
    query
        .split('&')
        .chain(body.split('&'))
        .filter_map(|field| field.split_once('='))
        .map(|(name, value)| (decode(name), decode(value)))
        .collect()
}

/// As STS writes it.
fn utc(at: SystemTime) -> String {
    let expiring = Credentials::builder("id", "secret")
        .expires_at(at)
        .build()
        .unwrap();
    let at = expiring.expires_at_utc().unwrap();
    at.format("%Y-%m-%dT%H:%M:%SZ").to_string()
}
