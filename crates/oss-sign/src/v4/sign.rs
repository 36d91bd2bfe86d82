//! The header form.

use std::fmt;
use std::ops::Range;
use std::time::SystemTime;

use oss_credentials_core::Credentials;
use sha2::{Digest, Sha256};

use super::canonical::{
    CanonicalQuery, HashSink, Parameters, Rules, SignedHeaders, Sink, UNSIGNED_PAYLOAD, put_request,
};
use super::key::{each_of_string_to_sign, hex};
use super::{ALGORITHM, CONTENT_SHA256, DATE, SECURITY_TOKEN, Signer};
use crate::time::Stamp;
use crate::{RequestView, SignError};

/// The headers that the signer sets itself, in canonical order; `date` counts only where it is listed.
const OWN: &[&str] = &["date", CONTENT_SHA256, DATE, SECURITY_TOKEN];

impl Signer {
    /// Signs a request by headers: tells which headers to set, and changes nothing itself.
    ///
    /// Values that the request already has for `x-oss-date`, `x-oss-content-sha256`, `x-oss-security-token`, `Date`
    /// and `Authorization` are not signed: set the headers of the result in their place. With
    /// [anonymous](Credentials::anonymous) credentials there is nothing to set.
    ///
    /// Sign each attempt anew: the service accepts a time that differs from its own by at most 15 minutes.
    /// Credentials are not checked for expiry here; the service answers that, by its own clock.
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
            return Ok(Signed::default());
        }
        let stamp = Stamp::new(time)?;
        let headers = self.headers_to_sign(view, credentials, &stamp)?;
        let mut sink = HashSink::new();
        Self::put_canonical(&mut sink, view, &headers)?;
        let hash = sink.finish();
        Ok(self.inner.keys.with(
            credentials,
            &stamp,
            &self.inner.region,
            &self.inner.product,
            |key| {
                let signature = key.signature(&stamp, &hash);
                Signed::write(credentials, &stamp, key.scope_with_slash(), &headers, &signature)
            },
        ))
    }

    /// What [`Signer::sign`] hashes and signs, to compare with what a service says it got.
    ///
    /// The result holds the security token: do not log it.
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
        let stamp = Stamp::new(time)?;
        let headers = self.headers_to_sign(view, credentials, &stamp)?;
        let mut canonical_request = Vec::new();
        Self::put_canonical(&mut canonical_request, view, &headers)?;
        Ok(self.explained(credentials, &stamp, canonical_request))
    }

    fn headers_to_sign<'a>(
        &self,
        view: &RequestView<'a>,
        credentials: &'a Credentials,
        stamp: &'a Stamp,
    ) -> Result<SignedHeaders<'a>, SignError> {
        let rules = Rules {
            is_additional: |name: &str| self.is_additional(name),
            replaced: OWN,
            keep_empty: false,
        };
        let own: [(&'static str, &[u8]); 4] = [
            ("date", stamp.http()),
            (CONTENT_SHA256, UNSIGNED_PAYLOAD.as_bytes()),
            (DATE, stamp.iso()),
            (
                SECURITY_TOKEN,
                credentials.security_token().unwrap_or_default().as_bytes(),
            ),
        ];
        let own = if credentials.security_token().is_some() {
            &own
        } else {
            &own[..3]
        };
        SignedHeaders::collect(view, &rules, own)
    }

    fn put_canonical<S: Sink>(
        out: &mut S,
        view: &RequestView<'_>,
        headers: &SignedHeaders<'_>,
    ) -> Result<(), SignError> {
        let parameters = Parameters::collect(view, &[], &[])?;
        put_request(
            out,
            view,
            &CanonicalQuery::Parameters(&parameters),
            headers,
            |out| headers.each_additional_byte(|byte| out.put(&[byte])),
            UNSIGNED_PAYLOAD.as_bytes(),
        )
    }

    pub(super) fn explained(
        &self,
        credentials: &Credentials,
        stamp: &Stamp,
        canonical: Vec<u8>,
    ) -> Explained {
        let hash = Sha256::digest(&canonical).into();
        self.inner.keys.with(
            credentials,
            stamp,
            &self.inner.region,
            &self.inner.product,
            |key| {
                Explained::new(
                    canonical,
                    stamp.iso(),
                    key.scope_with_slash().trim_start_matches('/'),
                    &hash,
                )
            },
        )
    }
}

/// The headers that sign a request. `Debug` shows none of their values.
#[derive(Clone, Default)]
pub struct Signed {
    /// All values one after the other; empty if nothing is to be set. One piece, so that it is one allocation.
    pub(crate) text: String,
    pub(crate) token_end: usize,
}

/// A header to set on a request, in place of one of that name.
#[derive(Clone, Copy)]
pub struct SignedHeader<'a> {
    /// Name, in lower case.
    pub name: &'static str,
    /// Value. UTF-8 beyond ASCII is possible only if the credentials hold it.
    pub value: &'a str,
    /// Whether the value must not be logged.
    pub sensitive: bool,
}

impl fmt::Debug for SignedHeader<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let value = if self.sensitive { "<redacted>" } else { self.value };
        f.debug_struct("SignedHeader")
            .field("name", &self.name)
            .field("value", &value)
            .finish()
    }
}

impl Signed {
    pub(crate) const ISO: Range<usize> = 0..16;
    pub(crate) const HTTP: Range<usize> = 16..45;

    fn write(
        credentials: &Credentials,
        stamp: &Stamp,
        scope_with_slash: &str,
        headers: &SignedHeaders<'_>,
        signature: &[u8; 64],
    ) -> Self {
        let token = credentials.security_token().unwrap_or_default();
        let id = credentials.access_key_id();
        let mut additional = 0;
        headers.each_additional_byte(|_| additional += 1);
        let mut text = String::with_capacity(
            Self::HTTP.end + token.len() + id.len() + scope_with_slash.len() + additional + 160,
        );
        push_ascii(&mut text, stamp.iso());
        push_ascii(&mut text, stamp.http());
        text.push_str(token);
        let token_end = text.len();
        text.push_str(ALGORITHM);
        text.push_str(" Credential=");
        text.push_str(id);
        text.push_str(scope_with_slash);
        if headers.has_additional() {
            text.push_str(",AdditionalHeaders=");
            headers.each_additional_byte(|byte| text.push(char::from(byte)));
        }
        text.push_str(",Signature=");
        push_ascii(&mut text, signature);
        Self { text, token_end }
    }

    /// Whether there is anything to set: false for anonymous credentials.
    pub fn is_signed(&self) -> bool {
        !self.text.is_empty()
    }

    /// The headers to set: `x-oss-date`, `x-oss-content-sha256`, `x-oss-security-token` if there is a token, `date`
    /// and `authorization`. Without a token, remove an `x-oss-security-token` that the request has from before.
    pub fn headers(&self) -> impl Iterator<Item = SignedHeader<'_>> {
        [
            (DATE, self.part(Self::ISO), false),
            (
                CONTENT_SHA256,
                if self.is_signed() { UNSIGNED_PAYLOAD } else { "" },
                false,
            ),
            (SECURITY_TOKEN, self.part(Self::HTTP.end..self.token_end), true),
            ("date", self.part(Self::HTTP), false),
            ("authorization", self.authorization(), true),
        ]
        .into_iter()
        .filter(|(_, value, _)| !value.is_empty())
        .map(|(name, value, sensitive)| SignedHeader {
            name,
            value,
            sensitive,
        })
    }

    /// The value of the `Authorization` header; empty if nothing was signed.
    pub fn authorization(&self) -> &str {
        self.part(self.token_end..self.text.len())
    }

    /// The signature alone, 64 hex digits; empty if nothing was signed.
    pub fn signature(&self) -> &str {
        self.part(self.text.len().saturating_sub(64)..self.text.len())
    }

    fn part(&self, range: Range<usize>) -> &str {
        self.text.get(range).unwrap_or_default()
    }
}

impl fmt::Debug for Signed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Signed")
            .field("is_signed", &self.is_signed())
            .finish_non_exhaustive()
    }
}

/// Appends bytes that are ASCII by construction.
pub(super) fn push_ascii(text: &mut String, bytes: &[u8]) {
    text.push_str(std::str::from_utf8(bytes).unwrap_or_default());
}

/// What was signed, for diagnosis. It may hold a security token; `Debug` does not show it.
#[derive(Clone)]
pub struct Explained {
    canonical_request: Vec<u8>,
    canonical_request_sha256: String,
    string_to_sign: String,
}

impl Explained {
    pub(super) fn new(canonical_request: Vec<u8>, iso: &[u8], scope: &str, hash: &[u8; 32]) -> Self {
        let mut string_to_sign = Vec::new();
        each_of_string_to_sign(iso, scope, hash, |piece| string_to_sign.extend_from_slice(piece));
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        Self {
            canonical_request,
            canonical_request_sha256: text(&hex(hash)),
            string_to_sign: text(&string_to_sign),
        }
    }

    /// The canonical request. Bytes, because header values need not be UTF-8.
    pub fn canonical_request(&self) -> &[u8] {
        &self.canonical_request
    }

    /// Its SHA-256 in lower-case hex.
    pub fn canonical_request_sha256(&self) -> &str {
        &self.canonical_request_sha256
    }

    /// The string that was signed; it holds no secret.
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
