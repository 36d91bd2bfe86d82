//! The answers in `tests/cases/sts/responses.json`, each with the outcome that is written beside it.

use std::time::SystemTime;

use crate::common::{JWT, Service, ServiceExt as _, role_for_token};
#[cfg(feature = "signed")]
use crate::common::{SECRET, TOKEN, caller, role};
use acs_sts::{AssumedRole, StsClient, StsError};
use oss_credentials_core::{CredentialsError, blocking};
use oss_credentials_http::HttpResponse;
use serde_json::Value;

fn variant(error: &StsError) -> &'static str {
    match error.error() {
        CredentialsError::InvalidResponse(_) => "invalid_response",
        CredentialsError::Expired(_) => "expired",
        // With a status: the service, or something in its place, said so.
        CredentialsError::Denied(_) => "denied",
        CredentialsError::Unavailable(_) => "unavailable",
        other => panic!("not for an answer: {other:?}"),
    }
}

#[cfg(feature = "signed")]
#[test]
fn every_answer_has_the_outcome_written_beside_it() {
    check(
        |client| blocking::wait(client.assume_role(&caller(), &role())),
        &[SECRET, TOKEN],
    );
}

#[test]
fn every_answer_has_the_same_outcome_for_the_bearer_of_a_token() {
    check(
        |client| blocking::wait(client.assume_role_with_oidc(&role_for_token())),
        &[JWT],
    );
}

fn check(call: fn(&StsClient) -> Result<AssumedRole, StsError>, secrets: &[&str]) {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/cases/sts/responses.json");
    let file: Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    let cases = file["cases"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|case| case["provider"] == "sts");
    let mut count = 0;
    for case in cases {
        count += 1;
        let name = case["name"].as_str().unwrap();
        let status = u16::try_from(case["status"].as_u64().unwrap()).unwrap();
        let body = case["body"].as_str().unwrap().to_owned();
        let content_type = case["content_type"].as_str().unwrap().to_owned();
        let answer = || {
            let response = HttpResponse::new(status, body.clone().into_bytes());
            Ok(response.with_header("content-type", content_type.clone()))
        };
        // As often as the client may ask.
        let service = Service::new().gives(answer()).gives(answer()).gives(answer());
        let client = service.client().provider_name("case").build().unwrap();
        let outcome = call(&client);

        let expect = &case["expect"];
        assert_eq!(
            outcome.is_ok(),
            expect["ok"].as_bool().unwrap(),
            "{name}: {outcome:?}"
        );
        let shown = format!("{outcome:?}");
        for secret in [&["EXAMPLE-SECRET", "EXAMPLE-TOKEN"], secrets].concat() {
            assert!(!shown.contains(secret), "{name}: {shown}");
        }
        match outcome {
            Ok(role) => {
                let credentials = role.credentials();
                assert_eq!(credentials.access_key_id(), expect["access_key_id"], "{name}");
                assert_eq!(
                    credentials.access_key_secret(),
                    expect["access_key_secret"],
                    "{name}"
                );
                assert_eq!(
                    credentials.security_token().unwrap(),
                    expect["security_token"],
                    "{name}"
                );
                let expires = credentials
                    .expires_at()
                    .unwrap()
                    .duration_since(SystemTime::UNIX_EPOCH);
                assert_eq!(expires.unwrap().as_secs(), expect["expiration_unix"], "{name}");
                assert_eq!(
                    role.arn(),
                    Some("acs:ram::123456789012:role/example-role/example-session")
                );
                assert_eq!(credentials.source(), "case");
            }
            Err(error) => {
                let text = error.to_string();
                let detail = error.error().detail().unwrap();
                let retryable = expect["retryable"].as_bool();
                match (expect["error"].as_str().unwrap(), retryable) {
                    ("service" | "http_status", Some(true)) => {
                        assert_eq!(variant(&error), "unavailable", "{name}");
                    }
                    ("service" | "http_status", _) => assert_eq!(variant(&error), "denied", "{name}"),
                    (expected, _) => assert_eq!(variant(&error), expected, "{name}"),
                }
                if let Some(retryable) = retryable {
                    assert_eq!(error.error().is_retryable(), retryable, "{name}");
                    assert_eq!(
                        u64::from(detail.http_status().unwrap()),
                        expect["status"],
                        "{name}"
                    );
                }
                if let Some(code) = expect["code"].as_str() {
                    assert_eq!(detail.code(), Some(code), "{name}");
                    assert_eq!(detail.request_id(), expect["request_id"].as_str(), "{name}");
                    assert!(text.contains(code), "{text}");
                    let recommend = format!("see https://api.aliyun.com/troubleshoot?q={code}");
                    assert_eq!(text.contains(&recommend), name != "error-minimal", "{text}");
                }
                assert!(text.starts_with("case: "), "{text}");
                assert!(text.contains("POST https://sts.aliyuncs.com/, HTTP "), "{text}");
            }
        }
    }
    assert_eq!(count, 35);
}
