//! Vectors of the RPC and ACS3 signatures.

use std::collections::BTreeMap;
use std::time::SystemTime;

use acs_sign::{ApiRequest, Signed};
use oss_credentials_core::Credentials;
use serde_json::Value;

use crate::Verdict;
use crate::field::{pairs, same, text};

/// Parameters that the signer itself adds to an RPC request.
const OWN_PARAMETERS: [&str; 10] = [
    "Action",
    "Version",
    "Format",
    "Timestamp",
    "AccessKeyId",
    "SecurityToken",
    "SignatureMethod",
    "SignatureVersion",
    "SignatureNonce",
    "Signature",
];

/// One row of the percent-encoding table.
pub(crate) fn percent_encoding(row: &Value) -> Verdict {
    let (Some(plain), Some(encoded)) = (row[0].as_str(), row[1].as_str()) else {
        return Err("a row of percent_encoding is no pair of texts".to_owned());
    };
    let got = acs_sign::percent_encode(plain);
    if got == encoded {
        Ok(())
    } else {
        Err(format!("{plain:?} is encoded as {got:?}, not {encoded:?}"))
    }
}

/// Each step on its own, and then the whole signer, which must arrive at the same parameters.
pub(crate) fn rpc(vector: &Value) -> Verdict {
    let expected = &vector["expected"];
    let common = pairs(vector, "common_params")?;
    let business = pairs(vector, "business_params")?;
    let all: Vec<(&str, &str)> = common.iter().chain(&business).copied().collect();
    let (method, secret) = (text(vector, "method")?, text(vector, "access_key_secret")?);
    same(expected, "canonical_query", &acs_sign::rpc::canonical_query(&all))?;
    let string_to_sign = acs_sign::rpc::string_to_sign(method, &all);
    same(expected, "string_to_sign", &string_to_sign)?;
    same(
        expected,
        "signature",
        &acs_sign::rpc::signature(secret, &string_to_sign),
    )?;

    let common: BTreeMap<&str, &str> = common.into_iter().collect();
    let given = |name: &str| common.get(name).copied().unwrap_or_default();
    let credentials = credentials(given("AccessKeyId"), secret, given("SecurityToken"))?;
    // What the signer does not add by itself is the caller's; the format is, where it is not JSON.
    let own_format = given("Format") != "JSON";
    let extra: Vec<(&str, &str)> = common
        .iter()
        .map(|(name, value)| (*name, *value))
        .filter(|(name, _)| !OWN_PARAMETERS.contains(name) || (*name == "Format" && own_format))
        .collect();
    let form = vector["placement"] == "form";
    let mut query = extra;
    if !form {
        query.extend(&business);
    }
    let mut request =
        ApiRequest::new(method, text(vector, "host")?, given("Action"), given("Version")).query(&query);
    if form {
        request = request.form(&business);
    }
    let time = instant(given("Timestamp"))?;
    let signed = acs_sign::rpc::sign(&request, &credentials, time, given("SignatureNonce"))
        .map_err(|error| format!("the signer refuses: {error}"))?;
    let signature = find(signed.query(), "Signature")?;
    same(expected, "signature", signature)
}

/// Each step on its own, and then the whole signer where the vector signs no more headers than it does.
pub(crate) fn acs3(vector: &Value) -> Verdict {
    use acs_sign::acs3;
    let expected = &vector["expected"];
    let headers = pairs(vector, "headers_to_sign")?;
    let query = pairs(vector, "query")?;
    let (method, path) = (text(vector, "method")?, text(vector, "path")?);
    let (id, secret) = (text(vector, "access_key_id")?, text(vector, "access_key_secret")?);
    let body = text(vector, "body")?.as_bytes();
    let hash = acs3::content_sha256(body);
    same(expected, "content_sha256", &hash)?;
    same(expected, "canonical_query", &acs3::canonical_query(&query))?;
    same(expected, "canonical_headers", &acs3::canonical_headers(&headers))?;
    let names = acs3::signed_headers(&headers);
    same(expected, "signed_headers", &names)?;
    let canonical = acs3::canonical_request(method, path, &query, &headers, &hash);
    same(expected, "canonical_request", &canonical)?;
    same(
        expected,
        "canonical_request_sha256",
        &acs3::content_sha256(canonical.as_bytes()),
    )?;
    let string_to_sign = acs3::string_to_sign(&canonical);
    same(expected, "string_to_sign", &string_to_sign)?;
    let signature = acs3::signature(secret, &string_to_sign);
    same(expected, "signature", &signature)?;
    same(
        expected,
        "authorization",
        &acs3::authorization(id, &names, &signature),
    )?;

    let signs_more = headers
        .iter()
        .any(|(name, _)| !acs3::is_signed(&name.to_ascii_lowercase()));
    if signs_more {
        return Ok(());
    }
    let token = vector["security_token"].as_str().unwrap_or_default();
    let own = [
        "host",
        "x-acs-action",
        "x-acs-version",
        "x-acs-date",
        "x-acs-signature-nonce",
        "x-acs-content-sha256",
        "x-acs-security-token",
    ];
    let extra: Vec<(&str, &str)> = headers
        .iter()
        .filter(|(name, _)| !own.contains(&name.to_ascii_lowercase().as_str()))
        .copied()
        .collect();
    let host = headers
        .iter()
        .find(|(name, _)| name.eq_ignore_ascii_case("host"))
        .map_or("", |(_, host)| host);
    let request = ApiRequest::new(method, host, text(vector, "action")?, text(vector, "version")?)
        .path(path)
        .query(&query)
        .headers(&extra)
        .body(body);
    let time = instant(text(vector, "date")?)?;
    let signed: Signed = acs3::sign(
        &request,
        &credentials(id, secret, token)?,
        time,
        text(vector, "nonce")?,
    )
    .map_err(|error| format!("the signer refuses: {error}"))?;
    same(
        expected,
        "authorization",
        find(signed.headers(), "authorization")?,
    )
}

fn credentials(id: &str, secret: &str, token: &str) -> Result<Credentials, String> {
    let built = Credentials::builder(id, secret).security_token(token).build();
    built.map_err(|error| format!("the credentials are refused: {error}"))
}

fn find<'a>(added: &'a [acs_sign::Addition], name: &str) -> Result<&'a str, String> {
    added
        .iter()
        .find(|added| added.name() == name)
        .map(acs_sign::Addition::value)
        .ok_or_else(|| format!("the signer adds no {name}"))
}

/// `YYYY-MM-DDThh:mm:ssZ` as an instant.
fn instant(text: &str) -> Result<SystemTime, String> {
    chrono::DateTime::parse_from_rfc3339(text)
        .map(SystemTime::from)
        .map_err(|error| format!("the time {text:?} cannot be read: {error}"))
}
