//! The other side: parses a signature that was received, and computes what it should be.

use std::fmt;

use hmac::Mac;
use oss_credentials_core::MaskedId;
use sha2::{Digest, Sha256};

use super::canonical::{put_head, put_tail};
use super::key::{Keys, hex, mac};
use super::names::{
    ADDITIONAL_HEADERS, ALGORITHM, CONTENT_SHA256, CREDENTIAL, DATE, EXPIRES, SECURITY_TOKEN, SIGNATURE,
    SIGNATURE_VERSION, TERMINATOR, UNSIGNED_PAYLOAD,
};
use super::sign::Explained;
use crate::headers::{Rules, Scratch, SignedHeaders};
use crate::parameters::Parameters;
use crate::time::day_of_http;
use crate::{RequestView, SignError};

/// A received V4 signature with everything that arrived with it.
///
/// There are two forms: [`Authorization::parse`] parses the header's value, [`Authorization::parse_query`] the
/// parameters of a presigned URL. [`Authorization::verify`] then signs the received request once more.
/// The caller has to check the time, the lifetime, the token and the region.
///
/// # Examples
///
/// ```
/// use std::time::{Duration, SystemTime};
/// use oss_credentials_core::Credentials;
/// use oss_sign::{RequestView, v4::{Authorization, Signer}};
///
/// let credentials = Credentials::builder("FakeAccessKeyId0001", "FakeAccessKeySecret0001").build()?;
/// let view = RequestView::new("GET").bucket("examplebucket").key("k");
/// let time = SystemTime::UNIX_EPOCH + Duration::from_secs(1_767_256_200);
/// let signed = Signer::builder("cn-hangzhou").build()?.sign(&view, &credentials, time)?;
///
/// // On the other side:
/// let received: Vec<(&str, &[u8])> =
///     signed.headers().map(|header| (header.name, header.value.as_bytes())).collect();
/// let authorization = Authorization::parse(signed.authorization())?;
/// assert_eq!(authorization.access_key_id(), "FakeAccessKeyId0001");
/// assert_eq!(authorization.region(), "cn-hangzhou");
/// let verification = authorization.verify(&view.headers(&received), "FakeAccessKeySecret0001")?;
/// assert!(verification.matches());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct Authorization<'a> {
    access_key_id: &'a str,
    /// `day/region/product/aliyun_v4_request`
    scope: &'a str,
    day: &'a str,
    region: &'a str,
    product: &'a str,
    additional: &'a str,
    signature: &'a str,
    query: Option<QueryPart<'a>>,
}

/// What only the URL form has.
#[derive(Clone, Copy)]
struct QueryPart<'a> {
    date: &'a str,
    expires_seconds: u64,
    security_token: Option<&'a str>,
}

impl<'a> Authorization<'a> {
    /// Parses the value of an `Authorization` header. The order of its parts is free, and spaces after the
    /// commas are allowed, since clients write both.
    ///
    /// # Errors
    ///
    /// [`SignError::MalformedAuthorization`] if it is another scheme, or a part is missing or malformed.
    pub fn parse(value: &'a str) -> Result<Self, SignError> {
        let parts = value
            .strip_prefix(ALGORITHM)
            .filter(|rest| rest.starts_with(' '))
            .ok_or(SignError::MalformedAuthorization {
                what: "authorization scheme",
            })?;
        let (mut credential, mut additional, mut signature) = (None, "", None);
        for part in parts.split(',') {
            match part.trim().split_once('=') {
                Some(("Credential", value)) => credential = Some(value),
                Some(("AdditionalHeaders", value)) => additional = value,
                Some(("Signature", value)) => signature = Some(value),
                _ => {
                    return Err(SignError::MalformedAuthorization {
                        what: "authorization header",
                    });
                }
            }
        }
        Self::new(credential, additional, signature, None)
    }

    /// Parses the parameters of a presigned URL, decoded; `None` if the query has no V4 signature.
    ///
    /// # Errors
    ///
    /// [`SignError::MalformedAuthorization`] if the query has `x-oss-signature-version` but another one of
    /// the parameters is missing or malformed.
    pub fn parse_query(pairs: &[(&'a str, &'a str)]) -> Result<Option<Self>, SignError> {
        let find = |name| {
            pairs
                .iter()
                .find(|(found, _)| *found == name)
                .map(|(_, value)| *value)
        };
        match find(SIGNATURE_VERSION) {
            None => return Ok(None),
            Some(ALGORITHM) => {}
            Some(_) => {
                return Err(SignError::MalformedAuthorization {
                    what: SIGNATURE_VERSION,
                });
            }
        }
        let query = QueryPart {
            date: find(DATE).ok_or(SignError::MalformedAuthorization { what: DATE })?,
            expires_seconds: find(EXPIRES)
                .filter(|digits| digits.bytes().all(|byte| byte.is_ascii_digit()))
                .and_then(|digits| digits.parse().ok())
                .ok_or(SignError::MalformedAuthorization { what: EXPIRES })?,
            security_token: find(SECURITY_TOKEN).filter(|token| !token.is_empty()),
        };
        let additional = find(ADDITIONAL_HEADERS).unwrap_or_default();
        Self::new(find(CREDENTIAL), additional, find(SIGNATURE), Some(query)).map(Some)
    }

    fn new(
        credential: Option<&'a str>,
        additional: &'a str,
        signature: Option<&'a str>,
        query: Option<QueryPart<'a>>,
    ) -> Result<Self, SignError> {
        let malformed = |what| SignError::MalformedAuthorization { what };
        // An access key ID may contain a slash, and a scope has exactly three.
        let credential = credential.ok_or(malformed("credential"))?;
        let mut parts = credential.rsplitn(5, '/');
        let (Some(TERMINATOR), Some(product), Some(region), Some(day), Some(access_key_id)) = (
            parts.next(),
            parts.next(),
            parts.next(),
            parts.next(),
            parts.next(),
        ) else {
            return Err(malformed("credential"));
        };
        if access_key_id.is_empty() || day.len() != 8 {
            return Err(malformed("credential"));
        }
        let scope = credential
            .get(access_key_id.len() + 1..)
            .ok_or(malformed("credential"))?;
        let signature = signature.ok_or(malformed("signature"))?;
        Ok(Self {
            access_key_id,
            scope,
            day,
            region,
            product,
            additional,
            signature,
            query,
        })
    }

    /// Computes the signature of the request as it was received and compares the two in constant time.
    ///
    /// The view must contain all headers and, for the URL form, all parameters that arrived. Nothing is replaced
    /// or left out except `x-oss-signature` in the URL form; the list of additional headers counts as it was
    /// sent.
    ///
    /// # Errors
    ///
    /// [`SignError::MalformedAuthorization`] if the time is missing, malformed or of another day than the scope. In
    /// the header form it is `x-oss-date` or, in its absence, `Date`, whose text is then signed as it is; see the
    /// pages about EC 0002-00000502 and 0002-00000505 (Object Storage Service, support). Otherwise those of
    /// [`Signer::sign`](super::Signer::sign).
    pub fn verify(&self, view: &RequestView<'_>, secret: &str) -> Result<Verification, SignError> {
        let is_additional = |name: &str| {
            self.additional_headers()
                .any(|listed| listed.eq_ignore_ascii_case(name))
        };
        let mut headers = SignedHeaders::new();
        headers.collect(
            view,
            &Rules {
                is_additional,
                replaced: &[],
                keep_empty: true,
            },
        )?;
        let date = match self.query {
            Some(query) => Some(query.date.as_bytes()),
            None => headers.value(DATE),
        };
        let date = match date {
            Some(date) if is_date(date) && date.starts_with(self.day.as_bytes()) => date,
            Some(_) => return Err(SignError::MalformedAuthorization { what: DATE }),
            None => self.http_date(view)?,
        };
        let replaced: &[&str] = if self.query.is_some() { &[SIGNATURE] } else { &[] };
        let mut parameters = Parameters::new();
        parameters.collect(view, replaced)?;
        let payload = headers.value(CONTENT_SHA256).filter(|value| !value.is_empty());

        let mut canonical = Scratch::new();
        put_head(&mut canonical, view)?;
        parameters.put(&mut canonical, &[]);
        canonical.extend(b"\n");
        headers.put_lines(&mut canonical, &[]);
        put_tail(
            &mut canonical,
            self.additional,
            payload.unwrap_or(UNSIGNED_PAYLOAD.as_bytes()),
        );

        let explained = Explained::new(canonical.items(), date, self.scope);
        let keys = Keys::derive(secret, self.day.as_bytes(), self.region, self.product);
        let mut mac = mac(&[&*keys.signing]);
        mac.update(explained.string_to_sign().as_bytes());
        let matches = from_hex(self.signature).is_some_and(|received| mac.verify_slice(&received).is_ok());
        Ok(Verification { explained, matches })
    }

    /// The value of `Date`, for a request without `x-oss-date`.
    fn http_date<'v>(&self, view: &RequestView<'v>) -> Result<&'v [u8], SignError> {
        let mut found = None;
        view.header_source().each(
            |name| name.eq_ignore_ascii_case("date"),
            |_, value| found = found.or(Some(value)),
        )?;
        found
            .filter(|date| day_of_http(date).is_some_and(|day| day == self.day.as_bytes()))
            .ok_or(SignError::MalformedAuthorization { what: DATE })
    }

    /// Returns the access key ID, by which the caller finds the secret.
    pub fn access_key_id(&self) -> &'a str {
        self.access_key_id
    }

    /// Returns the scope, `day/region/product/aliyun_v4_request`.
    pub fn scope(&self) -> &'a str {
        self.scope
    }

    /// Returns the day of the scope, `YYYYMMDD`.
    pub fn day(&self) -> &'a str {
        self.day
    }

    /// Returns the region of the scope.
    pub fn region(&self) -> &'a str {
        self.region
    }

    /// Returns the product of the scope.
    pub fn product(&self) -> &'a str {
        self.product
    }

    /// Returns the additional headers in the order received.
    pub fn additional_headers(&self) -> impl Iterator<Item = &'a str> {
        self.additional
            .split(';')
            .map(str::trim)
            .filter(|name| !name.is_empty())
    }

    /// Returns the signature as received.
    pub fn signature(&self) -> &'a str {
        self.signature
    }

    /// Returns whether it was in the URL.
    pub fn is_query(&self) -> bool {
        self.query.is_some()
    }

    /// Returns `x-oss-date` of the URL form; in the header form it is a header of the request.
    pub fn date(&self) -> Option<&'a str> {
        self.query.map(|query| query.date)
    }

    /// Returns the lifetime of the URL form, in seconds from [`Authorization::date`].
    pub fn expires_seconds(&self) -> Option<u64> {
        self.query.map(|query| query.expires_seconds)
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
            .field("scope", &self.scope)
            .field("additional_headers", &self.additional)
            .field("is_query", &self.is_query())
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

/// Returns the string to sign for a canonical request. `date` is `YYYYMMDD'T'HHMMSS'Z'`, `scope` is
/// `day/region/product/aliyun_v4_request`.
pub fn string_to_sign(date: &str, scope: &str, canonical_request: &[u8]) -> String {
    let hash = hex(&Sha256::digest(canonical_request).into()).map(char::from);
    format!("{ALGORITHM}\n{date}\n{scope}\n{}", String::from_iter(hash))
}

/// Returns the signature over a string to sign, in lower-case hex. `day` is `YYYYMMDD`.
pub fn signature(secret: &str, day: &str, region: &str, product: &str, string_to_sign: &str) -> String {
    let keys = Keys::derive(secret, day.as_bytes(), region, product);
    let mut mac = mac(&[&*keys.signing]);
    mac.update(string_to_sign.as_bytes());
    hex(&mac.finalize().into_bytes().into())
        .map(char::from)
        .iter()
        .collect()
}

/// Returns whether the bytes have the shape of `20260101T083000Z`.
fn is_date(date: &[u8]) -> bool {
    date.len() == 16
        && date.iter().enumerate().all(|(at, byte)| match at {
            8 => *byte == b'T',
            15 => *byte == b'Z',
            _ => byte.is_ascii_digit(),
        })
}

/// The 32 bytes that 64 lower-case hex digits stand for.
fn from_hex(digits: &str) -> Option<[u8; 32]> {
    if digits.len() != 64
        || digits
            .bytes()
            .any(|byte| !matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
    {
        return None;
    }
    let mut bytes = [0; 32];
    for (byte, at) in bytes.iter_mut().zip((0..64).step_by(2)) {
        *byte = u8::from_str_radix(digits.get(at..at + 2)?, 16).ok()?;
    }
    Some(bytes)
}
