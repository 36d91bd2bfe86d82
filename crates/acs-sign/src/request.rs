//! The request to be signed.

use std::fmt;

/// A borrowed view of an OpenAPI request, as far as its signature depends on it.
///
/// `Debug` shows no query, header, form field or body: they may be secrets.
///
/// ```
/// use acs_sign::ApiRequest;
///
/// let request = ApiRequest::new("GET", "ecs.aliyuncs.com", "DescribeRegions", "2014-05-26")
///     .query(&[("RegionId", "cn-hangzhou")]);
/// assert_eq!(format!("{request:?}"), "ApiRequest(GET ecs.aliyuncs.com/ DescribeRegions)");
/// ```
#[derive(Clone, Copy)]
pub struct ApiRequest<'a> {
    pub(crate) method: &'a str,
    pub(crate) host: &'a str,
    pub(crate) path: &'a str,
    pub(crate) action: &'a str,
    pub(crate) version: &'a str,
    pub(crate) query: &'a [(&'a str, &'a str)],
    pub(crate) headers: &'a [(&'a str, &'a str)],
    pub(crate) body: Body<'a>,
}

#[derive(Clone, Copy)]
pub(crate) enum Body<'a> {
    Empty,
    Form(&'a [(&'a str, &'a str)]),
    Bytes(&'a [u8]),
    /// Lower-case hex of the SHA-256.
    Hash(&'a str),
}

impl<'a> ApiRequest<'a> {
    /// Creates a request without query, headers and body to the path `/`.
    ///
    /// `host` is the value sent as `Host`, including a port that is not the scheme's default. `action` is the name
    /// of the operation (`AssumeRole`), `version` the date of the API (`2015-04-01`).
    pub fn new(method: &'a str, host: &'a str, action: &'a str, version: &'a str) -> Self {
        Self {
            method,
            host,
            path: "/",
            action,
            version,
            query: &[],
            headers: &[],
            body: Body::Empty,
        }
    }

    /// Sets the path as it is sent, percent-encoded already. Default: `/`. RPC signatures do not cover it.
    #[must_use]
    pub fn path(mut self, path: &'a str) -> Self {
        self.path = path;
        self
    }

    /// Sets the caller's query parameters, not encoded. Default: none.
    #[must_use]
    pub fn query(mut self, query: &'a [(&'a str, &'a str)]) -> Self {
        self.query = query;
        self
    }

    /// Sets the caller's headers. ACS3 signs `content-type` and every `x-acs-*` of them; others may be changed
    /// in transit. RPC signs none. Default: none.
    #[must_use]
    pub fn headers(mut self, headers: &'a [(&'a str, &'a str)]) -> Self {
        self.headers = headers;
        self
    }

    /// Sets the fields of a form body, not encoded. For ACS3, the body sent must be
    /// [`encode_pairs`](crate::encode_pairs) of them, in this order. Replaces another body. Default: none.
    #[must_use]
    pub fn form(mut self, form: &'a [(&'a str, &'a str)]) -> Self {
        self.body = if form.is_empty() {
            Body::Empty
        } else {
            Body::Form(form)
        };
        self
    }

    /// Sets the body, byte for byte. Replaces another body. Default: empty.
    #[must_use]
    pub fn body(mut self, body: &'a [u8]) -> Self {
        self.body = if body.is_empty() {
            Body::Empty
        } else {
            Body::Bytes(body)
        };
        self
    }

    /// Sets the lower-case hex SHA-256 of a body that is not available. Replaces another body. Default: none.
    #[must_use]
    pub fn body_sha256(mut self, hash: &'a str) -> Self {
        self.body = Body::Hash(hash);
        self
    }
}

impl fmt::Debug for ApiRequest<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "ApiRequest({} {}{} {})",
            self.method, self.host, self.path, self.action
        )
    }
}
