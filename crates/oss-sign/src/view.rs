//! A borrowed view of the request to sign.

use std::fmt;

use crate::SignError;
use crate::encode::{Text, TextSink, split_query};
use crate::error::shown;

/// A borrowed view of the request to sign. Nothing is copied.
///
/// Bucket and key are the logical names, decoded; the signature is made from them and never from host or path
/// of the URL, so it does not matter whether the host contains the bucket.
///
/// # Examples
///
/// ```
/// use oss_sign::RequestView;
///
/// let headers: [(&str, &[u8]); 1] = [("Content-Type", b"text/plain")];
/// let key = format!("a b/{}.txt", "c");
/// let view = RequestView::new("PUT")
///     .bucket("examplebucket")
///     .key(&key)
///     .query(&[("partNumber", "7"), ("uploadId", "0004B98")])
///     .headers(&headers);
/// assert_eq!(view.method(), "PUT");
/// ```
#[derive(Clone, Copy)]
pub struct RequestView<'a> {
    method: &'a str,
    bucket: Option<&'a str>,
    key: Option<&'a str>,
    query: Query<'a>,
    headers: Headers<'a>,
}

/// A bucket or a key, borrowed from a `&str`, a `&String` or an `Option<&str>`. An empty one counts as none.
#[derive(Clone, Copy, Debug)]
pub struct Name<'a>(Option<&'a str>);

impl<'a> From<Option<&'a str>> for Name<'a> {
    fn from(name: Option<&'a str>) -> Self {
        Self(name.filter(|name| !name.is_empty()))
    }
}

impl<'a> From<&'a str> for Name<'a> {
    fn from(name: &'a str) -> Self {
        Some(name).into()
    }
}

impl<'a> From<&'a String> for Name<'a> {
    fn from(name: &'a String) -> Self {
        Some(name.as_str()).into()
    }
}

#[derive(Clone, Copy)]
enum Query<'a> {
    Pairs(&'a [(&'a str, &'a str)]),
    Encoded(&'a str),
}

impl<'a> RequestView<'a> {
    /// Creates a request without bucket, key, query and headers, such as the listing of all buckets.
    pub fn new(method: &'a str) -> Self {
        Self {
            method,
            bucket: None,
            key: None,
            query: Query::Pairs(&[]),
            headers: Headers::default(),
        }
    }

    /// Sets the bucket. An empty one counts as none. Default: none, a request to the service.
    #[must_use]
    pub fn bucket(mut self, bucket: impl Into<Name<'a>>) -> Self {
        self.bucket = bucket.into().0;
        self
    }

    /// Sets the key, raw: not percent-encoded, not normalized. An empty one counts as none. Default: none, a request to
    /// the bucket.
    #[must_use]
    pub fn key(mut self, key: impl Into<Name<'a>>) -> Self {
        self.key = key.into().0;
        self
    }

    /// Sets all query parameters, decoded, in any order. A parameter without value has the value `""`. Default:
    /// none.
    #[must_use]
    pub fn query(mut self, pairs: &'a [(&'a str, &'a str)]) -> Self {
        self.query = Query::Pairs(pairs);
        self
    }

    /// Sets the query as it appears in the URL, without `?`; replaces [`RequestView::query`]. It is decoded, and
    /// encoded again for the signature.
    #[must_use]
    pub fn encoded_query(mut self, query: &'a str) -> Self {
        self.query = Query::Encoded(query);
        self
    }

    /// Sets the current headers of the request: `&[(&str, &[u8])]`, or `&http::HeaderMap` with the feature
    /// `http`. Names are compared without regard to case. Default: none.
    #[must_use]
    pub fn headers(mut self, headers: impl Into<Headers<'a>>) -> Self {
        self.headers = headers.into();
        self
    }

    /// Returns the method as given.
    pub fn method(&self) -> &'a str {
        self.method
    }

    pub(crate) fn resource(&self) -> Result<(Option<&'a str>, Option<&'a str>), SignError> {
        match (self.bucket, self.key) {
            (None, Some(_)) => Err(SignError::KeyWithoutBucket),
            resource => Ok(resource),
        }
    }

    pub(crate) fn each_parameter(&self, mut take: impl FnMut(Text<'a>, Text<'a>)) -> Result<(), SignError> {
        match self.query {
            Query::Pairs(pairs) => {
                for (name, value) in pairs {
                    take(Text::Plain(name), Text::Plain(value));
                }
            }
            Query::Encoded(query) => {
                for (name, value) in split_query(query) {
                    take(Text::from_encoded(name)?, Text::from_encoded(value)?);
                }
            }
        }
        Ok(())
    }

    pub(crate) fn header_source(&self) -> Headers<'a> {
        self.headers
    }
}

impl fmt::Debug for RequestView<'_> {
    /// Leaves out query and headers, which may contain a signature or a token.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RequestView")
            .field("method", &self.method)
            .field("bucket", &self.bucket)
            .field("key", &self.key)
            .finish_non_exhaustive()
    }
}

/// Borrowed request headers; converted by `into()` from the types that [`RequestView::headers`] accepts.
#[derive(Clone, Copy)]
pub struct Headers<'a>(Source<'a>);

#[derive(Clone, Copy)]
enum Source<'a> {
    Pairs(&'a [(&'a str, &'a [u8])]),
    #[cfg(feature = "http")]
    Map(&'a http::HeaderMap),
}

impl<'a> Headers<'a> {
    /// Hands over each header whose name `wanted` accepts, its value trimmed.
    pub(crate) fn each(
        self,
        wanted: impl Fn(&str) -> bool,
        mut take: impl FnMut(&'a str, &'a [u8]),
    ) -> Result<(), SignError> {
        match self.0 {
            Source::Pairs(pairs) => {
                for (name, value) in pairs.iter().filter(|(name, _)| wanted(name)) {
                    if !is_token(name) || value.iter().copied().any(is_forbidden) {
                        return Err(SignError::InvalidHeader {
                            name: shown(name.as_bytes()),
                        });
                    }
                    take(name, value.trim_ascii());
                }
            }
            // Names and values in a map were checked when they were made.
            #[cfg(feature = "http")]
            Source::Map(map) => {
                for (name, value) in map {
                    if wanted(name.as_str()) {
                        take(name.as_str(), value.as_bytes().trim_ascii());
                    }
                }
            }
        }
        Ok(())
    }
}

impl Default for Headers<'_> {
    fn default() -> Self {
        Self(Source::Pairs(&[]))
    }
}

impl fmt::Debug for Headers<'_> {
    /// Shows nothing: a header may contain a token.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Headers").finish_non_exhaustive()
    }
}

impl<'a> From<&'a [(&'a str, &'a [u8])]> for Headers<'a> {
    fn from(pairs: &'a [(&'a str, &'a [u8])]) -> Self {
        Self(Source::Pairs(pairs))
    }
}

impl<'a, const N: usize> From<&'a [(&'a str, &'a [u8]); N]> for Headers<'a> {
    fn from(pairs: &'a [(&'a str, &'a [u8]); N]) -> Self {
        Self(Source::Pairs(pairs))
    }
}

impl<'a> From<&'a Vec<(&'a str, &'a [u8])>> for Headers<'a> {
    fn from(pairs: &'a Vec<(&'a str, &'a [u8])>) -> Self {
        Self(Source::Pairs(pairs))
    }
}

#[cfg(feature = "http")]
impl<'a> From<&'a http::HeaderMap> for Headers<'a> {
    fn from(map: &'a http::HeaderMap) -> Self {
        Self(Source::Map(map))
    }
}

/// Writes the method in upper case.
pub(crate) fn put_method(out: &mut impl TextSink, view: &RequestView<'_>) {
    let method = view.method();
    if method.bytes().any(|byte| byte.is_ascii_lowercase()) {
        out.put_str(&method.to_ascii_uppercase());
    } else {
        out.put_str(method);
    }
}

/// Returns whether `name` can be a header name (RFC 9110, section 5.6.2).
pub(crate) fn is_token(name: &str) -> bool {
    !name.is_empty()
        && name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte))
}

/// Returns whether a byte must not stand in a header value: control characters but the tab.
fn is_forbidden(byte: u8) -> bool {
    (byte < b' ' && byte != b'\t') || byte == 0x7f
}
