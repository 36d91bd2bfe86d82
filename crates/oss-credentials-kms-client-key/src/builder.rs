//! Settings in code, and the provider built from all settings.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize};
use std::time::Duration;

use oss_credentials_core::{
    Backoff, Clock, CredentialsError, Env, ErrorDetail, RefreshingProvider, Sleep, SystemClock,
};
use oss_credentials_http::{HttpClient, ServiceClock};
use zeroize::Zeroizing;

use crate::client_key::{ClientKey, ENV_CLIENT_KEY_PASSWORD, NOT_PROVIDED};
use crate::config::{
    DEFAULT_CONNECT_TIMEOUT, DEFAULT_PROPERTIES_FILE, DEFAULT_REFRESH_INTERVAL, DEFAULT_TIMEOUT,
    ENV_CLIENT_KEY_FILE, ENV_CREDENTIALS_TYPE, ENV_PASSWORD_FILE, ENV_REGIONS, ENV_SECRET_NAMES,
    FILE_SETTINGS, MAX_FILE, MIN_REFRESH, ROTATION_SPREAD,
};
use crate::disk;
use crate::error::{NAME, invalid, invalid_at};
use crate::gateway::{Gateway, Target};
#[cfg(feature = "instance-gateway")]
use crate::instance::KmsInstance;
use crate::key::{KeySource, Password};
use crate::properties::Properties;
use crate::region::{self, KmsRegion};
use crate::settings::{Layer, Settings, Wanted};
use crate::source::{KmsClientKey, KmsClientKeyProvider};
use crate::wait::Random;

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
    secret_name: Option<String>,
    key: Option<ClientKey>,
    key_file: Option<PathBuf>,
    password: Option<Zeroizing<String>>,
    password_file: Option<PathBuf>,
    regions: Vec<KmsRegion>,
    #[cfg(feature = "instance-gateway")]
    instances: Vec<KmsInstance>,
    #[cfg(feature = "instance-gateway")]
    instance_http: Option<Arc<dyn HttpClient>>,
    pub(crate) settings: Settings,
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
            secret_name: None,
            key: None,
            key_file: None,
            password: None,
            password_file: None,
            regions: Vec::new(),
            #[cfg(feature = "instance-gateway")]
            instances: Vec::new(),
            #[cfg(feature = "instance-gateway")]
            instance_http: None,
            settings: Settings::default(),
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
        let wanted = self.wanted();
        self.settings.env = Layer::read(wanted, |name| env.non_empty(name));
        if wanted.password || self.settings.instances().is_some() {
            self.settings.capture(env);
        }
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
        self.apply(&properties);
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
            self.apply(&parse_properties(path, &content)?);
        }
        Ok(self)
    }

    fn apply(&mut self, properties: &Properties) {
        self.settings.file = Layer::read(self.wanted(), |name| properties.get(name));
        // The variables that it names for passwords were not read.
        self.settings.env_was_read = false;
    }

    fn wanted(&self) -> Wanted {
        #[cfg(feature = "instance-gateway")]
        let has_instances = !self.instances.is_empty();
        #[cfg(not(feature = "instance-gateway"))]
        let has_instances = false;
        Wanted {
            key: self.key.is_none() && self.key_file.is_none(),
            password: self.key.is_none() && self.password.is_none() && self.password_file.is_none(),
            places: self.regions.is_empty() && !has_instances,
            secret: self.secret_name.is_none(),
        }
    }

    /// Sets the name of the secret, such as `acs/ram/user/oss-reader`, or its ARN for a secret of another account.
    /// Required.
    pub fn secret_name(mut self, name: impl Into<String>) -> Self {
        self.secret_name = Some(name.into());
        self
    }

    /// Sets the client key. It takes precedence over any file. Default: from the file.
    pub fn client_key(mut self, key: ClientKey) -> Self {
        self.key = Some(key);
        self
    }

    /// Sets the path of the client key file, which is read when a fetch first needs it. Default: the setting
    /// `client_key_private_key_path`.
    pub fn client_key_file(mut self, path: impl Into<PathBuf>) -> Self {
        self.key_file = Some(path.into());
        self
    }

    /// Sets the password of the client key file. Default: from the password file, or by the settings.
    pub fn client_key_password(mut self, password: impl Into<String>) -> Self {
        self.password = Some(Zeroizing::new(password.into()));
        self
    }

    /// Sets the path of the file with the password, which is read together with the client key file. Default: the
    /// settings `client_key_password_from_env_variable` and `client_key_password_from_file_path`, and last the
    /// variable `client_key_password`.
    pub fn client_key_password_file(mut self, path: impl Into<PathBuf>) -> Self {
        self.password_file = Some(path.into());
        self
    }

    /// Adds a region to call, after those added before. If any region or instance is set in code, those
    /// of the environment and of the file are ignored. Default: the setting `cache_client_region_id`.
    pub fn region(mut self, region: KmsRegion) -> Self {
        self.regions.push(region);
        self
    }

    /// Replaces the regions.
    pub fn regions(mut self, regions: impl IntoIterator<Item = KmsRegion>) -> Self {
        self.regions = regions.into_iter().collect();
        self
    }

    /// Adds a KMS instance to call, after those added before and before any region. Default: the setting
    /// `cache_client_dkms_config_info`.
    #[cfg(feature = "instance-gateway")]
    pub fn instance(mut self, instance: KmsInstance) -> Self {
        self.instances.push(instance);
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
        self.http = self.http.or_else(default_http_client);
        if self.wanted().key {
            self.settings.check_type()?;
        }
        let targets = self.targets()?;
        let secret_name = match self.secret_name {
            Some(name) => Some(name),
            None => self.settings.secret_name()?,
        };
        let secret_name = secret_name
            .filter(|name| !name.trim().is_empty())
            .ok_or_else(|| {
                invalid(
                    "no secret is named",
                    format!(
                        "name the one with the AccessKey pair with secret_name(..), or with {ENV_SECRET_NAMES} in the \
                         environment or the properties file"
                    ),
                )
            })?;
        if secret_name.chars().any(|c| c.is_control() || c.is_whitespace()) {
            let what = "the name of the secret contains white space or a control character";
            return Err(invalid(what, "correct secret_name(..)"));
        }
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
            rotation_noticed: AtomicBool::new(false),
            expiry_noticed: AtomicBool::new(false),
        })
    }

    /// Instances first, then regions.
    fn targets(&self) -> Result<Vec<Target>, CredentialsError> {
        #[cfg(feature = "instance-gateway")]
        let mut targets = self.instance_targets()?;
        #[cfg(not(feature = "instance-gateway"))]
        let mut targets = {
            self.no_instances()?;
            Vec::new()
        };
        let regions = match self.settings.regions() {
            Some(text) if self.wanted().places => region::parse(text)?,
            _ => self.regions.clone(),
        };
        if regions.is_empty() {
            if !targets.is_empty() {
                return Ok(targets);
            }
            if self.wanted().key && !self.settings.is_meant() {
                return Err(not_configured());
            }
            let hint = format!("set {ENV_REGIONS}=[{{\"regionId\":\"cn-hangzhou\"}}], or region(..)");
            return Err(invalid("no region is named", hint));
        }
        let key = self.shared_key()?;
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
        let named = match self.settings.instances() {
            Some(text) if self.wanted().places => crate::instance::parse(text, &self.settings)?,
            _ => self.instances.clone(),
        };
        let mut shared_key = None;
        let mut targets = Vec::new();
        for instance in named {
            let endpoint = instance.resolve()?;
            let key = match instance.key(|| self.password())? {
                Some(key) => Arc::new(key),
                None => match &shared_key {
                    Some(key) => Arc::clone(key),
                    None => Arc::clone(shared_key.insert(self.shared_key()?)),
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

    #[cfg(not(feature = "instance-gateway"))]
    fn no_instances(&self) -> Result<(), CredentialsError> {
        if self.wanted().places && self.settings.instances().is_some() {
            return Err(invalid_at(
                crate::config::ENV_INSTANCES,
                "a KMS instance is named, which this build does not support",
                "enable the feature `instance-gateway`",
            ));
        }
        Ok(())
    }

    /// The client key of the regions, and of instances without one of their own.
    fn shared_key(&self) -> Result<Arc<KeySource>, CredentialsError> {
        if let Some(key) = &self.key {
            return Ok(Arc::new(KeySource::ready(key.clone())));
        }
        let path = match &self.key_file {
            Some(path) => path.clone(),
            None => match self.settings.key_file() {
                Some(_) if !self.settings.has_type() => {
                    return Err(invalid_at(
                        ENV_CREDENTIALS_TYPE,
                        "a client key file is named, but no credentials type",
                        format!("set {ENV_CREDENTIALS_TYPE}=client_key"),
                    ));
                }
                Some(path) => PathBuf::from(path),
                None if self.settings.has_type() => {
                    return Err(invalid_at(
                        ENV_CLIENT_KEY_FILE,
                        "no client key file is named",
                        format!("set {ENV_CLIENT_KEY_FILE} to its path, or client_key_file(..)"),
                    ));
                }
                None => return Err(not_configured()),
            },
        };
        if path.as_os_str().is_empty() {
            let what = "the path of the client key file is empty";
            return Err(invalid(what, "correct client_key_file(..)"));
        }
        Ok(Arc::new(KeySource::file(path, self.password()?)))
    }

    fn password(&self) -> Result<Password, CredentialsError> {
        if let Some(password) = &self.password {
            if password.is_empty() {
                let hint = "give client_key_password(..) the password that KMS showed beside the client key";
                return Err(invalid("the password of the client key is empty", hint));
            }
            return Ok(Password::Text(password.clone()));
        }
        if let Some(path) = &self.password_file {
            let source = crate::client_key::PasswordSource::new().file(path);
            return Ok(Password::Source(source, crate::key::Captured::default()));
        }
        let (source, captured) = self.settings.password()?;
        Password::source(source, captured).map_err(|error| {
            if self.settings.env_was_read {
                return error;
            }
            let hint = format!(
                "call client_key_password(..) or client_key_password_file(..), set {ENV_PASSWORD_FILE}, or let env(..) \
                 read the variable {ENV_CLIENT_KEY_PASSWORD}"
            );
            invalid(NOT_PROVIDED, hint)
        })
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

fn not_configured() -> CredentialsError {
    let hint = format!(
        "set {ENV_CREDENTIALS_TYPE}=client_key, {ENV_CLIENT_KEY_FILE}, its password and {ENV_REGIONS} in the \
         environment or in a properties file, or the builder's methods for them"
    );
    CredentialsError::not_configured(ErrorDetail::builder(NAME, "no client key is named").hint(hint))
}

impl fmt::Debug for KmsClientKeyBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KmsClientKeyBuilder")
            .field("secret_name", &self.secret_name)
            .field("client_key", &self.key)
            .field("refresh_interval", &self.refresh_interval)
            .field("http", &self.http)
            .finish_non_exhaustive()
    }
}

#[cfg(feature = "reqwest")]
#[expect(clippy::unnecessary_wraps, reason = "without the feature there is none")]
fn default_http_client() -> Option<Arc<dyn HttpClient>> {
    Some(Arc::new(oss_credentials_reqwest::ReqwestClient::new()))
}

/// Without the feature `build()` says that it needs one.
#[cfg(not(feature = "reqwest"))]
fn default_http_client() -> Option<Arc<dyn HttpClient>> {
    None
}
