//! Where browsers and apps reach a bucket.

use oss_credentials_http::Endpoint;
use oss_sign::url_path;
use oss_sign::v4::Signer;

use super::GrantError;
use crate::policy::check_bucket;

/// The one header that is signed besides those that V4 always signs. Requests without it are not affected.
pub(super) const CONTENT_LENGTH: &str = "content-length";

/// A bucket, its region, and the URL at which browsers and apps reach it.
///
/// # Examples
///
/// ```
/// use oss_credentials_vending::BucketAddress;
///
/// // https://uploads.oss-cn-hangzhou.aliyuncs.com
/// let public = BucketAddress::new("uploads", "cn-hangzhou")?;
/// let custom_domain = BucketAddress::new("uploads", "cn-hangzhou")?.url("https://files.example.com")?;
/// assert_eq!(custom_domain.bucket(), "uploads");
/// # let _ = public;
/// # Ok::<(), oss_credentials_vending::GrantError>(())
/// ```
#[derive(Clone, Debug)]
pub struct BucketAddress {
    bucket: String,
    /// Scheme, host and the path in front of the keys, without a slash at the end.
    base: String,
    signer: Signer,
}

impl BucketAddress {
    /// Takes the public endpoint of a region, over HTTPS: `https://<bucket>.oss-<region>.aliyuncs.com`.
    ///
    /// # Errors
    ///
    /// [`GrantError::Name`] for a malformed bucket name, [`GrantError::Sign`] for a malformed region.
    pub fn new(bucket: impl Into<String>, region: impl Into<String>) -> Result<Self, GrantError> {
        let (bucket, region) = (bucket.into(), region.into());
        check_bucket(&bucket)?;
        let base = format!("https://{bucket}.oss-{region}.aliyuncs.com");
        let signer = Signer::builder(region)
            .additional_headers([CONTENT_LENGTH])
            .build()?;
        Ok(Self { bucket, base, signer })
    }

    /// Reaches the bucket at another URL, below which the keys are: a custom domain, such as `https://files.example.com`,
    /// the accelerated endpoint, or one with the bucket in the path, such as `http://127.0.0.1:9000/uploads`.
    ///
    /// # Errors
    ///
    /// [`GrantError::Url`] if it is not an `http` or `https` URL, or has a user name, a password or a query.
    pub fn url(mut self, url: &str) -> Result<Self, GrantError> {
        let parsed = Endpoint::parse(url)?;
        if parsed.user_info().is_some() || parsed.query().is_some() {
            return Err(GrantError::UrlParts);
        }
        self.base = format!("{}{}", parsed.origin(), parsed.path().trim_end_matches('/'));
        Ok(self)
    }

    /// Returns the name of the bucket.
    pub fn bucket(&self) -> &str {
        &self.bucket
    }

    pub(super) fn signer(&self) -> &Signer {
        &self.signer
    }

    /// The URL of a key, or of the bucket, without a query.
    pub(super) fn url_of(&self, key: Option<&str>) -> String {
        [self.base.as_str(), &url_path(None, key)].concat()
    }
}
