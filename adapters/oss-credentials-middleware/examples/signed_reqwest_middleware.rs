//! A program on reqwest-middleware stores an object with the credentials of a RAM role.
//!
//! Run it against a local cloud:
//! `cargo run -p oss-testkit -- cargo run -p oss-credentials-middleware --features reqwest-middleware --example signed_reqwest_middleware`
#![allow(
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "a program may print and read its environment"
)]

use std::error::Error;

use oss_credentials_core::{Credentials, ProcessEnv};
use oss_credentials_middleware::{SignMiddleware, Signing};
use oss_credentials_sts_assume_role::StsAssumeRole;
use reqwest_middleware::ClientBuilder;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let var = |name: &str| std::env::var(name).map_err(|_| format!("set {name}"));
    let (endpoint, bucket) = (var("OSS_ENDPOINT")?, var("OSS_BUCKET")?);
    let base = Credentials::builder(var("OSS_ACCESS_KEY_ID")?, var("OSS_ACCESS_KEY_SECRET")?).build()?;
    // ALIBABA_CLOUD_ROLE_ARN names the role.
    let provider = StsAssumeRole::from_env(base, &ProcessEnv)?.build()?;

    let signing = Signing::oss(provider, &var("OSS_REGION")?, &endpoint)?;
    let http = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none());
    let client = ClientBuilder::new(http.build()?)
        .with(SignMiddleware::new(signing))
        .build();

    let url = format!(
        "{endpoint}/{bucket}/{}",
        oss_sign::encode_path("hello from reqwest.txt")
    );
    let response = client.put(&url).body("hello").send().await?;
    println!("stored: {}", response.status());
    println!("read: {}", client.get(&url).send().await?.text().await?);
    Ok(())
}
