//! The signer and its settings.

use std::sync::Arc;

use super::names::{ACCESS_KEY_ID, EXPIRES, SIGNATURE};
use crate::SignError;
use crate::error::shown;

/// Signs requests and URLs with signature version 1.
///
/// Use [`v4::Signer`](crate::v4::Signer) unless the receiver of the request does not support V4. Clones share their
/// settings.
///
/// Vendor documents: "Include a V1 signature in the Authorization header" and "Include a V1 signature in a
/// URL" (Object Storage Service, API reference).
///
/// # Examples
///
/// ```
/// use std::time::{Duration, SystemTime};
/// use oss_credentials_core::Credentials;
/// use oss_sign::{RequestView, v1::Signer};
///
/// let signer = Signer::new();
/// let credentials = Credentials::builder("FakeAccessKeyId0001", "FakeAccessKeySecret0001").build()?;
/// let time = SystemTime::UNIX_EPOCH + Duration::from_secs(1_767_256_200);
///
/// let view = RequestView::new("GET").bucket("examplebucket").key("exampleobject.txt");
/// let signed = signer.sign(&view, &credentials, time)?;
/// assert_eq!(signed.authorization(), "OSS FakeAccessKeyId0001:V32AY2xzjPvihXFJ9CQZ+bvgk9s=");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct Signer {
    pub(super) extra: Arc<[String]>,
}

impl Signer {
    /// Creates a signer with default settings.
    pub fn new() -> Self {
        Self::default()
    }

    /// Starts a signer with custom settings.
    pub fn builder() -> SignerBuilder {
        SignerBuilder::default()
    }

    /// Returns the names that are signed in addition to the known sub-resources: sorted, each once.
    pub fn extra_sub_resources(&self) -> impl Iterator<Item = &str> {
        self.extra.iter().map(String::as_str)
    }
}

/// Builds a [`Signer`]; see [`Signer::builder`].
#[derive(Clone, Debug, Default)]
pub struct SignerBuilder {
    extra: Vec<String>,
}

impl SignerBuilder {
    /// Sets query parameters to sign in addition to the known sub-resources and all `x-oss-*`: for a feature of the
    /// service that is newer than this crate. Names are decoded and case-sensitive. Replaces an earlier list. Default:
    /// none.
    #[must_use]
    pub fn extra_sub_resources(mut self, names: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.extra = names.into_iter().map(Into::into).collect();
        self
    }

    /// Builds the signer.
    ///
    /// # Errors
    ///
    /// [`SignError::InvalidSubResource`] if a name is empty, or is one of the parameters that carry the
    /// signature and so cannot be signed.
    pub fn build(self) -> Result<Signer, SignError> {
        let Self { mut extra } = self;
        let unsignable = ["", ACCESS_KEY_ID, EXPIRES, SIGNATURE];
        if let Some(name) = extra.iter().find(|name| unsignable.contains(&name.as_str())) {
            return Err(SignError::InvalidSubResource {
                name: shown(name.as_bytes()),
            });
        }
        extra.sort();
        extra.dedup();
        Ok(Signer { extra: extra.into() })
    }
}
