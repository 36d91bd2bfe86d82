//! A program on tower and hyper stores an object with the credentials of a RAM role.
//!
//! Run it against a local cloud:
//! `cargo run -p oss-testkit -- cargo run -p oss-credentials-middleware --example signed_tower`
#![allow(
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "a program may print and read its environment"
)]

use std::error::Error;

use bytes::Bytes;
use http::Request;
use http_body_util::{BodyExt as _, Full};
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use oss_credentials_core::{Credentials, ProcessEnv};
use oss_credentials_middleware::{SignLayer, Signing};
use oss_credentials_sts_assume_role::StsAssumeRole;
use tower::{Layer as _, ServiceExt as _};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error + Send + Sync>> {
    let var = |name: &str| std::env::var(name).map_err(|_| format!("set {name}"));
    let (endpoint, bucket) = (var("OSS_ENDPOINT")?, var("OSS_BUCKET")?);
    let base = Credentials::builder(var("OSS_ACCESS_KEY_ID")?, var("OSS_ACCESS_KEY_SECRET")?).build()?;
    let provider = StsAssumeRole::from_env(base, &ProcessEnv)?.build()?;

    let signing = Signing::oss(provider, &var("OSS_REGION")?, &endpoint)?;
    let http = Client::builder(TokioExecutor::new()).build_http::<Full<Bytes>>();
    let service = SignLayer::new(signing).layer(http);

    let url = format!(
        "{endpoint}/{bucket}/{}",
        oss_sign::encode_path("hello from tower.txt")
    );
    let put = Request::put(&url).body(Full::new(Bytes::from("hello")))?;
    let response = service.clone().oneshot(put).await?;
    println!("stored: {}", response.status());
    let get = Request::get(&url).body(Full::default())?;
    let body = service.oneshot(get).await?.into_body().collect().await?;
    println!("read: {}", String::from_utf8_lossy(&body.to_bytes()));
    Ok(())
}
