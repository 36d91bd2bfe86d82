//! What the service says.

use std::time::SystemTime;

use oss_credentials_core::CredentialsError;
use oss_credentials_http::HttpResponse;
use serde_json::Value;

use crate::service::{
    KEYS, LIST, Service, ServiceExt as _, TOKEN, fetch, fetch_once, keys, six_hours, with_token,
};

/// The answers in `tests/cases/sts/responses.json`, each with the outcome that is written beside it.
#[test]
fn every_answer_has_the_outcome_written_beside_it() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/cases/sts/responses.json");
    let file: Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    let cases = file["cases"].as_array().unwrap().iter();
    let mut count = 0;
    for case in cases.filter(|case| case["provider"] == "imds") {
        count += 1;
        let name = case["name"].as_str().unwrap();
        let status = u16::try_from(case["status"].as_u64().unwrap()).unwrap();
        let body = case["body"].as_str().unwrap().to_owned();
        let content_type = case["content_type"].as_str().unwrap().to_owned();
        let service = Service::new().token().then(move |_| {
            let response = HttpResponse::new(status, body.clone().into_bytes());
            Ok(response.with_header("content-type", content_type.clone()))
        });
        let outcome = fetch_once(service.named());
        service.assert_done();

        let expect = &case["expect"];
        assert_eq!(
            outcome.is_ok(),
            expect["ok"].as_bool().unwrap(),
            "{name}: {outcome:?}"
        );
        let shown = format!("{outcome:?}");
        for secret in ["EXAMPLE-SECRET", "EXAMPLE-TOKEN", "canary"] {
            assert!(!shown.contains(secret), "{name}: {shown}");
        }
        match outcome {
            Ok(fetched) => {
                let credentials = fetched.credentials();
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
                let end = credentials.expires_at().unwrap();
                let end = end.duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs();
                assert_eq!(end, expect["expiration_unix"], "{name}");
            }
            Err(error) => {
                let kind = match expect["error"].as_str().unwrap() {
                    "invalid_response" => "invalid-response",
                    "expired" => "expired",
                    "not_found" => "denied",
                    "http_status" | "code_not_success" => "unavailable",
                    other => panic!("unknown outcome {other}"),
                };
                assert_eq!(error.kind(), kind, "{name}: {error:?}");
                if let Some(status) = expect["status"].as_u64() {
                    let seen = error.detail().unwrap().http_status().map(u64::from);
                    assert_eq!(seen, Some(status), "{name}");
                }
                if let Some(retryable) = expect["retryable"].as_bool() {
                    assert_eq!(error.is_retryable(), retryable, "{name}");
                }
            }
        }
    }
    assert_eq!(count, 22);
}

#[test]
fn texts_name_what_is_missing_and_quote_nothing() {
    let complete = six_hours("STS.EXAMPLE");
    for (body, kind, text) in [
        (
            String::new(),
            "invalid-response",
            "the response to the request for credentials is empty",
        ),
        (
            "<html>canary</html>".to_owned(),
            "invalid-response",
            "the response to the request for credentials is HTML or XML",
        ),
        (
            "canary".to_owned(),
            "invalid-response",
            "the response to the request for credentials is not a JSON object",
        ),
        (
            format!("[{complete}]"),
            "invalid-response",
            "the response to the request for credentials is not a JSON object",
        ),
        (
            "{canary".to_owned(),
            "invalid-response",
            "the response to the request for credentials is not the JSON that was expected (line 1, column 2)",
        ),
        (
            complete.replace("SecurityToken", "Token"),
            "invalid-response",
            "the response to the request for credentials has no SecurityToken",
        ),
        (
            complete.replace("2026-01-02T09:04:05Z", ""),
            "invalid-response",
            "the response to the request for credentials has no Expiration",
        ),
        (
            complete.replace("2026-01-02T09:04:05Z", "tomorrow"),
            "invalid-response",
            "the response to the request for credentials has an unreadable Expiration",
        ),
        (
            complete.replace("canary-secret", "canary-secret\\n"),
            "invalid-response",
            "the response to the request for credentials contains an invalid key",
        ),
        (
            keys("STS.EXAMPLE", "2026-01-02T03:04:05Z"),
            "expired",
            "the credentials had expired when they arrived",
        ),
    ] {
        let service = Service::new().token().answers(200, body);
        let error = fetch_once(service.named()).unwrap_err();
        assert_eq!(error.kind(), kind, "{error:?}");
        let start = format!("ecs-ram-role: {text} ({KEYS}, HTTP 200); ");
        assert!(error.to_string().starts_with(&start), "{error}");
        assert!(!format!("{error} {error:?}").contains("canary"), "{error:?}");
    }
    let failed = complete.replace("Success", "RoleNotReady");
    let error = fetch_once(Service::new().token().answers(200, failed).named()).unwrap_err();
    assert_eq!(
        error.to_string(),
        format!(
            "ecs-ram-role: the metadata service has no credentials for the role ({KEYS}, HTTP 200): \
             RoleNotReady; check the role and its trust policy, which must name ecs.aliyuncs.com"
        )
    );
}

#[test]
fn the_list_of_roles() {
    for body in [
        "example-role",
        " example-role\r\n",
        "\n\nexample-role\nother-role\n",
    ] {
        let service = Service::new().token().answers(200, body).keys("STS.EXAMPLE");
        fetch_once(service.builder()).unwrap();
        assert_eq!(service.asked()[2], with_token(KEYS), "{body:?}");
    }
    for body in ["a/b", "../..", "a?b", "a\tb", "<html></html>"] {
        let service = Service::new().token().answers(200, body);
        let error = fetch_once(service.builder()).unwrap_err();
        assert!(matches!(error, CredentialsError::InvalidResponse(_)), "{error:?}");
        let start = "ecs-ram-role: the response to the request for the role's name ";
        assert!(error.to_string().starts_with(start), "{error}");
        service.assert_done();
    }
    for (status, body) in [(404, "<html>404 - Not Found</html>"), (200, "\n"), (204, "")] {
        let service = Service::new().token().answers(status, body);
        let error = fetch_once(service.builder()).unwrap_err();
        assert!(error.is_not_configured(), "{error:?}");
        assert_eq!(
            error.to_string(),
            format!(
                "ecs-ram-role: no RAM role is attached to this instance ({LIST}, HTTP {status}); attach a role \
                 in the ECS console, if this instance should have one"
            )
        );
        // Somebody said that there is one.
        let service = Service::new().token().answers(status, body);
        let error = fetch_once(service.builder().required(true)).unwrap_err();
        assert!(matches!(error, CredentialsError::Denied(_)), "{error:?}");
        assert_eq!(
            error.to_string(),
            format!(
                "ecs-ram-role: no RAM role is attached to this instance ({LIST}, HTTP {status}); attach a role \
                 in the ECS console, or remove this provider from the chain"
            )
        );
    }
}

/// Else a chain would go on to another identity because somebody took the role away.
#[test]
fn a_role_that_was_there_is_missed() {
    let service = Service::new().answers(200, TOKEN).answers(404, "");
    let service = service.role().answers(500, "").answers(404, "");
    let source = service.builder().build_source().unwrap();
    assert!(fetch(&source).unwrap_err().is_not_configured());
    // It is attached now, even if there are no keys yet.
    let error = fetch(&source).unwrap_err();
    assert!(matches!(error, CredentialsError::Unavailable(_)), "{error:?}");
    let error = fetch(&source).unwrap_err();
    assert!(matches!(error, CredentialsError::Denied(_)), "{error:?}");
    service.assert_done();
}

#[test]
fn a_role_that_is_not_there() {
    let service = Service::new()
        .token()
        .answers(404, "<html>404 - Not Found</html>");
    let error = fetch_once(service.named()).unwrap_err();
    assert!(matches!(error, CredentialsError::Denied(_)), "{error:?}");
    assert_eq!(
        error.to_string(),
        format!(
            "ecs-ram-role: this RAM role is not attached to this instance ({KEYS}, HTTP 404); correct \
             role_name(..) or ALIBABA_CLOUD_ECS_METADATA, leave it out to have the role found, or attach the role"
        )
    );
    let service = Service::new().token().role().answers(404, "");
    let error = fetch_once(service.builder()).unwrap_err();
    assert!(error.to_string().contains("detached just now"), "{error}");
}

#[test]
fn other_statuses_of_both_questions() {
    for (status, kind) in [
        (302, "invalid-response"),
        (400, "denied"),
        (408, "unavailable"),
        (429, "unavailable"),
        (500, "unavailable"),
        (501, "invalid-response"),
        (503, "unavailable"),
    ] {
        let list = Service::new().token().answers(status, "canary");
        let keys = Service::new().token().role().answers(status, "canary");
        for (service, place) in [(list, LIST), (keys, KEYS)] {
            let error = fetch_once(service.builder()).unwrap_err();
            assert_eq!(error.kind(), kind, "{error:?}");
            let text = error.to_string();
            assert!(text.contains(&format!("({place}, HTTP {status}); ")), "{text}");
            assert!(!text.contains("canary"), "{text}");
            service.assert_done();
        }
    }
}
