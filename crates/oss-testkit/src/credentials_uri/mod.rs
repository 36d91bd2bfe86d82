//! A credentials URI: a server on the machine or nearby that issues keys to permitted callers.
//!
//! Vendor document: *Manage access credentials* of the Alibaba Cloud SDKs, "Use a credentials URI".

use std::fmt;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use percent_encoding::{NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use serde_json::json;

use crate::account::Principal;
use crate::record::Service;
use crate::service::{CloudService, Judgement};
use crate::session::Rotation;
use crate::state::State;
use crate::time::iso;
use crate::wire::{Answer, Request};

const PATH: &str = "/credentials";
const ACTION: &str = "GetCredentials";
const SESSION: &str = "credentials-uri";
/// Lifetime of the credentials; the document sets none.
const LIFETIME: Duration = Duration::from_secs(3600);

/// What the builder sets.
#[derive(Clone, Default)]
pub(crate) struct Settings {
    pub(crate) port: u16,
    pub(crate) user: Option<(String, String)>,
    pub(crate) token: Option<String>,
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

/// The state of the server behind the URI.
pub(crate) struct CredentialsUri {
    state: Arc<State>,
    settings: Settings,
    role: String,
    rotation: Mutex<Rotation>,
}

impl CredentialsUri {
    /// Issues keys of this role.
    pub(crate) fn new(state: Arc<State>, settings: Settings, role: &str) -> Self {
        Self {
            state,
            settings,
            role: role.to_owned(),
            rotation: Mutex::default(),
        }
    }

    /// The URI, including what a permitted caller needs.
    pub(crate) fn uri(&self, address: SocketAddr) -> String {
        let escaped = |text: &str| utf8_percent_encode(text, NON_ALPHANUMERIC).to_string();
        let user = self
            .settings
            .user
            .as_ref()
            .map_or(String::new(), |(user, password)| {
                format!("{}:{}@", escaped(user), escaped(password))
            });
        let token = self.settings.token.as_ref();
        let token = token.map_or(String::new(), |token| format!("/{}", escaped(token)));
        format!("http://{user}{address}{PATH}{token}")
    }

    /// Issues another key from now on.
    pub(crate) fn rotate(&self) {
        self.rotation
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .rotate();
    }

    /// The value of the header that a permitted caller sends; `None` if everyone is permitted.
    fn authorization(&self) -> Option<String> {
        let (user, password) = self.settings.user.as_ref()?;
        Some(format!("Basic {}", STANDARD.encode(format!("{user}:{password}"))))
    }
}

impl CloudService for CredentialsUri {
    fn id(&self) -> Service {
        Service::CredentialsUri
    }

    /// The server has no public host.
    fn is_at(&self, _host: &str) -> bool {
        false
    }

    fn action(&self, request: &Request) -> String {
        let asked = request.method == "GET" && path_token(&request.path).is_some();
        if asked { ACTION } else { "Unknown" }.to_owned()
    }

    fn handle(&self, request: &Request, judgement: Judgement) -> Answer {
        let Some(token) = path_token(&request.path) else {
            return error(404, "NotFound", "There are no credentials at this path.");
        };
        if request.method != "GET" {
            return error(405, "MethodNotAllowed", "Only GET is allowed.").with("allow", "GET");
        }
        if let Some(expected) = self.authorization()
            && request.header("authorization") != Some(expected.as_str())
        {
            return error(401, "Unauthorized", "User and password are missing or wrong.")
                .with("www-authenticate", "Basic realm=\"credentials\"");
        }
        if self.settings.token.as_deref().unwrap_or_default() != token {
            return error(403, "Forbidden", "The token in the path is missing or wrong.");
        }
        let principal = Principal::Session {
            role: self.role.clone(),
            session: SESSION.to_owned(),
        };
        let mut rotation = self.rotation.lock().unwrap_or_else(PoisonError::into_inner);
        match rotation.current(&self.state, principal, LIFETIME, judgement) {
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

    fn error(&self, _request: &Request, status: u16, code: &str, message: &str) -> Answer {
        error(status, code, message)
    }

    fn throttling(&self, _request: &Request) -> Answer {
        error(429, "Throttling", "Request was denied due to user flow control.")
    }

    /// The token in the path is a secret, and so may be a mistyped one.
    fn shown_path<'a>(&self, request: &'a Request) -> &'a str {
        if request.path.starts_with(PATH) {
            PATH
        } else {
            "<redacted>"
        }
    }
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

/// An error response. The document describes none; this one has the format of the services' errors.
fn error(status: u16, code: &str, message: &str) -> Answer {
    let body = json!({ "Code": code, "Message": message });
    let mut answer = Answer::new(status, "application/json", body.to_string());
    answer.code = Some(code.to_owned());
    answer
}
