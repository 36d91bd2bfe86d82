//! The source and its builder.

use std::borrow::Cow;
use std::error::Error;
use std::fmt;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use oss_credentials_core::body::BodyDefect;
use oss_credentials_core::{
    BoxFuture, Clock, Credentials, CredentialsError, CredentialsSource, Env, ErrorDetail, ErrorDetailBuilder,
    Fetched, RefreshingProvider, SystemClock,
};
use oss_credentials_http::{
    Endpoint, EndpointError, HttpClient, HttpError, HttpErrorKind, HttpRequest, HttpResponse,
    default_http_client, may_pass,
};
use zeroize::Zeroizing;

use crate::config::{DEFAULT_CONNECT_TIMEOUT, DEFAULT_TIMEOUT, ENV_CREDENTIALS_URI, MAX_REDIRECTS};
use crate::wire::{self, Fault, Private, Refusal, Session};
use crate::{TRACING_TARGET, events};

const NAME: &str = "uri";
const USER_AGENT: &str = concat!("oss-credentials-uri/", env!("CARGO_PKG_VERSION"));

/// A provider of credentials from a URI, cached and refreshed; see [`CredentialsUriBuilder::build`].
pub type CredentialsUriProvider = RefreshingProvider<CredentialsUri>;

/// A source that fetches credentials from a URI, with one `GET` per fetch.
///
/// The URI is sent unchanged, including its query; user name and password in it become a Basic authorization
/// header. The server must return new credentials in time.
///
/// Query, user name and password of the URI may be secrets: no error, log or `Debug` shows them. The path is shown.
///
/// # Examples
///
/// ```
/// # use oss_credentials_http::{HttpResponse, http_fn};
/// # let http = http_fn(|_| async { Ok(HttpResponse::new(503, Vec::new())) });
/// use oss_credentials_uri::CredentialsUri;
///
/// let source = CredentialsUri::builder()
///     .uri("http://127.0.0.1:6666/credentials?user=example")
///     .http_client(http)
///     .build_source()?;
/// assert_eq!(source.place(), "http://127.0.0.1:6666/credentials");
/// # Ok::<(), oss_credentials_core::CredentialsError>(())
/// ```
#[derive(Clone)]
pub struct CredentialsUri {
    endpoint: Endpoint,
    authorization: Option<Zeroizing<String>>,
    private: Arc<Private>,
    http: Arc<dyn HttpClient>,
    clock: Arc<dyn Clock>,
    connect_timeout: Duration,
    timeout: Duration,
}

impl CredentialsUri {
    /// Starts a source without settings; the URI is required.
    pub fn builder() -> CredentialsUriBuilder {
        CredentialsUriBuilder {
            uri: None,
            is_from_env: false,
            allow_http: false,
            http_client: None,
            clock: Arc::new(SystemClock),
            connect_timeout: DEFAULT_CONNECT_TIMEOUT,
            timeout: DEFAULT_TIMEOUT,
        }
    }

    /// Starts a source from the environment; see [`CredentialsUriBuilder::env`].
    ///
    /// # Errors
    ///
    /// [`CredentialsError::NotConfigured`] if [`ENV_CREDENTIALS_URI`] is not set or is empty.
    pub fn from_env(env: &dyn Env) -> Result<CredentialsUriBuilder, CredentialsError> {
        let builder = Self::builder().env(env);
        builder.required_uri()?;
        Ok(builder)
    }

    /// Returns where requests go: scheme, host, port and path. Query, user name and password are left out.
    pub fn place(&self) -> String {
        place(&self.endpoint)
    }

    async fn get(&self) -> Result<Fetched, CredentialsError> {
        let mut target = self.endpoint.clone();
        let mut private = Arc::clone(&self.private);
        let mut redirects = 0;
        loop {
            tracing::debug!(
                name: events::REQUEST_STARTED, target: TRACING_TARGET, provider = NAME, redirects,
                event = events::REQUEST_STARTED,
                "asking the credentials URI"
            );
            let sent = self.clock.now();
            let outcome = self.http.send(self.request(&target)).await;
            let received = self.clock.now();
            let exchange = Exchange {
                private: &private,
                target: &target,
                is_redirected: redirects > 0,
            };
            let response = outcome.map_err(|error| exchange.transport(error))?;
            if matches!(response.status(), 301 | 302 | 303 | 307 | 308) {
                redirects += 1;
                target = exchange.redirect(&response, redirects)?;
                private = Arc::new(private.with(&target));
                continue;
            }
            let session = exchange.session(&response)?;
            let offset = response.clock_offset(sent, received);
            let received = offset.unwrap_or_default().to_service(received);
            let credentials = exchange.credentials(session, received)?;
            return Ok(Fetched::new(credentials).with_clock_offset(offset));
        }
    }

    fn request(&self, target: &Endpoint) -> HttpRequest {
        let request = HttpRequest::get(target.url())
            .with_connect_timeout(self.connect_timeout)
            .with_timeout(self.timeout)
            .with_header("user-agent", USER_AGENT)
            .with_header("accept", "application/json")
            .with_header("accept-encoding", "identity");
        match &self.authorization {
            Some(value) => request.with_header("authorization", value.as_str()),
            None => request,
        }
    }
}

impl CredentialsSource for CredentialsUri {
    fn name(&self) -> &'static str {
        NAME
    }

    fn fetch(&self) -> BoxFuture<'_, Result<Fetched, CredentialsError>> {
        Box::pin(async move {
            let outcome = self.get().await;
            if let Err(error) = &outcome {
                let status = error.detail().and_then(ErrorDetail::http_status);
                tracing::debug!(
                    name: events::FETCH_FAILED, target: TRACING_TARGET, provider = NAME, kind = error.kind(),
                    status, event = events::FETCH_FAILED,
                    "the credentials URI returned no credentials"
                );
            }
            outcome
        })
    }
}

impl fmt::Debug for CredentialsUri {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CredentialsUri")
            .field("uri", &format_args!("{}", self.place()))
            .field("authorization", &self.authorization.is_some())
            .field("http", &self.http)
            .field("clock", &self.clock)
            .field("connect_timeout", &self.connect_timeout)
            .field("timeout", &self.timeout)
            .finish_non_exhaustive()
    }
}

/// One exchange, as errors describe it.
struct Exchange<'a> {
    private: &'a Private,
    target: &'a Endpoint,
    is_redirected: bool,
}

impl Exchange<'_> {
    fn detail(&self, what: impl Into<Cow<'static, str>>) -> ErrorDetailBuilder {
        ErrorDetail::builder(NAME, what).place(self.place())
    }

    fn place(&self) -> String {
        // This path is the server's, which may repeat parts of the request in it.
        if self.is_redirected && self.private.scrubber().repeats(self.target.path()) {
            return format!("GET {}/…", self.target.origin());
        }
        format!("GET {}", place(self.target))
    }

    /// There was no response.
    fn transport(&self, error: HttpError) -> CredentialsError {
        let error = self.scrubbed(error);
        error.into_credentials_error(NAME, "the credentials URI", &self.place(), |kind| match kind {
            HttpErrorKind::Connect => Some("check that its server is running, and host and port of the URI"),
            HttpErrorKind::Timeout => Some("check its server, or raise the timeout"),
            HttpErrorKind::Interrupted => Some("check its server"),
            HttpErrorKind::Other => Some("check its server, network and proxy"),
            _ => None,
        })
    }

    /// A client may forget that a URL's query must not appear in errors.
    fn scrubbed(&self, error: HttpError) -> HttpError {
        let mut text = format!("{error:?} {error}");
        let mut cause = error.source();
        while let Some(inner) = cause {
            text = format!("{text} {inner} {inner:?}");
            cause = inner.source();
        }
        if self.private.scrubber().repeats(&text) {
            HttpError::new(error.kind(), "text withheld, as it repeats a secret of the URI")
        } else {
            error
        }
    }

    /// The target of redirect number `redirects` (from 1).
    fn redirect(&self, response: &HttpResponse, redirects: u32) -> Result<Endpoint, CredentialsError> {
        let refused = |what: Cow<'static, str>, hint: &'static str| {
            CredentialsError::denied(self.detail(what).http_status(response.status()).hint(hint))
        };
        let Some(location) = response.header("location") else {
            return Err(refused(
                "the credentials URI redirects to nowhere".into(),
                "check its server",
            ));
        };
        if redirects > MAX_REDIRECTS {
            return Err(refused(
                format!("the credentials URI redirects more than {MAX_REDIRECTS} times").into(),
                "set the URI to the final target, or check its server",
            ));
        }
        wire::redirected(self.target, location).ok_or_else(|| {
            refused(
                "the credentials URI redirects to another scheme, host or port, which is not followed".into(),
                "set the URI to where it leads, if you trust that server",
            )
        })
    }

    fn session(&self, response: &HttpResponse) -> Result<Session, CredentialsError> {
        if response.status() != 200 {
            return Err(self.status(response));
        }
        wire::parse(response.body()).map_err(|fault| match fault {
            Fault::Defect(defect) => self.defect(response, &defect),
            Fault::NotSuccess(refusal) => self.not_success(response, &refusal),
        })
    }

    fn defect(&self, response: &HttpResponse, defect: &BodyDefect) -> CredentialsError {
        let hint = match defect {
            BodyDefect::Markup => "check the URI, and whether a proxy or a login page responds instead",
            BodyDefect::Unreadable(_) => {
                "let its server write Expiration in RFC 3339, such as 2026-01-02T03:04:05Z"
            }
            BodyDefect::Missing(_) => {
                "make the server respond with Code, AccessKeyId, AccessKeySecret, SecurityToken and Expiration"
            }
            _ => "check the URI and its server",
        };
        let what = format!("the response from the credentials URI {defect}");
        CredentialsError::invalid_response(self.detail(what).http_status(response.status()).hint(hint))
    }

    /// Status 200, and a `Code` other than `Success`.
    fn not_success(&self, response: &HttpResponse, refusal: &Refusal) -> CredentialsError {
        let detail = self
            .detail("the credentials URI returned a Code other than Success")
            .http_status(response.status())
            .hint("report it to the service operator");
        self.refused(detail, response.status(), refusal)
    }

    fn status(&self, response: &HttpResponse) -> CredentialsError {
        let status = response.status();
        if status < 400 {
            // A 2xx that is not 200, or a 3xx that is not a redirect.
            return CredentialsError::invalid_response(
                self.detail("the credentials URI returned a status other than 200")
                    .http_status(status)
                    .hint("make its server respond with status 200"),
            );
        }
        let passing = may_pass(status, "");
        let hint = match status {
            401 | 403 => "check user, password and query of the URI",
            404 | 410 => "check the path of the URI",
            407 => "check the proxy",
            _ if passing => "retry later, and check its server",
            _ => "check the URI and its server",
        };
        let detail = self
            .detail("the credentials URI returned an error")
            .http_status(status)
            .hint(hint);
        self.refused(detail, status, &wire::parse_refusal(response.body()))
    }

    /// Adds the service's message, without secrets.
    fn refused(&self, detail: ErrorDetailBuilder, status: u16, refusal: &Refusal) -> CredentialsError {
        let mut detail = detail;
        let scrubber = self.private.scrubber_with(refusal);
        let identifier = |text: &Option<Zeroizing<String>>| {
            let text = text.as_deref()?;
            scrubber.identifier(text).map(str::to_owned)
        };
        let code = identifier(&refusal.code).filter(|code| code != "Success");
        if let Some(code) = &code {
            detail = detail.code(code);
        }
        if let Some(message) = refusal.message.as_deref().filter(|text| !text.is_empty()) {
            detail = detail.message(scrubber.text(message));
        }
        if let Some(request_id) = identifier(&refusal.request_id) {
            detail = detail.request_id(request_id);
        }
        if may_pass(status, code.as_deref().unwrap_or_default()) {
            CredentialsError::unavailable(detail)
        } else {
            CredentialsError::denied(detail)
        }
    }

    /// `now` is the time by the service's clock.
    fn credentials(&self, mut session: Session, now: SystemTime) -> Result<Credentials, CredentialsError> {
        if session.expires_at <= now {
            return Err(CredentialsError::expired(
                self.detail("the credentials had expired when they arrived")
                    .hint("check that the server behind the URI renews them, and its clock"),
            ));
        }
        let mut built = Credentials::builder(
            session.access_key_id,
            std::mem::take(&mut *session.access_key_secret),
        )
        .expires_at(session.expires_at)
        .source(NAME)
        .strict();
        if let Some(mut token) = session.security_token {
            built = built.security_token(std::mem::take(&mut *token));
        }
        // The user's configuration is not wrong, but the response is.
        built.build().map_err(|error| {
            let problem = error
                .detail()
                .map_or("a key cannot be used", ErrorDetail::what)
                .to_owned();
            CredentialsError::invalid_response(
                self.detail(format!("in the response from the credentials URI {problem}"))
                    .hint("check its server"),
            )
        })
    }
}

/// Builds a [`CredentialsUriProvider`] or the bare source; see [`CredentialsUri::builder`].
///
/// `Debug` does not show the URI.
#[must_use]
pub struct CredentialsUriBuilder {
    uri: Option<Zeroizing<String>>,
    /// Whether the URI comes from the variable.
    is_from_env: bool,
    allow_http: bool,
    http_client: Option<Arc<dyn HttpClient>>,
    clock: Arc<dyn Clock>,
    connect_timeout: Duration,
    timeout: Duration,
}

impl CredentialsUriBuilder {
    /// Reads [`ENV_CREDENTIALS_URI`] if no URI is set yet. An empty variable counts as unset.
    pub fn env(mut self, env: &dyn Env) -> Self {
        if self.uri.is_none() {
            self.uri = env.non_empty(ENV_CREDENTIALS_URI).map(Zeroizing::new);
            self.is_from_env = self.uri.is_some();
        }
        self
    }

    /// Sets the URI. Required.
    ///
    /// User name and password in it are percent-decoded and sent as Basic authorization. Plain `http://` is for
    /// loopback, link-local addresses and the metadata service; see [`CredentialsUriBuilder::allow_http`].
    /// `https://` needs the feature `rustls`, or a custom HTTP client.
    pub fn uri(mut self, uri: impl Into<String>) -> Self {
        self.uri = Some(Zeroizing::new(uri.into()));
        self.is_from_env = false;
        self
    }

    /// Sets whether the URI may be plain `http://` for any host. The credentials, and user name and password of the
    /// URI, are then readable on the network. Default: no.
    pub fn allow_http(mut self, allow: bool) -> Self {
        self.allow_http = allow;
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

    /// Sets how long making a connection may take. Default: 5 s.
    pub fn connect_timeout(mut self, timeout: Duration) -> Self {
        self.connect_timeout = timeout;
        self
    }

    /// Sets how long one exchange may take, including the connection. Default: 10 s.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// Builds the provider, which caches, and refreshes in the background inside a tokio runtime
    /// (feature `tokio`). Nothing is sent before it is called.
    ///
    /// # Errors
    ///
    /// [`CredentialsError::NotConfigured`] if there is no URI. [`CredentialsError::InvalidConfig`] if the URI
    /// is malformed or is plain `http://` where that is not allowed, or if there is no HTTP client for it.
    pub fn build(self) -> Result<CredentialsUriProvider, CredentialsError> {
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
    /// As [`CredentialsUriBuilder::build`].
    pub fn build_source(self) -> Result<CredentialsUri, CredentialsError> {
        let by = self.is_from_env.then_some(ENV_CREDENTIALS_URI);
        let endpoint = Endpoint::parse(self.required_uri()?).map_err(|error| malformed(&error, by))?;
        let authorization = wire::authorization(&endpoint).map_err(|problem| {
            invalid(
                format!("the credentials URI {problem}"),
                &endpoint,
                match by {
                    Some(by) => format!("percent-encode user and password in {by}, and check what they are"),
                    None => "percent-encode user and password, and check what they are".to_owned(),
                },
            )
        })?;
        check_scheme(&endpoint, self.allow_http, by)?;
        let http = match self.http_client {
            Some(client) => client,
            None => default_http(&endpoint)?,
        };
        Ok(CredentialsUri {
            private: Arc::new(Private::of(&endpoint)),
            endpoint,
            authorization,
            http,
            clock: self.clock,
            connect_timeout: self.connect_timeout,
            timeout: self.timeout,
        })
    }

    fn required_uri(&self) -> Result<&str, CredentialsError> {
        let uri = self.uri.as_deref().map(String::as_str);
        uri.ok_or_else(|| {
            CredentialsError::not_configured(
                ErrorDetail::builder(NAME, "no credentials URI is set")
                    .hint(format!("set uri(..) or {ENV_CREDENTIALS_URI}")),
            )
        })
    }
}

impl fmt::Debug for CredentialsUriBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CredentialsUriBuilder")
            .field("uri", &self.uri.as_ref().map(|_| format_args!("<redacted>")))
            .field("allow_http", &self.allow_http)
            .field("connect_timeout", &self.connect_timeout)
            .field("timeout", &self.timeout)
            .finish_non_exhaustive()
    }
}

/// Returns the URI as it may be shown.
fn place(endpoint: &Endpoint) -> String {
    if endpoint.path().contains('@') {
        // Most likely the end of a user-info whose slash was not encoded.
        return format!("{}/…", endpoint.origin());
    }
    endpoint.to_string()
}

fn invalid(
    what: impl Into<Cow<'static, str>>,
    at: &Endpoint,
    hint: impl Into<Cow<'static, str>>,
) -> CredentialsError {
    CredentialsError::invalid_config(ErrorDetail::builder(NAME, what).place(place(at)).hint(hint))
}

/// `by` is the variable that holds the URI, if one does.
fn malformed(error: &EndpointError, by: Option<&str>) -> CredentialsError {
    let what = format!("the credentials URI {}", error.problem());
    let mut malformed = ErrorDetail::builder(NAME, what).hint(format!(
        "write {} as https://host[:port]/path, or http:// for a server on this machine",
        by.unwrap_or("it")
    ));
    // One word without a dot is not a mistyped URI: it may be a key that belongs in another field.
    let place = error.place();
    if place.contains(['.', ':']) || place == "localhost" {
        malformed = malformed.place(place);
    }
    CredentialsError::invalid_config(malformed)
}

fn check_scheme(endpoint: &Endpoint, allow_http: bool, by: Option<&str>) -> Result<(), CredentialsError> {
    if endpoint.is_https() || endpoint.is_metadata_host() {
        return Ok(());
    }
    if !allow_http {
        return Err(invalid(
            "the credentials URI is plain http, which shows the credentials to the network",
            endpoint,
            match by {
                // An operator who sets a variable cannot call a method of this builder, and the default chain has none
                // for it.
                Some(by) => format!(
                    "set {by} to an https:// URI, or to a server on this machine; for a network you trust the \
                     program may build this provider with allow_http(true), for the default chain as its member \
                     \"{NAME}\""
                ),
                None => "use https://, or allow_http(true) for a network you trust".to_owned(),
            },
        ));
    }
    tracing::warn!(
        name: events::PLAIN_HTTP, target: TRACING_TARGET, provider = NAME, host = endpoint.host(),
        event = events::PLAIN_HTTP,
        "the credentials URI is plain http: the network can read the credentials"
    );
    Ok(())
}

fn default_http(endpoint: &Endpoint) -> Result<Arc<dyn HttpClient>, CredentialsError> {
    let client = default_http_client!().ok_or_else(|| {
        invalid(
            "there is no HTTP client",
            endpoint,
            "pass one with http_client(..), or enable the feature `reqwest` (`rustls` for https)",
        )
    })?;
    // Checks this crate's feature: another crate may or may not enable TLS in the adapter.
    let has_tls = cfg!(any(
        feature = "rustls",
        feature = "rustls-no-provider",
        feature = "native-tls"
    ));
    if endpoint.is_https() && !has_tls {
        return Err(invalid(
            "the credentials URI is https, and the HTTP client of this build has no TLS",
            endpoint,
            "enable the feature `rustls` of oss-credentials-uri, or pass a client with http_client(..)",
        ));
    }
    Ok(client)
}
