//! What the log is told, and that it is told once. Alone in its binary: what tracing remembers about the
//! interest in an event is shared by all threads of a process.
#![cfg(feature = "aws-lc-rs")]
#![allow(clippy::unwrap_used, reason = "helpers of tests may fail the test")]

use std::path::Path;
use std::time::{Duration, SystemTime};

use oss_credentials_core::test_util::{ManualClock, logged};
use oss_credentials_core::{CredentialsSource, blocking};
use oss_credentials_http::test_util::ScriptedHttp;
use oss_credentials_kms_client_key::{ClientKey, KmsClientKey, KmsRegion};

const SOON: &str = "the client key expires soon";
const BROKEN: &str = "the automatic rotation of the secret is broken";
const EXPIRY: &str = "the ExpireTimestamp in the secret cannot be read";
/// Stands for an answer that is made from a fixture.
const ODD_EXPIRY: &str = "odd-expiry";
const PREVIOUS: &str = "a version that is not ACSCurrent";

fn fixture(path: &str) -> Vec<u8> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/vectors/kms");
    std::fs::read(folder.join(path)).unwrap()
}

/// The log of three fetches at `now`, which bring these answers.
fn log(now: SystemTime, answers: [&str; 3]) -> String {
    let http = answers.iter().fold(ScriptedHttp::new(), |http, file| {
        let body = match *file {
            ODD_EXPIRY => {
                let body =
                    String::from_utf8(fixture("responses/ram-secret-with-expire-timestamp.json")).unwrap();
                body.replace("2026-03-08T10:42:40Z", "2026-03-08 10:42:40")
                    .into_bytes()
            }
            file => fixture(&format!("responses/{file}")),
        };
        http.answers(200, body)
    });
    let json = fixture("client-keys/kms-shape-2048.json");
    let source = KmsClientKey::builder()
        .secret_name("acs/ram/user/oss-reader")
        .client_key(ClientKey::from_json(&json, "7d1c2b0f5e9a4463b8a1f0c2d3e4f506").unwrap())
        .region(KmsRegion::new("cn-hangzhou"))
        .http_client(http)
        .clock(ManualClock::new(now))
        .build_source()
        .unwrap();
    let log = logged(|| {
        for _ in 0..3 {
            blocking::wait(source.fetch()).unwrap();
        }
    });
    log.lines()
        .filter(|line| line.starts_with(" WARN "))
        .fold(String::new(), |all, line| all + line)
}

#[test]
fn each_warning_comes_once_per_episode() {
    let end = chrono::DateTime::parse_from_rfc3339("2031-11-22T01:39:04Z").unwrap();
    let before_end = |days: u64| SystemTime::from(end) - Duration::from_secs(days * 86_400);
    let (good, broken) = ("ram-secret.json", "ram-secret-rotation-invalid.json");
    let previous = "ram-secret-previous-stage.json";
    for (days, answers, soon, rotation, stage, expiry) in [
        (31, [good; 3], 0, 0, 0, 0),
        (29, [good; 3], 1, 0, 0, 0),
        (31, [broken; 3], 0, 1, 0, 0),
        (31, [broken, good, broken], 0, 2, 0, 0),
        (31, [previous; 3], 0, 0, 1, 0),
        (31, [ODD_EXPIRY; 3], 0, 0, 0, 1),
        (31, [ODD_EXPIRY, good, ODD_EXPIRY], 0, 0, 0, 2),
    ] {
        let log = log(before_end(days), answers);
        for (text, times) in [
            (SOON, soon),
            (BROKEN, rotation),
            (PREVIOUS, stage),
            (EXPIRY, expiry),
        ] {
            assert_eq!(log.matches(text).count(), times, "{text} in {log}");
        }
        assert!(
            !log.contains("example-secret") && !log.contains("ed804cff"),
            "{log}"
        );
    }
}
