//! A program on object_store stores an object, if there is none, with the credentials of a RAM role.
//!
//! Run it against a local cloud:
//! `cargo run -p oss-testkit -- cargo run -p oss-credentials-object-store --features native --example object_store_native`
#![allow(
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "a program may print and read its environment"
)]

use std::error::Error;

use object_store::aws::AmazonS3Builder;
use object_store::path::Path;
use object_store::{ObjectStore as _, ObjectStoreExt as _, PutMode};
use oss_credentials_core::{Credentials, ProcessEnv};
use oss_credentials_middleware::Signing;
use oss_credentials_object_store::OssConnector;
use oss_credentials_sts_assume_role::StsAssumeRole;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let var = |name: &str| std::env::var(name).map_err(|_| format!("set {name}"));
    let (region, bucket) = (var("OSS_REGION")?, var("OSS_BUCKET")?);
    let base = Credentials::builder(var("OSS_ACCESS_KEY_ID")?, var("OSS_ACCESS_KEY_SECRET")?).build()?;
    let provider = StsAssumeRole::from_env(base, &ProcessEnv)?.build()?;

    // OSS finds the bucket in the host, and the local cloud, which is an IP address, in the path.
    let endpoint = var("OSS_ENDPOINT")?;
    let (scheme, host) = endpoint.split_once("://").ok_or("OSS_ENDPOINT has no scheme")?;
    let is_local = host.starts_with("127.0.0.1");
    let of_bucket = format!("{scheme}://{bucket}.{host}");
    let store = AmazonS3Builder::new()
        .with_region(&region)
        .with_bucket_name(&bucket)
        .with_endpoint(if is_local { &endpoint } else { &of_bucket })
        .with_virtual_hosted_style_request(!is_local)
        .with_allow_http(scheme == "http")
        .with_skip_signature(true)
        .with_http_connector(OssConnector::new(Signing::oss(provider, &region, host)?))
        .build()?;

    let path = Path::from("hello from object_store.txt");
    store
        .put_opts(&path, "hello".into(), PutMode::Create.into())
        .await?;
    let again = store
        .put_opts(&path, "again".into(), PutMode::Create.into())
        .await;
    println!(
        "the second time: {}",
        again.is_err_and(|error| matches!(error, object_store::Error::AlreadyExists { .. }))
    );
    println!("read: {:?}", store.get(&path).await?.bytes().await?);
    Ok(())
}
