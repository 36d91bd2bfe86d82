//! The URL form.

use std::time::{Duration, SystemTime};

use oss_credentials_core::Credentials;

use super::ambiguity;
use super::canonical::{Canonical, Explained, SIGNATURE_LEN, encoded};
use super::names::{ACCESS_KEY_ID, EXPIRES, SIGNATURE, TOKEN_PARAMETER};
use super::signer::Signer;
use super::sub_resources::{Extra, SubResources};
use crate::encode::{encoded_len, put_encoded};
use crate::parameters::Parameters;
use crate::presigned::{Presigned, limits};
use crate::time::{is_in_range, second_of};
use crate::view::put_method;
use crate::wipe::Wiped;
use crate::{RequestView, SignError};

/// Parameters that a caller may have left from an earlier signature.
const OWN: &[&str] = &[ACCESS_KEY_ID, EXPIRES, SIGNATURE, TOKEN_PARAMETER];

impl Signer {
    /// Signs a request by its URL: returns the query to send, and changes nothing itself.
    ///
    /// `expires` is at least 1 second, in whole seconds; a fraction is dropped, as it is from `time`. V1 has
    /// no upper limit, but the URL expires earlier if the credentials do: see [`Presigned::valid_until`].
    /// Authentication parameters of an earlier V1 signature are replaced. Headers of the view that are signed
    /// must be sent with the URL: see [`Presigned::required_headers`]. With
    /// [anonymous](Credentials::anonymous) credentials, the query has no signature.
    ///
    /// # Errors
    ///
    /// [`SignError::EndOutOfRange`], [`SignError::CredentialsExpired`], and those of [`Signer::sign`].
    ///
    /// # Examples
    ///
    /// ```
    /// use std::time::{Duration, SystemTime};
    /// use oss_credentials_core::Credentials;
    /// use oss_sign::{RequestView, v1::Signer};
    ///
    /// let credentials = Credentials::builder("FakeAccessKeyId0001", "FakeAccessKeySecret0001").build()?;
    /// let time = SystemTime::UNIX_EPOCH + Duration::from_secs(1_767_256_200);
    /// let view = RequestView::new("GET").bucket("examplebucket").key("exampleobject.txt");
    /// let presigned = Signer::new().presign(&view, &credentials, time, Duration::from_secs(3600))?;
    /// assert_eq!(
    ///     presigned.url("https://examplebucket.oss-cn-hangzhou.aliyuncs.com/exampleobject.txt"),
    ///     "https://examplebucket.oss-cn-hangzhou.aliyuncs.com/exampleobject.txt\
    ///      ?OSSAccessKeyId=FakeAccessKeyId0001&Expires=1767259800&Signature=m2OO0OL%2BD7uJftnbjMWfbBDy3DM%3D"
    /// );
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn presign(
        &self,
        view: &RequestView<'_>,
        credentials: &Credentials,
        time: SystemTime,
        expires: Duration,
    ) -> Result<Presigned, SignError> {
        let (second, seconds) = check_times(credentials, time, expires)?;
        let (valid_until, limited_by) = limits(credentials, second, seconds, None);
        let parameters = parameters(view, credentials)?;
        let mut presigned = Presigned {
            text: Wiped::default(),
            method_len: view.method().len(),
            query_start: view.method().len(),
            own: &[],
            header_lines: Vec::new(),
            valid_until,
            limited_by,
        };
        let text = &mut *presigned.text;
        let id = credentials.access_key_id();
        text.reserve_exact(presigned.query_start + parameters.len() + encoded_len(id) + OWN_LEN);
        put_method(text, view);
        parameters.put(text, &[]);
        if credentials.is_anonymous() {
            return Ok(presigned);
        }
        let canonical = self.bind(view, &parameters)?;
        let end = (second + seconds).to_string();
        let signature = encoded(canonical.mac(credentials.access_key_secret(), end.as_bytes()));
        for (name, value) in [
            (ACCESS_KEY_ID, id),
            (EXPIRES, end.as_str()),
            (SIGNATURE, std::str::from_utf8(&signature).unwrap_or_default()),
        ] {
            if text.len() > presigned.query_start {
                text.push('&');
            }
            text.push_str(name);
            text.push('=');
            put_encoded(text, value);
        }
        presigned.header_lines = canonical.bound_lines();
        presigned.own = OWN;
        Ok(presigned)
    }

    /// Returns what [`Signer::presign`] signs, to compare with what a service reports.
    ///
    /// The result contains the security token: do not log it.
    ///
    /// # Errors
    ///
    /// Those of [`Signer::presign`].
    pub fn explain_presign(
        &self,
        view: &RequestView<'_>,
        credentials: &Credentials,
        time: SystemTime,
        expires: Duration,
    ) -> Result<Explained, SignError> {
        let (second, seconds) = check_times(credentials, time, expires)?;
        let parameters = parameters(view, credentials)?;
        let end = (second + seconds).to_string();
        Ok(self.bind(view, &parameters)?.explain(end.as_bytes()))
    }

    fn bind<'a>(
        &'a self,
        view: &RequestView<'a>,
        parameters: &Parameters<'a>,
    ) -> Result<Canonical<'a>, SignError> {
        let sub_resources = SubResources::of(parameters, Extra::Owned(&self.extra));
        ambiguity::check(view, &sub_resources)?;
        Canonical::of(view, sub_resources, None, &[])
    }
}

/// Room for the parameters of the signature besides the access key ID: names, separators, a time of up to 12
/// digits, and a signature of which each character may be escaped.
const OWN_LEN: usize = ACCESS_KEY_ID.len() + EXPIRES.len() + SIGNATURE.len() + 6 + 12 + 3 * SIGNATURE_LEN;

/// The parameters of the URL but those that carry the signature. The token is among them: it is signed.
fn parameters<'a>(view: &RequestView<'a>, credentials: &'a Credentials) -> Result<Parameters<'a>, SignError> {
    let mut parameters = Parameters::new();
    parameters.collect(view, OWN)?;
    if let Some(token) = credentials.security_token() {
        parameters.add(TOKEN_PARAMETER, token);
    }
    Ok(parameters)
}

/// The second to sign and the lifetime in seconds.
fn check_times(
    credentials: &Credentials,
    time: SystemTime,
    expires: Duration,
) -> Result<(u64, u64), SignError> {
    let second = second_of(time)?;
    let seconds = expires.as_secs();
    let end = second.checked_add(seconds).filter(|end| is_in_range(*end));
    if seconds == 0 || end.is_none() {
        return Err(SignError::EndOutOfRange { seconds });
    }
    if credentials.is_expired_at(time) {
        return Err(SignError::CredentialsExpired);
    }
    Ok((second, seconds))
}
