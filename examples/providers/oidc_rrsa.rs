//! The RAM role of a pod's service account (RRSA), or of any other OIDC token in a file.
//!
//! `cargo run -p oss-testkit -- cargo run --example oidc_rrsa`

mod whoami;

use std::error::Error;

use oss_credentials_core::ProcessEnv;
use oss_credentials_oidc_rrsa::OidcRrsa;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    // In ACK, the webhook sets the three variables and mounts the token file, which is read again at every refresh.
    let provider = OidcRrsa::from_env(&ProcessEnv)?.build()?;
    whoami::show(&provider).await
}
