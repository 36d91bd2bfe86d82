//! The other side: parses a signature that was received, and computes what it should be.

use std::fmt;
use std::time::{Duration, SystemTime};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::Mac;
use oss_credentials_core::MaskedId;

use super::canonical::{Canonical, Explained, encoded, keyed};
use super::names::{ACCESS_KEY_ID, EXPIRES, SCHEME, SIGNATURE, TOKEN_PARAMETER};
use super::sub_resources::{Extra, SubResources};
use crate::parameters::Parameters;
use crate::time::{instant, is_in_range};
use crate::{RequestView, SignError};

/// A received V1 signature with everything that arrived with it.
///
/// There are two forms: [`Authorization::parse`] parses the header's value, [`Authorization::parse_query`] the
/// parameters of a presigned URL. [`Authorization::verify`] then signs the received request once more.
/// The caller has to check the time and the token.
///
/// # Examples
///
/// ```
/// use std::time::{Duration, SystemTime};
/// use oss_credentials_core::Credentials;
/// use oss_sign::{RequestView, v1::{Authorization, Signer}};
///
/// let credentials = Credentials::builder("FakeAccessKeyId0001", "FakeAccessKeySecret0001").build()?;
/// let view = RequestView::new("GET").bucket("examplebucket").key("k");
/// let time = SystemTime::UNIX_EPOCH + Duration::from_secs(1_767_256_200);
/// let signed = Signer::new().sign(&view, &credentials, time)?;
///
/// // On the other side:
/// let received: Vec<(&str, &[u8])> =
///     signed.headers().map(|header| (header.name, header.value.as_bytes())).collect();
/// let authorization = Authorization::parse(signed.authorization())?;
/// assert_eq!(authorization.access_key_id(), "FakeAccessKeyId0001");
/// let verification = authorization.verify(&view.headers(&received), "FakeAccessKeySecret0001")?;
/// assert!(verification.matches());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct Authorization<'a> {
    access_key_id: &'a str,
    signature: &'a str,
    query: Option<QueryPart<'a>>,
    extra: &'a [&'a str],
}

/// What only the URL form has.
#[derive(Clone, Copy)]
struct QueryPart<'a> {
    /// As it was sent: the text is signed.
    expires: &'a str,
    expires_at: SystemTime,
    security_token: Option<&'a str>,
}

impl<'a> Authorization<'a> {
    /// Parses the value of an `Authorization` header, `OSS id:signature`.
    ///
    /// # Errors
    ///
    /// [`SignError::MalformedAuthorization`] if it is another scheme, or a part is missing.
    pub fn parse(value: &'a str) -> Result<Self, SignError> {
        let malformed = |what| SignError::MalformedAuthorization { what };
        let parts = value
            .strip_prefix(SCHEME)
            .and_then(|rest| rest.strip_prefix(' '))
            .ok_or(malformed("authorization scheme"))?;
        // A signature has no colon, an access key ID may have one.
        let (id, signature) = parts
            .trim()
            .rsplit_once(':')
            .ok_or(malformed("authorization header"))?;
        Self::new(id, signature, None)
    }

    /// Parses the parameters of a presigned URL, decoded; `None` if the query has no V1 signature.
    ///
    /// # Errors
    ///
    /// [`SignError::MalformedAuthorization`] if the query has `OSSAccessKeyId` but another one of the
    /// parameters is missing or malformed.
    pub fn parse_query(pairs: &[(&'a str, &'a str)]) -> Result<Option<Self>, SignError> {
        let find = |name| {
            pairs
                .iter()
                .find(|(found, _)| *found == name)
                .map(|(_, value)| *value)
        };
        let malformed = |what| SignError::MalformedAuthorization { what };
        let Some(id) = find(ACCESS_KEY_ID) else {
            return Ok(None);
        };
        let expires = find(EXPIRES).unwrap_or_default();
        let end = Some(expires)
            .filter(|digits| digits.bytes().all(|byte| byte.is_ascii_digit()))
            .and_then(|digits| digits.parse().ok())
            .filter(|end| is_in_range(*end))
            .ok_or(malformed(EXPIRES))?;
        let query = QueryPart {
            expires,
            expires_at: instant(end, Duration::ZERO),
            security_token: find(TOKEN_PARAMETER).filter(|token| !token.is_empty()),
        };
        let signature = find(SIGNATURE).ok_or(malformed("signature"))?;
        Self::new(id, signature, Some(query)).map(Some)
    }

    fn new(
        access_key_id: &'a str,
        signature: &'a str,
        query: Option<QueryPart<'a>>,
    ) -> Result<Self, SignError> {
        if access_key_id.is_empty() {
            return Err(SignError::MalformedAuthorization { what: "credential" });
        }
        Ok(Self {
            access_key_id,
            signature,
            query,
            extra: &[],
        })
    }

    /// Sets query parameters that count as sub-resources in addition to the known ones. Default: none.
    #[must_use]
    pub fn extra_sub_resources(mut self, names: &'a [&'a str]) -> Self {
        self.extra = names;
        self
    }

    /// Computes the signature of the request as it was received and compares the two in constant time.
    ///
    /// The view must contain all headers and all parameters that arrived.
    ///
    /// # Errors
    ///
    /// [`SignError::MalformedAuthorization`] if the header form comes with neither `x-oss-date` nor `Date`;
    /// otherwise those of [`Signer::sign`](super::Signer::sign).
    pub fn verify(&self, view: &RequestView<'_>, secret: &str) -> Result<Verification, SignError> {
        let mut parameters = Parameters::new();
        parameters.collect(view, &[])?;
        let canonical = Canonical::of(
            view,
            SubResources::of(&parameters, Extra::Borrowed(self.extra)),
            None,
            &[],
        )?;
        let date = match self.query {
            Some(query) => query.expires.as_bytes(),
            None => canonical.oss_date().unwrap_or(canonical.date()),
        };
        if date.is_empty() {
            return Err(SignError::MalformedAuthorization { what: "date" });
        }
        let mac = canonical.mac(secret, date);
        // Room for the 21 bytes that 28 characters could hold; what is longer is no signature.
        let mut received = [0; 21];
        let matches = STANDARD
            .decode_slice(self.signature, &mut received)
            .is_ok_and(|len| {
                received
                    .get(..len)
                    .is_some_and(|received| mac.verify_slice(received).is_ok())
            });
        Ok(Verification {
            explained: canonical.explain(date),
            matches,
        })
    }

    /// Returns the access key ID, by which the caller finds the secret.
    pub fn access_key_id(&self) -> &'a str {
        self.access_key_id
    }

    /// Returns the signature as received.
    pub fn signature(&self) -> &'a str {
        self.signature
    }

    /// Returns whether it was in the URL.
    pub fn is_query(&self) -> bool {
        self.query.is_some()
    }

    /// Returns when the URL form expires.
    pub fn expires_at(&self) -> Option<SystemTime> {
        self.query.map(|query| query.expires_at)
    }

    /// Returns the security token of the URL form; in the header form it is a header of the request.
    pub fn security_token(&self) -> Option<&'a str> {
        self.query.and_then(|query| query.security_token)
    }
}

impl fmt::Debug for Authorization<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Authorization")
            .field("access_key_id", &MaskedId(self.access_key_id))
            .field("is_query", &self.is_query())
            .field("expires_at", &self.expires_at())
            .finish_non_exhaustive()
    }
}

/// The result of signing a received request once more.
#[derive(Clone, Debug)]
pub struct Verification {
    explained: Explained,
    matches: bool,
}

impl Verification {
    /// Returns whether the received signature is the right one.
    #[must_use]
    pub fn matches(&self) -> bool {
        self.matches
    }

    /// Returns what had to be signed, for the response to a client that signed something else.
    pub fn explained(&self) -> &Explained {
        &self.explained
    }
}

/// The signature over a string to sign, in base64.
pub fn signature(secret: &str, string_to_sign: &[u8]) -> String {
    let mut mac = keyed(secret);
    mac.update(string_to_sign);
    encoded(mac).map(char::from).iter().collect()
}
