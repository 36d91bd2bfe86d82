//! That keys reach no log and no error. Alone in its binary: what tracing remembers about the interest in an
//! event is shared by all threads of a process.
#![allow(clippy::unwrap_used, reason = "helpers of tests may fail the test")]

use std::error::Error as _;

use oss_credentials_core::test_util::{ManualClock, logged};
use oss_credentials_core::{Credentials, CredentialsProvider, blocking};
use oss_credentials_http::{HttpError, HttpErrorKind, HttpResponse, http_fn};
use oss_credentials_sts_assume_role::StsAssumeRole;

const ID: &str = "STS.NUExampleTempKeyId";
const OK: &str = r#"{"Credentials": {"AccessKeyId": "STS.NUExampleNewKeyId1", "AccessKeySecret": "canary-secret",
    "SecurityToken": "canary-token", "Expiration": "2099-01-02T04:04:05Z"}}"#;

#[test]
fn canary_secrets_reach_nothing() {
    let echo =
        r#"{"Code": "InvalidSecurityToken.Expired", "RequestId": "R", "Message": "canary-base-token"}"#;
    let mut shown = String::new();
    let log = logged(|| {
        for answer in [
            Some((200, OK.to_owned())),
            Some((400, echo.to_owned())),
            Some((
                403,
                format!(r#"{{"Code": "NoPermission", "Message": "{ID} may not"}}"#),
            )),
            Some((200, OK.replace("\"canary-token\"", "{\"canary-token\": 1}"))),
            Some((200, "<p>canary</p>".to_owned())),
            None,
        ] {
            let http = http_fn(move |_| {
                let answer = answer.clone();
                async move {
                    let (status, body) =
                        answer.ok_or_else(|| HttpError::new(HttpErrorKind::Interrupted, "cut"))?;
                    Ok(HttpResponse::new(status, body.into_bytes()))
                }
            });
            let base = Credentials::builder(ID, "canary-base-secret").security_token("canary-base-token");
            let provider = StsAssumeRole::builder(base.build().unwrap())
                .role_arn("acs:ram::123456789012:role/example-role")
                .policy("canary-policy")
                .external_id("canary-external-id")
                .http_client(http)
                .clock(ManualClock::at_unix(1_767_323_045))
                .build()
                .unwrap();
            let outcome = blocking::wait(provider.credentials());
            let text = outcome
                .as_ref()
                .err()
                .map(|e| (e.to_string(), e.source().map(ToString::to_string)));
            shown = format!(
                "{shown}{provider:?} {:?} {outcome:?} {text:?}\n",
                provider.status()
            );
        }
    });
    assert!(
        log.contains("acs_sts") && log.contains("the call failed"),
        "{log}"
    );
    shown += &log;
    for secret in ["canary", ID, "STS.NUExampleNewKeyId1"] {
        assert!(!shown.contains(secret), "{secret} in {shown}");
    }
}
