//! What an error says about the request that it belongs to.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

/// Which operation, on which URL: as it may be shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct RequestContext {
    /// `GetObject`
    pub(crate) operation: Cow<'static, str>,
    /// `GET https://host/path`, without query. Shared, since every attempt has one and hardly any shows it.
    pub(crate) request: Arc<str>,
    /// Number of the attempt, from 1.
    pub(crate) attempt: u32,
}

impl fmt::Display for RequestContext {
    /// The request, and which attempt it was if it was not the first.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.request)?;
        if self.attempt > 1 {
            write!(f, ", attempt {}", self.attempt)?;
        }
        Ok(())
    }
}
