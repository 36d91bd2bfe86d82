//! V1 signatures in the header and in the URL.
//!
//! Written from the vendor's description alone, apart from the signer of this family of crates: what both say
//! alike is more likely to be right.

use std::time::{Duration, SystemTime};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha1::Sha1;

use super::super::address::Target;
use super::super::error::Refusal;
use super::check::{check_token, expired, invalid, key, mismatch, skewed};
use crate::account::Key;
use crate::state::State;
use crate::time::{MAX_SKEW, apart, parse_basic, parse_http_date};
use crate::wire::Request;

/// The prefix of the header.
const SCHEME: &str = "OSS ";

pub(super) fn is_header(header: &str) -> bool {
    header.starts_with(SCHEME)
}

pub(super) fn is_query(request: &Request) -> bool {
    ["OSSAccessKeyId", "Signature"]
        .iter()
        .any(|name| request.query_value(name).is_some())
}

/// The access key ID and the signature of the header.
pub(super) fn header_parts(request: &Request) -> Option<(&str, &str)> {
    request
        .header("authorization")?
        .strip_prefix(SCHEME)?
        .trim()
        .rsplit_once(':')
}

pub(super) fn authenticate_header(
    state: &State,
    request: &Request,
    target: &Target,
    now: SystemTime,
) -> Result<Key, Refusal> {
    let (id, signature) =
        header_parts(request).ok_or_else(|| invalid("Authorization header is invalid.", ""))?;
    let key = key(state, id)?;
    // The vendor's newer Python client sends the token under its short name, and does not sign it.
    let token = request
        .header("x-oss-security-token")
        .or_else(|| request.header("security-token"));
    check_token(state, &key, token, now)?;
    let own = request.header("x-oss-date").map(str::trim);
    let date = own
        .or_else(|| request.header("date").map(str::trim))
        .unwrap_or_default();
    // Older clients write a GMT time into `x-oss-date`, the page of EC 0002-00000503 shows the form of ISO 8601.
    let time = parse_http_date(date).or_else(|| own.and_then(parse_basic));
    let time = time.ok_or_else(|| {
        let message = "OSS authentication requires a valid Date.";
        let ec = if date.is_empty() {
            "0002-00000503"
        } else {
            "0002-00000505"
        };
        Refusal::new(403, "AccessDenied", message, ec)
    })?;
    if apart(time, now) > MAX_SKEW {
        return Err(skewed(time, now));
    }
    check_signature(request, target, date, id, signature, &key)?;
    Ok(key)
}

pub(super) fn authenticate_query(
    state: &State,
    request: &Request,
    target: &Target,
    now: SystemTime,
) -> Result<Key, Refusal> {
    let value = |name| request.query_value(name).filter(|value| !value.is_empty());
    let (Some(id), Some(signature), Some(expires)) =
        (value("OSSAccessKeyId"), value("Signature"), value("Expires"))
    else {
        let message =
            "Query-string authentication requires the Signature, Expires and OSSAccessKeyId parameters";
        return Err(Refusal::new(403, "AccessDenied", message, ""));
    };
    let key = key(state, id)?;
    check_token(state, &key, value("security-token"), now)?;
    let end = expires.parse().ok().map(Duration::from_secs);
    let end = end.and_then(|end| SystemTime::UNIX_EPOCH.checked_add(end));
    let end = end.ok_or_else(|| {
        let message = "Invalid date (should be seconds since epoch).";
        Refusal::new(403, "AccessDenied", message, "")
    })?;
    if end < now {
        return Err(expired(end, now));
    }
    check_signature(request, target, expires, id, signature, &key)?;
    Ok(key)
}

fn check_signature(
    request: &Request,
    target: &Target,
    date: &str,
    id: &str,
    signature: &str,
    key: &Key,
) -> Result<(), Refusal> {
    let text = string_to_sign(request, target, date);
    if sign(key.credentials.access_key_secret(), &text) == signature {
        return Ok(());
    }
    Err(mismatch(id, signature, &text, "0002-00000040"))
}

/// The signature over a text, in base64.
pub(super) fn sign(secret: &str, text: &[u8]) -> String {
    // HMAC takes keys of any length.
    Hmac::<Sha1>::new_from_slice(secret.as_bytes())
        .map(|mut mac| {
            mac.update(text);
            STANDARD.encode(mac.finalize().into_bytes())
        })
        .unwrap_or_default()
}

/// Bytes, since values of headers need not be UTF-8.
fn string_to_sign(request: &Request, target: &Target, date: &str) -> Vec<u8> {
    let mut text = Vec::new();
    let header = |name: &str| {
        let value = request.raw_headers.get(name);
        value
            .map(|value| value.as_bytes().trim_ascii())
            .unwrap_or_default()
    };
    for line in [
        request.method.as_bytes(),
        header("content-md5"),
        header("content-type"),
        date.as_bytes(),
    ] {
        text.extend_from_slice(line);
        text.push(b'\n');
    }
    let mut names: Vec<&str> = request.raw_headers.keys().map(http::HeaderName::as_str).collect();
    names.retain(|name| name.starts_with("x-oss-"));
    names.sort_unstable();
    for name in names {
        let values = request.raw_headers.get_all(name).iter();
        let values: Vec<&[u8]> = values.map(|value| value.as_bytes().trim_ascii()).collect();
        text.extend_from_slice(name.as_bytes());
        text.push(b':');
        text.extend_from_slice(&values.join(&b','));
        text.push(b'\n');
    }
    text.extend_from_slice(resource(request, target).as_bytes());
    text
}

fn resource(request: &Request, target: &Target) -> String {
    let mut resource = String::from("/");
    if !target.bucket.is_empty() {
        resource = format!("/{}/{}", target.bucket, target.key);
    }
    let mut signed: Vec<&(String, String)> = request
        .query
        .iter()
        .filter(|(name, _)| name.starts_with("x-oss-") || SUBRESOURCES.contains(&name.as_str()))
        .collect();
    signed.sort();
    for (at, (name, value)) in signed.into_iter().enumerate() {
        resource.push(if at == 0 { '?' } else { '&' });
        resource.push_str(name);
        if !value.is_empty() {
            resource.push('=');
            resource.push_str(value);
        }
    }
    resource
}

/// Parameters that are signed, besides those that begin with `x-oss-`: what the lists of the vendor's clients
/// say together.
const SUBRESOURCES: [&str; 106] = [
    "accessPoint",
    "accessPointConfigForObjectProcess",
    "accessPointForObjectProcess",
    "accessPointPolicy",
    "accessPointPolicyForObjectProcess",
    "acl",
    "append",
    "asyncFetch",
    "bucketArchiveDirectRead",
    "bucketInfo",
    "callback",
    "callback-var",
    "cleanRestoredObject",
    "cloudboxes",
    "cname",
    "comp",
    "continuation-token",
    "cors",
    "dataPipeline",
    "delete",
    "encryption",
    "endTime",
    "group",
    "httpsConfig",
    "img",
    "inventory",
    "inventoryId",
    "legalHold",
    "lifecycle",
    "link",
    "live",
    "location",
    "logging",
    "metaQuery",
    "metadataConfiguration",
    "metadataInventoryTable",
    "metadataJournalTable",
    "objectInfo",
    "objectMeta",
    "objectWorm",
    "overwriteConfig",
    "partNumber",
    "policy",
    "policyStatus",
    "position",
    "processConfiguration",
    "publicAccessBlock",
    "qos",
    "qosInfo",
    "qosRequester",
    "quota",
    "redundancyTransition",
    "referer",
    "regionList",
    "regions",
    "replication",
    "replicationLocation",
    "replicationProgress",
    "requestPayment",
    "requesterQosInfo",
    "resourceGroup",
    "resourcePool",
    "resourcePoolBuckets",
    "resourcePoolInfo",
    "response-cache-control",
    "response-content-disposition",
    "response-content-encoding",
    "response-content-language",
    "response-content-type",
    "response-expires",
    "responseHeader",
    "restore",
    "retention",
    "rtc",
    "seal",
    "security-token",
    "sequential",
    "startTime",
    "stat",
    "status",
    "style",
    "styleName",
    "symlink",
    "tagging",
    "transferAcceleration",
    "udf",
    "udfApplication",
    "udfApplicationLog",
    "udfId",
    "udfImage",
    "udfImageDesc",
    "udfName",
    "uploadId",
    "uploads",
    "userDefinedLogFieldsConfig",
    "versionId",
    "versioning",
    "versions",
    "vip",
    "vod",
    "vpcip",
    "website",
    "withHashContext",
    "worm",
    "wormExtend",
    "wormId",
];

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::Bytes;

    /// Vectors on which three official clients agree, as requests on the wire.
    #[test]
    fn signatures_are_those_of_the_official_clients() {
        let headers = include_str!("../../../tests/vectors/oss-sign/v1-header.json");
        let urls = include_str!("../../../tests/vectors/oss-sign/v1-query.json");
        for file in [headers, urls] {
            let file: serde_json::Value = serde_json::from_str(file).unwrap();
            let vectors = file["vectors"].as_array().unwrap();
            assert!(vectors.len() > 50);
            for vector in vectors {
                check(vector);
            }
        }
    }

    fn check(vector: &serde_json::Value) {
        let (input, expected) = (&vector["input"], &vector["expected"]);
        let text = |value: &serde_json::Value| value.as_str().unwrap_or_default().to_owned();
        let url: http::Uri = text(&expected["url"]).parse().unwrap();
        let mut builder = http::Request::builder()
            .method(text(&input["method"]).as_str())
            .uri(url);
        for pair in ["headers"].iter().flat_map(|name| {
            let given = input[*name].as_array().unwrap().iter();
            given.chain(expected[*name].as_array().unwrap())
        }) {
            let (name, value) = (text(&pair[0]), text(&pair[1]));
            let known = builder.headers_ref().unwrap().contains_key(name.as_str());
            if !known {
                builder = builder.header(name, http::HeaderValue::from_bytes(value.as_bytes()).unwrap());
            }
        }
        let (parts, ()) = builder.body(()).unwrap().into_parts();
        let request = Request::new(&parts, Bytes::new());
        let target = Target {
            bucket: text(&input["bucket"]),
            key: text(&input["key"]),
            ..Target::default()
        };
        let date = request
            .query_value("Expires")
            .or_else(|| request.header("x-oss-date"))
            .or_else(|| request.header("date"))
            .unwrap();
        let to_sign = string_to_sign(&request, &target, date);
        let id = &vector["id"];
        assert_eq!(
            String::from_utf8_lossy(&to_sign),
            text(&expected["string_to_sign"]),
            "{id}"
        );
        assert_eq!(
            sign(&text(&input["access_key_secret"]), &to_sign),
            text(&expected["signature"]),
            "{id}"
        );
    }
}
