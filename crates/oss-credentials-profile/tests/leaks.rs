//! That no key or token reaches logs and errors. Alone in its binary: what tracing remembers about the
//! interest in an event is shared by all threads of a process.
#![cfg(all(feature = "oauth", feature = "sso", feature = "sts-assume-role"))]
#![allow(clippy::unwrap_used, reason = "helpers of tests may fail the test")]

use std::error::Error as _;
use std::path::Path;
use std::time::Duration;

use oss_credentials_core::test_util::{ManualClock, logged};
use oss_credentials_core::{CredentialsProvider, blocking};
use oss_credentials_http::{HttpError, HttpErrorKind, HttpResponse, http_fn};
use oss_credentials_profile::ProfileProvider;

const NOW: u64 = 1_767_323_045;
const SSO: &str = r#""mode": "CloudSSO", "cloud_sso_sign_in_url": "https://signin.example.com/", "cloud_sso_account_id": "1",
    "cloud_sso_access_config": "ac", "access_token": "canary-login-token""#;
const OAUTH: &str = r#""mode": "OAuth", "oauth_site_type": "CN", "oauth_access_token": "canary-access-token",
    "oauth_refresh_token": "canary-refresh-token", "oauth_access_token_expire": 0000000000"#;
const ROLE: &str = r#""mode": "RamRoleArn", "access_key_id": "LTAI5tExampleKeyId01", "access_key_secret": "canary-secret",
    "sts_token": "canary-token", "ram_role_arn": "acs:ram::1:role/r", "policy": "canary-policy", "external_id": "canary-id""#;
const KEYS: &str = r#""mode": "StsToken", "access_key_id": "LTAI5tExampleKeyId01", "access_key_secret": "canary-secret",
    "sts_token": "canary-token""#;
const SESSION: &str = r#"{"accessKeyId": "STS.NUExampleNewKeyId1", "accessKeySecret": "canary-new-secret",
    "securityToken": "canary-new-token", "expiration": "2099-01-02T04:04:05Z"}"#;
const RENEWED: &str =
    r#"{"access_token": "canary-access-2", "refresh_token": "canary-refresh-2", "expires_in": 9000}"#;

type Answer = Option<(u16, String)>;

/// Answers of services: good ones, broken ones, and ones that repeat the secret that they were shown.
fn answers(secret: &str) -> Vec<Answer> {
    let cloud = format!(r#"{{"CloudCredential": {SESSION}, "RequestId": "{secret}"}}"#);
    let sts = SESSION
        .replace("\"acc", "\"Acc")
        .replace("\"sec", "\"Sec")
        .replace("\"exp", "\"Exp");
    let echo = format!(
        r#"{{"Code": "{secret}", "Message": "x {secret}", "error_description": "{}", "RequestId": "{secret}"}}"#,
        secret.replace('-', "%2D")
    );
    vec![
        Some((200, cloud)),
        Some((200, format!(r#"{{"Credentials": {sts}}}"#))),
        Some((200, SESSION.to_owned())),
        Some((200, SESSION.replace("\"canary-new-token\"", "{\"canary\": 1}"))),
        Some((200, SESSION.replace("canary-new-secret", "canary-new-secret "))),
        Some((200, "<p>canary</p>".to_owned())),
        Some((200, echo.clone())),
        Some((200, echo.replace("Code", "error"))),
        Some((400, echo.clone())),
        Some((400, echo.replace("Code", "error"))),
        Some((503, "canary".to_owned())),
        None,
    ]
}

/// Everything that can be shown of one provider, asked twice.
fn shown(path: &Path, answer: &Answer) -> String {
    let answer = answer.clone();
    let http = http_fn(move |request| {
        assert!(!request.url().contains("canary"), "a secret in the URL");
        let answer = match &answer {
            _ if request.url().ends_with("/v1/token") => Some((200, RENEWED.to_owned())),
            other => other.clone(),
        };
        async move {
            let (status, body) = answer.ok_or_else(|| HttpError::new(HttpErrorKind::Interrupted, "cut"))?;
            Ok(HttpResponse::new(status, body.into_bytes()))
        }
    });
    let clock = ManualClock::at_unix(NOW);
    let builder = || {
        let builder = if path.extension().is_some_and(|extension| extension == "ini") {
            ProfileProvider::builder().ini_file(path)
        } else {
            ProfileProvider::builder().cli_file(path).write_back(true)
        };
        builder.clock(clock.clone())
    };
    let provider = builder().http_client(http).build().unwrap();
    let mut shown = format!("{:?} {provider:?}", builder());
    for _ in 0..2 {
        let outcome = blocking::wait(provider.credentials());
        let error = outcome.as_ref().err().map(|error| {
            let cause = error.source().map(|cause| format!("{cause} {cause:?}"));
            format!("{error} {cause:?}")
        });
        shown = format!("{shown} {outcome:?} {error:?} {provider:?}");
        // What is there next is broken, and the old content is told of.
        std::fs::write(path, "{\"profiles\": canary-broken").unwrap();
        clock.advance(Duration::from_secs(6));
    }
    shown + "\n"
}

#[test]
fn canaries_reach_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("config.json");
    let mut texts = String::new();
    let log = logged(|| {
        let ended = OAUTH.replace("0000000000", &NOW.to_string());
        let lasting = OAUTH.replace("0000000000", &(NOW + 9000).to_string());
        for (fields, secret) in [
            (SSO, "canary-login-token"),
            (&ended, "canary-access-2"),
            (&lasting, "canary-access-token"),
            (ROLE, "canary-secret"),
            (ROLE, "canary-token"),
            (KEYS, "canary-secret"),
        ] {
            for answer in answers(secret) {
                let text = format!(r#"{{"current": "x", "profiles": [{{"name": "x", {fields}}}]}}"#);
                std::fs::write(&path, text).unwrap();
                texts += &shown(&path, &answer);
            }
        }
        for text in [
            r#"{"current": "x", "profiles": [{"name": "x", "mode": "canary-mode"}]}"#,
            r#"{"current": "x", "profiles": [{"name": "x", "mode": "AK", "access_key_id": "i", "access_key_secret": {"canary": 1}}]}"#,
            r#"{"current": "x", "profiles": [{"name": "x", "mode": "AK", "access_key_id": "i", "access_key_secret": "canary "}]}"#,
            r#"{"current": "x", "profiles": [{"name": "x", "mode": "OAuth", "oauth_site_type": "canary"}]}"#,
            r#"{"current": "x", "profiles": [{"name": "x", "mode": "CredentialsURI", "credentials_uri": "http://u:canary@h/?canary"}]}"#,
            r#"{"current": "x", "profiles": [{"name": "x", "mode": "External", "process_command": "x 'canary"}]}"#,
            r#"{"current": "x", "profiles": [{"name": "x", "mode": "CloudSSO", "cloud_sso_sign_in_url": "ftp://u:canary@h/?canary",
                "cloud_sso_account_id": "1", "cloud_sso_access_config": "ac"}]}"#,
            "{\"current\": canary",
            "canary",
        ] {
            std::fs::write(&path, text).unwrap();
            texts += &shown(&path, &None);
        }
        let ini = folder.path().join("credentials.ini");
        for text in [
            "[default]\ntype = sts\naccess_key_id = LTAI5tExampleKeyId01\naccess_key_secret = canary-secret\n\
             security_token = canary-token\n",
            "[default]\ntype = access_key\naccess_key_id = i\naccess_key_secret = a\n  canary\n",
            "[default]\ntype = canary\n",
            "[default]\n[canary\n",
            "[default]\n= canary\n",
            "[default]\ntype = access_key\naccess_key_id = i\naccess_key_secret = canary\u{7}\n",
        ] {
            std::fs::write(&ini, text).unwrap();
            texts += &shown(&ini, &None);
        }
    });
    for logged in [
        "the profile is read",
        "stays in use",
        "the OAuth login is renewed",
        "handed out credentials",
    ] {
        assert!(log.contains(logged), "{logged} is not in {log}");
    }
    texts += &log;
    for secret in ["canary", "STS.NUExampleNewKeyId1", "LTAI5tExampleKeyId01"] {
        let at = texts.find(secret);
        let around = at.and_then(|at| texts.get(at.saturating_sub(300)..at + 40));
        assert!(at.is_none(), "{secret} in {around:?}");
    }
}
