//! Keys that the program gets elsewhere, such as from its own settings.
//!
//! `cargo run -p oss-testkit -- cargo run --example static_keys`

mod whoami;

use std::error::Error;

use oss_credentials_core::{CredentialsProvider as _, Env as _, ProcessEnv};
use oss_credentials_static::StaticProvider;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    // Represents a settings file or a vault. Keys do not belong in source code.
    let setting = |name: &str| ProcessEnv.non_empty(name).ok_or(format!("{name} is not set"));
    let provider = StaticProvider::access_key(
        setting("ALIBABA_CLOUD_ACCESS_KEY_ID")?,
        setting("ALIBABA_CLOUD_ACCESS_KEY_SECRET")?,
    )?;
    whoami::show(&provider).await?;

    // For public data, use a provider without keys; signers leave such requests unsigned.
    let public = StaticProvider::anonymous().credentials().await?;
    println!("static: {public:?}");
    Ok(())
}
