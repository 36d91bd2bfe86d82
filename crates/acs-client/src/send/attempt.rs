//! One attempt: a request, and its result.

use std::borrow::Cow;
use std::time::SystemTime;

use oss_credentials_core::CredentialsError;
use oss_credentials_http::{HttpRequest, HttpResponse};

use super::failure::Failure;
use super::state::CallState;
use crate::response::AcsResponse;
use crate::wire;
use crate::{TRACING_TARGET, events};

impl CallState<'_> {
    pub(super) async fn attempt(&mut self) -> Result<AcsResponse, Failure> {
        let request = self.prepared()?;
        tracing::debug!(
            name: events::CALL_STARTED, target: TRACING_TARGET, provider = self.client.name(),
            action = &*self.call.action, attempt = self.attempt, event = events::CALL_STARTED,
            "calling the service"
        );
        let local = self.client.inner.clock.local();
        let sent = local.now();
        let outcome = self.client.inner.http.send(request).await;
        let received = local.now();
        match outcome {
            Ok(response) if response.is_success() => Ok(self.response(response, sent, received)),
            Ok(response) => {
                let clock_offset = response.clock_offset(sent, received);
                Err(self.refusal(&response, clock_offset))
            }
            Err(error) => Err(self.transport(error)),
        }
    }

    /// The complete request, with the time that is left.
    fn prepared(&self) -> Result<HttpRequest, Failure> {
        let inner = &*self.client.inner;
        let left = self.left().ok_or_else(|| {
            let what = format!("there was no time left for {}", self.call.action);
            let detail = self.detail(what).hint("raise the deadline of the call");
            Failure::end(self.error(CredentialsError::unavailable(detail)))
        })?;
        let timeout = inner.timeout.min(left);
        let request = self.request()?;
        Ok(request
            .with_connect_timeout(inner.connect_timeout.min(timeout))
            .with_timeout(timeout))
    }

    fn response(&self, response: HttpResponse, sent: SystemTime, received: SystemTime) -> AcsResponse {
        let clock_offset = response.clock_offset(sent, received);
        self.clock.accepted(clock_offset);
        let request_id = self.request_id(&response, || wire::request_id(response.body()));
        AcsResponse {
            client: self.client.clone(),
            action: self.call.action.clone(),
            method: self.call.method,
            path: match &*self.call.path {
                "/" => Cow::Borrowed("/"),
                other => Cow::Owned(other.to_owned()),
            },
            request_id,
            http: response,
            clock_offset,
            received,
        }
    }
}
