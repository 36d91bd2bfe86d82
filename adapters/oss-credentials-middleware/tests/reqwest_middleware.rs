//! The middleware over a reqwest client, against the local cloud.
#![cfg(feature = "reqwest-middleware")]
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::sync::Arc;

use http::Extensions;
use oss_credentials_core::{CredentialsError, CredentialsProvider, ErrorDetail, provider_fn};
use oss_credentials_middleware::{Error, SignMiddleware, Signing};
use reqwest::{Request, Response};
use reqwest_middleware::{ClientBuilder, ClientWithMiddleware, Middleware, Next};
use test_support::Case;
use tokio::sync::Semaphore;

/// Sends a hundred requests at a time.
struct Limited(Semaphore);

#[async_trait::async_trait]
impl Middleware for Limited {
    async fn handle(
        &self,
        request: Request,
        extensions: &mut Extensions,
        next: Next<'_>,
    ) -> reqwest_middleware::Result<Response> {
        let _one = self.0.acquire().await.unwrap();
        next.run(request, extensions).await
    }
}

fn client(case: &Case) -> ClientWithMiddleware {
    client_of(case, Arc::clone(&case.provider))
}

fn client_of(case: &Case, provider: impl CredentialsProvider) -> ClientWithMiddleware {
    let signing = Signing::oss(provider, case.cloud.region(), &case.oss_host()).unwrap();
    let http = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none());
    ClientBuilder::new(http.build().unwrap())
        .with(SignMiddleware::new(signing))
        .with(Limited(Semaphore::new(100)))
        .build()
}

#[tokio::test]
async fn objects_are_stored_and_read_across_a_rotation_and_a_revocation() {
    for case in Case::all() {
        let client = client(&case);
        let url = format!("{}/{}/a%20b%2B", case.cloud.oss_endpoint(), case.cloud.bucket());
        let put = client.put(&url).body("hello").send().await.unwrap();
        assert_eq!(put.status(), 200, "{}", put.text().await.unwrap());
        case.rotate();
        let get = client.get(&url).send().await.unwrap();
        assert_eq!(get.text().await.unwrap(), "hello");
        assert_eq!(case.fetches(), 2);
        case.revoke();
        let put = client.put(&url).body("again").send().await.unwrap();
        assert_eq!(put.status(), 200, "{}", put.text().await.unwrap());
        assert_eq!(case.fetches(), 3);
        assert_eq!(case.cloud.object(case.cloud.bucket(), "a b+").unwrap(), "again");

        let none = client.get(format!("{url}-none")).send().await.unwrap();
        assert_eq!(
            (none.status().as_u16(), none.url().path().ends_with("-none")),
            (404, true)
        );
        assert!(none.text().await.unwrap().contains("<Code>NoSuchKey</Code>"));
        assert_eq!(case.fetches(), 3);
    }
}

#[tokio::test]
async fn a_thousand_requests_across_a_revocation_cause_one_fetch_and_no_failure() {
    let case = Case::assume_role();
    let client = client(&case);
    let url = format!("{}/{}/k", case.cloud.oss_endpoint(), case.cloud.bucket());
    client.put(&url).body("v").send().await.unwrap();
    case.revoke();
    let all = (0..1000).map(|_| async {
        let response = client.get(&url).send().await.unwrap();
        (response.status().as_u16(), response.text().await.unwrap())
    });
    for response in futures_util::future::join_all(all).await {
        assert_eq!(response, (200, "v".to_owned()));
    }
    assert_eq!(case.fetches(), 2);
}

/// A stream cannot be sent twice: the key is reported, and the refusal is returned whole.
#[tokio::test]
async fn a_stream_is_sent_once_and_the_key_is_reported() {
    let case = Case::assume_role();
    let client = client(&case);
    let url = format!("{}/{}/k", case.cloud.oss_endpoint(), case.cloud.bucket());
    client.put(&url).body("v").send().await.unwrap();
    case.revoke();
    let stream = || reqwest::Body::wrap(http_body_util::Full::new(bytes::Bytes::from_static(b"w")));
    let put = client.put(&url).body(stream()).send().await.unwrap();
    assert_eq!(put.status(), 403);
    let text = put.text().await.unwrap();
    assert!(text.contains("<Code>InvalidSecurityToken</Code>"), "{text}");
    assert!(text.trim_end().ends_with("</Error>"), "{text}");
    assert_eq!(case.fetches(), 2);
    let put = client.put(&url).body(stream()).send().await.unwrap();
    assert_eq!(put.status(), 200);
}

#[tokio::test]
async fn errors_keep_the_texts_of_the_provider() {
    let case = Case::assume_role();
    let fails = provider_fn("vault", || {
        let detail = ErrorDetail::builder("vault", "the vault is locked").hint("unlock it");
        Err(CredentialsError::denied(detail))
    });
    let error = client_of(&case, fails)
        .get(case.cloud.oss_endpoint())
        .send()
        .await
        .unwrap_err();
    let reqwest_middleware::Error::Middleware(error) = error else {
        panic!("reqwest has failed");
    };
    assert_eq!(error.to_string(), "vault: the vault is locked; unlock it");
    assert!(matches!(
        error.downcast_ref(),
        Some(Error::Credentials(CredentialsError::Denied(_)))
    ));
}
