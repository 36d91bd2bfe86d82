//! Requests before they are signed.

use std::borrow::Cow;
use std::fmt;

use http::header::RANGE;
use http::request::Parts;
use http::{HeaderMap, HeaderValue, Method, Uri};

use crate::body::Body;
use crate::default_headers;
use crate::endpoint::Endpoint;
use crate::error::{Error, InvalidInput};
use crate::request_context::RequestContext;
use crate::validate;

/// The longest URL that the `http` crate accepts, in bytes.
const MAX_URI: usize = 65_534;
/// How many headers are added to those of the operation: five by signing, the length, and two by the HTTP stack.
const ADDED: usize = 8;

/// Any request to OSS, independent of endpoint, credentials and time.
///
/// An operation can express every request that OSS supports, also those that this crate has no method for. Pass it to
/// [`Client::send`](crate::Client::send), or to [`Client::presign`](crate::Client::presign) for a URL. Without a bucket
/// it is sent to the service itself, like `ListBuckets`.
///
/// # Examples
///
/// Reading an ACL (`GET /?acl` of a bucket):
///
/// ```no_run
/// use oss_client::{Method, Operation};
///
/// # async fn run(client: &oss_client::Client) -> Result<(), oss_client::Error> {
/// let operation = Operation::new("GetBucketAcl", Method::GET)
///     .bucket("examplebucket")
///     .query("acl", "");
/// let document = client.send(operation).await?.bytes().await?;
/// println!("{}", String::from_utf8_lossy(&document));
/// # Ok(())
/// # }
/// ```
///
/// Setting the tags of an object, with a body:
///
/// ```no_run
/// use oss_client::{Method, Operation};
///
/// # async fn run(client: &oss_client::Client) -> Result<(), oss_client::Error> {
/// let tags = "<Tagging><TagSet><Tag><Key>k</Key><Value>v</Value></Tag></TagSet></Tagging>";
/// let operation = Operation::new("PutObjectTagging", Method::PUT)
///     .bucket("examplebucket")
///     .key("report.pdf")
///     .query("tagging", "")
///     .header("content-type", "application/xml")
///     .body(tags);
/// client.send(operation).await?;
/// # Ok(())
/// # }
/// ```
#[must_use = "nothing is sent before it is given to a client"]
pub struct Operation {
    /// The service's name for it, such as `GetObject`.
    pub(crate) name: Cow<'static, str>,
    pub(crate) method: Method,
    pub(crate) bucket: Option<String>,
    pub(crate) key: Option<String>,
    /// Decoded; each name occurs once.
    pub(crate) query: Vec<(String, String)>,
    /// Names of parameters that V1 signs in addition to those it knows.
    pub(crate) sub_resources: Vec<String>,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Body,
    /// The body for which the service reports the CRC-64.
    pub(crate) crc: Crc,
    /// Whether the response's body is a document that is part of the attempt: a truncated document is a failed attempt.
    pub(crate) has_document: bool,
    /// Whether headers of the client are added: not where the operation was made from one that has them.
    pub(crate) takes_defaults: bool,
    /// The first problem in what the caller set.
    problem: Option<InvalidInput>,
}

/// The body for which the service reports the CRC-64.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Crc {
    None,
    /// The body that was sent.
    Sent,
    /// The object in the response.
    Received,
}

impl Operation {
    /// An operation with its name, as shown in errors and logs, and its method: `GET`, `PUT`, `HEAD`, `POST`, `DELETE`
    /// or `OPTIONS`.
    pub fn new(name: impl Into<Cow<'static, str>>, method: Method) -> Self {
        Self {
            name: name.into(),
            method,
            bucket: None,
            key: None,
            query: Vec::new(),
            sub_resources: Vec::new(),
            headers: HeaderMap::new(),
            body: Body::empty(),
            crc: Crc::None,
            has_document: false,
            takes_defaults: true,
            problem: None,
        }
    }

    /// An operation on an object.
    pub(crate) fn object(name: &'static str, method: Method, bucket: String, key: String) -> Self {
        Self::new(name, method).bucket(bucket).key(key)
    }

    /// Sets the bucket. Default: none, for operations on the service itself.
    pub fn bucket(mut self, name: impl Into<String>) -> Self {
        self.bucket = Some(name.into());
        self
    }

    /// Sets the object's key, not encoded: this crate encodes it. Needs a bucket. Default: none, for operations on a
    /// bucket.
    pub fn key(mut self, key: impl Into<String>) -> Self {
        self.key = Some(key.into());
        self
    }

    /// Adds a query parameter, or replaces an earlier one of the same name. With an empty value only the name is sent,
    /// as sub-resources such as `acl` require. A parameter that carries a signature (`x-oss-signature`, `Expires`, …)
    /// makes sending and presigning fail.
    pub fn query(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.set_query(name.into(), value.into());
        self
    }

    /// Adds a query parameter like [`Operation::query`] that V1 signs, too. V4 signs every parameter; V1 signs only
    /// those that `oss-sign` knows as sub-resources. Use this for a sub-resource that is newer than this crate.
    pub fn sub_resource(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        let name = name.into();
        self.sub_resources.push(name.clone());
        self.set_query(name, value.into());
        self
    }

    /// Adds a header, or replaces an earlier one of the same name. The value is bytes or text; whitespace around it is
    /// removed. Sending fails for a header that cannot be sent, that the client sets itself (`Authorization`, `Date`,
    /// …) or that concerns the connection (`Connection`, `TE`, …).
    pub fn header(mut self, name: impl AsRef<str>, value: impl AsRef<[u8]>) -> Self {
        self.set_header(name.as_ref(), value.as_ref());
        self
    }

    /// Declares that the response is an XML document, to be read by [`Response::xml`](crate::Response::xml). The
    /// document is then part of the attempt: if it is truncated, takes too long, or is an error document with status
    /// 200, the attempt has failed, and the policy decides about a retry. By default the body is left to the caller.
    pub fn expect_xml(mut self) -> Self {
        self.has_document = true;
        self
    }

    /// Sets the body to send. Default: none.
    pub fn body(mut self, body: impl Into<Body>) -> Self {
        self.body = body.into();
        self
    }

    /// The same operation with an empty body.
    pub(crate) fn without_body(&self) -> Self {
        Self {
            name: self.name.clone(),
            method: self.method.clone(),
            bucket: self.bucket.clone(),
            key: self.key.clone(),
            query: self.query.clone(),
            sub_resources: self.sub_resources.clone(),
            headers: self.headers.clone(),
            body: Body::empty(),
            crc: self.crc,
            has_document: self.has_document,
            takes_defaults: self.takes_defaults,
            problem: self.problem.clone(),
        }
    }

    /// Makes sending fail with this problem, unless there is an earlier one.
    pub(crate) fn refuse(&mut self, problem: InvalidInput) {
        self.problem.get_or_insert(problem);
    }

    pub(crate) fn query_value(&self, name: &str) -> Option<&str> {
        let (_, value) = self.query.iter().find(|(own, _)| own == name)?;
        Some(value)
    }

    /// Sets a header, or replaces an earlier one of the same name.
    pub(crate) fn set_header(&mut self, name: &str, value: &[u8]) {
        match validate::header(name, value) {
            Ok((name, value)) => self.insert_header(name, value),
            Err(problem) => self.refuse(problem),
        }
    }

    fn insert_header(&mut self, name: http::HeaderName, value: HeaderValue) {
        if self.headers.try_insert(name, value).is_err() {
            self.refuse(InvalidInput::new(
                "the request has too many headers",
                "send fewer",
            ));
        }
    }

    /// Sets a query parameter, or replaces an earlier one of the same name.
    pub(crate) fn set_query(&mut self, name: String, value: String) {
        if let Err(problem) = validate::parameter(&name) {
            self.refuse(problem);
            return;
        }
        self.query.retain(|(own, _)| *own != name);
        self.query.push((name, value));
    }

    /// Takes the headers of the client that belong to this operation, but for those that it sets itself.
    pub(crate) fn with_defaults(&mut self, headers: &HeaderMap) {
        for (name, value) in headers {
            if self.takes_defaults && default_headers::belongs(name, &self.name) {
                self.default_header(name.clone(), value);
            }
        }
    }

    /// Sets a header that the caller did not set.
    pub(crate) fn default_header(&mut self, name: http::HeaderName, value: &HeaderValue) {
        if !self.headers.contains_key(&name) {
            self.insert_header(name, value.clone());
        }
    }

    /// Checks everything that can be checked before anything is fetched.
    pub(crate) fn check(&self, endpoint: &Endpoint) -> Result<(), Error> {
        let checked = || {
            if let Some(problem) = &self.problem {
                return Err(problem.clone());
            }
            validate::method(&self.method)?;
            if let Some(bucket) = self.bucket.as_deref() {
                validate::bucket(bucket)?;
                endpoint.check(bucket)?;
            }
            self.key.as_deref().map_or(Ok(()), validate::key)?;
            if self.key.is_some() && self.bucket.is_none() {
                return Err(InvalidInput::new(
                    "the operation has a key and no bucket",
                    "name the bucket, also for a custom domain",
                ));
            }
            self.headers.get(RANGE).map_or(Ok(()), validate::range)
        };
        checked().map_err(Error::InvalidInput)
    }

    /// The URL without its query.
    pub(crate) fn url(&self, endpoint: &Endpoint) -> String {
        endpoint.url(self.bucket.as_deref(), self.key.as_deref())
    }

    /// What errors say about this request if they happen outside of an attempt.
    pub(crate) fn context(&self, endpoint: &Endpoint) -> RequestContext {
        self.context_of(self.url(endpoint), 1)
    }

    /// What errors say about an attempt, counted from 1. `url` is that of [`Operation::url`].
    pub(crate) fn context_of(&self, url: String, attempt: u32) -> RequestContext {
        RequestContext::new(self.name.clone(), self.method.clone(), url, attempt)
    }

    /// The names and values of the query, borrowed.
    pub(crate) fn pairs(&self) -> Vec<(&str, &str)> {
        self.query
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
            .collect()
    }

    /// The request without body, unsigned, from the URL that [`Operation::url`] gives, which is the same afterwards. It
    /// is parsed once: the URI that the signer gets holds only what is signed of it, which is the query.
    pub(crate) fn unsigned(&self, url: &mut String) -> Result<(reqwest::Url, Parts), InvalidInput> {
        let unusable = || {
            InvalidInput::new(
                "the URL is not accepted by the HTTP library",
                "shorten key and query, or correct the endpoint",
            )
        };
        let mut uri = Uri::default();
        let end = url.len();
        if !self.query.is_empty() {
            url.push('?');
            url.push_str(&oss_sign::encode_query(&self.pairs()));
            let query = format!("/{}", url.get(end..).unwrap_or_default());
            uri = Uri::try_from(query).map_err(|_| unusable())?;
        }
        // reqwest would only detect this when it sends the request.
        if url.len() > MAX_URI {
            return Err(unusable());
        }
        let parsed = reqwest::Url::parse(url).map_err(|_| unusable())?;
        url.truncate(end);
        let (mut parts, ()) = http::Request::new(()).into_parts();
        parts.method = self.method.clone();
        parts.uri = uri;
        parts.headers = self.headers_with_room();
        Ok((parsed, parts))
    }

    /// The headers, in a map with room for those that signing and sending add.
    fn headers_with_room(&self) -> HeaderMap {
        let Ok(mut headers) = HeaderMap::try_with_capacity(self.headers.len().saturating_add(ADDED)) else {
            return self.headers.clone();
        };
        // Each name occurs once: setting a header replaces an earlier one.
        for (name, value) in &self.headers {
            if headers.try_insert(name.clone(), value.clone()).is_err() {
                return self.headers.clone();
            }
        }
        headers
    }
}

impl fmt::Debug for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The values of headers and query may be secrets, such as the keys of server-side encryption.
        let query: Vec<_> = self.query.iter().map(|(name, _)| name).collect();
        let headers: Vec<_> = self.headers.keys().collect();
        f.debug_struct("Operation")
            .field("name", &self.name)
            .field("method", &self.method)
            .field("bucket", &self.bucket)
            .field("key", &self.key)
            .field("query", &query)
            .field("headers", &headers)
            .field("body", &self.body)
            .finish_non_exhaustive()
    }
}
