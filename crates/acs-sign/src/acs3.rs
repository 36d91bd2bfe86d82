//! The ACS3-HMAC-SHA256 signature ("V3"): everything in headers.
//!
//! Vendor document: "Request syntax and signature method V3", Alibaba Cloud SDK documentation,
//! <https://www.alibabacloud.com/help/en/sdk/product-overview/v3-request-structure-and-signature>.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::time::SystemTime;

use hmac::{Hmac, KeyInit as _, Mac as _};
use oss_credentials_core::Credentials;
use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

use crate::encode::{canonical_pairs, encode_pairs, timestamp};
use crate::error::SignError;
use crate::request::{ApiRequest, Body};
use crate::signed::{Addition, Signed};

/// Name of the algorithm, the first word of the `Authorization` header.
pub const ALGORITHM: &str = "ACS3-HMAC-SHA256";
/// Payload hash of an empty body.
pub const EMPTY_SHA256: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

const FORM: &str = "application/x-www-form-urlencoded";

/// Headers that a request must not contain, because the signer or the HTTP client sets them.
const RESERVED: [&str; 8] = [
    "host",
    "authorization",
    "x-acs-action",
    "x-acs-version",
    "x-acs-date",
    "x-acs-signature-nonce",
    "x-acs-content-sha256",
    "x-acs-security-token",
];

/// Signs a request and returns the headers to add to it.
///
/// `host`, `content-type` and every `x-acs-*` header are signed. A form body without a `content-type` header
/// gets one. `nonce` must differ for every request, also for a repeated one; the service accepts a `time` up
/// to 15 minutes from its own clock. For anonymous credentials, nothing is added.
///
/// # Errors
///
/// [`SignError::Reserved`] if the request already has a header that the signer sets, [`SignError::InvalidValue`]
/// if host, path, action, version, nonce, body hash or a header to sign is empty where it must not be or
/// contains a character that no header or path has, [`SignError::InvalidTime`] for a time outside the years 0
/// to 9999.
///
/// # Examples
///
/// ```
/// use std::time::SystemTime;
/// use acs_sign::{ApiRequest, acs3};
/// use oss_credentials_core::{Credentials, nonce};
///
/// let credentials = Credentials::builder("LTAI5tExampleKeyId01", "example-secret").build()?;
/// let request = ApiRequest::new("POST", "sts.aliyuncs.com", "GetCallerIdentity", "2015-04-01");
/// let signed = acs3::sign(&request, &credentials, SystemTime::UNIX_EPOCH, &nonce())?;
/// assert!(signed.headers().iter().any(|added| added.name() == "authorization"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn sign(
    request: &ApiRequest<'_>,
    credentials: &Credentials,
    time: SystemTime,
    nonce: &str,
) -> Result<Signed, SignError> {
    if credentials.is_anonymous() {
        return Ok(Signed::default());
    }
    let given = check(request, nonce)?;
    let payload_hash = payload_hash(request.body)?;

    let mut headers = vec![
        Addition::plain("x-acs-action", request.action),
        Addition::plain("x-acs-version", request.version),
        Addition::plain("x-acs-date", timestamp(time)?),
        Addition::plain("x-acs-signature-nonce", nonce),
        Addition::plain("x-acs-content-sha256", payload_hash.as_ref()),
    ];
    if let Some(token) = credentials.security_token() {
        headers.push(Addition::sensitive("x-acs-security-token", token));
    }
    let has_type = given
        .iter()
        .any(|(name, _)| name.eq_ignore_ascii_case("content-type"));
    if matches!(request.body, Body::Form(_)) && !has_type {
        headers.push(Addition::plain("content-type", FORM));
    }

    let mut all = given;
    all.push(("host", request.host));
    all.extend(headers.iter().map(|added| (added.name(), added.value())));
    // Contains the security token.
    let canonical = Zeroizing::new(canonical_request(
        request.method,
        request.path,
        request.query,
        &all,
        &payload_hash,
    ));
    let signature = signature(credentials.access_key_secret(), &string_to_sign(&canonical));
    let value = authorization(credentials.access_key_id(), &signed_headers(&all), &signature);
    headers.push(Addition::sensitive("authorization", value));
    Ok(Signed {
        headers,
        query: Vec::new(),
    })
}

/// Refuses what would make the signed text ambiguous; returns the caller's headers that are signed.
fn check<'a>(request: &ApiRequest<'a>, nonce: &str) -> Result<Vec<(&'a str, &'a str)>, SignError> {
    let invalid = |name: &str| SignError::InvalidValue {
        name: name.to_owned(),
    };
    for (name, value) in [
        ("method", request.method),
        ("host", request.host),
        ("x-acs-action", request.action),
        ("x-acs-version", request.version),
        ("x-acs-signature-nonce", nonce),
    ] {
        // Visible ASCII, as no client would change it in transit.
        if value.is_empty() || !value.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(invalid(name));
        }
    }
    if request
        .path
        .contains(|c: char| !c.is_ascii_graphic() || matches!(c, '?' | '#'))
    {
        return Err(invalid("path"));
    }
    let mut signed = Vec::with_capacity(request.headers.len() + 8);
    for &(name, value) in request.headers {
        let lower = name.trim().to_ascii_lowercase();
        if RESERVED.contains(&lower.as_str()) {
            return Err(SignError::Reserved { name: lower });
        }
        if !is_signed(&lower) {
            continue;
        }
        let is_token = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
        if !lower.chars().all(is_token) || value.contains(|c: char| c.is_control() && c != '\t') {
            return Err(invalid(&lower));
        }
        signed.push((name, value));
    }
    Ok(signed)
}

fn payload_hash(body: Body<'_>) -> Result<Cow<'_, str>, SignError> {
    Ok(match body {
        Body::Empty => EMPTY_SHA256.into(),
        Body::Bytes(body) => content_sha256(body).into(),
        Body::Form(form) => {
            let body = Zeroizing::new(encode_pairs(form.iter().copied()));
            content_sha256(body.as_bytes()).into()
        }
        Body::Hash(hash) => {
            let is_hex = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
            if hash.len() != 64 || !hash.bytes().all(is_hex) {
                return Err(SignError::InvalidValue {
                    name: "x-acs-content-sha256".to_owned(),
                });
            }
            hash.into()
        }
    })
}

/// Returns whether [`sign`] signs a header of this name, given in lower case.
pub fn is_signed(name: &str) -> bool {
    name == "host" || name == "content-type" || name.starts_with("x-acs-")
}

/// Returns the lower-case hex of the SHA-256 of a body.
pub fn content_sha256(body: &[u8]) -> String {
    hex(&Sha256::digest(body))
}

/// Returns the query, sorted and encoded; without form fields. Equal keys are sorted by their values.
pub fn canonical_query<K: AsRef<str>, V: AsRef<str>>(query: &[(K, V)]) -> String {
    canonical_pairs(query.iter().map(|(key, value)| (key.as_ref(), value.as_ref())))
}

/// Returns one line `name:value` for each of these headers, sorted. Values given under one name are sorted and
/// joined with `,`.
pub fn canonical_headers<K: AsRef<str>, V: AsRef<str>>(headers: &[(K, V)]) -> String {
    // Room for all of it: growing would leave copies of the security token behind in memory.
    let most = headers
        .iter()
        .map(|(name, value)| name.as_ref().len() + value.as_ref().len() + 2);
    let mut lines = String::with_capacity(most.sum());
    for (name, values) in by_name(headers) {
        lines.push_str(&name);
        for (at, value) in values.iter().enumerate() {
            lines.push(if at == 0 { ':' } else { ',' });
            lines.push_str(value);
        }
        lines.push('\n');
    }
    lines
}

/// Returns the names of these headers as `SignedHeaders` lists them.
pub fn signed_headers<K: AsRef<str>, V: AsRef<str>>(headers: &[(K, V)]) -> String {
    by_name(headers).into_keys().collect::<Vec<_>>().join(";")
}

/// Returns the canonical request. `headers` are exactly those to sign, `path` is as it was sent, `query` is decoded,
/// `payload_hash` is the value of `x-acs-content-sha256`.
pub fn canonical_request<K: AsRef<str>, V: AsRef<str>, N: AsRef<str>, W: AsRef<str>>(
    method: &str,
    path: &str,
    query: &[(K, V)],
    headers: &[(N, W)],
    payload_hash: &str,
) -> String {
    let path = if path.is_empty() { "/" } else { path };
    let canonical_headers = Zeroizing::new(canonical_headers(headers));
    let method = method.to_ascii_uppercase();
    let query = Zeroizing::new(canonical_query(query));
    let signed_headers = signed_headers(headers);
    // In one piece, of just its length.
    [
        &method,
        path,
        &query,
        &canonical_headers,
        &signed_headers,
        payload_hash,
    ]
    .join("\n")
}

/// Returns the text that is signed.
pub fn string_to_sign(canonical_request: &str) -> String {
    format!("{ALGORITHM}\n{}", content_sha256(canonical_request.as_bytes()))
}

/// Returns the lower-case hex of the HMAC-SHA256, keyed with the bare access key secret.
pub fn signature(access_key_secret: &str, string_to_sign: &str) -> String {
    // HMAC takes keys of any length, so there always is a digest; an empty one would match nothing.
    Hmac::<Sha256>::new_from_slice(access_key_secret.as_bytes())
        .map(|mac| hex(&mac.chain_update(string_to_sign).finalize().into_bytes()))
        .unwrap_or_default()
}

/// Returns the value of the `Authorization` header.
pub fn authorization(access_key_id: &str, signed_headers: &str, signature: &str) -> String {
    format!("{ALGORITHM} Credential={access_key_id},SignedHeaders={signed_headers},Signature={signature}")
}

/// A parsed `Authorization` header, for a server that verifies it.
///
/// ```
/// use acs_sign::acs3::Authorization;
///
/// let header = "ACS3-HMAC-SHA256 Credential=id,SignedHeaders=host;x-acs-date,Signature=0a1b";
/// let parsed = Authorization::parse(header).unwrap();
/// assert_eq!(parsed.access_key_id, "id");
/// assert_eq!(parsed.signed_headers.split(';').count(), 2);
/// ```
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Authorization<'a> {
    /// `Credential`.
    pub access_key_id: &'a str,
    /// `SignedHeaders`: lower-case names with `;` between.
    pub signed_headers: &'a str,
    /// `Signature`.
    pub signature: &'a str,
}

impl<'a> Authorization<'a> {
    /// Parses the header's value; `None` for another algorithm, or if a part is missing or given twice.
    pub fn parse(value: &'a str) -> Option<Self> {
        let parts = value.trim().strip_prefix(ALGORITHM)?.strip_prefix(' ')?;
        let (mut id, mut headers, mut signature) = (None, None, None);
        for part in parts.split(',') {
            let (name, value) = part.trim().split_once('=')?;
            let slot = match name {
                "Credential" => &mut id,
                "SignedHeaders" => &mut headers,
                "Signature" => &mut signature,
                _ => return None,
            };
            if slot.replace(value).is_some() {
                return None;
            }
        }
        Some(Self {
            access_key_id: id?,
            signed_headers: headers?,
            signature: signature?,
        })
    }
}

impl std::fmt::Debug for Authorization<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "Authorization({:?}, {}, <redacted>)",
            oss_credentials_core::MaskedId(self.access_key_id),
            self.signed_headers
        )
    }
}

fn by_name<K: AsRef<str>, V: AsRef<str>>(headers: &[(K, V)]) -> BTreeMap<String, Vec<&str>> {
    let mut names: BTreeMap<String, Vec<&str>> = BTreeMap::new();
    for (name, value) in headers {
        let value = value.as_ref().trim_matches([' ', '\t']);
        names
            .entry(name.as_ref().trim().to_ascii_lowercase())
            .or_default()
            .push(value);
    }
    for values in names.values_mut() {
        values.sort_unstable();
    }
    names
}

fn hex(bytes: &[u8]) -> String {
    bytes
        .iter()
        .fold(String::with_capacity(bytes.len() * 2), |mut hex, byte| {
            // Writing to a String cannot fail.
            let _ = write!(hex, "{byte:02x}");
            hex
        })
}
