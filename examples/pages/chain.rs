//! The example of docs/chain.md; a test holds the two together.

use std::error::Error;

use oss_credentials_core::{ChainProvider, CredentialsProvider, Env, ProcessEnv};
use oss_credentials_ecs_ram_role::EcsRamRole;
use oss_credentials_env::EnvProvider;
use oss_credentials_oidc_rrsa::OidcRrsa;

/// Uses variables on a developer's machine, the pod's role in a pod, and the instance's role on an instance.
fn chain(env: &dyn Env) -> ChainProvider {
    let rrsa = || OidcRrsa::from_env(env)?.build();
    let ecs = || EcsRamRole::from_env(env)?.build();
    ChainProvider::builder()
        .member("env", Ok(EnvProvider::new()))
        .member("oidc-rrsa", rrsa())
        .member("ecs-ram-role", ecs())
        .build()
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let chain = chain(&ProcessEnv);
    let credentials = chain.credentials().await?;
    println!("{credentials:?}, from {:?}", chain.answered());
    Ok(())
}
