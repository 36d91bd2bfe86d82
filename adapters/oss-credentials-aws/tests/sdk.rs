//! `aws-sdk-s3` against the S3-compatible endpoint of the local cloud.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::error::Error;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use aws_sdk_s3::Client;
use aws_sdk_s3::config::retry::{RetryPartition, TokenBucket};
use aws_sdk_s3::config::{Builder, IdentityCache, Region, RequestChecksumCalculation};
use aws_sdk_s3::error::{DisplayErrorContext, ProvideErrorMetadata as _};
use aws_sdk_s3::presigning::PresigningConfig;
use aws_sdk_s3::primitives::{ByteStream, SdkBody};
use aws_smithy_runtime_api::client::http::{
    HttpConnector, HttpConnectorFuture, SharedHttpConnector, http_client_fn,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use futures_util::future::join_all;
use oss_credentials_aws::AwsCredentials;
use oss_credentials_core::{
    Credentials, CredentialsError, CredentialsFuture, CredentialsProvider, ErrorDetail, Invalidation,
    provider_fn,
};
use test_support::{Case, Service};

/// Sends through a reqwest client that finds the bucket's virtual host on loopback.
#[derive(Clone, Debug)]
struct Local(reqwest::Client);

impl HttpConnector for Local {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let client = self.0.clone();
        HttpConnectorFuture::new(async move {
            let request = request.try_into_http1x().unwrap().map(reqwest::Body::wrap);
            let request = reqwest::Request::try_from(request).unwrap();
            let response = client.execute(request).await;
            let response = response.map_err(|error| ConnectorError::io(error.into()))?;
            let response = http::Response::<reqwest::Body>::from(response);
            Ok(HttpResponse::try_from(response.map(SdkBody::from_body_1_x)).unwrap())
        })
    }
}

/// A configuration without credentials.
fn settings(case: &Case) -> Builder {
    let http = SharedHttpConnector::new(Local(case.http_client()));
    Builder::new()
        .behavior_version_latest()
        .region(Region::new(case.cloud.region().to_owned()))
        .endpoint_url(format!("http://localhost:{}", case.cloud.oss_port()))
        .request_checksum_calculation(RequestChecksumCalculation::WhenRequired)
        .http_client(http_client_fn(move |_, _| http.clone()))
}

/// A configuration whose key is not replaced, and is kept by the SDK.
fn config(case: &Case, provider: impl CredentialsProvider) -> Builder {
    settings(case).credentials_provider(AwsCredentials::new(provider))
}

/// Everything that the README tells.
fn with_credentials(config: Builder, provider: impl CredentialsProvider) -> Builder {
    let credentials = AwsCredentials::new(provider);
    config
        .credentials_provider(credentials.clone())
        .interceptor(credentials.clone())
        .retry_classifier(credentials)
        .identity_cache(IdentityCache::no_cache())
}

/// A client that asks the provider before each attempt, and reports rejected keys.
fn client(case: &Case) -> Client {
    Client::from_conf(with_credentials(settings(case), Arc::clone(&case.provider)).build())
}

async fn put(client: &Client, case: &Case, key: &str) -> Result<(), aws_sdk_s3::Error> {
    let put = client.put_object().bucket(case.cloud.bucket()).key(key);
    put.body(ByteStream::from_static(b"hello")).send().await?;
    Ok(())
}

async fn read(client: &Client, case: &Case, key: &str) -> Vec<u8> {
    let get = client.get_object().bucket(case.cloud.bucket()).key(key);
    let found = get.send().await.unwrap();
    found.body.collect().await.unwrap().to_vec()
}

/// What a program does with a client.
async fn works(client: &Client, case: &Case) {
    let bucket = case.cloud.bucket();
    for key in ["a b+c", "名字/é", "dir/plain.txt"] {
        put(client, case, key).await.unwrap();
        assert_eq!(case.cloud.object(bucket, key).unwrap(), "hello");
        assert_eq!(read(client, case, key).await, b"hello");

        let expires = PresigningConfig::expires_in(Duration::from_secs(60)).unwrap();
        let get = client.get_object().bucket(bucket).key(key);
        let presigned = get.presigned(expires).await.unwrap();
        let response = case.http_client().get(presigned.uri()).send().await.unwrap();
        assert_eq!(response.text().await.unwrap(), "hello");
    }
    let list = client.list_objects_v2().bucket(bucket).send().await.unwrap();
    let mut keys: Vec<&str> = list.contents().iter().filter_map(|object| object.key()).collect();
    keys.sort_unstable();
    assert_eq!(keys, ["a b+c", "dir/plain.txt", "名字/é"]);
}

#[tokio::test]
async fn the_sdk_works_across_a_rotation_and_a_revocation() {
    for case in Case::all() {
        let client = client(&case);
        works(&client, &case).await;
        assert_eq!(case.fetches(), 1);
        case.rotate();
        works(&client, &case).await;
        assert_eq!(case.fetches(), 2);
        case.revoke();
        works(&client, &case).await;
        assert_eq!(case.fetches(), 3);
    }
}

/// Each kind of request is the first after a revocation: with and without a body, and HEAD, whose refusal has none.
#[tokio::test]
async fn each_kind_of_request_is_sent_once_more() {
    let case = Case::assume_role();
    let (client, bucket) = (client(&case), case.cloud.bucket());
    put(&client, &case, "k").await.unwrap();
    case.revoke();
    let head = client.head_object().bucket(bucket).key("k");
    assert_eq!(head.send().await.unwrap().content_length(), Some(5));
    case.revoke();
    assert_eq!(read(&client, &case, "k").await, b"hello");
    case.revoke();
    put(&client, &case, "other").await.unwrap();
    case.revoke();
    let list = client.list_objects_v2().bucket(bucket).send().await.unwrap();
    assert_eq!(list.contents().len(), 2);
    assert_eq!(case.fetches(), 5);
}

/// The quota of the SDK, which limits how many requests retry at the same time, is set aside.
#[tokio::test]
async fn two_hundred_requests_across_a_revocation_cause_one_fetch() {
    let case = Case::assume_role();
    let quota = RetryPartition::custom("test").token_bucket(TokenBucket::unlimited());
    let settings = settings(&case).retry_partition(quota.build());
    let client = Client::from_conf(with_credentials(settings, Arc::clone(&case.provider)).build());
    put(&client, &case, "k").await.unwrap();
    case.revoke();
    let found = join_all((0..200).map(|_| read(&client, &case, "k"))).await;
    assert!(found.iter().all(|found| found == b"hello"));
    assert_eq!(case.fetches(), 2);
}

/// A provider whose keys are new each time, and unknown to the service.
#[derive(Default)]
struct Unknown(AtomicU32);

impl CredentialsProvider for Unknown {
    fn name(&self) -> &'static str {
        "unknown"
    }
    fn credentials(&self) -> CredentialsFuture<'_> {
        let id = format!("FakeAccessKeyId{}", self.0.fetch_add(1, Ordering::Relaxed));
        CredentialsFuture::ready(Credentials::builder(id, "secret").build())
    }
    fn invalidate(&self, _: &Credentials) -> Invalidation {
        Invalidation::AlreadyReplaced
    }
}

/// A second refusal is returned, and a key that cannot be replaced is sent once.
#[tokio::test]
async fn a_request_is_sent_once_more_and_only_with_another_key() {
    let case = Case::assume_role();
    let fixed = Credentials::builder("FakeAccessKeyId0001", "secret")
        .build()
        .unwrap();
    let fixed: Arc<dyn CredentialsProvider> = Arc::new(fixed);
    for (provider, sent) in [(fixed, 1), (Arc::new(Unknown::default()), 2)] {
        let client = Client::from_conf(with_credentials(settings(&case), provider).build());
        case.cloud.forget_requests();
        let error = put(&client, &case, "k").await.unwrap_err();
        assert_eq!(error.code(), Some("InvalidAccessKeyId"));
        assert_eq!(case.cloud.count(Service::Oss, "PutObject"), sent);
    }
}

/// An operation with the credentials of another tenant reports to that tenant's provider.
#[tokio::test]
async fn a_key_is_reported_to_the_provider_that_it_came_from() {
    let case = Case::assume_role();
    let client = Client::from_conf(with_credentials(settings(&case), Unknown::default()).build());
    for _ in 0..2 {
        let of_tenant = with_credentials(Builder::new(), Arc::clone(&case.provider));
        let put = client.put_object().bucket(case.cloud.bucket()).key("k");
        let put = put.body(ByteStream::from_static(b"hello"));
        put.customize().config_override(of_tenant).send().await.unwrap();
        case.revoke();
    }
    assert_eq!(case.fetches(), 2);
}

/// Without the interceptor, the program reports the key.
#[tokio::test]
async fn without_the_interceptor_the_sdk_works_once_the_provider_has_been_told() {
    for case in Case::all() {
        let config = config(&case, Arc::clone(&case.provider));
        let client = Client::from_conf(config.identity_cache(IdentityCache::no_cache()).build());
        put(&client, &case, "dir/plain.txt").await.unwrap();
        case.revoke();
        let error = put(&client, &case, "dir/plain.txt").await.unwrap_err();
        // OSS has a code for each part of a temporary key.
        let codes = [Some("InvalidAccessKeyId"), Some("InvalidSecurityToken")];
        assert!(codes.contains(&error.code()), "{error:?}");
        let _ = case.provider.invalidate(&case.provider.cached().unwrap());
        works(&client, &case).await;
        assert_eq!(case.fetches(), 2);
    }
}

/// OSS requires `Content-MD5` for it, and the SDK sends a checksum of its own.
#[tokio::test]
async fn objects_are_deleted_one_at_a_time() {
    use aws_sdk_s3::types::{Delete, ObjectIdentifier};

    let case = Case::assume_role();
    let client = client(&case);
    put(&client, &case, "k").await.unwrap();
    let object = ObjectIdentifier::builder().key("k").build().unwrap();
    let delete = Delete::builder().objects(object).build().unwrap();
    let many = client.delete_objects().bucket(case.cloud.bucket()).delete(delete);
    many.send().await.unwrap_err();
    let one = client.delete_object().bucket(case.cloud.bucket()).key("k");
    one.send().await.unwrap();
    assert_eq!(case.cloud.object(case.cloud.bucket(), "k"), None);
}

/// The SDK's identity cache, which is its default, keeps a key until shortly before its expiry.
#[tokio::test]
async fn the_cache_of_the_sdk_keeps_a_key_across_a_rotation() {
    let case = Case::assume_role();
    let cached = Client::from_conf(config(&case, Arc::clone(&case.provider)).build());
    works(&cached, &case).await;
    case.rotate();
    works(&cached, &case).await;
    assert_eq!(case.fetches(), 1);
}

#[tokio::test]
async fn errors_of_the_sdk_hold_the_texts_of_the_provider() {
    let case = Case::assume_role();
    let fails = provider_fn("vault", || {
        let detail = ErrorDetail::builder("vault", "the vault is locked").hint("unlock it");
        Err(CredentialsError::denied(detail))
    });
    let client = Client::from_conf(config(&case, fails).build());
    let error: Box<dyn Error> = put(&client, &case, "k").await.unwrap_err().into();
    let shown = DisplayErrorContext(&*error).to_string();
    assert!(shown.contains("vault: the vault is locked; unlock it"), "{shown}");
}
