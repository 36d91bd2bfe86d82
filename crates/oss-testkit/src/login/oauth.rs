//! The OAuth service: exchanges logins for credentials, and renews logins with refresh tokens that can be used once.
//!
//! Vendor document: *Configure credentials* of Alibaba Cloud CLI, mode `OAuth`. Hosts, client IDs, requests and
//! responses are as observed from the vendor's clients; errors of the token endpoint are those of RFC 6749.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use serde_json::{Map, Value, json};

use super::{bearer, credentials, end, is_json, new_token};
use crate::openapi::product::request_id;
use crate::record::Service;
use crate::service::{CloudService, Judgement};
use crate::state::State;
use crate::time::parse_iso;
use crate::wire::{Answer, Request};

const TOKEN_PATH: &str = "/v1/token";
const EXCHANGE_PATH: &str = "/v1/exchange";
const SESSION: &str = "oauth";
/// As in the responses that the vendor's clients show.
const DEFAULT_ACCESS_LIFETIME: Duration = Duration::from_secs(10_800);
/// A guess.
const DEFAULT_LOGIN_LIFETIME: Duration = Duration::from_secs(30 * 24 * 3600);

/// The site of a login: each has its own host and client ID.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OAuthSite {
    /// China: `oauth.aliyun.com`.
    China,
    /// International: `oauth.alibabacloud.com`.
    International,
}

impl OAuthSite {
    /// The value of `oauth_site_type` in a profile: `CN` or `INTL`.
    pub fn name(self) -> &'static str {
        match self {
            Self::China => "CN",
            Self::International => "INTL",
        }
    }

    /// The public host.
    fn host(self) -> &'static str {
        match self {
            Self::China => "oauth.aliyun.com",
            Self::International => "oauth.alibabacloud.com",
        }
    }

    /// The client ID of the CLI.
    fn client_id(self) -> &'static str {
        match self {
            Self::China => "4038181954557748008",
            Self::International => "4103531455503354461",
        }
    }

    const ALL: [Self; 2] = [Self::China, Self::International];

    /// Returns whether the site responds at this `Host`; a host that is not public can stand for both sites.
    fn answers_at(self, host: &str) -> bool {
        Self::ALL
            .into_iter()
            .find(|site| site.host() == host)
            .is_none_or(|site| site == self)
    }
}

/// What the builder sets.
#[derive(Clone, Debug, Default)]
pub(crate) struct Settings {
    pub(crate) port: u16,
    pub(crate) access_lifetime: Option<Duration>,
    pub(crate) login_lifetime: Option<Duration>,
    pub(crate) pascal_case: bool,
}

/// The state of the service.
pub(crate) struct OAuth {
    state: Arc<State>,
    role: String,
    access_lifetime: Duration,
    login_lifetime: Duration,
    pascal_case: bool,
    logins: Mutex<Vec<Stored>>,
}

struct Stored {
    login: OAuthLogin,
    /// Earlier refresh tokens of the login.
    spent: Vec<String>,
}

impl OAuth {
    /// Issues keys of this role.
    pub(crate) fn new(state: Arc<State>, settings: &Settings, role: &str) -> Self {
        Self {
            state,
            role: role.to_owned(),
            access_lifetime: settings.access_lifetime.unwrap_or(DEFAULT_ACCESS_LIFETIME),
            login_lifetime: settings.login_lifetime.unwrap_or(DEFAULT_LOGIN_LIFETIME),
            pascal_case: settings.pascal_case,
            logins: Mutex::default(),
        }
    }

    /// Logs in, as a person does.
    pub(crate) fn login(&self, site: OAuthSite) -> OAuthLogin {
        let now = self.state.now(0);
        let login = OAuthLogin {
            site,
            access_token: new_token("access-"),
            refresh_token: new_token("refresh-"),
            access_token_expires_at: end(now, self.access_lifetime),
            refresh_token_expires_at: end(now, self.login_lifetime),
        };
        self.logins().push(Stored {
            login: login.clone(),
            spent: Vec::new(),
        });
        login
    }

    /// The current logins.
    pub(crate) fn current_logins(&self) -> Vec<OAuthLogin> {
        self.logins().iter().map(|stored| stored.login.clone()).collect()
    }

    /// Ends all logins.
    pub(crate) fn end_logins(&self) {
        self.logins().clear();
    }

    fn logins(&self) -> MutexGuard<'_, Vec<Stored>> {
        self.logins.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// An OAuth login as the CLI keeps it. `Debug` shows no token.
#[derive(Clone)]
pub struct OAuthLogin {
    site: OAuthSite,
    access_token: String,
    refresh_token: String,
    access_token_expires_at: SystemTime,
    refresh_token_expires_at: SystemTime,
}

impl OAuthLogin {
    /// The site of the login: `oauth_site_type` of a profile.
    pub fn site(&self) -> OAuthSite {
        self.site
    }

    /// The access token: `oauth_access_token` of a profile.
    pub fn access_token(&self) -> &str {
        &self.access_token
    }

    /// Returns when the access token expires, by the services' clock: `oauth_access_token_expire` of a profile, in Unix
    /// seconds.
    pub fn access_token_expires_at(&self) -> SystemTime {
        self.access_token_expires_at
    }

    /// The refresh token: `oauth_refresh_token` of a profile.
    pub fn refresh_token(&self) -> &str {
        &self.refresh_token
    }

    /// Returns when the login as a whole expires: `oauth_refresh_token_expire` of a profile, in Unix seconds.
    pub fn refresh_token_expires_at(&self) -> SystemTime {
        self.refresh_token_expires_at
    }
}

impl fmt::Debug for OAuthLogin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OAuthLogin")
            .field("site", &self.site)
            .field("access_token", &"<redacted>")
            .field("access_token_expires_at", &self.access_token_expires_at)
            .field("refresh_token", &"<redacted>")
            .field("refresh_token_expires_at", &self.refresh_token_expires_at)
            .finish()
    }
}

type Refusal = (u16, &'static str, String);

impl CloudService for OAuth {
    fn id(&self) -> Service {
        Service::OAuth
    }

    fn is_at(&self, host: &str) -> bool {
        OAuthSite::ALL.into_iter().any(|site| site.host() == host)
    }

    fn action(&self, request: &Request) -> String {
        let name = match (request.method.as_str(), request.path.as_str()) {
            ("POST", TOKEN_PATH) => "RefreshToken",
            ("POST", EXCHANGE_PATH) => "Exchange",
            _ => "Unknown",
        };
        name.to_owned()
    }

    fn handle(&self, request: &Request, judgement: Judgement) -> Answer {
        let fields = match (request.method.as_str(), request.path.as_str()) {
            ("POST", TOKEN_PATH) => refresh(self, request, judgement),
            ("POST", EXCHANGE_PATH) => exchange(self, request, judgement),
            (_, TOKEN_PATH | EXCHANGE_PATH) => Err(refusal(405, "invalid_request", "Only POST is allowed.")),
            _ => Err(refusal(404, "not_found", "There is nothing at this path.")),
        };
        match fields {
            // RFC 6749, section 5.1.
            Ok(fields) => Answer::new(200, "application/json", Value::Object(fields).to_string())
                .with("cache-control", "no-store"),
            Err((status, code, message)) => error(status, code, &message),
        }
    }

    fn error(&self, _request: &Request, status: u16, code: &str, message: &str) -> Answer {
        error(status, code, message)
    }

    fn throttling(&self, _request: &Request) -> Answer {
        error(
            429,
            "Throttling.User",
            "Request was denied due to user flow control.",
        )
    }
}

fn refusal(status: u16, code: &'static str, message: &str) -> Refusal {
    (status, code, message.to_owned())
}

/// A field of the form. Only a form is read: secrets do not belong in a URL.
fn field<'r>(request: &'r Request, name: &str) -> Result<&'r str, Refusal> {
    let mut values = request.form.iter().filter(|(own, _)| own == name);
    let problem = match (values.next(), values.next()) {
        (Some((_, value)), None) if !value.is_empty() => return Ok(value.as_str()),
        (Some(_), Some(_)) => format!("{name} is there twice."),
        _ => format!("{name} is missing."),
    };
    Err(refusal(400, "invalid_request", &problem))
}

fn refresh(service: &OAuth, request: &Request, judgement: Judgement) -> Result<Map<String, Value>, Refusal> {
    let state = &*service.state;
    if field(request, "grant_type")? != "refresh_token" {
        let message = "The grant type must be refresh_token.";
        return Err(refusal(400, "unsupported_grant_type", message));
    }
    let client_id = field(request, "client_id")?;
    let site = OAuthSite::ALL
        .into_iter()
        .find(|site| site.client_id() == client_id && site.answers_at(&request.host))
        .ok_or_else(|| refusal(401, "invalid_client", "The client is not known here."))?;
    if parse_iso(field(request, "Timestamp")?).is_none() {
        let message = "Timestamp is not a time like 2026-01-02T03:04:05Z.";
        return Err(refusal(400, "invalid_request", message));
    }
    let token = field(request, "refresh_token")?;
    let now = state.now(judgement.clock_offset);
    let mut logins = service.logins();
    let grant = |message| Err(refusal(400, "invalid_grant", message));
    if logins
        .iter()
        .any(|stored| stored.spent.iter().any(|own| own == token))
    {
        return grant("The refresh token was used before.");
    }
    let Some(stored) = logins
        .iter_mut()
        .find(|stored| stored.login.refresh_token == token)
    else {
        return grant("The refresh token is not known.");
    };
    let login = &mut stored.login;
    if login.site != site {
        return grant("The refresh token was issued to another client.");
    }
    if login.refresh_token_expires_at <= now {
        return grant("The refresh token has expired.");
    }
    login.access_token = new_token("access-");
    login.access_token_expires_at = end(now, service.access_lifetime);
    stored
        .spent
        .push(std::mem::replace(&mut login.refresh_token, new_token("refresh-")));
    let fields = json!({
        "access_token": login.access_token,
        "refresh_token": login.refresh_token,
        "expires_in": service.access_lifetime.as_secs(),
        "token_type": "Bearer",
    });
    Ok(fields.as_object().cloned().unwrap_or_default())
}

fn exchange(service: &OAuth, request: &Request, judgement: Judgement) -> Result<Map<String, Value>, Refusal> {
    let state = &*service.state;
    let invalid = |message| Err(refusal(400, "invalid_request", message));
    if !is_json(request) {
        return invalid("The Content-Type must be application/json.");
    }
    if request.header("content-length") != Some("0") {
        return invalid("The body must be empty, and Content-Length say so.");
    }
    let Some(token) = bearer(request) else {
        return Err(refusal(
            401,
            "invalid_token",
            "The request shows no access token.",
        ));
    };
    let found = {
        let logins = service.logins();
        let mut logins = logins.iter().map(|stored| &stored.login);
        logins
            .find(|login| login.access_token == token && login.site.answers_at(&request.host))
            .map(|login| login.access_token_expires_at)
    };
    match found {
        None => return Err(refusal(401, "invalid_token", "The access token is not known.")),
        Some(ends) if ends <= state.now(judgement.clock_offset) => {
            return Err(refusal(401, "expired_token", "The access token has expired."));
        }
        Some(_) => {}
    }
    let keys = credentials(state, &service.role, SESSION, judgement)
        .map_err(|message| refusal(500, "server_error", &message))?;
    let all = keys.into_iter().chain([("RequestId", json!(request_id()))]);
    let named = |name: &str| {
        if service.pascal_case {
            return name.to_owned();
        }
        let (first, rest) = name.split_at(1);
        format!("{}{rest}", first.to_ascii_lowercase())
    };
    Ok(all.map(|(name, value)| (named(name), value)).collect())
}

/// An error response, with the fields that the vendor's clients read.
fn error(status: u16, code: &str, message: &str) -> Answer {
    let body = json!({ "error": code, "error_description": message, "requestId": request_id() });
    let mut answer = Answer::new(status, "application/json", body.to_string());
    answer.code = Some(code.to_owned());
    answer
}
