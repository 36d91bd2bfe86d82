//! A request and its response, in our own types, so that no HTTP library's version is part of the API.

use std::fmt;
use std::time::Duration;

use zeroize::Zeroizing;

use oss_credentials_core::text::without_secrets;

/// Maximum size of a response body, in bytes: 1 MiB. Responses with credentials have a few kilobytes.
pub const MAX_BODY: usize = 1024 * 1024;

/// 2015-01-01 and 2200-01-01, in Unix seconds.
#[cfg(feature = "chrono")]
const EARLIEST_DATE: u64 = 1_420_070_400;
#[cfg(feature = "chrono")]
const LATEST_DATE: u64 = 7_258_118_400;

/// The methods that credential protocols and OpenAPI calls use.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum HttpMethod {
    /// `GET`
    Get,
    /// `POST`
    Post,
    /// `PUT`
    Put,
    /// `DELETE`
    Delete,
    /// `PATCH`
    Patch,
}

impl HttpMethod {
    /// Returns the method's name in upper case.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
            Self::Put => "PUT",
            Self::Delete => "DELETE",
            Self::Patch => "PATCH",
        }
    }
}

impl fmt::Display for HttpMethod {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A complete request: nothing may be added to it except what HTTP itself requires (`Host`, `Content-Length`).
///
/// `Debug` shows method and URL without query; header values and the body are never shown.
///
/// ```
/// use std::time::Duration;
/// use oss_credentials_http::HttpRequest;
///
/// let request = HttpRequest::get("http://100.100.100.200/latest/meta-data/")
///     .with_header("accept", "text/plain")
///     .with_timeout(Duration::from_secs(1));
/// assert_eq!(request.header("Accept"), Some("text/plain"));
/// ```
#[derive(Clone)]
pub struct HttpRequest {
    method: HttpMethod,
    url: Zeroizing<String>,
    headers: Vec<(String, Zeroizing<String>)>,
    body: Zeroizing<Vec<u8>>,
    connect_timeout: Duration,
    timeout: Duration,
}

impl HttpRequest {
    /// Default of [`HttpRequest::connect_timeout`].
    pub const DEFAULT_CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
    /// Default of [`HttpRequest::timeout`].
    pub const DEFAULT_TIMEOUT: Duration = Duration::from_secs(10);

    /// Creates a request with this method to this absolute URL.
    pub fn new(method: HttpMethod, url: impl Into<String>) -> Self {
        Self {
            method,
            url: Zeroizing::new(url.into()),
            headers: Vec::new(),
            body: Zeroizing::new(Vec::new()),
            connect_timeout: Self::DEFAULT_CONNECT_TIMEOUT,
            timeout: Self::DEFAULT_TIMEOUT,
        }
    }

    /// Creates a `GET` request.
    pub fn get(url: impl Into<String>) -> Self {
        Self::new(HttpMethod::Get, url)
    }

    /// Creates a `POST` request.
    pub fn post(url: impl Into<String>) -> Self {
        Self::new(HttpMethod::Post, url)
    }

    /// Creates a `PUT` request.
    pub fn put(url: impl Into<String>) -> Self {
        Self::new(HttpMethod::Put, url)
    }

    /// Adds a header.
    #[must_use]
    pub fn with_header(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.headers.push((name.into(), Zeroizing::new(value.into())));
        self
    }

    /// Sets the body. Default: empty.
    #[must_use]
    pub fn with_body(mut self, body: Vec<u8>) -> Self {
        self.body = Zeroizing::new(body);
        self
    }

    /// Sets how long making the connection may take. Default: 5 s.
    #[must_use]
    pub fn with_connect_timeout(mut self, timeout: Duration) -> Self {
        self.connect_timeout = timeout;
        self
    }

    /// Sets how long the whole exchange may take, including the connection. Default: 10 s.
    #[must_use]
    pub fn with_timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// Returns the method.
    pub fn method(&self) -> HttpMethod {
        self.method
    }

    /// Returns the absolute URL, including the query. Do not log it.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Returns the headers, in the order they were added. Values may be secrets.
    pub fn headers(&self) -> impl Iterator<Item = (&str, &str)> {
        self.headers
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// Returns the first value of a header; the case of the name does not matter.
    pub fn header(&self, name: &str) -> Option<&str> {
        find(self.headers(), name)
    }

    /// Returns the body. It may be a secret.
    pub fn body(&self) -> &[u8] {
        &self.body
    }

    /// Returns how long making the connection may take.
    pub fn connect_timeout(&self) -> Duration {
        self.connect_timeout
    }

    /// Returns how long the whole exchange may take, including the connection.
    pub fn timeout(&self) -> Duration {
        self.timeout
    }
}

impl fmt::Debug for HttpRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "HttpRequest({} {})", self.method, without_secrets(&self.url))
    }
}

/// A response. Its body is overwritten in memory when it is dropped.
///
/// `Debug` shows the status and the body's length.
///
/// ```
/// use oss_credentials_http::HttpResponse;
///
/// let response = HttpResponse::new(404, b"not here".to_vec()).with_header("Content-Type", "text/plain");
/// assert_eq!(response.status(), 404);
/// assert_eq!(response.header("content-type"), Some("text/plain"));
/// ```
#[derive(Clone)]
pub struct HttpResponse {
    status: u16,
    /// A `Location` may be signed.
    headers: Vec<(String, Zeroizing<String>)>,
    body: Zeroizing<Vec<u8>>,
}

impl HttpResponse {
    /// Creates a response with this status and body.
    pub fn new(status: u16, body: Vec<u8>) -> Self {
        Self {
            status,
            headers: Vec::new(),
            body: Zeroizing::new(body),
        }
    }

    /// Adds a header.
    #[must_use]
    pub fn with_header(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.headers.push((name.into(), Zeroizing::new(value.into())));
        self
    }

    /// Returns the status code.
    pub fn status(&self) -> u16 {
        self.status
    }

    /// Returns whether the status is 200 to 299.
    pub fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }

    /// Returns the headers, in the order they arrived.
    pub fn headers(&self) -> impl Iterator<Item = (&str, &str)> {
        self.headers
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// Returns the first value of a header; the case of the name does not matter.
    pub fn header(&self, name: &str) -> Option<&str> {
        find(self.headers(), name)
    }

    /// Returns the body. It may contain keys.
    pub fn body(&self) -> &[u8] {
        &self.body
    }

    /// Returns the offset between the server's clock and the local one, by the response's `Date` header.
    ///
    /// The header is assumed to show the middle between `sent` and `received`. `None` if it is missing,
    /// unreadable or outside the years 2015 to 2199, or if an `Age` header shows that the response comes from a
    /// cache: then the date is old.
    #[cfg(feature = "chrono")]
    pub fn clock_offset(
        &self,
        sent: std::time::SystemTime,
        received: std::time::SystemTime,
    ) -> Option<oss_credentials_core::ClockOffset> {
        if self.header("age").is_some() {
            return None;
        }
        let service = crate::date::http_date(self.header("date")?)?;
        // A date before the service existed, or after the expiry of every certificate, is not a clock's.
        let since_epoch = service.duration_since(std::time::SystemTime::UNIX_EPOCH).ok()?;
        if !(EARLIEST_DATE..LATEST_DATE).contains(&since_epoch.as_secs()) {
            return None;
        }
        crate::ServiceClock::measure(service, sent, received)
    }
}

impl fmt::Debug for HttpResponse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "HttpResponse({}, {} bytes)", self.status, self.body.len())
    }
}

fn find<'a>(mut headers: impl Iterator<Item = (&'a str, &'a str)>, name: &str) -> Option<&'a str> {
    headers
        .find(|(candidate, _)| candidate.eq_ignore_ascii_case(name))
        .map(|(_, value)| value)
}

#[cfg(feature = "http")]
mod convert {
    use zeroize::Zeroizing;

    use super::{HttpRequest, HttpResponse};
    use crate::{HttpError, HttpErrorKind};

    impl TryFrom<HttpRequest> for http::Request<Vec<u8>> {
        type Error = HttpError;

        /// Header values are flagged sensitive, so that `http`'s own `Debug` hides them. The timeouts have
        /// no place in the target: read them first.
        fn try_from(request: HttpRequest) -> Result<Self, HttpError> {
            let bad = |error: http::Error| HttpError::new(HttpErrorKind::Request, error);
            let mut target = http::Request::builder()
                .method(request.method.as_str())
                .uri(request.url.as_str());
            for (name, value) in request.headers() {
                let mut value =
                    http::HeaderValue::from_str(value).map_err(|error| bad(http::Error::from(error)))?;
                value.set_sensitive(true);
                target = target.header(name, value);
            }
            target.body(request.body.to_vec()).map_err(bad)
        }
    }

    impl From<http::Response<Vec<u8>>> for HttpResponse {
        /// Header values that are not visible ASCII are left out.
        fn from(response: http::Response<Vec<u8>>) -> Self {
            let (parts, body) = response.into_parts();
            let headers = parts.headers.iter().filter_map(|(name, value)| {
                Some((
                    name.as_str().to_owned(),
                    Zeroizing::new(value.to_str().ok()?.to_owned()),
                ))
            });
            HttpResponse {
                headers: headers.collect(),
                ..HttpResponse::new(parts.status.as_u16(), body)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_shows_no_query_header_or_body() {
        let request = HttpRequest::post("https://user:canary@sts.aliyuncs.com/?SecurityToken=canary")
            .with_header("authorization", "canary")
            .with_body(b"canary".to_vec());
        assert_eq!(
            format!("{request:?}"),
            "HttpRequest(POST https://sts.aliyuncs.com/)"
        );
        let response = HttpResponse::new(200, b"canary".to_vec()).with_header("x", "canary");
        assert_eq!(format!("{response:?}"), "HttpResponse(200, 6 bytes)");
    }

    #[cfg(feature = "chrono")]
    #[test]
    fn the_offset_is_measured_at_the_middle_of_the_exchange() {
        use std::time::SystemTime;
        let sent = SystemTime::UNIX_EPOCH + Duration::from_secs(1_767_256_193);
        let received = sent + Duration::from_secs(4);
        let response = HttpResponse::new(200, vec![]).with_header("Date", "Thu, 01 Jan 2026 08:30:00 GMT");
        // That date is 1767256200, the middle is 1767256195.
        assert_eq!(response.clock_offset(sent, received).unwrap().as_secs(), 5);
        assert_eq!(
            response
                .clone()
                .with_header("Age", "9")
                .clock_offset(sent, received),
            None
        );
        assert_eq!(HttpResponse::new(200, vec![]).clock_offset(sent, received), None);
        for absurd in ["Thu, 01 Jan 1970 00:00:00 GMT", "Wed, 01 Jan 2200 00:00:00 GMT"] {
            let response = HttpResponse::new(200, vec![]).with_header("Date", absurd);
            assert_eq!(response.clock_offset(sent, received), None, "{absurd}");
        }
        let garbage = HttpResponse::new(200, vec![]).with_header("Date", "yesterday");
        assert_eq!(garbage.clock_offset(sent, received), None);
    }

    #[cfg(feature = "http")]
    #[test]
    fn requests_and_responses_convert() {
        let request = HttpRequest::put("http://127.0.0.1/x?y=z").with_header("a", "canary");
        let converted = http::Request::try_from(request.with_body(b"b".to_vec())).unwrap();
        assert_eq!(converted.method(), "PUT");
        assert_eq!(converted.uri(), "http://127.0.0.1/x?y=z");
        assert_eq!(converted.headers()["a"], "canary");
        assert!(!format!("{converted:?}").contains("canary"));
        assert!(http::Request::try_from(HttpRequest::get("http://h/").with_header("a", "\n")).is_err());
        let response = http::Response::builder()
            .status(418)
            .header("k", "v")
            .body(b"t".to_vec())
            .unwrap();
        let response = HttpResponse::from(response);
        assert_eq!(
            (response.status(), response.header("K"), response.body()),
            (418, Some("v"), &b"t"[..])
        );
    }
}
