//! Many callers whose key is rejected at the same time.
#![cfg(any(
    feature = "rustls",
    feature = "native-tls",
    not(feature = "rustls-no-provider")
))]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use oss_client::{Client, NoRetry};
use oss_credentials_core::test_util::ScriptedSource;
use oss_credentials_core::{
    Credentials, CredentialsFuture, CredentialsProvider, Invalidation, RefreshingProvider,
};
use oss_testkit::LocalCloud;

#[tokio::test]
async fn a_thousand_rejections_at_once_cause_one_refresh() {
    const CALLERS: usize = 1_000;
    let cloud = LocalCloud::start().await.unwrap();
    cloud.put_object(cloud.bucket(), "k", "content");
    let hour = Duration::from_secs(3600);
    let (first, second) = (cloud.issue(hour).unwrap(), cloud.issue(hour).unwrap());
    let source = ScriptedSource::new("sts");
    source.push_ok(first.clone());
    source.push_ok(second);
    let provider = RefreshingProvider::new(source.clone());
    // Everybody has the first key before the first request goes out.
    let waiting = Gathered {
        provider: provider.clone(),
        barrier: Arc::new(tokio::sync::Barrier::new(CALLERS)),
        left: Arc::new(AtomicUsize::new(CALLERS)),
        sending: Arc::new(tokio::sync::Semaphore::new(64)),
    };
    let client = Client::builder()
        .region(cloud.region())
        .endpoint(cloud.oss_endpoint())
        .credentials(waiting)
        .retry(NoRetry)
        .build()
        .unwrap();
    assert!(provider.credentials().await.unwrap().same_key_as(&first));
    assert!(cloud.revoke(first.access_key_id()));
    let calls = (0..CALLERS).map(|_| client.head_object(cloud.bucket(), "k").send());
    for outcome in futures_util::future::join_all(calls).await {
        outcome.unwrap();
    }
    assert_eq!(source.calls(), 2, "the first fetch and one refresh");
    let rejected = cloud
        .requests()
        .iter()
        .filter(|request| request.error_code().is_some())
        .count();
    assert_eq!(rejected, CALLERS);
}

/// Holds the first response of each of so many callers back until all have one, and then lets so many of them send at a
/// time as a process may have connections.
#[derive(Clone, Debug)]
struct Gathered {
    provider: RefreshingProvider<ScriptedSource>,
    barrier: Arc<tokio::sync::Barrier>,
    left: Arc<AtomicUsize>,
    sending: Arc<tokio::sync::Semaphore>,
}

impl CredentialsProvider for Gathered {
    fn name(&self) -> &'static str {
        self.provider.name()
    }
    fn credentials(&self) -> CredentialsFuture<'_> {
        CredentialsFuture::new(async {
            let credentials = self.provider.credentials().await?;
            let is_first = self
                .left
                .fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1));
            if is_first.is_ok() {
                self.barrier.wait().await;
                self.sending.acquire().await.unwrap().forget();
            }
            Ok(credentials)
        })
    }
    fn cached(&self) -> Option<Credentials> {
        self.provider.cached()
    }
    fn invalidate(&self, rejected: &Credentials) -> Invalidation {
        let result = self.provider.invalidate(rejected);
        self.sending.add_permits(1);
        result
    }
}
