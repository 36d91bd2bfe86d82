//! What each answer amounts to.

use oss_credentials_core::{CredentialsError, CredentialsSource as _, blocking};
use oss_credentials_http::{HttpErrorKind, HttpRequest, HttpResponse};

use crate::service::{NOW, PLACE, Service, ServiceExt as _, an_hour, at, fetch, session};

type Check = fn(&CredentialsError) -> bool;
const DENIED: Check = |error| matches!(error, CredentialsError::Denied(_));
const UNAVAILABLE: Check = |error| matches!(error, CredentialsError::Unavailable(_));
const INVALID_RESPONSE: Check = |error| matches!(error, CredentialsError::InvalidResponse(_));
const INVALID_CONFIG: Check = |error| matches!(error, CredentialsError::InvalidConfig(_));
const EXPIRED: Check = |error| matches!(error, CredentialsError::Expired(_));

fn check(service: &Service, is: Check, text: &str) {
    let error = fetch(service.builder()).unwrap_err();
    assert!(is(&error), "{text}: {error:?}");
    let shown = error.to_string();
    let text = text.replace("PLACE", PLACE);
    assert!(
        shown.starts_with("uri: ") && shown.contains(&text),
        "{text}: {shown}"
    );
    assert!(!shown.contains("canary"), "{shown}");
    assert_eq!(service.requests().len(), 1);
}

fn answer(status: u16, body: &str, is: Check, text: &str) {
    check(&Service::new().answers(status, body), is, text);
}

fn refusal(code: &str) -> String {
    format!(r#"{{"Code": "{code}", "Message": "m", "RequestId": "R-1"}}"#)
}

#[test]
fn statuses_have_their_variants() {
    let forbidden = refusal("Forbidden");
    let text = "an error (PLACE, HTTP 403): Forbidden: m, request ID R-1; check user";
    answer(403, &forbidden, DENIED, text);
    answer(
        401,
        "",
        DENIED,
        "(PLACE, HTTP 401); check user, password and query",
    );
    answer(404, "no", DENIED, "(PLACE, HTTP 404); check the path");
    answer(407, "", DENIED, "(PLACE, HTTP 407); check the proxy");
    let lower = r#"{"code": "Bad", "message": "no"}"#;
    answer(400, lower, DENIED, "HTTP 400): Bad: no; check the URI");
    answer(
        400,
        &refusal("Throttling.User"),
        UNAVAILABLE,
        "HTTP 400): Throttling.User: m",
    );
    answer(408, "", UNAVAILABLE, "(PLACE, HTTP 408); retry later");
    answer(429, "", UNAVAILABLE, "(PLACE, HTTP 429); retry later");
    answer(500, "boom", UNAVAILABLE, "(PLACE, HTTP 500); retry later");
    answer(503, "<html>", UNAVAILABLE, "(PLACE, HTTP 503); retry later");
    let good = an_hour("STS.A");
    for status in [201, 204, 304] {
        let text = format!("a status other than 200 (PLACE, HTTP {status})");
        answer(status, &good, INVALID_RESPONSE, &text);
    }
    answer(302, &good, DENIED, "redirects to nowhere (PLACE, HTTP 302)");
}

#[test]
fn transport_failures_have_their_variants() {
    let fails = |kind, is, text| check(&Service::new().fails(kind), is, text);
    let in_time =
        "no response from the credentials URI in time (PLACE); check its server, or raise the timeout";
    fails(HttpErrorKind::Timeout, UNAVAILABLE, in_time);
    fails(
        HttpErrorKind::Connect,
        UNAVAILABLE,
        "no connection to the credentials URI (PLACE); check that its server is running",
    );
    fails(
        HttpErrorKind::Interrupted,
        UNAVAILABLE,
        "was cut off (PLACE); check its server",
    );
    fails(
        HttpErrorKind::Tls,
        UNAVAILABLE,
        "no trusted TLS connection to the credentials URI (PLACE)",
    );
    fails(
        HttpErrorKind::Other,
        UNAVAILABLE,
        "the exchange with the credentials URI failed (PLACE); check its server, network and proxy",
    );
    fails(
        HttpErrorKind::Request,
        INVALID_CONFIG,
        "the request could not be sent (PLACE)",
    );
}

#[test]
fn a_pair_with_an_empty_token_is_used_until_its_expiration() {
    // As the vendor's ack-ram-tool writes it.
    let body = an_hour("LTAI5tEXAMPLEKEYID").replace("canary-token", "");
    let credentials = fetch(Service::new().answers(200, body).builder()).unwrap();
    assert_eq!(credentials.access_key_id(), "LTAI5tEXAMPLEKEYID");
    assert_eq!(credentials.security_token(), None);
    assert_eq!(credentials.expires_at(), Some(at(NOW + 3600)));
}

#[test]
fn bodies_have_their_variants() {
    let page = "is HTML or XML (PLACE, HTTP 200); check the URI, and whether a proxy";
    answer(200, "<html>log in</html>", INVALID_RESPONSE, page);
    answer(200, "", INVALID_RESPONSE, "is empty (PLACE, HTTP 200)");
    answer(
        200,
        "boom",
        INVALID_RESPONSE,
        "is not a JSON object (PLACE, HTTP 200)",
    );
    let cut = "is not the JSON that was expected (line 1, column 1) (PLACE, HTTP 200)";
    answer(200, "{", INVALID_RESPONSE, cut);

    let good = an_hour("STS.A");
    for field in ["AccessKeyId", "AccessKeySecret", "SecurityToken", "Expiration"] {
        let text = format!("has no {field} (PLACE, HTTP 200); make the server");
        answer(200, &good.replace(field, "Other"), INVALID_RESPONSE, &text);
    }
    let no_token = good.replace("canary-token", "");
    assert!(no_token.contains("\"SecurityToken\": \"\""), "{no_token}");
    answer(
        200,
        &no_token,
        INVALID_RESPONSE,
        "has no SecurityToken (PLACE, HTTP 200); make the server",
    );
    let bidirectional = session("STS.A\u{202e}", "2026-01-02T04:04:05Z");
    let text = "in the response from the credentials URI the access key ID contains a character that is not ASCII (PLACE)";
    answer(200, &bidirectional, INVALID_RESPONSE, text);
    let soon = session("STS.A", "soon");
    answer(
        200,
        &soon,
        INVALID_RESPONSE,
        "has an unreadable Expiration (PLACE, HTTP 200); let its server write Expiration in RFC 3339",
    );
    let padded = session("STS.A ", "2026-01-02T04:04:05Z");
    let text =
        "in the response from the credentials URI the access key ID begins or ends with white space (PLACE)";
    answer(200, &padded, INVALID_RESPONSE, text);
    let over = session("STS.A", "2026-01-02T03:04:05Z");
    answer(
        200,
        &over,
        EXPIRED,
        "the credentials had expired when they arrived (PLACE)",
    );
}

#[test]
fn a_code_other_than_success_is_a_refusal_even_beside_complete_fields() {
    let what = "a Code other than Success (PLACE, HTTP 200)";
    answer(
        200,
        &refusal("Failed"),
        DENIED,
        &format!("{what}: Failed: m, request ID R-1; report"),
    );
    let good = an_hour("STS.A");
    let lower = format!("{what}: success; report");
    answer(200, &good.replace("Success", "success"), DENIED, &lower);
    answer(
        200,
        &good.replace("Success", ""),
        DENIED,
        &format!("{what}; report"),
    );
    let passing = format!("{what}: ServiceUnavailable: m");
    answer(200, &refusal("ServiceUnavailable"), UNAVAILABLE, &passing);
}

#[test]
fn redirects_on_the_same_server_are_followed_three_times() {
    let service = Service::new()
        .redirects("/b?x=&x=1")
        .redirects("http://127.0.0.1:6666/c")
        .redirects("d")
        .answers(200, an_hour("STS.EXAMPLE"));
    fetch(service.at("http://u:canary@127.0.0.1:6666/a")).unwrap();
    let requests = service.requests();
    let urls: Vec<_> = requests.iter().map(HttpRequest::url).collect();
    assert_eq!(
        urls,
        [
            "http://127.0.0.1:6666/a",
            "http://127.0.0.1:6666/b?x=&x=1",
            "http://127.0.0.1:6666/c",
            "http://127.0.0.1:6666/d"
        ]
    );
    // printf u:canary | base64
    assert!(
        requests
            .iter()
            .all(|request| request.header("authorization") == Some("Basic dTpjYW5hcnk="))
    );

    let circle = (0..4).fold(Service::new(), |service, _| service.redirects("/a?canary"));
    let error = fetch(circle.builder()).unwrap_err();
    assert!(DENIED(&error), "{error:?}");
    assert_eq!(
        error.to_string(),
        "uri: the credentials URI redirects more than 3 times (GET http://127.0.0.1:6666/a, HTTP 302); set the URI to the final target, or check its server"
    );
    assert_eq!(circle.requests().len(), 4);
}

#[test]
fn a_redirect_that_repeats_the_query_is_not_shown() {
    let forbidden = r#"{"Message": "bad canary-signature"}"#;
    for (location, place) in [
        ("/canary-query/creds", "/…"),
        ("/%63anary-query", "/…"),
        ("/moved?sig=canary-signature", "/moved"),
    ] {
        let service = Service::new().redirects(location).answers(403, forbidden);
        let source = service.at("http://127.0.0.1:6666/credentials?key=canary-query");
        let error = blocking::wait(source.build_source().unwrap().fetch())
            .unwrap_err()
            .to_string();
        let shown = format!("(GET http://127.0.0.1:6666{place}, HTTP 403)");
        assert!(error.contains(&shown), "{error}");
        assert!(!error.contains("canary-query"), "{error}");
        assert_eq!(
            error.contains("canary-signature"),
            !location.contains("sig="),
            "{error}"
        );
    }
}

/// The path of the URI is the operator's own, whatever its query repeats of it.
#[test]
fn the_path_that_was_set_is_shown_without_a_redirect() {
    let service = Service::new().answers(403, "{}");
    let source = service.at("http://127.0.0.1:6666/shared-word?key=shared-word");
    let error = blocking::wait(source.build_source().unwrap().fetch()).unwrap_err();
    let error = error.to_string();
    assert!(
        error.contains("(GET http://127.0.0.1:6666/shared-word, HTTP 403)"),
        "{error}"
    );
}

#[test]
fn redirects_to_another_server_are_not_followed() {
    for location in [
        "http://other.example.com/canary",
        "https://127.0.0.1:6666/credentials",
        "http://127.0.0.1:6667/",
        "http://127.0.0.1/",
        "http://127.0.0.1:6666@other.example.com/",
        "//other.example.com/",
    ] {
        let service = Service::new().redirects(location);
        let error = fetch(service.builder()).unwrap_err();
        assert!(DENIED(&error), "{error:?}");
        assert_eq!(
            error.to_string(),
            format!(
                "uri: the credentials URI redirects to another scheme, host or port, which is not followed \
                 ({PLACE}, HTTP 302); set the URI to where it leads, if you trust that server"
            )
        );
        assert_eq!(service.requests().len(), 1);
    }
}

#[test]
fn every_recorded_answer_has_its_outcome() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/cases/sts/responses.json");
    let file: serde_json::Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    let cases = file["cases"].as_array().unwrap().iter();
    let mut count = 0;
    for case in cases.filter(|case| case["provider"] == "uri") {
        count += 1;
        let (name, expect) = (&case["name"], &case["expect"]);
        let status = u16::try_from(case["status"].as_u64().unwrap()).unwrap();
        let mut response = HttpResponse::new(status, case["body"].as_str().unwrap().as_bytes().to_vec());
        for (name, value) in case["headers"].as_object().into_iter().flatten() {
            response = response.with_header(name.as_str(), value.as_str().unwrap());
        }
        let outcome = fetch(Service::new().gives(Ok(response)).builder());
        assert_eq!(
            outcome.is_ok(),
            expect["ok"].as_bool().unwrap(),
            "{name}: {outcome:?}"
        );
        let shown = format!("{outcome:?}");
        assert!(!shown.contains("EXAMPLE-"), "{name}: {shown}");
        match outcome {
            Ok(credentials) => {
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
                let expires_at = expect["expiration_unix"].as_u64().map(at);
                assert_eq!(credentials.expires_at(), expires_at, "{name}");
            }
            Err(error) => {
                let is = match (expect["error"].as_str().unwrap(), expect["retryable"].as_bool()) {
                    ("http_status", Some(true)) => UNAVAILABLE,
                    ("http_status" | "code_not_success", _) => DENIED,
                    ("invalid_response", _) => INVALID_RESPONSE,
                    ("expired", _) => EXPIRED,
                    other => panic!("{other:?}"),
                };
                assert!(is(&error), "{name}: {error:?}");
                if let Some(retryable) = expect["retryable"].as_bool() {
                    assert_eq!(error.is_retryable(), retryable, "{name}");
                    let status = error.detail().unwrap().http_status().map(u64::from);
                    assert_eq!(status, expect["status"].as_u64(), "{name}");
                }
            }
        }
    }
    assert_eq!(count, 23);
}
