//! The test that `docs/custom.md` shows, as one of this package: it runs with the others.

use std::error::Error;
use std::time::Duration;

use oss_credentials_core::test_util::{ManualClock, ScriptedSource};
use oss_credentials_core::{Clock, Credentials, CredentialsProvider, RefreshingProvider};

#[tokio::test]
async fn the_driver_replaces_a_key_before_it_expires() -> Result<(), Box<dyn Error>> {
    let clock = ManualClock::at_unix(1_767_256_200);
    let start = clock.now();
    let lease = |id: &str, minutes: u64| {
        Credentials::builder(id, "example-secret")
            .expires_at(start + Duration::from_secs(60 * minutes))
            .build()
    };
    let source = ScriptedSource::new("vault");
    source.push_ok(lease("first-id", 60)?);
    source.push_ok(lease("second-id", 120)?);
    let provider = RefreshingProvider::builder(source.clone())
        .clock(clock.clone())
        .build();
    // The clock is also the timer of the background refresh, so no test waits.
    let driver = provider
        .driver(clock.clone())
        .ok_or("there is a driver already")?;
    let driver = tokio::spawn(driver);

    assert_eq!(provider.credentials().await?.access_key_id(), "first-id");
    tokio::task::yield_now().await;
    clock.advance(Duration::from_secs(50 * 60));
    tokio::task::yield_now().await;
    // The driver has fetched; the caller finds the new key in the cache.
    assert_eq!(source.calls(), 2);
    assert_eq!(provider.credentials().await?.access_key_id(), "second-id");
    driver.abort();
    Ok(())
}
