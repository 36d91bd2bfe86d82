//! A program on the AWS SDK stores, reads, lists and shares an object with the credentials of a RAM role.
//!
//! Run it against a local cloud:
//! `cargo run -p oss-testkit -- cargo run -p oss-credentials-aws --example s3_aws_sdk`
#![allow(
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "a program may print and read its environment"
)]

use std::error::Error;
use std::net::SocketAddr;
use std::time::Duration;

use aws_sdk_s3::Client;
use aws_sdk_s3::config::{Builder, IdentityCache, Region, RequestChecksumCalculation};
use aws_sdk_s3::presigning::PresigningConfig;
use aws_sdk_s3::primitives::{ByteStream, SdkBody};
use aws_smithy_runtime_api::client::http::{
    HttpConnector, HttpConnectorFuture, SharedHttpConnector, http_client_fn,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use oss_credentials_aws::AwsCredentials;
use oss_credentials_core::{Credentials, ProcessEnv};
use oss_credentials_sts_assume_role::StsAssumeRole;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let var = |name: &str| std::env::var(name).map_err(|_| format!("set {name}"));
    let bucket = var("OSS_BUCKET")?;
    let base = Credentials::builder(var("OSS_ACCESS_KEY_ID")?, var("OSS_ACCESS_KEY_SECRET")?).build()?;
    // ALIBABA_CLOUD_ROLE_ARN names the role.
    let provider = StsAssumeRole::from_env(base, &ProcessEnv)?.build()?;
    let credentials = AwsCredentials::new(provider);

    // https://s3.oss-cn-hangzhou.aliyuncs.com. The local cloud's is http://s3.localhost.
    let endpoint = var("OSS_ENDPOINT")?.replace("127.0.0.1", "localhost");
    let (scheme, host) = endpoint.split_once("://").ok_or("OSS_ENDPOINT has no scheme")?;
    let mut http = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none());
    if host.starts_with("localhost") {
        http = http.resolve(
            &format!("{bucket}.s3.localhost"),
            SocketAddr::from(([127, 0, 0, 1], 0)),
        );
    }
    let http = SharedHttpConnector::new(OverReqwest(http.build()?));

    let config = Builder::new()
        .behavior_version_latest()
        .region(Region::new(var("OSS_REGION")?))
        .endpoint_url(format!("{scheme}://s3.{host}"))
        .credentials_provider(credentials.clone())
        // A rejected key is reported to the provider, and the request is sent once more.
        .interceptor(credentials.clone())
        .retry_classifier(credentials)
        // The provider has a cache of its own, which notices a rotation.
        .identity_cache(IdentityCache::no_cache())
        // OSS does not accept the checksum trailers that the SDK adds by default.
        .request_checksum_calculation(RequestChecksumCalculation::WhenRequired)
        .http_client(http_client_fn(move |_, _| http.clone()))
        .build();
    let client = Client::from_conf(config);

    let key = "hello from the AWS SDK.txt";
    let put = client.put_object().bucket(&bucket).key(key);
    put.body(ByteStream::from_static(b"hello")).send().await?;
    let found = client.get_object().bucket(&bucket).key(key).send().await?;
    println!("read: {} bytes", found.body.collect().await?.into_bytes().len());
    let list = client
        .list_objects_v2()
        .bucket(&bucket)
        .prefix("hello")
        .send()
        .await?;
    println!("listed: {}", list.contents().len());

    let expires = PresigningConfig::expires_in(Duration::from_secs(600))?;
    let get = client.get_object().bucket(&bucket).key(key);
    println!("to share: {}", get.presigned(expires).await?.uri());
    Ok(())
}

/// Lets the SDK send through reqwest, in place of its own client.
#[derive(Clone, Debug)]
struct OverReqwest(reqwest::Client);

impl HttpConnector for OverReqwest {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let client = self.0.clone();
        HttpConnectorFuture::new(async move {
            let user = |error: Box<dyn Error + Send + Sync>| ConnectorError::user(error);
            let request = request.try_into_http1x().map_err(|error| user(error.into()))?;
            let request = reqwest::Request::try_from(request.map(reqwest::Body::wrap));
            let response = client.execute(request.map_err(|error| user(error.into()))?).await;
            let response = response.map_err(|error| ConnectorError::io(error.into()))?;
            let response = http::Response::<reqwest::Body>::from(response);
            HttpResponse::try_from(response.map(SdkBody::from_body_1_x)).map_err(|error| user(error.into()))
        })
    }
}
