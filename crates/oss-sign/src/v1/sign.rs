//! The header form.

use std::time::SystemTime;

use oss_credentials_core::Credentials;

use super::ambiguity;
use super::canonical::{Canonical, Explained, SIGNATURE_LEN, encoded};
use super::names::SCHEME;
use super::signer::Signer;
use super::sub_resources::{Extra, SubResources};
use crate::parameters::Parameters;
use crate::signed::Signed;
use crate::time::{Stamp, second_of};
use crate::v4::names::SECURITY_TOKEN;
use crate::{RequestView, SignError};

/// The header that the signer sets itself and signs.
const OWN: &[&str] = &[SECURITY_TOKEN];

impl Signer {
    /// Signs a request by headers: returns the headers to set, and changes nothing itself.
    ///
    /// Values that the request already has for `x-oss-security-token`, `Date` and `Authorization` are not
    /// signed: replace them by the headers of the result. An `x-oss-date` that the request has is signed
    /// instead of `Date`, so it must be the signing time; leave it out unless `Date` cannot be set. With
    /// [anonymous](Credentials::anonymous) credentials there is nothing to set.
    ///
    /// Sign each attempt again: the service accepts a time that differs from its own by at most 15 minutes.
    /// Credentials are not checked for expiry here; the service does that, by its own clock.
    ///
    /// # Errors
    ///
    /// [`SignError::AmbiguousResource`], [`SignError::DuplicateParameter`], [`SignError::InvalidQuery`],
    /// [`SignError::InvalidHeader`], [`SignError::KeyWithoutBucket`] or [`SignError::TimeOutOfRange`].
    pub fn sign(
        &self,
        view: &RequestView<'_>,
        credentials: &Credentials,
        time: SystemTime,
    ) -> Result<Signed, SignError> {
        if credentials.is_anonymous() {
            return Ok(Signed::nothing());
        }
        let stamp = Stamp::new(second_of(time)?);
        Ok(Signed {
            iso: None,
            http_date: *stamp.http(),
            authorization: self.authorization(view, credentials, &stamp)?,
            signature_len: SIGNATURE_LEN,
            credentials: Some(credentials.clone()),
        })
    }

    /// The value of the `Authorization` header: one allocation of just that length.
    pub(crate) fn authorization(
        &self,
        view: &RequestView<'_>,
        credentials: &Credentials,
        stamp: &Stamp,
    ) -> Result<Vec<u8>, SignError> {
        let canonical = self.canonical(view, credentials)?;
        let date = canonical.oss_date().unwrap_or(stamp.http());
        let signature = encoded(canonical.mac(credentials.access_key_secret(), date));
        let id = credentials.access_key_id();
        let mut value = Vec::with_capacity(SCHEME.len() + id.len() + 2 + SIGNATURE_LEN);
        for piece in [SCHEME.as_bytes(), b" ", id.as_bytes(), b":", &signature] {
            value.extend_from_slice(piece);
        }
        Ok(value)
    }

    /// Returns what [`Signer::sign`] signs, to compare with what a service reports.
    ///
    /// The result contains the security token: do not log it.
    ///
    /// # Errors
    ///
    /// Those of [`Signer::sign`].
    pub fn explain(
        &self,
        view: &RequestView<'_>,
        credentials: &Credentials,
        time: SystemTime,
    ) -> Result<Explained, SignError> {
        let stamp = Stamp::new(second_of(time)?);
        let canonical = self.canonical(view, credentials)?;
        Ok(canonical.explain(canonical.oss_date().unwrap_or(stamp.http())))
    }

    fn canonical<'a>(
        &'a self,
        view: &RequestView<'a>,
        credentials: &'a Credentials,
    ) -> Result<Canonical<'a>, SignError> {
        let mut parameters = Parameters::new();
        parameters.collect(view, &[])?;
        let sub_resources = SubResources::of(&parameters, Extra::Owned(&self.extra));
        ambiguity::check(view, &sub_resources)?;
        Canonical::of(view, sub_resources, credentials.security_token(), OWN)
    }
}
