//! Collects what a grant contains, and signs it.

use std::time::Duration;

use super::signing::Signing;
use super::{BucketAddress, FormRequest, Grant, GrantError, UrlRequest};
use crate::session::Session;

/// Lifetime of URLs and forms unless [`GrantBuilder::lifetime`] says otherwise.
const DEFAULT_LIFETIME: Duration = Duration::from_secs(900);

/// Makes a [`Grant`]; see [`Grant::builder`].
#[derive(Clone, Debug)]
#[must_use]
pub struct GrantBuilder {
    bucket: BucketAddress,
    lifetime: Duration,
    urls: Vec<UrlRequest>,
    forms: Vec<FormRequest>,
    credentials: bool,
}

impl GrantBuilder {
    pub(super) fn new(bucket: BucketAddress) -> Self {
        Self {
            bucket,
            lifetime: DEFAULT_LIFETIME,
            urls: Vec::new(),
            forms: Vec::new(),
            credentials: false,
        }
    }

    /// Sets how long URLs and forms work: 1 second to 7 days, in whole seconds, and never longer than the session.
    /// Default: 900 s.
    pub fn lifetime(mut self, lifetime: Duration) -> Self {
        self.lifetime = lifetime;
        self
    }

    /// Adds a presigned URL. Default: none.
    pub fn url(mut self, url: UrlRequest) -> Self {
        self.urls.push(url);
        self
    }

    /// Adds presigned URLs. Default: none.
    pub fn urls(mut self, urls: impl IntoIterator<Item = UrlRequest>) -> Self {
        self.urls.extend(urls);
        self
    }

    /// Adds a form. Default: none.
    pub fn form(mut self, form: FormRequest) -> Self {
        self.forms.push(form);
        self
    }

    /// Adds the credentials of the session, for clients that sign by themselves. They can do all that the policy of the
    /// session allows, and work until the session expires, whatever [`GrantBuilder::lifetime`] is. Default: not added.
    pub fn credentials(mut self) -> Self {
        self.credentials = true;
        self
    }

    /// Signs everything with the credentials of a session. Nothing is sent.
    ///
    /// The lifetime begins when the session was handed out, by the service's clock: take the session from the
    /// [`Vendor`](crate::Vendor) just before. What expires first, the lifetime or the session, limits each part; to rule
    /// the session out, request one with [`lasts_at_least`](crate::SessionRequest::lasts_at_least).
    ///
    /// # Errors
    ///
    /// [`GrantError`] if the grant contains nothing, a key or prefix cannot be used, a condition is malformed, the
    /// lifetime is out of range or the session has expired.
    pub fn sign(self, session: &Session) -> Result<Grant, GrantError> {
        if self.urls.is_empty() && self.forms.is_empty() && !self.credentials {
            return Err(GrantError::Empty);
        }
        let signing = Signing {
            bucket: &self.bucket,
            session,
            lifetime: self.lifetime,
        };
        let urls = self.urls.into_iter().map(|url| url.sign(&signing));
        let forms = self.forms.into_iter().map(|form| form.sign(&signing));
        Ok(Grant {
            urls: urls.collect::<Result<_, _>>()?,
            forms: forms.collect::<Result<_, _>>()?,
            session: self.credentials.then(|| session.clone()),
        })
    }
}
