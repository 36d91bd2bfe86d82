//! The RPC signature, version 1.0 with HMAC-SHA1: parameters in the query, signature among them.
//!
//! Vendor document: "Request syntax and signature method V2 for RPC APIs", Alibaba Cloud SDK documentation,
//! <https://www.alibabacloud.com/help/en/sdk/product-overview/rpc-mechanism>.
//!
//! The signature covers the method and all parameters, wherever they travel; not host, path or headers.

use std::time::SystemTime;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use oss_credentials_core::Credentials;
use sha1::Sha1;
use zeroize::Zeroizing;

use crate::encode::{canonical_pairs, percent_encode, timestamp};
use crate::error::SignError;
use crate::request::{ApiRequest, Body};
use crate::signed::{Addition, Signed};

/// Value of the parameter `SignatureMethod`.
pub const SIGNATURE_METHOD: &str = "HMAC-SHA1";
/// Value of the parameter `SignatureVersion`.
pub const SIGNATURE_VERSION: &str = "1.0";
/// Name of the parameter that carries the signature, the only one it does not cover.
pub const SIGNATURE: &str = "Signature";

/// Parameters that a request must not bring along, because the signer sets them.
const RESERVED: [&str; 9] = [
    "Action",
    "Version",
    "Timestamp",
    "AccessKeyId",
    "SecurityToken",
    "SignatureMethod",
    "SignatureVersion",
    "SignatureNonce",
    SIGNATURE,
];

/// Signs a request: the common parameters and the signature to add to its query.
///
/// `Format=JSON` is added unless the request has a `Format`; the service's own default is XML. `nonce` must
/// differ for every request, also for a repeated one; the service accepts a `time` up to 15 minutes from its
/// own clock. Nothing is added for anonymous credentials.
///
/// # Errors
///
/// [`SignError::Reserved`] if the request already has a parameter of the signer's,
/// [`SignError::InvalidValue`] for an empty action, version or nonce, [`SignError::UnsupportedBody`] for a
/// body that is no form, [`SignError::InvalidTime`] for a time outside the years 0 to 9999.
///
/// # Examples
///
/// ```
/// use std::time::SystemTime;
/// use acs_sign::{ApiRequest, rpc};
/// use oss_credentials_core::{Credentials, nonce};
///
/// let credentials = Credentials::builder("LTAI5tExampleKeyId01", "example-secret").build()?;
/// let request = ApiRequest::new("GET", "sts.aliyuncs.com", "GetCallerIdentity", "2015-04-01");
/// let signed = rpc::sign(&request, &credentials, SystemTime::UNIX_EPOCH, &nonce())?;
/// assert!(signed.query().iter().any(|added| added.name() == "Signature" && added.is_sensitive()));
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
    let form = match request.body {
        Body::Empty => &[][..],
        Body::Form(form) => form,
        Body::Bytes(_) | Body::Hash(_) => return Err(SignError::UnsupportedBody),
    };
    let own = || request.query.iter().chain(form);
    if let Some((name, _)) = own().find(|(name, _)| RESERVED.contains(name)) {
        return Err(SignError::Reserved {
            name: (*name).to_owned(),
        });
    }
    for (name, value) in [
        ("Action", request.action),
        ("Version", request.version),
        ("SignatureNonce", nonce),
    ] {
        if value.is_empty() {
            return Err(SignError::InvalidValue {
                name: name.to_owned(),
            });
        }
    }

    let mut query = vec![
        Addition::plain("Action", request.action),
        Addition::plain("Version", request.version),
    ];
    if !own().any(|(name, _)| *name == "Format") {
        query.push(Addition::plain("Format", "JSON"));
    }
    query.push(Addition::plain("Timestamp", timestamp(time)?));
    query.push(Addition::sensitive("AccessKeyId", credentials.access_key_id()));
    if let Some(token) = credentials.security_token() {
        query.push(Addition::sensitive("SecurityToken", token));
    }
    query.push(Addition::plain("SignatureMethod", SIGNATURE_METHOD));
    query.push(Addition::plain("SignatureVersion", SIGNATURE_VERSION));
    query.push(Addition::plain("SignatureNonce", nonce));

    let all: Vec<(&str, &str)> = own()
        .copied()
        .chain(query.iter().map(|added| (added.name(), added.value())))
        .collect();
    // Holds the security token.
    let text = Zeroizing::new(string_to_sign(request.method, &all));
    let signature = signature(credentials.access_key_secret(), &text);
    query.push(Addition::sensitive(SIGNATURE, signature));
    Ok(Signed {
        headers: Vec::new(),
        query,
    })
}

/// All parameters of query and form but `Signature`, sorted and encoded.
///
/// Equal keys, which no RPC service uses, are sorted by their values.
pub fn canonical_query<K: AsRef<str>, V: AsRef<str>>(params: &[(K, V)]) -> String {
    canonical_pairs(
        params
            .iter()
            .map(|(key, value)| (key.as_ref(), value.as_ref()))
            .filter(|(key, _)| *key != SIGNATURE),
    )
}

/// The text that is signed, from the method and all parameters of query and form, decoded.
pub fn string_to_sign<K: AsRef<str>, V: AsRef<str>>(method: &str, params: &[(K, V)]) -> String {
    let canonical = Zeroizing::new(canonical_query(params));
    format!(
        "{}&%2F&{}",
        method.to_ascii_uppercase(),
        percent_encode(&canonical)
    )
}

/// The value of `Signature`: base64 of the HMAC-SHA1, keyed with the AccessKey secret and a `&`.
pub fn signature(access_key_secret: &str, string_to_sign: &str) -> String {
    let key = Zeroizing::new([access_key_secret, "&"].concat());
    // HMAC takes keys of any length, so there always is a digest; an empty one would match nothing.
    Hmac::<Sha1>::new_from_slice(key.as_bytes())
        .map(|mac| STANDARD.encode(mac.chain_update(string_to_sign).finalize().into_bytes()))
        .unwrap_or_default()
}
