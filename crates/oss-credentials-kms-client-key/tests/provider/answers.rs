//! Each answer of the fixtures, and what is no answer.

use std::time::Duration;

use oss_credentials_core::{Credentials, CredentialsError, CredentialsProvider, blocking};
use oss_credentials_http::HttpErrorKind;
use oss_credentials_kms_client_key::KmsRegion;

use crate::service::{Service, ServiceExt as _, at, fetch, pair, response, secret};

fn credentials(file: &str) -> Credentials {
    let service = Service::new().answers_with(file);
    service.fetch().unwrap().into_credentials()
}

#[test]
fn every_good_answer_gives_its_pair() {
    let current = ("LTAI-example-current-00", "example-secret-current-0000000", None);
    let generic = ("LTAI-example-generic-02", "example-secret-generic-2222222", None);
    for (file, (id, key, token)) in [
        ("ram-secret.json", current),
        ("ram-secret-lowercase-type.json", current),
        ("ram-secret-no-extended-config.json", current),
        ("ram-secret-previous-stage.json", current),
        ("ram-secret-rotation-disabled.json", current),
        ("ram-secret-rotation-invalid.json", current),
        ("ram-secret-with-expire-timestamp.json", current),
        (
            "ram-secret-after-rotation.json",
            ("LTAI-example-rotated-01", "example-secret-rotated-1111111", None),
        ),
        ("generic-secret-with-ak.json", generic),
        ("generic-secret-with-ttl.json", generic),
        ("generic-secret-with-refresh-hints.json", generic),
        (
            "generic-secret-with-security-token.json",
            (
                "STS.example-03",
                "example-secret-sts-3333333",
                Some("example-token"),
            ),
        ),
    ] {
        let found = credentials(file);
        assert_eq!(found.access_key_id(), id, "{file}");
        assert_eq!(found.access_key_secret(), key, "{file}");
        assert_eq!(found.security_token(), token, "{file}");
        // 2026-03-08T10:42:40Z
        let expires = (file == "ram-secret-with-expire-timestamp.json").then(|| at(1_772_966_560));
        assert_eq!(found.expires_at(), expires, "{file}");
    }
}

#[test]
fn every_answer_without_a_pair_says_why_and_shows_nothing() {
    let json = "store a JSON object with AccessKeyId and AccessKeySecret, or name a managed RAM secret";
    for (file, problem) in [
        ("binary-secret.json", "is binary"),
        ("generic-secret-plain-text.json", "is not JSON"),
        (
            "generic-secret-json-not-object.json",
            "is JSON, but not an object",
        ),
        (
            "generic-secret-missing-key.json",
            "has no AccessKeySecret, or one that is not a string",
        ),
        (
            "generic-secret-null-values.json",
            "has no AccessKeyId, or one that is not a string",
        ),
        ("generic-secret-empty-values.json", "has an empty AccessKeyId"),
    ] {
        let error = Service::new().answers_with(file).fetch().unwrap_err();
        assert!(matches!(error, CredentialsError::InvalidResponse(_)), "{error:?}");
        assert_eq!(
            error.to_string(),
            format!(
                "kms-client-key: the secret acs/ram/user/oss-reader {problem} (POST \
                 https://kms.cn-hangzhou.aliyuncs.com, HTTP 200): request ID 00000000-0000-4000-8000-000000000003; {json}"
            )
        );
    }
    let error = Service::new()
        .answers_with("missing-secret-data.json")
        .fetch()
        .unwrap_err();
    assert_eq!(
        error.to_string(),
        "kms-client-key: the response to GetSecretValue has no SecretData (POST \
         https://kms.cn-hangzhou.aliyuncs.com, HTTP 200); check the endpoint, and whether it is KMS that responds"
    );
}

#[test]
fn a_secret_for_a_database_is_no_pair() {
    let body = r#"{"SecretType": "Rds", "SecretData": "{\"AccountName\": \"canary\", \"AccountPassword\": \"canary\"}"}"#;
    let error = Service::new().answers(200, body).fetch().unwrap_err();
    let text = error.to_string();
    assert!(text.ends_with("; name a managed RAM secret"), "{text}");
    assert!(!format!("{text}{error:?}").contains("canary"));
}

#[test]
fn a_pair_that_was_copied_with_a_line_end_is_refused_here() {
    let body = secret(r#"{"AccessKeyId": "id", "AccessKeySecret": "canary\n"}"#);
    let error = Service::new().answers(200, body).fetch().unwrap_err();
    assert!(matches!(error, CredentialsError::InvalidResponse(_)), "{error:?}");
    let text = error.to_string();
    assert!(
        text.contains("the access key secret begins or ends with white space"),
        "{text}"
    );
    assert!(!text.contains("canary"), "{text}");
}

#[test]
fn unknown_fields_are_ignored() {
    let body = br#"{"New": {"a": [1]}, "SecretData": "{\"AccessKeyId\": \"i\", \"AccessKeySecret\": \"s\", \"New\": {}}"}"#;
    let found = Service::new().answers(200, *body).fetch().unwrap();
    assert_eq!(found.credentials().access_key_id(), "i");
}

#[test]
fn what_is_no_answer_of_kms_is_named() {
    for (body, problem) in [
        (&b""[..], "is empty"),
        (b"<html>canary</html>", "is HTML or XML"),
        (b"canary", "is not a JSON object"),
        (
            br#"{"SecretData": "canary"#,
            "is not the JSON that was expected (line 1, column 22)",
        ),
    ] {
        let error = Service::new().answers(200, body).fetch().unwrap_err();
        assert!(matches!(error, CredentialsError::InvalidResponse(_)), "{error:?}");
        let text = format!("{error} {error:?}");
        assert!(
            text.contains(&format!("the response to GetSecretValue {problem} (")),
            "{text}"
        );
        assert!(!text.contains("canary"), "{text}");
    }
}

#[test]
fn no_answer() {
    for (kind, text) in [
        (HttpErrorKind::Connect, "no connection to KMS"),
        (HttpErrorKind::Timeout, "no response from KMS in time"),
        (HttpErrorKind::Interrupted, "the response from KMS was cut off"),
        (HttpErrorKind::Tls, "no trusted TLS connection to KMS"),
        (HttpErrorKind::Other, "the exchange with KMS failed"),
    ] {
        let error = Service::new().fails(kind).fetch().unwrap_err();
        assert!(matches!(error, CredentialsError::Unavailable(_)), "{error:?}");
        assert!(
            error.to_string().starts_with(&format!(
                "kms-client-key: {text} (POST https://kms.cn-hangzhou.aliyuncs.com); "
            )),
            "{error}"
        );
    }
    // The HTTP client itself is not set up: nothing that another region would mend.
    let service = Service::new().fails(HttpErrorKind::Request);
    let error = fetch(service.builder().region(KmsRegion::new("cn-beijing"))).unwrap_err();
    assert!(matches!(error, CredentialsError::InvalidConfig(_)), "{error:?}");
    assert_eq!(service.hosts(), ["kms.cn-hangzhou.aliyuncs.com"]);
}

#[test]
fn a_pair_that_has_expired_on_arrival_is_not_handed_out() {
    let data = r#"{"AccessKeyId": "i", "AccessKeySecret": "s", "ExpireTimestamp": "2026-03-01T08:09:09Z"}"#;
    let service = Service::new().answers(200, secret(data));
    let provider = service.builder().build().unwrap();
    let error = blocking::wait(provider.credentials()).unwrap_err();
    assert!(matches!(error, CredentialsError::Expired(_)), "{error:?}");
}

#[test]
fn hints_decide_when_to_fetch_again() {
    let hour = Duration::from_secs(3600);
    let rotates_in = |seconds: u64| {
        let date = chrono::DateTime::<chrono::Utc>::from(at(crate::service::NOW + seconds));
        let date = date.format("%Y-%m-%dT%H:%M:%SZ");
        let text = String::from_utf8(response("ram-secret.json")).unwrap();
        text.replace("2026-03-06T10:42:40Z", &date.to_string())
    };
    for (body, spread, expected) in [
        (String::from_utf8(response("ram-secret.json")).unwrap(), 0.5, hour),
        (rotates_in(600), 0.0, Duration::from_secs(900)),
        (rotates_in(600), 0.5, Duration::from_secs(1050)),
        (rotates_in(600).replace("2026-03-0", "20260-3-0"), 0.0, hour),
        (
            String::from_utf8(response("generic-secret-with-ttl.json")).unwrap(),
            0.0,
            Duration::from_secs(600),
        ),
        // The rotation that it announces, 2026-03-06T10:42:40Z, is further off than the interval.
        (
            String::from_utf8(response("generic-secret-with-refresh-hints.json")).unwrap(),
            0.0,
            hour,
        ),
    ] {
        let service = Service::new().answers(200, body.clone());
        let fetched = fetch(service.builder().random(move || spread)).unwrap();
        assert_eq!(fetched.refresh_after(), Some(expected), "{body}");
    }
    let service = Service::new().answers_with("ram-secret.json");
    let fetched = fetch(service.builder().refresh_interval(Duration::from_secs(1))).unwrap();
    assert_eq!(fetched.refresh_after(), Some(Duration::from_secs(60)));
    // Five days and 2.5 hours to the rotation, and five minutes.
    let service = Service::new().answers_with("ram-secret.json");
    let fetched = fetch(
        service
            .builder()
            .refresh_interval(Duration::from_secs(30 * 86_400)),
    )
    .unwrap();
    assert_eq!(
        fetched.refresh_after(),
        Some(Duration::from_secs(1_772_793_760 - crate::service::NOW + 300))
    );
}

#[test]
fn hints_that_cannot_be_read_do_not_cost_the_pair() {
    for (more, seconds) in [
        (r#""ttl": 1e400"#, 3600),
        (
            r#""scheduleRotateTimestamp": 1, "ScheduleRotateTimestamp": 1"#,
            3600,
        ),
        (r#""ExpireTimestamp": 1577836800"#, 60),
        (r#""ExpireTimestamp": "2020-01-01 00:00:00", "ttl": 600000"#, 60),
    ] {
        let data = format!(r#"{{"AccessKeyId": "i", "AccessKeySecret": "s", {more}}}"#);
        let fetched = Service::new().answers(200, secret(&data)).fetch().unwrap();
        assert_eq!(fetched.credentials().expires_at(), None, "{more}");
        assert_eq!(
            fetched.refresh_after(),
            Some(Duration::from_secs(seconds)),
            "{more}"
        );
    }
    let body = pair("i").replace(
        "\"SecretType\"",
        "\"NextRotationDate\":1e400,\"SecretType\":1,\"SecretType\"",
    );
    Service::new().answers(200, body).fetch().unwrap();
}
