//! Each error that KMS may answer, and what comes of it.

use std::time::Duration;

use oss_credentials_core::test_util::ManualClock;
use oss_credentials_core::{Clock, CredentialsError, CredentialsSource, blocking};
use oss_credentials_http::HttpResponse;

use crate::service::{NOW, Service, ServiceExt as _, at, fetch, pair, param, refusal, response};

const PLACE: &str = "POST https://kms.cn-hangzhou.aliyuncs.com";

#[test]
fn every_error_of_the_fixtures_has_its_variant_and_its_hint() {
    let bill = "settle the bill of the account";
    let later = "retry later";
    for (file, variant, beginning, hint) in [
        (
            "error-throttling.json",
            "unavailable",
            "could not process",
            "fetch less often: KMS counts all calls of the account",
        ),
        (
            "error-service-unavailable.json",
            "unavailable",
            "could not process",
            later,
        ),
        (
            "error-internal-failure.json",
            "unavailable",
            "could not process",
            later,
        ),
        (
            "error-not-found.json",
            "denied",
            "refused",
            "check the name of the secret, acs/ram/user/oss-reader, and whether it is in the region cn-hangzhou",
        ),
        (
            "error-no-permission.json",
            "denied",
            "refused",
            "let the policy of the application access point name secret/acs/ram/user/oss-reader, and its network \
             rule this host's address",
        ),
        (
            "error-client-key-unknown.json",
            "denied",
            "refused",
            "the client key (not the access key in the secret) is deleted, has expired, or belongs to another \
             region or instance than cn-hangzhou: issue a new client key",
        ),
        (
            "error-signature.json",
            "denied",
            "refused",
            "KMS signed another text: check whether a proxy changes requests",
        ),
        ("error-clock.json", "denied", "refused", "set the local clock"),
        ("error-in-debt.json", "denied", "refused", bill),
        ("error-in-debt-overdue.json", "denied", "refused", bill),
    ] {
        let body = response(file);
        let fields: serde_json::Value = serde_json::from_slice(&body).unwrap();
        let status = u16::try_from(fields["HttpStatus"].as_u64().unwrap()).unwrap();
        let error = Service::new().answers(status, body).fetch().unwrap_err();
        assert_eq!(error.kind(), variant, "{file}");
        let message = match file {
            "error-signature.json" => {
                "Specified signature is not matched with our calculation. server string to sign withheld"
            }
            _ => fields["Message"].as_str().unwrap(),
        };
        assert_eq!(
            error.to_string(),
            format!(
                "kms-client-key: KMS {beginning} GetSecretValue ({PLACE}, HTTP {status}): {}: {message}, request ID 00000000-0000-4000-8000-0000000000ee; {hint}",
                fields["Code"].as_str().unwrap(),
            )
        );
    }
}

#[test]
fn codes_without_a_fixture() {
    for (status, code, variant, hint) in [
        (
            403,
            "Forbidden.KeyNotFound",
            "denied",
            "the key that protects the secret",
        ),
        (400, "IncompleteSignature", "denied", "check the client key"),
        (400, "IllegalTimestamp", "denied", "set the local clock"),
        (400, "MissingParameter", "denied", "check the name of the secret"),
        (400, "InvalidParameter", "denied", "check the name of the secret"),
        (429, "Whatever", "unavailable", "fetch less often"),
        (504, "Whatever", "unavailable", "retry later"),
        (418, "Whatever", "denied", "request ID R-1"),
    ] {
        let error = Service::new().refuses(status, code).fetch().unwrap_err();
        assert_eq!(error.kind(), variant, "{error}");
        assert_eq!(error.detail().and_then(|detail| detail.code()), Some(code));
        assert!(error.to_string().contains(hint), "{error}");
    }
}

#[test]
fn xml_and_html_are_understood_by_status() {
    let error = Service::new()
        .answers(400, response("error.xml"))
        .fetch()
        .unwrap_err();
    assert_eq!(error.kind(), "unavailable");
    assert_eq!(
        error.to_string(),
        format!(
            "kms-client-key: KMS could not process GetSecretValue ({PLACE}, HTTP 400): Rejected.Throttling: QPS Limit \
             Exceeded, request ID 00000000-0000-4000-8000-0000000000ee; fetch less often: KMS counts all calls of the \
             account"
        )
    );
    for (status, variant) in [
        (502, "unavailable"),
        (429, "unavailable"),
        (403, "denied"),
        (404, "denied"),
        (302, "invalid-response"),
    ] {
        let error = Service::new()
            .answers(status, response("error-gateway-html.html"))
            .fetch()
            .unwrap_err();
        assert_eq!(error.kind(), variant, "{status}");
        assert_eq!(
            error.to_string(),
            format!(
                "kms-client-key: the response to GetSecretValue has no error code ({PLACE}, HTTP {status}): \
                 <html><body><h1>502 Bad Gateway</h1></body></html>; check the endpoint, and whether a proxy responds instead"
            )
        );
    }
}

#[test]
fn a_signature_over_the_same_text_means_a_wrong_key() {
    let service = Service::new().then(|request| {
        let names = request.url().split_once('?').unwrap().1.split('&');
        let all: Vec<(String, String)> = names
            .map(|pair| pair.split_once('=').unwrap().0.to_owned())
            .map(|name| (name.clone(), param(request, &name).unwrap()))
            .collect();
        let text = acs_sign::rpc::string_to_sign("POST", &all);
        let message = format!("no match. server string to sign is:{text}");
        let body = serde_json::json!({"Code": "SignatureDoesNotMatch", "Message": message});
        Ok(HttpResponse::new(400, body.to_string().into_bytes()))
    });
    let error = service.fetch().unwrap_err();
    let hint = error.detail().unwrap().hint().unwrap();
    assert_eq!(
        hint,
        "KMS signed the same text, so the private key is not the one that it knows by this key ID: issue a new \
         client key"
    );
    assert!(!error.to_string().contains("AccessKeyId"), "{error}");
}

#[test]
fn a_used_nonce_is_replaced_once() {
    let service = Service::new()
        .answers(400, response("error-nonce.json"))
        .answers(200, pair("i"));
    service.fetch().unwrap();
    let nonces = service.params("SignatureNonce");
    assert_ne!(nonces[0], nonces[1]);

    let service = Service::new()
        .refuses(400, "SignatureNonceUsed")
        .refuses(400, "SignatureNonceUsed");
    let error = service.fetch().unwrap_err();
    assert_eq!(error.kind(), "unavailable");
    assert_eq!(service.requests().len(), 2);
}

/// `Sun, 01 Mar 2026 10:09:10 GMT`, two hours after [`NOW`].
fn refused_by_the_clock() -> HttpResponse {
    HttpResponse::new(400, refusal("InvalidTimeStamp.Expired").into_bytes())
        .with_header("date", "Sun, 01 Mar 2026 10:09:10 GMT")
}

#[test]
fn a_wrong_clock_is_corrected_once_and_remembered() {
    let service = Service::new()
        .then(|_| Ok(refused_by_the_clock()))
        .answers(200, pair("i"))
        .answers(200, pair("i"));
    let clock = ManualClock::at_unix(NOW);
    let source = service.builder().clock(clock.clone()).build_source().unwrap();
    blocking::wait(source.fetch()).unwrap();
    clock.advance(Duration::from_secs(60));
    blocking::wait(source.fetch()).unwrap();
    assert_eq!(
        service.params("Timestamp"),
        [
            "2026-03-01T08:09:10Z",
            "2026-03-01T10:09:10Z",
            "2026-03-01T10:10:10Z"
        ]
    );
    assert_eq!(clock.now(), at(NOW + 60));

    let service = Service::new()
        .then(|_| Ok(refused_by_the_clock()))
        .then(|_| Ok(refused_by_the_clock()));
    let error = service.fetch().unwrap_err();
    assert_eq!(error.kind(), "denied");
    let hint = error.detail().unwrap().hint().unwrap().to_owned();
    assert_eq!(hint, "set the local clock: it is 7200 s behind the service's");
    assert_eq!(service.requests().len(), 2);
}

#[test]
fn a_key_in_memory_that_is_unknown_is_not_tried_twice() {
    let service = Service::new().refuses(404, "InvalidAccessKeyId.NotFound");
    let error = fetch(service.builder()).unwrap_err();
    assert!(matches!(error, CredentialsError::Denied(_)), "{error:?}");
    assert_eq!(service.requests().len(), 1);
}
