//! The tower layer over a hyper client, against the local cloud.
#![cfg(feature = "tower")]
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::sync::Arc;

use bytes::Bytes;
use futures_util::FutureExt as _;
use http::{Method, Request, Response, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use oss_credentials_core::{Credentials, CredentialsError};
use oss_credentials_middleware::{Error, SignLayer, Signing};
use oss_testkit::Service as Part;
use test_support::Case;
use tokio::sync::Semaphore;
use tower::util::BoxCloneService;
use tower::{BoxError, Layer as _, ServiceExt as _};

type Service = BoxCloneService<Request<Full<Bytes>>, Response<Bytes>, BoxError>;

/// Signed requests over a hyper client with a hundred connections at most.
fn service(signing: Signing) -> Service {
    let hyper = Client::builder(TokioExecutor::new()).build_http::<Full<Bytes>>();
    let connections = Arc::new(Semaphore::new(100));
    let http = tower::service_fn(move |request| {
        let (hyper, connections) = (hyper.clone(), Arc::clone(&connections));
        async move {
            let _one = connections.acquire().await?;
            let response = hyper.request(request).await?;
            // Read while the connection is counted.
            let (head, body) = response.into_parts();
            let body = Full::new(body.collect().await?.to_bytes());
            Ok::<_, BoxError>(Response::from_parts(head, body))
        }
    });
    let layer = SignLayer::new(signing).body_bytes(|body: &Full<Bytes>| {
        let whole = body.clone().collect().now_or_never()?;
        Some(whole.ok()?.to_bytes())
    });
    let signed = layer.layer(http).and_then(|response: Response<_>| async {
        let (head, body) = response.into_parts();
        let body = BodyExt::collect(body).await?.to_bytes();
        Ok(Response::from_parts(head, body))
    });
    BoxCloneService::new(signed)
}

fn oss(case: &Case) -> Service {
    let signing = Signing::oss(Arc::clone(&case.provider), case.cloud.region(), &case.oss_host()).unwrap();
    service(signing)
}

fn request(method: Method, case: &Case, path: &str, body: &str) -> Request<Full<Bytes>> {
    let url = format!("{}/{}{path}", case.cloud.oss_endpoint(), case.cloud.bucket());
    let body = Full::new(Bytes::from(body.to_owned()));
    Request::builder().method(method).uri(url).body(body).unwrap()
}

async fn send(service: &Service, request: Request<Full<Bytes>>) -> Response<Bytes> {
    service.clone().oneshot(request).await.unwrap()
}

#[tokio::test]
async fn objects_are_stored_and_read_across_a_rotation_and_a_revocation() {
    for case in Case::all() {
        let service = oss(&case);
        let key = "/a%20b%2B%E5%90%8D";
        let put = send(&service, request(Method::PUT, &case, key, "hello")).await;
        assert_eq!(put.status(), StatusCode::OK, "{:?}", put.body());
        assert_eq!(case.cloud.object(case.cloud.bucket(), "a b+名").unwrap(), "hello");

        case.rotate();
        let get = send(&service, request(Method::GET, &case, key, "")).await;
        assert_eq!((get.status(), &**get.body()), (StatusCode::OK, &b"hello"[..]));
        assert_eq!(case.fetches(), 2);

        let revoked = case.revoke();
        let put = send(&service, request(Method::PUT, &case, key, "again")).await;
        assert_eq!(put.status(), StatusCode::OK, "{:?}", put.body());
        let head = send(&service, request(Method::HEAD, &case, key, "")).await;
        assert_eq!(head.status(), StatusCode::OK);
        let list = send(
            &service,
            request(Method::GET, &case, "/?list-type=2&prefix=a%20", ""),
        )
        .await;
        assert!(
            String::from_utf8_lossy(list.body()).contains("<KeyCount>1</KeyCount>"),
            "{list:?}"
        );
        assert_eq!(case.fetches(), 3);
        assert_ne!(case.provider.cached().unwrap().access_key_id(), revoked);
    }
}

/// A refusal of `HEAD` has no body: the error is in a header.
#[tokio::test]
async fn a_rejected_head_request_is_sent_once_more() {
    let case = Case::assume_role();
    let service = oss(&case);
    send(&service, request(Method::PUT, &case, "/k", "v")).await;
    case.revoke();
    let head = send(&service, request(Method::HEAD, &case, "/k", "")).await;
    assert_eq!(head.status(), StatusCode::OK);
    assert_eq!(case.fetches(), 2);
}

#[tokio::test]
async fn a_thousand_requests_across_a_revocation_cause_one_fetch_and_no_failure() {
    let case = Case::assume_role();
    let service = oss(&case);
    send(&service, request(Method::PUT, &case, "/k", "v")).await;
    case.revoke();
    let all = (0..1000).map(|_| send(&service, request(Method::GET, &case, "/k", "")));
    let responses = futures_util::future::join_all(all).await;
    assert!(
        responses
            .iter()
            .all(|response| response.status() == StatusCode::OK)
    );
    assert_eq!(case.fetches(), 2);
}

#[tokio::test]
async fn other_refusals_arrive_whole_and_cost_no_fetch() {
    let case = Case::assume_role();
    let service = oss(&case);
    let response = send(&service, request(Method::GET, &case, "/none", "")).await;
    assert_eq!(response.status(), StatusCode::NOT_FOUND);
    assert!(String::from_utf8_lossy(response.body()).contains("<Code>NoSuchKey</Code>"));
    assert!(
        response.body().trim_ascii_end().ends_with(b"</Error>"),
        "{response:?}"
    );
    assert_eq!((case.fetches(), case.cloud.count(Part::Oss, "GetObject")), (1, 1));
}

/// A fixed key stays rejected: the refusal is returned, and nothing is sent twice.
#[tokio::test]
async fn where_there_is_no_other_key_the_refusal_is_returned() {
    let case = Case::assume_role();
    let wrong = Credentials::builder("unknown-id", "unknown-secret")
        .build()
        .unwrap();
    let service = service(Signing::oss(wrong, case.cloud.region(), &case.oss_host()).unwrap());
    let response = send(&service, request(Method::GET, &case, "/k", "")).await;
    assert_eq!(response.status(), StatusCode::FORBIDDEN);
    assert!(String::from_utf8_lossy(response.body()).contains("InvalidAccessKeyId"));
    assert_eq!(case.cloud.requests().len(), 1);
}

#[tokio::test]
async fn errors_keep_the_texts_of_the_provider() {
    let case = Case::assume_role();
    let none = oss_credentials_core::provider_fn("vault", || {
        let detail = oss_credentials_core::ErrorDetail::builder("vault", "the vault is locked");
        Err(CredentialsError::unavailable(detail))
    });
    let service = service(Signing::oss(none, case.cloud.region(), &case.oss_host()).unwrap());
    let error = service
        .oneshot(request(Method::GET, &case, "/k", ""))
        .await
        .unwrap_err();
    assert_eq!(error.to_string(), "vault: the vault is locked");
    assert!(matches!(
        error.downcast_ref(),
        Some(Error::Credentials(CredentialsError::Unavailable(_)))
    ));
}

#[tokio::test]
async fn open_api_requests_are_signed_with_their_body() {
    for case in Case::all() {
        let service = service(Signing::open_api(Arc::clone(&case.provider)));
        let identity = || {
            Request::post(format!("{}/", case.cloud.sts_endpoint()))
                .header("x-acs-action", "GetCallerIdentity")
                .header("x-acs-version", "2015-04-01")
                .header("accept", "application/json")
                .body(Full::new(Bytes::new()))
                .unwrap()
        };
        let response = send(&service, identity()).await;
        assert_eq!(response.status(), StatusCode::OK, "{:?}", response.body());
        case.revoke();
        let response = send(&service, identity()).await;
        assert_eq!(response.status(), StatusCode::OK, "{:?}", response.body());
        assert!(
            String::from_utf8_lossy(response.body()).contains("AssumedRoleUser"),
            "{response:?}"
        );
        assert_eq!(case.fetches(), 2);
    }
}
