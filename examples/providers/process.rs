//! Credentials that another program prints.
//!
//! `cargo run -p oss-testkit -- cargo run --example process`

mod whoami;

use std::error::Error;

use oss_credentials_process::CredentialsProcess;

/// Represents a login helper or the client of a password store.
const HELPER: &str = r#"printf '{"access_key_id": "%s", "access_key_secret": "%s"}' \
    "$ALIBABA_CLOUD_ACCESS_KEY_ID" "$ALIBABA_CLOUD_ACCESS_KEY_SECRET""#;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    // The program is started without a shell; to use one, name it in the command.
    let provider = CredentialsProcess::builder()
        .command(["sh", "-c", HELPER])
        .build()?;
    whoami::show(&provider).await
}
