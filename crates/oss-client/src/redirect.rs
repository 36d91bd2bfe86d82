//! Follows redirects without sending a signature or token to another server.

use http::header::{
    ACCEPT, ACCEPT_ENCODING, ACCEPT_LANGUAGE, IF_MATCH, IF_MODIFIED_SINCE, IF_NONE_MATCH,
    IF_UNMODIFIED_SINCE, LOCATION, RANGE, USER_AGENT,
};
use http::{HeaderName, Method};
use reqwest::Url;
use reqwest::header::HeaderMap;

/// All headers that another server may get. This is a list of what is allowed, because a list of what is forbidden is
/// never complete.
const FOR_ANYBODY: [HeaderName; 9] = [
    ACCEPT,
    ACCEPT_ENCODING,
    ACCEPT_LANGUAGE,
    IF_MATCH,
    IF_MODIFIED_SINCE,
    IF_NONE_MATCH,
    IF_UNMODIFIED_SINCE,
    RANGE,
    USER_AGENT,
];

/// A request that is being redirected.
pub(crate) struct Hops {
    left: u32,
    method: Method,
    url: Url,
    headers: HeaderMap,
    cross_origin: bool,
}

/// Whether redirects of this request are followed.
pub(crate) fn may_follow(request: &reqwest::Request, limit: u32) -> bool {
    // They have no body, and are harmless if the other server is not OSS.
    let harmless = matches!(*request.method(), Method::GET | Method::HEAD);
    limit > 0 && harmless && request.body().is_none_or(is_empty)
}

/// Whether the response is a redirect.
pub(crate) fn is_one(response: &reqwest::Response) -> bool {
    matches!(response.status().as_u16(), 301 | 302 | 303 | 307 | 308)
}

impl Hops {
    /// Starts with a request that led to a redirect, as it was sent.
    pub(crate) fn of(mut request: reqwest::Request, limit: u32) -> Self {
        Self {
            left: limit,
            method: request.method().clone(),
            headers: std::mem::take(request.headers_mut()),
            url: request.url().clone(),
            cross_origin: false,
        }
    }

    /// Whether the last request went to, or through, a server other than the first one.
    pub(crate) fn is_cross_origin(&self) -> bool {
        self.cross_origin
    }

    /// The request that this response redirects to; `None` if this is the last response.
    pub(crate) fn follow(&mut self, response: &reqwest::Response) -> Option<reqwest::Request> {
        self.left = self.left.checked_sub(1)?;
        if !is_one(response) {
            return None;
        }
        let location = response.headers().get(LOCATION)?.to_str().ok()?;
        let url = self.url.join(location).ok()?;
        let is_allowed = match url.scheme() {
            "https" => true,
            "http" => self.url.scheme() == "http",
            _ => false,
        };
        // reqwest would turn a user name into a header.
        if !is_allowed || !url.username().is_empty() || url.password().is_some() {
            return None;
        }
        if !same_server(&self.url, &url) {
            self.cross_origin = true;
            let mut kept = HeaderMap::new();
            for name in FOR_ANYBODY {
                if let Some(value) = self.headers.remove(&name) {
                    kept.insert(name, value);
                }
            }
            self.headers = kept;
        }
        self.url = url.clone();
        let mut request = reqwest::Request::new(self.method.clone(), url);
        request.headers_mut().clone_from(&self.headers);
        Some(request)
    }
}

fn is_empty(body: &reqwest::Body) -> bool {
    body.as_bytes().is_some_and(<[u8]>::is_empty)
}

/// The same host and port, or the same host with https instead of http.
fn same_server(from: &Url, to: &Url) -> bool {
    from.host() == to.host()
        && (from.port_or_known_default() == to.port_or_known_default()
            || (from.scheme() == "http" && from.port().is_none() && to.port().is_none()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn servers_are_told_apart_by_host_and_port() {
        for (from, to, expected) in [
            ("http://a.example/x", "http://a.example/y", true),
            ("http://a.example", "https://a.example", true),
            ("https://a.example", "https://a.example:443/z", true),
            ("http://a.example", "http://b.example", false),
            ("http://a.example", "http://a.example.evil.example", false),
            ("http://a.example:80", "http://a.example:8080", false),
            ("http://a.example:8080", "https://a.example", false),
            ("http://a.example", "https://a.example:8443", false),
            ("http://127.0.0.1:1", "http://127.0.0.1:2", false),
        ] {
            let parse = |url: &str| Url::parse(url).unwrap();
            assert_eq!(same_server(&parse(from), &parse(to)), expected, "{from} {to}");
        }
    }
}
