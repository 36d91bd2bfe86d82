//! reqsign's signers over providers of the family, against the local cloud.
#![cfg(feature = "oss")]
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use oss_credentials_core::{Credentials, CredentialsError, ErrorDetail, provider_fn};
use oss_credentials_reqsign::OssCredentials;
use reqsign_aliyun_oss::{Credential, RequestSigner, SigningVersion};
use reqsign_core::{Context, ErrorKind, ProvideCredential as _, Signer};
use test_support::Case;

struct Bucket {
    http: reqwest::Client,
    base: String,
    signer: Signer<Credential>,
}

impl Bucket {
    fn new(case: &Case, version: SigningVersion) -> Self {
        let request_signer = RequestSigner::new(case.cloud.bucket())
            .with_region(case.cloud.region())
            .with_signing_version(version);
        let provider = OssCredentials::new(Arc::clone(&case.provider));
        Self {
            http: case.http_client(),
            base: case.bucket_url(),
            signer: Signer::new(Context::new(), provider, request_signer),
        }
    }

    async fn send(&self, method: http::Method, path: &str, body: &'static str) -> reqwest::Response {
        let url = format!("{}{path}", self.base);
        let request = http::Request::builder()
            .method(method)
            .uri(url)
            .body(body)
            .unwrap();
        let (mut parts, body) = request.into_parts();
        self.signer.sign(&mut parts, None).await.unwrap();
        let request = http::Request::from_parts(parts, body);
        self.http.execute(request.try_into().unwrap()).await.unwrap()
    }
}

#[tokio::test]
async fn objects_are_stored_by_v1_and_v4_across_a_rotation() {
    for version in [SigningVersion::V1, SigningVersion::V4] {
        for case in Case::all() {
            let bucket = Bucket::new(&case, version);
            let put = bucket.send(http::Method::PUT, "/a%20b", "hello").await;
            assert_eq!(put.status(), 200, "{version:?}: {}", put.text().await.unwrap());
            let get = bucket.send(http::Method::GET, "/a%20b", "").await;
            assert_eq!(get.text().await.unwrap(), "hello");
            assert_eq!(case.fetches(), 1);

            // reqsign's copy is good for an hour. A new signer asks the provider, which rotates.
            case.rotate();
            let bucket = Bucket::new(&case, version);
            let get = bucket.send(http::Method::GET, "/a%20b", "").await;
            assert_eq!(get.text().await.unwrap(), "hello");
            assert_eq!(case.fetches(), 2);
        }
    }
}

/// What the documentation says of a rejected key: the provider is told, and a new signer drops the copy.
#[tokio::test]
async fn a_revoked_key_is_replaced_by_hand() {
    for case in Case::all() {
        let mut bucket = Bucket::new(&case, SigningVersion::V4);
        assert_eq!(bucket.send(http::Method::PUT, "/k", "v").await.status(), 200);
        case.revoke();
        assert_eq!(bucket.send(http::Method::GET, "/k", "").await.status(), 403);

        let _ = case.provider.invalidate(&case.provider.cached().unwrap());
        let provider = OssCredentials::new(Arc::clone(&case.provider));
        bucket.signer = bucket.signer.with_credential_provider(provider);
        assert_eq!(bucket.send(http::Method::GET, "/k", "").await.status(), 200);
        assert_eq!(case.fetches(), 2);
    }
}

#[tokio::test]
async fn the_end_of_a_temporary_key_is_its_expiry() {
    let case = Case::assume_role();
    let found = OssCredentials::new(Arc::clone(&case.provider))
        .provide_credential(&Context::new())
        .await;
    let end = found.unwrap().unwrap().expires_in.unwrap().as_system_time();
    let expiry = case.provider.cached().unwrap().expires_at().unwrap();
    let apart = end
        .duration_since(expiry)
        .unwrap_or_else(|error| error.duration());
    // Whole seconds, and the offset between the clocks.
    assert!(apart < Duration::from_secs(3), "{apart:?}");
}

/// Its copy is stale after a minute, so reqsign asks again; a longer time is the caller's choice.
#[tokio::test]
async fn keys_without_expiry_are_asked_for_again() {
    let calls = Arc::new(AtomicU32::new(0));
    let counted = Arc::clone(&calls);
    let key = move || {
        let number = counted.fetch_add(1, Ordering::SeqCst);
        Credentials::builder(format!("id-{number}"), "secret").build()
    };
    let clock = test_support::clock();
    let provider = OssCredentials::new(provider_fn("settings", key)).clock(clock.clone());
    let end = |found: Credential| found.expires_in.unwrap().as_system_time();
    let context = Context::new();
    let first = provider.provide_credential(&context).await.unwrap().unwrap();
    let second = provider.provide_credential(&context).await.unwrap().unwrap();
    assert_eq!((&*first.access_key_id, &*second.access_key_id), ("id-0", "id-1"));
    // A minute, and the two minutes that reqsign takes off.
    let now = oss_credentials_core::Clock::now(&clock);
    let lasts = end(first).duration_since(now).unwrap().as_secs();
    assert!((179..=180).contains(&lasts), "{lasts}");

    let provider = provider.keep_for(Duration::from_secs(3600));
    let kept = provider.provide_credential(&context).await.unwrap().unwrap();
    let lasts = end(kept).duration_since(now).unwrap().as_secs();
    assert!((3719..=3720).contains(&lasts), "{lasts}");
}

#[tokio::test]
async fn anonymous_access_is_no_credential_and_errors_keep_their_texts() {
    let anonymous = OssCredentials::new(Credentials::anonymous());
    assert!(
        anonymous
            .provide_credential(&Context::new())
            .await
            .unwrap()
            .is_none()
    );

    let fails = provider_fn("vault", || {
        let detail = ErrorDetail::builder("vault", "the vault is locked").hint("unlock it");
        Err(CredentialsError::unavailable(detail))
    });
    let error = OssCredentials::new(fails)
        .provide_credential(&Context::new())
        .await
        .unwrap_err();
    assert!(
        error
            .to_string()
            .contains("vault: the vault is locked; unlock it"),
        "{error}"
    );
    assert!(error.is_retryable());
    assert_eq!(error.kind(), ErrorKind::Unexpected);
}
