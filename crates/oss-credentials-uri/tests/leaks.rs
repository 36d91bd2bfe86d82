//! That nothing private reaches logs and errors. Alone in its binary: what tracing remembers about the
//! interest in an event is shared by all threads of a process.
#![allow(clippy::unwrap_used, reason = "helpers of tests may fail the test")]

use std::error::Error;

use oss_credentials_core::test_util::{ManualClock, logged};
use oss_credentials_core::{CredentialsProvider, CredentialsSource, blocking};
use oss_credentials_http::{HttpError, HttpErrorKind, HttpResponse, http_fn};
use oss_credentials_uri::CredentialsUri;

const URI: &str =
    "http://us%65r-canary:pass%2Dcanary@keys.example.com/path?key=query%2Dcanary&flag-canary#canary";
const OK: &str = r#"{"Code": "Success", "AccessKeyId": "STS.NUExampleNewKeyId1", "AccessKeySecret": "canary-secret",
    "SecurityToken": "canary-token", "Expiration": "2099-01-02T04:04:05Z"}"#;

/// An error as a careless client makes it.
#[derive(Debug)]
struct Careless(&'static str);

impl std::fmt::Display for Careless {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "error sending request for url ({})", self.0)
    }
}

impl Error for Careless {}

fn answers() -> Vec<Result<HttpResponse, HttpError>> {
    let bodies = [
        (200, OK.to_owned()),
        (200, OK.replace("\"canary-token\"", "{\"canary-token\": 1}")),
        (
            200,
            OK.replace("Success", "Failed")
                .replace('}', r#", "Message": "canary-token"}"#),
        ),
        (200, OK.replace("Success", "flag-canary")),
        (200, OK.replace("2099-01-02T04:04:05Z", "canary")),
        (200, OK.replace("canary-secret", "canary-secret ")),
        (200, "<p>canary</p>".to_owned()),
        (
            403,
            r#"{"Code": "Forbidden", "Message": "no such key: query-canary"}"#.to_owned(),
        ),
        (
            403,
            r#"{"Code": "Forbidden", "Message": "user-canary may not", "RequestId": "pass-canary"}"#
                .to_owned(),
        ),
        (500, "canary".to_owned()),
    ];
    let mut answers: Vec<_> = bodies
        .into_iter()
        .map(|(status, body)| Ok(HttpResponse::new(status, body.into_bytes())))
        .collect();
    for location in ["/elsewhere?canary", "http://canary.example.com/"] {
        answers.push(Ok(
            HttpResponse::new(307, Vec::new()).with_header("location", location)
        ));
    }
    for url in [URI, "http://keys.example.com/path?key=query%2Dcanary&flag-canary"] {
        answers.push(Err(HttpError::new(HttpErrorKind::Interrupted, Careless(url))));
    }
    answers
}

#[test]
fn canaries_reach_nothing() {
    let mut shown = String::new();
    let log = logged(|| {
        for answer in answers() {
            let http = http_fn(move |_| std::future::ready(answer.clone()));
            let builder = || {
                CredentialsUri::builder()
                    .uri(URI)
                    .allow_http(true)
                    .clock(ManualClock::at_unix(1_767_323_045))
            };
            let provider = builder().http_client(http).build().unwrap();
            let outcome = blocking::wait(provider.credentials());
            let error = outcome.as_ref().err().map(|error| {
                let cause = error.source().map(|cause| format!("{cause} {cause:?}"));
                format!("{error} {cause:?}")
            });
            let source = builder()
                .http_client(http_fn(|_| std::future::pending()))
                .build_source()
                .unwrap();
            shown = format!(
                "{shown}{:?} {source:?} {} {} {provider:?} {:?} {outcome:?} {error:?}\n",
                builder(),
                source.name(),
                source.place(),
                provider.status()
            );
        }
        // User and password whose slash was not encoded become host and path for the parser.
        let odd = CredentialsUri::builder()
            .uri("http://user/canary@keys.example.com/")
            .build_source();
        shown = format!("{shown}{}\n", odd.unwrap_err());
        let odd = CredentialsUri::builder()
            .uri("canary:canary@keys.example.com/")
            .build_source();
        shown = format!("{shown}{}\n", odd.unwrap_err());
    });
    assert!(
        log.contains("asking the credentials URI") && log.contains("returned no credentials"),
        "{log}"
    );
    assert!(
        log.contains("WARN") && log.contains("the network can read the credentials"),
        "{log}"
    );
    shown += &log;
    assert!(shown.contains("GET http://keys.example.com/path"), "{shown}");
    for secret in [
        "canary",
        "STS.NUExampleNewKeyId1",
        "dXNlci1jYW5hcnk6cGFzcy1jYW5hcnk=",
    ] {
        assert!(!shown.contains(secret), "{secret} in {shown}");
    }
}
