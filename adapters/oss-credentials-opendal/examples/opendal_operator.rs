//! A program on opendal stores, reads and shares an object with the credentials of a RAM role.
//!
//! Run it against a local cloud:
//! `cargo run -p oss-testkit -- cargo run -p oss-credentials-opendal --example opendal_operator`
#![allow(
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "a program may print and read its environment"
)]

use std::error::Error;
use std::time::Duration;

use opendal::services::Oss;
use opendal::{HttpTransporter, OperationContext, Operator};
use opendal_http_transport_reqwest::ReqwestTransport;
use oss_credentials_core::{Credentials, ProcessEnv};
use oss_credentials_middleware::Signing;
use oss_credentials_opendal::OssTransport;
use oss_credentials_sts_assume_role::StsAssumeRole;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let var = |name: &str| std::env::var(name).map_err(|_| format!("set {name}"));
    let endpoint = var("OSS_ENDPOINT")?;
    let base = Credentials::builder(var("OSS_ACCESS_KEY_ID")?, var("OSS_ACCESS_KEY_SECRET")?).build()?;
    // ALIBABA_CLOUD_ROLE_ARN names the role.
    let provider = StsAssumeRole::from_env(base, &ProcessEnv)?.build()?;

    let signing = Signing::oss(provider, &var("OSS_REGION")?, &endpoint)?;
    let http = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none());
    let http = ReqwestTransport::new(http.build()?);
    let transport = OssTransport::new(signing, HttpTransporter::new(http));

    // OSS finds the bucket in the host, and the local cloud, which is an IP address, in the path.
    let is_local = endpoint.contains("//127.0.0.1");
    let oss = Oss::default()
        .bucket(&var("OSS_BUCKET")?)
        .endpoint(&endpoint)
        .addressing_style(if is_local { "path" } else { "virtual" })
        .skip_signature();
    let context = OperationContext::new().with_http_transport(HttpTransporter::new(transport.clone()));
    let operator = Operator::new(oss)?.with_context(context);

    operator.write("hello from opendal.txt", "hello").await?;
    let found = operator.read("hello from opendal.txt").await?;
    println!("read: {} bytes", found.len());

    let expires = Duration::from_mins(10);
    let unsigned = operator.presign_read("hello from opendal.txt", expires).await?;
    let presigned = transport.presign(unsigned, expires).await?;
    println!("to share: {}", presigned.uri());
    Ok(())
}
