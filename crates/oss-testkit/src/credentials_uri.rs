//! A credentials URI: a server on the machine or nearby that hands out keys to whoever may ask it.
//!
//! Vendor document: *Manage access credentials* of the Alibaba Cloud SDKs, "Use a credentials URI".

use std::fmt;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use percent_encoding::{NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use serde_json::json;

use crate::account::Principal;
use crate::builder::LocalCloudBuilder;
use crate::cloud::LocalCloud;
use crate::server::Judgement;
use crate::session::Rotation;
use crate::state::State;
use crate::time::iso;
use crate::wire::{Answer, Request};

pub(crate) const PATH: &str = "/credentials";
const ACTION: &str = "GetCredentials";
const SESSION: &str = "credentials-uri";
/// Life of the credentials; the document sets none.
const LIFETIME: Duration = Duration::from_secs(3600);

/// What the builder sets.
#[derive(Clone, Default)]
pub(crate) struct Settings {
    pub(crate) port: u16,
    user: Option<(String, String)>,
    token: Option<String>,
}

impl fmt::Debug for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Settings")
            .field("port", &self.port)
            .field("user", &self.user.is_some())
            .field("token", &self.token.is_some())
            .finish()
    }
}

/// What the server behind the URI knows.
#[derive(Debug)]
pub(crate) struct CredentialsUri {
    settings: Settings,
    role: String,
    rotation: Mutex<Rotation>,
}

impl CredentialsUri {
    /// Hands out keys of this role.
    pub(crate) fn new(settings: Settings, role: &str) -> Self {
        Self {
            settings,
            role: role.to_owned(),
            rotation: Mutex::default(),
        }
    }

    /// Who may ask, as the header says it; `None` if everybody may.
    fn authorization(&self) -> Option<String> {
        let (user, password) = self.settings.user.as_ref()?;
        Some(format!("Basic {}", STANDARD.encode(format!("{user}:{password}"))))
    }
}

impl LocalCloud {
    /// The credentials URI, with user and password or with the token in its path if the builder asks for them.
    /// Requests to it have the action `GetCredentials`, those to another path `Unknown`.
    ///
    /// It hands out the same key of the first role until less than a sixth of the key's life of one hour is
    /// left.
    pub fn credentials_uri(&self) -> String {
        let settings = &self.state.credentials_uri.settings;
        let escaped = |text: &str| utf8_percent_encode(text, NON_ALPHANUMERIC).to_string();
        let user = settings.user.as_ref().map_or(String::new(), |(user, password)| {
            format!("{}:{}@", escaped(user), escaped(password))
        });
        let token = settings
            .token
            .as_ref()
            .map_or(String::new(), |token| format!("/{}", escaped(token)));
        format!("http://{user}{}{PATH}{token}", self.uri)
    }

    /// The port of the credentials URI.
    pub fn credentials_uri_port(&self) -> u16 {
        self.uri.port()
    }

    /// Lets the credentials URI hand out another key from now on. The old one stays good until its end.
    pub fn rotate_credentials_uri(&self) {
        let rotation = &self.state.credentials_uri.rotation;
        rotation.lock().unwrap_or_else(PoisonError::into_inner).rotate();
    }
}

impl LocalCloudBuilder {
    /// The port of the credentials URI on 127.0.0.1. Default: 0, a free one.
    #[must_use]
    pub fn credentials_uri_port(mut self, port: u16) -> Self {
        self.uri.port = port;
        self
    }

    /// User and password that requests to the credentials URI must send as Basic authorization; others get
    /// HTTP 401. The user has no colon. Default: none is asked for.
    #[must_use]
    pub fn credentials_uri_user(mut self, user: impl Into<String>, password: impl Into<String>) -> Self {
        self.uri.user = Some((user.into(), password.into()));
        self
    }

    /// A token that must stand at the end of the URI's path; others get HTTP 403. Default: none is asked for.
    #[must_use]
    pub fn credentials_uri_token(mut self, token: impl Into<String>) -> Self {
        self.uri.token = Some(token.into());
        self
    }
}

/// The name under which the request is recorded.
pub(crate) fn action(request: &Request) -> String {
    let asked = request.method == "GET" && path_token(&request.path).is_some();
    if asked { ACTION } else { "Unknown" }.to_owned()
}

/// What follows the path, decoded and without its slash; `None` for another path.
fn path_token(path: &str) -> Option<String> {
    let rest = path.strip_prefix(PATH)?;
    if !rest.is_empty() && !rest.starts_with('/') {
        return None;
    }
    let token = percent_decode_str(rest.trim_start_matches('/'));
    Some(token.decode_utf8_lossy().into_owned())
}

/// Carries out a request.
pub(crate) fn handle(state: &State, request: &Request, judgement: Judgement) -> Answer {
    let service = &state.credentials_uri;
    let Some(token) = path_token(&request.path) else {
        return error(404, "NotFound", "There are no credentials at this path.");
    };
    if request.method != "GET" {
        return error(405, "MethodNotAllowed", "Only GET is allowed.").with("allow", "GET");
    }
    if let Some(expected) = service.authorization()
        && request.header("authorization") != Some(expected.as_str())
    {
        return error(401, "Unauthorized", "User and password are missing or wrong.")
            .with("www-authenticate", "Basic realm=\"credentials\"");
    }
    if service.settings.token.as_deref().unwrap_or_default() != token {
        return error(403, "Forbidden", "The token in the path is missing or wrong.");
    }
    let principal = Principal::Session {
        role: service.role.clone(),
        session: SESSION.to_owned(),
    };
    let mut rotation = service.rotation.lock().unwrap_or_else(PoisonError::into_inner);
    match rotation.current(state, principal, LIFETIME, judgement) {
        Ok(session) => {
            let document = json!({
                "Code": "Success",
                "AccessKeyId": session.credentials.access_key_id(),
                "AccessKeySecret": session.credentials.access_key_secret(),
                "SecurityToken": session.credentials.security_token(),
                "Expiration": iso(session.expires_at),
            });
            Answer::new(200, "application/json", document.to_string())
        }
        Err(refused) => error(500, "InternalError", &refused.to_string()),
    }
}

/// An error answer. The document describes none; this one has the shape of the services'.
pub(crate) fn error(status: u16, code: &str, message: &str) -> Answer {
    let body = json!({ "Code": code, "Message": message });
    let mut answer = Answer::new(status, "application/json", body.to_string());
    answer.code = Some(code.to_owned());
    answer
}
