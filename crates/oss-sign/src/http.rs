//! Signing an `http::request::Parts` in place, and what a response in types of the crate `http` says.

use std::time::{Duration, SystemTime};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::header::{AUTHORIZATION, DATE};
use http::request::Parts;
use http::uri::PathAndQuery;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, Uri};
use oss_credentials_core::Credentials;
#[cfg(feature = "v1")]
use zeroize::Zeroizing;

use crate::addressing::{Addressing, Resource};
use crate::error::shown;
use crate::presigned::Presigned;
use crate::refusal::Refusal;
#[cfg(feature = "v1")]
use crate::time::Stamp;
use crate::time::second_of;
#[cfg(feature = "v1")]
use crate::v1;
use crate::{RequestView, SignError, check_key_for_url, v4};

const X_OSS_DATE: HeaderName = HeaderName::from_static("x-oss-date");
const X_OSS_CONTENT_SHA256: HeaderName = HeaderName::from_static("x-oss-content-sha256");
const X_OSS_ERR: HeaderName = HeaderName::from_static("x-oss-err");
const X_OSS_SECURITY_TOKEN: HeaderName = HeaderName::from_static("x-oss-security-token");
const UNSIGNED_PAYLOAD: HeaderValue = HeaderValue::from_static("UNSIGNED-PAYLOAD");

/// The view of a request whose URI is passed to an HTTP library. Many of those remove dot segments, so
/// there must be none.
fn view<'a>(
    parts: &'a Parts,
    bucket: Option<&'a str>,
    key: Option<&'a str>,
) -> Result<RequestView<'a>, SignError> {
    check_key_for_url(key.unwrap_or_default())?;
    Ok(RequestView::new(parts.method.as_str())
        .bucket(bucket)
        .key(key)
        .encoded_query(parts.uri.query().unwrap_or_default())
        .headers(&parts.headers))
}

impl Resource {
    /// Reads bucket and key of a request's URI: `bucket.endpoint/key`, `endpoint/bucket/key`, or the key alone on a custom
    /// domain.
    ///
    /// `endpoint` is a host or a URL, such as `oss-cn-hangzhou.aliyuncs.com`; where it has a port, the URI has the same.
    /// `bucket` is the bucket of requests to other hosts.
    ///
    /// # Errors
    ///
    /// Those of [`Resource::of`], and [`SignError::UnknownHost`] for another host without `bucket`.
    ///
    /// # Examples
    ///
    /// ```
    /// use oss_sign::Resource;
    ///
    /// let uri = "https://examplebucket.oss-cn-hangzhou.aliyuncs.com/my%20photos/1.jpg".parse()?;
    /// let resource = Resource::of_uri(&uri, "https://oss-cn-hangzhou.aliyuncs.com", None)?;
    /// assert_eq!(resource.bucket.as_deref(), Some("examplebucket"));
    /// assert_eq!(resource.key.as_deref(), Some("my photos/1.jpg"));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn of_uri(uri: &Uri, endpoint: &str, bucket: Option<&str>) -> Result<Self, SignError> {
        let host = without_user_info(uri.authority().map_or("", |authority| authority.as_str()));
        let endpoint = endpoint.split_once("://").map_or(endpoint, |(_, rest)| rest);
        let endpoint = without_user_info(endpoint.trim_end_matches('/'));
        match Addressing::of_host(host, endpoint, bucket) {
            Some(addressing) => Self::of(host, uri.path(), addressing),
            None => Err(SignError::UnknownHost {
                host: shown(host.as_bytes()),
                endpoint: shown(endpoint.as_bytes()),
            }),
        }
    }
}

/// Host and port. User and password are left out, since the host appears in errors.
fn without_user_info(authority: &str) -> &str {
    authority.rsplit_once('@').map_or(authority, |(_, host)| host)
}

impl Refusal {
    /// Classifies a response like [`Refusal::of_response`]. For a refusal of HEAD, which has no body, the header `x-oss-err` is
    /// read.
    ///
    /// # Examples
    ///
    /// ```
    /// use oss_sign::Refusal;
    ///
    /// let refused = http::Response::builder().status(403).body("<Error><Code>InvalidAccessKeyId</Code></Error>")?;
    /// let body = refused.body().as_bytes();
    /// assert_eq!(Refusal::of_http(refused.status(), refused.headers(), body), Some(Refusal::Key));
    /// # Ok::<(), http::Error>(())
    /// ```
    pub fn of_http(status: StatusCode, headers: &HeaderMap, body: &[u8]) -> Option<Self> {
        let in_header = headers.get(X_OSS_ERR).filter(|_| body.is_empty());
        let in_header = in_header.and_then(|value| STANDARD.decode(value).ok());
        Self::of_response(status.as_u16(), in_header.as_deref().unwrap_or(body))
    }
}

impl v4::Signer {
    /// Signs a request by headers, in place. `bucket` and `key` are the logical names: host and path of the
    /// URI are not used. Its query is decoded and signed.
    ///
    /// `authorization` and `x-oss-security-token` are marked sensitive. After an error, nothing is changed, and
    /// nothing is changed for [anonymous](Credentials::anonymous) credentials. A token left from an earlier attempt is
    /// removed if these credentials have none.
    ///
    /// # Errors
    ///
    /// Those of [`Signer::sign`](v4::Signer::sign); [`SignError::DotSegment`] for a key that HTTP libraries
    /// change after signing (see [`check_key_for_url`]; for a stack that keeps such a path, sign a
    /// [`RequestView`]); and [`SignError::TooManyHeaders`] if the map is full.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::time::{Duration, SystemTime};
    /// use oss_credentials_core::Credentials;
    /// use oss_sign::v4::Signer;
    ///
    /// let signer = Signer::builder("cn-hangzhou").build()?;
    /// let credentials = Credentials::builder("FakeAccessKeyId0001", "FakeAccessKeySecret0001").build()?;
    /// let time = SystemTime::UNIX_EPOCH + Duration::from_secs(1_767_256_200);
    ///
    /// let (mut parts, body) =
    ///     http::Request::get("https://examplebucket.oss-cn-hangzhou.aliyuncs.com/k").body(())?.into_parts();
    /// signer.sign_parts(&mut parts, Some("examplebucket"), Some("k"), &credentials, time)?;
    /// assert!(parts.headers["authorization"].is_sensitive());
    /// let request = http::Request::from_parts(parts, body);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn sign_parts(
        &self,
        parts: &mut Parts,
        bucket: Option<&str>,
        key: Option<&str>,
        credentials: &Credentials,
        time: SystemTime,
    ) -> Result<(), SignError> {
        if credentials.is_anonymous() {
            return Ok(());
        }
        self.with_moment(credentials, second_of(time)?, |moment| {
            let authorization = sensitive(
                &AUTHORIZATION,
                self.authorization(&view(parts, bucket, key)?, moment)?.into(),
            )?;
            let (iso, date) = moment.date_headers.as_ref().map_err(Clone::clone)?;
            let token = moment.key.token_header.as_ref().map_err(Clone::clone)?;
            let headers = &mut parts.headers;
            headers.try_reserve(5).map_err(|_| SignError::TooManyHeaders)?;

            // From here on nothing can fail.
            headers.insert(X_OSS_DATE, iso.clone());
            headers.insert(X_OSS_CONTENT_SHA256, UNSIGNED_PAYLOAD);
            match token {
                Some(token) => headers.insert(X_OSS_SECURITY_TOKEN, token.clone()),
                None => headers.remove(X_OSS_SECURITY_TOKEN),
            };
            headers.insert(DATE, date.clone());
            headers.insert(AUTHORIZATION, authorization);
            Ok(())
        })
    }

    /// Signs a request by its URL, in place: replaces the query of the URI. Headers are left unchanged;
    /// those that [`Presigned::required_headers`] names are bound.
    ///
    /// # Errors
    ///
    /// Those of [`Signer::presign`](v4::Signer::presign); [`SignError::DotSegment`] for a key that HTTP
    /// libraries change after signing; and [`SignError::InvalidUri`] if the `http` crate does not accept the URI,
    /// for example because it is longer than 65 534 bytes. After an error, nothing is changed.
    pub fn presign_parts(
        &self,
        parts: &mut Parts,
        bucket: Option<&str>,
        key: Option<&str>,
        credentials: &Credentials,
        time: SystemTime,
        expires: Duration,
    ) -> Result<Presigned, SignError> {
        let presigned = self.presign(&view(parts, bucket, key)?, credentials, time, expires)?;
        parts.uri = with_query(&parts.uri, presigned.query())?;
        Ok(presigned)
    }
}

#[cfg(feature = "v1")]
impl v1::Signer {
    /// Signs a request by headers, in place, as [`v4::Signer::sign_parts`] does: `bucket` and `key` are the
    /// logical names, `authorization` and `x-oss-security-token` are marked sensitive, and after an error
    /// nothing is changed.
    ///
    /// # Errors
    ///
    /// Those of [`Signer::sign`](v1::Signer::sign); [`SignError::DotSegment`] for a key that HTTP libraries
    /// change after signing; and [`SignError::TooManyHeaders`] if the map is full.
    pub fn sign_parts(
        &self,
        parts: &mut Parts,
        bucket: Option<&str>,
        key: Option<&str>,
        credentials: &Credentials,
        time: SystemTime,
    ) -> Result<(), SignError> {
        if credentials.is_anonymous() {
            return Ok(());
        }
        let stamp = Stamp::new(second_of(time)?);
        let authorization = sensitive(
            &AUTHORIZATION,
            self.authorization(&view(parts, bucket, key)?, credentials, &stamp)?
                .into(),
        )?;
        let date = HeaderValue::from_bytes(stamp.http()).map_err(|_| SignError::InvalidHeader {
            name: DATE.to_string(),
        })?;
        let token = credentials
            .security_token()
            .map(|token| {
                sensitive(
                    &X_OSS_SECURITY_TOKEN,
                    Bytes::from_owner(Zeroizing::new(token.as_bytes().to_vec())),
                )
            })
            .transpose()?;
        let headers = &mut parts.headers;
        headers.try_reserve(3).map_err(|_| SignError::TooManyHeaders)?;

        // From here on nothing can fail.
        match token {
            Some(token) => headers.insert(X_OSS_SECURITY_TOKEN, token),
            None => headers.remove(X_OSS_SECURITY_TOKEN),
        };
        headers.insert(DATE, date);
        headers.insert(AUTHORIZATION, authorization);
        Ok(())
    }

    /// Signs a request by its URL, in place, as [`v4::Signer::presign_parts`] does.
    ///
    /// # Errors
    ///
    /// Those of [`Signer::presign`](v1::Signer::presign); [`SignError::DotSegment`] for a key that HTTP
    /// libraries change after signing; and [`SignError::InvalidUri`] if the `http` crate does not accept the URI.
    /// After an error, nothing is changed.
    pub fn presign_parts(
        &self,
        parts: &mut Parts,
        bucket: Option<&str>,
        key: Option<&str>,
        credentials: &Credentials,
        time: SystemTime,
        expires: Duration,
    ) -> Result<Presigned, SignError> {
        let presigned = self.presign(&view(parts, bucket, key)?, credentials, time, expires)?;
        parts.uri = with_query(&parts.uri, presigned.query())?;
        Ok(presigned)
    }
}

/// A header value that must not be logged. The buffer becomes the value: no copy.
fn sensitive(name: &HeaderName, value: Bytes) -> Result<HeaderValue, SignError> {
    let mut value = HeaderValue::from_maybe_shared(value).map_err(|_| SignError::InvalidHeader {
        name: name.to_string(),
    })?;
    value.set_sensitive(true);
    Ok(value)
}

/// Returns the URI with another query.
fn with_query(uri: &Uri, query: &str) -> Result<Uri, SignError> {
    let mut target = String::with_capacity(uri.path().len() + 1 + query.len());
    target.push_str(uri.path());
    if !query.is_empty() {
        target.push('?');
        target.push_str(query);
    }
    let target = PathAndQuery::from_maybe_shared(Bytes::from(target));
    let mut uri = uri.clone().into_parts();
    uri.path_and_query = Some(target.map_err(|_| SignError::InvalidUri)?);
    Uri::from_parts(uri).map_err(|_| SignError::InvalidUri)
}
