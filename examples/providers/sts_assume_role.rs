//! A RAM role, assumed with the keys in the environment.
//!
//! `cargo run -p oss-testkit -- cargo run --example sts_assume_role`

mod whoami;

use std::error::Error;
use std::time::Duration;

use oss_credentials_core::ProcessEnv;
use oss_credentials_env::EnvProvider;
use oss_credentials_sts_assume_role::StsAssumeRole;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    // ALIBABA_CLOUD_ROLE_ARN names the role. Any provider can be the base.
    let provider = StsAssumeRole::from_env(EnvProvider::new(), &ProcessEnv)?
        .role_session_name("example-session")
        .duration(Duration::from_secs(900))
        .build()?;
    whoami::show(&provider).await
}
