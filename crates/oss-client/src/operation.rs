//! A request before it is signed: the same value for every operation.

use http::request::Parts;
use http::{HeaderMap, HeaderValue, Method};

use crate::body::Body;
use crate::endpoint::Endpoint;
use crate::error::{Error, Place, Problem};
use crate::validate;

/// What is to be done, independent of endpoint, credentials and time.
#[derive(Debug)]
pub(crate) struct Operation {
    /// As the service calls it, such as `GetObject`.
    pub(crate) name: &'static str,
    pub(crate) method: Method,
    pub(crate) bucket: Option<String>,
    pub(crate) key: Option<String>,
    /// Decoded; each name stands once.
    pub(crate) query: Vec<(String, String)>,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Body,
    /// The first thing that was wrong with what the caller set.
    problem: Option<Problem>,
}

impl Operation {
    /// An operation on an object.
    pub(crate) fn object(name: &'static str, method: Method, bucket: String, key: String) -> Self {
        Self {
            name,
            method,
            bucket: Some(bucket),
            key: Some(key),
            query: Vec::new(),
            headers: HeaderMap::new(),
            body: Body::empty(),
            problem: None,
        }
    }

    /// Sets a header, in place of an earlier one of the same name.
    pub(crate) fn header(&mut self, name: &str, value: &[u8]) {
        let added = validate::header(name, value).and_then(|(name, value)| {
            let full = |_| Problem::new("the request has too many headers", "send fewer");
            self.headers.try_insert(name, value).map(drop).map_err(full)
        });
        if let Err(problem) = added {
            self.problem.get_or_insert(problem);
        }
    }

    /// Sets a query parameter, in place of an earlier one of the same name.
    pub(crate) fn query(&mut self, name: String, value: String) {
        if name.is_empty() {
            let problem = Problem::new("a query parameter has no name", "name it or leave it out");
            self.problem.get_or_insert(problem);
            return;
        }
        self.query.retain(|(own, _)| *own != name);
        self.query.push((name, value));
    }

    /// Sets a header that the caller left out.
    pub(crate) fn default_header(&mut self, name: http::HeaderName, value: &HeaderValue) {
        if !self.headers.contains_key(&name) && self.headers.try_insert(name, value.clone()).is_err() {
            let problem = Problem::new("the request has too many headers", "send fewer");
            self.problem.get_or_insert(problem);
        }
    }

    /// Finds what is wrong before anything is fetched.
    pub(crate) fn check(&self) -> Result<(), Error> {
        let checked = || {
            if let Some(problem) = &self.problem {
                return Err(problem.clone());
            }
            self.bucket.as_deref().map_or(Ok(()), validate::bucket)?;
            self.key.as_deref().map_or(Ok(()), validate::key)
        };
        checked().map_err(Error::InvalidInput)
    }

    /// The URL without query.
    pub(crate) fn url(&self, endpoint: &Endpoint) -> String {
        endpoint.url(self.bucket.as_deref(), self.key.as_deref())
    }

    pub(crate) fn place(&self, endpoint: &Endpoint) -> Place {
        Place {
            operation: self.name,
            request: format!("{} {}", self.method, self.url(endpoint)),
        }
    }

    /// The query's names and values, borrowed.
    pub(crate) fn pairs(&self) -> Vec<(&str, &str)> {
        self.query
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
            .collect()
    }

    /// The request, unsigned.
    pub(crate) fn parts(&self, endpoint: &Endpoint) -> Result<Parts, Problem> {
        let mut url = self.url(endpoint);
        if !self.query.is_empty() {
            url.push('?');
            url.push_str(&oss_sign::encode_query(&self.pairs()));
        }
        let request = http::Request::builder().method(self.method.clone()).uri(url);
        let unusable = |_| {
            Problem::new(
                "the URL is not accepted by the HTTP library",
                "shorten key and query, or correct the endpoint",
            )
        };
        let (mut parts, ()) = request.body(()).map_err(unusable)?.into_parts();
        parts.headers = self.headers.clone();
        Ok(parts)
    }
}
