//! Calls of the metadata service: tokens, the fallback to requests without them, and the meaning of a missing
//! response.

use std::borrow::Cow;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use oss_credentials_core::body::BodyDefect;
use oss_credentials_core::{Clock, CredentialsError, ErrorDetail, ErrorDetailBuilder};
use oss_credentials_http::{HttpClient, HttpError, HttpErrorKind, HttpRequest, HttpResponse};
use zeroize::Zeroizing;

use crate::config::{
    ABSENCE, PROBE_GET, PROBE_PUT, TOKEN_HEADER, TOKEN_MARGIN, TOKEN_PATH, TOKEN_TTL_HEADER, TOKEN_TTL_SECS,
    TRIES,
};
use crate::wire;
use crate::{NAME, TRACING_TARGET, events};

const USER_AGENT: &str = concat!("oss-credentials-ecs-ram-role/", env!("CARGO_PKG_VERSION"));
const HOP_LIMIT: &str = "in a container, where the response may not arrive, raise the instance's hop limit \
                         (HttpPutResponseHopLimit) or use the host's network";
const OPTIONS: &str =
    "check the instance's metadata options, and whether a proxy or firewall responds instead";

/// The service, and what is known about it.
pub(crate) struct Metadata {
    /// Scheme, host, port and path, without a trailing slash.
    pub(crate) base: String,
    pub(crate) http: Arc<dyn HttpClient>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) allow_v1: bool,
    /// Whether a host that never responded is an outage, and an instance that never had a role an error.
    pub(crate) required: bool,
    pub(crate) connect_timeout: Duration,
    pub(crate) timeout: Duration,
    pub(crate) state: Mutex<State>,
}

/// State of the protocol: never credentials. Locked only for bookkeeping.
#[derive(Default)]
pub(crate) struct State {
    /// There was a response, of any kind and perhaps incomplete: the service exists.
    answered: bool,
    /// A role was attached at an earlier request.
    had_role: bool,
    absence: Option<(SystemTime, CredentialsError)>,
    token: Option<Token>,
    v1_reported: bool,
}

#[derive(Clone)]
struct Token {
    value: Arc<Zeroizing<String>>,
    asked_at: SystemTime,
}

impl Token {
    /// If the clock was set back since the request, nothing is known about the token's age.
    fn is_usable(&self, now: SystemTime) -> bool {
        let life = Duration::from_secs(TOKEN_TTL_SECS).saturating_sub(TOKEN_MARGIN);
        now.duration_since(self.asked_at).is_ok_and(|age| age < life)
    }
}

/// How the requests of one fetch are authorized.
pub(crate) enum Access {
    Token {
        value: Arc<Zeroizing<String>>,
        /// From an earlier fetch.
        kept: bool,
    },
    V1(Detour),
}

/// The reason why a request has no token.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Detour {
    /// The service does not support tokens: an emulator, or an old region.
    NoTokens(u16),
    /// The connection was made, but no response arrived: this is the effect of a hop limit of 1 inside a container.
    NoAnswer,
    /// The service refused a token that it had just issued.
    Refused(u16),
}

/// A response, and when it arrived.
pub(crate) struct Answer {
    pub(crate) response: HttpResponse,
    pub(crate) sent: SystemTime,
    pub(crate) received: SystemTime,
}

impl Metadata {
    /// The error of a recent probe that found no host.
    pub(crate) fn remembered_absence(&self) -> Option<CredentialsError> {
        let now = self.clock.now();
        let state = self.lock();
        let (since, error) = state.absence.as_ref()?;
        let is_recent = now.duration_since(*since).is_ok_and(|age| age < ABSENCE);
        is_recent.then(|| error.clone())
    }

    /// Returns the cached token, otherwise a new one, otherwise none if that is allowed.
    pub(crate) async fn access(&self) -> Result<Access, CredentialsError> {
        let now = self.clock.now();
        let kept = self.lock().token.clone().filter(|token| token.is_usable(now));
        match kept {
            Some(token) => Ok(Access::Token {
                value: token.value,
                kept: true,
            }),
            None => self.new_token().await,
        }
    }

    async fn new_token(&self) -> Result<Access, CredentialsError> {
        let place = self.place("PUT", TOKEN_PATH);
        let limit = if self.is_probe() { PROBE_PUT } else { self.timeout };
        let request = self
            .limited(HttpRequest::put(self.url(TOKEN_PATH)), limit)
            // A client may leave it out where there is no body, and a server may then refuse.
            .with_header("content-length", "0")
            .with_header(TOKEN_TTL_HEADER, TOKEN_TTL_SECS.to_string());
        let answer = match self.exchange(request).await {
            Ok(answer) => answer,
            Err(error) if is_silence(&error) && self.allow_v1 => {
                return Ok(Access::V1(Detour::NoAnswer));
            }
            Err(error) => return Err(self.no_answer(&place, error)),
        };
        let status = answer.response.status();
        match status {
            200 => {}
            400 | 404 | 405 | 501 if self.allow_v1 => return Ok(Access::V1(Detour::NoTokens(status))),
            400 | 404 | 405 | 501 => {
                let what = "the metadata service issues no tokens, and requests without one are disabled";
                let detail = detail_at(what, &place)
                    .http_status(status)
                    .hint("allow IMDSv1, or disable this provider");
                return Err(CredentialsError::denied(detail));
            }
            401 | 403 => {
                let what = "the metadata service refused to issue a token";
                let detail = detail_at(what, &place).http_status(status).hint(OPTIONS);
                return Err(CredentialsError::denied(detail));
            }
            _ => return Err(refusal(&place, status)),
        }
        let value = wire::parse_token(answer.response.body())
            .map_err(|defect| unusable("the request for a token", &defect, &place, status))?;
        let value = Arc::new(value);
        self.lock().token = Some(Token {
            value: Arc::clone(&value),
            asked_at: answer.sent,
        });
        Ok(Access::Token { value, kept: false })
    }

    /// Sends a request that is authorized with a token, if necessary with a new one or without. Returns any
    /// status, except a refusal that no other authorization avoids.
    pub(crate) async fn get(&self, path: &str, access: &mut Access) -> Result<Answer, CredentialsError> {
        let place = self.place("GET", path);
        loop {
            let limit = if self.is_probe() { PROBE_GET } else { self.timeout };
            let mut request = self.limited(HttpRequest::get(self.url(path)), limit);
            if let Access::Token { value, .. } = access {
                request = request.with_header(TOKEN_HEADER, value.as_str());
            }
            let answer = self.exchange(request).await;
            let answer = answer.map_err(|error| self.no_answer(&place, error))?;
            let status = answer.response.status();
            if !matches!(status, 401 | 403) {
                return Ok(answer);
            }
            // Each turn uses a weaker authorization, so that this ends: cached token, new token, none.
            *access = match access {
                Access::V1(detour) => return Err(refused_without_token(*detour, &place, status)),
                Access::Token { value, kept } => {
                    self.forget(value);
                    if *kept {
                        self.new_token().await?
                    } else if self.allow_v1 {
                        Access::V1(Detour::Refused(status))
                    } else {
                        let what = "the metadata service refused a token that it had just issued";
                        let detail = detail_at(what, &place).http_status(status).hint(OPTIONS);
                        return Err(CredentialsError::denied(detail));
                    }
                }
            };
        }
    }

    /// Logs once per episode that keys were received without a token.
    pub(crate) fn report(&self, access: &Access) {
        let detour = match access {
            Access::Token { .. } => {
                self.lock().v1_reported = false;
                return;
            }
            Access::V1(detour) => detour,
        };
        if std::mem::replace(&mut self.lock().v1_reported, true) {
            return;
        }
        let (reason, status) = match detour {
            Detour::NoTokens(status) => ("the service issues no tokens", Some(*status)),
            Detour::NoAnswer => (
                "the request for a token got no response; in a container the hop limit may be too low",
                None,
            ),
            Detour::Refused(status) => (
                "the service refused a token that it had just issued",
                Some(*status),
            ),
        };
        tracing::warn!(
            name: events::IMDS_V1_USED, target: TRACING_TARGET, provider = NAME, reason, status,
            event = events::IMDS_V1_USED,
            "the weaker IMDSv1 is used"
        );
    }

    pub(crate) fn place(&self, method: &str, path: &str) -> String {
        format!("{method} {}", self.url(path))
    }

    fn url(&self, path: &str) -> String {
        format!("{}{path}", self.base)
    }

    /// Returns whether a failure would only show that this is not an instance.
    fn is_probe(&self) -> bool {
        !self.required && !self.lock().answered
    }

    pub(crate) fn has_role(&self) {
        self.lock().had_role = true;
    }

    /// An instance without a role: not configured, unless `required` is set or there was a role before.
    pub(crate) fn no_role(&self, detail: ErrorDetailBuilder) -> CredentialsError {
        if self.required || self.lock().had_role {
            let hint = "attach a role in the ECS console, or remove this provider from the chain";
            return CredentialsError::denied(detail.hint(hint));
        }
        CredentialsError::not_configured(
            detail.hint("attach a role in the ECS console, if this instance should have one"),
        )
    }

    fn limited(&self, request: HttpRequest, limit: Duration) -> HttpRequest {
        let limit = limit.min(self.timeout);
        // If both were the same, a host that does not exist could look like one that does not respond.
        let connect = self.connect_timeout.min(limit.saturating_mul(3) / 4);
        request
            .with_connect_timeout(connect)
            .with_timeout(limit)
            .with_header("user-agent", USER_AGENT)
    }

    async fn exchange(&self, request: HttpRequest) -> Result<Answer, HttpError> {
        let tries = if self.is_probe() { 1 } else { TRIES };
        let mut attempt = 1;
        loop {
            let sent = self.clock.now();
            let outcome = self.http.send(request.clone()).await;
            let received = self.clock.now();
            if attempt < tries && outcome.as_ref().is_err_and(may_pass) {
                attempt += 1;
                continue;
            }
            if outcome.as_ref().err().is_none_or(met_somebody) {
                self.somebody_is_there();
            }
            return outcome.map(|response| Answer {
                response,
                sent,
                received,
            });
        }
    }

    fn somebody_is_there(&self) {
        let mut state = self.lock();
        state.answered = true;
        state.absence = None;
    }

    /// No response: from a host that may not be an instance, or from a service that is known to exist.
    fn no_answer(&self, place: &str, error: HttpError) -> CredentialsError {
        let now = self.clock.now();
        let mut state = self.lock();
        if state.answered || self.required || error.kind() == HttpErrorKind::Request {
            return outage(place, error);
        }
        let detail = detail_at("no metadata service responds here", place)
            .hint(
                "if this is an ECS instance, let requests to the service through, or require it with required(true)",
            )
            .source(error);
        let error = CredentialsError::not_configured(detail);
        state.absence = Some((now, error.clone()));
        error
    }

    fn forget(&self, value: &Arc<Zeroizing<String>>) {
        let mut state = self.lock();
        if state
            .token
            .as_ref()
            .is_some_and(|token| Arc::ptr_eq(&token.value, value))
        {
            state.token = None;
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Metadata {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Metadata")
            .field("base", &self.base)
            .field("allow_v1", &self.allow_v1)
            .field("required", &self.required)
            .finish_non_exhaustive()
    }
}

pub(crate) fn detail_at(what: impl Into<Cow<'static, str>>, place: &str) -> ErrorDetailBuilder {
    ErrorDetail::builder(NAME, what).place(place)
}

/// A status that no rule covers.
pub(crate) fn refusal(place: &str, status: u16) -> CredentialsError {
    match status {
        _ if oss_credentials_http::may_pass(status, "") => CredentialsError::unavailable(
            detail_at("the metadata service could not process the request", place)
                .http_status(status)
                .hint("retry later"),
        ),
        400..=499 => CredentialsError::denied(
            detail_at("the metadata service refused", place)
                .http_status(status)
                .hint(OPTIONS),
        ),
        // A server that does not know the request, or a redirect, which is not followed: the token would be forwarded.
        _ => CredentialsError::invalid_response(
            detail_at(
                "the response has a status that the metadata service does not use",
                place,
            )
            .http_status(status)
            .hint("check the endpoint, and whether a proxy or a login page responds instead"),
        ),
    }
}

/// A response with status 200 that cannot be used.
pub(crate) fn unusable(question: &str, defect: &BodyDefect, place: &str, status: u16) -> CredentialsError {
    CredentialsError::invalid_response(
        detail_at(format!("the response to {question} {defect}"), place)
            .http_status(status)
            .hint("check the endpoint, and whether a proxy or a login page responds instead"),
    )
}

fn refused_without_token(detour: Detour, place: &str, status: u16) -> CredentialsError {
    let (what, hint): (Cow<'static, str>, _) = match detour {
        Detour::NoAnswer => (
            "the request for a token got no response, and the metadata service refuses requests without one"
                .into(),
            HOP_LIMIT,
        ),
        Detour::NoTokens(put) => (
            format!("the metadata service issues no tokens (HTTP {put}), and refuses requests without one")
                .into(),
            OPTIONS,
        ),
        Detour::Refused(_) => (
            "the metadata service refused the token that it had just issued, and requests without one".into(),
            OPTIONS,
        ),
    };
    CredentialsError::denied(detail_at(what, place).http_status(status).hint(hint))
}

/// No byte within the time.
fn is_silence(error: &HttpError) -> bool {
    error.kind() == HttpErrorKind::Timeout && !error.has_answer_begun()
}

/// A bad response is a response: its sender is not an absent service that a chain may skip.
fn met_somebody(error: &HttpError) -> bool {
    match error.kind() {
        // The latter was never sent.
        HttpErrorKind::Connect | HttpErrorKind::Request => false,
        HttpErrorKind::Timeout => error.has_answer_begun(),
        _ => true,
    }
}

fn outage(place: &str, error: HttpError) -> CredentialsError {
    if is_silence(&error) && place.starts_with("PUT") {
        let what = "the request for a token got no response in time";
        return CredentialsError::unavailable(detail_at(what, place).hint(HOP_LIMIT).source(error));
    }
    error.into_credentials_error(NAME, "the metadata service", place, |kind| match kind {
        HttpErrorKind::Connect => Some(
            "check that this is an ECS instance, and that its network and firewall let the request through",
        ),
        HttpErrorKind::Timeout => Some("check the instance's load and firewall, or raise the timeout"),
        HttpErrorKind::Tls => Some("check the endpoint: the service speaks plain http"),
        HttpErrorKind::Other => Some("check the endpoint and the HTTP client"),
        _ => None,
    })
}

fn may_pass(error: &HttpError) -> bool {
    matches!(
        error.kind(),
        HttpErrorKind::Connect | HttpErrorKind::Timeout | HttpErrorKind::Interrupted
    )
}
