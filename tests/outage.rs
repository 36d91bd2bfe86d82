//! What every provider promises when its source is down: whoever has a key that lives goes on with it and never waits;
//! whoever has none is told the last cause; and the first success counts at once.
#![cfg(unix)]
#![allow(missing_docs)]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a broken set-up ends the test")]

mod scripted;

use std::cell::RefCell;
use std::path::Path;
use std::pin::Pin;
use std::sync::mpsc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use oss_credentials::DefaultProvider;
use oss_credentials_core::test_util::{FakeEnv, ManualClock};
use oss_credentials_core::{
    Backoff, Credentials, CredentialsError, CredentialsProvider, CredentialsSource, Invalidation,
    RefreshDriver, RefreshingProvider, blocking,
};
use oss_credentials_ecs_ram_role::EcsRamRole;
use oss_credentials_kms_client_key::KmsClientKey;
use oss_credentials_oidc_rrsa::OidcRrsa;
use oss_credentials_process::CredentialsProcess;
use oss_credentials_profile::{ProfileProvider, ProfileProviderBuilder};
use oss_credentials_reqwest::ReqwestClient;
use oss_credentials_sts_assume_role::StsAssumeRole;
use oss_credentials_uri::CredentialsUri;
use oss_testkit::{Fault, LocalCloud, Service};
use scripted::{METADATA_HOST, OAUTH_HOST, SIGN_IN_HOST, STS_HOST, Services, URI_HOST};
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
            None => assert_eq!(self.provider.invalidate(&last), Invalidation::Dropped),
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

/// The answer, if it is there as soon as it is asked for.
fn at_once(provider: &impl CredentialsProvider) -> Result<Credentials, CredentialsError> {
    match provider.credentials().into_ready() {
        Ok(answer) => answer,
        Err(future) => match Box::pin(future)
            .as_mut()
            .poll(&mut Context::from_waker(Waker::noop()))
        {
            Poll::Ready(answer) => answer,
            Poll::Pending => panic!("a caller has to wait"),
        },
    }
}

/// Ten minutes without the service at `host`, with no driver: callers retry, and get the key at hand. Then its end,
/// which has `cause` in it, and the first success. Keys last an hour; the others in `idle` are never asked.
fn outlives(
    provider: &impl CredentialsProvider,
    clock: &ManualClock,
    services: &Services,
    host: &str,
    cause: &str,
    idle: &[&str],
) {
    let first = at_once(provider).unwrap();
    services.down(host);
    // Due between 48 minutes of the hour and 72 seconds later.
    clock.advance(48 * MINUTE + 72 * SECOND);
    for _ in 0..120 {
        clock.advance(5 * SECOND);
        for _ in 0..10 {
            assert!(at_once(provider).unwrap().same_key_as(&first));
        }
        assert!(provider.cached().unwrap().same_key_as(&first));
    }
    let status = provider.refresh_status().unwrap();
    assert!(status.failures() > 5, "{status:?}");
    // With pauses between attempts, not one for each call.
    assert!(
        (6..60).contains(&services.missed()),
        "{} requests",
        services.missed()
    );

    clock.advance(3 * MINUTE);
    let error = at_once(provider).unwrap_err().to_string();
    assert!(error.contains(cause), "{error}");
    services.up();
    clock.advance(61 * SECOND);
    let next = at_once(provider).unwrap();
    assert!(!next.same_key_as(&first), "an hour has passed");
    assert_eq!(next.source(), first.source());
    assert!(provider.cached().unwrap().same_key_as(&next));
    assert_eq!(provider.refresh_status().unwrap().failures(), 0);
    for host in idle {
        assert!(!services.was_asked(host), "{host} was asked: another identity");
    }
}

/// A profile in `config.json` with these fields.
fn profile(
    fields: &str,
    host: &str,
    cause: &str,
    settings: impl FnOnce(ProfileProviderBuilder, &Path) -> ProfileProviderBuilder,
) {
    let clock = ManualClock::at_unix(NOW);
    let services = Services::new(&clock);
    let folder = tempfile::tempdir().unwrap();
    let token = folder.path().join("token");
    std::fs::write(&token, "head.body.mark").unwrap();
    let fields = fields.replace("TOKEN_FILE", token.to_str().unwrap());
    let file = folder.path().join("config.json");
    std::fs::write(
        &file,
        format!(r#"{{"current": "a", "profiles": [{{"name": "a", {fields}}}]}}"#),
    )
    .unwrap();
    let builder = ProfileProvider::builder()
        .cli_file(&file)
        .clock(clock.clone())
        .http_client(services.http());
    let provider = settings(builder, folder.path()).build().unwrap();
    outlives(&provider, &clock, &services, host, cause, &[]);
    let found = provider.in_use().unwrap();
    assert_eq!((found.profile(), found.file()), ("a", file.as_path()));
}

fn as_it_is(builder: ProfileProviderBuilder, _: &Path) -> ProfileProviderBuilder {
    builder
}

const PAIR: &str = r#""access_key_id": "LTAI5tExampleKeyId01", "access_key_secret": "example-secret""#;
const ROLE: &str = r#""ram_role_arn": "acs:ram::123456789012:role/example", "sts_region": "cn-hangzhou""#;

#[test]
fn profile_with_a_role() {
    let fields = format!(r#""mode": "RamRoleArn", {PAIR}, {ROLE}"#);
    profile(&fields, STS_HOST, STS_HOST, as_it_is);
}

#[test]
fn profile_with_a_role_on_top_of_an_instances() {
    let fields = format!(r#""mode": "RamRoleArnWithRoleName", "ram_role_name": "example-role", {ROLE}"#);
    profile(&fields, STS_HOST, STS_HOST, as_it_is);
}

#[test]
fn profile_with_an_oidc_token() {
    let fields = format!(
        r#""mode": "OIDC", "oidc_provider_arn": "acs:ram::123456789012:oidc-provider/example",
        "oidc_token_file": "TOKEN_FILE", {ROLE}"#
    );
    profile(&fields, STS_HOST, STS_HOST, as_it_is);
}

#[test]
fn profile_of_an_instances_role() {
    let fields = r#""mode": "EcsRamRole", "ram_role_name": "example-role""#;
    profile(fields, METADATA_HOST, "metadata service", as_it_is);
}

#[test]
fn profile_with_a_credentials_uri() {
    let fields = format!(r#""mode": "CredentialsURI", "credentials_uri": "http://{URI_HOST}/keys""#);
    profile(&fields, URI_HOST, "the credentials URI", as_it_is);
}

#[test]
fn profile_with_a_login_of_cloud_sso() {
    let fields = format!(
        r#""mode": "CloudSSO", "cloud_sso_sign_in_url": "https://{SIGN_IN_HOST}/start", "cloud_sso_account_id": "1",
        "cloud_sso_access_config": "ac", "access_token": "example-login-token",
        "cloud_sso_access_token_expire": {}"#,
        NOW + 90_000
    );
    profile(&fields, SIGN_IN_HOST, "CloudSSO", as_it_is);
}

#[test]
fn profile_with_an_oauth_login() {
    let fields = format!(
        r#""mode": "OAuth", "oauth_site_type": "CN", "oauth_access_token": "example-access-token",
        "oauth_refresh_token": "example-refresh-token", "oauth_access_token_expire": {}"#,
        NOW + 90_000
    );
    profile(&fields, OAUTH_HOST, "the OAuth service", as_it_is);
    profile(&fields, OAUTH_HOST, "the OAuth service", |builder, _| {
        builder.write_back(true)
    });
}

/// It has no end, and runs a program, which takes the time it takes: callers may wait for that, and get the key.
#[test]
fn profile_with_a_program() {
    let clock = ManualClock::at_unix(NOW);
    let folder = tempfile::tempdir().unwrap();
    let (down, program) = (folder.path().join("down"), folder.path().join("helper"));
    let script = format!(
        "test -e {} && exit 3; echo '{{\"access_key_id\": \"id\", \"access_key_secret\": \"secret\"}}'",
        down.display()
    );
    std::fs::write(&program, script).unwrap();
    let file = folder.path().join("config.json");
    let text = format!(
        r#"{{"profiles": [{{"name": "default", "mode": "External", "process_command": "/bin/sh {}"}}]}}"#,
        program.display()
    );
    std::fs::write(&file, text).unwrap();
    let builder = ProfileProvider::builder().cli_file(&file);
    let provider = builder.clock(clock.clone()).build().unwrap();
    let ask = || blocking::wait(provider.credentials());
    let first = ask().unwrap();
    std::fs::write(&down, "").unwrap();
    clock.advance(60 * MINUTE);
    for _ in 0..60 {
        clock.advance(10 * SECOND);
        for _ in 0..10 {
            assert!(ask().unwrap().same_key_as(&first));
        }
    }
    let status = provider.refresh_status().unwrap();
    assert!(status.failures() > 5, "{status:?}");
    provider.invalidate(&first);
    let error = ask().unwrap_err().to_string();
    assert!(error.contains("exit status: 3"), "{error}");
    std::fs::remove_file(&down).unwrap();
    clock.advance(61 * SECOND);
    assert_eq!(ask().unwrap().access_key_id(), "id");
    assert_eq!(provider.refresh_status().unwrap().failures(), 0);
}

/// The default chain, with members set up from this one on.
fn default_chain(member: &'static str, host: &str, cause: &str, idle: &[&str]) {
    let clock = ManualClock::at_unix(NOW);
    let services = Services::new(&clock);
    let home = tempfile::tempdir().unwrap();
    let token = home.path().join("token");
    std::fs::write(&token, "head.body.mark").unwrap();
    let env = FakeEnv::new().with("HOME", home.path().to_str().unwrap());
    if member == "oidc-rrsa" {
        env.set("ALIBABA_CLOUD_ROLE_ARN", "acs:ram::123456789012:role/example");
        env.set(
            "ALIBABA_CLOUD_OIDC_PROVIDER_ARN",
            "acs:ram::123456789012:oidc-provider/example",
        );
        env.set("ALIBABA_CLOUD_OIDC_TOKEN_FILE", token.to_str().unwrap());
        env.set("ALIBABA_CLOUD_STS_REGION", "cn-hangzhou");
    }
    if ["oidc-rrsa", "profile"].contains(&member) {
        let fields = format!(
            r#""mode": "CloudSSO", "cloud_sso_sign_in_url": "https://{SIGN_IN_HOST}/start", "access_token": "example",
            "cloud_sso_account_id": "1", "cloud_sso_access_config": "ac", "cloud_sso_access_token_expire": {}"#,
            NOW + 90_000
        );
        std::fs::create_dir(home.path().join(".aliyun")).unwrap();
        let text = format!(r#"{{"profiles": [{{"name": "default", {fields}}}]}}"#);
        std::fs::write(home.path().join(".aliyun/config.json"), text).unwrap();
    }
    if member != "ecs-ram-role" {
        env.set("ALIBABA_CLOUD_CREDENTIALS_URI", format!("http://{URI_HOST}/keys"));
    }
    let provider = DefaultProvider::builder()
        .env(env)
        .clock(clock.clone())
        .http_client(services.http())
        .build()
        .unwrap();
    outlives(&provider, &clock, &services, host, cause, idle);
    assert_eq!(provider.answered(), Some(member));
}

#[test]
fn default_chain_at_an_oidc_token() {
    let idle = [SIGN_IN_HOST, URI_HOST, METADATA_HOST];
    default_chain("oidc-rrsa", STS_HOST, "the chain stops at oidc-rrsa", &idle);
}

#[test]
fn default_chain_at_a_profile() {
    let idle = [STS_HOST, URI_HOST, METADATA_HOST];
    default_chain("profile", SIGN_IN_HOST, "the chain stops at profile", &idle);
}

#[test]
fn default_chain_at_a_credentials_uri() {
    let idle = [STS_HOST, SIGN_IN_HOST, METADATA_HOST];
    default_chain("uri", URI_HOST, "the chain stops at uri", &idle);
}

#[test]
fn default_chain_at_an_instances_role() {
    let idle = [STS_HOST, SIGN_IN_HOST, URI_HOST];
    default_chain("ecs-ram-role", METADATA_HOST, "the metadata service", &idle);
}
