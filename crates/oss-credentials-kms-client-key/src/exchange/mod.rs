//! One region: an exchange, and another one at once where that helps.

pub(crate) mod gateway;
pub(crate) mod outcome;
pub(crate) mod quote;
pub(crate) mod wait;
pub(crate) mod wire;

use std::time::{Duration, SystemTime};

use oss_credentials_core::{ClockOffset, CredentialsError, ErrorDetail};
use oss_credentials_http::{CallClock, HttpResponse, ServiceClock};

use self::gateway::{Prepared, Target};
use self::outcome::{Context, Failure, Next};
use self::wire::Secret;
use crate::client_key::ClientKey;
use crate::config::BUDGET;
use crate::error::{NAME, without_provider};
use crate::{TRACING_TARGET, events};

/// What all exchanges of one fetch share.
pub(crate) struct Fetch<'a> {
    pub(crate) secret_name: &'a str,
    /// The local clock, and what KMS has taught about its own.
    pub(crate) clock: &'a ServiceClock,
    pub(crate) connect_timeout: Duration,
    pub(crate) timeout: Duration,
    pub(crate) began: SystemTime,
}

/// A successful response.
pub(crate) struct Answer {
    pub(crate) secret: Secret,
    pub(crate) response: HttpResponse,
    pub(crate) clock_offset: Option<ClockOffset>,
    pub(crate) received: SystemTime,
}

/// The exchanges with one region. After a failed one, another follows at once, only once for each cause: with a new
/// nonce, with the corrected clock ([`CallClock`]), or with another client key. Otherwise the failure determines what
/// follows.
struct RegionCall<'a> {
    fetch: &'a Fetch<'a>,
    target: &'a Target,
    key: ClientKey,
    clock: CallClock<'a>,
    nonce_was_renewed: bool,
    key_was_reread: bool,
    last: Option<Failure>,
}

impl Fetch<'_> {
    /// What is left of the time for the fetch; `None` if nothing is.
    pub(crate) fn left(&self) -> Option<Duration> {
        // If the clock was set back, the time starts anew.
        let now = self.clock.local().now();
        let gone = now.duration_since(self.began).unwrap_or_default();
        BUDGET.checked_sub(gone).filter(|left| !left.is_zero())
    }

    /// Calls one region.
    pub(crate) async fn ask(&self, target: &Target) -> Result<Answer, Failure> {
        let key = target
            .key
            .get(self.clock.local().now())
            .map_err(Failure::give_up)?;
        let mut call = RegionCall {
            fetch: self,
            target,
            key,
            clock: self.clock.begin(target.endpoint.is_protected()),
            nonce_was_renewed: false,
            key_was_reread: false,
            last: None,
        };
        loop {
            let prepared = call.prepare()?;
            match call.exchange(prepared).await {
                Ok(answer) => return Ok(answer),
                Err(failure) => call.prepare_next(failure)?,
            }
        }
    }
}

impl RegionCall<'_> {
    fn context(&self) -> Context<'_> {
        Context {
            target: self.target,
            secret_name: self.fetch.secret_name,
            key_id: self.key.key_id(),
        }
    }

    /// The next request. If no time is left, the last failure is the outcome.
    fn prepare(&mut self) -> Result<Prepared, Failure> {
        // Computed anew for each exchange: the one before, or opening the key file, has taken its part.
        let Some(left) = self.fetch.left() else {
            return Err(self
                .last
                .take()
                .unwrap_or_else(|| Failure::new(too_late(), Next::TooLate)));
        };
        let timeout = self.fetch.timeout.min(left);
        let timeouts = (self.fetch.connect_timeout.min(timeout), timeout);
        self.target
            .prepare(&self.key, self.fetch.secret_name, self.clock.now(), timeouts)
            .map_err(|error| self.context().unsigned(error))
    }

    async fn exchange(&self, prepared: Prepared) -> Result<Answer, Failure> {
        tracing::debug!(
            name: events::REQUEST_STARTED, target: TRACING_TARGET, provider = NAME,
            region = self.target.region_id.as_str(), event = events::REQUEST_STARTED,
            "asking KMS"
        );
        let Prepared { request, proof } = prepared;
        let local = self.fetch.clock.local();
        let sent = local.now();
        let outcome = self.target.http.send(request).await;
        let received = local.now();
        let context = self.context();
        let response = outcome.map_err(|error| context.transport(error))?;
        let clock_offset = response.clock_offset(sent, received);
        if !response.is_success() {
            return Err(context.refusal(&response, &proof, clock_offset));
        }
        let parsed = self.target.parse(&response);
        let secret = parsed.map_err(|defect| context.unreadable(&response, &defect))?;
        self.clock.accepted(clock_offset);
        Ok(Answer {
            secret,
            response,
            clock_offset,
            received,
        })
    }

    /// Prepares another exchange, or ends with the failure.
    fn prepare_next(&mut self, failure: Failure) -> Result<(), Failure> {
        log(self.target, &failure.error);
        match failure.next {
            // The same response twice: another region may work.
            Next::NewNonce if self.nonce_was_renewed => return Err(elsewhere(failure)),
            Next::NewNonce => self.nonce_was_renewed = true,
            Next::CorrectClock if self.clock.refused(failure.clock_offset) => {}
            Next::RereadKey if !self.key_was_reread => {
                self.key_was_reread = true;
                match self.target.key.replaced(&self.key) {
                    Ok(Some(other)) => self.key = other,
                    Ok(None) => return Err(failure),
                    Err(defect) => return Err(not_opened(failure, &defect)),
                }
            }
            _ => return Err(failure),
        }
        self.last = Some(match failure.next {
            Next::NewNonce => elsewhere(failure),
            _ => failure,
        });
        Ok(())
    }
}

/// The refusal of a key, with why the file that may hold another one could not be opened.
fn not_opened(failure: Failure, defect: &CredentialsError) -> Failure {
    let (Some(refusal), Some(defect)) = (failure.error.detail(), defect.detail()) else {
        return failure;
    };
    let detail = ErrorDetail::builder(NAME, refusal.what().to_owned())
        .response_of(refusal)
        .hint(format!(
            "the client key file, read again, is of no help: {}",
            without_provider(defect)
        ))
        .source(defect.clone());
    Failure::new(CredentialsError::denied(detail), failure.next)
}

/// The failure, to be followed by another region.
fn elsewhere(failure: Failure) -> Failure {
    Failure {
        next: Next::AnotherRegion,
        ..failure
    }
}

fn log(target: &Target, error: &CredentialsError) {
    let detail = error.detail();
    tracing::debug!(
        name: events::REQUEST_FAILED, target: TRACING_TARGET, provider = NAME,
        region = target.region_id.as_str(), kind = error.kind(),
        code = detail.and_then(|detail| detail.code()),
        request_id = detail.and_then(|detail| detail.request_id()), event = events::REQUEST_FAILED,
        "the region gave no secret"
    );
}

pub(crate) fn too_late() -> CredentialsError {
    let what = "there was no time to send a request to any region";
    CredentialsError::unavailable(ErrorDetail::builder(NAME, what).hint("check the clock"))
}
