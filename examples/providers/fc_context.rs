//! The credentials that Function Compute passes with each invocation.
//!
//! `cargo run -p oss-testkit -- cargo run --example fc_context`

mod whoami;

use std::error::Error;
use std::sync::Arc;

use acs_sts::{AssumeRole, StsClient};
use oss_credentials_core::{Credentials, CredentialsProvider as _, Env as _, ProcessEnv};
use oss_credentials_env::EnvProvider;
use oss_credentials_fc_context::{FcContext, FcContextProvider};
use oss_credentials_reqwest::ReqwestClient;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    // Once, when the instance starts; create the clients with it here.
    let provider = FcContextProvider::new();

    for invocation in 1..=2 {
        let headers = headers_of_an_invocation().await?;
        // At the beginning of each invocation. From here on, all clones of the provider have the new credentials.
        provider.update(FcContext::from_headers(
            headers.iter().map(|(name, value)| (*name, value.as_str())),
        )?);
        println!("invocation {invocation}");
        whoami::show(&provider).await?;
    }
    Ok(())
}

/// Acts as the platform: a session of the role, in the headers that a custom runtime receives.
async fn headers_of_an_invocation() -> Result<[(&'static str, String); 3], Box<dyn Error>> {
    let sts = StsClient::from_env(Arc::new(ReqwestClient::new()), &ProcessEnv).build()?;
    let caller = EnvProvider::new().credentials().await?;
    let role = ProcessEnv.non_empty("ALIBABA_CLOUD_ROLE_ARN").unwrap_or_default();
    let session = sts
        .assume_role(&caller, &AssumeRole::new(role, "function-compute"))
        .await?;
    let session: Credentials = session.into_credentials();
    Ok([
        ("x-fc-access-key-id", session.access_key_id().to_owned()),
        ("x-fc-access-key-secret", session.access_key_secret().to_owned()),
        (
            "x-fc-security-token",
            session.security_token().unwrap_or_default().to_owned(),
        ),
    ])
}
