//! The test that `docs/default-chain.md` shows, as one of this package: it runs with the others.

use std::error::Error;
use std::time::Duration;

use oss_credentials::reqwest::ReqwestClient;
use oss_credentials::{CredentialsProvider, DefaultProvider};
use oss_credentials_core::test_util::{FakeEnv, ManualClock};
use oss_testkit::LocalCloud;

#[tokio::test]
async fn new_keys_come_before_the_old_ones_end() -> Result<(), Box<dyn Error>> {
    let clock = ManualClock::at_unix(1_767_256_200);
    let cloud = LocalCloud::builder().clock(clock.clone()).start().await?;
    let env = FakeEnv::new().with("ALIBABA_CLOUD_CREDENTIALS_URI", cloud.credentials_uri());
    let provider = DefaultProvider::builder()
        .env(env)
        .clock(clock.clone())
        .http_client(cloud.routed(ReqwestClient::new()))
        .build()?;

    let first = provider.credentials().await?;
    assert_eq!(provider.answered(), Some("uri"));
    // They are valid for an hour, and are not returned in its last seconds.
    clock.advance(Duration::from_secs(3595));
    let second = provider.credentials().await?;
    assert_ne!(first.access_key_id(), second.access_key_id());
    Ok(())
}
