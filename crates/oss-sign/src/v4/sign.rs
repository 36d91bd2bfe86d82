//! The header form.

use std::fmt;
use std::time::SystemTime;

use oss_credentials_core::Credentials;
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use super::canonical::{put_head, put_tail};
use super::key::{Moment, hex, string_to_sign};
use super::names::{CONTENT_SHA256, DATE, SECURITY_TOKEN, UNSIGNED_PAYLOAD};
use super::sha256::sha256_of_scratch;
use super::signer::Signer;
use crate::headers::{Rules, Scratch, SignedHeaders, Sink};
use crate::parameters::Parameters;
use crate::signed::Signed;
use crate::time::second_of;
use crate::{RequestView, SignError};

/// The headers that the signer sets itself; `date` counts only where it is listed.
const OWN: &[&str] = &["date", CONTENT_SHA256, DATE, SECURITY_TOKEN];
const ADDITIONAL: &[u8] = b",AdditionalHeaders=";
const SIGNATURE: &[u8] = b",Signature=";
const PAYLOAD_LINE: &[u8] = b"x-oss-content-sha256:UNSIGNED-PAYLOAD\n";

impl Signer {
    /// Signs a request by headers: returns the headers to set, and changes nothing itself.
    ///
    /// Values that the request already has for `x-oss-date`, `x-oss-content-sha256`, `x-oss-security-token`,
    /// `Date` and `Authorization` are not signed: replace them by the headers of the result. With
    /// [anonymous](Credentials::anonymous) credentials there is nothing to set.
    ///
    /// Sign each attempt again: the service accepts a time that differs from its own by at most 15 minutes.
    /// Credentials are not checked for expiry here; the service does that, by its own clock.
    ///
    /// # Errors
    ///
    /// [`SignError::DuplicateParameter`], [`SignError::InvalidQuery`], [`SignError::InvalidHeader`],
    /// [`SignError::KeyWithoutBucket`] or [`SignError::TimeOutOfRange`].
    pub fn sign(
        &self,
        view: &RequestView<'_>,
        credentials: &Credentials,
        time: SystemTime,
    ) -> Result<Signed, SignError> {
        if credentials.is_anonymous() {
            return Ok(Signed::nothing());
        }
        self.with_moment(credentials, second_of(time)?, |moment| {
            Ok(Signed {
                iso: Some(*moment.stamp.iso()),
                http_date: *moment.stamp.http(),
                authorization: self.authorization(view, moment)?,
                signature_len: 64,
                credentials: Some(credentials.clone()),
            })
        })
    }

    /// The value of the `Authorization` header: one allocation of just that length, for a request of usual
    /// length.
    pub(crate) fn authorization(
        &self,
        view: &RequestView<'_>,
        moment: &Moment,
    ) -> Result<Vec<u8>, SignError> {
        let mut canonical_request = Scratch::new();
        let additional = self.put_canonical(&mut canonical_request, view, moment)?;
        let signature = moment.signature(&sha256_of_scratch(&mut canonical_request));
        let start = moment.authorization.as_bytes();
        let mut value =
            Vec::with_capacity(start.len() + list_len(&additional) + SIGNATURE.len() + signature.len());
        value.extend_from_slice(start);
        if !additional.is_empty() {
            value.extend_from_slice(ADDITIONAL);
            value.extend_from_slice(additional.as_bytes());
        }
        value.extend_from_slice(SIGNATURE);
        value.extend_from_slice(&signature);
        Ok(value)
    }

    /// Returns what [`Signer::sign`] hashes and signs, to compare with what a service reports.
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
        self.with_moment(credentials, second_of(time)?, |moment| {
            let mut canonical_request = Scratch::new();
            self.put_canonical(&mut canonical_request, view, moment)?;
            Ok(Explained::new(
                canonical_request.items(),
                moment.stamp.iso(),
                &moment.key.scope,
            ))
        })
    }

    pub(crate) fn with_moment<R>(
        &self,
        credentials: &Credentials,
        second: u64,
        sign: impl FnOnce(&Moment) -> R,
    ) -> R {
        self.inner
            .keys
            .with(credentials, second, &self.inner.region, &self.inner.product, sign)
    }

    /// Writes the canonical request and returns the list of additional headers.
    fn put_canonical(
        &self,
        out: &mut impl Sink,
        view: &RequestView<'_>,
        moment: &Moment,
    ) -> Result<String, SignError> {
        let mut headers = SignedHeaders::new();
        let is_additional = |name: &str| self.is_additional(name);
        headers.collect(
            view,
            &Rules {
                is_additional,
                replaced: OWN,
                keep_empty: false,
            },
        )?;
        let mut parameters = Parameters::new();
        parameters.collect(view, &[])?;
        let signs_date = self.is_additional("date");
        let additional = match headers.additional() {
            names if signs_date => with_name(&names, "date"),
            names => names,
        };
        put_head(out, view)?;
        parameters.put(out, &[]);
        out.put(b"\n");
        let mut date_line = *b"x-oss-date:YYYYMMDDThhmmssZ\n";
        date_line[11..27].copy_from_slice(moment.stamp.iso());
        let mut http_date_line = *b"date:Www, DD Mmm YYYY hh:mm:ss GMT\n";
        http_date_line[5..34].copy_from_slice(moment.stamp.http());
        let token_line = moment.key.token_line.as_ref().map_or("", |line| line.as_str());
        let own: [(&str, &[u8]); 4] = [
            ("date", &http_date_line),
            (CONTENT_SHA256, PAYLOAD_LINE),
            (DATE, &date_line),
            (SECURITY_TOKEN, token_line.as_bytes()),
        ];
        headers.put_lines(out, if signs_date { &own } else { &own[1..] });
        put_tail(out, &additional, UNSIGNED_PAYLOAD.as_bytes());
        Ok(additional)
    }
}

/// Length of the part of the value that lists the additional headers.
fn list_len(additional: &str) -> usize {
    if additional.is_empty() {
        0
    } else {
        ADDITIONAL.len() + additional.len()
    }
}

/// A sorted list of names with `;` between them, and one name more.
fn with_name(list: &str, name: &str) -> String {
    let mut names: Vec<_> = list
        .split(';')
        .filter(|listed| !listed.is_empty())
        .chain([name])
        .collect();
    names.sort_unstable();
    names.join(";")
}

/// The texts that were signed, for diagnosis. It may contain a security token; `Debug` does not show it.
#[derive(Clone)]
pub struct Explained {
    canonical_request: Zeroizing<Vec<u8>>,
    canonical_request_sha256: String,
    string_to_sign: String,
}

impl Explained {
    pub(super) fn new(canonical_request: &[u8], iso: &[u8], scope: &str) -> Self {
        let hash = Sha256::digest(canonical_request).into();
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        Self {
            canonical_request: Zeroizing::new(canonical_request.to_vec()),
            canonical_request_sha256: text(&hex(&hash)),
            string_to_sign: text(&string_to_sign(iso, scope, &hash)),
        }
    }

    /// Returns the canonical request. Bytes, because header values need not be UTF-8.
    pub fn canonical_request(&self) -> &[u8] {
        &self.canonical_request
    }

    /// Returns its SHA-256 in lower-case hex.
    pub fn canonical_request_sha256(&self) -> &str {
        &self.canonical_request_sha256
    }

    /// Returns the string that was signed; it contains no secret.
    pub fn string_to_sign(&self) -> &str {
        &self.string_to_sign
    }
}

impl fmt::Debug for Explained {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Explained")
            .field("string_to_sign", &self.string_to_sign)
            .finish_non_exhaustive()
    }
}
