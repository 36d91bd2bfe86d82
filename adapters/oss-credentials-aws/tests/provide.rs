//! What the AWS SDK gets from a provider of the family.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::sync::Arc;
use std::time::Duration;

use aws_credential_types::provider::ProvideCredentials as _;
use aws_credential_types::provider::error::CredentialsError as SdkError;
use oss_credentials_aws::AwsCredentials;
use oss_credentials_core::{
    COPY_LIFETIME, Clock as _, Credentials, CredentialsError, ErrorDetail, provider_fn,
};
use test_support::{Case, LIFETIME};

#[tokio::test]
async fn key_token_and_expiry_are_the_providers_across_a_rotation_and_a_revocation() {
    for case in Case::all() {
        let credentials = AwsCredentials::new(Arc::clone(&case.provider)).clock(case.clock());
        let mut seen = Vec::new();
        for step in 0..3 {
            let found = credentials.provide_credentials().await.unwrap();
            let own = case.provider.cached().unwrap();
            assert_eq!(found.access_key_id(), own.access_key_id());
            assert_eq!(found.secret_access_key(), own.access_key_secret());
            assert_eq!(found.session_token(), own.security_token());
            // By the clock of the provider, which differs from the one of STS after the rotation.
            assert_eq!(found.expiry(), Some(own.fresh_until(case.now())));
            let lasts = found.expiry().unwrap().duration_since(case.now()).unwrap();
            // STS counts in whole seconds.
            assert!(lasts.abs_diff(LIFETIME) < Duration::from_secs(2), "{lasts:?}");
            seen.push(found.access_key_id().to_owned());
            if step == 0 {
                case.rotate();
            } else {
                case.revoke();
                let _ = case.provider.invalidate(&case.provider.cached().unwrap());
            }
        }
        seen.dedup();
        assert_eq!((seen.len(), case.fetches()), (3, 3));
    }
}

#[tokio::test]
async fn keys_without_expiry_are_good_for_a_minute() {
    let clock = test_support::clock();
    let fixed = Credentials::builder("id", "secret").build().unwrap();
    let credentials = AwsCredentials::new(fixed).clock(clock.clone());
    let found = credentials.provide_credentials().await.unwrap();
    assert_eq!(found.expiry(), Some(clock.now() + COPY_LIFETIME));
    clock.advance(Duration::from_secs(30));
    let found = credentials.provide_credentials().await.unwrap();
    assert_eq!(found.expiry(), Some(clock.now() + COPY_LIFETIME));
}

#[tokio::test]
async fn errors_keep_their_kind_and_their_text() {
    async fn error(make: fn(ErrorDetail) -> CredentialsError) -> SdkError {
        let fails = provider_fn("vault", move || {
            let detail = ErrorDetail::builder("vault", "the vault is locked").hint("unlock it");
            Err(make(detail.into()))
        });
        AwsCredentials::new(fails)
            .provide_credentials()
            .await
            .unwrap_err()
    }
    let text = |error: &SdkError| std::error::Error::source(error).unwrap().to_string();
    let expected = "vault: the vault is locked; unlock it";
    let not_configured = error(CredentialsError::not_configured).await;
    assert!(
        matches!(not_configured, SdkError::CredentialsNotLoaded(_)),
        "{not_configured:?}"
    );
    assert_eq!(text(&not_configured), expected);
    let invalid = error(CredentialsError::invalid_config).await;
    assert!(
        matches!(invalid, SdkError::InvalidConfiguration(_)),
        "{invalid:?}"
    );
    let denied = error(CredentialsError::denied).await;
    assert!(matches!(denied, SdkError::ProviderError(_)), "{denied:?}");
    assert_eq!(text(&denied), expected);

    let anonymous = AwsCredentials::new(Credentials::anonymous());
    let error = anonymous.provide_credentials().await.unwrap_err();
    assert!(matches!(error, SdkError::InvalidConfiguration(_)), "{error:?}");
}
