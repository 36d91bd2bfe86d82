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
use crate::cloud::LocalCloud;
use crate::control;
use crate::credentials_uri::CredentialsUri;
use crate::kms;
use crate::login::cloud_sso::{self, CloudSso};
use crate::login::oauth::{self, OAuth};
use crate::metadata::Metadata;
use crate::oss::{Bucket, BucketAcl};
use crate::record::Service;
use crate::server;
use crate::state::{Inner, State};
use crate::sts::oidc::Issuer;
use crate::{credentials_uri, metadata, sts};

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
    cnames: HashMap<String, String>,
    session_length: Option<Duration>,
    body_limit: usize,
    sts_port: u16,
    oss_port: u16,
    pub(crate) ecs_port: u16,
    pub(crate) metadata: metadata::Settings,
    pub(crate) uri: credentials_uri::Settings,
    pub(crate) oidc: sts::oidc::Settings,
    pub(crate) kms: kms::Settings,
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
            cnames: HashMap::new(),
            session_length: None,
            body_limit: DEFAULT_BODY_LIMIT,
            sts_port: 0,
            oss_port: 0,
            ecs_port: 0,
            metadata: metadata::Settings::default(),
            uri: credentials_uri::Settings::default(),
            oidc: sts::oidc::Settings::default(),
            kms: kms::Settings::default(),
            cloud_sso: cloud_sso::Settings::default(),
            oauth: oauth::Settings::default(),
            control_port: None,
        }
    }
}

impl LocalCloudBuilder {
    /// The clock behind the services' own. Default: the system's.
    #[must_use]
    pub fn clock(mut self, clock: impl Clock) -> Self {
        self.clock = Arc::new(clock);
        self
    }

    /// What [`Fault::latency`](crate::Fault::latency) and [`Fault::after`](crate::Fault::after) wait with.
    /// Default: tokio's timer on the cloud's own threads.
    #[must_use]
    pub fn sleep(mut self, sleep: impl Sleep) -> Self {
        self.sleep = Arc::new(sleep);
        self
    }

    /// The id of the account, digits only. Default: `123456789012`.
    #[must_use]
    pub fn account_id(mut self, id: impl Into<String>) -> Self {
        self.account = id.into();
        self
    }

    /// The region that V4 signatures must name. Default: `cn-hangzhou`.
    #[must_use]
    pub fn region(mut self, region: impl Into<String>) -> Self {
        self.region = region.into();
        self
    }

    /// The key of the first user. Default: one made up for this cloud.
    #[must_use]
    pub fn access_key(mut self, id: impl Into<String>, secret: impl Into<String>) -> Self {
        self.access_key = Some((id.into(), secret.into()));
        self
    }

    /// A further RAM user with a key. Default: none.
    #[must_use]
    pub fn user(mut self, name: impl Into<String>, id: impl Into<String>, secret: impl Into<String>) -> Self {
        self.other_keys
            .push((Principal::User(name.into()), id.into(), secret.into()));
        self
    }

    /// A key of the account itself, which may not assume roles. Default: none.
    #[must_use]
    pub fn root_key(mut self, id: impl Into<String>, secret: impl Into<String>) -> Self {
        self.other_keys.push((Principal::Root, id.into(), secret.into()));
        self
    }

    /// A temporary key of the first role, with its token and end, for requests that were signed elsewhere.
    /// Default: none.
    #[must_use]
    pub fn temporary_key(mut self, credentials: Credentials) -> Self {
        self.temporary_keys.push(credentials);
        self
    }

    /// A further role. Default: none but `example-role`.
    #[must_use]
    pub fn role(mut self, role: Role) -> Self {
        self.roles.push(role);
        self
    }

    /// Name of the bucket that exists from the start. Default: `example-bucket`.
    #[must_use]
    pub fn bucket(mut self, name: impl Into<String>) -> Self {
        self.bucket = name.into();
        self
    }

    /// A further bucket. Default: none.
    #[must_use]
    pub fn another_bucket(mut self, name: impl Into<String>, acl: BucketAcl) -> Self {
        self.buckets.push((name.into(), acl));
        self
    }

    /// A further bucket, private, that does not keep what is uploaded but only lengths and checksums, and
    /// gives back zero bytes: for objects larger than memory. Upload zeros where the checksum of a download
    /// matters; an object put together from parts has none. Default: none.
    #[must_use]
    pub fn sink_bucket(mut self, name: impl Into<String>) -> Self {
        self.sinks.push(name.into());
        self
    }

    /// A bucket of another account, whose name is taken and whose content is out of reach. Default: none.
    #[must_use]
    pub fn foreign_bucket(mut self, name: impl Into<String>) -> Self {
        self.foreign_buckets.push(name.into());
        self
    }

    /// A custom domain: requests to this host, without port, are for the bucket. Default: none.
    #[must_use]
    pub fn cname(mut self, host: impl Into<String>, bucket: impl Into<String>) -> Self {
        self.cnames.insert(host.into(), bucket.into());
        self
    }

    /// How long all sessions last, whatever is asked for: to see credentials being refreshed without waiting
    /// for 15 minutes. Whole seconds; 0 issues keys that have expired. Default: what AssumeRole asks for.
    #[must_use]
    pub fn session_length(mut self, length: Duration) -> Self {
        self.session_length = Some(length);
        self
    }

    /// Most bytes of a request body. Longer ones are refused: by OSS with 400 `EntityTooLarge`, by the other services
    /// with 413. Uploads to a [sink](LocalCloudBuilder::sink_bucket) are not kept, and not limited. Default: 1 GiB.
    #[must_use]
    pub fn body_limit(mut self, bytes: usize) -> Self {
        self.body_limit = bytes;
        self
    }

    /// The port of STS on 127.0.0.1. Default: 0, a free one.
    #[must_use]
    pub fn sts_port(mut self, port: u16) -> Self {
        self.sts_port = port;
        self
    }

    /// The port of OSS on 127.0.0.1. Default: 0, a free one.
    #[must_use]
    pub fn oss_port(mut self, port: u16) -> Self {
        self.oss_port = port;
        self
    }

    /// Opens a port on 127.0.0.1, 0 for a free one, through which tests in other languages change what the
    /// cloud holds. Whoever can reach it may do so; a request needs a header `oss-testkit-control`, of any
    /// value. Default: no such port.
    ///
    /// `POST /kms/rotate?secret=<name>` is [`LocalCloud::rotate_secret`], with `&immediately` added
    /// [`LocalCloud::rotate_secret_immediately`], and answers with the new key as JSON. `POST
    /// /kms/put?secret=<name>` is [`LocalCloud::put_secret`] with the body. 404 is their `None` and `false`.
    #[must_use]
    pub fn control_port(mut self, port: u16) -> Self {
        self.control_port = Some(port);
        self
    }

    /// Starts the services; they answer as soon as this returns.
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

    /// [`LocalCloudBuilder::start`] for code that is not async.
    ///
    /// # Errors
    ///
    /// [`io::ErrorKind::InvalidInput`] for a key that cannot be one; otherwise what the operating system says
    /// when a port is taken or no thread can be started.
    pub fn start_blocking(self) -> io::Result<LocalCloud> {
        let (id, secret) = self.access_key.unwrap_or_else(new_key_pair);
        let access_key = Credentials::builder(id, secret)
            .source("oss-testkit")
            .build()
            .map_err(invalid)?;
        let mut inner = Inner::default();
        inner.add_key(Key::new(
            access_key.clone(),
            Principal::User(DEFAULT_USER.to_owned()),
        ));
        for (principal, id, secret) in self.other_keys {
            let credentials = Credentials::builder(id, secret).source("oss-testkit").build();
            inner.add_key(Key::new(credentials.map_err(invalid)?, principal));
        }
        let role = self.roles.first().map_or(DEFAULT_ROLE, Role::name).to_owned();
        for credentials in self.temporary_keys {
            inner.add_key(Key::new(credentials, Principal::session(&role)));
        }
        let roles = std::iter::once(Role::new(DEFAULT_ROLE)).chain(self.roles);
        inner
            .roles
            .extend(roles.map(|role| (role.name().to_owned(), role)));
        let now = self.clock.now();
        let further = self
            .buckets
            .into_iter()
            .map(|(name, acl)| (name, Bucket::new(acl, now)));
        let foreign = self.foreign_buckets.into_iter();
        let foreign = foreign.map(|name| (name, Bucket::foreign(now)));
        let sinks = self.sinks.into_iter().map(|name| (name, Bucket::sink(now)));
        inner
            .buckets
            .insert(self.bucket.clone(), Bucket::new(BucketAcl::Private, now));
        inner.buckets.extend(further.chain(sinks).chain(foreign));

        let (sts_listener, sts) = bind(self.sts_port)?;
        let (oss_listener, oss) = bind(self.oss_port)?;
        let (ecs_listener, ecs) = bind(self.ecs_port)?;
        let (metadata_listener, metadata) = bind(self.metadata.port)?;
        let (uri_listener, uri) = bind(self.uri.port)?;
        let (kms_listener, shared) = bind(self.kms.shared_port)?;
        let (kms_instance_listener, instance) = bind(self.kms.instance_port)?;
        let (cloud_sso_listener, cloud_sso) = bind(self.cloud_sso.port)?;
        let (oauth_listener, oauth) = bind(self.oauth.port)?;
        let control = self.control_port.map(bind).transpose()?;
        self.kms.apply(&mut inner, &self.region, self.clock.now())?;
        let state = Arc::new(State {
            account: self.account,
            region: self.region,
            session_length: self.session_length,
            body_limit: self.body_limit,
            cnames: self.cnames,
            clock: self.clock,
            sleep: self.sleep,
            metadata: Metadata::new(self.metadata, &role),
            credentials_uri: CredentialsUri::new(self.uri, &role),
            oidc: Issuer::new(self.oidc),
            cloud_sso: CloudSso::new(self.cloud_sso, &role),
            oauth: OAuth::new(&self.oauth, &role),
            inner: Mutex::new(inner),
        });
        let runtime = runtime()?;
        for (service, listener) in [
            (Service::Sts, sts_listener),
            (Service::Oss, oss_listener),
            (Service::Ecs, ecs_listener),
            (Service::Metadata, metadata_listener),
            (Service::CredentialsUri, uri_listener),
            (Service::Kms, kms_listener),
            (Service::KmsInstance, kms_instance_listener),
            (Service::CloudSso, cloud_sso_listener),
            (Service::OAuth, oauth_listener),
        ] {
            let _in_runtime = runtime.enter();
            let listener = tokio::net::TcpListener::from_std(listener)?;
            runtime.spawn(server::run(service, Arc::clone(&state), listener));
        }
        let control_address = control.as_ref().map(|(_, address)| *address);
        if let Some((listener, _)) = control {
            let _in_runtime = runtime.enter();
            let listener = tokio::net::TcpListener::from_std(listener)?;
            runtime.spawn(control::run(Arc::clone(&state), listener));
        }
        Ok(LocalCloud {
            state,
            runtime: Some(runtime),
            sts,
            oss,
            ecs,
            metadata,
            uri,
            kms: kms::Addresses { shared, instance },
            cloud_sso,
            oauth,
            control: control_address,
            access_key,
            role,
            bucket: self.bucket,
        })
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

/// A listener that already accepts, so that the first request cannot come too early.
fn bind(port: u16) -> io::Result<(TcpListener, SocketAddr)> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port))?;
    listener.set_nonblocking(true)?;
    let address = listener.local_addr()?;
    Ok((listener, address))
}

pub(crate) fn invalid(error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, error)
}
