//! What the examples do with credentials once they have them: ask STS whose they are.

use std::error::Error;
use std::sync::Arc;

use acs_sts::StsClient;
use oss_credentials_core::{CredentialsProvider, Env as _, ProcessEnv};
use oss_credentials_reqwest::ReqwestClient;

/// Prints the credentials, without secrets, and their owner.
pub(crate) async fn show(provider: &impl CredentialsProvider) -> Result<(), Box<dyn Error>> {
    let credentials = provider.credentials().await?;
    println!("{}: {credentials:?}", provider.name());

    let mut sts = StsClient::builder(Arc::new(ReqwestClient::new()));
    if let Some(endpoint) = ProcessEnv.non_empty("ALIBABA_CLOUD_STS_ENDPOINT") {
        sts = sts.endpoint(endpoint);
    }
    let identity = sts.build()?.get_caller_identity(&credentials).await?;
    println!("{}: acting as {}", provider.name(), identity.arn());
    Ok(())
}
