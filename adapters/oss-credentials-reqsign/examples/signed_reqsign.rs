//! A program that signs with reqsign and sends with reqwest stores an object with the credentials of a RAM role.
//!
//! Run it against a local cloud:
//! `cargo run -p oss-testkit -- cargo run -p oss-credentials-reqsign --example signed_reqsign`
#![allow(
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "a program may print and read its environment"
)]

use std::error::Error;
use std::net::SocketAddr;

use oss_credentials_core::{Credentials, ProcessEnv};
use oss_credentials_reqsign::OssCredentials;
use oss_credentials_sts_assume_role::StsAssumeRole;
use reqsign_aliyun_oss::{RequestSigner, SigningVersion};
use reqsign_core::{Context, Signer};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let var = |name: &str| std::env::var(name).map_err(|_| format!("set {name}"));
    let (endpoint, bucket) = (var("OSS_ENDPOINT")?, var("OSS_BUCKET")?);
    let base = Credentials::builder(var("OSS_ACCESS_KEY_ID")?, var("OSS_ACCESS_KEY_SECRET")?).build()?;
    let provider = StsAssumeRole::from_env(base, &ProcessEnv)?.build()?;

    let request_signer = RequestSigner::new(&bucket)
        .with_region(var("OSS_REGION")?)
        .with_signing_version(SigningVersion::V4);
    let signer = Signer::new(Context::new(), OssCredentials::new(provider), request_signer);

    // reqsign signs `bucket.endpoint/key`. The local cloud's bucket is found at `bucket.localhost`.
    let (scheme, host) = endpoint.split_once("://").ok_or("OSS_ENDPOINT has no scheme")?;
    let host = format!("{bucket}.{}", host.replace("127.0.0.1", "localhost"));
    let name = host.split(':').next().unwrap_or(&host);
    let mut http = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none());
    if name.ends_with(".localhost") {
        http = http.resolve(name, SocketAddr::from(([127, 0, 0, 1], 0)));
    }

    let request = http::Request::put(format!("{scheme}://{host}/hello.txt")).body("hello")?;
    let (mut parts, body) = request.into_parts();
    signer.sign(&mut parts, None).await?;
    let request = http::Request::from_parts(parts, body).try_into()?;
    let response = http.build()?.execute(request).await?;
    println!("stored: {}", response.status());
    Ok(())
}
