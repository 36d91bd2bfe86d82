//! What is signed, and with whose credentials.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use http::request::Parts;
use http::{HeaderMap, StatusCode, Uri};
use oss_credentials_core::{Clock, Credentials, CredentialsProvider, SystemClock, nonce};
use oss_sign::{Refusal, Resource, v4};

use crate::error::Error;

/// A provider, and the kind of requests that are signed with its credentials. Clones share the provider.
///
/// # Examples
///
/// ```
/// use oss_credentials_core::Credentials;
/// use oss_credentials_middleware::Signing;
///
/// let provider = Credentials::builder("example-id", "example-secret").build()?;
/// let signing = Signing::oss(provider, "cn-hangzhou", "https://oss-cn-hangzhou.aliyuncs.com")?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct Signing {
    provider: Arc<dyn CredentialsProvider>,
    clock: Arc<dyn Clock>,
    service: Service,
}

#[derive(Clone)]
enum Service {
    Oss(Arc<Oss>),
    OpenApi,
}

#[derive(Clone)]
struct Oss {
    signer: v4::Signer,
    endpoint: String,
    /// Of hosts that are not the endpoint's: a custom domain.
    bucket: Option<String>,
}

impl Oss {
    fn resource(&self, uri: &Uri) -> Result<Resource, Error> {
        Resource::of_uri(uri, &self.endpoint, self.bucket.as_deref()).map_err(Error::OssSign)
    }
}

impl Signing {
    /// Creates a signing of requests to OSS by signature version 4, without the hash of the body.
    ///
    /// `endpoint` is a host or URL such as `oss-cn-hangzhou.aliyuncs.com`. Requests go to `bucket.endpoint/key` or
    /// `endpoint/bucket/key`; write path and query with [`oss_sign::url_path`] and [`oss_sign::encode_query`].
    ///
    /// # Errors
    ///
    /// [`Error::OssSign`] if `region` is not a valid region ID.
    pub fn oss(provider: impl CredentialsProvider, region: &str, endpoint: &str) -> Result<Self, Error> {
        let oss = Oss {
            signer: v4::Signer::builder(region).build().map_err(Error::OssSign)?,
            endpoint: endpoint.to_owned(),
            bucket: None,
        };
        Ok(Self::new(provider, Service::Oss(Arc::new(oss))))
    }

    /// Creates a signing of requests to the OpenAPI of any product by ACS3-HMAC-SHA256. The caller sets the headers `x-acs-action` and
    /// `x-acs-version`.
    pub fn open_api(provider: impl CredentialsProvider) -> Self {
        Self::new(provider, Service::OpenApi)
    }

    fn new(provider: impl CredentialsProvider, service: Service) -> Self {
        Self {
            provider: Arc::new(provider),
            clock: Arc::new(SystemClock),
            service,
        }
    }

    /// Sets the bucket of requests to a custom domain. Every host other than the endpoint and the names below it then
    /// counts as a domain of this bucket, with the key as its path. This includes other endpoints of OSS, which refuse
    /// such a signature. Default: requests to such hosts fail.
    #[must_use]
    pub fn bucket(mut self, name: impl Into<String>) -> Self {
        if let Service::Oss(oss) = &mut self.service {
            Arc::make_mut(oss).bucket = Some(name.into());
        }
        self
    }

    /// Sets the clock of the signing time. Default: the system's.
    #[must_use]
    pub fn clock(mut self, clock: impl Clock) -> Self {
        self.clock = Arc::new(clock);
        self
    }

    /// Whether the signature includes the body's hash, so that the body must be bytes.
    #[cfg(feature = "tower")]
    pub(crate) fn needs_body(&self) -> bool {
        matches!(self.service, Service::OpenApi)
    }

    /// Signs a request in place, and returns the credentials that were used.
    ///
    /// An OpenAPI signature includes the hash of `body`; OSS ignores it.
    ///
    /// # Errors
    ///
    /// Each variant of [`Error`]: the provider fails, or the request cannot be signed.
    pub async fn sign(&self, parts: &mut Parts, body: Option<&[u8]>) -> Result<Credentials, Error> {
        let credentials = self.provider.credentials().await.map_err(Error::Credentials)?;
        self.sign_with(parts, body, &credentials)?;
        Ok(credentials)
    }

    /// Signs a request in place with these credentials: those of [`Signing::replacement`], for a second attempt.
    ///
    /// # Errors
    ///
    /// Each variant of [`Error`]: the provider fails, or the request cannot be signed.
    pub fn sign_with(
        &self,
        parts: &mut Parts,
        body: Option<&[u8]>,
        credentials: &Credentials,
    ) -> Result<(), Error> {
        let now = self.clock.now();
        match &self.service {
            Service::Oss(oss) => {
                let Resource { bucket, key, .. } = oss.resource(&parts.uri)?;
                oss.signer
                    .sign_parts(parts, bucket.as_deref(), key.as_deref(), credentials, now)
                    .map_err(Error::OssSign)
            }
            Service::OpenApi => {
                let body = body.ok_or(Error::StreamedBody)?;
                acs_sign::http::sign_parts(parts, body, credentials, now, &nonce()).map_err(Error::AcsSign)
            }
        }
    }

    /// Signs the URL of an OSS request in place. It is valid for `expires`, at most 7 days, and no longer than the
    /// credentials.
    ///
    /// # Errors
    ///
    /// Each variant of [`Error`]: the provider fails, or the request cannot be signed.
    pub async fn presign(&self, parts: &mut Parts, expires: Duration) -> Result<(), Error> {
        let Service::Oss(oss) = &self.service else {
            return Err(Error::OpenApiUrl);
        };
        let credentials = self.provider.credentials().await.map_err(Error::Credentials)?;
        let Resource { bucket, key, .. } = oss.resource(&parts.uri)?;
        let now = self.clock.now();
        oss.signer
            .presign_parts(
                parts,
                bucket.as_deref(),
                key.as_deref(),
                &credentials,
                now,
                expires,
            )
            .map_err(Error::OssSign)?;
        Ok(())
    }

    /// Reports to the provider that a response rejects the key or the token, and returns the credentials for a second
    /// attempt. Returns `None` if the response has another reason, or if the provider has no other credentials.
    ///
    /// `document` is the beginning of the body: XML of OSS, or JSON of the OpenAPI. A response to `HEAD` has it in the
    /// header `x-oss-err`. Call this once for each request.
    pub async fn replacement(
        &self,
        used: &Credentials,
        status: StatusCode,
        headers: &HeaderMap,
        document: &[u8],
    ) -> Option<Credentials> {
        let refusal = match &self.service {
            Service::Oss(_) => Refusal::of_http(status, headers, document),
            Service::OpenApi => family(document).and_then(Refusal::of_code),
        };
        if refusal != Some(Refusal::Key) || used.is_anonymous() {
            return None;
        }
        if !self.provider.invalidate(used).may_retry() {
            return None;
        }
        let other = self.provider.credentials().await.ok()?;
        (!other.same_generation_as(used)).then_some(other)
    }
}

/// The code in a JSON document of the OpenAPI, without the detail that may follow a dot.
fn family(document: &[u8]) -> Option<&str> {
    let (_, rest) = std::str::from_utf8(document).ok()?.split_once("\"Code\"")?;
    let value = rest.trim_start().strip_prefix(':')?.trim_start();
    value.strip_prefix('"')?.split(['"', '.']).next()
}

impl fmt::Debug for Signing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Signing").field(&self.provider.name()).finish()
    }
}

#[cfg(test)]
mod tests {
    use oss_credentials_core::provider_fn;

    use super::*;

    #[test]
    fn codes_are_found_in_xml_and_in_json() {
        let other = || Credentials::builder("other", "secret").build();
        let used = Credentials::builder("used", "secret").build().unwrap();
        let rejects = |signing: &Signing, document: &str| {
            let headers = HeaderMap::new();
            let found = signing.replacement(&used, StatusCode::FORBIDDEN, &headers, document.as_bytes());
            oss_credentials_core::blocking::wait(found).is_some()
        };
        let oss = Signing::oss(provider_fn("other", other), "cn-hangzhou", "h").unwrap();
        assert!(rejects(&oss, "<Error><Code>SecurityTokenExpired</Code></Error>"));
        assert!(!rejects(&oss, "<Error><Code>AccessDenied</Code></Error>"));
        let open_api = Signing::open_api(provider_fn("other", other));
        for (document, rejected) in [
            (
                "{\"RequestId\":\"1\", \"Code\" : \"InvalidSecurityToken.Expired\"}",
                true,
            ),
            (
                "{\"Code\":\"InvalidAccessKeyId.NotFound\",\"Message\":\"m\"}",
                true,
            ),
            (
                "{\"Code\":\"NoPermission\",\"Message\":\"InvalidAccessKeyId\"}",
                false,
            ),
            ("", false),
        ] {
            assert_eq!(rejects(&open_api, document), rejected, "{document}");
        }
    }
}
