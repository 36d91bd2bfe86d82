//! Client key files, and vectors of the RPC signature that is made with one.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::SystemTime;

use acs_sign::{ApiRequest, rpc};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use oss_credentials_core::CredentialsError;
use oss_credentials_kms_client_key::{ClientKey, ClientKeyFile};
use serde_json::Value;

use crate::Verdict;
use crate::field::{same, text};

/// Parameters that the signer itself adds.
const OWN_PARAMETERS: [&str; 8] = [
    "AccessKeyId",
    "Action",
    "SignatureMethod",
    "SignatureNonce",
    "SignatureType",
    "SignatureVersion",
    "Timestamp",
    "Version",
];

/// How the texts of errors begin, after the name of the provider, for each thing that a manifest may expect.
const ERRORS: [(&str, &str); 6] = [
    ("wrong_password", "the password does not open the client key"),
    ("missing_password", "the password of the client key is empty"),
    (
        "malformed_pkcs12",
        "`PrivateKeyData` of the client key is not a valid PKCS#12 file",
    ),
    (
        "malformed_base64",
        "`PrivateKeyData` of the client key is not base64",
    ),
    ("malformed_client_key", "the client key is malformed"),
    (
        "unsupported_key",
        "the private key of the client key is not supported",
    ),
];

/// Each step on its own, and then the whole signer with the key file that the vector names.
///
/// `file` is where the vector stands; a manifest of client keys is above it.
pub(crate) fn rpc(file: &Path, vector: &Value) -> Verdict {
    let parameters = vector["parameters"]
        .as_object()
        .ok_or("the vector has no parameters")?;
    let parameters: BTreeMap<&str, &str> = parameters
        .iter()
        .filter_map(|(name, value)| Some((name.as_str(), value.as_str()?)))
        .collect();
    let all: Vec<(&str, &str)> = parameters.iter().map(|(name, value)| (*name, *value)).collect();
    let method = text(vector, "method")?;
    same(vector, "canonical_query", &rpc::canonical_query(&all))?;
    same(vector, "string_to_sign", &rpc::string_to_sign(method, &all))?;

    let key = signing_key(file, text(vector, "client_key")?)?;
    let given = |name: &str| parameters.get(name).copied().unwrap_or_default();
    let query: Vec<(&str, &str)> = all
        .iter()
        .copied()
        .filter(|(name, _)| !OWN_PARAMETERS.contains(name))
        .collect();
    let request =
        ApiRequest::new(method, text(vector, "host")?, given("Action"), given("Version")).query(&query);
    let time = chrono::DateTime::parse_from_rfc3339(given("Timestamp"))
        .map(SystemTime::from)
        .map_err(|error| format!("the time cannot be read: {error}"))?;
    let signed = rpc::sign_with_client_key(
        &request,
        given("AccessKeyId"),
        key.signer(),
        time,
        given("SignatureNonce"),
    )
    .map_err(|error| format!("the signer refuses: {error}"))?;
    let mut ours: BTreeMap<&str, &str> = query.iter().copied().collect();
    ours.extend(signed.query().iter().map(|added| (added.name(), added.value())));
    same(vector, "signature", ours.remove("Signature").unwrap_or_default())?;
    if ours == parameters {
        Ok(())
    } else {
        Err(format!(
            "the parameters differ\n  wanted {parameters:?}\n  got    {ours:?}"
        ))
    }
}

/// A client key of the manifest that `file` belongs to; of the repository's, if there is none above it.
pub(crate) fn signing_key(file: &Path, name: &str) -> Result<ClientKey, String> {
    let manifest = file
        .ancestors()
        .map(Path::to_owned)
        .chain([Path::new(env!("CARGO_MANIFEST_DIR")).join("vectors/kms")])
        .map(|folder| folder.join("manifest.json"))
        .find(|manifest| manifest.is_file())
        .ok_or("there is no manifest.json with client keys")?;
    let document: Value = std::fs::read(&manifest)
        .ok()
        .and_then(|text| serde_json::from_slice(&text).ok())
        .ok_or_else(|| format!("{} cannot be read", manifest.display()))?;
    let entry = document["client_keys"]
        .as_array()
        .into_iter()
        .flatten()
        .find(|entry| entry["name"] == name)
        .ok_or_else(|| format!("the manifest has no client key {name:?}"))?;
    let key_file = manifest.with_file_name(text(entry, "client_key_file")?);
    ClientKey::from_file(key_file, text(entry, "password")?).map_err(|error| error.to_string())
}

/// A key file against what the manifest expects of it; `manifest` is where the entry stands.
pub(crate) fn client_key(manifest: &Path, entry: &Value) -> Verdict {
    let file = manifest.with_file_name(text(entry, "client_key_file")?);
    let opened = ClientKeyFile::open_path(file, text(entry, "password")?);
    let expect = text(entry, "expect")?;
    match (expect, opened) {
        ("ok", Ok(opened)) => right_key(manifest, entry, &opened),
        ("ok", Err(error)) => Err(format!("refused: {error}")),
        // To be refused or to be opened, but not with another key; the manifest may not say with which.
        ("either", Err(_)) => Ok(()),
        ("either", Ok(opened)) if entry["private_key_pem"].is_string() => right_key(manifest, entry, &opened),
        (_, Ok(_)) => Err(format!("opened instead of {expect}")),
        (_, Err(error)) => right_error(expect, &error),
    }
}

fn right_key(manifest: &Path, entry: &Value, opened: &ClientKeyFile) -> Verdict {
    same(entry, "key_id", opened.key_id())?;
    let pem = std::fs::read_to_string(manifest.with_file_name(text(entry, "private_key_pem")?))
        .map_err(|error| format!("the expected key cannot be read: {error}"))?;
    let wanted: String = pem.lines().filter(|line| !line.starts_with("-----")).collect();
    if STANDARD.encode(opened.pkcs8()) != wanted {
        return Err("another private key".to_owned());
    }
    let wanted = entry["certificate_not_after"]
        .as_str()
        .and_then(|time| chrono::DateTime::parse_from_rfc3339(time).ok())
        .map(SystemTime::from);
    if opened.not_after() != wanted {
        return Err(format!(
            "the certificate ends at {:?}, not at {wanted:?}",
            opened.not_after()
        ));
    }
    Ok(())
}

fn right_error(expect: &str, error: &CredentialsError) -> Verdict {
    let (_, start) = ERRORS
        .iter()
        .find(|(name, _)| *name == expect)
        .ok_or_else(|| format!("what is expected is unknown: {expect:?}"))?;
    let begins = error
        .detail()
        .is_some_and(|detail| detail.what().starts_with(start));
    if begins && matches!(error, CredentialsError::InvalidConfig(_)) {
        Ok(())
    } else {
        Err(format!("another error than {expect}: {error}"))
    }
}
