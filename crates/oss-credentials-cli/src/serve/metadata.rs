//! Instance metadata, version 2: a token first, then the role, then its credentials.
//!
//! Vendor document: *Instance metadata* of Elastic Compute Service, for paths, headers and the lifetime of a token.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use hyper::body::Bytes;
use hyper::http::request::Parts;
use hyper::{HeaderMap, Method, StatusCode};
use oss_credentials::{Clock as _, Credentials, SystemClock};
use zeroize::Zeroizing;

use super::caller::{Connection, own_user_id};
use super::document::secret_json;
use super::response::{Answer, Refusal, answer, error_answer};
use super::secret::Secret;
use crate::export::local_expiry;
use crate::time::{monotonic, rfc3339};

const TOKEN_PATH: &str = "/latest/api/token";
const ROLES_PATH: &str = "/latest/meta-data/ram/security-credentials/";
const TTL_HEADER: &str = "x-aliyun-ecs-metadata-token-ttl-seconds";
const TOKEN_HEADER: &str = "x-aliyun-ecs-metadata-token";
/// A proxy sets it, and no client on this machine does.
const PROXY_HEADER: &str = "x-forwarded-for";
const LONGEST_TTL: u64 = 21_600;
/// The one role. Its name has no meaning.
const ROLE: &str = "oss-credentials";
/// Why keys are not served as metadata: clients take a document without a token for a broken one, or send an empty token.
pub(super) const NO_TOKEN: &str = "--imds needs temporary credentials: instance metadata always has a security token, and \
     these keys have none; leave it out, or choose a profile that assumes a role";
/// Tokens beyond this number push the oldest out.
const MOST_TOKENS: usize = 1024;

/// Tokens that were handed out, and until when they are valid by the monotonic clock.
#[derive(Debug, Default)]
pub(super) struct Metadata {
    tokens: Mutex<VecDeque<(Secret, Duration)>>,
}

/// What a request for metadata gets.
pub(super) enum Reply {
    Ready(Answer),
    /// The [`document`] with the credentials.
    Credentials,
}

impl Metadata {
    /// Whether a path is one of the metadata.
    pub(super) fn has(path: &str) -> bool {
        path.starts_with("/latest/")
    }

    pub(super) async fn reply(&self, request: &Parts, connection: &Connection) -> Result<Reply, Refusal> {
        let caller = connection.caller().await;
        if caller.is_none_or(|caller| caller.user_id != own_user_id()) {
            return Err(Refusal::User);
        }
        let headers = &request.headers;
        let path = request.uri.path();
        if path == TOKEN_PATH && request.method == Method::PUT {
            return self.token(headers).map(Reply::Ready);
        }
        if request.method != Method::GET {
            return Err(Refusal::Method);
        }
        if !self.is_token(header(headers, TOKEN_HEADER)) {
            return Err(Refusal::Token);
        }
        match path.strip_prefix(ROLES_PATH) {
            Some("") => Ok(Reply::Ready(answer(StatusCode::OK, "text/plain", ROLE))),
            Some(ROLE) => Ok(Reply::Credentials),
            _ => Err(Refusal::Path),
        }
    }

    fn token(&self, headers: &HeaderMap) -> Result<Answer, Refusal> {
        if headers.contains_key(PROXY_HEADER) {
            return Err(Refusal::Forwarded);
        }
        let ttl = header(headers, TTL_HEADER).parse().ok();
        let ttl = ttl
            .filter(|ttl| (1..=LONGEST_TTL).contains(ttl))
            .ok_or(Refusal::Ttl)?;
        let Ok(token) = Secret::random() else {
            let message = "the system provides no random bytes";
            return Ok(error_answer(
                StatusCode::INTERNAL_SERVER_ERROR,
                "InternalError",
                message,
            ));
        };
        let text = Zeroizing::new(token.expose().to_owned());
        let now = monotonic();
        let mut tokens = self.tokens.lock().unwrap_or_else(PoisonError::into_inner);
        tokens.retain(|(_, until)| *until > now);
        if tokens.len() >= MOST_TOKENS {
            tokens.pop_front();
        }
        tokens.push_back((token, now + Duration::from_secs(ttl)));
        Ok(answer(StatusCode::OK, "text/plain", Bytes::from_owner(text)))
    }

    fn is_token(&self, given: &str) -> bool {
        let now = monotonic();
        let tokens = self.tokens.lock().unwrap_or_else(PoisonError::into_inner);
        tokens
            .iter()
            .any(|(token, until)| *until > now && token.is(given))
    }
}

fn header<'a>(headers: &'a HeaderMap, name: &str) -> &'a str {
    headers
        .get(name)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default()
}

/// The credentials as instance metadata has them.
pub(super) fn document(credentials: &Credentials) -> Bytes {
    let now = SystemClock.now();
    secret_json(&[
        ("Code", Some("Success")),
        ("AccessKeyId", Some(credentials.access_key_id())),
        ("AccessKeySecret", Some(credentials.access_key_secret())),
        (
            "SecurityToken",
            Some(credentials.security_token().unwrap_or_default()),
        ),
        ("Expiration", rfc3339(local_expiry(credentials, now)).as_deref()),
        ("LastUpdated", rfc3339(now).as_deref()),
    ])
}
