//! Settings of a local cloud, and its start.

use std::collections::HashMap;
use std::fmt;
use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use oss_credentials_core::{Clock, Credentials, Sleep, SystemClock, TokioSleep};
use tokio::runtime::Runtime;

use crate::account::{Key, Principal, Role, new_key_pair};
use crate::cloud::{LocalCloud, Services};
use crate::control;
use crate::credentials_uri::{self, CredentialsUri};
use crate::kms;
use crate::kms::instance::InstanceGateway;
use crate::kms::shared::SharedGateway;
use crate::login::cloud_sso::{self, CloudSso};
use crate::login::oauth::{self, OAuth};
use crate::metadata::{self, Metadata};
use crate::openapi::cs::Cs;
use crate::openapi::ecs::Ecs;
use crate::openapi::ram::Ram;
use crate::oss::{Bucket, BucketAcl, Buckets, Oss};
use crate::server;
use crate::service::CloudService;
use crate::state::{Inner, State};
use crate::sts::{self, Sts};

const DEFAULT_ACCOUNT: &str = "123456789012";
const DEFAULT_REGION: &str = "cn-hangzhou";
const DEFAULT_BUCKET: &str = "example-bucket";
const DEFAULT_ROLE: &str = "example-role";
const DEFAULT_USER: &str = "example-user";
/// 1 GiB.
const DEFAULT_BODY_LIMIT: usize = 1 << 30;

/// Settings of a [`LocalCloud`]; see [`LocalCloud::builder`].
pub struct LocalCloudBuilder {
    clock: Arc<dyn Clock>,
    sleep: Arc<dyn Sleep>,
    account: String,
    region: String,
    bucket: String,
    access_key: Option<(String, String)>,
    other_keys: Vec<(Principal, String, String)>,
    temporary_keys: Vec<Credentials>,
    roles: Vec<Role>,
    buckets: Vec<(String, BucketAcl)>,
    sinks: Vec<String>,
    foreign_buckets: Vec<String>,
    buckets_elsewhere: Vec<(String, String)>,
    cnames: HashMap<String, String>,
    session_length: Option<Duration>,
    body_limit: usize,
    sts_port: u16,
    oss_port: u16,
    pub(crate) ecs_port: u16,
    pub(crate) ram_port: u16,
    pub(crate) cs_port: u16,
    pub(crate) metadata: metadata::Settings,
    pub(crate) uri: credentials_uri::Settings,
    pub(crate) oidc: sts::oidc::Settings,
    pub(crate) kms: kms::settings::Settings,
    pub(crate) cloud_sso: cloud_sso::Settings,
    pub(crate) oauth: oauth::Settings,
    control_port: Option<u16>,
}

impl Default for LocalCloudBuilder {
    fn default() -> Self {
        Self {
            clock: Arc::new(SystemClock),
            sleep: Arc::new(TokioSleep),
            account: DEFAULT_ACCOUNT.to_owned(),
            region: DEFAULT_REGION.to_owned(),
            bucket: DEFAULT_BUCKET.to_owned(),
            access_key: None,
            other_keys: Vec::new(),
            temporary_keys: Vec::new(),
            roles: Vec::new(),
            buckets: Vec::new(),
            sinks: Vec::new(),
            foreign_buckets: Vec::new(),
            buckets_elsewhere: Vec::new(),
            cnames: HashMap::new(),
            session_length: None,
            body_limit: DEFAULT_BODY_LIMIT,
            sts_port: 0,
            oss_port: 0,
            ecs_port: 0,
            ram_port: 0,
            cs_port: 0,
            metadata: metadata::Settings::default(),
            uri: credentials_uri::Settings::default(),
            oidc: sts::oidc::Settings::default(),
            kms: kms::settings::Settings::default(),
            cloud_sso: cloud_sso::Settings::default(),
            oauth: oauth::Settings::default(),
            control_port: None,
        }
    }
}

impl LocalCloudBuilder {
    /// Sets the clock that the services' clock is based on. Default: the system's.
    #[must_use]
    pub fn clock(mut self, clock: impl Clock) -> Self {
        self.clock = Arc::new(clock);
        self
    }

    /// Sets the timer for [`Fault::latency`](crate::Fault::latency) and [`Fault::after`](crate::Fault::after).
    /// Default: tokio's timer on the cloud's own threads.
    #[must_use]
    pub fn sleep(mut self, sleep: impl Sleep) -> Self {
        self.sleep = Arc::new(sleep);
        self
    }

    /// Sets the ID of the account, digits only. Default: `123456789012`.
    #[must_use]
    pub fn account_id(mut self, id: impl Into<String>) -> Self {
        self.account = id.into();
        self
    }

    /// Sets the region that V4 signatures must contain. Default: `cn-hangzhou`.
    #[must_use]
    pub fn region(mut self, region: impl Into<String>) -> Self {
        self.region = region.into();
        self
    }

    /// Sets the key of the first user. Default: one generated for this cloud.
    #[must_use]
    pub fn access_key(mut self, id: impl Into<String>, secret: impl Into<String>) -> Self {
        self.access_key = Some((id.into(), secret.into()));
        self
    }

    /// Adds a RAM user with a key. Default: none.
    #[must_use]
    pub fn user(mut self, name: impl Into<String>, id: impl Into<String>, secret: impl Into<String>) -> Self {
        self.other_keys
            .push((Principal::User(name.into()), id.into(), secret.into()));
        self
    }

    /// Adds a key of the account itself, which may not assume roles. Default: none.
    #[must_use]
    pub fn root_key(mut self, id: impl Into<String>, secret: impl Into<String>) -> Self {
        self.other_keys.push((Principal::Root, id.into(), secret.into()));
        self
    }

    /// Adds a temporary key of the first role, with its token and expiry, for requests that were signed elsewhere.
    /// Default: none.
    #[must_use]
    pub fn temporary_key(mut self, credentials: Credentials) -> Self {
        self.temporary_keys.push(credentials);
        self
    }

    /// Adds a role. Default: only `example-role`.
    #[must_use]
    pub fn role(mut self, role: Role) -> Self {
        self.roles.push(role);
        self
    }

    /// Sets the name of the bucket that exists from the start. Default: `example-bucket`.
    #[must_use]
    pub fn bucket(mut self, name: impl Into<String>) -> Self {
        self.bucket = name.into();
        self
    }

    /// Adds a bucket. Default: none.
    #[must_use]
    pub fn another_bucket(mut self, name: impl Into<String>, acl: BucketAcl) -> Self {
        self.buckets.push((name.into(), acl));
        self
    }

    /// Adds a private bucket that keeps only lengths and checksums of uploads, and
    /// returns zero bytes: for objects larger than memory. Upload zeros if the checksum of a download
    /// matters; an object assembled from parts has none. Default: none.
    #[must_use]
    pub fn sink_bucket(mut self, name: impl Into<String>) -> Self {
        self.sinks.push(name.into());
        self
    }

    /// Adds a bucket of another account, whose name is taken and whose content is out of reach. Default: none.
    #[must_use]
    pub fn foreign_bucket(mut self, name: impl Into<String>) -> Self {
        self.foreign_buckets.push(name.into());
        self
    }

    /// Adds a bucket of the account in another region: every request for it is refused with 403 `AccessDenied` and an
    /// `Endpoint` that names the region's public host. Default: none.
    #[must_use]
    pub fn bucket_elsewhere(mut self, name: impl Into<String>, region: impl Into<String>) -> Self {
        self.buckets_elsewhere.push((name.into(), region.into()));
        self
    }

    /// Adds a custom domain: requests to this host, without port, are for the bucket. Default: none.
    #[must_use]
    pub fn cname(mut self, host: impl Into<String>, bucket: impl Into<String>) -> Self {
        self.cnames.insert(host.into(), bucket.into());
        self
    }

    /// Sets how long all sessions are valid, regardless of the request: to see credentials being refreshed without
    /// waiting for 15 minutes. Whole seconds; 0 issues expired keys. Default: what AssumeRole requests.
    #[must_use]
    pub fn session_length(mut self, length: Duration) -> Self {
        self.session_length = Some(length);
        self
    }

    /// Sets the maximum size of a request body. Longer ones are refused: by OSS with 400 `EntityTooLarge`, by the other
    /// services with 413. Uploads to a [sink](LocalCloudBuilder::sink_bucket) are not kept, and not limited. Default:
    /// 1 GiB.
    #[must_use]
    pub fn body_limit(mut self, bytes: usize) -> Self {
        self.body_limit = bytes;
        self
    }

    /// Sets the port of STS on 127.0.0.1. Default: 0, a free one.
    #[must_use]
    pub fn sts_port(mut self, port: u16) -> Self {
        self.sts_port = port;
        self
    }

    /// Sets the port of OSS on 127.0.0.1. Default: 0, a free one.
    #[must_use]
    pub fn oss_port(mut self, port: u16) -> Self {
        self.oss_port = port;
        self
    }

    /// Opens a port on 127.0.0.1, 0 for a free one, through which tests in other languages change the state of the
    /// cloud. Anyone who can reach it may do so; a request needs a header `oss-testkit-control`, with any
    /// value. Default: no such port.
    ///
    /// `POST /kms/rotate?secret=<name>` is [`LocalCloud::rotate_secret`]; with `&immediately` added it is
    /// [`LocalCloud::rotate_secret_immediately`]. It returns the new key as JSON. `POST
    /// /kms/put?secret=<name>` is [`LocalCloud::put_secret`] with the body. 404 represents their `None` and `false`.
    #[must_use]
    pub fn control_port(mut self, port: u16) -> Self {
        self.control_port = Some(port);
        self
    }

    /// Starts the services, which respond as soon as this returns.
    ///
    /// # Errors
    ///
    /// As [`LocalCloudBuilder::start_blocking`].
    #[expect(
        clippy::unused_async,
        reason = "async, so that a start that has to wait is no breaking change"
    )]
    pub async fn start(self) -> io::Result<LocalCloud> {
        self.start_blocking()
    }

    /// Starts the cloud like [`LocalCloudBuilder::start`], for code that is not async.
    ///
    /// # Errors
    ///
    /// [`io::ErrorKind::InvalidInput`] for a malformed key; otherwise the error of the operating system
    /// if a port is taken or no thread can be started.
    pub fn start_blocking(mut self) -> io::Result<LocalCloud> {
        let (access_key, role, inner) = self.take_account()?;
        let buckets = self.take_buckets();
        let control = self.control_port.map(bind).transpose()?;
        let state = Arc::new(State {
            account: self.account,
            region: self.region,
            session_length: self.session_length,
            body_limit: self.body_limit,
            clock: self.clock,
            sleep: self.sleep,
            inner: Mutex::new(inner),
        });
        let shared = || Arc::clone(&state);
        let kms_ports = (self.kms.shared_port, self.kms.instance_port);
        let (metadata_port, uri_port) = (self.metadata.port, self.uri.port);
        let services = Services {
            sts: Arc::new(Sts::new(shared(), self.oidc)),
            oss: Arc::new(Oss::new(shared(), self.cnames, buckets)),
            metadata: Arc::new(Metadata::new(shared(), self.metadata, &role)),
            credentials_uri: Arc::new(CredentialsUri::new(shared(), self.uri, &role)),
            kms: Arc::new(self.kms.build(shared())?),
            oauth: Arc::new(OAuth::new(shared(), &self.oauth, &role)),
            cloud_sso: Arc::new(CloudSso::new(shared(), self.cloud_sso.clone(), &role)),
        };
        let all: [(Arc<dyn CloudService>, u16); 11] = [
            (services.sts.clone(), self.sts_port),
            (services.oss.clone(), self.oss_port),
            (Arc::new(Ecs::new(shared())), self.ecs_port),
            (Arc::new(Ram::new(shared())), self.ram_port),
            (Arc::new(Cs::new(shared())), self.cs_port),
            (services.metadata.clone(), metadata_port),
            (services.credentials_uri.clone(), uri_port),
            (Arc::new(SharedGateway(services.kms.clone())), kms_ports.0),
            (Arc::new(InstanceGateway(services.kms.clone())), kms_ports.1),
            (services.cloud_sso.clone(), self.cloud_sso.port),
            (services.oauth.clone(), self.oauth.port),
        ];
        let runtime = runtime()?;
        let in_runtime = runtime.enter();
        let serve = |(service, port)| serve(&runtime, service, port, shared());
        let registered = all.into_iter().map(serve).collect::<io::Result<_>>()?;
        let control_address = control.as_ref().map(|(_, address)| *address);
        if let Some((listener, _)) = control {
            let listener = tokio::net::TcpListener::from_std(listener)?;
            runtime.spawn(control::run(Arc::clone(&services.kms), listener));
        }
        drop(in_runtime);
        Ok(LocalCloud {
            state,
            runtime: Some(runtime),
            services,
            registered,
            control: control_address,
            access_key,
            role,
            bucket: self.bucket,
            profile_files: Mutex::default(),
        })
    }

    /// The key of the first user, the name of the first role, and the account with all its keys and roles.
    fn take_account(&mut self) -> io::Result<(Credentials, String, Inner)> {
        let (id, secret) = self.access_key.take().unwrap_or_else(new_key_pair);
        let access_key = Credentials::builder(id, secret)
            .source("oss-testkit")
            .build()
            .map_err(invalid)?;
        let mut inner = Inner::default();
        inner.add_key(Key::new(
            access_key.clone(),
            Principal::User(DEFAULT_USER.to_owned()),
        ));
        for (principal, id, secret) in self.other_keys.drain(..) {
            let credentials = Credentials::builder(id, secret).source("oss-testkit").build();
            inner.add_key(Key::new(credentials.map_err(invalid)?, principal));
        }
        let role = self.roles.first().map_or(DEFAULT_ROLE, Role::name).to_owned();
        for credentials in self.temporary_keys.drain(..) {
            inner.add_key(Key::new(credentials, Principal::session(&role)));
        }
        let roles = std::iter::once(Role::new(DEFAULT_ROLE)).chain(self.roles.drain(..));
        inner
            .roles
            .extend(roles.map(|role| (role.name().to_owned(), role)));
        Ok((access_key, role, inner))
    }

    fn take_buckets(&mut self) -> Buckets {
        let now = self.clock.now();
        let mut buckets = Buckets::new();
        buckets.insert(self.bucket.clone(), Bucket::new(BucketAcl::Private, now));
        let further = self.buckets.drain(..);
        buckets.extend(further.map(|(name, acl)| (name, Bucket::new(acl, now))));
        buckets.extend(self.sinks.drain(..).map(|name| (name, Bucket::sink(now))));
        let foreign = self.foreign_buckets.drain(..);
        buckets.extend(foreign.map(|name| (name, Bucket::foreign(now))));
        let elsewhere = self.buckets_elsewhere.drain(..);
        buckets.extend(elsewhere.map(|(name, region)| (name, Bucket::elsewhere(region, now))));
        buckets
    }
}

/// How it begins.
impl LocalCloud {
    /// Starts with the default settings.
    ///
    /// # Errors
    ///
    /// As [`LocalCloudBuilder::start_blocking`].
    pub async fn start() -> io::Result<Self> {
        Self::builder().start().await
    }

    /// Starts a cloud like [`LocalCloud::start`], for code that is not async.
    ///
    /// # Errors
    ///
    /// As [`LocalCloudBuilder::start_blocking`].
    pub fn start_blocking() -> io::Result<Self> {
        Self::builder().start_blocking()
    }

    /// Starts a cloud with custom settings.
    pub fn builder() -> LocalCloudBuilder {
        LocalCloudBuilder::default()
    }
}

impl fmt::Debug for LocalCloudBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LocalCloudBuilder")
            .field("account", &self.account)
            .field("region", &self.region)
            .field("bucket", &self.bucket)
            .field("sts_port", &self.sts_port)
            .field("oss_port", &self.oss_port)
            .finish_non_exhaustive()
    }
}

/// A runtime of its own: the cloud outlives no test, and works without one and under paused time.
fn runtime() -> io::Result<Runtime> {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .thread_name("oss-testkit")
        .enable_all()
        .build()
}

/// Serves a service on a port, in a runtime whose context was entered.
fn serve(
    runtime: &Runtime,
    service: Arc<dyn CloudService>,
    port: u16,
    state: Arc<State>,
) -> io::Result<(Arc<dyn CloudService>, SocketAddr)> {
    let (listener, address) = bind(port)?;
    let listener = tokio::net::TcpListener::from_std(listener)?;
    runtime.spawn(server::run(Arc::clone(&service), state, listener));
    Ok((service, address))
}

/// A listener that already accepts, so that the first request cannot come too early.
fn bind(port: u16) -> io::Result<(TcpListener, SocketAddr)> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port))?;
    listener.set_nonblocking(true)?;
    let address = listener.local_addr()?;
    Ok((listener, address))
}

fn invalid(error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, error)
}
