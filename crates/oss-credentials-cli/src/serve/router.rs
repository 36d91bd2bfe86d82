//! What a request gets.

use std::net::SocketAddr;

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

/// The address of instance metadata, which the vendor's SDKs send as the host even where they are led elsewhere.
const METADATA_HOST: &str = "100.100.100.200";

/// How many callers are looked up and logged, at once and a second: finding a process takes a millisecond.
const LOGGED: (u32, u32) = (256, 20);
/// How many refusals have a reason and a line in the log, at once and a second.
const REFUSALS: (u32, u32) = (10, 1);

/// Decides what a request gets, and logs who asked.
pub(super) struct Router {
    provider: RefreshingProvider<ChainSource>,
    secret: Secret,
    address: SocketAddr,
    /// The address as nearly every client sends it.
    host: String,
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
            host: address.to_string(),
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
        let is_own = is_host(&request.headers, &self.host) || is_own_host(&request.headers, self.address);
        if !is_own && (metadata.is_none() || !is_host(&request.headers, METADATA_HOST)) {
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
        tracing::info!(target: TRACING_TARGET, caller, left_out, "credentials are asked for");
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

/// Whether the host is this agent's, with or without a port. A name that somebody's page leads here is not.
fn is_own_host(headers: &HeaderMap, address: SocketAddr) -> bool {
    let mut hosts = headers.get_all(HOST).iter();
    let (Some(host), None) = (hosts.next(), hosts.next()) else {
        return false;
    };
    let Ok(host) = host.to_str() else { return false };
    let is_port = |text: &str| text.parse() == Ok(address.port());
    let (name, port) = match host.rsplit_once(':') {
        // The last colon of an IPv6 address is inside the brackets.
        Some((name, port)) if !port.ends_with(']') => (name, Some(port)),
        _ => (host, None),
    };
    let is_name =
        name.eq_ignore_ascii_case("localhost") || name.trim_matches(['[', ']']).parse() == Ok(address.ip());
    is_name && port.is_none_or(is_port)
}

/// Whether there is one host, and it is this. With the [`METADATA_HOST`], a client takes the agent for the service that its
/// library has a fixed address of.
fn is_host(headers: &HeaderMap, wanted: &str) -> bool {
    let mut hosts = headers.get_all(HOST).iter();
    hosts.next().is_some_and(|host| host == wanted) && hosts.next().is_none()
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
    fn the_host_is_checked_with_and_without_a_port() {
        let address = "127.0.0.1:7373".parse().unwrap();
        let is_own = |host: &'static str| {
            let mut headers = HeaderMap::new();
            headers.insert(HOST, HeaderValue::from_static(host));
            is_own_host(&headers, address)
        };
        for host in ["127.0.0.1", "127.0.0.1:7373", "localhost", "LOCALHOST:7373"] {
            assert!(is_own(host), "{host}");
        }
        for host in [
            "",
            "127.0.0.1:80",
            "example.com",
            "example.com:7373",
            "127.0.0.1.example.com",
            "localhost:",
            "[::1]",
        ] {
            assert!(!is_own(host), "{host}");
        }
        assert!(!is_own_host(&HeaderMap::new(), address));
        let mut headers = HeaderMap::new();
        headers.insert(HOST, HeaderValue::from_static("[::1]:7373"));
        assert!(is_own_host(&headers, "[::1]:7373".parse().unwrap()));
        let mut headers = HeaderMap::new();
        headers.append(HOST, HeaderValue::from_static("localhost"));
        headers.append(HOST, HeaderValue::from_static("example.com"));
        assert!(
            !is_own_host(&headers, address) && !is_host(&headers, "localhost"),
            "two of them"
        );
        headers.insert(HOST, HeaderValue::from_static(METADATA_HOST));
        assert!(is_host(&headers, METADATA_HOST) && !is_own_host(&headers, address));
    }

    #[test]
    fn a_parameter_is_found_by_its_whole_name() {
        let found = |query: &'static str| values(query, "secret").collect::<Vec<_>>();
        assert_eq!(found("a=1&secret=x"), ["x"]);
        assert_eq!(found("secrets=x&=x&secret&xsecret=x"), [""; 0]);
    }
}
