//! What a signature adds to a request, and what may be logged of it.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::time::{Duration, SystemTime};

use acs_sign::{ApiRequest, SignError, Signed, acs3, rpc};
use oss_credentials_core::Credentials;

const NONCE: &str = "d8f0f2b0";

fn now() -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(1_767_323_045)
}

fn key() -> Credentials {
    Credentials::builder("STS.NUExampleTempKeyId", "canary-secret")
        .security_token("canary-token")
        .build()
        .unwrap()
}

fn request() -> ApiRequest<'static> {
    ApiRequest::new("POST", "sts.aliyuncs.com", "GetCallerIdentity", "2015-04-01")
}

fn acs3(credentials: &Credentials) -> Signed {
    acs3::sign(&request(), credentials, now(), NONCE).unwrap()
}

fn rpc(credentials: &Credentials) -> Signed {
    rpc::sign(&request(), credentials, now(), NONCE).unwrap()
}

#[test]
fn only_anonymous_credentials_add_nothing() {
    let anonymous = Credentials::anonymous();
    assert!(acs3(&anonymous).is_empty());
    assert!(rpc(&anonymous).is_empty());
    // One adds headers alone, the other one parameters alone.
    assert!(acs3(&key()).query().is_empty());
    assert!(!acs3(&key()).is_empty());
    assert!(rpc(&key()).headers().is_empty());
    assert!(!rpc(&key()).is_empty());
}

#[test]
fn what_may_be_logged_is_not_sensitive() {
    let names = |signed: &Signed, sensitive: bool| -> Vec<&str> {
        let additions = signed.headers().iter().chain(signed.query());
        additions
            .filter(|addition| addition.is_sensitive() == sensitive)
            .map(acs_sign::Addition::name)
            .collect()
    };
    let (signed, parameters) = (acs3(&key()), rpc(&key()));
    for name in ["x-acs-security-token", "authorization"] {
        assert!(names(&signed, true).contains(&name), "{name}");
    }
    for name in ["x-acs-action", "x-acs-version", "x-acs-date"] {
        assert!(names(&signed, false).contains(&name), "{name}");
    }
    for name in ["AccessKeyId", "SecurityToken", "Signature"] {
        assert!(names(&parameters, true).contains(&name), "{name}");
    }
    for name in ["Action", "Version", "Timestamp"] {
        assert!(names(&parameters, false).contains(&name), "{name}");
    }
}

#[test]
fn a_body_hash_is_lower_case_hex_of_a_sha256() {
    // SHA-256 of "abc": FIPS 180-2, appendix B.1.
    let hash = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
    let by_hash = acs3::sign(&request().body_sha256(hash), &key(), now(), NONCE).unwrap();
    let by_body = acs3::sign(&request().body(b"abc"), &key(), now(), NONCE).unwrap();
    let value = |signed: &Signed| signed.headers().last().unwrap().value().to_owned();
    assert_eq!(value(&by_hash), value(&by_body));

    let upper = hash.to_uppercase();
    let foreign = hash.replacen('b', "g", 1);
    let long = format!("{hash}0");
    for wrong in [&hash[1..], &long, &upper, &foreign, ""] {
        let refused = acs3::sign(&request().body_sha256(wrong), &key(), now(), NONCE);
        let Err(SignError::InvalidValue { name }) = refused else {
            unreachable!("{wrong} was taken")
        };
        assert_eq!(name, "x-acs-content-sha256");
    }
}

#[test]
fn debug_shows_where_a_request_goes() {
    let shown = format!("{:?}", request().path("/a"));
    assert_eq!(shown, "ApiRequest(POST sts.aliyuncs.com/a GetCallerIdentity)");
}

/// A text that had to grow would have left a copy of the token behind in memory.
#[test]
fn canonical_headers_never_grow() {
    let headers = [
        ("x-acs-security-token", "canary-token"),
        ("host", "sts.aliyuncs.com"),
    ];
    let lines = acs3::canonical_headers(&headers);
    assert_eq!(
        lines,
        "host:sts.aliyuncs.com\nx-acs-security-token:canary-token\n"
    );
    assert_eq!(lines.capacity(), lines.len());
}
