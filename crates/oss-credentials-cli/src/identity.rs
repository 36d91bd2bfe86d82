//! The identity of credentials, as STS reports it.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use acs_sts::CallerIdentity;
use oss_credentials::http::{HttpClient, HttpError, HttpRequest, HttpResponse};
use oss_credentials::{BoxFuture, Clock as _, ClockOffset, Credentials, CredentialsError, SystemClock};
use serde_json::{Value, json};

use crate::chain::Chain;

/// The result of STS.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) endpoint: String,
    pub(crate) identity: Result<CallerIdentity, CredentialsError>,
    pub(crate) exchange: Option<Exchange>,
}

/// Facts about an exchange besides its result.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Exchange {
    pub(crate) latency: Duration,
    pub(crate) clock_offset: Option<ClockOffset>,
}

/// Asks STS for the identity of the credentials.
///
/// # Errors
///
/// If the settings for STS are wrong; an error of the service is part of the result.
pub(crate) async fn ask(chain: &Chain, credentials: &Credentials) -> Result<Answer, CredentialsError> {
    let watched = Watched::over(&chain.http);
    let sts = chain.sts(watched.clone())?;
    let identity = sts.get_caller_identity(credentials).await;
    let exchange = watched.last();
    Ok(Answer {
        endpoint: sts.endpoint().to_string(),
        identity: identity.map_err(CredentialsError::from),
        exchange,
    })
}

/// Name of the role and of the session in an ARN such as `acs:sts::123456789012:assumed-role/reader/alice`.
pub(crate) fn role_and_session(arn: &str) -> Option<(&str, &str)> {
    let (_, rest) = arn.split_once(":assumed-role/")?;
    rest.split_once('/')
}

pub(crate) fn to_json(identity: &CallerIdentity) -> Value {
    let session = role_and_session(identity.arn());
    json!({
        "account_id": identity.account_id(),
        "arn": identity.arn(),
        "identity_type": identity.identity_type(),
        "principal_id": identity.principal_id(),
        "user_id": identity.user_id(),
        "role_id": identity.role_id(),
        "role": session.map(|(role, _)| role),
        "session": session.map(|(_, session)| session),
        "request_id": identity.request_id(),
    })
}

/// An HTTP client that remembers its last exchange.
struct Watched {
    inner: Arc<dyn HttpClient>,
    last: Mutex<Option<Exchange>>,
}

impl Watched {
    fn over(inner: &Arc<dyn HttpClient>) -> Arc<Self> {
        Arc::new(Self {
            inner: Arc::clone(inner),
            last: Mutex::new(None),
        })
    }

    /// The last exchange with a response.
    fn last(&self) -> Option<Exchange> {
        *self.last.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl HttpClient for Watched {
    fn send(&self, request: HttpRequest) -> BoxFuture<'_, Result<HttpResponse, HttpError>> {
        Box::pin(async move {
            let (sent, began) = (SystemClock.now(), SystemClock.monotonic());
            let result = self.inner.send(request).await;
            let (received, ended) = (SystemClock.now(), SystemClock.monotonic());
            if let Ok(response) = &result {
                let latency = ended.zip(began).map(|(ended, began)| ended.saturating_sub(began));
                let exchange = Exchange {
                    latency: latency.unwrap_or_default(),
                    clock_offset: response.clock_offset(sent, received),
                };
                *self.last.lock().unwrap_or_else(PoisonError::into_inner) = Some(exchange);
            }
            result
        })
    }
}

impl fmt::Debug for Watched {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Watched").field(&self.inner).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn role_and_session_are_parts_of_the_arn() {
        // The shape of GetCallerIdentity's document for a session.
        let arn = "acs:sts::123456789012:assumed-role/reader/alice";
        assert_eq!(role_and_session(arn), Some(("reader", "alice")));
        assert_eq!(role_and_session("acs:ram::123456789012:user/alice"), None);
    }
}
