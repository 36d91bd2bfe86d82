//! That keys and tokens reach no log, no error and no debug output. Alone in its binary, and one test: what
//! tracing remembers about the interest in an event is shared by all threads of a process.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "helpers of tests may fail the test"
)]

use std::error::Error;
use std::fmt::Debug;
use std::sync::{Arc, Mutex};

use acs_sts::{AssumeRoleWithOidc, AssumedRole, StsClient, StsClientBuilder, StsError};
use oss_credentials_core::blocking;
use oss_credentials_core::test_util::{ManualClock, logged};
use oss_credentials_http::{HttpError, HttpErrorKind, HttpResponse, http_fn};

const JWT: &str = "canaryOidcHeader.canary-oidc-claims.canary-oidc-signature";
const ID: &str = "STS.NUExampleTempKeyId";
const OK: &str = r#"{"Credentials": {"AccessKeyId": "STS.EXAMPLE", "AccessKeySecret": "canary-new-secret",
    "SecurityToken": "canary-new-token", "Expiration": "2099-01-02T04:04:05Z"}}"#;

#[test]
fn secrets_reach_no_log_no_error_and_no_debug_output() {
    let mut shown = String::new();
    let log = logged(|| {
        shown += &with_token();
        #[cfg(feature = "signed")]
        {
            shown += &with_key(acs_sts::SignatureVersion::Rpc);
            shown += &with_key(acs_sts::SignatureVersion::Acs3);
        }
    });
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

/// Calls by the bearer of an OIDC token, to a service that repeats it whole and in pieces.
fn with_token() -> String {
    let whole = format!(r#"{{"Code": "AuthenticationFail.OIDCToken.Invalid", "Message": "bad: {JWT}"}}"#);
    let pieces = r#"{"Code": "AuthenticationFail.OIDCToken.canary-oidc-claims", "Message": "canaryOidcHeader...",
        "RequestId": "canary-oidc-signature", "Recommend": "https://x/?q=canary-oidc-claims"}"#;
    // Of such a code the hint names the last part.
    let argument = r#"{"Code": "InvalidParameter.canaryOidcHeader"}"#;
    let twice_encoded = format!(r#"{{"Code": "X", "Message": "got {}"}}"#, twice_encoded(JWT));
    let mut shown = String::new();
    for answer in answers(&[whole, pieces.to_owned(), argument.to_owned(), twice_encoded]) {
        // The header could pass for a request id.
        shown += &call(answer, "canary-oidc-signature", |client| {
            let client = client.build().unwrap();
            let request = AssumeRoleWithOidc::new(
                "acs:ram::123456789012:role/example-role",
                "acs:ram::123456789012:oidc-provider/example",
                "example-session",
            );
            let request = request.policy("canary-policy").oidc_token(JWT);
            let mangled = request.clone().oidc_token(format!("{JWT} {JWT}"));
            let refused = show(
                &client,
                &mangled,
                &blocking::wait(client.assume_role_with_oidc(&mangled)),
            );
            let outcome = blocking::wait(client.assume_role_with_oidc(&request));
            refused + &show(&client, &request, &outcome)
        });
    }
    shown
}

/// Calls by the holder of a key, to a service that repeats it.
#[cfg(feature = "signed")]
fn with_key(version: acs_sts::SignatureVersion) -> String {
    const SECRET: &str = "canaryCallerSecret";
    const TOKEN: &str = "canary-caller-token+/==";
    let whole = format!(
        r#"{{"Code": "SignatureDoesNotMatch", "RequestId": "R", "Message":
           "server string to sign is:POST&SecurityToken%3D{TOKEN} for {ID} with {SECRET}"}}"#
    );
    let fields = format!(
        r#"{{"Code": "InvalidParameter.{SECRET}", "RequestId": "{TOKEN}", "Message": "{SECRET} of {ID}",
           "Recommend": "https://x/?q={SECRET}"}}"#
    );
    let caller = oss_credentials_core::Credentials::builder(ID, SECRET).security_token(TOKEN);
    let caller = caller.build().unwrap();
    let request = acs_sts::AssumeRole::new("acs:ram::123456789012:role/example-role", "example-session")
        .policy("canary-policy")
        .external_id("canary-external-id");
    let id = format!(r#"{{"Code": "X", "RequestId": "{SECRET}"}}"#);
    let link = format!(r#"{{"Code": "X", "Recommend": "https://x/?t={TOKEN}"}}"#);
    let twice_encoded = format!(r#"{{"Code": "X", "Message": "got {}"}}"#, twice_encoded(TOKEN));
    let mut shown = String::new();
    for answer in answers(&[whole, fields, id, link, twice_encoded]) {
        shown += &call(answer, SECRET, |client| {
            let client = client.signature_version(version).build().unwrap();
            let outcome = blocking::wait(client.assume_role(&caller, &request));
            show(&client, &request, &outcome)
        });
    }
    shown
}

fn twice_encoded(secret: &str) -> String {
    let encode = |text: &str| {
        percent_encoding::utf8_percent_encode(text, percent_encoding::NON_ALPHANUMERIC).to_string()
    };
    encode(&encode(secret))
}

/// What a service and those in its place answer; `None` is silence.
fn answers(refusals: &[String]) -> Vec<Option<(u16, String)>> {
    let mut answers: Vec<_> = refusals.iter().map(|body| Some((403, body.clone()))).collect();
    answers.extend([
        Some((200, OK.to_owned())),
        Some((200, OK.replace("\"canary-new-token\"", "[\"canary-new-token\"]"))),
        Some((200, OK.replace("canary-new-secret", "canary-new-secret\\n"))),
        Some((
            200,
            r#"{"Code": "canary-new-secret", "Message": "canary-new-secret",
               "Credentials": {"AccessKeyId": "a", "AccessKeySecret": "canary-new-secret"}}"#
                .to_owned(),
        )),
        Some((200, r#"{"Code": "X", "Message": "canary-new-secret"}"#.to_owned())),
        Some((500, "<html>canary</html>".to_owned())),
        None,
    ]);
    answers
}

/// What `use_it` shows when the answer's header has that request id, and what can be shown of the client's settings and requests.
fn call(
    answer: Option<(u16, String)>,
    request_id: &'static str,
    use_it: impl FnOnce(StsClientBuilder) -> String,
) -> String {
    let requests = Arc::new(Mutex::new(Vec::new()));
    let seen = Arc::clone(&requests);
    let http = http_fn(move |request| {
        seen.lock().unwrap().push(request);
        let answer = answer.clone();
        async move {
            let (status, body) = answer.ok_or_else(|| HttpError::new(HttpErrorKind::Timeout, "no answer"))?;
            Ok(HttpResponse::new(status, body.into_bytes()).with_header("x-acs-request-id", request_id))
        }
    });
    let client = StsClient::builder(Arc::new(http))
        .vpc(true)
        .clock(ManualClock::at_unix(1_767_323_045));
    let unchecked = client.clone().endpoint("https://user:canary@sts.example.com");
    let shown = format!("{unchecked:?} {:?} ", unchecked.clone().build());
    let shown = shown + &use_it(client);
    let requests = requests.lock().unwrap();
    assert!(!requests.is_empty());
    format!("{shown} {requests:?}")
}

fn show(client: &StsClient, request: &impl Debug, outcome: &Result<AssumedRole, StsError>) -> String {
    let error = outcome
        .as_ref()
        .err()
        .map(|error| (error.to_string(), error.source().map(ToString::to_string)));
    format!("{client:?} {request:?} {outcome:?} {error:?}")
}
