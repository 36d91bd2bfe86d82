//! The local cloud and the providers that the adapters are tested with.
//!
//! A provider's cache runs on a clock of its own, which a test moves forward to make it rotate its key. The local cloud and
//! the adapters run on the system's clock, since the foreign libraries read that.
#![allow(
    clippy::unwrap_used,
    clippy::missing_panics_doc,
    reason = "a broken set-up ends the test"
)]

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use oss_credentials_core::test_util::ManualClock;
use oss_credentials_core::{Clock as _, CredentialsProvider, SystemClock};
use oss_credentials_oidc_rrsa::OidcRrsa;
use oss_credentials_sts_assume_role::StsAssumeRole;
use oss_testkit::LocalCloud;
pub use oss_testkit::Service;
use tempfile::TempDir;

/// How long a key lasts: the shortest time that STS allows.
pub const LIFETIME: Duration = Duration::from_secs(15 * 60);

/// Returns a clock that is set to the system's time and does not run.
pub fn clock() -> ManualClock {
    ManualClock::new(SystemClock.now())
}

/// A provider over a cloud of its own.
#[derive(Debug)]
pub struct Case {
    /// The cloud.
    pub cloud: LocalCloud,
    /// The provider.
    pub provider: Arc<dyn CredentialsProvider>,
    action: &'static str,
    clock: ManualClock,
    _folder: TempDir,
}

impl Case {
    /// `AssumeRole` with a long-term key.
    pub fn assume_role() -> Self {
        Self::new("AssumeRole", |cloud, clock, _| {
            let builder = StsAssumeRole::builder(cloud.access_key())
                .role_arn(cloud.role_arn())
                .duration(LIFETIME)
                .endpoint(cloud.sts_endpoint())
                .clock(clock);
            Arc::new(builder.build().unwrap())
        })
    }

    /// `AssumeRoleWithOIDC` with a token in a file, as in a pod.
    pub fn oidc() -> Self {
        Self::new("AssumeRoleWithOIDC", |cloud, clock, folder| {
            let token = folder.path().join("token");
            cloud.write_oidc_token(&token).unwrap();
            let builder = OidcRrsa::builder()
                .role_arn(cloud.role_arn())
                .duration(LIFETIME)
                .oidc_provider_arn(cloud.oidc_provider_arn())
                .oidc_token_file(token)
                .endpoint(cloud.sts_endpoint())
                .clock(clock);
            Arc::new(builder.build().unwrap())
        })
    }

    /// Returns both cases.
    pub fn all() -> [Self; 2] {
        [Self::assume_role(), Self::oidc()]
    }

    fn new(
        action: &'static str,
        provider: impl FnOnce(&LocalCloud, ManualClock, &TempDir) -> Arc<dyn CredentialsProvider>,
    ) -> Self {
        let cloud = LocalCloud::start_blocking().unwrap();
        let folder = tempfile::tempdir().unwrap();
        let clock = clock();
        let provider = provider(&cloud, clock.clone(), &folder);
        Self {
            cloud,
            provider,
            action,
            clock,
            _folder: folder,
        }
    }

    /// The clock of the provider.
    pub fn clock(&self) -> ManualClock {
        self.clock.clone()
    }

    /// The time of the provider.
    pub fn now(&self) -> SystemTime {
        self.clock.now()
    }

    /// Returns how many requests for credentials STS has received.
    pub fn fetches(&self) -> u64 {
        self.cloud.count(Service::Sts, self.action)
    }

    /// Makes the provider rotate its key at the next call, as it does shortly before the key expires. STS accepts the
    /// signing time of a clock that is less than 15 minutes ahead, so a key lasts 15 minutes.
    pub fn rotate(&self) {
        self.clock.advance(Duration::from_secs(13 * 60));
    }

    /// Makes the cloud reject the key that is in use, and returns its ID.
    pub fn revoke(&self) -> String {
        let id = self.provider.cached().unwrap().access_key_id().to_owned();
        assert!(self.cloud.revoke(&id));
        id
    }

    /// The URL of the bucket as a virtual host, `http://bucket.localhost:port`, which [`Case::http_client`] finds.
    pub fn bucket_url(&self) -> String {
        format!("http://{}:{}", self.bucket_host(), self.cloud.oss_port())
    }

    /// A reqwest client that finds the bucket's virtual host on loopback and follows no redirect.
    pub fn http_client(&self) -> reqwest::Client {
        let address = SocketAddr::from(([127, 0, 0, 1], self.cloud.oss_port()));
        reqwest::Client::builder()
            .resolve(&self.bucket_host(), address)
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .unwrap()
    }

    fn bucket_host(&self) -> String {
        format!("{}.localhost", self.cloud.bucket())
    }

    /// The host of the cloud's OSS, with its port.
    pub fn oss_host(&self) -> String {
        let endpoint = self.cloud.oss_endpoint();
        endpoint.trim_start_matches("http://").to_owned()
    }
}
