//! What an error says about the request that it belongs to.

use std::borrow::Cow;
use std::fmt;
use std::sync::{Arc, OnceLock};

use http::Method;

/// Which operation, on which URL: as it may be shown.
///
/// Every attempt has one and hardly any shows it, so it is shared, and its text is only made for an error.
#[derive(Clone, Debug)]
pub(crate) struct RequestContext(Arc<Attempt>);

#[derive(Debug)]
struct Attempt {
    operation: Cow<'static, str>,
    method: Method,
    /// Without query.
    url: String,
    /// From 1.
    number: u32,
    /// `GET https://host/path`
    request: OnceLock<String>,
}

impl RequestContext {
    /// The context of an attempt, counted from 1, at an operation. `url` has no query.
    pub(crate) fn new(operation: Cow<'static, str>, method: Method, url: String, number: u32) -> Self {
        Self(Arc::new(Attempt {
            operation,
            method,
            url,
            number,
            request: OnceLock::new(),
        }))
    }

    /// `GetObject`
    pub(crate) fn operation(&self) -> &str {
        &self.0.operation
    }

    /// `https://host/path`, without query.
    pub(crate) fn url(&self) -> &str {
        &self.0.url
    }

    /// `GET https://host/path`, without query.
    pub(crate) fn request(&self) -> &str {
        let attempt = &*self.0;
        attempt
            .request
            .get_or_init(|| format!("{} {}", attempt.method, attempt.url))
    }
}

impl fmt::Display for RequestContext {
    /// The request, and which attempt it was if it was not the first.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.request())?;
        if self.0.number > 1 {
            write!(f, ", attempt {}", self.0.number)?;
        }
        Ok(())
    }
}
