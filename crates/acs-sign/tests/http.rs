//! Signing of `http::request::Parts` in place.
#![cfg(feature = "http")]
#![allow(clippy::unwrap_used, reason = "helpers of tests fail by panicking")]

use std::time::SystemTime;

use acs_sign::http::sign_parts;
use acs_sign::{SignError, acs3, encode_pairs};
use http::Request;
use http::request::Parts;
use oss_credentials_core::Credentials;
use serde_json::Value;

fn text(value: &Value) -> &str {
    value.as_str().unwrap()
}

fn vectors() -> Vec<Value> {
    let path = format!(
        "{}/tests/vectors/sts/acs3-hmac-sha256.json",
        env!("CARGO_MANIFEST_DIR")
    );
    let mut file: Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    serde_json::from_value(file["vectors"].take()).unwrap()
}

/// The request of a vector, before it is signed.
fn unsigned(vector: &Value) -> Parts {
    let pair = |pair: &Value| (text(&pair[0]).to_owned(), text(&pair[1]).to_owned());
    let query: Vec<(String, String)> = match &vector["query"] {
        Value::Object(map) => map
            .iter()
            .map(|(name, value)| (name.clone(), text(value).to_owned()))
            .collect(),
        Value::Array(pairs) => pairs.iter().map(pair).collect(),
        _ => Vec::new(),
    };
    let uri = format!(
        "https://{}{}?{}",
        text(&vector["host"]),
        text(&vector["path"]),
        encode_pairs(query)
    );
    let mut request = Request::builder().method(text(&vector["method"])).uri(uri);
    for (name, value) in vector["headers_to_sign"].as_array().unwrap().iter().map(pair) {
        let is_of_signer = [
            "host",
            "x-acs-content-sha256",
            "x-acs-date",
            "x-acs-security-token",
            "x-acs-signature-nonce",
        ]
        .contains(&name.to_ascii_lowercase().as_str());
        if !is_of_signer {
            request = request.header(name, value);
        }
    }
    request.body(()).unwrap().into_parts().0
}

fn sign(parts: &mut Parts, vector: &Value, credentials: &Credentials) -> Result<(), SignError> {
    let time: SystemTime = chrono::DateTime::parse_from_rfc3339(text(&vector["date"]))
        .unwrap()
        .into();
    let body = text(&vector["body"]).as_bytes();
    sign_parts(parts, body, credentials, time, text(&vector["nonce"]))
}

fn credentials(vector: &Value) -> Credentials {
    let builder = Credentials::builder(text(&vector["access_key_id"]), text(&vector["access_key_secret"]));
    let token = vector["security_token"].as_str().unwrap_or_default();
    builder.security_token(token).build().unwrap()
}

#[test]
fn in_place_requests_get_the_signatures_of_the_vectors() {
    let mut number = 0;
    for vector in vectors() {
        let name = text(&vector["name"]);
        let signed = vector["headers_to_sign"].as_array().unwrap();
        // Other headers are not signed, as a client library may change them.
        if !signed
            .iter()
            .all(|pair| acs3::is_signed(&text(&pair[0]).to_ascii_lowercase()))
        {
            continue;
        }
        number += 1;
        let mut parts = unsigned(&vector);
        // Twice, since a retry signs what was signed before.
        for _ in 0..2 {
            sign(&mut parts, &vector, &credentials(&vector)).unwrap();
            let headers = &parts.headers;
            assert_eq!(
                headers["authorization"],
                text(&vector["expected"]["authorization"]),
                "{name}"
            );
            assert_eq!(headers["host"], text(&vector["host"]), "{name}");
            let token = headers.get("x-acs-security-token");
            assert_eq!(token.is_some(), vector["security_token"].is_string(), "{name}");
            assert!(token.is_none_or(http::HeaderValue::is_sensitive), "{name}");
            assert!(headers["authorization"].is_sensitive(), "{name}");
        }
        assert_eq!(parts.headers.get_all("authorization").iter().count(), 1, "{name}");
    }
    assert_eq!(number, 17);
}

#[test]
fn a_token_of_other_credentials_does_not_stay() {
    let all = vectors();
    let of = |name: &str| all.iter().find(|vector| vector["name"] == name).unwrap();
    let with_token = of("security-token");
    let mut parts = unsigned(with_token);
    sign(&mut parts, with_token, &credentials(with_token)).unwrap();
    assert!(parts.headers.contains_key("x-acs-security-token"));
    sign(&mut parts, with_token, &credentials(of("doc-run-instances"))).unwrap();
    assert!(!parts.headers.contains_key("x-acs-security-token"));
}

#[test]
fn what_cannot_be_signed_is_left_as_it_is() {
    let vector = &vectors()[0];
    let parts = |uri: &str, action: bool| {
        let mut request = Request::get(uri).header("x-acs-version", "2014-05-26");
        if action {
            request = request.header("x-acs-action", "DescribeRegions");
        }
        request.body(()).unwrap().into_parts().0
    };
    let invalid = |name: &str| SignError::InvalidValue {
        name: name.to_owned(),
    };
    let missing = SignError::MissingHeader {
        name: "x-acs-action".to_owned(),
    };
    for (uri, action, expected) in [
        ("https://ecs.aliyuncs.com/", false, missing),
        ("https://ecs.aliyuncs.com/?a=b+c", true, invalid("query")),
        ("https://ecs.aliyuncs.com/?a=%4", true, invalid("query")),
        ("https://ecs.aliyuncs.com/?a=%FF", true, invalid("query")),
        ("/", true, invalid("host")),
    ] {
        let mut parts = parts(uri, action);
        let before = parts.headers.clone();
        assert_eq!(
            sign(&mut parts, vector, &credentials(vector)),
            Err(expected),
            "{uri}"
        );
        assert_eq!(parts.headers, before);
    }
    let mut parts = parts("https://user:canary@ecs.aliyuncs.com/", true);
    sign(&mut parts, vector, &Credentials::anonymous()).unwrap();
    assert_eq!(parts.headers.len(), 2);
    sign(&mut parts, vector, &credentials(vector)).unwrap();
    assert_eq!(parts.headers["host"], "ecs.aliyuncs.com");
}
