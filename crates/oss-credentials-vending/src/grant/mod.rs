//! What a browser or an app receives: presigned URLs, forms and, if need be, the credentials themselves.

mod address;
mod builder;
mod error;
mod form;
mod json;
mod signing;
mod url;

pub use address::BucketAddress;
pub use builder::GrantBuilder;
pub use error::GrantError;
pub use form::{FormRequest, GrantedForm};
pub use url::{GrantedUrl, UrlRequest};

use std::fmt;

use self::json::GrantDocument;
use crate::json::to_json;
use crate::session::Session;

/// Access to one bucket, to be sent to a browser or an app: presigned URLs, forms and, on request, credentials.
///
/// Everything in it is signed with one session, so it can do at most what the policy of that session allows. Each part
/// states until when it works and what limits that.
///
/// # Examples
///
/// ```
/// use std::time::Duration;
/// use oss_credentials_vending::{BucketAddress, FormRequest, Grant, GrantError, Session, UrlRequest};
///
/// fn grant(session: &Session) -> Result<String, GrantError> {
///     let bucket = BucketAddress::new("uploads", "cn-hangzhou")?;
///     let grant = Grant::builder(&bucket)
///         .lifetime(Duration::from_secs(600))
///         .url(UrlRequest::get("tenants/42/report.pdf"))
///         .url(UrlRequest::put("tenants/42/photo.jpg").content_type("image/jpeg").forbid_overwrite())
///         .form(FormRequest::below("tenants/42/").content_length_range(1..=10_485_760))
///         .sign(session)?;
///     for url in grant.urls() {
///         println!("{} {} works until {}", url.method(), url.key(), url.valid_until_utc());
///     }
///     Ok(grant.to_json())
/// }
/// # let _ = grant;
/// ```
#[derive(Clone)]
pub struct Grant {
    session: Option<Session>,
    urls: Vec<GrantedUrl>,
    forms: Vec<GrantedForm>,
}

impl Grant {
    /// Starts a grant for a bucket that contains nothing yet.
    pub fn builder(bucket: &BucketAddress) -> GrantBuilder {
        GrantBuilder::new(bucket.clone())
    }

    /// Returns the session whose credentials are part of the grant, if they are.
    pub fn session(&self) -> Option<&Session> {
        self.session.as_ref()
    }

    /// Returns the presigned URLs in the order of the requests.
    pub fn urls(&self) -> &[GrantedUrl] {
        &self.urls
    }

    /// Returns the forms in the order of the requests.
    pub fn forms(&self) -> &[GrantedForm] {
        &self.forms
    }

    /// Returns the grant as a JSON object. **It is a secret**: send it over HTTPS to the tenant that it was made for, and
    /// never log it.
    ///
    /// | field | content |
    /// |---|---|
    /// | `urls` | `method`, `key`, `url`, `headers` to send, `contentLength` if it is bound, `validUntil`, `limitedBy` |
    /// | `forms` | `url`, `fields` to send before `file`, `keyPrefix` or a field `key`, `contentTypes`, `contentLengthRange`, `validUntil`, `limitedBy` |
    /// | `credentials` | as [`Session::to_json`], only with [`GrantBuilder::credentials`] |
    ///
    /// Times are RFC 3339 in UTC. `limitedBy` is `lifetime`, `session` or `sevenDays`.
    pub fn to_json(&self) -> String {
        to_json(&GrantDocument::of(self.session.as_ref(), &self.urls, &self.forms))
    }
}

impl fmt::Debug for Grant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Grant")
            .field("session", &self.session)
            .field("urls", &self.urls)
            .field("forms", &self.forms)
            .finish()
    }
}
