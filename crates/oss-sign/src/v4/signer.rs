//! The signer and its settings.

use std::fmt;
use std::sync::Arc;

use super::key::KeyCache;
use crate::SignError;
use crate::error::shown;
use crate::headers::is_signed_always;
use crate::view::is_token;

/// Product of all OSS requests except those to a cloud box.
pub const DEFAULT_PRODUCT: &str = "oss";

/// Signs requests and URLs for one region with signature version 4.
///
/// The signing key of the day is cached for the credentials that were used last. It is zeroized when
/// others, or another day, replace it, or when the signer is dropped. Clones share it. A signer is `Send` and
/// `Sync`; threads do not wait for each other.
///
/// Vendor documents: "Include a V4 signature in the Authorization header" and "Include a V4 signature in a
/// URL" (Object Storage Service, API reference).
///
/// # Examples
///
/// ```
/// use std::time::{Duration, SystemTime};
/// use oss_credentials_core::Credentials;
/// use oss_sign::{RequestView, v4::Signer};
///
/// let signer = Signer::builder("cn-hangzhou").build()?;
/// let credentials = Credentials::builder("FakeAccessKeyId0001", "FakeAccessKeySecret0001").build()?;
/// let time = SystemTime::UNIX_EPOCH + Duration::from_secs(1_767_256_200);
///
/// let view = RequestView::new("GET").bucket("examplebucket").key("exampleobject.txt");
/// let signed = signer.sign(&view, &credentials, time)?;
/// for header in signed.headers() {
///     // Set it on the request, replacing a header of that name.
///     assert!(!header.value.is_empty());
/// }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct Signer {
    pub(super) inner: Arc<Inner>,
}

#[derive(Debug)]
pub(super) struct Inner {
    pub(super) region: String,
    pub(super) product: String,
    /// Lower case, sorted, each once, none that is signed anyway.
    pub(super) additional: Vec<String>,
    pub(super) keys: KeyCache,
}

impl Signer {
    /// Starts a signer for a region, such as `cn-hangzhou`, or for the ID of a cloud box.
    pub fn builder(region: impl Into<String>) -> SignerBuilder {
        SignerBuilder {
            region: region.into(),
            product: DEFAULT_PRODUCT.to_owned(),
            additional: Vec::new(),
        }
    }

    /// Returns the region in the scope.
    pub fn region(&self) -> &str {
        &self.inner.region
    }

    /// Returns the product in the scope.
    pub fn product(&self) -> &str {
        &self.inner.product
    }

    /// Returns the additional headers: lower case, sorted, without those that are always signed.
    pub fn additional_headers(&self) -> impl Iterator<Item = &str> {
        self.inner.additional.iter().map(String::as_str)
    }

    pub(super) fn is_additional(&self, name: &str) -> bool {
        self.inner
            .additional
            .iter()
            .any(|listed| listed.eq_ignore_ascii_case(name))
    }
}

/// Builds a [`Signer`]; see [`Signer::builder`].
#[derive(Clone)]
pub struct SignerBuilder {
    region: String,
    product: String,
    additional: Vec<String>,
}

impl SignerBuilder {
    /// Sets the product: `oss`, or `oss-cloudbox` for a cloud box. Default: [`DEFAULT_PRODUCT`].
    #[must_use]
    pub fn product(mut self, product: impl Into<String>) -> Self {
        self.product = product.into();
        self
    }

    /// Sets headers to sign in addition to `x-oss-*`, `Content-Type` and `Content-MD5`, which are always signed. Those
    /// that a request does not have, or has without a value, are left out for that request. Replaces an
    /// earlier list. Default: none.
    #[must_use]
    pub fn additional_headers(mut self, names: impl IntoIterator<Item = impl AsRef<str>>) -> Self {
        self.additional = names
            .into_iter()
            .map(|name| name.as_ref().to_ascii_lowercase())
            .collect();
        self
    }

    /// Builds the signer.
    ///
    /// # Errors
    ///
    /// [`SignError::InvalidRegion`] and [`SignError::InvalidProduct`] if the value is not one or more of
    /// `a-z`, `0-9` and `-`, or the region begins with `oss-`; [`SignError::InvalidAdditionalHeader`] if a name
    /// cannot be a header's, or is
    /// `authorization`.
    pub fn build(self) -> Result<Signer, SignError> {
        let Self {
            region,
            product,
            mut additional,
        } = self;
        // The prefix of a host name, copied by mistake: no region has it.
        if !is_scope_part(&region) || region.starts_with("oss-") {
            return Err(SignError::InvalidRegion {
                region: shown(region.as_bytes()),
            });
        }
        if !is_scope_part(&product) {
            return Err(SignError::InvalidProduct {
                product: shown(product.as_bytes()),
            });
        }
        if let Some(name) = additional
            .iter()
            .find(|name| !is_token(name) || *name == "authorization")
        {
            return Err(SignError::InvalidAdditionalHeader {
                name: shown(name.as_bytes()),
            });
        }
        additional.retain(|name| !is_signed_always(name));
        additional.sort();
        additional.dedup();
        Ok(Signer {
            inner: Arc::new(Inner {
                region,
                product,
                additional,
                keys: KeyCache::new(),
            }),
        })
    }
}

impl fmt::Debug for SignerBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SignerBuilder")
            .field("region", &self.region)
            .field("product", &self.product)
            .field("additional_headers", &self.additional)
            .finish()
    }
}

fn is_scope_part(text: &str) -> bool {
    !text.is_empty()
        && text
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
}
