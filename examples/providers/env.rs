//! Keys from environment variables.
//!
//! `cargo run -p oss-testkit -- cargo run --example env`

mod whoami;

use std::error::Error;

use oss_credentials_env::EnvProvider;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    // Reads OSS_ACCESS_KEY_ID and OSS_ACCESS_KEY_SECRET, otherwise the ALIBABA_CLOUD_ pair.
    whoami::show(&EnvProvider::new()).await
}
