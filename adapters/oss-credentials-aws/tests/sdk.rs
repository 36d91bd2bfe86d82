//! `aws-sdk-s3` against the S3-compatible endpoint of the local cloud.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use aws_sdk_s3::Client;
use aws_sdk_s3::config::{Builder, IdentityCache, Region, RequestChecksumCalculation};
use aws_sdk_s3::error::{DisplayErrorContext, ProvideErrorMetadata as _};
use aws_sdk_s3::presigning::PresigningConfig;
use aws_sdk_s3::primitives::{ByteStream, SdkBody};
use aws_smithy_runtime_api::client::http::{
    HttpConnector, HttpConnectorFuture, SharedHttpConnector, http_client_fn,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use oss_credentials_aws::AwsCredentials;
use oss_credentials_core::{CredentialsError, CredentialsProvider, ErrorDetail, provider_fn};
use test_support::Case;

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

fn config(case: &Case, provider: impl CredentialsProvider) -> Builder {
    let http = SharedHttpConnector::new(Local(case.http_client()));
    Builder::new()
        .behavior_version_latest()
        .region(Region::new(case.cloud.region().to_owned()))
        .endpoint_url(format!("http://localhost:{}", case.cloud.oss_port()))
        .credentials_provider(AwsCredentials::new(provider))
        .request_checksum_calculation(RequestChecksumCalculation::WhenRequired)
        .http_client(http_client_fn(move |_, _| http.clone()))
}

/// A client that asks the provider before each request.
fn client(case: &Case) -> Client {
    let config = config(case, Arc::clone(&case.provider));
    Client::from_conf(config.identity_cache(IdentityCache::no_cache()).build())
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
async fn the_sdk_works_across_a_rotation() {
    for case in Case::all() {
        let client = client(&case);
        works(&client, &case).await;
        assert_eq!(case.fetches(), 1);
        case.rotate();
        works(&client, &case).await;
        assert_eq!(case.fetches(), 2);
    }
}

/// The SDK has no way to report a rejected key: the program does.
#[tokio::test]
async fn after_a_revocation_the_sdk_works_once_the_provider_has_been_told() {
    for case in Case::all() {
        let client = client(&case);
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
