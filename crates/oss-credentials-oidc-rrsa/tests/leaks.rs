//! That tokens and keys reach no log and no error. Alone in its binary: what tracing remembers about the
//! interest in an event is shared by all threads of a process.
#![allow(clippy::unwrap_used, reason = "helpers of tests may fail the test")]

use std::error::Error as _;
use std::sync::{Arc, Mutex};

use oss_credentials_core::test_util::{ManualClock, logged};
use oss_credentials_core::{CredentialsProvider, blocking};
use oss_credentials_http::{HttpError, HttpErrorKind, HttpRequest, HttpResponse, http_fn};
use oss_credentials_oidc_rrsa::OidcRrsa;

const JWT: &str = "canary-oidc-header.canary-oidc-claims.canary-oidc-signature";
const OK: &str = r#"{"Credentials": {"AccessKeyId": "STS.NUExampleNewKeyId1", "AccessKeySecret": "canary-secret",
    "SecurityToken": "canary-token", "Expiration": "2099-01-02T04:04:05Z"},
    "OIDCTokenInfo": {"Subject": "canary-subject"}}"#;

#[test]
fn canary_secrets_reach_nothing() {
    let whole = format!(r#"{{"Code": "AuthenticationFail.OIDCToken.Invalid", "Message": "bad: {JWT}"}}"#);
    let pieces = r#"{"Code": "AuthenticationFail.OIDCToken.Expired", "RequestId": "canary-oidc-claims",
        "Message": "canary-oidc-header... ended", "Recommend": "https://x/?token=canary-oidc-signature"}"#;
    let mut shown = String::new();
    let log = logged(|| {
        for answer in [
            Some((200, OK.to_owned())),
            Some((400, whole)),
            Some((400, pieces.to_owned())),
            Some((200, OK.replace("\"canary-token\"", "{\"canary-token\": 1}"))),
            Some((200, "<p>canary</p>".to_owned())),
            None,
        ] {
            shown += &exchange(JWT.as_bytes(), answer);
        }
        let large = vec![b'c'; 70_000];
        for file in [&b"canary canary"[..], b"canary\xff", &large] {
            shown += &exchange(file, Some((200, OK.to_owned())));
        }
    });
    assert!(
        log.contains("acs_sts") && log.contains("the call failed"),
        "{log}"
    );
    shown += &log;
    assert!(shown.contains("text withheld, as it repeats a secret"), "{shown}");
    for secret in ["canary", "ccccccccc", "STS.NUExampleNewKeyId1"] {
        assert!(!shown.contains(secret), "{secret} in {shown}");
    }
}

/// Everything that can be shown of one exchange.
fn exchange(file: &[u8], answer: Option<(u16, String)>) -> String {
    let requests = Arc::new(Mutex::new(Vec::new()));
    let seen = Arc::clone(&requests);
    let http = http_fn(move |request: HttpRequest| {
        assert!(!request.url().contains("canary"), "the token is in the URL");
        seen.lock().unwrap().push(request);
        let answer = answer.clone();
        async move {
            let (status, body) = answer.ok_or_else(|| HttpError::new(HttpErrorKind::Interrupted, "cut"))?;
            Ok(HttpResponse::new(status, body.into_bytes()))
        }
    });
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("token");
    std::fs::write(&path, file).unwrap();
    let provider = OidcRrsa::builder()
        .role_arn("acs:ram::123456789012:role/example-role")
        .oidc_provider_arn("acs:ram::123456789012:oidc-provider/example")
        .oidc_token_file(path)
        .policy("canary-policy")
        .http_client(http)
        .clock(ManualClock::at_unix(1_767_323_045))
        .build()
        .unwrap();
    let outcome = blocking::wait(provider.credentials());
    let text = outcome
        .as_ref()
        .err()
        .map(|e| (e.to_string(), e.source().map(ToString::to_string)));
    let requests = requests.lock().unwrap();
    format!(
        "{provider:?} {:?} {outcome:?} {text:?} {requests:?}\n",
        provider.status()
    )
}
