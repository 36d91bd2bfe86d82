//! That keys reach no log, no error and no debug output. Alone in its binary: what tracing remembers about
//! the interest in an event is shared by all threads of a process.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "helpers of tests may fail the test"
)]
#![cfg(feature = "signed")]

use std::error::Error;
use std::sync::{Arc, Mutex};

use acs_sts::{AssumeRole, SignatureVersion, StsClient};
use oss_credentials_core::http::{HttpError, HttpErrorKind, HttpResponse, http_fn};
use oss_credentials_core::test_util::ManualClock;
use oss_credentials_core::{Credentials, blocking};

const SECRET: &str = "canaryCallerSecret";
const TOKEN: &str = "canary-caller-token+/==";
const ID: &str = "STS.NUExampleTempKeyId";
const OK: &str = r#"{"Credentials": {"AccessKeyId": "STS.EXAMPLE", "AccessKeySecret": "canary-new-secret",
    "SecurityToken": "canary-new-token", "Expiration": "2099-01-02T04:04:05Z"}}"#;

#[test]
fn keys_reach_no_log_no_error_and_no_debug_output() {
    let echo = format!(
        r#"{{"Code": "SignatureDoesNotMatch", "RequestId": "R", "Message":
           "server string to sign is:POST&SecurityToken%3D{TOKEN} for {ID} with {SECRET}"}}"#
    );
    let incomplete = format!(r#"{{"Code": "Other", "RequestId": "{TOKEN}", "Message": "{SECRET} of {ID}"}}"#);
    let twice_encoded = TOKEN
        .replace('+', "%252B")
        .replace('/', "%252F")
        .replace('=', "%253D");
    let answers = [
        Some((200, OK.to_owned())),
        Some((403, echo)),
        Some((403, incomplete)),
        Some((200, OK.replace("\"canary-new-token\"", "[\"canary-new-token\"]"))),
        Some((200, OK.replace("canary-new-secret", "canary-new-secret\\n"))),
        Some((500, "<html>canary</html>".to_owned())),
        Some((
            403,
            format!(r#"{{"Code": "X", "Recommend": "https://x/?t={TOKEN}"}}"#),
        )),
        Some((400, format!(r#"{{"Code": "InvalidParameter.{SECRET}"}}"#))),
        Some((
            403,
            format!(r#"{{"Code": "X", "Message": "got {twice_encoded}"}}"#),
        )),
        Some((403, format!(r#"{{"Code": "X", "RequestId": "{SECRET}"}}"#))),
        Some((
            200,
            r#"{"Code": "canary-new-secret", "Message": "canary-new-secret",
               "Credentials": {"AccessKeyId": "a", "AccessKeySecret": "canary-new-secret"}}"#
                .to_owned(),
        )),
        Some((200, r#"{"Code": "X", "Message": "canary-new-secret"}"#.to_owned())),
        None,
    ];
    let log = Log::default();
    let writer = log.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_writer(move || writer.clone())
        .finish();
    let mut shown = String::new();
    tracing::subscriber::with_default(subscriber, || {
        for version in [SignatureVersion::Rpc, SignatureVersion::Acs3] {
            for answer in answers.clone() {
                shown += &call(version, answer);
            }
        }
    });
    let log = log.text();
    for part in [
        "calling the service",
        "handed out credentials",
        "the call failed",
        "VPC endpoints need a region",
    ] {
        assert!(log.contains(part), "{part} is not in {log}");
    }
    shown += &log;
    for secret in ["canary", ID] {
        assert!(!shown.contains(secret), "{secret} in {shown}");
    }
}

/// Everything that can be shown of one call.
fn call(version: SignatureVersion, answer: Option<(u16, String)>) -> String {
    let requests = Arc::new(Mutex::new(Vec::new()));
    let seen = Arc::clone(&requests);
    let http = http_fn(move |request| {
        seen.lock().unwrap().push(request);
        let answer = answer.clone();
        async move {
            let (status, body) = answer.ok_or_else(|| HttpError::new(HttpErrorKind::Timeout, "no answer"))?;
            Ok(HttpResponse::new(status, body.into_bytes()).with_header("x-acs-request-id", TOKEN))
        }
    });
    let caller = Credentials::builder(ID, SECRET)
        .security_token(TOKEN)
        .build()
        .unwrap();
    let client = StsClient::builder(Arc::new(http))
        .vpc(true)
        .signature_version(version)
        .clock(ManualClock::at_unix(1_767_323_045))
        .build()
        .unwrap();
    let request = AssumeRole::new("acs:ram::123456789012:role/example-role", "example-session")
        .policy("canary-policy")
        .external_id("canary-external-id");
    let outcome = blocking::wait(client.assume_role(&caller, &request));
    let error = outcome
        .as_ref()
        .err()
        .map(|error| (error.to_string(), error.source().map(ToString::to_string)));
    let requests = requests.lock().unwrap();
    assert!(!requests.is_empty());
    format!("{client:?} {request:?} {outcome:?} {error:?} {requests:?}")
}

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Log {
    fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

impl std::io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }
    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}
