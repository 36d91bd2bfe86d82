//! Requests to the metadata service and their responses.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use oss_credentials_core::nonce;
use percent_encoding::percent_decode_str;
use serde_json::json;

use super::{Inner, Metadata, MetadataMode};
use crate::account::Principal;
use crate::record::Service;
use crate::service::{CloudService, Judgement};
use crate::state::State;
use crate::time::{iso, shift};
use crate::wire::{Answer, Request};

const TOKEN_PATH: &str = "/latest/api/token";
const ROLES_PATH: &str = "/latest/meta-data/ram/security-credentials/";
const TOKEN_HEADER: &str = "x-aliyun-ecs-metadata-token";
const TTL_HEADER: &str = "x-aliyun-ecs-metadata-token-ttl-seconds";
/// Shortest and longest life of a token, in seconds.
const TTL: std::ops::RangeInclusive<i64> = 1..=21_600;
/// Life of a role's credentials.
const LIFETIME: Duration = Duration::from_secs(6 * 3600);
/// Session name of the credentials. The service takes the id of the instance.
const INSTANCE: &str = "i-osstestkit0123456789";

/// The target of a request.
enum Operation {
    PutToken,
    ListRoles,
    GetRoleCredentials(String),
    Unknown,
}

fn operation(request: &Request) -> Operation {
    match (request.method.as_str(), request.path.as_str()) {
        ("PUT", TOKEN_PATH) => Operation::PutToken,
        ("GET", ROLES_PATH) => Operation::ListRoles,
        ("GET", path) => path.strip_prefix(ROLES_PATH).map_or(Operation::Unknown, |role| {
            Operation::GetRoleCredentials(percent_decode_str(role).decode_utf8_lossy().into_owned())
        }),
        _ => Operation::Unknown,
    }
}

impl CloudService for Metadata {
    fn id(&self) -> Service {
        Service::Metadata
    }

    fn is_at(&self, host: &str) -> bool {
        host == "100.100.100.200"
    }

    /// The service has no such names.
    fn action(&self, request: &Request) -> String {
        let name = match operation(request) {
            Operation::PutToken => "PutToken",
            Operation::ListRoles => "ListRoles",
            Operation::GetRoleCredentials(_) => "GetRoleCredentials",
            Operation::Unknown => "Unknown",
        };
        name.to_owned()
    }

    fn loses_answer(&self, request: &Request) -> bool {
        self.lock().mode == MetadataMode::HopLimit && matches!(operation(request), Operation::PutToken)
    }

    fn handle(&self, request: &Request, judgement: Judgement) -> Answer {
        let state = &*self.state;
        let mut metadata = self.lock();
        match operation(request) {
            Operation::PutToken => put_token(state, &mut metadata, request, judgement),
            _ if !is_admitted(state, &metadata, request, judgement) => forbidden(),
            Operation::ListRoles if !metadata.roles.is_empty() => {
                Answer::new(200, "text/plain", metadata.roles.join("\n"))
            }
            Operation::GetRoleCredentials(role) if metadata.roles.contains(&role) => {
                role_credentials(state, &mut metadata, role, judgement)
            }
            Operation::ListRoles | Operation::GetRoleCredentials(_) | Operation::Unknown => not_found(),
        }
    }

    fn error(&self, _request: &Request, status: u16, code: &str, message: &str) -> Answer {
        error(status, code, message)
    }

    fn throttling(&self, _request: &Request) -> Answer {
        error(429, "TooManyRequests", "Too Many Requests")
    }
}

fn put_token(state: &State, metadata: &mut Inner, request: &Request, judgement: Judgement) -> Answer {
    if metadata.mode == MetadataMode::V1Only {
        return not_found();
    }
    let ttl = request.header(TTL_HEADER).and_then(|ttl| ttl.trim().parse().ok());
    let Some(ttl) = ttl.filter(|ttl| TTL.contains(ttl)) else {
        return error(400, "BadRequest", "Bad Request");
    };
    let now = state.now(judgement.clock_offset);
    metadata.tokens.retain(|_, end| *end > now);
    let token = STANDARD.encode(nonce());
    metadata
        .tokens
        .insert(token.clone(), shift(now, ttl).unwrap_or(now));
    Answer::new(200, "text/plain", token)
}

/// A token, if one is sent, has to be good; whether one must be sent depends on the mode.
fn is_admitted(state: &State, metadata: &Inner, request: &Request, judgement: Judgement) -> bool {
    if metadata.mode == MetadataMode::V1Only {
        return true;
    }
    match request.header(TOKEN_HEADER) {
        Some(token) => {
            let now = state.now(judgement.clock_offset);
            metadata.tokens.get(token).is_some_and(|end| *end > now)
        }
        None => metadata.mode != MetadataMode::Hardened,
    }
}

fn role_credentials(state: &State, metadata: &mut Inner, role: String, judgement: Judgement) -> Answer {
    let principal = Principal::Session {
        role: role.clone(),
        session: INSTANCE.to_owned(),
    };
    let rotation = metadata.sessions.entry(role).or_default();
    match rotation.current(state, principal, LIFETIME, judgement) {
        Ok(session) => {
            let document = json!({
                "AccessKeyId": session.credentials.access_key_id(),
                "AccessKeySecret": session.credentials.access_key_secret(),
                "Expiration": iso(session.expires_at),
                "SecurityToken": session.credentials.security_token(),
                "LastUpdated": iso(session.begun_at),
                "Code": "Success",
            });
            Answer::new(200, "application/json", document.to_string())
        }
        Err(refused) => error(500, "InternalError", &refused.to_string()),
    }
}

fn not_found() -> Answer {
    error(404, "NotFound", "Not Found")
}

fn forbidden() -> Answer {
    error(403, "Forbidden", "Forbidden")
}

/// An error is an XHTML page. It states no code; that one is for the record of the request.
fn error(status: u16, code: &str, message: &str) -> Answer {
    let message = quick_xml::escape::partial_escape(message);
    let page = format!(
        "<?xml version=\"1.0\" encoding=\"iso-8859-1\"?>\n\
         <!DOCTYPE html PUBLIC \"-//W3C//DTD XHTML 1.0 Transitional//EN\"\n\
         \x20        \"http://www.w3.org/TR/xhtml1/DTD/xhtml1-transitional.dtd\">\n\
         <html xmlns=\"http://www.w3.org/1999/xhtml\" xml:lang=\"en\" lang=\"en\">\n \
         <head>\n  <title>{status} - {message}</title>\n </head>\n <body>\n  \
         <h1>{status} - {message}</h1>\n </body>\n</html>\n"
    );
    let mut answer = Answer::new(status, "text/html", page);
    answer.code = Some(code.to_owned());
    answer
}
