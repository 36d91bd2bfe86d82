//! What every provider promises when its source is down: whoever has a key that lives goes on with it and never waits;
//! whoever has none is told the last cause; and the first success counts at once.
#![cfg(unix)]
#![allow(missing_docs)]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a broken set-up ends the test")]

use std::cell::RefCell;
use std::path::Path;
use std::pin::Pin;
use std::sync::mpsc;
use std::task::{Context, Waker};
use std::time::Duration;

use oss_credentials_core::test_util::{FakeEnv, ManualClock};
use oss_credentials_core::{
    Backoff, Credentials, CredentialsError, CredentialsProvider, CredentialsSource, RefreshDriver,
    RefreshingProvider, blocking,
};
use oss_credentials_ecs_ram_role::EcsRamRole;
use oss_credentials_kms_client_key::KmsClientKey;
use oss_credentials_oidc_rrsa::OidcRrsa;
use oss_credentials_process::CredentialsProcess;
use oss_credentials_reqwest::ReqwestClient;
use oss_credentials_sts_assume_role::StsAssumeRole;
use oss_credentials_uri::CredentialsUri;
use oss_testkit::{Fault, LocalCloud, Service};
use tempfile::TempDir;

const NOW: u64 = 1_800_000_000;
const SECOND: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_secs(60);
type Source = Box<dyn CredentialsSource>;

/// One provider, its service, and how to take that away.
struct Outage {
    cloud: LocalCloud,
    clock: ManualClock,
    folder: TempDir,
    service: Option<Service>,
    provider: RefreshingProvider<Source>,
    driver: RefCell<Pin<Box<RefreshDriver>>>,
}

impl Outage {
    /// `None` for the service is the program that prints credentials.
    fn prepare(
        service: Option<Service>,
        source: impl FnOnce(&LocalCloud, &ManualClock, &Path) -> Result<Source, CredentialsError>,
    ) -> Self {
        let clock = ManualClock::at_unix(NOW);
        let cloud = LocalCloud::builder()
            .clock(clock.clone())
            .session_length(60 * MINUTE)
            .start_blocking()
            .unwrap();
        let folder = tempfile::tempdir().unwrap();
        let source = source(&cloud, &clock, folder.path()).unwrap();
        let provider = RefreshingProvider::builder(source)
            .clock(clock.clone())
            .jitter(0.0)
            .backoff(Backoff::default().jitter(false))
            .build();
        let driver = RefCell::new(Box::pin(provider.driver(clock.clone()).unwrap()));
        Self {
            cloud,
            clock,
            folder,
            service,
            provider,
            driver,
        }
    }

    fn down(&self) {
        match self.service {
            Some(service) => self
                .cloud
                .fault(service, Fault::error(503, "ServiceUnavailable").always()),
            None => std::fs::write(self.folder.path().join("down"), "").unwrap(),
        }
    }

    fn up(&self) {
        self.cloud.clear_faults();
        let _ = std::fs::remove_file(self.folder.path().join("down"));
    }

    fn ask(&self) -> Result<Credentials, CredentialsError> {
        blocking::wait(self.provider.credentials())
    }

    /// Lets time pass, and attempts end that began meanwhile.
    fn pass(&self, by: Duration) {
        self.clock.advance(by);
        self.settle();
    }

    /// Polls the driver until its attempt is over, which real sockets and programs take part in. By hand, so that the
    /// clock stands still while it is read.
    fn settle(&self) {
        let (_sender, never) = mpsc::channel::<()>();
        let mut driver = self.driver.borrow_mut();
        for _ in 0..5000 {
            let poll = driver.as_mut().poll(&mut Context::from_waker(Waker::noop()));
            assert!(poll.is_pending(), "the driver has left");
            if !self.provider.status().is_refreshing() {
                return;
            }
            let _ = never.recv_timeout(Duration::from_millis(1));
        }
        panic!("an attempt does not end");
    }

    /// Ten minutes without the service, in which ten callers ask every five seconds.
    fn nobody_fails_or_waits_for_ten_minutes(&self) {
        let first = self.ask().unwrap();
        self.settle();
        self.down();
        // Due from 48 minutes of the key's hour, or from an hour on.
        let due = match first.expires_at() {
            Some(_) => 48 * MINUTE,
            None => 60 * MINUTE,
        };
        self.pass(due);
        for _ in 0..120 {
            self.pass(5 * SECOND);
            for _ in 0..10 {
                let at_once = self.provider.credentials().into_ready();
                let answer = at_once
                    .unwrap_or_else(|_| panic!("a caller has to wait"))
                    .unwrap();
                assert!(answer.same_key_as(&first));
            }
        }
        let status = self.provider.status();
        assert!(status.failures() > 5, "{status:?}");
        assert!(self.provider.cached().is_some());
    }

    /// The key ends, or is rejected; nobody gets one. Then the service comes back.
    fn an_end_names_the_cause_and_the_first_success_counts(&self, cause: &str) {
        let last = self.provider.cached().unwrap();
        match last.expires_at() {
            Some(_) => self.pass(3 * MINUTE),
            None => self.provider.invalidate(&last),
        }
        self.settle();
        let error = self.ask().unwrap_err().to_string();
        assert!(error.contains(cause), "{error}");

        self.up();
        // No pause is longer while there is nothing to use.
        self.pass(61 * SECOND);
        let next = self.ask().unwrap();
        assert!(self.provider.cached().unwrap().same_key_as(&next));
        assert_eq!(self.provider.status().failures(), 0);
    }

    fn run(&self, cause: &str) {
        self.nobody_fails_or_waits_for_ten_minutes();
        self.an_end_names_the_cause_and_the_first_success_counts(cause);
    }
}

/// With a runtime of its own, so that no timer of a runtime here makes anything wait.
fn http() -> ReqwestClient {
    ReqwestClient::with_own_runtime()
}

#[test]
fn sts_assume_role() {
    Outage::prepare(Some(Service::Sts), |cloud, clock, _| {
        let source = StsAssumeRole::builder(cloud.access_key())
            .role_arn(cloud.role_arn())
            .endpoint(cloud.sts_endpoint())
            .http_client(http())
            .clock(clock.clone())
            .build_source()?;
        Ok(Box::new(source))
    })
    .run("ServiceUnavailable");
}

#[test]
fn oidc_rrsa() {
    Outage::prepare(Some(Service::Sts), |cloud, clock, folder| {
        let token = folder.join("token");
        cloud.write_oidc_token_lasting(&token, 600 * MINUTE).unwrap();
        let source = OidcRrsa::builder()
            .role_arn(cloud.role_arn())
            .oidc_provider_arn(cloud.oidc_provider_arn())
            .oidc_token_file(token)
            .endpoint(cloud.sts_endpoint())
            .http_client(http())
            .clock(clock.clone())
            .build_source()?;
        Ok(Box::new(source))
    })
    .run("ServiceUnavailable");
}

#[test]
fn ecs_ram_role() {
    Outage::prepare(Some(Service::Metadata), |cloud, clock, _| {
        let source = EcsRamRole::builder()
            .endpoint(cloud.metadata_endpoint())
            .http_client(http())
            .clock(clock.clone())
            .build_source()?;
        Ok(Box::new(source))
    })
    .run("HTTP 503");
}

#[test]
fn credentials_uri() {
    Outage::prepare(Some(Service::CredentialsUri), |cloud, clock, _| {
        let source = CredentialsUri::builder()
            .uri(cloud.credentials_uri())
            .http_client(http())
            .clock(clock.clone())
            .build_source()?;
        Ok(Box::new(source))
    })
    .run("ServiceUnavailable");
}

#[test]
fn kms_client_key() {
    Outage::prepare(Some(Service::Kms), |cloud, clock, folder| {
        cloud.write_client_key(folder).unwrap();
        let env: FakeEnv = cloud.env().into_iter().collect();
        let source = KmsClientKey::from_env(&env)?
            .http_client(http())
            .clock(clock.clone())
            .random(|| 0.0)
            .build_source()?;
        Ok(Box::new(source))
    })
    .run("ServiceUnavailable");
}

#[test]
fn process() {
    Outage::prepare(None, |_, clock, folder| {
        let script =
            r#"test -e "$1/down" && exit 3; echo '{"access_key_id": "id", "access_key_secret": "secret"}'"#;
        let folder = folder.to_string_lossy();
        let source = CredentialsProcess::builder()
            .command(["/bin/sh", "-c", script, "helper", &folder])
            .clock(clock.clone())
            .build_source()?;
        Ok(Box::new(source))
    })
    .run("exit status: 3");
}
