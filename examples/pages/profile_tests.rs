//! The test that `docs/profile.md` shows, as one of this package: it runs with the others.

use std::time::Duration;

use oss_credentials_core::CredentialsProvider;
use oss_credentials_profile::ProfileProvider;
use oss_credentials_reqwest::ReqwestClient;
use oss_testkit::{Fault, LocalCloud, Service};

#[tokio::test]
async fn a_login_near_its_end_is_renewed() -> Result<(), Box<dyn std::error::Error>> {
    let cloud = LocalCloud::builder()
        .oauth_access_token_lifetime(Duration::from_secs(60))
        .start()
        .await?;
    let folder = tempfile::tempdir()?;
    let files = cloud.write_profiles(folder.path())?;
    let provider = ProfileProvider::builder()
        .cli_file(files.config_json())
        .profile("OAuth")
        .write_back(true)
        .http_client(cloud.routed(ReqwestClient::new()))
        .build()?;

    cloud.fault(Service::OAuth, Fault::throttling().action("RefreshToken"));
    // The login is still valid, so the failed renewal has no effect.
    let first = provider.credentials().await?;
    provider.invalidate(&first);
    provider.credentials().await?;
    assert_eq!(cloud.count(Service::OAuth, "RefreshToken"), 2);
    let stored = std::fs::read_to_string(files.config_json())?;
    assert!(stored.contains(cloud.oauth_logins()[0].refresh_token()));
    Ok(())
}
