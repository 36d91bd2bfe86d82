//! The result of signing by headers.

use std::fmt;

use oss_credentials_core::Credentials;

use crate::v4::names::{CONTENT_SHA256, DATE, SECURITY_TOKEN, UNSIGNED_PAYLOAD};

/// The headers that sign a request. `Debug` shows none of their values.
#[derive(Clone)]
pub struct Signed {
    /// `x-oss-date` of V4; V1 has only `date`.
    pub(crate) iso: Option<[u8; 16]>,
    pub(crate) http_date: [u8; 29],
    /// Empty if nothing was signed.
    pub(crate) authorization: Vec<u8>,
    /// Length of the signature, with which `authorization` ends.
    pub(crate) signature_len: usize,
    pub(crate) credentials: Option<Credentials>,
}

/// A header to set on a request, replacing one of that name.
#[derive(Clone, Copy)]
pub struct SignedHeader<'a> {
    /// Name, in lower case.
    pub name: &'static str,
    /// Value. UTF-8 beyond ASCII is possible only if the credentials contain it.
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
    /// The result for anonymous credentials.
    pub(crate) fn nothing() -> Self {
        Self {
            iso: None,
            http_date: [0; 29],
            authorization: Vec::new(),
            signature_len: 0,
            credentials: None,
        }
    }

    /// Returns whether there is anything to set: false for anonymous credentials.
    pub fn is_signed(&self) -> bool {
        self.credentials.is_some()
    }

    /// Returns the headers to set: `x-oss-date` and `x-oss-content-sha256` (V4 only), `x-oss-security-token` if there
    /// is a token, `date` and `authorization`. Without a token, remove an `x-oss-security-token` that the
    /// request has from an earlier attempt.
    pub fn headers(&self) -> impl Iterator<Item = SignedHeader<'_>> {
        let token = self.credentials.as_ref().and_then(Credentials::security_token);
        let (iso, payload) = match &self.iso {
            Some(iso) => (text(iso), UNSIGNED_PAYLOAD),
            None => ("", ""),
        };
        [
            (DATE, iso, false),
            (CONTENT_SHA256, payload, false),
            (SECURITY_TOKEN, token.unwrap_or_default(), true),
            ("date", text(&self.http_date), false),
            ("authorization", self.authorization(), true),
        ]
        .into_iter()
        .filter(|(_, value, _)| self.is_signed() && !value.is_empty())
        .map(|(name, value, sensitive)| SignedHeader {
            name,
            value,
            sensitive,
        })
    }

    /// Returns the value of the `Authorization` header; empty if nothing was signed.
    pub fn authorization(&self) -> &str {
        text(&self.authorization)
    }

    /// Returns the bare signature: 64 hex digits in V4, 28 characters of base64 in V1; empty if nothing was signed.
    pub fn signature(&self) -> &str {
        let start = self.authorization.len().saturating_sub(self.signature_len);
        text(self.authorization.get(start..).unwrap_or_default())
    }
}

/// Bytes that were made of text.
fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap_or_default()
}

impl fmt::Debug for Signed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Signed")
            .field("is_signed", &self.is_signed())
            .finish_non_exhaustive()
    }
}
