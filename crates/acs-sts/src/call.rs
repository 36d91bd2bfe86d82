//! One call: send, read, and do it again where that helps.

use std::borrow::Cow;
use std::sync::OnceLock;
use std::time::SystemTime;

use chrono::{DateTime, Datelike};
use oss_credentials_core::body::BodyDefect;
use oss_credentials_core::{ClockOffset, CredentialsError};
use oss_credentials_http::{HttpRequest, HttpResponse};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use crate::TRACING_TARGET;
use crate::caller::Caller;
use crate::client::StsClient;
use crate::error::StsError;
use crate::outcome::{Again, Context, Failure};
use crate::wait;

/// Version of the STS API.
pub(crate) const API_VERSION: &str = "2015-04-01";
/// How often a call is repeated at most, whatever the reasons.
const MAX_REPEATS: u32 = 2;
const USER_AGENT: &str = concat!("acs-sts/", env!("CARGO_PKG_VERSION"));
pub(crate) const FORM: &str = "application/x-www-form-urlencoded";
/// Everything but RFC 3986's unreserved characters.
const ESCAPED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'_')
    .remove(b'.')
    .remove(b'~');

/// What to ask, and as whom.
pub(crate) struct Operation<'a> {
    pub(crate) action: &'static str,
    pub(crate) params: Vec<(&'static str, Cow<'a, str>)>,
    pub(crate) caller: Caller<'a>,
}

/// What a call brought.
pub(crate) struct Answer<T> {
    pub(crate) value: T,
    pub(crate) response: HttpResponse,
    pub(crate) clock_offset: Option<ClockOffset>,
    /// When it arrived, by the service's clock where that is known.
    pub(crate) received: SystemTime,
}

impl StsClient {
    /// What messages about a call say.
    pub(crate) fn context<'a>(&self, action: &'static str, caller: Caller<'a>) -> Context<'a> {
        Context {
            provider: self.provider,
            action,
            place: format!("POST {}", self.endpoint),
            caller,
            scrubber: OnceLock::new(),
        }
    }

    pub(crate) async fn call<T>(
        &self,
        operation: &Operation<'_>,
        context: &Context<'_>,
        parse: fn(&[u8]) -> Result<T, BodyDefect>,
    ) -> Result<Answer<T>, StsError> {
        // Measured by an answer that refused the timestamp, of this call or an earlier one.
        let mut correction = self.learned.get(&*self.clock);
        let mut corrected = false;
        let mut repeats = 0;
        loop {
            let request = self.request(operation, context, correction)?;
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
                            self.learned.set(correction, &*self.clock);
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
                self.learned.set(None, &*self.clock);
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

    /// A request with a timestamp of its own, and a nonce if it is signed.
    fn request(
        &self,
        operation: &Operation<'_>,
        context: &Context<'_>,
        correction: Option<ClockOffset>,
    ) -> Result<HttpRequest, CredentialsError> {
        let now = correction.unwrap_or_default().to_service(self.clock.now());
        match operation.caller {
            #[cfg(feature = "signed")]
            Caller::Key(caller) => self.signed_request(operation, caller, now).map_err(|error| {
                CredentialsError::invalid_config(
                    context
                        .detail("the request could not be signed")
                        .hint("check the clock")
                        .source(error),
                )
            }),
            Caller::OidcToken(_) => self.unsigned_request(operation, now).ok_or_else(|| {
                let what = "the local time is outside of the years 1970 to 9999";
                CredentialsError::invalid_config(context.detail(what).hint("check the clock"))
            }),
        }
    }

    /// Common parameters in the query, the call's own in the body: a query may end up in somebody's log.
    fn unsigned_request(&self, operation: &Operation<'_>, now: SystemTime) -> Option<HttpRequest> {
        let timestamp = timestamp(now)?;
        let common = [
            ("Action", operation.action),
            ("Format", "JSON"),
            ("Timestamp", timestamp.as_str()),
            ("Version", API_VERSION),
        ];
        let url = format!("{}/?{}", self.endpoint.origin(), encode(&common));
        let params: Vec<_> = operation
            .params
            .iter()
            .map(|(name, value)| (*name, value.as_ref()))
            .collect();
        let request = self.post(url, encode(&params));
        Some(request.with_header("content-type", FORM))
    }

    /// What every request has.
    pub(crate) fn post(&self, url: String, form: String) -> HttpRequest {
        HttpRequest::post(url)
            .with_connect_timeout(self.connect_timeout)
            .with_timeout(self.timeout)
            .with_header("user-agent", USER_AGENT)
            .with_header("accept", "application/json")
            .with_header("accept-encoding", "identity")
            .with_body(form.into_bytes())
    }
}

/// `YYYY-MM-DDThh:mm:ssZ`.
fn timestamp(time: SystemTime) -> Option<String> {
    let since = time.duration_since(SystemTime::UNIX_EPOCH).ok()?;
    let seconds = i64::try_from(since.as_secs()).ok()?;
    let time = DateTime::from_timestamp(seconds, 0)?;
    (time.year() <= 9999).then(|| time.format("%Y-%m-%dT%H:%M:%SZ").to_string())
}

fn encode(pairs: &[(&str, &str)]) -> String {
    // As large as it can become: growing would leave copies of the token behind in memory.
    let most = pairs.iter().map(|(key, value)| 3 * (key.len() + value.len()) + 2);
    let mut encoded = String::with_capacity(most.sum());
    for (key, value) in pairs {
        if !encoded.is_empty() {
            encoded.push('&');
        }
        encoded.extend(utf8_percent_encode(key, ESCAPED));
        encoded.push('=');
        encoded.extend(utf8_percent_encode(value, ESCAPED));
    }
    encoded
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn timestamps_have_whole_seconds_and_four_digit_years() {
        let at = |seconds| {
            SystemTime::UNIX_EPOCH
                .checked_add(Duration::from_millis(seconds))
                .unwrap()
        };
        assert_eq!(
            timestamp(at(1_767_323_045_999)).as_deref(),
            Some("2026-01-02T03:04:05Z")
        );
        assert_eq!(
            timestamp(at(253_402_300_799_000)).as_deref(),
            Some("9999-12-31T23:59:59Z")
        );
        assert_eq!(timestamp(at(253_402_300_800_000)), None);
        assert_eq!(timestamp(SystemTime::UNIX_EPOCH - Duration::from_secs(1)), None);
    }

    #[test]
    fn a_form_is_encoded_without_growing() {
        let pairs = [("a b", "图+/="), ("c", "-_.~"), ("d", "")];
        let encoded = encode(&pairs);
        assert_eq!(encoded, "a%20b=%E5%9B%BE%2B%2F%3D&c=-_.~&d=");
        let most: usize = pairs
            .iter()
            .map(|(key, value)| 3 * (key.len() + value.len()) + 2)
            .sum();
        assert_eq!(encoded.capacity(), most);
    }
}
