//! The gateway of a KMS instance: protobuf over `POST`, signed in a header with the client key.
//!
//! No document describes the wire format; it is observed from the vendor's client (`alibabacloud-dkms-gcs`
//! 1.0.2). Each step is separate, so that a server can verify a request with the code that signed it.

use std::time::SystemTime;

use acs_sign::{ClientKeySigner, SignError};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chrono::{DateTime, Datelike as _, Utc};
use oss_credentials_http::HttpRequest;
use sha2::{Digest as _, Sha256};

use super::protobuf::{put_flag, put_text};
use super::{API_NAME, Prepared, Proof, Target};
use crate::client_key::ClientKey;
use crate::config::STAGE;
use crate::exchange::wire::ServiceError;

const PROTOBUF: &str = "application/x-protobuf";
const API_VERSION: &str = "dkms-gcs-0.2";
const SIGNATURE_METHOD: &str = "RSA_PKCS1_SHA_256";
/// With three c's: this is the header's real name.
const KEY_ID: &str = "x-kms-acccesskeyid";

/// The parameters of a request. Empty texts are not sent.
#[derive(Clone, Copy, Debug, Default)]
#[non_exhaustive]
pub struct SecretRequest<'a> {
    /// Name or ARN of the secret.
    pub secret_name: &'a str,
    /// Stage of the version, such as `ACSCurrent`.
    pub version_stage: &'a str,
    /// ID of the version.
    pub version_id: &'a str,
    /// Whether the response should contain the extended configuration.
    pub fetch_extended_config: bool,
}

impl<'a> SecretRequest<'a> {
    /// Creates a request for the current version of a secret, with its extended configuration.
    pub fn current(secret_name: &'a str) -> Self {
        Self {
            secret_name,
            version_stage: STAGE,
            version_id: "",
            fetch_extended_config: true,
        }
    }

    /// Returns the body: a `GetSecretValueRequest` in protobuf.
    ///
    /// ```
    /// use oss_credentials_kms_client_key::instance_gateway::SecretRequest;
    ///
    /// assert_eq!(SecretRequest::current("a").encode(), b"\x0a\x01a\x12\x0aACSCurrent\x20\x01");
    /// ```
    pub fn encode(&self) -> Vec<u8> {
        let mut body = Vec::new();
        put_text(&mut body, 1, self.secret_name);
        put_text(&mut body, 2, self.version_stage);
        put_text(&mut body, 3, self.version_id);
        put_flag(&mut body, 4, self.fetch_extended_config);
        body
    }
}

/// Returns the headers of a request with this body, `authorization` last; without `host` and `content-length`, which
/// an HTTP client adds.
///
/// # Errors
///
/// [`SignError::InvalidTime`] for a time outside the years 1970 to 9999, [`SignError::InvalidValue`] for a key
/// ID that no header can contain, and any error of the signer.
pub fn sign(
    body: &[u8],
    key_id: &str,
    signer: &dyn ClientKeySigner,
    time: SystemTime,
) -> Result<Vec<(&'static str, String)>, SignError> {
    if key_id.is_empty() || !key_id.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(SignError::InvalidValue {
            name: KEY_ID.to_owned(),
        });
    }
    let mut headers = vec![
        ("accept", PROTOBUF.to_owned()),
        ("content-type", PROTOBUF.to_owned()),
        ("date", http_date(time).ok_or(SignError::InvalidTime)?),
        ("x-kms-apiversion", API_VERSION.to_owned()),
        ("x-kms-apiname", API_NAME.to_owned()),
        ("x-kms-signaturemethod", SIGNATURE_METHOD.to_owned()),
        (KEY_ID, key_id.to_owned()),
        ("content-sha256", upper_hex(&Sha256::digest(body))),
    ];
    let text = string_to_sign("POST", &headers);
    let signature = signer.sign(text.as_bytes())?;
    if signature.is_empty() {
        return Err(SignError::Signer {
            reason: "its signer returned no bytes".to_owned(),
        });
    }
    headers.push(("authorization", format!("Bearer {}", STANDARD.encode(signature))));
    Ok(headers)
}

/// Returns the text that is signed, from the method and the headers, names in lower case.
///
/// It covers `content-sha256`, `content-type`, `date` and every header that begins with `x-kms-`; not host,
/// accept or length.
pub fn string_to_sign<V: AsRef<str>>(method: &str, headers: &[(&str, V)]) -> String {
    let value = |name: &str| {
        let header = headers.iter().find(|(own, _)| *own == name);
        header.map_or("", |(_, value)| value.as_ref())
    };
    let mut own: Vec<(&str, &str)> = headers
        .iter()
        .filter(|(name, _)| name.starts_with("x-kms-"))
        .map(|(name, value)| (*name, value.as_ref().trim()))
        .collect();
    own.sort_unstable();
    let mut text = format!(
        "{method}\n{}\n{}\n{}\n",
        value("content-sha256"),
        value("content-type"),
        value("date")
    );
    for (name, value) in own {
        text.push_str(name);
        text.push(':');
        text.push_str(value);
        text.push('\n');
    }
    // The resource, which is always the root.
    text.push('/');
    text
}

fn http_date(time: SystemTime) -> Option<String> {
    let since = time.duration_since(SystemTime::UNIX_EPOCH).ok()?;
    let time: DateTime<Utc> = DateTime::from_timestamp(i64::try_from(since.as_secs()).ok()?, 0)?;
    (time.year() <= 9999).then(|| time.format("%a, %d %b %Y %H:%M:%S GMT").to_string())
}

fn upper_hex(bytes: &[u8]) -> String {
    bytes
        .iter()
        .flat_map(|byte| [byte >> 4, byte & 15])
        .filter_map(|digit| char::from_digit(u32::from(digit), 16))
        .map(|digit| digit.to_ascii_uppercase())
        .collect()
}

pub(super) fn prepare(
    target: &Target,
    key: &ClientKey,
    secret_name: &str,
    time: SystemTime,
) -> Result<Prepared, SignError> {
    let body = SecretRequest::current(secret_name).encode();
    let headers = sign(&body, key.key_id(), key.signer(), time)?;
    let mut request = HttpRequest::post(format!("{}/", target.endpoint.origin())).with_body(body);
    let mut signature = String::new();
    for (name, value) in headers {
        if name == "authorization" {
            value.trim_start_matches("Bearer ").clone_into(&mut signature);
        }
        request = request.with_header(name, value);
    }
    Ok(Prepared {
        request,
        proof: Proof::Header(signature),
    })
}

/// Returns the code of the shared gateway with the same meaning.
///
/// Vendor document: "Common error codes" of the KMS instance API. The role of the message for `InvalidParam` is
/// observed from the vendor's client.
pub(super) fn meaning(error: &ServiceError) -> &str {
    match (
        error.code.as_str(),
        error.message.as_deref().map_or("", String::as_str),
    ) {
        ("RequestTimeTooSkewed", _) | ("InvalidParam", "The Param Date is invalid.") => "IllegalTimestamp",
        ("SignatureNotMatch", _) => "SignatureDoesNotMatch",
        ("InvalidParam", "The Param Authorization is invalid.") => "IncompleteSignature",
        ("InvalidParam" | "InvalidApiName" | "InvalidApiVersion", _) => "InvalidParameter",
        ("Unauthorized", _) => "InvalidAccessKeyId.NotFound",
        (code, _) => code,
    }
}
