//! The RPC signature, version 1.0: parameters in the query, signature among them.
//!
//! Vendor document: "Request syntax and signature method V2 for RPC APIs", Alibaba Cloud SDK documentation,
//! <https://www.alibabacloud.com/help/en/sdk/product-overview/rpc-mechanism>. It describes HMAC-SHA1 with an
//! access key secret ([`sign`]). The form with the RSA key of a KMS client key ([`sign_with_client_key`]) is
//! observed from the vendor's clients: the same text with another signature.
//!
//! The signature covers the method and all parameters, wherever they are sent; not host, path or headers.

use std::time::SystemTime;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use oss_credentials_core::Credentials;
use sha1::Sha1;
use zeroize::Zeroizing;

use crate::client_key::ClientKeySigner;
use crate::encode::{canonical_pairs, put_encoded, timestamp};
use crate::error::SignError;
use crate::request::{ApiRequest, Body};
use crate::signed::{Addition, Signed};

/// Value of the parameter `SignatureMethod` for an access key pair.
pub const SIGNATURE_METHOD: &str = "HMAC-SHA1";
/// Value of the parameter `SignatureMethod` for a client key.
pub const CLIENT_KEY_SIGNATURE_METHOD: &str = "SHA256withRSA";
/// Value of the parameter `SignatureType` for a client key; an access key pair has none.
pub const CLIENT_KEY_SIGNATURE_TYPE: &str = "PRIVATEKEY";
/// Value of the parameter `SignatureVersion`.
pub const SIGNATURE_VERSION: &str = "1.0";
/// Name of the parameter that carries the signature, the only one it does not cover.
pub const SIGNATURE: &str = "Signature";

/// Parameters that a request must not contain, because the signer sets them.
const RESERVED: [&str; 10] = [
    "Action",
    "Version",
    "Timestamp",
    "AccessKeyId",
    "SecurityToken",
    "SignatureMethod",
    SIGNATURE_TYPE,
    "SignatureVersion",
    "SignatureNonce",
    SIGNATURE,
];
const SIGNATURE_TYPE: &str = "SignatureType";

/// The signing identity, as the parameters state it.
struct Identity<'a> {
    key_id: &'a str,
    security_token: Option<&'a str>,
    method: &'static str,
    signature_type: Option<&'static str>,
}

/// Signs a request and returns the common parameters and the signature to add to its query.
///
/// `Format=JSON` is added unless the request has a `Format`; the service's own default is XML. `nonce` must
/// differ for every request, also for a repeated one; the service accepts a `time` up to 15 minutes from its
/// own clock. For anonymous credentials, nothing is added.
///
/// # Errors
///
/// [`SignError::Reserved`] if the request already has a parameter that the signer sets,
/// [`SignError::InvalidValue`] for an empty action, version or nonce, [`SignError::UnsupportedBody`] for a
/// body that is not a form, [`SignError::InvalidTime`] for a time outside the years 0 to 9999.
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
    let identity = Identity {
        key_id: credentials.access_key_id(),
        security_token: credentials.security_token(),
        method: SIGNATURE_METHOD,
        signature_type: None,
    };
    sign_as(request, &identity, time, nonce, |text| {
        Ok(signature(credentials.access_key_secret(), text))
    })
}

/// Signs a request with the private key of a KMS client key, as [`sign`] does with an access key pair.
///
/// `key_id` is the ID of the client key, `KAAP.<uuid>`. `Format`, `nonce` and `time` are as for [`sign`].
///
/// # Errors
///
/// Those of [`sign`], [`SignError::InvalidValue`] for an empty `key_id`, and [`SignError::Signer`] from
/// `signer`, or if that returns no bytes.
///
/// # Examples
///
/// ```
/// use std::time::SystemTime;
/// use acs_sign::{ApiRequest, ClientKeySigner, SignError, rpc};
///
/// #[derive(Debug)]
/// struct HardwareModule;
///
/// impl ClientKeySigner for HardwareModule {
///     fn sign(&self, message: &[u8]) -> Result<Vec<u8>, SignError> {
///         # let _ = message;
///         Ok(vec![0; 256]) // RSASSA-PKCS1-v1_5 with SHA-256 over the message
///     }
/// }
///
/// let query = [("RegionId", "cn-hangzhou"), ("SecretName", "oss-reader")];
/// let request = ApiRequest::new("POST", "kms.cn-hangzhou.aliyuncs.com", "GetSecretValue", "2016-01-20")
///     .query(&query);
/// let signed =
///     rpc::sign_with_client_key(&request, "KAAP.example", &HardwareModule, SystemTime::UNIX_EPOCH, "n-1")?;
/// assert!(signed.query().iter().any(|added| added.value() == "SHA256withRSA"));
/// # Ok::<(), acs_sign::SignError>(())
/// ```
pub fn sign_with_client_key(
    request: &ApiRequest<'_>,
    key_id: &str,
    signer: &dyn ClientKeySigner,
    time: SystemTime,
    nonce: &str,
) -> Result<Signed, SignError> {
    let identity = Identity {
        key_id,
        security_token: None,
        method: CLIENT_KEY_SIGNATURE_METHOD,
        signature_type: Some(CLIENT_KEY_SIGNATURE_TYPE),
    };
    sign_as(request, &identity, time, nonce, |text| {
        let signature = signer.sign(text.as_bytes())?;
        if signature.is_empty() {
            return Err(SignError::Signer {
                reason: "its signer returned no bytes".to_owned(),
            });
        }
        Ok(STANDARD.encode(signature))
    })
}

/// The common part of both kinds of signatures; `sign` computes the value of `Signature` from the string to sign.
fn sign_as(
    request: &ApiRequest<'_>,
    identity: &Identity<'_>,
    time: SystemTime,
    nonce: &str,
    sign: impl FnOnce(&str) -> Result<String, SignError>,
) -> Result<Signed, SignError> {
    let form = match request.body {
        Body::Empty => &[][..],
        Body::Form(form) => form,
        Body::Bytes(_) | Body::Hash(_) => return Err(SignError::UnsupportedBody),
    };
    let own = || request.query.iter().chain(form);
    if let Some((name, _)) = own().find(|(name, value)| is_reserved(identity, name, value)) {
        return Err(SignError::Reserved {
            name: (*name).to_owned(),
        });
    }
    let has_format = own().any(|(name, _)| *name == "Format");
    let mut query = additions(request, identity, &timestamp(time)?, nonce, has_format)?;
    let all: Vec<(&str, &str)> = own()
        .copied()
        .chain(query.iter().map(|added| (added.name(), added.value())))
        .collect();
    // Contains the security token.
    let text = Zeroizing::new(string_to_sign(request.method, &all));
    let signature = sign(&text)?;
    query.push(Addition::sensitive(SIGNATURE, signature));
    Ok(Signed {
        headers: Vec::new(),
        query,
    })
}

/// The parameters to add, except `Signature`.
fn additions(
    request: &ApiRequest<'_>,
    identity: &Identity<'_>,
    timestamp: &str,
    nonce: &str,
    has_format: bool,
) -> Result<Vec<Addition>, SignError> {
    for (name, value) in [
        ("Action", request.action),
        ("Version", request.version),
        ("AccessKeyId", identity.key_id),
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
    if !has_format {
        query.push(Addition::plain("Format", "JSON"));
    }
    query.push(Addition::plain("Timestamp", timestamp));
    query.push(Addition::sensitive("AccessKeyId", identity.key_id));
    if let Some(token) = identity.security_token {
        query.push(Addition::sensitive("SecurityToken", token));
    }
    query.push(Addition::plain("SignatureMethod", identity.method));
    if let Some(kind) = identity.signature_type {
        query.push(Addition::plain(SIGNATURE_TYPE, kind));
    }
    query.push(Addition::plain("SignatureVersion", SIGNATURE_VERSION));
    query.push(Addition::plain("SignatureNonce", nonce));
    Ok(query)
}

/// Whether the caller must not set this parameter.
///
/// An empty `SignatureType` with an access key pair is allowed: the vendor's older clients send it.
fn is_reserved(identity: &Identity<'_>, name: &str, value: &str) -> bool {
    let older_client = name == SIGNATURE_TYPE && value.is_empty() && identity.signature_type.is_none();
    RESERVED.contains(&name) && !older_client
}

/// Returns all parameters of query and form except `Signature`, sorted and encoded.
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

/// The path, encoded, between method and parameters: it is always `/`.
const PATH: &str = "&%2F&";

/// Returns the text that is signed, from the method and all parameters of query and form, decoded.
pub fn string_to_sign<K: AsRef<str>, V: AsRef<str>>(method: &str, params: &[(K, V)]) -> String {
    let canonical = Zeroizing::new(canonical_query(params));
    let mut text = String::with_capacity(method.len() + PATH.len() + 3 * canonical.len());
    text.push_str(method);
    text.make_ascii_uppercase();
    text.push_str(PATH);
    put_encoded(&mut text, &canonical);
    text
}

/// Returns the value of `Signature`: base64 of the HMAC-SHA1, keyed with the access key secret and a `&`.
pub fn signature(access_key_secret: &str, string_to_sign: &str) -> String {
    let key = Zeroizing::new([access_key_secret, "&"].concat());
    // HMAC takes keys of any length, so there always is a digest; an empty one would match nothing.
    Hmac::<Sha1>::new_from_slice(key.as_bytes())
        .map(|mac| STANDARD.encode(mac.chain_update(string_to_sign).finalize().into_bytes()))
        .unwrap_or_default()
}
