//! Signing an `http::request::Parts` in place.

use std::time::{Duration, SystemTime};

use bytes::Bytes;
use http::header::{AUTHORIZATION, DATE};
use http::request::Parts;
use http::uri::PathAndQuery;
use http::{HeaderName, HeaderValue, Uri};
use oss_credentials_core::Credentials;

use crate::time::second_of;
use crate::v4::{Presigned, Signer};
use crate::{RequestView, SignError};

const X_OSS_DATE: HeaderName = HeaderName::from_static("x-oss-date");
const X_OSS_CONTENT_SHA256: HeaderName = HeaderName::from_static("x-oss-content-sha256");
const X_OSS_SECURITY_TOKEN: HeaderName = HeaderName::from_static("x-oss-security-token");
const UNSIGNED_PAYLOAD: HeaderValue = HeaderValue::from_static("UNSIGNED-PAYLOAD");

fn view<'a>(parts: &'a Parts, bucket: Option<&'a str>, key: Option<&'a str>) -> RequestView<'a> {
    RequestView::new(parts.method.as_str())
        .bucket(bucket)
        .key(key)
        .encoded_query(parts.uri.query().unwrap_or_default())
        .headers(&parts.headers)
}

impl Signer {
    /// Signs a request by headers, in place. `bucket` and `key` are the logical names: host and path of the
    /// URI are not looked at. Its query is decoded and signed.
    ///
    /// `authorization` and `x-oss-security-token` are marked sensitive. On an error nothing is changed, and
    /// with [anonymous](Credentials::anonymous) credentials neither. A token left from an earlier attempt is
    /// removed if these credentials have none.
    ///
    /// # Errors
    ///
    /// Those of [`Signer::sign`], and [`SignError::TooManyHeaders`] if the map is full.
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
            let authorization = self.authorization(&view(parts, bucket, key), moment)?;
            // The buffer becomes the value: no copy.
            let mut authorization =
                HeaderValue::from_maybe_shared(Bytes::from(authorization)).map_err(|_| {
                    SignError::InvalidHeader {
                        name: AUTHORIZATION.to_string(),
                    }
                })?;
            authorization.set_sensitive(true);
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

    /// Signs a request by its URL, in place: replaces the query of the URI. Headers are left as they are;
    /// those that [`Presigned::required_headers`] names are bound.
    ///
    /// # Errors
    ///
    /// Those of [`Signer::presign`], and [`SignError::InvalidUri`] if the `http` crate does not take the URI,
    /// as when it is longer than 65 534 bytes. On an error nothing is changed.
    pub fn presign_parts(
        &self,
        parts: &mut Parts,
        bucket: Option<&str>,
        key: Option<&str>,
        credentials: &Credentials,
        time: SystemTime,
        expires: Duration,
    ) -> Result<Presigned, SignError> {
        let presigned = self.presign(&view(parts, bucket, key), credentials, time, expires)?;
        let mut uri = parts.uri.clone().into_parts();
        let mut target = String::with_capacity(parts.uri.path().len() + 1 + presigned.query().len());
        target.push_str(parts.uri.path());
        if !presigned.query().is_empty() {
            target.push('?');
            target.push_str(presigned.query());
        }
        let target = PathAndQuery::from_maybe_shared(Bytes::from(target));
        uri.path_and_query = Some(target.map_err(|_| SignError::InvalidUri)?);
        parts.uri = Uri::from_parts(uri).map_err(|_| SignError::InvalidUri)?;
        Ok(presigned)
    }
}
