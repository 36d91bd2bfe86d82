//! Methods for tests: the local cloud as a whole.

mod credentials_uri;
mod kms;
mod logins;
mod metadata;
mod oidc;
mod openapi;
pub(crate) mod profiles;

use std::fmt;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use oss_credentials_core::Credentials;
use tokio::runtime::Runtime;

use crate::account::Principal;
use crate::credentials_uri::CredentialsUri;
use crate::fault::Fault;
use crate::kms::secrets::Kms;
use crate::login::cloud_sso::CloudSso;
use crate::login::oauth::OAuth;
use crate::metadata::Metadata;
use crate::oss::{Object, Oss};
use crate::record::{RecordedRequest, Service};
use crate::service::CloudService;
use crate::state::State;
use crate::sts::Sts;

/// The services that a test does more with than ask them.
pub(crate) struct Services {
    pub(crate) sts: Arc<Sts>,
    pub(crate) oss: Arc<Oss>,
    pub(crate) metadata: Arc<Metadata>,
    pub(crate) credentials_uri: Arc<CredentialsUri>,
    pub(crate) kms: Arc<Kms>,
    pub(crate) cloud_sso: Arc<CloudSso>,
    pub(crate) oauth: Arc<OAuth>,
}

/// STS, OSS, KMS, instance metadata, a credentials URI, CloudSSO and OAuth on loopback ports, with one account, one
/// user, one role, one OIDC provider, one bucket and one RAM secret to begin with.
///
/// The services run on threads of their own until the value is dropped; connections are then closed. Nothing
/// but the loopback interface is used, and no environment variable is read or set.
///
/// # Examples
///
/// ```
/// use oss_testkit::{LocalCloud, Service};
///
/// let cloud = LocalCloud::start_blocking()?;
/// assert!(cloud.sts_endpoint().starts_with("http://127.0.0.1:"));
/// // Point the code under test at `cloud.sts_endpoint()` with `cloud.access_key()`, and then:
/// assert_eq!(cloud.count(Service::Sts, "AssumeRole"), 0);
/// # Ok::<(), std::io::Error>(())
/// ```
pub struct LocalCloud {
    pub(crate) state: Arc<State>,
    /// Taken when dropped.
    pub(crate) runtime: Option<Runtime>,
    pub(crate) services: Services,
    /// Every service, and where it listens.
    pub(crate) registered: Vec<(Arc<dyn CloudService>, SocketAddr)>,
    pub(crate) control: Option<SocketAddr>,
    pub(crate) access_key: Credentials,
    pub(crate) role: String,
    pub(crate) bucket: String,
    /// Where files with profiles were written.
    pub(crate) profile_files: Mutex<Option<PathBuf>>,
}

impl LocalCloud {
    /// Returns the endpoint of STS, `http://127.0.0.1:<port>`.
    pub fn sts_endpoint(&self) -> String {
        self.url(Service::Sts)
    }

    /// Returns the endpoint of OSS, `http://127.0.0.1:<port>`, an address that clients use path-style.
    ///
    /// `http://localhost:<port>` works too, with the bucket in the path or as `<bucket>.localhost`.
    pub fn oss_endpoint(&self) -> String {
        self.url(Service::Oss)
    }

    /// Returns the endpoint of OSS for clients of Amazon S3: `http://s3.oss-<region>.localhost:<port>`, with the name
    /// of the bucket and a dot in front of the host. They sign with V4 of AWS, for any region.
    ///
    /// If the system does not resolve `*.localhost` to this machine, use [`LocalCloud::oss_endpoint`] as the client's
    /// HTTP proxy, or a custom resolver: see the README.
    pub fn s3_endpoint(&self) -> String {
        format!("http://s3.oss-{}.localhost:{}", self.region(), self.oss_port())
    }

    /// Returns the port of STS.
    pub fn sts_port(&self) -> u16 {
        self.port(Service::Sts)
    }

    /// Returns the port of OSS.
    pub fn oss_port(&self) -> u16 {
        self.port(Service::Oss)
    }

    /// Returns the control endpoint, `http://127.0.0.1:<port>`; `None` unless the builder has a control port.
    pub fn control_endpoint(&self) -> Option<String> {
        Some(format!("http://{}", self.control?))
    }

    /// Returns the key of the first RAM user, `example-user`, who may assume every role that does not restrict it.
    pub fn access_key(&self) -> Credentials {
        self.access_key.clone()
    }

    /// Returns the ARN of the first role given to the builder, otherwise of `example-role`, which always exists.
    pub fn role_arn(&self) -> String {
        self.state.role_arn(&self.role)
    }

    /// Returns the name of the bucket that exists from the start.
    pub fn bucket(&self) -> &str {
        &self.bucket
    }

    /// Returns the region that V4 signatures must contain.
    pub fn region(&self) -> &str {
        &self.state.region
    }

    /// Returns the ID of the account.
    pub fn account_id(&self) -> &str {
        &self.state.account
    }

    /// Returns the variables that point a program at this cloud: name and value.
    ///
    /// Providers read the keys, the role and the credentials URI; `from_env` constructors and the default chain also
    /// read `ALIBABA_CLOUD_STS_ENDPOINT` and `ALIBABA_CLOUD_ECS_METADATA_SERVICE_ENDPOINT`. Your program reads
    /// `OSS_ENDPOINT`, `OSS_REGION`, `OSS_BUCKET` and the endpoints of ECS, RAM, CS and KMS, and passes them to
    /// `endpoint(..)` and similar methods. The vendor's KMS clients and `KmsClientKey::from_env` read
    /// `cache_client_region_id` and the other names in lower case; all except `secret_names` are included once
    /// [`LocalCloud::write_client_key`] has been called. The files with profiles are named once
    /// [`LocalCloud::write_profiles`] has been called. For OIDC, add `ALIBABA_CLOUD_OIDC_PROVIDER_ARN` ([`LocalCloud::oidc_provider_arn`]) and `ALIBABA_CLOUD_OIDC_TOKEN_FILE`
    /// ([`LocalCloud::write_oidc_token`]).
    ///
    /// They contain the secret of [`LocalCloud::access_key`], which works only with this cloud.
    pub fn env(&self) -> Vec<(&'static str, String)> {
        let id = self.access_key.access_key_id();
        let secret = self.access_key.access_key_secret();
        let mut env = vec![
            ("OSS_ACCESS_KEY_ID", id.to_owned()),
            ("OSS_ACCESS_KEY_SECRET", secret.to_owned()),
            ("OSS_ENDPOINT", self.oss_endpoint()),
            ("OSS_REGION", self.region().to_owned()),
            ("OSS_BUCKET", self.bucket.clone()),
            ("ALIBABA_CLOUD_ACCESS_KEY_ID", id.to_owned()),
            ("ALIBABA_CLOUD_ACCESS_KEY_SECRET", secret.to_owned()),
            ("ALIBABA_CLOUD_REGION_ID", self.region().to_owned()),
            ("ALIBABA_CLOUD_STS_ENDPOINT", self.sts_endpoint()),
            ("ALIBABA_CLOUD_ECS_ENDPOINT", self.ecs_endpoint()),
            ("ALIBABA_CLOUD_RAM_ENDPOINT", self.ram_endpoint()),
            ("ALIBABA_CLOUD_CS_ENDPOINT", self.cs_endpoint()),
            ("ALIBABA_CLOUD_ROLE_ARN", self.role_arn()),
            (
                "ALIBABA_CLOUD_ECS_METADATA_SERVICE_ENDPOINT",
                self.metadata_endpoint(),
            ),
            ("ALIBABA_CLOUD_CREDENTIALS_URI", self.credentials_uri()),
        ];
        env.extend(self.kms_env());
        env.extend(self.profile_env());
        env.extend(self.control_endpoint().map(|at| ("OSS_TESTKIT_CONTROL", at)));
        env
    }

    /// Issues a temporary key of the first role that expires after `lifetime` by the services' clock, without a call of
    /// AssumeRole. Zero issues an expired key.
    ///
    /// # Errors
    ///
    /// [`io::ErrorKind::InvalidInput`] if the expiry is beyond what the clock can show.
    pub fn issue(&self, lifetime: Duration) -> io::Result<Credentials> {
        let end = self.state.now(0).checked_add(lifetime);
        let end =
            end.ok_or_else(|| io::Error::new(io::ErrorKind::InvalidInput, "the lifetime is too long"))?;
        self.state
            .lock()
            .issue(Principal::session(&self.role), end)
            .map_err(|error| io::Error::new(io::ErrorKind::InvalidInput, error))
    }

    /// Makes the services refuse a key from now on: `InvalidAccessKeyId` for a long-term key; for a temporary
    /// one `InvalidSecurityToken` from OSS and `InvalidAccessKeyId.Inactive` from STS. False if there is no
    /// such key.
    pub fn revoke(&self, access_key_id: &str) -> bool {
        self.state
            .lock()
            .keys
            .get_mut(access_key_id)
            .map(|key| key.revoked = true)
            .is_some()
    }

    /// Sets how many seconds the services' clock is ahead of the builder's clock; negative means behind. Default: 0.
    pub fn set_clock_offset(&self, seconds: i64) {
        self.state.lock().set_clock_offset(seconds);
    }

    /// Sets the VPC that requests come from, as the condition `acs:SourceVpc` of a session policy sees it; `None`
    /// means the internet. Default: `None`.
    pub fn set_source_vpc(&self, id: Option<&str>) {
        self.state.lock().source_vpc = id.map(str::to_owned);
    }

    /// Scripts a fault for the next requests to a service.
    pub fn fault(&self, service: Service, fault: Fault) {
        self.state.lock().script().push(service, fault);
    }

    /// Removes all scripted faults.
    pub fn clear_faults(&self) {
        self.state.lock().script().clear();
    }

    /// Returns the requests so far, oldest first; at most the last 10 000.
    pub fn requests(&self) -> Vec<RecordedRequest> {
        self.state.lock().requests()
    }

    /// Returns how often an operation was requested, regardless of the response.
    pub fn count(&self, service: Service, action: &str) -> u64 {
        self.state.lock().count(service, action)
    }

    /// Discards the requests and sets the counters to zero.
    pub fn forget_requests(&self) {
        self.state.lock().forget_requests();
    }

    /// Stores an object without a request. False if there is no such bucket.
    pub fn put_object(&self, bucket: &str, key: &str, body: impl Into<Bytes>) -> bool {
        let object = Object::from_bytes(body.into(), self.state.now(0));
        let mut buckets = self.services.oss.buckets();
        let bucket = buckets.get_mut(bucket);
        bucket.map(|bucket| bucket.store(key, object)).is_some()
    }

    /// Returns the content of an object; `None` if there is no such object, and for an object in a sink.
    pub fn object(&self, bucket: &str, key: &str) -> Option<Bytes> {
        let buckets = self.services.oss.buckets();
        buckets.get(bucket)?.objects.get(key)?.bytes().cloned()
    }

    /// Returns where a service listens.
    pub(crate) fn address(&self, id: Service) -> SocketAddr {
        let mut all = self.registered.iter();
        let found = all.find(|(service, _)| service.id() == id);
        // All services are registered.
        found.map_or((Ipv4Addr::LOCALHOST, 0).into(), |(_, address)| *address)
    }

    pub(crate) fn url(&self, id: Service) -> String {
        format!("http://{}", self.address(id))
    }

    pub(crate) fn port(&self, id: Service) -> u16 {
        self.address(id).port()
    }
}

/// How long [`LocalCloud`] waits for its runtime to end when it is dropped. The ports are closed long before.
const SHUTDOWN: Duration = Duration::from_secs(5);

impl Drop for LocalCloud {
    /// Closes all ports: a request after this is refused.
    fn drop(&mut self) {
        let Some(runtime) = self.runtime.take() else {
            return;
        };
        // Waiting for a runtime is not allowed inside async code, so another thread does it. Without one, the ports close
        // a moment later.
        let stop = std::thread::Builder::new()
            .name("oss-testkit-stop".to_owned())
            .spawn(move || runtime.shutdown_timeout(SHUTDOWN));
        if let Ok(stop) = stop {
            let _ = stop.join();
        }
    }
}

impl fmt::Debug for LocalCloud {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LocalCloud")
            .field("sts", &self.address(Service::Sts))
            .field("oss", &self.address(Service::Oss))
            .field("metadata", &self.address(Service::Metadata))
            .field("credentials_uri", &self.address(Service::CredentialsUri))
            .field("region", &self.state.region)
            .field("access_key", &self.access_key)
            .finish_non_exhaustive()
    }
}
