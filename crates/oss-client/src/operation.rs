//! A request before it is signed: the same value for every operation.

use std::borrow::Cow;
use std::fmt;

use http::header::RANGE;
use http::request::Parts;
use http::{HeaderMap, HeaderValue, Method, Uri};

use crate::body::Body;
use crate::endpoint::Endpoint;
use crate::error::{Error, InvalidInput};
use crate::request_context::RequestContext;
use crate::validate;

/// Longest URL that the `http` crate takes, in bytes.
const MAX_URI: usize = 65_534;
/// How many headers are added to those of the operation: five by signing, the length, and two by the HTTP stack.
const ADDED: usize = 8;

/// A request of any kind, independent of endpoint, credentials and time.
///
/// Everything that OSS can do has this form, also what this crate has no method for: give it to
/// [`Client::send`](crate::Client::send), or to [`Client::presign`](crate::Client::presign) for a URL. Without bucket
/// it goes to the service itself, as `ListBuckets` does.
///
/// # Examples
///
/// Reading an ACL (`GET /?acl` of a bucket):
///
/// ```no_run
/// use oss_client::Operation;
///
/// # async fn run(client: &oss_client::Client) -> Result<(), oss_client::Error> {
/// let operation = Operation::new("GetBucketAcl", reqwest::Method::GET)
///     .bucket("examplebucket")
///     .query("acl", "");
/// let document = client.send(operation).await?.bytes().await?;
/// println!("{}", String::from_utf8_lossy(&document));
/// # Ok(())
/// # }
/// ```
///
/// Setting tags of an object, with a body:
///
/// ```no_run
/// use oss_client::Operation;
///
/// # async fn run(client: &oss_client::Client) -> Result<(), oss_client::Error> {
/// let tags = "<Tagging><TagSet><Tag><Key>k</Key><Value>v</Value></Tag></TagSet></Tagging>";
/// let operation = Operation::new("PutObjectTagging", reqwest::Method::PUT)
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
    /// As the service calls it, such as `GetObject`.
    pub(crate) name: Cow<'static, str>,
    pub(crate) method: Method,
    pub(crate) bucket: Option<String>,
    pub(crate) key: Option<String>,
    /// Decoded; each name stands once.
    pub(crate) query: Vec<(String, String)>,
    /// Names of parameters that V1 signs besides those that it knows.
    pub(crate) sub_resources: Vec<String>,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Body,
    /// Of which body the service tells the CRC-64.
    pub(crate) crc: Crc,
    /// Whether the response's body is a document, which belongs to the attempt: one that was cut is a failure.
    pub(crate) has_document: bool,
    /// The first thing that was wrong with what the caller set.
    problem: Option<InvalidInput>,
}

/// Of which body the service tells the CRC-64.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Crc {
    None,
    /// Of what was sent.
    Sent,
    /// Of the object that the response brings.
    Received,
}

impl Operation {
    /// An operation by its name, as errors and logs show it, and its method: `GET`, `PUT`, `HEAD`, `POST`, `DELETE`
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
            problem: None,
        }
    }

    /// An operation on an object.
    pub(crate) fn object(name: &'static str, method: Method, bucket: String, key: String) -> Self {
        Self::new(name, method).bucket(bucket).key(key)
    }

    /// The bucket. Default: none, for operations on the service itself.
    pub fn bucket(mut self, name: impl Into<String>) -> Self {
        self.bucket = Some(name.into());
        self
    }

    /// The object's key, as it is: it is encoded here. Needs a bucket. Default: none, for operations on a bucket.
    pub fn key(mut self, key: impl Into<String>) -> Self {
        self.key = Some(key.into());
        self
    }

    /// Adds a query parameter, in place of an earlier one of the same name. An empty value sends the bare name, as
    /// sub-resources such as `acl` want it. One that carries a signature (`x-oss-signature`, `Expires`, …) makes
    /// sending and presigning fail.
    pub fn query(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.set_query(name.into(), value.into());
        self
    }

    /// Adds a query parameter like [`Operation::query`], which V1 also signs. V4 signs every parameter, and V1 those
    /// that `oss-sign` knows as sub-resources: this is for one that is newer than this crate.
    pub fn sub_resource(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        let name = name.into();
        self.sub_resources.push(name.clone());
        self.set_query(name, value.into());
        self
    }

    /// Adds a header, in place of an earlier one of the same name. The value is bytes or text; blanks around it are
    /// cut off. What cannot be sent, is set by the client itself (`Authorization`, `Date`, …) or is about the
    /// connection (`Connection`, `TE`, …) makes sending fail.
    pub fn header(mut self, name: impl AsRef<str>, value: impl AsRef<[u8]>) -> Self {
        self.set_header(name.as_ref(), value.as_ref());
        self
    }

    /// The response is an XML document, to be read by [`Response::xml`](crate::Response::xml). It then belongs to the
    /// attempt: one that was cut, took too long, or is that of an error although the status is 200, is a failure, and
    /// tried again as the policy says. Default: the body is left to the caller.
    pub fn expect_xml(mut self) -> Self {
        self.has_document = true;
        self
    }

    /// What is sent. Default: nothing.
    pub fn body(mut self, body: impl Into<Body>) -> Self {
        self.body = body.into();
        self
    }

    /// The same operation with a body of no bytes.
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
            problem: self.problem.clone(),
        }
    }

    /// Makes sending fail, unless it does for another reason.
    pub(crate) fn refuse(&mut self, problem: InvalidInput) {
        self.problem.get_or_insert(problem);
    }

    pub(crate) fn query_value(&self, name: &str) -> Option<&str> {
        let (_, value) = self.query.iter().find(|(own, _)| own == name)?;
        Some(value)
    }

    /// Sets a header, in place of an earlier one of the same name.
    pub(crate) fn set_header(&mut self, name: &str, value: &[u8]) {
        let added = validate::header(name, value).and_then(|(name, value)| {
            let full = |_| InvalidInput::new("the request has too many headers", "send fewer");
            self.headers.try_insert(name, value).map(drop).map_err(full)
        });
        if let Err(problem) = added {
            self.problem.get_or_insert(problem);
        }
    }

    /// Sets a query parameter, in place of an earlier one of the same name.
    pub(crate) fn set_query(&mut self, name: String, value: String) {
        if let Err(problem) = validate::parameter(&name) {
            self.refuse(problem);
            return;
        }
        self.query.retain(|(own, _)| *own != name);
        self.query.push((name, value));
    }

    /// Sets a header that the caller left out.
    pub(crate) fn default_header(&mut self, name: http::HeaderName, value: &HeaderValue) {
        if !self.headers.contains_key(&name) && self.headers.try_insert(name, value.clone()).is_err() {
            let problem = InvalidInput::new("the request has too many headers", "send fewer");
            self.problem.get_or_insert(problem);
        }
    }

    /// Finds what is wrong before anything is fetched.
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

    /// The URL without query.
    pub(crate) fn url(&self, endpoint: &Endpoint) -> String {
        endpoint.url(self.bucket.as_deref(), self.key.as_deref())
    }

    /// What errors say of this request, as an error outside of any attempt does.
    pub(crate) fn context(&self, endpoint: &Endpoint) -> RequestContext {
        self.context_of(self.url(endpoint), 1)
    }

    /// The same of an attempt, counted from 1. `url` is that of [`Operation::url`].
    pub(crate) fn context_of(&self, url: String, attempt: u32) -> RequestContext {
        RequestContext::new(self.name.clone(), self.method.clone(), url, attempt)
    }

    /// The query's names and values, borrowed.
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
        // reqwest would find this only when it sends.
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

    /// The headers, in a map that need not grow when the request is signed and sent.
    fn headers_with_room(&self) -> HeaderMap {
        let Ok(mut headers) = HeaderMap::try_with_capacity(self.headers.len().saturating_add(ADDED)) else {
            return self.headers.clone();
        };
        // Each name is there once: setting a header replaces an earlier one.
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
        // Values of headers and query may be secrets, such as the keys of server-side encryption.
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
