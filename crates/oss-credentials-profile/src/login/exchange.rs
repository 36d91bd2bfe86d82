//! One exchange with a service that exchanges a login for credentials, for both services.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use oss_credentials_core::body::BodyDefect;
use oss_credentials_core::{Clock, Credentials, CredentialsError, ErrorDetail, ErrorDetailBuilder, Fetched};
use oss_credentials_http::{HttpClient, HttpRequest, HttpResponse, Scrubber, may_pass};

use super::wire::{self, Fault, Refusal, Session};
use crate::{NAME, TRACING_TARGET, events};

const USER_AGENT: &str = concat!("oss-credentials-profile/", env!("CARGO_PKG_VERSION"));
/// As the vendor's clients have it.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
const TIMEOUT: Duration = Duration::from_secs(10);

/// A service, and the tokens that are sent to it, which no text of it may repeat.
pub(super) struct Exchange<'a> {
    /// As it appears in a sentence.
    pub(super) service: &'static str,
    pub(super) url: &'a str,
    pub(super) http: &'a dyn HttpClient,
    pub(super) clock: &'a Arc<dyn Clock>,
    pub(super) secrets: Vec<&'a str>,
    /// What to do if the service refuses the login.
    pub(super) hint: &'a str,
}

/// A response with status 200, and when it arrived.
pub(super) struct Answer {
    pub(super) response: HttpResponse,
    sent: SystemTime,
    received: SystemTime,
}

impl Exchange<'_> {
    pub(super) fn request(&self) -> HttpRequest {
        HttpRequest::post(self.url)
            .with_connect_timeout(CONNECT_TIMEOUT)
            .with_timeout(TIMEOUT)
            .with_header("user-agent", USER_AGENT)
            .with_header("accept", "application/json")
    }

    pub(super) async fn send(&self, request: HttpRequest) -> Result<Answer, CredentialsError> {
        tracing::debug!(
            name: events::LOGIN_REQUEST_STARTED, target: TRACING_TARGET, provider = NAME, url = self.url,
            event = events::LOGIN_REQUEST_STARTED,
            "asking {}", self.service
        );
        let sent = self.clock.now();
        let outcome = self.http.send(request).await;
        let received = self.clock.now();
        let response = outcome
            .map_err(|error| error.into_credentials_error(NAME, self.service, &self.place(), |_| None))?;
        if response.status() != 200 {
            return Err(self.refused(response.status(), &wire::parse_refusal(response.body())));
        }
        Ok(Answer {
            response,
            sent,
            received,
        })
    }

    fn place(&self) -> String {
        format!("POST {}", self.url)
    }

    fn detail(&self, what: String, status: u16) -> ErrorDetailBuilder {
        ErrorDetail::builder(NAME, what)
            .place(self.place())
            .http_status(status)
    }

    fn scrubber(&self) -> Scrubber<'_> {
        self.secrets
            .iter()
            .fold(Scrubber::new(), |scrubber, secret| scrubber.hide(secret))
    }

    fn refused(&self, status: u16, refusal: &Refusal) -> CredentialsError {
        let scrubber = self.scrubber();
        let code = refusal.code(&scrubber);
        let passing = may_pass(status, code.as_deref().unwrap_or_default());
        let mut detail = self.detail(format!("{} refused the login", self.service), status);
        if let Some(code) = &code {
            detail = detail.code(code);
        }
        if let Some(message) = refusal.message(&scrubber) {
            detail = detail.message(message);
        }
        if let Some(request_id) = refusal.request_id(&scrubber) {
            detail = detail.request_id(request_id);
        }
        if passing {
            CredentialsError::unavailable(detail.hint("retry later"))
        } else {
            CredentialsError::denied(detail.hint(self.hint.to_owned()))
        }
    }

    pub(super) fn fault(&self, answer: &Answer, fault: &Fault) -> CredentialsError {
        let status = answer.response.status();
        match fault {
            Fault::Defect(defect) => {
                let hint = match defect {
                    BodyDefect::Markup => "check whether a proxy or a login page responds instead",
                    _ => "retry later",
                };
                let what = format!("the response from {} {defect}", self.service);
                CredentialsError::invalid_response(self.detail(what, status).hint(hint))
            }
            #[cfg(feature = "oauth")]
            Fault::Refused(refusal) => self.refused(status, refusal),
        }
    }

    /// Converts a response into credentials.
    pub(super) fn credentials(
        &self,
        answer: &Answer,
        mut session: Session,
    ) -> Result<Fetched, CredentialsError> {
        let status = answer.response.status();
        let offset = answer.response.clock_offset(answer.sent, answer.received);
        let now = offset.unwrap_or_default().to_service(answer.received);
        if session.expires_at <= now {
            let what = "the credentials had expired when they arrived".to_owned();
            let detail = self.detail(what, status).hint("check the local clock");
            return Err(CredentialsError::expired(detail));
        }
        let credentials = Credentials::builder(
            session.access_key_id,
            std::mem::take(&mut *session.access_key_secret),
        )
        .security_token(std::mem::take(&mut *session.security_token))
        .expires_at(session.expires_at)
        .source(NAME)
        .strict()
        .build()
        // The user's configuration is not wrong, but the response is.
        .map_err(|error| {
            let problem = error.detail().map_or("a key cannot be used", ErrorDetail::what);
            let what = format!("in the response from {} {problem}", self.service);
            CredentialsError::invalid_response(self.detail(what, status).hint("retry later"))
        })?;
        let scrubber = self.scrubber();
        let request_id = session
            .request_id
            .as_deref()
            .and_then(|id| scrubber.identifier(id));
        tracing::debug!(
            name: events::LOGIN_USED, target: TRACING_TARGET, provider = NAME, request_id,
            expires_at = ?credentials.expires_at(), event = events::LOGIN_USED,
            "{} handed out credentials", self.service
        );
        Ok(Fetched::new(credentials).with_clock_offset(offset))
    }
}
