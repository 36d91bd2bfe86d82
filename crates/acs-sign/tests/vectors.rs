//! Published and independently computed signatures, from `tests/vectors/sts` of the repository.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "helpers of tests may fail the test"
)]

use std::time::SystemTime;

use acs_sign::{ApiRequest, acs3, encode_pairs, percent_encode, rpc};
use oss_credentials_core::Credentials;
use serde_json::Value;

fn load(file: &str) -> Value {
    let path = format!("{}/tests/vectors/sts/{file}", env!("CARGO_MANIFEST_DIR"));
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap()
}

/// The pairs of an object, or of an array of two-element arrays.
fn pairs(value: &Value) -> Vec<(&str, &str)> {
    match value {
        Value::Object(map) => map
            .iter()
            .map(|(key, value)| (key.as_str(), text(value)))
            .collect(),
        Value::Array(list) => list.iter().map(|pair| (text(&pair[0]), text(&pair[1]))).collect(),
        _ => Vec::new(),
    }
}

fn instant(rfc3339: &str) -> SystemTime {
    chrono::DateTime::parse_from_rfc3339(rfc3339).unwrap().into()
}

fn credentials(id: &str, secret: &Value, token: Option<&str>) -> Credentials {
    Credentials::builder(id, text(secret))
        .security_token(token.unwrap_or_default())
        .build()
        .unwrap()
}

fn find<'a>(pairs: &[(&'a str, &'a str)], name: &str) -> Option<&'a str> {
    pairs
        .iter()
        .find(|(key, _)| *key == name)
        .map(|(_, value)| *value)
}

#[test]
fn percent_encoding_table() {
    let file = load("rpc-hmac-sha1.json");
    let table = pairs(&file["percent_encoding"]);
    assert_eq!(table.len(), 18);
    for (raw, encoded) in table {
        assert_eq!(percent_encode(raw), encoded, "{raw:?}");
    }
}

#[test]
fn rpc_steps() {
    let file = load("rpc-hmac-sha1.json");
    let vectors = file["vectors"].as_array().unwrap();
    assert_eq!(vectors.len(), 19);
    for vector in vectors {
        let name = text(&vector["name"]);
        let expected = &vector["expected"];
        let mut params = pairs(&vector["common_params"]);
        params.extend(pairs(&vector["business_params"]));
        // As a server sees them: with the signature.
        params.push(("Signature", text(&expected["signature"])));
        assert_eq!(
            rpc::canonical_query(&params),
            expected["canonical_query"],
            "{name}"
        );
        let string_to_sign = rpc::string_to_sign(text(&vector["method"]), &params);
        assert_eq!(string_to_sign, expected["string_to_sign"], "{name}");
        let signature = rpc::signature(text(&vector["access_key_secret"]), &string_to_sign);
        assert_eq!(signature, expected["signature"], "{name}");
    }
}

#[test]
fn rpc_sign() {
    let file = load("rpc-hmac-sha1.json");
    for vector in file["vectors"].as_array().unwrap() {
        let name = text(&vector["name"]);
        let common = pairs(&vector["common_params"]);
        let business = pairs(&vector["business_params"]);
        let own = [
            "Action",
            "Version",
            "Timestamp",
            "AccessKeyId",
            "SecurityToken",
            "SignatureMethod",
        ];
        let own = [&own[..], &["SignatureVersion", "SignatureNonce"]].concat();
        let get = |key: &str| find(&common, key).unwrap();
        let mut query: Vec<_> = common
            .iter()
            .copied()
            .filter(|(key, value)| !own.contains(key) && (*key, *value) != ("Format", "JSON"))
            .collect();
        let mut form = Vec::new();
        if text(&vector["placement"]) == "form" {
            &mut form
        } else {
            &mut query
        }
        .extend(business);
        let request = ApiRequest::new(
            text(&vector["method"]),
            text(&vector["host"]),
            get("Action"),
            get("Version"),
        )
        .query(&query)
        .form(&form);
        let token = find(&common, "SecurityToken");
        let credentials = credentials(get("AccessKeyId"), &vector["access_key_secret"], token);
        let signed = rpc::sign(
            &request,
            &credentials,
            instant(get("Timestamp")),
            get("SignatureNonce"),
        )
        .unwrap();

        let expected = &vector["expected"];
        let url = text(&expected["url"]);
        let sent = query
            .iter()
            .copied()
            .chain(signed.query().iter().map(|a| (a.name(), a.value())));
        let mut sent: Vec<_> = encode_pairs(sent).split('&').map(str::to_owned).collect();
        let mut wanted: Vec<_> = url.split_once('?').unwrap().1.split('&').collect();
        sent.sort_unstable();
        wanted.sort_unstable();
        assert_eq!(sent, wanted, "{name}");
        assert!(signed.headers().is_empty());
    }
}

#[test]
fn acs3_steps() {
    let file = load("acs3-hmac-sha256.json");
    let vectors = file["vectors"].as_array().unwrap();
    assert_eq!(vectors.len(), 18);
    for vector in vectors {
        let name = text(&vector["name"]);
        let expected = &vector["expected"];
        let headers = pairs(&vector["headers_to_sign"]);
        let query = pairs(&vector["query"]);
        let hash = acs3::content_sha256(text(&vector["body"]).as_bytes());
        assert_eq!(hash, expected["content_sha256"], "{name}");
        assert_eq!(
            acs3::canonical_query(&query),
            expected["canonical_query"],
            "{name}"
        );
        assert_eq!(
            acs3::canonical_headers(&headers),
            expected["canonical_headers"],
            "{name}"
        );
        let signed_headers = acs3::signed_headers(&headers);
        assert_eq!(signed_headers, expected["signed_headers"], "{name}");
        let canonical = acs3::canonical_request(
            text(&vector["method"]),
            text(&vector["path"]),
            &query,
            &headers,
            &hash,
        );
        assert_eq!(canonical, expected["canonical_request"], "{name}");
        assert_eq!(
            acs3::content_sha256(canonical.as_bytes()),
            expected["canonical_request_sha256"],
            "{name}"
        );
        let string_to_sign = acs3::string_to_sign(&canonical);
        assert_eq!(string_to_sign, expected["string_to_sign"], "{name}");
        let signature = acs3::signature(text(&vector["access_key_secret"]), &string_to_sign);
        assert_eq!(signature, expected["signature"], "{name}");
        let id = text(&vector["access_key_id"]);
        let authorization = acs3::authorization(id, &signed_headers, &signature);
        assert_eq!(authorization, expected["authorization"], "{name}");
        let parsed = acs3::Authorization::parse(&authorization).unwrap();
        assert_eq!(
            (parsed.access_key_id, parsed.signed_headers),
            (id, signed_headers.as_str())
        );
        assert_eq!(parsed.signature, signature);
    }
}

#[test]
fn acs3_sign() {
    let file = load("acs3-hmac-sha256.json");
    let mut signed_vectors = 0;
    for vector in file["vectors"].as_array().unwrap() {
        let name = text(&vector["name"]);
        let all = pairs(&vector["headers_to_sign"]);
        // `sign` leaves out headers that a client library may change.
        if all
            .iter()
            .any(|(name, _)| !acs3::is_signed(&name.to_ascii_lowercase()))
        {
            continue;
        }
        signed_vectors += 1;
        let token = vector["security_token"].as_str();
        let own = [
            "host",
            "x-acs-action",
            "x-acs-version",
            "x-acs-date",
            "x-acs-signature-nonce",
        ];
        let own = [&own[..], &["x-acs-content-sha256", "x-acs-security-token"]].concat();
        let headers: Vec<_> = all
            .iter()
            .copied()
            .filter(|(name, _)| !own.contains(name))
            .collect();
        let query = pairs(&vector["query"]);
        let request = ApiRequest::new(
            text(&vector["method"]),
            text(&vector["host"]),
            text(&vector["action"]),
            text(&vector["version"]),
        )
        .path(text(&vector["path"]))
        .query(&query)
        .headers(&headers)
        .body(text(&vector["body"]).as_bytes());
        let credentials = credentials(
            text(&vector["access_key_id"]),
            &vector["access_key_secret"],
            token,
        );
        let nonce = text(&vector["nonce"]);
        let signed = acs3::sign(&request, &credentials, instant(text(&vector["date"])), nonce).unwrap();

        let added: Vec<_> = signed.headers().iter().map(|a| (a.name(), a.value())).collect();
        let expected = &vector["expected"];
        assert_eq!(
            find(&added, "authorization").unwrap(),
            expected["authorization"],
            "{name}"
        );
        assert_eq!(find(&added, "x-acs-security-token"), token, "{name}");
        for header in [
            "x-acs-date",
            "x-acs-content-sha256",
            "x-acs-action",
            "x-acs-version",
        ] {
            assert_eq!(find(&added, header), find(&all, header), "{name}");
        }
        assert!(signed.query().is_empty());
    }
    assert_eq!(signed_vectors, 17);
}
