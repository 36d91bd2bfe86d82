//! What a signer returns.

use std::fmt;

use zeroize::Zeroizing;

/// What to add to the request. Empty for anonymous credentials, whose requests stay unchanged.
#[derive(Clone, Debug, Default)]
pub struct Signed {
    pub(crate) headers: Vec<Addition>,
    pub(crate) query: Vec<Addition>,
}

impl Signed {
    /// Returns the headers to add, names in lower case.
    pub fn headers(&self) -> &[Addition] {
        &self.headers
    }

    /// Returns the query parameters to add, not encoded; see [`encode_pairs`](crate::encode_pairs).
    pub fn query(&self) -> &[Addition] {
        &self.query
    }

    /// Returns whether there is nothing to add: the credentials are anonymous.
    pub fn is_empty(&self) -> bool {
        self.headers.is_empty() && self.query.is_empty()
    }
}

/// A header or query parameter to add. `Debug` shows no sensitive value.
#[derive(Clone)]
pub struct Addition {
    name: &'static str,
    value: Zeroizing<String>,
    sensitive: bool,
}

impl Addition {
    pub(crate) fn plain(name: &'static str, value: impl Into<String>) -> Self {
        Self {
            name,
            value: Zeroizing::new(value.into()),
            sensitive: false,
        }
    }

    pub(crate) fn sensitive(name: &'static str, value: impl Into<String>) -> Self {
        Self {
            name,
            value: Zeroizing::new(value.into()),
            sensitive: true,
        }
    }

    /// Returns the name.
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// Returns the value, not encoded.
    pub fn value(&self) -> &str {
        &self.value
    }

    /// Returns whether the value must not be logged: token, signature, or full access key ID.
    pub fn is_sensitive(&self) -> bool {
        self.sensitive
    }
}

impl fmt::Debug for Addition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let value = if self.sensitive {
            "<redacted>"
        } else {
            self.value.as_str()
        };
        write!(f, "{}: {value}", self.name)
    }
}
