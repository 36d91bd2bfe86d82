//! What happens when the service rejects a key: the interceptor reports it, and the classifier asks for a second attempt.
//!
//! The SDK resolves the identity and signs in each attempt, so the second attempt uses the provider's new credentials.

use std::sync::Arc;
use std::time::Duration;

use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::interceptors::Intercept;
use aws_smithy_runtime_api::client::interceptors::context::{
    BeforeTransmitInterceptorContextRef, FinalizerInterceptorContextMut, InterceptorContext,
};
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::retries::classifiers::{
    ClassifyRetry, RetryAction, RetryClassifierPriority,
};
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_runtime_api::http::Headers;
use aws_smithy_types::config_bag::{ConfigBag, Storable, StoreReplace};
use aws_smithy_types::retry::ErrorKind;
use http::{HeaderMap, HeaderValue, StatusCode};
use oss_credentials_core::{Credentials, CredentialsProvider};
use oss_sign::Refusal;

use crate::AwsCredentials;

/// Name of the interceptor and of the classifier in the SDK's log.
const NAME: &str = "OssCredentials";

/// The header with which the interceptor marks a response for the classifier, which sees nothing else of the interceptor.
const MARK: &str = "x-oss-credentials-replaced";

/// Where the document of a refusal of HEAD is.
const X_OSS_ERR: &str = "x-oss-err";

/// The credentials that signed the attempt in progress, and their provider.
#[derive(Debug)]
struct Signed {
    credentials: Credentials,
    provider: Arc<dyn CredentialsProvider>,
}

impl Storable for Signed {
    type Storer = StoreReplace<Self>;
}

/// The operation has had its second attempt because of a rejected key.
#[derive(Debug)]
struct Replaced;

impl Storable for Replaced {
    type Storer = StoreReplace<Self>;
}

impl Intercept for AwsCredentials {
    fn name(&self) -> &'static str {
        NAME
    }

    fn read_before_attempt(
        &self,
        _: &BeforeTransmitInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        cfg: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        cfg.interceptor_state().unset::<Signed>();
        Ok(())
    }

    fn read_after_signing(
        &self,
        context: &BeforeTransmitInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        cfg: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let headers = context.request().headers();
        let signed = |given: &&Credentials| has_signed(given, headers);
        let found = self.latest().iter().flatten().find(signed).cloned();
        if let Some(credentials) = found {
            cfg.interceptor_state().store_put(Signed {
                credentials,
                provider: Arc::clone(&self.provider),
            });
        }
        Ok(())
    }

    fn modify_before_attempt_completion(
        &self,
        context: &mut FinalizerInterceptorContextMut<'_>,
        _: &RuntimeComponents,
        cfg: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let Some(response) = context.response_mut() else {
            return Ok(());
        };
        if refusal(response) != Some(Refusal::Key) || cfg.load::<Replaced>().is_some() {
            return Ok(());
        }
        let may_retry = cfg
            .load::<Signed>()
            .is_some_and(|signed| signed.provider.invalidate(&signed.credentials).may_retry());
        if may_retry {
            response.headers_mut().insert(MARK, "true");
            cfg.interceptor_state().store_put(Replaced);
        }
        Ok(())
    }
}

impl ClassifyRetry for AwsCredentials {
    fn name(&self) -> &'static str {
        NAME
    }

    fn priority(&self) -> RetryClassifierPriority {
        RetryClassifierPriority::run_after(RetryClassifierPriority::transient_error_classifier())
    }

    fn classify_retry(&self, context: &InterceptorContext) -> RetryAction {
        let response = context.response();
        if response.is_some_and(|response| response.headers().contains_key(MARK)) {
            return RetryAction::retryable_error_with_explicit_delay(ErrorKind::ClientError, Duration::ZERO);
        }
        RetryAction::NoActionIndicated
    }
}

/// Whether the request is signed with these credentials, and not with those of another provider of the same client.
fn has_signed(credentials: &Credentials, headers: &Headers) -> bool {
    let key = format!("Credential={}/", credentials.access_key_id());
    let is_key = headers
        .get("authorization")
        .is_some_and(|value| value.contains(&key));
    is_key && headers.get("x-amz-security-token") == credentials.security_token()
}

fn refusal(response: &HttpResponse) -> Option<Refusal> {
    let status = StatusCode::from_u16(response.status().as_u16()).ok()?;
    let mut headers = HeaderMap::new();
    let document = response.headers().get(X_OSS_ERR).map(HeaderValue::from_str);
    if let Some(Ok(document)) = document {
        headers.insert(X_OSS_ERR, document);
    }
    Refusal::of_http(status, &headers, response.body().bytes().unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_credentials_before_the_latest_are_known_too() {
        let given = |id: &str| Credentials::builder(id, "secret").build().unwrap();
        let (old, new) = (given("id1"), given("id2"));
        let credentials = AwsCredentials::new(old.clone());
        for one in [&old, &new, &new] {
            credentials.note(one.clone());
        }
        let ids = credentials
            .latest()
            .clone()
            .map(|known| known.unwrap().access_key_id().to_owned());
        assert_eq!(ids, ["id2", "id1"]);
    }

    #[test]
    fn key_and_token_are_compared() {
        let credentials = |id: &str, token: &str| {
            let builder = Credentials::builder(id, "secret");
            builder.security_token(token).build().unwrap()
        };
        let mut headers = Headers::new();
        headers.insert(
            "authorization",
            "AWS4-HMAC-SHA256 Credential=id1/20260102/region/s3/aws4_request",
        );
        assert!(has_signed(&credentials("id1", ""), &headers));
        assert!(!has_signed(&credentials("id", ""), &headers));
        assert!(!has_signed(&credentials("d1", ""), &headers));
        assert!(!has_signed(&credentials("id1", "token"), &headers));
        headers.insert("x-amz-security-token", "token");
        assert!(has_signed(&credentials("id1", "token"), &headers));
        assert!(!has_signed(&credentials("id1", "other"), &headers));
        assert!(!has_signed(&credentials("id2", "token"), &headers));
        assert!(!has_signed(&credentials("id1", "token"), &Headers::new()));
    }
}
