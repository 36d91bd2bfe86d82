//! A program on hyper takes the credentials of its instance's RAM role.
//!
//! Run it against a local cloud:
//! `cargo run -p oss-testkit -- --metadata -- cargo run -p existing-http-stack --bin with-hyper`

use std::error::Error;

use existing_http_stack::with_hyper::http_client;
use hyper_util::client::legacy::connect::HttpConnector;
use oss_credentials_core::{CredentialsProvider as _, ProcessEnv};
use oss_credentials_ecs_ram_role::EcsRamRole;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let provider = EcsRamRole::from_env(&ProcessEnv)?
        .http_client(http_client(HttpConnector::new()))
        .build()?;

    let credentials = provider.credentials().await?;
    println!("credentials of the instance's role: {credentials:?}");
    // Without the provider's feature `tokio` it starts nothing by itself; this program may.
    println!("next refresh: {:?}", provider.status().next_attempt());
    Ok(())
}
