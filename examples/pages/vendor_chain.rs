//! The example of docs/default-chain.md; a test holds the two together.

use oss_credentials::env::{EnvProvider, Family};
use oss_credentials::profile::ProfileProvider;
use oss_credentials::{ChainPolicy, CredentialsError, CredentialsProvider, DefaultProvider, ProcessEnv};

/// The members of the vendor's SDKs in their order; a member that fails is skipped.
fn vendor_chain() -> Result<DefaultProvider, CredentialsError> {
    let files = || ProfileProvider::from_env(&ProcessEnv);
    let keys = EnvProvider::new().families([Family::AlibabaCloud]);
    DefaultProvider::builder()
        .policy(ChainPolicy::ContinueOnFailure)
        .member("env", Ok(keys))
        .member("profile", files().and_then(|files| files.use_ini(false).build()))
        .member("ini", files().and_then(|files| files.use_cli(false).build()))
        .order(["env", "oidc-rrsa", "profile", "ini", "ecs-ram-role", "uri"])
        .build()
}

#[tokio::main]
async fn main() -> Result<(), CredentialsError> {
    let provider = vendor_chain()?;
    let credentials = provider.credentials().await?;
    println!("{credentials:?}, from {:?}", provider.answered());
    Ok(())
}
