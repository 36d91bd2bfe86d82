//! The source and its builder.

use std::sync::Arc;
use std::time::Duration;

use acs_sts::{AssumeRole, AssumedRole, SignatureVersion, StsClient, StsClientBuilder};
use oss_credentials_core::{
    BoxFuture, Clock, Credentials, CredentialsError, CredentialsProvider, CredentialsSource, Env,
    ErrorDetail, Fetched, RefreshingProvider, Sleep, SystemClock,
};
use oss_credentials_http::{HttpClient, default_http_client};

use crate::config::{DEFAULT_DURATION, DEFAULT_SESSION_NAME_PREFIX, ENV_ROLE_ARN, ENV_ROLE_SESSION_NAME};

const NAME: &str = "sts-assume-role";

/// A provider of credentials of a role, cached and refreshed; see [`StsAssumeRoleBuilder::build`].
pub type StsAssumeRoleProvider = RefreshingProvider<StsAssumeRole>;

/// A source that fetches temporary credentials of a role, with one call of `AssumeRole` per fetch.
///
/// The base provider is called at every fetch. When the service rejects the base key (`InvalidAccessKeyId.*`,
/// `InvalidSecurityToken.*`), the rejection is reported to the base; if the base then has another key, the call is
/// repeated once with that one.
///
/// # Examples
///
/// A role that can be assumed only from another role:
///
/// ```
/// # use oss_credentials_http::{HttpResponse, http_fn};
/// # use oss_credentials_core::Credentials;
/// # let http = || http_fn(|_| async { Ok(HttpResponse::new(503, Vec::new())) });
/// use oss_credentials_sts_assume_role::StsAssumeRole;
///
/// let base = Credentials::builder("LTAI5tExampleKeyId01", "example-secret").build()?;
/// let hub = StsAssumeRole::builder(base)
///     .role_arn("acs:ram::123456789012:role/hub")
///     .http_client(http())
///     .build()?;
/// let spoke = StsAssumeRole::builder(hub)
///     .role_arn("acs:ram::210987654321:role/spoke")
///     .http_client(http())
///     .build()?;
/// # let _ = spoke;
/// # Ok::<(), oss_credentials_core::CredentialsError>(())
/// ```
#[derive(Clone, Debug)]
pub struct StsAssumeRole {
    base: Arc<dyn CredentialsProvider>,
    client: StsClient,
    request: AssumeRole,
}

impl StsAssumeRole {
    /// Starts a source whose calls are signed with the credentials of `base`: a provider, or credentials.
    pub fn builder(base: impl CredentialsProvider) -> StsAssumeRoleBuilder {
        StsAssumeRoleBuilder {
            base: Arc::new(base),
            role_arn: None,
            role_session_name: None,
            duration: DEFAULT_DURATION,
            policy: None,
            external_id: None,
            client: StsClientBuilder::default().provider_name(NAME),
            clock: Arc::new(SystemClock),
        }
    }

    /// Starts a source from the environment; see [`StsAssumeRoleBuilder::env`] and
    /// [`StsAssumeRoleBuilder::endpoint_env`].
    ///
    /// # Errors
    ///
    /// [`CredentialsError::NotConfigured`] if [`ENV_ROLE_ARN`] is not set,
    /// [`CredentialsError::InvalidConfig`] if it is not, but [`ENV_ROLE_SESSION_NAME`] is.
    pub fn from_env(
        base: impl CredentialsProvider,
        env: &dyn Env,
    ) -> Result<StsAssumeRoleBuilder, CredentialsError> {
        let builder = Self::builder(base).env(env).endpoint_env(env);
        builder.required_role_arn()?;
        Ok(builder)
    }

    /// Returns a source of another session, such as one with its own name and policy, over the same base, endpoint
    /// and HTTP client. Both share what they learned about the service's clock.
    ///
    /// # Errors
    ///
    /// [`CredentialsError::InvalidConfig`] if the request is malformed.
    pub fn for_session(&self, request: AssumeRole) -> Result<Self, CredentialsError> {
        request.validate(NAME)?;
        Ok(Self {
            base: Arc::clone(&self.base),
            client: self.client.clone(),
            request,
        })
    }

    /// Returns the role.
    pub fn role_arn(&self) -> &str {
        self.request.role_arn()
    }

    /// Returns the name of the session, as it appears in audit logs.
    pub fn role_session_name(&self) -> &str {
        self.request.session_name()
    }

    /// Returns where requests go: scheme, host and port.
    pub fn endpoint(&self) -> String {
        self.client.endpoint().origin()
    }

    async fn assume(&self) -> Result<AssumedRole, CredentialsError> {
        let base = self.base_credentials().await?;
        let rejected = match self.client.assume_role(&base, &self.request).await {
            Err(error) if error.caller_key_rejected() => error,
            other => return Ok(other?),
        };
        if !self.base.invalidate(&base).may_retry() {
            return Err(rejected.into());
        }
        // A base that can get another key has one now. Only one retry: the next fetch is not far. A base that
        // fails instead does so because of the rejection, which is what has to be reported.
        let other = match self.base_credentials().await {
            Ok(other) if !other.same_generation_as(&base) => other,
            _ => return Err(rejected.into()),
        };
        let second = self.client.assume_role(&other, &self.request).await;
        if second.as_ref().is_err_and(acs_sts::StsError::caller_key_rejected) {
            self.base.invalidate(&other);
        }
        Ok(second?)
    }

    async fn base_credentials(&self) -> Result<Credentials, CredentialsError> {
        self.base.credentials().await.map_err(|error| {
            if !error.is_not_configured() {
                return error;
            }
            // The role is configured. If this were forwarded unchanged, a chain would continue with another identity.
            CredentialsError::invalid_config(
                ErrorDetail::builder(
                    NAME,
                    format!("the base provider {} is not configured", self.base.name()),
                )
                .hint("set it up, or remove the role from the chain")
                .source(error),
            )
        })
    }
}

impl CredentialsSource for StsAssumeRole {
    fn name(&self) -> &'static str {
        NAME
    }

    fn fetch(&self) -> BoxFuture<'_, Result<Fetched, CredentialsError>> {
        Box::pin(async move {
            let role = self.assume().await?;
            let clock_offset = role.clock_offset();
            Ok(Fetched::new(role.into_credentials()).with_clock_offset(clock_offset))
        })
    }
}

/// Builds a [`StsAssumeRoleProvider`] or the bare source; see [`StsAssumeRole::builder`].
///
/// `Debug` shows neither policy nor external ID.
#[must_use]
pub struct StsAssumeRoleBuilder {
    base: Arc<dyn CredentialsProvider>,
    role_arn: Option<String>,
    role_session_name: Option<String>,
    duration: Duration,
    policy: Option<String>,
    external_id: Option<String>,
    client: StsClientBuilder,
    clock: Arc<dyn Clock>,
}

impl StsAssumeRoleBuilder {
    /// Reads the environment for what is not set yet: role ARN, session name, region and VPC. Region
    /// and VPC are not read if an endpoint is set.
    pub fn env(mut self, env: &dyn Env) -> Self {
        self.role_arn = self.role_arn.or_else(|| env.non_empty(ENV_ROLE_ARN));
        self.role_session_name = self
            .role_session_name
            .or_else(|| env.non_empty(ENV_ROLE_SESSION_NAME));
        self.client = self.client.env(env);
        self
    }

    /// Sets the role, `acs:ram::<account ID>:role/<name>`. Required.
    pub fn role_arn(mut self, role_arn: impl Into<String>) -> Self {
        self.role_arn = Some(role_arn.into());
        self
    }

    /// Sets the name of the session, which appears in audit logs: 2 to 64 of the characters `A-Z a-z 0-9 . @ - _`.
    /// Default: [`DEFAULT_SESSION_NAME_PREFIX`] and the microseconds since 1970, generated once by
    /// [`StsAssumeRoleBuilder::build`].
    pub fn role_session_name(mut self, name: impl Into<String>) -> Self {
        self.role_session_name = Some(name.into());
        self
    }

    /// Sets the lifetime of the credentials: 900 to 43,200 seconds, and no longer than the role allows. Default: 3600
    /// s.
    pub fn duration(mut self, duration: Duration) -> Self {
        self.duration = duration;
        self
    }

    /// Sets a policy that restricts the credentials to what both it and the role allow: JSON, at most
    /// 2048 characters. An empty one is an error. Default: none, which allows everything that the role may do.
    pub fn policy(mut self, policy: impl Into<String>) -> Self {
        self.policy = Some(policy.into());
        self
    }

    /// Sets the external ID that the role's trust policy requires: 2 to 1224 of the characters
    /// `A-Z a-z 0-9 _ + = , . @ : / -`. Default: none.
    pub fn external_id(mut self, external_id: impl Into<String>) -> Self {
        self.external_id = Some(external_id.into());
        self
    }

    /// Sets the host to call, which takes precedence over any region: with or without `https://`, no path. Default:
    /// by region.
    pub fn endpoint(mut self, endpoint: impl Into<String>) -> Self {
        self.client = self.client.endpoint(endpoint);
        self
    }

    /// Reads the endpoint from [`ENV_STS_ENDPOINT`](crate::ENV_STS_ENDPOINT), as `from_env` does and
    /// [`env`](Self::env) does not. [`endpoint`](Self::endpoint) takes precedence over it, and it takes precedence over any
    /// region. It must be https to a host under `aliyuncs.com`, or loopback.
    pub fn endpoint_env(mut self, env: &dyn Env) -> Self {
        self.client = self.client.endpoint_env(env);
        self
    }

    /// Sets whether the endpoint may be plain `http://` for a host other than loopback. Keys that the service
    /// returns are then readable on the network. Default: no.
    pub fn allow_http(mut self, allow: bool) -> Self {
        self.client = self.client.allow_http(allow);
        self
    }

    /// Sets the region whose host to call, such as `cn-hangzhou`. Default: the global host, `sts.aliyuncs.com`.
    pub fn region(mut self, region: impl Into<String>) -> Self {
        self.client = self.client.region(region);
        self
    }

    /// Sets whether to call the region's host inside the VPC. Without a region, the public host is used and a
    /// warning is logged. Default: no.
    pub fn vpc(mut self, vpc: bool) -> Self {
        self.client = self.client.vpc(vpc);
        self
    }

    /// Sets the signature version. Default: [`SignatureVersion::Rpc`].
    pub fn signature_version(mut self, version: SignatureVersion) -> Self {
        self.client = self.client.signature_version(version);
        self
    }

    /// Sets the HTTP client. Default: with the feature `reqwest`, a `ReqwestClient::new()`, which works
    /// inside a tokio runtime; otherwise none, and one must be set.
    pub fn http_client(mut self, client: impl HttpClient) -> Self {
        self.client = self.client.http_client(client);
        self
    }

    /// Sets the clock of source and cache. Default: the system's.
    pub fn clock(mut self, clock: impl Clock) -> Self {
        self.clock = Arc::new(clock);
        self
    }

    /// Sets the timer for retries. Default: with the feature `tokio`, its timer, in calls inside a runtime that
    /// has one; otherwise none, and nothing is retried after a backoff.
    pub fn sleep(mut self, sleep: impl Sleep) -> Self {
        self.client = self.client.sleep(sleep);
        self
    }

    /// Sets how long making a connection may take. Default: 5 s.
    pub fn connect_timeout(mut self, timeout: Duration) -> Self {
        self.client = self.client.connect_timeout(timeout);
        self
    }

    /// Sets how long one exchange may take, including the connection. Default: 10 s.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.client = self.client.timeout(timeout);
        self
    }

    /// Builds the provider, which caches, and refreshes in the background inside a tokio runtime
    /// (feature `tokio`). Nothing is sent before it is called.
    ///
    /// # Errors
    ///
    /// [`CredentialsError::NotConfigured`] if no role is named. [`CredentialsError::InvalidConfig`] if a
    /// setting is malformed or incomplete, if the base is anonymous, or if there is no HTTP client.
    pub fn build(self) -> Result<StsAssumeRoleProvider, CredentialsError> {
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
    /// As [`StsAssumeRoleBuilder::build`].
    pub fn build_source(self) -> Result<StsAssumeRole, CredentialsError> {
        let role_arn = self.required_role_arn()?.to_owned();
        let session_name = self
            .role_session_name
            .clone()
            .unwrap_or_else(|| acs_sts::made_up_session_name(DEFAULT_SESSION_NAME_PREFIX, self.clock.now()));
        let mut request = AssumeRole::new(role_arn, session_name).duration(self.duration);
        if let Some(policy) = self.policy {
            request = request.policy(policy);
        }
        if let Some(external_id) = self.external_id {
            request = request.external_id(external_id);
        }
        request.validate(NAME)?;
        // Checking cached credentials costs nothing; a base that has to fetch is checked after its fetch.
        if self.base.cached().is_some_and(|base| base.is_anonymous()) {
            return Err(invalid(
                "the base credentials are anonymous",
                "use an access key pair, or temporary credentials, as the base",
            ));
        }
        Ok(StsAssumeRole {
            base: self.base,
            client: self
                .client
                .http_client_or(|| default_http_client!())
                .clock(self.clock)
                .build()?,
            request,
        })
    }

    fn required_role_arn(&self) -> Result<&str, CredentialsError> {
        if let Some(role_arn) = &self.role_arn {
            return Ok(role_arn);
        }
        let hint = format!("set role_arn(..) or {ENV_ROLE_ARN}");
        let half_set = [
            ("a role session name", self.role_session_name.is_some()),
            ("a policy", self.policy.is_some()),
            ("an external ID", self.external_id.is_some()),
        ];
        if let Some((what, _)) = half_set.into_iter().find(|(_, set)| *set) {
            return Err(invalid(format!("there is {what}, but no role ARN"), hint));
        }
        Err(CredentialsError::not_configured(
            ErrorDetail::builder(NAME, "no role is named").hint(hint),
        ))
    }
}

impl std::fmt::Debug for StsAssumeRoleBuilder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("StsAssumeRoleBuilder")
            .field("base", &self.base)
            .field("role_arn", &self.role_arn)
            .field("role_session_name", &self.role_session_name)
            .field("duration", &self.duration)
            .field("client", &self.client)
            .finish_non_exhaustive()
    }
}

fn invalid(
    what: impl Into<std::borrow::Cow<'static, str>>,
    hint: impl Into<std::borrow::Cow<'static, str>>,
) -> CredentialsError {
    CredentialsError::invalid_config(ErrorDetail::builder(NAME, what).hint(hint))
}
