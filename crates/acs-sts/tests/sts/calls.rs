//! What is sent, what is repeated, and what is said when it fails.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use crate::common::*;
use acs_sign::{acs3, rpc};
use acs_sts::{AssumeRole, SignatureVersion, StsClient, StsError};
use oss_credentials_core::test_util::ManualClock;
use oss_credentials_core::{Clock, Credentials, CredentialsError, blocking};
use oss_credentials_http::{HttpErrorKind, HttpMethod, HttpRequest, HttpResponse, http_fn};

fn assume(client: &StsClient) -> Result<acs_sts::AssumedRole, StsError> {
    blocking::wait(client.assume_role(&caller(), &role()))
}

/// As the service would.
fn check_rpc_signature(request: &HttpRequest, secret: &str) {
    let params = params(request);
    let expected = rpc::signature(secret, &rpc::string_to_sign(request.method().as_str(), &params));
    assert_eq!(get(&params, "Signature"), Some(expected.as_str()));
}

#[test]
fn rpc_sends_common_parameters_in_the_query_and_the_rest_in_the_body() {
    let service = Service::new().answers(200, OK);
    let client = service.client().region("cn-beijing").build().unwrap();
    let request = role()
        .policy(r#"{"Version": "1"}"#)
        .external_id("partner:1")
        .duration(Duration::from_secs(900));
    let role = blocking::wait(client.assume_role(&caller(), &request)).unwrap();
    assert_eq!(role.request_id(), Some("6894B13B-6D71-4EF5-88FA-F32781734A7F"));
    assert_eq!(role.assumed_role_id(), Some("300000000000000001:example-session"));

    let request = &service.requests()[0];
    assert_eq!(request.method(), HttpMethod::Post);
    assert_eq!(
        request.header("content-type"),
        Some("application/x-www-form-urlencoded")
    );
    assert_eq!(request.connect_timeout(), Duration::from_secs(5));
    assert_eq!(request.timeout(), Duration::from_secs(10));
    let (url, query) = request.url().split_once('?').unwrap();
    assert_eq!(url, "https://sts.cn-beijing.aliyuncs.com/");
    let query = decode(query);
    for (name, value) in [
        ("Action", "AssumeRole"),
        ("Version", "2015-04-01"),
        ("Format", "JSON"),
        ("Timestamp", "2026-01-02T03:04:05Z"),
        ("AccessKeyId", ID),
        ("SignatureMethod", "HMAC-SHA1"),
        ("SignatureVersion", "1.0"),
    ] {
        assert_eq!(get(&query, name), Some(value), "{name}");
    }
    let body = std::str::from_utf8(request.body()).unwrap();
    assert!(body.contains("Policy=%7B%22Version%22%3A%20%221%22%7D"), "{body}");
    let body = decode(body);
    for (name, value) in [
        ("RoleArn", "acs:ram::123456789012:role/example-role"),
        ("RoleSessionName", "example-session"),
        ("DurationSeconds", "900"),
        ("ExternalId", "partner:1"),
        ("SecurityToken", TOKEN),
    ] {
        assert_eq!(get(&body, name), Some(value), "{name}");
    }
    check_rpc_signature(request, SECRET);
}

#[test]
fn a_long_term_key_sends_no_token() {
    let service = Service::new().answers(200, OK);
    let client = service.client().build().unwrap();
    let caller = Credentials::builder("LTAI5tEXAMPLEKEYID", SECRET)
        .build()
        .unwrap();
    blocking::wait(client.assume_role(&caller, &role())).unwrap();
    let request = &service.requests()[0];
    let params = params(request);
    assert_eq!(get(&params, "SecurityToken"), None);
    assert_eq!(get(&params, "Policy"), None);
    assert_eq!(get(&params, "ExternalId"), None);
    assert_eq!(get(&params, "DurationSeconds"), Some("3600"));
    check_rpc_signature(request, SECRET);
}

#[test]
fn an_empty_policy_is_refused_and_nothing_is_sent() {
    let service = Service::new();
    let client = service.client().build().unwrap();
    let caller = Credentials::builder("LTAI5tEXAMPLEKEYID", SECRET)
        .build()
        .unwrap();
    for policy in ["", " \n"] {
        let error = blocking::wait(client.assume_role(&caller, &role().policy(policy))).unwrap_err();
        let text = error.to_string();
        assert!(text.contains(": the policy is empty; "), "{text}");
        assert!(matches!(error.error(), CredentialsError::InvalidConfig(_)));
    }
    assert!(service.requests().is_empty());
}

#[test]
fn acs3_signs_host_port_and_body() {
    let service = Service::new().answers(200, OK);
    let client = service
        .client()
        .endpoint("http://127.0.0.1:8080")
        .signature_version(SignatureVersion::Acs3)
        .build()
        .unwrap();
    assume(&client).unwrap();
    let request = &service.requests()[0];
    assert_eq!(request.url(), "http://127.0.0.1:8080/");
    assert_eq!(request.header("x-acs-action"), Some("AssumeRole"));
    assert_eq!(request.header("x-acs-date"), Some("2026-01-02T03:04:05Z"));
    assert_eq!(request.header("x-acs-security-token"), Some(TOKEN));
    let parsed = acs3::Authorization::parse(request.header("authorization").unwrap()).unwrap();
    let mut headers = vec![("host", "127.0.0.1:8080")];
    headers.extend(
        request
            .headers()
            .filter(|(name, _)| parsed.signed_headers.split(';').any(|s| s == *name)),
    );
    assert_eq!(headers.len(), parsed.signed_headers.split(';').count());
    let hash = acs3::content_sha256(request.body());
    let canonical = acs3::canonical_request::<&str, &str, _, _>("POST", "/", &[], &headers, &hash);
    assert_eq!(
        parsed.signature,
        acs3::signature(SECRET, &acs3::string_to_sign(&canonical))
    );
    assert_eq!(parsed.access_key_id, ID);
    assert_eq!(get(&params(request), "RoleSessionName"), Some("example-session"));
}

#[test]
fn get_caller_identity_reads_every_field() {
    let body = r#"{"AccountId": "123456789012", "Arn": "acs:ram::123456789012:user/alice", "PrincipalId":
        "200000000000000001", "IdentityType": "RAMUser", "UserId": "200000000000000001", "RequestId": "R-9",
        "Extra": 1}"#;
    let service = Service::new().answers(200, body).answers(200, r#"{"Arn": "a"}"#);
    let client = service.client().build().unwrap();
    let identity = blocking::wait(client.get_caller_identity(&caller())).unwrap();
    assert_eq!(identity.account_id(), "123456789012");
    assert_eq!(identity.arn(), "acs:ram::123456789012:user/alice");
    assert_eq!(identity.principal_id(), Some("200000000000000001"));
    assert_eq!(identity.identity_type(), Some("RAMUser"));
    assert_eq!(
        (identity.user_id(), identity.role_id()),
        (Some("200000000000000001"), None)
    );
    assert_eq!(identity.request_id(), Some("R-9"));
    check_rpc_signature(&service.requests()[0], SECRET);
    let error = blocking::wait(client.get_caller_identity(&caller())).unwrap_err();
    assert_eq!(
        error.to_string(),
        "acs-sts: the response to GetCallerIdentity has no AccountId (POST https://sts.aliyuncs.com/, HTTP 200); \
         check the endpoint, and whether it is STS that responds"
    );
}

#[test]
fn nothing_is_sent_that_the_service_must_refuse() {
    let service = Service::new();
    let client = service.client().build().unwrap();
    let arn = "acs:ram::123456789012:role/r";
    let policy = "x".repeat(2049);
    let id = "x".repeat(1225);
    let name = "x".repeat(65);
    for (request, word) in [
        (AssumeRole::new("", "name"), "role ARN"),
        (AssumeRole::new("acs:ram::1:user/u", "name"), "role ARN"),
        (AssumeRole::new("arn:ram::1:role/u", "name"), "role ARN"),
        (AssumeRole::new("acs:ram::1:role/", "name"), "role ARN"),
        (AssumeRole::new("acs:ram::1:role/a b", "name"), "role ARN"),
        (AssumeRole::new("acs:ram::1:role/a\n", "name"), "role ARN"),
        (AssumeRole::new(arn, "n"), "session name"),
        (AssumeRole::new(arn, name.as_str()), "session name"),
        (AssumeRole::new(arn, "a/b"), "session name"),
        (AssumeRole::new(arn, "日本"), "session name"),
        (
            role().duration(Duration::from_millis(899_999)),
            "cannot last 899 s",
        ),
        (
            role().duration(Duration::from_secs(43_201)),
            "cannot last 43201 s",
        ),
        (role().policy(policy.as_str()), "2049 characters"),
        (role().external_id(""), "external ID"),
        (role().external_id("x"), "external ID"),
        (role().external_id("a b"), "external ID"),
        (role().external_id(id.as_str()), "external ID"),
    ] {
        let error = blocking::wait(client.assume_role(&caller(), &request)).unwrap_err();
        assert!(
            matches!(error.error(), CredentialsError::InvalidConfig(_)),
            "{error:?}"
        );
        assert!(error.to_string().contains(word), "{error}");
    }
    for good in [
        AssumeRole::new("acs:ram::any:role/path/r", "a.b@c-d_e"),
        AssumeRole::new(arn, &name[1..]).duration(Duration::from_secs(900)),
        role().duration(Duration::from_secs(43_200)),
        role().policy("图".repeat(2048)),
        role().external_id("A_z0+=,.@:/-"),
    ] {
        good.validate("test").unwrap();
    }
    let error = blocking::wait(client.assume_role(&Credentials::anonymous(), &role())).unwrap_err();
    assert!(
        matches!(error.error(), CredentialsError::InvalidConfig(_)),
        "{error:?}"
    );
    assert!(service.requests().is_empty());
}

#[test]
fn a_used_nonce_is_replaced_at_once_and_twice_at_most() {
    let service = Service::new()
        .refuses(400, "SignatureNonceUsed")
        .refuses(400, "SignatureNonceUsed");
    let service = service.answers(200, OK);
    assume(&service.client().build().unwrap()).unwrap();
    let nonces: Vec<_> = service
        .requests()
        .iter()
        .map(|r| get(&params(r), "SignatureNonce").unwrap().to_owned())
        .collect();
    assert_eq!(nonces.len(), 3);
    assert!(nonces[0] != nonces[1] && nonces[1] != nonces[2]);

    let service = (0..3).fold(Service::new(), |service, _| {
        service.refuses(400, "SignatureNonceUsed")
    });
    let error = assume(&service.client().build().unwrap()).unwrap_err();
    assert!(matches!(error.error(), CredentialsError::Unavailable(_)));
    assert_eq!(service.requests().len(), 3);
}

/// A service whose clock is right, and refuses timestamps more than 15 minutes away.
fn strict_about_time(now: u64, seen: &Arc<Mutex<Vec<String>>>) -> Arc<dyn oss_credentials_http::HttpClient> {
    let seen = Arc::clone(seen);
    Arc::new(http_fn(move |request: HttpRequest| {
        let timestamp = get(&params(&request), "Timestamp").unwrap().to_owned();
        let sent = chrono::DateTime::parse_from_rfc3339(&timestamp)
            .unwrap()
            .timestamp()
            .unsigned_abs();
        check_rpc_signature(&request, SECRET);
        seen.lock().unwrap().push(timestamp);
        let response = if sent.abs_diff(now) <= 900 {
            HttpResponse::new(200, OK.as_bytes().to_vec())
        } else {
            HttpResponse::new(400, error_body("InvalidTimeStamp.Expired").into_bytes())
        };
        let date = chrono::DateTime::<chrono::Utc>::from(at(now))
            .to_rfc2822()
            .replace("+0000", "GMT");
        async move { Ok(response.with_header("date", date)) }
    }))
}

#[test]
fn a_clock_that_is_hours_off_is_corrected_and_the_call_signed_once_more() {
    for local in [NOW - 7 * 3600, NOW + 7 * 3600] {
        let seen = Arc::default();
        let clock = ManualClock::at_unix(local);
        let client = StsClient::builder(strict_about_time(NOW, &seen))
            .clock(clock.clone())
            .build()
            .unwrap();
        let role = assume(&client).unwrap();
        let expected = i64::try_from(NOW).unwrap() - i64::try_from(local).unwrap();
        assert_eq!(role.clock_offset().unwrap().as_secs(), expected);
        assert_eq!(role.clock_offset().unwrap().to_service(clock.now()), at(NOW));
        let seen = seen.lock().unwrap();
        assert_eq!(seen.len(), 2);
        assert_eq!(seen[1], "2026-01-02T03:04:05Z");
    }
}

#[test]
fn a_clock_is_corrected_once_and_only_by_a_date() {
    let without_date = Service::new().refuses(400, "InvalidTimeStamp.Expired");
    let error = assume(&without_date.client().build().unwrap()).unwrap_err();
    assert!(
        error.to_string().ends_with(
            "; set the local clock; see https://api.aliyun.com/troubleshoot?q=InvalidTimeStamp.Expired"
        ),
        "{error}"
    );
    assert_eq!(without_date.requests().len(), 1);

    let dated = |_: &HttpRequest| {
        let body = error_body("InvalidTimeStamp.Expired").into_bytes();
        Ok(HttpResponse::new(400, body).with_header("Date", "Fri, 02 Jan 2026 05:04:05 GMT"))
    };
    let service = Service::new().then(dated).then(dated);
    let error = assume(&service.client().build().unwrap()).unwrap_err();
    assert_eq!(service.requests().len(), 2);
    assert_eq!(
        error.to_string(),
        "acs-sts: the service could not process AssumeRole (POST https://sts.aliyuncs.com/, HTTP 400): \
         InvalidTimeStamp.Expired: example, request ID R-1; set the local clock: it is 7200 s behind the \
         service's; see https://api.aliyun.com/troubleshoot?q=InvalidTimeStamp.Expired"
    );
}

#[test]
fn retries_that_wait_need_something_to_wait_on() {
    let failing: [fn(Service) -> Service; 4] = [
        |service| service.answers(503, "busy"),
        |service| service.refuses(400, "Throttling.User"),
        |service| service.refuses(500, "InternalError"),
        |service| service.fails(HttpErrorKind::Connect),
    ];
    for fail in failing {
        let service = fail(Service::new());
        let error = assume(&service.client().build().unwrap()).unwrap_err();
        assert!(
            matches!(error.error(), CredentialsError::Unavailable(_)),
            "{error:?}"
        );
        assert_eq!(service.requests().len(), 1);

        let pauses = Pauses::default();
        let service = fail(fail(Service::new())).answers(200, OK);
        assume(&service.client().sleep(pauses.clone()).build().unwrap()).unwrap();
        assert_eq!(pauses.taken().len(), 2);
        assert!(pauses.taken()[0] < pauses.taken()[1], "{:?}", pauses.taken());

        let service = fail(fail(fail(Service::new())));
        assume(&service.client().sleep(Pauses::default()).build().unwrap()).unwrap_err();
        assert_eq!(service.requests().len(), 3, "two repeats at most");
    }
}

#[test]
fn the_service_may_ask_for_a_pause_but_not_for_a_long_one() {
    let throttled = |asked: &'static str| {
        move |_: &HttpRequest| {
            let response = HttpResponse::new(429, error_body("Throttling").into_bytes());
            Ok(response.with_header("x-acs-retry-after", asked))
        }
    };
    let pauses = Pauses::default();
    let service = Service::new().then(throttled("1500")).answers(200, OK);
    assume(&service.client().sleep(pauses.clone()).build().unwrap()).unwrap();
    assert!(
        (1500..1650).contains(&pauses.taken()[0].as_millis()),
        "{:?}",
        pauses.taken()
    );

    let pauses = Pauses::default();
    let service = Service::new().then(throttled("3600000"));
    assume(&service.client().sleep(pauses.clone()).build().unwrap()).unwrap_err();
    assert!(pauses.taken().is_empty());

    let pauses = Pauses::default();
    let service = Service::new().then(throttled("soon")).answers(200, OK);
    assume(&service.client().sleep(pauses.clone()).build().unwrap()).unwrap();
    assert!(pauses.taken()[0] < Duration::from_millis(400));
}

#[test]
fn what_cannot_get_better_is_not_repeated() {
    for (status, code) in [
        (403, "NoPermission"),
        (404, "EntityNotExist.Role"),
        (400, "SignatureDoesNotMatch"),
    ] {
        let service = Service::new().refuses(status, code);
        let error = assume(&service.client().sleep(Pauses::default()).build().unwrap()).unwrap_err();
        assert!(matches!(error.error(), CredentialsError::Denied(_)), "{error:?}");
        assert!(!error.caller_key_rejected());
        assert_eq!(service.requests().len(), 1);
    }
    let kinds = [
        HttpErrorKind::Timeout,
        HttpErrorKind::Interrupted,
        HttpErrorKind::Tls,
        HttpErrorKind::Other,
    ];
    for kind in kinds {
        let service = Service::new().fails(kind);
        let error = assume(&service.client().sleep(Pauses::default()).build().unwrap()).unwrap_err();
        assert!(
            matches!(error.error(), CredentialsError::Unavailable(_)),
            "{error:?}"
        );
        assert!(
            std::error::Error::source(&error)
                .unwrap()
                .to_string()
                .ends_with("made up")
        );
    }
    let service = Service::new().fails(HttpErrorKind::Request);
    let error = assume(&service.client().build().unwrap()).unwrap_err();
    assert!(
        matches!(error.error(), CredentialsError::InvalidConfig(_)),
        "{error:?}"
    );
}

#[test]
fn a_rejected_caller_key_is_told_apart() {
    for code in [
        "InvalidAccessKeyId.NotFound",
        "InvalidAccessKeyId.Inactive",
        "InvalidSecurityToken.Expired",
        "InvalidSecurityToken.MismatchWithAccessKey",
        "InvalidSecurityToken",
    ] {
        let service = Service::new().refuses(400, code);
        let error = assume(&service.client().build().unwrap()).unwrap_err();
        assert!(error.caller_key_rejected(), "{code}");
        assert!(
            matches!(CredentialsError::from(error), CredentialsError::Denied(_)),
            "{code}"
        );
    }
    for code in ["MissingSecurityToken", "InvalidAccessKeyIdentity", "NoPermission"] {
        let service = Service::new().refuses(400, code);
        assert!(
            !assume(&service.client().build().unwrap())
                .unwrap_err()
                .caller_key_rejected(),
            "{code}"
        );
    }
}

#[test]
fn pages_of_proxies_are_told_from_answers_of_the_service() {
    for (status, check) in [
        (
            200,
            (|e| matches!(e, CredentialsError::InvalidResponse(_))) as fn(&CredentialsError) -> bool,
        ),
        (302, |e| matches!(e, CredentialsError::InvalidResponse(_))),
        (403, |e| matches!(e, CredentialsError::Denied(_))),
        (407, |e| matches!(e, CredentialsError::Denied(_))),
        (502, |e| matches!(e, CredentialsError::Unavailable(_))),
    ] {
        let service = Service::new().answers(status, "<html><p>canary</p></html>");
        let error = assume(&service.client().build().unwrap()).unwrap_err();
        assert!(check(error.error()), "{status}: {error:?}");
        let text = error.to_string();
        assert!(text.contains("proxy") && !text.contains("canary"), "{text}");
    }
}

#[test]
fn expiry_is_judged_by_the_services_clock() {
    // The local clock runs two hours fast, so the session of one hour looks expired to it.
    let dated = |date: &'static str| {
        move |_: &HttpRequest| Ok(HttpResponse::new(200, OK.as_bytes().to_vec()).with_header("date", date))
    };
    let clock = || ManualClock::at_unix(NOW + 7200);
    let service = Service::new().then(dated("Fri, 02 Jan 2026 03:04:05 GMT"));
    assume(&service.client().clock(clock()).build().unwrap()).unwrap();
    let service = Service::new().answers(200, OK);
    let error = assume(&service.client().clock(clock()).build().unwrap()).unwrap_err();
    assert!(matches!(error.error(), CredentialsError::Expired(_)), "{error:?}");
}

/// The session of one hour ends at 04:04:05.
#[test]
fn a_date_that_the_expiry_contradicts_is_not_believed() {
    for (date, seconds) in [
        ("Fri, 02 Jan 2026 02:49:05 GMT", Some(-900)),
        ("Fri, 02 Jan 2026 02:49:04 GMT", None),
        ("Fri, 02 Jan 2026 04:04:04 GMT", Some(3599)),
        ("Fri, 02 Jan 2026 05:04:05 GMT", None),
        ("Thu, 01 Jan 1970 00:00:00 GMT", None),
        ("Fri, 31 Dec 9999 23:59:59 GMT", None),
    ] {
        let dated = move |_: &HttpRequest| {
            Ok(HttpResponse::new(200, OK.as_bytes().to_vec()).with_header("date", date))
        };
        let role = assume(&Service::new().then(dated).client().build().unwrap()).unwrap();
        let offset = role
            .clock_offset()
            .map(oss_credentials_core::ClockOffset::as_secs);
        assert_eq!(offset, seconds, "{date}");
    }
}

#[test]
fn a_learned_clock_offset_serves_later_calls_until_it_is_refused() {
    let seen: Arc<Mutex<Vec<String>>> = Arc::default();
    let clock = ManualClock::at_unix(NOW - 7200);
    let client = StsClient::builder(strict_about_time(NOW, &seen))
        .clock(clock.clone())
        .build()
        .unwrap();
    assume(&client).unwrap();
    assume(&client.clone()).unwrap();
    let times = || std::mem::take(&mut *seen.lock().unwrap());
    let (wrong, right) = ("2026-01-02T01:04:05Z", "2026-01-02T03:04:05Z");
    assert_eq!(times(), [wrong, right, right]);

    // The correction is refused, and unlearned.
    clock.advance(Duration::from_secs(7200));
    assume(&client).unwrap();
    assume(&client).unwrap();
    assert_eq!(times(), ["2026-01-02T05:04:05Z", right, right]);
}

#[test]
fn a_learned_clock_offset_ends_when_the_local_clock_is_set() {
    let seen: Arc<Mutex<Vec<String>>> = Arc::default();
    let clock = ManualClock::at_unix(NOW - 7200);
    let client = StsClient::builder(strict_about_time(NOW, &seen))
        .clock(clock.clone())
        .build()
        .unwrap();
    assume(&client).unwrap();
    clock.set(std::time::SystemTime::UNIX_EPOCH + Duration::from_secs(NOW));
    assume(&client).unwrap();
    let (wrong, right) = ("2026-01-02T01:04:05Z", "2026-01-02T03:04:05Z");
    assert_eq!(
        *seen.lock().unwrap(),
        [wrong, right, right],
        "nothing was refused again"
    );
}

#[test]
fn an_offset_that_the_service_did_not_accept_is_not_kept() {
    let refusal = |_: &HttpRequest| {
        let body = error_body("InvalidTimeStamp.Expired").into_bytes();
        Ok(HttpResponse::new(400, body).with_header("Date", "Fri, 02 Jan 2026 05:04:05 GMT"))
    };
    let service = Service::new().then(refusal).then(refusal).answers(200, OK);
    let client = service.client().build().unwrap();
    assume(&client).unwrap_err();
    assume(&client).unwrap();
    let requests = service.requests();
    let times: Vec<_> = requests
        .iter()
        .map(|r| get(&params(r), "Timestamp").unwrap().to_owned())
        .collect();
    let now = "2026-01-02T03:04:05Z";
    assert_eq!(times, [now, "2026-01-02T05:04:05Z", now]);
}

#[cfg(feature = "tokio")]
#[tokio::test(start_paused = true)]
async fn inside_a_runtime_retries_wait_on_its_timer() {
    let service = Service::new().answers(503, "busy").answers(200, OK);
    service
        .client()
        .build()
        .unwrap()
        .assume_role(&caller(), &role())
        .await
        .unwrap();
}

#[test]
fn types_can_move_between_threads() {
    fn check<T: Send + Sync + Unpin + 'static>() {}
    fn future<F: Future + Send>(_: F) {}
    check::<StsClient>();
    check::<StsError>();
    check::<acs_sts::AssumedRole>();
    check::<acs_sts::CallerIdentity>();
    check::<AssumeRole>();
    let service = Service::new();
    future(service.client().build().unwrap().assume_role(&caller(), &role()));
}
