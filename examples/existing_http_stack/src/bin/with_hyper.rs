//! A program with hyper that uses the credentials of its instance's RAM role.
//!
//! Run it against a local cloud:
//! `cargo run -p oss-testkit -- --metadata -- cargo run -p existing-http-stack --bin with-hyper`

use std::error::Error;

use http_body_util::Full;
use hyper::body::Bytes;
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use oss_credentials_core::{CredentialsProvider as _, ProcessEnv};
use oss_credentials_ecs_ram_role::EcsRamRole;
use oss_credentials_hyper::HyperClient;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    // The client that the program also uses for everything else.
    let hyper = Client::builder(TokioExecutor::new()).build_http::<Full<Bytes>>();
    let provider = EcsRamRole::from_env(&ProcessEnv)?
        .http_client(HyperClient::new(hyper))
        .build()?;

    let credentials = provider.credentials().await?;
    println!("credentials of the instance's role: {credentials:?}");
    // Without its feature `tokio`, the provider starts no background refresh; the program can.
    println!("next refresh: {:?}", provider.status().next_attempt());
    Ok(())
}
