//! Why a text is not a URL that can be used.

use std::error::Error;
use std::fmt;

use oss_credentials_core::text::without_secrets;
use oss_credentials_core::{CredentialsError, ErrorDetail};

/// A malformed URL: what is wrong with it, and how to write it.
///
/// The parser does not know what the URL is for, so a caller that does takes the parts and names the setting.
///
/// # Examples
///
/// ```
/// use oss_credentials_http::Endpoint;
///
/// let error = Endpoint::parse("https://vault.example.com:port/keys?code=secret").unwrap_err();
/// assert_eq!(error.problem(), "has a port that is not a number");
/// assert_eq!(error.place(), "https://vault.example.com");
/// assert_eq!(error.hint(), "write a port from 1 to 65535");
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EndpointError {
    problem: &'static str,
    place: String,
    hint: &'static str,
}

impl EndpointError {
    pub(crate) fn new(url: &str, problem: &'static str, hint: &'static str) -> Self {
        Self {
            problem,
            place: shown(url),
            hint,
        }
    }

    /// Returns what is wrong, as the end of a sentence that begins with the URL: "has no host".
    pub fn problem(&self) -> &'static str {
        self.problem
    }

    /// Returns the part of the URL that cannot be a secret: the scheme and the host, or as much of them as there is.
    pub fn place(&self) -> &str {
        &self.place
    }

    /// Returns how to write the URL.
    pub fn hint(&self) -> &'static str {
        self.hint
    }
}

impl fmt::Display for EndpointError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        CredentialsError::from(self.clone()).fmt(f)
    }
}

impl Error for EndpointError {}

impl From<EndpointError> for CredentialsError {
    fn from(error: EndpointError) -> Self {
        Self::invalid_config(
            ErrorDetail::builder("endpoint", format!("the URL {}", error.problem))
                .place(error.place)
                .hint(error.hint),
        )
    }
}

fn shown(url: &str) -> String {
    // Before an `@`, and after a `:` or a `?`, there may be a secret, even in a URL that cannot be split.
    let shown = without_secrets(url);
    let (scheme, rest) = shown.split_once("://").unwrap_or(("", &shown));
    let host = rest.split([':', '/', '?', '#']).next().unwrap_or_default();
    let host = if rest.contains('@') { "…" } else { host };
    if scheme.is_empty() {
        host.to_owned()
    } else {
        format!("{scheme}://{host}")
    }
}
