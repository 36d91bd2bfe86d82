//! That no piece of a secret is shown, whatever answer holds it and whatever its status. Alone in its binary: what
//! tracing remembers about the interest in an event is shared by all threads of a process.
#![allow(clippy::unwrap_used, reason = "helpers of tests may fail the test")]

use std::error::Error as _;
use std::fmt::Write as _;

use acs_sign::{ClientKeySigner, SignError};
use oss_credentials_core::test_util::{ManualClock, logged};
use oss_credentials_core::{CredentialsSource, blocking};
use oss_credentials_http::test_util::ScriptedHttp;
use oss_credentials_kms_client_key::{ClientKey, KmsClientKey, KmsClientKeyBuilder, KmsRegion};
use proptest::prelude::*;

#[derive(Debug)]
struct Signer;

impl ClientKeySigner for Signer {
    fn sign(&self, _: &[u8]) -> Result<Vec<u8>, SignError> {
        Ok(vec![7; 256])
    }
}

fn builder() -> KmsClientKeyBuilder {
    KmsClientKey::builder()
        .secret_name("acs/ram/user/oss-reader")
        .client_key(ClientKey::new(
            "KAAP.ed804cff-d4d1-4e7e-825e-4f7dc1fd4620",
            Signer,
        ))
        .clock(ManualClock::at_unix(1_772_352_550))
}

/// Everything that can be shown of one answer, from the shared gateway and from an instance.
fn shown(status: u16, body: &[u8]) -> String {
    let mut shown = String::new();
    let log = logged(|| {
        let http = || ScriptedHttp::new().answers(status, body);
        let builders = vec![
            builder()
                .region(KmsRegion::new("cn-hangzhou"))
                .http_client(http()),
        ];
        #[cfg(feature = "instance-gateway")]
        let builders = {
            use oss_credentials_kms_client_key::KmsInstance;
            let instance = KmsInstance::new("cn-hangzhou", "kst-0.cryptoservice.kms.aliyuncs.com");
            [
                builders,
                vec![builder().instance(instance).instance_http_client(http())],
            ]
            .into_iter()
            .flatten()
            .collect::<Vec<_>>()
        };
        for builder in builders {
            let source = builder.build_source().unwrap();
            let outcome = blocking::wait(source.fetch());
            write!(shown, "{outcome:?} {source:?}").unwrap();
            if let Err(error) = outcome {
                write!(shown, "{error} {:?}", error.source().map(ToString::to_string)).unwrap();
            }
        }
    });
    shown + &log
}

fn text(field: u8, text: &str) -> Vec<u8> {
    let mut bytes = vec![field << 3 | 2];
    let length = text.len();
    if length < 128 {
        bytes.push(u8::try_from(length).unwrap());
    } else {
        bytes.extend([
            u8::try_from(length & 0x7f).unwrap() | 0x80,
            u8::try_from(length >> 7).unwrap(),
        ]);
    }
    bytes.extend_from_slice(text.as_bytes());
    bytes
}

fn pair() -> impl Strategy<Value = String> {
    prop_oneof![
        Just(r#"{"AccessKeyId":"LTAI5tCanary000","AccessKeySecret":"Canary0Secret"}"#.to_owned()),
        Just(r#"{"AccountName":"a","AccountPassword":"Canary0Password"}"#.to_owned()),
    ]
}

/// A `GetSecretValueResponse` of any of its fields, in any order.
fn protobuf(data: &str, order: &[u8]) -> Vec<u8> {
    let field = |number: &u8| match number {
        2 => text(2, "Generic"),
        3 => text(3, data),
        4 => text(4, "text"),
        5 => text(5, "ACSCurrent"),
        number => text(*number, "some-text"),
    };
    order.iter().flat_map(field).collect()
}

fn status() -> impl Strategy<Value = u16> {
    prop::sample::select(vec![200, 204, 302, 400, 401, 403, 404, 429, 500, 502, 503])
}

fn no_canary(status: u16, body: &[u8]) -> Result<(), TestCaseError> {
    let shown = shown(status, body);
    prop_assert!(!shown.contains("anary"), "{}", shown);
    // Something was asked, and something was said.
    prop_assert!(shown.contains("kms-client-key"), "{}", shown);
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 600, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_secret_in_protobuf_is_not_shown(
        status in status(),
        data in prop_oneof![pair(), Just("Canary0Plain text".to_owned())],
        order in prop::collection::vec(1_u8..=13, 0..16),
        cut in any::<prop::sample::Index>(),
        is_cut in any::<bool>(),
    ) {
        let body = protobuf(&data, &order);
        let end = if is_cut && !body.is_empty() { cut.index(body.len()) } else { body.len() };
        no_canary(status, &body[..end])?;
    }

    #[test]
    fn a_pair_in_a_damaged_answer_is_not_shown(
        status in status(),
        data in pair(),
        order in prop::collection::vec(1_u8..=13, 0..6),
        damage in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..3),
    ) {
        let mut body = protobuf(&data, &[order, vec![3]].concat());
        for (at, byte) in damage {
            let at = at.index(body.len());
            body[at] = byte;
        }
        no_canary(status, &body)?;
    }

    #[test]
    fn a_secret_in_a_text_is_not_shown(
        status in status(),
        data in pair(),
        form in 0..9,
        code in prop::sample::select(vec!["Forbidden.NoPermission", "Rejected.Throttling", "Canary0", "a b", ""]),
        cut in any::<prop::sample::Index>(),
        is_cut in any::<bool>(),
    ) {
        let json = |value: serde_json::Value| value.to_string();
        let error = |message: &str| json(serde_json::json!({"Code": code, "Message": message, "RequestId": "R"}));
        let body = match form {
            0 => json(serde_json::json!({"SecretType": "Generic", "SecretData": data})),
            1 => json(serde_json::json!({"Code": code, "SecretData": "Canary0Plain", "Message": "Canary0Plain"})),
            2 => error(&data),
            3 => error(&format!("the value is {data}")),
            4 => error("AccessKeySecret=Canary0Secret"),
            5 => error("the AccessKey Secret is Canary0Secret"),
            6 => format!("<KMS><Code>{code}</Code><Message>{}</Message></KMS>", data.replace('"', "&quot;")),
            7 => "AccessKey Secret: Canary0Secret".to_owned(),
            _ => data,
        };
        let end = if is_cut { cut.index(body.len()) } else { body.len() };
        no_canary(status, &body.as_bytes()[..end])?;
    }
}
