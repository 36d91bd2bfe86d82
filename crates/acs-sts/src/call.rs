//! One call: sign, send, read, and do it again where that helps.

use std::borrow::Cow;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use acs_sign::{Addition, ApiRequest, acs3, encode_pairs, rpc};
use oss_credentials_core::http::{HttpRequest, HttpResponse};
use oss_credentials_core::{ClockOffset, Credentials, CredentialsError, nonce};

use crate::TRACING_TARGET;
use crate::client::StsClient;
use crate::error::StsError;
use crate::outcome::{Again, Context, Failure};
use crate::wait;
use crate::wire::Defect;

/// Version of the STS API.
const API_VERSION: &str = "2015-04-01";
/// How often a call is repeated at most, whatever the reasons.
const MAX_REPEATS: u32 = 2;
const USER_AGENT: &str = concat!("acs-sts/", env!("CARGO_PKG_VERSION"));

/// How requests to the service are signed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum SignatureVersion {
    /// RPC, HMAC-SHA1: what the vendor's credentials SDKs send, and what proxies and emulators know best.
    #[default]
    Rpc,
    /// ACS3-HMAC-SHA256 ("V3"): what the vendor's generated STS SDK sends.
    Acs3,
}

/// What to ask, and as whom.
pub(crate) struct Operation<'a> {
    pub(crate) action: &'static str,
    pub(crate) params: Vec<(&'static str, Cow<'a, str>)>,
    pub(crate) caller: &'a Credentials,
}

/// What a call brought.
pub(crate) struct Answer<T> {
    pub(crate) value: T,
    pub(crate) response: HttpResponse,
    pub(crate) clock_offset: Option<ClockOffset>,
    /// When it arrived, by the service's clock where that is known.
    pub(crate) received: SystemTime,
}

/// A clock offset that the service has accepted, kept for the calls that follow.
#[derive(Clone, Default)]
pub(crate) struct LearnedOffset(Arc<Mutex<Option<ClockOffset>>>);

impl LearnedOffset {
    fn get(&self) -> Option<ClockOffset> {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn set(&self, offset: Option<ClockOffset>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = offset;
    }
}

impl StsClient {
    /// Where requests go, for messages.
    pub(crate) fn place(&self) -> String {
        format!("POST {}", self.endpoint)
    }

    pub(crate) async fn call<T>(
        &self,
        operation: &Operation<'_>,
        context: Context<'_>,
        parse: fn(&[u8]) -> Result<T, Defect>,
    ) -> Result<Answer<T>, StsError> {
        // Measured by an answer that refused the timestamp, of this call or an earlier one.
        let mut correction = self.learned.get();
        let mut corrected = false;
        let mut repeats = 0;
        loop {
            let request = self.request(operation, correction).map_err(|error| {
                CredentialsError::invalid_config(
                    context
                        .detail("the request could not be signed")
                        .hint("check the clock")
                        .source(error),
                )
            })?;
            tracing::debug!(
                target: TRACING_TARGET, provider = self.provider, action = operation.action,
                attempt = repeats + 1, "calling the service"
            );
            let sent = self.clock.now();
            let outcome = self.http.send(request).await;
            let received = self.clock.now();

            let (failure, offset) = match outcome {
                Ok(response) => {
                    let offset = response.clock_offset(sent, received);
                    if response.is_success() {
                        if corrected {
                            // The service accepted the timestamp, so this is right to 15 minutes.
                            self.learned.set(correction);
                        }
                        return match parse(response.body()) {
                            Ok(value) => {
                                let received = offset.unwrap_or_default().to_service(received);
                                Ok(Answer {
                                    value,
                                    response,
                                    clock_offset: offset,
                                    received,
                                })
                            }
                            Err(defect) => Err(context.unusable(&response, &defect)),
                        };
                    }
                    (context.refusal(&response, offset), offset)
                }
                Err(error) => (context.transport(error), None),
            };
            self.log(operation.action, repeats + 1, &failure);
            if failure.again == Again::WithCorrectedClock {
                self.learned.set(None);
            }
            if repeats == MAX_REPEATS {
                return Err(failure.error);
            }
            match failure.again {
                Again::AtOnce => {}
                // Once: a second refusal is not about the clock, or the answer's date is wrong.
                Again::WithCorrectedClock if !corrected && offset.is_some() => {
                    correction = offset;
                    corrected = true;
                }
                Again::No | Again::WithCorrectedClock => return Err(failure.error),
                Again::Later(asked) => {
                    let Some(sleep) = wait::sleeper(self.sleep.as_ref()) else {
                        return Err(failure.error);
                    };
                    let Some(wait) = wait::pause(repeats, asked) else {
                        return Err(failure.error);
                    };
                    sleep.sleep(wait).await;
                }
            }
            repeats += 1;
        }
    }

    fn log(&self, action: &'static str, attempt: u32, failure: &Failure) {
        let error = failure.error.error();
        let detail = error.detail();
        tracing::debug!(
            target: TRACING_TARGET, provider = self.provider, action, attempt, kind = error.kind(),
            code = detail.and_then(|detail| detail.code()),
            request_id = detail.and_then(|detail| detail.request_id()),
            "the call failed"
        );
    }

    /// A request with a nonce and a timestamp of its own.
    fn request(
        &self,
        operation: &Operation<'_>,
        correction: Option<ClockOffset>,
    ) -> Result<HttpRequest, acs_sign::SignError> {
        let host = self.endpoint.authority();
        let now = correction.unwrap_or_default().to_service(self.clock.now());
        let nonce = nonce();
        let mut form: Vec<(&str, &str)> = operation
            .params
            .iter()
            .map(|(name, value)| (*name, value.as_ref()))
            .collect();
        let unsigned = ApiRequest::new("POST", &host, operation.action, API_VERSION).form(&form);
        let mut url = format!("{}/", self.endpoint.origin());
        let mut headers: Vec<(&str, String)> = Vec::new();
        let signed = match self.signature_version {
            SignatureVersion::Rpc => rpc::sign(&unsigned, operation.caller, now, &nonce)?,
            SignatureVersion::Acs3 => acs3::sign(&unsigned, operation.caller, now, &nonce)?,
        };
        if !signed.query().is_empty() {
            // The signature covers a parameter wherever it travels, and a query may end up in somebody's log.
            let in_body = |added: &&Addition| added.name() == "SecurityToken";
            let pair = |added| (Addition::name(added), Addition::value(added));
            let query = signed.query().iter().filter(|added| !in_body(added)).map(pair);
            url = format!("{url}?{}", encode_pairs(query));
            form.extend(signed.query().iter().filter(in_body).map(pair));
            if !form.is_empty() {
                headers.push(("content-type", "application/x-www-form-urlencoded".to_owned()));
            }
        }
        headers.extend(
            signed
                .headers()
                .iter()
                .map(|added| (added.name(), added.value().to_owned())),
        );

        let mut request = HttpRequest::post(url)
            .with_connect_timeout(self.connect_timeout)
            .with_timeout(self.timeout)
            .with_header("user-agent", USER_AGENT)
            .with_header("accept", "application/json")
            .with_header("accept-encoding", "identity")
            .with_body(encode_pairs(form).into_bytes());
        for (name, value) in headers {
            request = request.with_header(name, value);
        }
        Ok(request)
    }
}
