//! Logins that a person makes in a browser for the CLI, which keeps their tokens in its `config.json`: CloudSSO and
//! OAuth. There is no browser here: the cloud creates a login when the test requests one.

pub(crate) mod cloud_sso;
pub(crate) mod oauth;

use std::time::{Duration, SystemTime};

use serde_json::{Value, json};

use crate::account::{Principal, mixed};
use crate::service::Judgement;
use crate::session::Session;
use crate::state::State;
use crate::time::iso;
use crate::wire::Request;

/// Lifetime of the credentials for which a login is exchanged.
const CREDENTIALS_LIFETIME: Duration = Duration::from_secs(3600);

/// A token that no other call returns, with characters that must be escaped in a form.
fn new_token(prefix: &str) -> String {
    format!("{prefix}{}+/{}==", mixed(30), mixed(30))
}

/// The token of a bearer; `None` if the request has none.
fn bearer(request: &Request) -> Option<&str> {
    let token = request.header("authorization")?.strip_prefix("Bearer ")?;
    (!token.is_empty()).then_some(token)
}

fn is_json(request: &Request) -> bool {
    request
        .header("content-type")
        .and_then(|kind| kind.split(';').next())
        .is_some_and(|kind| kind.trim() == "application/json")
}

/// Returns when something that begins now ends.
fn end(now: SystemTime, lifetime: Duration) -> SystemTime {
    now.checked_add(lifetime).unwrap_or(now)
}

/// A session of the role, and how its fields are called with a capital letter in front.
fn credentials(
    state: &State,
    role: &str,
    session: &str,
    judgement: Judgement,
) -> Result<[(&'static str, Value); 4], String> {
    let principal = Principal::Session {
        role: role.to_owned(),
        session: session.to_owned(),
    };
    let session = Session::begin(state, principal, CREDENTIALS_LIFETIME, judgement)
        .map_err(|error| error.to_string())?;
    let keys = &session.credentials;
    Ok([
        ("AccessKeyId", json!(keys.access_key_id())),
        ("AccessKeySecret", json!(keys.access_key_secret())),
        ("SecurityToken", json!(keys.security_token())),
        ("Expiration", json!(iso(session.expires_at))),
    ])
}
