//! What is signed, and with whose credentials.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use acs_sign::{ApiRequest, acs3};
use http::header::{CONTENT_TYPE, HOST};
use http::request::Parts;
use http::{HeaderName, HeaderValue};
use oss_credentials_core::{Clock, Credentials, CredentialsProvider, SystemClock, nonce};
use oss_sign::{Resource, SignError, v4};

use crate::address::{Address, without_user_info};
use crate::error::Error;

const ACTION: &str = "x-acs-action";
const VERSION: &str = "x-acs-version";

/// What is signed, and with whose credentials. Clones share the provider.
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
    Oss { signer: v4::Signer, address: Address },
    OpenApi,
}

impl Signing {
    /// Signs requests to OSS by signature version 4, without the hash of the body.
    ///
    /// `endpoint` is a host or URL such as `oss-cn-hangzhou.aliyuncs.com`. Requests go to `bucket.endpoint/key` or
    /// `endpoint/bucket/key`; write path and query with [`oss_sign::url_path`] and [`oss_sign::encode_query`].
    ///
    /// # Errors
    ///
    /// [`Error::OssSign`] for a region that cannot be one.
    pub fn oss(provider: impl CredentialsProvider, region: &str, endpoint: &str) -> Result<Self, Error> {
        let signer = v4::Signer::builder(region).build().map_err(Error::OssSign)?;
        let address = Address::new(endpoint);
        Ok(Self::new(provider, Service::Oss { signer, address }))
    }

    /// Signs requests to the OpenAPI of any product by ACS3-HMAC-SHA256. The caller sets the headers `x-acs-action` and
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

    /// Sets the bucket of requests to hosts that are not the endpoint's: a custom domain. Default: such requests fail.
    #[must_use]
    pub fn bucket(mut self, name: impl Into<String>) -> Self {
        if let Service::Oss { address, .. } = &mut self.service {
            address.set_bucket(name.into());
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

    /// Signs a request in place, and returns the credentials that were used: for adapters to other HTTP stacks.
    ///
    /// `body` is what an OpenAPI signature includes; OSS needs none.
    ///
    /// # Errors
    ///
    /// Those of [`Error`].
    pub async fn sign(&self, parts: &mut Parts, body: Option<&[u8]>) -> Result<Credentials, Error> {
        let credentials = self.provider.credentials().await.map_err(Error::Credentials)?;
        match &self.service {
            Service::Oss { signer, address } => {
                let Resource { bucket, key, .. } = address.names(&parts.uri)?;
                let now = self.clock.now();
                signer
                    .sign_parts(parts, bucket.as_deref(), key.as_deref(), &credentials, now)
                    .map_err(Error::OssSign)?;
            }
            Service::OpenApi => self.sign_open_api(parts, body.ok_or(Error::StreamedBody)?, &credentials)?,
        }
        Ok(credentials)
    }

    /// Signs the URL of an OSS request in place. It is valid for `expires`, at most 7 days, and no longer than the
    /// credentials.
    ///
    /// # Errors
    ///
    /// Those of [`Error`].
    pub async fn presign(&self, parts: &mut Parts, expires: Duration) -> Result<(), Error> {
        let Service::Oss { signer, address } = &self.service else {
            return Err(Error::OpenApiUrl);
        };
        let credentials = self.provider.credentials().await.map_err(Error::Credentials)?;
        let Resource { bucket, key, .. } = address.names(&parts.uri)?;
        let now = self.clock.now();
        signer
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

    /// Reports that the service rejected these credentials; see [`rejects_key`](crate::rejects_key). Returns whether the
    /// provider has others now, so that a second attempt makes sense.
    pub async fn replaces(&self, rejected: &Credentials) -> bool {
        if rejected.is_anonymous() {
            return false;
        }
        if !self.provider.invalidate(rejected).may_retry() {
            return false;
        }
        let now = self.provider.credentials().await;
        now.is_ok_and(|credentials| !credentials.same_generation_as(rejected))
    }

    fn sign_open_api(&self, parts: &mut Parts, body: &[u8], credentials: &Credentials) -> Result<(), Error> {
        let sign = Error::AcsSign;
        let text = |value: &HeaderValue, name: &str| {
            let invalid = || acs_sign::SignError::InvalidValue {
                name: name.to_owned(),
            };
            value.to_str().map(str::to_owned).map_err(|_| sign(invalid()))
        };
        let required = |name: &'static str| {
            let value = parts.headers.get(name).ok_or(Error::MissingHeader { name })?;
            text(value, name)
        };
        let (action, version) = (required(ACTION)?, required(VERSION)?);
        let given = parts
            .headers
            .iter()
            .filter(|(name, _)| {
                let is_own = name.as_str().starts_with("x-acs-") && *name != ACTION && *name != VERSION;
                is_own || *name == CONTENT_TYPE
            })
            .map(|(name, value)| Ok((name.to_string(), text(value, name.as_str())?)))
            .collect::<Result<Vec<_>, Error>>()?;
        let given: Vec<(&str, &str)> = given.iter().map(|(name, value)| (&**name, &**value)).collect();
        let query = oss_sign::decode_query(parts.uri.query().unwrap_or_default()).map_err(Error::OssSign)?;
        let query: Vec<(&str, &str)> = query.iter().map(|(name, value)| (&**name, &**value)).collect();
        let authority = parts.uri.authority().map_or("", |authority| authority.as_str());
        let host = without_user_info(authority);
        let request = ApiRequest::new(parts.method.as_str(), host, &action, &version)
            .path(parts.uri.path())
            .query(&query)
            .headers(&given)
            .body(body);
        let signed = acs3::sign(&request, credentials, self.clock.now(), &nonce()).map_err(sign)?;
        let too_many = |_| Error::OssSign(SignError::TooManyHeaders);
        for added in signed.headers() {
            let name = HeaderName::from_bytes(added.name().as_bytes());
            let value = HeaderValue::from_str(added.value());
            let invalid = || acs_sign::SignError::InvalidValue {
                name: added.name().to_owned(),
            };
            let (Ok(name), Ok(mut value)) = (name, value) else {
                return Err(sign(invalid()));
            };
            value.set_sensitive(added.is_sensitive());
            parts.headers.try_insert(name, value).map_err(too_many)?;
        }
        if !parts.headers.contains_key(HOST) {
            let host = HeaderValue::from_str(host);
            let host = host.map_err(|_| {
                sign(acs_sign::SignError::InvalidValue {
                    name: "host".to_owned(),
                })
            })?;
            parts.headers.try_insert(HOST, host).map_err(too_many)?;
        }
        Ok(())
    }
}

impl fmt::Debug for Signing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Signing")
            .field("provider", &self.provider.name())
            .finish_non_exhaustive()
    }
}
