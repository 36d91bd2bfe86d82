//! The source and its builder.

use std::borrow::Cow;
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use acs_sts::{AssumeRoleWithOidc, AssumedRole, StsClient, StsClientBuilder};
use oss_credentials_core::secret_file::{ReadError, SecretFile};
use oss_credentials_core::{
    BoxFuture, Clock, CredentialsError, CredentialsSource, Env, ErrorDetail, ErrorDetailBuilder, Fetched,
    RefreshingProvider, Sleep, SystemClock,
};
use oss_credentials_http::{HttpClient, default_http_client};
use zeroize::Zeroizing;

use crate::config::{
    DEFAULT_DURATION, DEFAULT_SESSION_NAME_PREFIX, ENV_OIDC_PROVIDER_ARN, ENV_OIDC_TOKEN_FILE, ENV_ROLE_ARN,
    ENV_ROLE_SESSION_NAME, MAX_TOKEN_FILE,
};
use crate::wire;

const NAME: &str = "oidc-rrsa";

/// A provider of credentials of a role, cached and refreshed; see [`OidcRrsaBuilder::build`].
pub type OidcRrsaProvider = RefreshingProvider<OidcRrsa>;

/// A source that exchanges an OIDC token for temporary credentials of a role, with one `AssumeRoleWithOIDC` per fetch.
///
/// The token file is read at every fetch. When the service rejects the token
/// (`AuthenticationFail.OIDCToken.*`), the file is read again; if it then contains a different token, the call is
/// repeated once with that one.
///
/// # Examples
///
/// As a member of a chain, where a machine without RRSA continues with the next one:
///
/// ```
/// # use oss_credentials_http::{HttpResponse, http_fn};
/// # let http = http_fn(|_| async { Ok(HttpResponse::new(503, Vec::new())) });
/// use oss_credentials_core::{Credentials, ChainProvider, ProcessEnv};
/// use oss_credentials_oidc_rrsa::OidcRrsa;
///
/// let rrsa = OidcRrsa::from_env(&ProcessEnv).and_then(|builder| builder.http_client(http).build());
/// let chain = ChainProvider::builder()
///     .member("oidc-rrsa", rrsa)
///     .member("static", Credentials::builder("LTAI5tExampleKeyId01", "example-secret").build())
///     .build();
/// # let _ = chain;
/// ```
#[derive(Clone, Debug)]
pub struct OidcRrsa {
    client: StsClient,
    /// Without a token.
    request: AssumeRoleWithOidc,
    token_file: PathBuf,
    clock: Arc<dyn Clock>,
}

impl OidcRrsa {
    /// Starts a source. Role, OIDC provider and token file are required.
    pub fn builder() -> OidcRrsaBuilder {
        OidcRrsaBuilder {
            role_arn: None,
            oidc_provider_arn: None,
            oidc_token_file: None,
            role_session_name: None,
            duration: DEFAULT_DURATION,
            policy: None,
            client: StsClientBuilder::default().provider_name(NAME),
            clock: Arc::new(SystemClock),
        }
    }

    /// Starts a source from the environment; see [`OidcRrsaBuilder::env`] and [`OidcRrsaBuilder::endpoint_env`].
    ///
    /// # Errors
    ///
    /// [`CredentialsError::NotConfigured`] if neither [`ENV_OIDC_PROVIDER_ARN`] nor [`ENV_OIDC_TOKEN_FILE`] is
    /// set, [`CredentialsError::InvalidConfig`] if one of them is, but not both or no [`ENV_ROLE_ARN`].
    pub fn from_env(env: &dyn Env) -> Result<OidcRrsaBuilder, CredentialsError> {
        let builder = Self::builder().env(env).endpoint_env(env);
        builder.required()?;
        Ok(builder)
    }

    /// Returns the name of the session, as it appears in audit logs.
    pub fn role_session_name(&self) -> &str {
        self.request.session_name()
    }

    /// Returns where requests go: scheme, host and port.
    pub fn endpoint(&self) -> String {
        self.client.endpoint().origin()
    }

    /// Returns the file that the token is read from.
    pub fn oidc_token_file(&self) -> &Path {
        &self.token_file
    }

    async fn assume(&self) -> Result<AssumedRole, CredentialsError> {
        let token = self.read_token()?;
        let request = self.request.clone().oidc_token(token.as_str());
        let rejected = match self.client.assume_role_with_oidc(&request).await {
            Err(error) if error.oidc_token_rejected() => error,
            other => return Ok(other?),
        };
        // It may have been renewed meanwhile. The same one would be rejected again, and the next fetch reports a file
        // that cannot be read any more.
        match self.read_token() {
            Ok(renewed) if renewed != token => {
                let request = self.request.clone().oidc_token(renewed.as_str());
                Ok(self.client.assume_role_with_oidc(&request).await?)
            }
            _ => Err(rejected.into()),
        }
    }

    fn read_token(&self) -> Result<Zeroizing<String>, CredentialsError> {
        let file = self.read_file()?;
        let token = wire::parse(file.content()).map_err(|defect| {
            if defect == wire::Defect::Empty && file.stamp().is_young(self.clock.now()) {
                return self.half_written();
            }
            let what = format!("the OIDC token file {}", defect.text());
            self.invalid_file(
                what,
                "check the program that writes it: it has to contain one raw JWT",
            )
        })?;
        acs_sts::validate_oidc_token(NAME, token).map_err(|error| {
            let what = error
                .detail()
                .map_or("the OIDC token is malformed", ErrorDetail::what);
            self.invalid_file(
                what.to_owned(),
                "check the program that writes it: it has to contain one raw JWT",
            )
        })?;
        Ok(Zeroizing::new(token.to_owned()))
    }

    fn read_file(&self) -> Result<SecretFile, CredentialsError> {
        SecretFile::read(&self.token_file, MAX_TOKEN_FILE).map_err(|error| match error {
            ReadError::NotRegular => self.invalid_file(
                "the OIDC token file is not a regular file",
                "set {setting} to the file itself",
            ),
            ReadError::TooLarge => self.invalid_file(
                "the OIDC token file is larger than 64 KiB",
                "set {setting} to a file with one raw JWT",
            ),
            ReadError::Io(error) => self.unreadable(error),
            _ => self.unreadable(io::ErrorKind::Other.into()),
        })
    }

    /// The program that writes the file may have emptied it to write it again.
    fn half_written(&self) -> CredentialsError {
        let what = "the OIDC token file is empty, and was modified less than a second ago";
        CredentialsError::unavailable(self.file_detail(what, "retry: it may not be complete yet"))
    }

    fn unreadable(&self, error: io::Error) -> CredentialsError {
        let (what, hint) = match error.kind() {
            io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => (
                "there is no OIDC token file",
                "mount the token there, or correct {setting}",
            ),
            io::ErrorKind::PermissionDenied => (
                "the OIDC token file may not be read",
                "let the user of this process read it",
            ),
            // Of the disk, or of a network file system: it may be temporary.
            _ => {
                let detail = self.file_detail("reading the OIDC token file failed", "retry later");
                return CredentialsError::unavailable(detail.source(error));
            }
        };
        CredentialsError::invalid_config(self.file_detail(what, hint).source(error))
    }

    fn invalid_file(
        &self,
        what: impl Into<Cow<'static, str>>,
        hint: impl Into<Cow<'static, str>>,
    ) -> CredentialsError {
        CredentialsError::invalid_config(self.file_detail(what, hint))
    }

    fn file_detail(
        &self,
        what: impl Into<Cow<'static, str>>,
        hint: impl Into<Cow<'static, str>>,
    ) -> ErrorDetailBuilder {
        about_token_file(what)
            .place(self.token_file.to_string_lossy())
            .hint(hint)
    }
}

fn about_token_file(what: impl Into<Cow<'static, str>>) -> ErrorDetailBuilder {
    ErrorDetail::builder(NAME, what)
        .setting("oidc_token_file")
        .setting_label(format!("oidc_token_file(..) or {ENV_OIDC_TOKEN_FILE}"))
}

impl CredentialsSource for OidcRrsa {
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

/// Builds an [`OidcRrsaProvider`] or the bare source; see [`OidcRrsa::builder`].
///
/// `Debug` shows neither policy nor the path of the token file.
#[must_use]
pub struct OidcRrsaBuilder {
    role_arn: Option<String>,
    oidc_provider_arn: Option<String>,
    oidc_token_file: Option<PathBuf>,
    role_session_name: Option<String>,
    duration: Duration,
    policy: Option<String>,
    client: StsClientBuilder,
    clock: Arc<dyn Clock>,
}

impl OidcRrsaBuilder {
    /// Reads the environment for what is not set yet: role ARN, OIDC provider ARN, token file, session name,
    /// region and VPC. Region and VPC are not read if an endpoint is set.
    pub fn env(mut self, env: &dyn Env) -> Self {
        let fill = |value: Option<String>, name| value.or_else(|| env.non_empty(name));
        self.role_arn = fill(self.role_arn, ENV_ROLE_ARN);
        self.oidc_provider_arn = fill(self.oidc_provider_arn, ENV_OIDC_PROVIDER_ARN);
        self.oidc_token_file = self.oidc_token_file.or_else(|| env.path(ENV_OIDC_TOKEN_FILE));
        self.role_session_name = fill(self.role_session_name, ENV_ROLE_SESSION_NAME);
        self.client = self.client.env(env);
        self
    }

    /// Sets the role, `acs:ram::<account ID>:role/<name>`. Required.
    pub fn role_arn(mut self, role_arn: impl Into<String>) -> Self {
        self.role_arn = Some(role_arn.into());
        self
    }

    /// Sets the issuer of the token, `acs:ram::<account ID>:oidc-provider/<name>`. Required.
    pub fn oidc_provider_arn(mut self, arn: impl Into<String>) -> Self {
        self.oidc_provider_arn = Some(arn.into());
        self
    }

    /// Sets the file that contains the token, a raw JWT; white space around it and a byte order mark are ignored. At
    /// most 64 KiB. It is read at every refresh, and not before the first. Required.
    pub fn oidc_token_file(mut self, path: impl Into<PathBuf>) -> Self {
        self.oidc_token_file = Some(path.into());
        self
    }

    /// Sets the name of the session, which appears in audit logs: 2 to 64 of the characters `A-Z a-z 0-9 . @ - _`.
    /// Default: [`DEFAULT_SESSION_NAME_PREFIX`] and the microseconds since 1970, generated once by
    /// [`OidcRrsaBuilder::build`].
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

    /// Sets whether the endpoint may be plain `http://` for a host other than loopback. The token, and the keys
    /// that the service returns, are then readable on the network. Default: no.
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
    /// (feature `tokio`). Nothing is read or sent before it is called.
    ///
    /// # Errors
    ///
    /// [`CredentialsError::NotConfigured`] if neither OIDC provider nor token file is named.
    /// [`CredentialsError::InvalidConfig`] if a setting is malformed or missing while others are set, or if there
    /// is no HTTP client.
    pub fn build(self) -> Result<OidcRrsaProvider, CredentialsError> {
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
    /// As [`OidcRrsaBuilder::build`].
    pub fn build_source(self) -> Result<OidcRrsa, CredentialsError> {
        let (role_arn, provider_arn, token_file) = self.required()?;
        check_path(token_file)?;
        let session_name = self
            .role_session_name
            .clone()
            .unwrap_or_else(|| acs_sts::made_up_session_name(DEFAULT_SESSION_NAME_PREFIX, self.clock.now()));
        let mut request =
            AssumeRoleWithOidc::new(role_arn, provider_arn, session_name).duration(self.duration);
        if let Some(policy) = &self.policy {
            request = request.policy(policy);
        }
        request.validate(NAME)?;
        let token_file = token_file.to_owned();
        let client = self.client.http_client_or(|| default_http_client!());
        Ok(OidcRrsa {
            client: client.clock(Arc::clone(&self.clock)).build()?,
            request,
            token_file,
            clock: self.clock,
        })
    }

    /// Role ARN, OIDC provider ARN and token file.
    fn required(&self) -> Result<(&str, &str, &Path), CredentialsError> {
        let parts = (&self.role_arn, &self.oidc_provider_arn, &self.oidc_token_file);
        if let (Some(role_arn), Some(provider_arn), Some(token_file)) = parts {
            return Ok((role_arn, provider_arn, token_file));
        }
        // The role alone also configures AssumeRole, and so does not show that this source is wanted.
        let (set, unset) = match (&self.oidc_provider_arn, &self.oidc_token_file) {
            (None, None) => {
                return Err(CredentialsError::not_configured(
                    ErrorDetail::builder(NAME, "neither an OIDC provider nor a token file is named").hint(
                        format!("set {ENV_OIDC_PROVIDER_ARN}, {ENV_OIDC_TOKEN_FILE} and {ENV_ROLE_ARN}, or the builder's methods for them"),
                    ),
                ));
            }
            (Some(_), None) => ("an OIDC provider ARN", ENV_OIDC_PROVIDER_ARN.to_owned()),
            (None, Some(_)) => ("an OIDC token file", ENV_OIDC_TOKEN_FILE.to_owned()),
            (Some(_), Some(_)) => (
                "an OIDC provider ARN and a token file",
                format!("{ENV_OIDC_PROVIDER_ARN} and {ENV_OIDC_TOKEN_FILE}"),
            ),
        };
        let missing: Vec<_> = [
            (self.role_arn.is_none(), "role ARN", "role_arn(..)", ENV_ROLE_ARN),
            (
                self.oidc_provider_arn.is_none(),
                "OIDC provider ARN",
                "oidc_provider_arn(..)",
                ENV_OIDC_PROVIDER_ARN,
            ),
            (
                self.oidc_token_file.is_none(),
                "OIDC token file",
                "oidc_token_file(..)",
                ENV_OIDC_TOKEN_FILE,
            ),
        ]
        .into_iter()
        .filter(|(is_missing, ..)| *is_missing)
        .collect();
        let names: Vec<_> = missing.iter().map(|(_, name, ..)| format!("no {name}")).collect();
        let hints: Vec<_> = missing
            .iter()
            .map(|(.., method, variable)| format!("{method} or {variable}"))
            .collect();
        let what = format!("there is {set}, but {}", names.join(" and "));
        let hint = format!("set {}, or unset {unset}", hints.join(", and "));
        let mut detail = ErrorDetail::builder(NAME, what).hint(hint);
        // The reader of the error may not know who set what: this distinguishes them.
        let token_file = self.oidc_token_file.as_deref();
        if let Some(path) = token_file.filter(|path| check_path(path).is_ok()) {
            detail = detail.place(path.to_string_lossy());
        } else if let Some(arn) = &self.oidc_provider_arn {
            detail = detail.place(arn);
        }
        Err(CredentialsError::invalid_config(detail))
    }
}

impl fmt::Debug for OidcRrsaBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OidcRrsaBuilder")
            .field("role_arn", &self.role_arn)
            .field("oidc_provider_arn", &self.oidc_provider_arn)
            .field("role_session_name", &self.role_session_name)
            .field("duration", &self.duration)
            .field("client", &self.client)
            .finish_non_exhaustive()
    }
}

/// Errors name the path, so it must not be the token itself, set by mistake.
fn check_path(path: &Path) -> Result<(), CredentialsError> {
    let hint = "set {setting} to the path of a file";
    if path.as_os_str().is_empty() {
        return Err(CredentialsError::invalid_config(
            about_token_file("the path of the OIDC token file is empty").hint(hint),
        ));
    }
    // Each JWT begins with the base64 of `{"`, has dots, and has no slash.
    let text = path.to_string_lossy();
    let text = text.trim();
    if text.starts_with("eyJ") && text.contains('.') && !text.contains(['/', '\\']) {
        return Err(CredentialsError::invalid_config(
            about_token_file("the path of the OIDC token file is a token itself").hint(hint),
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use oss_credentials_http::{HttpError, HttpErrorKind, http_fn};

    use super::*;

    /// What a disk or a file system says can hardly be staged in a test folder.
    #[test]
    fn each_way_of_not_reading_the_file_has_its_variant() {
        let http = http_fn(|_| async { Err(HttpError::new(HttpErrorKind::Connect, "made up")) });
        let source = OidcRrsa::builder()
            .role_arn("acs:ram::123456789012:role/example-role")
            .oidc_provider_arn("acs:ram::123456789012:oidc-provider/example")
            .oidc_token_file("/var/run/token")
            .http_client(http)
            .build_source()
            .unwrap();
        let missing = "oidc-rrsa: there is no OIDC token file (/var/run/token); mount the token there, or correct \
                       oidc_token_file(..) or ALIBABA_CLOUD_OIDC_TOKEN_FILE";
        let forbidden = "oidc-rrsa: the OIDC token file may not be read (/var/run/token); let the user of this \
                         process read it";
        let failed = "oidc-rrsa: reading the OIDC token file failed (/var/run/token); retry later";
        for (kind, expected, may_pass) in [
            (io::ErrorKind::NotFound, missing, false),
            (io::ErrorKind::NotADirectory, missing, false),
            (io::ErrorKind::PermissionDenied, forbidden, false),
            (io::ErrorKind::StaleNetworkFileHandle, failed, true),
            (io::ErrorKind::Other, failed, true),
        ] {
            let error = source.unreadable(kind.into());
            assert_eq!(error.to_string(), expected);
            assert_eq!(
                matches!(error, CredentialsError::Unavailable(_)),
                may_pass,
                "{kind:?}"
            );
            assert_eq!(
                matches!(error, CredentialsError::InvalidConfig(_)),
                !may_pass,
                "{kind:?}"
            );
            assert!(std::error::Error::source(&error).is_some());
        }
    }
}
