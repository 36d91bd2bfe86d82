//! What a request gets.

use std::net::{IpAddr, SocketAddr};

use hyper::body::Incoming;
use hyper::header::{ALLOW, HOST, HeaderMap, HeaderValue, RETRY_AFTER};
use hyper::http::request::Parts;
use hyper::{Method, Request, StatusCode};
use oss_credentials::{Clock as _, CredentialsProvider as _, RefreshingProvider, SystemClock};

use super::caller::Connection;
use super::credentials::ChainSource;
use super::document::UriDocument;
use super::limit::Limit;
use super::metadata::{self, Metadata, Reply};
use super::response::{Answer, Refusal, closing, credentials_answer, error_answer};
use super::secret::Secret;
use crate::TRACING_TARGET;
use crate::time::monotonic;

/// Path of the credentials URI, and the parameter with the secret.
pub(super) const PATH: &str = "/credentials";
pub(super) const PARAMETER: &str = "secret";

/// The address of instance metadata. The vendor's SDKs have it fixed, and send it as the host even where they are led
/// elsewhere.
const METADATA_HOST: &str = "100.100.100.200";

/// How many callers are looked up and logged, at once and a second: finding a process takes a millisecond.
const LOGGED: (u32, u32) = (256, 20);
/// How many refusals have a reason and a line in the log, at once and a second.
const REFUSALS: (u32, u32) = (10, 1);

/// Chooses the response to a request, and logs the caller.
pub(super) struct Router {
    provider: RefreshingProvider<ChainSource>,
    secret: Secret,
    address: SocketAddr,
    hosts: [String; 4],
    metadata: Option<Metadata>,
    document: UriDocument,
    logged: Limit,
    refusals: Limit,
}

impl Router {
    pub(super) fn new(
        provider: RefreshingProvider<ChainSource>,
        secret: Secret,
        address: SocketAddr,
        imds: bool,
    ) -> Self {
        Self {
            provider,
            secret,
            address,
            hosts: own_hosts(address),
            metadata: imds.then(Metadata::default),
            document: UriDocument::default(),
            logged: Limit::new(LOGGED.0, LOGGED.1),
            refusals: Limit::new(REFUSALS.0, REFUSALS.1),
        }
    }

    pub(super) fn provider(&self) -> &RefreshingProvider<ChainSource> {
        &self.provider
    }

    /// The credentials URI.
    pub(super) fn url(&self) -> String {
        format!(
            "http://{}{PATH}?{PARAMETER}={}",
            self.address,
            self.secret.expose()
        )
    }

    pub(super) async fn answer(&self, request: Request<Incoming>, connection: &Connection) -> Answer {
        // No request has a body that matters.
        let (head, _) = request.into_parts();
        match self.decide(&head, connection).await {
            Ok(answer) => answer,
            Err(refusal) => self.refuse(refusal, connection).await,
        }
    }

    async fn decide(&self, request: &Parts, connection: &Connection) -> Result<Answer, Refusal> {
        let path = request.uri.path();
        let metadata = self.metadata.as_ref().filter(|_| Metadata::has(path));
        let host = host(&request.headers).ok_or(Refusal::Host)?;
        let is_own = self.hosts.iter().any(|own| own.eq_ignore_ascii_case(host));
        if !is_own && (metadata.is_none() || host != METADATA_HOST) {
            return Err(Refusal::Host);
        }
        if let Some(metadata) = metadata {
            return match metadata.reply(request, connection).await? {
                Reply::Ready(answer) => Ok(answer),
                Reply::Credentials => Ok(self.metadata_document(connection).await),
            };
        }
        if path != PATH {
            return Err(Refusal::Path);
        }
        let mut given = values(request.uri.query().unwrap_or_default(), PARAMETER);
        if !given.next().is_some_and(|given| self.secret.is(given)) {
            return Err(Refusal::Secret);
        }
        if request.method != Method::GET {
            return Err(Refusal::Method);
        }
        self.log(connection).await;
        let credentials = self.provider.credentials().await;
        let document = credentials.map(|credentials| self.document.of(&credentials, SystemClock.now()));
        Ok(credentials_answer(document))
    }

    async fn metadata_document(&self, connection: &Connection) -> Answer {
        self.log(connection).await;
        match self.provider.credentials().await {
            // The agent started with others.
            Ok(credentials) if credentials.security_token().is_none() => error_answer(
                StatusCode::INTERNAL_SERVER_ERROR,
                "NoCredentials",
                metadata::NO_TOKEN,
            ),
            credentials => credentials_answer(credentials.map(|found| metadata::document(&found))),
        }
    }

    /// Logs who has opened a connection, once, and not more often than is useful.
    async fn log(&self, connection: &Connection) {
        if connection.is_logged() {
            return;
        }
        let Some(left_out) = self.logged.take(monotonic()) else {
            return;
        };
        connection.set_logged();
        let caller = connection.describe().await;
        tracing::info!(target: TRACING_TARGET, caller, left_out, "credentials requested");
    }

    /// Refusals beyond a limit get no reason and no line in the log.
    async fn refuse(&self, refusal: Refusal, connection: &Connection) -> Answer {
        let Some(left_out) = self.refusals.take(monotonic()) else {
            let mut answer = error_answer(
                StatusCode::TOO_MANY_REQUESTS,
                "Throttling",
                "too many refused requests",
            );
            answer
                .headers_mut()
                .insert(RETRY_AFTER, HeaderValue::from_static("1"));
            return closing(answer);
        };
        let reason = refusal.text();
        let caller = connection.describe().await;
        tracing::warn!(target: TRACING_TARGET, caller, reason, left_out, "refused");
        let mut answer = error_answer(refusal.status(), "Refused", reason);
        if refusal == Refusal::Method {
            answer
                .headers_mut()
                .insert(ALLOW, HeaderValue::from_static("GET"));
        }
        closing(answer)
    }
}

/// What clients send as the host of this agent: its address or `localhost`, with or without the port. A name that
/// somebody's page leads here is none of them. The address as nearly every client sends it comes first.
fn own_hosts(address: SocketAddr) -> [String; 4] {
    let port = address.port();
    let ip = match address.ip() {
        IpAddr::V4(ip) => ip.to_string(),
        IpAddr::V6(ip) => format!("[{ip}]"),
    };
    [
        format!("{ip}:{port}"),
        ip,
        format!("localhost:{port}"),
        "localhost".to_owned(),
    ]
}

/// The host, if there is exactly one.
fn host(headers: &HeaderMap) -> Option<&str> {
    let mut hosts = headers.get_all(HOST).iter();
    let host = hosts.next()?.to_str().ok()?;
    hosts.next().is_none().then_some(host)
}

/// The values of a parameter. They are hexadecimal, so nothing has to be decoded.
fn values<'a>(query: &'a str, name: &'a str) -> impl Iterator<Item = &'a str> {
    query.split('&').filter_map(move |pair| {
        let (found, value) = pair.split_once('=')?;
        (found == name).then_some(value)
    })
}

impl std::fmt::Debug for Router {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Router")
            .field("address", &self.address)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hosts_are_address_and_localhost_with_and_without_a_port() {
        assert_eq!(
            own_hosts("127.0.0.1:7373".parse().unwrap()),
            ["127.0.0.1:7373", "127.0.0.1", "localhost:7373", "localhost"]
        );
        assert_eq!(
            own_hosts("[::1]:7373".parse().unwrap()),
            ["[::1]:7373", "[::1]", "localhost:7373", "localhost"]
        );
    }

    #[test]
    fn a_request_has_one_host() {
        let mut headers = HeaderMap::new();
        assert_eq!(host(&headers), None);
        headers.append(HOST, HeaderValue::from_static("localhost"));
        assert_eq!(host(&headers), Some("localhost"));
        headers.append(HOST, HeaderValue::from_static("localhost"));
        assert_eq!(host(&headers), None, "two of them");
    }

    #[test]
    fn a_parameter_is_found_by_its_whole_name() {
        let found = |query: &'static str| values(query, "secret").collect::<Vec<_>>();
        assert_eq!(found("a=1&secret=x"), ["x"]);
        assert_eq!(found("secrets=x&=x&secret&xsecret=x"), [""; 0]);
    }
}
