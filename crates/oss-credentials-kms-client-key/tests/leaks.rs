//! That keys, passwords and signatures reach no log and no error. Alone in its binary: what tracing remembers
//! about the interest in an event is shared by all threads of a process.
#![allow(clippy::unwrap_used, reason = "helpers of tests may fail the test")]

use std::error::Error as _;

use acs_sign::{ClientKeySigner, SignError};
use oss_credentials_core::test_util::{FakeEnv, ManualClock, logged};
use oss_credentials_core::{CredentialsProvider, blocking};
use oss_credentials_http::{HttpErrorKind, test_util::ScriptedHttp};
use oss_credentials_kms_client_key::{ClientKey, KmsClientKey, KmsClientKeyBuilder, KmsRegion};

const KEY_ID: &str = "KAAP.ed804cff-d4d1-4e7e-825e-4f7dc1fd4620";
/// Base64 of what [`Signer`] returns: `canarysignature` over and over.
const SIGNATURE: &str = "Y2FuYXJ5c2lnbmF0dXJl";
const OK: &str = r#"{"RequestId": "R-0", "AutomaticRotation": "Invalid", "ExtendedConfig": "canary", "SecretData":
    "{\"AccessKeyId\": \"LTAI5tCanaryKeyId001\", \"AccessKeySecret\": \"canary-secret\", \"SecurityToken\": \"canary-token\"}"}"#;

#[derive(Debug)]
struct Signer;

impl ClientKeySigner for Signer {
    fn sign(&self, _: &[u8]) -> Result<Vec<u8>, SignError> {
        Ok(b"canarysignature".repeat(17))
    }
}

#[test]
fn canary_secrets_reach_nothing() {
    let mut shown = String::new();
    let log = logged(|| {
        for (status, body) in [
            (200, OK.to_owned()),
            (200, OK.replace("\\\"canary-secret\\\"", "{\\\"canary\\\": 1}")),
            (
                200,
                OK.replace("\\\"canary-secret\\\"", "\\\"canary-secret\\\\n\\\""),
            ),
            (200, r#"{"SecretData": "canary"}"#.to_owned()),
            (200, r#"{"SecretData": {"canary": "canary"}}"#.to_owned()),
            (200, "<p>canary</p>".to_owned()),
            (200, "canary".to_owned()),
            (
                400,
                format!(r#"{{"Code": "SignatureDoesNotMatch", "Message": "bad {SIGNATURE} of {KEY_ID}"}}"#),
            ),
            (
                400,
                r#"{"Code": "SignatureDoesNotMatch", "Message": "server string to sign is:POST&canary"}"#
                    .to_owned(),
            ),
            (
                404,
                format!(
                    r#"{{"Code": "InvalidAccessKeyId.NotFound", "Message": "no {KEY_ID}", "RequestId": "{SIGNATURE}"}}"#
                ),
            ),
            (502, OK.to_owned()),
            (403, "<p>Signature=canary</p>".to_owned()),
            (403, format!("<p>{SIGNATURE}</p> {KEY_ID}")),
        ] {
            shown += &exchange(in_code(), Some((status, body)));
        }
        shown += &exchange(in_code(), None);
        // Settings that hold what they should not.
        let env = FakeEnv::from([
            ("credentials_type", "canary"),
            ("client_key_password", "canary"),
            ("cache_client_region_id", "[{\"regionId\":\"canary canary\"}]"),
        ]);
        shown += &KmsClientKey::from_env(&env).unwrap_err().to_string();
        env.set("credentials_type", "client_key");
        env.set("client_key_private_key_path", "/nowhere/key.json");
        let builder = || KmsClientKey::from_env(&env).unwrap().secret_name("s");
        shown += &exchange(builder().client_key(key()), Some((200, OK.to_owned())));
        env.set("cache_client_region_id", r#"[{"regionId":"cn-hangzhou"}]"#);
        shown += &exchange(builder(), Some((200, OK.to_owned())));
        // What belongs into a file, or behind a name, where the path or the name belongs.
        let long = "canary".repeat(1000);
        for content in [
            r#"{"KeyId":"canary","PrivateKeyData":"canary/"}"#,
            "canary",
            &long,
        ] {
            for setting in [
                "client_key_password_from_env_variable",
                "client_key_password_from_file_path",
            ] {
                env.set(setting, content.replace("canary", "canary-C"));
                shown += &exchange(builder(), Some((200, OK.to_owned())));
                env.unset(setting);
            }
            env.set("client_key_private_key_path", content);
            shown += &exchange(
                builder().client_key_password("canary-password"),
                Some((200, OK.to_owned())),
            );
            env.set("client_key_private_key_path", "/nowhere/key.json");
        }
        shown += &exchange(
            builder().client_key_password("canary-password"),
            Some((200, OK.to_owned())),
        );
    });
    for expected in [
        "oss_credentials_kms_client_key",
        "the region gave no secret",
        "rotation",
    ] {
        assert!(log.contains(expected), "{log}");
    }
    shown += &log;
    assert!(shown.contains("text withheld, as it repeats a secret"), "{shown}");
    for secret in ["canary", "LTAI5tCanaryKeyId001", KEY_ID, &SIGNATURE[..12]] {
        assert!(!shown.contains(secret), "{secret} in {shown}");
    }
}

fn key() -> ClientKey {
    ClientKey::new(KEY_ID, Signer)
}

fn in_code() -> KmsClientKeyBuilder {
    KmsClientKey::builder()
        .secret_name("acs/ram/user/oss-reader")
        .client_key(key())
        .region(KmsRegion::new("cn-hangzhou"))
}

/// Everything that can be shown of one exchange.
fn exchange(builder: KmsClientKeyBuilder, answer: Option<(u16, String)>) -> String {
    let http = ScriptedHttp::new();
    let http = match answer {
        Some((status, body)) => http.answers(status, body),
        None => http.fails(HttpErrorKind::Interrupted),
    };
    let builder = builder
        .http_client(http.clone())
        .clock(ManualClock::at_unix(1_772_352_550));
    let before = format!("{builder:?}");
    let provider = match builder.build() {
        Ok(provider) => provider,
        Err(error) => return format!("{before} {error} {error:?}\n"),
    };
    let outcome = blocking::wait(provider.credentials());
    let text = outcome
        .as_ref()
        .err()
        .map(|e| (e.to_string(), e.source().map(ToString::to_string)));
    let requests = http.requests();
    format!(
        "{before} {provider:?} {:?} {outcome:?} {text:?} {requests:?}\n",
        provider.status()
    )
}

#[test]
fn regions_and_builders_do_not_show_the_password_of_their_endpoint() {
    for endpoint in [
        "https://user:canary-password@kms.example",
        "user:canary-password@h",
        "h?canary",
    ] {
        let region = KmsRegion::new("cn-hangzhou").endpoint(endpoint);
        let builder = KmsClientKey::builder().region(region.clone());
        let shown = format!("{region:?} {region:#?} {builder:?}");
        assert!(
            !shown.contains("canary") && shown.contains("not shown"),
            "{shown}"
        );
    }
}

#[cfg(feature = "instance-gateway")]
#[test]
fn instances_do_not_show_the_password_of_their_endpoint() {
    use oss_credentials_kms_client_key::KmsInstance;
    for endpoint in [
        "https://user:canary-password@kms.example",
        "user:canary-password@h",
        "h?canary",
    ] {
        let instance = KmsInstance::new("cn-hangzhou", endpoint);
        let shown = format!("{instance:?} {instance:#?}");
        assert!(
            !shown.contains("canary") && shown.contains("not shown"),
            "{shown}"
        );
    }
}
