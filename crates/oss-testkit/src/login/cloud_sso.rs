//! CloudSSO: exchanges a login for credentials of an account.
//!
//! Vendor document: *Use Alibaba Cloud CLI to access CloudSSO*. Request and response are as observed from the vendor's
//! clients, which know only the names of the fields of an error.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use serde_json::{Map, Value, json};

use super::{bearer, credentials, end, is_json, new_token};
use crate::openapi::product::request_id;
use crate::record::Service;
use crate::service::{CloudService, Judgement};
use crate::state::State;
use crate::wire::{Answer, Request};

const PATH: &str = "/cloud-credentials";
const ACTION: &str = "GetCloudCredentials";
const SESSION: &str = "cloud-sso";
const DEFAULT_ACCESS_CONFIGURATION: &str = "ac-example";
/// A guess: an administrator of CloudSSO sets how long a login lasts.
const DEFAULT_LIFETIME: Duration = Duration::from_secs(8 * 3600);

/// What the builder sets.
#[derive(Clone, Debug, Default)]
pub(crate) struct Settings {
    pub(crate) port: u16,
    pub(crate) lifetime: Option<Duration>,
    pub(crate) access_configuration: Option<String>,
}

/// The state of CloudSSO.
pub(crate) struct CloudSso {
    state: Arc<State>,
    role: String,
    lifetime: Duration,
    pub(crate) access_configuration: String,
    /// Access tokens, and when they expire.
    logins: Mutex<Vec<(String, SystemTime)>>,
}

impl CloudSso {
    /// Issues keys of this role.
    pub(crate) fn new(state: Arc<State>, settings: Settings, role: &str) -> Self {
        Self {
            state,
            role: role.to_owned(),
            lifetime: settings.lifetime.unwrap_or(DEFAULT_LIFETIME),
            access_configuration: settings
                .access_configuration
                .unwrap_or_else(|| DEFAULT_ACCESS_CONFIGURATION.to_owned()),
            logins: Mutex::default(),
        }
    }

    /// Logs in, as a person does.
    pub(crate) fn login(&self) -> CloudSsoLogin {
        let access_token = new_token("sso-");
        let expires_at = end(self.state.now(0), self.lifetime);
        self.logins().push((access_token.clone(), expires_at));
        CloudSsoLogin {
            access_token,
            expires_at,
        }
    }

    /// Ends all logins.
    pub(crate) fn end_logins(&self) {
        self.logins().clear();
    }

    fn logins(&self) -> MutexGuard<'_, Vec<(String, SystemTime)>> {
        self.logins.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A CloudSSO login as the CLI keeps it. `Debug` shows no token.
#[derive(Clone)]
pub struct CloudSsoLogin {
    access_token: String,
    expires_at: SystemTime,
}

impl CloudSsoLogin {
    /// The access token: `access_token` of a profile.
    pub fn access_token(&self) -> &str {
        &self.access_token
    }

    /// Returns when the access token expires, by the services' clock: `cloud_sso_access_token_expire` of a profile, in Unix
    /// seconds.
    pub fn expires_at(&self) -> SystemTime {
        self.expires_at
    }
}

impl fmt::Debug for CloudSsoLogin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CloudSsoLogin")
            .field("access_token", &"<redacted>")
            .field("expires_at", &self.expires_at)
            .finish()
    }
}

impl CloudService for CloudSso {
    fn id(&self) -> Service {
        Service::CloudSso
    }

    fn is_at(&self, host: &str) -> bool {
        let name = host.strip_suffix(".alibabacloudsso.com");
        name.is_some_and(|name| name.starts_with("signin-"))
    }

    fn action(&self, request: &Request) -> String {
        let asked = request.method == "POST" && request.path == PATH;
        if asked { ACTION } else { "Unknown" }.to_owned()
    }

    fn handle(&self, request: &Request, judgement: Judgement) -> Answer {
        answer(self, request, judgement)
            .unwrap_or_else(|(status, code, message)| error(status, code, &message))
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

type Refusal = (u16, &'static str, String);

fn answer(service: &CloudSso, request: &Request, judgement: Judgement) -> Result<Answer, Refusal> {
    let state = &*service.state;
    let refuse = |status, code, message: &str| Err((status, code, message.to_owned()));
    if request.path != PATH {
        return refuse(404, "NotFound", "There is nothing at this path.");
    }
    if request.method != "POST" {
        return refuse(405, "MethodNotAllowed", "Only POST is allowed.");
    }
    let Some(token) = bearer(request) else {
        return refuse(401, "MissingAccessToken", "The request shows no access token.");
    };
    let ends = {
        let logins = service.logins();
        logins.iter().find(|(own, _)| own == token).map(|(_, ends)| *ends)
    };
    match ends {
        None => return refuse(401, "InvalidAccessToken", "The access token is not known."),
        Some(ends) if ends <= state.now(judgement.clock_offset) => {
            return refuse(401, "AccessTokenExpired", "The access token has expired.");
        }
        Some(_) => {}
    }
    let wanted = wanted(request)?;
    if wanted.account_id != state.account || wanted.access_configuration_id != service.access_configuration {
        let message = "The access configuration is not provisioned for the user in this account.";
        return refuse(403, "NoPermission", message);
    }
    let keys = credentials(state, &service.role, SESSION, judgement)
        .map_err(|message| (500, "InternalError", message))?;
    let keys: Map<String, Value> = keys
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value))
        .collect();
    let body = json!({ "CloudCredential": keys, "RequestId": request_id() });
    Ok(Answer::new(200, "application/json", body.to_string()))
}

struct Wanted {
    account_id: String,
    access_configuration_id: String,
}

fn wanted(request: &Request) -> Result<Wanted, Refusal> {
    let refuse = |code, message: &str| (400, code, message.to_owned());
    if !is_json(request) {
        return Err(refuse(
            "InvalidContentType",
            "The Content-Type must be application/json.",
        ));
    }
    let body: Map<String, Value> = serde_json::from_slice(&request.body)
        .map_err(|_| refuse("InvalidRequestBody", "The body is not a JSON object."))?;
    let text = |name: &str, code| {
        let value = body
            .get(name)
            .and_then(Value::as_str)
            .filter(|text| !text.is_empty());
        let missing = || refuse(code, &format!("{name} is missing, empty or no text."));
        value.map(str::to_owned).ok_or_else(missing)
    };
    Ok(Wanted {
        account_id: text("AccountId", "InvalidParameter.AccountId")?,
        access_configuration_id: text("AccessConfigurationId", "InvalidParameter.AccessConfigurationId")?,
    })
}

/// An error response, with the fields that the CLI reads.
fn error(status: u16, code: &str, message: &str) -> Answer {
    let body = json!({ "ErrorCode": code, "ErrorMessage": message, "RequestId": request_id() });
    let mut answer = Answer::new(status, "application/json", body.to_string());
    answer.code = Some(code.to_owned());
    answer
}
