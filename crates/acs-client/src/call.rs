//! One call: the operation and its parameters.

use std::borrow::Cow;
use std::fmt;
use std::time::Duration;

use oss_credentials_http::HttpMethod;
use zeroize::Zeroizing;

use crate::encode::percent_encode;

const NO_SEGMENT: &str = "a segment of the path is empty, `.` or `..`";

type Text<'a> = Cow<'a, str>;

/// An operation of a product and its parameters.
///
/// `Debug` shows no parameter, header or body.
///
/// # Examples
///
/// ```
/// use acs_client::Call;
/// use oss_credentials_http::HttpMethod;
///
/// let rpc = Call::rpc("DescribeInstances").query("RegionId", "cn-hangzhou").query("PageSize", "10");
/// let roa = Call::roa("DescribeClusterDetail", HttpMethod::Get, "/clusters").segment("c8155823d057948c69a");
/// assert_eq!(format!("{roa:?}"), "Call(DescribeClusterDetail: GET /clusters/c8155823d057948c69a)");
/// ```
#[derive(Clone)]
#[must_use]
pub struct Call<'a> {
    pub(crate) action: Cow<'static, str>,
    pub(crate) is_rpc: bool,
    pub(crate) method: HttpMethod,
    pub(crate) path: Text<'a>,
    pub(crate) query: Vec<(Text<'a>, Text<'a>)>,
    pub(crate) form: Vec<(Text<'a>, Text<'a>)>,
    pub(crate) headers: Vec<(Text<'a>, Text<'a>)>,
    pub(crate) body: Option<Body>,
    pub(crate) deadline: Option<Duration>,
    pub(crate) max_attempts: Option<u32>,
    /// Why the call cannot be made.
    pub(crate) problem: Option<&'static str>,
}

#[derive(Clone)]
pub(crate) struct Body {
    pub(crate) content_type: String,
    pub(crate) bytes: Zeroizing<Vec<u8>>,
}

impl<'a> Call<'a> {
    /// Creates a call of an RPC service: `POST /`, parameters in the query or in a form. Most products have this style.
    pub fn rpc(action: impl Into<Cow<'static, str>>) -> Self {
        Self::new(action.into(), true, HttpMethod::Post, "/".into())
    }

    /// Creates a call of a ROA service, whose operations are paths and methods. `path` is sent as it is, so it must be
    /// percent-encoded already; [`segment`](Self::segment) adds a part that may need encoding. A path without a
    /// leading `/`, with a segment `.` or `..`, or with a `?`, a `#` or a backslash makes the call fail:
    /// [`query`](Self::query) adds parameters.
    pub fn roa(
        action: impl Into<Cow<'static, str>>,
        method: HttpMethod,
        path: impl Into<Cow<'a, str>>,
    ) -> Self {
        let mut call = Self::new(action.into(), false, method, path.into());
        // It follows the host in the URL: `.example.com/` or `@example.com/` would lead to another one.
        if !call.path.is_empty() && !call.path.starts_with('/') {
            call.problem = Some("the path of the call has no leading slash");
        }
        // What follows would be sent as a query, or not at all; a backslash as a slash.
        if call.path.contains(['?', '#', '\\']) {
            call.problem = Some("the path of the call holds a `?`, a `#` or a backslash");
        }
        // HTTP clients leave such segments out after the signature was made.
        let is_dots = |segment: &str| {
            let plain = segment.to_ascii_lowercase().replace("%2e", ".");
            matches!(&*plain, "." | "..")
        };
        if call.path.split('/').any(is_dots) {
            call.problem = Some(NO_SEGMENT);
        }
        call
    }

    fn new(action: Cow<'static, str>, is_rpc: bool, method: HttpMethod, path: Text<'a>) -> Self {
        Self {
            action,
            is_rpc,
            method,
            path,
            query: Vec::new(),
            form: Vec::new(),
            headers: Vec::new(),
            body: None,
            deadline: None,
            max_attempts: None,
            problem: None,
        }
    }

    /// Sets the method. Default: `POST` for RPC.
    pub fn method(mut self, method: HttpMethod) -> Self {
        self.method = method;
        self
    }

    /// Adds a segment to the path: a `/`, and the value percent-encoded. A value that would lead to another path (an
    /// empty one, `.` or `..`) makes the call fail.
    pub fn segment(mut self, value: &str) -> Self {
        if matches!(value, "" | "." | "..") {
            self.problem = Some(NO_SEGMENT);
        }
        let path = self.path.trim_end_matches('/');
        self.path = format!("{path}/{}", percent_encode(value)).into();
        self
    }

    /// Adds a parameter to the query, not encoded. It may appear in logs of proxies: secrets belong in
    /// [`form`](Self::form).
    pub fn query(mut self, name: impl Into<Cow<'a, str>>, value: impl Into<Cow<'a, str>>) -> Self {
        self.query.push((name.into(), value.into()));
        self
    }

    /// Sets a parameter of the query, replacing those of this name.
    pub(crate) fn set_query(&mut self, name: &'static str, value: String) {
        self.query.retain(|(known, _)| known != name);
        self.query.push((name.into(), value.into()));
    }

    /// Adds a field, not encoded, to the form that is the body. It replaces a [`body`](Self::body).
    pub fn form(mut self, name: impl Into<Cow<'a, str>>, value: impl Into<Cow<'a, str>>) -> Self {
        self.body = None;
        self.form.push((name.into(), value.into()));
        self
    }

    /// Adds a header. Those that the signature sets are refused when the call is made.
    pub fn header(mut self, name: impl Into<Cow<'a, str>>, value: impl Into<Cow<'a, str>>) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }

    /// Sets the body, byte for byte, and its `Content-Type`. It replaces a [`form`](Self::form). An RPC signature
    /// cannot cover a body. Default: none.
    pub fn body(mut self, content_type: impl Into<String>, bytes: impl Into<Vec<u8>>) -> Self {
        self.form.clear();
        self.body = Some(Body {
            content_type: content_type.into(),
            bytes: Zeroizing::new(bytes.into()),
        });
        self
    }

    /// Sets the body, as JSON. A value that cannot be serialized makes the call fail.
    #[cfg(feature = "json")]
    pub fn json(mut self, value: &impl serde::Serialize) -> Self {
        let Ok(bytes) = serde_json::to_vec(value) else {
            self.problem = Some("the body cannot be written as JSON");
            return self;
        };
        self.body("application/json; charset=utf-8", bytes)
    }

    /// Sets how long the call may take as a whole: obtaining the credentials, all attempts and the backoff between them.
    /// Default: no limit except those of the attempts.
    ///
    /// The timeout of an attempt's request is at most the time that is left; the HTTP client enforces it. No backoff and
    /// no attempt begins that would exceed the deadline. A credentials provider is not interrupted: if it takes longer,
    /// the call fails afterward and nothing is sent. The time is measured by
    /// [`Clock::monotonic`](oss_credentials_core::Clock::monotonic).
    pub fn deadline(mut self, deadline: Duration) -> Self {
        self.deadline = Some(deadline);
        self
    }

    /// Sets the maximum number of attempts, at least 1, which means no retry. Default: the client's.
    ///
    /// A retried operation may be carried out twice: a server error does not mean that nothing was done. Products that
    /// create something take a parameter `ClientToken` that prevents it.
    pub fn max_attempts(mut self, attempts: u32) -> Self {
        self.max_attempts = Some(attempts.max(1));
        self
    }
}

impl fmt::Debug for Call<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Call({}: {} {})", self.action, self.method, self.path)
    }
}
