//! Credentials from a server that you operate.
//!
//! `cargo run -p oss-testkit -- cargo run --example credentials_uri`

mod whoami;

use std::error::Error;

use oss_credentials_core::ProcessEnv;
use oss_credentials_uri::CredentialsUri;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    // ALIBABA_CLOUD_CREDENTIALS_URI
    whoami::show(&CredentialsUri::from_env(&ProcessEnv)?.build()?).await
}
