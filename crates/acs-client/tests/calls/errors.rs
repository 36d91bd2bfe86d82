//! What errors say, and what they do not.

use acs_client::{AcsClient, Call, Caller};
use oss_credentials_core::{CredentialsError, blocking};
use oss_credentials_http::test_util::ScriptedHttp;

use crate::common::*;

#[cfg(feature = "signed")]
#[test]
fn a_refusal_says_what_whose_key_and_what_to_do() {
    let service = ScriptedHttp::new().answers(403, error_body("NoPermission"));
    let error = call(client(&service), &Call::rpc("DescribeRegions")).unwrap_err();
    assert_eq!(
        error.to_string(),
        "acs-client: the service refused DescribeRegions (POST https://ecs.cn-hangzhou.aliyuncs.com/, HTTP 403): \
         NoPermission: example, request ID R-1 (key LTAI****Id01 from env); allow the action to the caller in RAM; \
         see https://api.aliyun.com/troubleshoot?q=NoPermission"
    );
    assert_eq!(error.action(), "DescribeRegions");
    assert_eq!(error.code(), Some("NoPermission"));
    assert_eq!(error.message(), Some("example"));
    assert_eq!(error.request_id(), Some("R-1"));
    assert_eq!(error.http_status(), Some(403));
    assert_eq!(
        error.recommend(),
        Some("https://api.aliyun.com/troubleshoot?q=NoPermission")
    );
    assert_eq!(
        (error.key_id(), error.key_source()),
        (Some("LTAI****Id01"), Some("env"))
    );
    assert!(!error.is_retryable() && !error.key_rejected());
    assert!(matches!(error.into(), CredentialsError::Denied(_)));
}

#[cfg(feature = "signed")]
#[test]
fn an_error_that_is_not_about_the_caller_names_no_key() {
    for (status, code) in [(400, "InvalidParameter.RegionId"), (404, "EntityNotExist.Policy")] {
        let service = ScriptedHttp::new().answers(status, error_body(code));
        let error = call(client(&service), &Call::rpc("DescribeRegions")).unwrap_err();
        assert_eq!(error.key_id(), None, "{error}");
    }
}

#[test]
fn a_request_that_was_not_signed_is_said_to_be_so() {
    let service = ScriptedHttp::new().answers(403, error_body("NoPermission"));
    let client = client(&service).build().unwrap();
    let error = blocking::wait(client.call_as(Caller::Unsigned(&[]), &Call::rpc("X"))).unwrap_err();
    assert!(
        error
            .to_string()
            .contains("request ID R-1; the request was not signed: make the call with credentials; see "),
        "{error}"
    );
    assert_eq!(error.key_id(), None);
    let request = &service.requests()[0];
    let query = decode(request.url().split_once('?').unwrap().1);
    assert_eq!(get(&query, "Action"), Some("X"));
    assert_eq!(get(&query, "Timestamp"), Some("2027-01-01T00:00:00Z"));
    assert_eq!(get(&query, "Signature"), None);
    assert_eq!(request.header("authorization"), None);
}

#[test]
fn a_secret_that_the_service_repeats_is_withheld() {
    let secret = "canary-oidc-header.canary-claims";
    let body = format!(
        r#"{{"Code": "X.{secret}", "Message": "bad {secret}", "RequestId": "{secret}",
           "Recommend": "https://example.com/{secret}"}}"#
    );
    let service = ScriptedHttp::new()
        .answers(400, body)
        .answers(200, format!(r#"{{"RequestId": "{secret}"}}"#));
    let client = client(&service).build().unwrap();
    let call = Call::rpc("X").form("Token", secret);
    let secrets = [secret];
    let error = blocking::wait(client.call_as(Caller::Unsigned(&secrets), &call)).unwrap_err();
    let response = blocking::wait(client.call_as(Caller::Unsigned(&secrets), &call)).unwrap();
    assert_eq!(response.request_id(), None);
    let shown = format!("{error} {error:?} {response:?} {call:?} {client:?}");
    assert!(!shown.contains("canary"), "{shown}");
}

#[test]
fn pages_of_proxies_are_told_from_responses_of_the_service() {
    for (status, kind) in [(302, "invalid-response"), (403, "denied"), (502, "unavailable")] {
        let service = ScriptedHttp::new().answers(status, "<html>canary</html>");
        let error = call(client(&service), &Call::rpc("X")).unwrap_err();
        assert_eq!(error.error().kind(), kind, "{status}");
        let text = error.to_string();
        assert!(text.contains("the response to X has no error code"), "{text}");
        assert!(!text.contains("canary"), "{text}");
    }
}

#[cfg(feature = "json")]
#[test]
fn json_is_read_or_an_error_without_a_word_of_it() {
    let service = ScriptedHttp::new()
        .answers(200, r#"{"TotalCount": 3, "RequestId": "R-7"}"#)
        .answers(200, "<html>canary</html>")
        .answers(200, r#"{"canary": "#);
    let ask = || call(client(&service), &Call::rpc("X")).unwrap();
    let first = ask();
    assert_eq!(first.json::<serde_json::Value>().unwrap()["TotalCount"], 3);
    assert_eq!((first.request_id(), first.action()), (Some("R-7"), "X"));
    let page = ask().json::<serde_json::Value>().unwrap_err();
    assert_eq!(
        page.to_string(),
        "acs-client: the response to X is HTML or XML (POST https://ecs.cn-hangzhou.aliyuncs.com/, HTTP 200); check \
         the endpoint, and whether a proxy or a login page responds instead"
    );
    let cut = ask().json::<serde_json::Value>().unwrap_err().to_string();
    assert!(
        cut.contains("is not the JSON that was expected (line 1, column "),
        "{cut}"
    );
    assert!(!cut.contains("canary"), "{cut}");
}

#[test]
fn types_can_move_between_threads() {
    fn check<T: Send + Sync + Unpin + 'static>() {}
    fn future<F: Future + Send>(_: F) {}
    check::<AcsClient>();
    check::<acs_client::AcsError>();
    check::<acs_client::AcsResponse>();
    check::<Call<'static>>();
    let client = client(&ScriptedHttp::new()).build().unwrap();
    future(client.call_as(Caller::Unsigned(&[]), &Call::rpc("X")));
}
