//! A program on object_store stores an object at the S3-compatible endpoint with the credentials of a RAM role.
//!
//! Run it against a local cloud:
//! `cargo run -p oss-testkit -- cargo run -p oss-credentials-object-store --example object_store_s3`
#![allow(
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "a program may print and read its environment"
)]

use std::error::Error;
use std::sync::Arc;

use object_store::aws::AmazonS3Builder;
use object_store::path::Path;
use object_store::{ClientOptions, ObjectStoreExt as _};
use oss_credentials_core::{Credentials, ProcessEnv};
use oss_credentials_object_store::{S3Connector, S3Credentials};
use oss_credentials_sts_assume_role::StsAssumeRole;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let var = |name: &str| std::env::var(name).map_err(|_| format!("set {name}"));
    let (endpoint, bucket) = (var("OSS_ENDPOINT")?, var("OSS_BUCKET")?);
    let base = Credentials::builder(var("OSS_ACCESS_KEY_ID")?, var("OSS_ACCESS_KEY_SECRET")?).build()?;
    // ALIBABA_CLOUD_ROLE_ARN names the role.
    let provider = StsAssumeRole::from_env(base, &ProcessEnv)?.build()?;
    let credentials = Arc::new(S3Credentials::new(provider));

    let (scheme, host) = endpoint.split_once("://").ok_or("OSS_ENDPOINT has no scheme")?;
    let mut options = ClientOptions::new().with_allow_http(scheme == "http");
    if host.starts_with("127.0.0.1") {
        // The local cloud's bucket is in the host, too: example-bucket.s3.localhost, which many systems cannot find.
        options = options.with_proxy_url(&endpoint);
    }
    // https://examplebucket.s3.oss-cn-hangzhou.aliyuncs.com
    let of_bucket = format!(
        "{scheme}://{bucket}.s3.{}",
        host.replace("127.0.0.1", "localhost")
    );
    let store = AmazonS3Builder::new()
        .with_region(var("OSS_REGION")?)
        .with_bucket_name(&bucket)
        .with_endpoint(of_bucket)
        .with_virtual_hosted_style_request(true)
        // A rejected key is reported to the provider, and the request is sent once more.
        .with_http_connector(S3Connector::new(credentials.clone()))
        .with_credentials(credentials)
        .with_client_options(options)
        .build()?;

    let path = Path::from("hello from S3.txt");
    store.put(&path, "hello".into()).await?;
    println!("read: {:?}", store.get(&path).await?.bytes().await?);
    Ok(())
}
