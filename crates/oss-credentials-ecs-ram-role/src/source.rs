//! The source and its builder.

use std::borrow::Cow;
use std::fmt;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use oss_credentials_core::{
    BoxFuture, Clock, Credentials, CredentialsError, CredentialsSource, Env, ErrorDetail, ErrorDetailBuilder,
    Fetched, RefreshingProvider, SystemClock,
};
use oss_credentials_http::{Endpoint, HttpClient, default_http_client};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use zeroize::Zeroizing;

use crate::config::{
    DEFAULT_CONNECT_TIMEOUT, DEFAULT_ENDPOINT, DEFAULT_REFRESH_AFTER, DEFAULT_TIMEOUT, ENV_DISABLED,
    ENV_ENDPOINT, ENV_ROLE_NAME, ENV_V1_DISABLED, ROLES_PATH,
};
use crate::metadata::{Access, Answer, Metadata, State, detail_at, refusal, unusable};
use crate::wire::{self, Fault};
use crate::{NAME, TRACING_TARGET, events};

/// All except what RFC 3986 calls unreserved: the name stays one segment of the path.
const SEGMENT: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// A provider of credentials of the instance's role, cached and refreshed; see [`EcsRamRoleBuilder::build`].
pub type EcsRamRoleProvider = RefreshingProvider<EcsRamRole>;

/// A source that fetches the credentials of the RAM role attached to this ECS instance.
///
/// Each fetch requests the role's name from the metadata service, unless it is set, and then the role's
/// credentials. A metadata token is cached for its lifetime of six hours; credentials never are. Clones share the
/// token.
///
/// # Examples
///
/// ```
/// # use oss_credentials_http::{HttpError, HttpErrorKind, http_fn};
/// # let http = http_fn(|_| async { Err(HttpError::new(HttpErrorKind::Connect, "refused")) });
/// use oss_credentials_core::{CredentialsProvider, blocking};
/// use oss_credentials_ecs_ram_role::EcsRamRole;
///
/// let provider = EcsRamRole::builder().http_client(http).build()?;
/// // Not on an instance: a chain would go on to its next member.
/// let error = blocking::wait(provider.credentials()).unwrap_err();
/// assert!(error.is_not_configured());
/// # Ok::<(), oss_credentials_core::CredentialsError>(())
/// ```
#[derive(Clone, Debug)]
pub struct EcsRamRole {
    metadata: Arc<Metadata>,
    role_name: Option<String>,
}

impl EcsRamRole {
    /// Starts a source without settings.
    pub fn builder() -> EcsRamRoleBuilder {
        EcsRamRoleBuilder {
            role_name: None,
            endpoint: None,
            disabled: None,
            endpoint_from_env: None,
            allow_v1: None,
            required: None,
            http_client: None,
            clock: Arc::new(SystemClock),
            connect_timeout: DEFAULT_CONNECT_TIMEOUT,
            timeout: DEFAULT_TIMEOUT,
        }
    }

    /// Starts a source from the environment; see [`EcsRamRoleBuilder::env`] and
    /// [`EcsRamRoleBuilder::endpoint_env`].
    ///
    /// # Errors
    ///
    /// [`CredentialsError::NotConfigured`] if [`ENV_DISABLED`] is `true`.
    pub fn from_env(env: &dyn Env) -> Result<EcsRamRoleBuilder, CredentialsError> {
        let builder = Self::builder().env(env).endpoint_env(env);
        builder.check_enabled()?;
        Ok(builder)
    }

    /// Returns the role that was set; `None` if its name is requested at each fetch.
    pub fn role_name(&self) -> Option<&str> {
        self.role_name.as_deref()
    }

    /// Returns where requests go, without a trailing slash.
    pub fn endpoint(&self) -> &str {
        &self.metadata.base
    }

    async fn fetch_once(&self) -> Result<Fetched, CredentialsError> {
        if let Some(error) = self.metadata.remembered_absence() {
            return Err(error);
        }
        let mut access = self.metadata.access().await?;
        let role = match &self.role_name {
            Some(role) => role.clone(),
            None => self.discover(&mut access).await?,
        };
        let path = format!("{ROLES_PATH}{}", utf8_percent_encode(&role, SEGMENT));
        let answer = self.metadata.get(&path, &mut access).await?;
        let fetched = self.read(&answer, &self.metadata.place("GET", &path))?;
        self.metadata.report(&access);
        Ok(fetched)
    }

    /// Requests the role's name. It can differ at each fetch: roles can be replaced while instances run.
    async fn discover(&self, access: &mut Access) -> Result<String, CredentialsError> {
        let answer = self.metadata.get(ROLES_PATH, access).await?;
        let place = self.metadata.place("GET", ROLES_PATH);
        let status = answer.response.status();
        let role = match status {
            200..=299 => wire::parse_role(answer.response.body())
                .map_err(|defect| unusable("the request for the role's name", &defect, &place, status))?,
            // An HTML page; the status is enough.
            404 => None,
            _ => return Err(refusal(&place, status)),
        };
        let Some(role) = role else {
            let detail = detail_at("no RAM role is attached to this instance", &place).http_status(status);
            return Err(self.metadata.no_role(detail));
        };
        self.metadata.has_role();
        Ok(role.to_owned())
    }

    /// Converts the response into credentials.
    fn read(&self, answer: &Answer, place: &str) -> Result<Fetched, CredentialsError> {
        let response = &answer.response;
        let status = response.status();
        match status {
            200..=299 => {}
            404 => return Err(self.role_not_found(place)),
            _ => return Err(refusal(place, status)),
        }
        let keys = wire::parse(response.body()).map_err(|fault| match fault {
            Fault::Code(code) => {
                let detail = detail_at("the metadata service has no credentials for the role", place)
                    .http_status(status)
                    .code(code.as_deref().unwrap_or("unreadable code"))
                    .hint("check the role and its trust policy, which must name ecs.aliyuncs.com");
                CredentialsError::unavailable(detail)
            }
            Fault::Defect(defect) => unusable("the request for credentials", &defect, place, status),
        })?;
        let credentials = Credentials::builder(keys.access_key_id, take(keys.access_key_secret))
            .security_token(take(keys.security_token))
            .expires_at(keys.expires_at)
            .source(NAME)
            .strict()
            .build()
            .map_err(|_| {
                let what = "the response to the request for credentials contains an invalid key";
                let detail = detail_at(what, place)
                    .http_status(status)
                    .hint("check the endpoint, and whether it is the metadata service that responds");
                CredentialsError::invalid_response(detail)
            })?;
        let clock_offset = response.clock_offset(answer.sent, answer.received);
        let received = clock_offset.unwrap_or_default().to_service(answer.received);
        if credentials.is_expired_at(received) {
            let detail = detail_at("the credentials had expired when they arrived", place)
                .http_status(status)
                .hint(
                    "compare this machine's clock with the service's, and check that the role still exists",
                );
            return Err(CredentialsError::expired(detail));
        }
        Ok(Fetched::new(credentials)
            .with_refresh_after(DEFAULT_REFRESH_AFTER)
            .with_clock_offset(clock_offset))
    }

    fn role_not_found(&self, place: &str) -> CredentialsError {
        let detail = detail_at("this RAM role is not attached to this instance", place).http_status(404);
        CredentialsError::denied(if self.role_name.is_some() {
            about_role_name(detail)
                .hint("correct {setting}, leave it out to have the role found, or attach the role")
        } else {
            detail.hint("retry: the role was replaced or detached just now")
        })
    }
}

impl CredentialsSource for EcsRamRole {
    fn name(&self) -> &'static str {
        NAME
    }

    fn fetch(&self) -> BoxFuture<'_, Result<Fetched, CredentialsError>> {
        Box::pin(async move {
            let outcome = self.fetch_once().await;
            match &outcome {
                Ok(fetched) => tracing::debug!(
                    name: events::FETCHED, target: TRACING_TARGET, provider = NAME,
                    expires_at = ?fetched.credentials().expires_at(), event = events::FETCHED,
                    "the metadata service handed out credentials"
                ),
                Err(error) => tracing::debug!(
                    name: events::FETCH_FAILED, target: TRACING_TARGET, provider = NAME, kind = error.kind(),
                    status = error.detail().and_then(ErrorDetail::http_status), event = events::FETCH_FAILED,
                    "the metadata service returned no credentials"
                ),
            }
            outcome
        })
    }
}

/// Builds an [`EcsRamRoleProvider`] or the bare source; see [`EcsRamRole::builder`].
#[must_use]
pub struct EcsRamRoleBuilder {
    role_name: Option<String>,
    endpoint: Option<String>,
    /// The value of [`ENV_ENDPOINT`], where it is read.
    endpoint_from_env: Option<String>,
    disabled: Option<bool>,
    allow_v1: Option<bool>,
    required: Option<bool>,
    http_client: Option<Arc<dyn HttpClient>>,
    clock: Arc<dyn Clock>,
    connect_timeout: Duration,
    timeout: Duration,
}

impl fmt::Debug for EcsRamRoleBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The endpoint is not checked yet: it may contain a user name and a password.
        let endpoint = self.endpoint.as_ref().map(|_| format_args!("<not shown>"));
        f.debug_struct("EcsRamRoleBuilder")
            .field("role_name", &self.role_name)
            .field("endpoint", &endpoint)
            .field("disabled", &self.disabled)
            .field("allow_v1", &self.allow_v1)
            .field("required", &self.required)
            .field("clock", &self.clock)
            .field("connect_timeout", &self.connect_timeout)
            .field("timeout", &self.timeout)
            .finish_non_exhaustive()
    }
}

impl EcsRamRoleBuilder {
    /// Reads the environment for what is not set yet: role name, and the variables that disable the metadata
    /// service or `IMDSv1`. An empty role name counts as unset.
    pub fn env(mut self, env: &dyn Env) -> Self {
        self.role_name = self.role_name.or_else(|| env.non_empty(ENV_ROLE_NAME));
        self.disabled = self.disabled.or_else(|| Some(env.is_true(ENV_DISABLED)));
        self.allow_v1 = self.allow_v1.or_else(|| Some(!env.is_true(ENV_V1_DISABLED)));
        self
    }

    /// Sets the name of the role, not its ARN. Saves one request per fetch, and declares that the metadata service
    /// must be available; see [`EcsRamRoleBuilder::required`]. Default: requested from the service.
    pub fn role_name(mut self, role_name: impl Into<String>) -> Self {
        self.role_name = Some(role_name.into());
        self
    }

    /// Sets the address of the metadata service: `http://host[:port]`, optionally with a path prefix.
    /// Setting it declares that the service must be available; see [`EcsRamRoleBuilder::required`]. A host
    /// that is neither loopback nor link-local may be called through a proxy. Default:
    /// [`DEFAULT_ENDPOINT`](crate::DEFAULT_ENDPOINT).
    pub fn endpoint(mut self, endpoint: impl Into<String>) -> Self {
        self.endpoint = Some(endpoint.into());
        self
    }

    /// Reads the endpoint from [`ENV_ENDPOINT`](crate::ENV_ENDPOINT), as `from_env` does and [`env`](Self::env) does
    /// not. [`endpoint`](Self::endpoint) takes precedence over it. It must be on loopback. As with `endpoint`, setting
    /// it declares that the service must be available.
    pub fn endpoint_env(mut self, env: &dyn Env) -> Self {
        self.endpoint_from_env = env.non_empty(ENV_ENDPOINT);
        self
    }

    /// Disables the metadata service: `build` then returns [`CredentialsError::NotConfigured`].
    /// Default: no.
    pub fn disabled(mut self, disabled: bool) -> Self {
        self.disabled = Some(disabled);
        self
    }

    /// Sets whether requests without a token (`IMDSv1`, normal mode) are allowed if tokens are not available.
    /// Default: yes.
    pub fn allow_v1(mut self, allow: bool) -> Self {
        self.allow_v1 = Some(allow);
        self
    }

    /// Sets what it means if there has never been a response. Yes: an outage,
    /// [`CredentialsError::Unavailable`], at which a chain stops. No: this is not an instance,
    /// [`CredentialsError::NotConfigured`]; a single probe of at most a second finds that out, the result is
    /// remembered for 30 s, and a chain continues.
    ///
    /// Likewise if the instance has no role and never had one. Yes: [`CredentialsError::Denied`]. No: it is not
    /// configured, [`CredentialsError::NotConfigured`]. Default: yes if a role name or an endpoint is set.
    pub fn required(mut self, required: bool) -> Self {
        self.required = Some(required);
        self
    }

    /// Sets the HTTP client. Default: with the feature `reqwest`, a `ReqwestClient::new()`, which works
    /// inside a tokio runtime; otherwise none, and one must be set.
    pub fn http_client(mut self, client: impl HttpClient) -> Self {
        self.http_client = Some(Arc::new(client));
        self
    }

    /// Sets the clock of source and cache. Default: the system's.
    pub fn clock(mut self, clock: impl Clock) -> Self {
        self.clock = Arc::new(clock);
        self
    }

    /// Sets how long making a connection may take; at most three quarters of the time for the exchange are used.
    /// Default: 1 s.
    pub fn connect_timeout(mut self, timeout: Duration) -> Self {
        self.connect_timeout = timeout;
        self
    }

    /// Sets how long one exchange may take, including the connection. A probe takes less. Default: 2 s.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// Builds the provider, which caches, and refreshes in the background inside a tokio runtime
    /// (feature `tokio`). Nothing is sent before it is called.
    ///
    /// # Errors
    ///
    /// [`CredentialsError::NotConfigured`] if the metadata service is disabled.
    /// [`CredentialsError::InvalidConfig`] if role name or endpoint are malformed, or if there is no HTTP
    /// client.
    pub fn build(self) -> Result<EcsRamRoleProvider, CredentialsError> {
        let clock = Arc::clone(&self.clock);
        let source = self.build_source()?;
        Ok(RefreshingProvider::builder(source)
            .clock(clock)
            .background_refresh(true)
            .build())
    }

    /// Builds the bare source, for your own cache or other refresh settings. Pass the cache the same
    /// clock.
    ///
    /// # Errors
    ///
    /// As [`EcsRamRoleBuilder::build`].
    pub fn build_source(self) -> Result<EcsRamRole, CredentialsError> {
        self.check_enabled()?;
        if let Some(role_name) = &self.role_name {
            check_role_name(role_name)?;
        }
        let (base, is_set) = match (&self.endpoint, &self.endpoint_from_env) {
            (Some(endpoint), _) => (base(endpoint)?, true),
            (None, Some(endpoint)) => (of_variable(endpoint)?, true),
            (None, None) => (base(DEFAULT_ENDPOINT)?, false),
        };
        let is_asked_for = self.role_name.is_some() || is_set;
        let http = self
            .http_client
            .or_else(|| default_http_client!())
            .ok_or_else(|| {
                invalid(
                    "there is no HTTP client",
                    "pass one with http_client(..), or enable the feature `reqwest`",
                )
            })?;
        let metadata = Metadata {
            base,
            http,
            clock: self.clock,
            allow_v1: self.allow_v1.unwrap_or(true),
            required: self.required.unwrap_or(is_asked_for),
            connect_timeout: self.connect_timeout,
            timeout: self.timeout,
            state: Mutex::new(State::default()),
        };
        Ok(EcsRamRole {
            metadata: Arc::new(metadata),
            role_name: self.role_name,
        })
    }

    fn check_enabled(&self) -> Result<(), CredentialsError> {
        if self.disabled != Some(true) {
            return Ok(());
        }
        Err(CredentialsError::not_configured(
            ErrorDetail::builder(NAME, "instance metadata is disabled")
                .hint(format!("unset {ENV_DISABLED}, or remove disabled(true)")),
        ))
    }
}

/// Refuses what cannot be a name. Other unusual characters are escaped.
fn check_role_name(role_name: &str) -> Result<(), CredentialsError> {
    let problem = if role_name.is_empty() {
        "is empty"
    } else if role_name.trim() != role_name {
        "begins or ends with white space"
    } else if role_name.contains(char::is_control) {
        "contains a control character"
    } else if matches!(role_name, "." | "..") {
        "is a relative path"
    } else {
        return Ok(());
    };
    Err(CredentialsError::invalid_config(
        about_role_name(ErrorDetail::builder(NAME, format!("the role name {problem}")))
            .hint("correct {setting}, or leave it out to have the role found"),
    ))
}

fn about_role_name(detail: ErrorDetailBuilder) -> ErrorDetailBuilder {
    let label = format!("role_name(..) or {ENV_ROLE_NAME}");
    detail.setting("role_name").setting_label(label)
}

/// Anyone who starts the program may set a variable. It may name a local cloud; it cannot, as `endpoint(..)` can, let
/// another host determine the identity of this program. The value is not shown.
fn of_variable(endpoint: &str) -> Result<String, CredentialsError> {
    let is_loopback = Endpoint::parse(endpoint).is_ok_and(|endpoint| endpoint.is_loopback());
    is_loopback.then(|| base(endpoint).ok()).flatten().ok_or_else(|| {
        let what = "the metadata endpoint of a variable is not on loopback";
        CredentialsError::invalid_config(ErrorDetail::builder(NAME, what).place(ENV_ENDPOINT).hint(format!(
            "write {ENV_ENDPOINT} as http://127.0.0.1:port, or unset it; only endpoint(..) in code may name another host"
        )))
    })
}

/// Scheme, host, port and path, without a trailing slash.
fn base(endpoint: &str) -> Result<String, CredentialsError> {
    let hint = "write it as http://host[:port]";
    let endpoint = Endpoint::parse(endpoint).map_err(|error| {
        invalid(
            format!("the endpoint cannot be used: the URL {}", error.problem()),
            hint,
        )
    })?;
    if endpoint.user_info().is_some() || endpoint.query().is_some() {
        return Err(invalid("the endpoint has a user or a query", hint));
    }
    if !endpoint.is_https() && !endpoint.is_metadata_host() {
        tracing::warn!(
            name: events::PLAIN_HTTP, target: TRACING_TARGET, provider = NAME, host = endpoint.host(),
            event = events::PLAIN_HTTP,
            "metadata comes over plain http from another machine: anyone on the network path can read the keys"
        );
    }
    Ok(format!(
        "{}{}",
        endpoint.origin(),
        endpoint.path().trim_end_matches('/')
    ))
}

fn invalid(what: impl Into<Cow<'static, str>>, hint: impl Into<Cow<'static, str>>) -> CredentialsError {
    CredentialsError::invalid_config(ErrorDetail::builder(NAME, what).hint(hint))
}

/// Moves the text out, so that no copy of it is left.
fn take(mut secret: Zeroizing<String>) -> String {
    std::mem::take(&mut *secret)
}
