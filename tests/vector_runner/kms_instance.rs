//! Vectors of the requests to the gateway of a KMS instance.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::SystemTime;

use oss_credentials_kms_client_key::instance_gateway::{SecretRequest, sign, string_to_sign};
use serde_json::Value;

use crate::Verdict;
use crate::field::{pairs, same, text};
use crate::kms::signing_key;

/// Headers that the HTTP client adds.
const FOREIGN_HEADERS: [&str; 2] = ["content-length", "host"];

/// Body, string to sign and all headers, with the key file that the vector names.
pub(crate) fn request(file: &Path, vector: &Value) -> Verdict {
    let asked = &vector["request"];
    let mut request = SecretRequest::current(text(asked, "SecretName")?);
    request.version_stage = asked["VersionStage"].as_str().unwrap_or_default();
    request.version_id = asked["VersionId"].as_str().unwrap_or_default();
    request.fetch_extended_config = asked["FetchExtendedConfig"]
        .as_bool()
        .ok_or("the vector has no FetchExtendedConfig")?;
    let body = request.encode();
    let digits = body.iter().flat_map(|byte| [byte >> 4, byte & 15]);
    let hex: String = digits
        .filter_map(|digit| char::from_digit(u32::from(digit), 16))
        .collect();
    same(vector, "body_hex", &hex)?;

    let wanted: BTreeMap<&str, &str> = pairs(vector, "headers")?
        .into_iter()
        .filter(|(name, _)| !FOREIGN_HEADERS.contains(name))
        .collect();
    let date = wanted.get("date").copied().unwrap_or_default();
    let time = chrono::DateTime::parse_from_rfc2822(date)
        .map(SystemTime::from)
        .map_err(|error| format!("the date cannot be read: {error}"))?;
    let key = signing_key(file, text(vector, "client_key")?)?;
    let headers = sign(&body, text(vector, "key_id")?, key.signer(), time)
        .map_err(|error| format!("the signer refuses: {error}"))?;
    same(
        vector,
        "string_to_sign",
        &string_to_sign(text(vector, "method")?, &headers),
    )?;
    let ours: BTreeMap<&str, &str> = headers
        .iter()
        .map(|(name, value)| (*name, value.as_str()))
        .collect();
    if ours == wanted {
        Ok(())
    } else {
        Err(format!(
            "the headers differ\n  wanted {wanted:?}\n  got    {ours:?}"
        ))
    }
}
