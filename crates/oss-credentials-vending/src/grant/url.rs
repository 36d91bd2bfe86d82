//! Presigned URLs.

use std::fmt;
use std::time::SystemTime;

use oss_sign::v4::{LimitedBy, Presigned};
use oss_sign::{RequestView, UtcTime, check_key_for_url};

use super::GrantError;
use super::address::CONTENT_LENGTH;
use super::signing::Signing;

/// A presigned URL that a grant is to contain.
///
/// Vendor document: "Include a V4 signature in a URL" (Object Storage Service, API reference).
///
/// # Examples
///
/// ```
/// use oss_credentials_vending::UrlRequest;
///
/// let download = UrlRequest::get("tenants/42/report.pdf");
/// let upload = UrlRequest::put("tenants/42/photo.jpg")
///     .content_type("image/jpeg")
///     .content_length(48_213)
///     .forbid_overwrite();
/// # let _ = (download, upload);
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct UrlRequest {
    method: &'static str,
    key: String,
    headers: Vec<(&'static str, String)>,
}

impl UrlRequest {
    /// Requests a URL that reads an object.
    pub fn get(key: impl Into<String>) -> Self {
        Self::new("GET", key.into())
    }

    /// Requests a URL that stores an object, replacing one that exists unless [`UrlRequest::forbid_overwrite`] is set.
    pub fn put(key: impl Into<String>) -> Self {
        Self::new("PUT", key.into())
    }

    fn new(method: &'static str, key: String) -> Self {
        Self {
            method,
            key,
            headers: Vec::new(),
        }
    }

    /// Binds an upload to a content type: a request with another one, or with none, is refused. Default: an upload
    /// without a content type. Browsers add one to an upload of a `File` or a text unless the page sets it.
    pub fn content_type(self, content_type: impl Into<String>) -> Self {
        self.with("content-type", content_type.into())
    }

    /// Binds an upload to a size in bytes, as a V4 additional header: a request with another `Content-Length`, or with none,
    /// is refused. Clients send the header by themselves. Default: any size up to what the service accepts.
    pub fn content_length(self, bytes: u64) -> Self {
        self.with(CONTENT_LENGTH, bytes.to_string())
    }

    /// Makes an upload fail if the object exists: the header `x-oss-forbid-overwrite`, which the client must send. Default:
    /// an upload replaces the object.
    pub fn forbid_overwrite(self) -> Self {
        self.with("x-oss-forbid-overwrite", "true".to_owned())
    }

    /// Replaces an earlier value of the header: a signature binds one.
    fn with(mut self, name: &'static str, value: String) -> Self {
        self.headers.retain(|(own, _)| *own != name);
        self.headers.push((name, value));
        self
    }

    pub(super) fn sign(self, signing: &Signing<'_>) -> Result<GrantedUrl, GrantError> {
        if self.key.is_empty() {
            return Err(GrantError::NoKey);
        }
        // Browsers remove such segments, and the URL would be for another key.
        check_key_for_url(&self.key)?;
        let headers: Vec<(&str, &[u8])> = self
            .headers
            .iter()
            .map(|(name, value)| (*name, value.as_bytes()))
            .collect();
        let view = RequestView::new(self.method)
            .bucket(signing.bucket.bucket())
            .key(&self.key)
            .headers(&headers);
        let session = signing.session;
        let presigned = signing.bucket.signer().presign(
            &view,
            session.credentials(),
            session.handed_out_at(),
            signing.lifetime,
        )?;
        Ok(GrantedUrl {
            base: signing.bucket.url_of(Some(&self.key)),
            key: self.key,
            headers: self.headers,
            presigned,
        })
    }
}

/// A presigned URL, and what must be known to use it.
///
/// The URL is a secret: anyone who has it can do the request until it expires. `Debug` does not show it.
#[derive(Clone)]
pub struct GrantedUrl {
    key: String,
    base: String,
    headers: Vec<(&'static str, String)>,
    presigned: Presigned,
}

impl GrantedUrl {
    /// Returns the method that the URL is for, `GET` or `PUT`.
    pub fn method(&self) -> &str {
        self.presigned.method()
    }

    /// Returns the key of the object.
    pub fn key(&self) -> &str {
        &self.key
    }

    /// Returns the URL. It is a secret.
    pub fn url(&self) -> String {
        self.presigned.url(&self.base)
    }

    /// Returns the headers that a request must have, in lower case. It must not have another `x-oss-*`, `content-type` or
    /// `content-md5` header.
    pub fn headers(&self) -> impl Iterator<Item = (&'static str, &str)> {
        self.headers.iter().map(|(name, value)| (*name, value.as_str()))
    }

    /// Returns when the URL stops working, by the service's clock.
    pub fn valid_until(&self) -> SystemTime {
        self.presigned.valid_until()
    }

    /// Returns [`GrantedUrl::valid_until`] as a value that prints as UTC, such as `2026-01-01T08:30:00Z`.
    pub fn valid_until_utc(&self) -> UtcTime {
        self.presigned.valid_until_utc()
    }

    /// Returns what sets [`GrantedUrl::valid_until`].
    pub fn limited_by(&self) -> LimitedBy {
        self.presigned.limited_by()
    }

    /// The part before the query, and the query.
    pub(super) fn parts(&self) -> (&str, &str) {
        (&self.base, self.presigned.query())
    }
}

impl fmt::Debug for GrantedUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GrantedUrl")
            .field("method", &self.method())
            .field("key", &self.key)
            .field("headers", &self.headers)
            .field("valid_until", &self.valid_until_utc())
            .field("limited_by", &self.limited_by())
            .finish_non_exhaustive()
    }
}
