//! The examples call STS to find out which identity their credentials belong to.

use std::error::Error;
use std::sync::Arc;

use acs_sts::StsClient;
use oss_credentials_core::{CredentialsProvider, ProcessEnv};
use oss_credentials_reqwest::ReqwestClient;

/// Prints the credentials, without secrets, and their identity.
pub(crate) async fn show(provider: &impl CredentialsProvider) -> Result<(), Box<dyn Error>> {
    let credentials = provider.credentials().await?;
    println!("{}: {credentials:?}", provider.name());

    let sts = StsClient::from_env(Arc::new(ReqwestClient::new()), &ProcessEnv).build()?;
    let identity = sts.get_caller_identity(&credentials).await?;
    println!("{}: acting as {}", provider.name(), identity.arn());
    Ok(())
}
