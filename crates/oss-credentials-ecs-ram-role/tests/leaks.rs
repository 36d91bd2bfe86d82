//! That keys reach no log and no error, and what is logged how often. Alone in its binary, and one test after
//! the other: what tracing remembers about the interest in an event is shared by all threads of a process.
#![allow(clippy::unwrap_used, reason = "helpers of tests may fail the test")]

use std::collections::VecDeque;
use std::error::Error as _;
use std::sync::Mutex;
use std::time::Duration;

use oss_credentials_core::test_util::{ManualClock, logged};
use oss_credentials_core::{CredentialsProvider, CredentialsSource, blocking};
use oss_credentials_ecs_ram_role::{EcsRamRole, EcsRamRoleBuilder};
use oss_credentials_http::{HttpError, HttpErrorKind, HttpResponse, http_fn};

const ID: &str = "STS.NUExampleNewKeyId1";
const OK: &str = r#"{"Code": "Success", "AccessKeyId": "STS.NUExampleNewKeyId1", "AccessKeySecret": "canary-secret",
    "SecurityToken": "canary-token", "Expiration": "2099-01-02T04:04:05Z"}"#;
const V1: &str = "the weaker IMDSv1 is used";

type Script = Vec<Option<(u16, String)>>;

fn builder(script: Script) -> EcsRamRoleBuilder {
    let script = Mutex::new(VecDeque::from(script));
    let http = http_fn(move |_| {
        let answer = script.lock().unwrap().pop_front().unwrap();
        std::future::ready(match answer {
            Some((status, body)) => Ok(HttpResponse::new(status, body.into_bytes())),
            None => Err(HttpError::new(HttpErrorKind::Timeout, "hung")),
        })
    });
    EcsRamRole::builder()
        .role_name("example-role")
        .http_client(http)
        .clock(ManualClock::at_unix(1_767_323_045))
}

#[test]
fn canary_secrets_reach_nothing() {
    let token = || Some((200, "canary-metadata-token".to_owned()));
    let mut shown = String::new();
    let log = logged(|| {
        for script in [
            vec![token(), Some((200, OK.to_owned()))],
            vec![token(), Some((200, OK.replace("Success", "the canary died")))],
            vec![
                token(),
                Some((200, OK.replace("\"canary-token\"", "{\"canary\": 1}"))),
            ],
            vec![token(), Some((200, OK.replace("2099-01-02T04:04:05Z", "canary")))],
            vec![token(), Some((200, OK.replace("canary-secret", " canary")))],
            vec![token(), Some((200, OK.replace("2099", "1999")))],
            vec![token(), Some((200, "<p>canary</p>".to_owned()))],
            vec![token(), Some((500, "canary".to_owned()))],
            vec![
                token(),
                Some((403, "canary".to_owned())),
                Some((403, "canary".to_owned())),
            ],
            vec![token(), None, None],
            vec![Some((200, "canary metadata token".to_owned()))],
            vec![Some((404, "canary".to_owned())), Some((200, OK.to_owned()))],
        ] {
            let provider = builder(script).build().unwrap();
            let outcome = blocking::wait(provider.credentials());
            let text = outcome
                .as_ref()
                .err()
                .map(|e| (e.to_string(), e.source().map(ToString::to_string)));
            shown = format!(
                "{shown}{provider:?} {:?} {outcome:?} {text:?}\n",
                provider.status()
            );
            // The state of the protocol holds the token.
            shown = format!("{shown}{:?}\n", provider.source());
        }
    });
    assert!(
        log.contains("the metadata service handed out credentials")
            && log.contains("the metadata service returned no credentials")
            && log.contains(V1),
        "{log}"
    );
    shown += &log;
    for secret in ["canary", ID] {
        assert!(!shown.contains(secret), "{secret} in {shown}");
    }
}

#[test]
fn the_weaker_way_in_is_logged_once_per_episode() {
    let no_tokens = || Some((404, String::new()));
    let keys = || Some((200, OK.to_owned()));
    let script = vec![
        // An episode of two fetches, a fetch with a token, and another episode.
        no_tokens(),
        keys(),
        no_tokens(),
        keys(),
        Some((200, "token".to_owned())),
        keys(),
        None,
        None,
        keys(),
        // A fetch that brings nothing says nothing about it.
        no_tokens(),
        Some((500, String::new())),
    ];
    let clock = ManualClock::at_unix(1_767_323_045);
    let source = builder(script).clock(clock.clone()).build_source().unwrap();
    let fetch = |warnings: usize| {
        let log = logged(|| {
            let _ = blocking::wait(source.fetch());
        });
        assert_eq!(log.matches(V1).count(), warnings, "{log}");
        assert_eq!(log.matches(" WARN ").count(), warnings, "{log}");
        log
    };
    assert!(fetch(1).contains("issues no tokens"));
    fetch(0);
    fetch(0);
    clock.advance(Duration::from_secs(21_600));
    assert!(fetch(1).contains("hop limit"));
    fetch(0);
}

#[test]
fn plain_http_to_another_machine_is_warned_of() {
    for (endpoint, warned) in [
        ("http://metadata.example.com", true),
        ("http://10.0.0.1:8080", true),
        ("http://100.100.100.200", false),
        ("http://127.0.0.1:8080", false),
        ("https://metadata.example.com", false),
    ] {
        let log = logged(|| {
            builder(Vec::new()).endpoint(endpoint).build_source().unwrap();
        });
        assert_eq!(
            log.contains("anyone on the network path can read the keys"),
            warned,
            "{endpoint}: {log}"
        );
    }
}

#[test]
fn a_builder_does_not_show_the_password_of_its_endpoint() {
    for endpoint in [
        "http://user:canary-password@127.0.0.1",
        "user:canary-password@h",
        "http://h/?canary",
    ] {
        let builder = EcsRamRole::builder().endpoint(endpoint);
        let shown = format!("{builder:?} {builder:#?}");
        assert!(
            !shown.contains("canary") && shown.contains("not shown"),
            "{shown}"
        );
    }
}
