//! What the examples do with credentials once they have them: ask STS whose they are.

use std::error::Error;
use std::sync::Arc;

use acs_sts::StsClient;
use oss_credentials_core::{CredentialsProvider, ProcessEnv};
use oss_credentials_reqwest::ReqwestClient;

/// Prints the credentials, without secrets, and their owner.
pub(crate) async fn show(provider: &impl CredentialsProvider) -> Result<(), Box<dyn Error>> {
    let credentials = provider.credentials().await?;
    println!("{}: {credentials:?}", provider.name());

    let sts = StsClient::from_env(Arc::new(ReqwestClient::new()), &ProcessEnv).build()?;
    let identity = sts.get_caller_identity(&credentials).await?;
    println!("{}: acting as {}", provider.name(), identity.arn());
    Ok(())
}
