//! Settings in code, and the provider built from all settings.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::time::Duration;

use oss_credentials_core::{Backoff, Clock, CredentialsError, Env, RefreshingProvider, Sleep, SystemClock};
use oss_credentials_http::{HttpClient, ServiceClock, default_http_client};
use zeroize::Zeroizing;

use crate::client_key::ClientKey;
use crate::config::{
    DEFAULT_CONNECT_TIMEOUT, DEFAULT_PROPERTIES_FILE, DEFAULT_REFRESH_INTERVAL, DEFAULT_TIMEOUT,
    ENV_CREDENTIALS_TYPE, FILE_SETTINGS, MAX_FILE, MIN_REFRESH, ROTATION_SPREAD,
};
use crate::error::{invalid, invalid_at};
use crate::exchange::gateway::{Gateway, Target};
use crate::exchange::wait::Random;
use crate::secret::notice::Notices;
#[cfg(feature = "instance-gateway")]
use crate::settings::instance::KmsInstance;
use crate::settings::properties::Properties;
use crate::settings::region::KmsRegion;
use crate::settings::{Settings, disk, not_configured};
use crate::source::{KmsClientKey, KmsClientKeyProvider};

/// Rejected pairs that are dropped at once, and then one per ten minutes, as in the vendor's plug-ins: a
/// deleted RAM user must not turn each OSS request into a KMS call.
const INVALIDATE_LIMIT: (u32, Duration) = (5, Duration::from_secs(600));
/// More than a fetch takes, so that the fetch's own error is reported.
const ATTEMPT_LIMIT: Duration = Duration::from_secs(45);

const PROPERTIES: disk::Kind = disk::Kind {
    name: "properties file",
    setting: "the path given to properties(..)",
    key: "properties(..)",
    limit: MAX_FILE,
};

/// Builds a [`KmsClientKeyProvider`] or the bare source; see [`KmsClientKey::builder`].
///
/// Each setting is taken from the code, otherwise from the environment if [`KmsClientKeyBuilder::env`] was called,
/// otherwise from the file given to [`KmsClientKeyBuilder::properties`]. `Debug` shows no password.
#[must_use]
pub struct KmsClientKeyBuilder {
    pub(crate) settings: Settings,
    #[cfg(feature = "instance-gateway")]
    instance_http: Option<Arc<dyn HttpClient>>,
    http: Option<Arc<dyn HttpClient>>,
    clock: Arc<dyn Clock>,
    sleep: Option<Arc<dyn Sleep>>,
    connect_timeout: Duration,
    timeout: Duration,
    refresh_interval: Duration,
    random: Random,
}

impl Default for KmsClientKeyBuilder {
    fn default() -> Self {
        Self {
            settings: Settings::default(),
            #[cfg(feature = "instance-gateway")]
            instance_http: None,
            http: None,
            clock: Arc::new(SystemClock),
            sleep: None,
            connect_timeout: DEFAULT_CONNECT_TIMEOUT,
            timeout: DEFAULT_TIMEOUT,
            refresh_interval: DEFAULT_REFRESH_INTERVAL,
            random: Random::default(),
        }
    }
}

impl KmsClientKey {
    /// Starts a source. Secret name, client key and at least one region are required.
    pub fn builder() -> KmsClientKeyBuilder {
        KmsClientKeyBuilder::default()
    }

    /// Starts a source from the environment; see [`KmsClientKeyBuilder::env`].
    ///
    /// # Errors
    ///
    /// [`CredentialsError::NotConfigured`] if none of the variables that name a client key is set,
    /// [`CredentialsError::InvalidConfig`] if the credentials type is not `client_key`.
    pub fn from_env(env: &dyn Env) -> Result<KmsClientKeyBuilder, CredentialsError> {
        let builder = Self::builder().env(env);
        builder.settings.check_type()?;
        if builder.settings.is_meant() {
            return Ok(builder);
        }
        Err(not_configured())
    }

    /// Starts a source from a file in the format of `secretsmanager.properties`; see
    /// [`KmsClientKeyBuilder::properties`]. Call [`KmsClientKeyBuilder::env`] on the result to read the
    /// environment as well.
    ///
    /// # Errors
    ///
    /// As [`KmsClientKeyBuilder::properties`].
    pub fn from_properties(path: impl AsRef<Path>) -> Result<KmsClientKeyBuilder, CredentialsError> {
        Self::builder().properties(path)
    }
}

impl KmsClientKeyBuilder {
    /// Reads the environment for what is not set in code: credentials type, client key file, password,
    /// regions, instances and secret names, under the lower-case names of the `ENV_*` constants. Call it after
    /// [`KmsClientKeyBuilder::properties`], so that a password variable that the file names is read.
    pub fn env(mut self, env: &dyn Env) -> Self {
        self.settings.read_env(env);
        self
    }

    /// Reads a file in the format of `secretsmanager.properties` for what is set neither in code nor in the
    /// environment. A relative path is taken from the working directory. For a file that may be missing, use
    /// [`KmsClientKeyBuilder::default_properties`].
    ///
    /// The file is UTF-8 of at most 64 KiB, with one `name=value` per line. The first `=` separates name and value;
    /// spaces around both are ignored. A line whose first character is `#` or `!` is a comment; elsewhere they belong
    /// to the value. There are no escapes and no continuation lines. The last of equal names wins.
    ///
    /// # Errors
    ///
    /// [`CredentialsError::InvalidConfig`] if the file is missing, cannot be read, is in another format, or contains
    /// names but no setting of this provider; [`CredentialsError::Unavailable`] if reading it fails.
    pub fn properties(mut self, path: impl AsRef<Path>) -> Result<Self, CredentialsError> {
        let path = path.as_ref();
        let properties = parse_properties(path, &PROPERTIES.read(path)?)?;
        if properties.is_foreign(&FILE_SETTINGS) {
            return Err(invalid_at(
                PROPERTIES.place(path),
                "the properties file contains no setting of this provider",
                format!("write one name=value per line, in UTF-8, such as {ENV_CREDENTIALS_TYPE}=client_key"),
            ));
        }
        self.settings.read_file(&properties);
        Ok(self)
    }

    /// Reads the file [`DEFAULT_PROPERTIES_FILE`] in the working directory, if there is one, as
    /// [`KmsClientKeyBuilder::properties`] does. A missing file is not an error, as in the vendor's clients: the
    /// environment may contain all settings.
    ///
    /// # Errors
    ///
    /// [`CredentialsError::InvalidConfig`] if the file cannot be read or is in another format,
    /// [`CredentialsError::Unavailable`] if reading it fails.
    pub fn default_properties(mut self) -> Result<Self, CredentialsError> {
        let path = Path::new(DEFAULT_PROPERTIES_FILE);
        if let Some(content) = PROPERTIES.read_if_there(path)? {
            self.settings.read_file(&parse_properties(path, &content)?);
        }
        Ok(self)
    }

    /// Sets the name of the secret, such as `acs/ram/user/oss-reader`, or its ARN for a secret of another account.
    /// Required.
    pub fn secret_name(mut self, name: impl Into<String>) -> Self {
        self.settings.secret_name.set(Some(name.into()));
        self
    }

    /// Sets the client key. It takes precedence over any file. Default: from the file.
    pub fn client_key(mut self, key: ClientKey) -> Self {
        self.settings.key = Some(key);
        self
    }

    /// Sets the path of the client key file, which is read when a fetch first needs it. Default: the setting
    /// `client_key_private_key_path`.
    pub fn client_key_file(mut self, path: impl Into<PathBuf>) -> Self {
        self.settings.key_file.set(Some(path.into()));
        self
    }

    /// Sets the password of the client key file. Default: from the password file, or by the settings.
    pub fn client_key_password(mut self, password: impl Into<String>) -> Self {
        self.settings.password = Some(Zeroizing::new(password.into()));
        self
    }

    /// Sets the path of the file with the password, which is read together with the client key file. Default: the
    /// settings `client_key_password_from_env_variable` and `client_key_password_from_file_path`, and last the
    /// variable `client_key_password`.
    pub fn client_key_password_file(mut self, path: impl Into<PathBuf>) -> Self {
        self.settings.password_file.set(Some(path.into()));
        self
    }

    /// Adds a region to call, after those added before. If any region or instance is set in code, those
    /// of the environment and of the file are ignored. Default: the setting `cache_client_region_id`.
    pub fn region(mut self, region: KmsRegion) -> Self {
        let regions = self.settings.regions.code_mut();
        regions.get_or_insert_default().push(region);
        self
    }

    /// Replaces the regions.
    pub fn regions(mut self, regions: impl IntoIterator<Item = KmsRegion>) -> Self {
        let regions: Vec<KmsRegion> = regions.into_iter().collect();
        let regions = Some(regions).filter(|regions| !regions.is_empty());
        self.settings.regions.set(regions);
        self
    }

    /// Adds a KMS instance to call, after those added before and before any region. Default: the setting
    /// `cache_client_dkms_config_info`.
    #[cfg(feature = "instance-gateway")]
    pub fn instance(mut self, instance: KmsInstance) -> Self {
        let instances = self.settings.instances.code_mut();
        instances.get_or_insert_default().push(instance);
        self
    }

    /// Sets the HTTP client for KMS instances, instead of a client that trusts only the CA file: it must trust
    /// the instance's private CA, and should trust it for nothing else. Default: with the feature `reqwest`, a
    /// client for each CA file; otherwise none.
    #[cfg(feature = "instance-gateway")]
    pub fn instance_http_client(mut self, client: impl HttpClient) -> Self {
        self.instance_http = Some(Arc::new(client));
        self
    }

    /// Sets the HTTP client for regions. Default: with the feature `reqwest`, a `ReqwestClient::new()`, which
    /// works inside a tokio runtime; otherwise none, and one must be set.
    pub fn http_client(mut self, client: impl HttpClient) -> Self {
        self.http = Some(Arc::new(client));
        self
    }

    /// Sets the clock of source and cache. Default: the system's.
    pub fn clock(mut self, clock: impl Clock) -> Self {
        self.clock = Arc::new(clock);
        self
    }

    /// Sets the timer for the waits before another pass over the regions. Default: with the feature `tokio`, its
    /// timer, in calls inside a runtime that has one; otherwise none, and there is a single pass.
    pub fn sleep(mut self, sleep: impl Sleep) -> Self {
        self.sleep = Some(Arc::new(sleep));
        self
    }

    /// Sets the source of the random part of waits and refresh times: a closure that returns fractions from 0.0
    /// to 1.0, for tests. Default: the operating system's entropy.
    pub fn random(mut self, fraction: impl Fn() -> f64 + Send + Sync + 'static) -> Self {
        self.random = Random::new(fraction);
        self
    }

    /// Sets how long a pair is used before it is fetched again, at least 60 s. A rotation that the response announces
    /// shortens it, and a `ttl` in the secret replaces it. Default: 3600 s.
    pub fn refresh_interval(mut self, interval: Duration) -> Self {
        self.refresh_interval = interval;
        self
    }

    /// Sets how long making a connection may take. Default: 5 s.
    pub fn connect_timeout(mut self, timeout: Duration) -> Self {
        self.connect_timeout = timeout;
        self
    }

    /// Sets how long one exchange with one region may take, including the connection; less if the 30 s for a whole
    /// fetch end before. Default: 10 s.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// Builds the provider, which caches, and refreshes in the background inside a tokio runtime
    /// (feature `tokio`). Nothing is sent before it is called.
    ///
    /// After failures the cache waits 1, 2, 4 … 15 minutes while it has a valid pair. Without a pair it waits
    /// at most 60 s, in which callers get the same error. It drops five rejected pairs at once and then
    /// one per ten minutes.
    ///
    /// # Errors
    ///
    /// [`CredentialsError::NotConfigured`] if no client key is named. [`CredentialsError::InvalidConfig`]
    /// if a setting is malformed, if one is missing while others are set (including the password of a client key
    /// file), or if there is no HTTP client.
    pub fn build(self) -> Result<KmsClientKeyProvider, CredentialsError> {
        let clock = Arc::clone(&self.clock);
        let source = self.build_source()?;
        let backoff = Backoff::default()
            .initial(Duration::from_secs(60))
            .permanent_initial(Duration::from_secs(60))
            .max(Duration::from_secs(15 * 60));
        Ok(RefreshingProvider::builder(source)
            .clock(clock)
            .backoff(backoff)
            .attempt_limit(ATTEMPT_LIMIT)
            .invalidate_limit(INVALIDATE_LIMIT.0, INVALIDATE_LIMIT.1)
            .background_refresh(true)
            .build())
    }

    /// Builds the bare source, for your own cache or other refresh settings. Pass the cache the same
    /// clock.
    ///
    /// # Errors
    ///
    /// As [`KmsClientKeyBuilder::build`].
    pub fn build_source(mut self) -> Result<KmsClientKey, CredentialsError> {
        self.http = self.http.or_else(|| default_http_client!());
        self.settings.check_type()?;
        let targets = self.targets()?;
        let secret_name = self.settings.secret_name()?;
        Ok(KmsClientKey {
            secret_name,
            targets,
            last_good: AtomicUsize::new(0),
            clock: ServiceClock::new(self.clock),
            sleep: self.sleep,
            connect_timeout: self.connect_timeout,
            timeout: self.timeout,
            refresh_interval: self.refresh_interval.max(MIN_REFRESH),
            spread: self.random.part_of(ROTATION_SPREAD),
            random: self.random,
            notices: Notices::default(),
        })
    }

    /// Instances first, then regions.
    fn targets(&self) -> Result<Vec<Target>, CredentialsError> {
        #[cfg(feature = "instance-gateway")]
        let mut targets = self.instance_targets()?;
        #[cfg(not(feature = "instance-gateway"))]
        let mut targets = {
            self.settings.no_instances()?;
            Vec::new()
        };
        let regions = self.settings.regions(!targets.is_empty())?;
        if regions.is_empty() {
            return Ok(targets);
        }
        let key = self.settings.key()?;
        for region in regions {
            targets.push(Target {
                endpoint: region.resolve()?,
                region_id: region.region_id().to_owned(),
                gateway: Gateway::Shared,
                http: self.http()?,
                key: Arc::clone(&key),
            });
        }
        Ok(targets)
    }

    #[cfg(feature = "instance-gateway")]
    fn instance_targets(&self) -> Result<Vec<Target>, CredentialsError> {
        let mut shared_key = None;
        let mut targets = Vec::new();
        for instance in self.settings.instances()? {
            let endpoint = instance.resolve()?;
            let key = match instance.key(|| self.settings.password())? {
                Some(key) => Arc::new(key),
                None => match &shared_key {
                    Some(key) => Arc::clone(key),
                    None => Arc::clone(shared_key.insert(self.settings.key()?)),
                },
            };
            targets.push(Target {
                region_id: instance.region_id().to_owned(),
                http: instance.http(&endpoint, self.instance_http.as_ref(), || self.http())?,
                endpoint,
                gateway: Gateway::Instance,
                key,
            });
        }
        Ok(targets)
    }

    fn http(&self) -> Result<Arc<dyn HttpClient>, CredentialsError> {
        self.http.clone().ok_or_else(|| {
            let hint = "pass one with http_client(..), or enable the feature `reqwest`";
            invalid("there is no HTTP client", hint)
        })
    }
}

fn parse_properties(path: &Path, content: &[u8]) -> Result<Properties, CredentialsError> {
    Properties::parse(content).map_err(|defect| {
        invalid_at(
            PROPERTIES.place(path),
            format!("the properties file {}", defect.text()),
            "write one name=value per line, in UTF-8",
        )
    })
}

impl fmt::Debug for KmsClientKeyBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KmsClientKeyBuilder")
            .field("secret_name", &self.settings.secret_name.code())
            .field("client_key", &self.settings.key)
            .field("refresh_interval", &self.refresh_interval)
            .field("http", &self.http)
            .finish_non_exhaustive()
    }
}
